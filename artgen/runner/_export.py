"""From a finished fit to its outputs: still, video, `.art`, and the JSON object that describes it.

All files are written inside the run folder first and moved to their places together, so that a full
disk leaves earlier outputs as they were.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen._version import __version__
from artgen.animation.film import Film
from artgen.animation.forms import Shot, find_form, form_frames
from artgen.art import Art, ExportRequest, bytes_of_shapes, quantised, quantised_film, saved_bytes
from artgen.canvas import LARGE
from artgen.compiler.threads import begin
from artgen.display import METRICS, Rendering
from artgen.drawing import Drawing
from artgen.errors import Interrupted
from artgen.events import Notice
from artgen.exporters import blank, film_frame, walk_frames
from artgen.output import (
    FrameStore,
    Sound,
    atomic_write,
    encode_png,
    encode_png_strips,
    frame_counts,
    paced_frames,
    schedule,
    write_video,
)
from artgen.output.spool import lead_in, there_and_back, with_ends, write_limited
from artgen.recipe import OutputTable, Recipe
from artgen.registry import Registry
from artgen.runner._fit import Fit
from artgen.runner._folder import RunFolder
from artgen.runner._frames import HOLD_SECONDS
from artgen.runner._result import Result
from artgen.runner.clip._metrics import clip_metrics, side_by_side
from artgen.runner.clip._run import ClipFit
from artgen.runner.tiles._run import TiledFit
from artgen.waiting import report

_ROWS = 256
"""Rows of a large still that are encoded at a time."""

KINDS = ("still", "video", "art", "checkpoint")

LARGEST_WALK = 1080
"""Long side of the pictures of a walk, in pixels, unless the recipe has a size for the video."""


def export(
    fit: Fit | ClipFit | TiledFit,
    registry: Registry,
    paths: Mapping[str, Path] | None = None,
    folder: RunFolder | None = None,
) -> tuple[Result, NDArray[np.uint8]]:
    """Round the drawing to its precision, measure it, write it to `paths` (None: nothing).

    Returns the pixels of the drawing at the fitting size too, uint8 [height, width, 3].

    Raises OutputError, and Diverged where there is nothing finite to save.
    """
    job, recipe = fit.job, fit.recipe
    precision = recipe.run.precision
    report("drawing the result")
    drawing = quantised(job.shown(fit.drawing), precision)
    picture = job.draw(drawing)
    film = fit.film and quantised_film(fit.film, precision)
    moving = film if isinstance(fit, ClipFit) else None
    still: Callable[[], bytes] | None = None
    if paths is not None and not _is_drawn_anew(recipe.output):
        # Beside the metrics, which take as long.
        still = begin(lambda: _encode_pixels(recipe, picture.pixels))
    metrics = _metrics(fit, drawing, picture, film)
    trajectory = fit.trajectory if isinstance(fit, Fit) else None
    art = Art(drawing, recipe, metrics, precision, registry, film, trajectory=trajectory)
    data = art.to_bytes()
    cost = _precision_cost(fit, metrics)
    if cost is not None:
        words = f"{precision} cost {cost:.2f} dB: {metrics['psnr']:.2f} dB as saved"
        fit.emit(Notice(fit.name, words, level="note"))
    summary = _summary(fit, metrics, len(data), cost)
    error: Exception | None = fit.diverged
    if fit.progress.stopped_by == "interrupted":
        error = Interrupted(
            f"interrupted at step {fit.progress.offset}; the best drawing so far is saved",
            hint="continue with --resume" if folder is not None else None,
        )
    if paths is None or folder is None:
        return Result(summary, error, art=art), picture.pixels

    output, text = recipe.output, recipe.to_json()
    written = {kind: paths[kind] for kind in ("still", "video", "art")}
    if not output.video:
        del written["video"]

    atomic_write(
        folder.stage_output(paths["still"]),
        encode_still(art, picture.pixels) if still is None else still(),
    )
    if output.video:
        limited = write_run_video(fit, art, folder.frames, folder.stage_output(paths["video"]))
        if limited is not None:
            fit.emit(Notice(fit.name, f"{paths['video'].name}: {limited}", level="note"))
    if moving is not None and "side_by_side" in paths:
        written["side_by_side"] = beside = paths["side_by_side"]
        frames = side_by_side(job, moving)
        write_video(folder.stage_output(beside), frames, fps=moving.fps, comment=text)
    report("writing the files")
    atomic_write(folder.stage_output(paths["art"]), data)
    summary["outputs"] |= {kind: str(path) for kind, path in written.items()}
    if error is not None:
        summary["outputs"]["checkpoint"] = str(folder.path)
    atomic_write(folder.stage_output(paths["summary"]), _stored(summary))
    folder.publish([*written.values(), paths["summary"]])
    if not output.video:
        # One that was overwritten would show another drawing.
        paths["video"].unlink(missing_ok=True)
    return Result(summary, error, art=art), picture.pixels


def encode_still(art: Art, pixels: NDArray[np.uint8]) -> bytes:
    """Encode the PNG of a run, given the pixels at the fitting size, [height, width, 3]."""
    recipe, output = art.recipe, art.recipe.output
    if _is_drawn_anew(output):
        pixels = art.render(
            recipe.framed(output.still_size),
            transparent=output.transparent,
            device=recipe.run.device,
        )
    return _encode_pixels(recipe, pixels)


def _is_drawn_anew(output: OutputTable) -> bool:
    """Whether the still is not the drawing at the fitting size."""
    return output.still_size is not None or output.transparent


def _encode_pixels(recipe: Recipe, pixels: NDArray[np.uint8]) -> bytes:
    dpi = recipe.output.dpi
    if pixels.shape[0] * pixels.shape[1] > LARGE:
        strips = (pixels[top : top + _ROWS] for top in range(0, len(pixels), _ROWS))
        return encode_png_strips(strips, len(pixels), recipe.to_json(), dpi=dpi)
    return encode_png(pixels, recipe.to_json(), dpi=dpi)


def write_run_video(
    fit: Fit | ClipFit | TiledFit, art: Art, stored: FrameStore, path: Path
) -> str | None:
    """Write the video of a run to `path`; `stored` are the frames of its fit.

    Returns in words what a limit of the bytes took, None without a limit.
    """
    job, recipe, drawing = fit.job, art.recipe, art.drawing
    output, text, fps = recipe.output, recipe.to_json(), float(recipe.output.fps)
    if output.walk is not None:
        side = art.picture_canvas(output.video_size or output.still_size)
        size = max(side.width, side.height)
        size = size if output.video_size else min(size, LARGEST_WALK)
        request = ExportRequest(size, walk=output.walk, seconds=output.video_seconds, fps=fps)
        frames, fps = walk_frames(art, request)
    elif output.film is not None:
        how = (("device", job.device),)
        photo = job.photo if find_form(output.film).photo else None
        frame = film_frame(art, recipe.framed(output.video_size))
        frames = form_frames(output.film, Shot(art, frame, output.video_seconds, photo, how), fps)
    elif isinstance(fit, ClipFit) and art.film is not None:
        frames = art.frames(recipe.framed(output.video_size), device=recipe.run.device)
        fps = art.film.fps
    elif output.start == "parts":
        frames = art.building(
            film_frame(art, recipe.framed(output.video_size)),
            seconds=output.video_seconds,
            fps=fps,
            device=job.device,
        )
    else:
        frames = _video_frames(stored, fit.progress.offset, job.draw_frame(drawing), output)
    start = job.photo if output.start == "photo" else None
    if output.start == "blank":
        start = blank(drawing)
    frames = with_ends(frames, fps, start, job.photo if output.end == "photo" else None)
    if output.loop:
        frames = there_and_back(frames)
    # On the way back a loop is silent.
    sound = job.target.clip and job.target.clip.place
    heard = Sound(sound, 0.0 if start is None else lead_in(fps)) if sound else None
    if output.max_bytes is None:
        write_video(path, frames, fps=fps, comment=text, sound=heard)
        return None
    limit = output.max_bytes
    return write_limited(path, frames, fps=fps, comment=text, max_bytes=limit, sound=heard)


def _video_frames(
    stored: FrameStore, last: int, final: NDArray[np.uint8], output: OutputTable
) -> Iterator[NDArray[np.uint8]]:
    """The frames of the video, read one at a time; the last one is the drawing that was saved."""
    steps = [*(step for step in stored.steps() if step < last), last]

    def read(step: int) -> NDArray[np.uint8]:
        return final if step == last else stored.read(step)

    timing: dict[str, Any] = {"fps": output.fps, "seconds": output.video_seconds}
    moving, held = frame_counts(**timing, hold=HOLD_SECONDS)
    # What moves for a second or less has no pace of its own.
    if moving > output.fps:
        # The frame that was stored for the last step may show another drawing.
        known = {pair: each for pair, each in stored.changes.items() if last not in pair}
        yield from paced_frames(read, steps, moving, known)
        yield from itertools.repeat(final, held)
        return
    shown, frame = last, final
    for step in schedule(steps, **timing, hold=HOLD_SECONDS):
        if step != shown:
            shown, frame = step, read(step)
        yield frame


def _metrics(
    fit: Fit | ClipFit | TiledFit, drawing: Drawing, picture: Rendering, film: Film | None
) -> dict[str, Any]:
    """The metrics on which two equal runs agree to the last bit; stored in the `.art`."""
    job, recipe = fit.job, fit.recipe
    size = saved_bytes(drawing, recipe.run.precision)
    pixels = drawing.width * drawing.height
    if film is not None and isinstance(fit, ClipFit):
        metrics = clip_metrics(job, film, fit.starts)
        shapes = [tensor.shape for scene in film.scenes for tensor in scene.tensors.values()]
        size = bytes_of_shapes(shapes, recipe.run.precision)
        pixels *= film.keyframes
    elif isinstance(fit, TiledFit):
        metrics = {**job.metrics(picture), "loss": fit.loss(picture.pixels)}
    else:
        loss = job.plan.losses[len(recipe.stage) - 1](
            picture.outputs,
            job.target.tensors().goal if recipe.target.alpha else job.data.goal,
            job.data.weight,
        )
        metrics = {**job.metrics(picture), "loss": float(loss)}
    return {
        "count": recipe.primitive.count and job.plan.primitive.count_of(drawing),
        "parameters": drawing.parameters,
        "floats": job.plan.primitive.floats,
        "steps": fit.progress.offset,
        **metrics,
        "bytes": size,
        "bpp": round(8 * size / pixels, 6) if drawing.subject is None else None,
    }


def _precision_cost(fit: Fit | ClipFit | TiledFit, metrics: Mapping[str, Any]) -> float | None:
    """The loss by rounding to the precision of the file, in dB of PSNR.

    None where nothing is rounded, where there is no PSNR, and for a clip.
    """
    job = fit.job
    if isinstance(fit, ClipFit) or fit.recipe.run.precision == "fp32":
        return None
    exact = job.metrics(job.draw(job.shown(fit.drawing)))["psnr"]
    return None if exact is None else round(exact - metrics["psnr"], 4)


def _summary(
    fit: Fit | ClipFit | TiledFit,
    metrics: Mapping[str, Any],
    file_bytes: int,
    precision_cost: float | None,
) -> dict[str, Any]:
    """The JSON object of a run, with no outputs yet."""
    recipe, target, progress = fit.recipe, fit.job.target, fit.progress
    canvas, table = target.canvas, recipe.run
    return {
        "artgen": __version__,
        "primitive": recipe.primitive.name,
        "engine": ",".join(stage.engine for stage in recipe.stage),
        "backend": table.backend,
        "device": table.device,
        "threads": table.threads,
        "precision": table.precision,
        "seed": recipe.seed,
        "target": {
            "name": target.source,
            "width": canvas.width,
            "height": canvas.height,
            "sha256": target.sha256,
        },
        **{key: metrics[key] for key in ("count", "parameters", "floats", "steps")},
        "seconds": round(progress.seconds, 3),
        "steps_per_second": round(progress.offset / max(progress.seconds, 1e-9), 3),
        "stopped_by": progress.stopped_by,
        **{name: metrics[name] for name in METRICS},
        **{key: metrics[key] for key in ("loss", "clip") if key in metrics},
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
    text = json.dumps({**summary, "outputs": names}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()
