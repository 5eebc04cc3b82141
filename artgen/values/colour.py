"""Colours as a user writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.options import numbers


def parse_colour(text: str) -> tuple[float, float, float]:
    """A colour as sRGB-encoded red, green and blue in 0..1.

    Takes a CSS name (``teal``), ``#rgb`` or ``#rrggbb``, or three numbers in 0..1 with commas
    (``0.1,0.2,0.3``). Raises UsageError for anything else.
    """
    from PIL import ImageColor

    text = text.strip().lower()
    levels = numbers(text)
    if len(levels) == 3 and all(0 <= level <= 1 for level in levels):
        return levels
    if text not in ImageColor.colormap and not re.fullmatch("#([0-9a-f]{3}){1,2}", text):
        raise UsageError(
            f"{text!r} is not a colour",
            hint="try a CSS name such as teal, a hex code such as #1b7f8c, "
            "or red,green,blue from 0 to 1 such as 0.1,0.5,0.55",
        )
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red / 255, green / 255, blue / 255


def hex_colour(colour: Sequence[float] | NDArray[Any]) -> str:
    """Red, green and blue, 1.0 = 255, as ``#rrggbb``: clamped to 0..1 and rounded half up."""
    levels = (int(255 * min(max(float(value), 0.0), 1.0) + 0.5) for value in colour)
    return "#" + "".join(f"{level:02x}" for level in levels)
