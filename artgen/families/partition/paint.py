"""Draw partitions by area: a pixel gets the share of a site's colour that the site wins of it.

As for shapes there are eight sample rows per pixel, with exact borders along each. Kernels are
compiled together with the static functions of the partition and cached under the hash of their
code.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.faults import broken
from artgen.compiler import kernel_cache
from artgen.compiler.static_functions import check_static, load_after, try_in_python
from artgen.compiler.templates import read_template
from artgen.families.partition.cells import cells
from artgen.families.partition.contract import Partition
from artgen.raster.edges import edge_lines, polygon_edges
from artgen.raster.painting import BLACK, paint
from artgen.raster.sampling import draw_rows
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour

_FUNCTIONS = ("line", "random", "mutate")
_HEAD = "families/partition/numba/head.txt"


@paint.register(Partition)
def draw_partition(
    partition: Partition,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: Colour = BLACK,
    *,
    transparent: bool = False,
    **_: object,
) -> Tensor:
    """Draw tensors as float32 [3, height, width], 4 channels if `transparent`.

    Cells that are clear show the background, as all pixels do if there are no sites.

    Raises PluginError if the functions of the partition cannot be compiled.
    """
    sites, colour = unpack_sites(tensors)
    clear = clear_sites(partition, colour)
    ground = np.zeros(4) if transparent else np.array(background)
    if transparent:
        colour = np.append(colour, np.ones((len(colour), 1)), axis=1)
    parts = (sites, np.ascontiguousarray(np.where(clear, ground, colour)))
    return draw_rows(load_partition_kernels(partition).draw, parts, ground, canvas)


@edge_lines.register(Partition)
def _edges(
    partition: Partition, tensors: Mapping[str, Tensor], canvas: Canvas
) -> NDArray[np.float64]:
    """The borders of all cells that are not clear."""
    sites, colour = unpack_sites(tensors)
    shown = zip(cells(sites, partition, canvas), clear_sites(partition, colour), strict=True)
    return polygon_edges([cell for cell, clear in shown if not clear])


def clear_sites(partition: Partition, colour: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells [N, 1] are clear: `colour` [N, 3] is nearer to `clear` than to black."""
    clear: NDArray[np.bool_] = colour.mean(1, keepdims=True) < partition.clear / 2
    return clear


def unpack_sites(
    tensors: Mapping[str, Tensor],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sites of a drawing, float64 [N, genes], and their colours [N, 3]."""
    sites, colour = (
        np.ascontiguousarray(tensors[name].detach().cpu().numpy().T, np.float64)
        for name in ("sites", "colour")
    )
    return sites, colour


def load_partition_kernels(partition: Partition, *modules: str) -> types.ModuleType:
    """The module `kernels`, or the kernel `modules` that call it, compiled after `partition`.

    Raises PluginError naming the function that cannot be compiled.
    """
    compiled = tuple(getattr(partition, name) for name in _FUNCTIONS)
    key = (compiled, partition.genes, modules)
    if key not in _loaded:
        if modules:
            # Imported, not repeated, so that they are compiled once; the name contains their hash.
            head = f"from {load_partition_kernels(partition).__name__} import *\n\n"
        else:
            _check(partition)
            head, modules = read_template(_HEAD), ("families.partition.kernels",)
        source = head + kernel_cache.read_kernels(*modules)
        _loaded[key] = load_after([(partition, _FUNCTIONS)], lambda text: f"{source}\n# {text}\n")
    return _loaded[key]


_loaded: dict[Any, types.ModuleType] = {}


def _check(partition: Partition) -> None:
    """Raise PluginError if a partition is incomplete, or its functions fail in plain Python."""
    cls = type(partition)
    partition.declared_params()
    if cls.line is Partition.line:
        hint = "define line(genes, y), which returns the cost of a site along a row"
        raise broken(cls.__name__, cls, "does not define line", hint=hint)
    check_static(cls, _FUNCTIONS)
    try_in_python(partition, ("random", "mutate", "line"), partition.genes)
