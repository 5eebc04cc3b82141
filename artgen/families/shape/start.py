"""Shapes to start from: like the splats of a fit, or like the filled paths of a file.

Each splat becomes the shape whose coverage is most like its footprint. That is found by a short
climb on a small picture of this footprint alone, scored as `climb` scores all shapes, so it works
for any kind of shape. Then they are laid over one another, from the lowest to the highest, each
after a short climb on the target: a hard edge does not suit it where a soft one did.

Each contour becomes the shape that covers most nearly what it does. A shape may say where to start
(`Shape.from_outline`); a short climb on a small picture of the contour alone goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.compiler.footprints import Footprint
from artgen.compiler.threads import share
from artgen.engines.conversion import beyond_limits, convert_parts, convert_paths
from artgen.engines.evaluation import summed_colour
from artgen.families.shape.colour_kernels import NOTHING
from artgen.families.shape.compositing import Compositing, added, none_found
from artgen.families.shape.contract import Shape
from artgen.families.shape.spans import Stack, as_drawn, pack, unpack
from artgen.init import Context
from artgen.primitives import Params, Primitive
from artgen.raster import paint
from artgen.svg.filled import FilledPath, coverage
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

WHITE = np.ones((1, 3))
"""The only colour that a shape may have on the picture of a footprint."""

SIDE = 32
"""Rows and columns of the picture of a footprint."""

CANDIDATES, PATIENCE = 200, 100
"""Random shapes before the climb, and the failures in a row that end it."""

SHRINK = 0.05 ** (1 / PATIENCE)
"""What each failure shrinks the climb's steps by."""

STEP = 0.2
"""How far a shape first moves on the target, as a share of the reach of its splat."""

ALPHA = 0.75
"""The opacity that shapes begin with, within their limits."""

CONTOUR_SIDE = 64
"""Rows and columns of the picture of a contour."""

MARGIN = 2.0
"""How much larger this picture is than the contour: a shape shall not reach far beyond it."""

Floats = NDArray[np.float64]


@convert_parts.register(Shape)
def shapes_from_splats(
    shape: Shape,
    other: Primitive,
    drawing: Drawing,
    *,
    count: int,
    seed: int,
    target: Tensor,
    weight: Tensor | None,
    background: tuple[float, float, float],
) -> dict[str, Tensor]:
    """Tensors of at most `count` shapes, like the splats that are seen most in `drawing`.

    They lie as deep as the splats do under the blends `depth` and `over`; under others the larger a
    shape is, the deeper. Their colours are those that fit the `target` [3, height, width] best,
    over the `background` and weighted by `weight` [height, width]. Raises PluginError where a shape
    is never valid, UsageError where none keeps to its limits.
    """
    splat = cast(Footprint, other)
    tensors, number = dict(drawing.tensors), other.count_of(drawing)
    strongest = torch.arange(number)
    if count < number:
        strongest = _worth(other, drawing).argsort(descending=True, stable=True)[:count]
    ellipse = splat.ellipse(Params(tensors))
    width, height, angle = (torch.as_tensor(each).expand(number) for each in ellipse)
    depth = tensors["z"] if "z" in tensors else width * height
    chosen = strongest[depth[strongest].argsort(descending=True, stable=True)]
    windows = _windows(tensors["xy"], width, height, angle)
    weights = _footprints(splat, tensors, windows, (width, height, angle), chosen)

    def match(index: int) -> tuple[int, NDArray[np.float64]]:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
        window = windows[:, chosen[index]].tolist()
        return most_alike(shape, weights[index].numpy(), window, rng)

    found = share(match, range(len(chosen)))
    sizes = (width * height).sqrt()[chosen].tolist()
    values = _laid(shape, found, sizes, seed, target, weight, background)
    return shape.initial(Context(torch.Generator(), drawing.canvas, len(found), values=values))


def _worth(splat: Primitive, drawing: Drawing) -> Tensor:
    """The part of the picture that each splat makes; where colours cover, black counts too."""
    tensors = dict(drawing.tensors)
    if cast(Footprint, splat).blend not in ("sum", "mean"):
        tensors["colour"] = torch.ones_like(tensors["colour"])

    def picture(values: Mapping[str, Tensor]) -> Tensor:
        return paint(splat, values, drawing.canvas, background_weight=drawing.background_weight)

    return summed_colour(picture, tensors, None)


def _laid(
    shape: Shape,
    found: Sequence[tuple[int, NDArray[np.float64]]],
    sizes: Sequence[float],
    seed: int,
    target: Tensor,
    weight: Tensor | None,
    background: tuple[float, float, float],
) -> dict[str, Tensor]:
    """Shapes laid over one another, each after a climb from where it was found."""
    height, width = target.shape[1:]
    canvas, stack = Canvas(width, height), Stack.empty(shape)
    alpha = float(np.clip(ALPHA, *shape.alpha_limits))
    layers = Compositing(shape, target, weight, background, (alpha, alpha))
    for index, (kind, genes) in enumerate(found):
        layers.go_to(stack, index)
        layers.add_up(1)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(found) + index,)))
        steps = STEP * min(sizes[index], 1.0), canvas.pixel / 2
        _, kind, _ = layers.search(rng, 0, 1.0, 1.0, *steps, PATIENCE, SHRINK, kind, genes)
        stored = genes.astype(np.float32).astype(np.float64)
        stack = added(stack, kind, stored, layers.fit(kind, stored))
    return pack(shape, stack)


def _windows(xy: Tensor, width: Tensor, height: Tensor, angle: Tensor) -> Tensor:
    """Centre and half the size of the boxes around ellipses, [4, N]."""
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack(
        [*xy, torch.hypot(width * c, height * s), torch.hypot(width * s, height * c)]
    )


def _footprints(
    splat: Footprint,
    tensors: Mapping[str, Tensor],
    windows: Tensor,
    axes: tuple[Tensor, Tensor, Tensor],
    chosen: Tensor,
) -> Tensor:
    """The weights of the `chosen` splats in their windows, [n, SIDE, SIDE]."""
    unit = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    _, _, half_width, half_height = windows[:, chosen, None, None]
    dx, dy = half_width * unit, half_height * unit[:, None]
    values = {
        name: tensor[..., chosen, None, None]
        for name, tensor in tensors.items()
        if name not in splat.framework_params
    }
    weight = splat.footprint(dx, dy, Params(values)) - splat.far
    width, height, angle = (axis[chosen, None, None] for axis in axes)
    c, s = torch.cos(angle), torch.sin(angle)
    inside = ((c * dx + s * dy) / width) ** 2 + ((c * dy - s * dx) / height) ** 2 <= 1
    seen: Tensor = (weight.abs() * inside).expand(len(chosen), SIDE, SIDE).contiguous()
    return seen


def most_alike(
    shape: Shape,
    weight: NDArray[np.float32],
    window: Sequence[float],
    rng: np.random.Generator,
    starts: Sequence[tuple[int, NDArray[np.float64]]] = (),
) -> tuple[int, NDArray[np.float64]]:
    """Return kind and genes of the shape that best covers what has `weight` in a window.

    `weight` is float32 [side, side], 0 or more; `window` is its centre x, y, half its width and
    half its height. The climb begins at random shapes, and again at each of `starts`, kinds and
    genes that are valid. Raises PluginError where a shape is never valid, UsageError where none
    keeps to its limits.
    """
    x, y, half_width, half_height = window
    side = len(weight)
    pitch = 2 * half_height / side
    grid = (
        y - half_height + pitch / 2,
        pitch,
        x - half_width,
        side / (2 * half_width),
        float(side),
    )
    target = np.broadcast_to(weight / max(float(weight.max()), 1e-9), (3, side, side))
    layers = Compositing(shape, target, None, (0.0, 0.0, 0.0), (1.0, 1.0), WHITE)
    layers.go_to(Stack.empty(shape), 0)
    layers.add_up(1)
    layers.grid = grid
    layers.places = np.cumsum(target[0] ** 2, dtype=np.float64).reshape(side, side)
    size = max(half_width, half_height)
    empty = np.zeros(max(member.genes for member in shape.members))
    climbs = [(CANDIDATES, 0, empty), *((0, kind, genes.copy()) for kind, genes in starts)]
    small, large = shape.sizes(size / 10, size)
    score, kind, genes = NOTHING, 0, empty
    for candidates, start, reached in climbs:
        found, its_kind, _ = layers.search(
            *(rng, candidates, small, large, size / 10, size / 100),
            *(PATIENCE, SHRINK, start, reached),
        )
        if found < score:
            score, kind, genes = found, its_kind, reached
    if score >= NOTHING:
        raise none_found(shape)
    return kind, genes


@beyond_limits.register(Shape)
def shapes_beyond_limits(shape: Shape, own: Shape, drawing: Drawing) -> int:
    """The number of shapes that are valid and keep to their own limits alone."""
    if shape.limits == own.limits:
        return 0
    own.check_tensors(drawing)
    stack = as_drawn(own, unpack(drawing.tensors))

    def is_beyond(kind: int, genes: Floats) -> bool:
        now, before = shape.members[kind], own.members[kind]
        genes = genes[: now.genes]
        return before.accepts(genes) and not now.accepts(genes)

    return sum(map(is_beyond, stack.kind, stack.genes))


@convert_paths.register(Shape)
def shapes_from_paths(
    shape: Shape, paths: Sequence[FilledPath], canvas: Canvas, seed: int
) -> dict[str, Tensor]:
    """Return the tensors of one shape per path, in canvas units, with its colour and opacity.

    Opacities are brought within the limits of the shape. Raises PluginError where a shape is never
    valid, UsageError where none keeps to its limits.
    """

    def match(index: int) -> tuple[int, Floats]:
        points = paths[index].points
        low, high = points.min(0), points.max(0)
        middle, half = (low + high) / 2, np.maximum(MARGIN * (high - low) / 2, canvas.pixel / 4)
        ends = tuple(middle - half), tuple(middle + half)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
        starts = _starts(shape, points)
        picture = coverage(points, *ends, CONTOUR_SIDE, CONTOUR_SIDE)
        return most_alike(shape, picture, [*middle, *half], rng, starts)

    found = share(match, range(len(paths)))
    kinds, genes = zip(*found, strict=True)
    colours = np.array([path.colour for path in paths])
    opacity = np.clip([path.alpha for path in paths], *shape.alpha_limits)
    tensors = pack(shape, Stack(np.array(kinds), np.stack(genes), colours, opacity))
    return shape.initial(Context(torch.Generator(), canvas, len(found), values=tensors))


def _starts(shape: Shape, points: Floats) -> list[tuple[int, Floats]]:
    """Valid kinds and genes that the shape takes from a contour."""
    starts = []
    for kind, member in enumerate(shape.members):
        made = member.from_outline(points)
        if made is not None and np.isfinite(made).all() and member.accepts(made):
            genes = np.zeros(max(each.genes for each in shape.members))
            genes[: member.genes] = made
            starts.append((kind, genes))
    return starts
