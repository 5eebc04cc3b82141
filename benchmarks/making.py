"""Things to make: filament paintings beside layers by luminance, as programs for such prints do.

All use the filaments that the search takes of the usual twelve. *By luminance* lays them from dark
to light, gives each point the height whose lightness is nearest, and shares the layers as suits the
picture best, of all ways in steps of two layers. *Without slopes* has our stack, but takes for each
point the nearest colour alone. The print is 100 mm wide with points 0.4 mm apart; the colours
between two points are those of the layers of the slope, as a printer makes them. Errors are the
mean CIEDE2000 of the print and the picture, both blurred in linear light by 0.6 mm: from an arm's
length.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import color, data

from artgen.making import Motif
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.filament import Block, FilamentPainting
from artgen_makers.grids import grouped
from benchmarks._report import Table
from benchmarks._settings import Settings

PICTURES = ("astronaut", "cat", "coffee", "rocket", "retina", "camera")
WIDTH, FINER = 100.0, 3
BLUR = 1.5
"""Of a picture that is seen, in points."""

Floats = NDArray[np.float64]


def run(settings: Settings) -> Iterator[Table]:
    rows = []
    for name in PICTURES[:1] if settings.quick else PICTURES:
        photo = getattr(data, "chelsea" if name == "cat" else name)()
        photo = np.dstack([photo] * 3) if photo.ndim == 2 else photo
        motif, maker = Motif(name, photo=photo), FilamentPainting({"width": WIDTH})
        columns = round(WIDTH / maker.options.detail) + 1
        picture = motif.picture(columns, round(columns / motif.aspect))
        lab = maker.wanted(picture)
        begin = time.perf_counter()
        stack = maker.stack(*grouped(lab.reshape(-1, 3)))
        heights = maker.settled(lab, maker.shown(stack))
        took = time.perf_counter() - begin
        nearest = (color.rgb2lab(maker.shown(stack)) - lab[:, :, None]) ** 2
        used = list(dict.fromkeys(block.filament for block in stack))
        bright = sorted(used, key=lambda kind: float(maker.light[0][kind] @ (0.21, 0.72, 0.07)))
        plain = _shared(maker, bright, grouped(lab.reshape(-1, 3)))
        level = abs(_lightness(maker.shown(plain)) - lab[..., :1]).argmin(2)
        found = [
            _seen(maker.shown(blocks), places, picture)
            for blocks, places in (
                (stack, heights),
                (stack, nearest.sum(3).argmin(2)),
                (plain, level),
            )
        ]
        cells = [f"{each:.2f}" for each in found]
        rows.append(
            [name, str(len(stack) - 1), *cells, f"{found[2] / found[0]:.2f}x", f"{took:.1f}"]
        )
    yield Table(
        "Filament paintings, 6 swaps at most",
        ["picture", "swaps", "ours", "without slopes", "by luminance", "times better", "seconds"],
        rows,
    )


def _shared(
    maker: FilamentPainting, kinds: Sequence[int], groups: tuple[Floats, Floats]
) -> list[Block]:
    """The best shares of the layers for filaments from dark to light, where lightness decides."""
    lab, weight = groups
    above, least, best = maker.layers[1], np.inf, []
    for cuts in combinations(range(2, above, 2), len(kinds) - 1):
        ends = [0, *cuts, above]
        blocks = [Block(*each) for each in zip(kinds, ends, ends[1:], strict=False)]
        shown = maker.shown(blocks)
        chosen = color.rgb2lab(shown)[abs(_lightness(shown) - lab[:, :1]).argmin(1)]
        cost = float(weight @ ((chosen - lab) ** 2).sum(1))
        if cost < least:
            least, best = cost, blocks
    return best


def _lightness(colours: Floats) -> Floats:
    lightness: Floats = color.rgb2lab(colours)[:, 0]
    return lightness


def _seen(colours: Floats, heights: Any, picture: NDArray[np.uint8]) -> float:
    """The mean CIEDE2000 of a print of these heights and the picture, seen from a distance."""
    high, wide = heights.shape
    fine = Image.fromarray(heights.astype(np.float32))
    fine = fine.resize((wide * FINER, high * FINER), Image.Resampling.BILINEAR)
    shown = srgb_to_linear(colours.astype(np.float32))[np.rint(fine).astype(int)]
    shown = shown.reshape(high, FINER, wide, FINER, 3).mean((1, 3))
    far = [
        color.rgb2lab(linear_to_srgb(gaussian_filter(each, (BLUR, BLUR, 0))))
        for each in (shown, srgb_to_linear((picture / 255).astype(np.float32)))
    ]
    apart: Any = color.deltaE_ciede2000
    return float(apart(*far).mean())
