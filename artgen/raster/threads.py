"""Sharing out work on a CPU: items that idle threads take in turn.

These threads sleep while they wait. Those of OpenMP, which numba and torch would use, wait in a
loop: hardly faster on an idle machine, five times slower on one that does something else as well.
And they split every operation, which does not pay for those of a small network.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["share", "share_torch"]

T = TypeVar("T")
R = TypeVar("R")


def share(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[work(item) for item in items]``, shared out among as many threads as torch would use.

    `work` should release the interpreter's lock most of the time. Raises what an item raised.
    """
    threads = min(torch.get_num_threads(), len(items))
    if threads < 2:
        return [work(item) for item in items]
    results: dict[int, R] = {}
    waiting = iter(list(enumerate(items)))

    def take() -> None:
        for index, item in waiting:
            results[index] = work(item)

    pool = _pool(torch.get_num_threads() - 1)
    others = [pool.submit(take) for _ in range(threads - 1)]
    take()
    for other in others:
        other.result()
    return [results[index] for index in range(len(items))]


def share_torch(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """The same for work that calls torch, whose operations stay on the thread that calls them.

    So the bits are the same for any number of threads.
    """
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()

    def alone(item: T) -> R:
        # Both settings belong to a thread.
        torch.set_num_threads(1)
        with torch.set_grad_enabled(gradients):
            return work(item)

    try:
        return share(alone, items)
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="artgen")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)
