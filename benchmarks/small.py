"""Bytes of whole `.art` files, and what rounding costs: precision `auto` beside fp32 and int8.

Each drawing is fitted once, with seed 0 and defaults of its primitive, without a history, at 256
pixels, and stored three times; decibels are those that its PSNR loses by that, in 8 bits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import artgen
from artgen.art import Art, quantised, rounded
from artgen.losses.metrics import psnr
from artgen.values.drawing import Drawing
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.curve import pixels_of

PICTURES = ("kodim05", "kodim19", "kodim23")
KINDS: dict[str, int | None] = {
    "triangle": 500,
    "gaussian": 1000,
    "stroke": 2000,
    "mesh": 500,
    "voronoi": 500,
    "mlp": None,
    "hatch": None,
}
"""Primitives, with their counts where they have one that is chosen."""

SIZE = 256


def run(settings: Settings) -> Iterator[Table]:
    found = [settings.data / f"{name}.png" for name in PICTURES] if settings.data else []
    files = [*(str(file) for file in found if file.is_file()), "sample:coffee"]
    size, kinds = SIZE, KINDS
    if settings.quick:
        files, size, kinds = files[-1:], 32, {"triangle": 20, "gaussian": 40}
    shares = dict[str, list[float]]()
    for file in files:
        pixels, rows = pixels_of(file, size), []
        for name, count in kinds.items():
            how = {} if count is None else {"count": count}
            steps = {"steps": 20} if settings.quick else {}
            art = artgen.fit(file, name, size=size, seed=0, threads=1, history=0, **how, **steps)
            coarse = replace(art, drawing=quantised(art.drawing, "int8"), precision="int8")
            if "int8" not in art.primitive().precisions:
                coarse = None
            began = time.process_time()
            small = _rounded(art, pixels)
            seconds = time.process_time() - began
            sizes = [each and len(each.to_bytes()) for each in (art, coarse, small)]
            costs = [each and _cost(art, each, pixels) for each in (coarse, small)]
            rows.append(
                (
                    name if count is None else f"{count} x {name}",
                    f"{psnr(art.render(), pixels):.2f}",
                    *("-" if each is None else f"{each:,}" for each in sizes),
                    f"{100 * sizes[2] / sizes[0]:.1f} %",
                    *("-" if each is None else f"{each:.3f}" for each in costs),
                    figure(seconds),
                )
            )
            shares.setdefault(rows[-1][0], []).append(100 * sizes[2] / sizes[0])
        columns = ("fp32, dB", "fp32, bytes", "int8, bytes", "auto, bytes", "auto / fp32")
        costs = ("int8 costs, dB", "auto costs, dB", "rounding, CPU s")
        yield Table(Path(file).stem, ("", *columns, *costs), rows)
    pictures = [Path(file).stem for file in files]
    rows = [(name, *(f"{each:.1f} %" for each in own)) for name, own in shares.items()]
    worst, where, name = max(
        (share, picture, name)
        for name, own in shares.items()
        for share, picture in zip(own, pictures, strict=True)
    )
    note = f"The most is {worst:.1f} %: {name} of {where}."
    yield Table("Bytes of `auto` in those of fp32", ("", *pictures), rows, note)


def _rounded(art: Art, pixels: np.ndarray) -> Art:
    """The art as a fit with precision `auto` would have stored it."""
    view = art.view()

    def see(drawing: Drawing) -> tuple[np.ndarray, float]:
        shown = view.view.show(drawing)
        return shown.outputs.numpy(), 10 ** (-psnr(shown.pixels, pixels) / 10)

    drawing = rounded(art.primitive(), art.drawing, see, reorder=True)
    return replace(art, drawing=drawing, precision="auto")


def _cost(exact: Art, other: Art, pixels: np.ndarray) -> float:
    """How many dB of PSNR another art has less."""
    return psnr(exact.render(), pixels) - psnr(other.render(), pixels)
