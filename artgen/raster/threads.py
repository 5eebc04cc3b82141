"""One pool of threads for all kernels.

These threads sleep while they wait. Those of OpenMP, which numba would use, wait in a loop: hardly
faster on an idle machine, five times slower on one that does something else as well.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["share"]

T = TypeVar("T")
R = TypeVar("R")


def share(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[work(item) for item in items]``, shared out among as many threads as torch would use.

    Idle threads take the items in turn. `work` should release the interpreter's lock.
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


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="artgen")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)
