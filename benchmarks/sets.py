"""A set of pictures in bytes: what a codec and all its latents take, beside image files.

The pictures are those that the codec was fitted to, with seed 0. Its parameters are rounded by
precision `auto`. Each number of the latents is rounded to steps of a share of its standard
deviation, the largest share with which the error grows by at most a twentieth, and all of them are
packed by LZMA. JPEG, WebP and PNG have all pictures on one sheet. Of the first two it is the
smallest file with at most this error, of some qualities from 1.
"""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import artgen
from artgen import Codec
from artgen.families.codec.paint import decode, encode
from artgen.output import encode_along, encode_png
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
SHEET_CODECS, QUALITIES = ("JPEG", "WebP"), (1, 2, 4, 7, 12, 20, 35, 50, 70, 90, 100)


def run(settings: Settings) -> Iterator[Table]:
    number, names = (200, [*SETS][:1]) if settings.quick else (20_000, [*SETS])
    yield _in_bytes(f"digits?n={number}", names)


def _in_bytes(sample: str, names: Sequence[str]) -> Table:
    """A set of pictures after codecs, whole, beside image files of its sheet."""
    target = open_sample(sample)
    assert isinstance(target, SetTarget)
    examples = Examples.from_arrays(target.training, target.training_labels)
    sheet = _sheet(target.training)
    curves = [encode_along(sheet, each, QUALITIES) for each in SHEET_CODECS]
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
        least = -10 * math.log10(error)
        others = [min(each.size for each in along if each.psnr >= least) for along in curves]
        rows.append(
            (
                name,
                f"{art.parameter_bytes:,}",
                f"{whole - art.parameter_bytes:,}",
                f"{whole:,}",
                figure(error),
                *(f"{each:,}" for each in others),
            )
        )
    columns = ("", "parameters, bytes", "latents, bytes", "both", "MSE")
    shown = (f"{each} as good, bytes" for each in SHEET_CODECS)
    count, _, height, width = examples.images.shape
    title = f"{count:,} digits of {width}x{height}, {len(encode_png(sheet)):,} bytes as PNG"
    return Table(title, (*columns, *shown), rows)


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
    """All pictures [N, h, w, 1] in rows, as one [H, W, 3], padded with black."""
    number, height, width, _ = pictures.shape
    columns = math.isqrt(number)
    rows = math.ceil(number / columns)
    whole = np.zeros((rows * columns, height, width), np.uint8)
    whole[:number] = pictures[..., 0]
    sheet = whole.reshape(rows, columns, height, width).swapaxes(1, 2)
    return np.repeat(sheet.reshape(rows * height, columns * width, 1), 3, axis=2)
