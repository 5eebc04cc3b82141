"""Choice of pens for a picture, and separation of the picture into amounts of pens.

Lines of a pen on paper are seen as a mixture of both. Every colour is a mixture of the paper and an
ink: the most saturated colour in the same direction from the paper, such as rust for light skin.
Pens are chosen from the inks of a picture. Their amounts solve a non-negative least-squares
problem.
"""

from __future__ import annotations

import numpy as np

from artgen.output.parts.flat import Floats
from artgen.output.plotter.page import Page
from artgen.output.still import Pixels
from artgen.targets import hex_colour, learn_palette, parse_colour

LOOK, CANDIDATES = 48, 24
"""Pixels across the reduced picture for which pens are chosen, and number of candidate inks."""
ROUNDS = 30
"""Rounds of coordinate descent."""
BLOCK = 64
"""Colours that are mixed together, at least: as many as the products of matrices take at once."""
LEAST = 0.04
"""Penalty on the amount of a pen, so that small amounts of all pens are not used everywhere."""


def choose_pens(pixels: Pixels, page: Page) -> tuple[str, ...]:
    """Return the colours of the page's pens, ``#rrggbb``, for a picture [height, width, 3].

    If only their number is given, pens are chosen greedily from the inks of the picture
    (`learn_palette`): each reduces the error of the mixtures most. For solid fills they are colours
    of the picture itself.
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
    listed = learn_palette(colours, max(2, count), amount.astype(np.float32))
    if len(listed) < 2:  # a single ink, or none, which is black then
        mean = (ink * amount[..., None]).sum((0, 1)) / max(amount.sum(), 1e-9)
        return (hex_colour(mean),)
    if solid:
        return listed[:count]
    chosen: tuple[str, ...] = ()
    while len(chosen) < min(page.pens, len(listed)):
        rest = [pen for pen in listed if pen not in chosen]
        chosen += (min(rest, key=lambda pen: _error(sparse, (*chosen, pen), page.paper)),)
    return chosen


def _error(pixels: Pixels, pens: tuple[str, ...], paper: str) -> float:
    """Return the mean squared error of the best mixtures of pens for a picture."""
    ground = np.array(parse_colour(paper))
    inks = np.array([parse_colour(pen) for pen in pens]) - ground
    mixed = np.tensordot(mixtures(pixels, pens, paper), inks, (0, 0)) + ground
    return float(np.square(mixed - pixels / 255).mean())


def _inks(colours: Floats, paper: Floats) -> tuple[Floats, Floats]:
    """Split colours into inks [h, w, 3] and their amounts [h, w] in 0..1."""
    gap = colours - paper
    room = np.where(gap > 0, 1 - paper, paper)
    amount = (np.abs(gap) / np.maximum(room, 1e-9)).max(2).clip(0, 1)
    ink = paper + gap / np.maximum(amount, 1e-9)[..., None]
    return ink.clip(0, 1), amount


def mixtures(pixels: Pixels, pens: tuple[str, ...], paper: str) -> Floats:
    """Return the amount of each pen for a picture, [pens, height, width] in 0..1."""
    ground = np.array(parse_colour(paper))
    inks = np.array([parse_colour(pen) for pen in pens]) - ground
    # Flat parts have few colours: each is looked at once. The last few of a number that is no
    # multiple of BLOCK would be rounded otherwise.
    codes = pixels.reshape(-1, 3) @ (1 << 16, 1 << 8, 1)
    _, first, colour = np.unique(codes, return_index=True, return_inverse=True)
    some = np.resize(first, -(-len(first) // BLOCK) * BLOCK)
    gap = pixels.reshape(-1, 3)[some] / 255 - ground
    products, wanted = inks @ inks.T, inks @ gap.T
    amounts = np.zeros_like(wanted)
    for _ in range(ROUNDS if len(pens) > 1 else 1):
        for k in range(len(pens)):
            rest = wanted[k] - products[k] @ amounts + products[k, k] * amounts[k]
            amounts[k] = np.maximum(0, rest / max(products[k, k], 1e-9) - LEAST)
    planes: Floats = amounts.clip(0, 1).take(colour, 1).reshape(len(pens), *pixels.shape[:2])
    return planes


def nearest(colour: Floats, pens: tuple[str, ...], paper: str) -> int | None:
    """Return the pen nearest to a colour [3], or None if the paper is nearer."""
    listed = np.array([parse_colour(each) for each in (*pens, paper)])
    best = int(np.square(listed - colour).sum(1).argmin())
    return best if best < len(pens) else None
