"""Fields: PSNR after seconds of fitting, with the defaults or a preset, without a video.

Seconds are those of `--time`: steps and evaluations, not imports and compiling.
"""

from __future__ import annotations

from collections.abc import Iterator

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
    rows = []
    for name, preset in FIELDS:
        arts = [
            artgen.fit("sample:astronaut", name, preset=preset, size=size, time=seconds, seed=7)
            for seconds in budgets
        ]
        rows.append(
            [
                f"{name}, {preset}" if preset else name,
                f"{arts[0].drawing.parameters:,}",
                *(f"{art.psnr:.2f} dB ({art.metrics['steps']:,} steps)" for art in arts),
            ]
        )
    columns = ["", "parameters", *(f"{figure(seconds)} s" for seconds in budgets)]
    yield Table(f"astronaut {size}", columns, rows)
