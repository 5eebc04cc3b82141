"""Films of paper on its way to a view: upright panels that turn, seen in perspective.

Panels stand on a floor of x, to the right, and z, away from the eye. Each column of a frame is one
ray over this floor, and shows the nearest panel that it meets.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.animation import eased

NEAR = 3.0
"""How far the eye is from paper of height 2."""

SLATS = 24
"""Strips of a pleated picture."""

RAYS = 4
"""Rays of a column, against aliasing."""

DIM = 0.45
"""How bright paper is that is seen from its edge; 1 is paper seen from the front."""

GROUND = 14 / 255
"""What is behind the paper."""


def fold(
    picture: Tensor, value: str, share: float, room: float = 1.0, ground: float = GROUND
) -> Tensor:
    """The outer strips go towards each other, and the middle between them folds back to a ridge."""
    half, bend, middle = _half(picture), share * math.pi / 2, float(value or "0.5")
    flap, strip = middle * half * math.cos(bend), (1 - middle) * half
    ridge = middle * half * math.sin(bend)
    corners = [(-flap - strip, 0.0), (-flap, 0.0), (0.0, ridge), (flap, 0.0), (flap + strip, 0.0)]
    creases = [0.0, (1 - middle) / 2, 0.5, (1 + middle) / 2, 1.0]
    # From the side one sees that there is something behind.
    turned = 0.5 * math.sin(math.pi * share)
    return _seen(picture, corners, creases, turned, room=room, ground=ground)


def slats(
    picture: Tensor, value: str, share: float, room: float = 1.0, ground: float = GROUND
) -> Tensor:
    """The pleats rise, and the paper turns until one sees every other one alone, and comes near."""
    half, bend = _half(picture), share * math.pi / 4
    step = 2 * half / SLATS
    places = [number - SLATS / 2 for number in range(SLATS + 1)]
    rise = [(0.5 - number % 2) * math.sin(bend) for number in range(SLATS + 1)]
    corners = [(step * at * math.cos(bend), step * z) for at, z in zip(places, rise, strict=True)]
    creases = [number / SLATS for number in range(SLATS + 1)]
    turned, whole = -bend if value == "left" else bend, eased(2 * share - 1)
    return _seen(picture, corners, creases, turned, whole, room, ground)


def turn(picture: Tensor, value: str, share: float) -> Tensor:
    """The picture turned by a share of the angle, as large as it is."""
    angle = math.radians(share * int(value))
    c, s = math.cos(angle), math.sin(angle)
    height, width = picture.shape[1:]
    high, wide = (round(abs(c) * a + abs(s) * b) for a, b in ((height, width), (width, height)))
    theta = torch.tensor([[[c * wide, s * high, 0.0], [-s * wide, c * high, 0.0]]])
    theta = theta / torch.tensor([width, height])[:, None]
    grid = F.affine_grid(theta, [1, 3, high, wide], align_corners=False)
    return _sampled(picture, grid)


def _half(picture: Tensor) -> float:
    """Half of the width of a picture whose height is 2."""
    return picture.shape[2] / picture.shape[1]


def _seen(
    picture: Tensor,
    corners: list[tuple[float, float]],
    creases: list[float],
    turned: float,
    whole: float = 0.0,
    room: float = 1.0,
    ground: float = GROUND,
) -> Tensor:
    """The picture [3, h, w] on panels from corner to corner, as x and z, turned by an angle.

    `creases` are the corners as shares of its width. The frame is as large as the picture. As far
    as `whole`, 0 to 1, what is seen is stretched to its width, and seen without perspective. A
    frame with more `room` has the paper in its middle, and shows more of the gray `ground`.
    """
    c, s = math.cos(turned), math.sin(turned)
    eye = NEAR / max(1e-4, 1 - whole)
    places = [(c * x + s * z, c * z - s * x) for x, z in corners]
    seen = [x / (1 + z / eye) for x, z in places]
    height, width = picture.shape[1:]
    half = _half(picture)
    low, high = -half + whole * (min(seen) + half), half + whole * (max(seen) - half)
    rays = room * (low + (high - low) * (torch.arange(RAYS * width) + 0.5) / (RAYS * width))
    if room > 1:
        rays = rays + (min(seen) + max(seen)) / 2
    nearest = torch.full_like(rays, math.inf)
    source, shade = torch.full_like(rays, 9.0), torch.ones_like(rays)
    for ((x0, z0), (x1, z1)), (begin, end) in zip(pairwise(places), pairwise(creases), strict=True):
        x, z = x1 - x0, z1 - z0
        along = (rays * (1 + z0 / eye) - x0) / (x - rays * z / eye)
        depth = 1 + (z0 + along * z) / eye
        hit = (along >= 0) & (along <= 1) & (depth > 0) & (depth < nearest)
        nearest = torch.where(hit, depth, nearest)
        source = torch.where(hit, begin + along * (end - begin), source)
        light = DIM + (1 - DIM) * abs(x) / math.hypot(x, z)
        shade = torch.where(hit, light, shade)
    depths = nearest.nan_to_num(posinf=1.0)
    y = room * ((2 * torch.arange(height) + 1) / height - 1)
    grid = torch.stack([(2 * source - 1).expand(height, -1), y[:, None] * depths], -1)
    return F.avg_pool2d(_sampled(picture, grid[None], shade, ground), (1, RAYS))


def _sampled(
    picture: Tensor, grid: Tensor, shade: Tensor | float = 1.0, ground: float = GROUND
) -> Tensor:
    """The picture at places [1, h, w, 2], from -1 to 1 over it; the ground outside."""
    places = grid.to(picture)
    found = F.grid_sample(picture[None], places, padding_mode="border", align_corners=False)[0]
    inside = (grid.abs().amax(-1) <= 1)[0]
    return torch.where(inside, found * shade, ground)
