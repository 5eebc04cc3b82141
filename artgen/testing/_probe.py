"""Probe the function of a splat or a field at random places, as one call on tensors.

Checks of such functions can then ignore what their arguments are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from artgen.primitives import Field, Params, Splat
from artgen.raster.tiles import Extent, find_extent
from artgen.testing._candidate import DEFAULT, Candidate, Variant

PARTS, PLACES = 24, 6
WIDEST = 4.0
"""Largest half axis from which offsets are drawn, in canvas units; ellipses may be infinite."""


@dataclass(frozen=True)
class Probe:
    """A function `call` of `inputs`: one value per place for a splat, one colour for a field.

    `inputs` are float64. `learned` names the inputs that are differentiated: parameters that an
    engine changes and, for a splat, offsets.
    """

    title: str
    inputs: Mapping[str, Tensor]
    learned: tuple[str, ...]
    call: Callable[[Mapping[str, Tensor]], Tensor]

    @property
    def single(self) -> dict[str, Tensor]:
        """The inputs as float32."""
        return {name: tensor.float() for name, tensor in self.inputs.items()}


def probe(candidate: Candidate, variant: Variant = DEFAULT, *, special: bool = False) -> Probe:
    """Make a probe of a splat's footprint or a field's forward.

    `special` chooses places where functions often fail: centres, axes, edges, and just outside.
    """
    make = field_probe if issubclass(candidate.cls, Field) else splat_probe
    return make(candidate, variant, special=special)


def splat_probe(candidate: Candidate, variant: Variant, *, special: bool) -> Probe:
    """Probe the footprint of parts at several offsets each: inputs are [..., parts·places]."""
    primitive, made = candidate.drawing(variant, count=PARTS, moved=True)
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
        candidate.label(variant, ".footprint"),
        {"dx": dx.flatten().double(), "dy": dy.flatten().double(), **parameters},
        ("dx", "dy", *learned),
        lambda inputs: splat.footprint(inputs["dx"], inputs["dy"], _params(inputs, ("dx", "dy"))),
    )


def field_probe(candidate: Candidate, variant: Variant, *, special: bool) -> Probe:
    """Probe `forward` at positions [M, 2]."""
    primitive, made = candidate.drawing(variant, moved=True)
    field = cast(Field, primitive)
    rates = {name: param.lr for name, param in field.parameters().items()}
    return Probe(
        candidate.label(variant, ".forward"),
        {
            "xy": positions(made.canvas.reach, special=special).double(),
            **{name: tensor.double() for name, tensor in made.tensors.items()},
        },
        tuple(name for name in made.tensors if rates[name] != 0),
        lambda inputs: field.forward(inputs["xy"], _params(inputs, ("xy",))),
    )


def positions(reach: tuple[float, float], *, special: bool = False) -> Tensor:
    """Choose positions [M, 2] on the canvas: random, or its centre, corners and edges."""
    if special:
        ends = torch.tensor([-1.0, 0.0, 1.0])
        return torch.cartesian_prod(ends, ends) * torch.tensor(reach)
    rng = torch.Generator().manual_seed(2)
    return (2 * torch.rand(PARTS, 2, generator=rng) - 1) * torch.tensor(reach)


def offsets(extent: Extent, turn: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return offsets [N, M] in M directions, at distances in half axes of each of N ellipses."""
    u = extent.along[:, None] * distance * turn.cos()
    v = extent.across[:, None] * distance * turn.sin()
    cosine, sine = extent.angle.cos()[:, None], extent.angle.sin()[:, None]
    return cosine * u - sine * v, sine * u + cosine * v


def footprint_parameters(splat: Splat) -> list[str]:
    """Return the parameters that a footprint receives: not those that only artgen reads."""
    return [name for name in splat.declared_params() if name not in splat.framework_params]


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counter of the numbers that operations compute; views do not count."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run the operation and count its results."""
        result = operation(*args, **(kwargs or {}))
        views = any(value.alias_info for value in operation._schema.returns)
        if not views:
            results = result if isinstance(result, tuple | list) else [result]
            self.numbers += sum(each.numel() for each in results if isinstance(each, Tensor))
        return result


def operations(probed: Probe) -> int:
    """Count numbers computed and multiplications of matrix products in a call and its gradient."""
    leaves = probed.single
    for name in probed.learned:
        leaves[name].requires_grad_()
    learned = [leaves[name] for name in probed.learned]
    counter = _Counter()
    with FlopCounterMode(display=False) as products, counter:
        values = probed.call(leaves)
        if values.requires_grad:
            torch.autograd.grad(values.sum(), learned, allow_unused=True)
    multiplications = int(products.get_total_flops()) // 2
    return counter.numbers + multiplications


def _params(inputs: Mapping[str, Tensor], places: tuple[str, ...]) -> Params:
    return Params({name: tensor for name, tensor in inputs.items() if name not in places})


def _random() -> tuple[Tensor, Tensor]:
    """Choose random directions and distances in half axes, [parts, places]."""
    rng = torch.Generator().manual_seed(1)
    turn, reach = (torch.rand(PARTS, PLACES, generator=rng) for _ in range(2))
    return 2 * pi * turn, 0.98 * reach.sqrt()


def _special() -> tuple[Tensor, Tensor]:
    """Choose the centre, and points inside, on the edge and outside, on the axes and between."""
    turn, reach = torch.cartesian_prod(
        torch.arange(8) * pi / 4, torch.tensor([0.5, 1.0, 1.5])
    ).unbind(1)
    centre = torch.zeros(1)
    return (
        torch.cat([centre, turn]).expand(PARTS, -1),
        torch.cat([centre, reach]).expand(PARTS, -1),
    )
