"""A clip as a run: its scenes are found, fitted one by one or at once, and joined in a film."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from artgen.animation.forms import check_clip, find_form
from artgen.art import Art, saved_bytes
from artgen.display.views import Rendering
from artgen.events import Advanced, Observer
from artgen.film.scenes import Film, Scene
from artgen.output import FrameStore, lost_sound
from artgen.plan import Plan
from artgen.recipe import OutputTable, Precision, Recipe
from artgen.registry import Registry
from artgen.runs.context import RunContext
from artgen.runs.device import threads
from artgen.runs.elsewhere import StepSum, gathered, nothing_saved, taken_by_task
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Fitted, Job
from artgen.runs.kind import Frames, Reason, RunKind, Started
from artgen.runs.kinds.clip.budget import with_steps
from artgen.runs.kinds.clip.keyframes import Keyframe, make_scenes
from artgen.runs.kinds.clip.metrics import clip_metrics, side_by_side
from artgen.runs.kinds.clip.plan import plan_clip
from artgen.runs.kinds.clip.scene import FittedScene, SceneFit, SceneTask, scene_steps
from artgen.runs.kinds.clip.shot_detection import find_scenes
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.loop.recovery import on_cpu
from artgen.runs.opening import read_target
from artgen.targets import ClipTarget
from artgen.tasks import RunControl
from artgen.values.drawing import Drawing


class ClipRun(PictureRun):
    """A run of a clip: the film has a keyframe for each of its frames, the drawing is the first.

    Wherever its scenes are fitted, the bytes are the same. Their keys are the checkpoint.
    """

    tables, divisible = frozenset({"clip"}), True

    def reasons_against(self, recipe: Recipe, source: str) -> Iterator[Reason]:
        """What takes a single picture."""
        output, stages = recipe.output, recipe.stage
        timed = {stage.time is None for stage in stages}
        rates = {(each.fps, each.video_seconds) for each in (output, OutputTable())}
        by_bytes = recipe.primitive.target_bytes is not None
        stopped = any(stage.stop is not None for stage in stages)
        every, numbered = "give every stage a time, as in --time 20,10", "give --count a number"
        rendered = "leave it out, and draw the film with artgen render -o FILE.mp4 --fps --speed"
        for what, applies, hint in (
            ("a time for some of its stages", len(timed) > 1, every),
            ("a count of auto", recipe.primitive.count == "auto", numbered),
            ("a number of bytes", by_bytes, f"{numbered}: the file grows with the frames"),
            ("a drawing to start from", recipe.init is not None, "leave out --init"),
            ("another rate or length", output.video and len(rates) > 1, rendered),
            ("parts that appear", output.start == "parts", "leave out --start parts"),
            ("a history", bool(output.history), "leave out --history: the clip gives a film"),
            ("a last step", stopped, "leave out stop"),
            ("a graph", self.asked.graph is not None, "leave out --graph"),
        ):
            yield Reason(f"{source} is a clip, which cannot have {what}", applies, hint)
        if output.film is not None:
            check_clip(output.film, find_form(output.film, self.asked.registry))
        yield from super().reasons_against(recipe, source)

    def planned(self, plan: Plan) -> Plan:
        """The plan with how frames follow one another."""
        return plan_clip(plan)

    estimate = RunKind.estimate

    def begin(self, job: Job, folder: RunFolder | None = None, started: Started = None) -> None:
        """Find the scenes, and the steps of their frames where there is a time."""
        assert isinstance(job.target, ClipTarget)
        assert job.recipe.clip is not None
        self.job, self.clip, self.recipe, self.rehearsed = job, job.target, job.recipe, 0.0
        asked, name = self.asked, self.context.name
        place = self.place(None if folder is None else folder.scenes)
        beside = () if self.clip.place is None else (self.clip.place.absolute().parent,)
        # The recipe of the job names files without their folders.
        files = [path.absolute().parent for _, path in asked.inputs.files.found.values()]
        search = (*beside, *files, *(path.absolute() for path in asked.search))
        scenes = find_scenes((frame.image for frame in self.clip.frames()), job.recipe.clip.cut)
        if self.recipe.stage[0].time is not None:
            inside = replace(
                asked,
                recipe=self.recipe,
                context=RunContext(control=self.context.control),
                search=search,
                threads=self.recipe.run.threads or 1,
            )
            if job.recipe.clip.stretch != 1:
                note = "with --time no frame takes more steps than another: clip.stretch is 1"
                self.context.notify(note, "note")
            self.recipe, self.rehearsed = with_steps(inside, self.clip, scenes)
        sound, output = self.sound, self.recipe.output
        if output.video and sound and (lost := lost_sound(sound, f".{output.video_format}")):
            self.context.notify(lost, "note")
        if folder is not None:
            folder.write_recipe(self.recipe)
        steps = [scene_steps(self.recipe, last - first) for first, last in scenes]
        # Frames may take more of them, which is known when they are done.
        self.total_steps = self.planned_steps = sum(steps)
        self.tasks = [
            SceneTask(
                stem=f"{name}-{number:03d}",
                first=first,
                last=last,
                # No two scenes count the same steps, whatever they take.
                offset=math.ceil(job.recipe.clip.stretch) * sum(steps[:number]),
                total_steps=self.planned_steps,
                recipe=self.recipe,
                folder=place / f"{number:03d}",
                run_name=name,
                search=search,
                checkpoint_every=asked.checkpoint_every,
                **taken_by_task(asked.elsewhere, self.recipe.run.threads),
            )
            for number, (first, last) in enumerate(scenes)
        ]

    def resume(self) -> None:
        """Go on from the keys that there are, and in first fits from their checkpoints."""
        self.tasks = [replace(task, resume=True) for task in self.tasks]
        for task in self.tasks:
            done, steps = task.keyframes.count(), task.keyframes.steps
            first = None if done else RunFolder(task.place / "first").load_checkpoint()
            if done:
                self.total_steps += steps - scene_steps(self.recipe, done)
            elif first is not None:
                steps = sum(first.get(f"progress.{name}", 0) for name in ("offset", "step"))
            self.resumed_at += steps

    def fit(self) -> Fitted:
        """Fit all scenes, and join them. Raises what ended the first that failed."""
        fitted = {
            task.first: replace(result, files={}) for task, result in gathered(self._fitted())
        }
        footprint = self.job.backend.footprint
        if footprint is not None and footprint.is_lost:
            self.job, self.recipe = on_cpu(self.job, self.recipe)
        return self._joined(fitted)

    def metrics(self, fitted: Fitted, picture: Rendering, film: Film | None) -> Mapping[str, Any]:
        """Means over the frames, and what only moving pictures have."""
        assert film is not None
        starts = [task.first for task in self.tasks if task.first < film.keyframes]
        return clip_metrics(fitted.job, film, starts)

    def extent(self, drawing: Drawing, film: Film | None, precision: Precision) -> tuple[int, int]:
        """Those of all keyframes."""
        assert film is not None
        size = sum(saved_bytes(scene, precision) for scene in film.scenes)
        return size, drawing.width * drawing.height * film.keyframes

    def precision_cost(self, fitted: Fitted, metrics: Mapping[str, Any]) -> None:
        """None: it would take drawing all frames again."""

    def video(self, fitted: Fitted, art: Art, stored: FrameStore) -> tuple[Frames, float]:
        """The film at the rate of the clip."""
        size, device = art.recipe.framed(art.recipe.output.video_size), art.recipe.run.device
        return art.frames(size, device=device), art.require_film().fps

    def companions(self, fitted: Fitted, film: Film | None) -> Mapping[str, tuple[Frames, float]]:
        """The clip with its film to the right, if that is asked for."""
        assert film is not None
        table = fitted.recipe.clip
        if table is None or not table.side_by_side:
            return {}
        return {"side_by_side": (side_by_side(fitted.job, film), film.fps)}

    @property
    def sound(self) -> Path | None:
        """The clip's own."""
        return self.clip.place

    def _fitted(self) -> Iterator[tuple[SceneTask, FittedScene | Exception]]:
        """Every scene that was begun, with what became of it."""
        elsewhere, context = self.asked.elsewhere, self.context
        if elsewhere is None:
            taken, left, seconds = 0, self.planned_steps, 0.0
            for number, task in enumerate(self.tasks):
                # A run that is stopped at once leaves what its first steps have found, as all do.
                if number and context.control.stop_requested:
                    return
                here = replace(task, offset=taken, total_steps=taken + left, seconds=seconds)
                fitted = SceneFit(here, self.clip, self.asked.registry, context).run()
                yield task, fitted
                taken += fitted.steps
                seconds += task.keyframes.read(fitted.keys - 1).seconds if fitted.keys else 0.0
                left -= scene_steps(self.recipe, task.last - task.first)
            return
        starts = (task.offset for task in self.tasks)
        observe = StepSum(context, starts, self.planned_steps, time.perf_counter())
        for task, result in elsewhere.executor.run(
            _fit_elsewhere, self.tasks, observe, context.control
        ):
            # Without a key, its own start would be the end of the scene before.
            if isinstance(result, FittedScene) and result.keys:
                step = task.offset + result.steps
                total = self.planned_steps + result.steps - scene_steps(self.recipe, result.keys)
                observe(Advanced(context.name, step, total, 0.0))
            yield task, result

    def _joined(self, fitted: Mapping[int, FittedScene]) -> Fitted:
        """The film of the frames up to the first that is missing."""
        scenes: list[Scene] = []
        count, steps, seconds = 0, 0, self.rehearsed
        for task in self.tasks:
            done = fitted.get(task.first, FittedScene(0))
            store = task.keyframes
            keys = [replace(store.read(number), state={}) for number in range(store.count())]
            steps += sum(key.steps for key in keys)
            seconds += keys[-1].seconds if keys else 0.0
            if not keys and done.unfinished is not None and not count:
                keys = [Keyframe(done.unfinished)]
            if keys:
                scenes += make_scenes(keys, task.first, self.clip.fps)
            count += len(keys)
            if count < task.last:
                break
        if not scenes:
            raise nothing_saved()
        film = Film(tuple(scenes), count / self.clip.fps, self.clip.fps)
        return Fitted(
            self.job,
            self.recipe,
            replace(self.job.start, tensors=film.tensors_at(0.0)).detach(),
            steps=steps,
            seconds=seconds,
            stopped_by="steps" if count == self.tasks[-1].last else "interrupted",
            film=film,
        )


def _fit_elsewhere(task: SceneTask, observe: Observer, control: RunControl) -> FittedScene:
    """Fit a scene in another process or on another machine, which reads the clip again."""
    registry = Registry(files=task.plugins)
    clip = read_target(task.recipe, registry, task.search)
    assert isinstance(clip, ClipTarget)
    context = RunContext(task.run_name, observe, control)
    with threads(task.cpus):
        fitted = SceneFit(task, clip, registry, context).run()
    left = task.resume_files() if task.return_files else {}
    return replace(fitted, files={name: path.read_bytes() for name, path in left.items()})
