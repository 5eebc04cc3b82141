"""What more steps are worth to `latents`: curves of kodim19, where AVIF is ahead.

600, 2,500 and 12,500 steps with seed 0; 2,000 is the default.
Bits per pixel are those of what the file stores of the picture. The Bjøntegaard rate is that of
`curve`: below 0 % means that `latents` takes fewer bits than the codec at equal PSNR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from artgen.compare import Point, bjontegaard, curves_of
from artgen.output import available_codecs
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.curve import RATES, fitted, percent, pixels_of, published

STEPS = (600, 2500, 12500)


def run(settings: Settings) -> Iterator[Table]:
    file = settings.data / "kodim19.png" if settings.data else None
    name = str(file) if file and file.is_file() else "sample:coffee"
    size, durations = (48, (4, 8)) if settings.quick else (768, STEPS)
    codecs = available_codecs()
    measured = curves_of((), pixels_of(name, size), codecs)
    others: dict[str, Sequence[Point]] = {each.name: each.points for each in measured}
    others["Cool-chic 5.0"] = published(name)
    points, gains = [], []
    for steps in durations:
        curve, seconds = [], []
        for rate in RATES[-2:] if settings.quick else RATES:
            art, cpu = fitted(name, size, steps, rate)
            pixels = art.drawing.width * art.drawing.height
            curve.append(Point(8 * art.parameter_bytes / pixels, art.psnr or 0.0))
            row = (figure(curve[-1].bits), f"{curve[-1].psnr:.2f}", figure(cpu))
            points.append((f"{steps:,}", *row))
            seconds.append(cpu)
        beside = (percent(bjontegaard(other, curve)) for other in others.values())
        gains.append((f"{steps:,}", figure(fmean(seconds)), *beside))
    yield Table("Fits", ("steps", "bits per pixel", "PSNR, dB", "CPU s"), points)
    yield Table("Bits at equal PSNR", ("steps", "CPU s for a fit", *others), gains)
