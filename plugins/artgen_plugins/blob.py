"""Blobs: smooth closed curves through a few points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape, option

Floats = NDArray[np.float64]

SMALLEST = 0.1


class Blob(Shape):
    """The points: x and y of each. A closed Catmull-Rom spline goes through them.

    Between two points it is a cubic Bézier curve. Its tangent at a point is parallel to the line
    between the neighbours of the point (Catmull and Rom 1974).
    """

    @dataclass(frozen=True)
    class Options:
        """Options of `blob`."""

        curves: int = option(4, "number of Bézier curves", low=4, high=8)

    defaults = Preset(count=150)

    @property
    def genes(self) -> int:
        """Two per point."""
        return 2 * self.curves

    @property
    def gene_names(self) -> tuple[str, ...]:
        """x1, y1, x2 and so on."""
        return tuple(f"{axis}{i}" for i in range(1, self.curves + 1) for axis in "xy")

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Place the points on a rough ellipse around (x, y), in order."""
        turn, flat = 2 * math.pi * rng.random(), 0.3 + 0.7 * rng.random()
        tilt = math.pi * rng.random()
        c, s = math.cos(tilt), math.sin(tilt)
        for i in range(len(genes) // 2):
            angle = turn + 4 * math.pi * (i + 0.5 * rng.random()) / len(genes)
            radius = size * (0.6 + 0.4 * rng.random())
            u, v = radius * math.cos(angle), flat * radius * math.sin(angle)
            genes[2 * i], genes[2 * i + 1] = x + c * u - s * v, y + s * u + c * v

    def from_outline(self, points: Floats) -> Floats:
        """A curve through the main corners of the contour."""
        return self.main_corners(points, self.curves).ravel()

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Move a point, or now and then all of them."""
        first, last = 0, len(genes)
        if rng.random() < 0.8:
            first = 2 * int(len(genes) / 2 * rng.random())
            last = first + 2
        dx, dy = step * rng.standard_normal(), step * rng.standard_normal()
        for i in range(first, last, 2):
            genes[i] += dx
            genes[i + 1] += dy

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse slivers: the area must be a share of that of a disc of the same perimeter."""
        area, perimeter = 0.0, 0.0
        x, y = genes[-2], genes[-1]
        for i in range(0, len(genes), 2):
            u, v = genes[i], genes[i + 1]
            area += x * v - u * y
            perimeter += math.sqrt((u - x) ** 2 + (v - y) ** 2)
            x, y = u, v
        return bool(2 * math.pi * abs(area) > SMALLEST * perimeter * perimeter)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Write the control points: a sixth of the way between the neighbours from each end."""
        for k in range(2):
            before, start, end = genes[k - 4], genes[k - 2], genes[k]
            for i in range(0, len(genes), 2):
                after = genes[i + 2 + k] if i + 2 < len(genes) else genes[k]
                points[2 * i, k], points[2 * i + 3, k] = start, end
                points[2 * i + 1, k] = start + (end - before) / 6
                points[2 * i + 2, k] = end - (after - start) / 6
                before, start, end = start, end, after
