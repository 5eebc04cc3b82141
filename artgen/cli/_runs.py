"""The runs that one command line asks for: one, or a batch of targets and seeds."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from artgen.batch import OUTPUTS, Done, Run, carry_out, settle
from artgen.cli._console import describe, headline, print_error, print_json, say
from artgen.cli._progress import progress
from artgen.cli._recipe import aim
from artgen.cli._where import Where
from artgen.errors import ArtgenError, InputError, Interrupted, UsageError
from artgen.events import Event, Observer
from artgen.executor import Executor, Here, Processes, Work
from artgen.output import probe_folder
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner import (
    Control,
    Interruption,
    RunFolder,
    check_agreement,
    default_stem,
    graceful_signals,
    output_paths,
    refuse_existing,
)
from artgen.targets import file_safe

__all__ = ["Job", "Session", "plan_jobs"]


@dataclass(frozen=True)
class Job:
    """One run: `asked` is the data of its recipe, `stem` the name of its files."""

    target: str | None
    seed: int | None
    asked: dict[str, Any]
    recipe: Recipe
    stem: str


@dataclass(frozen=True)
class Result:
    """How a run ended: with a summary, an error, or both where the best so far was saved."""

    job: Job
    summary: dict[str, Any] | None
    error: Exception | None

    def to_json(self) -> dict[str, Any]:
        """The object of a run, with the key `error` where it failed."""
        failure = {"error": describe(self.error)} if self.error else {}
        identity = {"target": self.job.target, "seed": self.job.seed}
        return {**failure, **(self.summary or identity)}


def plan_jobs(
    data: Mapping[str, Any],
    targets: Mapping[str, str],
    seeds: Sequence[int],
    name: str | None,
) -> list[Job]:
    """One job per target (as typed: as it is found) and seed, or one without either.

    Raises UsageError where two would write the same files.
    """
    if name is not None and len(targets) > 1:
        raise UsageError(
            f"--name {name} cannot name {len(targets)} targets",
            hint="leave it out, or run them one by one",
        )
    jobs: list[Job] = []
    owners: dict[str, str] = {}
    for target, source in targets.items() or ((None, None),):
        for seed in seeds or (None,):
            asked = aim(data, source, seed)
            recipe = Recipe().updated(asked)
            stem = name or default_stem(recipe)
            if seed is not None:
                stem += f"-s{seed}"
            other = owners.setdefault(stem.casefold(), str(target))
            if other != str(target):
                raise UsageError(
                    f"{other} and {target} would both be written to {stem}.png",
                    hint="run them one by one, with --name or --out",
                )
            jobs.append(Job(target, seed, asked, recipe, stem))
    return jobs


@dataclass(frozen=True)
class Planned:
    """A job and its task; `finished` are the files of an earlier run that resuming may keep.

    Where the run is `far` away, what stands in its way here is found out by `known`; what it goes
    on from may be `kept` there.
    """

    job: Job
    task: Run
    finished: Mapping[str, Path] | None = None
    far: bool = False
    kept: bool = False

    def known(self) -> Result | None:
        """The result, where it is there already. Raises what keeps the run from being begun."""
        if self.finished is not None:
            return _finished(self.job, self.finished)
        if not self.far:
            return None
        assert self.task.folder is not None
        paths = output_paths(self.task.folder, self.job.stem, self.job.recipe)
        beside = {"video": self.task.video, "log": self.task.log, "graph": self.task.graph}
        if not (self.task.resume or self.task.overwrite):
            refuse_existing(paths | {kind: path for kind, path in beside.items() if path})
        if self.task.resume and not self.kept:
            RunFolder.open(paths["folder"])[0].unlock()
        for path in (paths["still"], *filter(None, beside.values())):
            probe_folder(path.parent)
        return None


@dataclass(frozen=True)
class Session:
    """What all runs of one command have in common."""

    registry: Registry
    plugins: Sequence[Path]
    where: Where
    out: Path
    search: Sequence[Path]
    overwrite: bool
    resume: bool
    checkpoint_every: int | None
    log: Path | None
    graph: Path | None
    live: bool
    video: Path | None
    as_json: bool
    quiet: bool
    verbose: bool

    def run_one(self, job: Job) -> int:
        """Run it, print what was written and return the exit code. Raises what ended it."""
        [result] = self._carry_out([self._as_told(job)])
        if result.summary is None and result.error is not None:
            raise result.error
        if self.as_json:
            print_json(result.to_json())
        else:
            self._print_paths(result)
        if result.error is None:
            return 0
        print_error(result.error, verbose=self.verbose)
        return int(describe(result.error)["exit_code"])

    def run_batch(self, jobs: Sequence[Job], name: str | None) -> int:
        """Run all and go on past failures; an interruption ends the batch.

        Returns 130 after an interruption, else the exit code of the first failure. Raises
        UsageError where the contact sheet exists already.
        """
        sheet = self.out / f"{name or _title(jobs)}-sheet.png"
        if sheet.exists() and not (self.overwrite or self.resume):
            raise UsageError(f"{sheet} exists", hint="use --overwrite or another --out")

        def tell(result: Result) -> None:
            if not self.as_json:
                self._print_paths(result)
            if result.error is not None:
                print_error(result.error, verbose=self.verbose, where=f"{result.job.stem}: ")

        results = self._carry_out([self._in_a_batch(job) for job in jobs], tell)
        codes = [describe(result.error)["exit_code"] for result in results if result.error]
        written: Path | None = None
        try:
            written = self._write_sheet(results, sheet)
        except ArtgenError as error:
            print_error(error, verbose=self.verbose)
            codes.append(error.exit_code)
        if self.as_json:
            runs = [result.to_json() for result in results]
            print_json({"runs": runs, "sheet": str(written) if written else None})
        elif written:
            print(written)
        return 130 if 130 in codes else next(iter(codes), 0)

    def _carry_out(
        self,
        plans: Sequence[Planned],
        tell: Callable[[Result], None] = lambda result: None,
    ) -> list[Result]:
        """What becomes of all, in their order; `tell` hears of each as soon as it is known.

        To resume a batch is to keep what is done, go on with what began and start the rest.
        """
        executor = self.where.executor([plan.job.recipe for plan in plans], self.registry)
        work: Work[Run, Done] = carry_out
        if len(plans) == 1 and self._by_scenes(executor, plans[0].job.recipe):
            work = partial(carry_out, registry=self.registry, scenes=executor)
            executor = Here()
        elif isinstance(executor, Here):
            work = partial(carry_out, registry=self.registry)
        results: dict[str, Result] = {}

        def ended(result: Result) -> None:
            results[result.job.stem] = result
            tell(result)

        tasks = []
        for plan in plans:
            try:
                known = plan.known()
                if known is None:
                    tasks.append(plan.task)
                else:
                    ended(known)
            except Exception as error:
                ended(Result(plan.job, None, error))
        jobs = {plan.job.stem: plan.job for plan in plans}
        with (
            self._watched() as (interruption, page),
            graceful_signals(interruption),
            progress(
                self.registry,
                quiet=self.quiet,
                verbose=self.verbose,
                runs=len(tasks),
            ) as stories,
        ):
            observers: list[Observer] = [*stories, *page]

            def observe(event: Event) -> None:
                for observer in observers:
                    observer(event)

            for task, result in executor.run(work, tasks, observe, interruption) if tasks else ():
                for story in stories:
                    story.ended(task.stem)
                ended(_result(jobs[task.stem], task, result))
        for stem, job in jobs.items():
            if stem not in results:
                ended(Result(job, None, Interrupted("not started", hint="go on with --resume")))
        return [results[plan.job.stem] for plan in plans]

    def _by_scenes(self, executor: Executor, recipe: Recipe) -> bool:
        """Whether the only run stays here, and its scenes, if any, are what `executor` gets."""
        if isinstance(executor, Processes):
            return True
        if isinstance(executor, Here):
            return False
        from artgen.runner import read_target
        from artgen.targets import ClipTarget

        try:
            return isinstance(read_target(recipe, self.registry, self.search), ClipTarget)
        except ArtgenError:
            return False  # The run itself says what is wrong with it.

    @contextmanager
    def _watched(self) -> Iterator[tuple[Interruption, list[Observer]]]:
        """What the runs can be stopped with, and the page that shows them, if one was asked for."""
        if not self.live:
            yield Interruption(), []
            return
        from artgen.live import Live

        with Live(Control()) as page:
            say(f"live: {page.address}")
            yield page.control, [page]

    def _as_told(self, job: Job) -> Planned:
        """A run of its own, whose files are called as they were asked for."""
        task = self._task(job, self.log, self.graph, self.video, resume=self.resume)
        return self._planned(job, task)

    def _in_a_batch(self, job: Job) -> Planned:
        """One of several, whose files have its stem in their names."""
        log, graph, video = (
            path and path.with_stem(f"{path.stem}-{job.stem}")
            for path in (self.log, self.graph, self.video)
        )
        paths = output_paths(self.out, job.stem, job.recipe, video)
        began = paths["folder"].exists()
        # A run may have begun elsewhere, and have left there what it goes on from.
        resume = self.resume and (began or self.where.checkpoints is not None)
        task = self._task(job, log, graph, video, resume=resume)
        if self.resume and not began and paths["summary"].exists():
            return self._planned(job, task, paths)
        return self._planned(job, task)

    def _planned(self, job: Job, task: Run, finished: Mapping[str, Path] | None = None) -> Planned:
        far, kept = self.where.on is not None, self.where.checkpoints is not None
        return Planned(job, task, finished, far=far, kept=kept)

    def _task(
        self, job: Job, log: Path | None, graph: Path | None, video: Path | None, *, resume: bool
    ) -> Run:
        recipe = self.where.settled(job.recipe)
        if self.where.asked and recipe.seed is None:
            # Drawn here, so that a run which is started again elsewhere is the same.
            recipe = recipe.updated({"seed": secrets.randbits(32)})
        return Run(
            stem=job.stem,
            recipe=recipe.to_dict(),
            search=tuple(self.search),
            plugins=tuple(self.plugins),
            folder=self.out,
            resume=resume,
            given=job.asked,
            overwrite=self.overwrite,
            checkpoint_every=self.checkpoint_every,
            log=log,
            graph=graph,
            video=video,
            **self.where.takes(recipe),
        )

    def _print_paths(self, result: Result) -> None:
        if result.summary is None:
            return
        summary = output_paths(self.out, result.job.stem)["summary"]
        outputs = result.summary["outputs"]
        written = [outputs.get(kind) for kind in OUTPUTS]
        for path in (*written, summary):
            if path and Path(path).exists():
                print(path, flush=True)

    def _write_sheet(self, results: Iterable[Result], sheet: Path) -> Path | None:
        """A contact sheet of the stills; None where fewer than two runs succeeded."""
        import numpy as np
        from PIL import Image

        from artgen.output import atomic_write, contact_sheet, encode_png

        cells = []
        for result in results:
            if result.summary is None or result.error is not None:
                continue
            still = output_paths(self.out, result.job.stem)["still"]
            try:
                with Image.open(still, formats=["PNG"]) as picture:
                    picture.thumbnail((480, 480))
                    caption = f"{result.job.stem}  {headline(result.summary)}"
                    cells.append((np.array(picture), caption))
            except OSError as error:
                raise InputError(f"cannot read {still}: {error}") from None
        if len(cells) < 2:
            return None
        atomic_write(sheet, encode_png(contact_sheet(cells)))
        return sheet


def _result(job: Job, task: Run, result: Done | Exception) -> Result:
    """What became of a run, its files in their places."""
    if isinstance(result, Exception):
        return Result(job, None, result)
    try:
        done = settle(task, result)
    except Exception as error:
        return Result(job, None, error)
    return Result(job, done.summary, done.error)


def _finished(job: Job, paths: Mapping[str, Path]) -> Result:
    """An earlier run that ended well and is what `job` asks for."""
    file = paths["summary"]
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
        recipe = Recipe.from_dict(summary["recipe"], where=str(file))
        # The file knows names only, so that it can be moved.
        # Beside the video there may be another one, in the same folder.
        outputs = {
            kind: name and str(paths.get(kind) or paths["video"].with_name(name))
            for kind, name in summary["outputs"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{file} is not the summary of a run: {error}", hint="start again with --overwrite"
        ) from None
    check_agreement(recipe, job.asked)
    return Result(job, {**summary, "outputs": outputs}, None)


def _title(jobs: Sequence[Job]) -> str:
    """What the contact sheet is called after: the target and primitive, or that alone."""
    if len({job.target for job in jobs}) == 1:
        return default_stem(jobs[0].recipe)
    return file_safe(jobs[0].recipe.primitive.name)
