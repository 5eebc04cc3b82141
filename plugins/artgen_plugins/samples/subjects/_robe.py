"""A robe of three widths of cloth with ornament, which hangs in folds from bare shoulders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, hexed, over, ramp, screen, smooth
from ._relief import patches_of

BRIGHT = ("#d8381f", "#24559f", "#f6ebcd", "#efb93c", "#2f7d62", "#74306a")
_TILES = ("#120e18", "#f4e8c6", "#928d86", "#f7cb58", "#b07a22", "#d8381f", "#24559f")
_COILS = ("#4a2414", "#4a2414", "#a86a1c", "#d8381f", "#fff0bd")
_INNER, _TRIM = ("#5c1424", "#5c1424", "#17304f"), "#fbdc83"
_AROUND = directed(np.linspace(0, 2 * np.pi, 32))
_EDGES = {name: spline(outlines_of("gown")[name], 24) for name in ("left", "right", "neckline")}
_Shapes = list[tuple[str, Floats]]


class Robe:
    """The robe on a plate, with the light on its folds."""

    def __init__(self, plate: Plate) -> None:
        """Find the light of each fold."""
        s, t = np.meshgrid(np.linspace(0, 1, 90), np.linspace(0, 1, 50))
        folds = 0.26 * np.cos(22 * s + 3 * t) + 0.16 * np.cos(37 * s - 4 * t + 1)
        shades = np.clip(0.5 + folds * t + 0.32 * np.cos(2.6 * s - 0.3), 0, 1)[:-1, :-1]
        mesh = _cloth(s, t)
        quads = patches_of(mesh).reshape(-1, 4, 2)
        tone = plate.blur(plate.filled(quads, shades.ravel().tolist()), 0.012)
        tone = tone / np.maximum(plate.blur(plate.filled([patch(0, 0, 1, 1)]), 0.012), 0.01)
        self._light = ramp(tone, (0.0, "#4d3340"), (0.4, "#d0b898"), (0.75, "#ffffff"))
        self._sheen = 0.3 * smooth(0.6, 1.0, tone)[..., None] * hexed("#ffe9b0")
        self._plate = plate

    def under(self, picture: Colours) -> Colours:
        """What lies below the hand: discs within, and the left width with its tiles."""
        rng = self._plate.rng(8)
        discs = [(str(hue), at + radius * share * _AROUND)
                 for at, radius in _scattered(rng, 0.3, 0.6, 0.085)
                 for share, hue in zip((1, 0.74, 0.46, 0.2), rng.permutation(BRIGHT), strict=False)]  # fmt: skip
        picture = self._laid(picture, _INNER[self._plate.seed % 3], discs, 0.28, 0.64)
        tiles: _Shapes = []
        for left, right in pairwise(np.linspace(0.004, 0.324, 8)):
            top = 0.0
            while top < 1:
                bottom = top + rng.choice((0.025, 0.05, 0.08, 0.11))
                hue = rng.choice(_TILES, p=(0.28, 0.17, 0.09, 0.2, 0.12, 0.08, 0.06))
                tiles.append((str(hue), patch(left, top + 0.004, right - 0.008, bottom - 0.004)))
                top = bottom
        tiles += [*_border(0.325), (_TRIM, patch(0, 0, 0.34, 0.03))]
        return self._laid(picture, "#dca530", tiles, 0, 0.34)

    def above(self, picture: Colours) -> Colours:
        """The right width with its spirals."""
        rng, coils = self._plate.rng(9), []
        for at, radius in _scattered(rng, 0.56, 1, 0.16):
            angle = np.linspace(0, 6 * np.pi, 90)
            ways = directed(angle * rng.choice((-1, 1)) + 6 * rng.random())
            path = at + ways * (radius * angle / 20)[:, None]
            coils.append(
                (str(rng.choice(_COILS)), ribbon(path, np.linspace(0.1, 0.2, 90) * radius))
            )
        trims = [*_border(0.6), (_TRIM, patch(0.58, 0, 1, 0.03))]
        return self._laid(picture, "#f0bd45", coils + trims, 0.58, 1)

    def _laid(
        self, below: Colours, ground: str, shapes: _Shapes, left: float, right: float
    ) -> Colours:
        """A width with shapes on it, and its shadow."""
        width, plate = patch(left, 0, right, 1), self._plate
        cloth = np.broadcast_to(hexed(ground), below.shape)
        for hue in dict.fromkeys(hue for hue, _ in shapes):
            cloth = over(cloth, hue, plate.filled([shape for each, shape in shapes if each == hue]))
        shadow = plate.blur(plate.filled([width + (-0.02, 0.01)]), 0.015)
        below = over(below, "#1a0f18", 0.6 * shadow)
        return over(below, screen(cloth * self._light, self._sheen), plate.filled([width]))


def _cloth(s: Floats | float, t: Floats | float) -> Floats:
    """Where the robe is on the plate: `s` across it, `t` down it."""
    s, t = np.broadcast_arrays(s + 0.2 * np.sin(3.2 * t + 0.4) * s * (1 - s) * t, t)

    def on(name: str, at: Floats) -> Floats:
        place = np.linspace(0, 1, len(_EDGES[name]))
        return np.stack([np.interp(at, place, each) for each in _EDGES[name].T], -1)

    across, down = s[..., None], t[..., None]
    hang = on("neckline", s) - (1 - across) * _EDGES["left"][0] - across * _EDGES["right"][0]
    return np.asarray(
        (1 - across) * on("left", t) + across * on("right", t) + (1 - down) ** 3 * hang
    )


def patch(left: float, top: float, right: float, bottom: float) -> Floats:
    """The outline of a part of the robe."""
    k, one = np.linspace(0, 1, 16), np.ones(16)
    s = np.concatenate(
        [left + (right - left) * k, one * right, right + (left - right) * k, one * left]
    )
    t = np.concatenate(
        [one * top, top + (bottom - top) * k, one * bottom, bottom + (top - bottom) * k]
    )
    return _cloth(s, t)


def _scattered(
    rng: np.random.Generator, low: float, high: float, size: float
) -> Iterator[tuple[Floats, float]]:
    """Places on the robe and radii, large ones first, that keep apart."""
    found: list[tuple[Floats, float]] = []
    for share in np.linspace(1, 0.14, 1500):
        t = rng.uniform(0.02, 0.8)
        at, radius = _cloth(rng.uniform(low, high), t), size * share * (0.7 + 0.6 * t)
        if all(np.hypot(*(at - other)) > 0.96 * (radius + far) for other, far in found):
            found.append((at, radius))
            yield at, radius


def _border(s: float) -> list[tuple[str, Floats]]:
    """A band along an edge of a width, with a row of dark beads."""
    t = np.linspace(0, 1, 60)
    beads = [("#2a1418", at + 0.011 * _AROUND) for at in _cloth(0 * t + s, t)]
    return [(_TRIM, patch(s - 0.02, 0, s + 0.02, 1)), *beads]
