"""Values of a recipe as users type them: numbers with units, lists of seeds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress

from artgen.base.errors import UsageError
from artgen.base.options import N, number

MOST_PARTS = 10_000_000
MOST_SEEDS = 1000

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20}
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def outside(text: str, change: Callable[[str], str]) -> str:
    """The text with a change of what does not stand between double quotes."""
    pieces = re.split(r'("[^"]*")', text)
    pieces[::2] = map(change, pieces[::2])
    return "".join(pieces)


def split_outside(text: str, mark: str) -> list[str]:
    """The text cut at each `mark`, a character, that does not stand between double quotes."""
    return outside(text, lambda piece: piece.replace(mark, "\0")).split("\0")


def parse_bytes(text: str | None) -> int | None:
    """The number of bytes that ``10MB`` or ``500 kB`` stands for. Raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([KMG]?I?B)?", text.strip().upper())
    size = int(float(match[1]) * _UNITS.get(match[2] or "", 0)) if match else 0
    if size < 1:
        raise UsageError(f"{text!r} is not a file size", hint="write 10MB or 500kB")
    return size


def parse_count(text: str | None) -> int | str | None:
    """The value of `--count`: a number or ``auto``. Raises UsageError."""
    if text is None or text == "auto":
        return text
    hint = f"use 1 to {MOST_PARTS}, or auto"
    return parse_number(int, "--count", text, "parts", hint, below=MOST_PARTS + 1)


def parse_number(
    kind: type[N], flag: str, text: str, what: str, hint: str, *, below: float = math.inf
) -> N:
    """The value of a flag that counts `what`: above 0 and less than `below`. Raises UsageError."""
    spelled = (without_unit(text, what) or "").removeprefix("write ")
    for each in (text, spelled):
        with suppress(ValueError):
            if 0 < (found := number(kind, each)) < below:
                if each is text:
                    return found
                hint = f"write {each}"
    raise UsageError(f"{flag} {text!r} is not a number of {what}", hint=hint)


def without_unit(text: str, what: str) -> str | None:
    """The number in a text such as ``30fps``, ``2k`` or ``1e3``, as a hint; None where it is none.

    Minutes and hours become seconds where `what` is ``seconds``.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?(?:e\d)?) ?([a-z%]*)", text.strip().lower())
    if match is None:
        return None
    of_time = re.fullmatch(r"([smh])(ecs?|ins?|rs?|ours?|econds?|inutes?)?", match[2])
    if what.startswith("seconds"):
        factor = _SECONDS[of_time[1]] if of_time else 1 if not match[2] else 0
    else:
        factor = {"k": 1000, "m": 1_000_000}.get(match[2].removesuffix("b"), 1)
    number = f"{float(match[1]) * factor:.12g}"
    return None if "e" in number or number in ("0", text.strip()) else f"write {number}"


def parse_seeds(text: str) -> list[int]:
    """The seeds meant by `1..20` or `1,4,7`, each once. Raises UsageError."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dots, last = part.partition("..")
        try:
            low, high = number(int, first), number(int, last if dots else first)
            if not 0 <= low <= high < 2**63:
                raise ValueError
        except ValueError:
            hint = "write 1..20 or 1,4,7"
            raise UsageError(f"--seeds {text!r} is not a list of seeds", hint=hint) from None
        if len(seeds) + high - low >= MOST_SEEDS:
            raise UsageError(
                f"--seeds {text} has more than {MOST_SEEDS} seeds", hint="run fewer at once"
            )
        seeds.update(dict.fromkeys(range(low, high + 1)))
    return list(seeds)
