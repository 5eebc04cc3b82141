"""Learning rates that depend on the drawing: functions to pass as `lr` of a `Param`."""

from __future__ import annotations

from collections.abc import Callable

from artgen.init import Context

__all__ = ["per_count", "per_spacing"]


def per_spacing(k: float) -> Callable[[Context], float]:
    """Return a learning rate of `k` times the mean spacing, for positions and lengths."""
    return lambda context: k * context.mean_spacing


def per_count(k: float) -> Callable[[Context], float]:
    """Return a learning rate of `k` times the number of parts, for colours under blend `mean`."""
    return lambda context: k * context.count
