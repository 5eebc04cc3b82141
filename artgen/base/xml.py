"""XML: elements and their text, and parsers of streams, which pass on all that they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring
from xml.parsers.expat import ExpatError, ParserCreate

__all__ = ["Element", "ExpatError", "ParseError", "SubElement", "fromstring", "stream", "text_of"]


def text_of(element: Element) -> str:
    """Return the text of an element."""
    return tostring(element, encoding="unicode").replace(" />", "/>")


def stream(
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object],
    entity: Callable[..., object],
    text: Callable[[str], object] | None = None,
    *,
    namespaces: bool = True,
) -> Any:
    """Return a parser of expat that calls `start` and `end` of elements, `entity` and `text`.

    With `namespaces`, a name is that of the namespace, a space and the local name.
    """
    parser = ParserCreate(namespace_separator=" " if namespaces else None)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler, parser.CharacterDataHandler = entity, text
    return parser
