"""Vectors of kernels: every number becomes what it would be alone, to the bit."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from artgen.compiler.vectors import SIZES, lanes, loader, spreader


@pytest.mark.parametrize("size", SIZES)
def test_numbers_are_computed_as_single_ones(size: int) -> None:
    load, spread = loader(size), spreader(size)

    @nb.njit
    def blend(array, row, column, share):  # type: ignore[no-untyped-def]
        here = load(array, row, column)
        here += spread(share) * (load(array, row, column + 1) - here)
        return lanes(here)

    array = np.random.default_rng(size).normal(size=(3, 5, size)).astype(np.float32)
    share = np.float32(0.3)
    here, there = array[2, 3], array[2, 4]
    assert np.array_equal(blend(array, 2, 3, share), here + share * (there - here))


def test_other_sizes_and_numbers_are_refused() -> None:
    load = loader(8)

    @nb.njit
    def add(array):  # type: ignore[no-untyped-def]
        return lanes(load(array, 0, 0) + np.float32(1))

    with pytest.raises(nb.TypingError, match="Vector\\(8\\)"):
        add(np.zeros((1, 1, 8), np.float32))
