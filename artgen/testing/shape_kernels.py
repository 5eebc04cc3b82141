"""What a shape makes up and refuses, as machine code; compiled after its functions (`spans`)."""

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

if TYPE_CHECKING:  # what the text before this one defines
    mutate: Any = None
    options: Any = None
    random: Any = None
    valid: Any = None

generator, genes_type = nb.typeof(np.random.default_rng()), nb.float64[::1]


@nb.njit((generator, genes_type, *[nb.float64] * 3), **options)
def made_up(rng, genes, x, y, size):
    """Fill `genes` as `random` does."""
    random(0, genes, rng, x, y, size)


@nb.njit((generator, genes_type, nb.float64), **options)
def changed(rng, genes, step):
    """Change `genes` as `mutate` does."""
    mutate(0, genes, rng, step)


@nb.njit((genes_type,), **options)
def may_be_used(genes):
    """What `valid` says."""
    return bool(valid(0, genes))
