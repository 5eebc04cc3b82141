"""The first SIGINT or SIGTERM asks the run to stop and save; the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from artgen.runner._fit import Interruption

__all__ = ["graceful_signals"]


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
