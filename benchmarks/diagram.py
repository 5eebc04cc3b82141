"""What a diagram gains over Gaussians, and what is gained where parts that share a picture move.

Fits of the same number of parts, seed and pixels with one thread, all else as by default.
*Gaussians, as long* take as many CPU seconds as the diagram. *Normalized Gaussians* share the
picture too, but all end softly. A Gaussian has 8 numbers, a site 9. The second table says by how
much the PSNR grows by `relocate`, in dB.
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
SHARED: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("diagram", {}, 300),
    ("gaussian", {"blend": "normalized"}, 300),
    ("gaussian", {"blend": "depth"}, 300),
    ("stroke", {"blend": "depth"}, 300),
)
"""Primitives under blends that share the picture, and their numbers of parts."""


def run(settings: Settings) -> Iterator[Table]:
    size, pictures, counts, steps, shared = 256, SAMPLES, (300, 1_000), STEPS, SHARED
    if settings.quick:
        size, pictures, counts, steps, shared = 32, SAMPLES[:1], (20,), 20, SHARED[:1]
    names = [each.removeprefix("sample:") for each in pictures]
    for count in counts:

        def fits(
            name: str, steps: int, count: int = count, **options: Any
        ) -> list[tuple[float, float]]:
            # Compiling does not count.
            _fit(pictures[0], name, count, 2, size, options)
            return [_fit(each, name, count, steps, size, options) for each in pictures]

        diagram, plain = fits("diagram", steps), fits("gaussian", steps)
        pace = fmean(seconds for _, seconds in diagram) / fmean(seconds for _, seconds in plain)
        rows = {
            "diagram": diagram,
            "Gaussians": plain,
            "Gaussians, as long": fits("gaussian", round(steps * max(1.0, pace))),
            "normalized Gaussians": fits("gaussian", steps, blend="normalized"),
        }
        yield Table(
            f"{count:,} parts, {size} px, {steps:,} steps",
            ["", *names, "mean, dB", "CPU s"],
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
    gains = []
    for name, options, count in shared:
        count = min(count, counts[0])
        pairs = [
            [
                _fit(each, name, count, steps, size, options, {"relocate": share})
                for share in (0.0, 0.1)
            ]
            for each in pictures
        ]
        blend = options.get("blend", "normalized")
        found = [moved[0] - stay[0] for stay, moved in pairs]
        times = fmean(moved[1] / stay[1] for stay, moved in pairs)
        cells = [*(f"{gain:+.2f}" for gain in found), f"{fmean(found):+.2f}", f"{times:.2f}"]
        gains.append([f"{count} {name}, {blend}", *cells])
    columns = ["", *names, "mean, dB", "CPU time, times"]
    yield Table(f"Parts that move, {size} px, {steps:,} steps", columns, gains, "One seed.")


def _fit(
    picture: str,
    primitive: str,
    count: int,
    steps: int,
    size: int,
    options: dict[str, Any],
    engine: dict[str, Any] | None = None,
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
        engine_options=engine or {},
        **options,
    )
    return art.psnr or 0.0, time.process_time() - began
