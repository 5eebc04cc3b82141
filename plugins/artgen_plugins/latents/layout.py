"""Which numbers there are: grids of latents, and the weights of the networks that read them.

Level 0 has a latent for each pixel, and each further level half as many along each axis. Level 0
holds lightness alone, the others lightness and two colours, as eyes and codecs have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FEATURES, UNITS = 6, 16
"""Numbers per pixel that the latents are mixed into, and units of the network that colours them."""

NEIGHBOURS, MAGNITUDES, INPUTS, HIDDEN = 8, 11, 21, 12
"""Of the context model: decoded neighbours of a latent; inputs without a sign, which are those of
the neighbours, the parent and the two other channels; all inputs, with all of these but the parent
once more, with their signs; hidden units."""

LARGEST = 255
"""The largest latent."""

LEAST, MOST = -5, 8
"""The range of log2 of the scale of a Laplace distribution."""

TOP, SIDE = 2, 2
"""Rows above and columns beside a grid that neighbours are read from."""

Array = NDArray[np.float32]
Arrays = Mapping[str, Array]


class Level(NamedTuple):
    """The shape of a grid."""

    channels: int
    height: int
    width: int


def levels_of(width: int, height: int, most: int) -> list[Level]:
    """The grids of a picture, from the finest: at most `most`, and none coarser than one latent."""
    levels: list[Level] = []
    while len(levels) < most and (not levels or max(width, height) > 1):
        if levels:
            width, height = (width + 1) // 2, (height + 1) // 2
        levels.append(Level(3 if levels else 1, height, width))
    return levels


def weight_shapes(levels: int) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights, by name, in the order of a file.

    `mix` turns latents into features, `taps` upsample these; `colour`, `ground`, `unit`,
    `threshold` and `bend` make colours of them. The context model has the weights `seen`, `level`
    (a row for the lightness and one for the colours of each level), `scale`, `spread`, `mean` and
    `centre` (a row for lightness and one for colours).
    """
    shapes: dict[str, tuple[int, ...]] = {
        "seen": (HIDDEN, INPUTS),
        "level": (2 * levels, HIDDEN),
        "scale": (HIDDEN,),
        "spread": (2 * levels,),
        "mean": (2, NEIGHBOURS),
        "centre": (2, HIDDEN),
        "colour": (3, FEATURES),
        "ground": (3,),
        "unit": (UNITS, FEATURES),
        "threshold": (UNITS,),
        "bend": (3, UNITS),
    }
    for level in range(levels):
        shapes[f"mix{level}"] = (FEATURES, 3 if level else 1)
        if level + 1 < levels:
            shapes[f"taps{level}"] = (4,)
    return shapes


CONTEXT = ("seen", "level", "scale", "spread", "mean", "centre")
"""The weights of the context model."""

_BITS = {
    **dict.fromkeys((*CONTEXT, "unit"), 6),
    **dict.fromkeys(("colour", "ground", "bend"), 10),
    **dict.fromkeys(("threshold", "taps"), 8),
    "mix": 12,
}
"""Weights are multiples of 2 to the power of minus this."""


WIDEST = 64.0
"""The largest weight."""


def bits_of(name: str) -> int:
    """The bits behind the point of a number: none of a latent, more of what mixes coarse ones."""
    kind = name.rstrip("0123456789")
    return 0 if kind == "grid" else _BITS[kind] + (int(name[3:]) if kind == "mix" else 0)


def rounded(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """The tensors as a file holds them."""
    found = {}
    for name, tensor in tensors.items():
        factor = 2.0 ** bits_of(name)
        most = LARGEST if name.startswith("grid") else WIDEST
        values = torch.round(tensor.detach().cpu().clamp(-most, most) * factor) / factor
        found[name] = np.ascontiguousarray(values.numpy(), np.float32)
    return found


def padded(grid: NDArray[Any]) -> NDArray[Any]:
    """A grid [channels, h, w] with zeros around it."""
    return np.pad(grid, ((0, 0), (TOP, 0), (SIDE, SIDE)))


def padded_grids(numbers: Arrays, levels: Sequence[Level]) -> list[Array]:
    """The grids of all levels among the tensors of a drawing, from the finest, padded."""
    return [padded(numbers[f"grid{level}"]) for level in range(len(levels))]


def group(level: int, channel: int) -> int:
    """The row of the weights by level."""
    return 2 * level + (channel > 0)


def model_of(weights: Mapping[str, Any], row: int) -> tuple[Any, ...]:
    """The weights of the context model for a row of the weights by level."""
    seen, level, scale, spread, mean, centre = (weights[name] for name in CONTEXT)
    return seen, level[row], scale, spread[row], mean[row % 2], centre[row % 2]
