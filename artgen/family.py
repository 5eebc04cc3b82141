"""The questions that a family of primitives answers: generic functions, each on the primitive.

A family is a base class derived from `artgen.Primitive`, with a `family` name of its own. A plugin
brings one by registering its answers where it defines the class::

    @artgen.family.paint.register(Stripes)
    def paint_stripes(stripes, tensors, canvas, *, background, **_): ...

`paint` alone is needed. Without `appearance` two drawings cannot become one another, and without
`flat_parts` there are no vectors, pens and pages; artgen then refuses them by name. Not a question:
`share` has idle threads do what a family computes itself.
"""

from artgen.compiler.threads import share as share
from artgen.engines.conversion import convert_parts as convert_parts
from artgen.engines.gradient.objective import Objective as Objective
from artgen.engines.gradient.objective import PictureOptions as PictureOptions
from artgen.engines.gradient.objective import objective_of as objective_of
from artgen.matching import Appearance as Appearance
from artgen.matching import Pairs as Pairs
from artgen.matching import align as align
from artgen.matching import appearance as appearance
from artgen.matching import building_order as building_order
from artgen.matching import carry as carry
from artgen.matching import compose as compose
from artgen.matching import hide as hide
from artgen.matching import move as move
from artgen.matching import pair as pair
from artgen.matching import pair_parts as pair_parts
from artgen.matching import transform as transform
from artgen.output.page.scenes import PageScript as PageScript
from artgen.output.page.scenes import page_script as page_script
from artgen.output.parts.flat import Curves as Curves
from artgen.output.parts.flat import FlatPart as FlatPart
from artgen.output.parts.flat import Polygon as Polygon
from artgen.output.parts.flat import flat_parts as flat_parts
from artgen.output.parts.pens import PenPart as PenPart
from artgen.output.parts.pens import pen_parts as pen_parts
from artgen.primitives import pack as pack
from artgen.primitives import shrink as shrink
from artgen.primitives import unpack as unpack
from artgen.raster import Backend as Backend
from artgen.raster import Memory as Memory
from artgen.raster import choose_backend as choose_backend
from artgen.raster import evaluate as evaluate
from artgen.raster import paint as paint
from artgen.raster import planned_backend as planned_backend
from artgen.raster import posed as posed
from artgen.raster import reconstruct as reconstruct

__all__ = sorted(name for name in globals() if not name.startswith("_"))
