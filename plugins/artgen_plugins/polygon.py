"""Polygons with any number of corners; they may be concave or cross themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen import Preset, Shape, option

Floats = NDArray[np.float64]

SMALLEST = 0.05


class Polygon(Shape):
    """The corners: x and y of each."""

    @dataclass(frozen=True)
    class Options:
        """Options of `polygon`."""

        vertices: int = option(4, "number of corners", low=3, high=64)

    defaults = Preset(count=150)

    @property
    def genes(self) -> int:
        """Two per corner."""
        return 2 * self.vertices

    @property
    def gene_names(self) -> tuple[str, ...]:
        """x1, y1, x2 and so on."""
        return tuple(f"{axis}{i}" for i in range(1, self.vertices + 1) for axis in "xy")

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Place the corners around (x, y), in order."""
        turn = 2 * math.pi * rng.random()
        for i in range(len(genes) // 2):
            angle = turn + 4 * math.pi * (i + 0.6 * rng.random()) / len(genes)
            radius = size * (0.4 + 0.6 * rng.random())
            genes[2 * i], genes[2 * i + 1] = (
                x + radius * math.cos(angle),
                y + radius * math.sin(angle),
            )

    def from_outline(self, points: Floats) -> Floats:
        """The main corners of the contour."""
        return self.main_corners(points, self.vertices).ravel()

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Move a corner."""
        i = 2 * int(len(genes) / 2 * rng.random())
        genes[i] += step * rng.standard_normal()
        genes[i + 1] += step * rng.standard_normal()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Refuse slivers: the area must be a share of that of a disc of the same perimeter."""
        area, perimeter = 0.0, 0.0
        for i in range(0, len(genes), 2):
            j = (i + 2) % len(genes)
            area += genes[i] * genes[j + 1] - genes[j] * genes[i + 1]
            perimeter += math.hypot(genes[j] - genes[i], genes[j + 1] - genes[i + 1])
        return bool(2 * math.pi * abs(area) > SMALLEST * perimeter * perimeter)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Write the corners."""
        for i in range(len(points)):
            points[i, 0], points[i, 1] = genes[2 * i], genes[2 * i + 1]
