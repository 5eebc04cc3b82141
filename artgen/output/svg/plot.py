"""Layers of lines as SVG files for pen plotters; equal layers give equal bytes, in millimetres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from artgen.output.svg.document import metadata
from artgen.svg.elements import NAMESPACE

Corners = Sequence[tuple[str, str]]


def encode_layers(
    size: tuple[str, str],
    ground: str | None,
    pen_width: str,
    layers: Iterable[tuple[str, Iterable[Corners]]],
    recipe_json: str,
) -> bytes:
    """An SVG file with a layer per pen for Inkscape and vpype, and the recipe.

    `size`, `pen_width` and corners are numbers as text. A layer is a colour and its lines.
    """
    width, height = size
    # A style instead of a rectangle, which a plotter would draw.
    paper = "" if ground is None else f' style="background:{ground}"'
    lines = [
        f'<svg xmlns="{NAMESPACE}" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"{paper}>',
        metadata(recipe_json),
    ]
    for number, (colour, paths) in enumerate(layers, 1):
        lines.append(
            f'<g id="layer{number}" inkscape:groupmode="layer" '
            f'inkscape:label="{number} {colour}" fill="none" stroke="{colour}" '
            f'stroke-width="{pen_width}" stroke-linecap="round" stroke-linejoin="round">'
        )
        for corners in paths:
            lines.append(f'<path d="M{"L".join(f"{x},{y}" for x, y in corners)}"/>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""]).encode()
