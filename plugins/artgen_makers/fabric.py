"""Fabric: the repeat of a pattern as a PNG of its exact size, and the cloth that it makes.

A drawing fitted with `--symmetry` is one repeat; printers lay it edge to edge. With half drop and
brick it holds two motifs, so that it is a rectangle too. A photo is fitted first.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part
from artgen_makers.guide import guides

MOST = 20_000
"""Most pixels along a side of a repeat."""
SHOWN = 1200
"""Longer side of the picture of the cloth in pixels."""
SEAM = 3.0
"""Edges meet where the step across them is at most so many times a step inside."""


@dataclass(frozen=True)
class FabricOptions:
    """Options of fabric."""

    repeat: float = option(320.0, "width of the repeat in mm", low=5, high=5000)
    dpi: float = option(150.0, "pixels per inch", low=20, high=600)
    across: int = option(3, "repeats across the cloth that is shown", low=1, high=20)
    symmetry: str = option("half-drop", "group by which a photo is fitted: brick, p4g, cmm")
    count: int = option(150, "parts of a cell of a photo", low=4, high=20_000)
    colours: int = option(8, "colours of a photo: screens to print with", low=2, high=64)


class Fabric(Maker):
    """A seamless repeat for textile printing."""

    Options: ClassVar[type[Any]] = FabricOptions
    for_photos: ClassVar[Sequence[str]] = ("symmetry", "count", "colours")

    def recipe(self, photo: NDArray[np.uint8]) -> Mapping[str, Any]:
        """Triangles of few colours, each repeated by the group: sharp, and as cloth is printed."""
        o = self.options
        self.side(photo.shape[1] / photo.shape[0])
        primitive = {"name": "triangle", "count": o.count, "symmetry": o.symmetry}
        return {"primitive": primitive, "target": {"size": 384, "palette": o.colours}}

    def make(self, motif: Motif) -> Made:
        """Draw the repeat in its size, and lay it side by side."""
        o = self.options
        tile = motif.pixels(self.side(motif.aspect))
        down = max(1, round(o.across * tile.shape[1] / tile.shape[0]))
        # Cloth of repeats in their size may not fit into memory.
        small = Image.fromarray(tile)
        most = max(1, SHOWN // o.across), max(1, SHOWN // down)
        small.thumbnail(most, Image.Resampling.BOX)
        shown = np.tile(np.asarray(small), (down, o.across, 1))
        notes = [
            f"{where} edges do not meet: fit the picture with --symmetry half-drop, p1 or another"
            for where, axis in (("left and right", 1), ("upper and lower", 0))
            if seam(tile, axis) > SEAM
        ]
        height = round(o.repeat * tile.shape[0] / tile.shape[1], 1)
        part = Part("repeat", f"{o.repeat:g} x {height:g} mm", number=1, length=o.repeat)
        made = Made({"repeat.png": _png(tile, o.dpi, motif)}, [part], shown, notes)
        steps = [
            f"Give repeat.png to the printer: it is {tile.shape[1]} x {tile.shape[0]} pixels, "
            f"{o.repeat:g} x {height:g} mm at {o.dpi:g} dpi.",
            "Ask for a straight repeat (basic, grid): half drop and brick are in the file.",
        ]
        return guides(motif, "fabric", made, steps, lambda guide: None)

    def side(self, aspect: float) -> int:
        """Return the longer side of a repeat in pixels. Raises UsageError for one too long."""
        wide: int = round(self.options.repeat / 25.4 * self.options.dpi)
        high = round(wide / aspect)
        if max(wide, high) > MOST:
            hint = "use a smaller --repeat or --dpi"
            raise UsageError(f"a repeat of {wide} x {high} pixels is too large", hint=hint)
        return max(wide, high)


def seam(tile: NDArray[np.uint8], axis: int) -> float:
    """Return the mean step of tones across the edges, relative to the largest inside."""
    values = tile.astype(np.float64)
    steps = np.abs(np.roll(values, -1, axis) - values).mean((1 - axis, 2))
    inside = float(np.sort(steps[:-1])[-max(1, len(steps) // 50) :].mean()) if len(steps) > 1 else 0
    return float(steps[-1]) / max(inside, 0.5)


def _png(tile: NDArray[np.uint8], dpi: float, motif: Motif) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    file, texts = io.BytesIO(), PngInfo()
    texts.add_text("Comment", motif.origin)
    Image.fromarray(tile).save(file, "PNG", dpi=(dpi, dpi), pnginfo=texts)
    return file.getvalue()
