"""A reel: the videos of a gallery in sequence, each after a title card.

Frames are read, scaled and written one at a time, so memory does not grow with the number of
pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen.errors import GalleryError
from artgen.gallery._page import FinishedPiece
from artgen.output import read_frames, write_video

if TYPE_CHECKING:
    from PIL.Image import Image


CARD_SECONDS, FADE_SECONDS = 1.6, 0.4

_PAPER, _INK, _QUIET = (14, 14, 16), (234, 232, 228), (163, 160, 154)
_MARGIN = 0.04
"""Margin around the pictures, as a fraction of the height."""

Pixels = NDArray[np.uint8]


def write_reel(
    path: Path,
    pieces: Sequence[FinishedPiece],
    *,
    width: int = 1280,
    height: int = 720,
    fps: int = 30,
) -> float:
    """Write the MP4 file `path` and return its duration in seconds.

    Raises GalleryError if `pieces` is empty, InputError for a damaged video, OutputError.
    """
    if not pieces:
        raise GalleryError("no piece to show", hint="run artgen gallery build first")
    counted = 0

    def frames() -> Iterator[Pixels]:
        nonlocal counted
        for piece in pieces:
            for frame in _piece_frames(piece, width, height, fps):
                counted += 1
                yield frame

    write_video(path, frames(), fps=fps)
    return counted / fps


def _piece_frames(shown: FinishedPiece, width: int, height: int, fps: int) -> Iterator[Pixels]:
    """Yield the title card, a fade into the first frame, and the video."""
    card = _title_card(shown, width, height)
    yield from [card] * round(CARD_SECONDS * fps)
    fade = round(FADE_SECONDS * fps)
    video = read_frames(shown.piece.folder / "progress.mp4", fps=fps)
    for index, pixels in enumerate(video):
        frame = _framed(pixels, width, height)
        if index < fade:
            share = (index + 1) / (fade + 1)
            frame = (card * (1 - share) + frame * share + 0.5).astype(np.uint8)
        yield frame


def _framed(pixels: Pixels, width: int, height: int) -> Pixels:
    """Scale the picture to fill the frame up to a margin, on near-black."""
    from PIL import Image

    margin = round(_MARGIN * height)
    scale = min((width - 2 * margin) / pixels.shape[1], (height - 2 * margin) / pixels.shape[0])
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    sheet = Image.new("RGB", (width, height), _PAPER)
    picture = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    sheet.paste(picture, ((width - size[0]) // 2, (height - size[1]) // 2))
    return np.asarray(sheet)


def _title_card(shown: FinishedPiece, width: int, height: int) -> Pixels:
    """Draw title and facts in the middle."""
    from PIL import Image

    sheet = Image.new("RGB", (width, height), _PAPER)
    facts = "  ·  ".join(shown.facts[:3])
    _write(sheet, shown.piece.title, height // 2 - height // 28, height // 16, _INK)
    _write(sheet, facts, height // 2 + height // 18, height // 36, _QUIET)
    return np.asarray(sheet)


def _write(sheet: Image, text: str, middle: int, size: int, colour: tuple[int, int, int]) -> None:
    """Draw a centred line of text, smaller if it would be too wide."""
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    wide = font.getlength(text) / (0.9 * sheet.width)
    if wide > 1:
        font = ImageFont.load_default(max(8, int(size / wide)))
    ImageDraw.Draw(sheet).text((sheet.width / 2, middle), text, colour, font, anchor="mm")
