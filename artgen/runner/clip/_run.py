"""A clip as a run: its scenes are found, fitted one by one or at once, and joined in a film."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from artgen.animation.film import Scene
from artgen.errors import Interrupted
from artgen.events import Advanced, Evaluated, Event, Notice, Observer
from artgen.output import atomic_write
from artgen.registry import Registry
from artgen.runner._context import RunContext
from artgen.runner._device import threads
from artgen.runner._fit import Progress, on_cpu
from artgen.runner._prepare import read_target
from artgen.runner.clip._budget import with_steps
from artgen.runner.clip._keyframes import Keyframe, make_film, make_scenes
from artgen.runner.clip._scene import FittedScene, SceneFit, SceneTask, scene_steps
from artgen.runner.clip._shot_detection import find_scenes
from artgen.tasks import Executor, RunControl


@dataclass(frozen=True)
class SceneExecution:
    """Where the scenes of a clip are fitted, if not here one after the other.

    Each takes as many processors as the recipe has threads, and `gpus` graphics processors;
    `plugins` are loose files.
    """

    executor: Executor
    plugins: Sequence[Path] = ()
    gpus: float = 0.0

    def processors(self, threads: int) -> int:
        """Those that fits with `threads` each keep busy; all of this machine without a number."""
        number = self.executor.number
        return (os.cpu_count() or 1) if number is None else number * threads


class ClipFit:
    """The run of a job whose target is a clip, with the interface of `Fit`.

    After `run`, `film` is the clip, `drawing` its first key, and `starts` are the numbers of the
    first frames of its scenes.

    Wherever its scenes are fitted, the bytes are the same. Keys are kept in the folder `place`.
    """

    def __init__(
        self,
        context: RunContext,
        registry: Registry,
        *,
        place: Path,
        search: Sequence[Path] = (),
        checkpoint_every: int | None = None,
        elsewhere: SceneExecution | None = None,
    ) -> None:
        self.job = job = context.job
        assert job.target.clip is not None
        assert job.recipe.clip is not None
        self.clip, self.recipe, self.registry = job.target.clip, job.recipe, registry
        self.rehearsed = 0.0
        self.emit, self.name, self.control = context.emit, context.name, context.control
        self.elsewhere = elsewhere
        self.progress, self.diverged = Progress(), None
        here = () if self.clip.place is None else (self.clip.place.absolute().parent,)
        frames = (frame.image for frame in self.clip.frames())
        scenes = find_scenes(frames, job.recipe.clip.cut)
        if self.recipe.stage[0].time is not None:
            self.recipe, self.rehearsed = with_steps(
                self.recipe,
                self.clip,
                scenes,
                registry,
                search=(*here, *search),
                threads=self.recipe.run.threads or 1,
                control=self.control,
            )
        steps = [scene_steps(self.recipe, last - first) for first, last in scenes]
        self.total_steps, self.resumed_at = sum(steps), 0
        self.tasks = [
            SceneTask(
                stem=f"{self.name}-{number:03d}",
                first=first,
                last=last,
                offset=sum(steps[:number]),
                total_steps=self.total_steps,
                recipe=self.recipe,
                folder=place / f"{number:03d}",
                run_name=self.name,
                search=(*here, *(path.absolute() for path in search)),
                plugins=tuple(path.absolute() for path in elsewhere.plugins) if elsewhere else (),
                cpus=self.recipe.run.threads or 1,
                gpus=elsewhere.gpus if elsewhere else 0.0,
                checkpoint_every=checkpoint_every,
            )
            for number, (first, last) in enumerate(scenes)
        ]

    def resume(self) -> None:
        """Go on from the keys that there are."""
        self.tasks = [replace(task, resume=True) for task in self.tasks]
        for task in self.tasks:
            done = task.keyframes.count()
            if done:
                self.resumed_at = task.offset + scene_steps(self.recipe, done)

    def run(self) -> None:
        """Fit all scenes, and join them. Raises what ended the first that failed."""
        fitted: dict[int, FittedScene] = {}
        failures = []
        for task, result in self._fitted():
            if isinstance(result, FittedScene):
                for name, data in result.files.items():
                    _write(task.place / name, data)
                fitted[task.first] = replace(result, files={})
            elif not isinstance(result, Interrupted):
                failures.append(result)
        if failures:
            raise failures[0]
        footprint = self.job.backend.footprint
        if footprint is not None and footprint.is_lost:
            self.job, self.recipe = on_cpu(self.job, self.recipe)
        self._join(fitted)

    def _fitted(self) -> Iterator[tuple[SceneTask, FittedScene | Exception]]:
        """Every scene that was begun, with what became of it."""
        if self.elsewhere is None:
            for number, task in enumerate(self.tasks):
                # A run that is stopped at once leaves what its first steps have found, as all do.
                if number and self.control.stop_requested:
                    return
                fit = SceneFit(task, self.clip, self.registry, self.emit, self.control)
                yield task, fit.run()
            return
        executor, observe = self.elsewhere.executor, self._sum()
        for task, result in executor.run(_fit_elsewhere, self.tasks, observe, self.control):
            if isinstance(result, FittedScene):
                steps = scene_steps(self.recipe, result.keys) if result.keys else 0
                observe(Advanced(self.name, task.offset + steps, self.total_steps, 0.0))
            yield task, result

    def _sum(self) -> Observer:
        """An observer that adds up the steps of all scenes: those of each would be in no order."""
        starts = [task.offset for task in self.tasks]
        done, began = [0] * len(starts), time.perf_counter()

        def observe(event: Event) -> None:
            if isinstance(event, Notice):
                self.emit(replace(event, run=self.name))
            elif isinstance(event, Advanced | Evaluated):
                scene = bisect_right(starts, max(0, event.step - 1)) - 1
                done[scene] = max(done[scene], event.step - starts[scene])
                seconds = time.perf_counter() - began
                self.emit(replace(event, step=sum(done), seconds=seconds))

        return observe

    def _join(self, fitted: dict[int, FittedScene]) -> None:
        """Make the film of the frames up to the first that is missing."""
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
            raise Interrupted(
                "interrupted before anything could be saved", hint="continue with --resume"
            )
        self.film = make_film(scenes, count, self.clip.fps)
        self.drawing = replace(self.job.start, tensors=self.film.tensors_at(0.0)).detach()
        self.starts = tuple(task.first for task in self.tasks if task.first < count)
        stopped_by = "steps" if count == self.tasks[-1].last else "interrupted"
        self.progress = Progress(offset=steps, seconds=seconds, stopped_by=stopped_by)


def _fit_elsewhere(task: SceneTask, observe: Observer, control: RunControl) -> FittedScene:
    """Fit a scene in another process or on another machine, which reads the clip again."""
    registry = Registry(files=task.plugins)
    clip = read_target(task.recipe, registry, task.search).clip
    assert clip is not None
    with threads(task.cpus):
        return SceneFit(task, clip, registry, observe, control).run()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, data, durable=False)
