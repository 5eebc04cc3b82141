"""artgen turns a picture into art made of parts.

    import artgen

    art = artgen.fit("photo.jpg", primitive="gaussian", count=500)
    art.save("photo.art")
    art.render(2048)                     # uint8 array [height, width, 3]

Names are imported when they are first used, so that importing artgen never imports torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artgen.api import fit, register
    from artgen.art import Art, ExportRequest, load
    from artgen.canvas import Canvas
    from artgen.drawing import Drawing
    from artgen.engines import Engine, Problem, Report
    from artgen.engines.scratch import Node
    from artgen.errors import (
        ArtgenError,
        Diverged,
        InputError,
        Interrupted,
        OutOfMemory,
        OutputError,
        PluginError,
        UsageError,
    )
    from artgen.events import Event
    from artgen.film import Film, Scene
    from artgen.hookspecs import PLUGIN_API, Spec, hookimpl
    from artgen.losses import for_targets, per_pixel
    from artgen.options import option
    from artgen.primitives import (
        Blend,
        Codec,
        Context,
        Field,
        Map,
        Param,
        Params,
        Partition,
        Preset,
        Primitive,
        Shape,
        Splat,
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
    from artgen.raster import grid_rows, interpolate_grids
    from artgen.targets import (
        ImageTarget,
        SampleTarget,
        SetTarget,
        TargetRequest,
        curve_from_samples,
        image_from_array,
        points_from_samples,
        set_from_arrays,
    )

__version__ = "0.1.0"

_HOMES = {
    "artgen.api": ("fit", "register"),
    "artgen.art": ("Art", "ExportRequest", "load"),
    "artgen.canvas": ("Canvas",),
    "artgen.drawing": ("Drawing",),
    "artgen.film": ("Film", "Scene"),
    "artgen.errors": (
        "ArtgenError",
        "Diverged",
        "InputError",
        "Interrupted",
        "OutOfMemory",
        "OutputError",
        "PluginError",
        "UsageError",
    ),
    "artgen.hookspecs": ("PLUGIN_API", "Spec", "hookimpl"),
    "artgen.engines": ("Engine", "Problem", "Report"),
    "artgen.engines.scratch": ("Node",),
    "artgen.events": ("Event",),
    "artgen.losses": ("for_targets", "per_pixel"),
    "artgen.options": ("option",),
    "artgen.primitives": (
        "Blend",
        "Codec",
        "Context",
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
        "normal",
        "on_detail",
        "per_count",
        "per_spacing",
        "pixels",
        "uniform",
    ),
    "artgen.raster": ("grid_rows", "interpolate_grids"),
    "artgen.targets": (
        "ImageTarget",
        "SampleTarget",
        "SetTarget",
        "TargetRequest",
        "curve_from_samples",
        "image_from_array",
        "points_from_samples",
        "set_from_arrays",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "PLUGIN_API",
    "Art",
    "ArtgenError",
    "Blend",
    "Canvas",
    "Codec",
    "Context",
    "Diverged",
    "Drawing",
    "Engine",
    "Event",
    "ExportRequest",
    "Field",
    "Film",
    "ImageTarget",
    "InputError",
    "Interrupted",
    "Map",
    "Node",
    "OutOfMemory",
    "OutputError",
    "Param",
    "Params",
    "Partition",
    "PluginError",
    "Preset",
    "Primitive",
    "Problem",
    "Report",
    "SampleTarget",
    "Scene",
    "SetTarget",
    "Shape",
    "Spec",
    "Splat",
    "TargetRequest",
    "UsageError",
    "__version__",
    "at_target_colour",
    "constant",
    "curve_from_samples",
    "fit",
    "for_targets",
    "from_spacing",
    "grid_rows",
    "hookimpl",
    "image_from_array",
    "interpolate_grids",
    "load",
    "normal",
    "on_detail",
    "option",
    "per_count",
    "per_pixel",
    "per_spacing",
    "pixels",
    "points_from_samples",
    "register",
    "set_from_arrays",
    "uniform",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'artgen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
