"""Drawings that move: forms of film, and morphs from one drawing into another."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
