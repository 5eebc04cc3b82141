"""Start a fit from a drawing of another family."""

from __future__ import annotations

from torch import Tensor

from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.generic import GenericFunction
from artgen.primitives import Primitive


@GenericFunction
def convert_parts(
    primitive: Primitive,
    other: Primitive,
    drawing: Drawing,
    *,
    count: int,
    seed: int,
    target: Tensor,
    weight: Tensor | None,
    background: tuple[float, float, float],
) -> dict[str, Tensor]:
    """Make the first tensors of `primitive` out of a `drawing` of `other`.

    There are at most `count` parts, like those that are seen most in `drawing`, for the `target`
    [3, height, width] over the `background` with the loss weights `weight` [height, width]. A
    family that registers this says so in `Primitive.can_start_from`. Raises UsageError elsewhere.
    """
    raise UsageError(
        f"{type(primitive).__name__} cannot start from {type(other).__name__}",
        hint="leave --init out",
    )
