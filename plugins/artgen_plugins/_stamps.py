"""Stamps: pictures of files, and those that artgen brings, drawn by code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError
from artgen.primitives import Texture, read_coverage, read_rgba

SIDE = 256
"""Pixels along the side of a stamp."""
MOST = {"flat": 64, "own": 40}
"""The most stamps, by the option `colours`: a texture with colours has four times the numbers."""

Floats = NDArray[np.floating[Any]]


def _grid() -> tuple[Floats, Floats]:
    """The rows y and columns x of all pixels, from -1 to 1."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) * (2 / SIDE) + (1 / SIDE - 1)
    return y, x


def _inside(distance: Floats) -> Floats:
    """Whether a point is inside of an outline, from its distance to it; soft over two pixels."""
    return np.clip(0.5 - distance * SIDE / 4, 0, 1)


def _mixed(first: tuple[float, ...], second: tuple[float, ...], share: Floats) -> Floats:
    """Colours [side, side, 3] from one to another."""
    return np.asarray(np.array(first) + (np.array(second) - np.array(first)) * share[..., None])


def _painted(layers: list[tuple[Floats, Floats]]) -> Floats:
    """Colours [side, side, 3] over one another, each with its coverage; the first is opaque."""
    picture = layers[0][1]
    for cover, colour in layers[1:]:
        picture = picture + cover[..., None] * (colour - picture)
    return picture


def leaf() -> tuple[Floats, Floats]:
    """A leaf with its veins and a stalk; as coverage, the veins are lighter than the rest."""
    y, x = _grid()
    x = x - 0.08 * np.sin(2.2 * y)
    along = np.clip((y + 0.95) / 1.6, 0, 1)
    half = 0.54 * np.sin(3.14 * along**0.85).clip(0) ** 1.1 + 0.012 * np.sin(46 * along)
    blade = np.clip((half - np.abs(x)) * SIDE / 2, 0, 1) * (along > 0) * (along < 1)
    side = np.abs((along + 0.42 * np.abs(x)) * 11 % 1 - 0.5)
    veins = np.clip(1 - side / 0.09, 0, 1) * 0.3 + np.clip(1 - np.abs(x) / 0.03, 0, 1) * 0.45
    stalk = np.clip((0.028 - np.abs(x)) * SIDE / 2 + 0.5, 0, 1) * (y > 0.5) * (y < 0.96)
    cover: Floats = np.maximum(blade * (1 - np.minimum(veins, 0.45)), stalk)
    green = _mixed((0.36, 0.55, 0.2), (0.62, 0.72, 0.28), np.clip(along - 0.6 * x, 0, 1))
    colour = _painted([(blade, green), (veins, _mixed((0.86, 0.9, 0.6), (0.8, 0.86, 0.5), along))])
    return cover, np.dstack([colour, np.maximum(blade, stalk)])


def dab() -> tuple[Floats, Floats]:
    """A short stroke of a dry brush, its bristles uneven; its own colour is white."""
    y, x = _grid()
    bristles = np.random.default_rng(4).random(34)
    hair = np.interp(np.linspace(0, 33, SIDE), np.arange(34), bristles)[:, None]
    body = np.clip((0.42 - np.abs(y)) * 9, 0, 1) * np.clip(
        (0.66 + 0.6 * (hair - 0.5) - x) * 6, 0, 1
    )
    start = np.clip((x + 0.9 - 0.5 * y * y + 0.2 * (hair - 0.5)) * 9, 0, 1)
    cover: Floats = body * start * np.clip(1.25 - 0.9 * (x + 1) * (1 - hair), 0.1, 1)
    return cover, np.dstack([np.ones((SIDE, SIDE, 3)), cover])


def flower() -> tuple[Floats, Floats]:
    """A flower with two rings of petals around a yellow middle."""
    y, x = _grid()
    r, turn = np.hypot(x, y), np.arctan2(y, x)

    def ring(petals: int, reach: float, phase: float) -> tuple[Floats, Floats]:
        fold = np.abs(np.cos(petals / 2 * turn + phase))
        cover = _inside(r - reach * (0.5 + 0.5 * fold**0.6))
        shade = np.clip(r / reach, 0, 1) * (0.72 + 0.28 * fold**2)
        return cover, _mixed((0.72, 0.2, 0.45), (1.0, 0.8, 0.86), shade)

    outer, inner = ring(8, 0.96, 0.0), ring(8, 0.62, np.pi / 2)
    seeds = 0.5 + 0.5 * np.sin(40 * x) * np.sin(40 * y)
    middle = _inside(r - 0.2), _mixed((0.85, 0.55, 0.1), (1.0, 0.85, 0.3), seeds)
    colour = _painted([outer, inner, middle])
    return outer[0], np.dstack([colour, outer[0]])


def postage() -> tuple[Floats, Floats]:
    """A postage stamp: perforated paper around hills with a sun."""
    y, x = _grid()
    wide, high, pitch = 0.78, 0.96, 0.12
    paper = _inside(np.maximum(np.abs(x) - wide, np.abs(y) - high))
    for along, across, reach in ((x, y, high), (y, x, wide)):
        holes = np.hypot((along + pitch / 2) % pitch - pitch / 2, np.abs(across) - reach)
        paper = paper * (1 - _inside(holes - 0.036))
    frame = _inside(np.maximum(np.abs(x) - wide + 0.13, np.abs(y) - high + 0.13))
    sky = _mixed((0.3, 0.55, 0.8), (0.98, 0.86, 0.68), np.clip((y + 0.8) / 1.1, 0, 1))
    far, near = (0.18 - 0.16 * np.sin(3.1 * x + 0.6) - y), (0.42 + 0.12 * np.sin(4 * x - 1) - y)
    shade = np.clip(y, 0, 1)
    sun = np.full((SIDE, SIDE, 3), (1.0, 0.94, 0.64))
    colour = _painted(
        [
            (paper, np.full((SIDE, SIDE, 3), (0.97, 0.95, 0.88))),
            (frame, sky),
            (frame * _inside(np.hypot(x - 0.22, y + 0.3) - 0.2), sun),
            (frame * _inside(far), _mixed((0.35, 0.5, 0.55), (0.5, 0.62, 0.5), shade)),
            (frame * _inside(near), _mixed((0.2, 0.42, 0.3), (0.35, 0.55, 0.3), shade)),
        ]
    )
    return paper, np.dstack([colour, paper])


STAMPS: dict[str, Callable[[], tuple[Floats, Floats]]] = {
    "leaf": leaf,
    "dab": dab,
    "flower": flower,
    "postage": postage,
}
"""Functions that draw a stamp: coverage [side, side], and colours with alpha [side, side, 4]."""


def read_stamps(text: str, colours: str) -> NDArray[np.float32]:
    """Read the option `stamp`: coverage [count, side, side], or with own colours [..., 4].

    Raises InputError.
    """
    if Texture.is_text(text):
        pictures = Texture.from_text(text).pictures
        if pictures.shape[1] != SIDE:
            raise InputError(f"a stored stamp is {SIDE} pixels high, not {pictures.shape[1]}")
        if colours == "own" and pictures.ndim == 3:
            pictures = np.stack([*[np.ones_like(pictures)] * 3, pictures], axis=-1)
        return pictures[..., 3] if colours == "flat" and pictures.ndim == 4 else pictures
    names = [name.strip() for name in text.split(",")]
    if len(names) > MOST[colours]:
        raise InputError(
            f"there are at most {MOST[colours]} stamps, got {len(names)}", hint="use fewer pictures"
        )
    own = colours == "own"
    read = read_rgba if own else read_coverage
    stamps = [STAMPS[name]()[own] if name in STAMPS else read(name, SIDE) for name in names]
    # As coarse as they are stored, so that a drawing that is loaded is the same.
    return np.asarray(np.rint(255 * np.stack(stamps)).astype(np.float32) / 255)
