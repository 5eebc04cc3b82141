"""The compiled backend on a CPU: generated kernels over tiles of 8 × 32 pixels.

Tiles are shared out among threads, each is computed sequentially; gradients are summed per pair of
tile and splat, and then per splat in the order of the pairs. So the bits are the same for any
number of threads.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.compiler import kernel_cache
from artgen.compiler.ir import Component
from artgen.compiler.numba_printer import emit, emit_over
from artgen.compiler.printer import KernelSource
from artgen.compiler.threads import share, thread_count
from artgen.engines.gradient.device_steps import Stepper
from artgen.engines.gradient.schedule import AdamOptions
from artgen.families.splat.contract import Splat
from artgen.families.splat.cpu_steps import CpuStepper
from artgen.families.splat.footprint import CompiledFootprint, Goal, Launch, Scene
from artgen.values.canvas import Canvas

WIDTH, HEIGHT = 8, 32
"""A tile is as wide as a vector and tall enough to be worth its overhead."""

SORTED_FROM = 20_000
"""At least this many splats are sorted by place; fewer fit into the processor's cache anyway."""

SHARED_FROM = 256
"""At least so many splats are worth the time of another thread."""

Floats = NDArray[np.float32]

Bytes = NDArray[np.uint8]
Shorts = NDArray[np.int32]
Longs = NDArray[np.int64]

Pieces = Sequence[tuple[int, int]]


class TilePairs(NamedTuple):
    """Pairs of a tile and a splat, sorted by tile and, inside a tile, by splat.

    The pairs of every tile begin at `offset` [tiles + 1]; `splat` [pairs] are their splats, and
    `reach` [pairs, 2] the pairs of rows of the tile that these reach. `touched` [N] are the numbers
    of tiles that each splat touches. `cuts` are tiles that cut them into ranges of equal work. For
    each piece of the splats, `places` are where its pairs are, by splat and in their order here.
    """

    offset: Longs
    splat: Shorts
    reach: Bytes
    touched: Shorts
    cuts: Longs
    places: Sequence[Shorts]


class Workspace:
    """Arrays that the steps of a fit use again: the pages of new ones would have to be cleared."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self.lists: dict[int, tuple[Shorts, Bytes]] = {}
        """What `list_tiles` listed last for each piece of the splats."""

    def array(self, name: str, *shape: int, dtype: type = np.float32) -> NDArray[Any]:
        """The array of this name, of any content, in this shape."""
        size = math.prod(shape)
        if name not in self._arrays or len(self._arrays[name]) < size:
            self._arrays[name] = np.empty(size + size // 8, dtype)
        return self._arrays[name][:size].reshape(shape)


class _Scene(Scene):
    """Splats in rows, and their pairs with tiles."""

    def __init__(
        self,
        launch: Launch,
        features: Tensor,
        parameters: Sequence[Tensor],
        workspace: Workspace | None = None,
    ) -> None:
        super().__init__(launch, features, parameters)
        self.workspace = workspace or Workspace()
        self.grid, self.pieces = _grid(self.canvas), _pieces(self.count, thread_count())
        x = self.source.columns.index(("xy", (0,)))
        ellipse = len(self.source.columns) + self.channels
        columns = self.workspace.array("columns", ellipse + 3, self.count)
        torch.cat(self.rows(*self.extent), out=torch.from_numpy(columns))
        self.packed = self._array("rows", len(columns))
        self.is_sorted = not self.over and self.count >= SORTED_FROM
        self.columns, self.rank = columns, _no_ranks
        if self.is_sorted:
            self.rank = self._rank(columns, x)
        prepared = self._array("prepared", self.source.prepared)

        def prepare(start: int, stop: int) -> None:
            if not self.is_sorted:
                self.packed[start:stop] = columns[:, start:stop].T
            self.kernels.prepare(self.packed, prepared, *self.table, start, stop)

        given = self.packed, x, ellipse, prepared, self.pieces, self.workspace
        self.pairs = self.grid.list_pairs(*given, prepare)
        self.arrays = (prepared, self.grid.x, self.grid.y, *self.table)
        self.more: tuple[Any, ...] = ()
        """What `backward` takes besides what arrives at the picture."""

    def _rank(self, columns: Floats, centre: int) -> Shorts:
        """Make the columns rows in the order of their tiles, and return the row of each."""
        home, rank = (
            self.workspace.array(name, self.count, dtype=np.int32) for name in ("home", "rank")
        )
        held = np.zeros((len(self.pieces), self.grid.columns * self.grid.rows), np.int64)
        given = *columns[centre : centre + 2], *self.grid.measures, home
        numbered = list(zip(held, self.pieces, strict=True))
        share(lambda piece: _order().find_homes(*given, piece[0], *piece[1]), numbered)
        _common().place_all(held, np.empty(held.shape[1] + 1, np.int64))
        share(
            lambda piece: _order().pack(columns, home, piece[0], rank, self.packed, *piece[1]),
            numbered,
        )
        return rank

    def _array(self, name: str, width: int) -> Floats:
        """An array with a row for each splat."""
        return self.workspace.array(name, self.count, width)

    def share(self, work: Callable[[int, int], None]) -> None:
        """Do the work for ranges of splats, which idle threads take in turn."""
        share(lambda piece: work(*piece), self.pieces)

    def launch(self, kernel: Callable[..., None], picture: Floats, *more: Any) -> None:
        """Run a kernel over all tiles, in pieces of equal work that idle threads take in turn."""
        given = *self.arrays, picture, *self.pairs[:3]
        cuts = self.pairs.cuts.tolist()
        share(lambda piece: kernel(*given, *piece, *more), list(pairwise(cuts)))

    def picture(self) -> Tensor:
        """Draw: [C, height, width]."""
        canvas, tiles = self.canvas, len(self.pairs.offset) - 1
        image = torch.empty(self.channels, canvas.height, canvas.width, dtype=torch.float32)
        # The number of visible splats at each pixel.
        end = (np.empty((tiles, WIDTH * HEIGHT), np.float32),) if self.over else ()
        self.launch(self.kernels.forward, image.numpy(), *end)
        if self.over:
            self.more = (*end, image.numpy())
        if self.source.keeps:
            self.more = _nothing.numpy(), np.empty(0, np.float32)
        return image

    def gradients(self, incoming: Tensor) -> Tensor:
        """The gradients by `rows`."""
        rows = self._array("gradients", len(self.source.columns) + self.channels)
        gradients = np.empty(rows.shape[::-1], np.float32)
        self._differentiate(incoming, rows)
        if self.is_sorted:
            self.share(lambda *piece: _order().unpack(rows, self.rank, gradients, *piece))
        else:
            gradients[:] = rows.T
        return torch.from_numpy(gradients)

    def descend(self, *given: Any) -> None:
        """Take a step of Adam: see `adam_kernels`, from `raw` on."""
        rows = self._array("gradients", len(self.source.columns) + self.channels)
        step = functools.partial(_adam().descend, rows, self.rank, self.columns, *given)
        if self.is_sorted:
            # The gradients of a piece stand in the rows of others.
            self._differentiate(_nothing, rows)
            self.share(step)
        else:
            self._differentiate(_nothing, rows, step)

    def _differentiate(
        self, incoming: Tensor, rows: Floats, then: Callable[[int, int], None] | None = None
    ) -> None:
        """Write the gradients of the splats to rows, in their order here, and go on from them."""
        touched, places = self.pairs.touched, self.pairs.places
        sums = self.workspace.array("sums", len(self.pairs.splat), self.sums)
        totals = self._array("totals", self.sums)
        self.launch(self.kernels.backward, incoming.numpy(), sums, *self.more)

        def finish(number: int) -> None:
            piece = self.pieces[number]
            _common().sum_pairs(places[number], touched, sums, totals, *piece)
            self.kernels.finish(self.packed, totals, touched, rows, *self.table, *piece)
            if then is not None:
                then(*piece)

        share(finish, range(len(self.pieces)))


_nothing, _no_ranks = torch.empty(0, 0, 0), np.empty(0, np.int32)


_workspaces: WeakKeyDictionary[Goal, Workspace] = WeakKeyDictionary()


def emit_for_cpu(splat: Splat) -> KernelSource:
    """Print the kernels of a footprint, for pictures of colours. Raises Untraceable."""
    return Footprint(splat)._emit(3, splat.blend == "over")


class Footprint(CompiledFootprint):
    """A footprint whose kernels numba compiles."""

    scene = _Scene

    def _load(self, text: str) -> object:
        kernel_cache.compile_ahead(*map(kernel_cache.read_kernels, (COMMON, ADAM)))
        return super()._load(text)

    def _emit(self, channels: int, over: bool) -> KernelSource:
        if over:
            return emit_over(self._ir, WIDTH, HEIGHT)
        return emit(self._ir, self._far, channels, WIDTH, HEIGHT)

    def stepper_here(
        self, splat: Splat, canvas: Canvas, goal: Goal, options: AdamOptions
    ) -> Stepper:
        """What takes steps towards the goal, by Adam."""

        workspace = _workspaces.setdefault(goal, Workspace())
        picture, base = _grid(canvas).cut(goal), np.asarray(goal.base, np.float32)

        def scene_of(tensors: Mapping[str, Tensor]) -> _Scene:
            launch, *leaves = self._launch(splat, tensors, tensors["colour"], canvas)
            scene = _Scene(launch, leaves[0], leaves[1:], workspace)
            scene.more = picture, base
            return scene

        columns = self.kernels(3)[0].columns
        colours: Sequence[Component] = [("colour", (c,)) for c in range(3)]
        return CpuStepper(splat, [*columns, *colours], scene_of, options)


COMMON, ADAM = "raster.common_kernels", "engines.gradient.adam_kernels"
"""Kernels that each fit needs; those of the order are compiled when there are many splats."""

_kernels = functools.partial(kernel_cache.load_shipped, of="all splats")
_common = functools.partial(_kernels, COMMON)
_order = functools.partial(_kernels, "raster.order_kernels")
_adam = functools.partial(_kernels, ADAM)


class TileGrid:
    """The tiles of a canvas: pixel centres per tile column and row."""

    def __init__(self, canvas: Canvas) -> None:
        width, height, span = canvas.width, canvas.height, canvas.span
        self.canvas = canvas
        self.columns, self.rows = -(-width // WIDTH), -(-height // HEIGHT)
        pixels = span / 2, width / 2, height / 2
        self.measures = (*pixels, self.columns, self.rows, WIDTH, HEIGHT)
        self.x, self.y = (
            ((2 * np.arange(tiles * side) + 1 - size) / span).astype(np.float32).reshape(-1, side)
            for tiles, side, size in ((self.columns, WIDTH, width), (self.rows, HEIGHT, height))
        )
        self._cut: WeakKeyDictionary[Goal, Floats] = WeakKeyDictionary()

    def cut(self, goal: Goal) -> Floats:
        """The pictures of the tiles and the shares of their pixels: [tiles, channels + 1, pixels].

        Shares outside of the picture are 0.
        """
        if goal not in self._cut:
            planes = np.concatenate([goal.picture.numpy(), goal.share[None].numpy()])
            _, height, width = planes.shape
            below, right = self.rows * HEIGHT - height, self.columns * WIDTH - width
            planes = np.pad(planes, ((0, 0), (0, below), (0, right)))
            tiles = planes.reshape(len(planes), self.rows, HEIGHT, self.columns, WIDTH)
            tiles = tiles.transpose(1, 3, 0, 2, 4).reshape(-1, len(planes), HEIGHT * WIDTH)
            self._cut[goal] = np.ascontiguousarray(tiles, np.float32)
        return self._cut[goal]

    def list_pairs(
        self,
        rows: Floats,
        centre: int,
        ellipse: int,
        frame: Floats,
        pieces: Pieces,
        workspace: Workspace,
        before: Callable[[int, int], None],
    ) -> TilePairs:
        """Fill in `frame`, and find which splats touch which tiles: see `common_kernels`.

        `before` is called for each piece of the splats before these are read.
        """
        touched = workspace.array("touched", len(rows), dtype=np.int32)
        held = np.zeros((len(pieces), self.columns * self.rows), np.int64)
        given = rows, centre, ellipse, *self.measures, frame, touched

        def list_piece(number: int) -> tuple[Shorts, Bytes]:
            start, stop = pieces[number]
            before(start, stop)
            usual = 8 * (stop - start)
            room = workspace.lists.get(number)
            room = room or (np.empty(usual, np.int32), np.empty((usual, 2), np.uint8))
            found: tuple[Shorts, Bytes] = _common().list_tiles(
                *given, held[number], *room, start, stop
            )
            workspace.lists[number] = found
            return found

        numbers = range(len(pieces))
        lists = share(list_piece, numbers)
        offset = np.empty(held.shape[1] + 1, np.int64)
        cuts = np.empty(2 if thread_count() == 1 else 4 * thread_count() + 1, np.int64)
        _common().place_all(held, offset)
        _common().cut_evenly(offset, cuts)
        splat = workspace.array("splat", offset[-1], dtype=np.int32)
        reach = workspace.array("reach", offset[-1], 2, dtype=np.uint8)
        share(
            lambda number: _common().sort_pairs(
                *lists[number], touched, held[number], splat, reach, *pieces[number]
            ),
            numbers,
        )
        return TilePairs(offset, splat, reach, touched, cuts, [tile for tile, _ in lists])


_grid = functools.lru_cache(maxsize=8)(TileGrid)


@functools.lru_cache(maxsize=64)
def _pieces(count: int, threads: int) -> Pieces:
    """Ranges of splats for threads to share."""
    pieces = 1 if threads == 1 else max(1, min(2 * threads, count // SHARED_FROM))
    return list(pairwise(np.linspace(0, count, pieces + 1, dtype=np.int64).tolist()))
