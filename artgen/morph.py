"""Morph: the parts of one drawing travel into those of another, as a film.

Every part has a partner in the other drawing: the assignment in which the sum of squared distances
is the least, in place, colour, size and place in the stack (`linear_sum_assignment`, Crouse 2016).
Where there are more than a few thousand parts, both drawings are halved at their medians, along
the axis in which they differ most, until the pieces are small enough; the sum is then a little
larger. Where one drawing has more parts than the other, the ones left over come out of the nearest
part, or vanish into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.art import Art, quantised_film
from artgen.errors import UsageError
from artgen.film import LONGEST, Film, Scene
from artgen.primitives import Field, Params, Partition, Primitive, Shape, Splat
from artgen.raster import unpack
from artgen.recipe import FileReference, MorphTable

__all__ = ["morph"]

Floats = NDArray[np.float64]
Tensors = dict[str, Tensor]

LARGEST = 2000
"""So many parts at most are assigned at once: the time grows with the cube of their number."""

PLACE, COLOUR, SIZE, LAYER = 1.0, 0.5, 0.02, 0.5
"""Weights of squared distances: canvas units; 1 is white; factors of e; the height of the stack.

Where colours add up, that of a part is not what is seen, and has no weight: with one, 13 instead of
7 % of the pixels in the middle of a morph were black or white in a channel.
"""

EASE = 16
"""So many stretches of even speed stand for a way that begins and ends slowly."""

GONE = 1e-3
"""What cannot fade becomes so small, as a share of its size."""


def morph(
    first: Art,
    second: Art,
    *,
    seconds: float = 4.0,
    hold: float = 1.0,
    loop: bool = False,
    fps: float = 30.0,
    names: tuple[FileReference, FileReference] | None = None,
) -> Art:
    """A film in which the parts of `first` become those of `second`.

    The way takes so many `seconds`; before and after it the drawing stands still for `hold`
    seconds; a `loop` goes back too. The film has the canvas of `first`: where `second` is longer it
    is cut, where it is shorter there is background. `names` are the files, for the recipe. Networks
    go straight from weight to weight, which means little on the way unless one was fitted from the
    other.

    Raises UsageError where the drawings are not of one kind, InputError where one is damaged.
    """
    for name, value, least in (("seconds", seconds, 0.1), ("hold", hold, 0.0)):
        if not least <= value <= LONGEST / 4:
            raise UsageError(f"{name} {value:g} is too short or too long", hint="use 1 to 60")
    hold = round(hold, 3)
    primitive = _common_primitive(first, second)
    a, b = dict(first.drawing.tensors), dict(second.drawing.tensors)
    if isinstance(primitive, Splat | Shape | Partition):
        a, b, heights = _paired(primitive, a, b)
    else:
        heights = None
    shares, times = _way(seconds, hold, loop)
    background = torch.tensor([first.drawing.background, second.drawing.background])
    scenes = _scenes(a, b, heights, shares, times, background)
    film = Film(tuple(scenes), times[-1], fps)
    precision = first.precision if first.precision == second.precision else "fp32"
    references = names or (FileReference(name="first.art"), FileReference(name="second.art"))
    table = MorphTable(
        first=references[0], second=references[1], seconds=seconds, hold=hold, loop=loop
    )
    return replace(
        first,
        recipe=first.recipe.model_copy(update={"morph": table}),
        metrics={},
        precision=precision,
        film=quantised_film(film, precision),
    )


def _common_primitive(first: Art, second: Art) -> Primitive:
    """The primitive of both. Raises UsageError where they are not of one kind."""
    one, other = first.drawing, second.drawing
    if one.primitive != other.primitive:
        raise UsageError(
            f"{one.primitive} cannot become {other.primitive}: both have to be of one kind",
            hint=f"fit the second picture with -p {one.primitive} too",
        )
    primitive: Primitive = first.primitive()
    if one.subject is not None or other.subject is not None:
        raise UsageError(
            "only drawings of pictures can become one another, not of samples or sets",
            hint="fit two pictures",
        )
    for key, value in one.options.items():
        found = other.options.get(key)
        if _listed(found) != _listed(value):
            raise UsageError(
                f"the drawings differ in {key}: {value!r} and {found!r}",
                hint=f"fit the second picture with --set {key}={value}",
            )
    primitive.check_tensors(one)
    primitive.check_tensors(other)
    if isinstance(primitive, Field):
        shapes = [{name: t.shape for name, t in d.tensors.items()} for d in (one, other)]
        if shapes[0] != shapes[1]:
            raise UsageError("the networks differ in their layers", hint="fit both with one recipe")
    elif not isinstance(primitive, Splat | Shape | Partition):
        raise UsageError(
            f"{one.primitive} is a {primitive.family}, which has no parts that could travel",
            hint="splats, shapes, partitions and fields can",
        )
    elif 0 in (primitive.count_of(one), primitive.count_of(other)):
        raise UsageError("one of the drawings has no parts", hint="fit it again with more")
    return primitive


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


# ---- the way -------------------------------------------------------------------------------------


def _way(seconds: float, hold: float, loop: bool) -> tuple[list[float], list[float]]:
    """How far it is at each key, 0 to 1, and when; the last time is the film's end."""
    there = [3 * u * u - 2 * u * u * u for u in (k / EASE for k in range(EASE + 1))]
    legs = [there, there[::-1]] if loop else [there]
    shares: list[float] = []
    times: list[float] = []
    now = 0.0
    for leg in legs:
        if hold and not times:
            shares, times = [leg[0]], [now]
        # Without a rest in between, the turning point is one key.
        skip = 1 if times and not hold else 0
        now += hold
        steps = [now + seconds * k / EASE for k in range(EASE + 1)]
        shares, times, now = [*shares, *leg[skip:]], [*times, *steps[skip:]], steps[-1]
    if hold and not loop:
        shares, times = [*shares, shares[-1]], [*times, now + hold]
    return shares, times


def _scenes(
    a: Tensors,
    b: Tensors,
    heights: Floats | None,
    shares: list[float],
    times: list[float],
    background: Tensor,
) -> list[Scene]:
    """Keys between equal numbers of parts, `a` at share 0 and `b` at share 1.

    Shapes lie in the order of `heights` [2, N], those in the first and in the second drawing, mixed
    like everything else: where it changes, so does the scene, with a few of them at a time.
    """
    orders: list[Tensor | None] = [None] * len(shares)
    if heights is not None:
        for key, share in enumerate(shares):
            # A stretch between two keys has the order of its middle.
            after = shares[min(key + 1, len(shares) - 1)]
            middle = (share + after) / 2
            mixed = (1 - middle) * heights[0] + middle * heights[1]
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


CUT = 1e-5
"""How long a scene ends before the next one, in seconds."""


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    return one is other or (one is not None and other is not None and torch.equal(one, other))


def _between(a: Tensor, b: Tensor, shares: Tensor, order: Tensor | None) -> Tensor:
    """What lies on the straight way from `a` to `b` at each of the shares, [K, *shape]."""
    if order is not None:
        a, b = a[..., order], b[..., order]
    return torch.stack([a if s == 0 else b if s == 1 else torch.lerp(a, b, s) for s in shares])


# ---- who becomes whom ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Looks:
    """What parts look like: places [N, 2], colours [N, 3], sizes [N], heights [N], kinds [N].

    Colours are 0 where they add up.
    """

    places: Floats
    colours: Floats
    sizes: Floats
    heights: Floats
    kinds: NDArray[np.int64]

    @property
    def features(self) -> Floats:
        """[N, 7]: squared distances between these are what an assignment costs."""
        size = np.log(np.maximum(self.sizes, 1e-4))
        columns = (
            math.sqrt(PLACE) * self.places,
            math.sqrt(COLOUR) * self.colours,
            math.sqrt(SIZE) * size[:, None],
            math.sqrt(LAYER) * self.heights[:, None],
        )
        return np.concatenate(columns, axis=1)


def _paired(
    primitive: Splat | Shape | Partition, a: Tensors, b: Tensors
) -> tuple[Tensors, Tensors, Floats | None]:
    """Both drawings with as many parts each, partners at the same place, and their heights."""
    one, other = _looks(primitive, a), _looks(primitive, b)
    left, right = [], []
    rest_left, rest_right = [], []
    for kind in np.union1d(one.kinds, other.kinds):
        mine, theirs = np.flatnonzero(one.kinds == kind), np.flatnonzero(other.kinds == kind)
        i, j = assign(one.features[mine], other.features[theirs])
        left.append(mine[i])
        right.append(theirs[j])
        rest_left.append(np.delete(mine, i))
        rest_right.append(np.delete(theirs, j))
    i, j = np.concatenate(left), np.concatenate(right)
    going, coming = np.concatenate(rest_left), np.concatenate(rest_right)
    pairs_a, pairs_b = _taken(a, i), _taken(b, j)
    pairs_b = _alike(primitive, pairs_a, pairs_b)
    leaving, left_to = _taken(a, going), _hidden(primitive, a, b, one, other, going)
    arriving, come_from = _taken(b, coming), _hidden(primitive, b, a, other, one, coming)
    both_a = _joined(pairs_a, leaving, come_from)
    both_b = _joined(pairs_b, left_to, arriving)
    if isinstance(primitive, Splat) and primitive.blend == "mean":
        # The mean is divided by all of them.
        total = both_a["colour"].shape[-1]
        both_a["colour"] = both_a["colour"] * (total / len(one.sizes))
        both_b["colour"] = both_b["colour"] * (total / len(other.sizes))
    if not isinstance(primitive, Shape):
        return both_a, both_b, None
    heights = np.stack(
        [
            np.concatenate([one.heights[i], one.heights[going], other.heights[coming]]),
            np.concatenate([other.heights[j], one.heights[going], other.heights[coming]]),
        ]
    )
    return both_a, both_b, heights


def assign(one: Floats, other: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Partners for as many parts as the smaller side has: which of `one`, which of `other`.

    `one` [N, D] and `other` [M, D] are features, whose squared distances are what it costs.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if min(len(one), len(other)) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if max(len(one), len(other)) <= LARGEST:
        i, j = linear_sum_assignment(cdist(one, other, "sqeuclidean"))
        return i.astype(np.int64), j.astype(np.int64)
    axis = int(np.concatenate([one, other]).var(axis=0).argmax())
    halves = [
        np.split(np.argsort(side[:, axis], kind="stable"), [len(side) // 2])
        for side in (one, other)
    ]
    pairs = []
    for mine, theirs in zip(*halves, strict=True):
        i, j = assign(one[mine], other[theirs])
        pairs.append((mine[i], theirs[j]))
    return np.concatenate([i for i, _ in pairs]), np.concatenate([j for _, j in pairs])


def _looks(primitive: Splat | Shape | Partition, tensors: Tensors) -> _Looks:
    colours = np.clip(tensors["colour"].double().numpy().T, -1, 2)
    count = len(colours)
    heights, kinds = np.zeros(count), np.zeros(count, np.int64)
    if isinstance(primitive, Shape):
        kinds, genes, _, _ = unpack(primitive, tensors)
        kinds = np.clip(kinds, 0, len(primitive.members) - 1)
        heights = (np.arange(count) + 0.5) / count
        places, sizes = np.empty((count, 2)), np.empty(count)
        for index in range(count):
            member = primitive.members[kinds[index]]
            corners = _corners(member, genes[index, : member.genes])
            places[index] = corners.mean(axis=0)
            sizes[index] = math.sqrt(float(np.prod(np.ptp(corners, axis=0))))
    elif isinstance(primitive, Splat):
        places = tensors["xy"].double().numpy().T
        if primitive.blend in ("sum", "mean"):
            colours = np.zeros_like(colours)
        with torch.no_grad():
            long, wide, _ = primitive.ellipse(Params(tensors))
        both = torch.broadcast_to(torch.as_tensor(long * wide), (count,))
        sizes = both.double().clamp_min(0).sqrt().numpy()
        if "z" in tensors:
            # Deep is low.
            heights = -tensors["z"].double().numpy() / DEEPEST
    else:
        places, sizes = tensors["sites"][:2].double().numpy().T, np.ones(count)
    return _Looks(places, colours, sizes, heights, kinds.astype(np.int64))


DEEPEST = 8.0
"""The largest depth of a splat."""


def _corners(member: Shape, genes: Floats) -> Floats:
    """The shape's polygon [corners, 2]; the middle of the canvas where it is none."""
    try:
        with np.errstate(all="ignore"):
            corners = member.polygon(np.ascontiguousarray(genes))
    except (ArithmeticError, ValueError):
        return np.zeros((1, 2))
    return corners if len(corners) and np.isfinite(corners).all() else np.zeros((1, 2))


def _taken(tensors: Tensors, which: NDArray[np.int64]) -> Tensors:
    index = torch.from_numpy(which)
    return {name: tensor[..., index] for name, tensor in tensors.items()}


def _joined(*groups: Tensors) -> Tensors:
    return {name: torch.cat([group[name] for group in groups], dim=-1) for name in groups[0]}


def _hidden(
    primitive: Splat | Shape | Partition,
    own: Tensors,
    others: Tensors,
    looks: _Looks,
    other_looks: _Looks,
    which: NDArray[np.int64],
) -> Tensors:
    """Where parts without a partner come from or go to: the nearest part of the other drawing.

    There they have its values, and cannot be seen. Where there is none of their kind they stay
    where they are.
    """
    from scipy.spatial import cKDTree

    result = _taken(own, which)
    for kind in np.unique(looks.kinds[which]):
        there = np.flatnonzero(other_looks.kinds == kind)
        if len(there) == 0:
            continue
        mine = np.flatnonzero(looks.kinds[which] == kind)
        _, nearest = cKDTree(other_looks.features[there]).query(looks.features[which[mine]])
        near = _taken(others, there[nearest])
        result = {
            name: t.index_copy(-1, torch.from_numpy(mine), near[name]) for name, t in result.items()
        }
        twins = {name: t[..., torch.from_numpy(mine)] for name, t in result.items()}
        same = _alike(primitive, _taken(own, which[mine]), twins)
        result = {
            name: t.index_copy(-1, torch.from_numpy(mine), same[name]) for name, t in result.items()
        }
    if isinstance(primitive, Shape):
        result["alpha"] = torch.zeros_like(result["alpha"])
    elif isinstance(primitive, Splat):
        if primitive.blend == "over":
            result["opacity"] = torch.zeros_like(result["opacity"])
        elif primitive.blend in ("sum", "mean"):
            result["colour"] = torch.zeros_like(result["colour"])
        else:
            for name, param in primitive.parameters().items():
                if param.map.function in ("exp", "softplus", "reciprocal"):
                    result[name] = GONE * result[name]
    # Sites with the values of another one divide its cell, and both halves have its colour.
    return result


# ---- other numbers for the same part -------------------------------------------------------------


def _alike(primitive: Primitive, a: Tensors, b: Tensors) -> Tensors:
    """`b` in other numbers that mean the same, as near to `a` as possible: angles and corners."""
    result = dict(b)
    for name, param in primitive.parameters().items():
        if param.period is not None:
            turns = torch.round((b[name] - a[name]) / param.period)
            result[name] = b[name] - param.period * turns
    if isinstance(primitive, Shape):
        result["genes"] = _genes_alike(primitive, a, b)
    return result


def _genes_alike(primitive: Shape, a: Tensors, b: Tensors) -> Tensor:
    """The same for the genes of shapes: corners in another order, a direction turned around."""
    one, other = a["genes"].double().numpy().T, b["genes"].double().numpy().T.copy()
    kinds = np.zeros(len(one), np.int64)
    if "kind" in b:
        kinds = np.clip(b["kind"].numpy().astype(np.int64), 0, len(primitive.members) - 1)
    for number, member in enumerate(primitive.members):
        mine = np.flatnonzero(kinds == number)
        if len(mine) == 0:
            continue
        size = member.genes
        changes = _symmetries(member, other[mine[:3], :size])
        ways = np.stack([other[mine][:, order] * sign for order, sign in changes])
        distance = np.square(ways - one[mine][None, :, :size]).sum(2)
        other[mine, :size] = ways[distance.argmin(0), np.arange(len(mine))]
    return torch.from_numpy(other.T.astype(np.float32, "C"))


def _symmetries(member: Shape, examples: Floats) -> list[tuple[NDArray[np.int64], Floats]]:
    """Orders and signs of genes that leave a shape as it is, found by trying them out."""
    size = member.genes
    nothing = np.arange(size)
    unchanged = (nothing, np.ones(size))
    tried = []
    for k in sorted({2, 3, size // 2} & set(range(2, size // 2 + 1))):
        for shift in range(k):
            for corners in (np.arange(k), np.arange(k)[::-1]):
                points = np.roll(corners, shift)
                moved = np.stack([2 * points, 2 * points + 1], axis=1).reshape(-1)
                tried.append((np.concatenate([moved, nothing[2 * k :]]), np.ones(size)))
    for first in range(size - 1):
        sign = np.ones(size)
        sign[first : first + 2] = -1
        tried.append((nothing, sign))
    return [unchanged] + [
        (order, sign)
        for order, sign in tried
        if all(_same_polygon(member, genes, genes[order] * sign) for genes in examples)
    ]


def _same_polygon(member: Shape, one: Floats, other: Floats) -> bool:
    from scipy.spatial.distance import cdist

    p, q = _corners(member, one), _corners(member, other)
    if p.shape != q.shape:
        return False
    apart = cdist(p, q)
    return bool(max(apart.min(0).max(), apart.min(1).max()) < 1e-4 * np.ptp(p, axis=0).max())
