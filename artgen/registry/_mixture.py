"""Mixtures: `triangle*3+ellipse` is one primitive made of several kinds of shapes.

The number is how often a kind is tried, 1 where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artgen.errors import PluginError, UsageError
from artgen.hookspecs import Spec
from artgen.registry._plugin import Entry

__all__ = ["MixtureEntry", "bare_name", "find_mixture", "is_mixture", "kind_names"]

_MEMBER = re.compile(r"([^*+\s]+?)(?:\*(\d*\.?\d+))?")


@dataclass(frozen=True)
class MixtureEntry(Entry):
    """What a mixture's name means: one entry for each kind, and how often it is tried."""

    members: tuple[Entry, ...] = ()
    weights: tuple[float, ...] = ()

    def load(self) -> Any:
        """The shape that is any of them. Raises PluginError where one is no shape."""
        from artgen.primitives import Shape, mixture

        classes = tuple(member.load() for member in self.members)
        for member, cls in zip(self.members, classes, strict=True):
            if not issubclass(cls, Shape):
                raise PluginError(
                    f"{member.name} is a {cls.family} and cannot be mixed: mixtures are of shapes",
                    hint=f"use -p {member.name}",
                )
        return mixture(classes, self.weights)


def is_mixture(name: str) -> bool:
    """Whether `name` is written as a mixture."""
    return "+" in name or "*" in name


def bare_name(name: str) -> str:
    """A primitive's name, or each of a mixture's, without the distribution in front of it."""
    return re.sub(r"[^+*]*/", "", name)


def kind_names(name: str) -> tuple[str, ...]:
    """The names of a mixture's members in order; of any other primitive its own alone."""
    return tuple(part.partition("*")[0].strip() for part in name.split("+"))


def find_mixture(
    text: str,
    find: Callable[[str], Entry],
    spelling: Callable[[Entry], str],
) -> MixtureEntry:
    """The entry of a mixture, whose members are looked up by `find`.

    Raises UsageError for what is not written as one, PluginError as `find` does and where its
    members come from several plugins beside artgen's own, as drawings record one.
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
    """The member whose plugin drawings record: artgen's own only where there is no other."""
    others = [entry for entry in members if not _is_ours(entry.identity)]
    if len({tuple(sorted(entry.identity.items())) for entry in others}) > 1:
        raise PluginError(
            f"{text} takes shapes from {' and '.join(entry.distribution for entry in others)}",
            hint="a mixture may have those of one plugin beside artgen's own",
        )
    return (others or members)[0]


def _is_ours(identity: Mapping[str, str]) -> bool:
    return identity.get("name") == "artgen"
