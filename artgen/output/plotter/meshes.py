"""The triangles of a mesh for pens, whatever their colours."""

from __future__ import annotations

from artgen.drawing import Drawing
from artgen.output.parts.meshes import corners_of
from artgen.output.plotter.parts import PenPart, pen_parts
from artgen.primitives import Mesh

__all__: list[str] = []


@pen_parts.register(Mesh)
def _triangles(mesh: Mesh, drawing: Drawing) -> list[PenPart]:
    """The outline of each triangle."""
    return [PenPart((corners,)) for corners in corners_of(mesh, drawing)[0]]
