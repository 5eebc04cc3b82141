"""Style sheets of an SVG file: rules for names of elements, classes and identifiers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from artgen.base.xml import stream

_SELECTOR = re.compile(r"(\w*|\*)((?:[.#][\w-]+)*)")

COST = 10
"""How many comparisons of two numbers a look at a rule takes."""

_Weight = tuple[int, int, bool, int]
"""Of two declarations, the larger counts: identifiers, classes, a name, how late it stands."""


@dataclass
class StyleSheet:
    """The rules of a file for some properties, the `known` ones.

    A selector names an element, classes and an identifier, such as ``path.leaf#first``. `unread`
    counts rules with other selectors, and at-rules such as ``@media``.
    """

    known: Collection[str]
    unread: int = 0
    _read: int = 0
    # By the element, and by that of the classes and identifiers which has the fewest rules.
    _rules: defaultdict[tuple[str, str], dict[frozenset[str], dict[str, tuple[_Weight, str]]]] = (
        field(default_factory=lambda: defaultdict(dict))
    )

    def add(self, text: str) -> None:
        """Read the rules of a ``<style>`` element."""
        first, *others = text.split("/*")
        text = first + "".join(each.partition("*/")[2] for each in others)
        for selectors, declarations in self._blocks(text):
            own = declared(declarations)
            properties = {key: value for key, value in own.items() if key in self.known}
            for selector in selectors.split(","):
                match = _SELECTOR.fullmatch(selector.strip())
                if match is None or not match[0]:
                    self.unread += 1
                    continue
                names = re.findall(r"[.#][\w-]+", match[2])
                identifiers = sum(name[0] == "#" for name in names)
                element = match[1].replace("*", "")
                weight = identifiers, len(names) - identifiers, element != "", self._read
                self._read += 1
                key = min((len(self._rules[element, name]), name) for name in names or [""])[1]
                rule = self._rules[element, key].setdefault(frozenset(names), {})
                # Equal selectors are one rule: the later of two values counts.
                rule.update({name: (weight, value) for name, value in properties.items()})

    def _blocks(self, text: str) -> Iterator[tuple[str, str]]:
        """What stands before and between the braces of each rule."""
        depth, before, within = 0, "", ""
        for piece in re.split(r"([{}])", text):
            if piece == "{":
                depth += 1
            elif piece == "}":
                if depth == 1 and before.startswith("@"):
                    self.unread += 1
                elif depth == 1:
                    yield before, within
                depth, within = max(depth - 1, 0), within if depth > 1 else ""
            elif depth == 0:
                *statements, before = (each.strip() for each in piece.split(";"))
                self.unread += sum(each.startswith("@") for each in statements)
            else:
                within += piece if depth == 1 else ""

    def properties(
        self, tag: str, attributes: Mapping[str, str], compare: Callable[[int], object]
    ) -> dict[str, str]:
        """Return what the rules say about an element; of two, the more specific one counts.

        `compare` is told how many comparisons that takes, and may raise.
        """
        names = {f".{each}" for each in attributes.get("class", "").split()}
        names |= {f"#{attributes['id']}"} if "id" in attributes else set()
        found: dict[str, tuple[_Weight, str]] = {}
        for key in ((element, name) for element in ("", tag) for name in ("", *names)):
            rules = self._rules.get(key, {})
            compare(COST * len(rules))
            for needed, rule in rules.items():
                if needed <= names:
                    later = {k: v for k, v in rule.items() if k not in found or v > found[k]}
                    found.update(later)
        return {name: value for name, (_, value) in found.items()}


def declared(text: str) -> dict[str, str]:
    """Return the properties in declarations such as ``fill: red; opacity: 50%``."""
    pairs = (declaration.partition(":") for declaration in text.split(";"))
    return {key.strip(): value.replace("!important", "") for key, _, value in pairs if key.strip()}


def read_styles(sheet: StyleSheet, data: bytes, refuse_entity: Callable[..., None]) -> None:
    """Add the style sheets of a file; `refuse_entity` is called where it declares an entity.

    Raises ExpatError where the file is no XML.
    """
    pieces, depth = list[str](), 0

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
