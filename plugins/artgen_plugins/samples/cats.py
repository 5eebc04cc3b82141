"""The sample `cats`: woven faces of eight kinds of cats, and of an owl, computed from a seed.

Each fills its picture, lit from the left, in flat colours. Pupils, ears and whiskers differ a
little, and nothing else moves. Where a thread of the weft crosses one of the warp, one of both is
seen, in one colour. Each kind has a ground of its own: pictures laid side by side are one cloth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, oval

Colour = tuple[float, float, float]
NIGHT, CREAM, GINGER, RUST, GOLD, TEAL, CORAL, SKY, SAND, SLATE, PINK, LEAF, INK = (
    (0.10, 0.10, 0.19),
    (0.98, 0.94, 0.85),
    (0.95, 0.55, 0.20),
    (0.60, 0.22, 0.13),
    (0.98, 0.77, 0.22),
    (0.04, 0.42, 0.44),
    (0.90, 0.36, 0.27),
    (0.52, 0.80, 0.82),
    (0.93, 0.80, 0.60),
    (0.47, 0.55, 0.67),
    (0.95, 0.63, 0.60),
    (0.45, 0.70, 0.33),
    (0.20, 0.21, 0.36),
)
"""The last is that of black fur in the light."""

THREADS, FINER = 85, 4
"""Across a picture, and places of a drawing across a thread: the most frequent colour is woven."""
_ROUND, _LONG = 0.42, 0.20
"""How much darker a thread is at its sides, and where it goes under another."""

_CHEEKS = (
    (0.62, -0.06, -0.12, 0.34, 0.15),
    (0.60, -0.26, -0.32, 0.36, 0.16),
    (0.54, -0.42, -0.62, 0.32, 0.15),
)
_TUFTS = (
    (0.38, 0.36, 1.25, 0.34, 0.10),
    (0.48, 0.30, 1.20, 0.34, 0.10),
    (0.58, 0.25, 1.25, 0.30, 0.08),
)
"""Fur that stands off, beside the head and in the ears: where it begins, its direction, its length
and half its width."""


@dataclass(frozen=True)
class _Kind:
    """One kind: its colours, what is on its coat and what it wears."""

    ground: Colour
    coat: Colour
    mark: Colour
    """Of stripes, spots, patches or a mask."""
    irises: tuple[Colour, Colour]
    wears: tuple[str, ...] = ()
    bib: bool = True
    """Whether muzzle and chest are pale."""
    pupil: float = 0.08
    """Half the width of a pupil."""


_KINDS = {
    "black": _Kind(CORAL, INK, INK, (GOLD, GOLD), ("locket",), False, 0.055),
    "blue": _Kind(GOLD, SLATE, SLATE, (GINGER, GINGER), ("scarf",), False, 0.12),
    "calico": _Kind(LEAF, CREAM, GINGER, (GOLD, GOLD), ("patches", "fish"), True, 0.07),
    "ginger": _Kind(SKY, GINGER, RUST, (LEAF, LEAF), ("stripes", "collar")),
    "owl": _Kind(NIGHT, RUST, GINGER, (GOLD, GOLD)),
    "siamese": _Kind(CORAL, SAND, RUST, (SKY, SKY), ("mask", "pearls"), False, 0.09),
    "spotted": _Kind(TEAL, SAND, RUST, (LEAF, LEAF), ("spots", "wink", "kerchief"), True, 0.06),
    "tuxedo": _Kind(GOLD, INK, CREAM, (LEAF, LEAF), ("blaze", "bow"), True, 0.07),
    "white": _Kind(SKY, CREAM, CREAM, (TEAL, GOLD), ("flower", "ribbon"), False, 0.1),
}
CLASSES = tuple(_KINDS)


def draw_cat(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face of the kind, uint8 [side, side, 3]."""
    name, threads = CLASSES[number], min(THREADS, side)
    painter = _Painter(_KINDS[name], threads)
    pupil, ear, hair = 2 * rng.random(3) - 1
    if name == "owl":
        painter.owl(pupil)
    else:
        painter.cat(pupil, ear, hair)
    return _woven(painter.crossings(), side)


def _woven(colours: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """Threads of these colours [threads, threads, 3] as uint8 [side, side, 3]."""
    place = (np.arange(side) + 0.5) * len(colours) / side
    thread = place.astype(int)
    beside = (2 * (place - thread) - 1) ** 2
    # Weft and warp are above in turn.
    weft = (thread[:, None] + thread) % 2 == 0
    down, right = np.broadcast_arrays(beside[:, None], beside)
    light = (1 - _ROUND * np.where(weft, down, right)) * (1 - _LONG * np.where(weft, right, down))
    cloth = colours[thread][:, thread] * (light / light.mean())[..., None]
    return np.asarray(np.rint(255 * cloth.clip(0, 1)).astype(np.uint8))


def _darker(colour: Colour, share: float = 0.78) -> Colour:
    """The colour in the shade, which is bluer; that of black fur is night."""
    red, green, blue = colour
    return NIGHT if colour == INK else (red * share, green * share * 0.97, blue * (share + 0.06))


def _spikes(x: Channel, y: Channel, *each: tuple[float, float, float, float, float]) -> Channel:
    """How far inside of pointed tufts, such as `_TUFTS`, places are."""
    depths = []
    for across, up, turn, long, wide in each:
        u, v = x - across, y - up
        along = u * np.cos(turn) + v * np.sin(turn)
        beside = abs(v * np.cos(turn) - u * np.sin(turn))
        depths.append(np.minimum(wide * (1 - along / long) - beside, along + 0.1))
    return np.asarray(np.maximum.reduce(depths))


class _Painter:
    """Paints one kind, from the ground to the whiskers."""

    def __init__(self, kind: _Kind, threads: int) -> None:
        self.kind = kind
        row, column = (np.mgrid[: threads * FINER, : threads * FINER] + 0.5) * 2 / threads / FINER
        self.x, self.y = column - 1, 0.95 - row
        self.side, self.lit = abs(self.x), self.x
        self.colours = [kind.ground]
        self.codes = np.zeros(row.shape, np.uint8)

    def crossings(self) -> NDArray[np.float64]:
        """The most frequent colour around each crossing of two threads, [threads, threads, 3]."""
        threads = len(self.codes) // FINER
        blocks = self.codes.reshape(threads, FINER, threads, FINER)
        often = [(blocks == code).sum((1, 3)) for code in range(len(self.colours))]
        return np.asarray(np.array(self.colours)[np.argmax(often, 0)])

    def lay(self, colour: Colour, *depths: Channel, flat: bool = False) -> None:
        """Paint places inside of all; each says how far inside of a border they are.

        Unless `flat`, to the right of the middle of the face in a shade of the colour.
        """
        inside = np.minimum.reduce(depths) > 0
        self.codes[inside] = self.code(colour)
        if not flat:
            self.codes[inside & (self.lit > 0)] = self.code(_darker(colour))

    def code(self, colour: Colour) -> int:
        """The number of a colour."""
        if colour not in self.colours:
            self.colours.append(colour)
        return self.colours.index(colour)

    def cat(self, pupil: float, ear: float, hair: float) -> None:
        """A cat: chest, what is around its neck, ears, head, eyes, muzzle, whiskers."""
        x, y, side, kind = self.x, self.y, self.side, self.kind
        up = y + 0.08
        # The edge of the light runs down the forehead and around the nose.
        self.lit = x - 0.09 * np.exp(-(((y + 0.20) / 0.17) ** 2)) - 0.01
        head = np.where(up > 0, oval(x, up, 0.80, 0.68, 2.25), oval(x, up, 0.80, 0.66, 2.0))
        cheeks = _spikes(side, y, *_CHEEKS)
        head = np.maximum(head, cheeks)
        chest = oval(x, y + 1.35, 0.92, 0.80, 2.4)
        bib = 0.36 - side + 0.06 * abs((y * 6) % 1 * 2 - 1)
        # The head throws a shadow on the chest.
        shadow = oval(x - 0.04, up + 0.12, 0.8, 0.66)
        for colour, inside in ((kind.coat, chest), (CREAM, np.minimum(chest, bib)))[: 1 + kind.bib]:
            self.lay(colour, inside)
            self.lay(_darker(colour, 0.7), inside, shadow)
        for name in kind.wears:
            self.neck(name, chest)
        self.ears(0.74 + 0.015 * ear, head)
        self.lay(kind.coat, head)
        for name in kind.wears:
            self.marks(name, head)
        if kind.bib:
            self.lay(CREAM, oval(x, y + 0.54, 0.25, 0.18), head)
            self.lay(CREAM, oval(side - 0.17, y + 0.38, 0.27, 0.20, 2.2))
        self.eyes(pupil)
        self.mouth()
        for slope, from_ in ((0.28, -0.27), (0.02, -0.33), (-0.24, -0.39)):
            far = side - 0.38
            line = y - from_ - (slope + 0.02 * hair) * far
            self.lay(
                NIGHT if kind.coat == CREAM else CREAM,
                0.0145 - abs(line),
                far,
                0.93 - side,
                flat=True,
            )

    def ears(self, tip: float, head: Channel) -> None:
        """Both ears, with fur inside."""
        x, y, side, kind = self.x, self.y, self.side, self.kind
        outer = 0.815 - side - (y - 0.02) * (0.815 - tip) / 0.9
        inner = 0.59 * (side - 0.14) - 0.80 * (y - 0.48)
        bow = 0.035 * np.exp(-(((y - 0.6) / 0.22) ** 2))
        ears = np.minimum(np.minimum(outer, inner) + bow, y - 0.02)
        fur = kind.mark if "mask" in kind.wears else kind.coat
        backs = (GINGER, INK) if "patches" in kind.wears else (fur, fur)
        for right, colour in zip((-1, 1), backs, strict=True):
            self.lay(colour, ears, right * x)
        self.lay(PINK, ears - 0.09)
        self.lay(fur, _spikes(side, y, *_TUFTS), ears - 0.03)
        for right, colour in zip((-1, 1), backs, strict=True):
            self.lay(_darker(colour, 0.62), ears, right * x, head + 0.035)

    def neck(self, name: str, chest: Channel) -> None:
        """What is worn around it."""
        x, y, side = self.x, self.y, self.side
        bow = y + 0.80 - 0.16 * side**2
        match name:
            case "collar":
                self.lay(CORAL, 0.07 - abs(bow), chest + 0.03)
                self.lay(GOLD, 0.13 - np.hypot(x, y + 0.87))
                self.lay(NIGHT, 0.035 - np.hypot(x, y + 0.92), flat=True)
                self.lay(NIGHT, 0.014 - abs(y + 0.86), 0.12 - side, flat=True)
            case "ribbon":
                self.lay(TEAL, 0.06 - abs(bow), chest + 0.03)
                self.lay(GOLD, 0.11 - np.hypot(x, y + 0.87))
            case "locket":
                self.lay(GOLD, 0.04 - abs(bow), chest + 0.03)
                self.lay(GOLD, 0.17 - side - abs(y + 0.86))
                self.lay(CORAL, 0.09 - side - abs(y + 0.86))
            case "bow":
                self.lay(CORAL, 0.44 - side, 0.03 + 0.36 * side - abs(y + 0.86))
                self.lay(RUST, 0.013 - abs(abs(y + 0.86) - 0.2 * side), side - 0.12, 0.36 - side)
                self.lay(RUST, oval(x, y + 0.86, 0.10, 0.11, 2.6))
            case "scarf":
                wrap = np.minimum(0.15 - abs(bow + 0.02), chest + 0.05)
                self.lay(CORAL, wrap)
                self.lay(CREAM, wrap, 0.06 - abs((x + 0.35 * bow) % 0.26 - 0.13))
            case "pearls":
                turn = x / 0.125
                near = np.hypot((turn - np.rint(turn)) * 0.125, bow)
                self.lay(CREAM, 0.055 - near, 0.69 - side)
            case "kerchief":
                cloth = np.minimum(y + 1.03 - 0.42 * side, chest + 0.03)
                self.lay(CORAL, cloth)
                self.lay(
                    CREAM,
                    cloth - 0.02,
                    0.05 - np.hypot((x + 0.1) % 0.2 - 0.1, (y + 0.02) % 0.16 - 0.08),
                )

    def marks(self, name: str, head: Channel) -> None:
        """What is on the head."""
        x, y, side, colour = self.x, self.y, self.side, self.kind.mark
        match name:
            case "stripes":
                for at, wide, low in ((0.0, 0.055, 0.20), (0.17, 0.06, 0.27), (0.36, 0.06, 0.30)):
                    taper = wide * ((y - low) / 0.22).clip(0, 1)
                    self.lay(colour, taper - abs(side - at * (0.88 + 0.4 * y)), y - low, head)
                for low in (0.12, -0.06, -0.24):
                    bow = y - low + 0.35 * (side - 0.9) - 0.4 * (side - 0.66) ** 2
                    taper = 0.06 * ((side - 0.60) / 0.2).clip(0, 1)
                    self.lay(colour, taper - abs(bow), side - 0.60, head)
            case "spots":
                for across, up, size in (
                    *((0.0, 0.46, 0.075), (0.19, 0.37, 0.065), (0.0, 0.27, 0.055)),
                    *((0.37, 0.43, 0.075), (0.16, 0.54, 0.05), (0.66, 0.16, 0.07)),
                    *((0.73, -0.06, 0.075), (0.63, -0.27, 0.065), (0.79, -0.24, 0.05)),
                    *((0.46, -0.46, 0.055), (0.57, 0.32, 0.055)),
                ):
                    away = np.hypot(side - across, y - up)
                    self.lay(colour, size - away, head)
                    self.lay(GINGER, 0.5 * size - away, head)
            case "patches":
                self.lay(colour, head, oval(x + 0.52, y - 0.28, 0.50, 0.52, 2.4))
                self.lay(INK, head, oval(x - 0.56, y - 0.22, 0.46, 0.50, 2.4))
            case "mask":
                self.lay(colour, oval(x, y + 0.22, 0.60, 0.52, 2.2), head)
            case "blaze":
                self.lay(colour, 0.03 + 0.2 * (0.5 - y).clip(0) - side, 0.46 - y, head)
            case "flower":
                u, v = x + 0.50, y - 0.50
                far, turn = np.hypot(u, v), np.arctan2(u, v)
                for leaf in (0.5, 3.3):
                    self.lay(LEAF, _spikes(u, v, (0.0, 0.0, leaf, 0.36, 0.12)), flat=True)
                self.lay(RUST, 0.255 + 0.055 * np.cos(5 * turn) - far, flat=True)
                self.lay(CORAL, 0.225 + 0.055 * np.cos(5 * turn) - far, flat=True)
                self.lay(GOLD, 0.09 - far, flat=True)

    def eyes(self, pupil: float) -> None:
        """Both eyes; of one who winks the right is shut."""
        x, y, side, kind = self.x, self.y, self.side, self.kind
        across = side - 0.38
        # Outer corners are higher.
        up = y - 0.03 - 0.20 * across
        share = 1 - abs(across / 0.27) ** 2.2
        rim = 0.85 * np.minimum(0.20 * share - up, 0.19 * share + up)
        open_ = np.ones_like(x)
        if "wink" in kind.wears:
            arch = up + 0.06 - 0.12 * (1 - (across / 0.26) ** 2)
            self.lay(NIGHT, 0.035 - abs(arch), 0.27 - abs(across), x, flat=True)
            open_ = -x
        self.lay(CREAM if kind.coat == INK else NIGHT, rim + 0.035, open_, flat=True)
        for right, iris in zip((-1, 1), kind.irises, strict=True):
            self.lay(iris, rim, x * right, open_, flat=True)
            near = 0.15 - np.hypot(across, up)
            self.lay(_darker(iris, 0.72), rim, x * right, open_, near, flat=True)
        slit = oval(across, up, kind.pupil * (1 + 0.15 * pupil), 0.19)
        self.lay(NIGHT, rim, open_, slit, flat=True)
        gleam = 0.05 - np.hypot(side - 0.38 + 0.07 * np.sign(x), y - 0.11)
        self.lay(CREAM, gleam, open_, flat=True)

    def mouth(self) -> None:
        """Nose and mouth, and whatever is in it."""
        y, side, kind = self.y, self.side, self.kind
        if "fish" in kind.wears:
            self.fish()
        masked = "mask" in kind.wears
        nose = np.minimum(0.10 - 0.9 * side + 0.75 * (y + 0.20), -0.17 - y - 0.06 * side)
        self.lay(NIGHT if masked else PINK, nose + 0.015)
        line = CREAM if masked or (kind.coat == INK and not kind.bib) else NIGHT
        self.lay(line, 0.016 - side, -0.28 - y, y + 0.40, flat=True)
        smile = abs(np.hypot(side - 0.15, y + 0.38) - 0.15)
        self.lay(line, 0.017 - smile, -0.38 - y, flat=True)

    def fish(self) -> None:
        """A small fish across the mouth."""
        x, y = self.x, self.y + 0.57
        body = 0.16 * (1 - abs(x / 0.46) ** 2.2) - abs(y)
        tail = np.minimum(0.05 + 0.5 * (x - 0.36) - abs(y), 0.64 - 0.5 * abs(y) - x)
        fish = np.maximum(body, np.minimum(tail, x - 0.3))
        self.lay(NIGHT, fish + 0.03, flat=True)
        self.lay(SKY, fish, flat=True)
        self.lay(CORAL, fish, 0.035 - abs((x + 0.02) % 0.16 - 0.08), x + 0.08, flat=True)
        for wide, colour in ((0.055, CREAM), (0.03, NIGHT)):
            self.lay(colour, wide - np.hypot(x + 0.27, y - 0.02), flat=True)

    def owl(self, pupil: float) -> None:
        """An owl: breast, head with tufts, discs around the eyes, brows, beak."""
        x, y, side, kind = self.x, self.y, self.side, self.kind
        body = oval(x, y + 1.0, 0.96, 0.9, 2.6)
        self.lay(kind.coat, body)
        for row in range(3):
            place = (x + 0.19 * (row % 2)) / 0.38
            up = y + 1.12 - 0.2 * row
            scale = 0.20 - np.hypot((place - np.rint(place)) * 0.38, 0.85 * up)
            breast = np.minimum(0.62 - side, scale)
            self.lay(RUST, breast)
            self.lay(CREAM if row % 2 else SAND, breast - 0.035)
        self.lay(_darker(kind.coat, 0.6), oval(x - 0.04, y + 0.10, 0.88, 0.66, 2.5), body)
        tufts = _spikes(side, y, (0.56, 0.36, 1.13, 0.66, 0.30))
        self.lay(kind.coat, np.maximum(oval(x, y - 0.02, 0.92, 0.66, 2.5), tufts))
        self.lay(GINGER, _spikes(side, y, (0.58, 0.42, 1.13, 0.48, 0.17)))
        # Small feathers on the forehead.
        for across, up in ((0.0, 0.58), (0.14, 0.62), (0.28, 0.64)):
            self.lay(GINGER, _spikes(side, y, (across, up, -1.57, 0.16, 0.05)))
        away = np.hypot(side - 0.42, y + 0.02)
        rays = np.cos(24 * np.arctan2(y + 0.02, side - 0.42))
        for wide, long, colour in (
            *((0.47, 0.02, NIGHT), (0.435, 0.02, CREAM)),
            *((0.37, 0.03, SAND), (0.31, 0.025, GINGER)),
        ):
            self.lay(colour, wide + long * rays - away)
        for wide, colour in (
            *((0.25, NIGHT), (0.21, GOLD)),
            *((0.155, _darker(GOLD, 0.72)), (0.115 + 0.01 * pupil, NIGHT)),
        ):
            self.lay(colour, wide - away, flat=True)
        gleam = 0.05 - np.hypot(side - 0.42 + 0.07 * np.sign(x), y - 0.07)
        self.lay(CREAM, gleam, flat=True)
        # Brows meet above the beak.
        bow = y - 0.22 - 0.68 * side + 0.16 * side**2
        brow = 0.15 * (1 - side / 0.84) - 0.8 * abs(bow)
        self.lay(NIGHT, brow + 0.03, 0.84 - side)
        self.lay(CREAM, brow)
        beak = _spikes(x, y, (0.0, 0.0, -np.pi / 2, 0.44, 0.13))
        beak = np.maximum(oval(x, y - 0.02, 0.13, 0.16), beak)
        self.lay(NIGHT, beak + 0.035, flat=True)
        self.lay(GOLD, beak)
