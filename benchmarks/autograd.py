"""The engine `scratch`: what the published recipes lose by what, and milliseconds per step.

Fits of the astronaut, one each, with one thread. Drawn twice as large is the PSNR of that drawing
averaged over 2×2 pixels: it shows what happens between the pixels.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import artgen
from artgen.losses.metrics import psnr
from artgen.targets import TargetRequest
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

FIRST, SECOND, THIRD = (f"compression-v{number}" for number in (1, 2, 3))

COSINE = {"optimizer": "adamw", "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0, "rate": 0.2}

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    (f"{FIRST} as published", FIRST, {"compat_transpose": True}),
    (f"{FIRST}, the right transpose", FIRST, {}),
    ("… and 9 octaves", FIRST, {"bands": 9}),
    ("… or loss mse", FIRST, {"loss": "mse"}),
    ("… or adamw-uncorrected", FIRST, {"optimizer": "adamw-uncorrected"}),
    ("… or adamw", FIRST, {"optimizer": "adamw"}),
    (f"… or rate and decay of {SECOND}", FIRST, {"rate": 0.0533, "decay": 0.99999}),
    (
        "… and 9 octaves, mse, adamw, rate 2e-3 along a cosine",
        FIRST,
        {"bands": 9, "loss": "mse", "schedule": "cosine", **COSINE},
    ),
    (f"{SECOND} as published", SECOND, {"compat_transpose": True}),
    (f"{SECOND}, the right transpose", SECOND, {}),
    ("… and 8 octaves", SECOND, {"bands": 8}),
]
"""A name, the preset, and what is changed: `bands`, the loss, or options of the engine."""

TO_THE_END: list[tuple[str, str, dict[str, Any]]] = [
    (f"{FIRST} as published", FIRST, {"compat_transpose": True}),
    (FIRST, FIRST, {}),
    (f"{SECOND} as published", SECOND, {"compat_transpose": True}),
    (SECOND, SECOND, {}),
    (THIRD, THIRD, {}),
]


def run(settings: Settings) -> Iterator[Table]:
    size, steps, whole = (32, 10, 20) if settings.quick else (512, 8000, 32_000)
    rows = []
    for name, preset, changes in CHANGES:
        art = fit(preset, "scratch", size, steps, **changes)
        rows.append((name, f"{art.psnr:.1f}", f"{between_pixels(art, size):.1f}"))
    columns = ("", "PSNR, dB", "drawn twice as large, dB")
    yield Table(f"What costs how much: {steps:,} steps at {size}²", columns, rows)

    rows = []
    for name, preset, changes in TO_THE_END:
        rows.append((name, f"{fit(preset, 'scratch', size, whole, **changes).psnr:.1f}"))
    yield Table(f"To the end: {whole:,} steps", ("", "PSNR, dB"), rows)

    rows = []
    for preset in (FIRST, SECOND):
        each = (milliseconds(preset, engine, size, steps) for engine in ("scratch", "gradient"))
        rows.append((preset, *map(figure, each)))
    yield Table("CPU milliseconds per step", ("", "scratch", "gradient"), rows)


def fit(preset: str, engine: str, size: int, steps: int, **changes: Any) -> artgen.Art:
    """Fit a preset of `mlp` with other bands, another loss or other options of the engine."""
    options = {key: changes.pop(key) for key in ("bands", "loss") if key in changes}
    return artgen.fit(
        "sample:astronaut",
        "mlp",
        preset=preset,
        engine=engine,
        size=size,
        steps=steps,
        seed=7,
        threads=1,
        history=0,
        engine_options=changes,
        **options,
    )


def between_pixels(art: artgen.Art, size: int) -> float:
    """PSNR in dB of the drawing at twice the size, averaged over 2×2 pixels."""
    target = open_sample("astronaut", TargetRequest(size=size)).pixels
    large = art.render(2 * size).astype(np.float64)
    height, width = target.shape[:2]
    averaged = np.rint(large.reshape(height, 2, width, 2, 3).mean(axis=(1, 3)))
    return psnr(averaged.astype(np.uint8), target)


def milliseconds(preset: str, engine: str, size: int, steps: int) -> float:
    """CPU milliseconds of a step: of a fit, less those of one with a tenth of its steps."""
    seconds = []
    fit(preset, engine, size, 1)  # imports and compiles
    for number in (steps // 10, steps):
        began = time.process_time()
        fit(preset, engine, size, number)
        seconds.append(time.process_time() - began)
    return 1e3 * (seconds[1] - seconds[0]) / (steps - steps // 10)
