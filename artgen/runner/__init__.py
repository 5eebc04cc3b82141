"""Runs recipes: stages, budgets, frames, checkpoints, interruption, outputs."""

from artgen.runner._control import Control
from artgen.runner._device import resolve_device
from artgen.runner._export import Outcome
from artgen.runner._inputs import file_hash, find_file
from artgen.runner._log import read_generations, read_losses
from artgen.runner._prepare import open_target, read_target
from artgen.runner._resume import check_agreement
from artgen.runner._run import default_stem, output_paths, run
from artgen.runner._signals import Interruption, graceful_signals

__all__ = [
    "Control",
    "Interruption",
    "Outcome",
    "check_agreement",
    "default_stem",
    "file_hash",
    "find_file",
    "graceful_signals",
    "open_target",
    "output_paths",
    "read_generations",
    "read_losses",
    "read_target",
    "resolve_device",
    "run",
]
