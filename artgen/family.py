"""The questions that a family of primitives answers: generic functions, each on the primitive.

A family is a base class derived from `artgen.Primitive`, with a `family` name of its own. A plugin
brings one by registering its answers where it defines the class::

    @artgen.family.paint.register(Stripes)
    def paint_stripes(stripes, tensors, canvas, *, background, **_): ...

`paint` alone is needed. Without `appearance` two drawings cannot become one another, and without
`flat_parts` there are no vectors, pens and pages; artgen then refuses them by name. Not a question:
`share` has idle threads do what a family computes itself.
"""

from artgen.compiler.threads import share
from artgen.engines.conversion import convert_parts
from artgen.engines.gradient.objective import Objective, PictureOptions, objective_of
from artgen.matching import (
    Appearance,
    Pairs,
    align,
    appearance,
    building_order,
    carry,
    hide,
    move,
    pair,
    pair_parts,
    transform,
)
from artgen.output.page.scenes import PageScript, page_script
from artgen.output.parts.flat import Curves, FlatPart, Polygon, flat_parts
from artgen.output.parts.pens import PenPart, pen_parts
from artgen.primitives import pack, shrink, unpack
from artgen.raster import (
    Backend,
    Memory,
    choose_backend,
    evaluate,
    paint,
    planned_backend,
    posed,
    reconstruct,
)

__all__ = [
    "Appearance",
    "Backend",
    "Curves",
    "FlatPart",
    "Memory",
    "Objective",
    "PageScript",
    "Pairs",
    "PenPart",
    "PictureOptions",
    "Polygon",
    "align",
    "appearance",
    "building_order",
    "carry",
    "choose_backend",
    "convert_parts",
    "evaluate",
    "flat_parts",
    "hide",
    "move",
    "objective_of",
    "pack",
    "page_script",
    "paint",
    "pair",
    "pair_parts",
    "pen_parts",
    "planned_backend",
    "posed",
    "reconstruct",
    "share",
    "shrink",
    "transform",
    "unpack",
]
