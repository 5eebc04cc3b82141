"""Shapes in plain Python: random ones, and what each of them covers, row by row.

All of it is written down a second time, apart from the kernels, to compare these with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.canvas import Canvas
from artgen.errors import PluginError
from artgen.primitives import Shape

__all__ = ["Floats", "corners", "random_genes", "runs_at", "shares", "stack_values"]

Floats = NDArray[np.float64]

TRIES = 200
"""A search tries so many at random before it climbs: one of them should be valid."""
SMALLEST, LARGEST = 0.1, 0.6
"""How far random shapes reach, in canvas units."""


def random_genes(
    shape: Shape, rng: np.random.Generator, canvas: Canvas, number: int, changes: int = 0
) -> Floats:
    """Valid shapes anywhere on the canvas, [number, genes], each changed so many times.

    Raises PluginError where `random` makes none.
    """
    half_width, half_height = canvas.reach
    found = np.zeros((number, shape.genes))
    for genes in found:
        for attempt in range(TRIES + 1):
            if attempt == TRIES:
                raise PluginError(
                    f"{type(shape).__name__}.random makes no shape that is valid in {TRIES} tries",
                    hint="check its valid()",
                )
            x, y = half_width * rng.uniform(-1, 1), half_height * rng.uniform(-1, 1)
            with np.errstate(all="ignore"):
                shape.random(genes, rng, x, y, rng.uniform(SMALLEST, LARGEST))
                if shape.valid(genes):
                    break
        for _ in range(changes):
            changed = genes.copy()
            with np.errstate(all="ignore"):
                shape.mutate(changed, rng, SMALLEST)
                if shape.valid(changed):
                    genes[:] = changed
    return found


def stack_values(
    shape: Shape, canvas: Canvas, count: int, seed: int, changes: int = 0
) -> dict[str, NDArray[np.float32]]:
    """The tensors of a drawing of random shapes, members of a mixture in turn."""
    rng = np.random.default_rng(seed)
    members = shape.members
    genes = np.zeros((count, max(member.genes for member in members)))
    for i, row in enumerate(genes):
        member = members[i % len(members)]
        row[: member.genes] = random_genes(member, rng, canvas, 1, changes)[0]
    values: dict[str, NDArray[Any]] = {
        "genes": genes.T,
        "colour": rng.random((3, count)),
        "alpha": rng.uniform(0.2, 1, count),
    }
    if len(members) > 1:
        values["kind"] = np.arange(count) % len(members)
    return {name: np.array(value, np.float32, order="C") for name, value in values.items()}


def corners(shape: Shape, genes: Floats) -> Floats:
    """What `outline` fills in, [vertices, 2]; NaN where it leaves something out."""
    points = np.full((shape.vertices, 2), np.nan)
    with np.errstate(all="ignore"):
        shape.outline(genes, points)
    return points


def runs_at(shape: Shape, genes: Floats, heights: Floats) -> list[list[tuple[float, float]]]:
    """Where the shape begins and ends in x, at each height: a list of runs for each."""
    if shape.vertices:
        points = corners(shape, genes)
        return [_winding(points, float(y)) for y in heights]
    with np.errstate(all="ignore"):
        low, high = shape.bounds(genes)
        ends = [shape.span(genes, float(y)) if low <= y < high else (0.0, 0.0) for y in heights]
    return [[(float(left), float(right))] if right > left else [] for left, right in ends]


def shares(shape: Shape, genes: Floats, canvas: Canvas, subrows: int) -> Floats:
    """The share of each pixel that the shape covers, [height, width], from so many rows of each."""
    half_width, half_height = canvas.reach
    rows = canvas.height * subrows
    heights = (np.arange(rows) + 0.5) * canvas.pixel / subrows - half_height
    edges = np.arange(canvas.width + 1) * canvas.pixel - half_width
    covered = np.zeros((rows, canvas.width))
    for row, runs in zip(covered, runs_at(shape, genes, heights), strict=True):
        for left, right in runs:
            row += np.clip(np.minimum(right, edges[1:]) - np.maximum(left, edges[:-1]), 0, None)
    share: Floats = covered.reshape(canvas.height, subrows, -1).mean(1) / canvas.pixel
    return share


def _winding(points: Floats, y: float) -> list[tuple[float, float]]:
    """The runs of a closed polygon at one height: where it winds around a point."""
    crossings = []
    for (xa, ya), (xb, yb) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if (ya <= y) != (yb <= y):
            crossings.append((xa + (y - ya) * (xb - xa) / (yb - ya), 1 if yb > ya else -1))
    runs, winding, left = [], 0, 0.0
    for x, way in sorted(crossings):
        if winding == 0:
            left = x
        winding += way
        if winding == 0 and x > left:
            runs.append((float(left), float(x)))
    return runs
