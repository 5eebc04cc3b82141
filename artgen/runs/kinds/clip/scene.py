"""A scene of a clip: its first frame is a fit like any other, the others go on from there.

A frame follows from the two keys before it and from its target: its parts go on as they moved, some
that are of no use any more are renewed where the error is, and then a few steps are taken. So the
keys on the disk are all that a resumed run needs.

The target of such a frame is shifted by a share s of the error e that the frame before had. Under
the squared error that is a penalty on its change: |d - t - s e|² is, but for a factor and what does
not depend on the drawing d, |d - t|² + s / (1 - s) |(d - t) - e|².
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from artgen.base.errors import DeviceLost, Diverged, InputError
from artgen.base.seeds import derived_seed
from artgen.engines import Engine, Problem
from artgen.engines.protocols import Recovers, Renews
from artgen.events import Advanced, Evaluated, Event, PreviewDrawn
from artgen.losses.metrics import psnr
from artgen.matching import carry, predict
from artgen.output import Pixels, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.elsewhere import Returned
from artgen.runs.files.folder import RunFolder, scene_milestone
from artgen.runs.job import Fitted, Job, check_finite
from artgen.runs.kind import Asked
from artgen.runs.kinds.clip.keyframes import Keyframe, KeyframeStore
from artgen.runs.kinds.clip.motion import Motion
from artgen.runs.kinds.clip.plan import following_stage
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.loop.recovery import at_lower_rates, continuing, on_cpu
from artgen.targets import ClipTarget, ImageTarget
from artgen.tasks import Task
from artgen.values.drawing import Drawing

LEAST_ERROR = 1e-6
"""The squared error of a frame, 60 dB, below which being wrong by some times more is little."""

PIECES = 8
"""A frame is fitted in this many pieces, between which a run may be stopped."""


@dataclass(frozen=True)
class SceneTask(Task):
    """A scene to be fitted: frames number `first` to `last` - 1 of the clip.

    `recipe` is the clip's, `folder` where the scene's keys are kept. `offset` are the steps of the
    scenes before, which took `seconds`, `total_steps` those planned for all, for events.
    """

    first: int = 0
    last: int = 0
    offset: int = 0
    total_steps: int = 0
    seconds: float = 0.0
    run_name: str = ""
    checkpoint_every: int | None = None

    @property
    def keyframes(self) -> KeyframeStore:
        """The keys that there are."""
        return KeyframeStore(self.place / "keys")

    @property
    def milestone(self) -> Path:
        """Every key is one."""
        return scene_milestone(self.place)


@dataclass(frozen=True)
class FittedScene(Returned):
    """What became of it: how many keys there are, and the drawing of a first fit cut short.

    `steps` are those that the keys took.
    """

    keys: int
    unfinished: dict[str, Tensor] | None = None
    steps: int = 0


def scene_steps(recipe: Recipe, frames: int) -> int:
    """How many steps are planned for a scene of this many frames; frames may take more."""
    assert recipe.clip is not None
    ordinary = sum(stage.steps or 0 for stage in recipe.stage)
    return ordinary + (frames - 1) * (recipe.clip.steps or 0)


class SceneFit:
    """Fits one scene; `run` may be called once."""

    def __init__(
        self, task: SceneTask, clip: ClipTarget, registry: Registry, context: RunContext
    ) -> None:
        self.task, self.clip, self.registry, self.context = task, clip, registry, context
        self.keyframes, self.recipe = task.keyframes, task.recipe
        self.steps, self.more = 0, 0  # those of the keys, and beyond what is planned for them

    def run(self) -> FittedScene:
        """Fit it, or go on. Raises Diverged, InputError, OutOfMemory, OutputError."""
        length = self.task.last - self.task.first
        done = self.keyframes.count()
        self._count(self.keyframes.steps, done)
        if done >= length:
            return FittedScene(length, steps=self.steps)
        frames = itertools.islice(self.clip.frames(self.task.first), length)
        first = _next(frames, self.clip)
        plain = self.recipe.replace(clip=None).with_output(video=False, film=None, history=0)
        task, context = self.task, replace(self.context, emit=self._tell)
        asked = Asked(
            plain,
            self.registry,
            context,
            target=first,
            search=task.search,
            threads=task.cpus,
            checkpoint_every=task.checkpoint_every,
        )
        job = PictureRun(asked).prepare()
        if done == 0:
            fitted = self._fit_first(asked, job)
            job, tensors = fitted.job, dict(fitted.drawing.tensors)
            if fitted.stopped_by == "interrupted":
                return FittedScene(0, tensors)
            self.keyframes.add(0, Keyframe(tensors, None, fitted.steps, fitted.seconds))
            done = 1
            self._count(fitted.steps, done)
        return FittedScene(self._follow(job, frames, done), steps=self.steps)

    def _count(self, steps: int, done: int) -> None:
        """Count more steps, after which as many keys are done."""
        self.steps += steps
        self.more = self.steps - scene_steps(self.recipe, done) if done else 0

    def _fit_first(self, asked: Asked, job: Job) -> Fitted:
        """An ordinary fit, with a folder of its own in which it can be resumed."""
        path = self.task.place / "first"
        probe_folder(self.task.place)
        resumed = (path / "recipe.json").exists()
        folder = RunFolder.open(path)[0] if resumed else RunFolder.create(path, job.recipe, ())
        try:
            run = PictureRun(asked)
            run.begin(job, folder)
            if resumed:
                run.resume()
            fitted = run.fit()
        finally:
            folder.unlock()
        if fitted.diverged is not None:
            raise fitted.diverged
        return fitted

    def _tell(self, event: Event) -> None:
        """Steps of a scene as steps of the clip."""
        if isinstance(event, Advanced | Evaluated):
            total = self.task.total_steps + self.more
            step, seconds = self.task.offset + event.step, self.task.seconds + event.seconds
            event = replace(event, step=step, total_steps=total, seconds=seconds)
        elif isinstance(event, PreviewDrawn):
            event = replace(event, step=self.task.offset + event.step)
        self.context.emit(event)

    def _follow(self, job: Job, frames: Iterator[ImageTarget], done: int) -> int:
        """Fit the frames after the first; how many keys there are in the end."""
        plan = replace(job.plan, recipe=self.recipe)
        follower = Follower(replace(job, plan=plan), self.registry, self._stop)
        key = self.keyframes.read(done - 1)
        before = self.keyframes.read(done - 2) if done > 1 else None
        seconds = key.seconds
        shown = job.target
        for _ in range(1, done):
            shown = _next(frames, self.clip)
        assert isinstance(shown, ImageTarget)
        for number in range(done, self.task.last - self.task.first):
            frame = _next(frames, self.clip)
            began = time.perf_counter()
            try:
                found = follower.fit(number, key, before, shown, frame)
            except DeviceLost as error:
                job = on_cpu(follower.job, self.recipe)[0]
                follower = Follower(job, self.registry, self._stop)
                found = follower.fit(number, key, before, shown, frame)
                self.context.notify(continuing(error, f"frame {self.task.first + number}"))
            if found is None:
                return number
            seconds += time.perf_counter() - began
            before, key, shown = key, replace(found.key, seconds=seconds), frame
            self.keyframes.add(number, key)
            self._count(key.steps, number + 1)
            self._report(found, seconds)
        return self.task.last - self.task.first

    def _stop(self) -> bool:
        self.context.control.wait_if_paused()
        return self.context.control.stop_requested

    def _report(self, found: Found, seconds: float) -> None:
        """Report a frame that is done."""
        began = time.process_time()
        run, step, total = self.context.name, self.steps, self.task.total_steps
        if found.notice:
            self.context.notify(found.notice)
        self._tell(Advanced(run, step, total, seconds))
        self._tell(Evaluated(run, step, total, found.loss, found.psnr, seconds))
        self._tell(PreviewDrawn(run, step, found.pixels))
        self.context.control.preview_drawn(time.process_time() - began)


@dataclass(frozen=True, eq=False)
class Found:
    """A key, and how good it is."""

    key: Keyframe
    loss: float
    psnr: float
    pixels: Pixels
    notice: str | None = None


class Follower:
    """Fits frames that follow others of their scene, until `stop` says so.

    `job` is that of the scene's first frame.
    """

    def __init__(self, job: Job, registry: Registry, stop: Callable[[], bool]) -> None:
        assert job.recipe.clip is not None
        self.job, self.table, self.stop = job, job.recipe.clip, stop
        self.stage = following_stage(job.plan)
        self.engine: type[Engine] = registry.load("engine", self.stage.engine)
        self.primitive = job.plan.primitives[-1]

    def fit(
        self,
        number: int,
        key: Keyframe,
        before: Keyframe | None,
        shown: ImageTarget,
        frame: ImageTarget,
    ) -> Found | None:
        """The key of frame `number` of the scene, whose target is `frame`; None where stopped.

        `key` is that of the frame before, whose target was `shown`, and `before` the one before it.
        """
        data = frame.tensors()
        goal = data.goal
        seed = derived_seed(self.job.recipe.seed, "frame", number)
        last = self._drawing(key.tensors)
        error = self.job.draw(last).outputs - shown.tensors().goal
        motion = Motion(shown.tensors().goal, goal, last.canvas)
        expected = self._drawing(self._predicted(key, before, motion))
        counted = self.job.plan.count is not None
        problem = self.job.problem(
            expected,
            data,
            primitive=self.primitive,
            loss=self.job.plan.losses[-1],
            total_steps=self.stage.steps or 1,
            seed=seed,
            count=self.primitive.count_of(expected) if counted else None,
            options=self.stage.options,
        )
        steps = self._steps(problem, error)
        drawing, born = self._renewed(problem, key.born, number)
        steadied = goal + self.table.steady * error
        problem = replace(problem, drawing=drawing, target=steadied, total_steps=steps)
        fresh, failures = _changed(born, key.born), list[Diverged]()
        engine = at_lower_rates(
            lambda halvings: self._search(problem, key.state, fresh, halvings),
            diverged=failures.append,
        )
        notice = f"{failures[-1].message}: fitted again, at half the rate" if failures else None
        if engine is None:
            return None
        drawing = engine.drawing(best=False)
        picture = self.job.draw(drawing)
        loss = float(self.job.plan.losses[-1](picture.outputs, goal, data.weight))
        state = engine.hand_over()
        found = Keyframe(dict(drawing.tensors), born, engine.step, state=state)
        decibels = psnr(picture.pixels, frame.pixels, frame.weight)
        return Found(found, loss, decibels, picture.pixels, notice)

    def _steps(self, problem: Problem, error: Tensor) -> int:
        """Steps for the frame: more of them where things pass before one another.

        There the squared error of the carried parts is r times that of the frame before, whose
        `error` is given, and the frame takes r - 1 times the steps, at least once.
        """
        steps, most = self.stage.steps or 1, self.table.stretch
        if most == 1:
            return steps
        weight = (
            torch.ones(()) if problem.weight is None else problem.weight / problem.weight.mean()
        )
        before = max(float((weight * error.square()).mean()), LEAST_ERROR)
        carried = self.job.draw(problem.drawing).outputs - problem.target
        times = float((weight * carried.square()).mean()) / before - 1
        return round(steps * min(max(1.0, times), most))

    def _search(
        self, problem: Problem, state: Mapping[str, Tensor], fresh: Tensor, halvings: int
    ) -> Engine | None:
        """An engine that took the steps, None where stopped. Raises Diverged."""
        engine = self.engine()
        engine.start(problem)
        if halvings and isinstance(engine, Recovers):
            engine.recover(0.5**halvings)
        elif state:
            engine.take_over(dict(state), fresh)
        total = problem.total_steps
        while engine.step < total and not engine.finished:
            if self.stop():
                return None
            engine.advance(min(-(-total // PIECES), total - engine.step))
        check_finite(engine.drawing(best=False))
        return engine

    def _drawing(self, tensors: Mapping[str, Tensor]) -> Drawing:
        return replace(self.job.start, tensors=tensors)

    def _predicted(
        self, key: Keyframe, before: Keyframe | None, motion: Motion
    ) -> dict[str, Tensor]:
        """The tensors that the next frame starts from."""
        if self.table.motion == "flow":
            return carry(self.primitive, dict(key.tensors), motion)
        if before is None:
            return dict(key.tensors)
        changed = _changed(key.born, before.born)
        return predict(self.primitive, key.tensors, before.tensors, changed)

    def _renewed(
        self, problem: Problem, born: Tensor | None, number: int
    ) -> tuple[Drawing, Tensor | None]:
        """Parts of little use end, and others begin in their places where the error is.

        The engine of the first frame finds them; shapes are replaced only where flow moves them.
        """
        engine: Engine = self.job.plan.engines[-1]()
        drawing, count = problem.drawing, problem.count or 0
        most = int(self.table.renew * count)
        moves = self.table.motion == "flow" or self.primitive.renews_unmoved
        if not (most and moves and isinstance(engine, Renews)):
            return drawing, born
        engine.start(replace(problem, options=self.job.recipe.stage[-1].options))
        places = engine.renew(most).nonzero()[:, 0]
        if not len(places):
            return drawing, born
        since = torch.zeros(count, dtype=torch.int64) if born is None else born.clone()
        since[places] = number
        return engine.drawing(best=False), since


def _next(frames: Iterator[ImageTarget], clip: ClipTarget) -> ImageTarget:
    frame = next(frames, None)
    if frame is None:
        raise InputError(
            f"{clip.source} has fewer frames than when the run started",
            hint="start again with --overwrite",
        )
    return frame


def _changed(born: Tensor | None, before: Tensor | None) -> Tensor:
    """Which parts are not those of the frame before, bool [N]; empty where all are."""
    if born is None:
        return torch.zeros(0, dtype=torch.bool)
    return born != (torch.zeros_like(born) if before is None else before)
