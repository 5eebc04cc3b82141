"""Curves of a comparison: PSNR over bits per pixel, beside the whole curves of the codecs.

Contestants that are the same but for their settings are points of one curve. The Bjøntegaard rate
(VCEG-M33, 2001) is the mean difference in bits at equal PSNR: the integral of the difference of the
logarithms of the rates over the PSNR that both curves reach, divided by that range. Curves between
their points are monotone cubics (PCHIP, Fritsch and Butland 1984).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from artgen.compare._rows import Row
from artgen.output import Pixels, encode_along

QUALITIES = (2, 6, 12, 20, 30, 42, 55, 68, 80, 90, 96)
"""Where the curve of a codec has its points."""


class Point(NamedTuple):
    """Bits per pixel, and PSNR in dB."""

    bits: float
    psnr: float


@dataclass(frozen=True)
class Curve:
    """The points of a codec, or of contestants of one kind, from the fewest bits.

    `encoding` and `decoding` are the mean seconds for a picture.
    """

    name: str
    points: tuple[Point, ...]
    encoding: float
    decoding: float
    is_codec: bool = False


def curves_of(rows: Iterable[Row], goal: Pixels, codecs: Sequence[str]) -> list[Curve]:
    """The curves of the `rows` of one target, whose pixels are `goal`, then those of `codecs`."""
    found: dict[str, list[tuple[Point, float, float]]] = {}
    for row in rows:
        if row.kind == "fit" and row.error is None and row.bpp and row.psnr is not None:
            kind = row.contestant.partition(":")[0]
            name = kind if row.precision in (None, "fp32") else f"{kind}, {row.precision}"
            times = row.seconds or 0.0, row.decoding or 0.0
            found.setdefault(name, []).append((Point(row.bpp, row.psnr), *times))
    curves = [_curve(name, sorted(each)) for name, each in found.items()]
    size = goal.shape[0] * goal.shape[1]
    for codec in codecs:
        with suppress(Exception):  # its row says why it cannot write the picture
            coded = encode_along(goal, codec, QUALITIES)
            points = [(Point(8 * e.size / size, e.psnr), e.encoding, e.decoding) for e in coded]
            curves.append(_curve(codec, points, is_codec=True))
    return curves


def _curve(
    name: str, found: Sequence[tuple[Point, float, float]], *, is_codec: bool = False
) -> Curve:
    points, encoding, decoding = zip(*found, strict=True)
    return Curve(name, points, fmean(encoding), fmean(decoding), is_codec)


def bjontegaard(reference: Sequence[Point], other: Sequence[Point]) -> float | None:
    """How many percent more bits `other` takes at equal PSNR; None where no PSNR is of both."""
    from scipy.interpolate import PchipInterpolator

    curves = []
    for points in (reference, other):
        rising: list[Point] = []
        for point in sorted(points, key=lambda each: each.psnr):
            if not rising or point.psnr > rising[-1].psnr:
                rising.append(point)
        curves.append(([each.psnr for each in rising], [math.log(each.bits) for each in rising]))
    if any(len(across) < 2 for across, _ in curves):
        return None
    low, high = max(c[0][0] for c in curves), min(c[0][-1] for c in curves)
    if not low < high:
        return None
    first, second = (float(PchipInterpolator(*curve).integrate(low, high)) for curve in curves)
    return 100 * (math.exp((second - first) / (high - low)) - 1)
