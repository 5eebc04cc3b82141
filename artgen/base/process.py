"""Settings of processes that run artgen alone, which the library never changes by itself."""

from __future__ import annotations

import atexit
import gc
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from artgen.base.errors import UsageError

DEVICES = "auto, cpu, cuda, cuda:1, mps, webgpu or webgpu:1"
"""Names of devices, as a hint."""


def unknown_device(name: str) -> UsageError:
    """The error for a name that is none of a device."""
    return UsageError(f"there is no device {name!r}", hint=f"use {DEVICES}")


_SLEEP_SOON = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}
"""How threads of torch wait for work, read when it is imported.

By default they spin for about a millisecond, and block processors for the threads of our kernels
(see `compiler.threads`) and for other programs. Sleeping at once costs small networks a fifth of
their speed. A few microseconds suit both; GNU OpenMP, which torch uses on Linux, reads their
number, which overrides the policy.
"""

_alone = False
"""Whether this process runs artgen and nothing else."""
_began: float | None = None
"""When the command of this process began, until its first run asks."""


def is_webgpu(device: str) -> bool:
    """Return whether `device` is ``webgpu`` or ``webgpu:N``."""
    return re.fullmatch(r"webgpu(:\d+)?", device) is not None


def prepare_process() -> None:
    """Speed up the start and small fits; only effective before torch is imported."""
    global _alone
    if not _alone:
        # The last search for garbage takes half a second. Triton misses what it would have freed.
        atexit.register(lambda: "triton" in sys.modules or gc.freeze())  # type: ignore[func-returns-value]
    _alone = True
    # Without it, matrix products on CUDA need not give the same bits again.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    _sleep_soon()
    collect_rarely()


def _sleep_soon() -> list[str]:
    """Set what is not set of `_SLEEP_SOON`; return the names. The policy of the user stays."""
    names = [] if "OMP_WAIT_POLICY" in os.environ else list(_SLEEP_SOON)
    added = [name for name in names if name not in os.environ]
    os.environ.update({name: _SLEEP_SOON[name] for name in added})
    return added


@contextmanager
def threads_sleep_soon() -> Iterator[None]:
    """Where torch is first imported inside, its threads sleep soon while they wait.

    The environment is as before afterwards.
    """
    added = [] if "torch" in sys.modules else _sleep_soon()
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def begin_waiting() -> None:
    """Note that a command begins, for whose first run somebody waits from now on."""
    global _began
    _began = time.monotonic()


def waiting_since() -> float:
    """When somebody began to wait for a run, by `time.monotonic`.

    It is when the command began, loading included, or now, for a later run of a command and for
    those of a library.
    """
    global _began
    since, _began = _began, None
    return time.monotonic() if since is None else since


def collect_rarely() -> None:
    """Collect garbage after 50,000 new objects instead of Python's 700.

    Imports and compilers make half a million permanent objects. Scanning them again and again takes
    a sixth of the time of a small fit.
    """
    gc.set_threshold(50_000, 20, 50)


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Collect garbage rarely in this block: a sixth of the time of a compiler."""
    before = gc.get_threshold()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def without_distributed_tensors() -> Iterator[None]:
    """Let torch find no distributed tensors inside, if this process runs artgen alone.

    Before the first operation on tensors that record, torch looks up the class of distributed
    tensors, once and for all. That imports 500 modules in 0.4 s; artgen has no such tensors. What
    needs them, such as torch.compile, must not be called inside.
    """
    name = "torch.distributed.tensor"
    if not _alone or name in sys.modules:
        yield
        return
    sys.modules[name] = module = ModuleType(name)
    vars(module)["DTensor"] = type("DTensor", (), {})
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def answered(
    signals: Iterable[int], answer: Callable[[int, object], None]
) -> Iterator[dict[int, Any]]:
    """Let `answer` handle signals in this block; yield what handled each of them before.

    Outside the main thread this does nothing.
    """
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in signals:
                before[number] = signal.signal(number, answer)
        yield before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def available_threads(asked: int) -> int:
    """The number of threads to use: `asked`, but not more than this machine has processors.

    Results do not depend on it. Thousands of threads crash OpenMP, and recipes come from larger
    machines.
    """
    return min(asked, os.cpu_count() or 1)
