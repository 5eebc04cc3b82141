"""Watch files: fit again after every save, and report what is wrong with the plugin."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from artgen.base.errors import ArtgenError, PluginError
from artgen.base.faults import line_at_fault, one_line, quoted
from artgen.base.files import Stamp, stamp_of
from artgen.live._server import Live
from artgen.tasks import RunControl

POLL_SECONDS = 0.2
"""Seconds between two checks of the files while nothing runs."""

Mark = tuple[Stamp | None, ...]


class SavedFiles(RunControl):
    """A control that also stops a run when one of the `files` is saved.

    `ended` means that the user has ended watching altogether, `restarted` that the page asked for
    another preview.
    """

    saves = False

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self.ended = self.restarted = False
        self._mark = self._stamps()
        super().__init__()

    @property
    def stop_requested(self) -> bool:
        """Whether to stop the current run."""
        return self.ended or self.restarted or self._stamps() != self._mark

    def request_stop(self) -> None:
        """End watching."""
        self.ended = True

    def begin(self) -> None:
        """Remember the current state of the files; call it before they are read."""
        self._mark = self._stamps()
        self.paused = self.restarted = False

    def wait(self) -> None:
        """Wait until a file is saved or the user ends watching."""
        while not self.stop_requested:
            time.sleep(POLL_SECONDS)

    def _stamps(self) -> Mark:
        """Return what changes when a file is saved; None for a file that does not exist."""
        return tuple(map(stamp_of, self.files))


def watch(
    files: SavedFiles,
    live: Live,
    preview: Callable[[], object],
    report: Callable[[ArtgenError], object],
) -> None:
    """Call `preview` now and after every save, until the user ends watching.

    An error that it raises is shown on the page and passed to `report`; watching continues.
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
    """Turn any exception into an ArtgenError that names the line at fault."""
    if isinstance(error, ArtgenError):
        return error
    line = line_at_fault(error)
    place = quoted(line) if line else ""
    explained = PluginError(f"{one_line(error)}{place}", hint="correct the file and save it again")
    explained.__cause__ = error
    return explained
