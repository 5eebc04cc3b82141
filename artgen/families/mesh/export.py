"""The triangles of a mesh as polygons of one colour, as outlines for pens, and on a page.

Vector formats have no gradient over a triangle. So a triangle whose corners differ is divided into
smaller ones, until each differs by few levels from corner to corner, or is a few pixels small.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen.families.mesh.contract import Mesh
from artgen.families.mesh.paint import colour_table, shown_triangles, triangulate
from artgen.film.scenes import Scene
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import described_paths, refused, scenes_of
from artgen.output.parts.flat import FlatPart, Floats, Polygon, flat_parts
from artgen.output.parts.marks import edge_parts
from artgen.output.parts.pens import PenPart, pen_parts
from artgen.output.svg.picture import SEAM
from artgen.targets import hex_colour
from artgen.values.drawing import Drawing

LEVELS = 24
"""The largest difference between the corners of a polygon, of 255."""
SMALLEST = 4.0
"""The side of the smallest polygons, about, in pixels of the fitting size."""


def corners_of(mesh: Mesh, drawing: Drawing) -> tuple[Floats, Floats]:
    """Return corners of the triangles shown, [T, 3, 2] in canvas units, with colours [T, 3, 3]."""
    found = triangulate(mesh, drawing.tensors["xy"], drawing.canvas)
    places = found.places.numpy() * drawing.canvas.pixel - np.array(drawing.canvas.reach)
    colours = colour_table(drawing.tensors["colour"]).double().numpy()
    shown = shown_triangles(mesh, found, drawing.tensors["colour"]).numpy()
    return places[found.triangles.numpy()[shown]], colours[found.colours.numpy()[shown]]


@flat_parts.register(Mesh)
def _parts(mesh: Mesh, drawing: Drawing) -> list[FlatPart]:
    parts: list[FlatPart] = []
    for corners, colours in zip(*corners_of(mesh, drawing), strict=True):
        longest = np.hypot(*(corners - np.roll(corners, 1, 0)).T).max()
        levels = 255 * np.ptp(np.clip(colours, 0, 1), axis=0).max()
        most = longest / (SMALLEST * drawing.canvas.pixel)
        for shares in _divided(max(1, int(np.ceil(min(levels / LEVELS, most))))):
            colour = (shares @ colours).mean(0)
            parts.append(
                Polygon(shares @ corners, colour=colour, kind=drawing.primitive, touching=True)
            )
    return parts + edge_parts(mesh, drawing)


def _divided(number: int) -> Floats:
    """Divide a triangle by `number` along each side: barycentric coordinates [number², 3, 3]."""
    places = []
    for i in range(number):
        for j in range(number - i):
            places.append([(i, j), (i + 1, j), (i, j + 1)])
            if i + j < number - 1:
                places.append([(i + 1, j + 1), (i, j + 1), (i + 1, j)])
    first = np.array(places, np.float64) / number
    return np.concatenate([first, 1 - first.sum(2, keepdims=True)], 2)


@pen_parts.register(Mesh)
def _outlines(mesh: Mesh, drawing: Drawing) -> list[PenPart]:
    """The outline of each triangle, with its colour if that is one."""
    return [
        PenPart((corners,), colour=None if np.ptp(colours, 0).any() else hex_colour(colours[0]))
        for corners, colours in zip(*corners_of(mesh, drawing), strict=True)
    ]


@scenes_of.register(Mesh)
def _scenes(
    mesh: Mesh, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, object]:
    """Describe the triangles of a still drawing: in a film their number changes."""
    if any(scene.keyframes > 1 for scene in scenes):
        raise refused(drawing, "a page draws still meshes, not their films")
    return described_paths(mesh, drawing, scenes, packer, border=SEAM * drawing.canvas.pixel)
