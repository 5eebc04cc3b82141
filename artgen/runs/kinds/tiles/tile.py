"""A tile as a task: its parts are fitted to its window, what others draw there is fixed.

The task's folder holds `input.safetensors` with the pixels of the window and the parts that touch
it, then `checkpoint.safetensors`, and in the end `output.safetensors` with the parts that the tile
owns. Positions are relative to the centre of the window. So nothing else is sent to another
machine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from artgen.base.errors import Interrupted
from artgen.engines import Engine, Problem
from artgen.engines.base import State, part, prefixed
from artgen.engines.evaluation import summed_colour
from artgen.engines.gradient.engine import UNUSED
from artgen.engines.protocols import Recovers
from artgen.events import Advanced, Observer
from artgen.losses.metrics import decibels
from artgen.plan import Plan, resolve
from artgen.raster import choose_backend, paint, tensor_device
from artgen.recipe import Stage
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.device import threads
from artgen.runs.elsewhere import Returned
from artgen.runs.files.state_file import (
    putting_to_use,
    read_checkpoint,
    read_state,
    write_checkpoint,
    write_state,
)
from artgen.runs.job import check_finite
from artgen.runs.loop.recovery import at_lower_rates
from artgen.runs.memory import give_back_freed_memory
from artgen.targets import parse_colour
from artgen.tasks import RunControl, Task
from artgen.values.canvas import Canvas

PIECES = 16
"""A tile is fitted in this many pieces: after each it is stored, and a run may be stopped."""

JOINT_SHARE, JOINT_RATE = 0.25, 0.3
"""Of a joint pass: its share of the steps, and the factor on all rates."""

Parts = dict[str, Tensor]
"""Tensors of parts by the names of the parameters, the last axis counts the parts."""


@dataclass(frozen=True)
class TileTask(Task):
    """A tile to be fitted; `offset` are the steps of those before, `total_steps` those of all."""

    run_name: str = ""
    offset: int = 0
    total_steps: int = 0

    @property
    def input(self) -> Path:
        """The pixels and the parts that there are."""
        return self.place / "input.safetensors"

    @property
    def output(self) -> Path:
        """The parts that the tile owns, once it is done."""
        return self.place / "output.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The exact state of the engine after the last piece."""
        return self.place / "checkpoint.safetensors"

    milestone = checkpoint

    def resume_files(self) -> dict[str, Path]:
        """The input, and the checkpoint and the output if there are any."""
        files = (self.input, self.checkpoint, self.output)
        return {path.name: path for path in files if path.exists()}

    def clear(self) -> None:
        """Delete what a tile that is done needs no more."""
        self.input.unlink(missing_ok=True)
        self.checkpoint.unlink(missing_ok=True)


@dataclass(frozen=True, eq=False)
class TileInput:
    """What a tile is given.

    `goal` is uint8 [height, width, 3]. `fixed` are parts of others, `own` those to be changed: none
    in the first pass, in which `count` parts are sought whose centres shall be in `free`, left,
    top, right and bottom in pixels of the window, among `window_count` that are fitted. `span` is
    that of the picture's canvas.
    """

    goal: Tensor
    span: int
    seed: int
    free: tuple[int, int, int, int]
    count: int = 0
    window_count: int = 0
    steps: int | None = None
    fixed: Parts = field(default_factory=dict)
    own: Parts = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Store it. Raises OutputError."""
        groups = prefixed("fixed.", self.fixed) | prefixed("own.", self.own)
        names = ("span", "seed", "count", "window_count", "steps", "free")
        values = {name: getattr(self, name) for name in names}
        write_state(path, {"goal": self.goal, **groups}, values, durable=False)

    @classmethod
    def read(cls, path: Path) -> TileInput:
        """Read what `write` stored. Raises InputError."""
        tensors, values = read_state(path, "tile")
        fixed, own = part(tensors, "fixed."), part(tensors, "own.")
        left, top, right, bottom = values.pop("free")
        return cls(tensors["goal"], free=(left, top, right, bottom), fixed=fixed, own=own, **values)


@dataclass(frozen=True)
class FittedTile(Returned):
    """A tile that is done, and the PSNR of its window in dB."""

    psnr: float


def fit_tile_elsewhere(task: TileTask, observe: Observer, control: RunControl) -> FittedTile:
    """Fit a tile in another process or on another machine."""
    context = RunContext(task.run_name, observe, control)
    with threads(task.cpus):
        return fit_tile(task, Registry(files=task.plugins), context)


def fit_tile(task: TileTask, registry: Registry, context: RunContext) -> FittedTile:
    """Fit a tile, unless that was done. Raises Diverged, Interrupted, OutOfMemory, OutputError."""
    if not task.output.exists():
        parts, psnr = _Fitting(task, registry, context).run()
        write_state(task.output, parts, {"psnr": psnr})
        if task.return_files:
            # Else the checkpoint would be stored once more.
            task.clear()
        give_back_freed_memory()
    else:
        psnr = read_state(task.output, "tile")[1]["psnr"]
    files = {task.output.name: task.output.read_bytes()} if task.return_files else {}
    return FittedTile(psnr, files=files)


def joint_stage(stage: Stage, steps: int | None) -> Stage:
    """The stage of a joint pass: all parts are there, and move together with their neighbours."""
    options = {name: 0.0 for name in UNUSED if name in stage.options}
    options["rate"] = JOINT_RATE * stage.options.get("rate", 1.0)
    steps = steps or max(1, round(JOINT_SHARE * (stage.steps or 1)))
    kept = {"engine": stage.engine, "loss": stage.loss, **stage.options}
    return Stage.parse({**kept, "steps": steps, **options})


class _Fitting:
    """The fit of one tile."""

    def __init__(self, task: TileTask, registry: Registry, context: RunContext) -> None:
        self.task, self.context = task, context
        self.given = given = TileInput.read(task.input)
        height, width = given.goal.shape[:2]
        self.canvas = Canvas(width, height, given.span)
        recipe = task.recipe.with_primitive(count=given.window_count)
        self.plan: Plan = resolve(recipe, registry, self.canvas)
        self.stage = self.plan.recipe.stage[0]
        if given.own:
            self.stage = joint_stage(self.stage, given.steps)
        run = self.plan.recipe.run
        self.backend = choose_backend(self.plan.primitive, run.device, run.backend)
        self.device = str(tensor_device(run.device))
        self.background = parse_colour(self.plan.recipe.target.background)

    def run(self) -> tuple[Parts, float]:
        """Fit it: the parts that it owns, and the PSNR of the window in dB."""
        given = self.given
        goal = given.goal.permute(2, 0, 1).float() / 255
        if given.fixed:
            # Parts add up, so what others draw is taken off the picture.
            base = torch.tensor(self.background)[:, None, None]
            goal = goal - (self._paint(given.fixed).cpu() - base)
        start = given.own or self.plan.initial(
            given.seed, self.canvas, self.background, target=goal
        )
        state = read_checkpoint(self.task.checkpoint)
        first = 0 if state is None else state.pop("halvings")

        def search(halvings: int) -> Parts:
            return self._search(start, goal, halvings, state if halvings == first else None)

        parts = at_lower_rates(search, halvings=first)
        psnr = decibels(float((self._paint(parts).cpu() - goal).square().mean()))
        return parts if given.own else self._owned(parts), psnr

    def _search(self, start: Parts, goal: Tensor, halvings: int, state: State | None) -> Parts:
        """The parts after all steps, or after those left since `state`.

        Raises Diverged, Interrupted.
        """
        task, plan, total = self.task, self.plan, self.stage.steps or 1
        drawing = plan.drawing(start, self.canvas, self.background, span=self.given.span)
        engine: Engine = plan.engines[0]()
        engine.start(
            Problem(
                primitive=plan.primitive,
                drawing=drawing,
                target=goal,
                loss=plan.losses[0],
                total_steps=total,
                seed=self.given.seed,
                count=None if self.given.own else plan.count,
                device=self.device,
                backend=self.backend,
                random=plan.recipe.run.random,
                options=self.stage.options,
            )
        )
        if state is not None:
            with putting_to_use(task.checkpoint, "checkpoint"):
                engine.load_state_dict(state)
        elif halvings and isinstance(engine, Recovers):
            engine.recover(0.5**halvings)
        began = time.perf_counter()
        while engine.step < total and not engine.finished:
            self.context.control.wait_if_paused()
            if self.context.control.stop_requested:
                raise Interrupted("interrupted", hint="continue with --resume")
            engine.advance(min(-(-total // PIECES), total - engine.step))
            kept = {**engine.state_dict(), "halvings": halvings}
            write_checkpoint(task.checkpoint, kept, durable=False)
            seconds = time.perf_counter() - began
            step = task.offset + engine.step
            self.context.emit(Advanced(self.context.name, step, task.total_steps, seconds))
        found = engine.drawing(best=False)
        check_finite(found)
        return dict(found.detach().tensors)

    def _owned(self, parts: Parts) -> Parts:
        """As many parts as were asked for: those of most worth whose centres are `free`.

        Where these are too few, those next to them are added.
        """
        left, top, right, bottom = self.given.free
        width, height = self.canvas.width, self.canvas.height
        pixels = (parts["xy"].double() * self.canvas.span + torch.tensor([[width], [height]])) / 2
        low, high = torch.tensor([[left], [top]]), torch.tensor([[right], [bottom]])
        # Beyond the picture's own edge there is nobody else.
        low = low.double().where(low > 0, -torch.inf)
        size = torch.tensor([[width], [height]])
        high = high.double().where(high < size, torch.inf)
        outside = (low - pixels).clamp_min(0) + (pixels - high).clamp_min(0)
        distance = outside.square().sum(0).sqrt().nan_to_num(0.0)
        worth = summed_colour(self._paint, {n: t.to(self.device) for n, t in parts.items()}, None)
        rank = torch.where(distance > 0, -distance, worth.double().cpu())
        kept = rank.argsort(descending=True, stable=True)[: self.given.count].sort().values
        return {name: tensor[..., kept] for name, tensor in parts.items()}

    def _paint(self, tensors: Mapping[str, Tensor]) -> Tensor:
        return paint(
            self.plan.primitive,
            {name: tensor.to(self.device) for name, tensor in tensors.items()},
            self.canvas,
            background=self.background,
            backend=self.backend,
        )
