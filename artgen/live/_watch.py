"""Watching files: what is saved is fitted again, and what is wrong with it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from artgen.errors import ArtgenError, PluginError, line_at_fault
from artgen.live._server import Live
from artgen.runner import Control

__all__ = ["SavedFiles", "watch"]

LOOK = 0.2
"""Seconds between two looks at the files while nothing runs."""

Mark = tuple[tuple[int, int, int] | None, ...]


class SavedFiles(Control):
    """A control that also stops a run when one of the `files` was saved.

    `ended` says that the user wants no more runs at all.
    """

    saves = False

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self.ended = False
        self._mark = self._look()
        super().__init__()

    @property
    def requested(self) -> bool:
        """Whether to stop the run that goes on."""
        return self.ended or self._look() != self._mark

    @requested.setter
    def requested(self, asked: bool) -> None:
        self.ended = asked

    def begin(self) -> None:
        """Take the files for known as they are now: called before they are read."""
        self._mark = self._look()
        self.paused = False

    def wait(self) -> None:
        """Wait until a file is saved or the user has had enough."""
        while not self.requested:
            time.sleep(LOOK)

    def _look(self) -> Mark:
        """What changes when a file is saved; None for one that is not there."""
        return tuple(map(_stamp, self.files))


def watch(
    files: SavedFiles,
    live: Live,
    preview: Callable[[], object],
    report: Callable[[ArtgenError], object],
) -> None:
    """Call `preview` now and after every save, until the user ends it.

    What it raises is shown on the page and given to `report`; it ends nothing.
    """
    while not files.ended:
        files.begin()
        try:
            preview()
        except (Exception, SystemExit) as failure:
            error = _explained(failure)
            live.fail(error)
            report(error)
        files.wait()


def _explained(error: BaseException) -> ArtgenError:
    """What a plugin raised as one of our errors, with the line it came from."""
    if isinstance(error, ArtgenError):
        return error
    frame = line_at_fault(error)
    place = f" ({Path(frame.filename).name}, line {frame.lineno}: {frame.line})" if frame else ""
    text = " ".join(str(error).split())
    explained = PluginError(
        f"{type(error).__name__}: {text}{place}", hint="correct the file and save it again"
    )
    explained.__cause__ = error
    return explained


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
