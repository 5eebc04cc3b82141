"""What is to be done, wherever that is: the data of a recipe and all that its work needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from artgen.runner._folder import RunFolder

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """A run to be carried out; `stem` is its name, alone in its batch.

    `recipe` is the data of a recipe whose files are looked up in the folders `search`; `plugins`
    are loose files. In `folder` it keeps what it needs to go on after a kill (None: nothing); with
    `resume` it goes on from what an earlier run left there, if anything. While it runs it takes
    `cpus` processors and `gpus` graphics processors, which may be a share of one.
    """

    stem: str
    recipe: dict[str, Any]
    search: tuple[Path, ...] = (Path(),)
    plugins: tuple[Path, ...] = ()
    folder: Path | None = None
    resume: bool = False
    cpus: int = 1
    gpus: float = 0.0

    def folders(self, what: str) -> Sequence[Path]:
        """Where to look for its ``target``, its ``mask`` or its ``init``."""
        return self.search

    @property
    def milestone(self) -> Path | None:
        """What changes whenever there is more to go on from; it fits what was written before it."""
        if self.folder is None:
            return None
        return RunFolder(self.folder / f"{self.stem}.run").milestone

    def left(self) -> Mapping[str, Path]:
        """Files that it goes on from, by their names in `folder`; none where it begins anew."""
        return {}

    def below(self, folder: Path) -> dict[str, Path]:
        """All files below a folder in its own, but for locks, by their names in its own."""
        assert self.folder is not None
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {p.relative_to(self.folder).as_posix(): p for p in files if p.name != "lock"}

    def moved(self, recipe: dict[str, Any], plugins: tuple[Path, ...], folder: Path) -> Task:
        """The same task on another machine, where these are the places of its files.

        What it would leave in places of its own comes back with its result.
        """
        own = None if self.folder is None else folder
        return replace(self, recipe=recipe, search=(folder,), plugins=plugins, folder=own)

    def home(self, name: str) -> Path | None:
        """Where a file of that name in `folder` belongs, should the run end before its time."""
        return None if self.folder is None else self.folder / name
