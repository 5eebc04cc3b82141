"""Kernels that call a shape's `random`, `mutate` and `valid`; compiled after these functions."""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import generator_type, options
from artgen.compiler.tables import tables_type

if TYPE_CHECKING:
    from artgen.raster.bound import mutate, random, valid

genes_type = nb.float64[::1]


@nb.njit((tables_type, generator_type, genes_type, *[nb.float64] * 3), **options)
def made_up(tables, rng, genes, x, y, size):
    """Fill `genes` as `random` does."""
    random(0, genes, tables, rng, x, y, size)


@nb.njit((tables_type, generator_type, genes_type, nb.float64), **options)
def changed(tables, rng, genes, step):
    """Change `genes` as `mutate` does."""
    mutate(0, genes, tables, rng, step)


@nb.njit((tables_type, genes_type), **options)
def may_be_used(tables, genes):
    """Return the result of `valid`."""
    return bool(valid(0, genes, tables))
