"""Probe the function of a splat or a field at random places, as one call on tensors.

Checks of such functions can then ignore what their arguments are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from artgen.base.errors import PluginError
from artgen.base.generic import generic
from artgen.primitives import Params, Primitive
from artgen.testing.candidate import DEFAULT, Candidate, Variant


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
    return make_probe(candidate.primitive(variant), candidate, variant, special=special)


@generic("checks")
def make_probe(
    primitive: Primitive, candidate: Candidate, variant: Variant, *, special: bool
) -> Probe:
    """Make a probe as `probe` does: a family answers whose checks use one."""
    raise PluginError(f"{type(primitive).__name__} has no function of places to probe")


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
    return counter.numbers + int(products.get_total_flops()) // 2


def split_params(inputs: Mapping[str, Tensor], places: tuple[str, ...]) -> Params:
    """Return the inputs that are parameters, and not the `places`."""
    return Params({name: tensor for name, tensor in inputs.items() if name not in places})
