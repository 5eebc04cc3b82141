"""A portrait in silhouette before a low sun; birds and branches where the thoughts are."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, smooth

_BUN = (-0.53, -0.46, 0.2)


def profile(plate: Plate) -> Colours:
    """Draw it: the glowing sky, the sun, the head, and in it a wood at nightfall."""
    x, y = plate.x, plate.y
    away = np.hypot(x - 0.12, y + 0.18)
    paper = plate.noise(x * 2, y * 2, 1, 7, 0.65)
    picture = ramp(
        away + 0.05 * paper, (0.1, "#f9dfae"), (0.7, "#f0b88a"), (1.1, "#c9808a"), (1.6, "#6d5579")
    )
    picture = over(
        picture, ramp(y, (-0.9, "#fff1cc"), (0.5, "#ef8f5c")), smooth(0.003, -0.003, away - 0.74)
    )
    bands = plate.noise(x * 0.7, y * 7, 2, 5)
    picture = over(picture, "#fbe6c0", 0.3 * smooth(0.2, 1.1, bands) * smooth(-0.2, 0.7, y))
    picture = over(picture, "#3a2a45", _birds(plate))

    head = plate.filled(_head())
    inner = ramp(y + 0.06 * paper, (-0.8, "#1c2146"), (-0.1, "#3b3560"), (0.45, "#74496b"), (0.95, "#b5675f"),
                 (1.2, "#d98a5e"))  # fmt: skip
    rng = plate.rng(3)
    stars = [(*rng.uniform((-0.8, -0.8), (0.4, 0.1)), 0.003 * (1 + rng.pareto(5)), rng.uniform(0.2, 0.9))
             for _ in range(110)]  # fmt: skip
    inner = over(inner, "#ffeccc", np.clip(plate.dots(stars), 0, 1) * smooth(0.15, -0.4, y))
    woods = ((0.55, "#5d4064"), (0.74, "#3d2f52"), (0.95, "#1f1c38"))
    for layer, (level, shade) in enumerate(woods):
        inner = over(inner, shade, _firs(plate, level, layer))
    picture = over(picture, inner, head)
    # Light creeps around the edge that faces the sun.
    rim = head * (1 - plate.blur(head, 0.012)) * smooth(-0.2, 0.4, x)
    picture = over(picture, "#ffdba6", np.clip(1.1 * rim, 0, 1))
    hairs = plate.filled(_strands(plate))
    picture = over(picture, "#1c2146", 0.85 * hairs * (1 - head))
    picture = over(picture, "#564a78", 0.4 * plate.filled(_waves()) * head)
    return plate.finished(picture + 0.02 * paper[..., None], 0.012, 0.25)


def _head() -> list[Floats]:
    """Face, neck and shoulders; hair; its knot; lashes."""
    face, nape, hair, lash = outlines_of("profile").values()
    head = np.concatenate([spline(face, 8), spline(nape, 8), [(-0.3, -0.1), (-0.2, -0.5)]])
    angle = np.linspace(0, 2 * np.pi, 60)
    x, y, radius = _BUN
    wobble = radius * (1 + 0.05 * np.sin(3 * angle + 1) + 0.025 * np.sin(7 * angle))
    bun = np.stack([x + wobble * np.cos(angle), y + 0.9 * wobble * np.sin(angle)], axis=1)
    curve = spline(lash, 8)
    return [head, spline(hair, 10), bun, ribbon(curve, np.linspace(0.016, 0.002, len(curve)))]


def _strands(plate: Plate) -> list[Floats]:
    """Hairs that came loose from the knot."""
    rng, parts = plate.rng(5), []
    for _ in range(22):
        angle = rng.uniform(1.9, 5.6)
        x, y, radius = _BUN
        start = np.array([x + 0.9 * radius * np.cos(angle), y + 0.85 * radius * np.sin(angle)])
        way = np.array([-rng.uniform(0.02, 0.11), rng.uniform(0.02, 0.16)])
        path = spline([start, start + way * (0.75, 0.3), start + way])
        parts.append(ribbon(path, np.linspace(0.004, 0.0005, len(path))))
    return parts


def _waves() -> list[Floats]:
    """Lines of combed hair from the brow to the knot."""
    lines = []
    for share in np.linspace(0.0, 1.0, 15):
        start = np.array([0.27 - 0.26 * share, -0.5 + 0.46 * share])
        middle = np.array([-0.06 - 0.05 * share, -0.66 + 0.62 * share])
        end = np.array([-0.4 + 0.02 * share, -0.52 + 0.2 * share])
        path = spline([start, middle, end], 16)
        lines.append(ribbon(path, 0.007 * np.sin(np.linspace(0.1, np.pi - 0.1, len(path)))))
    x, y, radius = _BUN
    for share in (0.35, 0.55, 0.75):
        angle = np.linspace(0.4, 4.6, 40) + 2 * share
        circle = np.stack(
            [x + share * radius * np.cos(angle), y + 0.9 * share * radius * np.sin(angle)], 1
        )
        lines.append(ribbon(circle, 0.006))
    return lines


def _firs(plate: Plate, level: float, layer: int) -> Floats:
    """A wood's edge that fades into the ground."""
    rng, parts = plate.rng(20 + layer), []
    for x in np.sort(rng.uniform(-0.9, 0.8, 26 - 4 * layer)):
        tall = rng.uniform(0.14, 0.3) * (1 + 0.35 * layer)
        foot = level + 0.06 * np.sin(3 * x + layer)
        left = [(x, foot - tall)]
        for tier in range(1, 9):
            reach = 0.19 * tall * (tier / 8) ** 0.9
            left += [(x - reach * rng.uniform(0.8, 1.1), foot - tall + 0.95 * tall * tier / 8),
                     (x - 0.45 * reach, foot - tall + 0.95 * tall * (tier / 8 - 0.03))]  # fmt: skip
        parts.append([*left, *[(2 * x - a, b) for a, b in left[:0:-1]]])
    edge = np.linspace(-1, 1, 60)
    ground = np.stack([edge, level + 0.06 * np.sin(3 * edge + layer) - 0.07], axis=1)
    return plate.filled([*parts, np.concatenate([ground, [(1, 2), (-1, 2)]])])


def _birds(plate: Plate) -> Floats:
    """Birds that leave towards the upper left."""
    rng, parts = plate.rng(7), []
    for _ in range(17):
        place = np.array([rng.uniform(0.35, 0.85), rng.uniform(-1.05, -0.45)])
        size, lean, up = rng.uniform(0.022, 0.05), rng.uniform(-0.3, 0.3), rng.uniform(0.2, 0.8)
        bent = -0.45 * up - 0.12
        wing = spline([(-1, -up), (-0.45, bent), (0, 0.1), (0.45, bent), (1, -up)], 6)
        widths = 0.24 * size * (0.15 + np.sin(np.linspace(0, np.pi, len(wing))))
        parts.append(ribbon(turned(wing, lean) * size + place, widths))
    return plate.filled(parts)
