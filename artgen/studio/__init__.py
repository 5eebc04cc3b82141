"""The studio: one HTML page that fits splats in a browser, by WebGPU."""

from artgen.studio._document import build_studio
from artgen.studio._kinds import default_splats

__all__ = ["build_studio", "default_splats"]
