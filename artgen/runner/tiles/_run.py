"""A large picture as a run: it is fitted reduced, then in tiles, then again across their seams.

Each tile owns the parts whose centres are in its cell, and sees those of its neighbours as they
were when its colour began. So the result is the same for any number of workers and any order in
which they finish. A run goes on from the outputs of its tiles, and the checkpoints of those that
are not done.
"""

from __future__ import annotations

import itertools
import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.errors import Interrupted, UsageError
from artgen.events import Advanced, Event, Observer, TileFitted
from artgen.output import atomic_write, probe_folder
from artgen.raster import Windows, draw, moved
from artgen.recipe import Recipe, TargetTable, TilesTable
from artgen.registry import Registry
from artgen.runner._context import RunContext
from artgen.runner._fit import Progress
from artgen.runner._prepare import Job, prepare, read_target
from artgen.runner._state_file import read_state
from artgen.runner.clip._run import SceneExecution
from artgen.runner.tiles._choose import reasons_against, suits_tiles
from artgen.runner.tiles._grid import COLOURS, Box, Tile, make_grid
from artgen.runner.tiles._tile import (
    FittedTile,
    Parts,
    TileInput,
    TileTask,
    fit_tile,
    fit_tile_elsewhere,
    joint_stage,
)
from artgen.seeds import derived_seed
from artgen.targets import ImageTarget, Source, Target, TargetRequest, parse_colour
from artgen.targets._open import find_opener
from artgen.targets.large import LargePicture, large_from, open_large

COARSE_SIDE = 1024
"""The most pixels of the longer side of the reduced picture."""
_ROWS = 256
"""Rows of the picture that are compared at a time."""


def open_tiled(
    recipe: Recipe, registry: Registry, target: Target | None, search: Sequence[Path]
) -> LargePicture:
    """Open the picture of a recipe with tiles, as 8-bit pixels. Raises InputError, UsageError."""
    from artgen.runner._inputs import InputFiles

    table = recipe.target
    for what, asked in reasons_against(recipe).items():
        if asked:
            raise UsageError(f"a fit in tiles cannot have {what}", hint="leave out --tiles")
    source = Source.parse(table.source)
    if target is None and source.path is not None and find_opener(source, registry).name == "image":
        background = "black" if table.background == "auto" else table.background
        request = TargetRequest(table.size, parse_colour(background), max_pixels=table.max_pixels)
        return open_large(InputFiles(search).find("target", source.path, table.sha256), request)
    opened = target or read_target(recipe, registry, search)
    if isinstance(opened, LargePicture):
        return opened
    if not isinstance(opened, ImageTarget):
        raise UsageError(f"{opened.source} is not a picture", hint="leave out --tiles")
    return large_from(opened)


def prepare_tiled(
    recipe: Recipe, registry: Registry, picture: LargePicture, search: Sequence[Path], threads: int
) -> Job:
    """The job of a fit in tiles. Raises UsageError where its parts do not add up."""
    small = picture.reduced(min(COARSE_SIDE, picture.size))
    video = recipe.output.video and recipe.output.start == "parts"
    recipe = recipe.with_output(video=video, history=0)
    job = prepare(recipe, registry, target=small, search=search, threads=threads)
    primitive, engine = job.plan.primitive, job.plan.engines[0]
    if not suits_tiles(primitive, engine):
        raise UsageError(
            f"{job.recipe.primitive.name} cannot be fitted in tiles",
            hint="splats with blend=sum can, with the engine gradient",
        )
    completed = job.recipe.with_target(size=picture.size)
    start = replace(job.start, width=picture.canvas.width, height=picture.canvas.height)
    return replace(job, plan=replace(job.plan, recipe=completed), target=picture, start=start)


@dataclass(frozen=True)
class _Pass:
    """The tiles of a pass, and the steps of each; the first pass begins without parts."""

    name: str
    tiles: list[Tile]
    steps: int
    joint: bool

    def of_colour(self, colour: int) -> list[int]:
        """The numbers of the tiles of a colour."""
        return [number for number, tile in enumerate(self.tiles) if tile.colour == colour]


class TileWorkers:
    """The executor that fits the tiles of a picture; it starts at once, in a thread.

    `started` ends when it has. It ends with a `with` block, once it has started.
    """

    def __init__(
        self, table: TilesTable, canvas: Canvas, execution: SceneExecution, *, cpus: int
    ) -> None:
        self.execution, self._held, self._pool = execution, ExitStack(), ThreadPoolExecutor(1)
        passes = [make_grid_of_pass(table, canvas, number) for number in range(table.passes + 1)]
        colours = [Counter(tile.colour for tile in tiles).values() for tiles in passes]
        session = execution.executor.session(
            fit_tile_elsewhere, tasks=max(itertools.chain(*colours)), cpus=cpus
        )
        self.started: Future[None] = self._pool.submit(self._held.enter_context, session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._pool.shutdown()
        self._held.__exit__(*error)


class TiledFit:
    """The run of a job in tiles, with the interface of `Fit`.

    Wherever its tiles are fitted, the bytes are the same. What is done is in the folder `place`.
    Without `workers` all is done here; else they end after the last tile.
    """

    film = trajectory = None

    def __init__(
        self,
        context: RunContext,
        registry: Registry,
        *,
        place: Path,
        workers: TileWorkers | None = None,
    ) -> None:
        self.job = job = context.job
        assert isinstance(job.target, LargePicture)
        assert job.recipe.tiles is not None
        self.recipe, self.registry = job.recipe, registry
        self.picture, self.table, self.drawing = job.target, job.recipe.tiles, job.start
        self.emit, self.name, self.control = context.emit, context.name, context.control
        self.place, self.workers = place, workers
        self.progress, self.diverged = Progress(), None
        self.canvas = job.target.canvas
        self.count = job.plan.count or 1
        steps = job.recipe.stage[0].steps or 1
        joint = joint_stage(job.recipe.stage[0], self.table.steps).steps or 1
        whole = Box(0, 0, self.canvas.width, self.canvas.height)
        self.passes = [_Pass("coarse", [Tile(whole, whole, 0)], steps, False)]
        for number in range(self.table.passes + 1):
            tiles = make_grid_of_pass(self.table, self.canvas, number)
            work = joint if number else steps
            self.passes.append(_Pass(f"pass-{number}", tiles, work, bool(number)))
        self.total_steps = sum(len(each.tiles) * each.steps for each in self.passes)
        self.resumed_at, self.done, self.fitted = 0, 0, 0
        self.tiles = sum(len(each.tiles) for each in self.passes)

    def resume(self) -> None:
        """Count the steps of the tiles that are done: `run` takes their outputs as they are."""
        for each in self.passes:
            done = len(list(self.place.glob(f"{each.name}-*/output.safetensors")))
            self.resumed_at += done * each.steps

    def run(self) -> None:
        """Fit all tiles, and join them. Raises what ended the first that failed."""
        self.began = time.perf_counter()
        with self.workers or nullcontext():
            self._run()

    def _run(self) -> None:
        probe_folder(self.place)
        coarse, parts = max(1, round(self.table.coarse * self.count)), Parts()
        try:
            for index, each in enumerate(self.passes):
                if each.name == "coarse":
                    parts = self._join(parts, each, 0, [0], [self._coarse_input(coarse)])
                    counts = self._counts(parts, self.passes[1].tiles)
                    continue
                for colour in range(COLOURS):
                    if each.joint:
                        parts = self._joint_pass(parts, each, index, colour)
                    else:
                        parts = self._first_pass(parts, each, counts, colour)
        except _Stopped as stopped:
            parts = stopped.parts
            self.progress.stopped_by = "interrupted"
            if not parts:
                raise Interrupted(
                    "interrupted before anything could be saved", hint="continue with --resume"
                ) from None
        self.progress.offset, self.progress.seconds = self.done, self._seconds
        self.drawing = replace(self.drawing, tensors=parts).detach()

    def loss(self, pixels: NDArray[np.uint8]) -> float:
        """The loss of the drawing's 8-bit pixels, averaged over strips of the picture."""
        total = 0.0
        for top in range(0, len(pixels), _ROWS):
            pair = pixels[top : top + _ROWS], self.picture.pixels[top : top + _ROWS]
            strips = (torch.from_numpy(each.copy()) for each in pair)
            image, goal = (strip.permute(2, 0, 1).float() / 255 for strip in strips)
            total += float(self.job.plan.losses[0](image, goal, None)) * image.shape[1]
        return total / len(pixels)

    def _coarse_input(self, count: int) -> TileInput:
        """The whole picture, reduced."""
        small = self.picture.reduced(min(COARSE_SIDE, self.picture.size)).pixels
        height, width = small.shape[:2]
        return TileInput(
            goal=torch.from_numpy(small),
            span=min(width, height),
            seed=derived_seed(self.recipe.seed, "tile", 0),
            count=count,
            window_count=count,
            steps=None,
            free=(0, 0, width, height),
        )

    def _first_pass(self, parts: Parts, each: _Pass, counts: list[int], colour: int) -> Parts:
        """Fit the tiles of one colour to what the parts that there are lack."""
        windows = Windows(self.job.plan.primitive, parts, self.canvas)
        numbers = [number for number in each.of_colour(colour) if counts[number]]
        # The longest first, so that no worker ends late.
        numbers.sort(key=counts.__getitem__, reverse=True)

        def inputs() -> Iterator[TileInput]:
            for number in numbers:
                tile, count = each.tiles[number], counts[number]
                fixed, _ = windows.window(*_rectangle(tile.window))
                yield replace(
                    self._input(tile, 1 + number),
                    count=count,
                    # Those that take the places of neighbours still to come are left out again.
                    window_count=count
                    + math.ceil(count * (tile.window.area - tile.free.area) / tile.core.area),
                    fixed=fixed,
                )

        return self._join(parts, each, colour, numbers, inputs())

    def _joint_pass(self, parts: Parts, each: _Pass, index: int, colour: int) -> Parts:
        """Fit the parts of the tiles of one colour again, among those of their neighbours."""
        windows = Windows(self.job.plan.primitive, parts, self.canvas)
        owner = find_owners(windows, each, colour)
        counts = (owner + 1).bincount(minlength=len(each.tiles) + 1).tolist()
        some = enumerate(torch.split(owner.argsort(stable=True), counts), start=-1)
        members = {number: indices for number, indices in some if number >= 0 and len(indices)}
        numbers = sorted(members, key=lambda number: -len(members[number]))

        def inputs() -> Iterator[TileInput]:
            for number in numbers:
                tile = each.tiles[number]
                box = _rectangle(tile.window)
                touching = windows.touching(*box)
                local, _ = windows.window(*box)
                own = owner[touching] == number
                yield replace(
                    self._input(tile, 1 + index * len(each.tiles) + number),
                    count=len(members[number]),
                    window_count=len(members[number]),
                    steps=each.steps,
                    own=_chosen(local, own),
                    fixed=_chosen(local, ~own),
                )

        return self._join(parts, each, colour, numbers, inputs(), members)

    def _input(self, tile: Tile, seed: int) -> TileInput:
        """The pixels of a tile, for no parts yet."""
        window, free = tile.window, tile.free
        goal = self.picture.image[window.top : window.bottom, window.left : window.right]
        left, top = window.left, window.top
        return TileInput(
            goal=torch.from_numpy(goal.copy()),
            span=self.canvas.span,
            seed=derived_seed(self.recipe.seed, "tile", seed),
            count=0,
            window_count=0,
            steps=None,
            free=(free.left - left, free.top - top, free.right - left, free.bottom - top),
        )

    def _counts(self, coarse: Parts, tiles: list[Tile]) -> list[int]:
        """The parts of each tile: by its area times the root mean square of what it lacks."""
        windows, errors = Windows(self.job.plan.primitive, coarse, self.canvas), []
        for tile in tiles:
            tensors, canvas = windows.window(*_rectangle(tile.core))
            image = draw(
                replace(self.drawing, tensors=tensors),
                self.job.plan.primitive,
                canvas,
                device=self.job.device,
                backend=self.job.backend,
            )
            core = tile.core
            goal = self.picture.image[core.top : core.bottom, core.left : core.right]
            lack = torch.from_numpy(goal.copy()).permute(2, 0, 1).float() / 255 - image
            errors.append(core.area * math.sqrt(float(lack.square().mean())))
        return _shares(self.count - coarse["xy"].shape[1], errors)

    def _join(
        self,
        parts: Parts,
        each: _Pass,
        colour: int,
        numbers: Sequence[int],
        inputs: Iterable[TileInput],
        members: Mapping[int, Tensor] | None = None,
    ) -> Parts:
        """Fit tiles of a pass: the parts with those of the tiles, in place of their `members`.

        Raises _Stopped with what there is where the run is to end.
        """
        tasks = [self._task(each, number) for number in numbers]
        for task, given in zip(tasks, inputs, strict=True):
            if not task.output.exists():
                probe_folder(task.place)
                given.write(task.input)
        failures, stopped = [], False
        left = [task for task in tasks if not task.output.exists()]
        self.fitted += len(each.of_colour(colour)) - len(left)
        first = self.done + each.steps * (len(tasks) - len(left))
        left = [replace(task, offset=first + i * each.steps) for i, task in enumerate(left)]
        for task, result in self._fitted(each, left):
            if isinstance(result, FittedTile):
                for name, data in result.files.items():
                    atomic_write(task.place / name, data, durable=False)
            elif not isinstance(result, Interrupted):
                failures.append(result)
        if failures:
            raise failures[0]
        found = {name: tensor.clone() for name, tensor in parts.items()}
        added = [found] if found else []
        for number, task in sorted(zip(numbers, tasks, strict=True), key=itemgetter(0)):
            if not task.output.exists():
                stopped = True
                continue
            self.done += each.steps
            made, _ = read_state(task.output, "tile")
            _, centre = self.canvas.window(*_rectangle(each.tiles[number].window))
            made = moved(made, centre)
            if members is None:
                added.append(made)
            else:
                for name, tensor in made.items():
                    found[name][..., members[number]] = tensor
            task.clear()
        if members is None and added:
            found = {name: torch.cat([each[name] for each in added], dim=-1) for name in added[0]}
        if stopped or self.control.stop_requested:
            raise _Stopped(found)
        return found

    def _task(self, each: _Pass, number: int) -> TileTask:
        """The task of a tile, which needs the primitive and the stage, but not the picture."""
        where = self.workers and self.workers.execution
        table = TargetTable(source=f"tile:{number}", background=self.recipe.target.background)
        return TileTask(
            stem=f"{self.name}-{each.name}-{number:05d}",
            recipe=self.recipe.aimed_at(table).with_tiles(None),
            plugins=tuple(path.absolute() for path in where.plugins) if where else (),
            folder=self.place / f"{each.name}-{number:05d}",
            cpus=self.recipe.run.threads or 1,
            gpus=where.gpus if where else 0.0,
            run_name=self.name,
            total_steps=self.total_steps,
        )

    def _fitted(
        self, each: _Pass, tasks: list[TileTask]
    ) -> Iterator[tuple[TileTask, FittedTile | Exception]]:
        """Every tile that was begun, with what became of it."""
        steps = _Steps(tasks)

        def observe(event: Event) -> None:
            if isinstance(event, Advanced):
                step = steps.advance(event)
                self.emit(replace(event, step=step, seconds=self._seconds))
            else:
                self.emit(replace(event, run=self.name))

        if self.workers is None or each.name == "coarse":
            fitted = self._fitted_here(tasks, observe)
        else:
            self.workers.started.result()
            executor = self.workers.execution.executor
            fitted = executor.run(fit_tile_elsewhere, tasks, observe, self.control)
        for task, result in fitted:
            if isinstance(result, FittedTile):
                self.fitted += 1
                observe(Advanced(self.name, task.offset + each.steps, self.total_steps, 0.0))
                self.emit(
                    TileFitted(
                        self.name,
                        steps.sum,
                        self.total_steps,
                        self.fitted,
                        self.tiles,
                        result.psnr,
                        self._seconds,
                    )
                )
            yield task, result

    def _fitted_here(
        self, tasks: list[TileTask], observe: Observer
    ) -> Iterator[tuple[TileTask, FittedTile | Exception]]:
        def watch(event: Event) -> None:
            observe(event)
            if self.workers is not None and self.workers.started.done():
                # Raises what keeps the executor from starting.
                self.workers.started.result()

        for task in tasks:
            if self.control.stop_requested:
                return
            try:
                yield task, fit_tile(task, self.registry, watch, self.control)
            except Interrupted as error:
                yield task, error

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self.began


class _Steps:
    """Adds up the steps of tiles that are fitted at the same time; those before are counted."""

    def __init__(self, tasks: Sequence[TileTask]) -> None:
        self.starts = sorted(task.offset for task in tasks)
        self.sum = self.starts[0] if tasks else 0
        self.done = dict.fromkeys(self.starts, 0)

    def advance(self, event: Advanced) -> int:
        """The steps of all tiles after this event of one, whose step counts from its offset."""
        start = self.starts[bisect_left(self.starts, event.step) - 1]
        more = max(0, event.step - start - self.done[start])
        self.done[start] += more
        self.sum += more
        return self.sum


class _Stopped(Exception):
    """The run is to end; `parts` are those that there are."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts


def find_owners(windows: Windows, each: _Pass, colour: int) -> Tensor:
    """The tile of a colour that moves each part, int64 [N]; -1: none, or it reaches beyond."""
    xy, canvas = windows.tensors["xy"].double(), windows.canvas
    size = torch.tensor([[canvas.width], [canvas.height]]).double()
    x, y = ((xy * canvas.span + size) / 2).clamp_min(0).minimum(size - 1e-6).long()
    columns, rows = (torch.full((int(length),), -1) for length in size)
    in_row = sum(tile.core.top == each.tiles[0].core.top for tile in each.tiles)
    for number in each.of_colour(colour):
        box = each.tiles[number].joined
        rows[box.top : box.bottom], columns[box.left : box.right] = divmod(number, in_row)
    row, column = rows[y], columns[x]
    known = (row >= 0) & (column >= 0)
    owner = (row * in_row + column).where(known, 0)
    boxes = [tile.window for tile in each.tiles]
    edges = torch.tensor([(box.left, box.right, box.top, box.bottom) for box in boxes])
    low, high = edges[owner][:, ::2], edges[owner][:, 1::2]
    first, end = windows.boxes[:, ::2], windows.boxes[:, 1::2]
    # Boxes end at the edge of the picture, and a part outside has none.
    inside = ((first >= low) & (end <= high) & (first < end)).all(1)
    return owner.where(inside & known, -1)


def make_grid_of_pass(table: TilesTable, canvas: Canvas, number: int) -> list[Tile]:
    """The tiles of the first pass, 0, or of a joint pass."""
    return make_grid(canvas, table.side, table.margin, shifted=number % 2 == 1)


def _rectangle(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.width, box.height


def _chosen(parts: Parts, which: Tensor) -> Parts:
    return {name: tensor[..., which] for name, tensor in parts.items()}


def _shares(total: int, weights: list[float]) -> list[int]:
    """Whole numbers that sum to `total`, in proportion to the weights: largest remainders."""
    scale = total / (sum(weights) or 1.0)
    exact = [weight * scale for weight in weights]
    counts = [math.floor(each) for each in exact]
    order = sorted(range(len(exact)), key=lambda index: counts[index] - exact[index])
    for index in itertools.islice(itertools.cycle(order), total - sum(counts)):
        counts[index] += 1
    return counts
