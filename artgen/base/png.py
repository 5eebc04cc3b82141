"""Chunks of PNG files, read and written: nothing else of artgen knows what they are.

Format: PNG specification (W3C), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import BinaryIO, NamedTuple

from artgen.base.files import Damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_COLOURS = (b"PLTE", b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
"""The chunks that say what the numbers of the pixels mean."""

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


class Header(NamedTuple):
    """The first chunk of a file: size in pixels, bits of a sample, type of colour, and methods."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int = 0
    filtering: int = 0
    interlaced: int = 0


def assemble(header: Header, others: Iterable[bytes], pixels: Iterable[bytes]) -> bytes:
    """Encode a file of a header, `others` (chunks), and compressed pixels in pieces."""
    data = (chunk(b"IDAT", piece) for piece in pixels)
    first = chunk(b"IHDR", struct.pack(">2I5B", *header))
    return b"".join([SIGNATURE, first, *others, *data, chunk(b"IEND", b"")])


def resolution(dpi: float) -> bytes:
    """Encode the chunk that says how many pixels are on an inch."""
    per_metre = round(dpi / 0.0254)
    return chunk(b"pHYs", struct.pack(">2IB", per_metre, per_metre, 1))


def take_apart(file: BinaryIO) -> tuple[Header, bytes, Iterator[bytes]]:
    """Return the header of a file, the chunks of its colours, and its pixels: see `assemble`.

    Raises ValueError where a chunk is damaged, struct.error where the file ends.
    """
    first, colours, chunks = b"", b"", walk(file)
    for each in chunks:
        if each.kind == b"IDAT":
            break
        if each.kind == b"IHDR":
            first = each.read()
        elif each.kind in _COLOURS:
            colours += chunk(each.kind, each.read())
    pixels = takewhile(lambda one: one.kind == b"IDAT", chain([each], chunks))
    pieces = chain.from_iterable(one.pieces() for one in pixels)
    return Header(*struct.unpack(">2I5B", first)), colours, pieces


def find_text(file: BinaryIO, size: int, keyword: str, largest: int) -> bytes | None:
    """Return the text of the first iTXt chunk with a keyword, of a file of `size` bytes.

    Longer texts than `largest` bytes are passed over. Raises Damaged.
    """
    if file.read(8) != SIGNATURE:
        raise Damaged("it does not start like a PNG file")
    try:
        for each in walk(file):
            if each.size > size - file.tell() - 4:
                raise Damaged(f"its chunk {each.kind.decode('ascii', 'replace')} is cut short")
            if each.kind == b"IEND":
                break
            if each.kind == b"iTXt" and each.size <= largest:
                found, _, rest = each.read().partition(b"\0")
                if found == keyword.encode("ascii"):
                    return _text(rest, largest)
    except struct.error:
        raise Damaged("it ends early") from None
    except ValueError:
        raise Damaged("the checksum of a text chunk is wrong") from None
    return None


def _text(rest: bytes, largest: int) -> bytes:
    """The text of an iTXt chunk, given what follows its keyword.

    That is: compression flag, compression method, language, translated keyword, text.
    """
    compressed, texts = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(texts) < 3:
        raise Damaged("its recipe chunk is cut short")
    if not compressed:
        return texts[2]
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(texts[2], largest)
    except zlib.error as error:
        raise Damaged(f"its recipe cannot be decompressed: {error}") from error
    if not inflate.eof:
        raise Damaged("its recipe is cut short or too large")
    return text
