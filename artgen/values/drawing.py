"""Drawings: immutable descriptions of a picture in canvas units, without a resolution.

Rasterisers, outputs and `.art` files take drawings only. Their tensors hold *mapped* values (a
scale, not the logarithm of a scale), so drawing needs nothing of the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from artgen.values.canvas import Canvas
from artgen.values.subject import Subject

if TYPE_CHECKING:
    from torch import Tensor


Colour = tuple[float, float, float]
"""Red, green and blue, sRGB-encoded, 1.0 = 255."""

BACKGROUND_WEIGHT = 1e-3
"""The weight of the background in the blends `normalized` and `depth`."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Named tensors of one primitive, ready to draw.

    `primitive` is the registered name, `plugin` says who provides it (``{"name": ..., "version":
    ...}`` or, for a loose file, ``{"file": ..., "sha256": ...}``), `options` are complete.
    `background` is sRGB-encoded, 1.0 = 255; `width` and `height` are the fitting size in pixels.
    `subject` holds the samples of a curve or of labelled points, or some pictures of a set; None
    for a picture. `span` is that of the canvas, see `Canvas`: 0 but for a window of a larger
    picture.
    """

    primitive: str
    options: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(repr=False)
    width: int
    height: int
    background: Colour = (0.0, 0.0, 0.0)
    background_weight: float = BACKGROUND_WEIGHT
    plugin: Mapping[str, str] = field(default_factory=dict)
    subject: Subject | None = field(default=None, repr=False)
    span: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        for name in ("options", "tensors", "plugin"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        # Views of mappings can be neither copied nor pickled.
        values = (getattr(self, each.name) for each in fields(self))
        return type(self), tuple(dict(v) if isinstance(v, Mapping) else v for v in values)

    @property
    def canvas(self) -> Canvas:
        """The canvas the drawing was fitted on."""
        return Canvas(self.width, self.height, self.span)

    @property
    def parameters(self) -> int:
        """The number of floats in all tensors."""
        return sum(tensor.numel() for tensor in self.tensors.values())

    def map_tensors(self, change: Callable[[Tensor], Tensor]) -> Drawing:
        """Return the drawing with `change` applied to every tensor."""
        return replace(self, tensors={name: change(t) for name, t in self.tensors.items()})

    def detach(self) -> Drawing:
        """Return a copy on the CPU that shares no memory with the fit."""
        return self.map_tensors(lambda tensor: tensor.detach().to("cpu", copy=True))


def same_value(one: object, other: object) -> bool:
    """Whether an option has the same value in two drawings; of one in a file, tuples are lists."""
    first, second = (list(each) if isinstance(each, tuple) else each for each in (one, other))
    return first == second
