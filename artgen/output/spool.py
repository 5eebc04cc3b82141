"""Frames on disk, to be read again: backwards for a loop, or several times to keep a file small."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import OutputError
from artgen.base.waiting import report
from artgen.output.atomic import atomic_write
from artgen.output.video import QUALITIES, Sound, write_video

Pixels = NDArray[np.uint8]

_SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)
"""Shares of the sides of a video that is too large."""

STILL_SECONDS, FADE_SECONDS = 1.0, 0.7
"""How long a picture at an end of a video is shown, and how long it fades."""


class Spool:
    """Frames, uint8 [h, w, 3] of one size, in a temporary file. Use it in a ``with`` block.

    Repeated frames are stored once. Raises OutputError where the disk is full.
    """

    def __init__(self, frames: Iterable[Pixels]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._places: list[int] = []
        before: Pixels | None = None
        stored = -1
        try:
            for number, pixels in enumerate(frames, 1):
                report("drawing the frames", done=number)
                if before is None or not np.array_equal(pixels, before):
                    self._file.write(np.ascontiguousarray(pixels).data)
                    stored, before = stored + 1, pixels
                self._places.append(stored)
        except OSError as error:
            self._file.close()
            hint = "free some space, or let TMPDIR name a folder on another disk"
            raise OutputError(f"cannot keep frames: {error.strerror}", hint=hint) from error
        self._shape = (0, 0, 3) if before is None else before.shape

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Pixels]:
        return map(self._read, self._places)

    def __reversed__(self) -> Iterator[Pixels]:
        return map(self._read, reversed(self._places))

    def _read(self, place: int) -> Pixels:
        size = int(np.prod(self._shape))
        self._file.seek(place * size)
        return np.frombuffer(self._file.read(size), np.uint8).reshape(self._shape)


def there_and_back(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    """The frames, then all of them backwards."""
    with Spool(frames) as spool:
        yield from spool
        yield from reversed(spool)


def with_ends(
    frames: Iterable[Pixels], fps: float, start: Pixels | None = None, end: Pixels | None = None
) -> Iterator[Pixels]:
    """The frames between two pictures of their size, each shown for a second and faded.

    A picture is uint8 [h, w, 3], or [1, 1, 3] for one colour; None: there is none at this end.
    """
    shown = max(1, round(fps * STILL_SECONDS))
    last: Pixels | None = None
    for pixels in frames:
        if last is None and start is not None:
            start = np.broadcast_to(start, pixels.shape)
            yield from [start] * shown
            yield from _faded(start, pixels, fps)
        last = pixels
        yield pixels
    if last is not None and end is not None:
        end = np.broadcast_to(end, last.shape)
        yield from _faded(last, end, fps)
        yield from [end] * shown


def lead_in(fps: float) -> float:
    """The seconds that `with_ends` puts before the frames, for a picture at the start."""
    return (max(1, round(fps * STILL_SECONDS)) + max(0, round(fps * FADE_SECONDS) - 1)) / fps


def _faded(one: Pixels, other: Pixels, fps: float) -> Iterator[Pixels]:
    """The frames between two pictures."""
    count = round(fps * FADE_SECONDS)
    for index in range(1, count):
        mixed = one + (other.astype(np.float32) - one) * (index / count)
        yield np.rint(mixed).astype(np.uint8)


def write_limited(
    path: Path,
    frames: Iterable[Pixels],
    *,
    fps: float,
    comment: str,
    max_bytes: int,
    sound: Sound | None = None,
) -> str:
    """Write a video of at most `max_bytes`: the largest that fits, then at the best quality.

    The `sound` counts too. Returns in words what it took. Raises OutputError where even the
    smallest is too large, and as `write_video` does.
    """
    with Spool(frames) as spool, tempfile.TemporaryDirectory() as folder:

        def tried(scale: float, quality: int | None) -> Path | None:
            trial = Path(folder, f"{scale}-{quality}{path.suffix}")
            if not trial.exists():
                shown = _scaled(spool, scale)
                write_video(trial, shown, fps=fps, comment=comment, quality=quality, sound=sound)
            return trial if trial.stat().st_size <= max_bytes else None

        qualities = QUALITIES.get(path.suffix.lower(), (None,))
        for scale in _SCALES:
            if tried(scale, qualities[-1]) is None:
                continue
            fitting = ((quality, tried(scale, quality)) for quality in qualities)
            quality, best = next((quality, file) for quality, file in fitting if file)
            atomic_write(path, best.read_bytes())
            taken = "" if quality is None else f" at quality {quality}"
            size = path.stat().st_size
            return f"{size:,} of {max_bytes:,} bytes, {scale:.0%} of its size{taken}"
    raise OutputError(
        f"cannot write {path} within {max_bytes:,} bytes",
        hint="make it shorter, or allow more bytes",
    )


def _scaled(frames: Iterable[Pixels], scale: float) -> Iterator[Pixels]:
    from PIL import Image

    for pixels in frames:
        if scale == 1:
            yield pixels
            continue
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
        yield np.asarray(resized)
