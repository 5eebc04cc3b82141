"""Match fields weight by weight, which means little unless one was fitted from the other."""

from __future__ import annotations

from artgen.base.errors import UsageError
from artgen.families.field.contract import Field
from artgen.matching import Pairs, Tensors, pair


@pair.register(Field)
def _pair(field: Field, a: Tensors, b: Tensors) -> Pairs:
    shapes = [{name: tensor.shape for name, tensor in tensors.items()} for tensors in (a, b)]
    if shapes[0] != shapes[1]:
        raise UsageError(
            "the networks have different layers", hint="fit both pictures with the same options"
        )
    return Pairs(a, b)
