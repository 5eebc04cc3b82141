"""Match shapes by polygon and by place in the stack, each kind of a mixture by itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.families.shape.contract import Shape, joined_ends
from artgen.families.shape.spans import as_drawn, finite_polygon, unpack
from artgen.matching import (
    Appearance,
    Floats,
    Tensors,
    align,
    appearance,
    carry,
    hide,
    in_steps,
    move,
    transform,
)

LEAST_SLOPE, MOST_SLOPE = 1e-3, 1e3
"""Of corners by genes: those below a share of the largest one do nothing; beyond the other limit
the order of the corners has changed."""

ROUNDS = 12
"""Most rounds of least squares after each step in which shapes are turned and scaled."""

FAITHFUL = 0.03
"""The largest distance of an outline from what it shall be, as a share of its size."""


@appearance.register(Shape)
def _appearance(shape: Shape, tensors: Tensors) -> Appearance:
    outlines = [_corners(*each) for each in _each(shape, tensors)]
    places = np.array([corners.mean(axis=0) for corners in outlines]).reshape(-1, 2)
    sizes = np.sqrt([float(np.prod(np.ptp(corners, axis=0))) for corners in outlines])
    colours = np.clip(tensors["colour"].double().numpy().T, -1, 2)
    layers = (np.arange(len(outlines)) + 0.5) / len(outlines)
    kinds, _ = _kinds_and_genes(shape, tensors)
    return Appearance(places, colours, sizes, layers, kinds, stacked=True)


@hide.register(Shape)
def _hide(shape: Shape, tensors: Tensors) -> Tensors:
    return {**tensors, "alpha": torch.zeros_like(tensors["alpha"])}


@move.register(Shape)
def _move(shape: Shape, tensors: Tensors, by: Tensor) -> Tensors:
    kinds, genes = _kinds_and_genes(shape, tensors)
    moved = tensors["genes"].clone()
    for number, member in enumerate(shape.members):
        mine = np.flatnonzero(kinds == number)
        if len(mine):
            steps = _steps(member, genes[mine[0], : member.genes])
            moved[: member.genes, mine] += torch.from_numpy(steps).float() @ by[:, mine]
    return {**tensors, "genes": moved}


@carry.register(Shape)
def _carry(shape: Shape, tensors: Tensors, motion: Callable[[Floats], Tensor]) -> Tensors:
    """Every corner moves as its place does, as nearly as the genes can follow."""
    shapes = _each(shape, tensors)
    corners = [_corners(*each) for each in shapes]
    if not corners:
        return tensors
    ends = np.cumsum([len(own) for own in corners])[:-1]
    wanted = np.split(motion(np.concatenate(corners)).double().numpy().T, ends)
    moved = tensors["genes"].clone()
    for index, (each, goal) in enumerate(zip(shapes, wanted, strict=True)):
        slopes = _slopes(*each)
        if slopes is not None:
            change = np.linalg.lstsq(slopes, goal.reshape(-1), rcond=LEAST_SLOPE)[0]
            moved[: len(change), index] += torch.from_numpy(change).float()
    return {**tensors, "genes": shape.keep_valid(tensors, moved)}


@transform.register(Shape)
def _transform(shape: Shape, tensors: Tensors, linear: Tensor, offset: Tensor) -> Tensors:
    """Genes follow as the outlines are turned and scaled in small steps, by least squares.

    Round shapes look the same when they are turned: where the genes of the scaled shape fit as
    well, they are taken.
    """
    whole, shift = linear.double().numpy(), offset.double().numpy()
    factor, angle, steps = in_steps(linear)
    found = tensors["genes"].clone()
    for index, (member, own) in enumerate(_each(shape, tensors)):
        corners = _corners(member, own)
        middle = corners.mean(axis=0)
        around, place = _points(member, own) - middle, whole @ middle + shift
        goal = (corners - middle) @ whole.T + place
        size = float(np.ptp(corners, axis=0).max())
        ways = []
        for turn in {0.0, angle}:
            way = own
            for step in np.arange(1, steps + 1) / steps:
                c, s = (factor**step * f(step * turn) for f in (math.cos, math.sin))
                there = middle + step * (place - middle)
                turned = around @ np.array([[c, s], [-s, c]]) + there
                way = _followed(member, way, _cornered(member, turned))
            ways.append((_apart(_corners(member, way), goal), way))
        error, best = min(ways, key=lambda each: each[0])
        if not error <= FAITHFUL * factor * size + 1e-6:
            what = f"shapes of {type(member).__name__} cannot be turned or scaled like this"
            raise UsageError(f"{what}: their genes cannot say it", hint="move them instead")
        found[: member.genes, index] = torch.from_numpy(best).float()
    # Limits are rules of the search: gene by gene they would leave another form.
    return {**tensors, "genes": found}


def _followed(member: Shape, genes: Floats, goal: Floats) -> Floats:
    """The genes of which the points are nearest to `goal` [points, 2], from those of before."""
    for _ in range(ROUNDS):
        slopes, points = _slopes(member, genes, _points), _points(member, genes)
        if slopes is None or points.shape != goal.shape:
            break
        change = np.linalg.lstsq(slopes, (goal - points).reshape(-1), rcond=LEAST_SLOPE)[0]
        genes = genes + change
        if np.abs(change).max() < 1e-7:
            break
    return genes


def _cornered(member: Shape, points: Floats) -> Floats:
    """The points [N, 2] of a shape; of one of spans its outline with corners at other heights."""
    if member.curves or member.vertices or len(points) < 3:
        return points
    (x, y), (u, v) = points.T, np.roll(points, -1, axis=0).T

    def span(at: float) -> tuple[float, float]:
        # The ends of a level edge are those of the edges beside it.
        share = (at - y) / np.where(v == y, np.nan, v - y)
        passed = (x + share * (u - x))[(share > -1e-9) & (share < 1 + 1e-9)]
        return float(passed.min()), float(passed.max())

    return joined_ends(float(y.min()), float(y.max()), span)


def _apart(one: Floats, other: Floats) -> float:
    """How far the corners of one outline are from the other at most, either way."""
    farthest = 0.0
    for points, ends in ((one, other), (other, one)):
        sides = np.roll(ends, -1, axis=0) - ends
        from_ends = points[:, None] - ends
        along = (from_ends * sides).sum(2) / np.maximum(np.square(sides).sum(1), 1e-12)
        beside = from_ends - np.clip(along, 0, 1)[:, :, None] * sides
        farthest = max(farthest, float(np.sqrt(np.square(beside).sum(2).min(1)).max()))
    return farthest


def _kinds_and_genes(shape: Shape, tensors: Tensors) -> tuple[NDArray[np.int64], Floats]:
    """The number of the kind of each shape, as it is drawn, [N], and the genes, [N, genes]."""
    stack = as_drawn(shape, unpack(tensors))
    return stack.kind, stack.genes


def _each(shape: Shape, tensors: Tensors) -> list[tuple[Shape, Floats]]:
    """Each shape as one of the kinds, with its own genes."""
    pairs = zip(*_kinds_and_genes(shape, tensors), strict=True)
    return [(shape.members[kind], genes[: shape.members[kind].genes]) for kind, genes in pairs]


def _corners(member: Shape, genes: Floats) -> Floats:
    """The shape's polygon [corners, 2]; the middle of the canvas where it is none."""
    corners = finite_polygon(member, np.ascontiguousarray(genes))
    return corners if len(corners) else np.zeros((1, 2))


def _points(member: Shape, genes: Floats) -> Floats:
    """The control points of curves, which are flattened otherwise in each position; or corners."""
    if not member.curves:
        return _corners(member, genes)
    points = np.empty((4 * member.curves, 2))
    member.outline(genes, points)
    return points


def _slopes(
    member: Shape, genes: Floats, of: Callable[[Shape, Floats], Floats] = _corners
) -> Floats | None:
    """The derivatives of the corners by the genes, [2 corners, genes]; None across a jump."""
    corners = of(member, genes)
    there = [of(member, genes + change) for change in 1e-4 * np.eye(len(genes))]
    if any(other.shape != corners.shape for other in there):
        return None
    slopes: Floats = (np.stack(there) - corners).reshape(len(genes), -1).T * 1e4
    return slopes if np.abs(slopes).max() < MOST_SLOPE else None


def _steps(member: Shape, genes: Floats) -> Floats:
    """Which change of the genes moves a shape by one unit in x and in y: [genes, 2].

    The least one, by the derivatives of the corners. Raises UsageError where there is none.
    """
    corners, slopes = _corners(member, genes), _slopes(member, genes)
    units = np.stack([np.tile(axis, len(corners)) for axis in np.eye(2)], 1)
    steps = np.zeros((len(genes), 2))
    if slopes is not None:
        steps[:] = np.linalg.lstsq(slopes, units, rcond=1e-6)[0]
    for axis, step in zip(np.eye(2), steps.T, strict=True):
        if not np.allclose(_corners(member, genes + step), corners + axis, atol=1e-3):
            raise UsageError(
                f"shapes of {type(member).__name__} cannot fly in: no change of genes moves them",
                hint="leave out --film fly-in",
            )
    return steps


@align.register(Shape)
def _align(shape: Shape, a: Tensors, b: Tensors) -> Tensors:
    """Corners in another order, a direction turned around."""
    (_, one), (kinds, other) = _kinds_and_genes(shape, a), _kinds_and_genes(shape, b)
    for number, member in enumerate(shape.members):
        mine = np.flatnonzero(kinds == number)
        if len(mine) == 0:
            continue
        size = member.genes
        changes = _symmetries(member, other[mine[:3], :size])
        ways = np.stack([other[mine][:, order] * sign for order, sign in changes])
        distance = np.square(ways - one[mine][None, :, :size]).sum(2)
        other[mine, :size] = ways[distance.argmin(0), np.arange(len(mine))]
    return {**b, "genes": torch.from_numpy(other.T.astype(np.float32, "C"))}


def _symmetries(member: Shape, examples: Floats) -> list[tuple[NDArray[np.int64], Floats]]:
    """Try out which orders and signs of genes leave a shape as it is."""
    size = member.genes
    nothing = np.arange(size)
    unchanged = (nothing, np.ones(size))
    tried = []
    for k in sorted({2, 3, size // 2} & set(range(2, size // 2 + 1))):
        for shift in range(k):
            for corners in (np.arange(k), np.arange(k)[::-1]):
                points = np.roll(corners, shift)
                moved = np.stack([2 * points, 2 * points + 1], axis=1).reshape(-1)
                tried.append((np.concatenate([moved, nothing[2 * k :]]), np.ones(size)))
    for first in range(size - 1):
        sign = np.ones(size)
        sign[first : first + 2] = -1
        tried.append((nothing, sign))
    return [unchanged] + [
        (order, sign)
        for order, sign in tried
        if all(_same_polygon(member, genes, genes[order] * sign) for genes in examples)
    ]


def _same_polygon(member: Shape, one: Floats, other: Floats) -> bool:
    from scipy.spatial.distance import cdist

    p, q = _corners(member, one), _corners(member, other)
    if p.shape != q.shape:
        return False
    # The same corners in another order have sides with other middles.
    apart = cdist(*(np.concatenate([c, (c + np.roll(c, 1, axis=0)) / 2]) for c in (p, q)))
    return bool(max(apart.min(0).max(), apart.min(1).max()) < 1e-4 * np.ptp(p, axis=0).max())
