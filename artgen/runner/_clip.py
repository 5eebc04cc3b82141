"""A clip as a run: its scenes are found, fitted one by one or at once, and joined in a film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import Interrupted
from artgen.events import Advanced, Event, Observer
from artgen.film import Scene
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner._cuts import find_scenes
from artgen.runner._device import threads
from artgen.runner._fit import Result
from artgen.runner._keys import Key, KeyStore, make_film, make_scenes
from artgen.runner._prepare import Job, read_target
from artgen.runner._scene import FittedScene, SceneFit, SceneTask, scene_steps
from artgen.runner._signals import Interruption
from artgen.targets import ClipTarget

if TYPE_CHECKING:
    from artgen.executor import Processes

__all__ = ["ClipFit"]


class ClipFit:
    """The run of a job whose target is a clip, with the interface of `Fit`.

    Without `processes` scenes are fitted one after the other in this one, which gives the same
    bytes. Keys are kept in the folder `place`.
    """

    def __init__(
        self,
        job: Job,
        registry: Registry,
        *,
        emit: Callable[[Event], None],
        run_name: str,
        interruption: Interruption,
        place: Path,
        search: Sequence[Path] = (),
        plugins: Sequence[Path] = (),
        checkpoint_every: int | None = None,
        processes: Processes | None = None,
    ) -> None:
        assert isinstance(job.target, ClipTarget)
        assert job.recipe.clip is not None
        self.job, self.clip, self.recipe, self.registry = job, job.target, job.recipe, registry
        self.emit, self.name, self.interruption = emit, run_name, interruption
        self.processes = processes
        here = () if self.clip.place is None else (self.clip.place.absolute().parent,)
        frames = (frame.image for frame in self.clip.frames())
        scenes = find_scenes(frames, job.recipe.clip.cut)
        steps = [scene_steps(self.recipe, last - first) for first, last in scenes]
        self.total_steps, self.resumed_at = sum(steps), 0
        at_once = 1 if processes is None else processes.number
        self.tasks = [
            SceneTask(
                first=first,
                last=last,
                offset=sum(steps[:number]),
                total_steps=self.total_steps,
                recipe=self.recipe.to_dict(),
                folder=place / f"{number:03d}",
                run_name=run_name,
                threads=max(1, (self.recipe.run.threads or 1) // at_once),
                search=(*here, *(path.absolute() for path in search)),
                plugins=tuple(path.absolute() for path in plugins),
                checkpoint_every=checkpoint_every,
            )
            for number, (first, last) in enumerate(scenes)
        ]

    def resume(self) -> None:
        """Go on from the keys that there are."""
        for task in self.tasks:
            done = KeyStore(task.folder / "keys").count()
            if done:
                self.resumed_at = task.offset + scene_steps(self.recipe, done)

    def run(self) -> Result:
        """Fit all scenes, and join them. Raises what ended the first that failed."""
        fitted = dict(self._fitted())
        failures = [result for result in fitted.values() if isinstance(result, Exception)]
        for failure in failures:
            if not isinstance(failure, Interrupted):
                raise failure
        return self._joined(
            {task: done for task, done in fitted.items() if isinstance(done, FittedScene)}
        )

    def _fitted(self) -> Iterator[tuple[SceneTask, FittedScene | Exception]]:
        """Every scene that was begun, with what became of it."""
        if self.processes is None:
            work = partial(_fit_here, self.clip, self.registry, self.emit, self.interruption)
            for number, task in enumerate(self.tasks):
                # A run that is stopped at once leaves what its first steps have found, as all do.
                if number and self.interruption.requested:
                    return
                yield task, work(task)
            return
        done = 0
        # Steps of several scenes would be told in no order.
        for task, result in self.processes.run(
            _fit_elsewhere, self.tasks, lambda event: None, self.interruption
        ):
            done += scene_steps(self.recipe, task.last - task.first)
            self.emit(Advanced(self.name, done, self.total_steps, 0.0))
            yield task, result

    def _joined(self, fitted: dict[SceneTask, FittedScene]) -> Result:
        """The film of the frames up to the first that is missing."""
        scenes: list[Scene] = []
        count, steps, seconds = 0, 0, 0.0
        for task in self.tasks:
            done = fitted.get(task, FittedScene(0))
            store = KeyStore(task.folder / "keys")
            keys = [replace(store.read(number), state={}) for number in range(store.count())]
            steps += sum(key.steps for key in keys)
            seconds += keys[-1].seconds if keys else 0.0
            if not keys and done.unfinished is not None and not count:
                keys = [Key(done.unfinished)]
            if keys:
                scenes += make_scenes(keys, task.first, self.clip.fps)
            count += len(keys)
            if count < task.last:
                break
        if not scenes:
            raise Interrupted(
                "interrupted before there was anything to save", hint="go on with --resume"
            )
        film = make_film(scenes, count, self.clip.fps)
        still = replace(self.job.start, tensors=film.tensors_at(0.0)).detach()
        stopped_by = "steps" if count == self.tasks[-1].last else "interrupted"
        starts = tuple(task.first for task in self.tasks if task.first < count)
        return Result(still, self.recipe, stopped_by, steps, seconds, film=film, starts=starts)


def _fit_here(
    clip: ClipTarget,
    registry: Registry,
    emit: Callable[[Event], None],
    interruption: Interruption,
    task: SceneTask,
) -> FittedScene:
    return SceneFit(task, clip, registry, emit, interruption).run()


def _fit_elsewhere(task: SceneTask, observe: Observer, interruption: Interruption) -> FittedScene:
    """Fit a scene in another process, which reads the clip again."""
    registry = Registry(files=task.plugins)
    clip = read_target(Recipe.from_dict(task.recipe), registry, task.search)
    assert isinstance(clip, ClipTarget)
    with threads(task.threads):
        return SceneFit(task, clip, registry, lambda event: None, interruption).run()
