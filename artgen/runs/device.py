"""Where to run, in which arithmetic: ``auto`` never fails, what is asked for is not replaced."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import torch
import torch.utils.deterministic

from artgen.base.errors import OutputError, UsageError
from artgen.base.process import available_threads, is_webgpu, unknown_device
from artgen.raster.webgpu_device import can_have_hardware, find_adapter, find_adapters


def resolve_device(asked: str) -> str:
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``webgpu`` to a device that is there.

    ``auto`` is CUDA, else a GPU by WebGPU, else the CPU. Raises UsageError for one that is not
    there.
    """
    if asked == "auto":
        if torch.cuda.is_available():
            return "cuda"
        with suppress(OutputError):
            if can_have_hardware() and any(each.hardware for each in find_adapters()[:1]):
                return "webgpu"
        return "cpu"
    if is_webgpu(asked):
        find_adapter(asked)
        return asked
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise unknown_device(asked)
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[device.type]:
        raise UsageError(
            f"device {asked!r} is not available on this machine",
            hint="use --device auto; `artgen doctor` shows what there is",
        )
    return asked


@contextmanager
def threads(asked: int | None) -> Iterator[int]:
    """Run the block on the available ones of `asked` CPU threads (None: as many as torch uses).

    What torch itself computes on CUDA is summed in a fixed order, where torch can do so.
    """
    before = torch.get_num_threads()
    if asked is not None:
        torch.set_num_threads(available_threads(asked))
    try:
        with _ordered_sums() if torch.cuda.is_available() else nullcontext():
            yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


@contextmanager
def _ordered_sums() -> Iterator[None]:
    """Let the same GPU give the same bytes: of convolutions and padding, for example."""
    if torch.are_deterministic_algorithms_enabled():
        yield
        return
    settings: Any = torch.utils.deterministic
    filled = settings.fill_uninitialized_memory
    with warnings.catch_warnings():
        # Of what has no other way, a kernel of a plugin for example.
        warnings.filterwarnings("ignore", ".*deterministic", UserWarning)
        torch.use_deterministic_algorithms(True, warn_only=True)
        settings.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(False)
            settings.fill_uninitialized_memory = filled
