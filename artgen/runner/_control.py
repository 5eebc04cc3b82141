"""What may be asked of a run while it goes on: to stop, to pause, to show what it has so far.

The runner knows nothing of who asks: a signal handler, a button on a page, a file that was saved.
Nothing asked here changes what a run computes, only when it does so and where it ends.
"""

from __future__ import annotations

import time
from collections import deque

from artgen.runner._signals import Interruption

__all__ = ["Control"]

LOOK = 0.05
"""A run that pauses looks so often, in seconds, whether it shall go on."""
SHARE = 0.01
"""The part of all CPU seconds that drawing may take, where nobody asked for a rate."""
SECOND = 1.0
"""After so many of them there is a second picture, whatever the first one took."""


class Control(Interruption):
    """An interruption that can also pause a run, and have it drawn for those who watch.

    `paused`, `watched` and `rate` may be set from any thread: whether to wait after the current
    chunk, whether anybody looks, and how many pictures they want per second (None: as many as cost
    next to nothing). A run that writes nothing says so by `saves`.
    """

    saves = True

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self.watched = False
        self.rate: float | None = None
        self._took: deque[float] = deque(maxlen=2)
        self._due_cpu = self._due = 0.0

    def hold(self) -> None:
        """Wait while the run is paused and shall not stop."""
        # A lock could be held when a signal comes; looking now and then cannot hang.
        while self.paused and not self.requested:
            time.sleep(LOOK)

    def wants_picture(self) -> bool:
        """Whether somebody watches, and the last picture is old enough."""
        if self.rate is None:
            return self.watched and time.process_time() >= self._due_cpu
        return self.watched and time.perf_counter() >= self._due

    def showed(self, seconds: float) -> None:
        """Be told that the drawing was shown, and how many CPU seconds drawing it took."""
        # What the first one takes is mostly spent on getting ready for all; any may be held up.
        wait = min(seconds, *self._took) / SHARE if self._took else SECOND
        self._took.append(seconds)
        self._due_cpu = time.process_time() + wait
        self._due = time.perf_counter() + 1 / (self.rate or 1)
