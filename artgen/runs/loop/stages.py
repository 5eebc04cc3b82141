"""The loop: advance the engine in small chunks and act at steps fixed by the recipe.

Evaluations, frames and budgets happen at step numbers that depend on the recipe alone, so the size
of a chunk, a log, a checkpoint or the clock never change the result. The exceptions are what the
user asks of the clock: `time` is turned into steps before the first one, and their number is
revised on the way; an interruption ends the run where it is. The recipe gets it all, as `steps`,
`replanned` and `stop`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from artgen.base.errors import DeviceLost, Diverged, PluginError
from artgen.base.faults import broken
from artgen.base.seeds import derived_seed
from artgen.engines import Engine, Report
from artgen.events import Advanced, Evaluated, Measured
from artgen.recipe import Recipe, Stage
from artgen.runs.context import RunContext
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Fitted, Job, check_finite
from artgen.runs.loop.agenda import Agenda, work_between
from artgen.runs.loop.checkpoints import Checkpoints
from artgen.runs.loop.history import Snapshot
from artgen.runs.loop.pace import Pace, Workload, measure_pace
from artgen.runs.loop.progress import Progress
from artgen.runs.loop.recording import Recording
from artgen.runs.loop.recovery import Recovery, continuing, on_cpu
from artgen.runs.loop.time_budget import TimeBudget
from artgen.values.drawing import Drawing

CHUNK_SECONDS = 0.05
LARGEST_CHUNK = 1000
REHEARSED_PICTURES = 50
"""Test pictures that a rehearsal evaluates: all of them may take longer than the fit."""


class Loop:
    """The fit of one job, stage by stage; `run` may be called once.

    Frames are taken and checkpoints are saved where there is a `folder`: every `checkpoint_every`
    steps of a stage, or else every ten seconds, and at the end of a stage. `started` is called
    with the engine of every stage before its first step.
    """

    def __init__(
        self,
        job: Job,
        context: RunContext,
        *,
        folder: RunFolder | None = None,
        checkpoint_every: int | None = None,
        started: Callable[[Engine], None] | None = None,
    ) -> None:
        self.job, self.recipe, self.drawing, self.context = job, job.recipe, job.start, context
        self.folder, self.started = folder, started or (lambda engine: None)
        self.progress = progress = Progress()
        self.checkpoints = Checkpoints(folder, checkpoint_every, progress)
        self.time = TimeBudget(progress, context.notify)
        self.recovery = Recovery(job, progress, context.notify)
        self.recording = Recording(job, folder, progress, self.time, context)
        self.diverged: Diverged | None = None
        self.chunk = 1

    @property
    def resumed_at(self) -> int:
        """The step a resumed run goes on from, 0 for a new one."""
        return self.progress.offset + self.progress.step

    @property
    def total_steps(self) -> int:
        """Of the stages so far and those to come, as far as known."""
        coming = self.recipe.stage[self.progress.stage :]
        return self.progress.offset + sum(stage.steps or 0 for stage in coming)

    @property
    def stage(self) -> Stage:
        """The stage that is running."""
        return self.recipe.stage[self.progress.stage]

    def resume(self) -> None:
        """Go on from the folder's newest checkpoint; from the start where there is none."""
        self.checkpoints.load(len(self.recipe.stage))
        if self.progress.start:
            self.drawing = replace(self.drawing, tensors=self.progress.start)
            self.job.plan.primitive.check_tensors(self.drawing)
        self.recording.drop_after(-1 if self.checkpoints.engine is None else self.resumed_at)

    def run(self) -> Fitted:
        """Run all stages. Raises OutOfMemory and what the engines refuse."""
        progress, index = self.progress, self.progress.stage
        while index < len(self.recipe.stage):
            try:
                engine = self._complete_stage(index)
            except DeviceLost as error:
                self._move_to_cpu(error)
                index = progress.stage
                continue
            found = self.drawing.tensors, engine.identities(best=True)
            progress.offset += engine.step
            last = Snapshot(progress.offset, index, *found)
            if progress.stopped_by == "interrupted":
                # Made again, the recipe ends here too.
                self.recipe = self.recipe.with_stages(self.recipe.stage[: index + 1])
            if progress.stopped_by in ("interrupted", "diverged"):
                break
            index += 1
        film, trajectory = self.recording.progress_of(last, self.drawing)
        return Fitted(
            self.job,
            self.recipe,
            self.drawing,
            progress.offset,
            progress.seconds,
            progress.stopped_by,
            film,
            trajectory,
            self.diverged,
        )

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

        def stop() -> bool:
            return self.context.control.stop_requested

        filming = self.recording.occasions.filming and passed is None
        shown, watch = self.job.draw_frame if filming else None, self.time.watch
        pace = self.recovery.within_memory(
            engine,
            lambda: measure_pace(begin, shown, budget, watch, stop, passed=passed, most=most),
        )
        if self.job.data.test is None:
            return pace
        pictures, seen = len(self.job.data.goal), len(self.problem.target)
        return replace(pace, pictures=pictures, evaluation=pace.evaluation * pictures / seen)

    def _complete_stage(self, index: int) -> Engine:
        """Run a stage, or what is left of it, up to its best drawing."""
        engine = self._start_stage(index)
        for notice in engine.notices:
            self.context.notify(notice)
        with self.recording.of_stage():
            try:
                self._run_stage(engine)
            except Diverged as error:
                self.diverged, self.progress.stopped_by = error, "diverged"
        self.drawing = engine.drawing(best=True)
        return engine

    def _move_to_cpu(self, error: DeviceLost) -> None:
        """Return to the last checkpoint, or to the start, and go on without the device."""
        self.job, self.recipe = on_cpu(self.job, self.recipe)
        self.recovery.job = self.recording.job = self.job
        self.progress.become(Progress())
        self.drawing = self.job.start
        self.time.begin_stage()
        if self.folder is not None:
            self.folder.write_recipe(self.recipe)
            self.resume()
        self.context.notify(continuing(error, f"step {self.resumed_at}"))

    def _start_stage(self, index: int) -> Engine:
        engine: Engine = self.job.plan.engines[index]()
        if self.checkpoints.engine is not None:
            self._start(engine)
            self.checkpoints.restore(engine)
            self.started(engine)
            return engine
        left = self.time.left
        self.progress.begin_stage(index, dict(self.drawing.tensors) if index else {})
        self.time.begin_stage()
        if self.stage.time is None:
            self._start(engine)
        else:
            budget = self.stage.time + left
            # The rehearsal is thrown away: the run equals one with that number of steps.
            pace, occasions = self.rehearse(engine, budget), self.recording.occasions
            self._settle(self.time.planned(self.recipe, engine, pace, budget, occasions))
            self.time.timed(lambda: self._start(engine))
        self.started(engine)
        return engine

    def _start(self, engine: Engine, total_steps: int | None = None) -> None:
        """Start the engine of the stage; `total_steps` are those of a rehearsal."""
        job, stage, index = self.job, self.stage, self.progress.stage
        self.problem = job.problem(
            self.drawing,
            job.data.sampled(REHEARSED_PICTURES if total_steps else stage.test_pictures),
            primitive=job.plan.primitives[index],
            loss=job.plan.losses[index],
            total_steps=total_steps or stage.first_plan,
            revisions=[] if total_steps else stage.revisions,
            # The initial drawing used the seed itself.
            seed=derived_seed(self.recipe.seed, "stage", index + 1),
            count=replace(job.plan, recipe=self.recipe).count,
            options=stage.options,
        )
        engine.start(self.problem)
        self.recovery.limit_memory(engine)

    def _run_stage(self, engine: Engine) -> None:
        progress, recording = self.progress, self.recording
        agenda = self._agenda(engine)
        if engine.step == 0:
            if 0 in agenda.evaluations:
                self._evaluate(engine)
            if progress.stage == 0:
                recording.frame(engine, agenda.frames)
                recording.keep(engine, agenda.keys)
        while engine.step < agenda.end and progress.stopped_by == "steps":
            end = agenda.next_after(engine.step, self.checkpoints.every)
            self._advance(engine, min(engine.step + self.chunk, end))
            if engine.step in agenda.evaluations:
                self._evaluate(engine)
            recording.frame(engine, agenda.frames)
            recording.keep(engine, agenda.keys)
            recording.show(engine)
            self.context.control.wait_if_paused()
            early = self._stopped_early(engine)
            # The checkpoint comes first: judging here is not part of the uninterrupted run.
            if early or self.checkpoints.is_due(engine.step):
                self._checkpoint(engine)
            if early and engine.step < agenda.end and progress.stopped_by == "steps":
                if engine.step not in agenda.evaluations:
                    self._evaluate(engine)
                progress.stopped_by = early
            elif recipe := self.time.revised(self.recipe, engine, self.problem, agenda):
                self._settle(recipe)
                agenda = self._agenda(engine)
        self._write_converged(engine)
        if progress.stopped_by != "interrupted":
            self._checkpoint(engine)
        if progress.stopped_by != "steps" and engine.step < (self.stage.steps or 1):
            self._set_stage(stop=engine.step)

    def _agenda(self, engine: Engine) -> Agenda:
        occasions, output = self.recording.occasions, self.recipe.output
        return occasions.agenda(self.stage, output, engine, self.problem)

    def _advance(self, engine: Engine, end: int) -> None:
        """One chunk; its duration sets the size of the next."""
        work = work_between(engine.step, end, engine, self.problem)
        _, took = self.time.measured(
            lambda: self.recovery.guarded(engine, lambda: _take_steps(engine, end)), work
        )
        if took < CHUNK_SECONDS / 2:
            self.chunk = min(2 * self.chunk, LARGEST_CHUNK)
        elif took > 2 * CHUNK_SECONDS:
            self.chunk = max(1, self.chunk // 2)
        # Before the events of these steps, which are later ones.
        self.recording.finish_frame()
        emit, run, offset = self.context.emit, self.context.name, self.progress.offset
        for number, metrics in engine.measured():
            emit(Measured(run, offset + number, metrics))
        emit(Advanced(run, offset + engine.step, self.total_steps, self.progress.seconds))

    def _evaluate(self, engine: Engine) -> None:
        """Judge the full picture; budgets in dB and the plateau are decided here."""
        progress, stage = self.progress, self.stage
        report = self.time.timed(
            lambda: self.recovery.guarded(engine, lambda: _judge(engine)), Workload(evaluations=1)
        )
        if report is None:
            return
        psnr = report.psnr
        if self.recipe.target.alpha:
            psnr = self.time.timed(lambda: self.job.shown_psnr(engine.drawing(best=False)))
        run, step, total = self.context.name, progress.offset + report.step, self.total_steps
        seconds, trained = progress.seconds, report.training_loss
        self.context.emit(Evaluated(run, step, total, report.loss, psnr, seconds, trained))
        progress.note(report)
        wanted = stage.target_psnr

        def saved() -> float:
            """The PSNR of what would be saved now: the engine's is not rounded, may be weighted."""
            return self.job.psnr(engine.drawing(best=True))

        if wanted is not None and self.time.timed(saved) >= wanted:
            progress.stopped_by = "target-psnr"
        elif stage.plateau is not None and report.step - progress.plateau_step >= stage.plateau:
            progress.stopped_by = "plateau"

    def _stopped_early(self, engine: Engine) -> str | None:
        """Why to stop here, where no budget of the recipe says so."""
        if engine.finished:
            return "finished"
        if self.context.control.stop_requested:
            return "interrupted"
        return "time" if self.time.is_spent else None

    def _write_converged(self, engine: Engine) -> None:
        """Write the count and the options that the engine found into the recipe."""
        if not (found := engine.converged()):
            return
        if "count" in found:
            self.recipe = self.recipe.with_primitive(count=found.pop("count"))
        self._set_stage(**found)

    def _checkpoint(self, engine: Engine) -> None:
        # A resumed run makes the later ones only.
        self.recording.finish_frame()
        self.checkpoints.save(engine)

    def _set_stage(self, **changes: object) -> None:
        """Write what came of the current stage into its recipe; an interrupted run goes on."""
        self.recipe = self.recipe.with_stage(self.progress.stage, **changes)
        if self.progress.stopped_by != "interrupted":
            self._settle(self.recipe)

    def _settle(self, recipe: Recipe) -> None:
        """Go on by this recipe, as a resumed run would."""
        self.recipe = recipe
        if self.folder is not None:
            self.folder.write_recipe(recipe)


def _take_steps(engine: Engine, end: int) -> None:
    """Advance until `end`. Raises PluginError if the engine does not count its steps."""
    before = engine.step
    engine.advance(end - before)
    if engine.step == before and not engine.finished:
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
        hint = "return artgen.engines.Report(self.step, loss, psnr, improved)"
        raise _broken(engine, "report", f"gave {type(report).__name__}, not Report", hint)
    return report


def _broken(engine: Engine, method: str, problem: str, hint: str) -> PluginError:
    cls = type(engine)
    return broken(f"{method} of engine {cls.__name__}", getattr(cls, method), problem, hint)
