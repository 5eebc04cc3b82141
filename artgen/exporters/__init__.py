"""Exporters: a function per file suffix, from an art and a request to the bytes of a file.

They are registered through the hook `artgen_exporters`, like those of plugins. Names are imported
when they are first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
