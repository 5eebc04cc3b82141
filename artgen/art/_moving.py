"""Drawings as functions of time: those of a film, parts that appear, and pictures of moments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from artgen.base.errors import UsageError
from artgen.values.drawing import Drawing

if TYPE_CHECKING:
    from artgen.display.views import FramedView
    from artgen.output import Pixels
    from artgen.primitives import Primitive

T = TypeVar("T")

_FEW = 8
"""How many parts appear at an even pace; later ones come faster and faster."""


def growing(primitive: Primitive, whole: Drawing) -> Callable[[float], Drawing]:
    """A drawing while its parts appear, as a function of the share of the way, 0 to 1.

    Equal moments are one object. Raises UsageError where there are no parts.
    """
    from artgen.matching import building_order, compose

    count = primitive.count_of(whole)
    if not primitive.has_count or count < 1:
        raise UsageError(
            f"{whole.primitive} has no parts that could appear",
            hint="keep a film of the fit: artgen fit --history 40",
        )
    order = building_order(primitive, whole)

    def there(share: float) -> int:
        grown = _FEW * math.expm1(share * math.log1p(count / _FEW))
        return min(count, max(1, round(grown)))

    def drawing(share: float) -> Drawing:
        keep = order[: there(share)].sort().values
        tensors = compose(primitive, (dict(whole.tensors), keep.numpy()))
        return replace(whole, tensors=dict(tensors))

    return kept(there, drawing)


def kept(key: Callable[[float], object], make: Callable[[float], T]) -> Callable[[float], T]:
    """What `make` gives of a moment, and makes nothing anew while the `key` of it is the same."""
    before: list[tuple[object, T]] = []

    def at(moment: float) -> T:
        now = key(moment)
        if not before or before[0][0] != now:
            before[:] = [(now, make(moment))]
        return before[0][1]

    return at


def draw_moments(
    view: FramedView, drawing: Callable[[float], Drawing], moments: Iterable[float]
) -> Iterator[Pixels]:
    """Draw a moving drawing at these moments; what did not change is drawn once."""
    return map(kept(drawing, lambda moment: view.show(drawing(moment))), moments)
