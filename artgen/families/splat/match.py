"""Match splats: by place and size, and by colour where that is what is seen."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.families.splat.contract import DEPTH_RANGE, Splat
from artgen.families.splat.importance import importance, sunflower
from artgen.families.splat.tiles import find_extent
from artgen.matching import (
    Appearance,
    Integers,
    Pairs,
    Tensors,
    appearance,
    building_order,
    compose,
    hide,
    in_steps,
    join,
    move,
    pair,
    pair_parts,
    predict,
    select,
    transform,
)
from artgen.primitives import Params
from artgen.values.drawing import Drawing

GONE = 1e-3
"""The size of a splat that cannot fade, as a share of its own."""

NEIGHBOURS = 24
"""A splat moves by the median of the movements of this many neighbours."""

ROUNDS, DAMPING, DIFFERENCE = 8, 1e-5, 1e-2
"""Of the least squares by which they follow: rounds, a share of the curvature, and the change of
raw values by which derivatives are measured."""

LENGTHS = ("exp", "softplus", "reciprocal")
"""The maps of parameters that are lengths."""

FAITHFUL = 0.05
"""The largest error of a footprint that followed, as a share of its weights."""


@appearance.register(Splat)
def _appearance(splat: Splat, tensors: Tensors) -> Appearance:
    colours = None
    if splat.blend not in ("sum", "mean"):
        colours = np.clip(tensors["colour"].double().numpy().T, -1, 2)
    extent = find_extent(splat, tensors)
    return Appearance(
        tensors["xy"].double().numpy().T,
        colours,
        sizes=(extent.along * extent.across).double().clamp_min(0).sqrt().numpy(),
        # Small depths are near.
        layers=-tensors["z"].double().numpy() / DEPTH_RANGE if splat.has_depth else None,
    )


@hide.register(Splat)
def _hide(splat: Splat, tensors: Tensors) -> Tensors:
    if splat.blend == "over":
        return {**tensors, "opacity": torch.zeros_like(tensors["opacity"])}
    if splat.blend in ("sum", "mean"):
        return {**tensors, "colour": torch.zeros_like(tensors["colour"])}
    smaller = {
        name: GONE * tensors[name]
        for name, param in splat.parameters().items()
        if param.map.function in LENGTHS
    }
    return {**tensors, **smaller}


@move.register(Splat)
def _move(splat: Splat, tensors: Tensors, by: Tensor) -> Tensors:
    return {**tensors, "xy": tensors["xy"] + by}


@transform.register(Splat)
def _transform(splat: Splat, tensors: Tensors, linear: Tensor, offset: Tensor) -> Tensors:
    """Every footprint shall be what it was, turned and scaled: Gauss and Newton find how.

    Sample points in the ellipse of each splat are turned and scaled with it, in small steps, and
    the parameters of the footprint follow, so that its weights there stay the same.
    """
    moved = {**tensors, "xy": linear @ tensors["xy"] + offset[:, None]}
    if torch.equal(linear, torch.eye(2)):
        return moved
    fixed = {"xy", "colour", "z", "opacity", "visibility"}
    params = {k: p for k, p in splat.parameters().items() if k not in fixed and p.lr != 0}
    sizes = [math.prod(param.shape) for param in params.values()]
    (factor, angle, steps), count = in_steps(linear), tensors["xy"].shape[1]

    def mapped(raw: Tensor) -> Tensors:
        rows = dict(zip(params, raw.split_with_sizes(sizes), strict=True))
        return {k: p.map(rows[k].reshape(tensors[k].shape)) for k, p in params.items()}

    def unmapped(values: Tensors) -> Tensor:
        rows = [p.map.inverse(values[k]).reshape(-1, count) for k, p in params.items()]
        return torch.cat([*rows, torch.zeros(0, count)])

    def weights(raw: Tensor, at: Tensor) -> Tensor:
        now = Params({**tensors, **mapped(raw)})
        weight, tints = splat.footprint(at[0], at[1], now), splat.colours(at[0], at[1], now)
        every = [weight, *(weight * tint for tint in tints or ())]
        return torch.cat([each.expand(at.shape[1:]) for each in every])

    with torch.no_grad():
        around = torch.stack(find_extent(splat, tensors).offsets(*sunflower())).mT.contiguous()
        found = unmapped(tensors)
        wanted = weights(found, around)
        # Most have an angle and lengths, which need no search.
        first = {k: tensors[k] + angle if p.period else tensors[k] for k, p in params.items()}
        for name, param in params.items():
            if param.map.function in LENGTHS:
                first[name] = factor * first[name]
        began = unmapped(first)
        at = torch.einsum("ij,jkn->ikn", linear, around)
        if params and (weights(began, at) - wanted).abs().mean() <= 1e-3 * wanted.abs().mean():
            return {**moved, **mapped(began)}
        for step in ((k + 1) / steps for k in range(steps)):
            c, s = (factor**step * f(step * angle) for f in (math.cos, math.sin))
            at = torch.einsum("ij,jkn->ikn", torch.tensor([[c, -s], [s, c]]), around)
            for _ in range(ROUNDS * bool(params)):
                now = weights(found, at)
                units = DIFFERENCE * torch.eye(len(found))[:, :, None]
                slopes = torch.stack([weights(found + unit, at) - now for unit in units], -1)
                slopes = slopes.transpose(0, 1) / DIFFERENCE
                normal = slopes.mT @ slopes
                trace = normal.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
                damped = normal + (DAMPING * trace + 1e-12) * torch.eye(len(found))
                errors = slopes.mT @ (wanted - now).T[:, :, None]
                found = found + torch.linalg.solve(damped, errors)[:, :, 0].T.clamp(-1, 1)
        error = (weights(found, at) - wanted).square().mean().sqrt()
    if not error <= FAITHFUL * wanted.square().mean().sqrt():
        what = f"splats of {type(splat).__name__} cannot be turned or scaled like this"
        raise UsageError(f"{what}: their parameters cannot say it", hint="move them instead")
    return {**moved, **mapped(found)}


@compose.register(Splat)
def _compose(splat: Splat, *groups: tuple[Tensors, Integers]) -> Tensors:
    """The mean is divided by all of them, so that colours grow with their number."""
    total, parts = sum(len(which) for _, which in groups), []
    for tensors, which in groups:
        share = total / tensors["xy"].shape[-1] if splat.blend == "mean" else 1.0
        parts.append(select({**tensors, "colour": share * tensors["colour"]}, which))
    return join(*parts)


@pair.register(Splat)
def _pair(splat: Splat, a: Tensors, b: Tensors) -> Pairs:
    pairs = pair_parts(splat, a, b)
    if splat.blend == "mean":
        # The mean is divided by all of them.
        total = pairs.first["colour"].shape[-1]
        for both, own in ((pairs.first, a), (pairs.second, b)):
            both["colour"] = both["colour"] * (total / own["colour"].shape[-1])
    return pairs


@predict.register(Splat)
def _predict(splat: Splat, tensors: Tensors, before: Tensors, changed: Tensor) -> Tensors:
    """Splats move as their neighbours did."""
    xy, then = tensors["xy"], before["xy"]
    old = ~changed if len(changed) else torch.ones(xy.shape[1], dtype=torch.bool)
    neighbours = min(NEIGHBOURS, int(old.sum()))
    if not neighbours:
        return dict(tensors)
    from scipy.spatial import cKDTree

    _, nearest = cKDTree(xy[:, old].t().numpy()).query(
        xy.t().numpy(), k=[*range(1, neighbours + 1)]
    )
    movement = (xy - then)[:, old][:, torch.from_numpy(nearest)].median(dim=-1).values
    return {**tensors, "xy": xy + movement}


@building_order.register(Splat)
def _most_important_first(splat: Splat, drawing: Drawing) -> Tensor:
    return importance(drawing, splat).argsort(descending=True, stable=True)
