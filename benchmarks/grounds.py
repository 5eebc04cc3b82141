"""Other backgrounds: how near splats come to a picture over them, beside black.

Fits of the same steps and seed, PSNR in dB. Splats that cover the background begin in the colours
of the target, as those of *less the background* do not: in those, parts of a white picture over
white begin black. The last column names the picture for which white costs most, beside black.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any
from unittest.mock import patch

import artgen
from artgen.families.splat import contract
from artgen.init import at_target_colour
from benchmarks._report import Table
from benchmarks._settings import Settings

PICTURES = ("astronaut", "chelsea", "coffee", "rocket")

GROUNDS = ("black", "white", "#0f2f3a")

SPLATS: dict[str, tuple[str, dict[str, Any]]] = {
    "300 gaussian, sum": ("gaussian", {"count": 300}),
    "300 gaussian, over": ("gaussian", {"count": 300, "blend": "over"}),
    "300 gaussian, normalized": ("gaussian", {"count": 300, "blend": "normalized"}),
    "200 stroke": ("stroke", {"count": 200}),
    "200 stamp": ("stamp", {"count": 200}),
    "200 diagram": ("diagram", {"count": 200}),
}


def run(settings: Settings) -> Iterator[Table]:
    side, steps, splats = (24, 4, 2) if settings.quick else (256, 300, len(SPLATS))
    rows = []
    for name, (primitive, options) in [*SPLATS.items()][:splats]:

        def fits(ground: str, name: str = primitive, how: dict[str, Any] = options) -> list[float]:
            more: dict[str, Any] = {"size": side, "steps": steps, "seed": 0, "background": ground}
            arts = (artgen.fit(f"sample:{each}", name, **more, **how) for each in PICTURES)
            return [art.psnr or 0.0 for art in arts]

        found = {ground: fits(ground) for ground in GROUNDS}
        with patch.object(contract, "target_colour", at_target_colour(1.0)):
            less = fmean(fits("white"))
        costs = zip(found["white"], found["black"], PICTURES, strict=True)
        cost, worst = min((white - black, each) for white, black, each in costs)
        means = (f"{fmean(found[ground]):.2f}" for ground in GROUNDS)
        rows.append((name, *means, f"{less:.2f}", f"{cost:+.2f} {worst}"))
    columns = ("", *GROUNDS, "white, less the background", "white, at worst")
    yield Table(f"PSNR in dB after {steps} steps, {side} px, means of four", columns, rows)
