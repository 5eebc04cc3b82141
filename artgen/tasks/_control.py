"""The control of a run: stop it, pause it, ask for a preview.

The runner does not know who asks: a signal handler, a button on a page, a file that was saved.
Nothing asked here changes what a run computes, only when it computes and where it ends.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from artgen.base.process import answered

LOOK = 0.05
"""Seconds between two looks of a paused run at whether to resume."""
SHARE = 0.01
"""The share of all CPU seconds that previews may take, where no rate was asked for."""
SECOND = 1.0
"""Seconds after which a second preview is drawn, however long the first one took."""


class RunControl:
    """Requests to a run, checked after every chunk of steps; safe to set from any thread.

    `request_stop` ends the run after the current chunk. `paused` makes it wait. While `watched`,
    previews are drawn, `rate` of them per second (None: as many as cost next to nothing). A run
    that writes nothing has `saves` False.
    """

    saves = True

    def __init__(self) -> None:
        self._stopped = False
        self._end = math.inf
        self.paused = False
        self.watched = False
        self.rate: float | None = None
        self._took: deque[float] = deque(maxlen=2)
        self._due_cpu = self._due = 0.0

    @property
    def stop_requested(self) -> bool:
        """Whether to stop now."""
        return self._stopped or time.monotonic() >= self._end

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Request a stop of what runs in the block after these `seconds`; None: never."""
        self._end = math.inf if seconds is None else time.monotonic() + seconds
        try:
            yield
        finally:
            self._end = math.inf

    def request_stop(self) -> None:
        """End the run after the current chunk, with its best drawing saved."""
        self._stopped = True

    def wait_if_paused(self) -> None:
        """Wait while the run is paused and no stop is requested."""
        # A lock could be held when a signal comes; looking now and then cannot hang.
        while self.paused and not self.stop_requested:
            time.sleep(LOOK)

    def wants_preview(self) -> bool:
        """Whether somebody watches, and the last preview is old enough."""
        if self.rate is None:
            return self.watched and time.process_time() >= self._due_cpu
        return self.watched and time.perf_counter() >= self._due

    def preview_drawn(self, seconds: float) -> None:
        """Note that a preview was drawn, which took `seconds` of CPU time."""
        # What the first one takes is mostly spent on getting ready for all; any may be held up.
        wait = min(seconds, *self._took) / SHARE if self._took else SECOND
        self._took.append(seconds)
        self._due_cpu = time.process_time() + wait
        self._due = time.perf_counter() + 1 / (self.rate or 1)


@contextmanager
def graceful_signals(control: RunControl, *, answer: str = "") -> Iterator[None]:
    """Let the first SIGINT or SIGTERM request a stop; the second ends the process at once.

    `answer` is written to the standard error at once, as the stop takes effect later.

    SIGHUP, of a terminal that was closed, requests a stop as often as it comes, unless it is
    ignored as under nohup. Handlers are restored after the block. Outside the main thread this does
    nothing.
    """

    def stop(number: int, frame: object) -> None:
        if answer and not control.stop_requested:
            with suppress(OSError):
                # A stream could be in the middle of a write.
                os.write(2, f"\n{answer}\n".encode())
        control.request_stop()
        # A shell and the system may both report that a terminal was closed.
        if number in (signal.SIGINT, signal.SIGTERM):
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, before[each])

    with answered(_requests(), stop) as before:
        yield


def _requests() -> list[signal.Signals]:
    """The signals that request a stop; Windows has no SIGHUP."""
    requests = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        requests.append(signal.SIGHUP)
    return requests
