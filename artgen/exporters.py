"""Exporters: a function per file suffix, from an art and a request to the bytes of a file.

They are registered through the hook `artgen_exporters`, like those of plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from artgen.animation.forms import Shot, find_form, form_frames
from artgen.art import Art, Exporter, ExportRequest
from artgen.canvas import LARGE
from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.frame import Frame
from artgen.registry import bare_name
from artgen.waiting import report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.canvas import Canvas
    from artgen.output.page import PageWords
    from artgen.output.plotter import Plot


_SEEN = 1024
"""Long side of the picture from which a plot is made, in pixels."""

TIMES = "\N{MULTIPLICATION SIGN}"

_POSTER_SIDE = 320
"""Long side of the fallback picture of a page, in pixels."""

LARGEST_FRAME = 1920
"""Long side of the frames of videos of large drawings, in pixels, unless a size is asked for."""

WALK_FPS = 30
_STRIP = 10, 4
"""Columns and rows of the strip that shows a walk as a still."""


def export_png(art: Art, request: ExportRequest) -> bytes:
    """Export a PNG with the recipe; a walk becomes a strip of pictures. Raises UsageError."""
    from artgen.output import encode_png, encode_png_strips

    text = art.recipe.to_json()
    if request.latent is not None or request.walk is not None:
        return encode_png(_still(art, request, "PNG"), text, dpi=request.dpi)
    canvas, strips = _strips(art, request, "PNG")
    first = next(strips)
    if len(first) == canvas.height:
        return encode_png(first, text, dpi=request.dpi)
    return encode_png_strips(chain([first], strips), canvas.height, text, dpi=request.dpi)


def export_tiff(art: Art, request: ExportRequest) -> bytes:
    """Export a tiled TIFF with the recipe, drawn strip by strip if large. Raises UsageError."""
    from artgen.output import encode_tiff_strips

    if request.latent is not None or request.walk is not None:
        raise UsageError("a TIFF cannot show latents", hint="use -o FILE.png")
    canvas, strips = _strips(art, request, "TIFF")
    return encode_tiff_strips(strips, canvas.height, art.recipe.to_json(), dpi=request.dpi)


def _strips(
    art: Art, request: ExportRequest, what: str
) -> tuple[Canvas, Iterator[NDArray[np.uint8]]]:
    """Return the size of a still, and its rows as `Art.strips` draws them."""
    _refuse(request, what)
    strips = art.strips(
        request.size,
        transparent=request.transparent,
        supersample=request.supersample,
        device=request.device,
    )
    return art.canvas(request.size), strips


def _photo(suffix: str) -> Exporter:
    """Make the exporter of a format for photographs."""

    def export(art: Art, request: ExportRequest) -> bytes:
        from artgen.output import encode_photo

        if request.transparent and suffix != "avif":
            raise UsageError("a JPEG cannot be transparent", hint="use -o FILE.png or FILE.avif")
        pixels = _still(art, request, suffix.upper())
        return encode_photo(pixels, suffix, art.recipe.to_json(), dpi=request.dpi)

    export.__doc__ = f"Export a still as {suffix}, with the recipe. Raises UsageError."
    return export


export_jpg, export_avif = _photo("jpg"), _photo("avif")


def _still(art: Art, request: ExportRequest, what: str) -> NDArray[np.uint8]:
    """Draw a still, uint8 [height, width, 3 or 4]."""
    _refuse(request, what)
    if request.latent is None and request.walk is None:
        return art.render(
            request.size,
            transparent=request.transparent,
            supersample=request.supersample,
            device=request.device,
        )
    if request.transparent:
        raise UsageError("pictures of a set cannot be transparent", hint="leave out --transparent")
    return _imagined(art, request)


def export_svg(art: Art, request: ExportRequest) -> bytes:
    """Export flat parts as SVG elements, or lines on a page, with the recipe. Raises UsageError."""
    if request.page is not None:
        from artgen.output.plotter.files import encode_plot

        _refuse(replace(request, page=None), "a page")
        return encode_plot(_plotted(art, request), art.recipe.to_json())
    from artgen.output.svg import encode_svg

    return encode_svg(
        art.drawing,
        art.primitive(),
        Frame.of(request.size),
        art.recipe.to_json(),
        transparent=request.transparent,
        animate=request.animate,
    )


def export_html(art: Art, request: ExportRequest) -> bytes:
    """Export a zoomable HTML page, which plays a film if there is one, with the recipe.

    `size` is the long side of the pictures that it saves. Raises UsageError if a page cannot draw
    the art.
    """
    from artgen.output import encode_jpeg
    from artgen.output.page import encode_page

    _refuse(request, "HTML")
    if request.latent is not None or request.walk is not None:
        raise UsageError("a page cannot show latents", hint="use -o FILE.png or -o FILE.mp4")
    if request.transparent:
        raise UsageError("a page cannot be transparent", hint="leave out --transparent")
    side = min(_POSTER_SIDE, max(art.drawing.width, art.drawing.height))
    return encode_page(
        art.drawing,
        art.primitive(),
        art.recipe.to_json(),
        _words(art),
        encode_jpeg(art.render(side), 80, optimize=True),
        film=art.film,
        **({} if request.size is None else {"saved_side": _long_side(art, request, "a page")}),
    )


def _long_side(art: Art, request: ExportRequest, what: str) -> int:
    """Return the long side in pixels. Raises UsageError for a crop or a border."""
    drawn = art.drawing.canvas
    placement = Frame.of(request.size).place(drawn)
    whole, picture = placement.whole, placement.picture
    # The drawing of a cropped target has that aspect up to one of its own pixels.
    pixel = max(whole.width / drawn.width, whole.height / drawn.height)
    if max(abs(whole.width - picture.width), abs(whole.height - picture.height)) > pixel:
        asked = f"{picture.width} {TIMES} {picture.height}"
        raise UsageError(
            f"{what} shows the whole drawing, so a size of {asked} cannot crop it or add a border",
            hint="give the long side alone, without --crop and --pad, or write PNG, SVG or MP4",
        )
    return max(picture.width, picture.height)


def _words(art: Art) -> PageWords:
    """Collect the words of a page: those of the recipe, or generated ones."""
    from artgen.output.page import PageWords

    drawing, words = art.drawing, art.recipe.piece
    count = art.primitive().count_of(drawing)
    name = bare_name(drawing.primitive)
    parts = f"{count:,} {TIMES} {name}" if count > 1 else f"{drawing.parameters:,} numbers"
    title = (words and words.title) or (parts if count > 1 else name)
    facts = [name if count <= 1 else "", parts, f"{drawing.width} {TIMES} {drawing.height}"]
    facts += [f"{art.psnr:.1f} dB"] if art.psnr is not None else []
    shown = [fact for fact in facts if fact and fact != title]
    return PageWords(
        title,
        (words and words.text) or "",
        shown,
        (words and words.alt) or f"A picture made of {parts}",
    )


def export_json(art: Art, request: ExportRequest) -> bytes:
    """Export flat parts as JSON, with the recipe. Raises UsageError if there are none."""
    from artgen.output.parts import encode_parts

    _refuse(request, "JSON")
    return encode_parts(
        art.drawing,
        art.primitive(),
        art.drawing.canvas.scaled(_long_side(art, request, "JSON")),
        art.recipe.to_dict(),
        transparent=request.transparent,
    )


def export_pdf(art: Art, request: ExportRequest) -> bytes:
    """Export flat parts as filled paths, or lines for pens on a page, with the recipe.

    Raises UsageError.
    """
    if request.page is None:
        return _vector(art, request, "pdf")
    from artgen.output.plotter.files import encode_pdf

    _refuse(replace(request, page=None), "PDF")
    return encode_pdf(_plotted(art, request), art.recipe.to_json())


def export_eps(art: Art, request: ExportRequest) -> bytes:
    """Export opaque flat parts as filled paths, with the recipe. Raises UsageError."""
    return _vector(art, request, "eps")


def _vector(art: Art, request: ExportRequest, kind: Literal["pdf", "eps"]) -> bytes:
    from artgen.output.vector import encode_vector

    _refuse(request, kind.upper())
    return encode_vector(
        kind,
        art.drawing,
        art.primitive(),
        Frame.of(request.size),
        art.recipe.to_json(),
        transparent=request.transparent,
        dpi=request.dpi,
    )


def _plotted(art: Art, request: ExportRequest) -> Plot:
    """Plot the art on the requested page."""
    import numpy as np

    from artgen.output.plotter import Page, plot
    from artgen.targets import parse_colour

    page = request.page or Page()
    pixels = art.render(_SEEN, transparent=request.transparent, device=request.device)
    if request.transparent:
        alpha, paper = pixels[..., 3:] / 255, 255 * np.array(parse_colour(page.paper))
        pixels = np.rint(alpha * pixels[..., :3] + (1 - alpha) * paper).astype(np.uint8)
    return plot(art.drawing, art.primitive(), pixels, page, transparent=request.transparent)


def _video(suffix: str) -> Exporter:
    """Make the exporter of a video format: a film, or a walk through latent space."""

    def export(art: Art, request: ExportRequest) -> bytes:
        from tempfile import TemporaryDirectory

        from artgen.output import write_video
        from artgen.output.spool import there_and_back, with_ends, write_limited

        _refuse(request, suffix.removeprefix(".").upper(), video=True)
        if request.transparent:
            raise UsageError("a video cannot be transparent", hint="leave out --transparent")
        frames, fps = _moving(art, request, suffix)
        with TemporaryDirectory() as folder:
            file, recipe = Path(folder) / f"art{suffix}", art.recipe.to_json()
            if request.start == "blank":
                frames = with_ends(frames, fps, blank(art.drawing))
            if request.start == "photo":
                frames = with_ends(frames, fps, _photograph(art, request, suffix))
            if request.loop:
                frames = there_and_back(frames)
            if request.max_bytes is None:
                write_video(file, frames, fps=fps, comment=recipe)
            else:
                limit = request.max_bytes
                words = write_limited(file, frames, fps=fps, comment=recipe, max_bytes=limit)
                report(words, kind="result")
            return file.read_bytes()

    export.__doc__ = f"Export a film, or a walk through latents, as {suffix}. Raises UsageError."
    return export


export_mp4, export_webm = _video(".mp4"), _video(".webm")
export_gif, export_webp, export_apng = _video(".gif"), _video(".webp"), _video(".apng")


def blank(drawing: Drawing) -> NDArray[np.uint8]:
    """The background of a drawing as a picture of one pixel."""
    import numpy as np

    from artgen.output import to_pixels

    return to_pixels(np.array(drawing.background, np.float64)[None, None])


def _photograph(art: Art, request: ExportRequest, suffix: str) -> NDArray[np.uint8]:
    """The photo of a request at the size of the video, uint8 [height, width, 3]."""
    import numpy as np
    from PIL.Image import Resampling
    from PIL.ImageOps import fit

    from artgen.display import FramedView

    if request.photo is None:
        raise UsageError("no photo was given", hint="pass photo=PIL.Image.open(FILE)")
    view = FramedView(
        _drawn(art, request, suffix, 1.0)[0], art.drawing, art.primitive(), device="cpu"
    )
    whole = view.placement.whole
    size = whole.width, whole.height
    large = fit(request.photo.convert("RGB"), size, Resampling.LANCZOS)
    return view.placement.cut(np.asarray(large), view.border)


def _moving(
    art: Art, request: ExportRequest, suffix: str
) -> tuple[Iterator[NDArray[np.uint8]], float]:
    """Return lazy frames of a film or walk, and their rate per second."""
    if request.walk is not None:
        if request.start == "photo" or request.film is not None:
            raise UsageError(
                "a walk is a film of its own", hint="leave out --film and --start, or --walk"
            )
        return walk_frames(art, request)
    if request.film is not None:
        if request.start is not None:
            raise UsageError("--film and --start were both given", hint="leave one of them out")
        form = find_form(request.film)
        frame, fps = _drawn(art, request, suffix, request.fps or WALK_FPS)
        how = {"supersample": request.supersample, "device": request.device}
        photo = _photograph(art, request, suffix) if form.photo else None
        shot = Shot(art, frame, request.seconds, photo, tuple(how.items()))
        return form_frames(request.film, shot, fps, request.speed), fps
    if request.start == "parts" or (not art.has_film and art.primitive().has_count):
        frame, fps = _drawn(art, request, suffix, request.fps or WALK_FPS)
        appearing = art.building(
            frame,
            seconds=request.seconds,
            fps=fps,
            supersample=request.supersample,
            device=request.device,
        )
        return appearing, fps
    if not art.has_film:
        made = "make a film: artgen fit --history 40"
        if art.primitive().floats is None:
            raise UsageError("this drawing has no film to make a video of", hint=made)
        raise UsageError(
            "this drawing has no film to make a video of",
            hint=f"use --walk labels, or {made}",
        )
    film = art.require_film()
    art = replace(art, film=film)
    frame, fps = _drawn(art, request, suffix, request.fps or film.fps)
    frames = art.frames(
        frame,
        fps=fps,
        speed=request.speed,
        supersample=request.supersample,
        device=request.device,
    )
    return frames, fps


def _drawn(art: Art, request: ExportRequest, suffix: str, fps: float) -> tuple[Frame, float]:
    """Return the frame and the rate to draw at: no more pixels and frames than a format keeps."""
    from artgen.output.animation import ANIMATIONS

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


def walk_frames(art: Art, request: ExportRequest) -> tuple[Iterator[NDArray[np.uint8]], float]:
    """Return the pictures along a walk, and their rate per second. Raises UsageError."""
    from artgen.output.sheets import resized

    canvas, space = art.picture_canvas(request.size), art.latent_space()
    fps = request.fps or WALK_FPS
    pictures = space.draw(*space.walk(request.walk or "", max(1, round(fps * request.seconds))))
    return (resized(picture, canvas, smooth=True) for picture in pictures), fps


def _imagined(art: Art, request: ExportRequest) -> NDArray[np.uint8]:
    """Draw a place in latent space, or a strip of pictures along a walk."""
    import torch

    from artgen.output.sheets import resized

    if request.walk is not None:
        return walk_strip(art, request)
    canvas, space = art.picture_canvas(request.size), art.latent_space()
    place = space.place(request.latent or "mean")
    picture = space.draw(place.latent[None], torch.tensor([place.label]))[0]
    return resized(picture, canvas, smooth=True)


def walk_strip(art: Art, request: ExportRequest) -> NDArray[np.uint8]:
    """Draw rows of pictures along a walk, uint8 [h, w, 3]. Raises UsageError."""
    import numpy as np

    from artgen.output.sheets import resized

    canvas, space = art.picture_canvas(request.size), art.latent_space()
    columns, rows = _STRIP
    pictures = space.draw(*space.walk(request.walk or "", columns * rows))
    cell = canvas.scaled(max(1, max(canvas.width, canvas.height) // 4))
    lines = np.split(np.stack([resized(picture, cell, smooth=True) for picture in pictures]), rows)
    return np.concatenate([np.concatenate(list(line), axis=1) for line in lines])


def _refuse(request: ExportRequest, what: str, *, video: bool = False) -> None:
    """Raise UsageError for requests that only other formats support."""
    moving = request.start or request.film or request.loop or request.max_bytes is not None
    if moving and not video:
        raise UsageError(
            f"{what} is not a video format",
            hint="use -o FILE.mp4, or leave out --film, --start, --loop and --max-bytes",
        )
    if request.animate is not None:
        raise UsageError(f"{what} cannot be animated", hint="use -o FILE.svg")
    if request.page is not None:
        raise UsageError(f"{what} does not take a page", hint="use -o FILE.svg or -o FILE.pdf")
