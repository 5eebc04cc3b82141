"""The files a recipe speaks of: found by name, checked by hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen.base.files import file_hash, find_file
from artgen.recipe import FileReference, Recipe


class InputFiles:
    """Finds the recipe's files in the folders `search`, and remembers what was found."""

    def __init__(self, search: Sequence[Path]) -> None:
        self.search = search
        self.found: dict[tuple[str, str | None], tuple[str, Path]] = {}

    def find(self, what: str, name: str, sha256: str | None) -> Path:
        """The file called `name`; `what` (target, mask, init, picture) names it in messages."""
        path = find_file(name, sha256, self.search, what)
        if path.is_file():
            self.found[name, sha256] = what, path
        return path

    def named_in(self, recipe: Recipe) -> Recipe:
        """The recipe with the bare names and the hashes of the files that were found for it."""

        def known(file: FileReference) -> FileReference:
            if (file.name, file.sha256) not in self.found:
                return file
            what, path = self.found[file.name, file.sha256]
            sha256 = file_hash(path, what)
            return FileReference(name=path.name, sha256=sha256, licence=file.licence)

        return recipe.with_files(known)
