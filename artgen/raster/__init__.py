"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster._memory import memory_errors
from artgen.raster._paint import draw, evaluate, paint
from artgen.raster.backend import EAGER, Backend, choose_backend, planned_backend
from artgen.raster.eager import Memory

__all__ = [
    "EAGER",
    "Backend",
    "Memory",
    "choose_backend",
    "draw",
    "evaluate",
    "memory_errors",
    "paint",
    "planned_backend",
]
