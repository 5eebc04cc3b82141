"""Learn a palette: the few colours that stand for those of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.targets.colour import hex_colour

_LEVELS, _ROUNDS = 32, 100


def learn_palette(
    pixels: NDArray[np.uint8], count: int, weight: NDArray[np.float32] | None = None
) -> tuple[str, ...]:
    """At most `count` colours for a picture [height, width, 3], the most frequent ones first.

    Its colours are grouped by k-means in CIELAB, from a start that follows from the picture alone;
    each group becomes its mean. `weight` is [height, width]; where it is 0 everywhere, all pixels
    count. A picture of one colour has a palette of that one.
    """
    from scipy.spatial import KDTree
    from skimage.color import rgb2lab

    colours, shares = _histogram(pixels, weight)
    lab = rgb2lab(colours)
    centres = lab[[shares.argmax()]]
    distance = np.full(len(lab), np.inf)
    while len(centres) < min(count, len(lab)):
        distance = np.minimum(distance, np.square(lab - centres[-1]).sum(1))
        centres = np.append(centres, lab[[(shares * distance).argmax()]], axis=0)
    for _ in range(_ROUNDS):
        before, group = centres, KDTree(centres).query(lab)[1]
        totals, means = _means(lab, shares, group, len(centres))
        centres = np.where(totals[:, None] > 0, means, before)
        if np.allclose(centres, before, atol=1e-3):
            break
    totals, means = _means(colours, shares, group, len(centres))
    order = [k for k in np.argsort(-totals, kind="stable") if totals[k] > 0]
    return tuple(dict.fromkeys(hex_colour(means[k]) for k in order))


def _histogram(
    pixels: NDArray[np.uint8], weight: NDArray[np.float32] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours [N, 3] in 0..1, the means of some cells of the colour cube, and their weights [N]."""
    flat = pixels.reshape(-1, 3)
    weights = np.ones(len(flat))
    if weight is not None and weight.any():
        weights = weight.reshape(-1).astype(np.float64)
    cells = (flat.astype(np.int64) * _LEVELS // 256) @ (_LEVELS**2, _LEVELS, 1)
    totals, means = _means(flat / 255, weights, cells, _LEVELS**3)
    return means[totals > 0], totals[totals > 0]


def _means(
    values: NDArray[np.float64], weights: NDArray[np.float64], group: NDArray[Any], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weight [groups] of each group of values [N, 3], and its mean [groups, 3]."""
    totals: NDArray[np.float64] = np.bincount(group, weights, groups).astype(np.float64)
    sums = [np.bincount(group, weights * column, groups) for column in values.T]
    return totals, np.stack(sums, axis=1) / np.maximum(totals, 1e-300)[:, None]
