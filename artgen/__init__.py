"""artgen turns a picture into art made of parts.

    import artgen

    art = artgen.fit("photo.jpg", primitive="gaussian", count=500)
    art.save("photo.art")
    art.render(2048)                     # uint8 array [height, width, 3]

Names are imported when they are first used, so that importing artgen never imports torch. The table
of public names is `__init__.pyi`, which type checkers read too.
"""

import lazy_loader

from artgen._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
