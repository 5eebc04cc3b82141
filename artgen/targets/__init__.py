"""Targets: what is fitted to, read into arrays. Pictures, clips, curves, points, sets.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
