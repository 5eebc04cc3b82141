"""From what was asked for to what will run, in four passes, each of them once.

`names` finds what a recipe names, `options` what it asks of that, `target` makes the primitive for
a target, and `complete` fills in the rest: a recipe becomes a `Plan`.

Names are imported when they are first used. The table of names is `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
