"""Checks of exporters: what they write, how they refuse, and that they change nothing."""

from __future__ import annotations

import io
import json
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from PIL import EpsImagePlugin, Image

from artgen.art import Art, ExportRequest
from artgen.base.errors import InputError, UsageError
from artgen.base.xml import ParseError, fromstring
from artgen.output import read_recipe
from artgen.output.plotter import Page
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.runs.loop.history import Snapshot, film_of
from artgen.testing.candidate import CANVAS, Candidate, Offer, Variant, find_entries
from artgen.testing.run_checks import Failed, Lacking, basic
from artgen.testing.side_effects import check_pure, differing

_ARTS = {
    "gaussian": {"blend": "over"},
    "triangle": {},
    "fourier_features": {},
    "voronoi": {},
    "circle": {},
}
"""Primitives of several families, with options: the first can be transparent."""
_FILMED = "circle"
"""The one that has a film."""
_ASKED = {
    "transparent": ExportRequest(transparent=True),
    "animate": ExportRequest(animate=2.0),
    "page": ExportRequest(page=Page(width=120)),
    "size": ExportRequest(size=60),
}


@basic
def content(offer: Offer) -> str:
    """It gives bytes that readers of the format open.

    Return bytes of a complete file: encode text with `text.encode()`, and end what you began.
    """
    data = _exported(offer)
    if not isinstance(data, bytes):
        raise Failed(f"it gives {type(data).__name__}, not bytes")
    if not data:
        raise Failed("it gives an empty file")
    return f"{len(data):,} bytes, {_read(offer.name, data)}"


def provenance(offer: Offer) -> str:
    """A format of which artgen reads recipes holds the recipe.

    Write `art.recipe.to_json()` where artgen's own exporter of the format has it; see exports.md.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"art.{offer.name}"
        path.write_bytes(_exported(offer))
        try:
            found = read_recipe(path)
        except InputError as error:
            if "cannot hold a recipe" in error.message:
                return f"artgen reads no recipes from .{offer.name}"
            raise Failed(f"the recipe cannot be read: {error.message}") from None
    if Recipe.from_dict(json.loads(found)) != _art(_taken(offer)).recipe:
        raise Failed("the recipe is not that of the art")
    return "with its recipe"


def requests(offer: Offer) -> str:
    """What is asked for changes the file, or is refused by `artgen.errors.UsageError`.

    Use every field of the request, or call `request.allow("size", "supersample")` with those used.
    """
    plain, refused = _exported(offer), []
    for name, asked in _ASKED.items():
        try:
            changed = _exported(offer, request=asked) != plain
        except UsageError:
            refused.append(name)
            continue
        if not changed:
            raise Failed(f"it ignores {name}")
    return f"refuses {', '.join(refused)}" if refused else "refuses nothing"


def families(offer: Offer) -> str:
    """Every family of drawings is exported, or refused by `artgen.errors.UsageError`.

    Draw with `art.render`, or ask `art.primitive().family` before reading tensors by name.
    """
    refused = [name for name in _ARTS if not _takes(offer, name)]
    if len(refused) == len(_ARTS):
        raise Failed("it refuses drawings of every family")
    return f"refuses {', '.join(refused)}" if refused else "all families"


def purity(offer: Offer) -> None:
    """The same art gives the same bytes, without a clock; nothing is changed or written.

    Leave out dates and random numbers, change no tensor in place, and let artgen write the file.
    """
    art = _copy(_taken(offer))
    with check_pure(offer):
        first = offer.loaded(art, ExportRequest())
    if _exported(offer) != first:
        raise Failed("the same art gives other bytes the second time")
    for name in differing(_art(_taken(offer)).drawing.tensors, art.drawing.tensors):
        raise Failed(f"it changes the tensor {name!r} of the art")


CHECKS = (content, provenance, requests, families, purity)


def _exported(offer: Offer, name: str = "", request: ExportRequest | None = None) -> bytes:
    """Export the art of a primitive, by default of the first that is not refused."""
    data: bytes = offer.loaded(_copy(name or _taken(offer)), request or ExportRequest())
    return data


def _taken(offer: Offer) -> str:
    """Return the first primitive whose drawings are not refused; the first of all if all are."""
    taken = (name for name in _ARTS if _takes(offer, name))
    return offer.once("taken", lambda: next(taken, next(iter(_ARTS))))


def _takes(offer: Offer, name: str) -> bool:
    """Whether it does not refuse drawings of a primitive."""
    with suppress(UsageError):
        _exported(offer, name)
        return True
    return False


def _copy(name: str) -> Art:
    """The art of a primitive, for an exporter that may change its tensors in place."""
    art = _art(name)
    return replace(art, drawing=art.drawing.detach())


@cache
def _art(name: str) -> Art:
    """Make a drawing in the middle of a fit."""
    registry, [entry] = find_entries(name)
    candidate, variant = Candidate(entry, registry, entry.load()), Variant(_ARTS[name])
    drawing = candidate.drawing(variant, moved=True)[1]
    recipe = Recipe.from_dict({"primitive": {"name": name, **variant.options}})
    film = None
    if name == _FILMED:
        seeds = enumerate([3, 4])
        keys = [Snapshot(n, 0, candidate.drawing(seed=s)[1].tensors, None) for n, s in seeds]
        film = film_of(keys, parted=True, seconds=0.3, hold=0.1, fps=10)
    recipe = resolve(recipe, registry, CANVAS).recipe
    return Art(drawing, recipe, film=film, registry=registry)


def _read(suffix: str, data: bytes) -> str:
    """Open a file by its format, and return how.

    Raises Failed if it is damaged, Lacking if its header is sound and nothing here draws it.
    """
    try:
        if suffix == "json":
            json.loads(data, parse_constant=_refuse)
            return "valid JSON"
        if suffix in ("svg", "xml"):
            fromstring(data)
            return "valid XML"
        if Image.registered_extensions().get(f".{suffix}") in Image.OPEN:
            with Image.open(io.BytesIO(data)) as picture:
                if picture.format == "EPS" and not EpsImagePlugin.has_ghostscript():
                    raise Lacking("Ghostscript, which reads EPS")
                picture.load()
                return f"a picture of {picture.width} x {picture.height} pixels"
    except (ValueError, LookupError, OSError, ParseError) as error:
        raise Failed(f"the {suffix} cannot be read: {error}") from None
    return "which no reader here opens"


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
