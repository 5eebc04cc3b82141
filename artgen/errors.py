"""The exceptions of artgen, and functions for those who raise them."""

from artgen.base.errors import (
    ArtgenError,
    DeviceLost,
    Diverged,
    GalleryError,
    InputError,
    Interrupted,
    OutOfMemory,
    OutputError,
    PluginError,
    UsageError,
    did_you_mean,
    reading,
)
from artgen.base.files import printable, read_regular

__all__ = [
    "ArtgenError",
    "DeviceLost",
    "Diverged",
    "GalleryError",
    "InputError",
    "Interrupted",
    "OutOfMemory",
    "OutputError",
    "PluginError",
    "UsageError",
    "did_you_mean",
    "printable",
    "read_regular",
    "reading",
]
