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
from artgen.base.process import threads_sleep_soon

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    with threads_sleep_soon():
        return _load(name)
