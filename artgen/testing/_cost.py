"""What a function costs, counted instead of timed: the same on every machine."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from artgen.testing._probe import Probe

__all__ = ["operations"]


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that operations compute; those that only look at others do not count."""

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
    """Of one call and its gradient: numbers computed, and multiplications of matrix products."""
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
