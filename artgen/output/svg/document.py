"""What all SVG files of artgen share: the recipe in the metadata, and short numbers."""

from __future__ import annotations

import html
import re
from pathlib import Path

from artgen.base.files import Damaged
from artgen.base.xml import ExpatError, stream

PDF_RECIPE = "artgen:recipe"
"""The XMP property of a PDF that holds the recipe as JSON."""

RECIPE_ID = "artgen-recipe"
"""The id of the element of an SVG or a page that holds the recipe as JSON."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIECE = 65_536


def escaped_recipe(recipe_json: str) -> str:
    """The recipe as text of an XML element."""
    # Tabs and the like are escaped by JSON itself; a few letters are no letters of XML.
    text = _NOT_XML.sub(lambda letter: f"\\u{ord(letter[0]):04x}", recipe_json)
    return html.escape(text, quote=False)


def metadata(recipe_json: str) -> str:
    """The element that holds the recipe, for `read_recipe`."""
    return f'<metadata id="{RECIPE_ID}">{escaped_recipe(recipe_json)}</metadata>'


def rounded(number: float | str, digits: int) -> str:
    """A number with at most this many digits after the point."""
    text = f"{float(number):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return "0" if text == "-0" else text


def read_metadata(path: Path, largest: int) -> str | None:
    """The recipe of at most `largest` letters, by `metadata`; what follows it is not parsed.

    None without one. Raises Damaged, OSError.
    """
    texts, size = list[str](), 0
    inside = done = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        inside = inside or (name == "metadata" and attributes.get("id") == RECIPE_ID)

    def end(name: str) -> None:
        nonlocal inside, done
        done = done or (inside and name == "metadata")
        inside = inside and not done

    def text(part: str) -> None:
        nonlocal size
        if inside:
            texts.append(part)
            size += len(part)

    def entity(name: str, *definition: object) -> None:
        raise Damaged(f"it defines the entity {name}")

    parser = stream(start, end, entity, text, namespaces=False)
    try:
        with path.open("rb") as file:
            while not done and (piece := file.read(_PIECE)):
                parser.Parse(piece)
                if size > largest:
                    raise Damaged("its recipe is too large")
            if not done:
                parser.Parse(b"", True)
    except (ExpatError, ValueError) as error:
        raise Damaged(f"its XML cannot be read: {error}") from error
    return "".join(texts) if done else None
