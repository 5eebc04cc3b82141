"""A picture too large to be kept as floats: 8-bit pixels, converted a few rows at a time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artgen._files import printable
from artgen.canvas import Canvas
from artgen.targets import _fit
from artgen.targets._source import file_safe
from artgen.targets._target import TargetTensors
from artgen.targets.image import (
    ImageTarget,
    PictureTarget,
    TargetRequest,
    image_from_array,
    read_picture,
)

_ROWS = 256
"""Rows that are floats at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class LargePicture(PictureTarget):
    """A picture at its fitting size: 3 bytes for each pixel, and nothing else."""

    image: NDArray[np.uint8]
    """[height, width, 3], sRGB-encoded."""

    copied = False

    @property
    def weight(self) -> None:
        """None: all pixels count the same."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture itself."""
        return self.image

    def tensors(self) -> TargetTensors:
        """The whole picture as floats, 12 bytes for each pixel: a tiled fit never asks for them."""
        return self.reduced(self.size).tensors()

    def reduced(self, long_side: int) -> ImageTarget:
        """The picture at another size, with the same name and source."""
        small = _resized(self.image, self.canvas.scaled(long_side), (0.0, 0.0, 0.0))
        made = image_from_array(small, TargetRequest(size=long_side), self.name)
        return replace(made, source=self.source, sha256=self.sha256, warnings=self.warnings)


def open_large(path: str | os.PathLike[str], request: TargetRequest) -> LargePicture:
    """Open a picture file at its own size, or with a long side of `request.size` pixels.

    It is decoded at its own depth; only a few rows at a time are floats. Raises as `open_image`.
    """
    data, picture, where = read_picture(path, request.max_pixels)
    sha256 = hashlib.sha256(data).hexdigest()
    del data
    samples = _fit.check_samples(picture.samples, where)
    height, width = samples.shape[:2]
    canvas = Canvas(width, height)
    canvas = canvas if request.size is None else canvas.scaled(request.size)
    return LargePicture(
        name=file_safe(Path(path).stem),
        source=printable(os.path.basename(os.fspath(path))),
        sha256=sha256,
        image=_resized(samples, canvas, request.background),
        original_width=width,
        original_height=height,
        warnings=picture.warnings,
    )


def large_from(target: ImageTarget) -> LargePicture:
    """The pixels of a picture that is in memory as floats already."""
    return LargePicture(
        name=target.name,
        source=target.source,
        sha256=target.sha256,
        image=target.pixels,
        original_width=target.original_width,
        original_height=target.original_height,
        warnings=target.warnings,
    )


def _resized(
    samples: NDArray[np.generic], canvas: Canvas, background: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """Samples at the size of `canvas` over a background, uint8 [height, width, 3]."""
    image = np.empty((canvas.height, canvas.width, 3), np.uint8)
    for top in range(0, canvas.height, _ROWS):
        bottom = min(top + _ROWS, canvas.height)
        colour, alpha = _fit.resample_rows(samples, canvas, top, bottom)
        strip = _fit.over_background(colour, alpha, background)
        image[top:bottom] = np.rint(strip * 255)
    return image
