"""What runs ask of torch: threads, an order in which it sums, gradients and float32."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.utils.deterministic

from artgen.base.process import available_threads
from artgen.raster import resolve_device as resolve_device

_state = {"used": False, "forked": False}


def _after_fork() -> None:
    """Compute on one thread: OpenMP would wait for ever for those that the parent had started."""
    _state["forked"] |= _state["used"]
    if _state["forked"]:
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def threads(asked: int | None) -> Iterator[int]:
    """Run the block on the available ones of `asked` CPU threads (None: as many as torch uses).

    A process forked from one that has run something has one thread. What torch itself computes on
    CUDA is summed in a fixed order, where torch can do so.
    """
    before = torch.get_num_threads()
    _state["used"] = True
    if asked is not None and not _state["forked"]:
        torch.set_num_threads(available_threads(asked))
    try:
        with _ordered_sums() if torch.cuda.is_available() else nullcontext():
            yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


@contextmanager
def usual_torch() -> Iterator[None]:
    """Run the block with gradients and in float32, whatever the program has set for torch."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(before)


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
