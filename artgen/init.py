"""Initial values of parameters: functions to pass as `init` of a `Param`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from artgen.base.philox import Philox
from artgen.values.canvas import Canvas

__all__ = [
    "Context",
    "Init",
    "at_target_colour",
    "constant",
    "from_spacing",
    "normal",
    "on_detail",
    "target_colour",
    "uniform",
]


Generator = torch.Generator | Philox
"""Where random numbers come from: torch, or a generator that browsers have as well."""


def make_generator(seed: int, kind: str | None = None) -> Generator:
    """A generator of this `kind`: None for torch's own, or ``philox``."""
    return Philox(seed) if kind == "philox" else torch.Generator().manual_seed(seed)


def choose(rng: Generator, density: Tensor, count: int, *, replacement: bool = True) -> Tensor:
    """Draw `count` indices with probabilities proportional to `density` [n]."""
    if isinstance(rng, Philox):
        drawn = rng.choose(density.double().numpy(), count, replacement=replacement)
        return torch.from_numpy(drawn)
    return torch.multinomial(density, count, replacement=replacement, generator=rng)


@dataclass
class Context:
    """The data that initial values may depend on.

    `rng` is the only source of randomness; `target` is [3, height, width] (sRGB-encoded, on the
    CPU) or None; `weight` [height, width] or None is the loss weight; `count` is the number of
    parts; `values` holds what was already initialised, in the order of `params` ("xy" first).
    `goals` are what other poses of the parts shall show, like `target`, by the pose.
    """

    rng: Generator
    canvas: Canvas
    count: int
    target: Tensor | None = None
    weight: Tensor | None = None
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    values: dict[str, Tensor] = field(default_factory=dict)
    goals: Mapping[float, Tensor] = field(default_factory=dict)

    @cached_property
    def mean_spacing(self) -> float:
        """The distance between neighbours if the parts were on a grid, in canvas units."""
        return math.sqrt(self.canvas.area / max(1, self.count))

    @cached_property
    def spacing(self) -> Tensor:
        """The mean distance of each part to its three nearest neighbours, about, float32 [count].

        It is at least half a pixel, and the mean spacing if there are fewer than eight parts.
        """
        return self.first_spacing(self.count)

    def first_spacing(self, number: int) -> Tensor:
        """The `spacing` of the first parts alone, float32 [number]."""
        mean, xy = self.mean_spacing, self.values.get("xy")
        if xy is None or self.count < 8:
            return torch.full((number,), mean)
        points = xy.t().double().numpy()
        # All distances of few parts are found sooner than SciPy is loaded, with the same bits.
        if self.count <= 1024:
            x, y = (points[:number, None] - points).transpose(2, 0, 1)
            distances = np.sqrt(np.sort(np.partition(x * x + y * y, 3)[:, :4]))
        else:
            from scipy.spatial import cKDTree

            distances = cKDTree(points).query(points[:number], k=4)[0]
        nearest = torch.from_numpy(distances[:, 1:].mean(1)).float()
        # Random points lie closer to their nearest neighbours than points on a grid do.
        return (1.4 * nearest).clamp(0.5 * self.canvas.pixel, 4 * mean)

    def random(self, *shape: int) -> Tensor:
        """Draw uniform numbers in [0, 1)."""
        if isinstance(self.rng, Philox):
            return torch.from_numpy(self.rng.uniform(*shape))
        return torch.rand(shape, generator=self.rng)

    def randn(self, *shape: int) -> Tensor:
        """Draw standard normal numbers."""
        if isinstance(self.rng, Philox):
            return torch.from_numpy(self.rng.normal(*shape))
        return torch.randn(shape, generator=self.rng)

    def seed(self) -> int:
        """Draw the seed of another generator."""
        if isinstance(self.rng, Philox):
            return int(self.rng.uniform() * 2**24)
        return int(torch.randint(2**62, (), generator=self.rng))

    def places(self, count: int, detail: float) -> Tensor:
        """Positions [2, count] as `on_detail` draws them."""
        if self.target is None:
            return torch.tensor(self.canvas.reach)[:, None] * (2 * self.random(2, count) - 1)
        return self.in_pixels(_detail_density(self.target, self.weight, detail), count)

    def in_pixels(self, density: Tensor, count: int, *, replacement: bool = True) -> Tensor:
        """Draw positions [2, count] anywhere inside pixels of a `density` [height, width].

        Without `replacement` each pixel is drawn at most once.
        """
        pick = choose(self.rng, density.flatten(), count, replacement=replacement)
        height, width = density.shape
        corner = torch.stack([pick % width, pick // width]) + self.random(2, count)
        size = torch.tensor([[float(width)], [float(height)]])
        return torch.tensor(self.canvas.reach)[:, None] * (2 * corner / size - 1)

    def colours(self, *shape: int) -> Tensor:
        """The target minus the background at the positions `xy`; random where one is missing."""
        if self.target is None or "xy" not in self.values:
            return self.random(*shape)
        return self.target_colours(*shape) - torch.tensor(self.background)[:, None]

    def target_colours(self, *shape: int) -> Tensor:
        """The target at the positions `xy`; random where one is missing."""
        if self.target is None or "xy" not in self.values:
            return self.random(*shape)
        half_width, half_height = self.canvas.reach
        grid = (self.values["xy"] / torch.tensor([[half_width], [half_height]])).t()
        colour = torch.nn.functional.grid_sample(
            self.target[None],
            grid.reshape(1, 1, -1, 2),
            padding_mode="border",
            align_corners=False,
        )
        return colour[0, :, 0]


Init = Callable[[Context, tuple[int, ...]], Tensor]


def constant(value: float) -> Init:
    """Set all values to `value`."""
    return lambda context, shape: torch.zeros(shape) + value


def uniform(low: float, high: float) -> Init:
    """Draw values uniformly between `low` and `high`."""
    return lambda context, shape: low + (high - low) * context.random(*shape)


def normal(std: float = 1.0, mean: float = 0.0) -> Init:
    """Draw values from a normal distribution."""
    return lambda context, shape: mean + std * context.randn(*shape)


def from_spacing(k: float) -> Init:
    """Lengths of `k` times the local spacing of the parts, in canvas units."""
    return lambda context, shape: (k * context.spacing).expand(shape).clone()


def on_detail(detail: float = 0.8) -> Init:
    """Positions [2, N]: a share `detail` where the target changes, the rest anywhere.

    The density of the former follows the magnitude of the luminance gradient, times the loss
    weight; positions are jittered inside their pixel. (Image-GS, SIGGRAPH 2025, uses a similar
    mixture.) Without a target they are uniform over the canvas.
    """

    return lambda context, shape: context.places(shape[-1], detail)


def at_target_colour(gain: float = 1.0) -> Init:
    """Colours [3, N]: `gain` times the target minus the background at the positions `xy`."""

    return lambda context, shape: gain * context.colours(*shape)


def target_colour(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Colours [3, N]: the target at the positions `xy`, for parts that cover the background."""
    return context.target_colours(*shape)


def _detail_density(target: Tensor, weight: Tensor | None, detail: float) -> Tensor:
    """Probabilities of pixels [height, width]: `detail` by gradient magnitude, the rest uniform."""
    luminance = target.mean(0)
    padded = torch.nn.functional.pad(luminance[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    horizontal = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    vertical = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    # The small term makes the density of a flat picture uniform.
    magnitude = torch.hypot(horizontal, vertical) + 1e-6
    flat = torch.full_like(magnitude, 1 / magnitude.numel())
    density = detail * magnitude / magnitude.sum() + (1 - detail) * flat
    if weight is not None and float(weight.sum()) > 0:
        density = density * weight
    return pixel_chances(density)


def pixel_chances(density: Tensor) -> Tensor:
    """A density [height, width] as probabilities, at most the 2^24 that torch.multinomial takes."""
    while density.numel() > 2**24:
        density = torch.nn.functional.avg_pool2d(density[None, None], 2, ceil_mode=True)[0, 0]
    return density / density.sum()
