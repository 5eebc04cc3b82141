"""What code prints, sent elsewhere from its own thread alone: other threads keep their stdout."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TextIO, TypeVar, cast

Stream = TypeVar("Stream", bound=TextIO)

_entering = threading.Lock()
_inside = 0
"""Blocks of `printed_to` that are entered, in all threads."""
_before: Any = None
"""The stdout of before the first of them."""
_own = threading.local()


class _EachThread:
    """Stands for `sys.stdout`: the stream of the thread that asks, or the stdout of before."""

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_own, "printed", None) or _before, name)


def caught() -> AbstractContextManager[io.StringIO]:
    """Yield what this thread prints in the block, to stdout."""
    return printed_to(io.StringIO())


@contextmanager
def printed_to(stream: Stream) -> Iterator[Stream]:
    """Send what this thread prints in the block, to stdout, to the `stream`, which is yielded."""
    global _before, _inside
    outer = getattr(_own, "printed", None)
    with _entering:
        if not _inside:
            _before, sys.stdout = sys.stdout, cast(Any, _EachThread())
        _inside += 1
    _own.printed = stream
    try:
        yield stream
    finally:
        _own.printed = outer
        with _entering:
            _inside -= 1
            if not _inside:
                sys.stdout = _before
