"""The vector-Jacobian product of torch's operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def vjp(value: Tensor, leaves: Sequence[Tensor], incoming: Tensor) -> list[Tensor | None]:
    """The gradients by `leaves` if the gradient by `value` is `incoming`, of the same shape.

    None where `value` does not depend on a leaf. The same as `torch.autograd.grad` with `incoming`
    as its `grad_outputs`; there torch imports sympy to compare the shapes, which takes 0.3 s.
    """
    with torch.enable_grad():
        seeded = _seeded(value, incoming)
    return list(torch.autograd.grad(seeded, leaves, allow_unused=True))


class _Seeded(torch.autograd.Function):
    """A number that has this gradient by `value`."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, incoming: Tensor) -> Tensor:
        ctx.incoming = incoming
        return torch.zeros((), device=value.device)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return ctx.incoming, None


_seeded: Callable[..., Tensor] = _Seeded.apply
