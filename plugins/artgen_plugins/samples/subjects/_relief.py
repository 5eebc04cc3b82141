"""Rounded forms and the light on them: heights above the plate, and how their slopes face a lamp."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ._curves import spline, spread
from ._plate import Floats, Plate


def lit(plate: Plate, height: Floats, lamp: tuple[float, float, float]) -> Floats:
    """How much each slope of `height` faces a lamp in a direction (x, y, up): -1 to 1."""
    down, across = np.gradient(height, plate.pixel)
    x, y, up = np.asarray(lamp) / np.linalg.norm(lamp)
    return np.asarray((up - x * across - y * down) / np.sqrt(1 + across**2 + down**2))


def facing(points: Floats) -> Floats:
    """Unit normals of the patches between points [rows, columns, 3] of a surface."""
    normal = np.cross(np.diff(points, axis=1)[:-1], np.diff(points, axis=0)[:, :-1])
    return np.asarray(normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12))


def patches_of(points: Floats) -> Floats:
    """The corners [rows - 1, columns - 1, 4, 2] of the patches between points of a surface."""
    return np.stack([points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]], 2)


def inflated(plate: Plate, mask: Floats, *radii: float) -> Floats:
    """Heights of a shape that swells away from its edge, over each radius once."""
    total = np.zeros_like(plate.x)
    for radius in radii:
        depth = np.clip((plate.blur(mask, 0.6 * radius) - 0.3) / 0.7, 0, 1)
        total = total + radius * np.sqrt(depth * (2 - depth))
    return total


def tube(
    plate: Plate, way: Sequence[tuple[float, float]] | Floats, widths: ArrayLike
) -> tuple[Floats, Floats]:
    """Heights and coverage of a limb along points; its widths are spread evenly over it."""
    path = spline(way, 8)
    radii = spread(widths, len(path)) / 2
    height, inside = np.zeros_like(plate.x), np.full_like(plate.x, -1)
    for a, b, start, end in zip(path[:-1], path[1:], radii[:-1], radii[1:], strict=True):
        reach = max(start, end) + 2 * plate.pixel
        low, high = np.minimum(a, b) - reach, np.maximum(a, b) + reach
        near = plate.box(*low, *high)
        x, y = plate.x[near] - a[0], plate.y[near] - a[1]
        (u, v), length = b - a, max(float(np.sum((b - a) ** 2)), 1e-9)
        t = np.clip((x * u + y * v) / length, 0, 1)
        away, radius = np.hypot(x - t * u, y - t * v), start + t * (end - start)
        height[near] = np.maximum(height[near], np.sqrt(np.maximum(radius**2 - away**2, 0)))
        inside[near] = np.maximum(inside[near], radius - away)
    return height, np.clip(inside / plate.pixel + 0.5, 0, 1)
