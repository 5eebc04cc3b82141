"""Tasks, the executors that run them, and the control by which a run is paused or stopped.

The runner and the executors build on this package and know nothing of each other. Importing it
imports no torch.
"""

from artgen.tasks._control import RunControl, graceful_signals
from artgen.tasks._executor import Executor, SerialExecutor, Throttled, Work, portable, share_of_gpu
from artgen.tasks._task import Task, files_below

__all__ = [
    "Executor",
    "RunControl",
    "SerialExecutor",
    "Task",
    "Throttled",
    "Work",
    "files_below",
    "graceful_signals",
    "portable",
    "share_of_gpu",
]
