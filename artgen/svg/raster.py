"""Pictures of SVG files: what is filled, with its holes, as pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from artgen.base.errors import InputError
from artgen.svg.curves import signed_area
from artgen.svg.read import Area, read_svg

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 1024
"""The longer side of a picture, in pixels: its edges are hard, and soft once it is reduced."""

_FAR = 1e6
"""How far away a corner may be, in pixels."""

MOST_PIXELS = 2_000_000_000
"""At most this many pixels are filled, contour by contour: some seconds."""


def svg_picture(path: Path) -> Image:
    """Draw the filled paths of a file: RGBA, transparent where there are none.

    Raises InputError where it cannot be read, see `read_svg`.
    """
    from PIL import Image

    svg = read_svg(path)
    scale = SIDE / max(svg.size)
    width, height = (max(1, round(scale * side)) for side in svg.size)
    picture = Image.new("RGBA", (width, height))
    pixels = 0
    for area in svg.areas:
        pixels += _lay(picture, area, scale, MOST_PIXELS - pixels, path)
    return picture


def _lay(picture: Image, area: Area, scale: float, most: int, path: Path) -> int:
    """Lay an area over the part of the picture that it reaches; the number of pixels filled."""
    from PIL import Image, ImageDraw

    rings, even_odd, colour, alpha = area
    points = np.concatenate(rings) * scale
    low = np.floor(points.min(0)).clip(0, picture.size).astype(int)
    high = np.ceil(points.max(0)).clip(0, picture.size).astype(int)
    width, height = (high - low).tolist()
    pixels: int = width * height * len(rings)
    if pixels > most:
        raise InputError(f"{path} has too many large contours", hint="simplify the drawing first")
    if not pixels:
        return 0
    winding = np.zeros((height, width), np.int16)
    for ring in rings:
        mask = Image.new("L", (width, height))
        # Nearer corners are not moved, which would bend the edges that are seen.
        corners = (ring * scale - low).clip(-_FAR, _FAR) - 0.5
        ImageDraw.Draw(mask).polygon([tuple(corner) for corner in corners.tolist()], fill=1)
        turn = 1 if even_odd or signed_area(ring) > 0 else -1
        winding += turn * np.asarray(mask, np.int16)
    filled = winding % 2 if even_odd else winding != 0
    layer = Image.new("RGBA", (width, height), tuple(round(255 * level) for level in colour))
    layer.putalpha(Image.fromarray((filled * round(255 * alpha)).astype(np.uint8)))
    picture.alpha_composite(layer, tuple(low.tolist()))
    return pixels
