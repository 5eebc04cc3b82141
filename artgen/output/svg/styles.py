"""Style sheets of an SVG file: rules for names of elements, classes and identifiers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from artgen.base.xml import stream

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"(\w*|\*)((?:[.#][\w-]+)*)")


@dataclass
class StyleSheet:
    """The rules of a file.

    A selector names an element, classes and an identifier, such as ``path.leaf#first``. `unread`
    counts rules with other selectors, and at-rules such as ``@media``.
    """

    unread: int = 0
    _read: int = 0
    _rules: defaultdict[str, list[tuple[tuple[int, ...], str, set[str], dict[str, str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, text: str) -> None:
        """Read the rules of a ``<style>`` element."""
        text, ignored = _AT_RULE.subn("", _COMMENT.sub("", text))
        self.unread += ignored
        for selectors, declarations in _RULE.findall(text):
            properties = declared(declarations)
            for selector in selectors.split(","):
                match = _SELECTOR.fullmatch(selector.strip())
                if match is None or not match[0]:
                    self.unread += 1
                    continue
                names = re.findall(r"[.#][\w-]+", match[2])
                identifiers = sum(name[0] == "#" for name in names)
                weight = (
                    identifiers,
                    len(names) - identifiers,
                    match[1] not in ("", "*"),
                    self._read,
                )
                self._read += 1
                key = names[0] if names else match[1]
                self._rules[key].append((weight, match[1], set(names), properties))

    def properties(self, tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
        """Return what the rules say about an element; of two, the more specific one counts."""
        names = {f".{each}" for each in attributes.get("class", "").split()}
        names |= {f"#{attributes['id']}"} if "id" in attributes else set()
        found = [
            (weight, properties)
            for key in (*names, tag, "*")
            for weight, element, needed, properties in self._rules.get(key, ())
            if element in ("", "*", tag) and needed <= names
        ]
        result: dict[str, str] = {}
        for _, properties in sorted(found, key=lambda each: each[0]):
            result.update(properties)
        return result


def declared(text: str) -> dict[str, str]:
    """Return the properties in declarations such as ``fill: red; opacity: 50%``."""
    pairs = (declaration.partition(":") for declaration in text.split(";"))
    return {key.strip(): value.replace("!important", "") for key, _, value in pairs if key.strip()}


def read_styles(data: bytes, refuse_entity: Callable[..., None]) -> StyleSheet:
    """Read all style sheets of a file; `refuse_entity` is called where it declares an entity.

    Raises ExpatError where the file is no XML.
    """
    sheet, pieces, depth = StyleSheet(), list[str](), 0

    def start(name: str, _: Mapping[str, str]) -> None:
        nonlocal depth
        depth += name.rpartition(" ")[2] == "style"

    def end(name: str) -> None:
        nonlocal depth
        if name.rpartition(" ")[2] == "style":
            depth -= 1
            sheet.add("".join(pieces))
            pieces.clear()

    def characters(text: str) -> None:
        if depth:
            pieces.append(text)

    stream(start, end, refuse_entity, characters).Parse(data, True)
    return sheet
