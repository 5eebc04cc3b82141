"""What a diagram gains over Gaussians, and what each half of it gains.

Fits of the same number of parts, seed and pixels with one thread, all else as by default.
*Gaussians, as long* take as many CPU seconds as the diagram. *Stay* leaves out that sites move.
*Normalized Gaussians* share the picture too, but all end softly, and stay. A Gaussian has 8
numbers, a site 9.
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

STEPS = 1_000


def run(settings: Settings) -> Iterator[Table]:
    size, pictures, counts, steps = 256, SAMPLES, (300, 1_000), STEPS
    if settings.quick:
        size, pictures, counts, steps = 32, SAMPLES[:1], (20,), 20
    for count in counts:
        # Compiling does not count.
        for name, blend in (("diagram", None), ("gaussian", "sum"), ("gaussian", "normalized")):
            _fit(pictures[0], name, blend, count, 2, size, {})
        diagram = [_fit(each, "diagram", None, count, steps, size, {}) for each in pictures]
        plain = [_fit(each, "gaussian", "sum", count, steps, size, {}) for each in pictures]
        pace = fmean(seconds for _, seconds in diagram) / fmean(seconds for _, seconds in plain)
        longer = round(steps * max(1.0, pace))
        rows = {
            "diagram": diagram,
            "Gaussians": plain,
            "Gaussians, as long": [
                _fit(each, "gaussian", "sum", count, longer, size, {}) for each in pictures
            ],
            "diagram, stay": [
                _fit(each, "diagram", None, count, steps, size, {"move": 0.0}) for each in pictures
            ],
            "normalized Gaussians": [
                _fit(each, "gaussian", "normalized", count, steps, size, {}) for each in pictures
            ],
        }
        yield Table(
            f"{count:,} parts, {size} px, {steps:,} steps",
            ["", *(each.removeprefix("sample:") for each in pictures), "mean, dB", "CPU s"],
            [
                [
                    name,
                    *(f"{psnr:.2f}" for psnr, _ in found),
                    f"{fmean(psnr for psnr, _ in found):.2f}",
                    figure(fmean(seconds for _, seconds in found)),
                ]
                for name, found in rows.items()
            ],
            "One seed.",
        )


def _fit(
    picture: str,
    primitive: str,
    blend: str | None,
    count: int,
    steps: int,
    size: int,
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
        seed=0,
        threads=1,
        device="cpu",
        history=0,
        engine_options=change,
        **({"blend": blend} if blend else {}),
    )
    return art.psnr or 0.0, time.process_time() - began
