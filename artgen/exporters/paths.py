"""Flat parts as filled paths on a page: PDF and EPS, written by matplotlib.

Equal drawings give equal bytes: the files hold no time.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from artgen._version import __version__
from artgen.art import Art, ExportRequest
from artgen.display.plots import default_settings
from artgen.exporters.requests import refuse
from artgen.output.parts import FlatPart, check_inks, check_opaque, parts_for, precision
from artgen.output.parts.marks import PlacedMark, connected
from artgen.output.provenance import RECIPE_COMMENT
from artgen.output.still import ascii_json
from artgen.output.svg.picture import seam_width
from artgen.targets import parse_colour
from artgen.values.drawing import Drawing
from artgen.values.frame import BACKGROUND, Frame

SCREEN_DPI = 96
"""Pixels per inch of a page where no number was asked for, as in CSS."""

_POINTS = 72
"""Points per inch."""

_DIGITS, _COLOUR_DIGITS = 2, 4
"""Digits after the point of places in points, and of colours, finer than screens show them."""

_COMMENT = 200
"""The most characters of a recipe on a line: PostScript allows 255."""


def export_paths(kind: Literal["pdf", "eps"], art: Art, request: ExportRequest) -> bytes:
    """Export a page of filled paths, over the background unless it is transparent.

    Its size is that of the picture at `dpi` pixels per inch. Ellipses are polygons. The recipe is
    inside, for `read_recipe`. Raises UsageError where the drawing has no flat parts, or
    has transparent ones, which EPS does not know; InputError, PluginError as `parts_for` does.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_ps import FigureCanvasPS

    refuse(request, kind.upper())
    drawing, primitive, recipe = art.drawing, art.primitive(), ascii_json(art.recipe.to_json())
    parts = connected(parts_for(drawing, primitive, kind.upper()))
    if request.transparent:
        primitive.check_transparent(drawing.primitive)
    inks = {(part.layer, *part.colour) for part in parts if part.union == "multiply"}
    check_inks(len(inks), kind.upper())
    if kind == "eps":
        check_opaque(part.alpha for part in parts)
    file, maker = io.BytesIO(), f"artgen {__version__}"
    with default_settings(), rc_context({"pdf.compression": 9}):
        figure = _figure(drawing, parts, request)
        # Matplotlib declares no types for these.
        canvas: Any = (FigureCanvasPdf if kind == "pdf" else FigureCanvasPS)(figure)
        if kind == "pdf":
            said = {"Creator": maker, "Keywords": f"{RECIPE_COMMENT} {recipe}"}
            canvas.print_pdf(file, metadata=said | {"CreationDate": None})
            return file.getvalue()
        canvas.print_eps(file, metadata={"Creator": maker})
    comments = re.sub(f".{{1,{_COMMENT}}}", rf"%{RECIPE_COMMENT} \g<0>\n", recipe)
    text = re.sub(rb"%%CreationDate: .*\n", b"", file.getvalue(), count=1)
    return text.replace(b"%%EndComments\n", b"%%EndComments\n" + comments.encode(), 1)


def _figure(drawing: Drawing, parts: Sequence[FlatPart], request: ExportRequest) -> Any:
    """The page as a figure in canvas units."""
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path
    from matplotlib.transforms import IdentityTransform

    frame, dpi = Frame.of(request.size), request.dpi or SCREEN_DPI
    placement = frame.place(drawing.canvas)
    picture, pixel = placement.picture, placement.whole.pixel
    left = (placement.left - placement.whole.width / 2) * pixel
    top = (placement.top - placement.whole.height / 2) * pixel
    page = (left, top), picture.width * pixel, picture.height * pixel
    x, y = drawing.canvas.reach
    inside = (-x, -y), 2 * x, 2 * y
    figure: Any = Figure(figsize=frame.printed(picture, dpi), dpi=_POINTS)
    figure.patch.set_visible(False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(left, left + page[1]), ylim=(top + page[2], top))
    coloured = frame.pad not in (None, BACKGROUND)
    if coloured:
        border: Any = Rectangle(*page)
        if request.transparent:
            rings = border.get_verts(), np.flip(Rectangle(*inside).get_verts(), axis=0)
            border = PathPatch(Path.make_compound_path(*(Path(r, closed=True) for r in rings)))
        axes.add_patch(border).set(linewidth=0, facecolor=parse_colour(str(frame.pad)))
    paper = _levels(drawing.background)
    if not request.transparent:
        axes.add_patch(Rectangle(*(inside if coloured else page), linewidth=0, facecolor=paper))
    shown = [(part, path) for part in parts if (path := _path(part)) is not None]
    # In points: as many digits as a hundredth needs, or more where the page is small.
    points = _POINTS / dpi / placement.whole.pixel
    digits = max(_DIGITS, math.ceil(-math.log10(precision(drawing.canvas) * points)))
    for _, path in shown:
        path.vertices = np.round(axes.transData.transform(path.vertices), digits)
    faces = [(*_face(part, paper), part.alpha) for part, _ in shown]
    # A thin border of the same colour hides the gaps between cells, as in an SVG.
    seam = seam_width(drawing.canvas, placement.whole) / pixel / dpi * _POINTS
    filled = PathCollection(
        [path for _, path in shown],
        facecolors=faces,
        edgecolors=faces,
        linewidths=[seam if part.touching else 0.0 for part, _ in shown],
        joinstyle="round",
        transform=IdentityTransform(),
    )
    axes.add_collection(filled, autolim=False)
    if frame.pad is not None:
        filled.set_clip_path(Rectangle(*inside, transform=axes.transData))
    return figure


def _face(part: FlatPart, paper: tuple[float, ...]) -> tuple[float, ...]:
    """The colour of a part; ink, which is of one colour here, multiplies that of the paper."""
    return _levels(np.multiply(part.colour, paper if part.union == "multiply" else 1.0))


def _path(part: FlatPart) -> Any:
    """The outline of a part, curves included; None where it covers nothing."""
    from matplotlib.path import Path

    if contours := part.contours():
        paths = []
        for contour in contours:
            points = [contour[0, 0], *contour[:, 1:].reshape(-1, 2), contour[0, 0]]
            codes = [Path.MOVETO, *[Path.CURVE4] * (3 * len(contour)), Path.CLOSEPOLY]
            paths.append(Path(points, codes))
        return Path.make_compound_path(*paths)
    if isinstance(part, PlacedMark) and (curves := part.curves()):
        # As polygons of 33 corners, a line of many pieces took twice the bytes.
        corners = np.concatenate(curves)
        codes = [
            code for each in curves for code in (Path.LINETO, *[Path.CURVE4] * (len(each) - 1))
        ]
        return Path([*corners, corners[0]], [Path.MOVETO, *codes[1:], Path.CLOSEPOLY])
    outline = part.outline()
    return Path([*outline, outline[0]], closed=True) if len(outline) > 2 else None


def _levels(colour: Any) -> tuple[float, ...]:
    return tuple(round(min(max(float(level), 0.0), 1.0), _COLOUR_DIGITS) for level in colour)
