"""Shards: pieces of paper that show one picture, and laid in another way a second one.

A pose is the share of the way from the first place, angle and order to the second; shape and
colour stay: `artgen fit a.png -p shard --view pose=1:b.png`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

import artgen
from artgen import Param, Params, Preset, Splat, init, pixels, rates
from artgen.init import Context

TOGETHER = 4000
"""The most pieces that are paired at once: the time grows with the cube of their number."""


class Shard(Splat):
    """Kites with edges that are learned, at two places and two angles."""

    blend = "over"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "gradients": "the second place and angle are seen in the other pose alone"
    }
    defaults = Preset(count=250, stage={"steps": 1500, "loss": "pyramid"})

    @property
    def params(self) -> Mapping[str, Param]:
        """Half the length and width, where the widest place is, and how soft the edge is."""
        return {
            "scale": Param(2, init=init.from_spacing(0.9), lr=0.05, map="exp", min=pixels(2)),
            "lean": Param(init=0.3, lr=0.03, min=-0.8, max=0.8),
            "soft": Param(init=0.03, lr=0.02, map="exp", min=pixels(0.35), max=_softest),
            "angle": Param(init=init.uniform(0, 2 * pi), lr=0.06, period=2 * pi),
            "xy2": Param(2, init=_second_places, lr=rates.per_spacing(0.1)),
            "angle2": Param(init=init.uniform(0, 2 * pi), lr=0.06, period=2 * pi),
            "opacity": Param(init=0.97, lr=0.0),
            "colour": Param(3, init=_colours, lr=0.03, min=0.0, max=1.0),
        }

    def footprint(self, dx: Tensor, dy: Tensor, p: Params) -> Tensor:
        """Return 1 inside the kite, 0 outside, with a smooth step across its edge."""
        c, s = torch.cos(p.angle), torch.sin(p.angle)
        u, v = c * dx + s * dy, torch.abs(c * dy - s * dx)
        # From the widest place, at `lean`, straight edges lead to both ends.
        middle = p.lean * p.scale[0]
        ahead = (p.scale[0] - u) / (p.scale[0] - middle)
        behind = (u + p.scale[0]) / (p.scale[0] + middle)
        inside = torch.minimum(ahead, behind) * p.scale[1] - v
        # Beyond a sharp end both edges are near for long.
        inside = torch.minimum(inside, p.scale[0] - torch.abs(u))
        return torch.sigmoid(4 * inside / p.soft)

    def ellipse(self, p: Params) -> tuple[Tensor, Tensor, Tensor]:
        """Return the ellipse around the kite and its soft edge."""
        return 1.3 * p.scale[0] + 2 * p.soft, 1.3 * p.scale[1] + 2 * p.soft, p.angle


def _softest(context: Context) -> float:
    """Return how wide an edge may be: paper is crisp, on large pixels too."""
    return 0.002 + 0.4 * context.canvas.pixel


def _second_places(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Give each piece another's first place, so that the pictures have like colours there."""
    xy, goal = context.values["xy"], next(iter(context.goals.values()), None)
    if goal is None or context.target is None:
        return xy.clone()
    first, second = (_seen_at(picture, xy, context) for picture in (context.target, goal))
    return xy[:, _paired(first, second)]


def _paired(first: Tensor, second: Tensor) -> Tensor:
    """Return for each of colours [3, N] its own of others [3, N], so that pairs are alike: [N].

    Of more than `TOGETHER` the darker halves are paired, and the lighter ones.
    """
    from scipy.optimize import linear_sum_assignment

    if first.shape[1] > TOGETHER:
        found = torch.empty(first.shape[1], dtype=torch.int64)
        halves = (each.mean(0).argsort(stable=True).chunk(2) for each in (first, second))
        for mine, theirs in zip(*halves, strict=True):
            found[mine] = theirs[_paired(first[:, mine], second[:, theirs])]
        return found
    pieces, places = linear_sum_assignment(torch.cdist(first.t(), second.t()).square().numpy())
    return torch.from_numpy(places)[torch.from_numpy(pieces).argsort()]


def _colours(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Return the mean colour of both pictures where a piece lies; random without pictures."""
    if context.target is None:
        return context.random(*shape)
    pictures = [context.target, *list(context.goals.values())[:1]]
    places = [context.values["xy"], context.values["xy2"]]
    pairs = zip(pictures, places, strict=False)
    return torch.stack([_seen_at(picture, xy, context) for picture, xy in pairs]).mean(0)


def _seen_at(picture: Tensor, xy: Tensor, context: Context) -> Tensor:
    """Return the colours [3, N] of a picture [3, h, w] at places [2, N]."""
    reach = torch.tensor(context.canvas.reach)[:, None]
    grid = (xy / reach).t()[None, None]
    return F.grid_sample(picture[None], grid, padding_mode="border", align_corners=False)[0, :, 0]


@artgen.family.move.register(Shard)
def _shifted(shard: Shard, tensors: Mapping[str, Tensor], by: Tensor) -> dict[str, Tensor]:
    """Move both pictures."""
    return {**tensors, "xy": tensors["xy"] + by, "xy2": tensors["xy2"] + by}


@artgen.family.transform.register(Shard)
def _turned(
    shard: Shard, tensors: Mapping[str, Tensor], linear: Tensor, offset: Tensor
) -> dict[str, Tensor]:
    """Turn and scale both pictures: what a splat learns follows by itself, its places do not."""
    found = artgen.family.transform.dispatch(Splat)(shard, tensors, linear, offset)
    return {**found, "xy2": linear @ tensors["xy2"] + offset[:, None]}


@artgen.family.posed.register(Shard)
def moved(shard: Shard, tensors: Mapping[str, Tensor], pose: float) -> dict[str, Tensor]:
    """Move all pieces by the share `pose` of their way."""
    way = {name: tensors[name].lerp(tensors[f"{name}2"], pose) for name in ("xy", "angle")}
    return {**tensors, **way}
