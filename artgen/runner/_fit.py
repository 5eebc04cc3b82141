"""The loop: advance the engine in small chunks and act at steps fixed by the recipe.

Evaluations, frames and budgets happen at step numbers that depend on the recipe alone, so the size
of a chunk, a log, a checkpoint or the clock never change the result. The exceptions are what the
user asks of the clock: `time` is turned into steps before the first one, and an interruption ends
the run where it is; both are written into the recipe as `steps` and `stop`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray

from artgen.drawing import Drawing
from artgen.engines import Engine, Problem, Report
from artgen.errors import Diverged, OutOfMemory
from artgen.events import Advanced, Evaluated, Event, FrameTaken, Notice
from artgen.output import frame_steps
from artgen.recipe import Recipe, Stage
from artgen.resolve import Plan
from artgen.runner._folder import RunFolder

__all__ = ["Fit", "Interruption", "Result"]

CHUNK_SECONDS = 0.05
CHECKPOINT_SECONDS = 10.0
EVALUATIONS = 30
RECOVERIES = 3
MEMORY_CUTS = 6
OVERTIME = 1.25
HOLD_SECONDS = 2.0
FRAME_SHARE = 0.25
"""The part of a time budget that frames may take."""


class Interruption:
    """A request to stop after the current chunk, from a signal handler or another thread."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask."""
        self.requested = True


@dataclass
class Result:
    """What a fit leaves: the best drawing, why it stopped, and the recipe that repeats it."""

    drawing: Drawing
    recipe: Recipe
    stopped_by: str
    steps: int
    seconds: float
    diverged: Diverged | None = None


@dataclass
class _Progress:
    """The runner's own part of a checkpoint, beside the engine's."""

    stage: int = 0
    offset: int = 0
    seconds: float = 0.0
    stage_seconds: float = 0.0
    budget: float | None = None
    recoveries: int = 0
    plateau_psnr: float = -1.0
    plateau_step: int = 0
    stopped_by: str = "steps"
    start: dict[str, torch.Tensor] = field(default_factory=dict)


class Fit:
    """One run of a plan; `run` may be called once.

    `paint_frame` turns a drawing into uint8 pixels; `start_at` is the first drawing.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        start_at: Drawing,
        device: str,
        emit: Callable[[Event], None],
        run_name: str,
        interruption: Interruption,
        folder: RunFolder | None = None,
        checkpoint_every: int | None = None,
        paint_frame: Callable[[Drawing], NDArray[Any]] | None = None,
    ) -> None:
        self.plan = plan
        self.recipe = plan.recipe
        self.target, self.weight, self.device = target, weight, device
        self.drawing = start_at
        self.emit, self.name, self.interruption = emit, run_name, interruption
        self.folder, self.checkpoint_every = folder, checkpoint_every
        self.paint_frame = paint_frame if folder else None
        self.progress = _Progress()
        self.resumed: dict[str, Any] | None = None
        self.chunk = 1
        self.last_checkpoint = time.perf_counter()

    @property
    def resumed_at(self) -> int:
        """The step a resumed run goes on from, 0 for a new one."""
        return self.progress.offset + int(self.resumed["step"]) if self.resumed else 0

    def resume(self, checkpoint: dict[str, Any]) -> None:
        """Go on from a checkpoint instead of from the start."""
        start = {k[6:]: v for k, v in checkpoint.items() if k.startswith("start.")}
        own = {k[9:]: v for k, v in checkpoint.items() if k.startswith("progress.")}
        self.progress = _Progress(**own, start=start)
        self.resumed = {k[7:]: v for k, v in checkpoint.items() if k.startswith("engine.")}
        if start:
            self.drawing = self._with(start)

    def run(self) -> Result:
        """Run all stages. Raises OutOfMemory and what the engines refuse."""
        diverged = None
        for index in range(self.progress.stage, len(self.recipe.stage)):
            engine = self._start_stage(index)
            try:
                self._run_stage(engine)
            except Diverged as error:
                diverged, self.progress.stopped_by = error, "diverged"
            self.drawing = engine.drawing(best=True)
            self.progress.offset += engine.step
            if self.progress.stopped_by in ("interrupted", "diverged"):
                break
        return Result(
            self.drawing,
            self.recipe,
            self.progress.stopped_by,
            self.progress.offset,
            self.progress.seconds,
            diverged,
        )

    @property
    def stage(self) -> Stage:
        """The stage that is running."""
        return self.recipe.stage[self.progress.stage]

    def _start_stage(self, index: int) -> Engine:
        engine: Engine = self.plan.engines[index]()
        if self.resumed is not None:
            engine.start(self._problem(index))
            engine.load_state_dict(self.resumed)
            self.resumed = None
            return engine
        start = dict(self.drawing.tensors) if index else {}
        offset, seconds = self.progress.offset, self.progress.seconds
        self.progress = _Progress(index, offset, seconds, start=start)
        if self.stage.time is not None:
            self._turn_time_into_steps(engine)
        engine.start(self._problem(index))
        return engine

    def _problem(self, index: int, total_steps: int | None = None) -> Problem:
        stage = self.recipe.stage[index]
        seed = self.recipe.seed or 0
        return Problem(
            primitive=self.plan.primitive,
            drawing=self.drawing,
            target=self.target,
            weight=self.weight,
            loss=self.plan.losses[index],
            total_steps=total_steps or stage.steps or 1,
            # The initial drawing used the seed itself.
            seed=(seed + 7919 * (index + 1)) % 2**63,
            device=self.device,
            options=stage.options,
        )

    def _run_stage(self, engine: Engine) -> None:
        stage, progress = self.stage, self.progress
        total = stage.steps or 1
        end = total if stage.stop is None else min(stage.stop, total)
        evaluations = {*range(0, end, max(1, total // EVALUATIONS)), end}
        frames = set(self._frame_steps(total))
        if engine.step == 0:
            self._evaluate(engine, total)
            self._frame(engine, frames)
        while engine.step < end and progress.stopped_by == "steps":
            stops = [step for step in (*evaluations, *frames, end) if step > engine.step]
            if self.checkpoint_every:
                stops.append((engine.step // self.checkpoint_every + 1) * self.checkpoint_every)
            self._advance(engine, min(self.chunk, min(stops) - engine.step))
            if engine.step in evaluations:
                self._evaluate(engine, total)
            self._frame(engine, frames)
            self._checkpoint(engine)
            late = progress.budget is not None and progress.stage_seconds > (
                OVERTIME * progress.budget
            )
            if self.interruption.requested and engine.step < end:
                # The checkpoint comes first: judging here is not part of the uninterrupted run.
                self._checkpoint(engine, now=True)
                self._stop(engine, "interrupted", total, evaluations)
            elif late and engine.step < end:
                self._stop(engine, "time", total, evaluations)
        if progress.stopped_by != "steps" and engine.step < total:
            self._set_stage(stop=engine.step)

    def _stop(self, engine: Engine, reason: str, total: int, evaluations: set[int]) -> None:
        if engine.step not in evaluations:
            self._evaluate(engine, total)
        self.progress.stopped_by = reason

    def _advance(self, engine: Engine, steps: int) -> None:
        """One chunk; its duration sets the size of the next."""
        began, first = time.perf_counter(), engine.step
        self._guarded(engine, lambda: engine.advance(first + steps - engine.step))
        took = time.perf_counter() - began
        self._count(took)
        if took < CHUNK_SECONDS / 2:
            self.chunk = min(2 * self.chunk, 1000)
        elif took > 2 * CHUNK_SECONDS:
            self.chunk = max(1, self.chunk // 2)
        self.emit(
            Advanced(
                self.name,
                self.progress.offset + engine.step,
                self._total_steps(),
                self.progress.seconds,
            )
        )

    def _evaluate(self, engine: Engine, total: int) -> None:
        """Judge the full picture; budgets in dB and the plateau are decided here."""
        began = time.perf_counter()
        report = self._guarded(engine, engine.report)
        self._count(time.perf_counter() - began)
        if report is None:
            return
        progress, stage = self.progress, self.stage
        self.emit(
            Evaluated(
                self.name,
                progress.offset + report.step,
                self._total_steps(),
                report.loss,
                report.psnr,
                progress.seconds,
            )
        )
        if report.psnr > progress.plateau_psnr + 0.01:
            progress.plateau_psnr, progress.plateau_step = report.psnr, report.step
        if stage.target_psnr is not None and report.psnr >= stage.target_psnr:
            progress.stopped_by = "target-psnr"
        elif stage.plateau is not None and report.step - progress.plateau_step >= stage.plateau:
            progress.stopped_by = "plateau"

    def _guarded(self, engine: Engine, work: Callable[[], Report | None]) -> Report | None:
        """Do `work`; after divergence go back at half the rate, out of memory try smaller pieces."""
        for cut in range(MEMORY_CUTS + 1):
            try:
                return work()
            except Diverged as error:
                if self.progress.recoveries == RECOVERIES:
                    raise
                self.progress.recoveries += 1
                engine.recover(0.5)
                self._notice(f"{error.message}: back to the best, at half the rate")
                return None
            except OutOfMemory:
                if cut == MEMORY_CUTS:
                    raise
                engine.limit_memory(0.5)
                self._notice("out of memory: trying again in smaller pieces")
        return None

    def _frame(self, engine: Engine, frames: set[int]) -> None:
        progress = self.progress
        if self.paint_frame is None or self.folder is None or engine.step not in frames:
            return
        if engine.step == 0 and progress.stage > 0:
            return
        began = time.perf_counter()
        step = progress.offset + engine.step
        self.folder.frames.add(step, self.paint_frame(engine.drawing(best=False)))
        self._count(time.perf_counter() - began)
        self.emit(FrameTaken(self.name, step))

    def _frame_steps(self, total: int) -> Sequence[int]:
        """The frame schedule, thinned evenly where there are more than the recipe allows."""
        if self.paint_frame is None:
            return []
        output = self.recipe.output
        shown = output.video_seconds - min(HOLD_SECONDS, output.video_seconds / 2)
        allowed = output.frames or max(2, 2 * round(shown * output.fps))
        steps = frame_steps(total)
        if len(steps) <= allowed:
            return steps
        last = len(steps) - 1
        return [steps[round(i * last / max(1, allowed - 1))] for i in range(allowed)]

    def _checkpoint(self, engine: Engine, now: bool = False) -> None:
        if self.folder is None:
            return
        if self.checkpoint_every:
            now = now or engine.step % self.checkpoint_every == 0
        else:
            now = now or time.perf_counter() - self.last_checkpoint > CHECKPOINT_SECONDS
        if not now:
            return
        own = {k: v for k, v in vars(self.progress).items() if k != "start"}
        state = {f"progress.{key}": value for key, value in own.items()}
        state |= {f"start.{name}": tensor for name, tensor in self.progress.start.items()}
        state |= {f"engine.{key}": value for key, value in engine.state_dict().items()}
        self.folder.save_checkpoint(state)
        self.last_checkpoint = time.perf_counter()

    def _turn_time_into_steps(self, engine: Engine) -> None:
        """Time some steps, an evaluation and a frame, then fix the number of steps.

        What was tried is thrown away: the run equals one with that number of steps.
        """
        budget = self.stage.time or 0.0
        index = self.progress.stage
        engine.start(self._problem(index, total_steps=1000))
        engine.advance(2)
        engine.report()
        steps, began = 0, time.perf_counter()
        while steps < 3 or time.perf_counter() - began < min(2.0, 0.05 * budget):
            engine.advance(1)
            steps += 1
        per_step = (time.perf_counter() - began) / steps
        began = time.perf_counter()
        engine.report()
        per_evaluation = time.perf_counter() - began
        per_frame = 0.0
        if self.paint_frame is not None:
            began = time.perf_counter()
            self.paint_frame(engine.drawing(best=False))
            per_frame = 1.3 * (time.perf_counter() - began)  # storing it takes a little too
        steps = max(1, int((budget - EVALUATIONS * per_evaluation) / per_step))
        if per_frame:
            wanted = len(self._frame_steps(steps))
            allowed = max(2, int(FRAME_SHARE * budget / per_frame))
            if allowed < wanted:
                output = {**self.recipe.output.model_dump(exclude_none=True), "frames": allowed}
                self.recipe = self.recipe.updated({"output": output})
            spent = min(allowed, wanted) * per_frame + EVALUATIONS * per_evaluation
            steps = max(1, int((budget - spent) / per_step))
        self.progress.budget = budget
        asked = self.stage.steps
        self._set_stage(steps=min(steps, asked) if asked else steps, time=None)
        if self.folder is not None:
            self.folder.write_recipe(self.recipe)

    def _set_stage(self, **changes: Any) -> None:
        """Write resolved values into the recipe's current stage."""
        stages = [stage.model_dump(mode="json", exclude_none=True) for stage in self.recipe.stage]
        current = {**stages[self.progress.stage], **changes}
        stages[self.progress.stage] = {k: v for k, v in current.items() if v is not None}
        self.recipe = self.recipe.updated({"stage": stages})

    def _total_steps(self) -> int:
        """Of the stages so far and this one."""
        return self.progress.offset + (self.stage.steps or 1)

    def _count(self, seconds: float) -> None:
        self.progress.seconds += seconds
        self.progress.stage_seconds += seconds

    def _notice(self, message: str) -> None:
        self.emit(Notice(self.name, message))

    def _with(self, tensors: dict[str, torch.Tensor]) -> Drawing:
        drawing = self.drawing
        return Drawing(
            drawing.primitive,
            drawing.options,
            tensors,
            drawing.width,
            drawing.height,
            drawing.background,
            drawing.background_weight,
            drawing.plugin,
        )
