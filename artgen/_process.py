"""What a process that belongs to artgen alone begins with; a library leaves such things alone."""

from __future__ import annotations

import gc
import os

__all__ = ["collect_rarely", "prepare_process"]


def prepare_process() -> None:
    """Make the start and small work faster; only of use before torch is imported."""
    _shorten_waits()
    collect_rarely()


def collect_rarely() -> None:
    """Look for unreachable objects after 50,000 new ones instead of Python's 700.

    Imports and compilers make half a million objects that stay. Looking through them time and again
    is a sixth of what a small fit costs.
    """
    gc.set_threshold(50_000, 20, 50)


def _shorten_waits() -> None:
    """How long the threads of OpenMP, which torch uses, wait in a loop for more work.

    By default about a millisecond, in which they keep the processor from the threads that run our
    kernels (see `raster.threads`); to sleep at once costs small networks a fifth of their speed. A
    few microseconds suit both.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        # GNU's OpenMP, which torch's builds for Linux bring; it goes before the policy.
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
