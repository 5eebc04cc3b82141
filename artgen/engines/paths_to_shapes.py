"""Filled paths to shapes: a search for shapes that starts from a drawing in vector graphics.

Each contour becomes the shape that covers most nearly what it does. A shape may say where to start
(`Shape.from_outline`); a short climb on a small picture of the contour alone goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.compiler.threads import share
from artgen.engines.splats_to_shapes import most_alike
from artgen.primitives import Context, Shape
from artgen.raster import pack

Floats = NDArray[np.float64]

SIDE = 64
"""Rows and columns of the picture of a contour."""

MARGIN = 2.0
"""How much larger this picture is than the contour: a shape shall not reach far beyond it."""

FINER = 4
"""Sample points per row and column of a pixel, by which its coverage is measured."""

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


def outer_rings(rings: Sequence[Floats], *, even_odd: bool) -> tuple[list[Floats], int]:
    """Return the contours that have the paint inside, and the number of holes.

    All of them are one path, filled by the nonzero or by the even-odd rule.
    """
    outer: list[Floats] = []
    holes = 0
    lows = np.array([ring.min(0) for ring in rings])
    highs = np.array([ring.max(0) for ring in rings])
    turns = [1 if even_odd else int(np.sign(_doubled_area(ring))) or 1 for ring in rings]
    for index, ring in enumerate(rings):
        point = ring[0]
        near = np.nonzero(((lows <= point) & (point <= highs)).all(1))[0].tolist()
        around = sum(turns[i] for i in near if i != index and _inside(rings[i], point))
        within = around + turns[index]
        filled = (around % 2, within % 2) if even_odd else (around, within)
        if filled[1] == 0:
            holes += 1
        elif filled[0] == 0:
            outer.append(ring)
    return outer, holes


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
    ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners.tolist()], fill=1)
    filled = binary_fill_holes(np.asarray(picture))
    mean: NDArray[np.float32] = filled.reshape(height, FINER, width, FINER).mean((1, 3), np.float32)
    return mean


def covers(points: Floats, width: float, height: float) -> bool:
    """Whether a contour covers the whole canvas of this size at the origin."""
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


def shapes_from_paths(
    shape: Shape, paths: Sequence[FilledPath], canvas: Canvas, seed: int
) -> dict[str, Tensor]:
    """Return the tensors of one shape per path, in canvas units, with its colour and opacity.

    Opacities are brought within the limits of the shape. Raises PluginError where a shape is never
    valid.
    """

    def match(index: int) -> tuple[int, Floats]:
        points = paths[index].points
        low, high = points.min(0), points.max(0)
        middle, half = (low + high) / 2, np.maximum(MARGIN * (high - low) / 2, canvas.pixel / 4)
        ends = tuple(middle - half), tuple(middle + half)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
        starts = _starts(shape, points)
        picture = coverage(points, *ends, SIDE, SIDE)
        return most_alike(shape, picture, [*middle, *half], rng, starts)

    found = share(match, range(len(paths)))
    opacity = np.array([path.alpha for path in paths])
    tensors = pack(
        shape,
        np.array([kind for kind, _ in found]),
        np.stack([genes for _, genes in found]),
        np.array([path.colour for path in paths]),
        np.clip(opacity, *shape.alpha_limits),
    )
    return shape.initial(Context(torch.Generator(), canvas, len(found), values=tensors))


def _starts(shape: Shape, points: Floats) -> list[tuple[int, Floats]]:
    """Valid kinds and genes that the shape takes from a contour."""
    starts = []
    for kind, member in enumerate(shape.members):
        made = member.from_outline(points)
        if made is not None and np.isfinite(made).all() and member.accepts(made):
            genes = np.zeros(max(each.genes for each in shape.members))
            genes[: member.genes] = made
            starts.append((kind, genes))
    return starts


def _doubled_area(points: Floats) -> float:
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())


def _inside(ring: Floats, point: Floats) -> bool:
    """Whether a point is inside a polygon, by the even-odd rule."""
    (x, y), (u, v) = ring.T, np.roll(ring, -1, axis=0).T
    crossed = (y > point[1]) != (v > point[1])
    x, y, u, v = x[crossed], y[crossed], u[crossed], v[crossed]
    return bool(np.count_nonzero(x + (point[1] - y) / (v - y) * (u - x) > point[0]) % 2)
