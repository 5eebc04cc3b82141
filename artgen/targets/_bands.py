"""Read large PNG and TIFF files a few rows at a time.

A band of rows is made a small file of the same format, which is decoded like any other file. So all
kinds of pixels, compressions and colour profiles give the same samples as the whole file.

Formats: PNG specification (W3C), sections 5, 7 and 9; TIFF 6.0 (Adobe), sections 2, 8 and 15;
BigTIFF as written by libtiff.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen.canvas import LARGE
from artgen.targets._decode import Decoded, decode_file, guarded_image, pillow_guard

_ROWS = 256
"""Rows of a band, about."""
_PIECE = 2**20
"""Compressed bytes that are read at a time."""

_ORIENTATION = 0x0112
_COLOUR_CHUNKS = (b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
_CHANNELS_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG colour types of 8-bit pictures by their bytes per pixel."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_ROWS, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of a value by the type of a tag, for types that are no places and have up to 32 bits."""
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
    in several channels, and animations as PNG. Raises InputError naming `where`.
    """
    with guarded_image(file, max_pixels, where) as image:
        width, height = image.size
        files: Iterator[bytes] | None = None
        if width * height > LARGE and image.getexif().get(_ORIENTATION, 1) == 1:
            if image.format == "PNG" and getattr(image, "n_frames", 1) == 1:
                files = _png_bands(file)
            elif image.format == "TIFF":
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
    file.seek(8)
    header, kept = b"", []
    while True:
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"IDAT":
            break
        data = file.read(size)
        file.seek(4, 1)
        if kind == b"IHDR":
            header = data
        elif kind in _COLOUR_CHUNKS:
            kept.append((kind, data))
    width, height, depth, colour, *_, interlaced = struct.unpack(">2I5B", header)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    step = max(1, channels * depth // 8)
    if interlaced or step not in _CHANNELS_TYPE:
        return None
    file.seek(-8, 1)
    return _png_files(_Inflated(_compressed(file)), (width, height, depth, colour), kept)


def _png_files(
    data: _Inflated, shape: tuple[int, int, int, int], kept: list[tuple[bytes, bytes]]
) -> Iterator[bytes]:
    """Files with rows that do not depend on those above them."""
    width, height, depth, colour = shape
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    step, length = max(1, channels * depth // 8), -(-width * channels * depth // 8)
    above = np.zeros((1, 1 + length), np.uint8)
    for top in range(0, height, _ROWS):
        number = min(_ROWS, height - top)
        filtered = np.frombuffer(data.read(number * (1 + length)), np.uint8)
        rows = np.vstack([above, filtered.reshape(number, 1 + length)])
        # Filters know bytes alone: with as many 8-bit channels, a decoder gives them unfiltered.
        plain = _png((length // step, number + 1, 8, _CHANNELS_TYPE[step]), [], rows)
        with Image.open(BytesIO(plain), formats=("PNG",)) as image:
            rows[:, 0], rows[:, 1:] = 0, np.asarray(image).reshape(number + 1, length)
        above = rows[-1:].copy()
        yield _png((width, number, depth, colour), kept, rows[1:])


def _png(
    shape: tuple[int, int, int, int], chunks: list[tuple[bytes, bytes]], rows: NDArray[np.uint8]
) -> bytes:
    """A PNG file, not compressed, of rows with their filters in front."""
    all_chunks = [
        (b"IHDR", struct.pack(">2I5B", *shape, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(rows.tobytes(), 0)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in all_chunks
    )


def _compressed(file: BufferedReader) -> Iterator[bytes]:
    """The compressed data of a PNG file from its first IDAT chunk on. Raises ValueError."""
    while True:
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind != b"IDAT":
            return
        check = zlib.crc32(kind)
        while size:
            data = file.read(min(size, _PIECE))
            if not data:
                raise ValueError("it ends too soon")
            size -= len(data)
            check = zlib.crc32(data, check)
            yield data
        if file.read(4) != struct.pack(">I", check):
            raise ValueError("a checksum is wrong")


class _Inflated:
    """The decompressed bytes of the data in `pieces`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.stream = pieces, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """The next bytes. Raises ValueError where there are fewer."""
        found = bytearray()
        while len(found) < size:
            some = self.stream.decompress(self.stream.unconsumed_tail, size - len(found))
            if not some:
                piece = next(self.pieces, None)
                if piece is None:
                    raise ValueError("it ends too soon")
                some = self.stream.decompress(piece, size - len(found))
            found += some
        return bytes(found)


Tags = dict[int, tuple[int, int, bytes]]
"""The type, the number of values and their bytes, by the number of a tag."""


def _tiff_bands(file: BufferedReader) -> Iterator[bytes] | None:
    """Small TIFF files, one for each band. None where they cannot be made."""
    order, tags = _read_tags(file)

    def values(tag: int, default: int | None = None) -> tuple[int, ...]:
        if tag not in tags and default is not None:
            return (default,)
        kind, count, data = tags[tag]
        return struct.unpack(f"{order}{count}{_NUMBERS[kind]}", data)

    (width,), (height,) = values(_WIDTH), values(_HEIGHT)
    planes = values(_SAMPLES, 1)[0] if values(_PLANAR, 1) == (2,) else 1
    tiled = _TILE_OFFSETS in tags
    if tiled:
        (rows,), across = values(_TILE_ROWS), -(-width // values(_TILE_WIDTH)[0])
        places, sizes = values(_TILE_OFFSETS), values(_TILE_BYTES)
    else:
        rows, across = min(height, values(_STRIP_ROWS, height)[0]), 1
        places, sizes = values(_STRIP_OFFSETS), values(_STRIP_BYTES)
        if len(places) == 1 and values(_COMPRESSION, 1) == (1,):
            # A single strip that is not compressed is any number of them.
            length = sizes[0] // height
            rows = min(rows, _ROWS)
            tops = range(0, height, rows)
            places = tuple(places[0] + top * length for top in tops)
            sizes = tuple(min(rows, height - top) * length for top in tops)
    down = -(-height // rows)
    if len(places) != planes * down * across or len(sizes) != len(places):
        return None
    # Without values of 64 bits, which only places and sizes need.
    kept = {tag: value for tag, value in tags.items() if value[0] in _BYTES}

    def files() -> Iterator[bytes]:
        several = max(1, _ROWS // rows)
        for first in range(0, down, several):
            last = min(first + several, down)
            chosen = [
                plane * down * across + index
                for plane in range(planes)
                for index in range(first * across, last * across)
            ]
            pieces = []
            for index in chosen:
                file.seek(places[index])
                pieces.append(file.read(sizes[index]))
            now = min(last * rows, height) - first * rows
            yield _tiff(order, kept, now, rows, tiled, pieces)

    return files()


def _tiff(
    order: str, kept: Tags, height: int, rows: int, tiled: bool, pieces: list[bytes]
) -> bytes:
    """A TIFF file of strips or tiles, with the other tags of the picture."""
    places, at = [], 8
    for piece in pieces:
        places.append(at)
        at += len(piece)

    def numbers(*values: int) -> tuple[int, int, bytes]:
        return 4, len(values), struct.pack(f"{order}{len(values)}I", *values)

    tags = {**kept, _HEIGHT: numbers(height)}
    if tiled:
        tags |= {_TILE_OFFSETS: numbers(*places)}
        tags |= {_TILE_BYTES: numbers(*map(len, pieces))}
    else:
        tags |= {_STRIP_OFFSETS: numbers(*places), _STRIP_ROWS: numbers(rows)}
        tags |= {_STRIP_BYTES: numbers(*map(len, pieces))}
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


def _read_tags(file: BufferedReader) -> tuple[str, Tags]:
    """The byte order and the tags of the first picture of a TIFF file. Raises as struct does."""
    file.seek(0)
    order = {b"II": "<", b"MM": ">"}[file.read(2)]

    def take(format: str) -> tuple[Any, ...]:
        return struct.unpack(order + format, file.read(struct.calcsize(order + format)))

    big = take("H") == (43,)
    (place,) = take("2HQ")[2:] if big else take("I")
    file.seek(place)
    (number,) = take("Q" if big else "H")
    entries = [take("2HQ8s" if big else "2HI4s") for _ in range(number)]
    tags: Tags = {}
    for tag, kind, count, data in entries:
        if tag in _ELSEWHERE:
            continue
        size = {**_BYTES, 16: 8}.get(kind, 0) * count
        if size > len(data):
            file.seek(*struct.unpack(order + ("Q" if big else "I"), data))
            data = file.read(size)
        tags[tag] = kind, count, data[:size]
    return order, tags
