"""The functions of shapes for other kernels to call (see `function_types`).

Compiled after the functions of the shapes.
"""

from typing import TYPE_CHECKING

import numba as nb
import numpy as np
from numba.np.numpy_support import carray

from artgen.compiler.jit import internal, options, owning
from artgen.families.shape.function_types import (
    address_of,
    mutate_type,
    random_type,
    trace_type,
    valid_type,
)
from artgen.families.shape.span_kernels import open_scratch

if TYPE_CHECKING:
    from artgen.raster.bound import (
        CHANCES,
        CROSSINGS,
        GENES,
        VERTICES,
        mutate,
        random,
        trace,
        valid,
    )


MOST = int(GENES.max())
options = {**options, **internal}


@owning
def genes_at(address):
    """The genes of a shape."""
    return carray(address, (MOST,), np.float64)


@owning
def tables_at(address):
    """The tables, as many of them as functions look up."""
    return carray(address, (1,), np.int64)


@nb.njit(trace_type, **options)
def tracing(kind, genes, tables, first, last, grid, places):
    """Find the spans of a shape; `places` is the last array of a scratch."""
    scratch = open_scratch(places)
    return trace(kind, genes_at(genes), tables_at(tables), first, last, grid, scratch)


@nb.njit(random_type, **options)
def making_up(kind, genes, tables, rng, x, y, size):
    """Fill `genes` as `random` does."""
    random(kind, genes_at(genes), tables_at(tables), rng, x, y, size)


@nb.njit(mutate_type, **options)
def changing(kind, genes, tables, rng, step):
    """Change `genes` as `mutate` does."""
    mutate(kind, genes_at(genes), tables_at(tables), rng, step)


@nb.njit(valid_type, **options)
def judging(kind, genes, tables):
    """Return the result of `valid`."""
    return bool(valid(kind, genes_at(genes), tables_at(tables)))


FUNCTIONS = (
    *map(address_of, (tracing, making_up, changing, judging)),
    *(CHANCES, VERTICES, CROSSINGS, GENES),
)
"""As `function_types.Functions`, but for the tables."""
