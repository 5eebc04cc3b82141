"""From samples to the fitting size: scaled to 0..1, resampled, laid over the background.

Samples are arrays [height, width, channels] of gray, gray and alpha, RGB, or RGBA.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.errors import InputError
from artgen.targets.arrays import as_array
from artgen.targets.colour import linear_to_srgb, srgb_to_linear
from artgen.values.canvas import Canvas

Plane = NDArray[np.float32]

# Floats computed elsewhere may miss 0..1 by a rounding error, here half an 8-bit level.
_ROUNDING = 0.5 / 255

_LOBES = 3
"""The reach of the Lanczos filter, in pixels of the coarser of the two pictures."""


def check_samples(array: ArrayLike, where: str) -> NDArray[Any]:
    """`array` as [height, width, channels]; raises InputError where it is not a picture."""
    samples = as_array(array, where, "an array")
    shape = samples.shape
    if not shape:
        hint = 'pass a path, a name such as "sample:cat", a Pillow image or an array'
        raise InputError(f"{where} is no picture: {type(array).__name__}", hint=hint)
    if samples.ndim == 2:
        samples = samples[:, :, np.newaxis]
    if samples.ndim != 3 or samples.shape[2] not in (1, 2, 3, 4) or not samples.size:
        raise InputError(
            f"{where} is not a picture: its shape is {shape}",
            hint="use [height, width] or [height, width, channels] with 1 to 4 channels",
        )
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "f":
        if not np.isfinite(samples).all():
            raise InputError(f"{where} has samples that are NaN or infinite")
        low, high = float(samples.min()), float(samples.max())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            raise InputError(
                f"{where} has float samples from {low:g} to {high:g}, outside 0..1",
                hint="clip them, or divide by the value of white",
            )
    elif not (kind == "b" or (kind == "u" and size <= 2)):
        raise InputError(
            f"{where} has samples of type {samples.dtype}",
            hint="it takes bool, uint8, uint16, or floats in 0..1: for integers up to 255 write "
            'array.astype("uint8")',
        )
    return samples


Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the samples."""


def resample(
    samples: NDArray[Any], canvas: Canvas, box: Box | None = None
) -> tuple[NDArray[np.float32], Plane | None]:
    """The colour [height, width, 3] and the alpha [height, width] at the canvas's size, in 0..1.

    Antialiased Lanczos on sRGB-encoded floats, premultiplied, so that colours hidden under
    transparency do not bleed. Samples of that size already are only scaled to 0..1. The alpha is
    None for an opaque picture. The canvas shows the samples inside `box` (None: all of them).
    """
    channels = samples.shape[2]
    colours = range(3 if channels > 2 else 1)
    alpha = _unit(samples[:, :, -1]) if channels in (2, 4) else None
    if alpha is not None and alpha.min() == 1:
        alpha = None
    # One channel at a time: a float copy of a whole large picture would need gigabytes.
    unscaled = box is None and samples.shape[:2] == (canvas.height, canvas.width)
    if alpha is None or unscaled:
        planes = [_resize(_unit(samples[:, :, channel]), canvas, box) for channel in colours]
        return _stack(planes), alpha
    small = _resize(alpha, canvas, box)
    planes = []
    for channel in colours:
        premultiplied = _resize(_unit(samples[:, :, channel]) * alpha, canvas, box)
        # Where nothing shows, the colour is black rather than noise divided by almost 0.
        black = np.zeros_like(small)
        planes.append(np.divide(premultiplied, small, out=black, where=small > 1e-4))
    return _stack(planes), np.clip(small, 0, 1)


def rows_needed(height: int, canvas: Canvas, top: int, bottom: int) -> tuple[int, int]:
    """The first row, and the first that is not, of the samples that `resample_rows` needs.

    The samples have `height` rows, and those from `top` to `bottom` of the canvas are asked for.
    """
    if height == canvas.height:
        return top, bottom
    scale = height / canvas.height
    reach = _LOBES * max(1.0, scale) + 1
    return max(0, int(top * scale - reach)), min(height, int(bottom * scale + reach) + 1)


def resample_rows(
    samples: NDArray[Any], start: int, height: int, canvas: Canvas, top: int, bottom: int
) -> tuple[NDArray[np.float32], Plane | None]:
    """The rows from `top` to `bottom` of what `resample` gives.

    `samples` are the rows from `start` on, those of `rows_needed`, of `height` rows.
    """
    width = samples.shape[1]
    strip = Canvas(canvas.width, bottom - top)
    if (width, height) == (canvas.width, canvas.height):
        return resample(samples, strip)
    scale = height / canvas.height
    return resample(samples, strip, (0, top * scale - start, width, bottom * scale - start))


def bordered(
    samples: NDArray[Any],
    margins: tuple[tuple[int, int], tuple[int, int]],
    colour: tuple[float, float, float, float],
) -> NDArray[Any]:
    """The samples as RGBA inside a border: `margins` above, below, left and right, in pixels."""
    height, width, channels = samples.shape
    if samples.dtype.kind == "b":  # it holds no colours
        samples = samples.astype(np.uint8) * np.uint8(255)
    one = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1
    (above, below), (before, after) = margins
    paint = np.rint(np.array(colour) * one) if one > 1 else np.array(colour)
    shape = above + height + below, before + width + after, 4
    wide = np.full(shape, paint, samples.dtype)
    inside = wide[above : above + height, before : before + width]
    inside[:, :, :3] = samples[:, :, :3] if channels > 2 else samples[:, :, :1]
    inside[:, :, 3] = samples[:, :, -1] if channels in (2, 4) else one
    return wide


def over_background(
    colour: NDArray[np.float32], alpha: Plane | None, background: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Compose `colour` [height, width, 3] over one sRGB-encoded colour, in linear light."""
    if alpha is None:
        return colour
    behind = srgb_to_linear(np.asarray(background, np.float32))
    opacity = alpha[:, :, np.newaxis]
    linear = srgb_to_linear(colour) * opacity + behind * (1 - opacity)
    return np.clip(linear_to_srgb(linear), 0, 1)


def _unit(plane: NDArray[Any]) -> Plane:
    """One channel as float32 in 0..1."""
    if plane.dtype.kind == "u":
        return plane.astype(np.float32) / np.float32(np.iinfo(plane.dtype).max)
    return np.clip(plane.astype(np.float32), 0, 1)


def _resize(plane: Plane, canvas: Canvas, box: Box | None) -> Plane:
    """One channel inside `box` at the canvas's size; Lanczos may overshoot 0..1."""
    from PIL import Image

    if box is None and plane.shape == (canvas.height, canvas.width):
        return plane
    size = (canvas.width, canvas.height)
    resized = Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS, box)
    return np.asarray(resized, np.float32)


def _stack(planes: list[Plane]) -> NDArray[np.float32]:
    """One gray or three colour planes as an RGB picture, clipped to 0..1."""
    return np.clip(np.stack(planes * (3 // len(planes)), axis=2), 0, 1)
