"""Sample clips, computed when they are asked for: they need no download.

`clip` is a photograph that is panned, turned and lit, and after a cut another one. The others are
drawn by code at any size: subjects that move.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas
from artgen.targets import (
    DEFAULT_REQUEST,
    ClipTarget,
    SourceOptions,
    TargetRequest,
    clip_from_frames,
    content_hash,
)
from artgen_plugins.samples.opener import photograph
from artgen_plugins.samples.subjects import draw_subject
from artgen_plugins.samples.subjects._plate import sampled

if TYPE_CHECKING:
    from PIL.Image import Image as Photograph
Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

_FRAMES, _MOST_FRAMES, _FPS = 60, 10_000, 24
_SIDE, _LARGEST_SIDE = 256, 1024
_ASPECT = 4 / 3
_FINER = 2
"""Supersampling: frames are drawn this many times larger, then reduced."""

_PHOTOGRAPHS = ("chelsea", "coffee")
"""Before and after the cut, which is in the middle."""

_SHOWN = 0.72
"""The visible share of a photograph's height."""
_DIM, _LIGHT, _GLOW = 0.78, 0.42, 0.55
"""Brightness without the light, what the light adds, and its radius in heights."""


def open_clip(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """Open ``clip?n=60&fps=24`` or another, 4:3, with a long side of 256 by default.

    ``pan=0.05&turn=3`` are what a scene of `clip` is panned by, as a share of the photograph's
    height, and turned by, in degrees. The others take ``speed=1`` instead. Raises InputError for
    another option.
    """
    name = rest.partition("?")[0]
    own = ("pan", "turn") if name == "clip" else ("speed",)
    options = SourceOptions("sample", rest, ("n", "fps", *own))
    count = options.number("n", _FRAMES, 1, _MOST_FRAMES)
    fps = options.number("fps", _FPS, 1, 120)
    side = min(request.size or _SIDE, _LARGEST_SIDE)
    canvas = Canvas(side, max(1, round(side / _ASPECT)))
    if name == "clip":
        pan, turn = options.decimal("pan", 0.05, 0, 0.1), options.decimal("turn", 3, 0, 20)
        draw = partial(_drawn, count, canvas, pan, math.radians(turn))
        how = f"{pan:g} {turn:g} "
        how = f"clip {count} {fps} {side} {'' if how == '0.04 2.5 ' else how}1"
    else:
        speed = options.decimal("speed", 1, 0.01, 100)
        draw = partial(_generated, _CLIPS[name], count, speed / fps, canvas)
        how = f"{name} {count} {fps} {side} {speed:g} 1"
    digest = content_hash(how)
    return clip_from_frames(draw, request, name, fps=fps, source=options.source, sha256=digest)


def _drawn(count: int, canvas: Canvas, pan: float, turn: float, first: int) -> Iterator[Pixels]:
    """Frames number `first` to `count` - 1, uint8 [height, width, 3]."""
    from PIL import Image

    for index in range(first, count):
        scene = 0 if 2 * index < count else 1
        begin, end = (0, -(-count // 2)) if scene == 0 else (-(-count // 2), count)
        share = (index - begin) / max(1, end - begin - 1)
        picture = Image.fromarray(photograph(_PHOTOGRAPHS[scene]))
        yield _moved(picture, share, scene, canvas, pan, turn)


def _moved(
    photograph: Photograph, share: float, scene: int, canvas: Canvas, pan: float, turn: float
) -> Pixels:
    """The visible part of the photograph at this share of its scene."""
    from PIL import Image

    tall = float(photograph.height)
    large = Canvas(canvas.width * _FINER, canvas.height * _FINER)
    step = _SHOWN * tall / large.height
    direction = 1 if scene == 0 else -1
    angle = direction * turn * (share - 0.5)
    # Slow at both ends, as a hand moves a camera.
    eased = share * share * (3 - 2 * share) - 0.5
    x = photograph.width / 2 + direction * pan * tall * eased
    y = tall / 2 + 0.25 * pan * tall * eased
    cosine, sine = step * math.cos(angle), step * math.sin(angle)
    middle = large.width / 2, large.height / 2
    across = x - cosine * middle[0] + sine * middle[1]
    along = y - sine * middle[0] - cosine * middle[1]
    seen = photograph.transform(
        (large.width, large.height),
        Image.Transform.AFFINE,
        (cosine, -sine, across, sine, cosine, along),
        Image.Resampling.BICUBIC,
    )
    pixels = np.asarray(seen.reduce(_FINER), np.float64)
    rows, columns = np.mgrid[: canvas.height, : canvas.width] / canvas.height
    place = share * _ASPECT if scene == 0 else (1 - share) * _ASPECT
    light = np.exp(-((columns - place) ** 2 + (rows - 0.4) ** 2) / (2 * _GLOW**2))
    lit = pixels * (_DIM + _LIGHT * light)[..., None]
    return np.asarray(np.rint(np.clip(lit, 0, 255)).astype(np.uint8))


class _Moment:
    """A frame to be drawn: `seconds`, and the places `x`, `y` of its samples in canvas units."""

    def __init__(self, canvas: Canvas, seconds: float) -> None:
        self.canvas, self.seconds = canvas, seconds
        large = canvas.scaled(_FINER * canvas.width)
        rows, columns = np.mgrid[: large.height, : large.width]
        least = min(large.width, large.height)
        self.x: Floats = (2 * columns + 1 - large.width) / least
        self.y: Floats = (2 * rows + 1 - large.height) / least

    def look(self, subject: str, x: Floats, y: Floats) -> Floats:
        """The colours of a subject at places, whose shorter side goes from -1 to 1, [..., 3]."""
        # Smaller, a subject has windows without a pixel.
        picture = _subject(subject, max(10, 2 * self.canvas.width))
        height, width = picture.shape[:2]
        row, column = (
            (axis * min(width, height) + length - 1) / 2
            for axis, length in ((y, height), (x, width))
        )
        return sampled(picture, row, column, "mirror")


@lru_cache(4)
def _subject(name: str, side: int) -> Floats:
    """A subject, kept because the frames of a clip are drawn several times, [height, width, 3]."""
    pixels = draw_subject(name, side).astype(np.float64)
    pixels.flags.writeable = False
    return pixels


def _generated(
    draw: Callable[[_Moment], Floats], count: int, step: float, canvas: Canvas, first: int
) -> Iterator[Pixels]:
    """Frames number `first` to `count` - 1, `step` seconds apart, uint8 [height, width, 3]."""
    for index in range(first, count):
        fine = draw(_Moment(canvas, index * step))
        size = (canvas.height, _FINER, canvas.width, _FINER, 3)
        fine = fine[: canvas.height * _FINER, : canvas.width * _FINER]
        mean = fine.reshape(size).mean(axis=(1, 3))
        yield np.rint(np.clip(mean, 0, 255)).astype(np.uint8)


def _balls(moment: _Moment) -> Floats:
    """Three balls bounce and roll in front of dunes, which stand still."""
    picture = moment.look("dunes", moment.x, moment.y)
    for number, (radius, subject) in enumerate(_BALLS):
        run = _ASPECT - radius
        turned = 0.45 * moment.seconds + 1.7 * number
        # There and back again between the sides, and up and down.
        x = run * (1 - abs((turned / run) % 4 - 2))
        y = 1 - radius - 0.9 * abs(math.sin(1.3 * moment.seconds + 1.1 * number))
        across, along = (moment.x - x) / radius, (moment.y - y) / radius
        cosine, sine = math.cos(turned), math.sin(turned)
        own = moment.look(
            subject, 0.5 * (cosine * across + sine * along), 0.5 * (cosine * along - sine * across)
        )
        shade = 1.1 - 0.35 * (across + along + 1.2)
        inside = np.hypot(across, along) < 1
        picture = np.where(inside[..., None], own * shade[..., None], picture)
    return picture


_BALLS = ((0.42, "fruit"), (0.3, "koi"), (0.35, "windows"))
"""The radius of each ball in canvas units, and what it is painted with."""


def _flag(moment: _Moment) -> Floats:
    """A picture on cloth that waves in the wind, more so the farther it is from its pole."""
    loose = 0.09 * (moment.x / _ASPECT + 1) / 2
    phase = 4.2 * moment.x - 1.2 * moment.y - 5 * moment.seconds
    x = 0.9 * moment.x + 0.6 * loose * np.cos(phase)
    y = 0.9 * moment.y + loose * np.sin(phase)
    light = 1 + 2.2 * loose * np.cos(phase + 0.7)
    return moment.look("fruit", x, y) * light[..., None]


def _zoom(moment: _Moment) -> Floats:
    """A camera that comes nearer, turns and trembles as if held by hand."""
    t = moment.seconds
    near, angle = 0.95 * math.exp(-0.12 * t), 0.06 * t
    cosine, sine = near * math.cos(angle), near * math.sin(angle)
    x = cosine * moment.x - sine * moment.y + 0.04 * math.sin(3.1 * t) + 0.015 * math.sin(11 * t)
    y = sine * moment.x + cosine * moment.y + 0.03 * math.sin(4.3 * t) + 0.012 * math.sin(13 * t)
    return moment.look("harbour", x, y)


_CLIPS: dict[str, Callable[[_Moment], Floats]] = {
    "clip-balls": _balls,
    "clip-flag": _flag,
    "clip-zoom": _zoom,
}
"""Clips drawn by code, by the name behind ``sample:``."""
