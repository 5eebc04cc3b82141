"""The parts of a drawing one by one, for files of vectors and of data: see `flat_parts`.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
