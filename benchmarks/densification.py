"""What the ways to add and move splats gain, each alone, after equally many steps.

Fits of the same steps and seeds with one thread. *Earlier* are the settings before: `move` 0.05,
`importance` by colour, `exponent` 1, `blur` 0.5, `interval` 0. The other rows say by how much the
PSNR differs from it, in dB. *All* are the defaults. CPU milliseconds are those of whole fits,
evaluations included.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import fmean
from typing import Any

import artgen
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.fits import SAMPLES

EARLIER = {"move": 0.05, "importance": "colour", "exponent": 1.0, "blur": 0.5, "interval": 0}
DEFAULTS = {"move": 0.1, "importance": "error", "exponent": 4.0, "blur": 0.15, "interval": 50}
SHORT: dict[str, dict[str, Any]] = {
    "earlier": {},
    "move 0.1": {"move": 0.1},
    "importance by error": {"importance": "error"},
    "exponent 4": {"exponent": 4.0},
    "exponent 4, blur 0.15": {"exponent": 4.0, "blur": 0.15},
    "all": DEFAULTS,
}
LONG: dict[str, dict[str, Any]] = {
    "earlier": {},
    "interval 50": {"interval": 50},
    "all but interval 50": {**DEFAULTS, "interval": 0},
    "all": DEFAULTS,
}
"""With more than 1,000 steps, where `interval` counts."""


def run(settings: Settings) -> Iterator[Table]:
    size, pictures = 256, list(SAMPLES)
    fits: list[tuple[str, int, int, tuple[int, ...]]] = [
        ("gaussian", 1_000, 500, (0, 1)),
        ("fourier", 256, 500, (0,)),
        ("gaussian", 1_000, 4_000, (0,)),
    ]
    if settings.quick:
        size, pictures = 32, pictures[:1]
        fits = [("gaussian", 30, 40, (0,))]
    for primitive, count, steps, seeds in fits:
        rows: list[list[str]] = []
        earlier: list[float] = []
        # Compiling does not count.
        _fit(pictures[0], primitive, count, 2, size, 0, {})
        for name, change in (LONG if steps > 1_000 else SHORT).items():
            found = [
                [_fit(picture, primitive, count, steps, size, seed, change) for seed in seeds]
                for picture in pictures
            ]
            psnr = [fmean(quality for quality, _ in of_seeds) for of_seeds in found]
            earlier = earlier or psnr
            cells = [f"{value:.2f}" for value in psnr]
            if change:
                cells = [f"{new - old:+.2f}" for new, old in zip(psnr, earlier, strict=True)]
            mean = fmean(psnr) if not change else fmean(psnr) - fmean(earlier)
            cost = fmean(seconds for of_seeds in found for _, seconds in of_seeds)
            rows.append([name, *cells, f"{mean:.2f}" if not change else f"{mean:+.2f}"])
            rows[-1].append(figure(1e3 * cost / steps))
        columns = ["", *(picture.removeprefix("sample:") for picture in pictures)]
        yield Table(
            f"{count:,} {primitive}, {size} px, {steps} steps",
            [*columns, "mean, dB", "CPU ms per step"],
            rows,
            f"Means over {len(seeds)} seeds." if len(seeds) > 1 else "One seed.",
        )


def _fit(
    picture: str,
    primitive: str,
    count: int,
    steps: int,
    size: int,
    seed: int,
    change: dict[str, Any],
) -> tuple[float, float]:
    """PSNR in dB and CPU seconds."""
    began = time.process_time()
    art = artgen.fit(
        picture,
        primitive,
        count=count,
        steps=steps,
        size=size,
        seed=seed,
        threads=1,
        device="cpu",
        history=0,
        engine_options={**EARLIER, **change},
    )
    return art.psnr or 0.0, time.process_time() - began
