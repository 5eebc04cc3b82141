"""A picture too large to be kept as floats: 8-bit pixels, read and converted strip by strip."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import OutputError
from artgen.base.files import open_regular, printable
from artgen.targets.bands import BandedPicture, open_bands
from artgen.targets.image import (
    ImageTarget,
    PictureTarget,
    TargetRequest,
    decoded_array,
    image_from_array,
)
from artgen.targets.resample import check_samples, over_background, resample_rows, rows_needed
from artgen.targets.source import file_safe
from artgen.targets.target import Origin, TargetTensors
from artgen.values.canvas import LARGE, Canvas

_ROWS = 256
"""Rows of samples that are floats at a time, about."""


@dataclass(frozen=True, eq=False, repr=False)
class LargePicture(PictureTarget):
    """A picture at its fitting size: 3 bytes for each pixel, on the disk if they are many."""

    image: NDArray[np.uint8]
    """[height, width, 3], sRGB-encoded."""

    copied = False
    weight: ClassVar[None] = None
    """All pixels count the same."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture itself."""
        return self.image

    def tensors(self) -> TargetTensors:
        """The whole picture as floats, 12 bytes for each pixel: a tiled fit never asks for them."""
        return self.reduced(self.size).tensors()

    def reduced(self, long_side: int) -> ImageTarget:
        """The picture at another size, with the same name and source."""
        whole = BandedPicture(self.canvas.width, self.canvas.height, iter([self.image]))
        small = _resized(whole, self.canvas.scaled(long_side), (0.0, 0.0, 0.0))
        made = image_from_array(small, TargetRequest(size=long_side), self.name)
        return replace(made, source=self.source, sha256=self.sha256, warnings=self.warnings)


def open_large(path: str | os.PathLike[str], request: TargetRequest) -> LargePicture:
    """Open a picture file at its own size, or with a long side of `request.size` pixels.

    Large PNG and TIFF files are decoded a few rows at a time. Raises as `open_image`.
    """
    where = printable(path) or "the empty path"
    with open_regular(path, where) as file:
        bands = open_bands(file, request.max_pixels, where)
        samples = (check_samples(band, where) for band in bands.samples)
        return _large(replace(bands, samples=samples), request, Origin.of_file(Path(path)))


def large_from_array(array: Any, request: TargetRequest, name: str = "array") -> LargePicture:
    """Make a large picture of samples, or of a Pillow image, as `image_from_array` does."""
    picture, sha256 = decoded_array(array, request.max_pixels, name)
    height, width = picture.samples.shape[:2]
    whole = BandedPicture(width, height, iter([picture.samples]), picture.warnings)
    return _large(whole, request, Origin(file_safe(name), name, sha256))


def _large(bands: BandedPicture, request: TargetRequest, origin: Origin) -> LargePicture:
    canvas = Canvas(bands.width, bands.height)
    canvas = canvas if request.size is None else canvas.scaled(request.size)
    image = _resized(bands, canvas, request.background)
    return LargePicture(*origin, image, bands.width, bands.height, warnings=bands.warnings)


def large_from(target: ImageTarget) -> LargePicture:
    """The pixels of a picture that is in memory as floats already."""
    size = target.original_width, target.original_height
    return LargePicture(*target.origin, target.pixels, *size, warnings=target.warnings)


def store_strips(strips: Iterable[NDArray[np.uint8]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Pixels of `shape` from strips, which are read in order.

    More than `LARGE` of them are kept in a temporary file, where `TMPDIR` says, and can only be
    read. Raises OutputError where it cannot be written.
    """
    if shape[0] * shape[1] <= LARGE:
        pixels, bottom = np.empty(shape, np.uint8), 0
        for strip in strips:
            pixels[bottom : bottom + len(strip)] = strip
            bottom += len(strip)
        return pixels
    try:
        with TemporaryFile(prefix="artgen-") as file:
            for strip in strips:
                file.write(np.ascontiguousarray(strip).data)
            file.flush()
            return np.memmap(file, np.uint8, "r", shape=shape)
    except OSError as error:
        raise OutputError(
            f"the picture's pixels cannot be kept in {gettempdir()}: {error.strerror}",
            hint="set TMPDIR to a folder with 3 bytes for each pixel",
        ) from None


def _resized(
    bands: BandedPicture, canvas: Canvas, background: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """A picture at the size of `canvas` over a background, uint8."""
    height = bands.height

    def strips() -> Iterator[NDArray[np.uint8]]:
        held, start = next(bands.samples), 0
        # About as many rows of samples at a time, however much smaller the canvas is.
        step = max(1, round(_ROWS * min(1.0, canvas.height / height)))
        for top in range(0, canvas.height, step):
            bottom = min(top + step, canvas.height)
            first, last = rows_needed(height, canvas, top, bottom)
            held, start = held[first - start :], first
            while start + len(held) < last:
                held = np.concatenate([held, next(bands.samples)])
            some = held[: last - start]
            colour, alpha = resample_rows(some, start, height, canvas, top, bottom)
            yield np.rint(over_background(colour, alpha, background) * 255).astype(np.uint8)

    return store_strips(strips(), (canvas.height, canvas.width, 3))
