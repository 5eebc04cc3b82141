"""The first SIGINT or SIGTERM asks the run to stop and save; the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Interruption", "graceful_signals"]


class Interruption:
    """A request to stop after the current chunk, from a signal handler or another thread.

    Whoever wants more than that overrides the rest, see `Control`.
    """

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask."""
        self.requested = True

    def hold(self) -> None:
        """Called after every chunk; a run that is paused waits here."""

    def wants_picture(self) -> bool:
        """Whether the drawing shall be shown now, though no frame of the video is due."""
        return False

    def showed(self, seconds: float) -> None:
        """Be told that the drawing was shown, and how many CPU seconds drawing it took."""


@contextmanager
def graceful_signals(interruption: Interruption) -> Iterator[None]:
    """Turn signals into `interruption` while the block runs; handlers are restored after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        interruption.request()
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, ask)
    try:
        yield
    finally:
        restore()
