"""artgen turns a picture into art made of parts.

    import artgen

    art = artgen.fit("photo.jpg", primitive="gaussian", count=500)
    art.save("photo.art")
    art.render(2048)                     # uint8 array [height, width, 3]

Names are imported when they are first used, so that importing artgen never imports torch. The table
of public names is `__init__.pyi`, which type checkers read too.
"""

import warnings
from importlib import import_module

import lazy_loader

from artgen._version import __version__ as __version__

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

_MOVED = {
    "artgen.art": "ExportRequest Film Scene",
    "artgen.engines": "Problem Report",
    "artgen.errors": "Diverged InputError Interrupted OutOfMemory OutputError PluginError "
    "UsageError",
    "artgen.events": "Event",
    "artgen.init": "Context at_target_colour constant from_spacing normal on_detail uniform",
    "artgen.losses": "for_targets per_pixel",
    "artgen.nn": "grid_rows interpolate_grids prelu",
    "artgen.primitives": "Blend Map",
    "artgen.rates": "per_count per_spacing",
    "artgen.testing": "PLUGIN_API",
    "artgen.targets": "ImageTarget SampleTarget SetTarget TargetRequest curve_from_samples "
    "image_from_array points_from_samples set_from_arrays",
    "artgen_plugins.autograd": "Node",
}
"""Names that were flat in version 0.1, by the module that they are in now."""


def __getattr__(name: str) -> object:
    """Import a public name; one that moved works until version 0.3, with a warning."""
    for module, names in _MOVED.items():
        if name in names.split():
            message = f"artgen.{name} is {module}.{name} now; the old name works until version 0.3"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return getattr(import_module(module), name)
    return import_module("artgen.autograd") if name == "autograd" else _public(name)
