"""A cyanotype: fern fronds laid on coated paper in the sun."""

from __future__ import annotations

import numpy as np

from ._curves import directed, ribbon, spline
from ._plate import Colours, Floats, Plate, over, ramp, smooth


def fern(plate: Plate) -> Colours:
    """Draw it: paper, the brushed coat of blue, and the fronds that kept the sun from it."""
    x, y = plate.x, plate.y
    fibre = plate.noise(x * 9, y * 9, 1, 5, 0.7)
    paper = ramp(0.5 + 0.12 * fibre, (0, "#d8d2c0"), (0.5, "#efeadb"), (1, "#f8f5ea"))
    exposure = np.ones(x.shape, np.float32)
    # What lies closer to the paper keeps a sharper edge and more of the light off.
    for stream, foot, top, size, lift, dense in (
        (2, (0.36, 1.12), (0.42, -0.72), 0.5, 0.011, 0.55),
        (3, (-0.42, 1.1), (-0.56, -0.25), 0.4, 0.007, 0.7),
        (4, (0.02, 1.17), (-0.1, -1.02), 0.62, 0.0, 0.97),
    ):
        frond = plate.filled(_frond(plate, stream, foot, top, size))
        if lift:
            frond = plate.blur(frond, lift)
        exposure *= 1 - dense * frond
    stroke = plate.noise(x * 13, y * 0.7, 6, 4, 0.6)
    pool = plate.noise(x * 1.1, y * 1.1, 7, 6, 0.6)
    coat = np.clip(0.86 + 0.07 * stroke + 0.1 * pool + 0.03 * fibre, 0, 1)
    tone = coat * (0.06 + 0.94 * exposure)
    blue = ramp(tone, (0.0, "#eef0ea"), (0.12, "#cfdde3"), (0.35, "#7ba3c0"), (0.6, "#2f6796"),
                (0.85, "#123f70"), (1.0, "#0a2c55"))  # fmt: skip
    # The brush leaves ragged ends above and below, straighter sides.
    ragged = 0.045 * plate.noise(x * 4, y * 2, 8, 5, 0.6) + 0.012 * plate.noise(x * 30, y * 5, 9, 3)
    sides = 0.012 * plate.noise(0 * x, y * 4, 10, 4)
    inside = np.minimum(
        smooth(0.0, 0.02, plate.bottom - 0.1 - np.abs(y) + ragged),
        smooth(0.0, 0.012, plate.right - 0.09 - np.abs(x) + sides),
    )
    dry = smooth(-0.3, 0.2, stroke + 9 * (plate.bottom - 0.11 - np.abs(y) + ragged))
    return plate.finished(over(paper, blue, inside * dry), 0.011, 0.08)


def _frond(
    plate: Plate, stream: int, foot: tuple[float, float], top: tuple[float, float], size: float
) -> list[Floats]:
    """A frond from foot to top: a curved stem, pinnae to both sides, each with its leaflets."""
    rng = plate.rng(stream)
    start, end = np.array(foot), np.array(top)
    side = np.array([end[1] - start[1], start[0] - end[0]]) * 0.5
    bend = rng.uniform(0.12, 0.2) * rng.choice([-1, 1])
    lower, upper = (start * 2 + end) / 3, (start + 2 * end) / 3
    stem = spline([start, lower + side * bend * 0.7, upper + side * bend, end], 40)
    parts = [ribbon(stem, np.linspace(0.02, 0.004, len(stem)))]
    pairs = 34
    for index in range(pairs):
        share = 0.14 + 0.86 * (index / pairs) ** 0.92
        at = min(int(share * (len(stem) - 1)), len(stem) - 2)
        way = stem[at + 1] - stem[at]
        heading = np.arctan2(way[1], way[0])
        # Longest a third of the way up.
        reach = size * (1 - share) ** 0.85 * min(1.0, (share - 0.06) / 0.22)
        reach *= rng.uniform(0.93, 1.04)
        for sign in (-1, 1):
            opening = sign * (1.32 - 0.5 * share + rng.normal(0, 0.035))
            curl = -sign * rng.uniform(0.18, 0.38)
            parts += _pinna(rng, stem[at], heading + opening, reach, curl)
    return parts


def _pinna(
    rng: np.random.Generator, start: Floats, heading: float, reach: float, curl: float
) -> list[Floats]:
    """A side branch that curls towards the tip, with leaflets that grow smaller along it."""
    count = max(4, int(reach / 0.0155))
    share = np.linspace(0, 1, count + 1)
    angle = heading + curl * share**1.5
    step = reach / count
    path = start + np.cumsum(directed(angle) * step, axis=0)
    path = np.concatenate([start[None], path])
    parts = [ribbon(path, np.linspace(0.005, 0.0012, len(path)))]
    for index in range(count):
        long = 0.24 * reach**0.8 * 0.34 * (1 - share[index]) ** 0.55
        long = long * (1 + 0.25 * (index < 2)) + 0.004
        for sign in (-1, 1):
            way = angle[index] + sign * (1.18 + rng.normal(0, 0.05))
            tip = path[index + 1] + long * directed(way)
            middle = (path[index + 1] + tip) / 2 + 0.14 * long * directed(angle[index])
            leaf = spline([path[index + 1], middle, tip], 4)
            bulge = np.sin(np.linspace(0.55, np.pi - 0.15, len(leaf)))
            parts.append(ribbon(leaf, 0.0125 * bulge * (0.5 + long / 0.06)))
    return parts
