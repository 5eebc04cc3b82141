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
    "reading",
]
