"""Parts one by one: SVG, PDF, EPS, JSON, lines for pens and pages that zoom, with the recipe."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from artgen._version import __version__
from artgen.art import Art, ExportRequest
from artgen.base.errors import UsageError
from artgen.exporters.paths import export_paths
from artgen.exporters.requests import TIMES, check_transparent, refuse
from artgen.exporters.words import words_of
from artgen.output import encode_jpeg
from artgen.output.parts import FlatPart, decimals, flat_parts
from artgen.registry import default
from artgen.targets import hex_colour, parse_colour
from artgen.values.frame import Frame

if TYPE_CHECKING:
    from artgen.output.plotter import Page, Plot

_SAVED_SIDE = 2048
"""Long side of the picture that a page saves, in pixels, unless asked for."""

_POSTER_SIDE = 320
"""Long side of the fallback picture of a page, in pixels."""


def export_svg(art: Art, request: ExportRequest) -> bytes:
    """Export flat parts as SVG elements, or lines on a page, with the recipe. Raises UsageError."""
    if request.page is not None:
        from artgen.output.plotter.files import encode_plot

        return encode_plot(_plotted(art, request, request.page, "a page"), art.recipe.to_json())
    from artgen.output.svg.picture import encode_svg

    refuse(replace(request, animate=None), "SVG")
    return encode_svg(
        art.drawing,
        art.primitive(),
        Frame.of(request.size),
        art.recipe.to_json(),
        transparent=request.transparent,
        animate=request.animate,
        dpi=request.dpi,
    )


def export_html(art: Art, request: ExportRequest) -> bytes:
    """Export a zoomable HTML page, which plays a film if there is one, with the recipe.

    A form of film with a page of its own, such as `wipe`, becomes one with a slider.

    `size` is the long side of the pictures that it saves. Raises UsageError if a page cannot draw
    the art.
    """
    from artgen.animation.forms import find_form
    from artgen.exporters.pairs import slider
    from artgen.output.page import plain_json, render_document
    from artgen.output.page.pack import Packer
    from artgen.output.page.scenes import describe

    shown = request.film
    if shown is not None and (form := find_form(shown, art.registry or default())).page:
        return slider(art, request, shown, form)
    refuse(request, "HTML")
    if request.transparent:
        check_transparent("html")
    drawing, film, words, packer = art.drawing, art.film, words_of(art), Packer()
    saved = _SAVED_SIDE if request.size is None else _long_side(art, request, "a page")
    # A picture for browsers that cannot draw it.
    poster = art.render(min(_POSTER_SIDE, max(drawing.width, drawing.height)))
    described = describe(drawing, art.primitive(), film, packer)
    own = described.pop("script", "")
    piece = {
        **described,
        "title": words.title,
        "width": drawing.width,
        "height": drawing.height,
        "background": list(drawing.background),
        "backgroundWeight": drawing.background_weight,
        "savedSide": saved,
        "duration": 0.0 if film is None else film.duration,
        "rows": packer.table,
    }
    return render_document(
        described["kind"],
        words,
        film=film is not None,
        own=own,
        piece=plain_json(piece),
        recipe=plain_json(art.recipe.to_dict()),
        numbers=packer.text(),
        poster=base64.b64encode(encode_jpeg(poster, 80, optimize=True)).decode("ascii"),
    ).encode()


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


def export_json(art: Art, request: ExportRequest) -> bytes:
    """Export the tensors as JSON, with the recipe, and flat parts in canvas units.

    Raises UsageError, InputError, PluginError.
    """
    refuse(request, "JSON")
    drawing = art.drawing
    canvas = drawing.canvas.scaled(_long_side(art, request, "JSON"))
    digits, primitive = decimals(drawing.canvas), art.primitive()
    primitive.check_tensors(drawing)
    data: dict[str, Any] = {
        "artgen": __version__,
        "primitive": drawing.primitive,
        "width": canvas.width,
        "height": canvas.height,
        "background": None if request.transparent else hex_colour(drawing.background),
    }
    if flat_parts.is_answered(type(primitive)):
        data["shapes"] = [_described(part, digits) for part in flat_parts(primitive, drawing)]
    data |= art.to_dict()
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def _described(part: FlatPart, digits: int) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "genes": {name: _shortest(value) for name, value in part.numbers.items()},
        "outline": np.round(part.outline(), digits).tolist(),
        "colour": hex_colour(part.colour),
        "alpha": _shortest(part.alpha),
    }


def _shortest(value: float) -> float:
    """The shortest decimal number that float32 stores as this value."""
    return float(str(np.float32(value)))


def export_pdf(art: Art, request: ExportRequest) -> bytes:
    """Export flat parts as filled paths, or lines for pens on a page, with the recipe.

    Raises UsageError.
    """
    if request.page is None:
        return export_paths("pdf", art, request)
    from artgen.output.plotter.files import encode_pdf

    return encode_pdf(_plotted(art, request, request.page, "PDF"), art.recipe.to_json())


def export_eps(art: Art, request: ExportRequest) -> bytes:
    """Export opaque flat parts as filled paths, with the recipe. Raises UsageError."""
    return export_paths("eps", art, request)


def _plotted(art: Art, request: ExportRequest, page: Page, what: str) -> Plot:
    """Plot the art on the requested page, for the format `what`. Raises UsageError for a size."""
    from artgen.output.plotter import SEEN, plot

    if request.animate is not None:
        hint = "leave out --animate, or what is for pens: --page, --pens, --fill"
        raise UsageError(f"{what} cannot be animated", hint=hint)
    if request.size is not None:
        hint = "leave out --size, --crop and --pad; --page 200x300 is a paper in mm"
        raise UsageError(f"{what} has the size of its paper", hint=hint)
    refuse(replace(request, page=None), what)
    opaque = pixels = art.render(SEEN, device=request.device)
    if request.transparent:
        pixels = art.render(SEEN, transparent=True, device=request.device)
        alpha, paper = pixels[..., 3:] / 255, 255 * np.array(parse_colour(page.paper))
        pixels = np.rint(alpha * pixels[..., :3] + (1 - alpha) * paper).astype(np.uint8)
    primitive, clear = art.primitive(), request.transparent
    return plot(art.drawing, primitive, pixels, page, transparent=clear, opaque=opaque)
