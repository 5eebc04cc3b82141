"""Checks of fields: positions, samples, the graph for the engine `scratch`, and cost."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from artgen.autograd import Constant, LearnableParameter, Matrix, Node
from artgen.autograd import Tensor as Numbers
from artgen.errors import UsageError
from artgen.primitives import Context, Field, FieldWithGraph, Params, features_of
from artgen.samples import Curve, Points
from artgen.testing._candidate import Candidate
from artgen.testing._probe import operations, probe
from artgen.testing._run_checks import Failed

CHANNELS = 3
MOST_OPERATIONS = 2_000_000
"""Limit per pixel and step: a batch of 4,096 then takes seconds, and a fit hours."""


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


def graph(candidate: Candidate) -> str:
    """For the engine `scratch`, `graph` computes the same as `forward`, gradients included.

    Compare the two line by line; without `graph`, leave "scratch" out of `engines`.
    """
    if "scratch" not in candidate.cls.engines:
        return "not for engine scratch"
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant, moved=True)
        field = cast(Field, primitive)
        if not isinstance(field, FieldWithGraph):
            raise Failed(f"{candidate.cls.__name__} has no graph")
        probed = probe(candidate, variant)
        inputs = probed.single
        for name in made.tensors:
            inputs[name].requires_grad_()
        expected = probed.call(inputs)
        torch.autograd.backward(expected.square().sum())
        nodes = {name: _node(tensor.numpy()) for name, tensor in made.tensors.items()}
        features = features_of(field, inputs["xy"]).detach().numpy()
        try:
            colours = field.graph(Constant(Numbers(features.shape, features), "x"), nodes)
        except UsageError:
            continue  # The field declares that the engine does not support these options.
        title = candidate.label(variant, ".graph")
        _agree(title, colours.materialize().data.reshape(colours.shape), expected)
        colours.square().sum().backward()
        for name, node in nodes.items():
            gradient = inputs[name].grad
            if gradient is not None:
                found = node.gradient.data.reshape(tuple(gradient.shape))
                _agree(f"the gradient of {title} in {name}", found, gradient)
    return "agrees with forward"


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


def _node(values: np.ndarray) -> Node:
    kind = Matrix if values.ndim == 2 else LearnableParameter
    return kind(Numbers(values.shape if values.ndim > 1 else (1, *values.shape), values.copy()))


def _agree(title: str, found: np.ndarray, expected: torch.Tensor) -> None:
    wanted = expected.detach().numpy()
    if found.shape != wanted.shape:
        raise Failed(f"{title} gives {list(found.shape)}, expected {list(wanted.shape)}")
    gap = float(np.abs(found - wanted).max(initial=0))
    if not gap <= 1e-3 * max(1.0, float(np.abs(wanted).max(initial=0))):
        raise Failed(f"{title} differs from forward by up to {gap:.3g}")
