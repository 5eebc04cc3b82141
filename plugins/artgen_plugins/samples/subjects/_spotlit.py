"""Forms in the light of a spot from the right, with the blue dark behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ._curves import outlines_of
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth
from ._relief import lit, tube

_LAMP, _DARK = (0.75, -0.55, 0.45), (-0.9, -0.25, 0.25)
_GLINT = (0.2, -0.85, 0.5)
"""The lamp as brass sees it, which points at it and would be dull."""


def form(
    plate: Plate, picture: Colours, height: Floats, mask: Floats, stuff: str, back: ArrayLike = 0.6
) -> Colours:
    """A form of some stuff: the spot lights its front, the dark its back."""
    cold = np.asarray(back) * smooth(0.45, 1.0, lit(plate, height, _DARK))
    warm = lit(plate, height, _GLINT if stuff == "brass" else _LAMP)
    colours = ramp(warm, *outlines_of("trumpeter")[stuff])
    return over(picture, screen(colours, cold[..., None] * hexed("#3b57b8")), mask)


def limbs(
    plate: Plate,
    picture: Colours,
    ways: Sequence[tuple[Floats, ArrayLike]],
    stuff: str,
    soft: float,
    creases: Sequence[Floats] = (),
) -> Colours:
    """Limbs (points, widths) that grow together, with a shadow around them."""
    points = np.concatenate([np.asarray(way) for way, _ in ways])
    wide = max(float(np.max(widths)) for _, widths in ways)
    reach = 0.08 + 0.6 * wide
    box, near = plate.around(points, reach)
    picture = picture.copy()
    height, mask = np.zeros_like(near.x), np.zeros_like(near.x)
    for way, widths in ways:
        high, share = tube(near, way, widths)
        height, mask = np.maximum(height, high), np.maximum(mask, share)
    for crease in creases:
        height = height + near.blur(tube(near, crease, (0.0, 0.04, 0.0))[0], 0.01)
    below = over(picture[box], "#1c0812", 0.55 * near.blur(mask, 0.006 + 0.08 * wide))
    picture[box] = form(near, below, near.blur(height, soft), mask, stuff)
    return picture
