"""Tasks and their files, the executors that run them, and the control of a run.

The runner and the executors build on this package and know nothing of each other. Results are the
same bytes with every executor. Importing it imports no torch.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
