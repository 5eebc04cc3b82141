"""What is learned: `Param` says how a tensor starts, how it is bounded and how fast it moves.

An engine optimises *raw* values; a primitive sees *mapped* ones:
``mapped = shift + scale * f(raw)`` with f one of a few named, invertible functions. Bounds are kept
by projecting the raw values after every step, so a part that reached its floor still feels the
gradient that would free it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from artgen.canvas import Canvas

__all__ = [
    "Context",
    "Map",
    "Param",
    "Params",
    "at_target_colour",
    "constant",
    "from_spacing",
    "normal",
    "on_detail",
    "per_count",
    "per_spacing",
    "pixels",
    "uniform",
]


class Params:
    """The mapped parameters of parts as attributes: `p.scale[0]`, `p.angle`."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Tensor:
        known = ", ".join(sorted(self.__dict__)) or "none"
        raise AttributeError(f"there is no parameter {name!r}; declared: {known}")


@dataclass
class Context:
    """What an initial value may depend on.

    `rng` is the only source of randomness; `target` is [3, height, width] (sRGB-encoded, on the
    CPU) or None; `weight` [height, width] or None is the loss weight; `count` is the number of
    parts; `values` holds what was already initialised, in the order of `params` ("xy" first).
    """

    rng: torch.Generator
    canvas: Canvas
    count: int
    target: Tensor | None = None
    weight: Tensor | None = None
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    values: dict[str, Tensor] = field(default_factory=dict)

    @property
    def mean_spacing(self) -> float:
        """The distance between neighbours if the parts stood on a grid, in canvas units."""
        return math.sqrt(self.canvas.area / max(1, self.count))

    @cached_property
    def spacing(self) -> Tensor:
        """Local spacing [count]: about the mean distance to the three nearest neighbours.

        Falls back to the mean spacing where there are too few parts.
        """
        return _local_spacing(self)

    def random(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1)."""
        return torch.rand(shape, generator=self.rng)

    def randn(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.rng)


Init = Callable[[Context, tuple[int, ...]], Tensor]
Number = float | Callable[[Context], float]


def _softplus_inverse(y: Tensor) -> Tensor:
    return y + torch.log(-torch.expm1(-y))


_EDGE = 1e-6
_FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "identity": (lambda x: x, lambda y: y),
    "exp": (torch.exp, lambda y: torch.log(y.clamp_min(1e-30))),
    "softplus": (
        torch.nn.functional.softplus,
        lambda y: _softplus_inverse(y.clamp_min(_EDGE)),
    ),
    "sigmoid": (torch.sigmoid, lambda y: torch.logit(y.clamp(_EDGE, 1 - _EDGE))),
    "tanh": (torch.tanh, lambda y: torch.atanh(y.clamp(-1 + _EDGE, 1 - _EDGE))),
    "reciprocal": (lambda x: 1 / x, lambda y: 1 / y.clamp_min(_EDGE)),
}


@dataclass(frozen=True)
class Map:
    """``mapped = shift + scale * function(raw)``; the inverse clamps saturated values.

    `function` is one of identity, exp, softplus, sigmoid, tanh and, for positive raw values,
    reciprocal.
    """

    function: str = "identity"
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        if self.function not in _FUNCTIONS:
            known = ", ".join(_FUNCTIONS)
            raise ValueError(f"there is no map {self.function!r}; known: {known}")

    def __call__(self, raw: Tensor) -> Tensor:
        """Raw to mapped."""
        value = _FUNCTIONS[self.function][0](raw)
        if self.scale != 1.0:
            value = self.scale * value
        return value + self.shift if self.shift else value

    def inverse(self, mapped: Tensor) -> Tensor:
        """Mapped to raw."""
        return _FUNCTIONS[self.function][1]((mapped - self.shift) / self.scale)

    @property
    def decreasing(self) -> bool:
        """Whether larger raw values have smaller mapped ones."""
        return (self.scale < 0) != (self.function == "reciprocal")

    @property
    def raw_range(self) -> tuple[float, float]:
        """Where raw values may be: a reciprocal must not flip its sign."""
        return (_EDGE if self.function == "reciprocal" else -math.inf), math.inf


@dataclass(frozen=True, init=False)
class Param:
    """One learned tensor of a primitive.

    ``Param()`` has no component axis, ``Param(k)`` a leading axis of k. A splat stores it as [N]
    or [k, N]; a field exactly as the given shape.

    - `init`: mapped values at the start, ``init(context, shape) -> tensor`` (helpers: `uniform`,
      `normal`, `constant`, `from_spacing`, `on_detail`, `at_target_colour`), or a number.
    - `lr`: learning rate of the raw values; a number or ``lr(context)`` (helpers: `per_spacing`).
      0 freezes it.
    - `map`: a `Map` or the name of its function.
    - `min`, `max`: bounds of the mapped values; a number or a function of the context (`pixels`).
    - `period`: mapped values so far apart mean the same, as angles do. A drawing that becomes
      another one turns the shorter way.
    """

    shape: tuple[int, ...]
    init: Init
    lr: Number
    map: Map
    min: Number | None
    max: Number | None
    period: float | None

    def __init__(
        self,
        *shape: int,
        init: Init | float = 0.0,
        lr: Number = 0.01,
        map: Map | str = "identity",
        min: Number | None = None,
        max: Number | None = None,
        period: float | None = None,
    ) -> None:
        start = init if callable(init) else constant(init)
        named = map if isinstance(map, Map) else Map(map)
        given = {"shape": shape, "init": start, "lr": lr, "map": named, "min": min, "max": max}
        for name, value in {**given, "period": period}.items():
            object.__setattr__(self, name, value)

    def replaced(self, **changes: Any) -> Param:
        """The same parameter with some of `init`, `lr`, `map`, `min`, `max`, `period` changed."""
        names = ("init", "lr", "map", "min", "max", "period")
        return Param(*self.shape, **{name: getattr(self, name) for name in names} | changes)

    def rate(self, context: Context) -> float:
        """The learning rate of the raw values."""
        return self.lr(context) if callable(self.lr) else self.lr

    def bounds(self, context: Context) -> tuple[float, float]:
        """The bounds of the mapped values; infinite where there are none."""
        low = self.min(context) if callable(self.min) else self.min
        high = self.max(context) if callable(self.max) else self.max
        return (
            -math.inf if low is None else float(low),
            math.inf if high is None else float(high),
        )

    def raw_bounds(self, context: Context) -> tuple[float, float]:
        """The same bounds for raw values: what `raw.clamp_` takes after every step."""
        ends = [
            self.map.inverse(torch.tensor(end, dtype=torch.float64)).item()
            if math.isfinite(end)
            else None
            for end in self.bounds(context)
        ]
        low, high = reversed(ends) if self.map.decreasing else ends
        least, largest = self.map.raw_range
        return (least if low is None else low, largest if high is None else high)


def constant(value: float) -> Init:
    """Every value the same."""
    return lambda context, shape: torch.full(shape, float(value))


def uniform(low: float, high: float) -> Init:
    """Uniform between `low` and `high`."""
    return lambda context, shape: low + (high - low) * context.random(*shape)


def normal(std: float = 1.0, mean: float = 0.0) -> Init:
    """Normal with standard deviation `std` around `mean`."""
    return lambda context, shape: mean + std * context.randn(*shape)


def from_spacing(k: float) -> Init:
    """`k` times the local spacing of the parts: a length at which neighbours touch."""
    return lambda context, shape: (k * context.spacing).expand(shape).clone()


def pixels(k: float) -> Callable[[Context], float]:
    """A length of `k` fitting pixels, in canvas units; fixed when the fit starts."""
    return lambda context: k * context.canvas.pixel


def per_spacing(k: float) -> Callable[[Context], float]:
    """A learning rate of `k` times the mean spacing, for positions and lengths."""
    return lambda context: k * context.mean_spacing


def per_count(k: float) -> Callable[[Context], float]:
    """A learning rate of `k` times the number of parts, for what the blend `mean` divides by it."""
    return lambda context: k * context.count


def on_detail(detail: float = 0.8) -> Init:
    """Positions: a share `detail` of them where the target changes, the rest anywhere.

    The density of the former follows the magnitude of the luminance gradient, times the loss
    weight; positions are jittered inside their pixel. (Image-GS, SIGGRAPH 2025, uses a similar
    mixture.) Uniform over the canvas where there is no target.
    """

    def init(context: Context, shape: tuple[int, ...]) -> Tensor:
        count = shape[-1]
        half_width, half_height = context.canvas.reach
        reach = torch.tensor([[half_width], [half_height]])
        if context.target is None:
            return reach * (2 * context.random(2, count) - 1)
        density = _detail_density(context.target, context.weight, detail)
        pick = torch.multinomial(density.flatten(), count, replacement=True, generator=context.rng)
        height, width = density.shape
        column, row = pick % width, pick // width
        corner = torch.stack([column, row]).float() + context.random(2, count)
        size = torch.tensor([[float(width)], [float(height)]])
        return reach * (2 * corner / size - 1)

    return init


def at_target_colour(gain: float = 1.0) -> Init:
    """Colours: `gain` times the target minus the background at the positions `xy`."""

    def init(context: Context, shape: tuple[int, ...]) -> Tensor:
        if context.target is None or "xy" not in context.values:
            return gain * context.random(*shape)
        xy = context.values["xy"]
        half_width, half_height = context.canvas.reach
        grid = (xy / torch.tensor([[half_width], [half_height]])).t().reshape(1, 1, -1, 2)
        colour = torch.nn.functional.grid_sample(
            context.target[None], grid, padding_mode="border", align_corners=False
        )
        base = torch.tensor(context.background)[:, None]
        return gain * (colour[0, :, 0] - base)

    return init


def _detail_density(target: Tensor, weight: Tensor | None, detail: float) -> Tensor:
    """A probability per pixel [height, width]: `detail` by gradient magnitude, the rest uniform."""
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
    # torch.multinomial takes at most 2^24 categories; a coarser grid serves as well.
    while density.numel() > 2**24:
        density = torch.nn.functional.avg_pool2d(density[None, None], 2, ceil_mode=True)[0, 0]
    return density / density.sum()


def _local_spacing(context: Context) -> Tensor:
    """Mean distance to the three nearest neighbours, floored at half a pixel, [count]."""
    count = context.count
    mean = context.mean_spacing
    xy = context.values.get("xy")
    if xy is None or count < 8:
        return torch.full((count,), mean)
    from scipy.spatial import cKDTree

    points = xy.t().double().numpy()
    distances, _ = cKDTree(points).query(points, k=4)
    nearest = torch.from_numpy(distances[:, 1:].mean(1)).float()
    # Random points lie closer to their nearest neighbours than points on a grid do.
    return (1.4 * nearest).clamp(0.5 * context.canvas.pixel, 4 * mean)
