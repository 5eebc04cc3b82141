"""The functions of shapes for other kernels to call (see `function_types`).

Compiled after the functions of the shapes.
"""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import options
from artgen.families.shape.function_types import (
    address_of,
    mutate_type,
    random_type,
    trace_type,
    valid_type,
)

if TYPE_CHECKING:
    from artgen.raster.bound import CHANCES, CROSSINGS, VERTICES, mutate, random, trace, valid


@nb.njit(trace_type, **options)
def tracing(kind, genes, tables, first, last, grid, scratch):
    """Find the spans of a shape."""
    return trace(kind, genes, tables, first, last, grid, scratch)


@nb.njit(random_type, **options)
def making_up(kind, genes, tables, rng, x, y, size):
    """Fill `genes` as `random` does."""
    random(kind, genes, tables, rng, x, y, size)


@nb.njit(mutate_type, **options)
def changing(kind, genes, tables, rng, step):
    """Change `genes` as `mutate` does."""
    mutate(kind, genes, tables, rng, step)


@nb.njit(valid_type, **options)
def judging(kind, genes, tables):
    """Return the result of `valid`."""
    return bool(valid(kind, genes, tables))


FUNCTIONS = (
    *map(address_of, (tracing, making_up, changing, judging)),
    *(CHANCES, VERTICES, CROSSINGS),
)
"""As `function_types.functions_type`, but for the tables."""
