"""Shapes as an SVG file: one element each, in one group that carries the canvas.

Nothing in it moves, runs or comes from elsewhere, unless the shapes shall appear one by one: then a
few lines of CSS say so, and whoever asks for reduced motion sees the finished picture.
"""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import PluginError
from artgen.output.provenance import RECIPE_ID
from artgen.output.shapes import PlacedShape, decimals, place_shapes
from artgen.primitives import Primitive
from artgen.targets import hex_colour

__all__ = ["encode_svg"]

FADE, FIRST = 0.5, 8
"""A shape takes so many seconds to appear; about so many appear at an even pace, later ones faster
and faster, so that every doubling of their number takes equally long."""

_STYLE = """\
<style>
@keyframes appear {{ from {{ fill-opacity: 0; stroke-opacity: 0 }} }}
@media (prefers-reduced-motion: no-preference) {{ g > * {{ animation: appear {fade}s both }} }}
</style>"""

_NUMBER = re.compile(r"-?\d*\.\d+(?:[eE][-+]?\d+)?")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def encode_svg(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas,
    recipe_json: str,
    *,
    transparent: bool = False,
    animate: float | None = None,
) -> bytes:
    """An SVG file of the drawing, `canvas` large, over its background unless `transparent`.

    The shapes appear within `animate` seconds, all at once where it is None. The recipe is in
    the metadata, for `read_recipe`. Raises UsageError where the drawing is not made of shapes,
    InputError where its tensors are not those of `primitive`, PluginError where a shape gives no
    SVG element.
    """
    shapes = place_shapes(drawing, primitive, "SVG")
    width, height = canvas.width, canvas.height
    ground = f'<rect width="{width}" height="{height}" fill="{hex_colour(drawing.background)}"/>'
    digits = decimals(drawing.canvas)
    # Tabs and the like are escaped by JSON itself; a few letters are no letters of XML.
    recipe = _NOT_XML.sub(lambda letter: f"\\u{ord(letter[0]):04x}", recipe_json)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f'<metadata id="{RECIPE_ID}">{escape(recipe)}</metadata>',
        *([] if animate is None else [_STYLE.format(fade=min(FADE, animate))]),
        *([] if transparent else [ground]),
        f'<g transform="translate({width / 2:g} {height / 2:g}) scale({1 / canvas.pixel:g})">',
    ]
    for index, placed in enumerate(shapes):
        delay = None
        if animate is not None:
            progress = math.log1p(index / FIRST) / math.log1p(len(shapes) / FIRST)
            delay = max(0.0, animate - FADE) * progress
        lines.append(_element(placed, digits, delay))
    return "\n".join([*filter(None, lines), "</g>", "</svg>", ""]).encode()


def _element(placed: PlacedShape, digits: int, delay: float | None) -> str:
    """A shape with its colour and opacity; empty where it cannot be drawn."""
    text = placed.element()
    if text is None:
        return ""
    try:
        element = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise PluginError(
            f"{type(placed.shape).__name__}.svg gives no SVG element: {error}: {text[:80]}",
            hint='it takes one element, such as <circle cx="0" cy="0" r="1"/>',
        ) from None
    stroked = False
    for part in element.iter():
        for name, value in part.items():
            stroked |= value == "currentColor"
            exact = placed.colour if value == "currentColor" else value
            part.set(name, _NUMBER.sub(lambda number: _rounded(number[0], digits), exact))
    if not stroked:
        element.set("fill", placed.colour)
    if placed.alpha < 1:
        element.set("opacity", _rounded(placed.alpha, 3))
    if delay is not None:
        element.set("style", f"animation-delay:{_rounded(delay, 2)}s")
    return ElementTree.tostring(element, encoding="unicode").replace(" />", "/>")


def _rounded(number: float | str, digits: int) -> str:
    """A number with at most so many digits after the point."""
    text = f"{float(number):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return "0" if text == "-0" else text
