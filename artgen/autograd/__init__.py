"""The automatic differentiation under its name of version 0.1: `artgen_plugins.autograd` now."""

import warnings
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Import a name from where it is now, until version 0.3 and with a warning."""
    value = getattr(import_module("artgen_plugins.autograd"), name)
    message = f"artgen.autograd.{name} is artgen_plugins.autograd.{name} now"
    warnings.warn(f"{message}; the old name works until version 0.3", DeprecationWarning, 2)
    return value
