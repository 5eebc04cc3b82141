"""Stills: PNG, TIFF, JPEG and AVIF, with the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from artgen.animation.forms import find_form, form_still
from artgen.art import Art, Exporter, ExportRequest
from artgen.base.errors import UsageError
from artgen.exporters.films import shot_of
from artgen.exporters.requests import check_transparent, drawn_as, refuse
from artgen.exporters.walks import WALK_FPS, imagined
from artgen.output import Pixels, encode_photo, encode_png, encode_png_strips, encode_tiff_strips
from artgen.registry import default
from artgen.values.canvas import Canvas
from artgen.values.frame import Frame

_LATENTS = "latent", "walk"


def export_png(art: Art, request: ExportRequest) -> bytes:
    """Export a PNG with the recipe; a walk becomes a strip of pictures. Raises UsageError."""
    text = art.recipe.to_json()
    canvas, strips = _strips(art, request, "PNG", _LATENTS)
    first = next(strips)
    if len(first) == canvas.height:
        return encode_png(first, text, dpi=request.dpi, colours=art.recipe.exact_colours)
    return encode_png_strips(chain([first], strips), canvas.height, text, dpi=request.dpi)


def export_tiff(art: Art, request: ExportRequest) -> bytes:
    """Export a tiled TIFF with the recipe, drawn strip by strip if large. Raises UsageError."""
    canvas, strips = _strips(art, request, "TIFF")
    return encode_tiff_strips(strips, canvas.height, art.recipe.to_json(), dpi=request.dpi)


def _composed(art: Art, request: ExportRequest, what: str, latents: Sequence[str]) -> Pixels | None:
    """The still of a form of film that has one, or of latents; None where it is the drawing."""
    film = request.film
    if film is not None and (form := find_form(film, art.registry or default())).still:
        if request.latent is not None or request.walk is not None:
            raise UsageError(
                "--film and a place or walk in latent space were both given",
                hint="leave out --film, or --latent and --walk",
            )
        refuse(replace(request, film=None), what, samples=True)
        shot = shot_of(art, request, Frame.of(request.size), form)
        return form_still(film, shot, WALK_FPS)
    refuse(request, what, samples=True, latents=latents)
    if request.latent is None and request.walk is None:
        return None
    if request.transparent:
        raise UsageError("pictures of a set cannot be transparent", hint="leave out --transparent")
    return imagined(art, request)


def _strips(
    art: Art, request: ExportRequest, what: str, latents: Sequence[str] = ()
) -> tuple[Canvas, Iterator[Pixels]]:
    """Return the size of a still, and its rows as `Art.strips` draws them."""
    pixels = _composed(art, request, what, latents)
    if pixels is None:
        return art.canvas(request.size), art.strips(request.size, **drawn_as(request))
    return Canvas(pixels.shape[1], pixels.shape[0]), iter([pixels])


def _photo(suffix: str) -> Exporter:
    """Make the exporter of a format for photographs."""

    def export(art: Art, request: ExportRequest) -> bytes:
        if request.transparent:
            check_transparent(suffix)
        pixels = _composed(art, request, suffix.upper(), _LATENTS)
        if pixels is None:
            pixels = art.render(request.size, **drawn_as(request))
        return encode_photo(pixels, suffix, art.recipe.to_json(), dpi=request.dpi)

    export.__doc__ = f"Export a still as {suffix}, with the recipe. Raises UsageError."
    return export


export_jpg, export_avif = _photo("jpg"), _photo("avif")
