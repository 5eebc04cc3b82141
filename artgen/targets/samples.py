"""Targets that are not pictures: samples of a curve, and labelled points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.errors import InputError
from artgen.targets.arrays import as_array
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest
from artgen.targets.source import content_hash, file_safe
from artgen.targets.target import Target, TargetTensors
from artgen.values.canvas import Canvas
from artgen.values.subject import Curve, Points

MOST_SAMPLES = 100_000
_SAMPLES = 200
_MOST_CLASSES = 32

_CURVE_SIZE = (640, 400)
_MAP_SIZE = (400, 400)
_MARGIN = 0.06
"""The margin of a map around its points, as a share of their extent."""


@dataclass(frozen=True, eq=False, repr=False)
class SampleTarget(Target):
    """A curve or labelled points, ready to be fitted; `canvas` is the size of the plot or map.

    `function` is y(x), float64 [M] each, where a curve is that of a function.
    """

    run_kind: ClassVar[str] = "samples"
    weight: ClassVar[None] = None
    """All samples count the same."""

    subject: Curve | Points
    canvas: Canvas
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None

    def resized(self, size: int) -> SampleTarget:
        """The same samples with another plot or map."""
        return replace(self, canvas=self.canvas.scaled(size))

    def with_axes(self, axes: tuple[str, str] | None) -> SampleTarget:
        """The same samples with names of the x and y axes, which plots and maps show.

        Raises InputError for a name that is empty or longer than 40 characters.
        """
        try:
            return replace(self, subject=replace(self.subject, axes=axes))
        except ValueError as error:
            raise InputError(f"{self.source}: {error}") from None

    def tensors(self) -> TargetTensors:
        """The values [outputs, 1, M] at the positions [M, inputs]."""
        import torch

        subject, function = self.subject, self.function
        values = torch.from_numpy(subject.values).t()[:, None].contiguous()
        positions = torch.from_numpy(subject.positions)
        if not isinstance(subject, Curve) or function is None:
            return TargetTensors(values, positions=positions)

        def between(positions: torch.Tensor) -> torch.Tensor:
            x = subject.unplaced(positions.numpy())
            y, samples = function(x), np.interp(x, subject.x, subject.y)
            # A function may have no value between two samples, or a pole.
            near = np.abs(y - samples) <= np.ptp(subject.y)
            return torch.from_numpy(subject.scaled(np.where(near, y, samples)))

        return TargetTensors(values, positions=positions, function=between)


def curve_from_samples(
    x: ArrayLike,
    y: ArrayLike,
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "curve",
    *,
    source: str | None = None,
) -> SampleTarget:
    """Make a target of measurements y over x, two arrays [M] with at least two different x.

    `source` is the name by which it can be opened again, if any. Raises InputError naming `name`.
    """
    xs, ys = _numbers(x, f"{name}: x", 1), _numbers(y, f"{name}: y", 1)
    if len(xs) != len(ys):
        raise InputError(
            f"{name} has {len(xs)} values of x but {len(ys)} of y", hint="give one y for each x"
        )
    if len(np.unique(xs)) < 2:
        raise InputError(
            f"{name} has fewer than two different values of x", hint="a curve needs more"
        )
    order = np.argsort(xs, kind="stable")
    xs, ys = xs[order], ys[order]
    curve = Curve(xs, ys, float(xs[0]), float(xs[-1]), continuous=False)
    return _target(curve, request, name, source, content_hash(xs, ys))


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

    `samples` are shown and evaluated, evenly spaced, both ends included. `source` is the name by
    which it can be opened again, if any, and `sha256` the hash of what it is computed from. Raises
    InputError naming `name`, or the source where a value is not finite.
    """
    if not (-math.inf < start < end < math.inf and 2 <= samples <= MOST_SAMPLES):
        raise InputError(
            f"{name}: cannot take {samples} samples from {start:g} to {end:g}",
            hint=f"start must be less than end, with 2 to {MOST_SAMPLES:,} samples",
        )
    x = np.linspace(start, end, samples)
    y = function(x)
    if np.shape(y) != x.shape:
        raise InputError(
            f"{name}: its function gave the shape {np.shape(y)} for x of {x.shape}",
            hint="return one y for each x: for a constant, np.full_like(x, 3)",
        )
    undefined = ~(np.abs(y) < 1e100)
    if undefined.any():
        raise InputError(
            f"{source or name} has no finite value at x = {x[undefined][0]:g}",
            hint="choose another interval with ?from=A&to=B",
        )
    curve = Curve(x, y, start, end)
    target = _target(curve, request, name, source, sha256 or content_hash(curve.x, curve.y))
    return replace(target, function=function)


def points_from_samples(
    xy: ArrayLike,
    labels: ArrayLike,
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "points",
    *,
    source: str | None = None,
) -> SampleTarget:
    """Make a target of points [M, 2] and a label for each, numbers or texts.

    The classes are the different labels in order. `source` is the name by which it can be opened
    again, if any. Raises InputError naming `name`.
    """
    places = _numbers(xy, f"{name}: xy", 2)
    texts = list(map(str, as_array(labels, f"{name}: labels", "an array").ravel().tolist()))
    if places.shape[1] != 2 or len(places) != len(texts):
        raise InputError(
            f"{name} has points of the shape {places.shape} and {len(texts)} labels",
            hint="use points of shape [M, 2], and one label for each",
        )
    classes = sorted(set(texts), key=class_order)
    if not 2 <= len(classes) <= _MOST_CLASSES:
        raise InputError(
            f"{name} has {len(classes)} different label{'s' * (len(classes) != 1)}",
            hint=f"use 2 to {_MOST_CLASSES} classes",
        )
    numbers = np.array([classes.index(text) for text in texts], np.int64)
    points = Points(places, numbers, tuple(classes), _box_around(places))
    return _target(points, request, name, source, content_hash(places, "\0".join(texts)))


def _target(
    subject: Curve | Points, request: TargetRequest, name: str, source: str | None, sha256: str
) -> SampleTarget:
    """The target of `subject`, shown at the size that `request` asks for."""
    source = source or name
    request.refuse_mask(source)
    canvas = Canvas(*(_CURVE_SIZE if isinstance(subject, Curve) else _MAP_SIZE))
    canvas = canvas.scaled(request.size or canvas.width)
    return SampleTarget(file_safe(name), source, sha256, subject, canvas)


def _numbers(array: ArrayLike, where: str, dimensions: int) -> NDArray[np.float64]:
    """`array` as finite float64. Raises InputError naming `where`."""
    numbers = as_array(array, where, "an array of numbers", np.float64).copy()
    if numbers.ndim != dimensions or not len(numbers):
        raise InputError(f"{where} has the shape {numbers.shape}, not {dimensions} dimensions")
    if len(numbers) > MOST_SAMPLES:
        raise InputError(
            f"{where} has {len(numbers):,} samples, more than {MOST_SAMPLES:,}",
            hint="leave some out",
        )
    # Differences and squares of larger ones could overflow.
    if not (np.abs(numbers) < 1e100).all():
        raise InputError(f"{where} has numbers that are NaN, infinite or beyond 1e100")
    return numbers


def _box_around(places: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what a map of these points shows."""
    low, high = places.min(axis=0), places.max(axis=0)
    extent = np.where(high > low, high - low, np.maximum(1.0, np.abs(low)))
    (left, bottom), (right, top) = low - _MARGIN * extent, high + _MARGIN * extent
    return float(left), float(bottom), float(right), float(top)


def class_order(label: str) -> tuple[float, str]:
    """The key by which classes are sorted: numbers by their value, then texts."""
    try:
        number = float(label)
    except ValueError:
        number = math.inf
    return (math.inf if math.isnan(number) else number), label
