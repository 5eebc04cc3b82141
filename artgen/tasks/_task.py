"""A task: the recipe of a run and everything else that running it takes, wherever that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from artgen.base.files import stamp_of as stamp_of
from artgen.recipe import Recipe


@dataclass(frozen=True)
class Task:
    """One run to execute; `stem` is its name, unique in its batch.

    Files of the `recipe` are looked up in the folders `search`; `plugins` are loose files. In
    `folder` the run keeps what resuming it needs (None: nothing); with `resume` it continues what
    an earlier run left there, if anything. It takes `cpus` processors and `gpus` graphics
    processors, which may be a share of one. With `return_files` the result holds the files that it
    writes, for a caller that cannot read the folder.
    """

    stem: str
    recipe: Recipe
    search: tuple[Path, ...] = (Path(),)
    plugins: tuple[Path, ...] = ()
    folder: Path | None = None
    resume: bool = False
    cpus: int = 1
    gpus: float = 0.0
    return_files: bool = False

    @property
    def place(self) -> Path:
        """The folder of a task that has one."""
        assert self.folder is not None
        return self.folder

    def search_for(self, what: str) -> Sequence[Path]:
        """The folders in which to look for its ``target``, ``mask``, ``init`` or ``picture``."""
        return self.search

    @property
    def milestone(self) -> Path | None:
        """A file that changes with every checkpoint, after all other files of that checkpoint."""
        return None

    def resume_files(self) -> Mapping[str, Path]:
        """The files that resuming needs, by their names in `folder`.

        All that are there, unless a task that needs fewer of them says which.
        """
        return {} if self.folder is None else files_below(self.folder, self.folder)

    def relocated(self, recipe: Recipe, plugins: tuple[Path, ...], folder: Path) -> Self:
        """The same task on another machine, with its files below `folder`."""
        return replace(
            self,
            recipe=recipe,
            search=(folder,),
            plugins=plugins,
            folder=None if self.folder is None else folder,
            return_files=True,
        )

    def local_path(self, name: str) -> Path | None:
        """The local path of the file `name` in the remote `folder` if the run ends early."""
        return None if self.folder is None else self.folder / name

    def keep(self, name: str, data: bytes) -> None:
        """Write that file where the run would have written it here. Raises OutputError."""
        from artgen.output import atomic_write

        path = self.local_path(name)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, data, durable=False)


def files_below(folder: Path, base: Path) -> dict[str, Path]:
    """All files below `folder` except locks, by their paths relative to `base`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(base).as_posix(): p for p in files if p.name != "lock"}
