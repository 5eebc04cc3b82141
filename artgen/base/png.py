"""Chunks of PNG files, walked one after the other and written.

Format: PNG specification (W3C), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIECE = 2**20
"""Bytes of a chunk that are read at a time."""


@dataclass(frozen=True)
class Chunk:
    """A chunk of `size` bytes, at whose data `file` is when `walk` yields it."""

    kind: bytes
    size: int
    file: BinaryIO

    def pieces(self) -> Iterator[bytes]:
        """Yield the data a piece at a time. Raises ValueError if it is cut short or damaged."""
        left, checksum = self.size, zlib.crc32(self.kind)
        while left:
            data = self.file.read(min(left, _PIECE))
            if not data:
                raise ValueError("it ends too soon")
            left -= len(data)
            checksum = zlib.crc32(data, checksum)
            yield data
        if self.file.read(4) != struct.pack(">I", checksum):
            raise ValueError("a checksum is wrong")

    def read(self) -> bytes:
        """Return the data. Raises ValueError if it is cut short or damaged."""
        return b"".join(self.pieces())


def walk(file: BinaryIO) -> Iterator[Chunk]:
    """Yield all chunks, whether they are read or not. Raises struct.error where the file ends."""
    place = len(SIGNATURE)
    while True:
        file.seek(place)
        size, kind = struct.unpack(">I4s", file.read(8))
        yield Chunk(kind, size, file)
        place += size + 12


def chunk(kind: bytes, data: bytes) -> bytes:
    """Encode a chunk."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", checksum)


def header(width: int, height: int, depth: int, colour: int) -> bytes:
    """Encode the first chunk, of a picture that is not interlaced; `colour` is a colour type."""
    return chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0))
