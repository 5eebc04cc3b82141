"""Progress videos: H.264 in MP4 that every browser plays, or VP9 in WebM, with the right colours.

Videos are written with PyAV (`av`), whose wheels bring the encoder: imageio reaches neither the
comment tag, nor the place of the index, nor the tags of colours. Colours are converted to BT.709
*and* the stream is tagged with it: players guess where tags are missing, and a wrong guess turns
red to (255, 23, 0).
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import InputError, OutputError, memory_errors, reading
from artgen.base.waiting import report
from artgen.output.animation import ANIMATIONS, write_animation
from artgen.output.atomic import atomic_path
from artgen.output.still import Pixels
from artgen.targets.source import CONTAINERS, opened_as

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class _Codec:
    """The encoding of a video format: its container, the encoder and the options of both."""

    container: str
    encoder: str
    name: str
    options: Mapping[str, str]
    sounds: tuple[str, ...]
    """The encodings of sound that the container can hold."""
    speech: tuple[str, int]
    """The encoder of sound that is given as samples, and its rate in Hz."""
    container_options: Mapping[str, str] = field(default_factory=dict)


_NEVER = "1000000"
"""The interval between key frames that encoders set: `_encode` says where they are."""

_CODECS = {
    ".mp4": _Codec(
        "mp4",
        "libx264",
        "H.264",
        # mbtree saves bits on what later frames do not refer to: here the last frame, which is the
        # result.
        # The preset takes a quarter of the default one's time, for 0.3 dB or a fifth more bytes.
        # Choosing where B-frames are would take longer, and make files no smaller.
        {"crf": "18", "preset": "superfast", "mbtree": "0", "b_strategy": "0", "g": _NEVER},
        ("aac", "mp3", "mp3float", "ac3", "opus", "libopus", "alac", "flac"),
        ("aac", 44_100),
        # The index comes first, so that a page plays the video while it loads.
        {"movflags": "+faststart"},
    ),
    ".webm": _Codec(
        "webm",
        "libvpx-vp9",
        "VP9",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1", "g": _NEVER},
        ("opus", "libopus", "vorbis"),
        ("libopus", 48_000),
        # Otherwise the identifier of the file is random.
        {"fflags": "+bitexact"},
    ),
}

QUALITIES: Mapping[str, tuple[int, ...]] = {
    ".mp4": (18, 21, 24, 27, 30),
    ".webm": (24, 28, 32, 36, 40),
    ".webp": (80, 65, 50, 35),
}
"""Qualities to choose from, the best first: the constant rate factor, or WebP's own."""

FORMATS = (*_CODECS, *ANIMATIONS)
"""The suffixes of videos that can be written."""

_THREADS = 4  # fixed, because the bytes depend on the number of threads
_KEY_FRAMES = 300
"""Frames between two key frames, from which players begin, at least."""

_SMALLEST = 16  # pixels; H.264 codes blocks of this size


def frame_steps(total: int) -> list[int]:
    """The steps of a stage of `total` steps whose frames are kept: ⌈1.02^k⌉ − 1, then `total`.

    Increasing, from 0; dense at the start, where most happens, and sparse at the end.
    """
    powers = (math.ceil(1.02**k) - 1 for k in itertools.count())
    return sorted({*itertools.takewhile(lambda step: step < total, powers), total})


def moving_and_held(*, fps: int, seconds: float, hold: float) -> tuple[int, int]:
    """The numbers of frames that move, and that hold the last for `hold` s, at most half."""
    total = max(1, round(fps * seconds))
    held = min(round(fps * hold), total // 2)
    return total - held, held


def schedule(stored: list[int], *, fps: int, seconds: float, hold: float) -> list[int]:
    """Which stored step each of the ``fps · seconds`` frames of the video shows.

    The stored steps are chosen or repeated evenly, the first one first; then the last one is held
    for `hold` seconds, at most half of the video.
    """
    moving, held = moving_and_held(fps=fps, seconds=seconds, hold=hold)
    shown = [stored[index * len(stored) // moving] for index in range(moving)]
    shown += [stored[-1]] * held
    shown[-1] = stored[-1]  # without a hold, choosing evenly may miss it
    return shown


def probe_encoder(suffix: str = ".mp4") -> None:
    """Encode one small frame in memory, so that a fit can fail before its first step.

    Raises OutputError where this machine cannot encode such a video.
    """
    import av

    if suffix in ANIMATIONS:
        return
    codec = _CODECS[suffix]
    black = np.zeros((_SMALLEST, _SMALLEST, 3), np.uint8)
    try:
        with _memory_errors(), av.open(io.BytesIO(), "w", format=codec.container) as container:
            _encode(container, codec, iter([black]), 30)
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(
            f"this machine cannot encode {codec.name} video: {error}",
            hint="install av from its own wheel (pip install av), or do without a video",
        ) from error


@contextmanager
def _memory_errors() -> Iterator[None]:
    with memory_errors("there is not enough memory to encode a video", "do without a video"):
        try:
            yield
        except BlockingIOError as error:  # FFmpeg could not start a thread
            raise MemoryError from error


class Sound(NamedTuple):
    """The sound of a video file, which begins `delay` seconds after the pictures."""

    file: Path
    delay: float = 0.0


class Samples(NamedTuple):
    """A sound that begins with the pictures: float32 [channels, N] in -1..1, one or two channels,
    at a `rate` in Hz."""

    values: NDArray[np.float32]
    rate: int


def write_video(
    path: Path,
    frames: Iterable[Pixels],
    *,
    fps: float,
    comment: str = "",
    quality: int | None = None,
    colours: int | None = None,
    sound: Sound | Samples | None = None,
) -> None:
    """Write `frames`, uint8 [h, w, 3] all of one size, to the file `path`, whole or not at all.

    Those of WebM, WebP and APNG may have a fourth channel, their opacity.

    Its suffix is one of `FORMATS`. `comment` (the recipe as JSON) goes into the comment tag. Sides
    are padded to even numbers by repeating the edge, and to at least 16 pixels by black bars.
    Frames are taken one at a time, so that memory does not grow with their number; animations are
    smaller and shorter, see `write_animation`. An array that comes twice in a row is taken for the
    same picture. `quality` is one of `QUALITIES`, by default the best; `colours` are those of a
    GIF. A `sound` is copied as it is, if there is any that the format can hold; `Samples` are
    encoded as AAC, or as Opus in WebM; animations are silent. Raises OutputError where the suffix
    is another one, there is no frame or the file cannot be written. What the iterable itself raises
    passes through, but for an OSError, which becomes an OutputError.
    """
    import av

    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(
            f"cannot write {path}: unknown video format",
            hint=f"end the name in {', '.join(FORMATS)}",
        )
    remaining = _reported(frames)
    first = next(remaining, None)
    if first is None:
        raise OutputError(f"cannot write {path}: there are no frames", hint="run at least one step")
    shown = itertools.chain([first], remaining)
    if suffix in ANIMATIONS:
        write_animation(path, shown, fps=fps, comment=comment, quality=quality, colours=colours)
        return
    codec = _CODECS[suffix]
    if quality is not None:
        codec = replace(codec, options={**codec.options, "crf": str(quality)})
    with atomic_path(path) as partial:
        try:
            with (
                _memory_errors(),
                av.open(
                    partial, "w", format=codec.container, options=dict(codec.container_options)
                ) as container,
            ):
                container.metadata["comment"] = comment
                with _sound_of(sound, container, codec) as copied:
                    _encode(container, codec, shown, fps)
                    for packet in copied:
                        container.mux(packet)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise OutputError(
                f"cannot encode {path}: {error.strerror}",
                hint="try a smaller size, or do without a video",
            ) from error


def _reported(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    """The same frames; each is reported as progress of the video."""
    for number, pixels in enumerate(frames, 1):
        report("drawing the video", done=number)
        yield pixels


def read_comment(path: Path) -> str | None:
    """The comment tag of an MP4 or WebM file; None without one. Raises InputError if damaged."""
    import av

    # Its suffix says what it is: a list of other files would be followed.
    container_format = _CODECS[path.suffix.lower()].container
    try:
        with (
            reading(str(path)),
            path.open("rb") as file,
            av.open(file, format=container_format) as container,
        ):
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except (OSError, av.FFmpegError) as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # names and tags that are not UTF-8
        raise InputError(f"{path} is damaged: {error}") from error
    return tags.get("comment")


def read_frames(path: Path, *, fps: float) -> Iterator[Pixels]:
    """The frames of a video, uint8 [h, w, 3], one at a time and at `fps` of them per second.

    They are repeated or left out where the file has another rate, but for the last. Raises
    InputError if damaged.
    """
    from artgen.targets.image import DEFAULT_REQUEST
    from artgen.targets.video import video_frames, video_rate

    shown, waiting, limits = 0, None, (str(path), DEFAULT_REQUEST.max_pixels)
    rate = video_rate(path, *limits) or fps
    for index, frame in enumerate(video_frames(path, *limits, 0), 1):
        waiting = frame.samples
        while shown + 1 <= index * fps / rate:
            shown, waiting = shown + 1, None
            yield frame.samples
    if waiting is not None:
        yield waiting


def lost_sound(file: Path, suffix: str) -> str | None:
    """Say that a video of a suffix cannot hold the sound of a file, and what to try; else None.

    Animations are silent in any case.
    """
    import av

    codec = _CODECS.get(suffix)
    if file.suffix.lower() not in CONTAINERS or codec is None:
        return None
    with file.open("rb") as data, av.open(data, "r", **opened_as(file)) as read:
        kinds = [each.codec_context.name for each in _decodable(read)]
    if not kinds or set(kinds) & set(codec.sounds):
        return None
    holding = [name for name, each in _CODECS.items() if set(kinds) & set(each.sounds)]
    hints = [f"use --video FILE{name}" for name in holding]
    hints += [f"convert it to {codec.sounds[0].upper()} first"]
    what = f"{suffix[1:]} cannot hold the sound of {file.name}, which is {kinds[0]}"
    return f"{what}, so the video is silent: {', or '.join(hints)}"


def _decodable(read: Any) -> list[Any]:
    """The tracks of sound; those for which there is no decoder have no name either."""
    return [each for each in read.streams.audio if each.codec_context is not None]


@contextmanager
def _sound_of(
    sound: Sound | Samples | None, container: OutputContainer, codec: _Codec
) -> Iterator[Iterator[Any]]:
    """Declare the sound of a file as a stream of the container; yields its packets."""
    import av

    if isinstance(sound, Samples):
        yield _encoded(sound, container, codec)
        return
    if sound is None or sound.file.suffix.lower() not in CONTAINERS:
        yield iter(())
        return
    with sound.file.open("rb") as file, av.open(file, "r", **opened_as(sound.file)) as read:
        fitting = [each for each in _decodable(read) if each.codec_context.name in codec.sounds]
        if not fitting:
            yield iter(())
            return
        stream = container.add_stream_from_template(fitting[0])

        def packets() -> Iterator[Any]:
            for packet in read.demux(fitting[0]):
                if packet.dts is not None and packet.pts is not None:
                    later = round(sound.delay / packet.time_base)
                    packet.pts, packet.dts = packet.pts + later, packet.dts + later
                    packet.stream = stream
                    yield packet

        yield packets()


def _encoded(sound: Samples, container: OutputContainer, codec: _Codec) -> Iterator[Any]:
    """Declare samples as a stream of the container, and return its packets.

    Encoders begin with samples of their own, which the container tells players to leave out.
    """
    import av

    encoder, rate = codec.speech
    layout = "mono" if len(sound.values) == 1 else "stereo"
    stream: Any = container.add_stream(encoder, rate=rate, layout=layout)
    stream.bit_rate = 160_000

    def packets() -> Iterator[Any]:
        levels = np.ascontiguousarray(sound.values.clip(-1, 1), np.float32)
        frame = av.AudioFrame.from_ndarray(levels, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = sound.rate, 0
        resampler = av.AudioResampler(format=stream.codec_context.format, rate=rate, layout=layout)
        for part in itertools.chain(resampler.resample(frame), resampler.resample(None)):
            yield from stream.encode(part)
        yield from stream.encode(None)

    return packets()


def _encode(
    container: OutputContainer, codec: _Codec, frames: Iterator[Pixels], fps: float
) -> None:
    """Encode the frames as the container's one stream, whose size is that of the first."""
    import av
    from av.video.frame import PictureType
    from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

    first = next(frames)
    # Rates of television are multiples of 1/1001 s.
    rate = Fraction(fps).limit_denominator(1001)
    stream = cast(
        "VideoStream", container.add_stream(codec.encoder, rate=rate, options=dict(codec.options))
    )
    stream.height, stream.width = _padded(first).shape[:2]
    pixel, coded = ("rgba", "yuva420p") if first.shape[2] == 4 else ("rgb24", "yuv420p")
    stream.pix_fmt = coded
    context = stream.codec_context
    context.thread_count = _THREADS
    context.color_primaries = context.color_trc = context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG

    key = 0
    before: Pixels | None = None
    reformatter = VideoReformatter()  # one per frame would prepare its tables anew each time
    for index, pixels in enumerate(itertools.chain([first], frames)):
        if pixels.shape != first.shape or pixels.dtype != np.uint8:
            raise ValueError(
                f"frame {index} is {pixels.dtype} {pixels.shape}, not uint8 {first.shape}"
            )
        if pixels is not before:
            frame = reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(_padded(pixels), format=pixel),
                format=coded,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
        frame.pts, frame.pict_type = index, PictureType.NONE
        # A key frame is sharper than the one before it, which shows where nothing moves.
        if index - key >= _KEY_FRAMES and not np.array_equal(pixels, cast(Pixels, before)):
            frame.pict_type, key = PictureType.I, index
        before = pixels
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _padded(pixels: Pixels) -> Pixels:
    """The frame with its right and lower edge repeated, or between bars, where H.264 needs more."""
    sides = pixels.shape[:2]
    if any(side % 2 or side < _SMALLEST for side in sides):
        pixels = np.pad(pixels, (*((0, side % 2) for side in sides), (0, 0)), mode="edge")
        # Repeated further, an edge would stretch what is seen.
        bars = ((max(0, _SMALLEST - side) // 2,) * 2 for side in pixels.shape[:2])
        pixels = np.pad(pixels, (*bars, (0, 0)))
    return np.ascontiguousarray(pixels)
