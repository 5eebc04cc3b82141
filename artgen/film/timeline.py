"""The keys of a morph: when they are, how far the parts have moved by then, in which order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.film.scenes import Scene

Floats = NDArray[np.float64]
Tensors = dict[str, Tensor]

EASE = 16
"""The number of stretches of even speed that approximate a smooth start and stop."""

CUT = 1e-5
"""How long a scene ends before the next one, in seconds."""


def timeline(seconds: float, hold: float, loop: bool) -> tuple[list[float], list[float]]:
    """Return the progress at each key, 0 to 1, and its time in seconds; the last ends the film."""
    there = [3 * u * u - 2 * u * u * u for u in (k / EASE for k in range(EASE + 1))]
    legs = [there, there[::-1]] if loop else [there]
    shares: list[float] = [0.0] if hold else []
    times, now = shares.copy(), 0.0
    for leg in legs:
        # Without a rest in between, the turning point is one key.
        skip = 1 if times and not hold else 0
        now += hold
        steps = [now + seconds * k / EASE for k in range(EASE + 1)]
        shares, times, now = [*shares, *leg[skip:]], [*times, *steps[skip:]], steps[-1]
    if hold and not loop:
        shares, times = [*shares, shares[-1]], [*times, now + hold]
    return shares, times


def make_scenes(
    a: Tensors,
    b: Tensors,
    layers: Floats | None,
    shares: list[float],
    times: list[float],
    background: Tensor,
) -> list[Scene]:
    """Interpolate between equal numbers of parts, `a` at share 0 and `b` at share 1.

    Parts that lie in a stack are sorted by their `layers` [2, N], in the first and in the second
    drawing, which are interpolated too. A new scene begins where the order changes.
    """
    orders: list[Tensor | None] = [None] * len(shares)
    if layers is not None:
        for key, share in enumerate(shares):
            # A stretch between two keys has the order of its middle.
            after = shares[min(key + 1, len(shares) - 1)]
            middle = (share + after) / 2
            mixed = (1 - middle) * layers[0] + middle * layers[1]
            orders[key] = torch.from_numpy(np.argsort(mixed, kind="stable"))
    scenes, start = [], 0
    for key in range(1, len(shares) + 1):
        if key < len(shares) and _same(orders[start], orders[key]):
            continue
        # The key at which the next scene begins ends this one too.
        until = min(key + 1, len(shares))
        own = times[start:until]
        if until > key:
            own = [*own[:-1], own[-1] - CUT]
        at = torch.tensor(shares[start:until])
        still = bool(torch.equal(background[0], background[1]))
        scenes.append(
            Scene(
                tuple(own),
                {name: _between(a[name], b[name], at, orders[start]) for name in a},
                background=None if still else _between(background[0], background[1], at, None),
            )
        )
        start = key
    return scenes


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other or (one is not None and other is not None and torch.equal(one, other))


def _between(a: Tensor, b: Tensor, shares: Tensor, order: Tensor | None) -> Tensor:
    """Interpolate linearly from `a` to `b` at each of the shares, [K, *shape]."""
    if order is not None:
        a, b = a[..., order], b[..., order]
    return torch.stack([a if s == 0 else b if s == 1 else torch.lerp(a, b, s) for s in shares])
