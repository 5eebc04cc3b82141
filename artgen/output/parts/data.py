"""Flat parts as JSON: what each is, where, of which colour."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from artgen._version import __version__
from artgen.output.parts.flat import FlatPart
from artgen.output.parts.required import parts_for
from artgen.primitives import Primitive
from artgen.targets import hex_colour
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

ENLARGED, SEEN = 4, 0.1
"""Enlarged this many times, rounded numbers are off by no more than this share of a pixel."""


def encode_parts(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas,
    recipe: dict[str, Any],
    *,
    transparent: bool = False,
) -> bytes:
    """Encode flat parts as a JSON file, in canvas units, with the size of `canvas` and the recipe.

    Raises UsageError, InputError, PluginError as `parts_for` does.
    """
    digits = decimals(drawing.canvas)
    parts = parts_for(drawing, primitive, "JSON")
    data = {
        "artgen": __version__,
        "primitive": drawing.primitive,
        "width": canvas.width,
        "height": canvas.height,
        "background": None if transparent else hex_colour(drawing.background),
        "shapes": [_described(part, digits) for part in parts],
        "recipe": recipe,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def precision(canvas: Canvas) -> float:
    """The unit to which lengths may be rounded, in canvas units, for that fitting size."""
    return 2 * SEEN * canvas.pixel / ENLARGED


def decimals(canvas: Canvas) -> int:
    """The digits after the point that a length in canvas units needs, for that fitting size."""
    return max(0, math.ceil(-math.log10(precision(canvas))))


def _described(part: FlatPart, digits: int) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "genes": {name: _shortest(value) for name, value in part.numbers.items()},
        "outline": np.round(part.outline(), digits).tolist(),
        "colour": hex_colour(part.colour),
        "alpha": _shortest(part.alpha),
    }


def _shortest(value: float) -> float:
    """The shortest decimal number that float32 stores as this value."""
    return float(str(np.float32(value)))
