"""What more steps are worth to `latents`, at 0.4 bits per pixel, 768 pixels wide.

About half a minute of two cores, two minutes and ten, with seed 0. Bits per pixel are those of what
the file stores of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.curve import fitted

STEPS = (600, 2500, 12500)


def run(settings: Settings) -> Iterator[Table]:
    file = settings.data / "kodim19.png" if settings.data else None
    name = str(file) if file and file.is_file() else "sample:coffee"
    size, durations = (48, (4, 8)) if settings.quick else (768, STEPS)
    rows = []
    for steps in durations:
        art, *seconds = fitted(name, size, steps, 0.4)
        bits = 8 * art.parameter_bytes / (art.drawing.width * art.drawing.height)
        rows.append((f"{steps:,}", figure(bits), f"{art.psnr or 0.0:.2f}", *map(figure, seconds)))
    yield Table("Steps", ("steps", "bits per pixel", "PSNR, dB", "s", "CPU s"), rows)
