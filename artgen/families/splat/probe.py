"""Probes of footprints, at random and at special offsets: see `artgen.testing.probe`."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from artgen.families.splat.contract import Splat
from artgen.families.splat.tiles import Extent, find_extent
from artgen.testing.candidate import Candidate, Variant
from artgen.testing.probe import Probe, make_probe, split_params

PARTS, PLACES = 24, 6
WIDEST = 4.0
"""Largest half axis from which offsets are drawn, in canvas units; ellipses may be infinite."""


@make_probe.register(Splat)
def _splat_probe(splat: Splat, candidate: Candidate, variant: Variant, *, special: bool) -> Probe:
    """Probe the footprint of parts at several offsets each: inputs are [..., parts·places]."""
    _, made = candidate.drawing(variant, count=PARTS, moved=True)
    extent = find_extent(splat, made.tensors)
    along, across = (axis.nan_to_num(0).clamp(0, WIDEST) for axis in extent[:2])
    dx, dy = Extent(along, across, extent.angle).offsets(*(_special() if special else _random()))
    names = footprint_parameters(splat)
    parameters = {
        name: made.tensors[name].repeat_interleave(dx.shape[1], -1).double() for name in names
    }
    rates = {name: param.lr for name, param in splat.parameters().items()}
    learned = tuple(name for name in names if rates[name] != 0 and name != "xy")
    return Probe(
        candidate.label(variant, ".footprint"),
        {"dx": dx.flatten().double(), "dy": dy.flatten().double(), **parameters},
        ("dx", "dy", *learned),
        lambda given: splat.footprint(given["dx"], given["dy"], split_params(given, ("dx", "dy"))),
    )


def footprint_parameters(splat: Splat) -> list[str]:
    """Return the parameters that a footprint receives: not those that only artgen reads."""
    return [name for name in splat.declared_params() if name not in splat.framework_params]


def on_disc(turn: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return points of the unit disc, in these directions, at distances from its centre."""
    return distance * turn.cos(), distance * turn.sin()


def _random() -> tuple[Tensor, Tensor]:
    """Choose random points inside, [parts, places]."""
    rng = torch.Generator().manual_seed(1)
    turn, reach = (torch.rand(PARTS, PLACES, generator=rng) for _ in range(2))
    return on_disc(2 * pi * turn, 0.98 * reach.sqrt())


def _special() -> tuple[Tensor, Tensor]:
    """Choose the centre, and points inside, on the edge and outside, on the axes and between."""
    ways = torch.cartesian_prod(torch.arange(8) * pi / 4, torch.tensor([0.5, 1.0, 1.5]))
    return on_disc(*torch.cat([torch.zeros(1, 2), ways]).unbind(1))
