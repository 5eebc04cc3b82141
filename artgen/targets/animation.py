"""The frames of animated GIF, WebP and PNG files, decoded by Pillow, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from PIL import Image, ImageSequence

from artgen.base.decode import Decoded, check_size, decode_frame, pillow_guard
from artgen.base.errors import InputError
from artgen.targets.source import ANIMATIONS, MOST_FRAMES

MOST_PIXELS = 2_000_000_000
"""Pixels of the frames that are gone through when an animation is opened: one of a few bytes may be
as large as any."""


def is_animated(path: Path) -> bool:
    """Whether a GIF, WebP or APNG file has several frames, by its header."""
    try:
        # Nothing is decoded yet, so any size will do.
        with pillow_guard(2**40, str(path)), _opened(path, 2**40, str(path)) as image:
            return bool(getattr(image, "is_animated", False))
    except InputError:
        # Opening it as a picture says what is wrong with it.
        return False


def animation_rate(path: Path, where: str, limit: int) -> float:
    """Frames per second: the number of frames over the sum of the times that they are shown.

    Of many large frames, the first ones count.
    """
    milliseconds, number = 0.0, 0
    with pillow_guard(limit, where), _opened(path, limit, where) as image:
        most = min(MOST_FRAMES, max(1, MOST_PIXELS // (image.width * image.height)))
        for frame in islice(ImageSequence.Iterator(image), _hidden(image), _hidden(image) + most):
            if frame.format == "WEBP":
                frame.load()  # Only then is the duration known.
            milliseconds += float(frame.info.get("duration") or 100)
            number += 1
    return 1000 * number / (milliseconds or 1)


def animation_frames(path: Path, where: str, limit: int, first: int) -> Iterator[Decoded]:
    """Frames as they are shown, each laid over those before it."""
    with pillow_guard(limit, where):
        image = _opened(path, limit, where)
    with image:
        for index in count(first + _hidden(image)):
            with pillow_guard(limit, where):
                try:
                    image.seek(index)
                except EOFError:
                    return
                picture = decode_frame(image.copy(), where)
            yield picture


def _hidden(image: Image.Image) -> int:
    """The number of pictures before the first frame: an APNG may have one for older readers."""
    return int(getattr(image, "default_image", False))


def _opened(path: Path, limit: int, where: str) -> Image.Image:
    image = Image.open(path, formats=[ANIMATIONS[path.suffix.lower()]])
    check_size(*image.size, limit, where)
    return image
