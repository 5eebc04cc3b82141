"""Lines along the edges between parts that share them: the lead of stained glass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.base.options import option
from artgen.primitives.primitive import Primitive
from artgen.values.colour import parse_colour

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class EdgeOptions:
    """Options of partitions and meshes. Those of a plugin are a subclass, to have them too."""

    edge_width: float = option(
        0.0, "width of lines between the parts, as a share of the shorter side", low=0, high=0.2
    )
    edge_colour: str = option("#17151a", "colour of these lines")

    def __post_init__(self) -> None:
        parse_colour(self.edge_colour)


def edge_style(primitive: Primitive) -> tuple[float, Floats] | None:
    """Return half the width of the lines in canvas units, and their colour [3]; None for none."""
    options = primitive.options
    if not isinstance(options, EdgeOptions) or options.edge_width == 0:
        return None
    return options.edge_width, np.array(parse_colour(options.edge_colour))


def colours_of(text: str) -> Floats:
    """Return colours, separated by commas, as float64 [N, 3] in 0 to 1. Raises UsageError."""
    return np.array([parse_colour(name) for name in text.split(",")])
