"""Fixed scenes: seeded splats on a canvas, and a gradient that arrives at their picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import torch
from torch import Tensor

from artgen import Canvas, Context, Params, Splat

__all__ = ["Scene", "make_scene", "spacing"]


@dataclass(frozen=True, eq=False)
class Scene:
    """`tensors` are mapped values that want gradients; `incoming` is [3, height, width]."""

    splat: Splat
    canvas: Canvas
    tensors: dict[str, Tensor]
    incoming: Tensor

    @property
    def count(self) -> int:
        """The number of splats."""
        return self.tensors["xy"].shape[1]

    def radius(self) -> Tensor:
        """In canvas units, [N]."""
        with torch.no_grad():
            return self.splat.radius(Params(self.tensors)).expand(self.count).contiguous()

    def covered(self) -> int:
        """Pairs of a splat and a pixel inside its radius: the evaluations that are needed."""
        x, y = self.canvas.pixel_centres()
        return int(_covered(self.tensors["xy"].detach().numpy(), self.radius().numpy(), x, y))


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
def _covered(xy, radius, x, y):
    """The pixels of every row are found from the circle's half width there."""
    total, pixel = 0, (x[-1] - x[0]) / max(1, len(x) - 1)
    for i in range(len(radius)):
        for dy in y - xy[1, i]:
            square = radius[i] * radius[i] - dy * dy
            if square >= 0:
                half = math.sqrt(square)
                first = math.ceil((xy[0, i] - half - x[0]) / pixel)
                last = math.floor((xy[0, i] + half - x[0]) / pixel)
                total += max(0, min(last, len(x) - 1) - max(first, 0) + 1)
    return total
