"""Checks of meshes: their triangles fill the canvas, and all have colours."""

from __future__ import annotations

from artgen.families.mesh.contract import Mesh
from artgen.families.mesh.paint import areas, triangulate
from artgen.raster import draw
from artgen.testing import every, pointwise
from artgen.testing.candidate import CANVAS, Candidate
from artgen.testing.families import CHECKS, FIRST, THEN
from artgen.testing.run_checks import Failed
from artgen.values.canvas import Canvas

GAP = 1e-4
"""The largest difference of a white mesh from white, and of areas, as a share."""


def triangles(candidate: Candidate) -> str:
    """Triangles between vertices fill the canvas once, and their corners have colours that exist.

    Look at `corner_colours`: colour k of vertex i is number K·i + k, with K `colours_per_vertex`.
    """
    number = 0
    for variant in candidate.variants:
        mesh, made = candidate.drawing(variant, count=12)
        assert isinstance(mesh, Mesh)
        found = triangulate(mesh, made.tensors["xy"], CANVAS)
        number = len(found.triangles)
        covered = float(areas(found.places[found.triangles]).sum())
        if abs(covered / (CANVAS.width * CANVAS.height) - 1) > GAP:
            raise Failed(f"{candidate.label(variant)}: triangles cover {covered:.1f} pixels")
        made.tensors["colour"].fill_(1.0)
        for canvas in (CANVAS, Canvas(7 * CANVAS.width, 7 * CANVAS.height)):
            if float((draw(made, mesh, canvas) - 1).abs().max()) > GAP:
                raise Failed(f"{candidate.label(variant)}: a white mesh is not white everywhere")
    return f"{number} triangles between 12 vertices"


CHECKS[Mesh] = (*FIRST, *THEN, every.init, pointwise.bounds, triangles)
