"""The functions of shapes for Python: each is called as kernels call it (see `function_types`)."""

import numba as nb

from artgen.compiler.jit import generator_type, options
from artgen.families.shape.function_types import (
    call_mutate,
    call_random,
    call_valid,
    functions_type,
)

genes_type, number = nb.float64[::1], nb.float64


@nb.njit((functions_type, nb.int64, genes_type, generator_type, number, number, number), **options)
def random(functions, kind, genes, rng, x, y, size):
    """Fill `genes` as `random` does."""
    call_random(functions.random, kind, genes, functions.tables, rng, x, y, size)


@nb.njit((functions_type, nb.int64, genes_type, generator_type, number), **options)
def mutate(functions, kind, genes, rng, step):
    """Change `genes` as `mutate` does."""
    call_mutate(functions.mutate, kind, genes, functions.tables, rng, step)


@nb.njit((functions_type, nb.int64, genes_type), **options)
def valid(functions, kind, genes):
    """Return the result of `valid`."""
    return call_valid(functions.valid, kind, genes, functions.tables)
