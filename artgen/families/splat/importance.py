"""The importance of each splat for its picture, so that the first few can stand for all."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from artgen.families.splat.contract import Splat
from artgen.families.splat.eager import draw_features
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
    tensors = dict(drawing.tensors)
    count = splat.count_of(drawing)
    disc = sunflower()
    maps = _maps(drawing, splat, tensors)
    found = []
    for start in range(0, count, PIECE):
        some = {name: t[..., start : start + PIECE] for name, t in tensors.items()}
        found.append(_energy(drawing, splat, some, disc, maps))
    return torch.cat(found) if found else torch.zeros(0)


def sunflower() -> Tensor:
    """Points that are everywhere equally dense in the unit disc, [2, POINTS]."""
    k = torch.arange(POINTS) + 0.5
    radius, turn = torch.sqrt(k / POINTS), k * math.pi * (3 - math.sqrt(5))
    return torch.stack([radius * torch.cos(turn), radius * torch.sin(turn)])


def _maps(drawing: Drawing, splat: Splat, tensors: dict[str, Tensor]) -> Tensor | None:
    """The picture and, under blends that divide, the sum of all weights: [4, height, width]."""
    if splat.blend in ("sum", "mean"):
        return None
    canvas = drawing.canvas.scaled(min(SIDE, max(drawing.width, drawing.height)))
    picture = draw(drawing, splat, canvas)
    total = torch.zeros_like(picture[:1])
    if splat.blend != "over":
        with torch.no_grad():
            total = draw_features(splat, tensors, _near(splat, tensors)[None], canvas, Memory())
    return torch.cat([picture, total])


def _near(splat: Splat, tensors: dict[str, Tensor]) -> Tensor:
    """Return the factor of the weight of each splat, [N]."""
    if splat.blend == "depth":
        return torch.exp(-tensors["z"])
    return tensors["opacity"] if splat.blend == "over" else torch.ones_like(tensors["xy"][0])


def _energy(
    drawing: Drawing, splat: Splat, some: dict[str, Tensor], disc: Tensor, maps: Tensor | None
) -> Tensor:
    count = some["xy"].shape[1]
    extent = find_extent(splat, some)
    dx, dy = extent.offsets(*disc)
    own = {name: t[..., None] for name, t in some.items()}
    with torch.no_grad():
        weight = splat.footprint(dx, dy, Params(own)).expand(count, POINTS) - splat.far
        colours = splat.colours(dx, dy, Params(own))
    x, y = some["xy"][0, :, None] + dx, some["xy"][1, :, None] + dy
    half_width, half_height = drawing.canvas.reach
    weight = weight * ((x.abs() <= half_width) & (y.abs() <= half_height))
    colour = some["colour"][:, :, None]
    if colours is not None:
        colour = colour * torch.stack([factor.expand(count, POINTS) for factor in colours])
    if maps is None:
        change = weight * colour
    else:
        grid = torch.stack([x / half_width, y / half_height], -1)[None]
        here = torch.nn.functional.grid_sample(
            maps[None], grid, padding_mode="border", align_corners=False
        )[0]
        part = weight * _near(splat, some)[:, None]
        # Without it, its share of the rest would be missing.
        rest = 1.0 if splat.blend == "over" else here[3] + drawing.background_weight - part
        change = part / torch.as_tensor(rest).clamp_min(drawing.background_weight)
        change = change * (colour - here[:3])
    energy = (change**2).sum(0).mean(1) * extent.along * extent.across
    return energy.nan_to_num(0.0, 0.0, 0.0)
