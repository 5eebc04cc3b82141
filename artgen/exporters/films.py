"""Videos and animations of a film, of its forms, of parts that appear, and of a walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from artgen.animation.forms import Form, Shot, find_form, form_frames
from artgen.art import Art, Exporter, ExportRequest
from artgen.base.errors import UsageError
from artgen.base.waiting import report
from artgen.display.views import FramedView
from artgen.exporters.requests import TIMES, check_transparent, drawn_as, refuse
from artgen.exporters.walks import SECONDS, WALK_FPS, walk_frames
from artgen.output import Pixels, opaque, to_pixels
from artgen.output.animation import ANIMATIONS
from artgen.output.spool import there_and_back, with_ends, write_limited
from artgen.output.video import Samples
from artgen.registry import default
from artgen.values.canvas import LARGE
from artgen.values.drawing import Drawing
from artgen.values.frame import Frame

LARGEST_FRAME = 1920
"""Long side of the frames of videos of large drawings, in pixels, unless a size is asked for."""


def _video(suffix: str) -> Exporter:
    """Make the exporter of a video format: a film, or a walk through latent space."""

    def export(art: Art, request: ExportRequest) -> bytes:
        what = suffix.removeprefix(".").upper()
        refuse(request, what, video=True, samples=True, latents=["walk"])
        if request.transparent:
            _check_transparent(request, suffix)
        frames, fps, sound = _moving(art, request, suffix)
        with TemporaryDirectory() as folder:
            file, recipe = Path(folder) / f"art{suffix}", art.recipe.to_json()
            if request.start == "blank":
                frames = with_ends(frames, fps, blank(art.drawing, clear=request.transparent))
            if request.start == "photo":
                frame, _ = _drawn(art, request, suffix, fps)
                frames = with_ends(frames, fps, photograph(art, request, frame))
            if request.loop:
                frames = there_and_back(frames)
            words = write_limited(
                file,
                frames,
                fps=fps,
                comment=recipe,
                max_bytes=request.max_bytes,
                sized=Frame.of(request.size).size is not None,
                sound=sound,
            )
            if words is not None:
                report(words, kind="result")
            return file.read_bytes()

    export.__doc__ = f"Export a film, or a walk through latents, as {suffix}. Raises UsageError."
    return export


export_mp4, export_webm = _video(".mp4"), _video(".webm")
export_gif, export_webp, export_apng = _video(".gif"), _video(".webp"), _video(".apng")


def _check_transparent(request: ExportRequest, suffix: str) -> None:
    """Raise UsageError where a format or what a video shows has no transparency."""
    check_transparent(suffix)
    if request.walk is not None or request.start == "photo":
        what = "a photo" if request.walk is None else "a walk"
        raise UsageError(f"{what} cannot be transparent", hint="leave out --transparent")


def blank(drawing: Drawing, *, clear: bool = False) -> Pixels:
    """The background of a drawing as a picture of one pixel, transparent if `clear`."""
    colour = (*drawing.background, 0.0) if clear else drawing.background
    return to_pixels(np.array(colour, np.float64)[None, None])


def photograph(art: Art, request: ExportRequest, frame: Frame) -> Pixels:
    """The photo of a request over the background, uint8 [height, width, 3].

    Raises UsageError without one.
    """
    from PIL.Image import Resampling
    from PIL.ImageOps import exif_transpose, fit

    if request.photo is None:
        raise UsageError("no photo was given", hint="pass photo=PIL.Image.open(FILE)")
    view = FramedView(frame, art.drawing, art.primitive(), device="cpu")
    whole = view.placement.whole
    size = whole.width, whole.height
    photo = opaque(exif_transpose(request.photo), art.drawing.background)
    large = fit(photo, size, Resampling.LANCZOS)
    return view.framed(np.asarray(large), art.drawing)


def shot_of(art: Art, request: ExportRequest, frame: Frame, form: Form) -> Shot:
    """What a form shows of a request, with its photo, or another drawing, where it needs one.

    Raises UsageError for a transparent one: forms compose opaque pictures.
    """
    if request.transparent:
        raise UsageError("a form of film cannot be transparent", hint="leave out --transparent")
    photo, other = form.photo, None
    if request.other is not None and form.pairs:
        photo, high = False, art.canvas(frame).height
        width = max(1, round(request.other.width * high / request.other.height))
        other = np.asarray(opaque(request.other, art.drawing.background).resize((width, high)))
    shown = photograph(art, request, frame) if photo else None
    seconds = (request.seconds or SECONDS) / request.speed
    return Shot(art, frame, seconds, shown, tuple(drawn_as(request).items()), other)


def _moving(
    art: Art, request: ExportRequest, suffix: str
) -> tuple[Iterator[Pixels], float, Samples | None]:
    """Return lazy frames of a film or walk, their rate per second, and the sound."""
    if request.walk is not None:
        if request.start in ("photo", "parts") or request.film is not None:
            raise UsageError(
                "a walk is a film of its own", hint="leave out --film and --start, or --walk"
            )
        return *walk_frames(art, request), None
    if request.film is not None:
        if request.start is not None:
            raise UsageError("--film and --start were both given", hint="leave one of them out")
        form = find_form(request.film, art.registry or default())
        own = art.require_film().fps if art.has_film else WALK_FPS
        frame, fps = _drawn(art, request, suffix, request.fps or own)
        shot = shot_of(art, request, frame, form)
        speed = _pace(art, request) if art.has_film else request.speed
        filmed = form_frames(request.film, shot, fps, speed)
        return filmed.frames, fps, filmed.sound
    if request.start == "parts" or (not art.has_film and art.primitive().has_count):
        frame, fps = _drawn(art, request, suffix, request.fps or WALK_FPS)
        how, seconds = drawn_as(request), (request.seconds or SECONDS) / request.speed
        return art.building(frame, seconds=seconds, fps=fps, **how), fps, None
    if not art.has_film:
        walk = "" if art.primitive().floats is None else "use --walk labels, or "
        hint = f"{walk}make a film: artgen fit --history 40"
        raise UsageError("this drawing has no film to make a video of", hint=hint)
    film = art.require_film()
    art = replace(art, film=film)
    frame, fps = _drawn(art, request, suffix, request.fps or film.fps)
    return art.frames(frame, fps=fps, speed=_pace(art, request), **drawn_as(request)), fps, None


def _pace(art: Art, request: ExportRequest) -> float:
    """How many times as fast the film goes, so that at a speed of 1 it takes what was asked for."""
    if not request.seconds:
        return request.speed
    return request.speed * art.require_film().duration / request.seconds


def _drawn(art: Art, request: ExportRequest, suffix: str, fps: float) -> tuple[Frame, float]:
    """Return the frame and the rate to draw at: no more pixels and frames than a format keeps."""
    frame = film_frame(art, Frame.of(request.size))
    canvas = art.canvas(frame)
    size = max(canvas.width, canvas.height)
    if suffix in ANIMATIONS:
        size, fps = min(size, ANIMATIONS[suffix].side), min(fps, ANIMATIONS[suffix].fps)
    return replace(frame, size=size), fps


def film_frame(art: Art, frame: Frame) -> Frame:
    """Return the frame of a video, reduced if the drawing is large and no size is asked for.

    Raises UsageError for a size of more than `LARGE` pixels.
    """
    canvas = art.canvas(frame)
    if canvas.width * canvas.height <= LARGE:
        return frame
    if frame.size is not None:
        raise UsageError(
            f"{canvas.width} {TIMES} {canvas.height} pixels are too many for a video",
            hint=f"use a size of {LARGEST_FRAME}, or write a still: PNG or TIFF",
        )
    return replace(frame, size=LARGEST_FRAME)
