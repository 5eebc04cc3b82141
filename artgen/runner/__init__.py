"""Runs recipes: stages, budgets, frames, checkpoints, control, outputs.

What is named here is imported when it is first used: who only waits for runs that others carry
out, as `artgen fit -j 8` does, needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artgen.runner._device import resolve_device
    from artgen.runner._folder import RunFolder
    from artgen.runner._log import read_generations, read_losses
    from artgen.runner._paths import default_stem, output_paths, refuse_existing
    from artgen.runner._prepare import read_target
    from artgen.runner._result import OUTPUTS, Result
    from artgen.runner._resume import check_agreement
    from artgen.runner._run import run
    from artgen.runner.clip._run import SceneExecution

_HOMES = {
    "clip._run": ("SceneExecution",),
    "_device": ("resolve_device",),
    "_folder": ("RunFolder",),
    "_log": ("read_generations", "read_losses"),
    "_paths": ("default_stem", "output_paths", "refuse_existing"),
    "_prepare": ("read_target",),
    "_resume": ("check_agreement",),
    "_result": ("OUTPUTS", "Result"),
    "_run": ("run",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "OUTPUTS",
    "Result",
    "RunFolder",
    "SceneExecution",
    "check_agreement",
    "default_stem",
    "output_paths",
    "read_generations",
    "read_losses",
    "read_target",
    "refuse_existing",
    "resolve_device",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"artgen.runner.{_HOME[name]}"), name)
    raise AttributeError(f"module 'artgen.runner' has no attribute {name!r}")
