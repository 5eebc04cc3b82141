"""XML: elements and their text, and parsers of streams, which pass on all that they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring
from xml.parsers.expat import ExpatError, ParserCreate

__all__ = ["Element", "ExpatError", "ParseError", "SubElement", "fromstring", "stream", "text_of"]


LONGEST_NAMESPACE = 1000
"""Characters of a namespace, and of all default values of attributes: parsers repeat them."""


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

    With `namespaces`, a name is that of the namespace, a space and the local name. Parsing raises
    ExpatError, and ValueError where a few bytes would be repeated in many elements, or for an
    encoding that there is not.
    """
    defaults = 0

    def add_default(element: str, name: str, kind: str, value: str | None, _: bool) -> None:
        nonlocal defaults
        defaults += len(name) + len(value or "")
        _check_length(defaults, "default values of attributes")

    def add_namespace(prefix: str | None, name: str | None) -> None:
        _check_length(len(name or ""), "a namespace")

    def declare(version: str, encoding: str | None, standalone: int) -> None:
        try:
            " ".encode(encoding or "utf-8")
        except LookupError as error:
            raise ValueError(str(error)) from None

    parser = ParserCreate(namespace_separator=" " if namespaces else None)
    parser.buffer_text = True
    parser.XmlDeclHandler = declare
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.EntityDeclHandler, parser.CharacterDataHandler = entity, text
    parser.AttlistDeclHandler, parser.StartNamespaceDeclHandler = add_default, add_namespace
    return parser


def _check_length(length: int, what: str) -> None:
    if length > LONGEST_NAMESPACE:
        raise ValueError(f"it has {what} of more than {LONGEST_NAMESPACE:,} characters")
