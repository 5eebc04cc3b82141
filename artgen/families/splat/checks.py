"""Checks of splats: broadcasting, radius, blend, kernels and cost; probes of their footprints."""

from __future__ import annotations

from math import pi, prod
from typing import cast

import numpy as np
import torch
from torch import Tensor

from artgen.families.splat.contract import Splat
from artgen.families.splat.tiles import Extent, find_extent
from artgen.plan import DEFAULT_COUNT
from artgen.primitives import Params, Primitive
from artgen.raster import choose_backend
from artgen.testing import pointwise
from artgen.testing.candidate import Candidate, Variant
from artgen.testing.families import CHECKS, FIRST, POINTWISE, THEN
from artgen.testing.probe import Probe, make_probe, operations, probe, split_params
from artgen.testing.run_checks import Failed
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

BATCHES = [(), (3,), (2, 5, 7)]
CUT = 1 / 500
"""Largest weight that may be cut off at the edge of a splat: half a level of 8 bits."""
MOST_OPERATIONS = 10_000
"""Limit per pixel and step: a step on 512 x 512 pixels then takes 3 billion operations."""

DIRECTIONS = 16
DISTANCES = (1.001, 1.1, 1.3, 2.0, 4.0)
"""Distances at which nothing may be left of a splat, in half axes of its ellipse."""

PARTS, PLACES = 24, 6
WIDEST = 4.0
"""Largest half axis from which offsets are drawn, in canvas units; ellipses may be infinite."""


def broadcasting(candidate: Candidate) -> None:
    """The footprint takes any batch of parts and offsets, and evaluates each pair independently.

    Write elementwise torch; read components as `p.size[0]`; sum over components with `.sum(0)`.
    """
    for variant in candidate.variants:
        title = candidate.label(variant, ".footprint")
        for batch in BATCHES:
            splat, dx, dy, p = _batch(candidate, variant, batch)
            values = splat.footprint(dx, dy, Params(p))
            _compare(title, batch, values, _one_by_one(splat, dx, dy, p))
        # As in the eager backend: x varies along one axis and y along another.
        splat, dx, dy, p = _batch(candidate, variant, (3, 2))
        dx = dx[..., None, None] * torch.linspace(0.5, 1, 4)
        dy = dy[..., None, None] * torch.linspace(0.5, 1, 5)[:, None]
        grid = Params({name: tensor[..., None, None] for name, tensor in p.items()})
        values = splat.footprint(dx, dy, grid)
        dx, dy = dx.expand(3, 2, 5, 4), dy.expand(3, 2, 5, 4)
        full = {n: t[..., None, None].expand(*t.shape, 5, 4) for n, t in p.items()}
        _compare(title, (3, 2, 5, 4), values, splat.footprint(dx, dy, Params(full)))


def radius(candidate: Candidate) -> str:
    """Outside its ellipse or radius a splat is practically `far`, so no cut edges are visible.

    Return a larger `radius` or `ellipse`; if the footprint fades slowly, make it end.
    """
    most = 0.0
    for variant in candidate.variants:
        title = candidate.label(variant)
        for moved in (False, True):
            most = max(most, _cut(title, *candidate.drawing(variant, count=24, moved=moved)))
        for name, value, primitive, made in candidate.extremes(variant):
            most = max(most, _cut(f"{title} at {name} = {value:.3g}", primitive, made))
    return f"cuts off at most {most:.2g} of a weight; {_used(candidate):.0%} of the area is used"


def blend(candidate: Candidate) -> None:
    """If the blend divides by weights or uses them as opacity, none is negative, and far is 0.

    Use blend "sum" or "mean", or let the footprint end at 0 and never fall below.
    """
    for variant in candidate.variants:
        splat = cast(Splat, candidate.primitive(variant))
        if splat.blend in ("sum", "mean"):
            continue
        if splat.far:
            title = candidate.label(variant)
            raise Failed(f"{title} has blend {splat.blend!r}, but far = {splat.far}")
        for special in (False, True):
            probed = probe(candidate, variant, special=special)
            least = float(probed.call(probed.single).min())
            if least < 0:
                raise Failed(f"{probed.title} falls to {least:.3g} with blend {splat.blend!r}")


def compiled(candidate: Candidate) -> str:
    """The footprint compiles, and its kernels agree with plain torch, gradients included.

    Write straight-line elementwise code (`torch.where` instead of `if`). A footprint that cannot
    be compiled still works, about ten times slower; declare it in `known_deviations`.
    """
    tried = 0
    for variant in candidate.variants:
        splat = cast(Splat, candidate.primitive(variant))
        # Blends but `over` share their kernels.
        if "blend" in variant.options and splat.blend != "over":
            continue
        backend = choose_backend(splat)
        if backend.name != "compiled":
            raise Failed(f"{candidate.label(variant)} runs eagerly: {backend.reason}")
        tried += 1
    return f"variants: {tried}"


def cost(candidate: Candidate) -> str:
    """A step does not take more operations per pixel than a fit can afford.

    Simplify the footprint, or return a smaller radius or ellipse: its area counts.
    """
    probed = probe(candidate)
    each = operations(probed) / probed.inputs["dx"].numel()
    count = candidate.cls.defaults.count or DEFAULT_COUNT
    primitive, made = candidate.drawing(canvas=Canvas(256, 256), count=count)
    extent = find_extent(cast(Splat, primitive), made.tensors)
    area = made.canvas.area
    overlap = float((pi * extent.along * extent.across).clamp_max(area).nansum()) / area
    remark = f"{each:.0f} operations per evaluation, {overlap:.1f} evaluations per pixel"
    if each * overlap > MOST_OPERATIONS:
        raise Failed(f"{candidate.cls.__name__} takes {remark}, more than {MOST_OPERATIONS} in all")
    return remark


def _batch(
    candidate: Candidate, variant: Variant, batch: tuple[int, ...]
) -> tuple[Splat, Tensor, Tensor, dict[str, Tensor]]:
    """Make a batch of parts with one offset inside each, all in the shape of the batch."""
    primitive, made = candidate.drawing(variant, count=prod(batch), moved=True)
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors)
    rng = torch.Generator().manual_seed(4)
    radius = extent.radius.nan_to_num(0).clamp_max(1.0)
    dx, dy = (torch.rand(2, prod(batch), generator=rng) - 0.5) * radius
    p = {name: made.tensors[name] for name in _footprint_parameters(splat)}
    return (
        splat,
        dx.reshape(batch),
        dy.reshape(batch),
        {name: tensor.reshape((*tensor.shape[:-1], *batch)) for name, tensor in p.items()},
    )


def _one_by_one(splat: Splat, dx: Tensor, dy: Tensor, p: dict[str, Tensor]) -> Tensor:
    """Evaluate the footprint of every pair in a separate call."""
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
            f"{title} of a batch of {list(batch)} differs from single parts by up to {gap:.3g}"
        )


def _cut(title: str, primitive: Primitive, made: Drawing) -> float:
    """Return the largest difference from `far` outside the ellipses; raise Failed if visible."""
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors)
    for axis in (extent.along, extent.across):
        if not bool((axis >= 0).all()):
            least = float(axis.nan_to_num(-1).min())
            raise Failed(f"{title} has half axis {least:.3g}: such a part is never drawn again")
    turn = torch.arange(DIRECTIONS) * 2 * pi / DIRECTIONS
    turn, distance = torch.cartesian_prod(turn, torch.tensor(DISTANCES)).unbind(1)
    dx, dy = extent.offsets(*_on_disc(turn, distance))
    # An infinite ellipse has no outside, and an empty one no offsets to test.
    outside = (dx.isfinite() & dy.isfinite()) & (dx.abs() + dy.abs() > 0)
    rest = _weight(splat, made, dx, dy).expand(dx.shape).where(outside, 0)
    most = float(rest.max())
    if not most <= CUT:
        part, place = divmod(int(rest.flatten().argmax()), dx.shape[1])
        raise Failed(
            f"{title} is still {most + splat.far:.3g} at dx = {float(dx[part, place]):.3g}, "
            f"dy = {float(dy[part, place]):.3g}, outside its half axes of "
            f"{float(extent.along[part]):.3g} and {float(extent.across[part]):.3g}; "
            f"more than {CUT:g} is visible as an edge"
        )
    return most


def _used(candidate: Candidate) -> float:
    """Return the share of the initial ellipses' area in which the weight is above `CUT`."""
    primitive, made = candidate.drawing(count=24)
    splat = cast(Splat, primitive)
    extent = find_extent(splat, made.tensors)
    rng = torch.Generator().manual_seed(5)
    turn, distance = 2 * pi * torch.rand(400, generator=rng), torch.rand(400, generator=rng).sqrt()
    dx, dy = extent.offsets(*_on_disc(turn, distance))
    return float((_weight(splat, made, dx, dy) > CUT).float().mean())


def _weight(splat: Splat, made: Drawing, dx: Tensor, dy: Tensor) -> Tensor:
    """Return how much weights differ from `far` at the offsets [N, M] of each part."""
    p = {name: made.tensors[name][..., None] for name in _footprint_parameters(splat)}
    return (splat.footprint(dx, dy, Params(p)) - splat.far).abs()


@make_probe.register(Splat)
def _splat_probe(splat: Splat, candidate: Candidate, variant: Variant, *, special: bool) -> Probe:
    """Probe the footprint of parts at several offsets each: inputs are [..., parts·places]."""
    _, made = candidate.drawing(variant, count=PARTS, moved=True)
    extent = find_extent(splat, made.tensors)
    along, across = (axis.nan_to_num(0).clamp(0, WIDEST) for axis in extent[:2])
    dx, dy = Extent(along, across, extent.angle).offsets(*(_special() if special else _random()))
    names = _footprint_parameters(splat)
    parameters = {
        name: made.tensors[name].repeat_interleave(dx.shape[1], -1).double() for name in names
    }
    rates = {name: param.lr for name, param in splat.parameters().items()}
    learned = tuple(name for name in names if rates[name] != 0 and name != "xy")
    return Probe(
        candidate.label(variant, ".footprint"),
        {"dx": dx.flatten().double(), "dy": dy.flatten().double(), **parameters},
        ("dx", "dy", *learned),
        lambda given: splat.footprint(given["dx"], given["dy"], split_params(given, ("dx", "dy"))),
    )


def _footprint_parameters(splat: Splat) -> list[str]:
    """Return the parameters that a footprint receives: not those that only artgen reads."""
    return [name for name in splat.declared_params() if name not in splat.framework_params]


def _on_disc(turn: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return points of the unit disc, in these directions, at distances from its centre."""
    return distance * turn.cos(), distance * turn.sin()


def _random() -> tuple[Tensor, Tensor]:
    """Choose random points inside, [parts, places]."""
    rng = torch.Generator().manual_seed(1)
    turn, reach = (torch.rand(PARTS, PLACES, generator=rng) for _ in range(2))
    return _on_disc(2 * pi * turn, 0.98 * reach.sqrt())


def _special() -> tuple[Tensor, Tensor]:
    """Choose the centre, and points inside, on the edge and outside, on the axes and between."""
    ways = torch.cartesian_prod(torch.arange(8) * pi / 4, torch.tensor([0.5, 1.0, 1.5]))
    return _on_disc(*torch.cat([torch.zeros(1, 2), ways]).unbind(1))


CHECKS[Splat] = (
    *(*FIRST, pointwise.purity, *THEN, *POINTWISE),
    *(broadcasting, radius, blend, compiled, cost),
)
