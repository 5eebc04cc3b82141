"""How much of some work is outside of parallel parts, and what more threads would make of it.

Everything that artgen divides among threads goes through `threads.share`. `rehearse` does such work
on one thread, an item at a time, cut as for as many threads as asked, and notes the CPU time of
each item. So the machine needs no more cores than one, and may be busy.
"""

from __future__ import annotations

import heapq
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from artgen.compiler import threads

__all__ = ["Rehearsal", "rehearse"]


class Rehearsal(NamedTuple):
    """CPU seconds of some work: in all, outside of parallel parts, and on so many threads."""

    whole: float
    serial: float
    parallel: float

    @property
    def speed_up(self) -> float:
        """How many times as fast it is on these threads, if memory is fast enough."""
        return self.whole / (self.serial + self.parallel)


def rehearse(work: Callable[[], Any], number: int, rounds: int = 1) -> Rehearsal:
    """Do the work as if `number` threads shared it; the median of some rounds, by the whole.

    Idle threads take items in turn.
    """
    found = []
    for _ in range(rounds):
        with _recorded(number) as calls:
            whole = _clocked(work)
        inside = sum(map(sum, calls))
        parallel = sum(_makespan(items, number) for items in calls)
        found.append(Rehearsal(whole, whole - inside, parallel))
    return sorted(found)[rounds // 2]


def _clocked(work: Callable[[], Any]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _makespan(items: Sequence[float], number: int) -> float:
    """When the last of `number` threads is done that take items in turn."""
    busy = [0.0] * number
    for item in items:
        heapq.heappush(busy, heapq.heappop(busy) + item)
    return max(busy)


@contextmanager
def _recorded(number: int) -> Iterator[list[list[float]]]:
    """The seconds of the items of each call of `share` in the block."""
    calls: list[list[float]] = []
    shared = threads.share

    def share(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        results: list[Any] = []
        calls.append([_clocked(lambda: results.append(work(item))) for item in items])  # noqa: B023
        return results

    replaced = [m for m in list(sys.modules.values()) if getattr(m, "share", None) is shared]
    token = threads._shared.set(number)
    try:
        for module in replaced:
            module.share = share  # type: ignore[attr-defined]
        yield calls
    finally:
        for module in replaced:
            module.share = shared  # type: ignore[attr-defined]
        threads._shared.reset(token)
