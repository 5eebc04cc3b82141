"""Read back the recipe that every output carries.

- PNG, APNG: an iTXt chunk with the keyword ``artgen:recipe``
- MP4, WebM: the comment tag; GIF: the comment; WebP, JPEG, AVIF: the Exif description;
  TIFF: the image description, which is the same tag
- ``.art``: the key ``artgen`` of the safetensors metadata, a JSON object that holds ``recipe``
- ``.json``: the summary of a run or the shapes of a drawing, an object that holds ``recipe``
- ``.svg``: the text of the element ``metadata`` whose id is ``artgen-recipe``
- ``.pdf``: the text of the element ``artgen:recipe`` of its XMP metadata, or its keywords
- ``.eps``: comments that begin with ``%artgen:recipe``
- ``.html``: the text of the element ``script`` whose id is ``artgen-recipe``

Files come from anywhere: every read is bounded, pixels are never decoded, nothing is unpickled.
"""

from __future__ import annotations

import html
import json
import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from artgen._files import check_regular
from artgen.errors import InputError, reading
from artgen.output.animation import read_description
from artgen.output.still import RECIPE_KEYWORD
from artgen.output.video import read_comment

RECIPE_ID = "artgen-recipe"
"""The id of the element of an SVG or a page that holds the recipe as JSON."""

PDF_RECIPE = "artgen:recipe"
"""The XMP property of a PDF that holds the recipe as JSON."""

RECIPE_COMMENT = "artgen:recipe"
"""What precedes the recipe in the keywords of a PDF, and on the comments of an EPS."""

_KEYWORDS = re.compile(rb"/Keywords \(artgen:recipe ((?:[^()\\]|\\.)*)\)", re.DOTALL)

_LARGEST_HEADER = 100_000_000
_LARGEST_RECIPE = 16_000_000
_PIECE = 65_536


class _Damaged(Exception):
    """The file is not what its suffix claims; the message says why."""


def read_recipe(path: Path) -> str:
    """The recipe, as JSON text, stored in a PNG, SVG, PDF, page, video, ``.art`` or ``.json`` file.

    Raises InputError where the file cannot be read, is damaged or holds no recipe.
    """
    try:
        size = check_regular(path, str(path))
        reader = _READERS.get(path.suffix.lower())
        if reader is None:
            raise InputError(
                f"{path} cannot hold a recipe",
                hint=f"files that can: {', '.join(sorted(_READERS))}",
            )
        if not size:
            raise InputError(f"{path} is empty", hint="save or copy it anew")
        with reading(str(path)):
            recipe = reader(path)
        (recipe or "").encode()
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint=hint) from error
    except UnicodeEncodeError:
        raise InputError(f"{path} is damaged: its recipe is not valid Unicode") from None
    except _Damaged as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if recipe is None:
        raise InputError(f"{path} contains no recipe", hint="give a file that artgen wrote")
    return recipe


def _from_png(path: Path) -> str | None:
    """Walk the chunks and skip all but iTXt. Format: PNG specification (W3C), sections 5 and 11."""
    with path.open("rb") as file:
        size = _size(file)
        if file.read(8) != b"\x89PNG\r\n\x1a\n":
            raise _Damaged("it does not start like a PNG file")
        while True:
            length, kind = struct.unpack(">I4s", _read(file, 8))
            if length > size - file.tell() - 4:
                raise _Damaged(f"its chunk {kind.decode('ascii', 'replace')} is cut short")
            if kind == b"IEND":
                return None
            if kind == b"iTXt" and length <= _LARGEST_RECIPE:
                data = _read(file, length)
                if _read(file, 4) != struct.pack(">I", zlib.crc32(kind + data)):
                    raise _Damaged("the checksum of a text chunk is wrong")
                keyword, _, rest = data.partition(b"\0")
                if keyword == RECIPE_KEYWORD.encode("ascii"):
                    return _recipe_text(_itxt_text(rest))
            else:
                file.seek(length + 4, os.SEEK_CUR)


def _itxt_text(rest: bytes) -> bytes:
    """The text of an iTXt chunk, given what follows its keyword.

    That is: compression flag, compression method, language, translated keyword, text.
    """
    compressed, texts = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(texts) < 3:
        raise _Damaged("its recipe chunk is cut short")
    if not compressed:
        return texts[2]
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(texts[2], _LARGEST_RECIPE)
    except zlib.error as error:
        raise _Damaged(f"its recipe cannot be decompressed: {error}") from error
    if not inflate.eof:
        raise _Damaged("its recipe is cut short or too large")
    return text


def _from_video(path: Path) -> str | None:
    comment = read_comment(path)
    return None if comment is None else _recipe_text(comment)


def _from_description(path: Path) -> str | None:
    comment = read_description(path)
    return _recipe_text(comment) if comment else None


def _from_art(path: Path) -> str | None:
    """Read the JSON header of a safetensors file: its length in 8 bytes, then the header."""
    with path.open("rb") as file:
        size = _size(file)
        (length,) = struct.unpack("<Q", _read(file, 8))
        if length > min(size - 8, _LARGEST_HEADER):
            raise _Damaged(f"its header claims {length} bytes")
        header = _json_object(_read(file, length))
    metadata = header.get("__metadata__")
    art = metadata.get("artgen") if isinstance(metadata, dict) else None
    return _recipe_of(_json_object(art)) if isinstance(art, str) else None


def _from_summary(path: Path) -> str | None:
    with path.open("rb") as file:
        if _size(file) > _LARGEST_RECIPE:
            raise _Damaged("it is too large for the summary of a run")
        return _recipe_of(_json_object(file.read(_LARGEST_RECIPE)))


def _from_svg(path: Path) -> str | None:
    """Parse no further than the end of the element that holds the recipe."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    texts: list[str] = []
    inside = done = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        inside = inside or (name == "metadata" and attributes.get("id") == RECIPE_ID)

    def end(name: str) -> None:
        nonlocal inside, done
        done = done or (inside and name == "metadata")
        inside = inside and not done

    def text(part: str) -> None:
        if inside:
            texts.append(part)

    def entity(name: str, *definition: object) -> None:
        raise _Damaged(f"it defines the entity {name}")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = text, entity
    try:
        with path.open("rb") as file:
            while not done and (piece := file.read(_PIECE)):
                parser.Parse(piece)
                if sum(map(len, texts)) > _LARGEST_RECIPE:
                    raise _Damaged("its recipe is too large")
            if not done:
                parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # it may name any encoding
        raise _Damaged(f"its XML cannot be read: {error}") from error
    return _recipe_text("".join(texts)) if done else None


def _from_pdf(path: Path) -> str | None:
    """XMP metadata is plain text, so that programs that know no PDF find it too."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_RECIPE)
    if not data.startswith(b"%PDF-"):
        raise _Damaged("it does not start like a PDF file")
    if keywords := _KEYWORDS.search(data):
        return _recipe_text(re.sub(rb"\\(.)", rb"\1", keywords[1]))
    _, opened, rest = data.partition(f"<{PDF_RECIPE}>".encode())
    text, closed, _ = rest.partition(f"</{PDF_RECIPE}>".encode())
    if opened and not closed:
        raise _Damaged("its recipe is cut short or too large")
    try:
        return _recipe_text(html.unescape(text.decode("utf-8"))) if opened else None
    except UnicodeDecodeError as error:
        raise _Damaged(f"its recipe cannot be read: {error}") from error


def _from_eps(path: Path) -> str | None:
    """Join the comments that hold the recipe."""
    with path.open("rb") as file:
        data = file.read(_LARGEST_RECIPE)
    if not data.startswith(b"%!PS"):
        raise _Damaged("it does not start like an EPS file")
    mark = f"%{RECIPE_COMMENT} ".encode()
    lines = [line.removeprefix(mark) for line in data.splitlines() if line.startswith(mark)]
    return _recipe_text(b"".join(lines)) if lines else None


def _from_page(path: Path) -> str | None:
    """Read between two tags; the first is always written alike, near the beginning."""
    tag = f'<script type="application/json" id="{RECIPE_ID}">'.encode("ascii")
    with path.open("rb") as file:
        head = file.read(_LARGEST_RECIPE)
    _, found, rest = head.partition(tag)
    if not found:
        return None
    text, ended, _ = rest.partition(b"</script>")
    if not ended:
        raise _Damaged("its recipe is cut short or too large")
    # Canonical again: a page escapes what would end its element.
    return _recipe_of({"recipe": _json_object(text)})


_READERS: dict[str, Callable[[Path], str | None]] = {
    ".apng": _from_png,
    ".art": _from_art,
    ".avif": _from_description,
    ".eps": _from_eps,
    ".gif": _from_description,
    ".html": _from_page,
    ".jpeg": _from_description,
    ".jpg": _from_description,
    ".json": _from_summary,
    ".mp4": _from_video,
    ".pdf": _from_pdf,
    ".png": _from_png,
    ".svg": _from_svg,
    ".tif": _from_description,
    ".tiff": _from_description,
    ".webm": _from_video,
    ".webp": _from_description,
}


def _recipe_text(stored: str | bytes) -> str:
    """The stored text itself, once it is known to be a JSON object."""
    _json_object(stored)
    return stored.decode("utf-8") if isinstance(stored, bytes) else stored


def _recipe_of(container: dict[str, Any]) -> str | None:
    """The canonical JSON of the object's key `recipe`."""
    recipe = container.get("recipe")
    if not isinstance(recipe, dict):
        return None
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json_object(text: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    # Deeply nested lists exhaust the parser's stack.
    except (ValueError, RecursionError) as error:
        raise _Damaged(f"its JSON cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise _Damaged("its JSON is not an object")
    return value


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _Damaged("it ends early")
    return data


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
