"""How good pictures get: PSNR after seconds of fitting with the defaults, without a video.

Seconds are those of `--time`, steps and evaluations without imports and compiling, or CPU seconds
of the steps on one thread. Of several pictures, what is last is the worst of them.
Fits of at most 20 seconds are made three times, longer ones once.
Beside another device, those of 5 seconds are made three times, those of the pictures of --data once
and on that device alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from artgen.errors import InputError
from benchmarks._budget import fit_for, seconds_text
from benchmarks._report import Sample, Table, figure
from benchmarks._settings import Settings

SAMPLES = ("sample:astronaut", "sample:chelsea", "sample:coffee", "sample:rocket")
SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"}


def run(settings: Settings) -> Iterator[Table]:
    small = {"sample:astronaut": 256}
    large = full_size(settings.data) if settings.data else dict.fromkeys(SAMPLES)
    fits = [("gaussian", 1_000, small), ("gaussian", 10_000, large), ("fourier", 256, small)]
    budgets = [5, 20, 60, 180] if settings.long else [5, 20, 60]
    often = 20
    if len(settings.devices) > 1:
        fits, budgets, often = [("gaussian", 10_000, small)], [5, 20], 5
    if settings.quick:
        tiny = {"sample:astronaut": 32}
        fits, budgets = [("gaussian", 30, tiny), ("fourier", 10, tiny)], [0.2]
    pairs = list(itertools.product(fits, settings.devices))
    if settings.data and len(settings.devices) > 1:
        pairs += [(("gaussian", 10_000, large), device) for device in settings.devices[1:]]
    rows = []
    for (primitive, count, pictures), device in pairs:
        where = "" if device == "cpu" else f", {device}"
        alone = bool(where) and pictures is large
        where += ", --data" if alone else ""
        row = [f"{count:,} {primitive}{where}", describe(pictures)]
        for seconds in budgets:
            asked = {"count": count, "seed": 7, "device": device}
            rounds = [
                [
                    fit_for(seconds, settings, picture, primitive, size=size, **asked)
                    for picture, size in pictures.items()
                ]
                for _ in range(3 if 1 <= seconds <= often and not alone else 1)
            ]
            psnr = Sample(fmean(art.psnr for art in arts) for arts in rounds)
            steps = fmean(art.metrics["steps"] for arts in rounds for art in arts)
            row.append(f"{figure(psnr, 4)} dB, {steps:,.0f} steps")
            if len(pictures) > 1:
                each = [fmean(art.psnr for art in arts) for arts in zip(*rounds, strict=True)]
                least, worst = min(zip(each, pictures, strict=True))
                row[-1] += f"; {figure(least, 4)} dB of {_stem(worst)}"
        rows.append(row)
    columns = ["", "pictures", *(seconds_text(seconds, settings) for seconds in budgets)]
    yield Table("PSNR, mean over pictures", columns, rows)


def full_size(folder: Path, names: str = "*") -> dict[str, int]:
    """The pictures in `folder` with their long sides in pixels. Raises InputError without any."""
    from PIL import Image

    sizes = {}
    for path in sorted(folder.glob(names)):
        if path.suffix.lower() in SUFFIXES:
            with Image.open(path) as picture:
                sizes[str(path)] = max(picture.size)
    if not sizes:
        raise InputError(
            f"{folder} holds no picture {names}", hint=f"known: {', '.join(sorted(SUFFIXES))}"
        )
    return sizes


def describe(pictures: dict[str, int | None]) -> str:
    """The names of a few pictures, the number of many with the first and the last."""
    names = [_stem(picture) for picture in pictures]
    if len(names) > 6:
        return f"{len(names)}, {names[0]} to {names[-1]}"
    return ", ".join(names) + "".join(f" {size}" for size in {*pictures.values()} - {None})


def _stem(picture: str) -> str:
    return Path(picture.removeprefix("sample:")).stem
