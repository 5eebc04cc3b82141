"""The contracts that primitives are written against."""

from artgen.init import Context
from artgen.primitives._curves import bezier_points, flatten, join_rings, path_data
from artgen.primitives._edges import EdgeOptions, edge_style
from artgen.primitives._params import (
    Map,
    Param,
    Params,
    pixels,
)
from artgen.primitives._primitive import Arithmetic, NoOptions, Preset, Primitive
from artgen.primitives.codec import Codec, Examples, SolvableCodec
from artgen.primitives.field import Field, FieldWithGraph, features_of
from artgen.primitives.ink import Ink, InkOptions
from artgen.primitives.mesh import Mesh, on_frame, outermost
from artgen.primitives.partition import Partition
from artgen.primitives.shape import Shape, mixture
from artgen.primitives.splat import HIDDEN, OPAQUE, SHARPEST, Blend, Splat, Sprites, check_colours
from artgen.primitives.texture import Texture, read_coverage, read_rgba

__all__ = [
    "HIDDEN",
    "OPAQUE",
    "SHARPEST",
    "Arithmetic",
    "Blend",
    "Codec",
    "Context",
    "EdgeOptions",
    "Examples",
    "Field",
    "FieldWithGraph",
    "Ink",
    "InkOptions",
    "Map",
    "Mesh",
    "NoOptions",
    "Param",
    "Params",
    "Partition",
    "Preset",
    "Primitive",
    "Shape",
    "SolvableCodec",
    "Splat",
    "Sprites",
    "Texture",
    "bezier_points",
    "check_colours",
    "edge_style",
    "features_of",
    "flatten",
    "join_rings",
    "mixture",
    "on_frame",
    "outermost",
    "path_data",
    "pixels",
    "read_coverage",
    "read_rgba",
]
