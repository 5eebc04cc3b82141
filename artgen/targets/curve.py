"""Curve targets: `curve:EXPR?from=A&to=B&n=N`, a function of x sampled evenly, both ends included.

`axes=X,Y` names the axes of plots.
Plots and metrics use these samples. Batches that are smaller are drawn from the whole interval.

Without an expression it is the one of the article on automatic differentiation that the preset
`curve-v1` of `mlp` comes from: 2.777x² + 0.123 − 1.5x³ + sin 4x on [−1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import InputError
from artgen.targets.expression import Expression
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest
from artgen.targets.samples import MOST_SAMPLES, SampleTarget, make_target
from artgen.targets.source import SourceOptions, content_hash
from artgen.values.subject import Curve

_EXPRESSION = "2.777*x**2 + 0.123 - 1.5*x**3 + sin(4*x)"
_SAMPLES = 200


def open_curve(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> SampleTarget:
    """The curve that `rest` describes, such as ``sin(x)?from=-pi&to=pi``.

    Raises InputError for what is not an expression of x, and where it has no finite value.
    """
    options = SourceOptions("curve", rest, ("from", "to", "n", "axes"))
    start, end = _end(options.text("from", "-1")), _end(options.text("to", "1"))
    if not start < end:
        raise InputError(f"{options.source}: from must be less than to, got {start:g} and {end:g}")
    samples = options.number("n", _SAMPLES, 2, MOST_SAMPLES)
    function = Expression(options.what or _EXPRESSION)
    curve = _sampled(function, start, end, samples, options.source)
    digest = content_hash(f"{function.text} {start!r} {end!r} {samples}")
    target = make_target(curve, request, options.name, options.source, digest)
    return replace(target.with_axes(options.pair("axes")), function=function)


def curve_from_function(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "curve",
    *,
    start: float = -1.0,
    end: float = 1.0,
    samples: int = _SAMPLES,
) -> SampleTarget:
    """Make a target of a function of x from `start` to `end`, float64 [M] each.

    `samples` are shown and evaluated. Raises InputError naming `name`.
    """
    if not (-math.inf < start < end < math.inf and 2 <= samples <= MOST_SAMPLES):
        raise InputError(
            f"{name}: cannot take {samples} samples from {start:g} to {end:g}",
            hint=f"start must be less than end, with 2 to {MOST_SAMPLES:,} samples",
        )
    curve = _sampled(function, start, end, samples, name)
    target = make_target(curve, request, name, name, content_hash(curve.x, curve.y))
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


def _end(text: str) -> float:
    """An end of the interval: an expression without x."""
    ends = Expression(text)(np.array([0.0, 1.0]))
    if not (abs(ends[0]) < 1e100 and ends[0] == ends[1]):
        raise InputError(
            f"{text!r} is not a number", hint="use a number or an expression such as -2 or pi/2"
        )
    return float(ends[0])
