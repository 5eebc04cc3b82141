"""Storage of the folders of remote runs, so that another machine can resume them.

A folder is a few files by their names: the recipe, the checkpoint, the frames of the video. They
are saved as they change, the checkpoint last, so the stored files are always consistent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from artgen.errors import OutputError, UsageError, install_hint
from artgen.tasks import Task, stamp_of

PAUSE, LONGEST_PAUSE = 50, 10.0
"""After a checkpoint is sent none is for this many times as long as that took, in seconds at most.
"""

_PART = ".part"
_NOT_KEPT = ("lock", "outputs")
"""Files of a run folder that are of no use on another machine."""


class Checkpoints(Protocol):
    """Stores files by the name of their run and their own."""

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Store `files` in their order; files of the same names are replaced."""

    def load(self, run: str) -> dict[str, bytes]:
        """All stored files of a run, which may be none."""

    def drop(self, run: str) -> None:
        """Delete the files of a run."""

    def changed(self, run: str) -> float:
        """When files of a run were stored last, in seconds since 1970; 0 where nobody knows."""


def checkpoints_at(url: str) -> Checkpoints:
    """Storage in a folder or at a URL of fsspec: ``s3://bucket/folder``, ``file:///mnt/runs``.

    It must be the same place on every machine. Raises UsageError where it cannot be opened.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            "--checkpoints needs the package fsspec", hint=install_hint("ray")
        ) from None

    place = url if "://" in url else f"file://{Path(url).absolute().as_posix()}"
    try:
        fsspec.core.url_to_fs(place)
    except (ImportError, ValueError, OSError) as error:
        raise UsageError(
            f"--checkpoints {url} cannot be used: {error}",
            hint="use a folder that all machines share, or a URL that fsspec knows",
        ) from None
    return _AtUrl(place)


class _AtUrl:
    """One folder for each run, below a URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Store the files of a run. Raises OutputError."""
        system, folder = self._open(run)
        try:
            for name, data in files.items():
                file = f"{folder}/{name}"
                system.makedirs(file.rpartition("/")[0], exist_ok=True)
                # Renamed when complete: the writer may be killed at any moment.
                system.pipe_file(file + _PART, data)
                system.mv(file + _PART, file)
        except OSError as error:
            raise OutputError(
                f"cannot write the checkpoint {self.url}/{run}: {error}",
                hint="check --checkpoints",
            ) from None

    def load(self, run: str) -> dict[str, bytes]:
        """All complete files of a run."""
        system, folder = self._open(run)
        found = system.find(folder) if system.exists(folder) else []
        names = [file for file in found if not file.endswith(_PART)]
        files = {_relative(file, folder): system.cat_file(file) for file in names}
        # Others who can write there must not choose where files go.
        return {name: data for name, data in files.items() if ".." not in name.split("/")}

    def changed(self, run: str) -> float:
        """The latest time of a complete file of the run."""
        system, folder = self._open(run)
        found = system.find(folder) if system.exists(folder) else []
        with contextlib.suppress(NotImplementedError):
            times = (system.modified(file) for file in found if not file.endswith(_PART))
            return max((each.timestamp() for each in times), default=0.0)
        return 0.0

    def drop(self, run: str) -> None:
        """Delete the folder of a run."""
        system, folder = self._open(run)
        with contextlib.suppress(FileNotFoundError):
            system.rm(folder, recursive=True)

    def _open(self, run: str) -> tuple[Any, str]:
        import fsspec

        system, folder = fsspec.core.url_to_fs(f"{self.url}/{run}")
        return system, folder.rstrip("/")


def is_newer(stored: Checkpoints, task: Task) -> bool:
    """Whether what is stored of a resumed task is newer: who sent it was lost before its end."""
    here = None if task.milestone is None else stamp_of(task.milestone)
    return task.resume and stored.changed(task.stem) > (here[0] / 1e9 if here else 0.0)


class Changes:
    """The files in the folder of `task` that changed since they were last taken.

    `due` says whether its milestone has changed.
    """

    def __init__(self, task: Task) -> None:
        assert task.folder is not None
        self.task, self.folder = task, task.folder
        self.seen, self.pause_end = self._milestone(), 0.0
        self.taken = {path: stamp_of(path) for path in _files(self.folder)}

    def any(self) -> bool:
        """Whether there is anything to resume from."""
        return self._milestone() is not None

    def due(self) -> bool:
        """Whether there is a new milestone, and no pause; reads the status of one file."""
        if time.monotonic() < self.pause_end:
            return False
        found = self._milestone()
        return found is not None and found != self.seen

    def send(self, save: Callable[[Mapping[str, bytes]], None]) -> None:
        """Save what changed, and begin a pause."""
        began = time.monotonic()
        save(self.take())
        end = time.monotonic()
        self.pause_end = end + min(PAUSE * (end - began), LONGEST_PAUSE)

    def take(self) -> dict[str, bytes]:
        """The bytes of changed files by their names in the folder, the milestone last."""
        self.seen, last = self._milestone(), self.task.milestone
        changed: dict[str, bytes] = {}
        for path in sorted(_files(self.folder), key=lambda path: path == last):
            stamp = stamp_of(path)
            if stamp is None or self.taken.get(path) == stamp:
                continue
            try:
                changed[path.relative_to(self.folder).as_posix()] = path.read_bytes()
            except FileNotFoundError:
                continue
            self.taken[path] = stamp
        return changed

    def _milestone(self) -> tuple[Path, object] | None:
        path = self.task.milestone
        stamp = None if path is None else stamp_of(path)
        return None if path is None or stamp is None else (path, stamp)


def _files(folder: Path) -> list[Path]:
    """All files that a resumed run can use."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_KEPT]
        # What has a dot in front is about to be renamed.
        found += [Path(place, n) for n in names if n[0] != "." and n not in _NOT_KEPT]
    return found


def _relative(file: str, folder: str) -> str:
    # File systems differ in whether a path begins with a slash.
    return file.strip("/").removeprefix(folder.strip("/")).lstrip("/")
