"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster._memory import memory_errors
from artgen.raster._paint import FIELD_PIECE, draw, paint
from artgen.raster.backend import EAGER, Backend, choose_backend, planned_backend
from artgen.raster.eager import Memory
from artgen.raster.grids import grid_rows, interpolate_grids
from artgen.raster.threads import share_out_torch

__all__ = [
    "EAGER",
    "FIELD_PIECE",
    "Backend",
    "Memory",
    "choose_backend",
    "draw",
    "grid_rows",
    "interpolate_grids",
    "memory_errors",
    "paint",
    "planned_backend",
    "share_out_torch",
]
