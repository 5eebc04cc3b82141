"""Reports of what takes time, from where the work is done to the commands that show progress.

An encoder or a compiler knows neither runs nor terminals: it calls `report`. The runner makes
events of the reports, and commands without a run show them directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Activity:
    """Work that begins or advances: `done` counts frames or parts; 0 where nothing is counted.

    `compiling` is work that is done once on a machine; a `result` says how work was done.
    """

    what: str
    done: int = 0
    kind: Literal["doing", "compiling", "result"] = "doing"


_listener: ContextVar[Callable[[Activity], object]] = ContextVar("listener", default=lambda _: None)


@contextmanager
def listening(listener: Callable[[Activity], object]) -> Iterator[None]:
    """Pass the reports of this thread to `listener` within the block."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(
    what: str, *, done: int = 0, kind: Literal["doing", "compiling", "result"] = "doing"
) -> None:
    """Pass an `Activity` to the listener of this thread, if there is one."""
    _listener.get()(Activity(what, done, kind))
