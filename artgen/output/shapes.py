"""The shapes of a drawing one by one, and as JSON: what each is, where, of which colour."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import __version__
from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.primitives import Primitive, Shape, Splat
from artgen.raster import check_shape, unpack
from artgen.registry import kind_names
from artgen.targets import hex_colour

__all__ = ["PlacedShape", "decimals", "encode_shapes", "place_shapes"]

ENLARGED, SEEN = 4, 0.1
"""Enlarged so many times, rounded numbers are off by no more than this share of a pixel."""


@dataclass(frozen=True, eq=False)
class PlacedShape:
    """A shape of a drawing: `genes` are float64, `colour` is ``#rrggbb``, `alpha` in 0..1."""

    kind: str
    shape: Shape
    genes: NDArray[np.float64]
    colour: str
    alpha: float

    def element(self) -> str | None:
        """The SVG element in canvas units; None where it has numbers that are none."""
        try:
            with np.errstate(all="ignore"):
                text = self.shape.svg(self.genes)
        except (ArithmeticError, ValueError):
            return None
        return None if re.search(r"\b(nan|inf)\b", text) else text

    def outline(self) -> NDArray[np.float64]:
        """Its polygon, float64 [corners, 2]; empty where that has numbers that are none."""
        try:
            with np.errstate(all="ignore"):
                points = self.shape.polygon(self.genes)
        except (ArithmeticError, ValueError):
            return np.empty((0, 2))
        return points if np.isfinite(points).all() else np.empty((0, 2))

    def spine(self) -> NDArray[np.float64] | None:
        """The line in the middle of a stroke, float64 [points, 2]."""
        points = self.shape.spine(self.genes)
        return points if points is not None and np.isfinite(points).all() else None


def place_shapes(drawing: Drawing, primitive: Primitive, what: str) -> list[PlacedShape]:
    """The shapes from the lowest to the highest, for a file of the format `what`.

    Raises UsageError where the drawing is not made of shapes, InputError where its tensors are not
    those of `primitive`, PluginError where a shape does not say what it is.
    """
    if not isinstance(primitive, Shape):
        lines = what == "SVG" and isinstance(primitive, Splat)
        raise UsageError(
            f"{drawing.primitive} is a {primitive.family} and cannot be written as {what}, "
            "which is for shapes: triangle, circle, bezier and others",
            hint="use -o FILE.png" + (", or --page A4 for lines" if lines else ""),
        )
    check_shape(primitive)
    primitive.check_tensors(drawing)
    names, members = kind_names(drawing.primitive), primitive.members
    placed = []
    for kind, genes, colour, alpha in zip(*unpack(primitive, drawing.tensors), strict=True):
        # As it is drawn: any other number means the last kind.
        k = int(kind) if 0 <= kind < len(members) else -1
        own = np.ascontiguousarray(genes[: members[k].genes])
        opacity = min(max(float(alpha), 0.0), 1.0)
        placed.append(PlacedShape(names[k], members[k], own, hex_colour(colour), opacity))
    return placed


def encode_shapes(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas,
    recipe: dict[str, Any],
    *,
    transparent: bool = False,
) -> bytes:
    """A JSON file of the shapes, in canvas units, with the size of `canvas` and the recipe.

    Raises UsageError, InputError, PluginError as `place_shapes` does.
    """
    digits = decimals(drawing.canvas)
    shapes = place_shapes(drawing, primitive, "JSON")
    data = {
        "artgen": __version__,
        "primitive": drawing.primitive,
        "width": canvas.width,
        "height": canvas.height,
        "background": None if transparent else hex_colour(drawing.background),
        "shapes": [_described(placed, digits) for placed in shapes],
        "recipe": recipe,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def decimals(canvas: Canvas) -> int:
    """How many digits after the point a length in canvas units needs, for that fitting size."""
    return max(0, math.ceil(-math.log10(2 * SEEN * canvas.pixel / ENLARGED)))


def _described(placed: PlacedShape, digits: int) -> dict[str, Any]:
    names = placed.shape.gene_names or [f"gene_{i}" for i in range(placed.shape.genes)]
    return {
        "kind": placed.kind,
        "genes": dict(zip(names, map(_shortest, placed.genes), strict=True)),
        "outline": np.round(placed.outline(), digits).tolist(),
        "colour": placed.colour,
        "alpha": _shortest(placed.alpha),
    }


def _shortest(value: float) -> float:
    """The shortest decimal number that float32 stores as this value."""
    return float(str(np.float32(value)))
