"""What a run would take, without running it: a rehearsal, and the sizes of its files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from artgen.art import Art, quantised
from artgen.errors import Diverged, OutputError
from artgen.events import Notice, Observer
from artgen.faults import plugin_code
from artgen.output import FrameStore
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner._context import RunContext
from artgen.runner._device import threads
from artgen.runner._export import encode_still, write_run_video
from artgen.runner._fit import Fit
from artgen.runner._memory import keep_freed_memory, peak_memory
from artgen.runner._paths import default_stem
from artgen.runner._prepare import art_bytes, prepare
from artgen.runner._run import announce_work
from artgen.runner.tiles._choose import with_fitting_size
from artgen.runner.tiles._run import open_tiled, prepare_tiled
from artgen.tasks import RunControl
from artgen.waiting import Report, listening


@dataclass(frozen=True)
class Estimate:
    """The cost of a run of the complete `recipe`; a clip and a fit in tiles have a recipe alone.

    `seconds` are those of fitting, as in the summary of a run: without compiling and writing
    files. Stages that may stop early are taken to need all their steps. `memory` is the largest
    main memory of the process in bytes, None where the system does not say; `art_bytes` is the
    size of the `.art` file, `still_bytes` that of the PNG, None where the rehearsal diverged.
    `video_bytes` is that of the video of the rehearsal, None too where it cannot be written.
    """

    recipe: Recipe
    seconds: float | None = None
    memory: int | None = None
    art_bytes: int | None = None
    still_bytes: int | None = None
    video_bytes: int | None = None


@plugin_code()
def estimate(
    recipe: Recipe,
    registry: Registry,
    *,
    name: str | None = None,
    search: Sequence[Path] = (Path(),),
    observe: Observer = lambda event: None,
    control: RunControl | None = None,
) -> Estimate:
    """Prepare a run and rehearse its stages, for some seconds each. Raises as `run` does."""
    stem = name or default_stem(recipe)
    keep_freed_memory()
    compiled = list[str]()
    announce = announce_work(observe, stem)

    def hear(report: Report) -> None:
        if report.kind == "compiling":
            compiled.append(report.what)
        announce(report)

    with threads(recipe.run.threads) as number, listening(hear):
        recipe, note = with_fitting_size(recipe, registry, search)
        if note is not None:
            observe(Notice(stem, note, level="note"))
        if recipe.tiles is not None:
            picture = open_tiled(recipe, registry, None, search)
            return Estimate(prepare_tiled(recipe, registry, picture, search, number).recipe)
        job = prepare(recipe, registry, target=None, search=search, threads=number)
        if job.target.clip is not None:
            return Estimate(job.recipe)
        fit = Fit(RunContext(job, stem, observe, control or RunControl()))
        size, still, video = art_bytes(job.plan, job.target), None, None
        with TemporaryDirectory() as folder:
            frames = FrameStore(Path(folder, "frames"))
            seconds, first = fit.estimate(frames)
            # The run will find in the cache what was compiled here.
            seconds += 0.0 if compiled else first
            with suppress(Diverged, OutputError):
                drawing = quantised(job.shown(fit.drawing), job.recipe.run.precision)
                art = Art(drawing, job.recipe, {}, job.recipe.run.precision, registry)
                still = len(encode_still(art, job.draw(drawing).pixels))
                if job.recipe.output.video:
                    file = Path(folder, f"video.{job.recipe.output.video_format}")
                    write_run_video(fit, art, frames, file)
                    video = file.stat().st_size
        return Estimate(job.recipe, seconds, peak_memory(), size, still, video)
