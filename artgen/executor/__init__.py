"""Executors that run tasks in processes of this machine, or by Ray on many machines.

An executor yields the result of each task as soon as it is done. Results are the same bytes with
every executor. Importing this imports neither torch nor ray.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
