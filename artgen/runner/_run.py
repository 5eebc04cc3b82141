"""One run from a recipe to its files: prepare, fit, export, in a folder that survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from artgen.errors import UsageError
from artgen.events import Event, Finished, Notice, Observer, Shown, Started
from artgen.output import probe_encoder, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner._clip import ClipFit, Elsewhere
from artgen.runner._device import threads
from artgen.runner._export import Outcome, export
from artgen.runner._fit import Fit
from artgen.runner._folder import RunFolder
from artgen.runner._graph import GraphFile
from artgen.runner._log import JsonLines
from artgen.runner._memory import keep_freed_memory
from artgen.runner._paths import default_stem, output_paths, refuse_existing
from artgen.runner._prepare import prepare
from artgen.runner._resume import check_agreement
from artgen.runner._signals import Interruption
from artgen.targets import ClipTarget, ImageTarget, Target, split_source

__all__ = ["run"]


def run(
    recipe: Recipe,
    registry: Registry,
    *,
    target: Target | None = None,
    out: Path | None = None,
    name: str | None = None,
    resume: bool = False,
    given: dict[str, Any] | None = None,
    overwrite: bool = False,
    search: Sequence[Path] = (Path(),),
    observers: Sequence[Observer] = (),
    interruption: Interruption | None = None,
    checkpoint_every: int | None = None,
    log: Path | None = None,
    graph: Path | None = None,
    video: Path | None = None,
    scenes: Elsewhere | None = None,
) -> Outcome:
    """Run `recipe` and write still, video, `.art` and `.json` into `out` (nothing where None).

    `target` replaces the recipe's source by one in memory; `search` lists the folders in
    which the recipe's files are looked up. With `resume` the run stored in `out` goes on, and
    `given` (the part of `recipe` that was asked for) must agree with it. `graph` is where the loss
    of the first engine that has a graph is written, in the DOT language; `video` is another place
    for the video, of the format in the recipe. `scenes` says where the scenes of a clip are fitted,
    if not here.

    Raises ArtgenError; after an interruption or divergence that left something to save, the error
    is in the outcome instead.
    """
    stem = name or default_stem(recipe)
    paths = None if out is None else output_paths(out, stem, recipe, video)
    folder: RunFolder | None = None
    held = ExitStack()
    if paths is not None and resume:
        folder, recipe = RunFolder.open(paths["folder"])
        held.callback(folder.unlock)
        paths = output_paths(paths["folder"].parent, stem, recipe, video)
        # Sets and clips are not copied into the folder: they are read again from where they are.
        _, source = split_source(str((given or {}).get("target", {}).get("source", "")))
        search = [*folder.inputs, *search, Path(source).parent]
    elif paths is not None and not overwrite:
        refuse_existing(paths)
    observers = list(observers)
    emit = _announcer(stem, registry, observers)
    keep_freed_memory()

    with held, threads(recipe.run.threads) as number:
        if folder is not None:
            check_agreement(recipe, given or {}, target)
        job = prepare(recipe, registry, target=target, search=search, threads=number)
        if graph is not None and isinstance(job.target, ClipTarget):
            raise UsageError(f"{job.target.source} is a clip, of which no graph is drawn")
        names = [stage.engine for stage in job.recipe.stage]
        engines = dict(zip(names, job.plan.engines, strict=True))
        graph_file = graph and GraphFile(graph, engines, emit, stem, overwrite=overwrite or resume)
        for notice in job.notices:
            emit(Notice(stem, notice))
        if paths is not None and job.recipe.output.video:
            probe_encoder(f".{job.recipe.output.video_format}")
        if paths is not None and folder is None:
            for parent in {paths["folder"].parent, paths["video"].parent}:
                probe_folder(parent)
            if overwrite:
                _remove(RunFolder(paths["folder"]))
            folder = RunFolder.create(paths["folder"], job.recipe, job.inputs)
            held.callback(folder.unlock)
        try:
            fit: Fit | ClipFit
            if isinstance(job.target, ClipTarget):
                scratch = Path(held.enter_context(TemporaryDirectory()))
                fit = ClipFit(
                    job,
                    registry,
                    emit=emit,
                    run_name=stem,
                    interruption=interruption or Interruption(),
                    place=scratch if folder is None else folder.scenes,
                    search=search,
                    checkpoint_every=checkpoint_every,
                    elsewhere=scenes,
                )
            else:
                fit = Fit(
                    job,
                    emit=emit,
                    run_name=stem,
                    interruption=interruption or Interruption(),
                    folder=folder,
                    checkpoint_every=checkpoint_every,
                    started=graph_file or None,
                )
            if resume and folder is not None:
                fit.resume()
            lines = log and JsonLines(
                log, resumed_at=fit.resumed_at if resume else None, overwrite=overwrite
            )
            with closing(lines) if lines else nullcontext():
                observers.extend([lines] if lines else [])
                goal = job.target.pixels if isinstance(job.target, ImageTarget) else None
                emit(Started(stem, fit.resumed_at, fit.total_steps, job.recipe.to_dict(), goal))
                outcome = export(job, fit.run(), registry, paths, folder)
                emit(Shown(stem, outcome.summary["steps"], outcome.pixels))
                emit(Finished(stem, outcome.summary))
        except BaseException:
            if folder is not None and not folder.has_checkpoint:
                folder.remove()
            raise
        if folder is not None and outcome.error is None:
            folder.remove()
        return outcome


def _remove(folder: RunFolder) -> None:
    """Delete what is left of an earlier run, unless that run goes on. Raises UsageError."""
    if folder.path.is_dir():
        folder.lock()
        folder.remove()


def _announcer(
    stem: str, registry: Registry, observers: Sequence[Observer]
) -> Callable[[Event], None]:
    """Tells an event to every observer and to every plugin that watches."""

    def emit(event: Event) -> None:
        for observer in observers:
            observer(event)
        for warning in registry.observe(event):
            for observer in observers:
                observer(Notice(stem, warning))

    return emit
