"""The files a recipe speaks of: found by name, checked by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from artgen.errors import InputError

__all__ = ["InputFiles", "file_hash", "find_file"]


class InputFiles:
    """Finds the recipe's files in the folders `search`, and remembers what was found."""

    def __init__(self, search: Sequence[Path]) -> None:
        self.search = search
        self.found: dict[str, Path] = {}

    def find(self, what: str, name: str, sha256: str | None) -> Path:
        """The file called `name`; `what` (target, mask, init) names it in messages."""
        path = find_file(name, sha256, self.search, what)
        if path.is_file():
            self.found[what] = path
        return path

    def reference(self, what: str) -> dict[str, str]:
        """Name and hash of a file that was found, for the recipe."""
        path = self.found[what]
        return {"name": path.name, "sha256": file_hash(path, what)}


def find_file(name: str, sha256: str | None, search: Sequence[Path], what: str) -> Path:
    """The first of `search` that holds the file `name` with the hash `sha256` (None: any).

    An absolute path is used as it is. Raises InputError where there is none, or where none has the
    bytes that the recipe was made with; `what` names the file in messages.
    """
    path = Path(name)
    candidates = [path] if path.is_absolute() else [folder / path for folder in search]
    found = [candidate for candidate in candidates if candidate.exists()]
    if not found:
        places = ", ".join(dict.fromkeys(str(folder.absolute()) for folder in search))
        raise InputError(
            f"{what} {name} does not exist",
            hint="check the path" if path.is_absolute() else f"looked in {places}",
        )
    for candidate in found:
        if sha256 is None or not candidate.is_file() or file_hash(candidate, what) == sha256:
            return candidate
    raise InputError(
        f"{what} {found[0]} is not the file the recipe was made with: its SHA-256 differs",
        hint=f"give the {what} on the command line to use it anyway",
    )


def file_hash(path: Path, what: str) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal text. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {what} {path}: {error.strerror}") from None
