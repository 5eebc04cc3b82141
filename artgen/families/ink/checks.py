"""Checks of ink drawings: marks that can be drawn, and that have the tone of the target."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from artgen.families.ink.contract import Ink
from artgen.families.ink.paint import coverage
from artgen.ink import Sheet
from artgen.testing import every
from artgen.testing.candidate import DEFAULT, Candidate
from artgen.testing.families import CHECKS, FIRST
from artgen.testing.run_checks import Failed, basic
from artgen.values.canvas import Canvas

CANVAS = Canvas(48, 40)
COUNT = 400
AMOUNTS = (0.0, 0.15, 0.45)


@basic
def marks(candidate: Candidate) -> str:
    """`place` gives finite marks, at most as many as asked for, and more ink for a darker target.

    Read the share of the paper that an ink has to cover from `sheet.amounts` or `sheet.at`.
    """
    tones = []
    for variant in candidate.variants:
        ink = candidate.cls(dict(variant.options), preset=variant.preset)
        assert isinstance(ink, Ink)
        shares = []
        # Some take seconds to place marks.
        levels = AMOUNTS if variant == DEFAULT else AMOUNTS[::2]
        for amount in levels:
            amounts = np.full((len(ink.inks), CANVAS.height, CANVAS.width), amount)
            if ink.separation == "nearest":
                amounts[1:] = 0
            placed = ink.placed(Sheet(amounts, CANVAS, COUNT, np.random.default_rng(1)))
            shares.append(float(coverage(ink, ink.pack(placed), CANVAS).mean()))
        if any(less >= more for less, more in pairwise(shares)):
            found, given = (", ".join(f"{n:.3g}" for n in each) for each in (shares, levels))
            label = candidate.label(variant)
            raise Failed(f"{label} covers {found} of the paper for amounts of {given}")
        tones.append(shares[-1])
    return f"an amount of 0.45 covers {min(tones):.2f} to {max(tones):.2f}"


CHECKS[Ink] = (
    *FIRST,
    *(every.options, every.seed, every.randomness, every.round_trip, every.init, marks),
)
