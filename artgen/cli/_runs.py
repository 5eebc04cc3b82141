"""The runs that one command line asks for: one, or a batch of targets and seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.base.errors import ArtgenError, InputError, Interrupted, OutputError
from artgen.base.seeds import new_seed
from artgen.cli._afterwards import open_in_browser
from artgen.cli._console import INTERRUPTED, exit_code, headline, print_error, say
from artgen.cli._exports import Writer, as_asked, write_exports
from artgen.cli._flags import Common
from artgen.cli._pipes import is_stdout
from artgen.cli._progress import progress
from artgen.cli._sheet import PAGE_MARK, write_sheet
from artgen.cli._where import Files, Watching, Where
from artgen.events import Event
from artgen.output import check_output, probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import (
    OUTPUTS,
    Result,
    RunFolder,
    check_agreement,
    check_outputs,
    default_stem,
    output_paths,
    style_name,
    with_film_file,
)
from artgen.runs.task import Run, execute, write_files
from artgen.tasks import (
    Executor,
    ProcessExecutor,
    RunControl,
    SerialExecutor,
    Work,
    graceful_signals,
    share_of_gpu,
)

if TYPE_CHECKING:
    from artgen.live import Live


@dataclass(frozen=True)
class Session:
    """The things that all runs of one command share."""

    registry: Registry
    common: Common
    where: Where
    files: Files
    watching: Watching
    video: Path | None
    outputs: Sequence[Path]

    def run_one(self, run: Run) -> int:
        """Run it, print what was written and return the exit code. Raises what ended it."""
        [result] = self._execute([run], many=False)
        if result.error is not None and not result.summary:
            raise result.error
        if self.outputs:
            result = self._with_outputs(run, result)
        self.common.answer(_to_json(run, result), *self._paths(run, result))
        self._show(result.summary["outputs"].get("still"))
        if result.error is None:
            return 0
        print_error(result.error, verbose=self.common.verbose)
        return exit_code([result.error])

    def run_batch(self, runs: Sequence[Run]) -> int:
        """Run all and go on past failures; an interruption ends the batch.

        Returns 130 after an interruption, else the exit code of the first failure. Raises
        UsageError where the contact sheet exists already.
        """
        targets, recipe = {run.asked["target"] for run in runs}, runs[0].recipe
        title = default_stem(recipe) if len(targets) == 1 else style_name(recipe)
        sheet = self.files.out / f"{self.files.name or title}-sheet.png"
        files = self.files
        again = files.overwrite or files.resume or files.skip_existing
        for file, mark in ((sheet, b"artgen"), (sheet.with_suffix(".html"), PAGE_MARK)):
            check_output(file, overwrite=again, option="--out", mark=mark)

        def report(run: Run, result: Result) -> None:
            if not self.common.as_json:
                self.common.answer({}, *self._paths(run, result))
            if result.error is not None:
                self.common.fail(result.error, where=f"{run.stem}: ")

        results = self._execute(runs, report, many=True)
        errors = [result.error for result in results if result.error]
        if not self.common.quiet and _are_alike(runs, results):
            say("note: every seed gave the same picture, which does not depend on it")
        written: Path | None = None
        try:
            written = sheet if self._write_sheet(runs, results, sheet) else None
        except ArtgenError as error:
            self.common.fail(error)
            errors.append(error)
        page = written and written.with_suffix(".html")
        shown = [_to_json(run, result) for run, result in zip(runs, results, strict=True)]
        data = {"runs": shown, "sheet": written, "page": page}
        self.common.answer(data, *filter(None, (page, written)), errors=errors)
        self._show(page)
        return exit_code(errors)

    def _execute(
        self,
        runs: Sequence[Run],
        report: Callable[[Run, Result], None] = lambda run, result: None,
        *,
        many: bool,
    ) -> list[Result]:
        """The results of all, in their order; `report` is called with each as soon as it is known.

        To resume a batch is to keep what is done, go on with what began and start the rest.
        """
        executor = self.where.executor([run.recipe for run in runs], self.registry)
        work: Work[Run, Result] = execute
        if len(runs) == 1 and self._divides(executor, runs[0]):
            work = partial(execute, registry=self.registry, executor=executor)
            kind = runs[0].recipe.run_kind
            where = kind and self.registry.find("run", kind).spec.load
            if isinstance(where, str) and isinstance(executor, ProcessExecutor):
                # Beside this process, which imports the same.
                executor.start(where.partition(":")[0])
            executor = SerialExecutor()
        elif isinstance(executor, SerialExecutor):
            work = partial(execute, registry=self.registry)
        results: dict[str, Result] = {}

        def ended(run: Run, result: Result) -> None:
            results[run.stem] = result
            report(run, result)

        tasks = []
        for run in [self.placed(run, many=many) for run in runs]:
            try:
                known = self._known_result(run, many=many)
            except Exception as error:
                known = Result(error=error)
            if known is None:
                tasks.append(self._settled(run))
            else:
                ended(run, known)
        control = RunControl()
        with (
            self._page(control) as page,
            graceful_signals(control, answer="" if self.common.quiet else INTERRUPTED),
            progress(self.registry, self.common, runs=len(tasks)) as story,
        ):

            def observe(event: Event) -> None:
                story(event)
                if page is not None:
                    page(event)

            for task, result in executor.run(work, tasks, observe, control) if tasks else ():
                story.ended(task.stem)
                received = _received(task, result)
                failed = received.error
                if page is not None and failed and not isinstance(failed, Interrupted):
                    page.fail(failed)
                ended(task, received)
        ended_early = sum(isinstance(result.error, Interrupted) for result in results.values())
        left = [run for run in runs if run.stem not in results]
        if left or (many and ended_early):
            reason = Interrupted("not started", hint="continue with --resume")
            results |= {run.stem: Result(error=reason) for run in left}
            counts = {"ended early": ended_early, "were not started": len(left)}
            said = [f"{count} of {len(runs)} runs {how}" for how, count in counts.items() if count]
            say(f"{', '.join(said)}: {reason.hint}")
        return [results[run.stem] for run in runs]

    def _divides(self, executor: Executor, run: Run) -> bool:
        """Whether the only run stays here, and its tasks, if any, are what `executor` gets."""
        if isinstance(executor, ProcessExecutor | SerialExecutor):
            return isinstance(executor, ProcessExecutor)
        from artgen.runs import is_divisible

        return is_divisible(run.recipe, self.registry, run.search, self.video)

    @contextmanager
    def _page(self, control: RunControl) -> Iterator[Live | None]:
        """The page that shows the runs and can end them with `control`, if one was asked for."""
        if not self.watching.page:
            yield None
            return
        from artgen.live import Live

        with Live(control, port=self.watching.live_port or 0) as page:
            say(f"live: {page.address}")
            yield page

    def placed(self, run: Run, *, many: bool) -> Run:
        """The run with its files; those of a batch have its stem in their names."""
        log, graph, video = (
            path.with_stem(f"{path.stem}-{run.stem}") if path and many else path
            for path in (self.files.log, self.files.graph, self.video)
        )
        resume = self.files.resume
        if many and self.where.checkpoints is None:
            # With checkpoints it may have begun elsewhere.
            folder = output_paths(self.files.out, run.stem)["folder"]
            resume = resume and RunFolder(folder).resumable
        return replace(
            run,
            plugins=tuple(self.common.plugin or ()),
            folder=self.files.out,
            resume=resume,
            overwrite=self.files.overwrite,
            checkpoint_every=self.files.checkpoint_every,
            log=log,
            graph=graph,
            video=video,
        )

    def _known_result(self, run: Run, *, many: bool) -> Result | None:
        """The result of an earlier run that resuming a batch keeps.

        Raises what keeps a run that goes elsewhere from writing its files here.
        """
        paths = output_paths(self.files.out, run.stem, run.recipe, run.video)
        if self.files.skip_existing and paths["summary"].exists():
            if not self.common.quiet:
                say(f"{run.stem}: skipped, {paths['summary']} exists")
            return _earlier(paths)[1]
        remnant = RunFolder(paths["folder"])
        if many and self.files.resume and not remnant.resumable and paths["summary"].exists():
            recipe, result = _earlier(paths)
            check_agreement(recipe, run.recipe, self.registry)
            remnant.remove()
            return result
        if self.where.on is None:
            return None
        paths |= {kind: path for kind, path in {"log": run.log, "graph": run.graph}.items() if path}
        check_outputs(paths, run.recipe, run.search, overwrite=run.overwrite, resume=run.resume)
        if run.resume and self.where.checkpoints is None:
            RunFolder.open(paths["folder"])[0].unlock()
        for folder in dict.fromkeys(path.parent for path in paths.values()):
            probe_folder(folder)
        return None

    def _settled(self, run: Run) -> Run:
        """The run with all that must be the same if it is started again elsewhere."""
        recipe = run.recipe
        if self.where.asked and recipe.run.threads is None:
            recipe = recipe.with_run(threads=1)
        if self.where.asked and recipe.seed is None:
            recipe = recipe.with_seed(new_seed())
        gpus = share_of_gpu(self.where.gpus, recipe.run.device)
        return replace(run, recipe=recipe, cpus=recipe.run.threads or 1, gpus=gpus)

    def _with_outputs(self, run: Run, result: Result) -> Result:
        """Write the drawing to the files of `-o`, as the recipe asks for its still and video.

        The same result is returned, with those written, and the error of one that cannot be.
        """
        from artgen.art import load

        written = result.summary["outputs"]
        art = load(written["art"], registry=self.registry)
        kept = [Path(written[kind]) for kind in ("still", "video") if written.get(kind)]
        made: dict[str, Writer] = {
            file.suffix.lower()[1:]: lambda *given, file=file: file.read_bytes() for file in kept
        }
        done = [file for file in self.outputs if str(file) == written.get("video")]
        files = [file for file in self.outputs if file not in done]
        result = replace(result, summary={**result.summary, "exports": done})
        try:
            arts = dict.fromkeys(files, art)
            request = as_asked(art, with_film_file(run.recipe, run.search).output, self.registry)
            write_exports(arts, request, self.registry, self.common, made, apart=done)
        except ArtgenError as error:
            error.advise(f"the drawing is saved: artgen render {written['art']} -o FILE")
            return replace(result, error=error)
        return result

    def _paths(self, run: Run, result: Result) -> list[Path]:
        """The files of a run that are there, none where data go to standard output."""
        if not result.summary or any(map(is_stdout, self.outputs)):
            return []
        outputs = result.summary["outputs"]
        written = [Path(outputs[kind]) for kind in OUTPUTS if outputs.get(kind)]
        summary = output_paths(self.files.out, run.stem)["summary"]
        return [path for path in (*written, summary) if path.exists()]

    def _show(self, file: str | Path | None) -> None:
        if self.watching.show and file and not open_in_browser(Path(file)):
            say(f"warning: there is no browser to show {file}")

    def _write_sheet(self, runs: Iterable[Run], results: Iterable[Result], sheet: Path) -> bool:
        """Write a contact sheet of the stills, and a page, unless there are fewer than two."""
        pairs = zip(runs, results, strict=True)
        good = [each for each in pairs if not each[1].error and each[1].summary["outputs"]["still"]]
        if len(good) < 2:
            return False
        targets = {run.asked["target"] for run, _ in good}
        cells = []
        for run, result in good:
            seed, command = run.asked["seed"], run.asked.get("command")
            metric = "" if seed is None else f"seed {seed}, "
            name = [run.stem.removesuffix(f"-s{seed}")] if len(targets) > 1 else []
            lines = [*name, metric + headline(result.summary)]
            if command is not None:
                lines = [str(run.recipe.look), str(command)]
            cells.append((Path(result.summary["outputs"]["still"]), "\n".join(lines)))
        write_sheet(cells, sheet)
        return True


def _are_alike(runs: Sequence[Run], results: Sequence[Result]) -> bool:
    """Whether a target has one picture for all seeds, to the last bit of its loss."""
    found: dict[object, list[object]] = {}
    for run, result in zip(runs, results, strict=True):
        if run.asked["seed"] is not None and not result.error:
            found.setdefault(run.asked["target"], []).append(result.summary["loss"])
    return any(len(losses) > 1 == len(set(losses)) for losses in found.values())


def _to_json(run: Run, result: Result) -> dict[str, object]:
    """The object of a run, with the key `error` where it failed."""
    failure = {"error": result.error} if result.error else {}
    return {**failure, **(result.summary or run.asked)}


def _received(run: Run, result: Result | Exception) -> Result:
    """The result of a run, its files in their places."""
    left = RunFolder(output_paths(run.place, run.stem)["folder"])
    if isinstance(result, OutputError) and left.resumable and "--resume" not in str(result):
        result.advise("continue with --resume")
    try:
        return Result(error=result) if isinstance(result, Exception) else write_files(run, result)
    except Exception as error:
        return Result(error=error)


def _earlier(paths: Mapping[str, Path]) -> tuple[Recipe, Result]:
    """The recipe and the result of an earlier run, from its summary."""
    file = paths["summary"]
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        recipe = Recipe.from_dict(summary["recipe"], where=str(file))
        # The file knows names only, so that it can be moved.
        # Beside the video there may be another one, in the same folder.
        outputs = {
            kind: name and str(paths.get(kind, paths["video"]).with_name(name))
            for kind, name in summary["outputs"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file} is not the summary of a run: {error}", hint="start again with --overwrite"
        ) from None
    return recipe, Result({**summary, "outputs": outputs})
