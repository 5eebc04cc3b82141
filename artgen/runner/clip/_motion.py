"""Motion between two frames of a clip, estimated densely."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas

RADIUS, WARPS = 7, 3
"""The window in which motion is constant, in pixels of the reduced frames, and its refinements."""

LONGEST = 128
"""Frames are reduced until their long side has at most this many pixels."""

DETAIL = 4.0
"""Brightness is compared with its mean within this many pixels: moving light is no motion. On a
panned and lit photograph that halved the error of the flow."""


class Motion:
    """The optical flow from one frame to the next, both [3, height, width], when it is asked for.

    It is that of the iterative Lucas-Kanade method on a pyramid (Le Besnerais and Champagnat 2005).
    """

    def __init__(self, before: Tensor, after: Tensor, canvas: Canvas) -> None:
        self.before, self.after, self.canvas = before, after, canvas
        self.shrink = -(-max(canvas.width, canvas.height) // LONGEST)

    @cached_property
    def flow(self) -> NDArray[np.float32]:
        """Displacements [2, rows, columns], right and down, in pixels of the reduced frames."""
        from skimage.registration import optical_flow_ilk

        before, after = self._detail(self.before), self._detail(self.after)
        if min(before.shape) < 2:
            return np.zeros((2, *before.shape), np.float32)
        estimate: Any = optical_flow_ilk  # it has no types
        down, right = estimate(before, after, radius=RADIUS, num_warp=WARPS)
        return np.stack([right, down])

    def __call__(self, places: NDArray[np.float64]) -> Tensor:
        """Return how places [M, 2] are displaced, float32 [2, M], all in canvas units.

        Beyond the canvas, motion is that of its nearest place.
        """
        from scipy.ndimage import map_coordinates

        canvas, least = self.canvas, min(self.canvas.width, self.canvas.height)
        column = ((places[:, 0] * least + canvas.width) / self.shrink - 1) / 2
        row = ((places[:, 1] * least + canvas.height) / self.shrink - 1) / 2
        there = [
            map_coordinates(axis, [row, column], order=1, mode="nearest") for axis in self.flow
        ]
        unit = 2 * self.shrink / least
        return torch.from_numpy((unit * np.stack(there)).astype(np.float32))

    def _detail(self, frame: Tensor) -> NDArray[np.float32]:
        """The reduced frame in gray, float32 [rows, columns], without its local mean."""
        from scipy.ndimage import gaussian_filter
        from torch.nn.functional import avg_pool2d

        gray = frame.mean(0, keepdim=True)
        small = avg_pool2d(gray, self.shrink, ceil_mode=True, count_include_pad=False)[0].numpy()
        return np.asarray(small - gaussian_filter(small, DETAIL), np.float32)
