"""Plots as files: SVG with Inkscape layers, and PDF with optional content groups as layers.

Both use millimetres and contain nothing but paths and the recipe, and no time, so equal plots give
equal bytes. The PDF follows ISO 32000-1.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib import resources
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from artgen._version import __version__
from artgen.output.pdf import assemble_pdf
from artgen.output.plotter import Plot
from artgen.output.svg.document import PDF_RECIPE, escaped_recipe, metadata, rounded
from artgen.svg.elements import NAMESPACE
from artgen.targets import parse_colour

DIGITS = 2
"""Decimal places: a hundredth of a millimetre is finer than the resolution of plotters."""
POINTS = 72 / 25.4
"""PDF units per millimetre."""
WHITE = "#ffffff"


def encode_plot(plot: Plot, recipe_json: str) -> bytes:
    """Encode an SVG file with a layer per pen, for Inkscape and vpype, and the recipe."""
    page = plot.page
    width, height = rounded(page.width, DIGITS), rounded(page.height, DIGITS)
    # A style instead of a rectangle, which a plotter would draw.
    paper = "" if page.paper == WHITE else f' style="background:{page.paper}"'
    lines = [
        f'<svg xmlns="{NAMESPACE}" '
        'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"{paper}>',
        metadata(recipe_json),
    ]
    for number, layer in enumerate(plot.layers, 1):
        lines.append(
            f'<g id="layer{number}" inkscape:groupmode="layer" '
            f'inkscape:label="{number} {layer.colour}" fill="none" stroke="{layer.colour}" '
            f'stroke-width="{rounded(page.pen_width, DIGITS)}" '
            'stroke-linecap="round" stroke-linejoin="round">'
        )
        for corners in _corner_texts(layer.paths):
            lines.append(f'<path d="M{"L".join(f"{x},{y}" for x, y in corners)}"/>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""]).encode()


def encode_pdf(plot: Plot, recipe_json: str) -> bytes:
    """Encode a PDF page with a layer per pen, and the recipe in its XMP metadata."""
    page, layers = plot.page, plot.layers
    packet = resources.files(__package__).joinpath("metadata.xmp").read_text(encoding="utf-8")
    xmp = packet.format(tag=PDF_RECIPE, recipe=escaped_recipe(recipe_json)).encode()
    groups = [f"{6 + k} 0 R" for k in range(len(layers))]
    listed = " ".join(groups)
    names = " ".join(f"/L{k} {group}" for k, group in enumerate(groups))
    box = f"{page.width * POINTS:.3f} {page.height * POINTS:.3f}"
    content = zlib.compress("\n".join(_operators(plot)).encode(), 9)
    objects = [
        _stream("/Type /Metadata /Subtype /XML", xmp),
        f"<< /Type /Catalog /Pages 3 0 R /Metadata 1 0 R /OCProperties << /OCGs [{listed}] "
        f"/D << /Order [{listed}] >> >> >>".encode(),
        b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 3 0 R /MediaBox [0 0 {box}] /Contents 5 0 R "
        f"/Resources << /Properties << {names} >> >> >>".encode(),
        _stream("/Filter /FlateDecode", content),
        *(
            f"<< /Type /OCG /Name ({number} {layer.colour}) >>".encode()
            for number, layer in enumerate(layers, 1)
        ),
        f"<< /Producer (artgen {__version__}) >>".encode(),
    ]
    return assemble_pdf(objects, root=2, info=len(objects))


def _stream(keys: str, content: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (keys.encode(), len(content), content)


def _operators(plot: Plot) -> Iterator[str]:
    """Yield the operators of a PDF page, in millimetres from its upper left corner."""
    page = plot.page
    if page.paper != WHITE:
        ground = _levels(page.paper)
        yield f"q {ground} rg 0 0 {page.width * POINTS:.3f} {page.height * POINTS:.3f} re f Q"
    yield f"{POINTS:.6f} 0 0 {-POINTS:.6f} 0 {page.height * POINTS:.3f} cm"
    yield f"{rounded(page.pen_width, DIGITS)} w 1 J 1 j"
    for number, layer in enumerate(plot.layers):
        yield f"/OC /L{number} BDC {_levels(layer.colour)} RG"
        for corners in _corner_texts(layer.paths):
            first, *rest = (f"{x} {y}" for x, y in corners)
            yield f"{first} m {' '.join(f'{each} l' for each in rest)} S"
        yield "EMC"


def _levels(colour: str) -> str:
    return " ".join(rounded(level, 4) for level in parse_colour(colour))


def _corner_texts(paths: list[NDArray[np.float64]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the corners of paths as text, without repeated corners and empty paths."""
    for path in paths:
        corners = [(rounded(x, DIGITS), rounded(y, DIGITS)) for x, y in path.tolist()]
        differing = [corners[0], *(b for a, b in pairwise(corners) if a != b)]
        if len(differing) > 1:
            yield differing
