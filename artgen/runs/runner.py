"""One run from a recipe to its files: prepare, fit, export, in a folder that survives a kill.

`estimate` says what it would take, by a rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path

from artgen.base.errors import ArtgenError, OutOfMemory, OutputError
from artgen.base.faults import plugin_code
from artgen.base.files import find_file
from artgen.base.process import waiting_since
from artgen.base.waiting import Activity, listening
from artgen.events import Event, Finished, Notice, Observer, PreviewDrawn, Started, Working
from artgen.output import probe_encoder, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs.agreement import check_agreement, differs, is_timed, time_limit
from artgen.runs.context import RunContext
from artgen.runs.device import threads, usual_torch
from artgen.runs.elsewhere import Elsewhere
from artgen.runs.export import export
from artgen.runs.files.folder import RunFolder
from artgen.runs.files.inputs import with_film_file
from artgen.runs.files.log import JsonLines
from artgen.runs.files.paths import check_outputs, default_stem, output_paths
from artgen.runs.files.result import Result
from artgen.runs.graph import graph_writer
from artgen.runs.kind import Asked, Estimate, find_kind
from artgen.runs.kinds.tiles.choose import with_fitting_size
from artgen.runs.memory import keep_freed_memory
from artgen.targets import Source, Target, kind_by_name
from artgen.tasks import RunControl


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
    elsewhere: Elsewhere | None = None,
) -> Result:
    """Run `recipe` and write still, video, `.art` and `.json` into `out` (nothing where None).

    `target` replaces the recipe's source by one in memory; `search` lists the folders in
    which the recipe's files are looked up. With `resume` the run stored in `out` continues by its
    own recipe, and what `recipe` was asked for must agree with that; its `time` is how long it may
    fit now, before it is interrupted. `graph` is where the loss
    of the first engine that has a graph is written, in the DOT language; `video` is another place
    for the video, of the format in the recipe. `elsewhere` says where the tasks of a run that has
    some are carried out, if not here: the scenes of a clip, the tiles of a picture.

    Raises ArtgenError; where a drawing was saved after an interruption, after divergence or though
    another output could not be written, the error is in the result instead.
    """
    stem = name or default_stem(recipe)
    paths = None if out is None else output_paths(out, stem, recipe, video)
    folder, asked, limit = None, recipe, None
    held = ExitStack()
    if paths is not None and resume:
        folder, recipe = RunFolder.open(paths["folder"])
        held.callback(folder.unlock)
        if asked.output.max_bytes is not None:
            # It changes the video alone, which is not there yet.
            recipe = recipe.with_output(max_bytes=asked.output.max_bytes)
        paths = output_paths(paths["folder"].parent, stem, recipe, video)
        # Sets, clips, weights and sounds are not copied into the folder: they are read again from
        # where they are.
        named = [Source.parse(asked.target.source).path or ""]
        named += [(asked.output.film or "").partition("=")[2]]
        named += [file.name for stage in asked.stage for file in stage.loss_files or ()]
        search = [*folder.inputs, *search, *(Path(each).parent for each in named)]
    hearing = list(observers)
    emit = _announcer(stem, registry, hearing)
    context = RunContext(stem, emit, control or RunControl(), waiting_since())
    keep_freed_memory()

    with (
        held,
        usual_torch(),
        threads(recipe.run.threads) as number,
        listening(_announce_work(emit, stem, [])),
    ):
        if number < (recipe.run.threads or 0):
            wanted = recipe.run.threads
            context.notify(f"{wanted} threads are more than this machine has: {number} are used")
        if paths is not None:
            check_outputs(paths, asked, search, overwrite=overwrite, resume=resume)
        if folder is not None:
            check_agreement(recipe, asked, registry, target)
            count = recipe.primitive.count
            folder.write_recipe(recipe)
            most = asked.primitive.target_bytes
            # Where steps followed from a time, the recipe had to leave more room for them.
            if most is not None and not is_timed(asked):
                recipe = recipe.with_primitive(count=None, target_bytes=most)
        if target is None and folder is None and video is None:
            recipe = with_fitting_size(recipe, registry, search, context)
        kind = find_kind(
            Asked(
                with_film_file(recipe, search),
                registry,
                context,
                target=target,
                search=search,
                threads=number,
                checkpoint_every=checkpoint_every,
                graph=graph,
                video=video,
                elsewhere=elsewhere,
            )
        )
        held.callback(kind.close)
        job = kind.prepare()
        if folder is not None and job.recipe.primitive.count != count:
            raise differs("count", count, job.recipe.primitive.count)
        again = overwrite or resume
        started = graph_writer(graph, job.plan, context, overwrite=again) if graph else None
        for notice in job.notices:
            context.notify(notice)
        for note in job.notes:
            context.notify(note, "note")
        if paths is not None and job.recipe.output.video:
            probe_encoder(f".{job.recipe.output.video_format}")
        if paths is not None and folder is None:
            for parent in {paths["folder"].parent, paths["video"].parent}:
                probe_folder(parent)
            if overwrite and paths["folder"].exists():
                # What is left of an earlier run, unless that run goes on.
                left = RunFolder(paths["folder"])
                left.lock()
                left.remove()
            folder = RunFolder.create(paths["folder"], job.recipe, job.inputs)
            held.callback(folder.unlock)
        lines: JsonLines | None = None
        try:
            kind.begin(job, folder, started)
            if resume and folder is not None:
                if not folder.has_checkpoint:
                    context.notify(f"{folder.path} holds no checkpoint yet: the run starts anew")
                kind.resume()
                limit = time_limit(recipe, asked, folder)
                if limit is not None:
                    context.notify(f"fitting for at most {limit:g} s now, as --time says", "note")
            if log is not None:
                resumed_at = kind.resumed_at if resume else None
                lines = JsonLines(log, resumed_at=resumed_at, overwrite=overwrite)
            # Before and after the others this process works alone, on the processors of all.
            alone = None if elsewhere is None else elsewhere.processors(number)
            within = context.control.within(limit)
            with closing(lines) if lines else nullcontext(), threads(alone), within:
                if lines:
                    hearing.append(lines)
                steps, pixels = kind.total_steps, job.target.pixels
                emit(Started(stem, kind.resumed_at, steps, job.recipe.to_dict(), pixels))
                result, pixels = export(kind, kind.fit(), paths, folder)
                emit(PreviewDrawn(stem, result.summary["steps"], pixels))
                emit(Finished(stem, result.summary))
        except BaseException as error:
            # With space again, or rights, the run goes on from its recipe and its seed.
            kept = isinstance(error, OutputError) and not isinstance(error, OutOfMemory)
            if folder is not None and not (resume or folder.has_checkpoint or kept):
                folder.remove()
                if lines:
                    lines.remove()
            raise
        if folder is not None and result.error is None:
            folder.remove()
        return result


@plugin_code()
def estimate(
    recipe: Recipe,
    registry: Registry,
    *,
    name: str | None = None,
    search: Sequence[Path] = (Path(),),
    video: Path | None = None,
    observe: Observer = lambda event: None,
) -> Estimate:
    """Prepare a run and rehearse its stages, for some seconds each. Raises as `run` does."""
    context, compiled = RunContext(name or default_stem(recipe), observe), list[str]()
    keep_freed_memory()
    announce = _announce_work(observe, context.name, compiled)
    with threads(recipe.run.threads) as number, listening(announce):
        recipe = with_film_file(recipe, search)
        if video is None:
            recipe = with_fitting_size(recipe, registry, search, context)
        asked = Asked(recipe, registry, context, search=search, threads=number, video=video)
        with closing(find_kind(asked)) as kind:
            job = kind.prepare()
            for note in job.notes:
                context.notify(note, "note")
            return kind.estimate(job, compiled)


def is_divisible(
    recipe: Recipe, registry: Registry, search: Sequence[Path], video: Path | None = None
) -> bool:
    """Whether a run has tasks that can be carried out elsewhere, as far as the names tell."""
    table, source = recipe.target, Source.parse(recipe.target.source)
    try:
        if source.path is not None:
            source = source.at(find_file(source.path, table.sha256, search, "target"))
        if video is None:
            recipe = with_fitting_size(recipe, registry, search, RunContext())
        name = recipe.run_kind or kind_by_name(source, registry) or Target.run_kind
        return bool(registry.load("run", name).divisible)
    except ArtgenError:
        return False  # The run itself says what is wrong with it.


def _announce_work(observe: Observer, stem: str, compiled: list[str]) -> Callable[[Activity], None]:
    """Return a listener that makes events of reports during the run called `stem`.

    What is compiled is a note too, once each, and is added to `compiled`.
    """

    def hear(report: Activity) -> None:
        if report.kind == "compiling" and report.what not in compiled:
            compiled.append(report.what)
            observe(Notice(stem, f"{report.what}, which is done once", level="note"))
        observe(Working(stem, report.what, report.done))

    return hear


def _announcer(stem: str, registry: Registry, observers: Sequence[Observer]) -> Observer:
    """What passes events on to every plugin that observes, and to those in `observers` by then."""

    def announce(event: Event) -> None:
        for observer in observers:
            observer(event)
        for warning in registry.observe(event):
            for observer in observers:
                observer(Notice(stem, warning))

    return announce
