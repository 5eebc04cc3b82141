"""Read back the recipe that every output carries.

- PNG, APNG: an iTXt chunk with the keyword ``artgen:recipe``
- MP4, WebM: the comment tag; GIF: the comment; WebP, JPEG, AVIF: the Exif description;
  TIFF: the image description, which is the same tag
- ``.art``: the key ``artgen`` of the safetensors metadata, a JSON object that holds ``recipe``, or
  the deflated header of `artgen.base.header`
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
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from artgen.base import png
from artgen.base.errors import InputError, reading
from artgen.base.files import Damaged, check_regular
from artgen.base.header import LARGEST_HEADER, SMALL, inflate
from artgen.base.plain import canonical
from artgen.output.animation import read_description
from artgen.output.still import RECIPE_KEYWORD
from artgen.output.svg.document import PDF_RECIPE, RECIPE_ID, read_metadata
from artgen.output.video import read_comment

RECIPE_COMMENT = "artgen:recipe"
"""What precedes the recipe in the keywords of a PDF, and on the comments of an EPS."""

_KEYWORDS = re.compile(rb"/Keywords \(artgen:recipe ((?:[^()\\]|\\.)*)\)", re.DOTALL)

_LARGEST_RECIPE = 16_000_000


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
            if stored := reader(path):
                # The stored text itself, once it is known to be a JSON object, and in UTF-8.
                stored = stored.decode() if isinstance(stored, bytes) else stored
                _json_object(stored)
                stored.encode()
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError(f"cannot read {path}: {error.strerror or error}", hint=hint) from error
    except UnicodeError:
        raise InputError(f"{path} is damaged: its recipe is not valid Unicode") from None
    except Damaged as error:
        raise InputError(f"{path} is damaged: {error}") from error
    if not stored:
        raise InputError(f"{path} contains no recipe", hint="give a file that artgen wrote")
    return stored


def _from_png(path: Path) -> bytes | None:
    with path.open("rb") as file:
        return png.find_text(file, _size(file), RECIPE_KEYWORD, _LARGEST_RECIPE)


def art_header(path: Path) -> dict[str, Any] | None:
    """The JSON object in an `.art` file, which is read without its tensors. Raises Damaged.

    It is a safetensors file: the length of its header in 8 bytes, the header, tensors.
    """
    with path.open("rb") as file:
        size = _size(file)
        if size < 8:
            raise Damaged("it ends early")
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, LARGEST_HEADER):
            raise Damaged(f"its header claims {length} bytes")
        header = _json_object(file.read(length))
        if SMALL in header:
            try:
                begin, end = header[SMALL]["data_offsets"]
                if not 0 <= begin <= end <= size:
                    raise ValueError(f"it claims the bytes from {begin} to {end}")
                return _json_object(inflate(file.read(end)[begin:])[0])
            except (KeyError, TypeError, ValueError) as error:
                raise Damaged(f"its small header cannot be read: {error}") from None
    metadata = header.get("__metadata__")
    art = metadata.get("artgen") if isinstance(metadata, dict) else None
    return _json_object(art) if isinstance(art, str) else None


def _from_summary(path: Path) -> str | None:
    with path.open("rb") as file:
        if _size(file) > LARGEST_HEADER:
            raise Damaged("it is too large for the summary of a run")
        return _recipe_of(_json_object(file.read(LARGEST_HEADER)))


def _from_pdf(path: Path) -> str | bytes | None:
    """XMP metadata is plain text, so that programs that know no PDF find it too.

    Matplotlib writes keywords behind everything that is drawn.
    """
    data = _bounded(path)
    if not data.startswith(b"%PDF-"):
        raise Damaged("it does not start like a PDF file")
    if keywords := _KEYWORDS.search(_bounded(path, last=True)):
        return re.sub(rb"\\(.)", rb"\1", keywords[1])
    text = _between(data, f"<{PDF_RECIPE}>", f"</{PDF_RECIPE}>")
    try:
        return None if text is None else html.unescape(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Damaged(f"its recipe cannot be read: {error}") from error


def _from_eps(path: Path) -> bytes:
    """Join the comments that hold the recipe."""
    data = _bounded(path)
    if not data.startswith(b"%!PS"):
        raise Damaged("it does not start like an EPS file")
    mark = f"%{RECIPE_COMMENT} ".encode()
    lines = [line.removeprefix(mark) for line in data.splitlines() if line.startswith(mark)]
    return b"".join(lines)


def _from_page(path: Path) -> str | None:
    """Read between two tags; the first is always written alike, near the beginning."""
    tag = f'<script type="application/json" id="{RECIPE_ID}">'
    text = _between(_bounded(path), tag, "</script>")
    # Canonical again: a page escapes what would end its element.
    return None if text is None else _recipe_of({"recipe": _json_object(text)})


def _between(data: bytes, begin: str, end: str) -> bytes | None:
    """What stands between two marks; None without the first. Raises Damaged without the second."""
    _, begun, rest = data.partition(begin.encode())
    text, ended, _ = rest.partition(end.encode())
    if begun and not ended:
        raise Damaged("its recipe is cut short or too large")
    return text if begun else None


_READERS: dict[str, Callable[[Path], str | bytes | None]] = {
    suffix: reader
    for suffixes, reader in (
        (".png .apng", _from_png),
        (".mp4 .webm", read_comment),
        (".avif .gif .jpeg .jpg .tif .tiff .webp", read_description),
        (".art", lambda path: _recipe_of(art_header(path) or {})),
        (".json", _from_summary),
        (".svg", partial(read_metadata, largest=_LARGEST_RECIPE)),
        (".pdf", _from_pdf),
        (".eps", _from_eps),
        (".html", _from_page),
    )
    for suffix in suffixes.split()
}


SUFFIXES = frozenset(_READERS)
"""The suffixes of files that hold a recipe."""


def _recipe_of(container: Mapping[str, object]) -> str | None:
    """The canonical JSON of the object's key `recipe`."""
    recipe = container.get("recipe")
    if not isinstance(recipe, dict):
        return None
    return canonical(recipe)


def _json_object(text: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    # Deeply nested lists exhaust the parser's stack.
    except (ValueError, RecursionError) as error:
        raise Damaged(f"its JSON cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise Damaged("its JSON is not an object")
    return value


def _bounded(path: Path, *, last: bool = False) -> bytes:
    """As many bytes of a file as a recipe may have, the first or the `last` ones."""
    with path.open("rb") as file:
        file.seek(max(0, _size(file) - _LARGEST_RECIPE) if last else 0)
        return file.read(_LARGEST_RECIPE)


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
