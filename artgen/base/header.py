"""The header of small `.art` files: JSON text, deflated beside words that most headers hold.

A small file has a checksum (CRC-32, four bytes), this header, and behind it the numbers of the
drawing: see `artgen.art.numbers`. Headers of drawings take 200 bytes instead of 1,400.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

SMALL = "small."
"""The name of the tensor of bytes that holds a header, and numbers behind it."""

LARGEST_HEADER = 100_000_000
"""The most bytes of a header."""

_TIMES, _MARGIN = 64, 1 << 20
"""The most bytes of a header for each byte of the file, and how many it may have beside these."""

_RAW = -15


@cache
def _words() -> bytes:
    """Words of headers, the most common ones last. Part of the format: they never change."""
    return Path(__file__).with_suffix(".txt").read_bytes()


def deflate(text: str, numbers: bytes) -> bytes:
    """The bytes of a small file: the checksum, the header `text`, and the `numbers`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW, 9, zdict=_words())
    body = packer.compress(text.encode()) + packer.flush() + numbers
    return zlib.crc32(body).to_bytes(4, "little") + body


def inflate(data: bytes) -> tuple[str, bytes]:
    """The text and the numbers of a small file. Raises ValueError."""
    body = data[4:]
    if zlib.crc32(body).to_bytes(4, "little") != data[:4]:
        raise ValueError("its checksum is wrong")
    unpacker = zlib.decompressobj(_RAW, zdict=_words())
    try:
        text = unpacker.decompress(body, min(LARGEST_HEADER, _MARGIN + _TIMES * len(body))).decode()
    except (zlib.error, UnicodeDecodeError):
        raise ValueError("its header cannot be read") from None
    if not unpacker.eof:
        raise ValueError("its header has no end")
    return text, unpacker.unused_data
