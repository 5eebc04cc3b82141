"""Checks of fields: positions, samples, and cost."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor

from artgen.families.field.contract import Field
from artgen.init import Context
from artgen.primitives import Params
from artgen.testing import pointwise
from artgen.testing.candidate import Candidate, Variant
from artgen.testing.families import CHECKS, FIRST, POINTWISE, THEN
from artgen.testing.probe import Probe, make_probe, operations, probe, split_params
from artgen.testing.run_checks import Failed
from artgen.values.subject import Curve, Points

CHANNELS = 3
MOST_OPERATIONS = 2_000_000
"""Limit per pixel and step: a batch of 4,096 then takes seconds, and a fit hours."""


PLACES = 24
"""Random positions of a probe."""


def positions(candidate: Candidate) -> None:
    """The colour of a position does not depend on the other positions of the batch.

    Treat the rows of `xy` independently: no mean or norm over them. The result is [M, 3].
    """
    for variant in candidate.variants:
        probed = probe(candidate, variant)
        inputs = probed.single
        together = probed.call(inputs)
        wanted = [len(inputs["xy"]), CHANNELS]
        if list(together.shape) != wanted:
            raise Failed(f"{probed.title} gives {list(together.shape)}, expected {wanted}")
        for some in (slice(0, 1), slice(3, 8), slice(0, 0)):
            alone = probed.call({**inputs, "xy": inputs["xy"][some]})
            if alone.shape != together[some].shape:
                asked = len(inputs["xy"][some])
                raise Failed(f"{probed.title} gives {list(alone.shape)} for {asked} positions")
            gap = (alone - together[some]).abs()
            if len(alone) and not float(gap.max()) <= 1e-4 * max(1.0, float(together.abs().max())):
                raise Failed(
                    f"{probed.title} changes the colour of a position by {float(gap.max()):.3g} "
                    "when others are left out"
                )


def samples(candidate: Candidate) -> str | None:
    """A field for curves or labelled points has as many inputs and outputs as its target asks for.

    Use `self.inputs` and `self.outputs` in `forward` and in `params`, which is a property then.
    """
    line, corners = np.linspace(0.0, 1.0, 5), np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    subjects = (
        Curve(line, line * line, 0.0, 1.0),
        Points(corners, np.array([0, 1, 2, 0]), ("a", "b", "c"), (0.0, 0.0, 1.0, 1.0)),
    )
    asked = [subject for subject in subjects if subject.kind in candidate.cls.targets]
    for subject in asked:
        field = cast(Field, candidate.cls())
        field.take(subject)
        field.resolve_options(subject.grid)
        tensors = field.initial(Context(torch.Generator(), subject.grid, 1))
        xy = torch.from_numpy(subject.positions)
        shape, wanted = list(field.forward(xy, Params(tensors)).shape), [len(xy), subject.outputs]
        if shape != wanted:
            raise Failed(
                f"{candidate.cls.__name__}.forward gives {shape} for the positions "
                f"{list(xy.shape)} of a {subject.kind} target, expected {wanted}"
            )
    return None if asked else "for pictures only"


def cost(candidate: Candidate) -> str:
    """A step does not take more operations per pixel than a fit can afford.

    Make the network narrower or shallower by default.
    """
    probed = probe(candidate)
    each = operations(probed) / len(probed.inputs["xy"])
    remark = f"{each:,.0f} operations per pixel"
    if each > MOST_OPERATIONS:
        raise Failed(f"{candidate.cls.__name__} takes {remark}, more than {MOST_OPERATIONS:,}")
    return remark


@make_probe.register(Field)
def _field_probe(field: Field, candidate: Candidate, variant: Variant, *, special: bool) -> Probe:
    """Probe `forward` at positions [M, 2]."""
    _, made = candidate.drawing(variant, moved=True)
    rates = {name: param.lr for name, param in field.parameters().items()}
    return Probe(
        candidate.label(variant, ".forward"),
        {
            "xy": _positions(made.canvas.reach, special=special).double(),
            **{name: tensor.double() for name, tensor in made.tensors.items()},
        },
        tuple(name for name in made.tensors if rates[name] != 0),
        lambda inputs: field.forward(inputs["xy"], split_params(inputs, ("xy",))),
    )


def _positions(reach: tuple[float, float], *, special: bool) -> Tensor:
    """Choose positions [M, 2] on the canvas: random, or its centre, corners and edges."""
    if special:
        ends = torch.tensor([-1.0, 0.0, 1.0])
        return torch.cartesian_prod(ends, ends) * torch.tensor(reach)
    rng = torch.Generator().manual_seed(2)
    return (2 * torch.rand(PLACES, 2, generator=rng) - 1) * torch.tensor(reach)


CHECKS[Field] = (
    *(*FIRST, pointwise.purity, *THEN, *POINTWISE),
    *(positions, samples, cost),
)
