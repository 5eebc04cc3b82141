"""Frames: how large a picture is, and which part of a drawing or photograph fills it.

A frame with an aspect ratio crops what is wider or higher, or adds a border to what is not. Lengths
such as ``30cm`` and paper such as ``A3`` become pixels at a number of dots per inch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from artgen.base.errors import UsageError
from artgen.base.options import numbers
from artgen.values.canvas import Canvas

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 65_536
"""The longest side of a picture, in pixels."""

DPI = 300
"""Dots per inch of lengths, unless asked for: what printers ask for."""

PAPERS: dict[str, tuple[float, float]] = {
    "A0": (841.0, 1189.0),
    "A1": (594.0, 841.0),
    "A2": (420.0, 594.0),
    "A3": (297.0, 420.0),
    "A4": (210.0, 297.0),
    "A5": (148.0, 210.0),
    "A6": (105.0, 148.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height of named papers, in millimetres (ISO 216 and ANSI/ASME Y14.1)."""

BACKGROUND = "background"
"""The border that has the colour of the background, or is transparent where that is left out."""

Place: TypeAlias = "tuple[float, ...] | Literal['auto', 'face', 'face-or-whole']"
"""The point to keep in the centre of a crop, as shares of width and height, and the share of the
largest crop that is kept, all unless given; auto: faces; face: the largest one, from near;
face-or-whole: the same, and without an aspect it is a square, or what has no face is not cropped.
"""

_WORDS: dict[str, Place] = {"auto": "auto", "face": "face", "face-or-whole": "face-or-whole"}
_CENTRE = 0.5, 0.5
LEAST = 0.02
"""The least share of the largest crop."""
_INCHES = {"cm": 1 / 2.54, "mm": 1 / 25.4, "in": 1.0}
_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,4})?)"
_SIZE = re.compile(rf"{_NUMBER}(?:x{_NUMBER})?(px|cm|mm|in)?", re.IGNORECASE)
_ASPECT = re.compile(rf"{_NUMBER}:{_NUMBER}")
_WIDEST = 21
"""The largest number of a usual aspect ratio: below it ``16x9`` is not meant as pixels."""
_SEEN = 128
"""Long side in pixels of the picture in which detail is looked for."""
_HEAD = 1.3
"""The radius of a head with its hair, where that of its face, from brow to chin, is 1."""
_NEAR, _LEAST_FACE = 0.9, 50
"""Of a crop around one face: the share of its shorter side that is face, and of how many pixels."""


@dataclass(frozen=True)
class Frame:
    """A picture with a long side of `size` pixels (None: as dense as what it shows).

    With an `aspect`, width and height as whole numbers, it is cropped around the point `at`, or
    with `pad`, a colour or `BACKGROUND`, shown whole inside a border. A frame that `turns`, such as
    that of named paper, lies as what it shows does. `inches` are both sides, or the long one, where
    lengths were asked for, which pixels only round. Raises UsageError.
    """

    size: int | None = None
    aspect: tuple[int, int] | None = None
    at: Place = _CENTRE
    pad: str | None = None
    turns: bool = False
    inches: tuple[float, ...] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        size = self.size
        whole = isinstance(size, Integral) and not isinstance(size, bool)
        if size is not None and not (whole and 1 <= size <= LARGEST):
            raise UsageError(
                f"size must be the long side in pixels, a whole number from 1 to {LARGEST}, "
                f"got {size!r}",
                hint='the shorter side follows from the picture; "1080x1080" asks for both',
            )
        if self.aspect is not None and not all(1 <= side <= LARGEST for side in self.aspect):
            raise UsageError(
                f"an aspect ratio must be two numbers from 1 to {LARGEST}, got {self.aspect}"
            )

    @classmethod
    def of(cls, value: Size | None) -> Frame:
        """The frame that a size asks for: a long side, ``"1080x1080"``, a pair, or a frame."""
        if isinstance(value, Frame):
            return value
        if isinstance(value, str):
            return parse_frame(value)
        if isinstance(value, tuple):
            return parse_frame("x".join(map(str, value)))
        return cls(value)

    def turned(self, width: float, height: float) -> Frame:
        """The frame in the orientation of something this large, if it `turns`."""
        if self.aspect is None or not self.turns:
            return self
        short, long = sorted(self.aspect)
        return replace(self, aspect=(long, short) if width > height else (short, long), turns=False)

    def window(self, width: float, height: float) -> tuple[float, float, float, float]:
        """Left, top, width and height of what it shows of something this large.

        Left and top are negative where there is a border.
        """
        aspect = self.turned(width, height).aspect
        if aspect is None:
            return 0, 0, width, height
        ratio = aspect[0] / aspect[1]
        wide = (min if self.pad is None else max)(width, height * ratio)
        high = wide / ratio
        if self.pad is not None:
            return (width - wide) / 2, (height - high) / 2, wide, high
        x, y, *share = _CENTRE if isinstance(self.at, str) else self.at
        wide, high = (side * (share[0] if share else 1.0) for side in (wide, high))
        left = min(max(x * width - wide / 2, 0.0), width - wide)
        top = min(max(y * height - high / 2, 0.0), height - high)
        return left, top, wide, high

    def canvas(self, width: int, height: int) -> Canvas:
        """The pixels of the picture, of exactly its aspect, for something this large."""
        aspect = self.turned(width, height).aspect
        if aspect is None:
            whole = Canvas(width, height)
            return whole if self.size is None else whole.scaled(self.size)
        _, _, wide, high = self.window(width, height)
        return Canvas(*aspect).scaled(self.size or max(1, round(max(wide, high))))

    def printed(self, picture: Canvas, dpi: float) -> tuple[float, float]:
        """Width and height of its picture in inches: as asked for, else those of pixels."""
        if self.inches is None:
            return picture.width / dpi, picture.height / dpi
        *shorter, long = sorted(self.inches)
        sides = sorted((picture.width, picture.height))
        short = shorter[0] if shorter else sides[0] / sides[1] * long
        return (long, short) if picture.width > picture.height else (short, long)

    def place(self, drawn: Canvas) -> Placement:
        """Place a drawing of that canvas on the picture."""
        picture = self.canvas(drawn.width, drawn.height)
        if self.aspect is None:
            return Placement(picture, picture, 0, 0)
        left, top, wide, high = self.window(drawn.width, drawn.height)
        scale = max(picture.width / wide, picture.height / high)
        width, height = round(drawn.width * scale), round(drawn.height * scale)
        if self.pad is not None:
            whole = Canvas(max(1, min(width, picture.width)), max(1, min(height, picture.height)))
            left, top = (whole.width - picture.width) // 2, (whole.height - picture.height) // 2
            return Placement(whole, picture, left, top)
        whole = Canvas(max(width, picture.width), max(height, picture.height))
        left = min(round(left * scale), whole.width - picture.width)
        top = min(round(top * scale), whole.height - picture.height)
        return Placement(whole, picture, left, top)

    def focused(
        self, pixels: NDArray[Any], heads: Callable[[NDArray[Any]], Iterable[Circle]] | None = None
    ) -> Frame:
        """The frame, turned, with ``auto`` replaced by the middle of the window of most detail.

        Around what `heads` finds in the pixels, circles, more detail is than anywhere else. The
        first of them, of at least 50 pixels, takes nine tenths of the shorter side for ``face``,
        which is ``auto`` without one, and for ``face-or-whole``, which needs no aspect.

        Detail is the sum of differences between neighbouring pixels of `pixels`, [height, width,
        channels], reduced to a long side of about 128; of equal windows the most central one wins.
        """
        import numpy as np

        height, width = pixels.shape[:2]
        turned = self.turned(width, height)
        if not isinstance(self.at, str):
            return turned
        if self.pad is not None or (self.aspect is None and self.at != "face-or-whole"):
            return replace(turned, at=_CENTRE)
        found = tuple(heads(pixels)) if heads else ()
        near = replace(turned, aspect=turned.aspect or (1, 1))
        for x, y, radius in found[: self.at != "auto"]:
            seen, whole = 2 * radius * min(height, width), min(near.window(width, height)[2:])
            if seen >= _LEAST_FACE:
                return replace(near, at=(x, y, min(1.0, seen / (_NEAR * whole))))
        if self.aspect is None:
            return replace(turned, at=_CENTRE)
        step = math.ceil(max(height, width) / _SEEN)
        down, along = min(step, height), min(step, width)
        # Colours that are hidden where it is transparent are no detail.
        seen = pixels if pixels.shape[2] % 2 else pixels * (pixels[..., -1:] > 0)
        small = seen[: height // down * down, : width // along * along].astype(np.float64)
        small = small.reshape(height // down, down, width // along, along, -1).mean((1, 3))
        across = np.abs(np.diff(small, axis=1, append=small[:, -1:])).sum(2)
        detail = across + np.abs(np.diff(small, axis=0, append=small[-1:])).sum(2)
        rows, columns = detail.shape
        row, column = np.ogrid[0.5:rows, 0.5:columns]
        most = 1 + detail.sum()
        for x, y, radius in found:
            far = np.hypot(row - y * rows, column - x * columns)
            detail += most * (far < _HEAD * radius * min(rows, columns))
        _, _, wide, high = turned.window(columns, rows)
        return replace(turned, at=(_densest(detail.sum(0), wide), _densest(detail.sum(1), high)))


WHOLE = Frame()
"""The whole of what is shown, as dense as it is."""

Size: TypeAlias = "int | str | tuple[int, int] | Frame"
"""A long side in pixels, width and height as ``"1080x1080"`` or a pair, a length, or a frame."""


@dataclass(frozen=True)
class Placement:
    """The place of a picture of size `picture` on a drawing of size `whole`, in its pixels.

    `left` and `top` are negative where the picture has a border.
    """

    whole: Canvas
    picture: Canvas
    left: int
    top: int

    def cut(self, pixels: NDArray[np.uint8], fill: tuple[int, ...]) -> NDArray[np.uint8]:
        """The pixels of the picture, [height, width, channels], given those of the drawing."""
        import numpy as np

        if self.picture == self.whole:
            return pixels
        width, height = self.picture.width, self.picture.height
        if self.left >= 0 and self.top >= 0:
            return pixels[self.top : self.top + height, self.left : self.left + width]
        bordered = np.full((height, width, pixels.shape[2]), fill[: pixels.shape[2]], np.uint8)
        bordered[-self.top :, -self.left :][: self.whole.height, : self.whole.width] = pixels
        return bordered


def parse_frame(
    size: str | None = None,
    crop: str | None = None,
    at: str | None = None,
    pad: str | None = None,
    dpi: float | None = None,
) -> Frame:
    """Read a frame from texts.

    `size` is ``2048``, ``1080x1080``, ``30cm``, ``20x30cm`` (also mm, in) or ``A3``, `crop` is
    ``9:16``, ``1080x1920`` or ``A3``, `at` is ``auto`` or shares ``0.5,0.3``. Raises UsageError.
    """
    frame = Frame(at=parse_place(at), pad=pad)
    if crop is not None and _ASPECT.fullmatch(crop):
        frame = replace(frame, aspect=parse_aspect(crop))
    elif crop is not None:
        width, height, inches = _sides("--crop", crop, dpi)
        if height is None:
            raise UsageError(
                f"--crop {crop} is not an aspect ratio",
                hint="write 9:16 or A3, or 1080x1920 for pixels",
            )
        if crop[-1].isdigit() and width != height and max(width, height) <= _WIDEST:
            raise UsageError(
                f"--crop {crop} would be a still of {width} by {height} pixels",
                hint=f"write {width}:{height} for the aspect ratio, {crop}px for so few pixels",
            )
        frame = _with_sides(frame, width, height, inches, crop)
    if size is not None:
        width, height, inches = _sides("--size", size, dpi)
        if height is None:
            return replace(frame, size=width, inches=inches)
        if crop is not None:
            raise UsageError(
                f"--size {size} and --crop {crop} both ask for an aspect ratio",
                hint="leave --crop out: --size crops too",
            )
        frame = _with_sides(frame, width, height, inches, size)
    return frame


def parse_pixels(text: str, dpi: float | None = None, *, flag: str = "--size") -> int | str:
    """A long side in pixels, or ``WIDTHxHEIGHT``, given either or lengths; named paper as it is.

    Raises UsageError naming the `flag`.
    """
    width, height, _ = _sides(flag, text, dpi)
    if paper_sides(text) is not None:
        return text
    return width if height is None else f"{width}x{height}"


def paper_sides(text: str | None) -> tuple[float, float] | None:
    """Width and height in millimetres of the paper with this name, upright; None without one."""
    return {name.lower(): sides for name, sides in PAPERS.items()}.get((text or "").strip().lower())


def is_on_paper(text: str | None) -> bool:
    """Whether a size is a length or paper, so that it depends on the dots per inch."""
    return (text or "").strip().lower().endswith(tuple(_INCHES)) or paper_sides(text) is not None


def parse_aspect(text: str) -> tuple[int, int]:
    """The aspect ratio that ``9:16``, ``2.35:1`` or ``A3`` stands for, as whole numbers.

    Raises UsageError.
    """
    match, paper = _ASPECT.fullmatch(text), paper_sides(text)
    sides = [float(side) for side in paper or (match.groups() if match else ())]
    if not sides or not all(0 < side <= LARGEST for side in sides):
        raise UsageError(f"{text!r} is not an aspect ratio", hint="write 9:16")
    if max(sides) / min(sides) > 1000:
        raise UsageError(f"the aspect ratio {text} is above 1000:1")
    if not all(side.is_integer() for side in sides):
        scale = LARGEST / max(sides)
        sides = [max(1.0, side * scale) for side in sides]
    return round(sides[0]), round(sides[1])


def parse_place(text: str | None) -> Place:
    """The place that ``0.5,0.3``, ``0.5,0.3,0.6`` or a word such as ``auto`` stands for.

    Raises UsageError.
    """
    if text is None:
        return _CENTRE
    if text in _WORDS:
        return _WORDS[text]
    place = numbers(text)
    if (
        len(place) not in (2, 3)
        or not all(0 <= share <= 1 for share in place)
        or not all(share >= LEAST for share in place[2:])
    ):
        raise UsageError(
            f"{text!r} is not a point of a picture",
            hint="write auto, face, or shares of width and height such as 0.5,0.3, and of the "
            "largest crop, such as 0.5,0.3,0.6",
        )
    return place


Circle: TypeAlias = tuple[float, float, float]
"""Centre, as shares of width and height, and radius as a share of the shorter side."""

Focus: TypeAlias = "tuple[Circle, ...] | Literal['faces'] | None"
"""Circles, faces that are to be found, or nothing; without any circle, what is found stands out."""

_FOUND: dict[str, Focus] = {"auto": (), "faces": "faces", "none": None}


def is_focus(text: str) -> bool:
    """Whether `text` is for `parse_focus`, and not the name of a file."""
    numbers = "," in text and re.fullmatch(r"[-+0-9.,; ]*", text) is not None
    return text in _FOUND or numbers


def parse_focus(text: str) -> Focus:
    """The circles ``X,Y,R``, with a semicolon between several, or what is to be found.

    Raises UsageError.
    """
    if text in _FOUND:
        return _FOUND[text]
    circles = []
    for part in text.split(";"):
        circle = numbers(part)
        if len(circle) != 3 or not all(0 <= share <= 1 for share in circle) or not circle[2]:
            raise UsageError(
                f"{part.strip()!r} is not a circle in a picture",
                hint="write auto, faces, none, a file, or shares of width, height and the shorter "
                "side, such as 0.5,0.3,0.1",
            )
        circles.append(circle)
    return tuple(circles)


_Inches: TypeAlias = tuple[float, ...] | None


def _sides(flag: str, text: str, dpi: float | None) -> tuple[int, int | None, _Inches]:
    """One or two sides in pixels, and lengths exactly. Raises UsageError."""
    paper = paper_sides(text)
    plain = f"{paper[0]}x{paper[1]}mm" if paper else text.replace("\N{MULTIPLICATION SIGN}", "x")
    match = _SIZE.fullmatch(plain.replace(" ", ""))
    if match is None and flag == "--crop":
        typed = re.fullmatch(rf"{_NUMBER}\D{_NUMBER}", text)
        ratio = "{}:{}".format(*typed.groups()) if typed else "9:16"
        raise UsageError(
            f"--crop {text!r} is not an aspect ratio",
            hint=f"write {ratio}, or 1080x1920 for pixels",
        )
    if match is None:
        raise UsageError(
            f"{flag} {text!r} is not a size", hint="write 2048, 1080x1080, 30cm, 20x30cm or A3"
        )
    unit = (match[3] or "px").lower()
    inches = [float(side) * _INCHES.get(unit, 1.0) for side in match.groups()[:2] if side]
    sides = [side * (1.0 if unit == "px" else dpi or DPI) for side in inches]
    whole = unit != "px" or all(side.is_integer() for side in sides)
    if not whole or not all(1 <= round(side) <= LARGEST for side in sides):
        raise UsageError(
            f"{flag} {text} must be a whole number of pixels from 1 to {LARGEST}",
            hint="for example 1080 or 1080x1080"
            if unit == "px"
            else f"{text} are {' x '.join(f'{s:.0f}' for s in sides)}",
        )
    first, *second = map(round, sides)
    return first, second[0] if second else None, None if unit == "px" else tuple(inches)


def _with_sides(frame: Frame, width: int, height: int, inches: _Inches, text: str) -> Frame:
    """The frame with these sides, which turn where `text` names paper."""
    turns, size = paper_sides(text) is not None, max(width, height)
    return replace(frame, size=size, aspect=(width, height), turns=turns, inches=inches)


def _densest(detail: NDArray[Any], length: float) -> float:
    """The share at the middle of the stretch of this length around the most `detail`.

    Detail counts more in the middle of a stretch, so that nothing important is cut at its ends.
    """
    import numpy as np

    total = len(detail)
    size = min(total, max(1, round(length)))
    sums = np.convolve(detail, np.hanning(size + 2)[1:-1], "valid")
    best = np.flatnonzero(sums >= sums.max() * (1 - 1e-9))
    starts = best[np.abs(best - (total - size) / 2).argmin()]
    return round(float(starts + size / 2) / total, 4)
