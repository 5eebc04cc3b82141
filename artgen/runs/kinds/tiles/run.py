"""A large picture as a run: it is fitted reduced, then in tiles, then again across their seams.

Each tile owns the parts whose centres are in its cell, and sees those of its neighbours as they
were when its colour began. So the result is the same for any number of workers and any order in
which they finish. A run goes on from the outputs of its tiles, and the checkpoints of those that
are not done.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from operator import itemgetter
from typing import Any

import torch

from artgen.base.errors import Interrupted, UsageError
from artgen.display.views import Rendering
from artgen.events import Advanced, Event, Observer, TileFitted
from artgen.film.scenes import Film
from artgen.output import probe_folder
from artgen.raster import moved
from artgen.recipe import OutputTable, Recipe, TargetTable, TilesTable
from artgen.runs.elsewhere import Elsewhere, StepSum, gathered, nothing_saved, taken_by_task
from artgen.runs.files.folder import RunFolder
from artgen.runs.files.inputs import InputFiles
from artgen.runs.files.state_file import read_state
from artgen.runs.job import Fitted, Job
from artgen.runs.kind import Asked, Reason, RunKind, Started
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.kinds.tiles.choose import reasons_against, suits_tiles
from artgen.runs.kinds.tiles.grid import COLOURS
from artgen.runs.kinds.tiles.inputs import COARSE_SIDE, Given, TileInputs
from artgen.runs.kinds.tiles.passes import Pass, make_grid_of_pass, make_passes
from artgen.runs.kinds.tiles.tile import FittedTile, Parts, TileTask, fit_tile, fit_tile_elsewhere
from artgen.runs.opening import read_target
from artgen.targets import ImageTarget, Source, TargetRequest, parse_colour
from artgen.targets.large import LargePicture, large_from, open_large
from artgen.targets.opening import find_opener
from artgen.values.canvas import Canvas

Ended = Iterator[tuple[TileTask, FittedTile | Exception]]
"""Tiles that were begun, each with what became of it."""

_ROWS = 256
"""Rows of the picture that are compared at a time."""


class TiledRun(RunKind):
    """A run in tiles; wherever they are fitted, the bytes are the same.

    Without `Asked.elsewhere` all is done here; else the workers start while this process gets
    ready, and end after the last tile.
    """

    tables, divisible = frozenset({"tiles"}), True

    def reasons_against(self, recipe: Recipe, source: str) -> Iterator[Reason]:
        """What takes the whole picture at once."""
        yield Reason(
            "a fit in tiles has no video of its steps",
            self.asked.video is not None and not _has_video(recipe.output),
            "--start parts shows how the parts appear",
        )
        yield from reasons_against(recipe)
        yield from super().reasons_against(recipe, source)

    def prepare(self) -> Job:
        """Open the picture as 8-bit pixels, start the workers, and plan with the picture reduced.

        Raises UsageError where the recipe asks for what tiles cannot have, or parts do not add up.
        """
        asked = self.asked
        self.check(asked.recipe, asked.recipe.target.source)
        picture, table = open_tiled(asked), asked.recipe.tiles
        assert table is not None
        self.workers: TileWorkers | None = None
        if asked.elsewhere is not None:
            # They start while this process gets ready.
            self.workers = TileWorkers(table, picture.canvas, asked.elsewhere, cpus=asked.threads)
            self.held.callback(self.workers.close)
        return prepare_tiled(asked, picture)

    def begin(self, job: Job, folder: RunFolder | None = None, started: Started = None) -> None:
        """Divide the picture."""
        table = job.recipe.tiles
        assert isinstance(job.target, LargePicture)
        assert table is not None
        self.job, self.recipe, self.picture = job, job.recipe, job.target
        self.coarse = max(1, round(table.coarse * (job.plan.count or 1)))
        self.inputs = TileInputs(job, job.target)
        self.folder = self.place(None if folder is None else folder.tiles)
        self.passes = make_passes(table, job.target.canvas, job.recipe.stage[0])
        self.total_steps = sum(len(each.tiles) * each.steps for each in self.passes)
        self.done = self.fitted = 0
        self.kept, self.before = folder, 0.0
        self.tiles = sum(len(each.tiles) for each in self.passes)

    def resume(self) -> None:
        """Count the steps of the tiles that are done: `fit` takes their outputs as they are.

        The checkpoint holds the seconds that earlier processes took.
        """
        assert self.kept is not None
        self.before = (self.kept.load_checkpoint() or {}).get("seconds", 0.0)
        for each in self.passes:
            done = len(list(self.folder.glob(f"{each.name}-*/output.safetensors")))
            self.resumed_at += done * each.steps

    def fit(self) -> Fitted:
        """Fit all tiles, and join them. Raises what ended the first that failed."""
        self.began = time.perf_counter() - self.before
        self.parts = Parts()
        with nullcontext() if self.workers is None else closing(self.workers):
            probe_folder(self.folder)
            whole = all(self._join(*given) for given in self._given())
            if not self.parts:
                raise nothing_saved()
            drawing = replace(self.job.start, tensors=self.parts).detach()
            stopped_by = "steps" if whole else "interrupted"
            return Fitted(self.job, self.recipe, drawing, self.done, self._seconds, stopped_by)

    def metrics(self, fitted: Fitted, picture: Rendering, film: Film | None) -> Mapping[str, Any]:
        """Those of the view, and the loss averaged over strips of the 8-bit pixels."""
        pixels, total = picture.pixels, 0.0
        for top in range(0, len(pixels), _ROWS):
            pair = pixels[top : top + _ROWS], self.picture.pixels[top : top + _ROWS]
            strips = (torch.from_numpy(each.copy()) for each in pair)
            image, goal = (strip.permute(2, 0, 1).float() / 255 for strip in strips)
            total += float(self.job.plan.losses[0](image, goal, None)) * image.shape[1]
        return {**fitted.job.metrics(picture), "loss": total / len(pixels)}

    video = PictureRun.video

    def _given(self) -> Iterator[tuple[Pass, int, Given]]:
        """Passes and colours, with what their tiles are given, by the parts that there are then."""
        coarse, *passes = self.passes
        yield coarse, 0, self.inputs.coarse(self.coarse)
        counts = self.inputs.counts(self.parts, passes[0].tiles)
        for (index, each), colour in itertools.product(enumerate(passes, 1), range(COLOURS)):
            if each.joint:
                yield each, colour, self.inputs.joint_pass(self.parts, each, index, colour)
            else:
                yield each, colour, self.inputs.first_pass(self.parts, each, counts, colour)

    def _join(self, each: Pass, colour: int, given: Given) -> bool:
        """Fit tiles of a pass, and put their parts in place of their members, or beside all others.

        Returns whether to go on: False where the run is to end with what there is.
        """
        tasks = [self._task(each, number) for number in given.numbers]
        for task, input in zip(tasks, given.inputs, strict=True):
            if not task.output.exists():
                probe_folder(task.place)
                input.write(task.input)
        left = [task for task in tasks if not task.output.exists()]
        self.fitted += len(each.of_colour(colour)) - len(left)
        first = self.done + each.steps * (len(tasks) - len(left))
        left = [replace(task, offset=first + i * each.steps) for i, task in enumerate(left)]
        for _ in gathered(self._fitted(each, left)):
            pass
        found = {name: tensor.clone() for name, tensor in self.parts.items()}
        added = [found] if found else []
        ended = [pair for pair in zip(given.numbers, tasks, strict=True) if pair[1].output.exists()]
        for number, task in sorted(ended, key=itemgetter(0)):
            self.done += each.steps
            made, _ = read_state(task.output, "tile")
            _, centre = self.picture.canvas.window(*each.tiles[number].window.rectangle)
            made = moved(made, centre)
            if given.members is None:
                added.append(made)
            else:
                for name, tensor in made.items():
                    found[name][..., given.members[number]] = tensor
            task.clear()
        if given.members is None and added:
            found = {name: torch.cat([each[name] for each in added], dim=-1) for name in added[0]}
        self.parts = found
        return len(ended) == len(tasks) and not self.context.control.stop_requested

    def _task(self, each: Pass, number: int) -> TileTask:
        """The task of a tile, which needs the primitive and the stage, but not the picture."""
        table = TargetTable(source=f"tile:{number}", background=self.recipe.target.background)
        return TileTask(
            stem=f"{self.context.name}-{each.name}-{number:05d}",
            recipe=self.recipe.replace(target=table, tiles=None),
            folder=self.folder / f"{each.name}-{number:05d}",
            run_name=self.context.name,
            total_steps=self.total_steps,
            **taken_by_task(self.asked.elsewhere, self.recipe.run.threads),
        )

    def _fitted(self, each: Pass, tasks: list[TileTask]) -> Ended:
        """Every tile that was begun, with what became of it."""
        name, total = self.context.name, self.total_steps
        steps = StepSum(self.context, (task.offset for task in tasks), total, self.began)
        if self.workers is None or each.name == "coarse":
            fitted = self._fitted_here(tasks, steps)
        else:
            self.workers.started.result()
            executor = self.workers.executor
            fitted = executor.run(fit_tile_elsewhere, tasks, steps, self.context.control)
        for task, result in fitted:
            if self.kept is not None:
                self.kept.save_checkpoint({"seconds": self._seconds})
            if isinstance(result, FittedTile):
                self.fitted += 1
                steps(Advanced(name, task.offset + each.steps, total, 0.0))
                number, psnr, seconds = self.fitted, result.psnr, self._seconds
                self.context.emit(
                    TileFitted(name, steps.sum, total, number, self.tiles, psnr, seconds)
                )
            yield task, result

    def _fitted_here(self, tasks: Sequence[TileTask], observe: Observer) -> Ended:
        def watch(event: Event) -> None:
            observe(event)
            if self.workers is not None and self.workers.started.done():
                # Raises what keeps the executor from starting.
                self.workers.started.result()

        context = replace(self.context, emit=watch)
        for task in tasks:
            if context.control.stop_requested:
                return
            try:
                yield task, fit_tile(task, self.asked.registry, context)
            except Interrupted as error:
                yield task, error

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self.began


class TileWorkers:
    """The executor that fits the tiles of a picture; it starts at once, in a thread.

    `started` ends when it has; `close` ends it.
    """

    def __init__(
        self, table: TilesTable, canvas: Canvas, elsewhere: Elsewhere, *, cpus: int
    ) -> None:
        self.executor = elsewhere.executor
        self._held, self._pool = ExitStack(), ThreadPoolExecutor(1)
        passes = [make_grid_of_pass(table, canvas, number) for number in range(table.passes + 1)]
        colours = [Counter(tile.colour for tile in tiles).values() for tiles in passes]
        session = self.executor.session(
            fit_tile_elsewhere, tasks=max(itertools.chain(*colours)), cpus=cpus
        )
        self.started: Future[None] = self._pool.submit(self._held.enter_context, session)

    def close(self) -> None:
        """Wait until it has started, and end it."""
        self._pool.shutdown()
        self._held.close()


def open_tiled(asked: Asked) -> LargePicture:
    """Open the picture of a recipe with tiles, as 8-bit pixels. Raises InputError, UsageError."""
    table, registry, target = asked.recipe.target, asked.registry, asked.target
    source = Source.parse(table.source)
    if target is None and source.path is not None and find_opener(source, registry).name == "image":
        background = "black" if table.background == "auto" else table.background
        request = TargetRequest(table.size, parse_colour(background), max_pixels=table.max_pixels)
        path = InputFiles(asked.search).find("target", source.path, table.sha256)
        return open_large(path, request)
    opened = target or read_target(asked.recipe, registry, asked.search)
    if isinstance(opened, LargePicture):
        return opened
    if not isinstance(opened, ImageTarget):
        raise UsageError(f"{opened.source} is not a picture", hint="leave out --tiles")
    return large_from(opened)


def _has_video(output: OutputTable) -> bool:
    """Whether the video is one that needs no steps."""
    return output.start == "parts" or output.film is not None


def prepare_tiled(asked: Asked, picture: LargePicture) -> Job:
    """The job of a fit in tiles. Raises UsageError where its parts do not add up."""
    small = picture.reduced(min(COARSE_SIDE, picture.size))
    output = asked.recipe.output
    recipe = asked.recipe.with_output(video=output.video and _has_video(output), history=0)
    job = PictureRun(replace(asked, recipe=recipe, target=small)).prepare()
    if not suits_tiles(job.plan.primitive, job.plan.engines[0]):
        problem = f"{job.recipe.primitive.name} cannot be fitted in tiles"
        raise UsageError(problem, hint="splats with blend=sum can, with the engine gradient")
    completed = job.recipe.with_target(size=picture.size)
    start = replace(job.start, width=picture.canvas.width, height=picture.canvas.height)
    return replace(job, plan=replace(job.plan, recipe=completed), target=picture, start=start)
