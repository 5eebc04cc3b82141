"""Chords between nails that show a tone: sparse least squares with whole numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from artgen.errors import UsageError
from artgen.family import share
from artgen_plugins._swaps import ROUNDS, exchange

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SIDE, LONG = 121, 4
"""Pixels across the picture that is solved for, and how many times as many there are along it."""
STEPS = 150
"""Steps of the relaxation."""
BLUR = 1.0
"""Standard deviation of the Gaussian through which it is seen, in these pixels."""
FAR = 4
"""Pixels that the Gaussian, used twice, reaches."""
FLARE = 0.02
"""Light that is added to all, as a share of white: where it is dark, less is seen."""
MOST_CROSSED = 250_000_000
"""Pixels that all chords may cross: each takes up to twenty bytes. Those of 2,000 nails in a circle
cross 196 million, and a few more are counted."""
BLOCK = 1 << 20
PIECES = 16
"""Pieces of the chords that threads take in turn."""


def coverage(nails: Floats, first: Ints, second: Ints, side: int = SIDE) -> tuple[Any, float, Any]:
    """Return the length of each chord in each pixel [chords, pixels], their area, and x and y.

    There are `side` pixels across, or `LONG` times as many along what is longer. Raises UsageError
    where that takes too much memory.
    """
    from scipy.sparse import csr_matrix

    low, high = nails.min(0), nails.max(0)
    pixel = float(max((high - low).min(), (high - low).max() / LONG)) / side
    columns, rows = np.ceil((high - low) / pixel).astype(int).tolist()
    samples = 2 * max(columns, rows)
    ways = nails[second] - nails[first]
    # A chord begins in a pixel, and enters no more than it crosses rows and columns: of each at
    # most one more than it is long.
    crossed = int(np.abs(ways).sum() / pixel) + 3 * len(first)
    if crossed > MOST_CROSSED:
        raise UsageError(
            f"{len(nails):,} nails have {len(first):,} chords, which take too much memory",
            hint="use fewer nails: --set nails=400",
        )
    steps = (np.hypot(*ways.T) / samples).astype(np.float32)
    lengths, pixels, ends = walk(
        nails, first, second, steps, samples, low, pixel, columns, rows, crossed
    )
    matrix = csr_matrix((lengths, pixels, ends), (len(first), rows * columns))
    matrix.sort_indices()
    x, y = (low[k] + pixel * (np.arange(count) + 0.5) for k, count in enumerate((columns, rows)))
    return matrix, pixel * pixel, np.meshgrid(x, y)


@nb.njit(cache=True)
def walk(
    nails: Any, first: Any, second: Any, steps: Any, samples: int, low: Any, pixel: float,
    columns: int, rows: int, crossed: int,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return the lengths of all chords in the pixels that they cross, these, and where each ends.

    Each of the `samples` of a chord stands for the length `steps` [chords] of it. They cross at
    most as many pixels as are `crossed`.
    """
    lengths = np.empty(crossed, np.float32)
    pixels, ends = np.empty(len(lengths), np.int32), np.zeros(len(first) + 1, np.int32)
    last = -1
    for chord in range(len(first)):
        nail = nails[first[chord]]
        along = nails[second[chord]] - nail
        before = -1
        for sample in range(samples):
            share = (sample + 0.5) / samples
            column = int((nail[0] + along[0] * share - low[0]) / pixel)
            row = int((nail[1] + along[1] * share - low[1]) / pixel)
            place = min(max(row, 0), rows - 1) * columns + min(max(column, 0), columns - 1)
            if place == before:
                lengths[last] += steps[chord]
            else:
                last, before = last + 1, place
                lengths[last], pixels[last] = steps[chord], place
        ends[chord + 1] = last + 1
    return lengths[: last + 1], pixels[: last + 1], ends


@nb.njit(cache=True, nogil=True)
def add_along(
    starts: Any, pixels: Any, depth: Any, steep: Any, bent: Any, sums: Any, first: int, last: int
) -> None:
    """Write the sums of `View.along` for the chords from `first` to before `last`."""
    for chord in range(first, last):
        line, curve = np.float32(0), np.float32(0)
        for e in range(np.uint32(starts[chord]), np.uint32(starts[chord + 1])):
            p = np.uint32(pixels[e])
            line += depth[e] * steep[p]
            if len(bent):
                curve += depth[e] * depth[e] * bent[p]
        sums[chord] = line + curve


@nb.njit(cache=True)
def lay(starts: Any, pixels: Any, depth: Any, chords: Any, found: Any) -> None:
    """Add shares of the chords, most of which are 0, to how deep they lie on each pixel."""
    for chord in range(len(chords)):
        part = chords[chord]
        if part:
            for e in range(np.uint32(starts[chord]), np.uint32(starts[chord + 1])):
                found[np.uint32(pixels[e])] += depth[e] * part


class View:
    """The error of a tone [rows, columns], seen through a Gaussian of `blur` pixels.

    Chords cover shares of pixels: their `lengths`, sparse [chords, pixels], times `scale`. Threads
    that cover shares s of a pixel, at random, leave the product of 1 - s of the paper. `weight`,
    [rows, columns] in 0 to 1, is how much the error of each pixel counts. With the `light` of paper
    and thread, in 0 to 1 or of each pixel, it is that of the lightness, else of the cover.
    """

    def __init__(
        self,
        lengths: Any,
        scale: Any,
        tone: Floats,
        weight: Any = 1.0,
        blur: float = BLUR,
        light: tuple[Any, Any] | None = None,
    ) -> None:
        from scipy.sparse import csr_matrix

        depth = np.empty(lengths.nnz, np.float32)
        for begin in range(0, len(depth), BLOCK):
            some = slice(begin, begin + BLOCK)
            depth[some] = -np.log1p(-(lengths.data[some] * scale).clip(0, 0.9))
        self.depth = csr_matrix((depth, lengths.indices, lengths.indptr), lengths.shape)
        self.tone = tone.astype(np.float32)
        self.weight = np.broadcast_to(np.float32(weight), tone.shape)
        self.blur, self.light = blur, light
        # A Gaussian leaves this share of the square of a line one pixel wide.
        self.kept = 1 / max(1.0, 2 * blur * np.pi**0.5)
        self.goal = self.blurred(self.tone)
        ends = [] if light is None else [np.abs(self.rate(cover)).max() for cover in (0.0, 1.0)]
        self.steepest = float(max(ends, default=1.0)) ** 2

    def blurred(self, picture: Any) -> Any:
        """Return a picture as it is seen."""
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(picture, self.blur, mode="constant")

    def stamp(self) -> Any:
        """Return what a covered pixel adds to the slope around it, as a multiple of its bend."""
        point = np.zeros((2 * FAR + 1, 2 * FAR + 1), np.float32)
        point[FAR, FAR] = 2 / self.kept
        return self.blurred(self.blurred(point))

    def covered(self, chords: Any) -> Any:
        """Return how deep shares of the chords lie on each pixel, [rows * columns]."""
        found = np.zeros(self.tone.size, np.float32)
        lay(self.depth.indptr, self.depth.indices, self.depth.data, chords, found)
        return found

    def along(self, steep: Any, bent: Any = None) -> Any:
        """Return the sum along each chord of its depth times `steep`, and its square times `bent`.

        Both are [rows, columns].
        """
        first = steep.ravel()
        second = first[:0] if bent is None else bent.ravel()
        crossed, found = self.depth, np.empty(self.depth.shape[0], np.float32)
        cuts = np.linspace(0, len(found), PIECES + 1).astype(int).tolist()
        fields = crossed.indptr, crossed.indices, crossed.data, first, second, found
        share(lambda piece: add_along(*fields, *piece), list(pairwise(cuts)))
        return found

    def left(self, chords: Any) -> Any:
        """Return the share of the paper that chords leave."""
        return np.exp(-self.covered(chords)).reshape(self.tone.shape)

    def error(self, chords: Any) -> tuple[float, Any, Any, Any]:
        """Return half the squared error of chords, its slope and bend in the cover, the paper left.

        The bend is half of the second derivative in the cover of a line.
        """
        left = self.left(chords)
        seen, weight = self.blurred(1 - left), self.weight
        missed = seen - self.goal
        if self.light is not None:
            rate = self.rate(seen)
            missed = (self.lightness(seen) - self.lightness(self.goal)) / rate
            weight = weight * rate * rate
        weighted = weight * missed
        bend = np.float32(self.kept / 2) * weight
        return float((weighted * missed).sum()) / 2, self.blurred(weighted), bend, left

    def lightness(self, cover: Any) -> Any:
        """Return the lightness of paper that is covered: CIE's, without its straight part."""
        assert self.light is not None
        paper, thread = self.light
        return np.cbrt(paper + (thread - paper) * cover + FLARE)

    def rate(self, cover: Any) -> Any:
        """Return the derivative of the lightness."""
        assert self.light is not None
        paper, thread = self.light
        return (thread - paper) / 3 / np.square(self.lightness(cover))


def solve(
    view: View, count: int, rng: np.random.Generator, steps: int = STEPS, rounds: int = ROUNDS
) -> Ints:
    """Return the indices of the `count` chords that come closest to the tone of a view."""
    x = relax(view, count, steps)
    # Systematic sampling: the largest instead would be chords of few nails, which lie side by side.
    order = rng.permutation(len(x))
    whole = np.floor(np.cumsum(x[order], dtype=np.float64) + 0.5)
    chosen = np.zeros(len(x), np.float32)
    chosen[order] = np.diff(whole, prepend=0)
    return np.nonzero(exchange(view, chosen, rng, rounds))[0]


def relax(view: View, count: int, steps: int = STEPS) -> Any:
    """Return shares of chords, from 0 to 1, of the least error: FISTA, Beck and Teboulle 2009."""
    probe = np.ones(view.depth.shape[0], np.float32)
    for _ in range(20):
        probe = view.along(view.covered(probe / np.linalg.norm(probe)))
    step = 1 / float(np.linalg.norm(probe)) / view.steepest
    x = np.full(len(probe), count / len(probe), np.float32)
    ahead, momentum = x, 1.0
    for _ in range(steps):
        _, slope, _, left = view.error(ahead)
        moved = capped(ahead - step * view.along(left * slope), count)
        following = (1 + (1 + 4 * momentum * momentum) ** 0.5) / 2
        ahead = moved + (momentum - 1) / following * (moved - x)
        x, momentum = moved, following
    return x


def capped(x: Any, total: int) -> Any:
    """Project on the vectors from 0 to 1 with this sum, by bisection of their offset."""
    low, high = float(x.min()) - 1, float(x.max())
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (x - middle).clip(0, 1).sum() > total else (low, middle)
    return (x - high).clip(0, 1)
