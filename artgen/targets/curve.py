"""Curve targets: `curve:EXPR?from=A&to=B&n=N`, a function of x sampled evenly, both ends included.

Without an expression it is the one of the article on automatic differentiation that the preset
`curve-v1` of `mlp` comes from: 2.777x² + 0.123 − 1.5x³ + sin 4x on [−1, 1].
"""

from __future__ import annotations

import numpy as np

from artgen.errors import InputError
from artgen.samples import Curve
from artgen.targets._expression import Expression
from artgen.targets._source import Source, SourceOptions, content_hash
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest
from artgen.targets.samples import (
    MOST_SAMPLES,
    SampleTarget,
    make_target,
)

_EXPRESSION = "2.777*x**2 + 0.123 - 1.5*x**3 + sin(4*x)"
_SAMPLES = 200


def open_curve(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> SampleTarget:
    """The curve that `rest` describes, such as ``sin(x)?from=-pi&to=pi``.

    Raises InputError for what is not an expression of x, and where it has no finite value.
    """
    options = SourceOptions("curve", rest, ("from", "to", "n"))
    start, end = _end(options.text("from", "-1")), _end(options.text("to", "1"))
    if not start < end:
        raise InputError(f"{options.source}: from must be less than to, got {start:g} and {end:g}")
    samples = options.number("n", _SAMPLES, 2, MOST_SAMPLES)
    function = Expression(options.what or _EXPRESSION)
    x = np.linspace(start, end, samples)
    y = function(x)
    undefined = ~(np.abs(y) < 1e100)
    if undefined.any():
        raise InputError(
            f"{options.source} has no finite value at x = {x[undefined][0]:g}",
            hint="choose another interval with ?from=A&to=B",
        )
    digest = content_hash(f"{function.text} {start!r} {end!r} {samples}")
    name = Source("curve", rest).file_stem
    return make_target(Curve(x, y, start, end), request, name, options.source, digest)


def _end(text: str) -> float:
    """An end of the interval: an expression without x."""
    ends = Expression(text)(np.array([0.0, 1.0]))
    if not (abs(ends[0]) < 1e100 and ends[0] == ends[1]):
        raise InputError(
            f"{text!r} is not a number", hint="use a number or an expression such as -2 or pi/2"
        )
    return float(ends[0])
