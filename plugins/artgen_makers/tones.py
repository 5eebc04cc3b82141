"""Pictures in a few tones, for stencils and blocks: how dark each place is, and bands of it.

Tones are stretched, and made relative to those around by a guided filter (He, Sun and Tang, 2010),
so that a face keeps eyes and mouth also where it is dark as a whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas
from artgen.targets import find_faces, focus_weight
from artgen_makers.grids import choose, grouped
from artgen_plugins.hatch import levelled, stretched
from artgen_plugins.regions import Floats, Labels, lab_of, means, rgb_of

CHROMA = 1.4
"""How much more colour paints have than the means of the picture."""
LIGHT, DARK = 94.0, 14.0
"""The lightness (CIELAB) towards which the first and the last of the paints go, half of the way."""
CLOSE = 0.02
"""Tones that differ less are one."""


def darkness(picture: NDArray[np.uint8], local: float, smooth: float) -> Floats:
    """Return how dark a picture is, [height, width] in 0 to 1.

    `picture` is [height, width, 3], `smooth` the standard deviation of a blur in pixels, and
    `local` in 0 to 1 how much tones are relative to those around.
    """
    from scipy.ndimage import gaussian_filter

    lab, weight = focused(picture)
    tone = gaussian_filter(1 - lab[..., 0] / 100, smooth, mode="nearest")
    return levelled(stretched(tone, weight), 0.5, local).clip(0, 1)


def focused(picture: NDArray[np.uint8]) -> tuple[Floats, Floats | None]:
    """Return a picture [height, width, 3] in CIELAB, and how much each place matters in its faces.

    The weights are [height, width], None where there is no face.
    """
    rows, columns = picture.shape[:2]
    faces = find_faces(picture)
    weight = focus_weight(faces, Canvas(columns, rows)).astype(np.float64) if faces else None
    return lab_of(np.moveaxis(picture / 255, 2, 0)), weight


def blurred(plane: Floats, sigma: Any) -> Floats:
    """Return a plane as `scipy.ndimage.gaussian_filter` does, but for rounding, in less time.

    That takes as long as `sigma` is wide, for each axis or for both; Fourier transforms do not.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    wide = np.broadcast_to(sigma, 2)
    down, right = (int(4 * each + 0.5) for each in wide)
    padded = np.pad(plane, ((down, down), (right, right)), "symmetric")
    sides = [next_fast_len(side, real=True) for side in padded.shape]
    away = np.arange(-down, down + 1), np.arange(-right, right + 1)
    weights = [np.exp(-0.5 * (at / each) ** 2) for at, each in zip(away, wide, strict=True)]
    kernel = np.outer(*(each / each.sum() for each in weights))
    found = irfft2(rfft2(padded, sides) * rfft2(kernel, sides), sides)
    rows, columns = plane.shape
    return np.asarray(found[2 * down : 2 * down + rows, 2 * right : 2 * right + columns])


def bands(tone: Floats, count: int) -> tuple[Labels, Floats]:
    """Return the band of each place, 0 the least, and the tones [count - 1] between them.

    There are fewer bands where a picture has fewer tones.
    """
    groups, weight = grouped(100 * tone.reshape(-1, 1))
    chosen = choose((groups - groups.T) ** 2, weight, min(count, len(groups)))
    levels = np.sort(groups[chosen, 0]) / 100
    levels = levels[np.append(True, np.diff(levels) > CLOSE)]
    between = (levels[1:] + levels[:-1]) / 2
    return np.searchsorted(between, tone), between


def colours(picture: NDArray[np.uint8], band: Labels) -> list[Floats]:
    """Return the mean colour of each band, sRGB-encoded [3], more vivid and well apart.

    `band` is the more the darker the picture is.
    """
    mean = means(lab_of(np.moveaxis(picture / 255, 2, 0)), band)
    even = np.linspace(LIGHT, DARK, len(mean))
    apart = np.concatenate([(mean[:, :1] + even[:, None]) / 2, CHROMA * mean[:, 1:]], 1)
    return list(rgb_of(apart))
