"""The contracts that primitives are written against."""

from artgen.primitives._params import (
    Context,
    Map,
    Param,
    Params,
    at_target_colour,
    constant,
    from_spacing,
    normal,
    on_detail,
    per_count,
    per_spacing,
    pixels,
    uniform,
)
from artgen.primitives._primitive import Preset, Primitive
from artgen.primitives.codec import Codec, Examples
from artgen.primitives.field import Arithmetic, Field
from artgen.primitives.partition import Partition
from artgen.primitives.shape import Shape, mixture
from artgen.primitives.splat import ADDED, HIDDEN, OPAQUE, Blend, Splat

__all__ = [
    "ADDED",
    "HIDDEN",
    "OPAQUE",
    "Arithmetic",
    "Blend",
    "Codec",
    "Context",
    "Examples",
    "Field",
    "Map",
    "Param",
    "Params",
    "Partition",
    "Preset",
    "Primitive",
    "Shape",
    "Splat",
    "at_target_colour",
    "constant",
    "from_spacing",
    "mixture",
    "normal",
    "on_detail",
    "per_count",
    "per_spacing",
    "pixels",
    "uniform",
]
