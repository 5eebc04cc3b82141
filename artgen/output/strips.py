"""Stills written strip by strip, from top to bottom, so that they never are in memory as a whole.

Strips are uint8 [rows, width, 3 or 4]; only the encoded file is kept.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from artgen._version import __version__
from artgen.output.still import Pixels, ascii_json, png_texts

TILE = 256
"""The side of a TIFF's tiles, in pixels."""

_SUB = 1
"""The PNG filter that stores the difference to the pixel on the left."""


def encode_png_strips(
    strips: Iterator[Pixels],
    height: int,
    recipe_json: str | None = None,
    *,
    level: int = 6,
    dpi: float | None = None,
) -> bytes:
    """A PNG file of strips that are `height` rows together; see `encode_png`.

    Format: PNG specification (W3C), sections 5, 9 and 11.
    """
    first = next(strips)
    _, width, channels = first.shape
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)

    def write(kind: bytes, data: bytes) -> None:
        file.write(struct.pack(">I", len(data)) + kind + data)
        file.write(struct.pack(">I", zlib.crc32(kind + data)))

    colours = 6 if channels == 4 else 2
    write(b"IHDR", struct.pack(">2I5B", width, height, 8, colours, 0, 0, 0))
    for kind, data, *_ in png_texts(recipe_json).chunks:
        write(kind, data)
    if dpi is not None:
        per_metre = round(dpi / 0.0254)
        write(b"pHYs", struct.pack(">2IB", per_metre, per_metre, 1))
    deflate = zlib.compressobj(level)
    for strip in itertools.chain([first], strips):
        rows = np.full((len(strip), 1 + width * channels), _SUB, np.uint8)
        rows[:, 1:] = strip.reshape(len(strip), -1)
        rows[:, 1 + channels :] -= strip[:, :-1].reshape(len(strip), -1)
        write(b"IDAT", deflate.compress(rows.tobytes()))
    write(b"IDAT", deflate.flush())
    write(b"IEND", b"")
    return file.getvalue()


def encode_tiff_strips(
    strips: Iterator[Pixels],
    height: int,
    recipe_json: str | None = None,
    *,
    dpi: float | None = None,
) -> bytes:
    """A tiled TIFF file, deflated, of strips that are `height` rows together.

    All strips but the last have a multiple of `TILE` rows. The recipe is the image description, for
    `read_recipe`. Viewers read parts of such a file, whatever its size.
    """
    import tifffile

    first = next(strips)
    _, width, channels = first.shape

    def tiles() -> Iterator[Pixels]:
        for strip in itertools.chain([first], strips):
            for top in range(0, len(strip), TILE):
                for left in range(0, width, TILE):
                    tile = strip[top : top + TILE, left : left + TILE]
                    yield np.ascontiguousarray(tile)

    file = io.BytesIO()
    tifffile.imwrite(
        file,
        tiles(),
        shape=(height, width, channels),
        dtype=np.uint8,
        bigtiff=height * width * channels > 2**31,
        tile=(TILE, TILE),
        photometric="rgb",
        extrasamples=["unassalpha"] if channels == 4 else None,
        compression="zlib",
        predictor=True,
        description=None if recipe_json is None else ascii_json(recipe_json),
        software=f"artgen {__version__}",
        metadata=None,
        resolution=None if dpi is None else (dpi, dpi),
        resolutionunit=None if dpi is None else "INCH",
    )
    return file.getvalue()
