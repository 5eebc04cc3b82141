"""Progress videos: H.264 in MP4 that every browser plays, with the right colours.

The only module that imports PyAV (`av`), whose wheels bring the encoder. Colours are converted to
BT.709 *and* the stream is tagged with it: players guess where tags are missing, and a wrong guess
turns red to (255, 23, 0).
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, OutputError
from artgen.output.atomic import atomic_path

if TYPE_CHECKING:
    from av.container import OutputContainer

__all__ = ["frame_steps", "probe_encoder", "read_comment", "schedule", "write_video"]

Pixels = NDArray[np.uint8]

# mbtree saves bits on what later frames do not refer to: here the last frame, which is the result.
_OPTIONS = {"crf": "18", "preset": "medium", "mbtree": "0"}
_THREADS = 4  # fixed, because the bytes depend on the number of threads
_SMALLEST = 16  # pixels; H.264 codes blocks of this size


def frame_steps(total: int) -> list[int]:
    """The steps of a stage of `total` steps whose frames are kept: ⌈1.02^k⌉ − 1, then `total`.

    Increasing, from 0; dense at the start, where most happens, and sparse at the end.
    """
    powers = (math.ceil(1.02**k) - 1 for k in itertools.count())
    return sorted({*itertools.takewhile(lambda step: step < total, powers), total})


def schedule(stored: list[int], *, fps: int, seconds: float, hold: float = 2.0) -> list[int]:
    """Which stored step each of the ``fps · seconds`` frames of the video shows.

    The stored steps are chosen or repeated evenly, the first one first; then the last one is held
    for `hold` seconds, at most half of the video. Empty where nothing is stored.
    """
    if not stored:
        return []
    total = max(1, round(fps * seconds))
    moving = total - min(round(fps * hold), total // 2)
    shown = [stored[index * len(stored) // moving] for index in range(moving)]
    shown += [stored[-1]] * (total - moving)
    shown[-1] = stored[-1]  # without a hold, choosing evenly may miss it
    return shown


def probe_encoder() -> None:
    """Encode one small frame in memory, so that a fit can fail before its first step.

    Raises OutputError where this machine cannot encode H.264.
    """
    import av

    black = np.zeros((_SMALLEST, _SMALLEST, 3), np.uint8)
    try:
        with av.open(io.BytesIO(), "w", format="mp4") as container:
            _encode(container, black, [], fps=30)
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(
            f"this machine cannot encode H.264 video: {error}",
            hint="install av from its own wheel (pip install av), or do without a video",
        ) from error


def write_video(path: Path, frames: Iterable[Pixels], *, fps: int, comment: str = "") -> None:
    """Write `frames`, uint8 [h, w, 3] all of one size, to the MP4 file `path`, whole or not at all.

    `comment` (the recipe as JSON) goes into the comment tag. Sides are padded to even numbers of at
    least 16 pixels by repeating the edge. Frames are taken one at a time, so that memory does not
    grow with their number. Raises OutputError where `path` does not end in .mp4, there
    is no frame or the file cannot be written. What the iterable itself raises passes through, but
    for an OSError, which becomes an OutputError.
    """
    import av

    if path.suffix.lower() != ".mp4":
        raise OutputError(f"cannot write {path}: videos are MP4 files", hint="end the name in .mp4")
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise OutputError(
            f"cannot write {path}: there are no frames", hint="take at least one step"
        )
    with atomic_path(path) as partial:
        try:
            # faststart puts the index first, so that a page plays the video while it loads.
            with av.open(
                partial, "w", format="mp4", options={"movflags": "+faststart"}
            ) as container:
                container.metadata["comment"] = comment
                _encode(container, first, remaining, fps=fps)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise OutputError(
                f"cannot encode {path}: {error.strerror}",
                hint="try a smaller size, or do without a video",
            ) from error


def read_comment(path: Path) -> str | None:
    """The comment tag of an MP4 or WebM file; None without one. Raises InputError if damaged."""
    import av

    try:
        with av.open(path) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except av.FFmpegError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return tags.get("comment")


def _encode(
    container: OutputContainer, first: Pixels, others: Iterable[Pixels], *, fps: int
) -> None:
    """Encode the frames as the container's one stream, whose size is that of the first."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    stream = container.add_stream("libx264", rate=fps, options=_OPTIONS)
    stream.height, stream.width = _padded(first).shape[:2]
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.thread_count = _THREADS
    context.color_primaries = context.color_trc = context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG

    for index, pixels in enumerate(itertools.chain([first], others)):
        if pixels.shape != first.shape or pixels.dtype != np.uint8:
            raise ValueError(
                f"frame {index} is {pixels.dtype} {pixels.shape}, not uint8 {first.shape}"
            )
        frame = av.VideoFrame.from_ndarray(_padded(pixels), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _padded(pixels: Pixels) -> Pixels:
    """The frame with its right and lower edge repeated up to sizes that H.264 can hold."""
    height, width = (max(_SMALLEST, side + side % 2) for side in pixels.shape[:2])
    extra = ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0))
    return np.ascontiguousarray(np.pad(pixels, extra, mode="edge"))
