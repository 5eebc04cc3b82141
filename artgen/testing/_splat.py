"""Checks of splats: broadcasting, the ellipse they end at, the blend, kernels and their cost."""

from __future__ import annotations

from math import pi, prod
from typing import cast

import numpy as np
import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.primitives import Params, Primitive, Splat
from artgen.raster import choose_backend
from artgen.raster.tiles import find_extent
from artgen.resolve import DEFAULT_COUNT
from artgen.testing._cost import operations
from artgen.testing._judging import Failed
from artgen.testing._probe import footprint_parameters, offsets, probe
from artgen.testing._subject import Subject, Variant

__all__ = ["blend", "broadcasting", "compiled", "cost", "radius"]

BATCHES = [(), (3,), (2, 5, 7)]
CUT = 1 / 500
"""What may be cut away at the edge of a splat: half of what 8 bits can show."""
MOST_OPERATIONS = 10_000
"""Per pixel and step: a step on 512 x 512 pixels then is 3 billion operations."""

DIRECTIONS = 16
DISTANCES = (1.001, 1.1, 1.3, 2.0, 4.0)
"""Where there must be nothing left of a splat, in half axes of its ellipse."""


def broadcasting(subject: Subject) -> None:
    """The footprint takes any batch of parts and offsets, and treats each pair on its own.

    Write elementwise torch; read components as `p.size[0]`; sum over components with `.sum(0)`.
    """
    for variant in subject.variants:
        title = subject.label(variant, ".footprint")
        for batch in BATCHES:
            splat, dx, dy, p = _batch(subject, variant, batch)
            values = splat.footprint(dx, dy, Params(p))
            _compare(title, batch, values, _one_by_one(splat, dx, dy, p))
        # As the eager backend does it: x varies along one axis and y along another.
        splat, dx, dy, p = _batch(subject, variant, (3, 2))
        dx = dx[..., None, None] * torch.linspace(0.5, 1, 4)
        dy = dy[..., None, None] * torch.linspace(0.5, 1, 5)[:, None]
        grid = Params({name: tensor[..., None, None] for name, tensor in p.items()})
        values = splat.footprint(dx, dy, grid)
        dx, dy = dx.expand(3, 2, 5, 4), dy.expand(3, 2, 5, 4)
        full = {n: t[..., None, None].expand(*t.shape, 5, 4) for n, t in p.items()}
        _compare(title, (3, 2, 5, 4), values, splat.footprint(dx, dy, Params(full)))


def radius(subject: Subject) -> str:
    """Outside its ellipse or radius a splat has all but reached `far`: no cut edges show.

    Enlarge what `radius` or `ellipse` returns; where the footprint fades slowly, make it end.
    """
    most = 0.0
    for variant in subject.variants:
        title = subject.label(variant)
        for moved in (False, True):
            most = max(most, _cut(title, *subject.drawing(variant, count=24, moved=moved)))
        for name, value, primitive, made in subject.extremes(variant):
            most = max(most, _cut(f"{title} at {name} = {value:.3g}", primitive, made))
    return f"at most {most:.2g} of a weight is cut off; {_used(subject):.0%} of the area is used"


def blend(subject: Subject) -> None:
    """Where the blend divides by weights or hides with them, they are not negative, and far is 0.

    Use blend "sum" or "mean", or make the footprint end at 0 and stay above.
    """
    for variant in subject.variants:
        splat = cast(Splat, subject.primitive(variant))
        if splat.blend in ("sum", "mean"):
            continue
        if splat.far:
            title = subject.label(variant)
            raise Failed(f"{title} has blend {splat.blend!r}, but far = {splat.far}")
        for special in (False, True):
            probed = probe(subject, variant, special=special)
            least = float(probed.call(probed.single).min())
            if least < 0:
                raise Failed(f"{probed.title} falls to {least:.3g} with blend {splat.blend!r}")


def compiled(subject: Subject) -> str:
    """The footprint compiles, and its kernels give what plain torch gives, gradients included.

    Write straight-line elementwise code (`torch.where` instead of `if`). A footprint that cannot
    compile still works, some ten times slower: then say so in `known_deviations`.
    """
    tried = 0
    for variant in subject.variants:
        splat = cast(Splat, subject.primitive(variant))
        # Blends but `over` share their kernels.
        if "blend" in variant.options and splat.blend != "over":
            continue
        backend = choose_backend(splat)
        if backend.name != "compiled":
            raise Failed(f"{subject.label(variant)} runs eagerly: {backend.reason}")
        tried += 1
    return f"variants: {tried}"


def cost(subject: Subject) -> str:
    """A step does not take more operations per pixel than a fit can afford.

    Shorten the footprint, or tighten the radius or ellipse: its area counts.
    """
    probed = probe(subject)
    each = operations(probed) / probed.inputs["dx"].numel()
    count = subject.cls.defaults.count or DEFAULT_COUNT
    primitive, made = subject.drawing(canvas=Canvas(256, 256), count=count)
    extent = find_extent(cast(Splat, primitive), made.tensors, count)
    area = made.canvas.area
    overlap = float((pi * extent.along * extent.across).clamp_max(area).nansum()) / area
    remark = f"{each:.0f} operations per evaluation, {overlap:.1f} evaluations per pixel"
    if each * overlap > MOST_OPERATIONS:
        raise Failed(f"{subject.cls.__name__} takes {remark}, more than {MOST_OPERATIONS} in all")
    return remark


# ---- helpers -------------------------------------------------------------------------------------


def _batch(
    subject: Subject, variant: Variant, batch: tuple[int, ...]
) -> tuple[Splat, Tensor, Tensor, dict[str, Tensor]]:
    """As many parts as the batch has places, one offset inside each, all of the batch's shape."""
    primitive, made = subject.drawing(variant, count=prod(batch), moved=True)
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors, prod(batch))
    rng = torch.Generator().manual_seed(4)
    dx, dy = (torch.rand(2, prod(batch), generator=rng) - 0.5) * _finite(extent.radius)
    p = {name: made.tensors[name] for name in footprint_parameters(splat)}
    return (
        splat,
        dx.reshape(batch),
        dy.reshape(batch),
        {name: tensor.reshape((*tensor.shape[:-1], *batch)) for name, tensor in p.items()},
    )


def _one_by_one(splat: Splat, dx: Tensor, dy: Tensor, p: dict[str, Tensor]) -> Tensor:
    """The footprint of every pair in a call of its own."""
    values = torch.empty(dx.shape)
    for place in np.ndindex(*dx.shape):
        at = (..., *place)
        one = Params({name: tensor[at] for name, tensor in p.items()})
        values[place] = splat.footprint(dx[place], dy[place], one)
    return values


def _compare(title: str, batch: tuple[int, ...], values: Tensor, expected: Tensor) -> None:
    try:
        values = values.expand(batch)
    except RuntimeError:
        raise Failed(f"{title} gives {list(values.shape)} for a batch of {list(batch)}") from None
    gap = float((values - expected).abs().max())
    if not gap <= 1e-4 * max(1.0, float(expected.abs().max())):
        raise Failed(
            f"{title} of a batch of {list(batch)} is not that of its parts alone: off by {gap:.3g}"
        )


def _cut(title: str, primitive: Primitive, made: Drawing) -> float:
    """The largest weight outside the ellipses, less `far`. Raises Failed where it would show."""
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors, splat.count_of(made))
    for axis in (extent.along, extent.across):
        if not bool((axis >= 0).all()):
            least = float(axis.nan_to_num(-1).min())
            raise Failed(f"{title} ends at {least:.3g}: such a part is not drawn, nor learns again")
    turn = torch.arange(DIRECTIONS) * 2 * pi / DIRECTIONS
    turn, distance = torch.cartesian_prod(turn, torch.tensor(DISTANCES)).unbind(1)
    dx, dy = offsets(extent, turn, distance)
    p = {name: made.tensors[name][..., None] for name in footprint_parameters(splat)}
    # An infinite ellipse has no outside, and an empty one nothing to judge by.
    outside = (dx.isfinite() & dy.isfinite()) & (dx.abs() + dy.abs() > 0)
    rest = (splat.footprint(dx, dy, Params(p)) - splat.far).abs().expand(dx.shape).where(outside, 0)
    most = float(rest.max())
    if not most <= CUT:
        part, place = divmod(int(rest.flatten().argmax()), dx.shape[1])
        raise Failed(
            f"{title} still is {most + splat.far:.3g} at dx = {float(dx[part, place]):.3g}, "
            f"dy = {float(dy[part, place]):.3g}, outside its half axes of "
            f"{float(extent.along[part]):.3g} and {float(extent.across[part]):.3g}; "
            f"more than {CUT:g} shows as an edge"
        )
    return most


def _used(subject: Subject) -> float:
    """The share of the ellipses' area, at the start, in which a splat is more than what is cut."""
    primitive, made = subject.drawing(count=24)
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors, 24)
    rng = torch.Generator().manual_seed(5)
    turn, distance = 2 * pi * torch.rand(400, generator=rng), torch.rand(400, generator=rng).sqrt()
    dx, dy = offsets(extent, turn, distance)
    p = {name: made.tensors[name][..., None] for name in footprint_parameters(splat)}
    weight = splat.footprint(dx, dy, Params(p)) - splat.far
    return float((weight.abs() > CUT).float().mean())


def _finite(radius: Tensor) -> Tensor:
    return radius.nan_to_num(0).clamp_max(1.0)
