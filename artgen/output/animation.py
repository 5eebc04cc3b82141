"""GIF, WebP and APNG: animated pictures for where no video is allowed. Larger than a video.

Their encoders want all frames at once or take long, so sides, rate and number are limited.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from artgen.base.errors import OutputError
from artgen.output.atomic import atomic_path
from artgen.output.still import DESCRIPTION, Pixels, description_exif, png_texts

if TYPE_CHECKING:
    from PIL.Image import Image


T = TypeVar("T")

_MOST_PIXELS = 90_000_000
"""Animations that claim more than twice as many pixels are not opened."""


@dataclass(frozen=True)
class Animation:
    """The limits of a format: pixels of the long side, frames per second, number of frames."""

    side: int
    fps: float
    frames: int
    settings: Callable[[str], dict[str, Any]]
    """Options of Pillow's encoder, given the comment to store."""


ANIMATIONS = {
    # Browsers slow GIFs down that want more than fifty frames per second; delays are in 1/100 s.
    ".gif": Animation(
        480, 12.5, 400, lambda text: {"comment": text.encode(), "optimize": False, "disposal": 1}
    ),
    ".webp": Animation(
        720, 25.0, 800, lambda text: {"exif": description_exif(text), "quality": 80, "method": 4}
    ),
    ".apng": Animation(480, 25.0, 300, lambda text: {"pnginfo": png_texts(text or None)}),
}


def write_animation(
    path: Path,
    frames: Iterable[Pixels],
    *,
    fps: float,
    comment: str,
    quality: int | None,
    colours: int | None,
) -> None:
    """Write `frames`, uint8 [h, w, 3] of one size, as an endless animation, by the suffix.

    `quality` is that of a WebP (None: 80). `colours`, 2 to 256, is the size of one palette for all
    frames of a GIF (None: each has its own). Frames are left out and made smaller to keep
    within the format's limits. Raises OutputError where there are more than it may have, and as
    `atomic_path` does.
    """
    from PIL.Image import Dither

    suffix = path.suffix.lower()
    limits = ANIMATIONS[suffix]
    rate = min(float(fps), limits.fps)
    settings = limits.settings(comment)
    if quality is not None:
        settings["quality"] = quality
    unit = 10 if suffix == ".gif" else 1  # milliseconds
    # Rounded sums, so that pauses add up; times that were rounded would drift.
    ends = np.rint(np.arange(limits.frames + 1) * (1000 / rate / unit)).astype(int) * unit
    pictures = _pictures(path, thinned(frames, fps, rate), limits)
    if colours is not None:
        every = list(pictures)
        shared = _palette(every, colours)
        settings["palette"] = bytes(shared.getpalette() or ())
        pictures = (picture.quantize(palette=shared, dither=Dither.NONE) for picture in every)
    with atomic_path(path) as partial, partial.open("wb") as file:
        try:
            next(pictures).save(
                file,
                "PNG" if suffix == ".apng" else suffix[1:],
                save_all=True,
                # An iterator: no frames are held; Pillow goes through those of an APNG twice.
                append_images=list(pictures) if suffix == ".apng" else pictures,
                duration=np.diff(ends).tolist(),
                loop=0,
                **settings,
            )
        except (struct.error, OverflowError):
            raise OutputError(
                f"cannot write a {suffix[1:]}: it stands still for longer than the format can say",
                hint="make it shorter, or write .mp4 or .webm",
            ) from None


def _palette(pictures: Sequence[Image], colours: int) -> Image:
    """A picture whose palette, of at most `colours`, suits all of the pictures, by samples."""
    from PIL.Image import fromarray

    samples = [*pictures[:: 1 + len(pictures) // 16], pictures[-1]]
    return fromarray(np.concatenate([*map(np.asarray, samples)])).quantize(colours)


def read_description(path: Path) -> str | None:
    """The comment of a GIF, or the description of a WebP, JPEG, AVIF or TIFF; None without one.

    Raises InputError if damaged.
    """
    from PIL import Image

    from artgen.base.decode import pillow_guard

    animated = path.suffix.lower() in ANIMATIONS
    formats = ["GIF", "WEBP"] if animated else ["JPEG", "AVIF", "TIFF"]
    # What animations claim is painted as they are opened; of stills, even posters, nothing is read.
    most = _MOST_PIXELS if animated else sys.maxsize
    with pillow_guard(most, str(path)), Image.open(path, formats=formats) as picture:
        if picture.format == "GIF":
            comment = picture.info.get("comment")
        else:
            comment = picture.getexif().get(DESCRIPTION)
    if isinstance(comment, bytes):
        return comment.decode("utf-8", "replace")
    # A file may say that its description is a number.
    return comment if isinstance(comment, str) else None


def thinned(frames: Iterable[T], fps: float, rate: float) -> Iterator[T]:
    """The frames at `rate` instead of `fps`; the last one is always there."""
    shown, due = 0, True
    pixels: T | None = None
    for index, pixels in enumerate(frames):
        due = index * rate >= shown * fps
        if due:
            shown += 1
            yield pixels
    if pixels is not None and not due:
        yield pixels


def _pictures(path: Path, frames: Iterator[Pixels], limits: Animation) -> Iterator[Image]:
    """Frames as the encoder takes them. Raises OutputError where there are too many."""
    from PIL import Image

    for index, pixels in enumerate(frames):
        if index == limits.frames:
            raise OutputError(
                f"cannot write a {path.suffix[1:]}: it would have more than {limits.frames} frames",
                hint="make it shorter, or write .mp4 or .webm",
            )
        picture = Image.fromarray(pixels)
        picture.thumbnail((limits.side, limits.side), Image.Resampling.LANCZOS)
        yield picture
