"""The cells of a partition as polygons, and the lines between them."""

from __future__ import annotations

from artgen.drawing import Drawing
from artgen.output.parts._flat import FlatPart, Polygon, flat_parts
from artgen.output.parts.marks import edge_parts
from artgen.primitives import Partition
from artgen.raster import cells, clear_sites, unpack_sites


@flat_parts.register(Partition)
def _parts(partition: Partition, drawing: Drawing) -> list[FlatPart]:
    """One polygon for each cell that is seen and not clear."""
    sites, colours = unpack_sites(drawing.tensors)
    clear = clear_sites(partition, colours)[:, 0]
    polygons = [
        Polygon(
            cell,
            colour=colour,
            kind=drawing.primitive,
            numbers={f"gene_{i}": value for i, value in enumerate(site.tolist())},
            touching=True,
        )
        for cell, site, colour, hidden in zip(
            cells(sites, partition, drawing.canvas), sites, colours, clear, strict=True
        )
        if len(cell) > 2 and not hidden
    ]
    return [*polygons, *edge_parts(partition, drawing)]
