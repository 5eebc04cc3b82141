"""Flat parts as an SVG file: one element each, in one group that carries the canvas.

Nothing in it moves, runs or comes from elsewhere, unless the shapes shall appear one by one: then a
few lines of CSS say so, and a reader who asks for reduced motion sees the finished picture.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from artgen.base.generic import generic
from artgen.base.xml import Element, text_of
from artgen.output.parts import FlatPart, decimals, parts_for, precision
from artgen.output.parts.marks import merged
from artgen.output.svg.compact import compact_path
from artgen.output.svg.document import metadata, rounded
from artgen.primitives import Primitive
from artgen.svg.elements import NAMESPACE
from artgen.targets import hex_colour, parse_colour
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.frame import BACKGROUND, Frame, Placement

FADE, FIRST = 0.5, 8
"""Seconds that a shape takes to appear, and how many appear at an even pace; later ones come faster
and faster, so that every doubling of their number takes equally long."""

SEAM, WIDEST_SEAM = 0.5, 1.5
"""The width of a border around parts that touch, in pixels of the fitting size, and the most in
pixels of the picture."""

_STYLE = """\
<style>
@keyframes appear {{ from {{ fill-opacity: 0; stroke-opacity: 0 }} }}
@media (prefers-reduced-motion: no-preference) {{ g > * {{ animation: appear {fade}s both }} }}
</style>"""

_SPRITE_STYLE = _STYLE.replace("fill-opacity: 0; stroke-opacity: 0", "opacity: 0")
"""The same for pictures."""

_NUMBER = re.compile(r"-?\d*\.\d+(?:[eE][-+]?\d+)?")


class SpriteElements(NamedTuple):
    """The parts of a drawing of sprites for an SVG file, from the farthest to the nearest."""

    definitions: list[Element]
    uses: list[Element]


@generic("export")
def sprite_elements(primitive: Primitive, drawing: Drawing) -> SpriteElements | None:
    """Write the parts of a drawing as pictures; None, the default, where they are none.

    Raises UsageError for blends that SVG does not have.
    """
    return None


@generic("export")
def are_sprites(primitive: Primitive) -> bool:
    """Whether parts may be written as pictures; by default they may not."""
    return False


def encode_svg(
    drawing: Drawing,
    primitive: Primitive,
    frame: Frame,
    recipe_json: str,
    *,
    transparent: bool = False,
    animate: float | None = None,
    dpi: float | None = None,
) -> bytes:
    """An SVG file of the drawing in a `frame`, over its background unless `transparent`.

    The parts appear within `animate` seconds, all at once where it is None. With `dpi`, dots per
    inch, the file says how large it is on paper, else in pixels. The recipe is in the metadata, for
    `read_recipe`. Raises UsageError where the drawing has no flat parts and no sprites, InputError
    where its tensors are not those of `primitive`, PluginError where a shape gives no SVG element.
    """
    sprites = sprite_elements(primitive, drawing)
    parts = [] if sprites else parts_for(drawing, primitive, "SVG")
    if transparent:
        primitive.check_transparent(drawing.primitive)
    placement = frame.place(drawing.canvas)
    canvas, width, height = placement.whole, placement.picture.width, placement.picture.height
    left, top = -placement.left, -placement.top
    sides = [str(width), str(height)]
    if dpi is not None:
        # Lengths that were asked for are other than those of whole pixels by less than one of them.
        printed = frame.printed(placement.picture, dpi)
        sides = [f"{rounded(25.4 * inches, 3)}mm" for inches in printed]
    both = dpi is not None and len(frame.inches or ()) == 2
    stretched = ' preserveAspectRatio="none"' if both else ""
    # Curves alone need no units of the canvas: whole numbers are shorter.
    curved = bool(parts) and all(part.contours() for part in parts)
    unit = precision(drawing.canvas) if curved else 1.0
    ground, clip = _ground(drawing, frame, placement, transparent, unit)
    digits = decimals(drawing.canvas)
    seam = rounded(seam_width(drawing.canvas, canvas) / unit, digits + 1)
    opacities = {rounded(part.alpha, 3) for part in parts}
    shared = opacities.pop() if curved and len(opacities) == 1 else "1"
    group = clip if shared == "1" else f'{clip} fill-opacity="{shared}"'

    def draw(part: FlatPart) -> Element | None:
        element = _compact(part, unit, shared) if curved else _element(part, digits)
        if part.touching and element is not None:
            element.set("stroke", hex_colour(part.colour))
            element.set("stroke-width", seam)
            element.set("stroke-linejoin", "round")
        return element

    style, definitions = _STYLE, []
    if sprites:
        style, groups = _SPRITE_STYLE, [("", sprites.uses)]
        definitions = ["<defs>", *map(text_of, sprites.definitions), "</defs>"]
    elif parts and parts[0].union:
        groups = list(_inked(parts, digits, joined=animate is None))
    else:
        groups = [("", [element for element in map(draw, parts) if element is not None])]
    lines = [
        f'<svg xmlns="{NAMESPACE}" width="{sides[0]}" height="{sides[1]}" '
        f'viewBox="0 0 {width} {height}"{stretched}>',
        metadata(recipe_json),
        *([] if animate is None else [style.format(fade=min(FADE, animate))]),
        *definitions,
        *ground,
        f'<g{group} transform="translate({left + canvas.width / 2:g} {top + canvas.height / 2:g}) '
        f'scale({unit / canvas.pixel:g})">',
    ]
    if animate is not None:
        every = [element for _, elements in groups for element in elements]
        for index, element in enumerate(every):
            progress = math.log1p(index / FIRST) / math.log1p(len(every) / FIRST)
            delay = max(0.0, animate - FADE) * progress
            element.set("style", f"animation-delay:{rounded(delay, 2)}s")
    for opening, elements in groups:
        texts = map(text_of, elements)
        lines += [opening, *texts, "</g>"] if opening else texts
    return "\n".join([*lines, "</g>", "</svg>", ""]).encode()


def seam_width(fitted: Canvas, canvas: Canvas) -> float:
    """Return the width of the border around parts that touch, in canvas units, on a canvas."""
    return min(SEAM * fitted.pixel, WIDEST_SEAM * canvas.pixel)


def _ground(
    drawing: Drawing, frame: Frame, placement: Placement, transparent: bool, unit: float
) -> tuple[list[str], str]:
    """The elements below the parts, and the attribute that keeps parts inside a border."""
    picture, whole = placement.picture, placement.whole
    left, top, wide, high = -placement.left, -placement.top, whole.width, whole.height
    paint, plain = hex_colour(drawing.background), frame.pad in (None, BACKGROUND)
    border = paint if plain else hex_colour(parse_colour(str(frame.pad)))
    ground = f'<rect width="{picture.width}" height="{picture.height}" fill="{border}"/>'
    inner = f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="{paint}"/>'
    elements = [ground] if plain else [ground, inner]
    if transparent:
        outline = f"M0 0h{picture.width}v{picture.height}h-{picture.width}z"
        hole = f"M{left} {top}v{high}h{wide}v-{high}z"
        elements = [] if plain else [f'<path d="{outline}{hole}" fill="{border}"/>']
    if frame.pad is None or picture == whole:
        return elements, ""
    x, y = (reach / unit for reach in drawing.canvas.reach)
    area = f'<rect x="{-x:g}" y="{-y:g}" width="{2 * x:g}" height="{2 * y:g}"/>'
    return [*elements, f'<clipPath id="inside">{area}</clipPath>'], ' clip-path="url(#inside)"'


def _compact(part: FlatPart, unit: float, shared: str) -> Element:
    """A part with curves in multiples of `unit`, and its opacity unless that is `shared`."""
    attributes = {"d": compact_path(part.contours(), unit), "fill": hex_colour(part.colour)}
    if (opacity := rounded(part.alpha, 3)) != shared:
        attributes["opacity"] = opacity
    return Element("path", attributes)


def _inked(
    parts: Sequence[FlatPart], digits: int, *, joined: bool
) -> Iterator[tuple[str, list[Element]]]:
    """The elements of each ink, with the opening tag of its group; few of them where `joined`."""
    inks: dict[tuple[int, str], list[FlatPart]] = {}
    for part in parts:
        inks.setdefault((part.layer, hex_colour(part.colour)), []).append(part)
    blend = ' style="mix-blend-mode:multiply"' if parts[0].union == "multiply" else ""
    for (_, ink), marks in inks.items():
        found = merged(marks) if joined else [mark.element() for mark in marks]
        elements = [element for element in found if element is not None]
        for element in elements:
            _round(element, ink, digits)
        yield f'<g fill="{ink}"{blend}>', elements


def _round(element: Element, paint: str, digits: int) -> bool:
    """Round numbers and set the colour of strokes; return whether there are strokes."""
    stroked = False
    for each in element.iter():
        for name, value in each.items():
            stroked |= value == "currentColor"
            exact = paint if value == "currentColor" else value
            each.set(name, _NUMBER.sub(lambda number: rounded(number[0], digits), exact))
    return stroked


def _element(part: FlatPart, digits: int) -> Element | None:
    """A part with its colour and opacity; None where it cannot be drawn."""
    element = part.element()
    if element is None:
        return None
    paint = hex_colour(part.colour)
    if not _round(element, paint, digits):
        element.set("fill", paint)
    if part.alpha < 1:
        element.set("opacity", rounded(part.alpha, 3))
    return element
