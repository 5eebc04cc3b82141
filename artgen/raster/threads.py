"""Sharing out work on a CPU: a list of pieces that idle threads take in turn.

These threads sleep while they wait. Those of OpenMP, which numba and torch would use, wait in a
loop: hardly faster on an idle machine, five times slower on one that does something else as well.
And they split every operation, which does not pay for those of a small network.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

__all__ = ["share_out", "share_out_torch"]

Piece = TypeVar("Piece")


def share_out(work: Callable[[Piece], None], pieces: Iterable[Piece]) -> None:
    """Do `work` for every piece, on as many threads as torch is set to use.

    It pays where `work` does not hold Python's global lock most of the time. Raises what a piece
    raised.
    """
    listed = list(pieces)
    waiting, threads = iter(listed), torch.get_num_threads()

    def take() -> None:
        for piece in waiting:
            work(piece)

    helpers = min(threads, len(listed)) - 1
    others = [_pool(threads - 1).submit(take) for _ in range(helpers)]
    take()
    for other in others:
        other.result()


def share_out_torch(work: Callable[[Piece], None], pieces: Iterable[Piece]) -> None:
    """The same for work that calls torch, whose operations stay on the thread that calls them.

    So the bits are the same for any number of threads.
    """
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()

    def alone(piece: Piece) -> None:
        # Both settings belong to a thread.
        torch.set_num_threads(1)
        with torch.set_grad_enabled(gradients):
            work(piece)

    try:
        share_out(alone, pieces)
    finally:
        torch.set_num_threads(threads)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="artgen")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=_pool.cache_clear)
