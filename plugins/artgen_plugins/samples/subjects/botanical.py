"""A botanical plate: a sprig grown by an L-system, painted in washes on old paper."""

from __future__ import annotations

import numpy as np

from ._curves import directed, ribbon, spline, spread
from ._plate import Colours, Floats, Plate, over, ramp, smooth

_RULES = {"A": "F[-B]F[+B]A", "B": "fL[-l]f[+l]fC", "C": "fb"}
"""Lindenmayer's rewriting: A is the growing tip, B a side shoot, C the end of one."""
_AXIOM, _GENERATIONS = "FFA", 6


def botanical(plate: Plate) -> Colours:
    """Draw it: paper, then stems, leaves with their veins, and berries."""
    x, y = plate.x, plate.y
    fibre = plate.noise(x * 10, y * 10, 1, 5, 0.7)
    stain = plate.noise(x * 0.9, y * 0.9, 2, 6, 0.6)
    edge = np.maximum(np.abs(x) / plate.right, np.abs(y) / plate.bottom)
    age = 0.55 + 0.08 * fibre + 0.16 * stain - 0.5 * smooth(0.72, 1.05, edge + 0.05 * stain)
    picture = ramp(age, (0.0, "#c9a876"), (0.45, "#ead9b5"), (0.8, "#f6ecd4"))
    picture = over(picture, "#b08a58", 0.3 * smooth(1.2, 1.5, plate.noise(x * 22, y * 22, 3, 2)))
    stems, leaves, berries = _grown(plate)
    wash = plate.noise(x * 4, y * 4, 4, 5, 0.6)

    shadow = plate.filled(
        [s + (0.012, 0.014) for s in stems] + [a + (0.014, 0.018) for a, *_ in leaves]
    )
    picture = over(picture, "#8a7350", 0.28 * plate.blur(shadow, 0.014))
    picture = over(
        picture, ramp(0.5 + 0.5 * wash, (0, "#4a4a2a"), (1, "#8a6a44")), plate.filled(stems)
    )
    for behind in (True, False):
        chosen = [leaf for leaf in leaves if (leaf[2] < 0.4) is behind]
        cover = plate.filled([leaf for leaf, *_ in chosen])
        tones = plate.filled([leaf for leaf, *_ in chosen], [0.25 + 0.7 * t for _, _, t in chosen])
        tone = tones / np.maximum(cover, 1e-3) + 0.16 * wash
        green = (("#2f4a3c", "#557a5a", "#93a874", "#c2bd86") if not behind
                 else ("#64806f", "#86a08a", "#aebb95", "#cbc9a2"))  # fmt: skip
        colour = ramp(tone, (0.15, green[0]), (0.45, green[1]), (0.75, green[2]), (1.05, green[3]))
        rim = cover * (1 - plate.blur(cover, 0.006))
        colour = over(colour, "#22382c", np.clip(0.75 * rim, 0, 1))
        halves = plate.filled([half for _, half, _ in chosen])
        colour = over(colour, "#f2efcf", 0.17 * halves)
        picture = over(picture, colour, 0.94 * cover)
        picture = over(picture, "#dfe0b4", 0.6 * plate.filled(_veins(chosen)) * cover)
    picture = _berries(plate, picture, berries, wash)
    frame = np.abs(np.maximum(np.abs(x) - plate.right, np.abs(y) - plate.bottom) + 0.085)
    picture = over(picture, "#7d6342", 0.55 * smooth(0.004, 0.001, frame))
    return plate.finished(picture, 0.011, 0.1)


def _grown(
    plate: Plate,
) -> tuple[list[Floats], list[tuple[Floats, Floats, float]], list[tuple[Floats, float]]]:
    """Outlines of stems; leaves as (outline, lit half, tone); berries as (place, radius)."""
    sentence = _AXIOM
    for _ in range(_GENERATIONS):
        sentence = "".join(_RULES.get(symbol, symbol) for symbol in sentence)
    rng = plate.rng(5)
    place, heading, thick, level = np.array([0.07, 1.02]), -np.pi / 2 - 0.06, 0.03, 0
    stack, stems, leaves, berries = [], [], [], []
    path: list[tuple[Floats, float]] = [(place, thick)]

    def finish() -> None:
        if len(path) > 1:
            points, widths = zip(*path, strict=True)
            smoothed = spline(np.array(points), 6)
            stems.append(ribbon(smoothed, spread(widths, len(smoothed))))

    for symbol in sentence:
        if symbol in "AB":
            symbol = "L" if symbol == "A" else "l"  # What did not grow yet is a bud of leaves.
        if symbol in "Ff":
            long = (0.155 if symbol == "F" else 0.12) * (0.88**level if symbol == "F" else 1)
            heading += rng.normal(0, 0.07) - 0.05 * (heading + np.pi / 2)
            place = place + long * rng.uniform(0.9, 1.1) * directed(heading)
            thick *= 0.93 if symbol == "F" else 0.85
            level += symbol == "F"
            path.append((place, thick))
        elif symbol == "[":
            stack.append((place, heading, thick, level, path))
            path, thick = [(place, thick * 0.7)], thick * 0.55
        elif symbol == "]":
            finish()
            place, heading, thick, level, path = stack.pop()
        elif symbol in "+-":
            heading += (1 if symbol == "+" else -1) * rng.uniform(0.72, 0.98)
        elif symbol in "Ll":
            sides = (-1, 1) if symbol == "L" else (0,)
            for side in sides:
                way = heading + side * rng.uniform(0.7, 1.05)
                leaves.append(
                    _leaf(rng, place, way, rng.uniform(0.19, 0.27) * (1 if side else 0.85))
                )
        elif symbol == "b":
            for _ in range(int(rng.integers(2, 5))):
                way = heading + rng.normal(0, 0.7)
                end = place + rng.uniform(0.05, 0.09) * np.array([np.cos(way), np.sin(way) + 0.35])
                stems.append(ribbon(spline([place, (place + end) / 2 - (0, 0.01), end], 5), 0.0045))
                berries.append((end, rng.uniform(0.02, 0.029)))
    finish()
    everything = np.concatenate([*stems, *[leaf for leaf, *_ in leaves]])
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = min(1.86 * plate.bottom / (high - low)[1], 1.7 * plate.right / (high - low)[0]) * 0.93

    def fit(points: Floats) -> Floats:
        return np.asarray((points - (low + high) / 2) * scale)

    return (
        [fit(stem) for stem in stems],
        [(fit(leaf), fit(half), tone) for leaf, half, tone in leaves],
        [(fit(end), size * scale) for end, size in berries],
    )


def _leaf(
    rng: np.random.Generator, foot: Floats, way: float, long: float
) -> tuple[Floats, Floats, float]:
    """A pointed leaf on a short stalk, bent a little; its outline, its lit half, its tone."""
    bend = rng.uniform(-0.18, 0.18)
    ahead = directed(way)
    aside = np.array([-ahead[1], ahead[0]])
    share = np.linspace(0, 1, 22)
    rib = foot + long * (share[:, None] * ahead + (bend * share**2)[:, None] * aside)
    half = (
        0.5
        * long
        * rng.uniform(0.36, 0.46)
        * np.sin(np.pi * share**0.82) ** 0.9
        * (1 - 0.25 * share)
    )
    half[:2] = 0.003
    left, right = rib + half[:, None] * aside, rib - half[:, None] * aside
    lit = left if left[:, 1].mean() < right[:, 1].mean() else right
    return (
        np.concatenate([left, right[::-1]]),
        np.concatenate([lit, rib[::-1]]),
        float(rng.random()),
    )


def _veins(leaves: list[tuple[Floats, Floats, float]]) -> list[Floats]:
    """A midrib and side veins for each leaf."""
    parts = []
    for outline, *_ in leaves:
        count = len(outline) // 2
        left, right = outline[:count], outline[: count - 1 : -1]
        rib = (left + right) / 2
        parts.append(ribbon(rib, np.linspace(0.0055, 0.001, count)))
        for index in range(3, count - 5, 2):
            for side in (left, right):
                end = 0.82 * side[index + 3] + 0.18 * rib[index + 3]
                parts.append(
                    ribbon(np.stack([rib[index], (rib[index + 1] + end) / 2, end]), 0.0021)
                )
    return parts


def _berries(
    plate: Plate, picture: Colours, berries: list[tuple[Floats, float]], wash: Floats
) -> Colours:
    circle = directed(np.linspace(0, 2 * np.pi, 40))

    def discs(right: float, down: float, radius: float) -> Floats:
        middles = [(place + (right * size, down * size), size) for place, size in berries]
        return plate.filled([middle + radius * size * circle for middle, size in middles])

    skin = ramp(0.5 + 0.5 * wash, (0, "#7a1f22"), (0.6, "#b23a2e"), (1.1, "#cf6a45"))
    skin = over(skin, "#4b0f1a", 0.5 * plate.blur(discs(0.25, 0.3, 0.8), 0.006))
    skin = over(skin, "#ffe9d2", 0.8 * plate.blur(discs(-0.32, -0.36, 0.22), 0.003))
    skin = over(skin, "#2c1a14", 0.8 * discs(0.1, 0.78, 0.17))
    return over(picture, skin, discs(0, 0, 1))
