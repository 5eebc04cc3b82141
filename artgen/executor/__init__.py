"""Executors that run tasks in processes of this machine, or by Ray on many machines.

An executor yields the result of each task as soon as it is done. Results are the same bytes with
every executor. Importing this imports neither torch nor ray.
"""

from artgen.executor._checkpoints import Checkpoints, checkpoints_at
from artgen.executor._processes import ProcessExecutor
from artgen.executor._ray import RayExecutor, missing_ray
from artgen.executor._versions import Pinned, describe, pin, refuse_others

__all__ = [
    "Checkpoints",
    "Pinned",
    "ProcessExecutor",
    "RayExecutor",
    "checkpoints_at",
    "describe",
    "missing_ray",
    "pin",
    "refuse_others",
]
