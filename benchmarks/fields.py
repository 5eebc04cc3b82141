"""Fields: PSNR after seconds of fitting, with the defaults or a preset, without a video.

Seconds are those of `--time`: steps and evaluations, not imports and compiling.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import artgen
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

FIELDS = (
    ("hashgrid", None),
    ("hashgrid", "small"),
    ("siren", None),
    ("siren", "small"),
    ("fourier_features", None),
    ("mlp", None),
)


def run(settings: Settings) -> Iterator[Table]:
    size, budgets = (32, [0.2]) if settings.quick else (512, [2, 5, 15])
    fields: Sequence[tuple[str, str | None]] = FIELDS
    if len(settings.devices) > 1:
        fields, budgets = FIELDS[::2], budgets[:2]
    rows = []
    for (name, preset), device in itertools.product(fields, settings.devices):
        arts = [
            artgen.fit(
                "sample:astronaut",
                name,
                preset=preset,
                size=size,
                time=seconds,
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
    columns = ["", "parameters", *(f"{figure(seconds)} s" for seconds in budgets)]
    yield Table(f"astronaut {size}", columns, rows)
