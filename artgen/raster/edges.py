"""Draw lines along the edges between parts: see `EdgeOptions`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from artgen.base.generic import generic
from artgen.primitives import Primitive, edge_style
from artgen.raster.strokes import Floats, cover_strokes
from artgen.values.canvas import Canvas


@generic("paint")
def edge_lines(primitive: Primitive, tensors: Mapping[str, Tensor], canvas: Canvas) -> Floats:
    """Return the edges between parts, x and y of both ends: float64 [N, 4] in canvas units."""
    return np.empty((0, 4))


def draw_edges(
    picture: Tensor, primitive: Primitive, tensors: Mapping[str, Tensor], canvas: Canvas
) -> Tensor:
    """Draw lines over a picture [3 or 4, height, width] in the style of the primitive, if any.

    Lines are opaque, and their ends are round; they cover their union.
    """
    style = edge_style(primitive)
    if style is None or not len(ends := edge_lines(primitive, tensors, canvas)):
        return picture
    radius, colour = style
    strokes = np.concatenate([ends, np.full((len(ends), 2), radius)], 1)
    starts = np.array([0, len(strokes)])
    cover = torch.from_numpy(cover_strokes(strokes, starts, "round", canvas))
    paint = torch.from_numpy(colour.astype(np.float32))[:, None, None]
    if len(picture) == 3:
        return picture + cover * (paint - picture)
    below = picture[3:] * (1 - cover)
    alpha = below + cover
    mixed = (picture[:3] * below + paint * cover) / alpha.clamp_min(1e-6)
    return torch.cat([mixed, alpha])


def polygon_edges(polygons: list[Floats]) -> Floats:
    """Return each edge of polygons [corners, 2] once, as float64 [N, 4]."""
    rings = [np.concatenate([ring, np.roll(ring, -1, 0)], 1) for ring in polygons if len(ring)]
    ends = np.concatenate([np.empty((0, 4)), *rings])
    # Neighbours may give an upright edge two directions, where its ends differ by rounding.
    x, y, to_x, to_y = np.round(ends, 7).T
    swapped = (x > to_x) | ((x == to_x) & (y > to_y))
    ends[swapped] = ends[swapped][:, [2, 3, 0, 1]]
    _, first = np.unique(np.round(ends, 7), axis=0, return_index=True)
    return np.asarray(ends[np.sort(first)])
