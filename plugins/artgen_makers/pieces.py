"""Shapes that can be cut: an engine that keeps gaps between them, or joins them to one piece.

It is `climb` with a rule in its search: a shape that breaks the rule is not valid. So `valid` of a
copy of the primitive asks for the outlines of all other shapes too, which lie in tables that every
step fills anew. Where `meet` is ``always``, what is left when one shape is refined may fall apart
into groups: the shape has to join them all. A polish moves one shape after another so.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, ClassVar, Literal

import numba as nb
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from artgen import ArtgenError, ClimbEngine, Primitive, Shape, option
from artgen.engines import Problem
from artgen.errors import UsageError

Floats = NDArray[np.float64]

HEIGHTS, BENDS = 33, 8
"""Heights at which a shape of spans has corners, and sides of a cubic curve."""
MARGIN = 1e-5
"""How much more than asked the search keeps to, in canvas units: genes are stored as float32."""

jit: Any = nb.njit(error_model="numpy")


class NoRoom(UsageError):
    """No other shape keeps to the rule."""


class Pieces(ClimbEngine):
    """Hill climbing for shapes that keep apart, or hang together."""

    families = ("shape",)
    supports: ClassVar[Any] = (*ClimbEngine.supports, "rules")
    following: ClassVar[Mapping[str, Any]] = {}

    @dataclass(frozen=True)
    class Options(ClimbEngine.Options):
        """Options of `pieces`: those of `climb`, and the rule."""

        alpha: float = option(1.0, "opacity of every shape; 0 searches one for each", low=0, high=1)
        gap: float = option(
            0.01,
            "least distance of shapes that do not overlap, and least width of an overlap, as a "
            "share of the shorter side of the picture",
            low=0,
            high=1,
        )
        meet: Literal["maybe", "never", "always"] = option(
            "maybe", "whether shapes overlap; always: all of them are one piece"
        )

    @classmethod
    def constrain(cls, primitive: Primitive, options: Mapping[str, Any]) -> Primitive:
        """The shape, whose changes keep to the rule: see `Shape.keep_valid`."""
        found, rule = copy.copy(primitive), (options["gap"], options["meet"])
        vars(found)["keep_valid"] = partial(keep_rule, primitive, *rule)
        return found

    def start(self, problem: Problem) -> None:
        """Prepare the tables. Raises UsageError for shapes that have no rule, or break it."""
        shape = problem.primitive
        assert isinstance(shape, Shape)
        if shape.copies is not None or len(shape.members) > 1:
            raise UsageError(
                "engine pieces knows neither the copies of a symmetry nor mixtures of shapes",
                hint="use one kind of shape and no symmetry, or the engine climb",
            )
        options = self.parse(problem)
        start = len(problem.drawing.tensors["alpha"])
        self.others = Others(shape, max(start, problem.count or 0), options.gap, options.meet)
        super().start(replace(problem, primitive=self.others.ruled))
        for k in range(start):
            self.fill(start, k)
            if not self.others.allow(self.stack.genes[k]):
                raise UsageError(
                    f"shape {k + 1} of the first {start} breaks the rule of engine pieces",
                    hint="start without them, or with a smaller engine.gap",
                )

    def place(self) -> None:
        """Put a new shape on top, where there is room. Raises NoRoom where there is none.

        Where the engine is to find the count, placing ends instead.
        """
        number = self.stack.number
        self.fill(number, number)
        try:
            super().place()
        except NoRoom:
            if not (self.options.converge and number):
                raise
            self.limit, self.pass_error = number, self.layers.error()
            self.finished = self.options.passes == 0

    def refine(self) -> None:
        """Improve a shape, or replace it, between all others."""
        self.fill(self.stack.number, self.refined % self.stack.number)
        super().refine()

    def stuck(self) -> ArtgenError:
        """How many shapes there was room for."""
        o: Any = self.options
        number = self.stack.number
        word = {"never": "that far apart", "always": "joined so"}.get(o.meet, "so")
        return NoRoom(
            f"there is room for {number} of {self.limit} shapes with engine.gap = {o.gap:g}, "
            f"{word}",
            hint=f"use -n {number} or auto, a smaller engine.gap or max_size, or more "
            "engine.candidates"
            if number
            else "use a smaller engine.gap, or other limits of the shapes",
        )

    def fill(self, count: int, but: int) -> None:
        """Write the outlines of the first `count` shapes, without number `but`, into the tables."""
        for k in range(count):
            self.others.put(k, self.stack.genes[k])
        self.others.leave_out(but, count)


class Others:
    """The outlines of up to `count` shapes, in tables that the `ruled` copy of a shape looks up."""

    def __init__(self, shape: Shape, count: int, gap: float, meet: str) -> None:
        self.shape, self.sides = shape, sides_of(shape)
        self.boxes, self.lines = np.zeros((count + 1, 7)), np.zeros((count * self.sides, 4))
        self.rule = np.array([2 * gap + MARGIN, _MEET[meet], 0.0])
        self.known: dict[int, bytes] = {}
        tables = {"boxes": self.boxes, "lines": self.lines, "rule": self.rule}
        self.ruled = ruled(shape, tables)

    def put(self, k: int, genes: Floats) -> None:
        """Write the outline of shape number `k`, unless it is there."""
        key = genes.tobytes()
        if self.known.get(k) == key:
            return
        self.known[k], lines, at = key, lines_of(self.shape, genes), k * self.sides
        self.lines[at : at + self.sides] = lines
        low = np.minimum(lines[:, :2], lines[:, 2:]).min(0)
        high = np.maximum(lines[:, :2], lines[:, 2:]).max(0)
        self.boxes[k, :5] = *low, *high, at

    def leave_out(self, but: int, count: int) -> None:
        """Compare with the first `count` shapes, without number `but`."""
        self.boxes[:, 5] = self.boxes[:, 4]
        self.boxes[:count, 5] += self.sides
        self.boxes[but, 5] = self.boxes[but, 4]
        self.rule[2] = group(self.boxes, self.lines, self.rule[0]) if self.rule[1] == ALWAYS else 0

    def allow(self, genes: Floats) -> bool:
        """Return whether a shape keeps to the rule beside those in the tables."""
        return bool(allowed(lines_of(self.shape, genes), self.boxes, self.lines, self.rule))


def keep_rule(
    shape: Any, gap: float, meet: str, before: Mapping[str, Tensor], genes: Tensor
) -> Tensor:
    """Return `genes` [genes, N] without the changes since `before` that break the rule.

    One shape moves after another. What float32 rounds across the limit stays where it was.
    """
    found = before["genes"].clone()
    count = found.shape[1]
    others = Others(shape, count, gap, meet)

    def of(k: int) -> Floats:
        return found[:, k].double().numpy()

    for k in range(count):
        others.put(k, of(k))
    for k in range(count):
        others.leave_out(k, count)
        one = {name: value[..., k : k + 1] for name, value in before.items()}
        found[:, k : k + 1] = Shape.keep_valid(others.ruled, one, genes[:, k : k + 1])
        if not others.allow(of(k)):
            found[:, k] = before["genes"][:, k]
        others.put(k, of(k))
    return found


NEVER, MAYBE, ALWAYS = -1.0, 0.0, 1.0
_MEET: Mapping[str, float] = {"never": NEVER, "maybe": MAYBE, "always": ALWAYS}


def sides_of(shape: Shape) -> int:
    """Return the number of straight lines of an outline."""
    return shape.vertices or BENDS * shape.curves or 2 * HEIGHTS


def lines_of(shape: Shape, genes: Floats) -> Floats:
    """Return the outline of a shape as straight lines, x and y of both ends: [lines, 4]."""
    lines: Floats = np.empty((sides_of(shape), 4))
    _writer(*_functions(shape))(genes, lines)
    return lines


def ruled(shape: Shape, tables: Mapping[str, Floats]) -> Shape:
    """Return a copy of a shape of one kind whose `valid` asks for the rule too.

    Raises UsageError for a shape whose functions have tables of their own.
    """
    if any(isinstance(each, partial) for each in (shape.valid, *_functions(shape)[:2])):
        raise UsageError(
            f"engine pieces cannot take {type(shape).__name__}, whose functions have tables",
            hint="use other shapes, or the engine climb",
        )
    found = copy.copy(shape)
    valid = _valid(shape.valid, sides_of(shape), *_functions(shape))
    vars(found)["valid"] = partial(valid, **tables)
    return found


def _functions(shape: Shape) -> tuple[Any, Any, int, int]:
    """Return what writes an outline: two functions, and the numbers of corners and of curves."""
    one: Any = shape.bounds
    other: Any = shape.span
    if shape.outline_points:
        one = other = shape.outline
    return one, other, shape.vertices, shape.curves


@cache
def _valid(free: Any, sides: int, one: Any, other: Any, corners: int, curves: int) -> Any:
    """Return a `valid` with tables, for kernels; equal arguments give the same function."""
    free, write = jit(free), jit(_writer(jit(one), jit(other), corners, curves))

    def valid(genes: Floats, boxes: Floats, lines: Floats, rule: Floats) -> bool:
        if not free(genes):
            return False
        own = np.empty((sides, 4))
        write(genes, own)
        return bool(allowed(own, boxes, lines, rule))

    return valid


def _writer(one: Any, other: Any, corners: int, curves: int) -> Callable[[Floats, Floats], None]:
    """Return a function that writes an outline of these `genes` into `lines`."""

    def of_corners(genes: Floats, lines: Floats) -> None:
        points = np.empty((corners, 2))
        one(genes, points)
        for i in range(corners):
            j = (i + 1) % corners
            lines[i, 0], lines[i, 1] = points[i, 0], points[i, 1]
            lines[i, 2], lines[i, 3] = points[j, 0], points[j, 1]

    def of_curves(genes: Floats, lines: Floats) -> None:
        points = np.empty((4 * curves, 2))
        one(genes, points)
        for i in range(BENDS * curves):
            k = 4 * (i // BENDS)
            for end in range(2):
                t = (i % BENDS + end) / BENDS
                for axis in range(2):
                    lines[i, 2 * end + axis] = (
                        (1 - t) ** 3 * points[k, axis]
                        + 3 * t * (1 - t) ** 2 * points[k + 1, axis]
                        + 3 * t * t * (1 - t) * points[k + 2, axis]
                        + t**3 * points[k + 3, axis]
                    )

    def of_spans(genes: Floats, lines: Floats) -> None:
        low, high = one(genes)
        for i in range(HEIGHTS):
            y = (low + high) / 2 - (high - low) / 2 * math.cos(math.pi * i / (HEIGHTS - 1))
            left, right = other(genes, y)
            # Up along the right, and down along the left.
            lines[i, 0], lines[i, 1] = right, y
            lines[(i - 1) % len(lines), 2], lines[(i - 1) % len(lines), 3] = right, y
            lines[len(lines) - 1 - i, 0], lines[len(lines) - 1 - i, 1] = left, y
            lines[len(lines) - 2 - i, 2], lines[len(lines) - 2 - i, 3] = left, y

    return of_corners if corners else of_curves if curves else of_spans


@nb.njit(cache=True, error_model="numpy")
def _far(x: float, y: float, line: Floats) -> float:
    """Return the square of the distance of a point from a line."""
    along_x, along_y = line[2] - line[0], line[3] - line[1]
    length = along_x * along_x + along_y * along_y
    t = 0.0
    if length > 0:
        t = ((x - line[0]) * along_x + (y - line[1]) * along_y) / length
    t = min(max(t, 0.0), 1.0)
    dx, dy = x - line[0] - t * along_x, y - line[1] - t * along_y
    return float(dx * dx + dy * dy)


@nb.njit(cache=True, error_model="numpy")
def _inside(x: float, y: float, lines: Floats) -> bool:
    """Return whether an outline winds around a point."""
    turns = 0
    for i in range(len(lines)):
        a, b = lines[i, 1], lines[i, 3]
        if (a > y) != (b > y):
            cut = lines[i, 0] + (y - a) / (b - a) * (lines[i, 2] - lines[i, 0])
            if cut > x:
                turns += 1 if b > a else -1
    return turns != 0


@nb.njit(cache=True, error_model="numpy")
def between(one: Floats, other: Floats, box: Floats, gap: float) -> tuple[float, float]:
    """Return the distance of two outlines, and the width of their overlap, -1 where there is none.

    A distance above `gap` may be infinite; `box` is the least and largest x and y of `other`. The
    width is that of the box around the places where they cross, along its longer side. It is
    infinite where one lies in the other.
    """
    least = math.inf
    left = top = math.inf
    right = bottom = -math.inf
    for i in range(len(one)):
        ax, ay, bx, by = one[i, 0], one[i, 1], one[i, 2], one[i, 3]
        # Most lines are too far apart to matter.
        low_x, high_x = min(ax, bx) - gap, max(ax, bx) + gap
        low_y, high_y = min(ay, by) - gap, max(ay, by) + gap
        if high_x < box[0] or low_x > box[2] or high_y < box[1] or low_y > box[3]:
            continue
        for j in range(len(other)):
            cx, cy, dx, dy = other[j, 0], other[j, 1], other[j, 2], other[j, 3]
            if (cx < low_x and dx < low_x) or (cx > high_x and dx > high_x):
                continue
            if (cy < low_y and dy < low_y) or (cy > high_y and dy > high_y):
                continue
            turn = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
            if turn != 0:
                t = ((cx - ax) * (dy - cy) - (cy - ay) * (dx - cx)) / turn
                u = ((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) / turn
                if 0 <= t <= 1 and 0 <= u <= 1:
                    x, y = ax + t * (bx - ax), ay + t * (by - ay)
                    left, right = min(left, x), max(right, x)
                    top, bottom = min(top, y), max(bottom, y)
                    continue
            if left == math.inf:
                near = min(_far(ax, ay, other[j]), _far(bx, by, other[j]))
                near = min(near, _far(cx, cy, one[i]), _far(dx, dy, one[i]))
                least = min(least, near)
    if left < math.inf:
        return 0.0, max(right - left, bottom - top)
    if _inside(one[0, 0], one[0, 1], other) or _inside(other[0, 0], other[0, 1], one):
        return 0.0, math.inf
    return math.sqrt(least), -1.0


@nb.njit(cache=True, error_model="numpy")
def _box(lines: Floats) -> tuple[float, float, float, float]:
    """Return the least and largest x and y of an outline."""
    left = top = math.inf
    right = bottom = -math.inf
    for i in range(len(lines)):
        left, right = min(left, lines[i, 0]), max(right, lines[i, 0])
        top, bottom = min(top, lines[i, 1]), max(bottom, lines[i, 1])
    return left, top, right, bottom


@nb.njit(cache=True, error_model="numpy")
def allowed(own: Floats, boxes: Floats, lines: Floats, rule: Floats) -> bool:
    """Return whether an outline keeps to the rule beside those in the tables.

    `boxes` [N, 7] are the least and largest x and y of each, its first line and the one after its
    last, and its group; `rule` is the gap, how shapes meet, and the number of groups.
    """
    gap, meet, missing = rule[0], rule[1], int(rule[2])
    reached = np.zeros(max(missing, 1))
    left, top, right, bottom = _box(own)
    for n in range(len(boxes)):
        first, last = int(boxes[n, 4]), int(boxes[n, 5])
        if first == last:
            continue
        if (
            boxes[n, 0] > right + gap
            or boxes[n, 2] < left - gap
            or boxes[n, 1] > bottom + gap
            or boxes[n, 3] < top - gap
        ):
            continue
        distance, width = between(own, lines[first:last], boxes[n], gap)
        if width < 0:
            if distance < gap:
                return False
        elif meet < 0 or width < gap:
            return False
        elif meet > 0 and reached[int(boxes[n, 6])] == 0:
            reached[int(boxes[n, 6])] = 1
            missing -= 1
    return meet <= 0 or missing == 0


@nb.njit(cache=True, error_model="numpy")
def group(boxes: Floats, lines: Floats, gap: float) -> int:
    """Number the groups of outlines that overlap, in the last column of `boxes`; how many."""
    groups, count = 0, len(boxes)
    waiting = np.empty(count, np.int64)
    for n in range(count):
        # What has no lines is in no group.
        boxes[n, 6] = -1 if boxes[n, 4] < boxes[n, 5] else count
    for n in range(count):
        if boxes[n, 6] >= 0:
            continue
        boxes[n, 6], waiting[0], left = groups, n, 1
        while left > 0:
            left -= 1
            k = waiting[left]
            own = lines[int(boxes[k, 4]) : int(boxes[k, 5])]
            for m in range(count):
                if (
                    boxes[m, 6] < 0
                    and boxes[m, 0] <= boxes[k, 2]
                    and boxes[m, 2] >= boxes[k, 0]
                    and boxes[m, 1] <= boxes[k, 3]
                    and boxes[m, 3] >= boxes[k, 1]
                    and between(own, lines[int(boxes[m, 4]) : int(boxes[m, 5])], boxes[m], 0.0)[1]
                    >= gap
                ):
                    boxes[m, 6], waiting[left] = groups, m
                    left += 1
        groups += 1
    return groups
