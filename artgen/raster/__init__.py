"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster import inks, meshes, shapes, splat_backend, splats
from artgen.raster._paint import draw, paint
from artgen.raster.backend import (
    EAGER,
    Backend,
    choose_backend,
    planned_backend,
    tensor_device,
)
from artgen.raster.cells import cells
from artgen.raster.eager import Memory
from artgen.raster.edges import edge_lines
from artgen.raster.fields import FIELD_PIECE, evaluate
from artgen.raster.meshes import (
    Edges,
    Triangulation,
    areas,
    colour_table,
    corner_integrals,
    draw_mesh,
    fill_holes,
    from_table,
    integrate_field,
    triangulate,
)
from artgen.raster.partitions import (
    clear_sites,
    draw_partition,
    load_partition_kernels,
    unpack_sites,
)
from artgen.raster.span_gradients import keep_valid
from artgen.raster.spans import (
    SAMPLE_ROWS,
    check_shape,
    draw_shapes,
    drawing_kernels,
    load_kernels,
    make_grid,
    pack,
    tables_of,
    unpack,
)
from artgen.raster.windows import Windows, draw_strips, moved

# Imported for the answers that they register.
_FAMILIES = (inks, meshes, shapes, splat_backend, splats)

__all__ = [
    "EAGER",
    "FIELD_PIECE",
    "SAMPLE_ROWS",
    "Backend",
    "Edges",
    "Memory",
    "Triangulation",
    "Windows",
    "areas",
    "cells",
    "check_shape",
    "choose_backend",
    "clear_sites",
    "colour_table",
    "corner_integrals",
    "draw",
    "draw_mesh",
    "draw_partition",
    "draw_shapes",
    "draw_strips",
    "drawing_kernels",
    "edge_lines",
    "evaluate",
    "fill_holes",
    "from_table",
    "integrate_field",
    "keep_valid",
    "load_kernels",
    "load_partition_kernels",
    "make_grid",
    "moved",
    "pack",
    "paint",
    "planned_backend",
    "tables_of",
    "tensor_device",
    "triangulate",
    "unpack",
    "unpack_sites",
]
