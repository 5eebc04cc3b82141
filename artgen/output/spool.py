"""Frames on disk, to be read again: backwards for a loop, or several times to keep a file small."""

from __future__ import annotations

import math
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from artgen.base.errors import OutputError
from artgen.base.waiting import report
from artgen.output.animation import ANIMATIONS, thinned
from artgen.output.atomic import atomic_write
from artgen.output.still import Pixels
from artgen.output.video import QUALITIES, Samples, Sound, write_video

_SMOOTH, _SHORTEST = 4.0, 1.0
"""The fewest frames per second, and seconds, to which a limit of bytes brings a video."""

_TWENTIETHS = [share / 20 for share in range(19, 4, -1)]
"""Shares of what may be taken in part, down to a quarter."""

_FILLED = 0.9
"""The share of a limit of bytes from which on nothing is given back."""

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
                    self._keep(pixels)
                    stored, before = stored + 1, pixels
                self._places.append(stored)
        except BaseException:
            self._file.close()
            raise
        self._shape = (0, 0, 3) if before is None else before.shape

    def _keep(self, pixels: Pixels) -> None:
        try:
            self._file.write(np.ascontiguousarray(pixels).data)
        except OSError as error:
            hint = "free some space, or let TMPDIR name a folder on another disk"
            raise OutputError(f"cannot keep frames: {error.strerror}", hint=hint) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

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
    frames: Iterable[Pixels], fps: float, start: Pixels | None, end: Pixels | None = None
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
        yield np.rint(one + (other.astype(np.float32) - one) * (index / count)).astype(np.uint8)


@dataclass(frozen=True)
class _Cut:
    """What is taken from a video to make its file smaller: shares, or None for nothing."""

    quality: int | None = None
    rate: float = 1.0
    length: float = 1.0
    colours: int | None = None
    scale: float = 1.0

    def words(self, fps: float) -> Iterator[str]:
        """What it took, of a video of `fps` frames per second."""
        if self.quality is not None:
            yield f"quality {self.quality}"
        if self.rate < 1:
            yield f"{fps * self.rate:.3g} frames per second"
        if self.length < 1:
            yield f"{self.length:.0%} of its length"
        if self.colours is not None:
            yield f"one palette of {self.colours} colours"
        if self.scale < 1:
            yield f"{self.scale:.0%} of its size"


def _rungs(
    suffix: str, fps: float, seconds: float, *, sized: bool, timed: bool
) -> list[tuple[str, Sequence[Any]]]:
    """What to take from a video of a suffix, one thing after the other, from nothing to the most.

    Its size stays where it was asked for (`sized`), its length where there is sound (`timed`). The
    pause between two frames of a GIF is a whole number of hundredths of a second.
    """
    gif = suffix == ".gif"
    rates = [100 / (pause * fps) for pause in range(1, 26)] if gif else _TWENTIETHS
    rates = [share for share in rates if share < 0.99 and fps * share >= _SMOOTH]
    lengths = [share for share in _TWENTIETHS if seconds * share >= _SHORTEST]
    rungs: list[tuple[str, Sequence[Any]]] = [
        ("quality", QUALITIES.get(suffix, (None,))),
        ("rate", (1.0, *rates)),
        ("length", (1.0,) if timed else (1.0, *lengths)),
        ("colours", (None, 256, 128, 64) if gif else (None,)),
        ("scale", (1.0,) if sized else (1.0, *_TWENTIETHS)),
        ("colours", (64, 48, 32, 24, 16) if gif else (None,)),
    ]
    return [(name, values) for name, values in rungs if len(values) > 1]


def write_limited(
    path: Path,
    frames: Iterable[Pixels],
    *,
    fps: float,
    comment: str,
    max_bytes: int | None,
    sized: bool = False,
    sound: Sound | Samples | None = None,
) -> str | None:
    """Write a video of at most `max_bytes`, from which is taken as little as can be, see `_rungs`.

    Each thing is taken in full until the file is small enough. Then as much of them is given back
    as still fits, from the last to the first, until most of the bytes are used. The size stays if
    it was asked for, `sized`. The `sound` counts too. Returns in words what it took, None where
    there is no limit. Raises OutputError where even the smallest is too large, and as `write_video`
    does.
    """
    if max_bytes is None:
        write_video(path, frames, fps=fps, comment=comment, sound=sound)
        return None
    suffix, limits = path.suffix.lower(), ANIMATIONS.get(path.suffix.lower())
    rate = fps if limits is None else min(fps, limits.fps)
    with Spool(frames) as spool, tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, f"trial{suffix}")
        sizes: dict[_Cut, float] = {}

        def fits(cut: _Cut) -> bool:
            pace = rate * cut.rate * cut.length
            count = sum(1 for _ in thinned(range(len(spool)), fps, pace))
            if limits is not None and count > limits.frames:
                sizes[cut] = math.inf
            if cut not in sizes:
                write_video(
                    trial,
                    _scaled(thinned(spool, fps, pace), cut.scale),
                    fps=rate * cut.rate,
                    comment=comment,
                    quality=cut.quality,
                    colours=cut.colours,
                    sound=sound,
                )
                sizes[cut] = trial.stat().st_size
                if sizes[cut] <= max_bytes:
                    # What is looked for fits more and more.
                    trial.replace(kept)
            return sizes[cut] <= max_bytes

        kept = Path(folder, f"kept{suffix}")
        rungs = _rungs(suffix, rate, len(spool) / fps, sized=sized, timed=sound is not None)
        cut, taken = _Cut(quality=QUALITIES.get(suffix, (None,))[0]), 0
        while not fits(cut) and taken < len(rungs):
            name, values = rungs[taken]
            cut, taken = replace(cut, **{name: values[-1]}), taken + 1
        if not fits(cut):
            least = f"the smallest takes {sizes[cut]:,}"
            if limits is not None and sizes[cut] == math.inf:
                least = f"it would have more than {limits.frames} frames"
            raise OutputError(
                f"cannot write a {suffix[1:]} within {max_bytes:,} bytes: {least}",
                hint="allow more bytes, or make it shorter" + (" or smaller" if sized else ""),
            )
        for name, values in reversed(rungs[:taken]):
            if sizes[cut] < _FILLED * max_bytes:
                options = [replace(cut, **{name: value}) for value in values[:-1]]
                cut = [*options, cut][bisect_left(options, True, key=fits)]
        atomic_write(path, kept.read_bytes())
        words = ", ".join(cut.words(rate))
        return f"{sizes[cut]:,} of {max_bytes:,} bytes" + (f": {words}" if words else "")


def _scaled(frames: Iterable[Pixels], scale: float) -> Iterator[Pixels]:
    from PIL import Image

    for pixels in frames:
        if scale < 1:
            height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
            resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
            pixels = np.asarray(resized)
        yield pixels
