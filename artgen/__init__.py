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

__version__ = "0.1.0"

_HOMES = {
    "artgen.canvas": ("Canvas",),
    "artgen.drawing": ("Drawing",),
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
    "artgen.options": ("option",),
    "artgen.primitives": (
        "Context",
        "Field",
        "Map",
        "Param",
        "Params",
        "Preset",
        "Primitive",
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
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'artgen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
