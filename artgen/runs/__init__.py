"""Runs recipes: stages, budgets, frames, checkpoints, control, outputs.

Names are imported when they are first used, because a process that only waits for runs of other
processes, as `artgen fit -j 8` does, needs no torch. The table of names is `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
