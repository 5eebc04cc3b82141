"""Start a fit from a drawing, also of another family, or from filled paths."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.primitives import Primitive
from artgen.svg.filled import FilledPath
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing


@generic("start")
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


@generic("search")
def own_parts(primitive: Primitive, drawing: Drawing) -> Drawing:
    """Return the drawing without the parts that are repeats of others: all that a fit goes on from.

    A family whose tensors hold repeats registers this.
    """
    return drawing


@generic("start")
def beyond_limits(primitive: Primitive, own: Primitive, drawing: Drawing) -> int:
    """Return how many parts of a drawing break limits of `primitive` that its `own` has not.

    Both are of one class. A family whose options limit its parts registers this.
    """
    return 0


@generic("start")
def convert_paths(
    primitive: Primitive, paths: Sequence[FilledPath], canvas: Canvas, seed: int
) -> dict[str, Tensor]:
    """Make the first tensors of `primitive`, a part like each of the `paths` in canvas units.

    A family that registers this says so in `Primitive.starts_from_paths`. Raises UsageError
    elsewhere, PluginError where a part is never valid.
    """
    raise UsageError(f"{type(primitive).__name__} cannot start from paths", hint="leave --init out")
