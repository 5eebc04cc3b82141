"""Engines search: they turn a problem into better and better drawings.

Names are imported when they are first used: `artgen.engines.protocols` needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
