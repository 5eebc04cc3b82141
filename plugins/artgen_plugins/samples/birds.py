"""The sample `birds`: heads of nine kinds in one thicket of cut paper, computed from a seed.

Glances, crests and how light it is differ a little in each, and nothing else moves. Leaves are the same in all, and
cover what is cut off at the sides: pictures laid side by side are one thicket.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples.subjects._curves import directed, feather, ribbon, spline, turned
from artgen_plugins.samples.subjects._paint import Paint, painted
from artgen_plugins.samples.subjects._plate import Colours, Floats, Plate, hexed, over, ramp

NIGHT = "#0f1a33"
Points = Sequence[tuple[float, float]]

CLASSES = (
    *("cockatoo", "cockerel", "crane", "flamingo", "hoopoe", "kingfisher", "macaw", "puffin"),
    "toucan",
)
_LEFT = {"crane", "hoopoe", "kingfisher", "toucan"}
"""Those that look to the left."""

_BEHIND = (
    (1.0, 1.0, 1.03, -1.45, 0.26, "#135763", "#186a72"),
    (1.0, 1.0, 0.48, -1.65, 0.26, "#114e5c", "#156069"),
    (1.0, 1.0, 1.28, -1.15, 0.20, "#17706c", "#1d857a"),
    (1.0, 1.0, 0.17, -1.15, 0.17, "#17706c", "#1d857a"),
)
"""Pairs of leaves: their root, the angle between each and the vertical, length (downwards, where it
is positive), half the width, and two greens."""
_FRONT = (
    # Some hang in front of what is below.
    (1.0, 1.0, 0.42, 0.44, 0.12, "#125a56", "#17706a"),
    (0.5, 1.0, 0.30, 0.28, 0.10, "#0f4f50", "#14625c"),
    (-0.5, 1.0, 0.30, 0.28, 0.10, "#0f4f50", "#14625c"),
    (0.0, 1.02, 1.45, 0.90, 0.13, "#11574f", "#146a55"),
    (1.0, 1.02, 1.45, 0.90, 0.13, "#11574f", "#146a55"),
    (0.0, 1.10, 1.05, -0.90, 0.20, "#1f8a5c", "#2fa56a"),
    (1.0, 1.08, 0.83, -0.72, 0.17, "#166e5a", "#1f8468"),
    (0.0, 1.12, 0.48, -0.60, 0.17, "#43b56c", "#6cc96f"),
    (1.0, 1.10, 0.38, -0.55, 0.15, "#2fa56a", "#5cc06c"),
)


def draw_bird(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A bird of the kind, uint8 [side, side, 3]."""
    name = CLASSES[number]
    painter = _Painter(Plate.of(side, side), -1 if name in _LEFT else 1, *(2 * rng.random(3) - 1))
    getattr(painter, name)()
    light, bare, lit = _in_front(side)
    ground = (1 - painter.bird) * _shadow(painter.plate, painter.bird, 0.04, 0.022)
    picture = painter.picture - _behind(side) * ground[..., None]
    picture = picture * (bare * lit)[..., None] + light
    return np.asarray(np.rint(255 * picture.clip(0, 1)).astype(np.uint8))


@lru_cache(maxsize=2)
def _behind(side: int) -> Colours:
    """What is behind the birds."""
    plate = Plate.of(side, side)
    picture = ramp(plate.y, (-1.0, "#0c3040"), (-0.5, "#0f4352"), (0.6, "#36a196"))
    return painted(plate, picture, _leaves(_BEHIND))


@lru_cache(maxsize=2)
def _in_front(side: int) -> tuple[Colours, Floats, Floats]:
    """The light of what is before the birds, how much of them is seen, and how light they are."""
    plate, paint = Plate.of(side, side), [*_leaves(_FRONT), *_flowers()]
    nothing = np.zeros((side, side, 3), np.float32)
    shapes = [shape for shape, _ in paint]
    before = plate.filled(shapes)
    return painted(plate, nothing, paint), 1 - before, 1 - _shadow(plate, before, 0.0, 0.06)


def _shadow(plate: Plate, thing: Floats, down: float, wide: float) -> Floats:
    """How much darker it is below a thing of paper, from 0."""
    return np.asarray(0.6 * plate.blur(np.roll(thing, round(down / plate.pixel), 0), wide))


def _leaves(pairs: Sequence[tuple[float, float, float, float, float, str, str]]) -> Paint:
    """Pairs of leaves, once more in each neighbour's place."""
    share, paint = np.linspace(0, 1, 24), []
    for x, y, apart, long, wide, *greens in pairs:
        rib = np.stack([0.12 * abs(long) * share**2, long * share], 1)
        half = np.stack([wide * np.sin(np.pi * share**0.8) ** 0.75, 0 * share], 1)
        for hand, right, down in product((-1, 1), (-2, 0, 2), (-2, 0, 2)):
            for green, edge in zip(greens, (rib - half, rib + half), strict=True):
                leaf = turned(np.concatenate([rib, edge[::-1]]), -np.sign(long) * apart)
                paint.append((leaf * (hand, 1) + (x + right, y + down), hexed(green)))
    return paint


def _flowers() -> Paint:
    """A flower where four pictures meet, seen in each of them."""
    paint = []
    for place in product((-1, 1), (-1.04, 0.96)):
        for turn in 2 * np.pi * np.arange(5) / 5 - np.pi / 2:
            paint.append((turned(_round(0.115, 0, 0.12, 0.106), turn) + place, hexed("#b92a5a")))
        for turn in 2 * np.pi * np.arange(5) / 5 - np.pi / 2:
            paint.append((turned(_round(0.115, 0, 0.104, 0.092), turn) + place, hexed("#ff5c8a")))
        for turn in 2 * np.pi * np.arange(5) / 5 - np.pi / 2:
            vein = ribbon(np.array([(0.0, 0.0), (0.14, 0.0)]), (0.05, 0.0))
            paint.append((turned(vein, turn) + place, hexed("#b92a5a")))
        paint.append((_round(*place, 0.05), hexed("#ffd05a")))
    return paint


def _round(x: float, y: float, wide: float, tall: float | None = None, turn: float = 0.0) -> Floats:
    """An oval."""
    oval = directed(np.linspace(0, 2 * np.pi, 60)) * (wide, tall or wide)
    return np.asarray(turned(oval, turn) + (x, y))


def _closed(*points: tuple[float, float]) -> Floats:
    """A curve that ends where it begins."""
    return spline([points[-1], *points, points[0], points[1]], 10)[10:-10]


def _cut(*pieces: Points) -> Floats:
    """Curves that meet in corners."""
    return np.concatenate([spline(piece, 10) for piece in pieces])


class _Painter:
    """Paints a bird that looks to the right, or to the left with a `facing` of -1."""

    def __init__(self, plate: Plate, facing: int, gaze: float, crest: float, light: float) -> None:
        self.plate, self.facing, self.light = plate, facing, 1 + 0.03 * light
        self.gaze, self.crest = gaze, crest
        self.picture = _behind(plate.width)
        self.bird = np.zeros_like(plate.x)

    def lay(self, colour: str, *outlines: Floats, inside: Floats | None = None) -> None:
        """Outlines in one colour; `inside` is coverage that they end with."""
        self.paint([(outline, colour) for outline in outlines], inside)

    def paint(self, shapes: Sequence[tuple[Floats, str]], inside: Floats | None = None) -> None:
        """Outlines in their colours, later on top."""
        paint = [(self.placed(shape), self.light * hexed(colour)) for shape, colour in shapes]
        above = painted(self.plate, self.picture, paint)
        if inside is None:
            covered = self.plate.filled([shape for shape, _ in paint])
            self.bird = np.maximum(self.bird, covered)
        self.picture = above if inside is None else over(self.picture, above, inside)

    def placed(self, outline: Floats) -> Floats:
        """The outline where it is seen."""
        return np.asarray(1.13 * (outline - (0.125, -0.205)) * (self.facing, 1))

    def covered(self, *outlines: Floats) -> Floats:
        """How much of each pixel outlines cover."""
        return self.plate.filled([self.placed(each) for each in outlines])

    def body(self, colour: str, shade: str, outline: Floats) -> Floats:
        """The body, in the shade at its back."""
        self.lay(NIGHT, _grown(outline, 0.03))
        inside = self.covered(outline)
        self.lay(colour, outline)
        self.lay(shade, outline, inside=1 - self.covered(outline + (0.17, 0.0)))
        plumes = [
            feather(np.array([x + 0.075 * (row % 2), y]), 2.0, 0.115, 0.026, 0.0)
            for row, y in enumerate(np.arange(-0.72, 0.9, 0.115))
            for x in np.arange(-0.9, 0.6, 0.15)
        ]
        self.lay(shade, *plumes, inside=0.65 * inside)
        return inside

    def scales(
        self, inside: Floats, box: tuple[float, float, float, float], size: float, *colours: str
    ) -> None:
        """Rows of round feathers from below to above, in a frame."""
        left, top, right, bottom = box
        *fields, edge = colours
        shapes = []
        for row, y in enumerate(np.arange(bottom, top, -0.8 * size)):
            for x in np.arange(left + size * (row % 2) * 0.5, right, size):
                for part, colour in ((size, edge), (0.76 * size, fields[row % len(fields)])):
                    root = np.array([x, y - size])
                    plume = feather(root, 0.5 * np.pi, 1.35 * part, 0.52 * part, 0.0)
                    shapes.append((plume, colour))
        self.paint(shapes, inside)

    def eye(self, x: float, y: float, size: float, iris: str, ring: str | None = None) -> None:
        """An eye, which may have a ring."""
        if ring:
            self.lay(ring, _round(x, y, 1.5 * size))
        self.lay(NIGHT, _round(x, y, 1.14 * size))
        self.lay(iris, _round(x, y, size))
        self.lay("#0b1020", _round(x + 0.18 * size * self.gaze, y, 0.58 * size))
        self.lay("#ffffff", _round(x - self.facing * 0.22 * size, y - 0.28 * size, 0.22 * size))

    def beak(self, *parts: tuple[str, Floats]) -> None:
        """Parts with a dark edge around all."""
        self.lay(NIGHT, *(_grown(outline, 0.025) for _, outline in parts))
        self.paint([(outline, colour) for colour, outline in parts])

    # fmt: off

    def cockatoo(self) -> None:
        for k, turn in enumerate(np.linspace(-0.55, 0.75, 6)):
            way = -np.pi / 2 - turn * (1 + 0.06 * self.crest)
            plume = feather(np.array([0.02 - 0.05 * k, -0.46]), way, 0.50 - 0.02 * k, 0.085, -0.25)
            self.lay(NIGHT, _grown(plume, 0.02))
            self.lay("#ffc72e" if k % 2 else "#ffdd6a", plume)
        inside = self.body("#fff6e4", "#e6d5cf", _BUST)
        self.scales(inside, (-0.9, 0.25, 0.7, 1.0), 0.24, "#fff6e4", "#f7e6d6", "#d9c3c4")
        self.lay("#ffd75e", _round(-0.08, -0.02, 0.16, 0.13, 0.4), inside=inside)
        self.beak(
            ("#39415c", _cut([(0.22, -0.46), (0.48, -0.46), (0.64, -0.22), (0.58, 0.06)], [(0.58, 0.06), (0.50, -0.08), (0.36, -0.10), (0.24, -0.10)], [(0.24, -0.10), (0.2, -0.3), (0.22, -0.46)])),
            ("#2a3048", _cut([(0.26, -0.08), (0.42, -0.04), (0.46, 0.06)], [(0.46, 0.06), (0.36, 0.12), (0.26, 0.04), (0.26, -0.08)])),
        )
        self.lay("#6d7695", _cut([(0.28, -0.40), (0.46, -0.40), (0.57, -0.22)], [(0.57, -0.22), (0.44, -0.32), (0.28, -0.34)]))
        self.eye(0.04, -0.34, 0.105, "#2a2030", "#a9d3e6")

    def cockerel(self) -> None:
        lobes = [_round(-0.22, -0.68, 0.13, 0.17, -0.5), _round(-0.06, -0.78, 0.13, 0.19, -0.2), _round(0.12, -0.79, 0.12, 0.18, 0.1), _round(0.27, -0.70, 0.1, 0.15, 0.4), _round(0.02, -0.58, 0.32, 0.16)]
        self.lay(NIGHT, *(_grown(each, 0.025) for each in lobes))
        self.lay("#e2342f", *lobes)
        inside = self.body("#f08a24", "#c75a1a", _BUST)
        rng, hackles = np.random.default_rng(4), []
        for row, y in enumerate(np.linspace(0.95, -0.25, 9)):
            for x in np.linspace(-0.85, 0.62, 11) + 0.07 * (row % 2):
                hackle = feather(np.array([x, y - 0.25]), 0.5 * np.pi + 0.25 * (x + 0.1), 0.44, 0.075, 0.0)
                middle = hackle.mean(0)
                colour = ("#ffb52e", "#f3952a", "#ffd05a")[int(rng.integers(3))]
                hackles += [(hackle, "#8a2f18"), (0.78 * (hackle - middle) + middle, colour)]
        self.paint(hackles, inside)
        self.lay("#e2342f", _round(0.10, -0.34, 0.26, 0.25), inside=inside)
        wattles = [_closed((0.22, -0.12), (0.36, 0.02), (0.34, 0.26), (0.22, 0.32), (0.12, 0.18), (0.12, 0.0))]
        self.lay(NIGHT, *(_grown(each, 0.025) for each in wattles))
        self.lay("#e2342f", *wattles)
        self.lay("#f9695a", _round(0.18, 0.13, 0.035, 0.12))
        self.lay("#fff1d8", _round(-0.13, -0.18, 0.09, 0.12))
        self.beak(
            ("#ffc84a", _cut([(0.26, -0.42), (0.46, -0.40), (0.66, -0.22)], [(0.66, -0.22), (0.46, -0.24), (0.27, -0.24)], [(0.27, -0.24), (0.26, -0.42)])),
            ("#e59a2c", _cut([(0.27, -0.23), (0.44, -0.22), (0.58, -0.18)], [(0.58, -0.18), (0.42, -0.11), (0.27, -0.12)], [(0.27, -0.12), (0.27, -0.23)])),
        )
        self.eye(0.06, -0.37, 0.10, "#ffc72e")

    def crane(self) -> None:
        rng, crown = np.random.default_rng(2), []
        for k, turn in enumerate(np.linspace(-1.0, 1.1, 26)):
            way = -np.pi / 2 - turn * (1 + 0.04 * self.crest) - 0.15
            root = np.array([-0.16, -0.42])
            tip = root + (0.5 + 0.03 * rng.random()) * directed(way)
            colour = ("#ffcf3f", "#f2a51f")[k % 2]
            crown += [(ribbon(np.stack([root, tip]), (0.02, 0.05)), colour), (_round(0, 0, 0.03) + tip, colour)]
        self.paint(crown)
        neck = _closed((0.18, -0.50), (0.24, -0.28), (0.10, -0.02), (0.14, 0.35), (0.32, 0.75), (0.45, 1.2), (-0.68, 1.2), (-0.60, 0.6), (-0.44, 0.2), (-0.45, -0.15), (-0.42, -0.46), (-0.2, -0.60))
        inside = self.body("#7d93c7", "#5569a6", neck)
        plumes = [
            (feather(np.array([x * (0.55 + 0.5 * y), y - 0.1]), 0.5 * np.pi - 0.1 * x, 0.6, 0.055, 0.0), ("#a9bce3", "#93a8d8")[k % 2])
            for k, x in enumerate(np.linspace(-0.72, 0.4, 9)) for y in (0.7, 0.42, 0.16)
        ]
        self.paint(plumes, inside)
        self.lay("#fff6e4", _closed((-0.02, -0.40), (0.06, -0.20), (-0.06, 0.0), (-0.28, 0.02), (-0.38, -0.2), (-0.28, -0.4)), inside=inside)
        self.lay("#e2342f", _closed((-0.20, -0.42), (-0.12, -0.34), (-0.22, -0.14), (-0.36, -0.10), (-0.36, -0.32)), inside=inside)
        cap = _closed((0.22, -0.52), (0.20, -0.36), (0.02, -0.34), (-0.2, -0.42), (-0.34, -0.5), (-0.2, -0.66), (0.06, -0.66))
        self.lay("#1b1b33", cap)
        self.lay("#e2342f", _closed((0.12, -0.14), (0.20, -0.04), (0.16, 0.14), (0.06, 0.12), (0.04, -0.04)))
        self.beak(("#3a4160", _cut([(0.20, -0.46), (0.46, -0.40), (0.80, -0.26)], [(0.80, -0.26), (0.46, -0.26), (0.20, -0.24)], [(0.20, -0.24), (0.20, -0.46)])))
        self.lay("#7f8bb0", _cut([(0.24, -0.40), (0.46, -0.36), (0.70, -0.28)], [(0.70, -0.28), (0.44, -0.33), (0.24, -0.34)]))
        self.eye(0.03, -0.42, 0.085, "#bfe8f2")

    def flamingo(self) -> None:
        middle = spline([(-0.10, 1.35), (0.10, 0.95), (0.22, 0.60), (0.02, 0.26), (-0.34, 0.02), (-0.46, -0.34), (-0.22, -0.62), (0.10, -0.60)], 12)
        neck = ribbon(middle, np.interp(np.linspace(0, 1, len(middle)), [0, 0.35, 0.8, 1], [0.50, 0.36, 0.30, 0.36]))
        head = _closed((0.30, -0.62), (0.34, -0.46), (0.22, -0.34), (-0.02, -0.34), (-0.22, -0.50), (-0.18, -0.72), (0.06, -0.80))
        back = _closed((-0.70, 1.2), (-0.66, 0.72), (-0.45, 0.55), (0.0, 0.70), (0.25, 1.2))
        for outline in (back, neck, head):
            self.lay(NIGHT, _grown(outline, 0.03))
        inside = self.covered(back)
        self.lay("#f0698c", back)
        self.scales(inside, (-1.0, 0.55, 0.4, 1.1), 0.24, "#ff8fa6", "#f77a98", "#d94a78")
        self.lay(NIGHT, _grown(neck, 0.03))
        self.lay("#ff9db0", neck, head)
        inside = self.covered(neck, head)
        self.lay("#f0698c", neck - (0.13, -0.02), inside=inside * (1 - self.covered(neck + (0.06, -0.05))))
        self.beak(
            ("#fff1d8", _cut([(0.22, -0.70), (0.50, -0.66), (0.66, -0.44)], [(0.66, -0.44), (0.52, -0.44), (0.26, -0.38)], [(0.26, -0.38), (0.22, -0.70)])),
            ("#1b1b33", _cut([(0.55, -0.62), (0.70, -0.44), (0.66, -0.14)], [(0.66, -0.14), (0.56, -0.20), (0.46, -0.42)], [(0.46, -0.42), (0.55, -0.62)])),
        )
        self.lay("#ff9db0", _cut([(0.20, -0.72), (0.32, -0.70), (0.30, -0.54), (0.24, -0.36)], [(0.24, -0.36), (0.1, -0.5), (0.20, -0.72)]))
        self.lay(NIGHT, ribbon(spline([(0.27, -0.46), (0.46, -0.50), (0.60, -0.36)], 8), 0.02))
        self.eye(0.08, -0.60, 0.085, "#ffc72e", "#fff1d8")

    def hoopoe(self) -> None:
        for turn in np.linspace(1.25, -0.45, 8):
            way = -np.pi / 2 - turn * (1 + 0.05 * self.crest)
            root = np.array([-0.10, -0.36])
            plume = feather(root, way, 0.56, 0.085, 0.0)
            self.lay(NIGHT, _grown(plume, 0.02))
            self.lay("#f7a04a", plume)
            tip = self.covered(plume)
            self.lay("#1b1b33", _round(0, 0, 0.13) + root + 0.56 * directed(way), inside=tip)
            self.lay("#fff1d8", ribbon(np.stack([root + 0.36 * directed(way), root + 0.42 * directed(way)]), 0.3), inside=tip)
        inside = self.body("#f7a04a", "#dc7a2e", _BUST * (0.92, 0.94) + (-0.06, 0.06))
        for k, y in enumerate(np.linspace(0.16, 0.96, 6)):
            stripe = ribbon(spline([(-0.95, y - 0.1), (-0.5, y - 0.02), (-0.12, y + 0.16)], 8), 0.16)
            self.lay("#1b1b33" if k % 2 == 0 else "#fff1d8", stripe, inside=inside)
        self.beak(("#2b2f48", ribbon(spline([(0.22, -0.32), (0.52, -0.28), (0.78, -0.10), (0.92, 0.14)], 12), np.linspace(0.15, 0.015, 37))))
        self.eye(0.02, -0.36, 0.095, "#7a3b1c", "#ffd9a3")

    def kingfisher(self) -> None:
        bust = _closed((-0.05, -0.74), (0.22, -0.62), (0.34, -0.36), (0.26, -0.10), (0.42, 0.30), (0.52, 1.2), (-0.70, 1.2), (-0.67, 0.45), (-0.52, 0.02), (-0.52, -0.36), (-0.36, -0.64))
        inside = self.body("#f08a24", "#d5691c", bust)
        back = _closed((-0.2, -0.9), (0.5, -0.60), (0.30, -0.40), (-0.1, -0.28), (-0.34, -0.05), (-0.34, 0.35), (-0.40, 1.3), (-1.2, 1.3), (-1.0, -0.5))
        self.lay("#1579c4", back, inside=inside)
        spots = ((-0.66, (-0.2, -0.06, 0.08)), (-0.55, (-0.34, -0.2, -0.06, 0.08, 0.2)), (-0.44, (-0.40, -0.27, -0.13, 0.01)), (-0.32, (-0.46, -0.34, -0.22)))
        self.lay("#6fd3f2", *(_round(x, y, 0.038, 0.026, 0.3) for y, xs in spots for x in xs), inside=inside)
        self.scales(inside, (-1.0, 0.35, -0.38, 1.05), 0.24, "#1f95d8", "#1579c4", "#0d4f93")
        self.lay("#fff6e4", _closed((-0.30, -0.18), (-0.12, -0.12), (-0.18, 0.06), (-0.46, 0.14), (-0.50, -0.02)), inside=inside)
        self.lay("#fff6e4", _closed((0.20, -0.16), (0.32, -0.02), (0.24, 0.14), (0.02, 0.10), (0.02, -0.06)), inside=inside)
        self.lay("#1b1b33", _closed((0.34, -0.42), (0.30, -0.26), (0.12, -0.24), (0.10, -0.36)), inside=inside)
        self.beak(
            ("#2b2f48", _cut([(0.26, -0.44), (0.60, -0.36), (0.94, -0.20)], [(0.94, -0.20), (0.60, -0.24), (0.26, -0.27)], [(0.26, -0.27), (0.26, -0.44)])),
            ("#e25a3a", _cut([(0.26, -0.26), (0.60, -0.23), (0.88, -0.19)], [(0.88, -0.19), (0.58, -0.13), (0.24, -0.14)], [(0.24, -0.14), (0.26, -0.26)])),
        )
        self.eye(0.06, -0.36, 0.105, "#5a2b1c")

    def macaw(self) -> None:
        inside = self.body("#e2342f", "#b3202c", _BUST)
        wing = _closed((-0.56, -0.16), (-0.20, 0.06), (-0.02, 0.46), (0.02, 1.3), (-1.2, 1.3), (-1.0, 0.0))
        self.lay(NIGHT, wing, inside=inside)
        wing = inside * self.covered(wing - (0.025, -0.02))
        self.scales(wing, (-1.0, 0.35, 0.2, 1.05), 0.22, "#2f7fd6", "#2469c0", "#123f8a")
        self.scales(wing, (-1.0, 0.05, 0.2, 0.50), 0.22, "#ffcf3f", "#ffc02e", "#c2701c")
        self.scales(wing, (-1.0, -0.3, 0.2, 0.24), 0.22, "#f0584a", "#e2342f", "#951a28")
        patch = _closed((0.30, -0.52), (0.30, -0.10), (0.10, 0.02), (-0.12, -0.06), (-0.20, -0.30), (-0.06, -0.50))
        self.lay("#fff1e2", patch)
        rows = ((-0.02, -0.02, 0.14), (-0.10, -0.08, 0.22), (-0.18, -0.12, 0.24))
        self.lay("#e2342f", *(_round(x, y, 0.026, 0.014) for y, start, end in rows for x in np.arange(start, end, 0.075)))
        self.beak(
            ("#fff1d8", _cut([(0.24, -0.56), (0.52, -0.58), (0.76, -0.32), (0.72, 0.08)], [(0.72, 0.08), (0.62, -0.12), (0.46, -0.16), (0.26, -0.14)], [(0.26, -0.14), (0.20, -0.34), (0.24, -0.56)])),
            ("#1b1b33", _cut([(0.26, -0.12), (0.44, -0.10), (0.56, 0.02)], [(0.56, 0.02), (0.46, 0.14), (0.32, 0.10), (0.26, -0.12)])),
        )
        self.lay("#1b1b33", _cut([(0.74, -0.20), (0.76, -0.06), (0.72, 0.08)], [(0.72, 0.08), (0.67, -0.04), (0.62, -0.12)], [(0.62, -0.12), (0.74, -0.20)]))
        self.lay("#e4c7ae", _cut([(0.26, -0.18), (0.48, -0.20), (0.64, -0.12)], [(0.64, -0.12), (0.46, -0.16), (0.26, -0.14)]))
        self.eye(0.06, -0.36, 0.09, "#fff3b0")

    def puffin(self) -> None:
        inside = self.body("#2b2f5c", "#1c1f42", _BUST)
        self.lay("#fff6e4", _closed((0.22, 0.16), (0.6, 0.5), (0.7, 1.3), (-0.46, 1.3), (-0.40, 0.7), (-0.1, 0.30)), inside=inside)
        self.scales(inside, (-0.28, 0.62, 0.62, 1.05), 0.24, "#fff6e4", "#f3e6dc", "#d5c6cc")
        self.lay("#fff6e4", _closed((0.32, -0.48), (0.36, -0.18), (0.16, -0.02), (-0.14, -0.06), (-0.34, -0.26), (-0.16, -0.50), (0.1, -0.56)), inside=inside)
        outline = _cut([(0.24, -0.54), (0.56, -0.54), (0.82, -0.28), (0.86, -0.14)], [(0.86, -0.14), (0.60, 0.02), (0.26, 0.04)], [(0.26, 0.04), (0.20, -0.2), (0.24, -0.54)])
        self.beak(("#f0542c", outline))
        beak = self.covered(outline)
        for x, wide, colour in ((0.24, 0.30, "#4a5a86"), (0.40, 0.06, "#ffc72e"), (0.56, 0.035, "#ffd86a"), (0.68, 0.03, "#ffd86a")):
            bow = spline([(x - 0.02, -0.62), (x + 0.05, -0.25), (x - 0.02, 0.12)], 8)
            self.lay(colour, ribbon(bow, wide), inside=beak)
        self.lay(NIGHT, ribbon(spline([(0.24, -0.17), (0.55, -0.20), (0.86, -0.14)], 8), 0.022))
        self.lay("#ffc72e", _round(0.26, -0.14, 0.05, 0.065))
        self.lay("#f0542c", _closed((0.05, -0.52), (0.18, -0.34), (0.05, -0.22), (-0.08, -0.32)))
        self.eye(0.04, -0.35, 0.07, "#fff3b0")

    def toucan(self) -> None:
        shift = np.array((-0.19, 0.02))
        inside = self.body("#2b2f5c", "#1c1f42", _BUST * (0.75, 1) + shift)
        self.lay("#fff6e4", _closed((0.02, -0.16), (0.10, 0.08), (0.16, 0.42), (-0.10, 0.62), (-0.36, 0.40), (-0.42, 0.06), (-0.3, -0.2)), inside=inside)
        self.lay("#ffcf3f", _closed((0.04, -0.18), (0.08, 0.06), (0.10, 0.30), (-0.10, 0.44), (-0.28, 0.28), (-0.34, 0.04), (-0.22, -0.2)), inside=inside)
        self.lay("#e2342f", ribbon(spline([(-0.38, 0.52), (-0.1, 0.70), (0.26, 0.50)], 8), 0.10), inside=inside)
        self.lay("#2fa5d8", _round(-0.18, -0.36, 0.24, 0.22), inside=inside)
        upper = _cut([(0.02, -0.62), (0.40, -0.70), (0.78, -0.50), (0.93, -0.08)], [(0.93, -0.08), (0.70, -0.26), (0.40, -0.28), (0.04, -0.24)], [(0.04, -0.24), (0.0, -0.4), (0.02, -0.62)])
        lower = _cut([(0.04, -0.24), (0.40, -0.27), (0.70, -0.25), (0.84, -0.16)], [(0.84, -0.16), (0.56, -0.06), (0.30, -0.06), (0.06, -0.10)], [(0.06, -0.10), (0.04, -0.24)])
        self.beak(("#ffb52e", upper), ("#f0542c", lower))
        inside = self.covered(upper)
        self.lay("#ffd86a", upper - (0, 0.14), inside=inside)
        self.lay("#f0542c", _cut([(0.30, -0.28), (0.44, -0.50), (0.56, -0.28)], [(0.56, -0.28), (0.30, -0.28)]), inside=inside)
        self.lay("#f0542c", _cut([(0.54, -0.28), (0.64, -0.46), (0.74, -0.26)], [(0.74, -0.26), (0.54, -0.28)]), inside=inside)
        self.lay("#1b1b33", _round(0.93, -0.12, 0.15, 0.20), inside=self.covered(upper, lower))
        self.lay("#1b1b33", ribbon(spline([(0.03, -0.66), (0.06, -0.4), (0.06, -0.08)], 8), 0.07), inside=self.covered(upper, lower))
        self.lay(NIGHT, ribbon(spline([(0.06, -0.24), (0.40, -0.275), (0.70, -0.255), (0.86, -0.14)], 8), 0.02))
        self.eye(-0.18, -0.38, 0.085, "#8fd65a")


# fmt: off
_BUST = _closed((-0.05, -0.72), (0.24, -0.60), (0.36, -0.30), (0.28, 0.0), (0.42, 0.42), (0.56, 1.2), (-0.70, 1.2), (-0.68, 0.50), (-0.51, 0.05), (-0.48, -0.32), (-0.33, -0.62))


def _grown(outline: Floats, by: float) -> Floats:
    """An outline that is wider to all sides."""
    ahead = np.roll(outline, -1, 0) - np.roll(outline, 1, 0)
    ahead = ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None]
    area = np.sum(outline[:, 0] * np.roll(outline[:, 1], -1) - outline[:, 1] * np.roll(outline[:, 0], -1))
    return np.asarray(outline + by * np.sign(area) * np.stack([ahead[:, 1], -ahead[:, 0]], 1))
