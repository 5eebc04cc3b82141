"""Filled paths: closed contours with a colour, found among the contours of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from artgen.svg.curves import Floats, passages, signed_area
from artgen.values.canvas import Canvas

SIDE = 64
"""Rows and columns of the picture by which a contour is known to cover the canvas."""

FINER = 4
"""Sample points per row and column of a pixel, by which its coverage is measured."""

PROBES, NUDGE = 8, 1e-3
"""Points of a contour at which it is known for an outline or a hole, and how far within they are,
in lengths of its edges: contours that touch share edges."""

VIEW = 64
"""The longer side, in pixels, of the picture on which contours are compared."""


@dataclass(frozen=True, eq=False)
class FilledPath:
    """A closed contour `points` [N, 2], float64, with a colour and an opacity in 0..1."""

    points: Floats
    colour: tuple[float, float, float]
    alpha: float

    def moved(self, by: tuple[float, float], scale: float) -> FilledPath:
        """The path moved, then scaled around the origin."""
        return replace(self, points=(self.points + by) * scale)

    def within(self, far: float) -> FilledPath:
        """The path without what is more than `far` away from the origin along an axis.

        Cut side by side (Sutherland and Hodgman, 1974), so that edges keep their directions. It may
        have no points left.
        """
        points = self.points
        for normal in (*np.eye(2), *-np.eye(2)):
            here = points @ normal - far
            there = np.roll(here, -1)
            crosses = (here > 0) != (there > 0)
            shares = here / np.where(crosses, here - there, 1)
            cuts = points + shares[:, None] * (np.roll(points, -1, 0) - points)
            points = np.stack([points, cuts], 1)[np.stack([here <= 0, crosses], 1)]
        return replace(self, points=points)


def outer_rings(
    rings: Sequence[Floats], *, even_odd: bool, compare: Callable[[int], object]
) -> tuple[list[Floats], int]:
    """Return the contours that have the paint inside, and the number of holes.

    All of them are one path, filled by the nonzero or by the even-odd rule. Before contours are
    compared, `compare` is told the number of comparisons, and may raise.
    """
    if not even_odd:  # what is drawn twice in the same direction is painted once
        corners = [np.unique(ring, axis=0).tobytes() for ring in rings]
        areas = [f"{signed_area(ring):.6g}" for ring in rings]
        rings = list(dict(zip(zip(corners, areas, strict=True), rings, strict=True)).values())
    turns = np.array([1 if even_odd else np.sign(signed_area(ring)) or 1 for ring in rings], int)

    def paint(points: Floats, owners: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether there is paint outside and inside of the owners, at points of them: [2, N]."""
        # How often the contours but its owner wind around each of the points.
        around = np.zeros(len(points), np.int64)
        order = np.argsort(points[:, 1], kind="stable")
        levels = points[order, 1]
        for index, ring in enumerate(rings):
            low, high = ring.min(0), ring.max(0)
            begin, end = levels.searchsorted(low[1], "left"), levels.searchsorted(high[1], "right")
            compare(int(end - begin))
            near = order[begin:end]
            across = points[near, 0]
            near = near[(low[0] <= across) & (across <= high[0]) & (owners[near] != index)]
            point, x, _ = passages(ring, points[near, 1], compare)
            right = x > points[near[point], 0]
            inside = np.bincount(point[right], minlength=len(near)) % 2 == 1
            around[near[inside]] += turns[index]
        both = np.stack([around, around + turns[owners]])
        return np.asarray((both % 2 if even_odd else both) != 0)

    every = np.arange(len(rings))
    without, within = paint(np.array([ring[0] for ring in rings]), every)
    outer, hole = within & ~without, ~within
    # Contours may cross: then what holds at the first corner does not hold all along.
    unsure = np.repeat(every[~outer], PROBES)
    if len(unsure):
        probes = np.concatenate([_probes(rings[index]) for index in every[~outer].tolist()])
        without, within = paint(probes, unsure)
        edges = np.bincount(unsure[within & ~without], minlength=len(rings))
        gaps = np.bincount(unsure[without & ~within], minlength=len(rings))
        outer |= edges > gaps
    kept = [ring for ring, is_outer in zip(rings, outer.tolist(), strict=True) if is_outer]
    return kept, int((hole & ~outer).sum())


def _probes(ring: Floats) -> Floats:
    """Points [PROBES, 2] just inside of a contour, beside the middles of edges along it."""
    start = np.linspace(0, len(ring), PROBES, endpoint=False).astype(np.int64)
    one, other = ring[start], ring[(start + 1) % len(ring)]
    inwards = (other - one)[:, ::-1] * (-1, 1) * np.sign(signed_area(ring))
    return np.asarray((one + other) / 2 + NUDGE * inwards)


def coverage(
    points: Floats, low: tuple[float, float], high: tuple[float, float], width: int, height: int
) -> NDArray[np.float32]:
    """The share of each pixel of a window inside a contour, float32 [height, width] in 0..1.

    Where the contour crosses itself, all that it surrounds is inside.
    """
    from PIL import Image, ImageDraw
    from scipy.ndimage import binary_fill_holes

    size = np.array([width, height]) * FINER
    corners = (points - low) / (np.array(high) - low) * size - 0.5
    picture = Image.new("L", (width * FINER, height * FINER))
    ImageDraw.Draw(picture).polygon(corners.ravel().tolist(), fill=1)
    filled = np.asarray(picture)
    if not filled.all():
        filled = binary_fill_holes(filled)
    return np.asarray(filled.reshape(height, FINER, width, FINER).mean((1, 3), np.float32))


def covers(points: Floats, width: float, height: float) -> bool:
    """Whether a contour covers the whole canvas of this size at the origin."""
    size = np.array([width, height])
    if (points.min(0) > 0.1 * size).any() or (points.max(0) < 0.9 * size).any():
        return False
    return bool(coverage(points, (0.0, 0.0), (width, height), SIDE, SIDE).min() == 1)


def most_important(
    paths: Sequence[FilledPath], count: int, canvas: Canvas, background: tuple[float, float, float]
) -> list[FilledPath]:
    """Return the `count` paths whose absence would change the picture most, in their order.

    The change is the squared difference to what lies beneath a path, where the path is seen.
    """
    if count >= len(paths):
        return list(paths)
    small = canvas.scaled(VIEW)
    reach, shape = np.array(small.reach), (small.height, small.width)
    beneath = np.empty((*shape, 3), np.float32)
    beneath[:] = background
    layers = []
    for path in paths:
        low, high = tuple(-reach), tuple(reach)
        alpha = path.alpha * coverage(path.points, low, high, small.width, small.height)
        colour = np.array(path.colour, np.float32)
        contrast = np.square(beneath - colour).sum(2)
        layers.append((alpha, contrast))
        beneath += alpha[..., None] * (colour - beneath)
    seen, worth = np.ones(shape, np.float32), np.zeros(len(paths))
    for index in range(len(paths) - 1, -1, -1):
        alpha, contrast = layers[index]
        worth[index] = float((np.square(seen * alpha) * contrast).sum())
        seen *= 1 - alpha
    chosen = np.sort(np.argsort(-worth, kind="stable")[:count])
    return [paths[index] for index in chosen]
