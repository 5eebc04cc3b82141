"""The function that a splat or a field is made of, at random places, as one call on tensors.

So what must hold of every such function is checked once, whatever its arguments are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from typing import cast

import torch
from torch import Tensor

from artgen.primitives import ADDED, Field, Params, Splat
from artgen.raster.tiles import Extent, find_extent
from artgen.testing._subject import DEFAULT, Subject, Variant

__all__ = ["Probe", "footprint_parameters", "offsets", "probe"]

PARTS, PLACES = 24, 6
WIDEST = 4.0
"""Offsets are drawn from no more of an ellipse than this, in canvas units: it may be infinite."""


@dataclass(frozen=True)
class Probe:
    """`call` on `inputs`: one value per place for a splat, one colour for a field.

    `inputs` are float64. `learned` names those that an engine changes or, for a splat, offsets.
    """

    title: str
    inputs: Mapping[str, Tensor]
    learned: tuple[str, ...]
    call: Callable[[Mapping[str, Tensor]], Tensor]

    @property
    def single(self) -> dict[str, Tensor]:
        """The inputs as float32."""
        return {name: tensor.float() for name, tensor in self.inputs.items()}


def probe(subject: Subject, variant: Variant = DEFAULT, *, special: bool = False) -> Probe:
    """A probe of a splat's footprint or a field's forward.

    `special` takes the places where functions break: centres, axes, edges, and somewhat outside.
    """
    make = field_probe if issubclass(subject.cls, Field) else splat_probe
    return make(subject, variant, special=special)


def splat_probe(subject: Subject, variant: Variant = DEFAULT, *, special: bool = False) -> Probe:
    """The footprint of some parts, at some offsets of each: all inputs are [..., parts·places]."""
    primitive, made = subject.drawing(variant, count=PARTS, moved=True)
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors, PARTS)
    turn, reach = _special() if special else _random()
    along, across = (axis.nan_to_num(0).clamp(0, WIDEST) for axis in extent[:2])
    drawn = Extent(along, across, extent.angle)
    dx, dy = offsets(drawn, turn, reach)
    names = footprint_parameters(splat)
    parameters = {
        name: made.tensors[name].repeat_interleave(turn.shape[1], -1).double() for name in names
    }
    rates = {name: param.lr for name, param in splat.parameters().items()}
    learned = tuple(name for name in names if rates[name] != 0 and name != "xy")
    return Probe(
        subject.label(variant, ".footprint"),
        {"dx": dx.flatten().double(), "dy": dy.flatten().double(), **parameters},
        ("dx", "dy", *learned),
        lambda inputs: splat.footprint(inputs["dx"], inputs["dy"], _params(inputs, ("dx", "dy"))),
    )


def field_probe(subject: Subject, variant: Variant = DEFAULT, *, special: bool = False) -> Probe:
    """`forward` at some positions [M, 2]."""
    primitive, made = subject.drawing(variant, moved=True)
    field = cast(Field, primitive)
    rates = {name: param.lr for name, param in field.parameters().items()}
    return Probe(
        subject.label(variant, ".forward"),
        {
            "xy": positions(made.canvas.reach, special=special).double(),
            **{name: tensor.double() for name, tensor in made.tensors.items()},
        },
        tuple(name for name in made.tensors if rates[name] != 0),
        lambda inputs: field.forward(inputs["xy"], _params(inputs, ("xy",))),
    )


def positions(reach: tuple[float, float], *, special: bool = False) -> Tensor:
    """Positions [M, 2] on the canvas: random ones, or its centre, corners and edges."""
    if special:
        ends = torch.tensor([-1.0, 0.0, 1.0])
        return torch.cartesian_prod(ends, ends) * torch.tensor(reach)
    rng = torch.Generator().manual_seed(2)
    return (2 * torch.rand(PARTS, 2, generator=rng) - 1) * torch.tensor(reach)


def offsets(extent: Extent, turn: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Offsets [N, M] in M directions, at distances in half axes of each of N ellipses."""
    u = extent.along[:, None] * distance * turn.cos()
    v = extent.across[:, None] * distance * turn.sin()
    cosine, sine = extent.angle.cos()[:, None], extent.angle.sin()[:, None]
    return cosine * u - sine * v, sine * u + cosine * v


def footprint_parameters(splat: Splat) -> list[str]:
    """The parameters that a footprint is given: not those that only the framework reads."""
    added = ADDED - set(splat.params)
    return [name for name in splat.declared_params() if name not in added]


def _params(inputs: Mapping[str, Tensor], places: tuple[str, ...]) -> Params:
    return Params({name: tensor for name, tensor in inputs.items() if name not in places})


def _random() -> tuple[Tensor, Tensor]:
    """Directions and shares of the ellipse, [parts, places]."""
    rng = torch.Generator().manual_seed(1)
    turn, reach = (torch.rand(PARTS, PLACES, generator=rng) for _ in range(2))
    return 2 * pi * turn, 0.98 * reach.sqrt()


def _special() -> tuple[Tensor, Tensor]:
    """The centre, then points on the axes and between: inside, on the edge and outside."""
    turn, reach = torch.cartesian_prod(
        torch.arange(8) * pi / 4, torch.tensor([0.5, 1.0, 1.5])
    ).unbind(1)
    centre = torch.zeros(1)
    return (
        torch.cat([centre, turn]).expand(PARTS, -1),
        torch.cat([centre, reach]).expand(PARTS, -1),
    )
