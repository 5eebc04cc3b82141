"""Closed curves on photographs at their full size: PSNR of stills, bytes of SVG files, CPU seconds.

`blob` with its defaults, found by `climb` and polished by `gradient`; an SVG includes its recipe.
For Kodak's 24 pictures and 256, 512 and 1,024 closed curves others publish means of 25.18, 26.68
and 28.30 dB (Vector Scaffolding, arXiv 2605.11913) and of 24.19, 25.61 and 26.91 dB (Bézier
Splatting, NeurIPS 2025), after minutes on GPUs. CPU seconds are those of both threads, compiling
included.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import artgen
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.fits import full_size


def run(settings: Settings) -> Iterator[Table]:
    pictures = full_size(settings.data, "kodim*") if settings.data else {"sample:chelsea": 451}
    counts = [256, 512, 1_024] if settings.long else [256, 512]
    if settings.quick:
        pictures, counts = {"sample:chelsea": 48}, [4]
    measured = {
        picture: [fitted(picture, size, n) for n in counts] for picture, size in pictures.items()
    }
    rows = [(Path(picture).stem, *texts(each)) for picture, each in measured.items()]
    means = [
        tuple(map(fmean, zip(*each, strict=True))) for each in zip(*measured.values(), strict=True)
    ]
    rows.append(("mean", *texts(means)))
    columns = [f"{n:,}, {what}" for n in counts for what in ("dB", "kB", "CPU s")]
    yield Table("Closed curves", ("", *columns), rows)


def fitted(picture: str, size: int, count: int) -> tuple[float, float, float]:
    """The PSNR of the still in dB, the SVG file in kB, and CPU seconds."""
    began = time.process_time()
    art = artgen.fit(picture, "blob", count=count, size=size, polish=True, seed=1, threads=2)
    seconds = time.process_time() - began
    return art.metrics["psnr"], len(art.to_svg().encode()) / 1000, seconds


def texts(measured: list[tuple[float, ...]]) -> Iterator[str]:
    """The columns of a row."""
    for psnr, kilobytes, seconds in measured:
        yield from (f"{psnr:.2f}", f"{kilobytes:.1f}", figure(seconds))
