"""Parts of a set of pictures: those to learn from, those to be judged on, and their labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.errors import InputError
from artgen.targets.arrays import as_array
from artgen.values.canvas import Canvas

Pictures = NDArray[np.uint8]

Part = tuple[Pictures, list[str] | None]
Parts = tuple[Part, Part | None]


class PixelBudget:
    """A limit on the pixels and pictures of a set."""

    most = 200_000
    """The most pictures."""

    def __init__(self, pixels: int, where: str) -> None:
        self.pixels, self.left, self.where = pixels, pixels, where
        self.pictures = 0

    def take(self, count: int, height: int, width: int) -> None:
        """Count pictures of one size. Raises InputError where the budget is exceeded."""
        self.left -= count * height * width
        self.pictures += count
        if self.left < 0:
            raise InputError(
                f"{self.where} has more than {self.pixels:,} pixels in all",
                hint="use fewer or smaller pictures, or raise --max-pixels if you trust it",
            )
        if self.pictures > self.most:
            raise InputError(
                f"{self.where} has more than {self.most:,} pictures", hint="leave some out"
            )


def resample_picture(
    samples: NDArray[Any], canvas: Canvas, background: tuple[float, float, float]
) -> Pictures:
    """A picture [h, w, 1 to 4] at the size of the canvas, gray where it was."""
    from artgen.targets.resample import over_background, resample

    colour = over_background(*resample(samples, canvas), background)
    pixels = np.rint(colour * 255).astype(np.uint8)
    return pixels[:, :, :1] if samples.shape[2] == 1 else pixels


def part_from_arrays(images: ArrayLike, labels: ArrayLike | None, budget: PixelBudget) -> Part:
    """Arrays as pictures and labels. Raises InputError."""
    where = budget.where
    array = as_array(images, where, "an array of pictures")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3) or 0 in array.shape:
        raise InputError(
            f"{where} has the shape {np.shape(images)}, not that of a set of pictures",
            hint="it takes [N, height, width] or [N, height, width, 1 or 3]",
        )
    budget.take(*array.shape[:3])
    if array.dtype.kind == "f":
        # The comparison is false for NaN.
        if not (array.min() >= 0 and array.max() <= 1):
            raise InputError(
                f"{where} has floats outside of 0 to 1", hint="divide by the value of white"
            )
        # One by one, since the floats of all of them may be many.
        array = np.stack([np.rint(picture * 255).astype(np.uint8) for picture in array])
    if array.dtype != np.uint8:
        raise InputError(
            f"{where} has pixels of type {array.dtype}", hint="it takes uint8, or floats in 0 to 1"
        )
    if labels is None:
        return array, None
    flat = as_array(labels, f"{where}: labels", "an array").ravel()
    if len(flat) != len(array):
        raise InputError(f"{where} has {len(array)} pictures and {len(flat)} labels")
    return array, [str(label) for label in flat.tolist()]
