"""What a family answers whose drawings are smaller as bytes of its own than as tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from artgen.base.errors import PluginError
from artgen.base.generic import generic
from artgen.primitives.primitive import Primitive


@generic("coding")
def pack(primitive: Primitive, tensors: Mapping[str, Tensor]) -> bytes | None:
    """The bytes that a file holds in place of the tensors of a drawing; None: it holds these.

    `unpack` gives tensors of the same picture, and of the same bytes.
    """
    return None


@generic("coding")
def shrink(primitive: Primitive, tensors: Mapping[str, Tensor], most: int) -> dict[str, Tensor]:
    """Tensors of nearly the same picture that `pack` makes at most `most` bytes of.

    Those whose bytes are as few stay as they are; so does what cannot be made so small.
    """
    return dict(tensors)


@generic("coding")
def unpack(primitive: Primitive, data: bytes) -> dict[str, Tensor]:
    """The tensors that `pack` made `data` of. Raises InputError where `data` are damaged."""
    raise PluginError(f"{type(primitive).__name__} packs no tensors")
