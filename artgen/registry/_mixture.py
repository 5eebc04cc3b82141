"""Mixtures: a primitive made of several kinds of shapes, such as `triangle*3+ellipse`.

The number is the relative frequency with which a kind is tried, by default 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from artgen.base.errors import PluginError, UsageError
from artgen.hookspecs import Spec
from artgen.registry._plugin import Entry

_MEMBER = re.compile(r"([^*+\s]+?)(?:\*(\d{0,15}\.?\d{1,20}))?")


@dataclass(frozen=True)
class MixtureEntry(Entry):
    """The entry of a mixture: one entry for each kind, and their relative frequencies."""

    members: tuple[Entry, ...] = ()
    weights: tuple[float, ...] = ()

    def load(self) -> Any:
        """Make the class of the mixture. Raises PluginError if a member is not a shape."""
        classes = tuple(member.load() for member in self.members)
        for member, cls in zip(self.members, classes, strict=True):
            if not cls.can_mix:
                raise PluginError(
                    f"{member.name} is {'an' if cls.family[0] in 'aeiou' else 'a'} {cls.family}, "
                    "only shapes can be mixed",
                    hint=f"use -p {member.name}",
                )
        return classes[0].mixture(classes, self.weights)


def is_mixture(name: str) -> bool:
    """Return whether `name` has the form of a mixture."""
    return "+" in name or "*" in name


def bare_name(name: str) -> str:
    """Remove the distributions from the name of a primitive or mixture."""
    return re.sub(r"(?<![^+*])[^+*]*/", "", name)


def kind_names(name: str) -> tuple[str, ...]:
    """Return the names of a mixture's members in order, or the name of any other primitive."""
    return tuple(part.partition("*")[0].strip() for part in name.split("+"))


def find_mixture(
    text: str,
    find: Callable[[str], Entry],
    spelling: Callable[[Entry], str],
) -> MixtureEntry:
    """Make the entry of a mixture, whose members are looked up by `find`.

    Raises UsageError if `text` does not have the form of a mixture, and PluginError as `find` does
    or if members come from several plugins beside artgen's own, since drawings record only one.
    """
    members: list[Entry] = []
    names, weights = [], []
    for part in text.split("+"):
        match = _MEMBER.fullmatch(part.strip())
        if match is None or float(match[2] or 1) <= 0:
            raise UsageError(
                f"{text!r} is not a mixture of shapes: {part.strip()!r} is not NAME or NAME*NUMBER",
                hint="write it as triangle*3+ellipse",
            )
        entry = find(match[1])
        if entry in members:
            raise UsageError(f"{text!r} names {entry.name} twice", hint="give it one weight")
        members.append(entry)
        names.append(spelling(entry) + (f"*{match[2]}" if match[2] else ""))
        weights.append(float(match[2] or 1))
    owner = _owner(text, members)
    spec = Spec("+".join(names), " or ".join(entry.name for entry in members), "artgen:Shape")
    return MixtureEntry(
        "primitive", spec, owner.plugin, owner.identity, tuple(members), tuple(weights)
    )


def _owner(text: str, members: Sequence[Entry]) -> Entry:
    """Return the member whose plugin drawings record: artgen's own only if there is no other."""
    others = [entry for entry in members if entry.identity.get("name") != "artgen"]
    if len({tuple(sorted(entry.identity.items())) for entry in others}) > 1:
        raise PluginError(
            f"{text} mixes shapes of {' and '.join(entry.distribution for entry in others)}",
            hint="a mixture can combine shapes of one plugin with those of artgen",
        )
    return (others or members)[0]
