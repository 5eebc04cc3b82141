"""Fields: PSNR after seconds of fitting, and between the pixels, without a video.

Seconds are those of `--time`, steps and evaluations without imports and compiling, or CPU seconds
of the steps on one thread. Between the pixels, a photograph is averaged over 2×2 pixels and fitted
with the defaults. The field is then drawn at twice the size, beside the bicubic enlargement of its
own drawing at the fitting size, and both are compared with the photograph.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

import artgen
from artgen.losses.metrics import psnr
from artgen.targets import TargetRequest
from artgen.values.frame import Frame
from artgen_plugins.samples.opener import open_sample
from benchmarks._budget import fit_for, seconds_text
from benchmarks._report import Table
from benchmarks._settings import Settings

FIELDS = (
    ("hashgrid", None),
    ("hashgrid", "small"),
    ("siren", None),
    ("siren", "small"),
    ("fourier_features", None),
    ("mlp", None),
)

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def run(settings: Settings) -> Iterator[Table]:
    size, budgets = (256, [2.0, 5.0]) if settings.cpu else (512, [2.0, 5.0, 15.0])
    if settings.quick:
        size, budgets = 32, [0.2]
    fields: Sequence[tuple[str, str | None]] = FIELDS
    if len(settings.devices) > 1:
        fields, budgets = FIELDS[::2], budgets[:2]
    rows = []
    for (name, preset), device in itertools.product(fields, settings.devices):
        arts = [
            fit_for(
                seconds,
                settings,
                "sample:astronaut",
                name,
                preset=preset,
                size=size,
                seed=7,
                device=device,
            )
            for seconds in budgets
        ]
        rows.append(
            [
                ", ".join(filter(None, (name, preset, "" if device == "cpu" else device))),
                f"{arts[0].drawing.parameters:,}",
                *(f"{art.psnr:.2f} dB ({art.metrics['steps']:,} steps)" for art in arts),
            ]
        )
    columns = ["", "parameters", *(seconds_text(seconds, settings) for seconds in budgets)]
    yield Table(f"astronaut {size}", columns, rows)
    if settings.devices == ("cpu",):
        size, steps = (16, 20) if settings.quick else (128, None)
        photographs = PHOTOGRAPHS[:1] if settings.quick else PHOTOGRAPHS
        names = [name for name, preset in FIELDS if preset is None]
        rows = [[name, *between_pixels(name, photographs, size, steps)] for name in names]
        columns = ["", *photographs, "least difference"]
        title = f"Between pixels: fitted at {size}², drawn at {2 * size}²"
        note = "PSNR in dB at the fitting size, at twice the size, and of the bicubic enlargement."
        yield Table(title, columns, rows, note)


def between_pixels(
    name: str, photographs: Sequence[str], size: int, steps: int | None
) -> list[str]:
    """The three PSNRs in dB for each photograph, and the least gain over bicubic in dB."""
    cells, gains = [], []
    request = TargetRequest(frame=Frame.of(f"{2 * size}x{2 * size}"))
    for photograph in photographs:
        original = open_sample(photograph, request).pixels
        assert original is not None
        goal = np.asarray(Image.fromarray(original).reduce(2))
        art = artgen.fit(goal, name, seed=7, steps=steps)
        fitted = art.render()
        enlarged = Image.fromarray(fitted).resize((2 * size, 2 * size), Image.Resampling.BICUBIC)
        at_size = psnr(fitted, goal)
        large, bicubic = (
            psnr(each, original) for each in (art.render(2 * size), np.asarray(enlarged))
        )
        cells.append(f"{at_size:.2f} / {large:.2f} / {bicubic:.2f}")
        gains.append(large - bicubic)
    return [*cells, f"{min(gains):+.2f} dB"]
