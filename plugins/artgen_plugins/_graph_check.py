"""The check of fields for the engine `scratch`, which brings it: their graph."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from artgen import Field, Params
from artgen.errors import UsageError
from artgen.testing import Candidate, Failed
from artgen_plugins.scratch import ScratchEngine

PLACES = 24
"""Random positions at which the two are compared."""


def graph(candidate: Candidate) -> str:
    """For the engine `scratch`, `graph` computes the same as `forward`, gradients included.

    Compare the two line by line; without `graph`, leave "scratch" out of `engines`.
    """
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant, moved=True)
        field = cast(Field, primitive)
        if not field.has_graph:
            raise Failed(f"{candidate.cls.__name__} has no graph")
        places = torch.rand(PLACES, 2, generator=torch.Generator().manual_seed(2))
        xy = (2 * places - 1) * torch.tensor(made.canvas.reach)
        params = {name: value.clone().requires_grad_() for name, value in made.tensors.items()}
        expected = field.forward(xy, Params(params))
        torch.autograd.backward(expected.square().sum())
        arrays = {name: tensor.numpy() for name, tensor in made.tensors.items()}
        try:
            values, gradients = ScratchEngine.differentiate(
                field, field.encode(xy).detach().numpy(), arrays
            )
        except UsageError:
            continue  # The field declares that the engine does not support these options.
        title = candidate.label(variant, ".graph")
        _agree(title, values, expected)
        for name, found in gradients.items():
            gradient = params[name].grad
            if gradient is not None:
                _agree(f"the gradient of {title} in {name}", found, gradient)
    return "agrees with forward"


def _agree(title: str, found: np.ndarray, expected: torch.Tensor) -> None:
    wanted = expected.detach().numpy()
    if found.shape != wanted.shape:
        raise Failed(f"{title} gives {list(found.shape)}, expected {list(wanted.shape)}")
    gap = float(np.abs(found - wanted).max(initial=0))
    if not gap <= 1e-3 * max(1.0, float(np.abs(wanted).max(initial=0))):
        raise Failed(f"{title} differs from forward by up to {gap:.3g}")
