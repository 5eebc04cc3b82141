"""The loop: advance the engine in small chunks and act at steps fixed by the recipe.

Evaluations, frames and budgets happen at step numbers that depend on the recipe alone, so the size
of a chunk, a log, a checkpoint or the clock never change the result. The exceptions are what the
user asks of the clock: `time` is turned into steps before the first one, and their number is
revised on the way; an interruption ends the run where it is. The recipe gets it all, as `steps`,
`replanned` and `stop`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field, fields, replace
from statistics import fmean
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.animation.film import Film
from artgen.animation.trajectory import Trajectory, trajectory_of
from artgen.display import open_view
from artgen.drawing import Drawing
from artgen.engines import Engine, Problem, Report
from artgen.engines.protocols import (
    FindsCount,
    HasNotices,
    HasRounds,
    LimitsMemory,
    Measures,
    Recovers,
    Stops,
    TracksParts,
    report_pace,
)
from artgen.errors import DeviceLost, Diverged, OutOfMemory, PluginError
from artgen.events import Advanced, Evaluated, FrameTaken, Measured, Notice, PreviewDrawn
from artgen.faults import broken, root_of
from artgen.metrics import decibels
from artgen.output import FrameStore
from artgen.raster import choose_backend, draw
from artgen.recipe import MOST_REVISIONS, MOST_STEPS, Recipe, Stage
from artgen.runner._context import RunContext
from artgen.runner._folder import RunFolder
from artgen.runner._frames import HOLD_SECONDS, FrameRecorder, thinned, video_steps
from artgen.runner._history import (
    LIGHT_KEYS,
    History,
    Snapshot,
    film_of,
    keeps_trajectory,
    paced,
)
from artgen.runner._prepare import Job, check_finite
from artgen.runner._timing import Budget, Pace, Stopwatch, Work, measure_pace, stretches
from artgen.seeds import derived_seed

T = TypeVar("T")

CHUNK_SECONDS = 0.05
LARGEST_CHUNK = 1000
CHECKPOINT_SECONDS = 10.0
RECOVERIES = 3
MEMORY_CUTS = 6
PLATEAU_GAIN = 0.01
"""What counts as a gain, in dB of the PSNR, or of the loss where there is none."""
OVERTIME = 1.25
_PACE_SIDE = 96
"""Long side of the pictures by which the pace of a film is measured, in pixels."""

ESTIMATED_AS = 60.0
"""To estimate a stage, it is rehearsed as for a budget of this many seconds."""
FRAMES_ESTIMATED, FEWEST_ESTIMATED = 10.0, 6
"""Frames of the rehearsal of a stage take about this many seconds at most, but there are this many.
With 3 of them, videos of siren, voronoi and gaussian had 0.43, 0.69 and 0.63 times the bytes of one
with 200; with 6 of them 0.99, 0.81 and 1.37."""


@dataclass
class Progress:
    """The runner's own part of a checkpoint: where it is in which stage."""

    stage: int = 0
    step: int = 0
    """The step of the stage that the checkpoint was taken at."""
    offset: int = 0
    """The steps of the stages before."""
    seconds: float = 0.0
    stage_seconds: float = 0.0
    budget: float | None = None
    recoveries: int = 0
    plateau_decibels: float | None = None
    plateau_step: int = 0
    stopped_by: str = "steps"
    start: dict[str, torch.Tensor] = field(default_factory=dict)
    """The drawing that the stage began with; empty for the first."""

    def state_dict(self) -> dict[str, Any]:
        """By flat names."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        return _prefixed("start.", plain.pop("start")) | plain

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Progress:
        """The opposite of `state_dict`."""
        start = _part(state, "start.")
        return cls(**{k: v for k, v in state.items() if not k.startswith("start.")}, start=start)


def on_cpu(job: Job, recipe: Recipe) -> tuple[Job, Recipe]:
    """A job and its recipe without the device, which was lost."""
    backend = choose_backend(job.plan.primitive, "cpu", recipe.run.backend)
    place = {"device": "cpu", "backend": backend.name}
    plan = replace(job.plan, recipe=job.plan.recipe.with_run(**place))
    return replace(job, plan=plan, backend=backend), recipe.with_run(**place)


def continuing(error: DeviceLost, place: str) -> str:
    """The notice that a fit goes on without its device."""
    again = "a fit of this recipe may differ a little"
    return f"{error.message}: continuing on the CPU from {place}; {again}"


class Fit:
    """One run of the job of a context; `run` may be called once.

    Then `drawing` is the best one, `recipe` repeats it, `progress` says why and where the fit
    stopped, and `film` holds the progress as key drawings, where the recipe asks for it, or else
    `trajectory` an approximation, where one is kept.

    Frames are taken and checkpoints are saved where there is a `folder`: every `checkpoint_every`
    steps of a stage, or else every ten seconds, and at the end of a stage. `started` is called
    with the engine of every stage before its first step.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        folder: RunFolder | None = None,
        checkpoint_every: int | None = None,
        started: Callable[[Engine], None] | None = None,
    ) -> None:
        self.job = job = context.job
        self.recipe, self.drawing = job.recipe, job.start
        self.emit, self.name, self.control = context.emit, context.name, context.control
        self.folder, self.checkpoint_every = folder, checkpoint_every
        self.started = started or (lambda engine: None)
        output = job.recipe.output
        self.makes_frames = output.video and not (
            output.walk or output.film or output.start == "parts"
        )
        self.filming = folder is not None and self.makes_frames
        self.history = History(None if folder is None else folder.history)
        self.keys = LIGHT_KEYS if keeps_trajectory(job.plan, job.start) else output.history or 0
        self.progress = Progress()
        self.diverged: Diverged | None = None
        self.film: Film | None = None
        self.trajectory: Trajectory | None = None
        self.resumed: dict[str, Any] | None = None
        self.recorder: FrameRecorder | None = None
        self.chunk = 1
        self.memory_share = 1.0
        self.last_checkpoint = time.perf_counter()
        self.watch = Stopwatch()
        self.budget: Budget | None = None
        self.most_steps = MOST_STEPS

    @property
    def resumed_at(self) -> int:
        """The step a resumed run goes on from, 0 for a new one."""
        return self.progress.offset + self.progress.step

    @property
    def total_steps(self) -> int:
        """Of the stages so far and those to come, as far as known."""
        coming = self.recipe.stage[self.progress.stage :]
        return self.progress.offset + sum(stage.steps or 0 for stage in coming)

    def resume(self) -> None:
        """Go on from the folder's newest checkpoint; from the start where there is none."""
        assert self.folder is not None
        checkpoint = self.folder.load_checkpoint()
        if checkpoint is not None:
            with self.folder.using_checkpoint():
                self.progress = Progress.from_state(_part(checkpoint, "progress."))
                if not 0 <= self.progress.stage < len(self.recipe.stage):
                    raise ValueError(f"the run has no stage {self.progress.stage}")
            self.resumed = _part(checkpoint, "engine.")
            if self.progress.start:
                self.drawing = replace(self.drawing, tensors=self.progress.start)
                self.job.plan.primitive.check_tensors(self.drawing)
        known = -1 if self.resumed is None else self.resumed_at
        self.folder.frames.drop_after(known)
        self.history.drop_after(known)

    def run(self) -> None:
        """Run all stages. Raises OutOfMemory and what the engines refuse."""
        index = self.progress.stage
        while index < len(self.recipe.stage):
            try:
                engine = self._complete_stage(index)
            except DeviceLost as error:
                self._move_to_cpu(error)
                index = self.progress.stage
                continue
            last = Snapshot(
                self.progress.offset + engine.step,
                index,
                self.drawing.tensors,
                _identities(engine, best=True),
            )
            self.progress.offset += engine.step
            if self.progress.stopped_by == "interrupted":
                # Made again, the recipe ends here too.
                self.recipe = self.recipe.with_stages(self.recipe.stage[: index + 1])
            if self.progress.stopped_by in ("interrupted", "diverged"):
                break
            index += 1
        if self.keys:
            film = self._film(last)
            if self.recipe.output.history:
                self.film = paced(film, self._shown(film))
            elif light := trajectory_of(film, parts=self.job.plan.primitive.has_count):
                film = light.film(self.drawing)
                times = paced(film, self._shown(film)).scenes[0].times
                self.trajectory = light.retimed(times)

    def _complete_stage(self, index: int) -> Engine:
        """Run a stage, or what is left of it, up to its best drawing."""
        engine = self._start_stage(index)
        for notice in engine.notices if isinstance(engine, HasNotices) else ():
            self._notice(notice)
        if self.folder is not None:
            self.recorder = FrameRecorder(self.job, self.folder.frames)
        # Where a run fails, its folder may be removed.
        with closing(self.recorder) if self.recorder else nullcontext():
            try:
                self._run_stage(engine)
            except Diverged as error:
                self.diverged, self.progress.stopped_by = error, "diverged"
            self._finish_frame()
        self.drawing = engine.drawing(best=True)
        return engine

    def _move_to_cpu(self, error: DeviceLost) -> None:
        """Return to the last checkpoint, or to the start, and go on without the device."""
        self.job, self.recipe = on_cpu(self.job, self.recipe)
        self.progress, self.drawing, self.budget = Progress(), self.job.start, None
        if self.folder is not None:
            self.folder.write_recipe(self.recipe)
            self.resume()
        self._notice(continuing(error, f"step {self.resumed_at}"))

    def _film(self, last: Snapshot) -> Film:
        """The history, which ends with the drawing that is saved."""
        output = self.recipe.output
        seconds = output.video_seconds
        return film_of(
            [*(key for key in self.history.stored() if key.step < last.step), last],
            parted=self.job.plan.primitive.has_count,
            seconds=seconds,
            hold=min(HOLD_SECONDS, seconds / 2),
            fps=output.fps,
        )

    def _shown(self, film: Film) -> Callable[[float], NDArray[np.uint8]]:
        """Draws moments of a film: pictures small, to see how much they change."""
        job = self.job
        canvas = job.start.canvas
        if job.target.subject is None:
            canvas = canvas.scaled(min(_PACE_SIDE, max(canvas.width, canvas.height)))
        view = open_view(
            job.shown(job.start),
            job.plan.primitive,
            canvas,
            device=job.device,
            backend=job.backend,
            test=job.data.test,
        )
        return lambda seconds: view.show(job.shown(film.drawing(job.start, seconds))).pixels

    @property
    def stage(self) -> Stage:
        """The stage that is running."""
        return self.recipe.stage[self.progress.stage]

    def _start_stage(self, index: int) -> Engine:
        engine: Engine = self.job.plan.engines[index]()
        if self.resumed is not None:
            assert self.folder is not None
            self._start(engine)
            with self.folder.using_checkpoint():
                engine.load_state_dict(self.resumed)
            self.resumed = None
            return engine
        before = self.progress
        start = dict(self.drawing.tensors) if index else {}
        self.progress = Progress(
            stage=index, offset=before.offset, seconds=before.seconds, start=start
        )
        self.budget = None
        if self.stage.time is not None:
            self._turn_time_into_steps(engine, self.stage.time)
            self._timed(lambda: self._start(engine))
        else:
            self._start(engine)
        self.started(engine)
        return engine

    def _start(self, engine: Engine, total_steps: int | None = None) -> None:
        self.problem = self._problem(total_steps)
        engine.start(self.problem)
        if self.memory_share < 1 and isinstance(engine, LimitsMemory):
            engine.limit_memory(self.memory_share)

    def _problem(self, total_steps: int | None = None) -> Problem:
        index, data = self.progress.stage, self.job.data
        # The initial drawing used the seed itself.
        seed = derived_seed(self.recipe.seed, "stage", index + 1)
        return Problem(
            primitive=self.job.plan.primitive,
            drawing=self.drawing,
            target=data.goal,
            weight=data.weight,
            positions=data.positions,
            training=data.training,
            test=data.test,
            function=data.function,
            loss=self.job.plan.losses[index],
            total_steps=total_steps or self.stage.first_plan,
            revisions=[] if total_steps else self.stage.revisions,
            seed=seed,
            count=replace(self.job.plan, recipe=self.recipe).count,
            palette=self.job.palette,
            device=self.job.device,
            backend=self.job.backend,
            arithmetic=self.job.arithmetic,
            random=self.recipe.run.random,
            options=self.stage.options,
        )

    def _run_stage(self, engine: Engine) -> None:
        progress = self.progress
        agenda = self._agenda(engine)
        if engine.step == 0:
            if 0 in agenda.evaluations:
                self._evaluate(engine)
            if progress.stage == 0:
                self._frame(engine, agenda.frames)
                self._keep(engine, agenda.keys)
        while engine.step < agenda.end and progress.stopped_by == "steps":
            stops = [agenda.next_after(engine.step)]
            if self.checkpoint_every:
                stops.append((engine.step // self.checkpoint_every + 1) * self.checkpoint_every)
            self._advance(engine, min(self.chunk, min(stops) - engine.step))
            if engine.step in agenda.evaluations:
                self._evaluate(engine)
            self._frame(engine, agenda.frames)
            self._keep(engine, agenda.keys)
            self._show(engine)
            self.control.wait_if_paused()
            early = self._stopped_early(engine)
            # The checkpoint comes first: judging here is not part of the uninterrupted run.
            if early or self._checkpoint_due(engine):
                self._checkpoint(engine)
            if early and engine.step < agenda.end and progress.stopped_by == "steps":
                if engine.step not in agenda.evaluations:
                    self._evaluate(engine)
                progress.stopped_by = early
            elif self._replan(engine, agenda):
                agenda = self._agenda(engine)
        self._write_converged(engine)
        if progress.stopped_by != "interrupted":
            self._checkpoint(engine)
        if progress.stopped_by != "steps" and engine.step < (self.stage.steps or 1):
            self._set_stage(stop=engine.step)

    def _agenda(self, engine: Engine) -> _Agenda:
        """What happens at which step, as the stage is planned now."""
        stage, planned, at = self.stage, self.stage.first_plan, self.problem.step_at
        total = stage.steps or 1
        end = total if stage.stop is None else min(stage.stop, total)
        evaluations = map(at, self._evaluation_steps(engine, planned))
        return _Agenda(
            end,
            {step for step in evaluations if step < end} | {end},
            set(map(at, self._frame_steps(planned))),
            set(map(at, self._key_steps(planned))),
        )

    def _evaluation_steps(self, engine: Engine, total: int) -> Sequence[int]:
        """When a stage of `total` steps is evaluated."""
        pace, most = report_pace(engine), self.stage.evaluations
        every = max(1, min(total // pace.reports, pace.steps or total))
        if most is not None:
            every = max(every, -(-total // max(1, most - 1)))
        return [total] if most == 1 else [*range(0, total, every), total]

    def _replan(self, engine: Engine, agenda: _Agenda) -> bool:
        """Revise the number of steps where the stage would not end with its time."""
        stage, step, spent = self.stage, engine.step, self.progress.stage_seconds
        total, before = stage.steps or 1, stage.replanned or ()
        if self.budget is None or step >= agenda.end or not self.budget.is_due(spent):
            return False
        left = self.budget.revised(
            spent,
            total - step,
            self.problem.progress(step),
            evaluations=_number_after(step, agenda.evaluations),
            frames=_number_after(step, agenda.frames),
            rounds=_number_after(step - 1, _rounds(engine)),
        )
        revised = min(step + left, self.most_steps)
        if revised == total or len(before) == MOST_REVISIONS:
            return False
        self.problem.revisions.append((step, revised))
        self._set_stage(steps=revised, replanned=(*before, (step, total)))
        if self.folder is not None:
            self.folder.write_recipe(self.recipe)
        return True

    def _write_converged(self, engine: Engine) -> None:
        """Write the count and the options that the engine found into the recipe."""
        found = engine.converged() if isinstance(engine, FindsCount) else {}
        if not found:
            return
        if "count" in found:
            self.recipe = self.recipe.with_primitive(count=found.pop("count"))
        self._set_stage(**found)
        if self.folder is not None and self.progress.stopped_by != "interrupted":
            self.folder.write_recipe(self.recipe)

    def _stopped_early(self, engine: Engine) -> str | None:
        """Why to stop here, where no budget of the recipe says so."""
        if isinstance(engine, Stops) and engine.finished:
            return "finished"
        if self.control.stop_requested:
            return "interrupted"
        budget = self.progress.budget
        if budget is not None and self.progress.stage_seconds > OVERTIME * budget:
            return "time"
        return None

    def _advance(self, engine: Engine, steps: int) -> None:
        """One chunk; its duration sets the size of the next."""
        begin, end = engine.step, engine.step + steps
        progress = self.problem.progress
        work = Work(
            stretches(progress(begin), progress(end), steps),
            rounds=_number_after(begin - 1, _rounds(engine), end),
        )
        _, took = self._timed(lambda: self._guarded(engine, lambda: _take_steps(engine, end)), work)
        if took < CHUNK_SECONDS / 2:
            self.chunk = min(2 * self.chunk, LARGEST_CHUNK)
        elif took > 2 * CHUNK_SECONDS:
            self.chunk = max(1, self.chunk // 2)
        # Before the events of these steps, which are later ones.
        self._finish_frame()
        step, seconds = self.progress.offset + engine.step, self.progress.seconds
        for number, metrics in engine.measured() if isinstance(engine, Measures) else ():
            self.emit(Measured(self.name, self.progress.offset + number, metrics))
        self.emit(Advanced(self.name, step, self.total_steps, seconds))

    def _evaluate(self, engine: Engine) -> None:
        """Judge the full picture; budgets in dB and the plateau are decided here."""
        progress, stage = self.progress, self.stage
        report, _ = self._timed(
            lambda: self._guarded(engine, lambda: _judge(engine)), Work(evaluations=1)
        )
        if report is None:
            return
        self.emit(
            Evaluated(
                self.name,
                progress.offset + report.step,
                self.total_steps,
                report.loss,
                report.psnr,
                progress.seconds,
                report.training_loss,
            )
        )
        quality = decibels(report.loss) if report.psnr is None else report.psnr
        before = progress.plateau_decibels
        if before is None or quality > before + PLATEAU_GAIN:
            progress.plateau_decibels, progress.plateau_step = quality, report.step
        if stage.target_psnr is not None and self._saved_psnr(engine) >= stage.target_psnr:
            progress.stopped_by = "target-psnr"
        elif stage.plateau is not None and report.step - progress.plateau_step >= stage.plateau:
            progress.stopped_by = "plateau"

    def _saved_psnr(self, engine: Engine) -> float:
        """Of what would be saved now: the engine's metric is not rounded, and may be weighted."""
        return self._timed(lambda: self.job.psnr(engine.drawing(best=True)))[0]

    def _guarded(self, engine: Engine, work: Callable[[], T]) -> T | None:
        """Do `work`; None where it diverged and the engine went back to the best."""
        try:
            return self._within_memory(engine, work)
        except Diverged as error:
            self._check_plugins(engine)
            if self.progress.recoveries == RECOVERIES or not isinstance(engine, Recovers):
                raise
            self.progress.recoveries += 1
            engine.recover(0.5)
            self._notice(f"{error.message}: back to the best drawing, at half the learning rate")
            return None

    def _check_plugins(self, engine: Engine) -> None:
        """Raise PluginError where the primitive or the loss is what diverged, not the drawing."""
        job, data = self.job, self.job.data
        primitive = job.plan.primitive
        if data.goal.dim() != 3 or data.positions is not None:
            return
        best = engine.drawing(best=True)
        if not all(bool(tensor.isfinite().all()) for tensor in best.tensors.values()):
            return
        image = draw(best, primitive, device=job.device, backend=job.backend)
        if image.isfinite().all():
            job.plan.losses[self.progress.stage].check_finite(image, data.goal, data.weight)
        elif self.progress.plateau_decibels is not None:
            # Something finite was found, and is to be saved.
            return
        elif root_of(primitive) not in ("artgen", "artgen_plugins"):
            name = next(iter(primitive.required), "").partition(" or ")[0]
            raise broken(
                f"{name} of primitive {type(primitive).__name__}",
                getattr(type(primitive), name, type(primitive)),
                "gives NaN or infinity for finite parameters",
                "keep away from logarithms and roots of 0, and from divisions by it",
            )

    def _within_memory(self, engine: Engine, work: Callable[[], T]) -> T:
        """Do `work`, in smaller and smaller pieces while memory runs out."""
        for _ in range(MEMORY_CUTS):
            try:
                return work()
            except OutOfMemory:
                if not isinstance(engine, LimitsMemory):
                    raise
                self.memory_share *= 0.5
                engine.limit_memory(0.5)
                self._notice("out of memory: trying again in smaller pieces")
        return work()

    def _frame(self, engine: Engine, frames: set[int]) -> None:
        """Begin a frame of the video, and finish it here unless the fit can go on beside it."""
        if self.recorder is None or engine.step not in frames:
            return
        step, recorder = self.progress.offset + engine.step, self.recorder
        beside, _ = self._timed(lambda: recorder.begin(step, engine.drawing(best=False)))
        if not beside:
            self._finish_frame()

    def _finish_frame(self) -> None:
        """Wait for the frame that was begun, if there is one."""
        if self.recorder is None or not self.recorder.is_busy:
            return
        frame, _ = self._timed(self.recorder.finish, Work(frames=1))
        if frame is None:
            return
        self.emit(FrameTaken(self.name, frame.step))
        self.emit(PreviewDrawn(self.name, frame.step, frame.pixels))
        self.control.preview_drawn(frame.seconds)

    def _keep(self, engine: Engine, keys: set[int]) -> None:
        """Keep a drawing for the history: what that takes is no part of the run."""
        if engine.step not in keys:
            return
        drawing = engine.drawing(best=False)
        try:
            check_finite(drawing)
        except Diverged:
            return
        step = self.progress.offset + engine.step
        self.history.add(step, self.progress.stage, drawing, _identities(engine, best=False))

    def _show(self, engine: Engine) -> None:
        """Draw for those who watch: what that takes is no part of the run."""
        shown_soon = self.recorder is not None and self.recorder.is_busy
        if shown_soon or not self.control.wants_preview():
            return
        began_cpu = time.process_time()
        try:
            pixels = self.job.draw(engine.drawing(best=False)).pixels
        except (Diverged, OutOfMemory):
            return
        self.emit(PreviewDrawn(self.name, self.progress.offset + engine.step, pixels))
        self.control.preview_drawn(time.process_time() - began_cpu)

    def _frame_steps(self, total: int) -> Sequence[int]:
        """When frames are taken."""
        return video_steps(total, self.recipe.output) if self.filming else []

    def _key_steps(self, total: int) -> Sequence[int]:
        """When drawings are kept for the history."""
        return thinned(total, self.keys) if self.keys else []

    def _checkpoint_due(self, engine: Engine) -> bool:
        if self.checkpoint_every:
            return engine.step % self.checkpoint_every == 0
        return time.perf_counter() - self.last_checkpoint > CHECKPOINT_SECONDS

    def _checkpoint(self, engine: Engine) -> None:
        if self.folder is None:
            return
        # A resumed run makes the later ones only.
        self._finish_frame()
        self.progress.step = engine.step
        state = _prefixed("progress.", self.progress.state_dict())
        self.folder.save_checkpoint(state | _prefixed("engine.", engine.state_dict()))
        self.last_checkpoint = time.perf_counter()

    def _turn_time_into_steps(self, engine: Engine, budget: float) -> None:
        """Rehearse with an evaluation and a frame, then fix the number of steps.

        The rehearsal is thrown away: the run equals one with that number of steps.
        """

        pace = self.rehearse(engine, budget)
        self._count(pace.rehearsed)
        left = budget - pace.rehearsed
        most = pace.evaluations_in(budget)
        # Where there are fewer steps, there are no more evaluations or frames.
        steps = pace.steps_in(left, rounds=pace.rounds)
        if len(self._evaluation_steps(engine, steps)) > most:
            self._set_stage(evaluations=most)
        if self.filming and len(self._frame_steps(steps)) > pace.frames_in(left):
            self.recipe = self.recipe.with_output(frames=pace.frames_in(left))
        steps = pace.steps_in(
            left,
            evaluations=len(self._evaluation_steps(engine, steps)),
            frames=len(self._frame_steps(steps)),
            rounds=pace.rounds,
        )
        # Rounds seem dear in a rehearsal: a plan that is too short could not be revised in time.
        steps = max(steps, pace.steps_in(left / 2))
        self.progress.budget = budget
        self.most_steps = self.stage.steps or MOST_STEPS
        if "replanning" in engine.supports:
            self.budget = Budget(pace, budget)
        self._set_stage(steps=min(steps, self.most_steps), time=None, replanned=None)
        if self.folder is not None:
            self.folder.write_recipe(self.recipe)

    def rehearse(
        self,
        engine: Engine,
        budget: float,
        *,
        passed: Callable[[Engine], None] | None = None,
        most: int | None = None,
    ) -> Pace:
        """Find out how long steps, evaluations and frames of the stage take, for this budget.

        Where `passed` is called after steps, it draws the frames; see `measure_pace`.
        """

        def begin(steps: int) -> Engine:
            self._start(engine, steps)
            return engine

        shown = self.job.draw_frame if self.filming and passed is None else None
        stop = self._stop_requested
        return self._within_memory(
            engine,
            lambda: measure_pace(begin, shown, budget, self.watch, stop, passed=passed, most=most),
        )

    def estimate(self, frames: FrameStore) -> tuple[float, float]:
        """Rehearse every stage; return how many seconds they take where none stops early.

        The second number is how much longer work took when it was done for the first time. A stage
        is rehearsed from where the rehearsal of the stage before ended. The `frames` of the
        rehearsal are kept for a video. Afterwards the fit cannot be run any more.
        """
        self.filming, seconds, first = self.makes_frames, 0.0, 0.0
        offset, drawn = 0, list[float]()

        def passed(engine: Engine) -> None:
            steps = self._frame_steps(self.problem.total_steps)
            if engine.step not in steps:
                return
            # Where a frame takes longer, there are fewer of them.
            index, every = steps.index(engine.step), max(1, len(steps) // FEWEST_ESTIMATED)
            if index % every == 0 or sum(drawn) <= FRAMES_ESTIMATED * index / len(steps):
                began = time.perf_counter()
                with suppress(Diverged):
                    pixels = self.job.draw_frame(engine.drawing(best=False))
                    frames.add(offset + engine.step, pixels)
                drawn.append(time.perf_counter() - began)

        for index, stage in enumerate(self.recipe.stage):
            self.progress = Progress(stage=index)
            drawn.clear()
            engine: Engine = self.job.plan.engines[index]()
            limit = math.inf if stage.time is None else stage.time
            began = time.perf_counter()
            budget = min(limit, ESTIMATED_AS)
            pace = self.rehearse(engine, budget, passed=passed, most=stage.steps)
            first += max(0.0, time.perf_counter() - began - pace.rehearsed - sum(drawn))
            # The first one may have to compile.
            pace = replace(pace, frame=fmean(drawn[1:] or drawn or [0.0]))
            if stage.steps is not None:
                work = Work(
                    stretches(0.0, 1.0, stage.steps),
                    evaluations=len(self._evaluation_steps(engine, stage.steps)),
                    frames=len(self._frame_steps(stage.steps)),
                    rounds=pace.rounds,
                )
                limit = min(limit, pace.seconds(work))
            seconds += limit
            self.drawing = engine.drawing(best=False)
            offset += engine.step
        self.progress.offset = offset
        return seconds, first

    def _set_stage(self, **changes: Any) -> None:
        """Write resolved values into the recipe's current stage."""
        self.recipe = self.recipe.with_stage(self.progress.stage, **changes)

    def _stop_requested(self) -> bool:
        return self.control.stop_requested

    def _timed(self, work: Callable[[], T], expected: Work | None = None) -> tuple[T, float]:
        """Do `work` as a part of the run; its result and its seconds, which are counted."""
        lost = self.watch.lost
        result, seconds = self.watch.measure(work)
        self._count(seconds)
        if self.budget is not None and expected is not None:
            self.budget.count(expected, seconds)
        if self.watch.lost > lost:
            still = self.watch.lost - lost
            self._notice(f"the process was stopped for {still:.0f} s, which is not counted")
        return result, seconds

    def _count(self, seconds: float) -> None:
        self.progress.seconds += seconds
        self.progress.stage_seconds += seconds

    def _notice(self, message: str) -> None:
        self.emit(Notice(self.name, message))


@dataclass(frozen=True)
class _Agenda:
    """The last step of a stage, and the steps at which something happens."""

    end: int
    evaluations: set[int]
    frames: set[int]
    keys: set[int]

    def next_after(self, step: int) -> int:
        """The next step at which something happens."""
        steps = self.evaluations | self.frames | self.keys
        return min(each for each in (*steps, self.end) if each > step)


def _rounds(engine: Engine) -> Collection[int]:
    return engine.rounds if isinstance(engine, HasRounds) else ()


def _number_after(step: int, steps: Collection[int], end: float = math.inf) -> int:
    """How many of the `steps` lie after `step`, and before `end`."""
    return sum(step < each < end for each in steps)


def _identities(engine: Engine, best: bool) -> torch.Tensor | None:
    """Numbers of the parts, where the engine tracks them."""
    return engine.identities(best) if isinstance(engine, TracksParts) else None


def _take_steps(engine: Engine, end: int) -> None:
    """Advance until `end`. Raises PluginError if the engine does not count its steps."""
    before = engine.step
    engine.advance(end - before)
    if engine.step == before and not (isinstance(engine, Stops) and engine.finished):
        hint = "add 1 to self.step in every step"
        raise _broken(engine, "advance", f"left step at {before}", hint)


def _judge(engine: Engine) -> Report:
    """A report on what can be saved: one on other parameters must not become the best.

    Raises PluginError if the engine gives objects of other types.
    """
    # A drawing may have to be read from a device first.
    if "finite" not in engine.supports:
        drawing = engine.drawing(best=False)
        if not isinstance(drawing, Drawing):
            hint = "use dataclasses.replace(problem.drawing, tensors=...)"
            raise _broken(engine, "drawing", f"gave {type(drawing).__name__}, not Drawing", hint)
        check_finite(drawing)
    report = engine.report()
    if not isinstance(report, Report):
        hint = "return artgen.Report(self.step, loss, psnr, improved)"
        raise _broken(engine, "report", f"gave {type(report).__name__}, not Report", hint)
    return report


def _broken(engine: Engine, method: str, problem: str, hint: str) -> PluginError:
    cls = type(engine)
    return broken(f"{method} of engine {cls.__name__}", getattr(cls, method), problem, hint)


def _prefixed(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + key: value for key, value in state.items()}


def _part(state: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The opposite of `_prefixed`: only what has the prefix."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
