"""The sample `clip`: a photograph that is panned, turned and lit, and after a cut another one.

It is made from scikit-image's photographs when it is asked for: a clip that needs no download.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen.canvas import Canvas
from artgen.targets._source import MOST_FRAMES, SourceOptions, content_hash
from artgen.targets.clip import ClipTarget, make_clip
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest

if TYPE_CHECKING:
    from PIL.Image import Image as Photograph

    from artgen.targets._decode import Decoded


_FRAMES, _FPS = 60, 24
_SIDE, _LARGEST_SIDE = 256, 1024
_ASPECT = 4 / 3
_FINER = 2
"""Supersampling: frames are drawn this many times larger, then reduced."""

_PHOTOGRAPHS = ("chelsea", "coffee")
"""Before and after the cut, which is in the middle."""

_SHOWN = 0.72
"""The visible share of a photograph's height."""
_PAN, _TURN = 0.04, math.radians(2.5)
"""The length of a pan, as a share of the photograph's height, and its rotation."""
_DIM, _LIGHT, _GLOW = 0.78, 0.42, 0.55
"""Brightness without the light, what the light adds, and its radius in heights."""


def open_clip_sample(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """The clip that ``clip?n=60&fps=24`` describes, 4:3, with a long side of 256 unless asked for.

    Raises InputError for another option.
    """
    options = SourceOptions("sample", rest, ("n", "fps"))
    count = options.number("n", _FRAMES, 1, MOST_FRAMES)
    fps = options.number("fps", _FPS, 1, 120)
    side = min(request.size or _SIDE, _LARGEST_SIDE)
    canvas = Canvas(side, max(1, round(side / _ASPECT)))

    return make_clip(
        partial(_drawn, count, canvas),
        request,
        fps=fps,
        name="clip",
        source=options.source,
        sha256=content_hash(f"clip {count} {fps} {side} 1"),
    )


def _drawn(count: int, canvas: Canvas, first: int) -> Iterator[Decoded]:
    """Frames number `first` to `count` - 1, uint8 [height, width, 3]."""
    from artgen.targets._decode import Decoded

    scene, photograph = -1, None
    for index in range(first, count):
        now = 0 if 2 * index < count else 1
        if photograph is None or now != scene:
            scene, photograph = now, _photograph(_PHOTOGRAPHS[now])
        begin, end = (0, -(-count // 2)) if now == 0 else (-(-count // 2), count)
        share = (index - begin) / max(1, end - begin - 1)
        yield Decoded(_moved(photograph, share, scene, canvas))


def _photograph(name: str) -> Photograph:
    from PIL import Image
    from skimage import data

    return Image.fromarray(getattr(data, name)())


def _moved(photograph: Photograph, share: float, scene: int, canvas: Canvas) -> NDArray[np.uint8]:
    """The visible part of the photograph at this share of its scene."""
    from PIL import Image

    tall = float(photograph.height)
    large = Canvas(canvas.width * _FINER, canvas.height * _FINER)
    step = _SHOWN * tall / large.height
    direction = 1 if scene == 0 else -1
    angle = direction * _TURN * (share - 0.5)
    # Slow at both ends, as a hand moves a camera.
    eased = share * share * (3 - 2 * share) - 0.5
    x = photograph.width / 2 + direction * _PAN * tall * eased
    y = tall / 2 + 0.25 * _PAN * tall * eased
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
    drawn: NDArray[np.uint8] = np.rint(np.clip(lit, 0, 255)).astype(np.uint8)
    return drawn
