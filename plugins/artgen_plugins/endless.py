"""A portrait of portraits without end: a picture whose stones are the picture itself.

Each cell of a grid holds the whole picture, made as bright and as colourful as what it stands for:
F(x) = T(x) + k (F(u) - m), with T the drawing, u the place within the cell and m the mean of F.
F is a fixed point, found by drawing it anew until nothing changes; each round its error shrinks by
k and by the area of a cell. The form `zoom-into` moves into one cell until that fills the frame,
which is then the first frame again: of the other tone nothing is left by then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from artgen.animation import Form, Shot, eased
from artgen.editing import numbers
from artgen.errors import UsageError
from artgen.targets import find_faces
from artgen_plugins.films import Pixels, place_of_most

Floats = NDArray[np.float32]

CELLS = 24
"""Cells along the longer side."""

DETAIL = 0.42
"""How much of its own contrast a cell shows: with all of it, the whole would not be seen."""

FLAT = 0.3
"""The share of the tone that is the mean of the cell; the rest is the picture, so faces stay."""

ROUNDS, SAME = 12, 0.5
"""Most rounds of a fixed point, and the largest change of a level of 255 that ends them."""


def parse_place(text: str) -> tuple[float, float] | None:
    """The place that a text such as ``0.4,0.3`` names, as shares of width and height.

    None without one: an eye, or what is richest in detail. Raises UsageError.
    """
    if not text:
        return None
    place = numbers(text)
    if len(place) != 2 or not all(0 <= each <= 1 for each in place):
        raise UsageError(
            f"{text!r} is no place", hint="write zoom-into=0.4,0.3: shares of width and height"
        )
    return place


def into_itself(tone: Floats, cells: int) -> Floats:
    """The fixed point F of a picture T, float32 [height, width, 3] in 0..255.

    Along the longer side there are `cells`, all of the shape of the picture.
    """
    found = base = _levelled(tone, cells)
    for _ in range(ROUNDS):
        before, found = found, drawn_anew(found, base, cells)
        if float(np.abs(found - before).max()) < SAME:
            break
    return found


def drawn_anew(found: Floats, base: Floats, cells: int) -> Floats:
    """One round: the tone of each cell, `base`, with `found` in it. All are [height, width, 3]."""
    from PIL import Image

    height, width = found.shape[:2]
    picture = Image.fromarray(found.clip(0, 255).astype(np.uint8))
    size = max(1, round(width / cells)), max(1, round(height / cells))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32)
    inner = _within(small, height, width, cells) - small.mean((0, 1))
    return np.asarray(base + DETAIL * inner, np.float32)


def _levelled(tone: Floats, cells: int) -> Floats:
    """The tone, of which a share is the mean of each cell, and compressed so that cells show."""
    from PIL import Image

    height, width = tone.shape[:2]
    picture = Image.fromarray(tone.clip(0, 255).astype(np.uint8))
    means = picture.resize((cells, cells), Image.Resampling.BOX)
    flat = np.asarray(means.resize((width, height), Image.Resampling.NEAREST), np.float32)
    mixed = FLAT * flat + (1 - FLAT) * tone
    return np.asarray(28 + mixed * (255 - 56) / 255, np.float32)


def _within(small: Floats, height: int, width: int, cells: int) -> Floats:
    """The small picture in every cell, [height, width, 3], bilinear."""
    y = (np.arange(height) + 0.5) / height * cells % 1
    x = (np.arange(width) + 0.5) / width * cells % 1
    return _sampled(small, x[None, :] + 0 * y[:, None], y[:, None] + 0 * x[None, :])


def _sampled(picture: Floats, x: NDArray[np.float64], y: NDArray[np.float64]) -> Floats:
    """A picture at shares of its width and height, bilinear; outside, that of the edge."""
    height, width = picture.shape[:2]
    column = np.clip(x * width - 0.5, 0, width - 1)
    row = np.clip(y * height - 0.5, 0, height - 1)
    left, top = column.astype(np.int64), row.astype(np.int64)
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (column - left)[..., None], (row - top)[..., None]
    upper = picture[top, left] * (1 - u) + picture[top, right] * u
    lower = picture[below, left] * (1 - u) + picture[below, right] * u
    return np.asarray(upper * (1 - v) + lower * v, np.float32)


def _prepare(shot: Shot) -> Callable[[float], Pixels]:
    from PIL import Image

    tone = np.asarray(shot.still, np.float32)
    height, width = tone.shape[:2]
    x, y = shot.given or _richest(shot.still)
    whole = into_itself(tone, CELLS)
    base, mean = _levelled(tone, CELLS), whole.mean((0, 1))
    # An eye of a face that is cut off may lie beyond the frame.
    cell = (np.array([x, y]) * CELLS).astype(int).clip(0, CELLS - 1)
    # The place that stays where it is while the frame becomes the cell: c = (cell + c) / CELLS.
    still = cell / (CELLS - 1)
    own = base[
        cell[1] * height // CELLS : (cell[1] + 1) * height // CELLS + 1,
        cell[0] * width // CELLS : (cell[0] + 1) * width // CELLS + 1,
    ].mean((0, 1))
    levels = Image.fromarray(whole.clip(0, 255).astype(np.uint8))

    @cache
    def seen(size: int) -> Floats:
        """The whole as small as a cell is shown."""
        shown = levels.resize((size, max(1, round(size * height / width))), Image.Resampling.BOX)
        return np.asarray(shown, np.float32)

    def frame(share: float) -> Pixels:
        if share == 0:
            return _levels(whole)
        side = CELLS**-share
        across = still[0] * (1 - side) + side * (np.arange(width) + 0.5) / width
        down = still[1] * (1 - side) + side * (np.arange(height) + 0.5) / height
        x, y = np.broadcast_arrays(across[None, :], down[:, None])
        # Steps of a sixth of an octave: sizes between them differ by less than is seen.
        size = min(width, math.ceil(2 ** (math.ceil(6 * math.log2(width / CELLS / side)) / 6)))
        inner = _sampled(seen(max(1, size)), x * CELLS % 1, y * CELLS % 1)
        outer = _sampled(base, x, y)
        way = float(eased(share))
        # What the cell stands for goes over into nothing, and its contrast into all of its own.
        tone = (1 - way) * outer + way * (outer - own + mean)
        strength = DETAIL ** (1 - way)
        mixed = tone * (1 - way**2) + mean * way**2 + strength * (inner - mean)
        return _levels(mixed)

    return frame


def _levels(picture: Floats) -> Pixels:
    return np.asarray(np.rint(picture.clip(0, 255)), np.uint8)


def _richest(pixels: Pixels) -> tuple[float, float]:
    """An eye of the largest face; without one, the place of most detail near the middle."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    height, width = pixels.shape[:2]
    for x, y, radius in find_faces(pixels)[:1]:
        short = min(height, width)
        return x - 0.3 * radius * short / width, y - 0.15 * radius * short / height
    detail = gaussian_gradient_magnitude(pixels.mean(2), 2.0)
    return place_of_most(gaussian_filter(detail, min(height, width) / 16))


ZOOM_INTO = Form(_prepare, loops=True, still=True, takes=parse_place)
