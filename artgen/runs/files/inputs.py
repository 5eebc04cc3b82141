"""The files a recipe speaks of: found by name, checked by hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artgen.base.files import file_hash, file_in, find_file
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
        """The recipe with the bare names and the hashes of the files that were found for it.

        The film has the bare name of its file, for `with_film_file`.
        """

        def known(file: FileReference) -> FileReference:
            if (file.name, file.sha256) not in self.found:
                return file
            what, path = self.found[file.name, file.sha256]
            sha256 = file_hash(path, what)
            return FileReference(name=path.name, sha256=sha256, licence=file.licence)

        return with_film_file(recipe.with_files(known), (Path(), *self.search), bare=True)


def with_film_file(recipe: Recipe, search: Sequence[Path], *, bare: bool = False) -> Recipe:
    """The recipe with the path, or the `bare` name, of the file that its film names, if it does.

    The file is in a folder of `search`. Where there is none, the form says what is wrong with it.
    """
    form, _, file = (recipe.output.film or "").partition("=")
    path = file_in(file, search)
    if path is None:
        return recipe
    return recipe.with_output(film=f"{form}={path.name if bare else path}")
