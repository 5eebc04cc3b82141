"""The loss of `latents` in plain torch: the reference of its kernels, and what they compete with.

Grids are tensors [channels, h, w] among the parameters `p`, by name. All of a picture's pixels go
through a layer at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from artgen_plugins.latents.kernels import OFFSETS
from artgen_plugins.latents.layout import SIDE, TOP, Level, model_of

__all__ = ["nats_of", "squared_error"]


def squared_error(p: Mapping[str, Tensor], levels: Sequence[Level], goal: Tensor) -> Tensor:
    """The sum of squared errors of a picture [3, h, w]."""
    above = None
    for n in reversed(range(len(levels))):
        here = torch.einsum("kc,chw->khw", p[f"mix{n}"], p[f"grid{n}"])
        if above is not None:
            taps = p[f"taps{n}"]
            rows = _doubled(above, taps, here.shape[1])
            here = here + _doubled(rows.mT, taps, here.shape[2]).mT
        above = here
    assert above is not None
    flat = above.flatten(1)
    hidden = torch.relu(p["unit"] @ flat + p["threshold"][:, None])
    colours = p["colour"] @ flat + p["ground"][:, None] + p["bend"] @ hidden
    return (colours - goal.flatten(1)).square().sum()


def _doubled(values: Tensor, taps: Tensor, length: int) -> Tensor:
    """Rows, and those between them: four taps from the nearest on."""
    padded = pad(values[:, None], (0, 0, 2, 2), mode="replicate")
    zero = taps.new_zeros(1)
    both = torch.stack([torch.cat([taps.flip(0), zero]), torch.cat([zero, taps])])
    return conv2d(padded, both[:, None, :, None]).transpose(1, 2).flatten(1, 2)[:, :length]


def nats_of(p: Mapping[str, Tensor], levels: Sequence[Level]) -> Tensor:
    """The information of all latents by the context model."""
    total = torch.zeros((), dtype=p["seen"].dtype)
    grids = [p[f"grid{n}"] for n in range(len(levels))]
    roots = [grid.sign() * (torch.sqrt(1 + grid.abs()) - 1) for grid in grids]
    for n, (channels, height, width) in enumerate(levels):
        for c in range(channels):
            around, root = (pad(each[c], (SIDE, SIDE, TOP, 0)) for each in (grids[n], roots[n]))
            shifts = [
                (slice(TOP + y, TOP + y + height), slice(SIDE + x, SIDE + x + width))
                for y, x in OFFSETS
            ]
            none = torch.zeros_like(roots[n][0])
            parent = none
            if n + 1 < len(levels):
                parent = roots[n + 1][c].repeat_interleave(2, 0).repeat_interleave(2, 1)
            near = [root[shift] for shift in shifts]
            near += [roots[n][0] if c else none, roots[n][1] if c > 1 else none]
            apart = [*near[:8], parent[:height, :width], *near[8:]]
            inputs = [*(each.abs() for each in apart), *near]
            first, level, scale, spread, mean, centre = model_of(p, 2 * n + (c > 0))
            hidden = torch.relu(first @ torch.stack(inputs).flatten(1) + level[:, None])
            log2, middle = (
                spread + scale @ hidden,
                centre @ hidden,
            )
            linear = torch.stack([mean[i] * around[shift] for i, shift in enumerate(shifts)])
            log2, middle = log2.view(height, width), middle.view(height, width) + linear.sum(0)
            a, b = (p[f"grid{n}"][c] - middle).abs(), 2 ** log2.clamp(-5, 8)
            far = (a - 0.5) / b + math.log(2) - torch.log1p(-torch.exp(-1 / b))
            near = -torch.log1p(-torch.exp(-0.5 / b) * torch.cosh(a.clamp(max=0.5) / b))
            total = total + torch.where(a >= 0.5, far, near).sum()
    return total
