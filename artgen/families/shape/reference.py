"""Reference implementation of shapes in plain Python: random shapes, and their coverage by row.

It is independent of the kernels, which are compared with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import PluginError
from artgen.families.shape.contract import Shape
from artgen.families.shape.spans import Stack, pack
from artgen.primitives import bezier_points
from artgen.values.canvas import Canvas

Floats = NDArray[np.float64]

TRIES = 200
"""Number of random attempts of a search before it climbs: one of them should be valid."""
SMALLEST, LARGEST = 0.1, 0.6
"""Smallest and largest reach of random shapes, in canvas units."""
PIECES = 48
"""Number of straight lines that approximate a curve."""


def random_genes(
    shape: Shape, rng: np.random.Generator, canvas: Canvas, number: int, changes: int = 0
) -> Floats:
    """Make valid shapes anywhere on the canvas, [number, genes], each mutated `changes` times.

    Raises PluginError if `random` makes no valid shape.
    """
    half_width, half_height = canvas.reach
    found = np.zeros((number, shape.genes))
    for genes in found:
        for _ in range(TRIES):
            x, y = half_width * rng.uniform(-1, 1), half_height * rng.uniform(-1, 1)
            with np.errstate(all="ignore"):
                shape.random(genes, rng, x, y, rng.uniform(SMALLEST, LARGEST))
                if shape.valid(genes):
                    break
        else:
            raise PluginError(
                f"{type(shape).__name__}.random makes no valid shape in {TRIES} attempts",
                hint="check its valid()",
            )
        for _ in range(changes):
            changed = genes.copy()
            with np.errstate(all="ignore"):
                shape.mutate(changed, rng, SMALLEST)
                if shape.valid(changed):
                    genes[:] = changed
    return found


def stack_values(
    shape: Shape, canvas: Canvas, count: int, seed: int, changes: int = 0
) -> dict[str, Tensor]:
    """Make the tensors of a drawing of random shapes; the kinds of a mixture take turns."""
    rng = np.random.default_rng(seed)
    members = shape.members
    genes = np.zeros((count, max(member.genes for member in members)))
    for i, row in enumerate(genes):
        member = members[i % len(members)]
        row[: member.genes] = random_genes(member, rng, canvas, 1, changes)[0]
    colour, alpha = rng.random((3, count)).T, rng.uniform(0.2, 1, count)
    return pack(shape, Stack(np.arange(count) % len(members), genes, colour, alpha))


def corners(shape: Shape, genes: Floats) -> Floats:
    """Return the points that `outline` writes, [points, 2]; NaN where it writes nothing."""
    points = np.full((shape.outline_points, 2), np.nan)
    shape.outline(genes, points)
    return points


def spans_at(shape: Shape, genes: Floats, heights: Floats) -> list[list[tuple[float, float]]]:
    """Return the spans of the shape at each height: lists of left and right ends in x."""
    if shape.outline_points:
        points = corners(shape, genes)
        begins, ends = points, np.roll(points, -1, axis=0)
        if shape.curves:
            shares = np.linspace(0, 1, PIECES + 1)
            pieces = [bezier_points(controls, shares) for controls in points.reshape(-1, 4, 2)]
            begins = np.concatenate([each[:-1] for each in pieces])
            ends = np.concatenate([each[1:] for each in pieces])
        return [_winding(begins, ends, float(y)) for y in heights]
    low, high = shape.bounds(genes)
    pairs = [shape.span(genes, float(y)) if low <= y < high else (0.0, 0.0) for y in heights]
    return [[(float(left), float(right))] if right > left else [] for left, right in pairs]


def shares(shape: Shape, genes: Floats, canvas: Canvas, sample_rows: int) -> Floats:
    """Compute the covered share of each pixel, [height, width], with `sample_rows` per pixel."""
    half_width, half_height = canvas.reach
    rows = canvas.height * sample_rows
    heights = (np.arange(rows) + 0.5) * canvas.pixel / sample_rows - half_height
    edges = np.arange(canvas.width + 1) * canvas.pixel - half_width
    covered = np.zeros((rows, canvas.width))
    for row, spans in zip(covered, spans_at(shape, genes, heights), strict=True):
        for left, right in spans:
            row += np.clip(np.minimum(right, edges[1:]) - np.maximum(left, edges[:-1]), 0, None)
    share: Floats = covered.reshape(canvas.height, sample_rows, -1).mean(1) / canvas.pixel
    return share


def _winding(begins: Floats, ends: Floats, y: float) -> list[tuple[float, float]]:
    """Return the spans inside of closed lines at one height, by the nonzero winding rule."""
    crossed = (begins[:, 1] <= y) != (ends[:, 1] <= y)
    crossings = []
    for (xa, ya), (xb, yb) in zip(begins[crossed], ends[crossed], strict=True):
        crossings.append((xa + (y - ya) * (xb - xa) / (yb - ya), 1 if yb > ya else -1))
    spans, winding, left = [], 0, 0.0
    for x, way in sorted(crossings):
        if winding == 0:
            left = x
        winding += way
        if winding == 0 and x > left:
            spans.append((float(left), float(x)))
    return spans
