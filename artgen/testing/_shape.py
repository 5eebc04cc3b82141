"""Checks of shapes: what they make up, what they cover, what is drawn, scored and exported."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from artgen.canvas import Canvas
from artgen.engines.layers import Layers, Stack
from artgen.primitives import Shape
from artgen.raster import SUBROWS, draw, draw_shapes, load_kernels, unpack
from artgen.testing._elements import Unknown, painted
from artgen.testing._figures import (
    Floats,
    corners,
    random_genes,
    runs_at,
    shares,
    stack_values,
)
from artgen.testing._judging import Failed
from artgen.testing._subject import CANVAS, Subject, picture

__all__ = [
    "bounds",
    "compiled",
    "cost",
    "coverage",
    "mutation",
    "outline",
    "purity",
    "random",
    "resolution",
    "scoring",
    "svg",
]

MANY, SOME = 400, 24
"""How many random shapes are judged where that is quick, and where it is not."""
OFTEN = 0.02
"""At least this share of random shapes, and of small changes, has to be valid."""
REACH = 5.0
"""Random shapes reach `size`, and changes go `step` far, give or take this factor."""
SLACK = 0.04
"""SVG may be off by this share of the area and of what lies on the outline."""
LEVELS = 1.0
"""How far apart two sizes of a picture may be on average, in levels of 255."""
ENLARGED = 4
SLOWEST = 20.0
"""So many times the time of a triangle, for each row, may scoring a shape take."""
TIMED, ROUNDS, TIMED_SIZE = 2000, 5, 0.3
"""How many shapes are timed, how often, and how far they reach."""
ALPHA, BACKGROUND = 0.7, (0.2, 0.5, 0.8)
"""Of the picture that shapes are scored in."""


def random(subject: Subject) -> str:
    """Random shapes fill all their genes, are finite, as large as asked for, and often valid.

    Write every gene in `random`, scale lengths by `size`, and start where `valid` agrees.
    """
    least = 1.0
    for label, shape in _members(subject):
        rng = np.random.default_rng(1)
        usable, reached = 0, []
        for _ in range(MANY):
            x, y, size = rng.uniform(-1, 1), rng.uniform(-1, 1), 10 ** rng.uniform(-2, 0)
            genes = np.full(shape.genes, np.nan)
            with np.errstate(all="ignore"):
                shape.random(genes, rng, x, y, size)
            if np.isnan(genes).any():
                raise Failed(f"{label}.random leaves {_gene(shape, np.isnan(genes))} as it was")
            if not np.isfinite(genes).all():
                raise Failed(f"{label}.random makes {_gene(shape, ~np.isfinite(genes))} infinite")
            if _valid(shape, genes):
                usable += 1
                reached.append(_reach(shape, genes, x, y) / size)
        if usable < OFTEN * MANY:
            raise Failed(f"{label}.random makes {usable} of {MANY} shapes that are valid")
        typical = statistics.median(reached)
        if not 1 / REACH <= typical <= REACH:
            raise Failed(f"{label}.random typically reaches {typical:.3g} times as far as asked")
        least = min(least, usable / MANY)
    return f"{least:.0%} are valid"


def mutation(subject: Subject) -> str:
    """Changes reach every gene, are about as large as the step, and often leave a shape valid.

    Let `mutate` choose among all genes, by steps in proportion to `step`; leave it out where one
    gene at a time will do.
    """
    least = 1.0
    for label, shape in _members(subject):
        rng = np.random.default_rng(2)
        # So many that no gene is left out by chance.
        start = random_genes(shape, rng, CANVAS, max(MANY, 20 * shape.genes))
        touched = np.zeros(shape.genes, bool)
        usable, moved = 0, []
        for genes in start:
            step = 10 ** rng.uniform(-3, -1.5)
            changed = genes.copy()
            with np.errstate(all="ignore"):
                shape.mutate(changed, rng, step)
            if not np.isfinite(changed).all():
                raise Failed(f"{label}.mutate makes {_gene(shape, ~np.isfinite(changed))} NaN")
            touched |= changed != genes
            moved.append(float(np.abs(changed - genes).max()) / step)
            usable += _valid(shape, changed)
        if not touched.all():
            raise Failed(f"{label}.mutate never changes {_gene(shape, ~touched)}")
        typical = statistics.median(moved)
        if not 0.01 <= typical <= 4 * REACH:
            raise Failed(f"{label}.mutate typically goes {typical:.3g} times as far as asked")
        if usable < OFTEN * len(start):
            raise Failed(f"{label}.mutate leaves {usable} of {len(start)} shapes valid")
        least = min(least, usable / len(start))
    return f"{least:.0%} stay valid"


def purity(subject: Subject) -> None:
    """The same genes always give the same shape, and are left as they are.

    Only `random` and `mutate` may write into `genes`; keep nothing in globals.
    """
    for label, shape in _members(subject):
        start = random_genes(shape, np.random.default_rng(3), CANVAS, SOME)
        for name in ("valid", *_covering(shape)):
            told = [_answer(shape, name, genes.copy()) for genes in start]
            for genes, before in zip(start, told, strict=True):
                given = genes.copy()
                again = _answer(shape, name, given)
                if not np.array_equal(given, genes):
                    raise Failed(f"{label}.{name} changes {_gene(shape, given != genes)}")
                if not np.array_equal(before, again, equal_nan=True):
                    raise Failed(f"{label}.{name} gives something else when called again")


def compiled(subject: Subject) -> None:
    """The functions compile, and as machine code do what they do as plain Python.

    Keep to numbers, `math`, loops and arrays; avoid what differs, such as exceptions.
    """
    text = Path(__file__).with_name("shape_kernels.py").read_text(encoding="utf-8")
    for label, shape in _members(subject):
        kernels = load_kernels(shape, text, ("random", "mutate", "valid"))
        rng = np.random.default_rng(4)
        for genes in random_genes(shape, rng, CANVAS, SOME):
            for name, fast, slow, arguments in (
                ("random", kernels.made_up, shape.random, (0.1, -0.2, 0.3)),
                ("mutate", kernels.changed, shape.mutate, (0.05,)),
            ):
                ours, theirs, seed = genes.copy(), genes.copy(), int(rng.integers(2**32))
                fast(np.random.default_rng(seed), ours, *arguments)
                with np.errstate(all="ignore"):
                    slow(theirs, np.random.default_rng(seed), *arguments)
                if not np.allclose(ours, theirs, rtol=1e-6, atol=1e-9):
                    gap = float(np.abs(ours - theirs).max())
                    raise Failed(
                        f"{label}.{name} gives other genes when compiled: off by {gap:.3g}"
                    )
                if kernels.may_be_used(theirs) != _valid(shape, theirs):
                    raise Failed(f"{label}.valid says something else when compiled")


def outline(subject: Subject) -> str:
    """An outline fills in all its corners, and never is dented where the shape says it is convex.

    Write all rows of `points`, as many as `vertices`; leave `convex` out where it may be dented.
    """
    judged = False
    for label, shape in _members(subject):
        if not shape.vertices:
            continue
        judged = True
        rng = np.random.default_rng(5)
        for genes in random_genes(shape, rng, CANVAS, MANY, changes=3):
            points = corners(shape, genes)
            if not np.isfinite(points).all():
                wrong = int((~np.isfinite(points)).any(1).argmax())
                raise Failed(f"{label}.outline gives corner {wrong} as {points[wrong].tolist()}")
            if not shape.convex:
                continue
            low, high = points[:, 1].min(), points[:, 1].max()
            for runs in runs_at(shape, genes, rng.uniform(low, high, 9)):
                if len(runs) > 1:
                    raise Failed(f"{label} says it is convex, but has {len(runs)} runs in a row")
    return "" if judged else "there is none"


def bounds(subject: Subject) -> str:
    """Spans are finite, and most of what lies within the bounds is covered.

    Let `bounds` give the least and the largest y of the shape; what lies outside is not drawn.
    """
    judged = False
    for label, shape in _members(subject):
        if shape.vertices and type(shape).span is Shape.span:
            continue
        judged = True
        rng = np.random.default_rng(6)
        empty = total = 0
        for genes in random_genes(shape, rng, CANVAS, MANY, changes=3):
            with np.errstate(all="ignore"):
                low, high = shape.bounds(genes)
            if not (np.isfinite([low, high]).all() and low <= high):
                raise Failed(f"{label}.bounds gives {low:.3g} to {high:.3g}")
            heights = rng.uniform(low, high, 9)
            for y in heights:
                with np.errstate(all="ignore"):
                    left, right = shape.span(genes, float(y))
                if not np.isfinite([left, right]).all():
                    raise Failed(
                        f"{label}.span gives {left:.3g} to {right:.3g} "
                        f"at {(y - low) / (high - low):.0%} of its height"
                    )
                empty += right <= left
            total += len(heights)
            if shape.vertices:
                _same_both_ways(label, shape, genes, heights)
        if empty > total / 2:
            raise Failed(f"{label}.span is empty in {empty / total:.0%} of what its bounds promise")
    return "" if judged else "there is an outline"


def coverage(subject: Subject) -> str:
    """What is drawn is what the outline or the spans say, point by point.

    This compares kernels with plain Python: look for numbers that overflow, or differ in Python.
    """
    canvas, worst = Canvas(2 * CANVAS.width, 2 * CANVAS.height), 0.0
    for label, shape in _members(subject):
        for genes in random_genes(shape, np.random.default_rng(7), canvas, SOME, changes=2):
            drawn = _drawn(shape, genes, canvas)
            expected = shares(shape, genes, canvas, SUBROWS)
            gap = float(np.abs(drawn - expected).sum())
            if not gap <= 0.01 * float(expected.sum()) + 1:
                raise Failed(f"{label} draws {gap:.1f} pixels of {expected.sum():.0f} otherwise")
            worst = max(worst, gap)
    return f"at most {worst:.2g} pixels apart"


def svg(subject: Subject) -> str:
    """The SVG element paints what is drawn.

    Give `svg` the lengths that `outline` or `span` use, or leave it out.
    """
    unknown = set()
    for label, shape in _members(subject):
        for genes in random_genes(shape, np.random.default_rng(8), CANVAS, SOME):
            with np.errstate(all="ignore"):
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
                    f"{label}.svg paints {mask.sum()} points of {len(points)}, {int(wrong)} of "
                    f"them otherwise than the {int(size)} of the shape: {text[:80]}"
                )
    return f"not judged: {', '.join(sorted(unknown))}" if unknown else ""


def resolution(subject: Subject) -> None:
    """The same drawing at another size is the same picture.

    Details finer than the rows of a pixel get lost: make them coarser.
    """
    larger = Canvas(ENLARGED * CANVAS.width, ENLARGED * CANVAS.height)
    for variant in subject.variants:
        primitive, made = subject.drawing(variant, moved=True)
        small = draw(made, primitive)
        large = torch.nn.functional.avg_pool2d(draw(made, primitive, larger), ENLARGED)
        gap = 255 * float((small - large).square().mean().sqrt())
        if not gap <= LEVELS:
            raise Failed(
                f"{subject.label(variant)} draws {gap:.1f} levels of 255 apart on average at "
                f"{CANVAS.width}x{CANVAS.height} and {larger.width}x{larger.height} pixels"
            )


def scoring(subject: Subject) -> str:
    """The search scores a shape as if its pixels were added up one by one.

    The runs of a shape must not overlap, and be the same whenever they are asked for.
    """
    worst = 0.0
    for label, shape in _members(subject):
        layers, stack = _scene(shape)
        for genes in random_genes(shape, np.random.default_rng(9), CANVAS, SOME, changes=2):
            found = _scored(layers, genes)
            expected, scale = _added_up(layers, stack, shape, genes)
            if not abs(found - expected) <= 2e-3 * scale + 1e-4:
                raise Failed(
                    f"{label} is scored {found:.5g}, but its pixels add up to {expected:.5g}"
                )
            worst = max(worst, abs(found - expected) / max(scale, 1e-3))
    return f"off by at most {worst:.1g} of the error"


def cost(subject: Subject) -> str:
    """Scoring it does not take much longer, row for row, than scoring a triangle.

    Have fewer corners, take roots and sines out of loops, or out of `span` into the genes.
    """
    remark, most = "", 0.0
    reference, rows = _timing(_Triangle())
    for label, shape in _members(subject):
        layers, each = _timing(shape)
        taken: list[tuple[float, float]] = [
            (_seconds(layers, shape), _seconds(reference, _Triangle())) for _ in range(ROUNDS)
        ]
        ours, theirs = (statistics.median(times) for times in zip(*taken, strict=True))
        factor = ours / max(each, 1e-9) / (theirs / rows)
        if factor > most:
            most = factor
            remark = f"{factor:.1f} times a triangle's time per row, {each:.0f} rows each"
        if factor > SLOWEST:
            raise Failed(f"{label} takes {remark}; more than {SLOWEST:g} makes a search slow")
    return remark


# ---- helpers -------------------------------------------------------------------------------------


class _Triangle(Shape):
    """What others are measured by."""

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


def _members(subject: Subject) -> Iterator[tuple[str, Shape]]:
    """Every variant, and of a mixture every kind, with what it is called."""
    for variant in subject.variants:
        for shape in cast(Shape, subject.primitive(variant)).members:
            name = type(shape).__name__
            yield f"{name}{variant}", shape


def _covering(shape: Shape) -> tuple[str, ...]:
    return ("outline",) if shape.vertices else ("bounds", "span")


def _answer(shape: Shape, name: str, genes: Floats) -> Any:
    """What one of its functions says of `genes`."""
    with np.errstate(all="ignore"):
        match name:
            case "outline":
                return corners(shape, genes)
            case "span":
                low, high = shape.bounds(genes.copy())
                return [shape.span(genes, float(y)) for y in np.linspace(low, high, 7)]
            case _:
                return getattr(shape, name)(genes)


def _valid(shape: Shape, genes: Floats) -> bool:
    with np.errstate(all="ignore"):
        return bool(shape.valid(genes))


def _gene(shape: Shape, which: Any) -> str:
    """``gene 3``, with its name where it has one."""
    number = int(np.argmax(which))
    name = f" ({shape.gene_names[number]})" if shape.gene_names else ""
    return f"gene {number}{name}"


def _reach(shape: Shape, genes: Floats, x: float, y: float) -> float:
    """How far the shape goes from (x, y)."""
    with np.errstate(all="ignore"):
        points = shape.polygon(genes)
    return float(np.hypot(*(points - [x, y]).T).max(initial=0))


def _same_both_ways(label: str, shape: Shape, genes: Floats, heights: Floats) -> None:
    """Where there is an outline and a span, they are one shape. Raises Failed."""
    points = corners(shape, genes)
    width = float(np.ptp(points[:, 0]))
    for y, runs in zip(heights, runs_at(shape, genes, heights), strict=True):
        with np.errstate(all="ignore"):
            left, right = shape.span(genes, float(y))
        found = (runs[0][0], runs[-1][1]) if runs else (left, left)
        if max(abs(found[0] - left), abs(found[1] - max(left, right))) > 0.1 * width:
            raise Failed(
                f"{label} goes from {found[0]:.3g} to {found[1]:.3g} by its outline, but from "
                f"{left:.3g} to {right:.3g} by its span, at y = {y:.3g}"
            )


def _drawn(shape: Shape, genes: Floats, canvas: Canvas) -> Floats:
    """The shape alone, white on black."""
    tensors = {
        "genes": torch.from_numpy(genes[:, None]),
        "colour": torch.ones(3, 1),
        "alpha": torch.ones(1),
    }
    drawn: Floats = draw_shapes(shape, tensors, canvas, (0.0, 0.0, 0.0))[0].double().numpy()
    return drawn


def _sampled(shape: Shape, genes: Floats, side: int = 100) -> tuple[Floats, Any]:
    """Points in and around the shape, [side², 2], and which of them it covers."""
    with np.errstate(all="ignore"):
        points = shape.polygon(genes)
    low, high = points.min(0), points.max(0)
    margin = 0.05 * (high - low).max() + 1e-9
    x, y = (np.linspace(low[i] - margin, high[i] + margin, side) for i in (0, 1))
    inside = np.zeros((side, side), bool)
    for row, runs in zip(inside, runs_at(shape, genes, y), strict=True):
        for left, right in runs:
            row |= (left <= x) & (x < right)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return grid, inside.reshape(-1)


def _scene(shape: Shape) -> tuple[Layers, Stack]:
    """A picture with shapes below and above a place, and sums for this place."""
    tensors = {
        name: torch.from_numpy(value)
        for name, value in stack_values(shape, CANVAS, 4, seed=10).items()
    }
    stack = Stack(*unpack(shape, tensors))
    weight = np.random.default_rng(11).uniform(0.5, 1.5, (CANVAS.height, CANVAS.width))
    layers = Layers(
        shape,
        np.ascontiguousarray(picture(CANVAS).numpy()),
        weight.astype(np.float32),
        BACKGROUND,
        (ALPHA, ALPHA),
    )
    layers.go_to(stack, 2)
    layers.add_up(1)
    return layers, stack


def _scored(layers: Layers, genes: Floats) -> float:
    """What the search says of the shape, without looking any further."""
    score, _, _ = layers.search(
        np.random.default_rng(0), 0, 0.1, 0.2, 0.1, 0.1, 0, 1.0, 0, genes.copy()
    )
    return score


def _added_up(layers: Layers, stack: Stack, shape: Shape, genes: Floats) -> tuple[float, float]:
    """The same from every pixel that the shape covers, and the error there to judge it by."""
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


def _timing(shape: Shape) -> tuple[Layers, float]:
    """A picture to score shapes in, and how many rows a random one has."""
    canvas = Canvas(192, 192)
    target = np.ascontiguousarray(picture(canvas).numpy())
    weight = np.ones((canvas.height, canvas.width), np.float32)
    layers = Layers(shape, target, weight, BACKGROUND, (ALPHA, ALPHA))
    nothing = np.zeros((0, max(3, shape.genes)))
    empty = Stack(np.zeros(0, np.int64), nothing[:, : shape.genes], nothing[:, :3], np.zeros(0))
    layers.go_to(empty, 0)
    layers.add_up(1)
    rng = np.random.default_rng(12)
    rows = []
    for _ in range(MANY):
        genes = np.zeros(shape.genes)
        with np.errstate(all="ignore"):
            x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
            shape.random(genes, rng, x, y, TIMED_SIZE)
        if _valid(shape, genes):
            first, last = layers.kernels.rows_of(0, genes, layers.grid, canvas.height)
            rows.append(last - first)
        else:
            rows.append(0)
    return layers, statistics.mean(rows)


def _seconds(layers: Layers, shape: Shape) -> float:
    """CPU seconds to make up and score so many shapes."""
    began = time.process_time()
    layers.search(
        *(np.random.default_rng(0), TIMED, TIMED_SIZE, TIMED_SIZE * 1.001, 0.1, 0.1, 0, 1.0, 0),
        np.zeros(shape.genes),
    )
    return time.process_time() - began
