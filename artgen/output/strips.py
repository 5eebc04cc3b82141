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
from artgen.base import png
from artgen.output.still import Pixels, ascii_json, png_texts

TILE = 256
"""The side of a TIFF's tiles, in pixels."""

_LEVEL = 6
"""The level of zlib, as in `encode_png`."""

_SUB = 1
"""The PNG filter that stores the difference to the pixel on the left."""

_ZLIB_HEADER, _LAST_BLOCK = b"\x78\x9c", b"\x03\x00"
"""Of a window of 32 KiB and the default level (RFC 1950); without content (RFC 1951)."""


def encode_png_strips(
    strips: Iterator[Pixels], height: int, recipe_json: str, *, dpi: float | None = None
) -> bytes:
    """A PNG file of strips that are `height` rows together; see `encode_png`.

    Strips are compressed one by one, on as many threads as `share` uses.

    Format: PNG specification (W3C), sections 9 and 11.
    """
    from artgen.compiler.threads import share, thread_count

    first = next(strips)
    _, width, channels = first.shape
    header = png.Header(width, height, 8, 6 if channels == 4 else 2)
    others = [png.chunk(kind, data) for kind, data, *_ in png_texts(recipe_json).chunks]
    others += [] if dpi is None else [png.resolution(dpi)]

    def compressed(strip: Pixels) -> tuple[bytes, bytes]:
        rows = np.full((len(strip), 1 + width * channels), _SUB, np.uint8)
        rows[:, 1:] = strip.reshape(len(strip), -1)
        rows[:, 1 + channels :] -= strip[:, :-1].reshape(len(strip), -1)
        filtered, deflate = rows.tobytes(), zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
        return filtered, deflate.compress(filtered) + deflate.flush(zlib.Z_FULL_FLUSH)

    def pixels() -> Iterator[bytes]:
        # One zlib stream: its header, blocks of all strips, an empty last block, and a checksum.
        yield _ZLIB_HEADER
        checksum, rest = zlib.adler32(b""), itertools.chain([first], strips)
        while some := list(itertools.islice(rest, thread_count())):
            for filtered, data in share(compressed, some):
                checksum = zlib.adler32(filtered, checksum)
                yield data
        yield _LAST_BLOCK + struct.pack(">I", checksum)

    return png.assemble(header, others, pixels())


def encode_tiff_strips(
    strips: Iterator[Pixels], height: int, recipe_json: str, *, dpi: float | None = None
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
                    yield np.ascontiguousarray(strip[top : top + TILE, left : left + TILE])

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
        description=ascii_json(recipe_json),
        software=f"artgen {__version__}",
        metadata=None,
        resolution=None if dpi is None else (dpi, dpi),
        resolutionunit=None if dpi is None else "INCH",
    )
    return file.getvalue()
