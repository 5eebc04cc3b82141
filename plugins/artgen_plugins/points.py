"""Labelled points: `points:random`, `points:two-moons` and `points:spiral`, made from a seed.

`random` has no pattern: a network that separates it has memorised every point. That is how the
article that the preset `classifier-v1` of `mlp` comes from tortures a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, did_you_mean
from artgen.targets import (
    DEFAULT_REQUEST,
    SampleTarget,
    SourceOptions,
    TargetRequest,
    content_hash,
    points_from_samples,
)

Array = NDArray[np.float64]
Cloud = Callable[[np.random.Generator, NDArray[np.int64], int], Array]
"""Places for the points of these labels, given the number of classes; about in [0, 1]²."""

_NUMBERS = {"random": 32, "two-moons": 200, "spiral": 200}
_MOST_POINTS, _MOST_CLASSES = 10_000, 8


def open_points(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> SampleTarget:
    """The points that `rest` describes, such as ``spiral?n=300&classes=3&seed=1``.

    Raises InputError for another name or option.
    """
    options = SourceOptions("points", rest, ("n", "seed", "classes", "axes"))
    name = options.what or "random"
    if name not in _CLOUDS:
        raise InputError(
            f"there are no labelled points named {name!r}", hint=did_you_mean(name, _CLOUDS)
        )

    classes = options.number("classes", 2, 2, 2 if name == "two-moons" else _MOST_CLASSES)
    points = options.number("n", _NUMBERS[name], classes, _MOST_POINTS)
    seed = options.number("seed", 0, 0, 2**63 - 1)
    rng = np.random.default_rng(seed)
    labels = np.arange(points, dtype=np.int64) % classes
    if name == "random":
        # No class is missing, the rest are drawn.
        labels[classes:] = rng.integers(classes, size=points - classes)
    places = _CLOUDS[name](rng, labels, classes)
    found = points_from_samples(places, labels, request, options.name, source=options.source)
    subject: Any = found.subject
    subject = replace(subject, box=(0.0, 0.0, 1.0, 1.0))
    digest = content_hash(f"{name} {points} {classes} {seed}")
    return replace(found, subject=subject, sha256=digest).with_axes(options.pair("axes"))


def _random(rng: np.random.Generator, labels: NDArray[np.int64], classes: int) -> Array:
    """Uniformly distributed."""
    return rng.random((len(labels), 2))


def _two_moons(rng: np.random.Generator, labels: NDArray[np.int64], classes: int) -> Array:
    """Two half circles, each around an end of the other, as in scikit-learn's `make_moons`."""
    angle = np.pi * rng.random(len(labels))
    upper = labels == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    noise = 0.08 * rng.standard_normal((len(labels), 2))
    # The moons reach from -1 to 2 and from -0.5 to 1.
    return np.clip((np.stack([x - 0.5, y - 0.25], axis=1) + noise) / 3.6 + 0.5, 0, 1)


def _spiral(rng: np.random.Generator, labels: NDArray[np.int64], classes: int) -> Array:
    """An arm per class, one turn and a half, from the middle outwards."""
    along = np.sqrt(0.02 + 0.98 * rng.random(len(labels)))
    angle = 3 * np.pi * along + 2 * np.pi * labels / classes
    places: Array = 0.45 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places += 0.5 + 0.006 * rng.standard_normal((len(labels), 2))
    return np.clip(places, 0, 1)


_CLOUDS: dict[str, Cloud] = {"random": _random, "two-moons": _two_moons, "spiral": _spiral}
