"""Galleries: turn a folder of recipes into stills, progress videos and a page that shows them.

A piece is one recipe, `SLUG.toml`. Its files lie in `out/SLUG/` and are rebuilt only when something
that they depend on has changed.
"""

from __future__ import annotations

from artgen.gallery._build import Built, build
from artgen.gallery._page import finished_pieces, write_page
from artgen.gallery._pieces import Gallery, Piece, open_gallery
from artgen.gallery._reel import write_reel
from artgen.gallery._state import State, examine

__all__ = [
    "Built",
    "Gallery",
    "Piece",
    "State",
    "build",
    "examine",
    "finished_pieces",
    "open_gallery",
    "write_page",
    "write_reel",
]
