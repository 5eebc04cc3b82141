"""The cells of a partition as polygons.

Where a site costs as much at (x, y) as a plane says, a·x + b·y + c up to what all sites have in
common, its cell is a convex polygon: Voronoi cells are, and those of power diagrams.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.families.partition.contract import Partition
from artgen.values.canvas import Canvas

Floats = NDArray[np.float64]

STRAIGHT = 1e-6
"""How far costs may be from a plane, relative to their size."""
SAME = 1e-9
"""Costs that differ by less are equal."""


def cells(sites: Floats, partition: Partition, canvas: Canvas) -> list[Floats]:
    """The cell of each of `sites` [N, genes] as a convex polygon, float64 [corners, 2].

    A cell is empty where its site wins nowhere. Raises UsageError where borders are not straight.
    """
    ring = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * canvas.reach
    if len(sites) == 0:
        return []
    planes, found = np.stack(_planes(sites, partition)), []
    for number, own in enumerate(planes.T):
        cell, (a, b, c) = ring, own[:, None] - planes
        if (planes[:, :number] == own[:, None]).all(0).any():  # the first of equal sites wins
            cell = np.empty((0, 2))
        while len(cell) and len(a):
            x, y = cell.T[:, :, None]
            ahead = a * x + b * y + c
            # The site that is cheapest by most at a corner takes it away, until none is.
            gains = ahead.max(0)
            worst = int(gains.argmax())
            if not gains[worst] > SAME:
                break
            cell = _cut(cell, ahead[:, worst])
            # What is cheaper nowhere in a convex cell is so nowhere in what is left of it.
            a, b, c = (each[gains > 0] for each in (a, b, c))
        found.append(cell)
    return found


def _planes(sites: Floats, partition: Partition) -> tuple[Floats, Floats, Floats]:
    """The cost of each site as a·x + b·y + c, [N] each, up to what all have in common."""
    rows = np.array([-1.0, 0.0, 0.5, 1.0])
    lines = np.array([[partition.line(site, float(y)) for y in rows] for site in sites])
    slope, height = np.moveaxis(lines - lines[:1], 2, 0)
    a, c = slope[:, 1], height[:, 1]
    b = (height[:, 3] - height[:, 0]) / 2
    plane = c[:, None] + b[:, None] * rows
    gap = max(np.abs(slope - a[:, None]).max(), np.abs(height - plane).max())
    if not gap <= STRAIGHT * max(1.0, np.abs(lines).max()):
        raise UsageError(
            f"the cells of {type(partition).__name__} have borders that are not straight",
            hint="use -o FILE.png, without lines between the cells",
        )
    return a, b, c


def _cut(polygon: Floats, ahead: Floats) -> Floats:
    """The part of a convex polygon where `ahead`, given at its corners, is not positive."""
    kept: list[Floats] = []
    for k in range(len(polygon)):
        before, here = ahead[k - 1], ahead[k]
        if (before > 0) != (here > 0):
            share = before / (before - here)
            kept.append(polygon[k - 1] + share * (polygon[k] - polygon[k - 1]))
        if here <= 0:
            kept.append(polygon[k])
    return np.array(kept).reshape(-1, 2)
