"""Recipes: what a run is asked for, as data, with each key declared once.

`keys` declares keys, `tables` has all of them, and `recipe` is the whole. `layers` lays what was
asked for in several places over one another, `looks` and `settings` among them; `docs/recipes.md`
states the order.

Names are imported when they are first used. The table of names is `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
