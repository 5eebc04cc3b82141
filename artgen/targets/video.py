"""The frames of MP4, WebM and their like, decoded by FFmpeg through PyAV, one at a time.

imageio wraps PyAV too, but turns no upright phone clip, reports the size of a frame only after
converting it, and takes twice as long to reach a late frame, since it converts those before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream

from artgen.base.decode import DAMAGED, Decoded, check_size
from artgen.base.errors import InputError, reading
from artgen.base.files import open_regular
from artgen.targets.source import opened_as


def video_rate(path: Path, where: str, limit: int) -> float | None:
    """Frames per second, None if the file does not say. Nothing is decoded, whatever its size."""
    with _opened(path, where) as (_, stream):
        rate = stream.average_rate or stream.guessed_rate
        return float(rate) if rate else None


def video_frames(path: Path, where: str, limit: int, first: int) -> Iterator[Decoded]:
    """RGB frames from number `first` on; those before it are decoded but not converted.

    Where pixels are not square, frames are as wide as they are shown. Colours without a tag are
    BT.709 from 1280 pixels of width or 577 of height on, as mpv takes them, else BT.601.
    """
    with _opened(path, where) as (container, stream):
        shape = float(stream.sample_aspect_ratio or 1)
        shape = shape if abs(shape - 1) > 0.02 else 1.0  # less is what encoders round
        check_size(stream.width, stream.height, limit, where)
        decoded = container.decode(stream)
        for index in count():
            try:
                with reading(where):
                    frame = next(decoded, None)
                    if frame is None:
                        return
                    width = max(1, round(frame.width * shape))
                    check_size(width, frame.height, limit, where)
                    if index < first:
                        continue
                    # What says nothing has colour space 2.
                    if frame.colorspace == 2 and (frame.width >= 1280 or frame.height > 576):
                        frame.colorspace = Colorspace.ITU709
                    samples = frame.to_ndarray(format="rgb24", width=width)
            except (av.FFmpegError, ValueError) as error:
                raise InputError(
                    f"{where}, frame {index} cannot be decoded: {error}", hint=DAMAGED
                ) from None
            # Cameras that were held upright say so instead of turning their frames.
            yield Decoded(np.ascontiguousarray(np.rot90(samples, round(frame.rotation / 90))))


@contextmanager
def _opened(path: Path, where: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """An open video file and its first stream of pictures. Raises InputError."""
    with open_regular(path, where) as file:
        try:
            # From an open file and with a named format FFmpeg follows no links to other files.
            with reading(where):
                container = av.open(file, "r", **opened_as(path))
        except (av.FFmpegError, ValueError) as error:
            reason = f"{where} is not a video that can be read: {error}"
            raise InputError(reason, hint=DAMAGED) from None
        with container:
            if not container.streams.video:
                raise InputError(f"{where} holds no pictures", hint="it may contain only sound")
            stream = container.streams.video[0]
            # None where no decoder was found, whatever its type says.
            if stream.codec_context is None:
                raise InputError(f"{where}: no decoder here knows how it is encoded", hint=DAMAGED)
            yield container, stream
