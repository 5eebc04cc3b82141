"""The parts of a drawing one by one, for files of vectors and of data: see `flat_parts`."""

from artgen.output.parts import cells, marks, meshes, shapes
from artgen.output.parts._flat import Curves, FlatPart, Polygon, flat_parts, parts_for
from artgen.output.parts._json import decimals, encode_parts, precision

# Imported for the answers that they register.
_FAMILIES = (cells, marks, meshes, shapes)

__all__ = [
    "Curves",
    "FlatPart",
    "Polygon",
    "decimals",
    "encode_parts",
    "flat_parts",
    "parts_for",
    "precision",
]
