"""What a diagram gains over Gaussians, and what is gained where parts that share a picture move.

Fits of the same number of parts, seed and pixels with one thread, all else as by default.
*Gaussians, as long* take as many CPU seconds as the diagram. *Normalized Gaussians* share the
picture too, but all end softly. A Gaussian has 8 numbers, a site 9. The second table says by how
much the PSNR grows by `relocate`, in dB.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from benchmarks._measure import fit_alone
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
            options |= {"count": count, "size": size, "seed": 0}
            # Compiling does not count.
            fit_alone(pictures[0], name, steps=2, **options)
            return [fit_alone(each, name, steps=steps, **options) for each in pictures]

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
        blend = options.get("blend", "normalized")
        options = {**options, "count": count, "steps": steps, "size": size, "seed": 0}
        fit_alone(pictures[0], name, **options | {"steps": 2})  # compiling does not count
        pairs = [
            [
                fit_alone(each, name, engine_options={"relocate": share}, **options)
                for share in (0.0, 0.06)
            ]
            for each in pictures
        ]
        found = [moved[0] - stay[0] for stay, moved in pairs]
        times = fmean(moved[1] / stay[1] for stay, moved in pairs)
        cells = [*(f"{gain:+.2f}" for gain in found), f"{fmean(found):+.2f}", f"{times:.2f}"]
        gains.append([f"{count} {name}, {blend}", *cells])
    columns = ["", *names, "mean, dB", "CPU time, times"]
    yield Table(f"Parts that move, {size} px, {steps:,} steps", columns, gains, "One seed.")
