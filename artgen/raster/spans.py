"""Shapes drawn by area: the share of a pixel that a shape covers is how much of its colour it gets.

There are eight sample rows per pixel, and along each of them a shape begins and ends exactly. The
kernels are compiled together with the static functions of the shapes: a generated text binds these
to names and makes one `trace` of them, whatever kind a shape is of; the text of the kernels proper
follows. Its hash is that of the functions' code too, so a plugin that changed is compiled anew.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.errors import PluginError
from artgen.primitives import Shape
from artgen.raster import kernel_cache
from artgen.raster.fingerprint import computed, explain
from artgen.raster.threads import share

__all__ = ["SUBROWS", "Grid", "Parts", "check_shape", "draw_shapes", "load_kernels", "make_grid"]

SUBROWS = 8
"""Sample rows per pixel of a drawing."""

Grid: TypeAlias = tuple[float, float, float, float, float]
"""Where sample rows and columns lie, see `span_kernels`."""

Parts: TypeAlias = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""Of N shapes: kind int64 [N]; float64 genes [N, genes], colour [N, 3] and alpha [N]."""


def draw_shapes(
    shape: Shape,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: tuple[float, float, float],
    *,
    transparent: bool = False,
) -> Tensor:
    """A drawing's tensors as float32 [3, height, width] over the background.

    When transparent [4, height, width] with colours not multiplied by alpha. Raises PluginError
    where the functions of the shape cannot be compiled.
    """
    kind, genes, colour, alpha = unpack(shape, tensors)
    ground = np.array(background)
    if transparent:
        # Alpha is a fourth channel: what shapes that are all 1 make of 0.
        colour = np.append(colour, np.ones((len(colour), 1)), axis=1)
        ground = np.zeros(4)
    picture = np.empty((len(ground), canvas.height, canvas.width), np.float32)
    picture[:] = ground[:, None, None]
    over = drawing_kernels(shape).over
    scene = (kind, genes, colour, alpha, picture, make_grid(canvas, SUBROWS), SUBROWS)
    cuts = np.linspace(0, canvas.height, 4 * torch.get_num_threads() + 1).astype(int)
    share(lambda rows: over(*scene, *rows), list(pairwise(cuts.tolist())))
    if transparent:
        picture[:3] /= np.maximum(picture[3], 1e-6)
    return torch.from_numpy(picture)


def unpack(shape: Shape, tensors: Mapping[str, Tensor]) -> Parts:
    """A drawing's tensors as the kernels take them."""

    def rows(name: str) -> NDArray[np.float64]:
        return np.ascontiguousarray(tensors[name].detach().cpu().numpy().T, np.float64)

    alpha = rows("alpha")
    kind = np.zeros(len(alpha), np.int64)
    if "kind" in tensors:
        # What was saved with few bits is near a whole number.
        kind = np.rint(rows("kind")).astype(np.int64)
    return kind, rows("genes"), rows("colour"), alpha


def make_grid(canvas: Canvas, subrows: float) -> Grid:
    """The sample rows of a canvas: `subrows` for each row of pixels, which may be less than one."""
    half_width, half_height = canvas.reach
    pitch = canvas.pixel / subrows
    return (pitch / 2 - half_height, pitch, -half_width, 1 / canvas.pixel, float(canvas.width))


def drawing_kernels(shape: Shape) -> types.ModuleType:
    """`over_kernels` for this shape."""
    return load_kernels(shape, _text("over_kernels.py"))


def load_kernels(shape: Shape, kernels: str, functions: tuple[str, ...] = ()) -> types.ModuleType:
    """Compile the text `kernels` after the functions of `shape`, or find it in the cache.

    It may use `trace`, the other `functions` by their names (both take the kind first), what
    `span_kernels` defines, VERTICES and CROSSINGS for `make_scratch`, and CHANCES, the cumulative
    shares of the kinds. Raises PluginError naming the function that cannot be compiled.
    """
    classes = tuple(type(member) for member in shape.members)
    layout = tuple((member.genes, member.vertices, member.convex) for member in shape.members)
    key = (classes, layout, shape.weights, kernels)
    if key not in _loaded:
        check_shape(shape)
        try:
            _loaded[key] = kernel_cache.load(_source(shape, functions) + kernels, given=classes)
        except Exception as error:
            raise _explained(shape, error) from error
    return _loaded[key]


_loaded: dict[Any, types.ModuleType] = {}

_SIGNATURES = {
    "random": "genes, rng, x, y, size",
    "mutate": "genes, rng, step",
    "valid": "genes",
    "trace": "genes, first, last, grid, scratch",
}
"""The arguments of what is chosen by kind."""

_HEADER = '''\
"""Kernels of shapes, written by artgen; delete this folder whenever you like."""

import math

import numba as nb
import numpy as np

from artgen.raster.span_kernels import *

# {fingerprint}
VERTICES, CROSSINGS = {vertices}, {crossings}
CHANCES = np.array({chances})
options = {{"cache": True, "nogil": True, "error_model": "numpy"}}
inline = nb.njit(forceinline=True, error_model="numpy")
compiled = nb.njit(error_model="numpy")
grid_type = nb.types.UniTuple(nb.float64, 5)
'''

_BINDING = "{name}_{k} = compiled(given[{k}].{name})\n"

_TRACE_OUTLINE = """

@inline
def trace_{k}(genes, first, last, grid, scratch):
    points = scratch[3][:{vertices}]
    outline_{k}(genes, points)
    return {trace}(points, first, last, grid, scratch)
"""

_TRACE_SPANS = """

@inline
def trace_{k}(genes, first, last, grid, scratch):
    top, pitch, origin, scale, width = grid
    rows, lefts, rights = scratch[0], scratch[1], scratch[2]
    low, high = bounds_{k}(genes)
    runs = 0
    for row in range(
        clamp_row((low - top) / pitch, first, last), clamp_row((high - top) / pitch, first, last)
    ):
        left, right = span_{k}(genes, top + row * pitch)
        left, right = max((left - origin) * scale, 0.0), min((right - origin) * scale, width)
        if right > left:
            rows[runs], lefts[runs], rights[runs] = row, left, right
            runs += 1
    return runs
"""

_CHOICE = """

@inline
def {name}(kind, {arguments}):
{branches}
"""


def _source(shape: Shape, functions: tuple[str, ...]) -> str:
    """The functions of the shapes by name, and those chosen by kind."""
    members = shape.members
    tangled = [member.vertices for member in members if not member.convex]
    text = _HEADER.format(
        fingerprint=_fingerprint(shape, functions),
        vertices=max(1, *(member.vertices for member in members)),
        crossings=max(tangled, default=0),
        chances=(np.cumsum(shape.weights) / sum(shape.weights)).tolist(),
    )
    for k, member in enumerate(members):
        for name in (*functions, *_covering(member)):
            text += _BINDING.format(name=name, k=k)
        text += (_TRACE_OUTLINE if member.vertices else _TRACE_SPANS).format(
            k=k,
            vertices=member.vertices,
            trace="trace_convex" if member.convex else "trace_outline",
        )
    for name in ("trace", *functions):
        text += _choice(name, [member.genes for member in members])
    return text + "\n\n"


def _choice(name: str, genes: list[int]) -> str:
    """The function `name` of whatever kind; any number beyond the kinds means the last."""
    rest = _SIGNATURES[name].partition(", ")[2]
    lines = []
    for k, number in enumerate(genes):
        call = ", ".join(filter(None, (f"genes[:{number}]", rest)))
        last = k == len(genes) - 1
        lines.append(f"{'    ' if last else f'    if kind == {k}: '}return {name}_{k}({call})")
    return _CHOICE.format(name=name, arguments=_SIGNATURES[name], branches="\n".join(lines))


def _covering(member: Shape) -> tuple[str, ...]:
    """The functions that say what a shape covers."""
    return ("outline",) if member.vertices else ("bounds", "span")


def _fingerprint(shape: Shape, functions: tuple[str, ...]) -> str:
    """A hash of all that is compiled but not in the text."""
    digest = hashlib.sha256(_text("span_kernels.py").encode())
    for member in shape.members:
        for name in (*functions, *_covering(member)):
            for part in computed(getattr(type(member), name), set()):
                digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def check_shape(shape: Shape) -> None:
    """Raise PluginError where a shape does not say what it is."""
    for member in shape.members:
        name, given = type(member).__name__, type(member).__dict__
        if member.genes < 1:
            raise PluginError(f"{name} does not say how many genes it has", hint="set genes")
        if len(member.gene_names) not in (0, member.genes):
            raise PluginError(
                f"{name} names {len(member.gene_names)} of {member.genes} genes",
                hint="gene_names has a name for each, or none",
            )
        missing = [
            each
            for each in ("random", *_covering(member))
            if getattr(type(member), each) is getattr(Shape, each)
        ]
        if missing:
            hint = "a shape has vertices and outline, or bounds and span"
            raise PluginError(f"{name} does not define {' and '.join(missing)}", hint=hint)
        for each in (*_SIGNATURES, "outline", "bounds", "span"):
            if each in given and not isinstance(given[each], staticmethod):
                raise PluginError(f"{name}.{each} takes no self", hint="mark it @staticmethod")


def _explained(shape: Shape, error: Exception) -> PluginError:
    """Which function cannot be compiled, and why."""
    import numba as nb

    generator = nb.typeof(np.random.default_rng())  # type: ignore[no-untyped-call]
    numbers, matrix = nb.float64[::1], nb.float64[:, ::1]
    for member in shape.members:
        types_of = {
            "random": (numbers, generator, nb.float64, nb.float64, nb.float64),
            "mutate": (numbers, generator, nb.float64),
            "valid": (numbers,),
            "outline": (numbers, matrix),
            "bounds": (numbers,),
            "span": (numbers, nb.float64),
        }
        for each in ("random", "mutate", "valid", *_covering(member)):
            function = nb.njit(getattr(type(member), each))
            try:
                function.compile(types_of[each])
                result = function.nopython_signatures[0].return_type
                if each in ("bounds", "span") and len(result) != 2:
                    raise TypeError
            except TypeError:
                reason = "it gives no pair of numbers"
            except Exception as failure:
                reason = explain(failure)
            else:
                continue
            return PluginError(
                f"{type(member).__name__}.{each} cannot be compiled: {reason}",
                hint="it takes plain Python on numbers: math, loops, arrays, constants",
            )
    return PluginError(f"the kernels of shapes cannot be compiled: {explain(error)}")


@functools.cache
def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
