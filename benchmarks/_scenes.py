"""Fixed scenes: seeded splats on a canvas, and a gradient that arrives at their picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numba as nb
import numpy as np
import torch
from torch import Tensor

from artgen import Canvas, Splat
from artgen.families.splat.tiles import Extent, find_extent
from artgen.init import Context
from artgen.raster import tensor_device

__all__ = ["Scene", "make_scene", "spacing"]


@dataclass(frozen=True, eq=False)
class Scene:
    """`tensors` are mapped values that want gradients; `incoming` is [3, height, width].

    `place` is the device that draws them.
    """

    splat: Splat
    canvas: Canvas
    tensors: dict[str, Tensor]
    incoming: Tensor
    place: str = "cpu"

    @property
    def device(self) -> torch.device:
        """The device of all tensors."""
        return self.incoming.device

    def to(self, device: str) -> Scene:
        """The same scene on another device."""
        there = tensor_device(device)
        tensors = {n: t.detach().to(there).requires_grad_() for n, t in self.tensors.items()}
        return replace(self, tensors=tensors, incoming=self.incoming.to(there), place=device)

    @property
    def count(self) -> int:
        """The number of splats."""
        return self.tensors["xy"].shape[1]

    def extent(self) -> Extent:
        """The ellipses at which the splats end."""
        return find_extent(self.splat, self.tensors)

    def covered(self) -> int:
        """Pairs of a splat and a pixel inside its ellipse: the evaluations that are needed."""
        extent = self.extent()
        each = self.tensors["xy"].detach(), extent.radius, extent.frame
        return int(_covered(*(t.cpu().numpy() for t in each), *self.canvas.pixel_centres()))


def make_scene(splat: Splat, count: int, side: int, pixels: float | None = None) -> Scene:
    """`count` splats at random places of a square of `side` pixels.

    With `pixels`, scales are log-normal around it (σ = 0.4), instead of the primitive's own.
    """
    rng = torch.Generator().manual_seed(0)
    canvas = Canvas(side, side)
    tensors = splat.initial(Context(rng, canvas, count))
    if pixels is not None:
        normal = torch.randn(tensors["scale"].shape, generator=rng)
        tensors["scale"] = pixels * canvas.pixel * torch.exp(0.4 * normal)
    tensors = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
    return Scene(splat, canvas, tensors, torch.randn(3, side, side, generator=rng))


def spacing(count: int, side: int) -> float:
    """Half the distance, in pixels, of `count` splats on a grid: the same coverage for any."""
    return 0.5 * side / math.sqrt(count)


@nb.njit(cache=True)
def _covered(xy, radius, frame, x, y):
    total = 0
    for i in range(len(radius)):
        columns = np.nonzero(np.abs(x - xy[0, i]) <= radius[i])[0]
        for dy in y - xy[1, i]:
            if abs(dy) <= radius[i]:
                for column in columns:
                    dx = x[column] - xy[0, i]
                    u, v = frame[0, i] * dx + frame[1, i] * dy, frame[2, i] * dx + frame[3, i] * dy
                    total += u * u + v * v <= 1
    return total
