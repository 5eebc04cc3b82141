"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster._memory import memory_errors
from artgen.raster._paint import draw, evaluate, paint
from artgen.raster.backend import EAGER, Backend, choose_backend, planned_backend
from artgen.raster.eager import Memory
from artgen.raster.spans import (
    SUBROWS,
    draw_shapes,
    drawing_kernels,
    load_kernels,
    make_grid,
    unpack,
)
from artgen.raster.threads import share

__all__ = [
    "EAGER",
    "SUBROWS",
    "Backend",
    "Memory",
    "choose_backend",
    "draw",
    "draw_shapes",
    "drawing_kernels",
    "evaluate",
    "load_kernels",
    "make_grid",
    "memory_errors",
    "paint",
    "planned_backend",
    "share",
    "unpack",
]
