"""Shapes and cells as an SVG file: one element each, in one group that carries the canvas.

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
from artgen.errors import PluginError, UsageError
from artgen.output.cells import cells
from artgen.output.provenance import RECIPE_ID
from artgen.output.shapes import PlacedShape, decimals, place_shapes
from artgen.primitives import Partition, Primitive
from artgen.raster import unpack_sites
from artgen.targets import hex_colour

__all__ = ["encode_svg", "escaped_recipe", "metadata", "rounded"]

FADE, FIRST = 0.5, 8
"""A shape takes so many seconds to appear; about so many appear at an even pace, later ones faster
and faster, so that every doubling of their number takes equally long."""

SEAM = 0.5
"""The width of a border around cells, in pixels of the fitting size."""

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
    the metadata, for `read_recipe`. Raises UsageError where the drawing is made of neither shapes
    nor cells, InputError where its tensors are not those of `primitive`, PluginError where a shape
    gives no SVG element.
    """
    if transparent and isinstance(primitive, Partition):
        raise UsageError(
            f"{drawing.primitive} covers all of the picture: nothing of it is transparent",
            hint="leave out --transparent",
        )
    width, height = canvas.width, canvas.height
    ground = f'<rect width="{width}" height="{height}" fill="{hex_colour(drawing.background)}"/>'
    digits = decimals(drawing.canvas)
    elements = _elements(drawing, primitive, digits)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        metadata(recipe_json),
        *([] if animate is None else [_STYLE.format(fade=min(FADE, animate))]),
        *([] if transparent else [ground]),
        f'<g transform="translate({width / 2:g} {height / 2:g}) scale({1 / canvas.pixel:g})">',
    ]
    for index, element in enumerate(elements):
        if animate is not None:
            progress = math.log1p(index / FIRST) / math.log1p(len(elements) / FIRST)
            delay = max(0.0, animate - FADE) * progress
            element.set("style", f"animation-delay:{rounded(delay, 2)}s")
        lines.append(ElementTree.tostring(element, encoding="unicode").replace(" />", "/>"))
    return "\n".join([*lines, "</g>", "</svg>", ""]).encode()


def _elements(drawing: Drawing, primitive: Primitive, digits: int) -> list[ElementTree.Element]:
    """What is drawn, from the lowest to the highest, in canvas units."""
    if isinstance(primitive, Partition):
        return _cells(drawing, primitive, digits)
    shapes = place_shapes(drawing, primitive, "SVG")
    found = [_element(placed, digits) for placed in shapes]
    return [element for element in found if element is not None]


def _cells(drawing: Drawing, partition: Partition, digits: int) -> list[ElementTree.Element]:
    """The cells of a partition, with thin borders of their own colour, so that no gaps are seen."""
    partition.check_tensors(drawing)
    polygons = cells(drawing, partition)
    _, colours = unpack_sites(drawing.tensors)
    elements = []
    for cell, colour in zip(polygons, colours, strict=True):
        if len(cell) > 2:
            corners = " ".join(
                f"{rounded(x, digits)},{rounded(y, digits)}" for x, y in cell.tolist()
            )
            paint = hex_colour(colour)
            width = rounded(SEAM * drawing.canvas.pixel, digits + 1)
            border = {"stroke": paint, "stroke-width": width, "stroke-linejoin": "round"}
            elements.append(
                ElementTree.Element("polygon", {"points": corners, "fill": paint, **border})
            )
    return elements


def _element(placed: PlacedShape, digits: int) -> ElementTree.Element | None:
    """A shape with its colour and opacity; None where it cannot be drawn."""
    text = placed.element()
    if text is None:
        return None
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
            part.set(name, _NUMBER.sub(lambda number: rounded(number[0], digits), exact))
    if not stroked:
        element.set("fill", placed.colour)
    if placed.alpha < 1:
        element.set("opacity", rounded(placed.alpha, 3))
    return element


def escaped_recipe(recipe_json: str) -> str:
    """The recipe as text of an XML element."""
    # Tabs and the like are escaped by JSON itself; a few letters are no letters of XML.
    return escape(_NOT_XML.sub(lambda letter: f"\\u{ord(letter[0]):04x}", recipe_json))


def metadata(recipe_json: str) -> str:
    """The element that holds the recipe, for `read_recipe`."""
    return f'<metadata id="{RECIPE_ID}">{escaped_recipe(recipe_json)}</metadata>'


def rounded(number: float | str, digits: int) -> str:
    """A number with at most so many digits after the point."""
    text = f"{float(number):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits else text
    return "0" if text == "-0" else text
