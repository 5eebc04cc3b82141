"""Motion between two frames of a clip, estimated densely."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate, pad

from artgen.values.canvas import Canvas

RADIUS, WARPS = 5, 2
"""The window in which motion is constant, in pixels of the reduced frames, and its refinements."""

REACH, PATCH = 5, 5
"""From how far a pixel may take over motion, and the side of the patches that are compared."""

BETTER = 0.7
"""Motion is taken over where it leaves less than this share of the squared difference."""

LONGEST = 128
"""Frames are reduced until their long side has at most this many pixels."""

DETAIL = 4.0
"""Brightness is compared with its mean within this many pixels: moving light is no motion. On a
panned and lit photograph that halved the error of the flow."""


class Motion:
    """The optical flow from one frame to the next, both [3, height, width], when it is asked for.

    It is that of the iterative Lucas-Kanade method on a pyramid (Le Besnerais and Champagnat 2005).
    That is blurred where objects pass one another, so then each pixel takes over the motion of a
    pixel nearby under which the frames agree better, as in PatchMatch (Barnes et al. 2009). On
    balls that roll in front of dunes this leaves a third of the error of the flow.
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
        frames = self._reduced(self.before), self._reduced(self.after)
        flow = torch.from_numpy(np.stack([right, down]))
        coarse = _propagated(_reduced(flow, 2) / 2, *(_reduced(frame, 2) for frame in frames))
        flow = interpolate(2 * coarse[None], size=flow.shape[1:])[0]
        return _propagated(flow, *frames).numpy()

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

        small = self._reduced(frame).mean(0).numpy()
        return np.asarray(small - gaussian_filter(small, DETAIL), np.float32)

    def _reduced(self, frame: Tensor) -> Tensor:
        return _reduced(frame, self.shrink)


def _reduced(planes: Tensor, times: int) -> Tensor:
    """Means over squares of this side of planes [K, height, width]."""
    return avg_pool2d(planes, times, ceil_mode=True, count_include_pad=False)


def _propagated(flow: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """The flow [2, rows, columns] where each pixel has chosen its own or one of eight at `REACH`.

    It is chosen by the squared difference of the frames, [3, rows, columns], in patches.
    """
    rows, columns = flow.shape[1:]
    padded = pad(flow[None], (REACH,) * 4, mode="replicate")[0]
    steps = [(0, 0), *(step for step in product((-1, 0, 1), repeat=2) if any(step))]
    starts = [(REACH * (1 + down), REACH * (1 + right)) for down, right in steps]
    choice = torch.stack([padded[:, y : y + rows, x : x + columns] for y, x in starts])
    across = (2 * (torch.arange(columns) + choice[:, 0]) + 1) / columns - 1
    down = (2 * (torch.arange(rows)[:, None] + choice[:, 1]) + 1) / rows - 1
    frames, places = after.expand(len(starts), *after.shape), torch.stack([across, down], -1)
    moved = grid_sample(frames, places, padding_mode="border", align_corners=False)
    difference = (moved - before).square().mean(1, keepdim=True)
    cost = avg_pool2d(difference, PATCH, 1, PATCH // 2, count_include_pad=False)[:, 0]
    cost[0] *= BETTER
    return choice.gather(0, cost.argmin(0).expand(1, 2, rows, columns))[0]
