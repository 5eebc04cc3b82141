"""Bits and errors of `latents` beside codecs: JPEG, WebP and AVIF as Pillow writes them.

Fits have seed 0, one thread and 400 steps. Bits per pixel count all of a codec's file, and what the
parameters take in the `.art` file; that also holds the recipe and the metrics, which its own column
counts. PSNR is over all values in 8 bits. The method was tuned on parts of kodim05 and kodim23.

The Bjøntegaard rate is the mean difference in bits at equal PSNR: the integral of the difference of
the logarithms of the rates, over the PSNR that both curves reach, divided by that range, as a
percentage. Curves are monotone cubics through the points (PCHIP). Below 0 % means fewer bits.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features
from scipy.interpolate import PchipInterpolator

import artgen
from artgen.compare import Point, bjontegaard
from artgen.losses.metrics import psnr
from artgen.targets import TargetRequest, open_image
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

PICTURES = ("kodim05", "kodim13", "kodim19", "kodim23")
STEPS, RATES = 400, (0.15, 0.4, 1.0)
CODECS = {
    "JPEG": ((5, 10, 20, 35, 50, 65, 80, 90, 95), {"optimize": True}),
    "WebP": ((0, 5, 15, 30, 50, 65, 78, 88, 95), {"method": 6}),
    "AVIF": ((10, 20, 30, 40, 50, 60, 70, 80, 90), {"speed": 6}),
}
"""Qualities, and options of Pillow: the default speed of AVIF, the slowest of WebP."""


def run(settings: Settings) -> Iterator[Table]:
    found = [settings.data / f"{name}.png" for name in PICTURES] if settings.data else []
    files = [str(file) for file in found if file.is_file()] or ["sample:coffee"]
    size, steps = (48, 4) if settings.quick else (768, STEPS)
    gains: dict[str, list[str]] = {}
    for file in files:
        pixels = pixels_of(file, size)
        known = [name for name in CODECS if name == "JPEG" or features.check(name.lower())]
        curves, points, rows = {name: _coded(pixels, name) for name in known}, [], []
        for rate in RATES[-2:] if settings.quick else RATES:
            began = time.process_time()
            art = artgen.fit(
                file, primitive="latents", size=size, steps=steps, seed=0, threads=1, rate=rate
            )
            seconds = time.process_time() - began
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
        codecs = (f"{name}, dB" for name in curves)
        columns = ("bits per pixel", ".art, bytes", "latents, dB", *codecs)
        yield Table(Path(file).stem, (*columns, "CPU s", "decoding, CPU s"), rows)
        for name, curve in curves.items():
            gain = bjontegaard(curve, points)
            gains.setdefault(name, []).append("-" if gain is None else f"{gain:+.1f} %")
    rows = [(name, *each) for name, each in gains.items()]
    yield Table("Bits of `latents` at equal PSNR", ("beside", *(Path(f).stem for f in files)), rows)


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


def _coded(pixels: NDArray[np.uint8], name: str) -> list[Point]:
    """The curve of a codec."""
    points = []
    for quality in CODECS[name][0]:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, name, quality=quality, **CODECS[name][1])
        bits = 8 * file.tell() / pixels[..., 0].size
        points.append(Point(bits, psnr(np.asarray(Image.open(file).convert("RGB")), pixels)))
    return points


def _at(points: Sequence[Point], bits: float) -> float | None:
    """The PSNR of a curve at a rate; None beyond its ends."""
    rates = [math.log(point.bits) for point in points]
    if not rates[0] <= math.log(bits) <= rates[-1]:
        return None
    return float(PchipInterpolator(rates, [point.psnr for point in points])(math.log(bits)))
