"""Draw shapes by area: a pixel gets the share of a shape's colour that the shape covers of it.

There are eight sample rows per pixel, and spans along them have exact ends. Kernels take the static
functions of the shapes by their addresses (see `function_types`). A generated text binds these
functions to names and makes one `trace` of them for all kinds; the text of `function_kernels`
follows. The hash covers the code of the functions, so a changed plugin is compiled again.
"""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from artgen.base.faults import broken
from artgen.compiler import kernel_cache
from artgen.compiler.static_functions import check_static, load_after, try_in_python
from artgen.compiler.tables import make_tables, table_arguments, unbound
from artgen.compiler.templates import fill
from artgen.families.shape.contract import HEIGHTS, Shape
from artgen.families.shape.copies import Copies
from artgen.families.shape.function_types import Functions
from artgen.raster.sampling import draw_rows
from artgen.values.canvas import Canvas

Floats: TypeAlias = NDArray[np.float64]


class Stack(NamedTuple):
    """N shapes from the lowest to the highest, as kernels take them.

    `kind` is int64 [N]; `genes` [N, genes], `colour` [N, 3] and `alpha` [N] are float64 numbers
    that float32 can hold, as that is what drawings store.
    """

    kind: NDArray[np.int64]
    genes: Floats
    colour: Floats
    alpha: Floats

    @property
    def number(self) -> int:
        """The number of shapes."""
        return len(self.alpha)

    @classmethod
    def empty(cls, shape: Shape) -> Stack:
        """Return a stack of no shapes."""
        most = max(member.genes for member in shape.members)
        return cls(np.zeros(0, np.int64), np.zeros((0, most)), np.zeros((0, 3)), np.zeros(0))


def draw_shapes(
    shape: Shape,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: ArrayLike,
    *,
    transparent: bool = False,
) -> Tensor:
    """Draw tensors over the background, a colour or a picture: float32 [3, height, width].

    If transparent, [4, height, width] with colours not multiplied by alpha. Raises PluginError if
    the functions of the shape cannot be compiled.
    """
    stack = unpack(tensors)
    if transparent:
        # Alpha is a fourth channel: shapes of value 1 over 0.
        colour = np.append(stack.colour, np.ones((stack.number, 1)), axis=1)
        stack, background = stack._replace(colour=colour), np.zeros(4)
    over = load_shared("families.shape.over_kernels").over
    return draw_rows(over, (functions_of(shape), *stack), background, canvas)


def unpack(tensors: Mapping[str, Tensor]) -> Stack:
    """Return the tensors of a drawing as arguments of the kernels."""

    def rows(name: str) -> Floats:
        return np.ascontiguousarray(tensors[name].detach().cpu().numpy().T, np.float64)

    alpha = rows("alpha")
    kind = np.zeros(len(alpha), np.int64)
    if "kind" in tensors:
        # Kinds saved with few bits are only near a whole number.
        kind = np.rint(rows("kind")).astype(np.int64)
    return Stack(kind, rows("genes"), rows("colour"), alpha)


def as_drawn(shape: Shape, stack: Stack) -> Stack:
    """Return the stack with kinds that there are: any other number is drawn as the last one."""
    last = len(shape.members) - 1
    known = (stack.kind >= 0) & (stack.kind <= last)
    return stack._replace(kind=np.where(known, stack.kind, last))


def pack(shape: Shape, stack: Stack) -> dict[str, Tensor]:
    """Return the tensors of a drawing of shapes, the opposite of `unpack`."""
    values = {"genes": stack.genes.T, "colour": stack.colour.T, "alpha": stack.alpha}
    if len(shape.members) > 1:
        values["kind"] = stack.kind.astype(np.float64)
    return {name: torch.from_numpy(value.astype(np.float32, "C")) for name, value in values.items()}


def finite_polygon(member: Shape, genes: Floats) -> Floats:
    """Return what `Shape.polygon` gives, [corners, 2]; empty where its numbers are not finite."""
    try:
        with np.errstate(all="ignore"):
            points = member.polygon(genes)
    except (ArithmeticError, ValueError):
        return np.empty((0, 2))
    return points if np.isfinite(points).all() else np.empty((0, 2))


load_shared = partial(kernel_cache.load_shipped, of="all shapes")
"""Load kernels that take the functions of any shape, by the name of their module."""


def functions_of(shape: Shape) -> Functions:
    """Return the functions of a shape for kernels.

    The shape keeps the arrays that the tables point to. Raises PluginError naming the
    function that cannot be compiled.
    """
    return Functions._make((*load_functions(shape).FUNCTIONS, make_tables(_functions(shape))))


def load_functions(shape: Shape) -> types.ModuleType:
    """Compile `function_kernels` after the functions of a shape, or find them in the cache.

    Raises PluginError naming the function that cannot be compiled.
    """
    functions = [(member, _compiled_functions(member)) for member in shape.members]
    every = _functions(shape)
    compiled, tables = tuple(map(unbound, every)), tuple(table_arguments(every))
    layout = tuple(
        (member.genes, member.vertices, member.curves, member.convex) for member in shape.members
    )
    key = compiled, tables, layout, shape.weights, shape.limits, shape.copies
    if key not in _loaded:
        check_shape(shape)
        kernels = kernel_cache.read_kernels("families.shape.function_kernels")
        _loaded[key] = load_after(functions, lambda text: _source(shape, text) + kernels)
    return _loaded[key]


_loaded: dict[Any, types.ModuleType] = {}

SEARCH_FUNCTIONS = ("random", "mutate", "valid")
"""The functions of a shape that searches call; the others say what it covers."""

_SIGNATURES = {
    "random": "genes, tables, rng, x, y, size",
    "mutate": "genes, tables, rng, step",
    "valid": "genes, tables",
    "trace": "genes, tables, first, last, grid, scratch",
}
"""The arguments of the functions that are chosen by kind."""

LIMIT_HEIGHTS = 9
"""Heights at which a shape of spans is measured."""


def _source(shape: Shape, fingerprint: str) -> str:
    """Return the text that binds the functions of the shapes, and those chosen by kind."""
    members, copies = shape.members, shape.copies
    # A curve crosses a row three times at most.
    tangled = [member.vertices or 3 * member.curves for member in members if not member.convex]
    crossings, corners = max(tangled, default=0), [member.outline_points for member in members]
    if copies is not None:
        if copies.rotates and 0 in corners:
            crossings, corners = max(crossings, 2 * HEIGHTS), [*corners, 2 * HEIGHTS]
        # All copies together have so many times the spans of a row.
        crossings = len(copies.images) * max(crossings, 2)
    genes = [member.genes for member in members]
    text = _fill(
        "head",
        fingerprint=fingerprint,
        vertices=max(1, *corners),
        crossings=crossings,
        genes=genes,
        chances=(np.cumsum(shape.weights) / sum(shape.weights)).tolist(),
        turns=copies.turns if copies else (),
    )
    arguments, passed = table_arguments(_functions(shape)), []
    for k, member in enumerate(members):
        tables = {f"in_{name}": next(arguments) for name in _compiled_functions(member)}
        for name in _compiled_functions(member):
            bound = "free" if name == "valid" and shape.limits else name
            text += f"{bound}_{k} = foreign(unbound(given[{k}].{name}))\n"
        text += _limited(k, member, shape.limits, tables) if shape.limits else ""
        text += _trace(k, member, copies, tables)
        passed.append(tables)
    for name in ("trace", *SEARCH_FUNCTIONS):
        alias = "trace_image" if name == "trace" and copies else name
        written = name == "trace" or (name == "valid" and shape.limits)
        own = None if written else [tables[f"in_{name}"] for tables in passed]
        text += _choice(name, genes, alias, own)
    if copies is not None:
        text += _fill("grouped") if copies.group else _fill("symmetric", flips=copies.flips)
    return text + "\n\n"


def _fill(name: str, /, **values: object) -> str:
    return fill(f"families/shape/numba/{name}.txt", **{k: str(v) for k, v in values.items()})


def _corners(k: int, member: Shape, heights: int, tables: dict[str, str]) -> tuple[int, str]:
    """Return the number of a shape's corners, and the lines that write them into `points`.

    Those of a shape of spans are its ends at this many `heights`.
    """
    if member.outline_points:
        return member.outline_points, f"outline_{k}(genes, points{tables['in_outline']})"
    return 2 * heights, _fill("ends", k=k, heights=heights, **tables)


def _trace(k: int, member: Shape, copies: Copies | None, tables: dict[str, str]) -> str:
    """Return a function `trace_k`; with copies it traces the copy number `image`."""
    image = "image, " if copies else ""
    if member.outline_points or (copies and copies.rotates):
        number, corners = _corners(k, member, HEIGHTS, tables)
        corners += "\nturn(points, TURNS[image])" if copies else ""
        if copies and copies.group:
            corners += "\nif misses(points, grid):\n    return 0"
        trace = "trace_convex" if member.convex else "trace_outline"
        trace = "trace_curves" if member.curves else trace
        return _fill("outline", k=k, image=image, corners=corners, vertices=number, trace=trace)
    flip = "if TURNS[image, 1, 1] < 0:\n    low, high = -high, -low" if copies else ""
    sign = "TURNS[image, 1, 1] * " if copies else ""
    return _fill("spans", k=k, image=image, flip=flip, sign=sign, **tables)


def _limited(k: int, member: Shape, limits: tuple[float, ...], tables: dict[str, str]) -> str:
    """Return a function `valid_k` that refuses shapes outside of the limits too."""
    number, corners = _corners(k, member, LIMIT_HEIGHTS, tables)
    corners += "\non_curves(points)" if member.curves else ""
    numbers = ", ".join("np.inf" if math.isinf(each) else repr(each) for each in limits)
    return _fill("limited", k=k, number=number, corners=corners, limits=numbers, **tables)


def _choice(name: str, genes: list[int], alias: str, tables: list[str] | None) -> str:
    """Return a function `alias` that calls `name` of a kind, with its own `tables` if bound.

    Numbers beyond the kinds mean the last one.
    """
    arguments = _SIGNATURES[name]
    if alias == "trace_image":
        arguments = arguments.replace("tables", "image, tables")
    rest = arguments.removeprefix("genes")
    lines = []
    for k, number in enumerate(genes):
        more = rest if tables is None else rest.replace(", tables", "") + tables[k]
        case = "" if k == len(genes) - 1 else f"if kind == {k}: "
        lines.append(f"{case}return {name}_{k}(genes[:{number}]{more})")
    return _fill("choice", name=alias, arguments=arguments, branches="\n".join(lines))


def covering(member: Shape) -> tuple[str, ...]:
    """Return the names of the functions that define the covered area."""
    return ("outline",) if member.outline_points else ("bounds", "span")


def _compiled_functions(member: Shape) -> tuple[str, ...]:
    return (*SEARCH_FUNCTIONS, *covering(member))


def _functions(shape: Shape) -> list[Any]:
    """Return the compiled functions of all kinds, in order."""
    return [getattr(each, name) for each in shape.members for name in _compiled_functions(each)]


def check_shape(shape: Shape) -> None:
    """Raise PluginError if a shape is incomplete, or its functions fail in plain Python."""
    for member in shape.members:
        cls = type(member)
        for problem, hint in _faults(member):
            raise broken(cls.__name__, cls, problem, hint)
        check_static(cls, (*_SIGNATURES, "outline", "bounds", "span"))
        functions = ("random", "valid", "mutate", *covering(member))
        try_in_python(member, functions, member.genes, member.outline_points)


def _faults(member: Shape) -> Iterator[tuple[str, str]]:
    """Yield what is missing in a shape, and what to do."""
    if member.genes < 1:
        yield f"has {member.genes} genes, but must have at least 1", "set genes"
    if len(member.gene_names) not in (0, member.genes):
        problem = f"names {len(member.gene_names)} of {member.genes} genes"
        yield problem, "gene_names has a name for each, or none"
    needed = ("random", *covering(member))
    missing = [each for each in needed if getattr(member, each) is getattr(Shape, each)]
    if missing:
        hint = "a shape has random, and vertices or curves and outline, or bounds and span"
        yield f"does not define {' and '.join(missing)}", hint
