"""Kernels that call a shape's `random`, `mutate` and `valid`; compiled after these functions."""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import generator_type, options

if TYPE_CHECKING:
    from artgen.raster.bound import mutate, random, valid

genes_type = nb.float64[::1]


@nb.njit((generator_type, genes_type, *[nb.float64] * 3), **options)
def made_up(rng, genes, x, y, size):
    """Fill `genes` as `random` does."""
    random(0, genes, rng, x, y, size)


@nb.njit((generator_type, genes_type, nb.float64), **options)
def changed(rng, genes, step):
    """Change `genes` as `mutate` does."""
    mutate(0, genes, rng, step)


@nb.njit((genes_type,), **options)
def may_be_used(genes):
    """Return the result of `valid`."""
    return bool(valid(0, genes))
