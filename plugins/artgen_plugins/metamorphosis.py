"""Metamorphosis: straight tiles bend into the figure of a `tiling`, and back, as Escher drew it.

A wave crosses the picture. A side of a tile bends as the wave passes its middle, so the two tiles
that share the side have it alike at any time, and there is never a gap. Marks grow as their tile
bends. Meanwhile all drift along the figure by whole tiles of one colour, so that the film loops.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Drawing, Primitive
from artgen.animation import Form, Shot, eased
from artgen.errors import UsageError
from artgen_plugins.tiling import Floats, Tile, Tiling, draw_tiles, straightened, tile_of

BENDS, STRAIGHTENS = (0.06, 0.44), (0.62, 1.0)
"""The shares of the time in which the wave crosses the picture, and the one that takes it back."""

WIDE = 0.5
"""How wide the wave is, as a share of its way."""


def _tile(primitive: Primitive, drawing: Drawing) -> Tile:
    """The tile of a drawing. Raises UsageError where there is none."""
    tile = tile_of(primitive, drawing.tensors) if isinstance(primitive, Tiling) else None
    if tile is None:
        raise UsageError(
            f"{drawing.primitive} has no tiles that could bend", hint="fit it with -p tiling"
        )
    return tile


def _metamorphosis(shot: Shot) -> Callable[[float], NDArray[np.uint8]]:
    tiling: Any = shot.art.primitive()
    tile = _tile(tiling, shot.art.drawing)
    canvas, view = shot.view.placement.whole, shot.view
    straight, side = straight_sides(tile)
    corners, drift = tile.ring[tile.corners], _drift(tile)
    middles = (corners + np.roll(corners, -1, axis=0)) / 2

    def frame(share: float) -> NDArray[np.uint8]:
        places, colours = tile.on(canvas.reach, share * drift)
        bent = _wave(places[:, None] + middles, share, canvas)
        rings = straight + bent[:, side, None] * (tile.ring - straight) + places[:, None]
        parts = [*zip(rings, colours, strict=True), *tile.marked(places, colours, bent.mean(1))]
        shown = draw_tiles(parts, tiling.colours, canvas)
        pixels = np.rint(255 * shown.permute(1, 2, 0).numpy()).astype(np.uint8)
        return view.framed(pixels, shot.art.drawing)

    return frame


def straight_sides(tile: Tile) -> tuple[Floats, NDArray[np.int64]]:
    """The outline [n, 2] with straight sides, and which of the six sides each point is of."""
    n = len(tile.ring)
    closed = straightened(np.concatenate([tile.ring, tile.ring[:1]]), [*tile.corners, n])
    return closed[:-1], np.searchsorted(tile.corners, np.arange(n), side="right") - 1


def _drift(tile: Tile) -> Floats:
    """The way up, [2], most along the figure, that brings all tiles onto others of their colour."""
    steps = [
        (a, b) for a, b in product(range(-3, 4), repeat=2) if (a + b) % 3 == 0 and (a, b) > (0, 0)
    ]
    ways = np.array(steps) @ tile.lattice
    longest = np.linalg.eigh(np.cov(tile.ring.T))[1][:, -1]
    way = ways[(abs(ways @ longest) / np.hypot(*ways.T)).argmax()]
    return np.asarray(way if way[1] < 0 else -way)


def _wave(places: Floats, share: float, canvas: Canvas) -> Floats:
    """How far sides with middles at `places` [..., 2] are bent, from 0 to 1."""
    reach = np.array(canvas.reach)
    along = ((places / reach).sum(-1) / 4 + 0.5).clip(0, 1)

    def passed(begin: float, end: float) -> Floats:
        front = (share - begin) / (end - begin) * (1 + WIDE)
        return np.asarray(eased((front - along) / WIDE))

    return passed(*BENDS) - passed(*STRAIGHTENS)


METAMORPHOSIS = Form(_metamorphosis, loops=True, check=_tile)
