"""What was meant by a command line that the parser refuses: the hints of its errors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artgen.base.errors import ArtgenError
from artgen.base.files import use_of
from artgen.cli._console import load_module
from artgen.recipe.texts import without_unit
from artgen.registry import FLAGS, Registry

_FLAGS_OF_KINDS = {**FLAGS, "exporter": "-o FILE."}
_OTHER_WORDS = {
    **dict.fromkeys(("aspect", "ratio"), "--crop"),
    **dict.fromkeys(("width", "height", "resolution"), "--size"),
    **dict.fromkeys(("iterations", "iters", "epochs"), "--steps"),
    **dict.fromkeys(("parts", "shapes", "primitives"), "--count"),
    **dict.fromkeys(("colors", "colours"), "--palette"),
    **dict.fromkeys(("duration", "length"), "--video-seconds"),
}
"""Flags by the words of other programs."""


def hint_of(error: Any, arguments: Sequence[str], command: Any, word: str) -> str | None:
    """What to write in place of what typer's parser refused; None where it is not known.

    `command` is the innermost one that the arguments name, and `word` the first that names none.
    """
    if hasattr(error, "possibilities"):
        error.possibilities = None
        return _of_option(error.option_name, arguments, command)
    if hasattr(command, "commands"):
        return _of_command(word, command)
    if isinstance(error.__cause__, ValidationError):
        metavar, wrong = getattr(error.param, "metavar", None) or "", error.__cause__.errors()[0]
        if "than" not in wrong["type"]:  # one beyond the bounds was read, whatever its spelling
            return without_unit(str(wrong["input"]), metavar.lower())
    return None


def _of_option(option: str, arguments: Sequence[str], command: Any) -> str | None:
    """The hint for an option that the command lacks."""
    flags = {flag for param in command.params for flag in param.opts}
    found = [*itertools.dropwhile(lambda each: not each.startswith(option), arguments)]
    found = found or [option]  # a letter among others, as in -qx
    word, _, value = found[0].lstrip("-").partition("=")
    value = value or next((each for each in found[1:2] if not each.startswith("-")), "VALUE")
    name = word.replace("-", "_")
    if name == "scale" and command.name == "render":
        return "write --size 2x for twice the fitting size"
    if (flag := _OTHER_WORDS.get(name)) in flags:
        return f"write {flag} {value}"
    registry = Registry()
    if hint := _of_name(word, registry, flags):
        return hint
    near = get_close_matches(word, [flag.lstrip("-") for flag in flags], cutoff=0.7)
    typo = f"did you mean {' or '.join(f'--{each}' for each in near)}?" if near else None
    if "--set" not in flags:
        return typo
    from artgen.plan.early import hint_of_option
    from artgen.recipe import home_of

    pairs = itertools.pairwise(arguments)
    asked = next((each for flag, each in pairs if flag in ("-p", "--primitive")), None)
    hint = hint_of_option(name, value, registry, asked or "gaussian") or typo
    if hint is None and asked is not None:
        load_module("artgen.primitives", quiet=False)
        hint = hint_of_option(name, value, registry, asked, load=True)
    return hint or home_of(name)


def _of_command(word: str, command: Any) -> str | None:
    """The hint for a word where a command should be: one of another, a file, or a name."""
    groups = {name: getattr(each, "commands", ()) for name, each in command.commands.items()}
    inner = [f"artgen {name} {word}" for name, commands in groups.items() if word in commands]
    if inner:
        return f"did you mean {' or '.join(inner)}?"
    if os.path.exists(word) or Path(word).suffix or ":" in word:
        return use_of(word, "fit it with `artgen fit {0}`")
    hint = _of_name(word, Registry(), {"-p", "--look"})
    return hint and hint.replace("write", "write artgen fit")


def _of_name(word: str, registry: Registry, flags: set[str]) -> str | None:
    """How something that plugins offer is asked for by one of the flags."""
    with suppress(ArtgenError):
        entry = registry.find_any(word)
        flag = _FLAGS_OF_KINDS.get(entry.kind, "") if entry is not None else ""
        if flag.partition(" ")[0] in flags:
            return f"write {flag}{'' if flag.endswith('.') else ' '}{word}"
    return None
