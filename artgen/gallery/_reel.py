"""A reel: the videos of a gallery one after the other, each behind a card with its title.

Frames are read, scaled and written one at a time, so that memory does not grow with the number of
pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen.errors import GalleryError
from artgen.gallery._page import Shown
from artgen.output import read_frames, write_video

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["write_reel"]

CARD_SECONDS, FADE_SECONDS = 1.6, 0.4

_PAPER, _INK, _QUIET = (14, 14, 16), (234, 232, 228), (163, 160, 154)
_MARGIN = 0.04
"""Around the pictures, as a share of the height."""

Pixels = NDArray[np.uint8]


def write_reel(
    path: Path, shown: Sequence[Shown], *, width: int = 1280, height: int = 720, fps: int = 30
) -> float:
    """Write the MP4 file `path` and return how many seconds it lasts.

    Raises GalleryError where there is no piece, InputError for a damaged video, OutputError.
    """
    if not shown:
        raise GalleryError("there is no piece to show", hint="run artgen gallery build first")
    counted = 0

    def frames() -> Iterator[Pixels]:
        nonlocal counted
        for piece in shown:
            for frame in _scene(piece, width, height, fps):
                counted += 1
                yield frame

    write_video(path, frames(), fps=fps)
    return counted / fps


def _scene(shown: Shown, width: int, height: int, fps: int) -> Iterator[Pixels]:
    """The card, a blend into the first frame, the video."""
    card = _card(shown, width, height)
    yield from [card] * round(CARD_SECONDS * fps)
    fade = round(FADE_SECONDS * fps)
    film = read_frames(shown.piece.folder / "progress.mp4", fps=fps)
    for index, pixels in enumerate(film):
        frame = _framed(pixels, width, height)
        if index < fade:
            share = (index + 1) / (fade + 1)
            frame = (card * (1 - share) + frame * share + 0.5).astype(np.uint8)
        yield frame


def _framed(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture as large as it gets with a margin, on near-black."""
    from PIL import Image

    margin = round(_MARGIN * height)
    scale = min((width - 2 * margin) / pixels.shape[1], (height - 2 * margin) / pixels.shape[0])
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    sheet = Image.new("RGB", (width, height), _PAPER)
    picture = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    sheet.paste(picture, ((width - size[0]) // 2, (height - size[1]) // 2))
    return np.asarray(sheet)


def _card(shown: Shown, width: int, height: int) -> Pixels:
    """Title and facts in the middle."""
    from PIL import Image

    sheet = Image.new("RGB", (width, height), _PAPER)
    facts = "  ·  ".join(shown.facts[:3])
    _write(sheet, shown.piece.title, height // 2 - height // 28, height // 16, _INK)
    _write(sheet, facts, height // 2 + height // 18, height // 36, _QUIET)
    return np.asarray(sheet)


def _write(sheet: Image, text: str, middle: int, size: int, colour: tuple[int, int, int]) -> None:
    """A centred line, smaller where it would be too wide."""
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    wide = font.getlength(text) / (0.9 * sheet.width)
    if wide > 1:
        font = ImageFont.load_default(max(8, int(size / wide)))
    ImageDraw.Draw(sheet).text((sheet.width / 2, middle), text, colour, font, anchor="mm")
