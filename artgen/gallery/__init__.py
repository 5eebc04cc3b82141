"""Galleries: turn a folder of recipes into stills, progress videos and a page that shows them.

A piece is one recipe, `SLUG.toml`. Its files lie in `out/SLUG/` and are rebuilt only when something
that they depend on has changed.

Names are imported when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
