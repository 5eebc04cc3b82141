"""Curves and outlines that the subjects are drawn with, and those in `outlines.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._plate import Floats


def spline(points: Sequence[tuple[float, float] | Floats] | Floats, steps: int = 12) -> Floats:
    """A Catmull-Rom curve through points [K, D], `steps` per segment: [(K - 1) * steps + 1, D]."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = (np.arange(steps) / steps)[:, None]
    a, b, c, d = (p[first : len(p) - 3 + first, None] for first in range(4))
    pieces = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
    )
    return np.concatenate([pieces.reshape(-1, p.shape[1]), p[-2:-1]])


@cache
def outlines_of(subject: str) -> dict[str, Any]:
    """The lists of points of a subject in `outlines.toml`, by name."""
    tables = tomllib.loads(Path(__file__).with_name("outlines.toml").read_text("utf-8"))
    found: dict[str, Any] = tables[subject]
    return found


def paired(x: Floats, y: Floats) -> Floats:
    """Points [..., 2] at (x, y): np.stack takes several times as long for a dozen."""
    points = np.empty((*x.shape, 2), np.result_type(x, y))
    points[..., 0], points[..., 1] = x, y
    return points


def directed(angle: ArrayLike) -> Floats:
    """Unit vectors [..., 2] in the directions of angles."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def turned(points: Floats, angle: float) -> Floats:
    """Points [K, 2] turned around the origin, from x towards y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[c, s], [-s, c]]))


def flowing(flow: ArrayLike, places: Floats) -> Floats:
    """The directions [K] at places [K, 2]: those given (x, y, degrees), mixed by nearness."""
    x, y, angle = np.asarray(flow).T
    away = (places[:, :1] - x) ** 2 + (places[:, 1:] - y) ** 2
    east, south = ((away + 0.01) ** -1.5 @ directed(np.radians(angle))).T
    return np.asarray(np.arctan2(south, east))


def normals(path: Floats) -> Floats:
    """Unit vectors [..., K, 2] to the right of each point of a path, or of several."""
    # As np.gradient does, without the time that it takes for a dozen points.
    along = np.empty_like(path)
    along[..., 1:-1, :] = (path[..., 2:, :] - path[..., :-2, :]) / 2
    along[..., 0, :] = path[..., 1, :] - path[..., 0, :]
    along[..., -1, :] = path[..., -1, :] - path[..., -2, :]
    right = paired(-along[..., 1], along[..., 0])
    right /= np.maximum(np.hypot(along[..., 0], along[..., 1]), 1e-9)[..., None]
    return right


def outlined(path: Floats, half: Floats) -> Floats:
    """The outline from `half` [..., K, 2] to the right of a path to as much to its left."""
    return np.concatenate([path + half, (path - half)[..., ::-1, :]], axis=-2)


def ribbon(path: Floats, widths: ArrayLike) -> Floats:
    """The outline of a stroke along `path` [..., K, 2], its full width given at each point."""
    full = np.asarray(widths, float)
    return outlined(path, normals(path) * full[..., None] / 2)


def spread(values: ArrayLike, count: int) -> Floats:
    """So many values, evenly between those given."""
    given = np.asarray(values, float)
    return np.asarray(np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(given)), given))


def feather(root: Floats, way: float, long: float, wide: float, bend: float = 0.1) -> Floats:
    """A pointed feather or leaf from its root, its axis in a direction: an outline."""
    share = np.linspace(0, 1, 16)
    rib = paired(long * share, bend * long * share**2)
    return turned(ribbon(rib, 2 * wide * np.sin(np.pi * share**0.8) ** 0.7), way) + root
