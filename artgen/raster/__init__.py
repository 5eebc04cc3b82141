"""From a drawing to pixels, differentiably where an engine asks for it."""

from artgen.raster._memory import memory_errors
from artgen.raster._paint import FIELD_PIECE, draw, evaluate, paint
from artgen.raster.backend import EAGER, Backend, choose_backend, planned_backend
from artgen.raster.eager import Memory
from artgen.raster.grids import grid_rows, interpolate_grids
from artgen.raster.partitions import draw_partition, load_partition_kernels, unpack_sites
from artgen.raster.pictures import (
    PICTURE_PIECE,
    decode,
    encode,
    examples_from,
    kept_examples,
    pass_through,
    reconstruct,
)
from artgen.raster.rectifier import prelu
from artgen.raster.span_gradients import keep_valid
from artgen.raster.spans import (
    SUBROWS,
    check_shape,
    draw_shapes,
    drawing_kernels,
    load_kernels,
    make_grid,
    unpack,
)
from artgen.raster.threads import share, share_torch

__all__ = [
    "EAGER",
    "FIELD_PIECE",
    "PICTURE_PIECE",
    "SUBROWS",
    "Backend",
    "Memory",
    "check_shape",
    "choose_backend",
    "decode",
    "draw",
    "draw_partition",
    "draw_shapes",
    "drawing_kernels",
    "encode",
    "evaluate",
    "examples_from",
    "grid_rows",
    "interpolate_grids",
    "keep_valid",
    "kept_examples",
    "load_kernels",
    "load_partition_kernels",
    "make_grid",
    "memory_errors",
    "paint",
    "pass_through",
    "planned_backend",
    "prelu",
    "reconstruct",
    "share",
    "share_torch",
    "unpack",
    "unpack_sites",
]
