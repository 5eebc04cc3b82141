"""The samples `digits` and `letters`, in the fonts that matplotlib brings, and sets in colour.

Each picture is a little different. They are made from a seed when they are asked for: pictures to
learn from that need no download.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError
from artgen.targets import (
    DEFAULT_REQUEST,
    SetTarget,
    SourceOptions,
    TargetRequest,
    content_hash,
    set_from_arrays,
)
from artgen_plugins.samples import birds, butterflies, cats, faces, flowers, pots, tiles

if TYPE_CHECKING:
    from PIL.Image import Image


_IN_COLOUR = {
    "flowers": (flowers.CLASSES, flowers.draw_flower),
    "butterflies": (butterflies.CLASSES, butterflies.draw_butterfly),
    "birds": (birds.CLASSES, birds.draw_bird),
    "cats": (cats.CLASSES, cats.draw_cat),
    "faces": (faces.CLASSES, faces.draw_face),
    "pots": (pots.CLASSES, pots.draw_pot),
    "tiles": (tiles.CLASSES, tiles.draw_tile),
}
"""The classes of each set in colour, names of kinds, and what draws a picture of one."""

_CLASSES: dict[str, Sequence[str]] = {
    "digits": string.digits,
    "letters": string.ascii_uppercase,
    **{name: classes for name, (classes, _) in _IN_COLOUR.items()},
}
"""The classes of each set: characters, or names of kinds."""

_OF_TYPE = {"glow": 0.0, "move": 1.0}
"""Options of characters, and their values unless given."""

_PICTURES, _MOST = 3000, 70_000
_SIDE, _LARGEST_SIDE = 28, 256
_FINER = 3
"""Supersampling: characters are drawn this many times larger, then reduced."""
_TURN, _SHEAR, _ZOOM, _SHIFT = math.radians(12), 0.25, 0.15, 0.06
"""The most by which a character is turned, slanted, larger or smaller, and off the middle."""
_OUTLINE = 0.7
"""The light of the outline of a character that glows."""
_FAMILIES = ("Sans", "Serif", "SansMono")
_STYLES = ("", "-Bold", "-Oblique", "-BoldOblique", "-Italic", "-BoldItalic")


def open_set(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> SetTarget:
    """``digits?n=3000&seed=0`` or ``letters``, white on black, or a set in colour.

    Characters may have a `glow`, its width as a share of a side, and `move` less, a factor. One of
    six is to be judged on. Raises InputError for another option.
    """
    what, known = rest.partition("?")[0].strip(), ("n", "seed")
    options = SourceOptions("sample", rest, known if what in _IN_COLOUR else (*known, *_OF_TYPE))
    names = _CLASSES[what]
    style = tuple(options.decimal(key, usual, 0, 1) for key, usual in _OF_TYPE.items())
    count = options.number("n", _PICTURES, 12, _MOST)
    seed = options.number("seed", 0, 0, 2**63 - 1)
    side = min(request.size or _SIDE, _LARGEST_SIDE)
    if count * side * side > request.max_pixels:
        raise InputError(
            f"{options.source} has more than {request.max_pixels:,} pixels in all",
            hint="ask for fewer or smaller pictures, or raise --max-pixels",
        )
    images = drawn(what, count, side, seed, *style).copy()
    labels = np.resize(list(names), count)
    tested = count // 6
    settings = what, count, seed, side, *(style if style != tuple(_OF_TYPE.values()) else ())
    digest = content_hash(" ".join(map(str, settings)))
    return set_from_arrays(
        images[tested:],
        labels[tested:],
        request,
        what,
        test_images=images[:tested],
        test_labels=labels[:tested],
        source=options.source,
        sha256=digest,
    )


@lru_cache(maxsize=1)
def drawn(
    what: str, count: int, side: int, seed: int, glow: float = 0.0, move: float = 1.0
) -> NDArray[np.uint8]:
    """The pictures of all classes in turn; those asked for last are kept: runs open them often."""
    classes = np.arange(count) % len(_CLASSES[what])
    rng = np.random.default_rng(seed)
    if what in _IN_COLOUR:
        _, draw = _IN_COLOUR[what]
        return np.stack([draw(int(number), side, rng) for number in classes])
    return np.stack(list(_drawn("".join(_CLASSES[what]), classes, side, rng, glow, move)))


def _drawn(
    characters: str,
    classes: NDArray[np.int64],
    side: int,
    rng: np.random.Generator,
    glow: float,
    move: float,
) -> Iterator[NDArray[np.uint8]]:
    """The character of each class in a font and a place of its own, uint8 [side, side]."""
    from PIL import Image

    large = side * _FINER
    glyphs = _glyphs(characters, large)
    for number in classes:
        picture = glyphs[int(rng.integers(len(glyphs)))][number]
        turn, shear, zoom, right, down = move * (2 * rng.random(5) - 1)
        cosine, sine = math.cos(_TURN * turn), math.sin(_TURN * turn)
        scale, slope = 1 + _ZOOM * zoom, _SHEAR * shear
        # From the new place to the old one, both seen from the middle.
        rows = (
            (cosine - slope * sine) / scale,
            (sine + slope * cosine) / scale,
            -sine / scale,
            cosine / scale,
        )
        middle = large / 2
        x, y = middle + _SHIFT * large * right, middle + _SHIFT * large * down
        across = middle - rows[0] * x - rows[1] * y
        along = middle - rows[2] * x - rows[3] * y
        moved = picture.transform(
            (large, large),
            Image.Transform.AFFINE,
            (rows[0], rows[1], across, rows[2], rows[3], along),
            Image.Resampling.BILINEAR,
        )
        if glow:
            moved = Image.fromarray(_glowing(np.asarray(moved) > 127, glow * large))
        yield np.asarray(moved.reduce(_FINER))


def _glowing(inside: NDArray[np.bool_], reach: float) -> NDArray[np.uint8]:
    """The distance from the outline as light, which is 0 from `reach` pixels outside."""
    from scipy.ndimage import distance_transform_edt

    away = distance_transform_edt(~inside) - distance_transform_edt(inside)
    light = _OUTLINE * (1 - away / reach)
    return np.asarray(np.rint(255 * light.clip(0, 1)).astype(np.uint8))


def _glyphs(characters: str, side: int) -> list[list[Image]]:
    """The characters in every font, gray pictures of `side` pixels, white on black."""
    from PIL import Image as images
    from PIL import ImageDraw, ImageFont

    glyphs = []
    for file in _fonts():
        font = ImageFont.truetype(file, round(0.86 * side))
        drawn = []
        for character in characters:
            picture = images.new("L", (side, side))
            # The middle of its own ink: no character hangs below the line.
            left, top, right, bottom = font.getbbox(character, anchor="mm")
            place = (side / 2 - (left + right) / 2, side / 2 - (top + bottom) / 2)
            ImageDraw.Draw(picture).text(place, character, 255, font, anchor="mm")
            drawn.append(picture)
        glyphs.append(drawn)
    return glyphs


def _fonts() -> list[str]:
    """The DejaVu fonts that came with matplotlib, in an order of ours."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = (f"DejaVu{family}{style}.ttf" for family in _FAMILIES for style in _STYLES)
    return [str(folder / name) for name in names if (folder / name).is_file()]
