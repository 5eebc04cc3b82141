"""Curves that are functions of x, sampled evenly, both ends included."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import InputError
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest
from artgen.targets.samples import MOST_SAMPLES, SampleTarget, make_target
from artgen.targets.source import content_hash
from artgen.values.subject import Curve

_SAMPLES = 200


def curve_from_function(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "curve",
    *,
    start: float = -1.0,
    end: float = 1.0,
    samples: int = _SAMPLES,
    source: str | None = None,
    sha256: str | None = None,
) -> SampleTarget:
    """Make a target of a function of x from `start` to `end`, float64 [M] each.

    `samples` are shown and evaluated. `source` is the name by which it can be opened again, if
    any, and `sha256` the hash of what it is computed from. Raises InputError naming `name`.
    """
    if not (-math.inf < start < end < math.inf and 2 <= samples <= MOST_SAMPLES):
        raise InputError(
            f"{name}: cannot take {samples} samples from {start:g} to {end:g}",
            hint=f"start must be less than end, with 2 to {MOST_SAMPLES:,} samples",
        )
    curve = _sampled(function, start, end, samples, source or name)
    digest = sha256 or content_hash(curve.x, curve.y)
    target = make_target(curve, request, name, source or name, digest)
    return replace(target, function=function)


def _sampled(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: float,
    end: float,
    samples: int,
    source: str,
) -> Curve:
    """Evenly spaced samples of a function. Raises InputError where one is not finite."""
    x = np.linspace(start, end, samples)
    y = function(x)
    undefined = ~(np.abs(y) < 1e100)
    if undefined.any():
        raise InputError(
            f"{source} has no finite value at x = {x[undefined][0]:g}",
            hint="choose another interval with ?from=A&to=B",
        )
    return Curve(x, y, start, end)
