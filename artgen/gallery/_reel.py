"""A reel: the videos of a gallery in sequence, each above its title.

Frames are read, scaled and written one at a time, so memory does not grow with the number of
pieces.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from artgen.base.errors import GalleryError, InputError
from artgen.gallery._page import FinishedPiece
from artgen.output import Pixels, read_frames, write_video
from artgen.output.spool import with_ends
from artgen.output.still import caption_font

SPEED = 1.5
"""How much faster than alone videos run, so that ten of them take about a minute."""

LONGEST_SECONDS, FADE_SECONDS, FPS = 9.0, 0.4, 30

_PAPER, _INK, _QUIET = (14, 14, 16), (234, 232, 228), (163, 160, 154)
_MARGIN, _CAPTION = 0.03, 0.12
"""Margin around the pictures and height of the words below, as fractions of the height."""


def write_reel(path: Path, pieces: Sequence[FinishedPiece], command: str, height: int) -> float:
    """Write a video of 16:9 to `path`, as `write_video` does, and return its duration in seconds.

    Raises GalleryError if `pieces` is empty, InputError for a damaged video, each with the hint to
    run `command`, and OutputError.
    """
    if not pieces:
        raise GalleryError("no piece to show", hint=f"run {command} first")
    counted, width = 0, 2 * round(height * 8 / 9)

    def frames() -> Iterator[Pixels]:
        nonlocal counted
        fade = round(FADE_SECONDS * FPS)
        shown: Pixels | None = None
        for piece in pieces:
            before = shown
            video = read_frames(piece.piece.folder / "progress.mp4", fps=FPS / SPEED)
            longest = round(LONGEST_SECONDS * FPS)
            making = _framed(piece, itertools.islice(video, longest), width, height)
            if before is None:
                # It opens on a picture, not on an empty canvas.
                making = with_ends(making, FPS, _result(piece, command, width, height))
            for index, frame in enumerate(making):
                counted += 1
                share = (index + 1) / (fade + 1)
                yield frame if before is None or share >= 1 else _mixed(before, frame, share)
                shown = frame

    write_video(path, frames(), fps=FPS)
    return counted / FPS


def _mixed(before: Pixels, after: Pixels, share: float) -> Pixels:
    return np.rint(before * (1 - share) + after * share).astype(np.uint8)


def _result(shown: FinishedPiece, command: str, width: int, height: int) -> Pixels:
    """The still of a piece, see `_framed`."""
    still = shown.piece.folder / "result.jpg"
    try:
        with Image.open(still, formats=["JPEG"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise InputError(f"{still}: {error}", hint=f"run {command}") from None
    return next(_framed(shown, [pixels], width, height))


def _framed(
    shown: FinishedPiece, pictures: Iterable[Pixels], width: int, height: int
) -> Iterator[Pixels]:
    """Yield pictures above the title and the facts of their piece, on near-black."""
    sheet = Image.new("RGB", (width, height), _PAPER)
    _write(sheet, shown.piece.title, round(0.925 * height), height // 26, _INK)
    _write(sheet, "  ·  ".join(shown.facts[:3]), round(0.968 * height), height // 42, _QUIET)
    margin, caption = round(_MARGIN * height), round(_CAPTION * height)
    for pixels in pictures:
        room = width - 2 * margin, height - margin - caption
        scale = min(room[0] / pixels.shape[1], room[1] / pixels.shape[0])
        size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        picture = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
        sheet.paste(picture, ((width - size[0]) // 2, margin + (room[1] - size[1]) // 2))
        yield np.array(sheet)


def _write(
    sheet: Image.Image, text: str, middle: int, size: int, colour: tuple[int, int, int]
) -> None:
    """Draw a centred line of text, smaller if it would be too wide."""
    font = caption_font(size, text)
    wide = font.getlength(text) / (0.9 * sheet.width)
    if wide > 1:
        font = caption_font(max(8, int(size / wide)), text)
    ImageDraw.Draw(sheet).text((sheet.width / 2, middle), text, colour, font, anchor="mm")
