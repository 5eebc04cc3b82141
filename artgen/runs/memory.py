"""Memory: how much the process used, and what a fit frees at every step and needs again."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""


@functools.cache
def keep_freed_memory() -> None:
    """Ask the C library not to give freed pieces of some megabytes back to the system.

    It would get them back page by page, filled with zeros, which takes a fifth of the time of a
    small network's steps. Only glibc is asked, and only where the user has not set it up otherwise.
    """
    if not sys.platform.startswith("linux") or any(k.startswith("MALLOC_") for k in os.environ):
        return
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, 32 << 20)
        library.mallopt(_TRIM_THRESHOLD, 512 << 20)


def give_back_freed_memory() -> None:
    """Give what was freed back to the system: what one fit of many leaves is of no use to the next.

    Its pieces lie between those that are kept, so that the process would grow with every fit.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)


def peak_memory() -> int | None:
    """Return the most main memory that this process has used, in bytes; None if nobody knows."""
    if sys.platform.startswith("linux"):
        # Unlike that of getrusage, this one does not begin with the peak of the parent process.
        status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        # Some kernels that only look like Linux do not say it.
        peaks = [1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM")]
        return max(peaks, default=None)
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
