"""Bits and errors of `latents` beside codecs: JPEG, WebP and AVIF as Pillow writes them, JPEG XL.

Fits have seed 0, two threads and 2,000 steps, the default.
Bits per pixel count all of a codec's file, and what the parameters take in the `.art` file; that
also holds the recipe and metrics, which its own column counts. PSNR is over all values in 8 bits.
Codecs have chroma at half or full resolution, whichever is better. The method was tuned on parts
of kodim05 and kodim23.

The Bjøntegaard rate is the mean difference in bits at equal PSNR: the integral of the difference of
the logarithms of the rates, over the PSNR that both curves reach, divided by that range, as a
percentage. Curves are monotone cubics through the points (PCHIP). Below 0 % means that `latents`
takes fewer bits than the codec. Points of Cool-chic are those that its authors publish, for
networks of 2,000 multiplications for each pixel, fitted on a GPU.

The gradients of a step are also computed by plain torch, which takes turns with the kernels; these
take those in weights from every fourth row of large grids.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

import artgen
from artgen import Canvas, Drawing
from artgen.compare import Point, bjontegaard, curves_of
from artgen.engines import Problem
from artgen.init import Context
from artgen.losses import parse_loss
from artgen.output import available_codecs
from artgen.registry import default
from artgen.targets import TargetRequest, open_image
from artgen_plugins.latents import Latents
from artgen_plugins.latents.layout import padded, rounded
from artgen_plugins.latents.objective import RateDistortion
from artgen_plugins.samples.opener import open_sample
from benchmarks._cool_chic import PUBLISHED
from benchmarks._measure import interleaved
from benchmarks._plain_latents import nats_of, squared_error
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

PICTURES = range(1, 25)
STEPS, RATES = 2000, (0.15, 0.4, 1.0)


def run(settings: Settings) -> Iterator[Table]:
    found = [settings.data / f"kodim{n:02}.png" for n in PICTURES] if settings.data else []
    files = [str(file) for file in found if file.is_file()] or ["sample:coffee"]
    size, steps = (48, 4) if settings.quick else (768, STEPS)
    rates = RATES[-2:] if settings.quick else RATES
    codecs = available_codecs()
    yield from _beside_codecs(files, codecs, size, steps, rates)
    yield _beside_torch(32 if settings.quick else 384)


def _beside_codecs(
    files: Sequence[str], codecs: Sequence[str], size: int, steps: int, rates: Sequence[float]
) -> Iterator[Table]:
    """A table for each picture, and one of the bits at equal PSNR."""
    gains: list[list[float | None]] = []
    for file in files:
        pixels = pixels_of(file, size)
        curves = {each.name: each.points for each in curves_of((), pixels, codecs)}
        points, rows = [], []
        for rate in rates:
            art, seconds = fitted(file, size, steps, rate)
            points.append(Point(8 * art.parameter_bytes / pixels[..., 0].size, art.psnr or 0.0))
            decoded = _decoding(art)
            others = [_at(curve, points[-1].bits) for curve in curves.values()]
            rows.append(
                (
                    figure(points[-1].bits),
                    f"{len(art.to_bytes()):,}",
                    f"{points[-1].psnr:.2f}",
                    *("-" if other is None else f"{other:.2f}" for other in others),
                    figure(seconds),
                    figure(decoded),
                )
            )
        shown = (f"{name}, dB" for name in codecs)
        columns = ("bits per pixel", ".art, bytes", "latents, dB", *shown)
        title = f"{Path(file).stem}, {steps:,} steps"
        yield Table(title, (*columns, "CPU s", "decoding, CPU s"), rows)
        beside = (*curves.values(), published(file))
        gains.append([bjontegaard(each, points) for each in beside])
    stems = [Path(file).stem for file in files]
    rows = [(stem, *map(percent, each)) for stem, each in zip(stems, gains, strict=True)]
    columns = list(zip(*gains, strict=True))
    known = [[gain for gain in column if gain is not None] for column in columns]
    means = [sum(column) / len(column) if column else None for column in known]
    rows.append(("mean", *map(percent, means)))
    yield Table(f"Bits at equal PSNR, {steps:,} steps", ("beside", *codecs, "Cool-chic 5.0"), rows)


def published(file: str) -> list[Point]:
    """The points of Cool-chic for a picture, none for those without."""
    return [Point(*each) for each in PUBLISHED.get(Path(file).stem, ())]


def percent(gain: float | None) -> str:
    """A Bjøntegaard rate in words, `-` where there is none."""
    return "-" if gain is None else f"{gain:+.1f} %"


def fitted(file: str, size: int, steps: int, rate: float) -> tuple[artgen.Art, float]:
    """A drawing, and the CPU seconds of its fit."""
    began = time.process_time()
    art = artgen.fit(
        file, primitive="latents", size=size, steps=steps, seed=0, threads=2, rate=rate
    )
    return art, time.process_time() - began


def _beside_torch(size: int) -> Table:
    """Seconds of a step's gradients by kernels and by plain torch, on one thread."""
    pixels = pixels_of("sample:coffee", size)
    goal = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    canvas, rng = Canvas(pixels.shape[1], pixels.shape[0]), torch.Generator().manual_seed(0)
    latents = Latents({})
    latents.resolve_options(canvas)
    tensors = latents.initial(Context(rng, canvas, 1, target=goal))
    weights = {name: array for name, array in rounded(tensors).items() if name[:4] != "grid"}
    grids = [padded(tensors[f"grid{n}"].numpy()) for n in range(len(latents.levels))]
    drawing = Drawing("latents", latents.option_values(), tensors, canvas.width, canvas.height)
    registry = default()
    known = {entry.name: entry for entry in registry.entries("loss")}
    loss = parse_loss("mse", lambda name: registry.load("loss", name), known)
    problem = Problem(latents, drawing, goal, loss, 1, 0)
    objective = RateDistortion(problem, RateDistortion.Options())
    learned = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}

    def by_kernels() -> None:
        for compute in (objective.distortion, objective.information):
            compute(weights, grids, {name: np.zeros_like(each) for name, each in weights.items()})

    def by_torch() -> None:
        total = squared_error(learned, latents.levels, goal) + nats_of(learned, latents.levels)
        torch.autograd.grad(total, tuple(learned.values()), allow_unused=True)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    by_kernels()
    by_torch()
    taken = interleaved({"kernels": by_kernels, "torch": by_torch}, rounds=7, seconds=30)
    torch.set_num_threads(threads)
    row = (
        f"{canvas.width}x{canvas.height}",
        *(figure(each.times(1e3)) for each in taken.values()),
        figure(taken["torch"] / taken["kernels"]),
    )
    columns = ("picture", "kernels, ms", "plain torch, ms", "torch / kernels")
    return Table("Gradients of a step", columns, [row])


def pixels_of(file: str, size: int) -> NDArray[np.uint8]:
    """The picture that a fit at this size compares with, uint8 [h, w, 3]."""
    request = TargetRequest(size=size)
    opened = open_image(file, request) if Path(file).suffix else open_sample(file[7:], request)
    return opened.pixels


def _decoding(art: artgen.Art) -> float:
    """The CPU seconds from the file to its pixels, which are those of the art."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "picture.art")
        path.write_bytes(art.to_bytes())
        began = time.process_time()
        pixels = artgen.load(path).render()
        seconds = time.process_time() - began
    assert (pixels == art.render()).all()
    return seconds


def _at(points: Sequence[Point], bits: float) -> float | None:
    """The PSNR of a curve at a rate; None beyond its ends."""
    rates = [math.log(point.bits) for point in points]
    if not rates[0] <= math.log(bits) <= rates[-1]:
        return None
    return float(PchipInterpolator(rates, [point.psnr for point in points])(math.log(bits)))
