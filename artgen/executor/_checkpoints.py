"""Where the folders of runs are kept while these go on elsewhere, so that another can take over.

A folder is a few files by their names: the recipe, the checkpoint, the frames of the video. They
are saved as they change, the checkpoint last, so what is there always fits together.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from artgen.errors import OutputError, UsageError
from artgen.runner import Task

__all__ = ["Changes", "Checkpoints", "checkpoints_at"]

_PART = ".part"
_NOT_KEPT = ("lock", "outputs")
"""What of a run's folder nobody could use elsewhere."""


class Checkpoints(Protocol):
    """Keeps files of runs by the names of both."""

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Keep these too, in their order; files of the same names are replaced."""
        ...

    def load(self, run: str) -> dict[str, bytes]:
        """All that is kept of a run, which may be nothing."""
        ...

    def drop(self, run: str) -> None:
        """Keep nothing of it any longer."""
        ...


def checkpoints_at(url: str) -> Checkpoints:
    """In a folder, or wherever a URL of fsspec leads: ``s3://bucket/folder``, ``file:///mnt/runs``.

    Every machine must come to the same place by it. Raises UsageError where nobody can.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            "--checkpoints needs the package fsspec", hint="pip install 'artgen[ray]'"
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
    """One folder for each run; it travels as its URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def save(self, run: str, files: Mapping[str, bytes]) -> None:
        """Raises OutputError."""
        system, folder = self._open(run)
        try:
            for name, data in files.items():
                file = f"{folder}/{name}"
                system.makedirs(file.rpartition("/")[0], exist_ok=True)
                # Renamed when complete: whoever writes may be killed at any moment.
                system.pipe_file(file + _PART, data)
                system.mv(file + _PART, file)
        except OSError as error:
            raise OutputError(
                f"cannot write the checkpoint {self.url}/{run}: {error}",
                hint="check --checkpoints",
            ) from None

    def load(self, run: str) -> dict[str, bytes]:
        """Files that were not written to their end are left out."""
        system, folder = self._open(run)
        found = system.find(folder) if system.exists(folder) else []
        names = [file for file in found if not file.endswith(_PART)]
        files = {_relative(file, folder): system.cat_file(file) for file in names}
        # Whoever else writes there shall not choose where files go.
        return {name: data for name, data in files.items() if ".." not in name.split("/")}

    def drop(self, run: str) -> None:
        """Remove its folder."""
        system, folder = self._open(run)
        with contextlib.suppress(FileNotFoundError):
            system.rm(folder, recursive=True)

    def _open(self, run: str) -> tuple[Any, str]:
        import fsspec

        system, folder = fsspec.core.url_to_fs(f"{self.url}/{run}")
        return system, folder.rstrip("/")


class Changes:
    """The files in the folder of `task`, as far as they changed since they were last taken.

    `due` says whether its milestone is another one than then.
    """

    def __init__(self, task: Task) -> None:
        assert task.folder is not None
        self.task, self.folder = task, task.folder
        self.seen = self._milestone()
        self.taken: dict[Path, tuple[int, int]] = {
            path: stamp for path in _files(self.folder) if (stamp := _stamp(path))
        }

    def any(self) -> bool:
        """Whether there is anything to go on from."""
        return self._milestone() is not None

    def due(self) -> bool:
        """Costs a look or two at the disk."""
        found = self._milestone()
        return found is not None and found != self.seen

    def take(self) -> dict[str, bytes]:
        """Their bytes by their names in the folder, the milestone last."""
        self.seen, last = self._milestone(), self.task.milestone
        changed: dict[str, bytes] = {}
        for path in sorted(_files(self.folder), key=lambda path: path == last):
            stamp = _stamp(path)
            if stamp is None or self.taken.get(path) == stamp:
                continue
            try:
                changed[path.relative_to(self.folder).as_posix()] = path.read_bytes()
            except FileNotFoundError:
                continue
            self.taken[path] = stamp
        return changed

    def _milestone(self) -> tuple[Path, tuple[int, int]] | None:
        path = self.task.milestone
        stamp = None if path is None else _stamp(path)
        return None if path is None or stamp is None else (path, stamp)


def _files(folder: Path) -> list[Path]:
    """All files that somebody could go on from."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_KEPT]
        # What has a dot in front is about to be renamed.
        found += [Path(place, n) for n in names if n[0] != "." and n not in _NOT_KEPT]
    return found


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _relative(file: str, folder: str) -> str:
    # File systems differ in whether a path begins with a slash.
    return file.strip("/").removeprefix(folder.strip("/")).lstrip("/")
