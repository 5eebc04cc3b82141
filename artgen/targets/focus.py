"""Where a fit shall have its detail: weights of circles, and places that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.targets.resample import resample
from artgen.values.canvas import Canvas
from artgen.values.frame import Circle

ELSEWHERE = 0.1
"""The weight of pixels outside the focus, where that of those inside is 1."""

_SALIENT_SIDE, _SALIENT_BLUR = 64, 3.0
_COLUMNS, _TONES = 56, "@%#*+=-:. "
_NOTABLE = 0.7
"""Share of the largest salience that other places need."""
_SMALLEST, _LARGEST = 0.1, 0.4


def focus_weight(circles: Sequence[Circle], canvas: Canvas) -> NDArray[np.float32]:
    """Weights [height, width]: 1 inside a circle, falling to `ELSEWHERE` at twice its radius."""
    short = min(canvas.width, canvas.height)
    rows, columns = np.ogrid[0.5 : canvas.height, 0.5 : canvas.width]
    inside = np.zeros((canvas.height, canvas.width))
    for x, y, radius in circles:
        distance = np.hypot(columns - x * canvas.width, rows - y * canvas.height)
        ramp = np.clip(2 - distance / (radius * short), 0, 1)
        inside = np.maximum(inside, ramp * ramp * (3 - 2 * ramp))
    return raised(inside)


def raised(inside: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weights from `ELSEWHERE` to 1 of a picture of the focus in 0..1."""
    return (ELSEWHERE + (1 - ELSEWHERE) * inside).astype(np.float32)


def standing_out(picture: NDArray[np.float32]) -> tuple[Circle, ...]:
    """The places of a picture [height, width, 3] in 0..1 that stand out most.

    By the spectral residual (Hou and Zhang 2007). Circles are centre and radius, see `parse_focus`.
    """
    from scipy import ndimage

    small = reduced(np.rint(picture * 255).astype(np.uint8), _SALIENT_SIDE).astype(float).mean(2)
    height, width = small.shape
    spectrum = np.fft.fft2(small)
    # The floor keeps frequencies that the picture lacks from standing out.
    size = np.log(np.abs(spectrum) + 0.01)
    residual = size - ndimage.uniform_filter(size, 3, mode="wrap")
    residual[0, 0] = 0  # brightness is no detail
    power = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    # The spectrum takes a picture as periodic, so its edges stand out against the opposite ones.
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    salience = ndimage.gaussian_filter(power, _SALIENT_BLUR) * np.sqrt(window)
    regions, count = ndimage.label(salience > 0.5 * salience.max())
    peaks = ndimage.maximum(salience, regions, range(1, count + 1))
    chosen = [n for n in range(1, count + 1) if peaks[n - 1] > _NOTABLE * max(peaks)]
    rows, columns = np.ogrid[:height, :width]
    circles = []
    for weights in (salience * (regions == number) for number in chosen):
        row, column = ndimage.center_of_mass(weights)
        spread = np.average((rows - row) ** 2 + (columns - column) ** 2, weights=weights)
        radius = np.clip(1.4 * np.sqrt(spread) / min(height, width), _SMALLEST, _LARGEST)
        circles.append(circle((column + 0.5) / width, (row + 0.5) / height, radius))
    return tuple(circles)


def sketched(picture: NDArray[np.uint8], circles: Sequence[Circle]) -> str:
    """A picture [height, width, 3] as lines of characters, with the rims of circles as `O`.

    A character is twice as high as wide.
    """
    small = reduced(picture, _COLUMNS).mean(2)
    height, width = small.shape
    tone = small[::2][: max(1, height // 2)]
    tone = (tone - tone.min()) / max(float(np.ptp(tone)), 1e-6)
    marks = np.array(list(_TONES))[(tone * (len(_TONES) - 1)).round().astype(int)]
    rows, columns = 2 * np.arange(len(tone))[:, None] + 1.0, np.arange(width) + 0.5
    for x, y, radius in circles:
        away = np.hypot(columns - x * width, rows - y * height) - radius * min(width, height)
        marks[abs(away) < 0.8] = "O"
    return "\n".join("".join(row).rstrip() for row in marks)


def reduced(samples: NDArray[Any], long_side: int) -> NDArray[np.float32]:
    """The colours of samples, [height, width, 3] in 0..1, with at most so long a side."""
    height, width = samples.shape[:2]
    scale = min(1.0, long_side / max(height, width))
    return resample(samples, Canvas(max(1, round(scale * width)), max(1, round(scale * height))))[0]


def circle(x: float, y: float, radius: float) -> Circle:
    """A circle with the digits that a recipe has of it, so that all machines find the same."""
    return round(float(x), 3), round(float(y), 3), round(float(radius), 3)
