"""A flock at evening: two thousand starlings and one shape."""

from __future__ import annotations

import numpy as np

from ._curves import normals, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, smooth

_BIRDS = 2400


def flock(plate: Plate) -> Colours:
    """Draw it: the sky after sunset, the marsh with its pools, the flock, reeds before all."""
    x, y = plate.x, plate.y
    horizon = 0.62
    picture = ramp(
        y,
        (-1, "#6f86a3"),
        (-0.5, "#a9afb6"),
        (-0.05, "#e6c3a5"),
        (0.35, "#f4b27c"),
        (0.62, "#ee8f5f"),
    )
    sun = np.hypot(x + 0.5, (y - 0.56) * 1.3)
    picture = over(picture, "#ffe1a8", 0.8 * np.exp(-((sun / 0.45) ** 2)))
    picture = over(picture, "#fff4d6", smooth(0.004, -0.006, np.hypot(x + 0.5, y - 0.56) - 0.1))
    veil = plate.noise(x * 0.7 + 2, y * 5 + 0.5 * x, 1, 6, 0.55)
    picture = over(picture, "#f7d3b2", 0.5 * smooth(0.1, 1.2, veil) * smooth(0.5, -0.3, y))
    low = plate.noise(x * 1.0, y * 9, 2, 5)
    picture = over(picture, "#8f6f7c", 0.5 * smooth(0.2, 1.2, low) * smooth(0.0, 0.5, y))

    for level, rough, shade, stream in ((0.55, 0.05, "#b27a68", 3), (0.585, 0.035, "#7c5457", 4)):
        crest = level - rough * plate.noise(x * 1.6, 0 * x, stream, 5)
        picture = over(picture, shade, smooth(-0.003, 0.003, y - crest))
    depth = np.maximum(y - horizon, 1e-3)
    marsh = plate.noise(x * 0.16 / (depth + 0.05), 0.9 / (depth + 0.06), 5, 4)
    mirror = ramp(depth, (0, "#f2a06c"), (0.38, "#98828c"))
    mirror = over(mirror, "#ffe0a6", 0.8 * np.exp(-(((x + 0.5) / 0.13) ** 2)))
    ground = over(np.broadcast_to(ramp(depth, (0, "#54393f"), (0.38, "#21191f")), mirror.shape), mirror,
                  smooth(0.0, 0.16, marsh))  # fmt: skip
    picture = over(picture, ground, smooth(-0.003, 0.003, y - horizon))

    outlines, shades = _starlings(plate)
    cover = plate.filled(outlines, shades)
    picture = over(picture, "#2b2430", cover)
    return plate.finished(over(picture, "#171117", _reeds(plate)), 0.01, 0.25)


def _starlings(plate: Plate) -> tuple[list[Floats], list[float]]:
    """Birds along a ribbon that folds over itself: dense where it turns, loose at its ends."""
    rng = plate.rng(6)
    spine = spline(outlines_of("flock")["spine"], 60)
    along, across = np.gradient(spine, axis=0), normals(spine)
    outlines, shades = [], []
    for share in np.sort(rng.beta(1.15, 1.15, _BIRDS)):
        at = min(int(share * len(spine)), len(spine) - 1)
        wide = 0.05 + 0.17 * np.sin(np.pi * share) ** 2 * (0.6 + 0.4 * np.sin(9 * share + 1))
        near = rng.random()
        place = spine[at] + across[at] * wide * np.clip(rng.normal(0, 0.62), -2, 2)
        place = place + 0.02 * rng.normal(0, 1, 2)
        if rng.random() < 0.06:
            place = place + rng.normal(0, 0.12, 2)
        size = 0.0075 + 0.0075 * near**2
        heading = np.arctan2(*along[at][::-1]) + rng.normal(0, 0.35)
        bird = turned(_bird(rng.uniform(-0.9, 0.9)) * size, heading)
        outlines.append(bird * (1, 0.8) + place)
        shades.append(0.45 + 0.5 * near)
    order = np.argsort(shades)
    return [outlines[i] for i in order], [shades[i] for i in order]


def _bird(beat: float) -> Floats:
    """One bird that flies to the right, its wings at some point of a beat, about 2 wide."""
    return np.array([
        (1.0, 0.0), (0.45, -0.14), (0.25, -0.2 - 0.5 * beat), (-0.35, -1.15 * beat - 0.12), (-0.1, -0.12),
        (-0.55, -0.1), (-0.95, -0.16), (-0.9, 0.12), (-0.5, 0.12), (-0.25, 0.9 * beat + 0.15),
        (0.25, 0.16), (0.6, 0.13),
    ])  # fmt: skip


def _reeds(plate: Plate) -> Floats:
    """Reeds at the lower edge, thick to the right, some with heads, bent by one wind."""
    rng, parts = plate.rng(8), []
    for _ in range(190):
        x = plate.right * (1 - 2.0 * rng.beta(0.8, 2.2))
        tall = rng.uniform(0.12, 0.42) * (0.5 + 0.5 * (x / plate.right + 1) / 2)
        lean = 0.16 * tall + rng.normal(0, 0.02)
        foot = np.array([x, plate.bottom + 0.02])
        path = spline([foot, foot + (0.25 * lean, -0.55 * tall), foot + (lean, -tall)], 10)
        parts.append(ribbon(path, np.linspace(0.008, 0.0018, len(path))))
        if rng.random() < 0.35:
            head = path[-7:] + (0, -0.012)
            bulge = np.sin(np.linspace(0.3, np.pi - 0.1, len(head)))
            parts.append(ribbon(head, 0.011 * bulge + 0.003))
        if rng.random() < 0.5:
            start = path[8]
            blade = spline([start, start + (0.05, -0.05), start + (0.13, -0.02)], 6)
            parts.append(ribbon(blade, 0.007 * np.sin(np.linspace(0.5, np.pi, len(blade)))))
    return plate.filled(parts)
