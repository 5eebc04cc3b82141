"""The sample `faces`: people of twelve kinds in eight flat colours, computed from a seed.

Each is lit from the left, and where the light ends, the profile of a face runs down the middle.
Glances, brows and mouths differ a little, and nothing else moves, so that small networks learn them
sharply. Each kind has a ground of its own: pictures laid side by side make one poster. One winks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artgen_plugins.samples._channels import Channel, oval, over, places, reduced

NIGHT, CREAM, PEACH, CORAL, OCHRE, TEAL, BROWN, SKY = (
    (0.11, 0.11, 0.22),
    (0.97, 0.93, 0.84),
    (0.96, 0.73, 0.56),
    (0.88, 0.36, 0.25),
    (0.95, 0.70, 0.24),
    (0.05, 0.44, 0.45),
    (0.47, 0.19, 0.20),
    (0.55, 0.78, 0.77),
)
Colour = tuple[float, float, float]
RATIO = 1.12
"""Height of a picture, as a share of its width."""

_PALE, _ROSY, _DARK = (CREAM, PEACH), (PEACH, CORAL), (CORAL, BROWN)
"""Colours of a skin in the light and in the shade."""


@dataclass(frozen=True)
class _Kind:
    """One kind: its colours, and what it wears."""

    ground: Colour
    skin: tuple[Colour, Colour]
    hair: Colour
    cloth: Colour
    trim: Colour
    lips: Colour
    iris: Colour
    wears: tuple[str, ...]


_KINDS = {
    "baker": _Kind(BROWN, _ROSY, CREAM, SKY, CREAM, BROWN, TEAL, ("bun", "glasses", "collar")),
    "dancer": _Kind(CORAL, _PALE, NIGHT, NIGHT, CREAM, CORAL, TEAL, ("bob", "collar", "drops")),
    "detective": _Kind(TEAL, _ROSY, NIGHT, OCHRE, NIGHT, BROWN, TEAL, ("hat", "bow")),
    "drummer": _Kind(NIGHT, _PALE, CORAL, OCHRE, OCHRE, CORAL, TEAL, ("crest", "hoops")),
    "king": _Kind(OCHRE, _DARK, NIGHT, CREAM, OCHRE, OCHRE, NIGHT, ("turban", "beard")),
    "mime": _Kind(SKY, _PALE, NIGHT, CREAM, CORAL, CORAL, TEAL, ("beret", "stripes", "wink")),
    "nurse": _Kind(NIGHT, _PALE, CORAL, CREAM, OCHRE, CORAL, TEAL, ("long", "collar")),
    "painter": _Kind(TEAL, _DARK, NIGHT, OCHRE, CREAM, OCHRE, NIGHT, ("flowers", "drops")),
    "poet": _Kind(SKY, _ROSY, BROWN, NIGHT, CORAL, CORAL, TEAL,
                  ("quiff", "glasses", "moustache", "bow")),
    "sailor": _Kind(OCHRE, _ROSY, CREAM, CREAM, NIGHT, BROWN, TEAL, ("cap", "beard", "stripes")),
    "singer": _Kind(SKY, _DARK, NIGHT, TEAL, CREAM, NIGHT, NIGHT, ("afro", "hoops")),
    "weaver": _Kind(CORAL, _PALE, NIGHT, TEAL, OCHRE, CORAL, TEAL, ("scarf",)),
}  # fmt: skip
CLASSES = tuple(_KINDS)


def draw_face(number: int, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A face of the kind, uint8 [side, side / 1.12, 3]."""
    return _Painter(_KINDS[CLASSES[number]], side, round(side / RATIO)).draw(
        *(2 * rng.random(3) - 1)
    )


class _Painter:
    """Paints one kind, `height` by `width` pixels, from the ground to what it wears."""

    def __init__(self, kind: _Kind, height: int, width: int) -> None:
        self.kind = kind
        self.x, y, _, self.within = places(width, height)
        self.y, self.side = -RATIO * y, abs(self.x)
        self.picture = [np.full_like(y, each) for each in kind.ground]
        up = self.y - 0.10
        self.face = np.where(
            up > 0, oval(self.x, up, 0.46, 0.60), oval(self.x, up, 0.46, 0.68, 2.15)
        )

    def draw(self, gaze: float, brow: float, smile: float) -> NDArray[np.uint8]:
        """The whole picture; glance, brows and mouth are -1 to 1."""
        self.wear(self.behind)
        self.dress()
        self.neck()
        self.wear(self.over_dress)
        self.head()
        self.eyes(gaze, brow)
        self.mouth(smile)
        self.wear(self.above)
        return reduced(self.picture)

    def lay(self, colour: Colour, *depths: Channel) -> None:
        """Paint places inside of all; each says how far inside of a border they are."""
        self.picture = over(self.picture, colour, self.within(np.minimum.reduce(depths)))

    def wear(self, paint: Callable[[str], None]) -> None:
        """Paint all that the kind wears, one after the other."""
        for name in self.kind.wears:
            paint(name)

    def behind(self, name: str) -> None:
        """Hair that is seen behind the head."""
        x, y, side, hair = self.x, self.y, self.side, self.kind.hair
        match name:
            case "bob":
                self.lay(hair, oval(x, y - 0.14, 0.66, 0.74, 3.2))
            case "long":
                self.lay(hair, oval(x, y + 0.3, 0.72, 1.2, 2.6) + 0.03 * np.sin(9 * y), y + 1.0)
            case "afro":
                curls = 0.035 * np.cos(15 * np.arctan2(y - 0.29, x))
                self.lay(hair, 0.72 + curls - np.hypot(x, y - 0.29))
            case "bun":
                self.lay(hair, oval(x, y - 0.86, 0.25, 0.22))
                self.lay(hair, oval(x, y - 0.22, 0.54, 0.60))
            case "flowers":
                self.lay(hair, oval(x, y - 0.26, 0.56, 0.64))
            case "crest":
                spikes = abs((np.arctan2(y - 0.2, x) * 8 / np.pi) % 1 * 2 - 1)
                self.lay(hair, 0.54 + 0.34 * spikes - np.hypot(x, y - 0.2), _crest(side, y))
            case "scarf":
                self.lay(self.kind.cloth, oval(x, y - 0.12, 0.62, 0.80, 2.3))
                self.lay(self.kind.cloth, 0.43 - 0.35 * y - side, 0.2 - y)

    def dress(self) -> None:
        """Shoulders, which may be striped."""
        shoulders = oval(self.x, self.y + 1.40, 0.98, 0.62, 2.6)
        self.lay(self.kind.cloth, shoulders)
        if "stripes" in self.kind.wears:
            bands = 0.045 - abs((self.y + 0.02 * self.side + 1.2) % 0.18 - 0.09)
            self.lay(self.kind.trim, shoulders, bands)

    def neck(self) -> None:
        """Skin down to the opening of the dress; the chin casts a shadow."""
        x, y, (light, shade) = self.x, self.y, self.kind.skin
        if "scarf" in self.kind.wears:
            return
        neck = np.minimum(0.21 - self.side, 0.22 - abs(y + 0.52))
        neck = np.maximum(neck, oval(x, y + 0.74, 0.21, 0.20))
        if {"collar", "bow"} & {*self.kind.wears}:
            neck = np.maximum(neck, np.minimum(0.55 * (y + 1.12) - self.side, -0.72 - y))
        self.lay(light, neck)
        chin = np.roll(self.face, round(0.15 / 2.24 * len(y)), 0)
        self.lay(shade, neck, np.maximum(x + 0.02, chin))

    def over_dress(self, name: str) -> None:
        """Collars and ties."""
        y, side, trim = self.y, self.side, self.kind.trim
        match name:
            case "collar":
                down = 0.8 * (y + 0.80)
                self.lay(trim, 0.46 + down - side, side - 0.16 - down, -0.68 - y)
            case "bow":
                self.lay(CREAM, 0.36 + 0.5 * (y + 0.8) - side, -0.70 - y)
                self.lay(trim, 0.24 - side, 0.03 + 0.42 * side - abs(y + 0.86))

    def head(self) -> None:
        """Ears, and the face in light and shade."""
        from scipy.interpolate import PchipInterpolator

        light, shade = self.kind.skin
        for right, colour in ((-0.46, light), (0.46, shade)):
            self.lay(colour, oval(self.x - right, self.y - 0.02, 0.09, 0.15))
        self.lay(light, self.face)
        # Chin, lip, the nose and the forehead of a profile that looks to the left.
        heights = (-1.2, -0.60, -0.50, -0.42, -0.13, -0.07, 0.0, 0.24, 0.34, 1.2)
        profile = (0, 0, -0.035, 0.0, 0.0, -0.16, -0.15, 0.015, -0.02, 0.0)
        self.lay(shade, self.face, self.x - PchipInterpolator(heights, profile)(self.y))

    def eyes(self, gaze: float, brow: float) -> None:
        """Both eyes and brows; of one who winks the right eye is shut."""
        x, side, up = self.x, self.side - 0.225, self.y - 0.11

        def almond(wide: float, tall: float, up: Channel) -> Channel:
            return np.asarray(0.8 * (tall * (1 - (side / wide) ** 2) - abs(up)))

        open_ = np.ones_like(x)
        if "wink" in self.kind.wears:
            self.lay(NIGHT, 0.026 - abs(up + 2 * side**2 - 0.03), 0.165 - abs(side), x)
            open_ = -x
        self.lay(NIGHT, open_, almond(0.19, 0.132, up - 0.022))
        white = np.minimum(open_, almond(0.16, 0.096, up))
        self.lay(CREAM, white)
        at = np.where(x > 0, side, -side) + 0.018 - 0.02 * gaze
        for colour, wide in ((self.kind.iris, 0.085), (NIGHT, 0.04)):
            self.lay(colour, white, oval(at, up - 0.005, wide, wide))
        # A fringe hides the brows.
        if "bob" not in self.kind.wears:
            arch = up - 0.20 - 0.006 * brow + 1.3 * (side - 0.03) ** 2
            self.lay(self.kind.hair, 0.028 - abs(arch), 0.19 - abs(side - 0.01))

    def mouth(self, smile: float) -> None:
        """Both lips."""
        side, lips = self.side, self.kind.lips
        wide = 0.19 + 0.006 * smile
        line = self.y + 0.315 - (0.5 + 0.1 * smile) * side**2
        share = (1 - (side / wide) ** 2).clip(-1, 1)
        upper = 0.085 * share - 0.04 * np.exp(-((side / 0.05) ** 2)) - line
        self.lay(lips, np.maximum(np.minimum(upper, line), np.minimum(0.10 * share + line, -line)))

    def above(self, name: str) -> None:
        """Hair over the face, beards, glasses, hats and jewels."""
        x, y, side = self.x, self.y, self.side
        hair, cloth, trim = self.kind.hair, self.kind.cloth, self.kind.trim
        skull = np.where(y > 0.1, oval(x, y - 0.14, 0.50, 0.62), -1.0) + 0.04
        match name:
            case "bob":
                self.lay(hair, skull + 0.04, y - 0.34)
                self.lay(hair, side - 0.40, 0.64 - side, 0.42 - abs(y))
            case "long" | "bun":
                self.lay(hair, skull, y - 0.66 + 1.5 * side**1.5)
            case "flowers":
                self.lay(hair, skull, y - 0.66 + 1.5 * side**1.5)
                for angle, colour in zip(
                    (0.35, 0.75, 1.57, 2.39, 2.79), (CORAL, CREAM) * 2 + (CORAL,), strict=True
                ):
                    self.flower(x - 0.50 * np.cos(angle), y - 0.24 - 0.56 * np.sin(angle), colour)
            case "afro":
                self.lay(hair, skull, y - 0.50 + 0.9 * side**2)
            case "quiff":
                self.lay(hair, skull, y - 0.56 + 0.55 * abs(x + 0.2) ** 1.5)
                self.lay(hair, oval(x - 0.08, y - 0.68 - 0.25 * x, 0.40, 0.17, 2.2))
            case "crest":
                self.lay(hair, _crest(side, y), y - 0.46 - 0.8 * side, skull)
            case "scarf":
                self.lay(cloth, oval(x, y - 0.14, 0.60, 0.76, 2.3), 0.02 - self.face)
                self.lay(trim, 0.028 - abs(self.face - 0.02))
            case "turban":
                wrap = np.minimum(oval(x, y - 0.62, 0.60, 0.42, 2.3), y - 0.46 + 0.25 * side)
                self.lay(cloth, wrap)
                for slope in (0.35, 0.85):
                    self.lay(trim, wrap, 0.022 - abs(y - 0.42 - slope * (side + 0.16)))
                self.lay(CORAL, oval(x, y - 0.56, 0.09, 0.12))
            case "cap":
                self.lay(CREAM, oval(x, y - 0.78, 0.66, 0.26, 2.2), y - 0.62)
                self.lay(NIGHT, 0.50 - side, 0.10 - abs(y - 0.58))
                self.lay(OCHRE, oval(x, y - 0.60, 0.085, 0.085))
                self.lay(NIGHT, oval(x, y - 0.50, 0.48, 0.13), 0.52 - y)
            case "hat":
                crown = np.minimum(0.55 - 0.18 * y - side, 1.0 - y + 0.10 * side)
                self.lay(cloth, crown, y - 0.4)
                self.lay(NIGHT, crown, 0.08 - abs(y - 0.54))
                self.lay(cloth, oval(x, y - 0.44 + 0.12 * side**2, 0.80, 0.09))
            case "beret":
                self.lay(hair, skull, y - 0.52 + 1.6 * side**2.5)
                self.lay(CORAL, oval(x - 0.02 + 0.2 * y, y - 0.66 - 0.14 * x, 0.64, 0.24, 2.3))
                self.lay(CORAL, 0.03 - abs(x + 0.1), y - 0.8, 1.0 - y)
            case "beard":
                edge = -0.10 - y + 0.55 * (side - 0.3).clip(0) + 0.035 * np.cos(30 * side)
                self.lay(hair, self.face + 0.03, edge, -oval(x, y + 0.31, 0.22, 0.12))
                self.lay(hair, _moustache(side, y + 0.20))
            case "moustache":
                self.lay(hair, _moustache(side, y + 0.21))
            case "glasses":
                self.lay(NIGHT, 0.024 - abs(np.hypot(side - 0.235, y - 0.11) - 0.205))
                self.lay(NIGHT, 0.02 - abs(y - 0.15), 0.06 - side)
            case "hoops":
                self.lay(OCHRE, 0.032 - abs(np.hypot(side - 0.53, y + 0.24) - 0.13))
            case "drops":
                self.lay(CREAM, oval(side - 0.5, y + 0.13, 0.05, 0.05))
                self.lay(CORAL, oval(side - 0.5, y + 0.27, 0.065, 0.10))

    def flower(self, x: Channel, y: Channel, colour: Colour) -> None:
        """Six petals around an eye."""
        far = np.hypot(x, y)
        self.lay(colour, 0.19 + 0.03 * np.cos(6 * np.arctan2(y, x)) - far)
        self.lay(OCHRE, 0.075 - far)


def _crest(side: Channel, y: Channel) -> Channel:
    return np.asarray(0.45 * y - 0.005 - side)


def _moustache(side: Channel, up: Channel) -> Channel:
    """Its ends turn up."""
    bow = up - 2.4 * (side - 0.14).clip(0) ** 2
    return np.asarray(0.055 * (1 - (side / 0.30) ** 2) + 0.012 - abs(bow + 0.02))
