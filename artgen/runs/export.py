"""From a finished fit to its outputs: still, video, `.art`, and the JSON object that describes it.

All files are written inside the run folder first, the drawing before all others, and moved to their
places together. Where one cannot be written, the drawing is saved all the same; but of outputs that
are incomplete, none replaces an earlier one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from artgen._version import __version__
from artgen.art import Art, quantised, quantised_film
from artgen.base.errors import ArtgenError, Interrupted
from artgen.base.faults import plugin_code
from artgen.base.plain import readable
from artgen.base.waiting import report
from artgen.compiler.threads import begin
from artgen.display import METRICS
from artgen.output import Pixels, atomic_write, remove_own, write_video
from artgen.runs.context import RunContext
from artgen.runs.files.folder import RunFolder
from artgen.runs.files.result import Result
from artgen.runs.job import Fitted
from artgen.runs.kind import RunKind
from artgen.runs.video import encode_pixels, encode_still, is_drawn_anew, write_run_video

KINDS = ("still", "video", "art", "checkpoint")


def export(
    run: RunKind,
    fitted: Fitted,
    paths: Mapping[str, Path] | None = None,
    folder: RunFolder | None = None,
) -> tuple[Result, Pixels]:
    """Round the drawing to its precision, measure it, write it to `paths` (None: nothing).

    Returns the pixels of the drawing at the fitting size too, uint8 [height, width, 3].

    Raises OutputError, and Diverged where there is nothing finite to save.
    """
    job, recipe, context = fitted.job, fitted.recipe, run.context
    precision, output = recipe.run.precision, recipe.output
    report("drawing the result")
    exact = fitted
    if precision == "auto" or recipe.run.parameter_bytes is not None:
        fitted = replace(fitted, drawing=run.rounded(fitted))
    drawing = quantised(job.shown(fitted.drawing), precision)
    picture = job.draw(drawing)
    pixels = run.still(fitted, picture.pixels)
    film = fitted.film and quantised_film(fitted.film, precision, drawing)
    still: Callable[[], bytes] | None = None
    if paths is not None and not is_drawn_anew(output, run.asked.registry):
        # Beside the metrics, which take as long.
        still = begin(lambda: encode_pixels(recipe, pixels))
    size, area = run.extent(drawing, film, precision)
    metrics = {
        "count": recipe.primitive.count and job.plan.primitive.count_of(drawing),
        "parameters": drawing.parameters,
        "floats": job.plan.primitive.floats,
        "steps": fitted.steps,
        **run.metrics(fitted, picture, film),
        "bytes": size,
        "bpp": round(8 * size / area, 6) if area else None,
    }
    trajectory = fitted.trajectory
    art = Art(drawing, recipe, metrics, precision, run.asked.registry, film, trajectory=trajectory)
    data = art.to_bytes()
    cost = run.precision_cost(exact, metrics)
    if cost is not None:
        words = f"{precision} cost {cost:.2f} dB: {metrics['psnr']:.2f} dB as saved"
        context.notify(words, "note")
    summary = _summary(fitted, metrics, len(data), cost)
    summary["total_seconds"] = _waited(context)
    error: Exception | None = fitted.diverged
    if fitted.stopped_by == "interrupted":
        error = Interrupted(
            f"interrupted at step {fitted.steps}; the best drawing so far is saved",
            hint="continue with --resume" if folder is not None else None,
        )
    if paths is None or folder is None:
        return Result(summary, error, art=art), pixels

    def write_still(place: Path) -> None:
        atomic_write(place, encode_still(art, pixels) if still is None else still())

    def write_film(place: Path) -> None:
        limited = write_run_video(run, fitted, art, folder.frames, place)
        if limited is not None:
            context.notify(f"{place.name}: {limited}", "note")

    def write_summary(place: Path) -> None:
        summary["outputs"] |= {kind: str(path) for kind, path in written.items()}
        if error is not None:
            summary["outputs"]["checkpoint"] = str(folder.path)
        summary["total_seconds"] = _waited(context)
        atomic_write(place, _stored(summary))

    writers: dict[str, Callable[[Path], None]] = {
        "art": lambda place: atomic_write(place, data),
        "still": write_still,
        **({"video": write_film} if output.video else {}),
    }
    for kind, (frames, fps) in run.companions(fitted, film).items():
        writers[kind] = partial(write_video, frames=frames, fps=fps, comment=recipe.to_json())
    written: dict[str, Path] = {}
    failed: Exception | None = None
    for kind, write in {**writers, "summary": write_summary}.items():
        try:
            with plugin_code():
                write(folder.stage_output(paths[kind]))
        except Exception as problem:
            if kind == "art":
                raise
            if error is not None:
                context.notify(f"{paths[kind].name} is missing: {problem}")
            failed = failed or problem
            error = error or problem
        else:
            written[kind] = paths[kind]
    report("writing the files")
    if failed is not None:
        if any(map(os.path.lexists, written.values())):
            raise _saved(failed, folder.stage_output(paths["art"]))
        _saved(failed, paths["art"])
    folder.publish(written.values())
    if not output.video:
        # One that was overwritten would show another drawing.
        remove_own(paths["video"])
    return Result(summary, error, art=art), pixels


def _waited(context: RunContext) -> float:
    """For how many seconds somebody has waited for the run."""
    return round(time.monotonic() - context.began, 3)


def _saved(error: Exception, art: Path) -> Exception:
    """The error of an output, with where the drawing is and how to get the rest."""
    if isinstance(error, ArtgenError):
        error.advise(f"the drawing is saved in {art}, and --resume writes the rest")
    return error


def _summary(
    fitted: Fitted, metrics: Mapping[str, Any], file_bytes: int, precision_cost: float | None
) -> dict[str, Any]:
    """The JSON object of a run, with no outputs yet."""
    recipe, target = fitted.recipe, fitted.job.target
    canvas, table = target.canvas, recipe.run
    return {
        "artgen": __version__,
        "primitive": recipe.primitive.name,
        "engine": ",".join(stage.engine for stage in recipe.stage),
        **{key: getattr(table, key) for key in ("backend", "device", "threads", "precision")},
        "seed": recipe.seed,
        "target": {
            "name": target.source,
            "width": canvas.width,
            "height": canvas.height,
            "sha256": target.sha256,
        },
        **{key: metrics[key] for key in ("count", "parameters", "floats", "steps")},
        "seconds": round(fitted.seconds, 3),
        "total_seconds": None,
        "steps_per_second": round(fitted.steps / max(fitted.seconds, 1e-9), 3),
        "stopped_by": fitted.stopped_by,
        **{name: metrics[name] for name in METRICS},
        **{key: metrics[key] for key in ("loss", "clip", "views") if key in metrics},
        "precision_cost": precision_cost,
        "bytes": metrics["bytes"],
        "file_bytes": file_bytes,
        "bpp": metrics["bpp"],
        "outputs": dict.fromkeys(KINDS),
        "recipe": recipe.to_dict(),
    }


def _stored(summary: dict[str, Any]) -> bytes:
    """The summary as a file: it lies beside the outputs, so their names are enough."""
    names = {kind: path and Path(path).name for kind, path in summary["outputs"].items()}
    return readable({**summary, "outputs": names})
