"""Pair the parts of two drawings, so that the parts of one can travel into those of the other.

Pairs are the assignment with the least sum of squared distances, in place, colour, size and layer
(`linear_sum_assignment`, Crouse 2016). Where there are more than a few thousand parts, both
drawings are halved at their medians, along the axis in which they differ most, until the pieces
are small enough; the sum is then a little larger. Where one drawing has more parts than the other,
those without a partner come out of the nearest part, or vanish into it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.primitives import Primitive
from artgen.values.drawing import Drawing

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Tensors = dict[str, Tensor]

LARGEST = 2000
"""The most parts that are assigned at once: the time grows with the cube of their number."""

FARTHEST = 1e100
"""Largest feature: its square is still a float."""

PLACE, COLOUR, SIZE, LAYER = 1.0, 0.5, 0.02, 0.5
"""Weights of squared distances: canvas units; 1 is white; factors of e; the height of the stack.

Where colours add up, that of a part is not what is seen, and has no weight: with one, 13 instead of
7 % of the pixels in the middle of a morph were black or white in a channel.
"""

_DIGITS = 10
"""Binary digits of the places on a curve."""

TURN, GROWTH = math.radians(15), 1.3
"""The most by which parts are turned and scaled at once, before their parameters follow."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """The look of N parts, for matching. All but `places` have a default.

    `places` are float64 [N, 2] in canvas units. `colours` are [N, 3], 0 where they mean nothing;
    `sizes` are lengths [N] in canvas units, `layers` [N] is the place in the stack from 0 to 1.
    Only parts of equal `kinds`, int64 [N], are paired. Parts that are `stacked` cover one another
    in the order of the tensors, which changes on the way from one drawing to the other.
    """

    places: Floats
    colours: Floats | None = None
    sizes: Floats | None = None
    layers: Floats | None = None
    kinds: Integers | None = None
    stacked: bool = False

    @property
    def height(self) -> Floats:
        """The place in the stack, 0 without one, [N]."""
        return np.zeros(len(self.places)) if self.layers is None else self.layers

    @property
    def kind(self) -> Integers:
        """The kinds, 0 where there is one alone, [N]."""
        return np.zeros(len(self.places), np.int64) if self.kinds is None else self.kinds

    @property
    def features(self) -> Floats:
        """[N, 7]: the squared distance between two rows is what it costs to pair these parts."""
        count = len(self.places)
        colours = np.zeros((count, 3)) if self.colours is None else self.colours
        sizes = np.ones(count) if self.sizes is None else self.sizes
        columns = (
            math.sqrt(PLACE) * self.places,
            math.sqrt(COLOUR) * colours,
            math.sqrt(SIZE) * np.log(np.maximum(sizes, 1e-4))[:, None],
            math.sqrt(LAYER) * self.height[:, None],
        )
        # Distances beyond all floats are equal for matching.
        return np.clip(np.nan_to_num(np.concatenate(columns, axis=1)), -FARTHEST, FARTHEST)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The tensors of two drawings with partners at equal places.

    `layers` [2, N] are the places in the stack in either drawing, None where there is no stack.
    """

    first: Tensors
    second: Tensors
    layers: Floats | None = None


@generic("match")
def appearance(primitive: Primitive, tensors: Tensors) -> Appearance:
    """Describe what the parts look like. Raises UsageError where the family registers nothing."""
    raise UsageError(
        f"{type(primitive).__name__} is of the family {primitive.family}, which cannot be morphed",
        hint="splats, shapes, partitions, meshes and fields can be",
    )


@generic("match")
def hide(primitive: Primitive, tensors: Tensors) -> Tensors:
    """Return the parts so that they cannot be seen.

    By default they stay as they are: parts without a partner lie on the nearest part of the other
    drawing and have its values.
    """
    return tensors


@generic("match")
def move(primitive: Primitive, tensors: Tensors, by: Tensor) -> Tensors:
    """Return the parts, each moved by its column of `by`, float32 [2, N] in canvas units.

    Raises UsageError where the family registers nothing.
    """
    raise UsageError(
        f"{type(primitive).__name__} is of the family {primitive.family}, whose parts do not move",
        hint="those of splats, shapes and partitions do",
    )


@generic("match")
def transform(primitive: Primitive, tensors: Tensors, linear: Tensor, offset: Tensor) -> Tensors:
    """Return the parts, each turned and scaled: what was at p comes to ``linear @ p + offset``.

    `linear`, float32 [2, 2], is a rotation times a factor, and `offset` [2] in canvas units. By
    default parts are moved, and stay as large and as upright as they are. Raises UsageError where
    they do not move, or cannot become what is asked for.
    """
    places = torch.from_numpy(appearance(primitive, tensors).places.T).float()
    return move(primitive, tensors, linear @ places + offset[:, None] - places)


def in_steps(linear: Tensor) -> tuple[float, float, int]:
    """The factor and the angle in radians of a rotation times a factor, and the number of steps."""
    whole = linear.double()
    factor = math.sqrt(abs(float(torch.linalg.det(whole))))
    angle = math.atan2(float(whole[1, 0]), float(whole[0, 0]))
    steps = max(abs(angle) / TURN, abs(math.log(factor)) / math.log(GROWTH), 1)
    return factor, angle, math.ceil(steps)


@generic("match")
def compose(primitive: Primitive, *groups: tuple[Tensors, Integers]) -> Tensors:
    """Return the parts of drawings with the indices, int64 [M], that go with each, in this order.

    A family registers this where a part looks otherwise among others, or may not be left out.
    """
    return join(*(select(tensors, which) for tensors, which in groups))


@generic("match")
def carry(primitive: Primitive, tensors: Tensors, motion: Callable[[Floats], Tensor]) -> Tensors:
    """Return the parts, carried along by a motion of what they show.

    `motion` takes places, float64 [M, 2], and gives their displacements, float32 [2, M], all in
    canvas units. By default each part is moved as its place is; those of a family that does not
    say where its parts are, or how they move, stay as they are.
    """
    try:
        return move(primitive, tensors, motion(appearance(primitive, tensors).places))
    except UsageError:
        return tensors


@generic("match")
def predict(primitive: Primitive, tensors: Tensors, before: Tensors, changed: Tensor) -> Tensors:
    """Predict the parts of the next frame of a clip from those of the last and the one before.

    `changed`, bool [N], marks parts that were not there before; it is empty where all were. By
    default nothing moves.
    """
    return dict(tensors)


@generic("match")
def building_order(primitive: Primitive, drawing: Drawing) -> Tensor:
    """The order in which a video shows the parts, int64 [N]: by default, their own."""
    return torch.arange(primitive.count_of(drawing))


def along_curve(primitive: Primitive, tensors: Tensors) -> Tensors:
    """The parts in the order of a Hilbert curve (1891): those next to each other are near.

    Parts that cover one another in their order stay as they are, and those without a place.
    """
    try:
        looks = appearance(primitive, tensors)
    except UsageError:
        return tensors
    if looks.stacked or not len(looks.places):
        return tensors
    corner, side = looks.places.min(0), 1 << _DIGITS
    reach = max(float((looks.places - corner).max()), 1e-9)
    x, y = ((looks.places - corner) / reach * (side - 1)).astype(np.int64).T
    along = np.zeros(len(x), np.int64)
    for half in (1 << digit for digit in reversed(range(_DIGITS))):
        right, above = (x & half) > 0, (y & half) > 0
        along += half * half * ((3 * right) ^ above)
        turned = right & ~above
        x, y = (np.where(turned, side - 1 - each, each) for each in (x, y))
        x, y = np.where(above, x, y), np.where(above, y, x)
    return compose(primitive, (tensors, np.argsort(along, kind="stable")))


@generic("match")
def align(primitive: Primitive, a: Tensors, b: Tensors) -> Tensors:
    """Return `b` in other numbers that mean the same, as near to `a` as possible.

    By default periodic parameters turn the shorter way.
    """
    result = dict(b)
    for name, param in primitive.parameters().items():
        if param.period is not None:
            turns = torch.round((b[name] - a[name]) / param.period)
            result[name] = b[name] - param.period * turns
    return result


@generic("match")
def pair(primitive: Primitive, a: Tensors, b: Tensors) -> Pairs:
    """Pair the parts of two drawings. Raises UsageError where that cannot be done.

    By default it does what `pair_parts` does.
    """
    return pair_parts(primitive, a, b)


def pair_parts(primitive: Primitive, a: Tensors, b: Tensors) -> Pairs:
    """Pair parts that look alike; those without a partner are hidden in the other drawing."""
    one, other = appearance(primitive, a), appearance(primitive, b)
    if 0 in (len(one.places), len(other.places)):
        raise UsageError(
            "one of the drawings has no parts", hint="fit it again with a larger --count"
        )
    kinds = np.union1d(one.kind, other.kind)
    groups = [[np.flatnonzero(side.kind == kind) for side in (one, other)] for kind in kinds]
    i, j = _assign_groups(one.features, other.features, groups)
    # The rest, kind by kind.
    leaving = np.concatenate([mine[~np.isin(mine, i)] for mine, _ in groups])
    arriving = np.concatenate([theirs[~np.isin(theirs, j)] for _, theirs in groups])
    pairs_a = select(a, i)
    pairs_b = align(primitive, pairs_a, select(b, j))
    first = join(pairs_a, select(a, leaving), _hidden(primitive, b, a, other, one, arriving))
    second = join(pairs_b, _hidden(primitive, a, b, one, other, leaving), select(b, arriving))
    if not one.stacked:
        return Pairs(first, second)
    rest = [one.height[leaving], other.height[arriving]]
    layers = [np.concatenate([own, *rest]) for own in (one.height[i], other.height[j])]
    return Pairs(first, second, np.stack(layers))


def assign(one: Floats, other: Floats) -> tuple[Integers, Integers]:
    """Assign parts to one another: indices into `one`, and into `other`, of min(N, M) pairs.

    The cost of a pair is the squared distance between its features `one` [N, D] and `other` [M, D].
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
    return _assign_groups(one, other, zip(*halves, strict=True))


def _assign_groups(
    one: Floats, other: Floats, groups: Iterable[Sequence[Integers]]
) -> tuple[Integers, Integers]:
    """Assign parts of each pair of groups, given by their indices, to one another."""
    pairs = []
    for mine, theirs in groups:
        i, j = assign(one[mine], other[theirs])
        pairs.append((mine[i], theirs[j]))
    return np.concatenate([i for i, _ in pairs]), np.concatenate([j for _, j in pairs])


def select(tensors: Tensors, which: Integers) -> Tensors:
    """The parts with these indices, int64 [M], in this order."""
    index = torch.from_numpy(which)
    return {name: tensor[..., index] for name, tensor in tensors.items()}


def join(*groups: Tensors) -> Tensors:
    """The parts of all groups, one group after the other."""
    return {name: torch.cat([group[name] for group in groups], dim=-1) for name in groups[0]}


def _hidden(
    primitive: Primitive,
    own: Tensors,
    others: Tensors,
    looks: Appearance,
    other_looks: Appearance,
    which: Integers,
) -> Tensors:
    """Hide parts without a partner in the nearest part of the other drawing, with its values.

    Where that has none of their kind they stay where they are.
    """
    from scipy.spatial import cKDTree

    result = select(own, which)
    features, other_features = looks.features, other_looks.features
    for kind in np.unique(looks.kind[which]):
        there = np.flatnonzero(other_looks.kind == kind)
        if len(there) == 0:
            continue
        mine = np.flatnonzero(looks.kind[which] == kind)
        _, nearest = cKDTree(other_features[there]).query(features[which[mine]])
        near = align(primitive, select(own, which[mine]), select(others, there[nearest]))
        index = torch.from_numpy(mine)
        result = {name: t.index_copy(-1, index, near[name]) for name, t in result.items()}
    return hide(primitive, result)
