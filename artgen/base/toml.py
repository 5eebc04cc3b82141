"""Read TOML that anyone may have written: in time and memory proportional to its length."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from artgen.base.errors import InputError
from artgen.base.files import read_regular

DEEPEST = 20
"""Tables and lists inside one another, at most."""

_LITERALS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
"""Strings and comments; what has no end is matched too, so that no text is scanned twice."""

_DEEP_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEEPEST}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML document. Raises ValueError.

    `tomllib` stores every prefix of a dotted key, so a key of 60 kB would take gigabytes.
    """
    import tomllib

    if _DEEP_KEY.search(_LITERALS.sub("_", text)):
        raise ValueError(f"a key has more than {DEEPEST} parts")
    try:
        # Editors of Windows put a mark at the beginning.
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError(f"lists or tables are nested more than {DEEPEST} deep") from None


def read_toml(
    path: Path, where: str, largest: int, wrong: str, hint: str | None = None, empty: bool = True
) -> dict[str, Any]:
    """Read a TOML file, which may be `empty`, with the limits of `read_regular`.

    Raises InputError: where it cannot be read naming `where`, else saying that it is `wrong`.
    """
    try:
        return parse_toml(read_regular(path, where, largest, empty=empty).decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{wrong}: {error}", hint=hint) from None
