"""Checks of fields: one colour per position, each on its own, and the graph of engine `scratch`."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from artgen.engines.scratch import Constant, LearnableParameter, Matrix, Node
from artgen.engines.scratch import Tensor as Numbers
from artgen.errors import UsageError
from artgen.primitives import Field
from artgen.testing._cost import operations
from artgen.testing._judging import Failed
from artgen.testing._probe import probe
from artgen.testing._subject import Subject

__all__ = ["cost", "graph", "positions"]

CHANNELS = 3
MOST_OPERATIONS = 2_000_000
"""Per pixel and step: a batch of 4,096 then takes seconds, and a fit hours."""


def positions(subject: Subject) -> None:
    """Every position gets a colour of its own, whatever other positions are asked for with it.

    Treat the rows of `xy` one by one: no mean or norm over them. The result is [M, 3].
    """
    for variant in subject.variants:
        probed = probe(subject, variant)
        inputs = probed.single
        together = probed.call(inputs)
        wanted = [len(inputs["xy"]), CHANNELS]
        if list(together.shape) != wanted:
            raise Failed(f"{probed.title} gives {list(together.shape)}, not {wanted}")
        for some in (slice(0, 1), slice(3, 8), slice(0, 0)):
            alone = probed.call({**inputs, "xy": inputs["xy"][some]})
            if alone.shape != together[some].shape:
                asked = len(inputs["xy"][some])
                raise Failed(f"{probed.title} gives {list(alone.shape)} for {asked} positions")
            gap = (alone - together[some]).abs()
            if len(alone) and not float(gap.max()) <= 1e-4 * max(1.0, float(together.abs().max())):
                raise Failed(
                    f"{probed.title} gives a position another colour when others are left out: "
                    f"off by {float(gap.max()):.3g}"
                )


def graph(subject: Subject) -> str:
    """For the engine `scratch`, `graph` computes what `forward` does, gradients included.

    Compare the two line by line; without `graph`, leave "scratch" out of `engines`.
    """
    if "scratch" not in subject.cls.engines:
        return "not for engine scratch"
    for variant in subject.variants:
        primitive, made = subject.drawing(variant, moved=True)
        field = cast(Field, primitive)
        probed = probe(subject, variant)
        inputs = probed.single
        for name in made.tensors:
            inputs[name].requires_grad_()
        expected = probed.call(inputs)
        expected.square().sum().backward()  # type: ignore[no-untyped-call]
        nodes = {name: _node(tensor.numpy()) for name, tensor in made.tensors.items()}
        features = field.encode(inputs["xy"]).detach().numpy()
        try:
            colours = field.graph(Constant(Numbers(features.shape, features), "x"), nodes)
        except UsageError:
            continue  # with these options it is not for that engine, and says so
        title = subject.label(variant, ".graph")
        _agree(title, colours.materialize().data.reshape(colours.shape), expected)
        colours.square().sum().backward()
        for name, node in nodes.items():
            gradient = inputs[name].grad
            if gradient is not None:
                found = node.gradient.data.reshape(tuple(gradient.shape))
                _agree(f"the gradient of {title} in {name}", found, gradient)
    return "as forward"


def cost(subject: Subject) -> str:
    """A step does not take more operations per pixel than a fit can afford.

    Make it narrower or shallower by default.
    """
    probed = probe(subject)
    each = operations(probed) / len(probed.inputs["xy"])
    remark = f"{each:,.0f} operations per pixel"
    if each > MOST_OPERATIONS:
        raise Failed(f"{subject.cls.__name__} takes {remark}, more than {MOST_OPERATIONS:,}")
    return remark


def _node(values: np.ndarray) -> Node:
    kind = Matrix if values.ndim == 2 else LearnableParameter
    return kind(Numbers(values.shape if values.ndim > 1 else (1, *values.shape), values.copy()))


def _agree(title: str, found: np.ndarray, expected: torch.Tensor) -> None:
    wanted = expected.detach().numpy()
    if found.shape != wanted.shape:
        raise Failed(f"{title} gives {list(found.shape)}, not {list(wanted.shape)}")
    gap = float(np.abs(found - wanted).max(initial=0))
    if not gap <= 1e-3 * max(1.0, float(np.abs(wanted).max(initial=0))):
        raise Failed(f"{title} is not that of forward: off by {gap:.3g}")
