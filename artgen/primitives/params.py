"""Learned parameters: `Param` declares the initial values, bounds and rate of a tensor.

An engine optimises *raw* values; a primitive sees *mapped* ones:
``mapped = shift + scale * f(raw)`` with f one of a few named, invertible functions. Bounds are kept
by projecting the raw values after every step, so gradients can still move a part away from its
bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from artgen.base.errors import did_you_mean
from artgen.init import Context, Init, constant

Blend = Literal["sum", "mean", "normalized", "depth", "over"]
"""How the parts of a splat become a picture."""

Number = float | Callable[[Context], float]


class Params:
    """The mapped parameters of parts as attributes: `p.scale[0]`, `p.angle`."""

    pixel: Tensor = torch.zeros(())
    """The side of a pixel in canvas units; 0 where a footprint is evaluated without a canvas."""

    def __init__(self, values: Mapping[str, Tensor]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Tensor:
        known = ", ".join(sorted(self.__dict__)) or "none"
        raise AttributeError(f"there is no parameter {name!r}; declared: {known}")


def _softplus_inverse(y: Tensor) -> Tensor:
    positive = y.clamp_min(_EDGE)
    return positive + torch.log(-torch.expm1(-positive))


SETTINGS = ("init", "lr", "map", "min", "max", "period")
"""The settings of a parameter that a preset may change."""

_EDGE = 1e-6
_FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "identity": (lambda x: x, lambda y: y),
    "exp": (torch.exp, lambda y: torch.log(y.clamp_min(1e-30))),
    "softplus": (torch.nn.functional.softplus, _softplus_inverse),
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
            raise ValueError(f"map must be one of {known}, got {self.function!r}")

    def __call__(self, raw: Tensor) -> Tensor:
        """Raw to mapped."""
        value = _FUNCTIONS[self.function][0](raw)
        if self.scale != 1.0:
            value = self.scale * value
        return value + self.shift if self.shift else value

    def inverse(self, mapped: Tensor) -> Tensor:
        """Mapped to raw."""
        return _FUNCTIONS[self.function][1]((mapped - self.shift) / self.scale)

    def raw_bounds(self, low: float, high: float) -> tuple[float, float]:
        """The bounds of raw values for mapped ones from `low` to `high`, finite or not.

        Raw values of a reciprocal must stay positive.
        """
        reciprocal = self.function == "reciprocal"
        ends = [
            self.inverse(torch.tensor(end, dtype=torch.float64)).item()
            if math.isfinite(end)
            else None
            for end in (low, high)
        ]
        least, largest = reversed(ends) if (self.scale < 0) != reciprocal else ends
        unbounded = _EDGE if reciprocal else -math.inf
        return (unbounded if least is None else least, math.inf if largest is None else largest)


@dataclass(frozen=True, init=False)
class Param:
    """One learned tensor of a primitive.

    ``Param()`` has no component axis, ``Param(k)`` a leading axis of k. A splat stores it as [N]
    or [k, N]; a field exactly as the given shape.

    - `init`: mapped values at the start, ``init(context, shape) -> tensor`` (see
      `artgen.init`), or a number.
    - `lr`: learning rate of the raw values; a number or ``lr(context)`` (see `artgen.rates`).
      0 freezes it.
    - `map`: a `Map` or the name of its function.
    - `min`, `max`: bounds of the mapped values; a number or a function of the context (`pixels`).
    - `period`: mapped values this far apart are equal, as angles are. Morphs turn the shorter way.
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
        **unknown: Any,
    ) -> None:
        for name in unknown:
            hint = did_you_mean(name, SETTINGS)
            if name == "shape":  # which `dataclasses.replace` passes
                hint = "write Param(3), and to change one param.replaced(lr=0.1)"
            raise TypeError(f"Param has no keyword {name!r}: {hint}")
        numbers = {"init": init, "lr": lr, "min": min, "max": max, "period": period}
        for name, number in numbers.items():
            if not (number is None or callable(number) or hasattr(number, "__float__")):
                raise TypeError(f"{name} must be a number or a function, got {number!r}")
        low, high = (None if callable(each) else each for each in (min, max))
        if low is not None and high is not None and low > high:
            raise ValueError(f"min must not be above max, got min {low} and max {high}")
        start = init if callable(init) else constant(init)
        named = map if isinstance(map, Map) else Map(map)
        vars(self).update(numbers | {"shape": shape, "init": start, "map": named})

    def replaced(self, **changes: Any) -> Param:
        """The same parameter with some of the `SETTINGS` changed."""
        return Param(*self.shape, **{name: getattr(self, name) for name in SETTINGS} | changes)

    def rate(self, context: Context) -> float:
        """The learning rate of the raw values."""
        return self.lr(context) if callable(self.lr) else self.lr

    def bounds(self, context: Context) -> tuple[float, float]:
        """The bounds of the mapped values; infinite where there are none."""
        low, high = (each(context) if callable(each) else each for each in (self.min, self.max))
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)

    def raw_bounds(self, context: Context) -> tuple[float, float]:
        """The bounds of the raw values, for `raw.clamp_` after every step; infinite for none."""
        return self.map.raw_bounds(*self.bounds(context))


def pixels(k: float) -> Callable[[Context], float]:
    """A length of `k` fitting pixels, in canvas units; fixed when the fit starts."""
    return lambda context: k * context.canvas.pixel
