"""How long the threads of OpenMP, which torch uses, wait in a loop for more work.

By default about a millisecond, in which they keep the processor from the threads that run our
kernels (see `raster.threads`); to sleep at once costs small networks a fifth of their speed. A few
microseconds suit both.
"""

from __future__ import annotations

import os

__all__ = ["shorten_waits"]


def shorten_waits() -> None:
    """Set that, unless the user has; only of use before torch is imported."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        # GNU's OpenMP, which torch's builds for Linux bring; it goes before the policy.
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
