"""Galleries: a folder of recipes becomes stills, progress videos and a page that shows them.

A piece is one recipe, `SLUG.toml`. What is made of it lies in `out/SLUG/` and is made again only
where something changed that it depends on.
"""

from __future__ import annotations

from artgen.gallery._build import Built, build
from artgen.gallery._page import shown_pieces, write_page
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
    "open_gallery",
    "shown_pieces",
    "write_page",
    "write_reel",
]
