"""Checks of shapes: random shapes and changes, coverage, drawing and SVG export."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.families.shape import search_checks
from artgen.families.shape.contract import Shape
from artgen.families.shape.reference import (
    Floats,
    corners,
    random_genes,
    shares,
    spans_at,
    stack_values,
)
from artgen.families.shape.search_checks import MANY, SOME, members
from artgen.families.shape.spans import covering, draw_shapes, functions_of, load_shared
from artgen.init import Context
from artgen.raster import draw
from artgen.raster.sampling import SAMPLE_ROWS
from artgen.testing.candidate import CANVAS, Candidate, first_tensors
from artgen.testing.elements import Unknown, painted
from artgen.testing.families import CHECKS, FIRST, THEN
from artgen.testing.run_checks import Failed, basic
from artgen.values.canvas import Canvas

OFTEN = 0.02
"""Smallest fraction of random shapes, and of small changes, that has to be valid."""
REACH = 5.0
"""Largest factor between `size` and the reach of random shapes, or `step` and a change."""
SLACK = 0.04
"""Largest error of the SVG, as a fraction of the area and of the pixels on the outline."""
LEVELS = 1.0
"""Largest mean difference between two sizes of a picture, in levels of 255."""
ENLARGED = 4


@basic
def random(candidate: Candidate) -> str:
    """Random shapes set all their genes, are finite, of the requested size, and often valid.

    Write every gene in `random`, scale lengths by `size`, and choose genes that `valid` accepts.
    """
    least = 1.0
    for label, shape in members(candidate):
        rng = np.random.default_rng(1)
        usable, reached = 0, []
        for _ in range(MANY):
            x, y, size = rng.uniform(-1, 1), rng.uniform(-1, 1), 10 ** rng.uniform(-2, 0)
            genes = np.full(shape.genes, np.nan)
            shape.random(genes, rng, x, y, size)
            if np.isnan(genes).any():
                raise Failed(f"{label}.random does not set {_gene(shape, np.isnan(genes))}")
            if not np.isfinite(genes).all():
                raise Failed(f"{label}.random makes {_gene(shape, ~np.isfinite(genes))} infinite")
            if shape.valid(genes):
                usable += 1
                away = shape.polygon(genes) - [x, y]
                reached.append(float(np.hypot(*away.T).max(initial=0)) / size)
        if usable < OFTEN * MANY:
            raise Failed(f"{label}.random makes only {usable} valid shapes of {MANY}")
        typical = statistics.median(reached)
        if not 1 / REACH <= typical <= REACH:
            raise Failed(f"{label}.random typically reaches {typical:.3g} times `size`")
        least = min(least, usable / MANY)
    return f"{least:.0%} are valid"


def mutation(candidate: Candidate) -> str:
    """Changes reach every gene, are about as large as the step, and often leave a shape valid.

    Let `mutate` choose among all genes and take steps in proportion to `step`. Leave it out if
    changing one gene at a time is enough.
    """
    least = 1.0
    for label, shape in members(candidate):
        rng = np.random.default_rng(2)
        # Enough that no gene is left out by chance.
        start = random_genes(shape, rng, CANVAS, max(MANY, 20 * shape.genes))
        touched = np.zeros(shape.genes, bool)
        usable, moved = 0, []
        for genes in start:
            step = 10 ** rng.uniform(-3, -1.5)
            changed = genes.copy()
            shape.mutate(changed, rng, step)
            if not np.isfinite(changed).all():
                raise Failed(f"{label}.mutate makes {_gene(shape, ~np.isfinite(changed))} NaN")
            touched |= changed != genes
            moved.append(float(np.abs(changed - genes).max()) / step)
            usable += bool(shape.valid(changed))
        if not touched.all():
            raise Failed(f"{label}.mutate never changes {_gene(shape, ~touched)}")
        typical = statistics.median(moved)
        if not 0.01 <= typical <= 4 * REACH:
            raise Failed(f"{label}.mutate typically changes genes by {typical:.3g} times `step`")
        if usable < OFTEN * len(start):
            raise Failed(f"{label}.mutate leaves only {usable} of {len(start)} shapes valid")
        least = min(least, usable / len(start))
    return f"{least:.0%} stay valid"


@basic
def purity(candidate: Candidate) -> None:
    """The same genes always give the same shape, and are not changed.

    Only `random` and `mutate` may write into `genes`; keep no state in globals.
    """
    for label, shape in members(candidate):
        start = random_genes(shape, np.random.default_rng(3), CANVAS, SOME)
        for name in ("valid", *covering(shape)):
            first = [_answer(shape, name, genes.copy()) for genes in start]
            for genes, before in zip(start, first, strict=True):
                given = genes.copy()
                again = _answer(shape, name, given)
                if not np.array_equal(given, genes):
                    raise Failed(f"{label}.{name} changes {_gene(shape, given != genes)}")
                if not np.array_equal(before, again, equal_nan=True):
                    raise Failed(f"{label}.{name} gives another result when called again")


def compiled(candidate: Candidate) -> None:
    """The functions compile, and compiled they do the same as in plain Python.

    Use only numbers, `math`, loops and arrays; avoid features that differ, such as exceptions.
    """
    for label, shape in members(candidate):
        kernels, functions = load_shared("families.shape.call_kernels"), functions_of(shape)
        rng = np.random.default_rng(4)
        for genes in random_genes(shape, rng, CANVAS, SOME):
            for name, arguments in {"random": (0.1, -0.2, 0.3), "mutate": (0.05,)}.items():
                ours, theirs, seed = genes.copy(), genes.copy(), int(rng.integers(2**32))
                made = functions, 0, ours, np.random.default_rng(seed)
                getattr(kernels, name)(*made, *arguments)
                getattr(shape, name)(theirs, np.random.default_rng(seed), *arguments)
                if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
                    gap = float(np.abs(ours - theirs).max())
                    raise Failed(
                        f"{label}.{name} gives other genes when compiled: off by {gap:.3g}"
                    )
                if kernels.valid(functions, 0, theirs) != bool(shape.valid(theirs)):
                    raise Failed(f"{label}.valid gives another result when compiled")


def outline(candidate: Candidate) -> str:
    """An outline sets all its corners, and is convex if the shape says so.

    Write all rows of `points`: `vertices`, or four per curve. Leave out `convex` if it can be
    concave.
    """
    outlined = [each for each in members(candidate) if each[1].outline_points]
    for label, shape in outlined:
        rng = np.random.default_rng(5)
        for genes in random_genes(shape, rng, CANVAS, MANY, changes=3):
            points = corners(shape, genes)
            if not np.isfinite(points).all():
                wrong = int((~np.isfinite(points)).any(1).argmax())
                raise Failed(f"{label}.outline gives corner {wrong} as {points[wrong].tolist()}")
            if not shape.convex:
                continue
            low, high = points[:, 1].min(), points[:, 1].max()
            for spans in spans_at(shape, genes, rng.uniform(low, high, 9)):
                if len(spans) > 1:
                    raise Failed(f"{label} says it is convex, but has {len(spans)} spans in a row")
    return "" if outlined else "no outline"


def bounds(candidate: Candidate) -> str:
    """Spans are finite, and most rows within the bounds are covered.

    Let `bounds` give the smallest and the largest y of the shape; rows outside are not drawn.
    """
    spanned = [
        (label, shape)
        for label, shape in members(candidate)
        if not shape.outline_points or type(shape).span is not Shape.span
    ]
    for label, shape in spanned:
        rng = np.random.default_rng(6)
        empty = total = 0
        for genes in random_genes(shape, rng, CANVAS, MANY, changes=3):
            low, high = shape.bounds(genes)
            if not (np.isfinite([low, high]).all() and low <= high):
                raise Failed(f"{label}.bounds gives {low:.3g} to {high:.3g}")
            heights = rng.uniform(low, high, 9)
            for y in heights:
                left, right = shape.span(genes, float(y))
                if not np.isfinite([left, right]).all():
                    raise Failed(
                        f"{label}.span gives {left:.3g} to {right:.3g} "
                        f"at {(y - low) / (high - low):.0%} of its height"
                    )
                empty += right <= left
            total += len(heights)
            if shape.outline_points:
                _same_both_ways(label, shape, genes, heights)
        if empty > total / 2:
            raise Failed(f"{label}.span is empty in {empty / total:.0%} of rows within its bounds")
    return "" if spanned else "drawn by its outline"


def coverage(candidate: Candidate) -> str:
    """The drawn picture agrees with the outline or the spans, pixel by pixel.

    This compares kernels with plain Python: look for numbers that overflow, or differ in Python.
    """
    canvas, worst = Canvas(2 * CANVAS.width, 2 * CANVAS.height), 0.0
    for label, shape in members(candidate):
        for genes in random_genes(shape, np.random.default_rng(7), canvas, SOME, changes=2):
            drawn = _drawn(shape, genes, canvas)
            expected = shares(shape, genes, canvas, SAMPLE_ROWS)
            gap = float(np.abs(drawn - expected).sum())
            if not gap <= 0.01 * float(expected.sum()) + 1:
                raise Failed(f"{label} draws {gap:.1f} of {expected.sum():.0f} pixels differently")
            worst = max(worst, gap)
    return f"at most {worst:.2g} pixels apart"


def svg(candidate: Candidate) -> str:
    """The SVG element covers the same area as the drawn shape.

    Use the same lengths in `svg` as in `outline` or `span`, or leave it out.
    """
    unknown = set()
    for label, shape in members(candidate):
        for genes in random_genes(shape, np.random.default_rng(8), CANVAS, SOME):
            text = shape.svg(genes)
            points, inside = _sampled(shape, genes)
            try:
                mask = painted(text, points)
            except Unknown as reason:
                unknown.add(str(reason))
                break
            wrong, size = float((mask != inside).sum()), float(inside.sum())
            if wrong > SLACK * (size + len(points) ** 0.5 * 4):
                raise Failed(
                    f"{label}.svg covers {mask.sum()} of {len(points)} points and the shape "
                    f"{int(size)}; {int(wrong)} differ: {text[:80]}"
                )
    return f"not checked: {', '.join(sorted(unknown))}" if unknown else ""


def resolution(candidate: Candidate) -> None:
    """A drawing looks the same at another size.

    Details finer than the sample rows of a pixel get lost: make them coarser.
    """
    larger = Canvas(ENLARGED * CANVAS.width, ENLARGED * CANVAS.height)
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant, moved=True)
        small = draw(made, primitive)
        large = torch.nn.functional.avg_pool2d(draw(made, primitive, larger), ENLARGED)
        gap = 255 * float((small - large).square().mean().sqrt())
        if not gap <= LEVELS:
            raise Failed(
                f"{candidate.label(variant)} differs by {gap:.1f} levels on average between "
                f"{CANVAS.width}x{CANVAS.height} and {larger.width}x{larger.height} pixels"
            )


def _answer(shape: Shape, name: str, genes: Floats) -> Any:
    """Return the result of one of the shape's functions for `genes`."""
    match name:
        case "outline":
            return corners(shape, genes)
        case "span":
            low, high = shape.bounds(genes.copy())
            return [shape.span(genes, float(y)) for y in np.linspace(low, high, 7)]
        case _:
            return getattr(shape, name)(genes)


def _gene(shape: Shape, which: NDArray[np.bool_]) -> str:
    """Name the first marked gene, such as ``gene 3 (angle)``."""
    number = int(np.argmax(which))
    name = f" ({shape.gene_names[number]})" if shape.gene_names else ""
    return f"gene {number}{name}"


def _same_both_ways(label: str, shape: Shape, genes: Floats, heights: Floats) -> None:
    """Raise Failed if `outline` and `span` describe different shapes."""
    points = corners(shape, genes)
    width = float(np.ptp(points[:, 0]))
    for y, spans in zip(heights, spans_at(shape, genes, heights), strict=True):
        left, right = shape.span(genes, float(y))
        found = (spans[0][0], spans[-1][1]) if spans else (left, left)
        if max(abs(found[0] - left), abs(found[1] - max(left, right))) > 0.1 * width:
            raise Failed(
                f"{label} extends from {found[0]:.3g} to {found[1]:.3g} by its outline, but from "
                f"{left:.3g} to {right:.3g} by its span, at y = {y:.3g}"
            )


def _drawn(shape: Shape, genes: Floats, canvas: Canvas) -> Floats:
    """Draw the shape alone, white on black."""
    tensors = {
        "genes": torch.from_numpy(genes[:, None]),
        "colour": torch.ones(3, 1),
        "alpha": torch.ones(1),
    }
    return draw_shapes(shape, tensors, canvas, (0.0, 0.0, 0.0))[0].double().numpy()


def _sampled(shape: Shape, genes: Floats, side: int = 100) -> tuple[Floats, NDArray[np.bool_]]:
    """Return points in and around the shape, [side², 2], and which of them it covers."""
    points = shape.polygon(genes)
    low, high = points.min(0), points.max(0)
    margin = 0.05 * (high - low).max() + 1e-9
    x, y = (np.linspace(low[i] - margin, high[i] + margin, side) for i in (0, 1))
    inside = np.zeros((side, side), bool)
    for row, spans in zip(inside, spans_at(shape, genes, y), strict=True):
        for left, right in spans:
            row |= (left <= x) & (x < right)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return grid, inside.reshape(-1)


@first_tensors.register(Shape)
def _random_shapes(shape: Shape, context: Context, seed: int, moved: bool) -> dict[str, Tensor]:
    """Make random shapes, since only the search makes them otherwise."""
    return stack_values(shape, context.canvas, context.count, seed, changes=3 if moved else 0)


CHECKS[Shape] = (
    *(*FIRST, purity, *THEN),
    *(random, mutation, compiled, outline, bounds, coverage, svg, resolution),
    *(search_checks.scoring, search_checks.cost),
)
