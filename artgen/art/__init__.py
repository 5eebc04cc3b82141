"""Art: a drawing with the recipe that made it, its `.art` file, and the precision of that.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
