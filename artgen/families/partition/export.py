"""The cells of a partition as polygons, and the lines between them; pages do not draw them."""

from __future__ import annotations

from collections.abc import Sequence

from artgen.families.partition.cells import cells
from artgen.families.partition.contract import Partition
from artgen.families.partition.paint import clear_sites, unpack_sites
from artgen.film.scenes import Scene
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import refused, scenes_of
from artgen.output.parts.flat import FlatPart, Polygon, flat_parts
from artgen.output.parts.marks import edge_parts
from artgen.values.drawing import Drawing


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


@scenes_of.register(Partition)
def _scenes(
    partition: Partition, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, object]:
    raise refused(drawing, "a page draws splats, fields, shapes, meshes and ink, not partitions")
