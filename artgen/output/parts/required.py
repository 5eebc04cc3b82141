"""The parts of a drawing for a file, which is refused where there are none."""

from __future__ import annotations

from collections.abc import Sequence

from artgen.base.errors import UsageError
from artgen.output.parts.flat import FlatPart, flat_parts
from artgen.output.parts.pens import pen_parts
from artgen.primitives import Primitive
from artgen.values.drawing import Drawing


def parts_for(drawing: Drawing, primitive: Primitive, what: str) -> Sequence[FlatPart]:
    """List the parts of a drawing from the lowest to the highest, for a file of the format `what`.

    Raises UsageError where the family has no flat parts, InputError where the tensors are not those
    of `primitive`, PluginError where a plugin does not say what its parts are.
    """
    kind = type(primitive)
    if not flat_parts.is_answered(kind):
        lines = what in ("SVG", "PDF") and pen_parts.is_answered(kind)
        raise UsageError(
            f"{drawing.primitive} is a {primitive.family} and cannot be written as {what}, "
            "which is for shapes: triangle, circle, bezier and others",
            hint="use -o FILE.png" + (", or --page A4 for lines" if lines else ""),
        )
    primitive.check_tensors(drawing)
    return flat_parts(primitive, drawing)
