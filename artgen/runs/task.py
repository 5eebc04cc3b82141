"""A run of `artgen fit` as a task: recipe in, files out, in this process or far away.

Importing this imports no torch; carrying a run out does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from artgen.base.printed import printed_to
from artgen.events import Observer
from artgen.output import atomic_write, probe_folder, remove_own
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import OUTPUTS, Result, RunFolder, output_paths
from artgen.tasks import Executor, RunControl, Task, files_below


@dataclass(frozen=True)
class Run(Task):
    """The arguments of `artgen.runs.run` without the registry; `folder` is where outputs go.

    `asked` are the target and the seed as the user gave them, which the result of a batch names.
    """

    overwrite: bool = False
    checkpoint_every: int | None = None
    log: Path | None = None
    graph: Path | None = None
    video: Path | None = None
    asked: Mapping[str, str | int | None] = field(default_factory=dict)

    @property
    def milestone(self) -> Path:
        """The newest file of the run folder to be written."""
        return RunFolder(self.place / f"{self.stem}.run").milestone

    def resume_files(self) -> Mapping[str, Path]:
        """The run folder, and the log, to which lines are added."""
        if not self.resume:
            return {}
        files = files_below(self.place / f"{self.stem}.run", self.place)
        if self.log is not None and self.log.exists():
            files[self.log.name] = self.log
        return files

    def relocated(self, recipe: Recipe, plugins: tuple[Path, ...], folder: Path) -> Self:
        """Resume from the files unpacked into `folder`; files are returned with the result."""

        def place(path: Path | None) -> Path | None:
            return None if path is None else folder / path.name

        return replace(
            super().relocated(recipe, plugins, folder),
            resume=(folder / f"{self.stem}.run" / "recipe.json").exists(),
            overwrite=False,
            log=place(self.log),
            graph=place(self.graph),
            video=place(self.video),
        )

    def local_path(self, name: str) -> Path | None:
        """The path of a file of the run folder; other files are returned with the result."""
        return self.place / name if name.startswith(f"{self.stem}.run/") else None

    def places(self, recipe: Recipe) -> dict[str, Path]:
        """The paths of the files of a run of `recipe`, by what they are; some may not be there."""
        paths = output_paths(self.place, self.stem, recipe, self.video)
        places = {kind: paths[kind] for kind in (*OUTPUTS, "summary") if kind in paths}
        if self.log is not None:
            places["log"] = self.log
        if self.graph is not None:
            places |= {"graph": self.graph, "graph picture": self.graph.with_suffix(".svg")}
        return places


def execute(
    task: Run,
    observe: Observer,
    control: RunControl,
    registry: Registry | None = None,
    executor: Executor | None = None,
) -> Result:
    """Run it. Raises ArtgenError where nothing could be saved.

    Without a `registry` there is a new one, with the task's plugins. What plugins print goes to
    standard error, since a result may go to standard output. The tasks of a run that has
    some, as the scenes of a clip, are carried out by `executor`, if given.
    """
    from artgen.runs import Elsewhere, run

    with printed_to(sys.stderr):
        result = run(
            task.recipe,
            registry or Registry(files=task.plugins),
            out=task.folder,
            name=task.stem,
            resume=task.resume,
            overwrite=task.overwrite,
            search=task.search,
            observers=[observe],
            control=control,
            checkpoint_every=task.checkpoint_every,
            log=task.log,
            graph=task.graph,
            video=task.video,
            elsewhere=None if executor is None else Elsewhere(executor, task.plugins, task.gpus),
        )
    files = {}
    if task.return_files:
        # A run that was resumed followed the recipe in its folder.
        places = task.places(Recipe.from_dict(result.summary["recipe"]))
        files = {kind: p.read_bytes() for kind, p in places.items() if p.is_file()}
    return replace(result, files=files, art=None)


def write_files(task: Run, result: Result) -> Result:
    """Write returned files to the paths of `task`, the summary last.

    The same files are left as by a local run. Raises OutputError.
    """
    if not result.files:
        return result
    places = task.places(Recipe.from_dict(result.summary["recipe"]))
    for folder in {path.parent for path in places.values()}:
        probe_folder(folder)
    for kind in sorted(result.files, key=lambda kind: kind == "summary"):
        atomic_write(places[kind], result.files[kind])
    if "video" not in result.files:
        # One that was overwritten would show another drawing.
        remove_own(places["video"])
    folder = places["summary"].with_suffix(".run")
    outputs: dict[str, str | None] = {
        kind: str(places[kind]) for kind in OUTPUTS if kind in result.files
    }
    outputs["checkpoint"] = None if result.error is None else os.fspath(folder)
    if result.error is None:
        RunFolder(folder).remove()
    summary = {**result.summary, "outputs": {**result.summary["outputs"], **outputs}}
    return replace(result, summary=summary)
