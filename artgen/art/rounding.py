"""Round a drawing to whole numbers of steps, as coarse as it bears: what precision `auto` does.

Each component of the parts has a step, a power of two. One draw per component measures by how much
a step of it changes the picture; squared changes grow with the square of the step, and those of
different components add up. The fewest bits at a given change are those of equal shares per number
(reverse water-filling), and a few draws of the whole find the largest change that is allowed.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.art.numbers import fineness, grid_of, pack_numbers
from artgen.base.errors import ArtgenError
from artgen.values.drawing import Drawing

if TYPE_CHECKING:
    import torch

    from artgen.primitives import Primitive

LOSS = 0.05
"""By how many dB of PSNR a rounded drawing may be farther from its target."""

ALIKE, SEEN = 50.0, 40.0
"""The least PSNR in dB between a drawing and the rounded one, where there is no target, and where
there is: ink is far from that, and could change much without a loss."""

_ROWS = 16
"""A tensor of more rows, such as the weights of a layer, has one step."""

_FINER = range(-63, 64)
"""Eighths of bits that all numbers may be finer than the bounds ask for, or coarser."""

_COARSEST = 8
"""The least k with which other values follow: 0 or 1 may become any colour of 8 bits."""

_EXACT = 149
"""The k of the smallest float32, 2⁻ᵏ: all are multiples of that."""


See = Callable[[Drawing], tuple[NDArray[np.float32], float | None]]
"""What a drawing looks like: floats of any shape, and its mean squared error, if that is known."""

Tensors: TypeAlias = "Mapping[str, torch.Tensor]"


def rounded(
    primitive: Primitive, drawing: Drawing, see: See, *, reorder: bool, most: int | None = None
) -> Drawing:
    """The drawing, rounded; its parts may come in another order, if that changes nothing.

    Where it cannot be rounded within these bounds, its numbers stay as they are. Where its numbers
    may take `most` bytes, it is as fine as these allow in place of the bounds.
    """
    from artgen.matching import along_curve  # it loads torch

    before, error = see(drawing)
    spread = max(float(np.ptp(before)) if before.size else 0.0, 1e-6) ** 2
    apart = spread * 10 ** -((ALIKE if error is None else SEEN) / 10)
    more = apart if error is None else max(1e-7 * spread, error * (10 ** (LOSS / 10) - 1))

    def change(tensors: Tensors) -> tuple[float, float]:
        """The mean squared change, and by how much the error grows, 0 if that is not known."""
        try:
            values, found = see(replace(drawing, tensors=tensors))
        except ArtgenError:  # What is rounded to nothing may not be drawn.
            return math.inf, math.inf
        growth = 0.0 if error is None or found is None else found - error
        return float(np.mean(np.square(values - before, dtype=np.float64))), growth

    def bearable(name: str, rows: slice, share: float) -> float:
        """The k of rows of a tensor, a real number, that changes the picture by its `share`."""
        values = tensors[name].reshape(grid_of(tensors[name].shape))
        spread = float(values[rows].std(correction=0))
        exact, trial = 6 - math.log2(max(spread, 2.0**-20)), np.full(len(values), _EXACT)
        for _ in range(2):
            trial[rows] = round(exact)
            ratio = change(_stepped(tensors, {name: trial}))[0] / share
            exact = round(exact) + math.log2(min(max(ratio, 2.0**-12), 2.0**12)) / 2
        return exact

    tensors = {name: tensor.float().contiguous() for name, tensor in drawing.tensors.items()}
    ordered = along_curve(primitive, tensors) if reorder else tensors
    tensors = ordered if change(ordered)[0] <= min(more, apart) / 100 else tensors
    fine = dict[str, NDArray[np.float64]]()
    for name, tensor in tensors.items():
        height, width = grid_of(tensor.shape)
        if tensor.numel():
            some = height if height > _ROWS else 1
            rows = [slice(at, at + some) for at in range(0, height, some)]
            share = min(more, apart) * some * width / drawing.parameters
            fine[name] = np.repeat([bearable(name, own, share) for own in rows], some)

    def finer(by: float) -> Tensors:
        return _stepped(tensors, {name: np.rint(each + by / 8) for name, each in fine.items()})

    if most is not None:
        fit = bisect_left(_FINER, True, key=lambda by: len(pack_numbers(finer(by))) > most)
        return replace(drawing, tensors=finer(_FINER[0] + fit - 1))
    for found in map(finer, range(-8, 32)):
        if np.less_equal(change(found), (apart, more)).all():
            return replace(drawing, tensors=found)
    return replace(drawing, tensors=tensors)


def rounded_alike(tensors: Tensors, others: Sequence[Tensors]) -> Tensors:
    """The tensors, rounded to the finest steps of others: of drawings, or of keyframes of them."""
    steps = {}
    for name, tensor in tensors.items():
        own, found = grid_of(tensor.shape)[0], []
        for rows in (other[name].reshape(grid_of(other[name].shape)) for other in others):
            fine = [max(fineness(row), _COARSEST) for row in rows.numpy()]
            found.append(np.resize(fine if own % len(fine) == 0 else [max(fine)], own))
        steps[name] = np.max(found, axis=0)
    return _stepped(tensors, steps)


def _stepped(tensors: Tensors, fine: Mapping[str, NDArray[Any]]) -> Tensors:
    """The tensors as multiples of 2⁻ᵏ for the k of each row; the others stay as they are."""
    import torch

    made = dict(tensors)
    for name in fine:
        rows = tensors[name].numpy().reshape(grid_of(tensors[name].shape)).astype(np.float64)
        exponents = np.minimum(fine[name], _EXACT).astype(np.int32)[:, None]
        whole = np.rint(np.ldexp(rows, exponents))
        # Lengths stay lengths.
        whole = np.maximum(whole, np.where(rows.min(1, initial=1) > 0, 1, -np.inf)[:, None])
        array = (np.ldexp(whole, -exponents) + 0.0).astype(np.float32)
        made[name] = torch.from_numpy(array.reshape(tensors[name].shape))
    return made
