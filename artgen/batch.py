"""A run of `artgen fit` as a task: recipe in, files out, in this process or far away.

Importing this imports no torch; carrying a run out does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from artgen.events import Observer
from artgen.executor import Executor
from artgen.output import atomic_write, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner import Interruption, Task, output_paths

__all__ = ["OUTPUTS", "Done", "Run", "carry_out", "settle"]

OUTPUTS = ("still", "video", "side_by_side", "art")
"""What the summary of a run names, by its kinds; a run may leave some of them out."""


@dataclass(frozen=True)
class Run(Task):
    """What `artgen.runner.run` is told, but for the registry; `folder` is where outputs go.

    With `bring` the result holds the files: whoever ordered the run cannot read that folder.
    """

    given: dict[str, Any] = field(default_factory=dict)
    overwrite: bool = False
    checkpoint_every: int | None = None
    log: Path | None = None
    graph: Path | None = None
    video: Path | None = None
    bring: bool = False

    def left(self) -> Mapping[str, Path]:
        """The run folder, and the log, which it goes on."""
        if not self.resume:
            return {}
        files = self.below(self._out / f"{self.stem}.run")
        if self.log is not None and self.log.exists():
            files[self.log.name] = self.log
        return files

    def moved(self, recipe: dict[str, Any], plugins: tuple[Path, ...], folder: Path) -> Run:
        """It goes on from what was unpacked into `folder`, and brings its files."""
        given = dict(self.given)
        if "source" in given.get("target", {}):
            given["target"] = {**given["target"], "source": recipe["target"]["source"]}

        def place(path: Path | None) -> Path | None:
            return None if path is None else folder / path.name

        return replace(
            self,
            recipe=recipe,
            plugins=plugins,
            folder=folder,
            search=(folder,),
            resume=(folder / f"{self.stem}.run" / "recipe.json").exists(),
            overwrite=False,
            given=given,
            bring=True,
            log=place(self.log),
            graph=place(self.graph),
            video=place(self.video),
        )

    def home(self, name: str) -> Path | None:
        """The run folder alone: other files come with the result."""
        return self._out / name if name.startswith(f"{self.stem}.run/") else None

    def places(self, recipe: dict[str, Any]) -> dict[str, Path]:
        """Where files of a run of `recipe` are, by what they are; some may not be there."""
        paths = output_paths(self._out, self.stem, Recipe.from_dict(recipe), self.video)
        places = {kind: paths[kind] for kind in (*OUTPUTS, "summary") if kind in paths}
        if self.log is not None:
            places["log"] = self.log
        if self.graph is not None:
            places |= {"graph": self.graph, "graph picture": self.graph.with_suffix(".svg")}
        return places

    @property
    def _out(self) -> Path:
        assert self.folder is not None
        return self.folder


@dataclass(frozen=True)
class Done:
    """The summary of a run, the error that it ended with all the same, and its files if brought."""

    summary: dict[str, Any]
    error: Exception | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


def carry_out(
    task: Run,
    observe: Observer,
    interruption: Interruption,
    registry: Registry | None = None,
    scenes: Executor | None = None,
) -> Done:
    """Run it. Raises ArtgenError where nothing could be saved.

    Without a `registry` there is a new one, with the task's plugins. Scenes of a clip are fitted by
    `scenes`, if given.
    """
    from artgen.runner import Elsewhere, run

    outcome = run(
        Recipe.from_dict(task.recipe),
        registry or Registry(files=task.plugins),
        out=task.folder,
        name=task.stem,
        resume=task.resume,
        given=task.given,
        overwrite=task.overwrite,
        search=task.search,
        observers=[observe],
        interruption=interruption,
        checkpoint_every=task.checkpoint_every,
        log=task.log,
        graph=task.graph,
        video=task.video,
        scenes=None if scenes is None else Elsewhere(scenes, task.plugins, task.gpus),
    )
    files = {}
    if task.bring:
        # A run that was resumed followed the recipe in its folder.
        places = task.places(outcome.summary["recipe"])
        files = {kind: p.read_bytes() for kind, p in places.items() if p.is_file()}
    return Done(outcome.summary, outcome.error, files)


def settle(task: Run, done: Done) -> Done:
    """Write files that were brought to the places that `task` has for them, the summary last.

    The same files are left that a run here leaves. Raises OutputError.
    """
    if not done.files:
        return done
    places = task.places(done.summary["recipe"])
    for folder in {path.parent for path in places.values()}:
        probe_folder(folder)
    for kind in sorted(done.files, key=lambda kind: kind == "summary"):
        atomic_write(places[kind], done.files[kind])
    if "video" not in done.files:
        # One that was overwritten would show another drawing.
        places["video"].unlink(missing_ok=True)
    folder = places["summary"].with_suffix(".run")
    outputs: dict[str, str | None] = {
        kind: str(places[kind]) for kind in OUTPUTS if kind in done.files
    }
    outputs["checkpoint"] = None if done.error is None else os.fspath(folder)
    if done.error is None:
        shutil.rmtree(folder, ignore_errors=True)
    summary = {**done.summary, "outputs": {**done.summary["outputs"], **outputs}}
    return replace(done, summary=summary)
