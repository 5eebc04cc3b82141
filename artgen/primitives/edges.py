"""Lines along the edges between parts that share them: the lead of stained glass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.options import option
from artgen.primitives.primitive import Primitive

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class EdgeOptions:
    """Options of partitions and meshes. Those of a plugin are a subclass, to have them too."""

    edge_width: float = option(
        0.0, "width of lines between the parts, as a share of the shorter side", low=0, high=0.2
    )
    edge_colour: str = option("#17151a", "colour of these lines, as #rrggbb")

    def __post_init__(self) -> None:
        hex_levels(self.edge_colour, "edge_colour='#17151a'")


def edge_style(primitive: Primitive) -> tuple[float, Floats] | None:
    """Return half the width of the lines in canvas units, and their colour [3]; None for none."""
    options = primitive.options
    if not isinstance(options, EdgeOptions) or options.edge_width == 0:
        return None
    return options.edge_width, hex_levels(options.edge_colour, "")


def hex_levels(text: str, example: str) -> Floats:
    """Return the colour ``#rrggbb`` as float64 [3] in 0 to 1. Raises UsageError with an example."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        hint = f"options take no names of colours: write {example}"
        raise UsageError(f"{text!r} is not a colour as #rrggbb", hint=hint)
    return np.array([int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def hex_palette(text: str, example: str) -> Floats:
    """Return such colours, separated by commas, as float64 [N, 3]. Raises UsageError."""
    return np.array([hex_levels(name.strip(), example) for name in text.split(",")])
