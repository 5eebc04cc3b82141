"""The registry of plugins: discovery, validation, listing, and lookup by name.

Names resolve to *entries*. Only `Entry.load` imports what a plugin offers, so listing and lookup
never import torch.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
