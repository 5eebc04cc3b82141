"""Fold a picture into the cell of a group: what a kaleidoscope shows of it.

The rectangle around the cell shows the picture, cropped to its shape; all else are images of it.
So what is fitted has the symmetry that the parts have, and no part has to average.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artgen.base.errors import UsageError
from artgen.targets.image import ImageTarget
from artgen.targets.target import Target
from artgen.values.canvas import Canvas
from artgen.values.symmetry import Symmetry, folds, symmetry_canvas, symmetry_of, unplaced

ROWS = 16
"""Rows of pixels that are folded at a time."""


def folded(target: Target, symmetry: str) -> Target:
    """The picture as the group that `symmetry` names makes it; others as they are.

    Raises UsageError where the target is no picture, or the text names no group.
    """
    symmetry = unplaced(symmetry)
    if not folds(symmetry) or getattr(target, "symmetry", "none") == symmetry:
        return target
    if not isinstance(target, ImageTarget):
        raise UsageError(
            f"{target.source} is not a picture, so it has no symmetry {symmetry}",
            hint="leave out --symmetry",
        )
    canvas = symmetry_canvas(symmetry, target.canvas)
    places = _places(symmetry_of(symmetry, canvas.reach), canvas)
    low, high = places.min((0, 1)), places.max((0, 1))
    box = (high - low) / canvas.pixel + 1

    def bend(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """A plane [height, width] at the folded places, bilinear."""
        from scipy.ndimage import map_coordinates

        scale = float(max(box[0] / plane.shape[1], box[1] / plane.shape[0]))
        size = [max(1, round(scale * side)) for side in plane.shape]
        small = np.asarray(Image.fromarray(plane).resize(size[::-1], Image.Resampling.LANCZOS))
        corner = [(size[1] - box[0]) / 2, (size[0] - box[1]) / 2]
        x, y = np.moveaxis((places - low) / canvas.pixel + corner, 2, 0)
        found = map_coordinates(small.clip(0, 1), [y, x], order=1, mode="nearest")
        return np.asarray(found, np.float32)

    def bent(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.dstack([bend(np.ascontiguousarray(each)) for each in np.moveaxis(planes, 2, 0)])

    rgba, weight = target.rgba, None if target.weight is None else bend(target.weight)
    if rgba is not None:
        # Premultiplied, so that colours hidden under transparency do not bleed.
        rgba = bent(np.dstack([rgba[:, :, :3] * rgba[:, :, 3:], rgba[:, :, 3]]))
        colour, alpha = rgba[:, :, :3], rgba[:, :, 3:]
        seen = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 1e-4)
        rgba = np.dstack([seen.clip(0, 1), alpha])
    return replace(target, image=bent(target.image), rgba=rgba, weight=weight, symmetry=symmetry)


def _places(group: Symmetry, canvas: Canvas) -> NDArray[np.float64]:
    """Where in the cell each pixel looks, [height, width, 2]."""
    x, y = (each.astype(np.float64) for each in canvas.pixel_centres())
    strips = []
    for top in range(0, canvas.height, ROWS):
        some = np.stack(np.meshgrid(x, y[top : top + ROWS]), 2)
        strips.append(group.fold(some.reshape(-1, 2)).reshape(some.shape))
    return np.concatenate(strips)
