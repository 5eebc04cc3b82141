"""The frames of MP4, WebM and their like, decoded by FFmpeg through PyAV, one at a time.

imageio wraps PyAV too, but turns no upright phone clip, reports the size of a frame only after
converting it, and takes twice as long to reach a late frame, since it converts those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from artgen.base.errors import InputError, reading
from artgen.base.files import open_regular
from artgen.targets.decode import DAMAGED, Decoded, check_size
from artgen.targets.source import CONTAINERS


def video_rate(path: Path, where: str, limit: int) -> float | None:
    """Frames per second, None if the file does not say. Nothing is decoded, whatever its size."""
    with _Video(path, where) as video:
        rate = video.stream.average_rate or video.stream.guessed_rate
        return float(rate) if rate else None


def video_frames(path: Path, where: str, limit: int, first: int) -> Iterator[Decoded]:
    """RGB frames from number `first` on; those before it are decoded but not converted."""
    with _Video(path, where) as video:
        check_size(video.stream.width, video.stream.height, limit, where)
        decoded = video.container.decode(video.stream)
        index = 0
        while True:
            try:
                with reading(where):
                    frame = next(decoded, None)
                    if frame is None:
                        return
                    check_size(frame.width, frame.height, limit, where)
                    index += 1
                    if index <= first:
                        continue
                    samples = frame.to_ndarray(format="rgb24")
            except (av.FFmpegError, ValueError) as error:
                raise InputError(
                    f"{where}, frame {index} cannot be decoded: {error}", hint=DAMAGED
                ) from None
            # Cameras that were held upright say so instead of turning their frames.
            turns = round(frame.rotation / 90) % 4
            yield Decoded(np.ascontiguousarray(np.rot90(samples, turns)))


class _Video:
    """An open video file and its first stream of pictures. Raises InputError."""

    def __init__(self, path: Path, where: str) -> None:
        self.file = open_regular(path, where)
        try:
            # From an open file and with a named format FFmpeg follows no links to other files.
            with reading(where):
                self.container = av.open(self.file, "r", format=CONTAINERS[path.suffix.lower()])
        except (av.FFmpegError, ValueError) as error:
            self.file.close()
            raise InputError(
                f"{where} is not a video that can be read: {error}", hint=DAMAGED
            ) from None
        if not self.container.streams.video:
            self.__exit__()
            raise InputError(f"{where} holds no pictures", hint="it may contain only sound")
        self.stream = self.container.streams.video[0]
        # None where no decoder was found, whatever its type says.
        if self.stream.codec_context is None:
            self.__exit__()
            unknown = "no decoder here knows how it is encoded"
            raise InputError(f"{where}: {unknown}", hint=DAMAGED)

    def __enter__(self) -> _Video:
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()
        self.file.close()
