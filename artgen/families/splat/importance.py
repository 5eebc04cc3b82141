"""The importance of each splat for its picture, so that the first few can stand for all."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from artgen.families.splat.contract import Splat
from artgen.families.splat.eager import draw_features
from artgen.families.splat.repeat import images
from artgen.families.splat.tiles import find_extent
from artgen.primitives import Params
from artgen.raster.backend import Memory
from artgen.raster.painting import draw
from artgen.values.drawing import Drawing

POINTS = 64
"""Sample points in the ellipse of a splat."""

SIDE = 128
"""Long side of the picture behind the splats, in pixels."""

PIECE = 4096
"""Splats per batch."""


def importance(drawing: Drawing, splat: Splat) -> Tensor:
    """The squared change of the picture without each splat, summed over the canvas: float32 [N].

    Exact but for the places that are looked at where splats add up (`sum`, `mean`) or share
    (`normalized`, `depth`); for `over` what is in front is left out of account.
    """
    return added_error(drawing, splat, _maps(drawing, splat))


def added_error(
    drawing: Drawing,
    splat: Splat,
    maps: Tensor | None,
    lacking: Tensor | None = None,
    points: int = POINTS,
) -> Tensor:
    """By how much the squared error, summed over the canvas, would grow without each splat: [N].

    Where splats repeat, that is the sum of what each of its images adds.

    `maps` [4, height, width] are the picture and, under blends that divide, the sum of weights;
    None for splats that add up. `lacking`, of the same shape, is the target minus the picture, and
    the weight of the error; without it nothing is lacking anywhere. `points` are looked at in the
    ellipse of a splat. On the device of the drawing.
    """
    disc = sunflower(points).to(drawing.tensors["xy"])
    total = torch.zeros_like(drawing.tensors["xy"][0])
    every = {**drawing.tensors, "part": torch.arange(len(total), device=total.device)}
    with torch.no_grad():
        splat, tensors = images(splat, every, drawing.canvas.reach)
    part = tensors.pop("part")
    for start in range(0, len(part), PIECE):
        some = {name: t[..., start : start + PIECE] for name, t in tensors.items()}
        energy = _energy(drawing, splat, some, disc, maps, lacking)
        total.index_add_(0, part[start : start + PIECE], energy)
    return total


def sunflower(points: int = POINTS) -> Tensor:
    """Points that are everywhere equally dense in the unit disc, [2, points]."""
    k = torch.arange(points) + 0.5
    radius, turn = torch.sqrt(k / points), k * math.pi * (3 - math.sqrt(5))
    return torch.stack([radius * torch.cos(turn), radius * torch.sin(turn)])


def _maps(drawing: Drawing, splat: Splat) -> Tensor | None:
    """The picture and, under blends that divide, the sum of all weights: [4, height, width]."""
    if splat.blend in ("sum", "mean"):
        return None
    tensors: Mapping[str, Tensor] = drawing.tensors
    canvas = drawing.canvas.scaled(min(SIDE, max(drawing.width, drawing.height)))
    picture = draw(drawing, splat, canvas)
    total = torch.zeros_like(picture[:1])
    if splat.blend != "over":
        splat, tensors = images(splat, tensors, drawing.canvas.reach)
        with torch.no_grad():
            total = draw_features(splat, tensors, _near(splat, tensors)[None], canvas, Memory())
    return torch.cat([picture, total])


def _near(splat: Splat, tensors: Mapping[str, Tensor]) -> Tensor:
    """Return the factor of the weight of each splat, [N]."""
    if splat.blend == "depth":
        return torch.exp(-tensors["z"])
    return tensors["opacity"] if splat.blend == "over" else torch.ones_like(tensors["xy"][0])


def _energy(
    drawing: Drawing,
    splat: Splat,
    some: dict[str, Tensor],
    disc: Tensor,
    maps: Tensor | None,
    lacking: Tensor | None,
) -> Tensor:
    count, points = some["xy"].shape[1], disc.shape[1]
    extent = find_extent(splat, some)
    dx, dy = extent.offsets(*disc)
    x, y = some["xy"][0, :, None] + dx, some["xy"][1, :, None] + dy
    half_width, half_height = drawing.canvas.reach
    if lacking is not None:
        # Where the sum of weights is known: between pixels a share of nearly all would be wrong.
        x = _nearest_pixel(x, half_width, drawing.canvas.pixel)
        y = _nearest_pixel(y, half_height, drawing.canvas.pixel)
        dx, dy = x - some["xy"][0, :, None], y - some["xy"][1, :, None]
    own = {name: t[..., None] for name, t in some.items()}
    with torch.no_grad():
        weight = splat.footprint(dx, dy, Params(own)).expand(count, points) - splat.far
        colours = splat.colours(dx, dy, Params(own))
    weight = weight * ((x.abs() <= half_width) & (y.abs() <= half_height))
    colour = some["colour"][:, :, None]
    if colours is not None:
        colour = colour * torch.stack([factor.expand(count, points) for factor in colours])
    grid = torch.stack([x / half_width, y / half_height], -1)
    if maps is None:
        change = weight * colour
    else:
        here = _at(maps, grid)
        part = weight * _near(splat, some)[:, None]
        # Without it, its share of the rest would be missing.
        rest = 1.0 if splat.blend == "over" else here[3] + drawing.background_weight - part
        change = part / torch.as_tensor(rest).clamp_min(drawing.background_weight)
        change = change * (colour - here[:3])
    if lacking is None:
        grown = (change**2).sum(0)
    else:
        missing = _at(lacking, grid)
        grown = missing[3] * (change * (change + 2 * missing[:3])).sum(0)
    energy = grown.mean(1) * extent.along * extent.across
    return energy.nan_to_num(0.0, 0.0, 0.0)


def _nearest_pixel(place: Tensor, half: float, pixel: float) -> Tensor:
    """Return the centres of the pixels, which begin at -half, that hold places on a line."""
    return (((place + half) / pixel).floor() + 0.5) * pixel - half


def _at(maps: Tensor, grid: Tensor) -> Tensor:
    """Read maps [C, height, width] at places from -1 to 1, [N, points, 2]: [C, N, points]."""
    return torch.nn.functional.grid_sample(
        maps[None], grid[None], padding_mode="border", align_corners=False
    )[0]
