"""Read large PNG and TIFF files a few rows at a time.

A band of rows is made a small file of the same format, which is decoded like any other file. So all
kinds of pixels, compressions and colour profiles give the same samples as the whole file.

Formats: PNG specification (W3C), sections 7 and 9; TIFF 6.0 (Adobe), sections 2, 8 and 15.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from itertools import accumulate, chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen.base import png
from artgen.base.decode import Decoded, decode_file, guarded_image, pillow_guard
from artgen.values.canvas import LARGE

_ROWS = 256
"""Rows of a band, about."""
_ORIENTATION = 0x0112
_CHANNELS_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG colour types of 8-bit pictures by their bytes per pixel."""

_HEIGHT, _STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES, _TILE_OFFSETS, _TILE_BYTES = (
    *(257, 273, 278, 279),
    *(324, 325),
)
_UP_TO_32_BITS = range(1, 13)
"""The types of tags that hold no places in the file."""
_ELSEWHERE = (330, 700, 34665, 34853, 40965)
"""Tags with places in the file, and XMP, which no samples depend on."""


@dataclass(frozen=True)
class BandedPicture:
    """A picture from top to bottom: `samples` gives bands [rows, width, channels]."""

    width: int
    height: int
    samples: Iterator[NDArray[Any]]
    warnings: tuple[str, ...] = ()


def open_bands(file: BufferedReader, max_pixels: int, where: str) -> BandedPicture:
    """Read a picture file in bands; small ones, and those that cannot be divided, in one.

    Whole are read pictures other than PNG and TIFF, turned or interlaced ones, PNG with 16 bits
    in several channels, animations as PNG, and TIFF of integers of 32 bits, whose range counts.
    Raises InputError naming `where`.
    """
    with guarded_image(file, max_pixels, where) as image:
        width, height = image.size
        files: Iterator[bytes] | None = None
        if width * height > LARGE and image.getexif().get(_ORIENTATION, 1) == 1:
            if image.format == "PNG" and getattr(image, "n_frames", 1) == 1:
                files = _png_bands(file)
            elif image.format == "TIFF" and image.mode != "I":
                files = _tiff_bands(file)
        frames = getattr(image, "n_frames", 1) if files else 1
    if files is None:
        file.seek(0)
        whole = decode_file(file.read(), max_pixels, where)
        height, width = whole.samples.shape[:2]
        return BandedPicture(width, height, iter([whole.samples]), whole.warnings)
    decoded = _decoded(files, max_pixels, where)
    first = next(decoded)
    warnings = (f"first of {frames} frames used",) * (frames > 1) + first.warnings
    samples = chain([first.samples], (band.samples for band in decoded))
    return BandedPicture(width, height, samples, warnings)


def _decoded(files: Iterator[bytes], max_pixels: int, where: str) -> Iterator[Decoded]:
    while True:
        with pillow_guard(max_pixels, where):
            data = next(files, None)
        if data is None:
            return
        yield decode_file(data, max_pixels, where)


def _png_bands(file: BufferedReader) -> Iterator[bytes] | None:
    """Small PNG files, one for each band. None where they cannot be made."""
    header, colours, pixels = png.take_apart(file)
    step, length = _row(header)
    if header.interlaced or step not in _CHANNELS_TYPE:
        return None
    height, one = header.height, 1 + length
    sizes = [one * min(_ROWS, height - top) for top in range(0, height, _ROWS)]

    def files() -> Iterator[bytes]:
        # Rows that do not depend on those above them.
        above = np.zeros((1, one), np.uint8)
        for data in _inflated(pixels, sizes):
            rows = np.vstack([above, np.frombuffer(data, np.uint8).reshape(-1, one)])
            # Filters know bytes alone: with as many 8-bit channels a decoder gives them unfiltered.
            plain = _png(rows, png.Header(length // step, 0, 8, _CHANNELS_TYPE[step]))
            with Image.open(BytesIO(plain), formats=("PNG",)) as image:
                rows[:, 0], rows[:, 1:] = 0, np.asarray(image).reshape(-1, length)
            above = rows[-1:].copy()
            yield _png(rows[1:], header, colours)

    return files()


def _row(header: png.Header) -> tuple[int, int]:
    """The bytes to the next pixel, and those of a row."""
    bits = header.depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[header.colour]
    return max(1, bits // 8), -(-header.width * bits // 8)


def _png(rows: NDArray[np.uint8], header: png.Header, colours: bytes = b"") -> bytes:
    """A PNG file, not compressed, of rows with their filters in front."""
    pixels = zlib.compress(rows.tobytes(), 0)
    return png.assemble(header._replace(height=len(rows)), [colours], [pixels])


def _inflated(pieces: Iterator[bytes], sizes: Iterable[int]) -> Iterator[bytes]:
    """The data in `pieces`, decompressed, as so many bytes each. Raises ValueError for fewer."""
    stream = zlib.decompressobj()
    for size in sizes:
        found = bytearray()
        while len(found) < size:
            some = stream.decompress(stream.unconsumed_tail, size - len(found))
            if not some:
                piece = next(pieces, None)
                if piece is None:
                    raise ValueError("it ends too soon")
                some = stream.decompress(piece, size - len(found))
            found += some
        yield bytes(found)


Tags = dict[int, tuple[int, int, bytes]]
"""The type, the number of values and their bytes, by the number of a tag."""


def _tiff_bands(file: BufferedReader) -> Iterator[bytes] | None:
    """Small TIFF files, one for each band. None where they cannot be made."""
    from tifffile import TiffFile

    file.seek(0)
    with TiffFile(file) as tiff:
        page, order = tiff.pages.first, tiff.byteorder
    width, height = page.imagewidth, page.imagelength
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    places, sizes = page.dataoffsets, page.databytecounts
    if page.is_tiled:
        rows, across = page.tilelength, -(-width // page.tilewidth)
    else:
        rows, across = min(height, page.rowsperstrip), 1
        if len(places) == 1 and page.compression == 1:
            # A single strip that is not compressed is any number of them.
            length = sizes[0] // height
            rows = min(rows, _ROWS)
            tops = range(0, height, rows)
            places = tuple(places[0] + top * length for top in tops)
            sizes = tuple(min(rows, height - top) * length for top in tops)
    down = -(-height // rows)
    if len(places) != planes * down * across or len(sizes) != len(places):
        return None
    kept: Tags = {}
    for tag in page.tags:
        # Without values of 64 bits, which only places and sizes need.
        if tag.dtype in _UP_TO_32_BITS and tag.code not in _ELSEWHERE:
            file.seek(tag.valueoffset)
            kept[tag.code] = tag.dtype, tag.count, file.read(tag.valuebytecount)

    def files() -> Iterator[bytes]:
        several = max(1, _ROWS // rows)
        for first in range(0, down, several):
            last = min(first + several, down)
            pieces = []
            for plane in range(planes):
                start = plane * down
                for index in range((start + first) * across, (start + last) * across):
                    file.seek(places[index])
                    pieces.append(file.read(sizes[index]))
            now = min(last * rows, height) - first * rows
            yield _tiff(order, kept, now, rows, page.is_tiled, pieces)

    return files()


def _tiff(
    order: str, kept: Tags, height: int, rows: int, tiled: bool, pieces: list[bytes]
) -> bytes:
    """A TIFF file of strips or tiles, with the other tags of the picture."""
    *places, at = accumulate(map(len, pieces), initial=8)

    def numbers(*values: int) -> tuple[int, int, bytes]:
        return 4, len(values), struct.pack(f"{order}{len(values)}I", *values)

    offsets, sizes = (_TILE_OFFSETS, _TILE_BYTES) if tiled else (_STRIP_OFFSETS, _STRIP_BYTES)
    tags = {**kept, offsets: numbers(*places), sizes: numbers(*map(len, pieces))}
    tags |= {_HEIGHT: numbers(height)} | ({} if tiled else {_STRIP_ROWS: numbers(rows)})
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, at)
    directory, beyond = [struct.pack(f"{order}H", len(tags))], b""
    end = at + 2 + 12 * len(tags) + 4
    for tag, (kind, count, data) in sorted(tags.items()):
        if len(data) > 4:
            place, beyond = struct.pack(f"{order}I", end + len(beyond)), beyond + data
        else:
            place = data.ljust(4, b"\0")
        directory.append(struct.pack(f"{order}2HI", tag, kind, count) + place)
    return b"".join([head, *pieces, *directory, bytes(4), beyond])
