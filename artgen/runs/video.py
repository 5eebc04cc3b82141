"""The pictures that a run shows: its still, and the frames of its video."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from artgen.animation.forms import Shot, find_form, form_frames
from artgen.art import Art, ExportRequest
from artgen.base.errors import ArtgenError
from artgen.exporters import blank, film_frame, walk_frames
from artgen.output import (
    FrameStore,
    Pixels,
    Sound,
    encode_png,
    encode_png_strips,
    moving_and_held,
    paced_frames,
    schedule,
)
from artgen.output.spool import lead_in, there_and_back, with_ends, write_limited
from artgen.recipe import OutputTable, Recipe
from artgen.registry import Registry, default
from artgen.runs.job import HOLD_SECONDS, Fitted
from artgen.runs.kind import Frames, RunKind
from artgen.runs.opening import UNWEIGHTED, read_target
from artgen.targets import Source
from artgen.values.canvas import LARGE

LARGEST_WALK = 1080
"""Long side of the pictures of a walk, in pixels, unless the recipe has a size for the video."""

_ROWS = 256
"""Rows of a large still that are encoded at a time."""


def encode_still(art: Art, pixels: Pixels) -> bytes:
    """Encode the PNG of a run, given the pixels at the fitting size, [height, width, 3]."""
    recipe, output = art.recipe, art.recipe.output
    if _has_still(output, art.registry):
        frame, device = recipe.framed(output.still_size), recipe.run.device
        asked = ExportRequest(frame, device=device, dpi=recipe.dpi, film=output.film)
        return art.to_format("png", asked)
    if is_drawn_anew(output, art.registry):
        pixels = art.render(
            recipe.framed(output.still_size),
            transparent=output.transparent,
            device=recipe.run.device,
        )
    return encode_pixels(recipe, pixels)


def is_drawn_anew(output: OutputTable, registry: Registry | None) -> bool:
    """Whether the still is not the drawing at the fitting size."""
    anew = output.still_size is not None or output.transparent
    return anew or _has_still(output, registry)


def _has_still(output: OutputTable, registry: Registry | None) -> bool:
    """Whether the film goes on from a still of its own, which is never transparent."""
    form = (output.film or "").partition("=")[0]
    if not form or output.transparent:
        return False
    return (registry or default()).load("form", form).still is True


def encode_pixels(recipe: Recipe, pixels: Pixels) -> bytes:
    """Encode a PNG that holds the recipe."""
    dpi, colours = recipe.dpi, recipe.exact_colours
    if pixels.shape[0] * pixels.shape[1] > LARGE and colours is None:
        strips = (pixels[top : top + _ROWS] for top in range(0, len(pixels), _ROWS))
        return encode_png_strips(strips, len(pixels), recipe.to_json(), dpi=dpi)
    return encode_png(pixels, recipe.to_json(), dpi=dpi, colours=colours)


def write_run_video(
    run: RunKind, fitted: Fitted, art: Art, stored: FrameStore, path: Path
) -> str | None:
    """Write the video of a run to `path`; `stored` are the frames of its fit.

    Returns in words what a limit of the bytes took, None without a limit.
    """
    job, recipe, output = fitted.job, art.recipe, art.recipe.output
    text, fps, played = recipe.to_json(), float(output.fps), None
    film = run.asked.recipe.output.film  # with the path of its file
    photo = cache(partial(_photo, run, fitted))
    if output.walk is not None:
        asked = output.video_size or output.still_size
        side = art.picture_canvas(asked and recipe.framed(asked))
        size = max(side.width, side.height)
        size = size if output.video_size else min(size, LARGEST_WALK)
        request = ExportRequest(size, walk=output.walk, seconds=output.video_seconds, fps=fps)
        frames, fps = walk_frames(art, request)
    elif film is not None:
        how = (("device", job.device),)
        shown = photo() if find_form(film, art.registry or default()).photo else None
        frame = film_frame(art, recipe.framed(output.video_size))
        fps = fps if art.film is None else art.film.fps
        shot = Shot(art, frame, output.video_seconds, shown, how)
        frames, played = form_frames(film, shot, fps)
    else:
        frames, fps = run.video(fitted, art, stored)
    start = photo() if output.start == "photo" else None
    if output.start == "blank":
        start = blank(art.drawing)
    frames = with_ends(frames, fps, start, photo() if output.end == "photo" else None)
    if output.loop:
        frames = there_and_back(frames)
    # On the way back a loop is silent.
    heard = Sound(run.sound, 0.0 if start is None else lead_in(fps)) if run.sound else played
    return write_limited(
        path,
        frames,
        fps=fps,
        comment=text,
        max_bytes=output.max_bytes,
        sized=output.video_size is not None,
        sound=heard,
    )


def _photo(run: RunKind, fitted: Fitted) -> Pixels:
    """The target at the size of the video, uint8 [height, width, 3], or as one colour.

    Where it was fitted smaller than that, its file or sample is read again.
    """
    from PIL import Image

    job = fitted.job
    target, table, camera = job.target, job.recipe.target, job.camera
    assert target.pixels is not None
    if camera is None:
        return target.pixels
    whole, source = camera.placement.whole, run.asked.recipe.target.source
    # The size of a recipe with a symmetry may be that of its motif.
    size = round((table.size or target.size) * max(whole.width, whole.height) / target.size)
    size = min(size, target.original_size)
    if size > (table.size or target.size) and Source.parse(source).scheme in (None, "sample"):
        plain = table.replace(source=source, size=size, **UNWEIGHTED)
        with suppress(ArtgenError):  # a file may be gone, or the target in memory alone
            recipe = job.recipe.replace(target=plain)
            target = read_target(recipe, run.asked.registry, run.asked.search)
    assert target.pixels is not None
    side = whole.width, whole.height
    large = Image.fromarray(target.pixels).resize(side, Image.Resampling.LANCZOS)
    return camera.framed(np.asarray(large), fitted.drawing)


def progress_frames(fitted: Fitted, art: Art, stored: FrameStore) -> tuple[Frames, float]:
    """The progress of a fit, or its parts as they appear, and the rate of these frames."""
    recipe, output, job = art.recipe, art.recipe.output, fitted.job
    fps = float(output.fps)
    if output.start == "parts":
        frame = film_frame(art, recipe.framed(output.video_size))
        return art.building(frame, seconds=output.video_seconds, fps=fps, device=job.device), fps
    final, fading = job.draw_frame(art.drawing), recipe.exact_colours is None
    return _stored_frames(stored, fitted.steps, final, output, fading), fps


def _stored_frames(
    stored: FrameStore, last: int, final: Pixels, output: OutputTable, fading: bool
) -> Iterator[Pixels]:
    """The frames of the video, read one at a time; the last one is the drawing that was saved."""
    steps = [*(step for step in stored.steps() if step < last), last]

    def read(step: int) -> Pixels:
        return final if step == last else stored.read(step)

    timing: dict[str, Any] = {"fps": output.fps, "seconds": output.video_seconds}
    moving, held = moving_and_held(**timing, hold=HOLD_SECONDS)
    # What moves for a second or less has no pace of its own.
    if moving > output.fps:
        # The frame that was stored for the last step may show another drawing.
        known = {pair: each for pair, each in stored.changes.items() if last not in pair}
        yield from paced_frames(read, steps, moving, known, fading=fading)
        yield from itertools.repeat(final, held)
        return
    shown, frame = last, final
    for step in schedule(steps, **timing, hold=HOLD_SECONDS):
        if step != shown:
            shown, frame = step, read(step)
        yield frame
