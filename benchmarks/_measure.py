"""Time and memory: interleaved repetitions, medians, and the peak of the resident memory."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks._report import Sample

__all__ = ["fit_alone", "interleaved", "one_thread", "peak_memory", "timed"]

# Idle worker threads spin for a while, which must not be in the next action's time.
_PAUSE = 0.01
_TURN = 0.05
_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def timed(action: Callable[[], Any]) -> float:
    """Seconds of wall time that `action` takes, on a GPU too."""
    start = time.perf_counter()
    action()
    # What measures without torch must not hold it in its memory.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter() - start


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch and compiled kernels use one thread in this block."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fit_alone(target: str, primitive: str, **options: Any) -> tuple[float, float]:
    """The PSNR in dB and the CPU seconds of a fit on one thread of the CPU, without a history."""
    import artgen

    began = time.process_time()
    art = artgen.fit(target, primitive, threads=1, device="cpu", history=0, **options)
    return art.psnr or 0.0, time.process_time() - began


def interleaved(
    actions: Mapping[str, Callable[[], Any]], *, rounds: int, seconds: float = 3.0
) -> dict[str, Sample]:
    """The seconds of every action, which take turns, as medians with their spread.

    In its turn an action runs over and over for a moment, and the last time counts: so does a fit,
    which should not pay for what others left in the caches. An action that has used up its
    `seconds` sits out what remains of the `rounds`.
    """
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            if sum(taken[name]) < seconds:
                time.sleep(_PAUSE)
                turn = [timed(action)]
                while sum(turn) < _TURN:
                    turn.append(timed(action))
                taken[name].append(turn[-1])
    return {name: Sample(times) for name, times in taken.items()}


def peak_memory(action: Callable[[], Any] | None = None) -> float | None:
    """MiB by which the resident memory grows, at its peak, while `action` runs.

    Without an action, the peak of this process so far. None where only Linux could tell.
    """
    if not sys.platform.startswith("linux"):
        return None
    if action is None:
        return _status("VmHWM")
    # What was freed goes back to the system, so that using it again counts as growth.
    ctypes.CDLL(None).malloc_trim(0)
    try:
        _CLEAR.write_text("5")  # resets the peak; see proc(5)
    except OSError:
        return None
    before = _status("VmRSS")
    action()
    return max(0.0, _status("VmHWM") - before)


def _status(key: str) -> float:
    """A size of /proc/self/status, in MiB."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024
