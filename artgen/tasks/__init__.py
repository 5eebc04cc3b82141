"""Tasks, the executors that run them, and the control by which a run is paused or stopped.

The runner and the executors build on this package and know nothing of each other. Importing it
imports no torch.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
