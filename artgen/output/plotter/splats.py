"""The outlines of splats for pens.

A splat has no outline, so the line is taken on which it has fallen to half of its peak: that is an
ellipse for a Gaussian, a petal for a Fourier series.
"""

from __future__ import annotations

import numpy as np
import torch

from artgen.drawing import Drawing
from artgen.output.plotter.parts import Floats, PenPart, pen_parts, signed_area
from artgen.primitives import Params, Splat

__all__: list[str] = []

GRID = 65
"""A splat is looked at this many times across its ellipse."""
AT_ONCE = 1 << 20
"""Footprints are evaluated at this many places at a time."""
SMOOTH = 0.1
"""How far a simplified outline may be off, in cells of that grid."""


@pen_parts.register(Splat)
def _splats(splat: Splat, drawing: Drawing) -> list[PenPart]:
    """The outlines of splats, with those in front, or else the smaller ones, on top."""
    tensors = {name: tensor.double() for name, tensor in drawing.tensors.items()}
    count = splat.count_of(drawing)
    added = splat.framework_params
    own = {name: tensor for name, tensor in tensors.items() if name not in added}
    parts: list[PenPart] = []
    step = max(1, AT_ONCE // GRID**2)
    for first in range(0, count, step):
        piece = {name: tensor[..., first : first + step] for name, tensor in own.items()}
        parts += _outlined(splat, Params(piece), tensors["xy"][:, first : first + step].numpy())
    if "z" in tensors:
        depth = tensors["z"].numpy()
    else:
        depth = np.array([sum(abs(signed_area(ring)) for ring in part.rings) for part in parts])
    return [parts[i] for i in np.argsort(-depth, kind="stable") if parts[i].rings]


def _outlined(splat: Splat, p: Params, xy: Floats) -> list[PenPart]:
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
        parts.append(PenPart(tuple(ring + xy[:, i] for ring in rings), spine))
    return parts


def _moved(corners: Floats, first: float, second: float, angle: float) -> Floats:
    """From rows and columns of the grid over an ellipse to offsets from its centre."""
    v, u = (2 * corners / (GRID - 1) - 1).T
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * first * u - s * second * v, s * first * u + c * second * v], 1)
