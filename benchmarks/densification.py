"""What the ways to add and move splats gain, each alone, after equally many steps.

Fits of the same steps and seeds with one thread. *Earlier* are the settings before: `move` 0.05,
`importance` by colour, `exponent` 1, `blur` 0.5, `interval` 0, `every` 0.05, `until` 0.5. The other
rows say by how much the PSNR differs from it, in dB. *All* are the defaults, whose blur is 0.1, and
0.25 of petals. CPU milliseconds are those of whole fits, evaluations included.

Left out, since they gained less than 0.1 dB in 4,000 steps: the best of several new parts by their
projection on the residual, their colours from it, more parts for a while, other exponents, and new
parts along the edges of the target.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Any

from benchmarks._measure import fit_alone
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.fits import SAMPLES

EARLIER = {
    **{"move": 0.05, "importance": "colour", "exponent": 1.0, "blur": 0.5, "interval": 0},
    **{"every": 0.05, "until": 0.5},
}
DEFAULTS = {
    **{"move": 0.1, "importance": "error", "exponent": 4.0, "blur": 0.1, "interval": 50},
    **{"every": 0.03, "until": 0.65},
}
SHORT: dict[str, dict[str, Any]] = {
    "earlier": {},
    "move 0.1": {"move": 0.1},
    "importance by error": {"importance": "error"},
    "exponent 4": {"exponent": 4.0},
    "exponent 4 and the blur": {"exponent": 4.0, "blur": 0.1},
    "all but every 0.03, until 0.65": {**DEFAULTS, "every": 0.05, "until": 0.5},
    "all": DEFAULTS,
}
LONG: dict[str, dict[str, Any]] = {
    "earlier": {},
    "interval 50": {"interval": 50},
    "all but interval 50": {**DEFAULTS, "interval": 0},
    "all but every 0.03, until 0.65": {**DEFAULTS, "every": 0.05, "until": 0.5},
    "all": DEFAULTS,
}
"""With more than 1,000 steps, where `interval` counts."""
OWN_BLUR = {"fourier": 0.25}
"""The default of those whose blur is another one."""

BLURS = (0.5, 0.25, 0.15, 0.1)
BLURRED = (
    ("gaussian", 1_000, 256, 500, 1),
    ("gaussian", 2_500, 384, 1_000, 1),
    ("fourier", 256, 256, 500, 2),
    ("fourier", 256, 256, 1_000, 2),
)
"""Primitive, number of parts, pixels, steps and seeds of fits with several blurs."""


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
            if "blur" in change:
                change = {**change, "blur": OWN_BLUR.get(primitive, change["blur"])}
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
    yield _blurs(settings)


def _blurs(settings: Settings) -> Table:
    """The PSNR with the first blur, and the gains of the others, all else as by default."""
    rows, samples = [], SAMPLES[:1] if settings.quick else SAMPLES
    for primitive, count, size, steps, seeds in BLURRED[:1] if settings.quick else BLURRED:
        if settings.quick:
            count, size, steps = 30, 32, 40
        for picture in samples:
            changes = ({**DEFAULTS, "blur": blur} for blur in BLURS)
            first, *others = (
                fmean(
                    _fit(picture, primitive, count, steps, size, seed, change)[0]
                    for seed in range(seeds)
                )
                for change in changes
            )
            name = f"{count:,} {primitive}, {size} px, {steps:,} steps, {picture[7:]}"
            rows.append((name, f"{first:.2f}", *(f"{other - first:+.2f}" for other in others)))
    first_blur, *blurs = (f"blur {blur}" for blur in BLURS)
    said = "Gaussians: one seed. Petals: means over 2."
    return Table("The blur of the error", ("", f"{first_blur}, dB", *blurs), rows, said)


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
    engine = {**EARLIER, **change}
    return fit_alone(
        picture, primitive, count=count, steps=steps, size=size, seed=seed, engine_options=engine
    )
