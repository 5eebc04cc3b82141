"""From latents to colours, at the size of their finest grid, and interpolated at others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen import Canvas, family
from artgen_plugins.latents import Latents, kernels
from artgen_plugins.latents.layout import FEATURES, Array, Arrays, Level, padded_grids, rounded

SMALLER = 1.5
"""Pixels of the finest grid per pixel of a canvas, from which they are averaged."""


@family.paint.register(Latents)
def paint(latents: Latents, tensors: Mapping[str, Tensor], canvas: Canvas, **_: Any) -> Tensor:
    """The picture [3, height, width], from the tensors as a file holds them.

    A canvas of another size shows the picture by a cubic between its pixels, which adds no detail,
    or by means of them.
    """
    numbers, own = rounded(tensors), Canvas(latents.levels[0].width, latents.levels[0].height)
    grids = padded_grids(numbers, latents.levels)
    image = torch.from_numpy(coloured(numbers, features(numbers, grids, latents.levels)))
    if canvas == own:
        return image
    by, centres = canvas.pixel / own.pixel, map(torch.from_numpy, canvas.pixel_centres())
    x, y = (axis / reach for axis, reach in zip(centres, own.reach, strict=True))
    if by > SMALLER:
        across, down = _means(x, own.width, by), _means(y, own.height, by)
        columns = (across @ image.permute(2, 0, 1).flatten(1)).view(-1, 3, own.height)
        rows = (down @ columns.permute(2, 1, 0).flatten(1)).view(-1, 3, canvas.width)
        return rows.permute(1, 0, 2)
    places = torch.stack(torch.meshgrid(x.float(), y.float(), indexing="xy"), -1)
    return torch.nn.functional.grid_sample(
        image[None], places[None], mode="bicubic", padding_mode="border", align_corners=False
    )[0]


def _means(centres: Tensor, size: int, by: float) -> Tensor:
    """Weights [N, size] of pixels, which fall in a straight line over `by` of them, sparse.

    `centres` [N] go from -1 to 1 over the axis.
    """
    places = ((centres + 1) * size / 2).clamp(0.5, size - 0.5)[:, None]
    near = (places - by).floor().long() + torch.arange(math.ceil(2 * by) + 2)
    weights = (1 - (places - near - 0.5).abs() / by).clamp_min(0) * ((near >= 0) & (near < size))
    weights = (weights / weights.sum(1, keepdim=True)).float()
    kept = weights > 0
    at = torch.stack([kept.nonzero()[:, 0], near[kept]])
    return torch.sparse_coo_tensor(
        at, weights[kept], (len(places), size), is_coalesced=True, check_invariants=True
    )


def features(weights: Arrays, grids: list[Array], levels: list[Level]) -> list[Array]:
    """The features of each level [FEATURES, h, w], from padded grids: those above, and its own."""
    made: list[Array] = []
    for level in reversed(range(len(levels))):
        here = np.zeros((FEATURES, *levels[level][1:]), np.float32)
        if made:
            kernels.upsample(made[-1], weights[f"taps{level}"], here)
        kernels.mix(grids[level], weights[f"mix{level}"], here)
        made.append(here)
    return made[::-1]


def coloured(weights: Arrays, made: list[Array]) -> Array:
    """The colours [3, h, w] of the features of the finest level."""
    image = np.empty((3, *made[0].shape[1:]), np.float32)
    kernels.picture(made[0], tuple([weights[name] for name in PICTURE]), image)
    return image


PICTURE = ("colour", "ground", "unit", "threshold", "bend")
"""The weights that make colours of features."""
