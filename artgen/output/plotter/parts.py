"""The parts of a drawing as a plotter sees them: outlines, and the spines of strokes.

A shape says its outline, and a cell has one. A splat has none, so the line is taken on which it has
fallen to half of its peak: that is an ellipse for a Gaussian, a petal for a Fourier series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.output.cells import cells
from artgen.output.shapes import place_shapes
from artgen.primitives import ADDED, Params, Partition, Primitive, Shape, Splat

__all__ = ["Part", "frame", "parts_of", "principal_axis", "stroke_width", "thickness"]

Floats = NDArray[np.float64]

GRID = 65
"""A splat is looked at so many times across its ellipse."""
AT_ONCE = 1 << 20
"""Footprints are evaluated at so many places at a time."""
SMOOTH = 0.1
"""How far a simplified outline may be off, in cells of that grid."""


@dataclass(frozen=True, eq=False)
class Part:
    """What a part covers, and how it runs, in one unit of length.

    `rings` are closed polygons, float64 [corners, 2], that cover where their common winding number
    is not zero. `spine` is the line in the middle of a stroke, float64 [points, 2], or None.
    """

    rings: tuple[Floats, ...]
    spine: Floats | None = None

    def placed(self, scale: float, centre: tuple[float, float]) -> Part:
        """The part on a page: `scale` times as large, with the origin at `centre`."""
        rings = tuple(ring * scale + centre for ring in self.rings)
        return Part(rings, None if self.spine is None else self.spine * scale + centre)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Least x and y, largest x and y."""
        points = np.concatenate(self.rings)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        return float(left), float(top), float(right), float(bottom)


def frame(canvas: Canvas) -> Part:
    """The whole canvas, in canvas units."""
    x, y = canvas.reach
    return Part((np.array([[-x, -y], [x, -y], [x, y], [-x, y]]),))


def parts_of(drawing: Drawing, primitive: Primitive) -> list[Part]:
    """The parts of a drawing from the lowest to the highest, in canvas units.

    Raises UsageError for fields and codecs, which have no parts with an outline, InputError where
    the drawing's tensors are not those of `primitive`.
    """
    primitive.check_tensors(drawing)
    if isinstance(primitive, Shape):
        return [
            Part((outline,), placed.spine())
            for placed in place_shapes(drawing, primitive, "a page")
            if len(outline := placed.outline()) > 2
        ]
    if isinstance(primitive, Partition):
        return [Part((cell,)) for cell in cells(drawing, primitive) if len(cell) > 2]
    if isinstance(primitive, Splat):
        return _splats(drawing, primitive)
    raise UsageError(
        f"{drawing.primitive} is a {primitive.family}: it has no parts that a pen could draw",
        hint="shapes, cells and splats have; use -o FILE.png for this one",
    )


def _splats(drawing: Drawing, splat: Splat) -> list[Part]:
    """The outlines of splats, with those in front, or else the smaller ones, on top."""
    tensors = {name: tensor.double() for name, tensor in drawing.tensors.items()}
    count = splat.count_of(drawing)
    added = ADDED - set(splat.params)
    own = {name: tensor for name, tensor in tensors.items() if name not in added}
    parts: list[Part] = []
    step = max(1, AT_ONCE // GRID**2)
    for first in range(0, count, step):
        piece = {name: tensor[..., first : first + step] for name, tensor in own.items()}
        parts += _outlined(splat, Params(piece), tensors["xy"][:, first : first + step].numpy())
    if "z" in tensors:
        depth = tensors["z"].numpy()
    else:
        depth = np.array([sum(abs(_area(ring)) for ring in part.rings) for part in parts])
    return [parts[i] for i in np.argsort(-depth, kind="stable") if parts[i].rings]


def _outlined(splat: Splat, p: Params, xy: Floats) -> list[Part]:
    """The outlines of some splats with centres `xy` [2, N], in order."""
    from skimage.measure import approximate_polygon, find_contours

    count = xy.shape[1]
    with torch.no_grad():
        axes = [torch.as_tensor(each).double().expand(count) for each in splat.ellipse(p)]
        first, second, angle = (each[None] for each in axes)
        steps = torch.linspace(-1, 1, GRID, dtype=torch.float64)
        v, u = (each.reshape(-1, 1) for each in torch.meshgrid(steps, steps, indexing="ij"))
        cosine, sine = angle.cos(), angle.sin()
        dx = cosine * first * u - sine * second * v
        dy = sine * first * u + cosine * second * v
        weight = (splat.footprint(dx, dy, p) - splat.far).expand(len(u), count)
        # Outside of its ellipse a splat is `far`; so every outline is closed.
        weights = torch.where(u * u + v * v < 1, weight, 0.0).reshape(GRID, GRID, count).numpy()
        spines = splat.spine(p)
    parts = []
    for i in range(count):
        here, peak = weights[:, :, i], weights[:, :, i].max()
        rings = []
        if np.isfinite(peak) and peak > 0:
            for contour in find_contours(here, peak / 2):  # type: ignore[no-untyped-call]
                corners = approximate_polygon(contour, SMOOTH)[:-1]  # type: ignore[no-untyped-call]
                if len(corners) > 2:
                    rings.append(
                        _moved(corners, *(each[0, i].item() for each in (first, second, angle)))
                    )
        spine = None if spines is None else spines[:, :, i].numpy() + xy[:, i]
        parts.append(Part(tuple(ring + xy[:, i] for ring in rings), spine))
    return parts


def _moved(corners: Floats, first: float, second: float, angle: float) -> Floats:
    """From rows and columns of the grid over an ellipse to offsets from its centre."""
    v, u = (2 * corners / (GRID - 1) - 1).T
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * first * u - s * second * v, s * first * u + c * second * v], 1)


def _area(ring: Floats) -> float:
    """Positive where the corners run from x to y."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def principal_axis(part: Part) -> tuple[float, float, Floats]:
    """Along which angle a part is longest, how many times as long as across, and its middle [2]."""
    points = np.concatenate([_along(ring) for ring in part.rings])
    values, vectors = np.linalg.eigh(np.cov(points.T))
    longest = vectors[:, 1]
    ratio = float(np.sqrt(values[1] / max(values[0], 1e-12)))
    return float(np.arctan2(longest[1], longest[0])), ratio, points.mean(0)


def _along(ring: Floats, count: int = 64) -> Floats:
    """Points at even distances along a ring."""
    closed = np.concatenate([ring, ring[:1]])
    reach = np.concatenate([[0.0], np.hypot(*np.diff(closed, axis=0).T).cumsum()])
    places = np.linspace(0, reach[-1], count, endpoint=False)
    return np.stack([np.interp(places, reach, column) for column in closed.T], 1)


def stroke_width(part: Part) -> float:
    """The mean width of a part with a spine."""
    assert part.spine is not None
    reach = float(np.hypot(*np.diff(part.spine, axis=0).T).sum())
    return sum(abs(_area(ring)) for ring in part.rings) / max(reach, 1e-9)


def thickness(part: Part) -> float:
    """About how thick a part is: half as much as a circle or square of its size measures across."""
    reach = sum(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum() for ring in part.rings)
    return 2 * sum(abs(_area(ring)) for ring in part.rings) / max(float(reach), 1e-9)
