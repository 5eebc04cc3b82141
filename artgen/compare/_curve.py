"""Curves of a comparison: PSNR over bits per pixel, beside the whole curves of the codecs.

Contestants that are the same but for their settings are points of one curve. The Bjøntegaard rate
(VCEG-M33, 2001) is the mean difference in bits at equal PSNR: the integral of the difference of the
logarithms of the rates over the PSNR that both curves reach, divided by that range. Curves between
their points are monotone cubics (PCHIP, Fritsch and Butland 1984).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from artgen.compare._rows import Row
from artgen.output import encode_along

QUALITIES = (2, 6, 12, 20, 30, 42, 55, 68, 80, 90, 96)
"""Where the curve of a codec has its points."""

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 460, 56, 44, 190, 48
"""The size of the plot and of its margins."""
COLOURS = ("#d1495b", "#00798c", "#edae49", "#3d5a80", "#7b5ea7", "#66a182", "#b56576")
DASHES = {"JPEG": "2 3", "WebP": "7 3", "AVIF": "1 0"}
"""How the codecs are drawn, in gray: dots, dashes, a line."""


class Point(NamedTuple):
    """Bits per pixel, and PSNR in dB."""

    bits: float
    psnr: float


@dataclass(frozen=True)
class Curve:
    """The points of a codec, or of contestants of one kind, from the fewest bits."""

    name: str
    points: tuple[Point, ...]
    is_codec: bool = False


def curves_of(rows: Iterable[Row], goal: NDArray[np.uint8], codecs: Sequence[str]) -> list[Curve]:
    """The curves of the `rows` of one target, whose pixels are `goal`, then those of `codecs`."""
    found: dict[str, list[Point]] = {}
    for row in rows:
        if row.kind == "fit" and row.error is None and row.bpp and row.psnr is not None:
            kind = row.contestant.partition(":")[0]
            name = kind if row.precision in (None, "fp32") else f"{kind}, {row.precision}"
            found.setdefault(name, []).append(Point(row.bpp, row.psnr))
    curves = [Curve(name, tuple(sorted(points))) for name, points in found.items()]
    for codec in codecs:
        coded = encode_along(goal, codec, QUALITIES)
        size = goal.shape[0] * goal.shape[1]
        points = [Point(8 * each.size / size, each.psnr) for each in coded]
        curves.append(Curve(codec, tuple(points), is_codec=True))
    return curves


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


def draw_curves(title: str, curves: Sequence[Curve]) -> bytes:
    """The curves as an SVG: PSNR in dB upwards, bits per pixel to the right, in logarithms.

    Of the codecs what is near the contestants is shown; without those, all.
    """
    own = [p for curve in curves if not curve.is_codec for p in curve.points]
    every = own or [p for curve in curves for p in curve.points]
    bits = [math.log2(p.bits) for p in every]
    low, high = math.floor(min(bits) - 0.5), math.ceil(max(bits) + 0.5)
    near = [p for c in curves for p in c.points if low <= math.log2(p.bits) <= high]
    least = 2 * math.floor(min(p.psnr for p in near) / 2)
    most = max(2 * math.ceil(max(p.psnr for p in near) / 2), least + 2)
    step = 2 if most - least <= 24 else 5

    def place(point: Point) -> str:
        x = LEFT + (math.log2(point.bits) - low) / (high - low) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (point.psnr - least) / (most - least) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>',
        f'<text x="{LEFT - 8}" y="{TOP - 6}" text-anchor="end" font-size="12">dB</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">bits per pixel</text>',
    ]
    for tick in range(-(-least // step) * step, most + 1, step):
        x, y = place(Point(2**low, tick)).split(",")
        lines.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="#e4e4e4"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{tick}</text>')
    for power in range(low, high + 1):
        x, y = place(Point(2.0**power, least)).split(",")
        lines.append(f'<path d="M{x} {TOP}V{y}" stroke="#e4e4e4"/>')
        lines.append(
            f'<text x="{x}" y="{HEIGHT - 30}" text-anchor="middle">{2.0**power:.4g}</text>'
        )
    lines.append(
        f'<clipPath id="plot"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{HEIGHT - TOP - BOTTOM}"/></clipPath>'
    )
    colours = iter(COLOURS * (1 + len(curves) // len(COLOURS)))
    for number, curve in enumerate(curves):
        colour = "#888" if curve.is_codec else next(colours)
        dash = f' stroke-dasharray="{DASHES.get(curve.name, "1 0")}"' if curve.is_codec else ""
        stroke = f'fill="none" stroke="{colour}" stroke-width="2"{dash}'
        way = " ".join(map(place, curve.points))
        row = TOP + 8 + 20 * number
        lines.append(f'<polyline points="{way}" {stroke} clip-path="url(#plot)"/>')
        lines.append(f'<path d="M{WIDTH - RIGHT + 16} {row}h28" {stroke}/>')
        if not curve.is_codec:
            for point in curve.points:
                x, up = place(point).split(",")
                lines.append(f'<circle cx="{x}" cy="{up}" r="3.5" fill="{colour}"/>')
        lines.append(f'<text x="{WIDTH - RIGHT + 52}" y="{row + 4}">{escape(curve.name)}</text>')
    return "\n".join([*lines, "</svg>", ""]).encode()
