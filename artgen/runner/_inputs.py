"""Find the files a recipe speaks of: by name, checked by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import InputError

__all__ = ["file_hash", "find_file"]


def find_file(name: str, sha256: str | None, search: Sequence[Path], what: str) -> Path:
    """The first of `search` that holds the file `name`; `what` names it in messages.

    A path that leads somewhere by itself is used as it is. Raises InputError where there is none,
    or where its bytes are not those the recipe was made with.
    """
    path = Path(name)
    candidates = [path] if path.is_absolute() else [folder / path for folder in search]
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if found is None:
        places = ", ".join(dict.fromkeys(str(folder) for folder in search))
        raise InputError(
            f"{what} {name} does not exist",
            hint=f"looked in {places}" if not path.is_absolute() else None,
        )
    if sha256 is not None and found.is_file() and file_hash(found, what) != sha256:
        raise InputError(
            f"{what} {found} is not the file the recipe was made with: its SHA-256 differs",
            hint="give the target on the command line to use it anyway",
        )
    return found


def file_hash(path: Path, what: str) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal text."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {what} {path}: {error.strerror}") from None
