"""Checks of how shapes are scored by the search: the right score, at a bearable cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import cast

import numpy as np

from artgen.families.shape.compositing import Compositing
from artgen.families.shape.contract import Shape
from artgen.families.shape.reference import Floats, random_genes, shares, stack_values
from artgen.families.shape.spans import Stack, unpack
from artgen.testing.candidate import CANVAS, Candidate, picture
from artgen.testing.run_checks import Failed
from artgen.values.canvas import Canvas

MANY, SOME = 400, 24
"""Number of random shapes in fast checks, and in slow ones."""
EXACT, CURVED = 2e-3, 0.03
"""Largest error of a score, relative to the error of the pixels. The search takes curves for a few
straight lines, and the picture is tiny."""
SLOWEST = 20.0
"""Largest time for scoring a row of a shape, in times of a row of a triangle."""
TIMED, ROUNDS, TIMED_SIZE = 2000, 5, 0.3
"""Number of shapes that are timed, number of repetitions, and how far the shapes reach."""
ALPHA, BACKGROUND = 0.7, (0.2, 0.5, 0.8)
"""Opacity and background of the picture in which shapes are scored."""


def members(candidate: Candidate) -> Iterator[tuple[str, Shape]]:
    """Yield label and shape for every variant, and for every kind of a mixture."""
    for variant in candidate.variants:
        for shape in cast(Shape, candidate.primitive(variant)).members:
            yield f"{type(shape).__name__}{variant}", shape


def scoring(candidate: Candidate) -> str:
    """The search gives a shape the same score as a sum over its pixels.

    The spans of a row must not overlap, and must be the same at every call.
    """
    worst = 0.0
    for label, shape in members(candidate):
        layers = _prepared_stack(shape)
        rng = np.random.default_rng(9)
        for genes in random_genes(shape, rng, CANVAS, SOME, changes=2):
            # Scored where it is, as there are no candidates and no patience.
            found, _, _ = layers.search(rng, 0, 0.1, 0.2, 0.1, 0.1, 0, 1.0, 0, genes.copy())
            expected, scale = _added_up(layers, shape, genes)
            if not abs(found - expected) <= (CURVED if shape.curves else EXACT) * scale + 1e-4:
                raise Failed(
                    f"{label} is scored {found:.5g}, but its pixels add up to {expected:.5g}"
                )
            worst = max(worst, abs(found - expected) / max(scale, 1e-3))
    return f"off by at most {worst:.1g} of the error"


def cost(candidate: Candidate) -> str:
    """Scoring a row of the shape does not take much longer than scoring a row of a triangle.

    Use fewer corners; move roots and sines out of loops, or out of `span` into the genes.
    """
    remark, most = "", 0.0
    reference, rows = _timing(_Triangle())
    for label, shape in members(candidate):
        layers, each = _timing(shape)
        taken: list[tuple[float, float]] = [
            (_seconds(layers, shape), _seconds(reference, _Triangle())) for _ in range(ROUNDS)
        ]
        ours, theirs = (statistics.median(times) for times in zip(*taken, strict=True))
        factor = ours / max(each, 1e-9) / (theirs / rows)
        if factor > most:
            most = factor
            remark = f"{factor:.1f} times the time of a triangle per row, {each:.0f} rows each"
        if factor > SLOWEST:
            raise Failed(f"{label} takes {remark}; more than {SLOWEST:g} makes the search slow")
    return remark


class _Triangle(Shape):
    """The shape to which the time of others is compared."""

    genes, vertices, convex = 6, 3, True

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        genes[0], genes[1] = x, y
        for i in range(2, 6):
            genes[i] = genes[i % 2] + size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        for i in range(3):
            points[i, 0], points[i, 1] = genes[2 * i], genes[2 * i + 1]


def _prepared_stack(shape: Shape) -> Compositing:
    """Stack shapes below and above a place, and compute the sums for this place."""
    stack = unpack(stack_values(shape, CANVAS, 4, seed=10))
    weight = np.random.default_rng(11).uniform(0.5, 1.5, (CANVAS.height, CANVAS.width))
    layers = Compositing(shape, picture(CANVAS), weight, BACKGROUND, (ALPHA, ALPHA))
    layers.go_to(stack, 2)
    layers.add_up(1)
    return layers


def _added_up(layers: Compositing, shape: Shape, genes: Floats) -> tuple[float, float]:
    """Compute the score from every covered pixel, and the error there as its scale."""
    share = shares(shape, genes, CANVAS, 1)
    below, above, through = (
        each.astype(float) for each in (layers.below, layers.above, layers.through)
    )
    opacity = ALPHA * through
    error = layers.target - above - through * below
    wanted = error + opacity * below
    weight = layers.weight * share
    sums = (weight * opacity * wanted).sum((1, 2))
    square = float((weight * opacity**2).sum())
    colour = np.clip(sums / max(square, 1e-12), 0, 1)
    change = float((weight * (wanted**2 - error**2)).sum())
    change += square * float(colour @ colour) - 2 * float(colour @ sums)
    return change, float((weight * (wanted**2 + error**2)).sum())


def _timing(shape: Shape) -> tuple[Compositing, float]:
    """Prepare a picture to score shapes in, and the mean number of rows of a random shape."""
    canvas = Canvas(192, 192)
    layers = Compositing(shape, picture(canvas), None, BACKGROUND, (ALPHA, ALPHA))
    layers.go_to(Stack.empty(shape), 0)
    layers.add_up(1)
    rng, rows = np.random.default_rng(12), 0
    for _ in range(MANY):
        genes = np.zeros(shape.genes)
        x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
        shape.random(genes, rng, x, y, TIMED_SIZE)
        if shape.valid(genes):
            first, last = layers.kernels.rows_of(
                layers.functions, 0, genes, layers.grid, canvas.height
            )
            rows += last - first
    return layers, rows / MANY


def _seconds(layers: Compositing, shape: Shape) -> float:
    """Measure the CPU seconds to make and score `TIMED` random shapes."""
    began = time.process_time()
    layers.search(
        *(np.random.default_rng(0), TIMED, TIMED_SIZE, TIMED_SIZE * 1.001, 0.1, 0.1, 0, 1.0, 0),
        np.zeros(shape.genes),
    )
    return time.process_time() - began
