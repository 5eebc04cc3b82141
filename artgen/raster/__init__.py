"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster._paint import draw, paint
from artgen.raster.eager import Memory

__all__ = ["Memory", "draw", "paint"]
