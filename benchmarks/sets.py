"""A set of pictures in bytes: what a codec and all its latents take, beside image files.

The pictures are those that the codec was fitted to, with seed 0. Its parameters are rounded by
precision `auto`. Each number of the latents is rounded to steps of a share of its standard
deviation, the largest share with which the error grows by at most a twentieth, and all of them are
packed by LZMA. JPEG, WebP and PNG have all pictures on one sheet, in gray. Of the first two it is
the smallest file with at most this error, of some qualities from 1; beside it is the error of that.
"""

from __future__ import annotations

import io
import lzma
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import artgen
from artgen import Codec
from artgen.families.codec.paint import decode, encode
from artgen.targets import SetTarget
from artgen.values.examples import Examples
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table, figure
from benchmarks._settings import Settings

SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "pca, 8 numbers": ("pca", {"count": 8}),
    "pca, 32 numbers": ("pca", {"count": 32}),
    "autoencoder, 16 numbers": ("autoencoder", {"latent": 16, "width": 0.25}),
}
"""Contestants of the table of a set in bytes."""
SHEET_CODECS: dict[str, dict[str, Any]] = {
    "JPEG": {"optimize": True, "progressive": True},
    "WebP": {"method": 6},
}
"""Codecs of Pillow, with what makes their files small."""
QUALITIES = (1, 2, 4, 7, 12, 20, 35, 50, 70, 90, 100)


def run(settings: Settings) -> Iterator[Table]:
    number, names = (200, [*SETS][:1]) if settings.quick else (20_000, [*SETS])
    yield _in_bytes(f"digits?n={number}", names)


def _in_bytes(sample: str, names: Sequence[str]) -> Table:
    """A set of pictures after codecs, whole, beside image files of its sheet."""
    target = open_sample(sample)
    assert isinstance(target, SetTarget)
    examples = Examples.from_arrays(target.training, target.training_labels)
    sheet = _sheet(target.training)
    curves = [
        [_coded(sheet, codec, quality=quality, **options) for quality in QUALITIES]
        for codec, options in SHEET_CODECS.items()
    ]
    rows = []
    for name in names:
        primitive, options = SETS[name]
        fixed: dict[str, Any] = {"seed": 0, "threads": 1, "precision": "auto"}
        art = artgen.fit(f"sample:{sample}", primitive, **fixed, **options)
        codec, tensors = art.primitive(), art.drawing.tensors
        assert isinstance(codec, Codec)
        latents = encode(codec, tensors, examples)
        codes, error = _rounded(codec, tensors, latents, examples)
        whole = art.parameter_bytes + len(lzma.compress(codes.tobytes()))
        others = [min(each for each in along if each[1] <= error) for along in curves]
        rows.append(
            (
                name,
                f"{art.parameter_bytes:,}",
                f"{whole - art.parameter_bytes:,}",
                f"{whole:,}",
                figure(error),
                *(text for size, mse in others for text in (f"{size:,}", figure(mse))),
            )
        )
    columns = ("", "parameters, bytes", "latents, bytes", "both", "MSE")
    shown = (f"{each}{what}" for each in SHEET_CODECS for what in (" as good, bytes", ", MSE"))
    count, _, height, width = examples.images.shape
    lossless = _coded(sheet, "PNG", optimize=True)[0]
    title = f"{count:,} digits of {width}x{height}, {lossless:,} bytes as PNG"
    return Table(title, (*columns, *shown), rows)


def _coded(sheet: NDArray[np.uint8], codec: str, **options: Any) -> tuple[int, float]:
    """The size of a file of Pillow in bytes, and the mean squared error of what it shows."""
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, codec, **options)
    size = file.tell()
    shown = np.asarray(Image.open(file).convert("L"), float)
    return size, float(np.square((shown - sheet) / 255).mean())


def _rounded(
    codec: Codec, tensors: Mapping[str, torch.Tensor], latents: torch.Tensor, examples: Examples
) -> tuple[NDArray[np.int16], float]:
    """Whole numbers for latents [N, ...], number by number, and the error after them."""
    flat = latents.flatten(1)
    spread = flat.std(0).clamp_min(1e-6)

    def error(steps: torch.Tensor) -> float:
        images = decode(codec, tensors, steps.reshape(latents.shape), examples.labels)
        return float((images.clamp(0, 1) - examples.images.float() / 255).square().mean())

    limit, share = 1.05 * error(flat), 4.0
    while error((flat / (share * spread)).round() * share * spread) > limit:
        share /= 2**0.25
    codes = (flat / (share * spread)).round()
    return codes.T.contiguous().numpy().astype(np.int16), error(codes * share * spread)


def _sheet(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """All pictures [N, h, w, 1] in rows, as one [H, W], padded with black."""
    number, height, width, _ = pictures.shape
    columns = math.isqrt(number)
    rows = math.ceil(number / columns)
    whole = np.zeros((rows * columns, height, width), np.uint8)
    whole[:number] = pictures[..., 0]
    sheet = whole.reshape(rows, columns, height, width).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width)
