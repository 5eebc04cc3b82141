"""A thread pool on a CPU: idle threads take items in turn.

These threads sleep while they wait. The threads of OpenMP, which numba and torch would use, wait in
a loop: that is hardly faster on an idle machine, and five times slower on a busy one. They also
split every operation, which is too costly for those of a small network.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, ContextVar
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


_shared: ContextVar[int | None] = ContextVar("shared", default=None)


def thread_count() -> int:
    """The number of threads that `share` uses: that of torch, also inside `torch_alone`."""
    return _shared.get() or torch.get_num_threads()


@contextmanager
def torch_alone() -> Iterator[None]:
    """Run each operation of torch on the calling thread inside the block.

    For steps whose own operations are small: otherwise OpenMP wakes its threads for each of them,
    and they then wait in a loop, unless the environment says otherwise, while ours compute.
    """
    threads = torch.get_num_threads()
    token = _shared.set(thread_count())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _shared.reset(token)


def share(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return ``[work(item) for item in items]``, computed by `thread_count` threads.

    `work` should release the interpreter's lock most of the time; numbers below 1e-38 are 0 in it.
    Raises the error of an item once no thread is at work any more.
    """
    results: dict[int, R] = {}
    waiting = iter(list(enumerate(items)))
    begun: list[None] = []
    ended: list[None] = []
    errors: list[BaseException] = []
    bell: SimpleQueue[None] = SimpleQueue()

    def take() -> None:
        # Of numbers below 1e-38 nothing can be seen, but many processors take 150 cycles for each.
        flushed = sys.float_info.min / 2 == 0
        torch.set_flush_denormal(True)
        try:
            for index, item in waiting:
                results[index] = work(item)
        except BaseException as error:
            errors.append(error)
            # Nobody begins another item.
            list(waiting)
        finally:
            torch.set_flush_denormal(flushed)

    def help_out() -> None:
        begun.append(None)
        take()
        ended.append(None)
        bell.put(None)

    try:
        _crew().call(help_out, min(thread_count(), len(items)) - 1)
        take()
    except BaseException as error:
        errors.append(error)
        list(waiting)
    # One that did not begin has nothing left to do, and would wait for its caller in vain.
    while len(ended) < len(begun):
        try:
            bell.get()
        except BaseException as error:
            errors.append(error)
    if errors:
        try:
            raise errors[0]
        finally:
            # Its traceback would keep this list, and with it what all frames hold.
            errors.clear()
    return [results[index] for index in range(len(items))]


def share_torch(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the same for work that calls torch, with each operation on the calling thread.

    So the bits are the same for any number of threads.
    """
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()

    def alone(item: T) -> R:
        # Both are settings of the thread.
        torch.set_num_threads(1)
        with torch.set_grad_enabled(gradients):
            return work(item)

    try:
        return share(alone, items)
    finally:
        torch.set_num_threads(threads)


def begin(work: Callable[[], R]) -> Callable[[], R]:
    """Begin `work` in another thread: call what is returned for its result.

    Where `share` uses one thread only, it is computed by that call. Each operation of torch in
    `work` is on one thread, and `share` may use all.
    """
    threads = thread_count()
    if threads < 2:
        return work

    def alone() -> R:
        # Both are settings of the thread.
        torch.set_num_threads(1)
        _shared.set(threads)
        return work()

    begun = _executor(threads - 1).submit(Context().run, alone)

    def finish() -> R:
        try:
            return begun.result()
        finally:
            # Threads that start later have the number that was set last.
            torch.set_num_threads(torch.get_num_threads())

    return finish


class _Crew:
    """Threads that wait for jobs, and do each as often as it was called: once by each of some.

    An executor of the standard library keeps an account of each call, which takes longer than many
    an item.
    """

    def __init__(self) -> None:
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.threads: list[Thread] = []
        self.growing = Lock()

    def call(self, job: Callable[[], None], number: int) -> None:
        with self.growing:
            while len(self.threads) < number:
                name = f"artgen_{len(self.threads)}"
                thread = Thread(target=self._work, name=name, daemon=True)
                thread.start()
                # One that could not start takes no jobs.
                self.threads.append(thread)
        for _ in range(number):
            self.jobs.put(job)

    def _work(self) -> None:
        while True:
            self.jobs.get()()


_crew = functools.cache(_Crew)


@functools.cache
def _executor(threads: int) -> ThreadPoolExecutor:
    """Threads for what may still be at work when the program ends, which waits for them."""
    return ThreadPoolExecutor(threads, thread_name_prefix="artgen")


def _forget() -> None:
    """A forked process does not have its parent's threads."""
    _crew.cache_clear()
    _executor.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
