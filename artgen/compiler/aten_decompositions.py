"""Torch operations as torch code made of simpler operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


def find_decomposition(operation: Any) -> Callable[..., Any] | None:
    """Torch code for an operation without a rule."""
    from torch._decomp import decomposition_table

    name = str(operation.overloadpacket.__name__)
    found = _DECOMPOSITIONS.get(name) or decomposition_table.get(operation)
    if found is None and operation.has_kernel_for_dispatch_key(_COMPOSITE):
        found = operation.decompose
    return found


def _sinh(x: Tensor) -> Tensor:
    # e^x − 1 keeps its precision near 0, where e^x − e^-x loses it.
    grown = torch.expm1(x)
    return (grown + grown / (grown + 1)) / 2


def _round(x: Tensor) -> Tensor:
    """To the nearest whole number, halves to the even one."""
    down = torch.floor(x)
    half = x - down == 0.5
    return torch.where(half, 2 * torch.floor(x / 2 + 0.25), torch.floor(x + 0.5))


_DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda x: torch.clamp_min(x, 0.0),
    "square": lambda x: x * x,
    "rsqrt": lambda x: torch.reciprocal(torch.sqrt(x)),
    "hypot": lambda a, b: torch.sqrt(a * a + b * b),
    "frac": lambda x: x - torch.trunc(x),
    "ceil": lambda x: -torch.floor(-x),
    "round": _round,
    "remainder": lambda a, b: a - b * torch.floor(a / b),
    "fmod": lambda a, b: a - b * torch.trunc(a / b),
    "floor_divide": lambda a, b: torch.floor(a / b),
    "exp2": lambda x: torch.exp(x * math.log(2)),
    "log2": lambda x: torch.log(x) * (1 / math.log(2)),
    "log10": lambda x: torch.log(x) * (1 / math.log(10)),
    "sinh": _sinh,
    "cosh": lambda x: (torch.exp(x) + torch.exp(-x)) / 2,
    "asin": lambda x: torch.atan2(x, torch.sqrt((1 - x) * (1 + x))),
    "acos": lambda x: torch.atan2(torch.sqrt((1 - x) * (1 + x)), x),
    "erfc": lambda x: 1 - torch.erf(x),
    "copysign": lambda a, b: torch.where((a < 0) != (b < 0), -a, a),
    "fmax": torch.maximum,
    "fmin": torch.minimum,
    "isnan": lambda x: x != x,
}
