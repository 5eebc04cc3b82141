"""Philox4x32-10, a random generator that is short in every language (Salmon et al. 2011).

The studio has the same one in JavaScript, so that a browser and Python start from equal drawings.
Block b of the numbers of a seed depends on both alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

ROUNDS = 10
_FACTORS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_STEPS = np.array([[0x9E3779B9], [0xBB67AE85]], np.uint64)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The blocks of counters [4, n] under a key [2]: four numbers of 32 bits each, [4, n]."""
    words, keys = counter, key[:, None]
    for _ in range(ROUNDS):
        products = _FACTORS * words[::2]
        high, low = products >> _HALF, products & _LOW
        words = np.stack(
            [high[1] ^ words[1] ^ keys[0], low[1], high[0] ^ words[3] ^ keys[1], low[0]]
        )
        keys = (keys + _STEPS) & _LOW
    return words


class Philox:
    """A stream of random numbers; every call begins with a new block."""

    def __init__(self, seed: int) -> None:
        self._key = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)
        self._block = 0

    def uniform(self, *shape: int) -> NDArray[np.float32]:
        """Draw numbers in [0, 1), multiples of 2⁻²⁴."""
        count = math.prod(shape)
        blocks = -(-count // 4)
        counter = np.zeros((4, blocks), np.uint64)
        counter[0] = np.arange(self._block, self._block + blocks)
        self._block += blocks
        words = philox(counter, self._key).T.reshape(-1)[:count]
        return ((words >> np.uint64(8)).astype(np.float32) / np.float32(1 << 24)).reshape(shape)

    def normal(self, *shape: int) -> NDArray[np.float32]:
        """Draw standard normal numbers (Box and Muller 1958), of two uniform ones each."""
        radius, turn = self.uniform(2, *shape).astype(np.float64)
        values = np.sqrt(-2 * np.log(1 - radius)) * np.cos(2 * np.pi * turn)
        found: NDArray[np.float32] = values.astype(np.float32)
        return found

    def choose(
        self, density: NDArray[np.float64], count: int, *, replacement: bool = True
    ) -> NDArray[np.int64]:
        """Draw `count` indices with probabilities proportional to `density` [n].

        Without `replacement` every index is drawn at most once (Efraimidis and Spirakis 2006).
        """
        if replacement:
            sums = np.cumsum(density)
            drawn = self.uniform(count).astype(np.float64) * sums[-1]
            found: NDArray[np.int64] = np.searchsorted(sums, drawn, side="right")
            return found.clip(max=len(sums) - 1)
        with np.errstate(divide="ignore"):
            waiting = -np.log(1 - self.uniform(len(density)).astype(np.float64)) / density
        return np.argsort(waiting, kind="stable")[:count]
