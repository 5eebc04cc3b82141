"""Where runs are carried out: here, in processes of this machine, or by Ray on many machines.

An executor takes tasks and gives back what became of each as soon as it is done, the same bytes
wherever that was. Importing this imports neither torch nor ray.
"""

from artgen.executor._checkpoints import Checkpoints, checkpoints_at
from artgen.executor._processes import Processes
from artgen.executor._protocol import Executor, Here, Work, share_of_gpu
from artgen.executor._ray import OnRay, missing_ray
from artgen.executor._versions import Pinned, describe, pin, refuse_others

__all__ = [
    "Checkpoints",
    "Executor",
    "Here",
    "OnRay",
    "Pinned",
    "Processes",
    "Work",
    "checkpoints_at",
    "describe",
    "missing_ray",
    "pin",
    "refuse_others",
    "share_of_gpu",
]
