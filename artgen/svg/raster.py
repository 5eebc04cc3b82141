"""Pictures of SVG files: what is filled, with its holes, as pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from artgen.base.errors import InputError
from artgen.svg.curves import windings
from artgen.svg.read import Area, read_svg

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 1024
"""The longer side of a picture, in pixels: its edges are hard, and soft once it is reduced."""

_FAR = 1e6
"""How far away a corner may be, in pixels."""

MOST_PIXELS, MOST_PASSAGES = 2_000_000_000, 10_000_000
"""At most so many pixels are filled, area by area, and edges pass rows so often: some seconds."""


def svg_picture(path: Path) -> Image:
    """Draw the filled paths of a file: RGBA, transparent where there are none.

    Raises InputError where it cannot be read, see `read_svg`.
    """
    from PIL import Image

    svg = read_svg(path)
    scale = SIDE / max(svg.size)
    width, height = (max(1, round(scale * side)) for side in svg.size)
    picture = Image.new("RGBA", (width, height))
    counts = {MOST_PIXELS: 0, MOST_PASSAGES: 0}

    def count(most: int, number: int) -> None:
        counts[most] += number
        if counts[most] > most:
            hint = "simplify the drawing first"
            raise InputError(f"{path} has too many large contours", hint=hint)

    for area in svg.areas:
        _lay(picture, area, scale, count)
    return picture


def _lay(picture: Image, area: Area, scale: float, count: Callable[[int, int], object]) -> None:
    """Lay an area over the part of the picture that it reaches; `count` is told what that takes."""
    from PIL import Image

    rings, even_odd, colour, alpha = area
    points = np.concatenate(rings) * scale
    low = np.floor(points.min(0)).clip(0, picture.size).astype(int)
    high = np.ceil(points.max(0)).clip(0, picture.size).astype(int)
    width, height = (high - low).tolist()
    count(MOST_PIXELS, width * height)
    if not width * height:
        return
    # Nearer corners are not moved, which would bend the edges that are seen.
    corners = ((ring * scale - low).clip(-_FAR, _FAR) for ring in rings)
    winding = windings(corners, width, height, partial(count, MOST_PASSAGES))
    filled = winding % 2 if even_odd else winding != 0
    layer = Image.new("RGBA", (width, height), tuple(round(255 * level) for level in colour))
    layer.putalpha(Image.fromarray((filled * round(255 * alpha)).astype(np.uint8)))
    picture.alpha_composite(layer, tuple(low.tolist()))
