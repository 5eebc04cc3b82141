"""The families there are: the packages of `artgen.families`, and what plugins bring."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from artgen.primitives.primitive import Primitive


def known_families() -> list[type[Primitive]]:
    """Import the contracts of artgen's families, and return those with all that plugins brought.

    The latest come first, artgen's own last.
    """
    own = import_module("artgen.families")
    names = sorted(found.name for found in pkgutil.iter_modules(own.__path__))
    shipped = [f"{own.__name__}.{name}.contract" for name in names]
    for name in shipped:
        import_module(name)
    families = [each for each in _derived(Primitive) if "family" in vars(each)]
    order = {name: place for place, name in enumerate(shipped)}
    families.sort(key=lambda each: order.get(each.__module__, len(order)))
    return families[::-1]


def _derived(cls: type[Primitive]) -> list[type[Primitive]]:
    direct = cls.__subclasses__()
    return direct + [further for each in direct for further in _derived(each)]
