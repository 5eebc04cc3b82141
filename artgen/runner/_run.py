"""One run from a recipe to its files: prepare, fit, export, in a folder that survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from artgen.errors import OutOfMemory, OutputError, UsageError
from artgen.events import Event, Finished, Notice, Observer, PreviewDrawn, Started, Working
from artgen.faults import plugin_code
from artgen.output import probe_encoder, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner._context import RunContext
from artgen.runner._device import threads
from artgen.runner._export import export
from artgen.runner._fit import Fit
from artgen.runner._folder import RunFolder
from artgen.runner._graph import GraphFile
from artgen.runner._log import JsonLines
from artgen.runner._memory import keep_freed_memory
from artgen.runner._paths import default_stem, output_paths, refuse_existing
from artgen.runner._prepare import prepare
from artgen.runner._result import Result
from artgen.runner._resume import check_agreement
from artgen.runner.clip._run import ClipFit, SceneExecution
from artgen.runner.tiles._choose import with_fitting_size
from artgen.runner.tiles._run import TiledFit, TileWorkers, open_tiled, prepare_tiled
from artgen.targets import Source, Target
from artgen.tasks import RunControl
from artgen.waiting import Report, listening


@plugin_code()
def run(
    recipe: Recipe,
    registry: Registry,
    *,
    target: Target | None = None,
    out: Path | None = None,
    name: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    search: Sequence[Path] = (Path(),),
    observers: Sequence[Observer] = (),
    control: RunControl | None = None,
    checkpoint_every: int | None = None,
    log: Path | None = None,
    graph: Path | None = None,
    video: Path | None = None,
    scenes: SceneExecution | None = None,
) -> Result:
    """Run `recipe` and write still, video, `.art` and `.json` into `out` (nothing where None).

    `target` replaces the recipe's source by one in memory; `search` lists the folders in
    which the recipe's files are looked up. With `resume` the run stored in `out` continues by its
    own recipe, and what `recipe` was asked for must agree with that. `graph` is where the loss
    of the first engine that has a graph is written, in the DOT language; `video` is another place
    for the video, of the format in the recipe. `scenes` says where the scenes of a clip, or
    the tiles of a picture, are fitted, if not here.

    Raises ArtgenError; after an interruption or divergence that left something to save, the error
    is in the result instead.
    """
    stem = name or default_stem(recipe)
    paths = None if out is None else output_paths(out, stem, recipe, video)
    folder, asked = None, recipe
    held = ExitStack()
    if paths is not None and resume:
        folder, recipe = RunFolder.open(paths["folder"])
        held.callback(folder.unlock)
        paths = output_paths(paths["folder"].parent, stem, recipe, video)
        # Sets and clips are not copied into the folder: they are read again from where they are.
        source = Source.parse(asked.target.source)
        search = [*folder.inputs, *search, Path(source.path or "").parent]
    elif paths is not None and not overwrite:
        refuse_existing(paths)
    emit = _Announcer(stem, registry, observers)
    keep_freed_memory()

    with (
        held,
        threads(recipe.run.threads) as number,
        listening(announce_work(emit, stem)),
    ):
        if number < (recipe.run.threads or 0):
            text = f"{recipe.run.threads} threads are more than this machine has: {number} are used"
            emit(Notice(stem, text))
        if folder is not None:
            check_agreement(recipe, asked, registry, target)
        if recipe.tiles is not None and video is not None and recipe.output.start != "parts":
            raise UsageError(
                "a fit in tiles has no video of its steps",
                hint="--start parts shows how the parts appear",
            )
        if target is None and folder is None and video is None:
            recipe, note = with_fitting_size(recipe, registry, search)
            if note is not None:
                emit(Notice(stem, note, level="note"))
        workers = None
        if recipe.tiles is None:
            job = prepare(recipe, registry, target=target, search=search, threads=number)
        else:
            picture = open_tiled(recipe, registry, target, search)
            if scenes is not None:
                # They start while this process gets ready.
                workers = TileWorkers(recipe.tiles, picture.canvas, scenes, cpus=number)
                held.push(workers)
            job = prepare_tiled(recipe, registry, picture, search, number)
        if graph is not None and job.target.clip is not None:
            raise UsageError(
                f"{job.target.source} is a clip, which has no graph", hint="leave out --graph"
            )
        names = [stage.engine for stage in job.recipe.stage]
        engines = dict(zip(names, job.plan.engines, strict=True))
        graph_file = graph and GraphFile(graph, engines, emit, stem, overwrite=overwrite or resume)
        for notice in job.notices:
            emit(Notice(stem, notice))
        for note in job.notes:
            emit(Notice(stem, note, level="note"))
        if paths is not None and job.recipe.output.video:
            probe_encoder(f".{job.recipe.output.video_format}")
        if paths is not None and folder is None:
            for parent in {paths["folder"].parent, paths["video"].parent}:
                probe_folder(parent)
            if overwrite:
                _remove(RunFolder(paths["folder"]))
            folder = RunFolder.create(paths["folder"], job.recipe, job.inputs)
            held.callback(folder.unlock)
        lines: JsonLines | None = None
        try:
            fit: Fit | ClipFit | TiledFit
            context = RunContext(job, stem, emit, control or RunControl())
            if job.recipe.tiles is not None:
                place = folder.tiles if folder else _temporary(held)
                fit = TiledFit(context, registry, place=place, workers=workers)
            elif job.target.clip is not None:
                fit = ClipFit(
                    context,
                    registry,
                    place=folder.scenes if folder else _temporary(held),
                    search=search,
                    checkpoint_every=checkpoint_every,
                    elsewhere=scenes,
                )
                if folder is not None:
                    # A budget of time has become steps.
                    folder.write_recipe(fit.recipe)
            else:
                fit = Fit(
                    context,
                    folder=folder,
                    checkpoint_every=checkpoint_every,
                    started=graph_file or None,
                )
            if resume and folder is not None:
                if not folder.has_checkpoint:
                    message = f"{folder.path} holds no checkpoint yet: the run starts anew"
                    emit(Notice(stem, message))
                fit.resume()
            if log is not None:
                resumed_at = fit.resumed_at if resume else None
                lines = JsonLines(log, resumed_at=resumed_at, overwrite=overwrite)
            # Before and after the others this process works alone, on the processors of all.
            alone = None if scenes is None else scenes.processors(number)
            with closing(lines) if lines else nullcontext(), threads(alone):
                if lines:
                    emit.add(lines)
                steps, pixels = fit.total_steps, job.target.pixels
                emit(Started(stem, fit.resumed_at, steps, job.recipe.to_dict(), pixels))
                fit.run()
                result, pixels = export(fit, registry, paths, folder)
                emit(PreviewDrawn(stem, result.summary["steps"], pixels))
                emit(Finished(stem, result.summary))
        except BaseException as error:
            # With space again, or rights, the run goes on from its recipe and its seed.
            kept = isinstance(error, OutputError) and not isinstance(error, OutOfMemory)
            if folder is not None and not (folder.has_checkpoint or kept):
                folder.remove()
                if lines:
                    lines.remove()
            raise
        if folder is not None and result.error is None:
            folder.remove()
        return result


def announce_work(observe: Observer, stem: str) -> Callable[[Report], None]:
    """Return a listener that makes events of reports during the run called `stem`.

    Kernels that are compiled are a note too, once each.
    """
    noted = set[str]()

    def hear(report: Report) -> None:
        if report.kind == "compiling" and report.what not in noted:
            noted.add(report.what)
            observe(Notice(stem, f"{report.what}, which is done once", level="note"))
        observe(Working(stem, report.what, report.done))

    return hear


def _temporary(held: ExitStack) -> Path:
    """Make a folder that is there as long as `held`."""
    return Path(held.enter_context(TemporaryDirectory()))


def _remove(folder: RunFolder) -> None:
    """Delete what is left of an earlier run, unless that run goes on. Raises UsageError."""
    if folder.path.is_dir():
        folder.lock()
        folder.remove()


class _Announcer:
    """Passes events on to every observer and to every plugin that observes."""

    def __init__(self, stem: str, registry: Registry, observers: Sequence[Observer]) -> None:
        self.stem, self.registry = stem, registry
        self.observers = list(observers)

    def add(self, observer: Observer) -> None:
        """Pass later events on to `observer` too."""
        self.observers.append(observer)

    def __call__(self, event: Event) -> None:
        for observer in self.observers:
            observer(event)
        for warning in self.registry.observe(event):
            for observer in self.observers:
                observer(Notice(self.stem, warning))
