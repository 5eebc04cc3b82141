"""From latents to colours, at the size of their finest grid, and interpolated at others."""

from __future__ import annotations

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

    A canvas of another size shows the picture by a cubic between its pixels, which adds no detail.
    """
    numbers, own = rounded(tensors), Canvas(latents.levels[0].width, latents.levels[0].height)
    grids = padded_grids(numbers, latents.levels)
    image = torch.from_numpy(coloured(numbers, features(numbers, grids, latents.levels)))
    if canvas == own:
        return image
    by = canvas.pixel / own.pixel
    if by > SMALLER:
        image = torch.nn.functional.interpolate(
            image[None], scale_factor=1 / by, mode="bilinear", antialias=True
        )[0]
    x, y = (
        torch.from_numpy(axis).float() / reach
        for axis, reach in zip(canvas.pixel_centres(), own.reach, strict=True)
    )
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    return torch.nn.functional.grid_sample(
        image[None], places[None], mode="bicubic", padding_mode="border", align_corners=False
    )[0]


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
