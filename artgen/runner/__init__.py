"""Runs recipes: stages, budgets, frames, checkpoints, interruption, outputs."""

from artgen.runner._fit import Interruption
from artgen.runner._inputs import find_file
from artgen.runner._run import Outcome, default_stem, output_paths, run
from artgen.runner._signals import graceful_signals

__all__ = [
    "Interruption",
    "Outcome",
    "default_stem",
    "find_file",
    "graceful_signals",
    "output_paths",
    "run",
]
