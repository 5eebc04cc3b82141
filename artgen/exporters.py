"""What a drawing is exported as: a function per suffix, from an art and a request to bytes.

They register through the hook `artgen_exporters`, like those of plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.art import Art, Exporter, ExportRequest
from artgen.errors import UsageError
from artgen.registry import bare_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.output.page import PageWords
    from artgen.output.plotter import Plot

__all__ = [
    "export_gif",
    "export_html",
    "export_json",
    "export_mp4",
    "export_pdf",
    "export_png",
    "export_svg",
    "export_webm",
    "export_webp",
    "walk_frames",
]

_SEEN = 1024
"""A plot is made of a picture with so many pixels on its longer side."""

TIMES = "\N{MULTIPLICATION SIGN}"

_POSTER_SIDE = 320
"""Long side of the picture for browsers that cannot draw a page, in pixels."""

WALK_FPS = 30
_STRIP = 10, 4
"""A walk as a still: so many pictures in a row, and rows."""


def export_png(art: Art, request: ExportRequest) -> bytes:
    """A PNG with the recipe inside. Raises UsageError where it shall be animated.

    A walk is a strip of some of its pictures.
    """
    from artgen.output import encode_png

    _refuse(request, "PNG")
    if request.latent is not None or request.walk is not None:
        if request.transparent:
            raise UsageError(
                "a picture of a set has no transparent background", hint="leave out --transparent"
            )
        return encode_png(_imagined(art, request), art.recipe.to_json())
    pixels = art.render(
        request.size,
        transparent=request.transparent,
        supersample=request.supersample,
        device=request.device,
    )
    return encode_png(pixels, art.recipe.to_json())


def export_svg(art: Art, request: ExportRequest) -> bytes:
    """Shapes as elements, or lines on a page, with the recipe inside. Raises UsageError."""
    if request.page is not None:
        from artgen.output.plotter.files import encode_plot

        _refuse(replace(request, page=None), "a page")
        return encode_plot(_plotted(art, request), art.recipe.to_json())
    from artgen.output.svg import encode_svg

    return encode_svg(
        art.drawing,
        art.primitive(),
        art.canvas(request.size),
        art.recipe.to_json(),
        transparent=request.transparent,
        animate=request.animate,
    )


def export_html(art: Art, request: ExportRequest) -> bytes:
    """A page that draws itself at any depth, and plays where there is a film; the recipe is inside.

    `size` is the long side of the pictures that it saves. Raises UsageError for what no page draws.
    """
    from artgen.output.page import encode_page

    _refuse(request, "HTML")
    if request.latent is not None or request.walk is not None:
        raise UsageError("a page knows no latents", hint="use -o FILE.png or -o FILE.mp4")
    if request.transparent:
        raise UsageError("a page has a background", hint="leave out --transparent")
    return encode_page(
        art.drawing,
        art.primitive(),
        art.recipe.to_json(),
        _words(art),
        _poster(art),
        film=art.film,
        **({} if request.size is None else {"saved_side": request.size}),
    )


def _words(art: Art) -> PageWords:
    """What a page says of a drawing: its own words, where its recipe has them."""
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


def _poster(art: Art) -> bytes:
    """A small JPEG of the drawing."""
    import io

    from PIL import Image

    side = min(_POSTER_SIDE, max(art.drawing.width, art.drawing.height))
    file = io.BytesIO()
    Image.fromarray(art.render(side)).save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()


def export_json(art: Art, request: ExportRequest) -> bytes:
    """Shapes as data, with the recipe. Raises UsageError for what is no shape."""
    from artgen.output.shapes import encode_shapes

    _refuse(request, "JSON")
    return encode_shapes(
        art.drawing,
        art.primitive(),
        art.canvas(request.size),
        art.recipe.to_dict(),
        transparent=request.transparent,
    )


def export_pdf(art: Art, request: ExportRequest) -> bytes:
    """Lines for a pen on a page, A4 unless asked, with the recipe inside. Raises UsageError."""
    from artgen.output.plotter.files import encode_pdf

    _refuse(replace(request, page=None), "PDF")
    return encode_pdf(_plotted(art, request), art.recipe.to_json())


def _plotted(art: Art, request: ExportRequest) -> Plot:
    """The lines that draw the picture on the page that is asked for."""
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
    """What moves, as a video with the recipe inside: a film, or a walk through latent space."""

    def export(art: Art, request: ExportRequest) -> bytes:
        from tempfile import TemporaryDirectory

        from artgen.output import write_video

        _refuse(request, suffix.removeprefix(".").upper())
        if request.transparent:
            raise UsageError(
                "a video has no transparent background", hint="leave out --transparent"
            )
        frames, fps = _moving(art, request, suffix)
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"art{suffix}"
            write_video(file, frames, fps=fps, comment=art.recipe.to_json())
            return file.read_bytes()

    export.__doc__ = f"A film, or a walk through latent space, as {suffix}. Raises UsageError."
    return export


export_mp4, export_webm = _video(".mp4"), _video(".webm")
export_gif, export_webp = _video(".gif"), _video(".webp")


def _moving(
    art: Art, request: ExportRequest, suffix: str
) -> tuple[Iterator[NDArray[np.uint8]], float]:
    """Frames, made while they are taken, and how many of them there are per second."""
    if request.walk is not None:
        return walk_frames(art, request)
    if art.film is None:
        raise UsageError(
            "a saved drawing is no video, unless it holds a film; of a codec, a walk through its "
            "latents is",
            hint="use --walk labels, or make a film: artgen fit --history N, artgen morph",
        )
    from artgen.output.animation import ANIMATIONS

    canvas = art.canvas(request.size)
    size, fps = max(canvas.width, canvas.height), request.fps or art.film.fps
    if suffix in ANIMATIONS:
        # What would be left out and shrunk later need not be drawn.
        size, fps = min(size, ANIMATIONS[suffix].side), min(fps, ANIMATIONS[suffix].fps)
    frames = art.frames(
        size,
        fps=fps,
        speed=request.speed,
        supersample=request.supersample,
        device=request.device,
    )
    return frames, fps


def walk_frames(art: Art, request: ExportRequest) -> tuple[Iterator[NDArray[np.uint8]], float]:
    """The pictures along a walk, and how many there are per second. Raises UsageError."""
    from artgen.output.sheets import resized

    canvas, space = art.picture_canvas(request.size), art.latent_space()
    fps = request.fps or WALK_FPS
    pictures = space.draw(*space.walk(request.walk or "", max(1, round(fps * request.seconds))))
    return (resized(picture, canvas, smooth=True) for picture in pictures), fps


def _imagined(art: Art, request: ExportRequest) -> NDArray[np.uint8]:
    """The picture of a place in latent space, or a strip of those along a walk."""
    import numpy as np
    import torch

    from artgen.output.sheets import resized

    canvas, space = art.picture_canvas(request.size), art.latent_space()
    if request.walk is None:
        place = space.place(request.latent or "mean")
        picture = space.draw(place.latent[None], torch.tensor([place.label]))[0]
        return resized(picture, canvas, smooth=True)
    columns, rows = _STRIP
    pictures = space.draw(*space.walk(request.walk, columns * rows))
    cell = canvas.scaled(max(1, max(canvas.width, canvas.height) // 4))
    lines = np.split(np.stack([resized(picture, cell, smooth=True) for picture in pictures]), rows)
    return np.concatenate([np.concatenate(list(line), axis=1) for line in lines])


def _refuse(request: ExportRequest, what: str) -> None:
    """Raise UsageError for what only other formats can do."""
    if request.animate is not None:
        raise UsageError(f"{what} cannot be animated", hint="use -o FILE.svg")
    if request.page is not None:
        raise UsageError(f"{what} has no page", hint="use -o FILE.svg or -o FILE.pdf")
