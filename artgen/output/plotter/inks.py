"""Inks: which pens a picture takes, and how much of each is needed where.

A pen's line on paper is seen as a mixture of both. So every colour is the paper and so much of one
ink, the colour that lies as far beyond it as colours go: light skin is a little rust, a sky some
blue. Pens are chosen among the inks of a picture; how much of each is needed where is a
least-squares problem that allows no negative amounts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError
from artgen.output.plotter.page import Page
from artgen.targets import hex_colour, learn_palette, parse_colour

__all__ = ["choose_pens", "mixtures", "nearest"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

LOOK, CANDIDATES = 48, 24
"""Pens are chosen for a picture of about so many pixels across, among so many inks."""
ROUNDS = 30
"""Of coordinate descent."""
LEAST = 0.04
"""What a pen has to be worth at all, so that a little of every pen is not used everywhere."""


def choose_pens(pixels: Pixels, page: Page) -> tuple[str, ...]:
    """The colours of the page's pens, ``#rrggbb``, for a picture [height, width, 3].

    Where their number is given, they are chosen one by one among the inks of the picture
    (`learn_palette`), each so that it mixes the picture best with those before it. For solid fills
    they are the picture's own colours.
    """
    if not isinstance(page.pens, int):
        return page.pens
    paper = np.array(parse_colour(page.paper))
    height, width, _ = pixels.shape
    sparse = pixels[:: max(1, height // LOOK), :: max(1, width // LOOK)]
    ink, amount = _inks(sparse / 255, paper)
    solid = page.fill == "solid"
    colours = sparse if solid else (ink * 255 + 0.5).astype(np.uint8)
    count = page.pens if solid else CANDIDATES
    try:
        listed = learn_palette(colours, max(2, count), amount.astype(np.float32))
    except InputError:
        # A picture in one ink, or none.
        mean = (ink * amount[..., None]).sum((0, 1)) / max(amount.sum(), 1e-9)
        return (hex_colour(mean),)
    if solid:
        return listed[:count]
    chosen: tuple[str, ...] = ()
    while len(chosen) < page.pens:
        rest = [pen for pen in listed if pen not in chosen]
        if not rest:
            break
        chosen += (min(rest, key=lambda pen: _error(sparse, (*chosen, pen), page.paper)),)
    return chosen


def _error(pixels: Pixels, pens: tuple[str, ...], paper: str) -> float:
    """How far the best mixtures of pens are from a picture, as a mean squared error."""
    ground = np.array(parse_colour(paper))
    inks = np.array([parse_colour(pen) for pen in pens]) - ground
    mixed = np.tensordot(mixtures(pixels, pens, paper), inks, (0, 0)) + ground
    return float(np.square(mixed - pixels / 255).mean())


def _inks(colours: Floats, paper: Floats) -> tuple[Floats, Floats]:
    """The ink [h, w, 3] of each colour, and in 0..1 how much of it there is [h, w]."""
    gap = colours - paper
    room = np.where(gap > 0, 1 - paper, paper)
    amount = (np.abs(gap) / np.maximum(room, 1e-9)).max(2).clip(0, 1)
    ink = paper + gap / np.maximum(amount, 1e-9)[..., None]
    return ink.clip(0, 1), amount


def mixtures(pixels: Pixels, pens: tuple[str, ...], paper: str) -> Floats:
    """How much of each pen a picture [height, width, 3] takes, in 0..1, [pens, height, width]."""
    ground = np.array(parse_colour(paper))
    inks = np.array([parse_colour(pen) for pen in pens]) - ground
    gap = (pixels / 255 - ground).reshape(-1, 3)
    products, wanted = inks @ inks.T, inks @ gap.T
    amounts = np.zeros_like(wanted)
    for _ in range(ROUNDS if len(pens) > 1 else 1):
        for k in range(len(pens)):
            rest = wanted[k] - products[k] @ amounts + products[k, k] * amounts[k]
            amounts[k] = np.maximum(0, rest / max(products[k, k], 1e-9) - LEAST)
    found: Floats = amounts.clip(0, 1).reshape(len(pens), *pixels.shape[:2])
    return found


def nearest(colour: Floats, pens: tuple[str, ...], paper: str) -> int | None:
    """The pen nearest to a colour [3]; None where the paper is nearer."""
    listed = np.array([parse_colour(each) for each in (*pens, paper)])
    best = int(np.square(listed - colour).sum(1).argmin())
    return best if best < len(pens) else None
