"""The files a recipe speaks of: found by name, checked by hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen.base.files import find_file
from artgen.recipe import FileReference


class InputFiles:
    """Finds the recipe's files in the folders `search`, and remembers what was found."""

    def __init__(self, search: Sequence[Path]) -> None:
        self.search = search
        self.found: dict[str, Path] = {}

    def find(self, what: str, name: str, sha256: str | None, key: str | None = None) -> Path:
        """The file called `name`; `what` (target, mask, init, picture) names it in messages.

        It is remembered by `key`, or else by `what`.
        """
        path = find_file(name, sha256, self.search, what)
        if path.is_file():
            self.found[key or what] = path
        return path

    def reference(self, key: str) -> FileReference:
        """Name and hash of a file that was found, for the recipe."""
        return FileReference.of(self.found[key], key)
