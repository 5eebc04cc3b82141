"""A stack of shapes taken apart at one place: what is below it, and what is above.

`Compositing` knows how any change at that place would change the squared error (`layer_kernels`).
It moves the place up the stack by drawing into the one and taking from the other. All it holds is a
function of the stack and the place, to the last bit, so that it can be made anew at any time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.errors import ArtgenError, PluginError, UsageError
from artgen.compiler import kernel_cache
from artgen.compiler.threads import share
from artgen.families.shape.contract import Shape
from artgen.families.shape.spans import Stack, functions_of, load_shared
from artgen.raster.sampling import SAMPLE_ROWS, as_ground, make_grid
from artgen.values.canvas import Canvas

Floats = NDArray[np.float32]

BLOCK = 64
"""The number of shapes above the place for which what is above them is kept in memory."""

CELLS = 64
"""At most this many rows and columns of cells measure where the picture is wrong."""

SUMMED = 2**13
"""About this many pixels are summed up by one thread at a time."""


class Score(NamedTuple):
    """The score of a shape: the change of the squared error, and its best alpha and colour."""

    change: float
    alpha: float
    colour: tuple[float, float, float]


def put(stack: Stack, index: int, kind: int, genes: NDArray[np.float64], fit: Score) -> None:
    """Replace a shape of a stack."""
    for array, value in zip(stack, (kind, genes, fit.colour, fit.alpha), strict=True):
        # As drawings hold it.
        array[index] = np.asarray(value, np.float32)


def added(stack: Stack, kind: int, genes: NDArray[np.float64], fit: Score) -> Stack:
    """Return a stack with another shape on top."""
    larger = Stack._make(np.pad(array, [(0, 1), *[(0, 0)] * (array.ndim - 1)]) for array in stack)
    put(larger, -1, kind, genes, fit)
    return larger


def none_found(shape: Shape) -> ArtgenError:
    """Return the error where no climb found a valid shape."""
    if shape.limits is None:
        problem = f"{type(shape).__name__}.random makes no valid shape"
        return PluginError(problem, hint="check its valid()")
    return UsageError(
        "no shape was found within the limits of size, width, aspect and angle",
        hint="allow a larger max_size or aspect, or a smaller min_size, min_width or min_angle",
    )


class Compositing:
    """A target [3, height, width] and a stack of shapes, taken apart.

    `background` is a colour, or a picture [3, height, width]; `alpha` is the range of opacities
    that shapes may have; `weight` is [height, width], None where all pixels count alike; `palette`
    is float64 [K, 3], the colours that they may have, or None for all.
    `plain`, [3, height, width], are the colours whose mean a shape has, unless there is a palette.
    """

    def __init__(
        self,
        shape: Shape,
        target: ArrayLike,
        weight: ArrayLike | None,
        background: ArrayLike,
        alpha: tuple[float, float],
        palette: NDArray[np.float64] | None = None,
        plain: ArrayLike | None = None,
    ) -> None:
        self.target: Floats = np.ascontiguousarray(target, np.float32)
        height, width = self.target.shape[1:]
        weight = np.ones((height, width)) if weight is None else weight
        self.weight: Floats = np.ascontiguousarray(weight, np.float32)
        self.alpha = alpha
        self.palette = np.empty((0, 3)) if palette is None else palette
        own = plain is not None and not len(self.palette)
        self.plain = np.ascontiguousarray(plain, np.float32) if own else None
        self.background = as_ground(background)
        self.fine = make_grid(Canvas(width, height), SAMPLE_ROWS)
        searched = alpha[0] < alpha[1]
        sources = [_searching(module, searched) for module in ("climb_kernels", "layer_kernels")]
        kernel_cache.compile_ahead(*sources)
        # The shape keeps what the functions point to.
        self.shape, self.functions = shape, functions_of(shape)
        self.over = load_shared("families.shape.over_kernels").over
        self.kernels, self.sum_kernels = (kernel_cache.load(each, of="climb") for each in sources)
        self.error_plane = self.sum_kernels.ERROR
        self.below, self.above = np.empty_like(self.target), np.empty_like(self.target)
        self.through = np.empty_like(self.weight)
        self.buffer = np.zeros((height, width + 2, self.sum_kernels.PLANES), np.float32)
        self.rows_together = 0
        self.nine = np.empty(9)
        self.patches: dict[int, tuple[int, int, Floats, Floats]] = {}
        self.place: int | None = None
        self.stale: list[tuple[int, int]] = []

    def go_to(self, stack: Stack, place: int) -> None:
        """Take the stack apart around shape number `place`, or above the last one.

        That is quick where it was taken apart around the shape below before, and this alone changed
        since then.
        """
        if self.place == place:
            return
        if self.place is not None and self.place == place - 1:
            self._move_up(stack, place)
        else:
            self.below[:] = self.background
            self._draw(self.below, stack, 0, place)
            self._rebuild_above(stack, place)
            self.stale = [(0, len(self.weight))]
        self.place = place

    def forget(self) -> None:
        """Take the stack apart from scratch when next asked to."""
        self.place = None

    def _move_up(self, stack: Stack, place: int) -> None:
        self.stale.append(self._draw(self.below, stack, place - 1, place))
        if place in self.patches:
            first, last, above, through = self.patches.pop(place)
            self.above[:, first:last], self.through[first:last] = above, through
            self.stale.append((first, last))
        elif place < stack.number:
            self._rebuild_above(stack, place)
            self.stale.append(self._rows(stack, place))

    def add_up(self, rows_together: int) -> None:
        """Bring the sums up to date: for this many rows of pixels at a time."""
        height, width = self.weight.shape
        if rows_together != self.rows_together:
            self.rows_together = rows_together
            self.sums = self.buffer[: -(-height // rows_together)]
            self.places = np.empty((min(len(self.sums), CELLS), min(width, CELLS)))
            self.grid = make_grid(Canvas(width, height), 1 / rows_together)
            self.stale = [(0, height)]

        def sum_up(rows: tuple[int, int]) -> None:
            self.sum_kernels.sum_up(
                *(self.target, self.weight, self.below, self.above, self.through),
                *(self.alpha[0], rows_together, self.sums, *rows),
            )

        whole = [(first - first % rows_together, last) for first, last in self.stale]
        many = rows_together * max(1, SUMMED // (rows_together * width))
        share(
            sum_up,
            [
                (begin, min(begin + many, last))
                for first, last in _joined(whole)
                for begin in range(first, last, many)
            ],
        )
        self.stale = []
        self.sum_kernels.sum_cells(self.sums, self.error_plane, self.places)
        # The small term makes the chances in a perfect picture equal.
        self.places += 1e-3 * self.places.mean() + 1e-12
        np.cumsum(self.places, out=self.places.reshape(-1))

    def search(self, rng: np.random.Generator, *schedule: Any) -> tuple[float, int, int]:
        """`climb_kernels.search` at this place; safe to be called by several threads."""
        found: tuple[float, int, int] = self.kernels.search(
            *(self.functions, rng, self.sums, self.grid, *self.alpha, self.palette, self.places),
            *schedule,
        )
        return found

    def fit(self, kind: int, genes: NDArray[np.float64]) -> Score:
        """The best colour and alpha of a shape here, with the coverage it is drawn with."""
        self._measure(kind, genes, self.below)
        change, alpha, *colour = self.kernels.colour_of(self.nine, *self.alpha, self.palette)
        if self.plain is not None:
            nine = self.nine.copy()
            self._measure(kind, genes, self.plain)
            own = (self.nine[3:6] / max(self.nine[6], 1e-12)).clip(0, 1)
            gain = own @ nine[:3] - nine[7]
            cost = nine[6] * (own @ own) - 2 * (own @ nine[3:6]) + nine[8]
            alpha = float(np.clip(gain / max(cost, 1e-12), *self.alpha))
            change, colour = float(alpha * (alpha * cost - 2 * gain)), own.tolist()
        return Score(change, alpha, (colour[0], colour[1], colour[2]))

    def _measure(self, kind: int, genes: NDArray[np.float64], below: Floats) -> None:
        """Fill `nine` with the sums for `best_colour`."""
        self.kernels.measure(
            *(self.functions, kind, genes, self.target, self.weight, below, self.above),
            *(self.through, self.fine, SAMPLE_ROWS, self.nine),
        )

    def error(self) -> float:
        """The weighted squared error of the picture without a shape at this place."""
        return float(self.sums[:, -1, self.error_plane].sum(dtype=np.float64))

    def picture(self, stack: Stack) -> Floats:
        """The whole picture, [3, height, width]."""
        below = self.below
        if self.place is not None and self.place < stack.number:
            below = below.copy()
            self._draw(below, stack, self.place, self.place + 1)
        return self.above + self.through * below

    def _draw(self, picture: Floats, stack: Stack, first: int, last: int) -> tuple[int, int]:
        """Draw the shapes from `first` to before `last`; the rows of pixels that were drawn in."""
        rows = self._rows(stack, first) if last - first == 1 else (0, len(self.weight))
        some = (array[first:last] for array in stack)
        self.over(self.functions, *some, picture, self.fine, SAMPLE_ROWS, *rows)
        return rows

    def _rows(self, stack: Stack, index: int) -> tuple[int, int]:
        """The rows of pixels that a shape touches."""
        height = len(self.weight)
        first, last = self.kernels.rows_of(
            *(self.functions, stack.kind[index], stack.genes[index]),
            *(self.fine, height * SAMPLE_ROWS),
        )
        return first // SAMPLE_ROWS, -(-last // SAMPLE_ROWS)

    def _rebuild_above(self, stack: Stack, place: int) -> None:
        """Rebuild what is above shape number `place`, from the top down.

        On the way it remembers what is above each shape up to the next block, row by row: that of
        the shape below it differs only in the rows that the shape touches.
        """
        self.above[:], self.through[:] = 0, 1
        self.patches.clear()
        for index in range(stack.number - 1, place, -1):
            if index < place - place % BLOCK + BLOCK:
                first, last = self._rows(stack, index)
                above, through = self.above[:, first:last].copy(), self.through[first:last].copy()
                self.patches[index] = first, last, above, through
            own = (array[index] for array in stack)
            self.kernels.slip_under(
                self.functions, *own, self.above, self.through, self.fine, SAMPLE_ROWS
            )


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same rows, none of them twice."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def _searching(module: str, searched: bool) -> str:
    """The text of `climb_kernels` or `layer_kernels`: is an alpha `searched`, or is it fixed?"""
    return f"SEARCHED = {searched}\n" + kernel_cache.read_kernels(f"families.shape.{module}")
