"""Clips: pictures that move, as targets. Frames are read one at a time and never kept.

MP4, WebM and their like are decoded by FFmpeg, animated GIF and WebP by Pillow; a folder of
pictures is a clip too where it is called ``frames:FOLDER``. Files are hostile until proven
otherwise: the suffix alone decides which format is tried, so that no file can have others opened,
and sizes are checked before anything is decoded.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import InputError
from artgen.targets._source import file_safe, printable
from artgen.targets.image import DEFAULT_REQUEST, ImageTarget, TargetRequest, prepare_picture
from artgen.targets.samples import split_options, whole_number

if TYPE_CHECKING:
    from artgen.targets._decode import Picture

__all__ = ["MOST_FRAMES", "ClipTarget", "is_clip", "make_clip", "open_clip", "open_frames"]

MOST_FRAMES = 10_000
"""A longer clip is refused."""

_LONG_SIDE = 384
"""Pixels of the long side while fitting, unless asked for: there are many frames to fit."""

_FOLDER_FPS, _MOST_FPS = 25, 240
_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "matroska", ".mkv": "matroska"}
_ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_DAMAGED = "the file may be damaged or cut short"

Opener = Callable[[int], "Iterator[Picture]"]
"""From a number to the frames that follow the first so many, each decoded when it is asked for."""


@dataclass(frozen=True, eq=False)
class ClipTarget(ImageTarget):
    """A picture that moves: what is said of `ImageTarget` is so of its first frame.

    `fps` is how many frames there are per second; where that changes, the mean. `place` is the file
    or folder that it is read from, None for one that is made.
    """

    fps: float = float(_FOLDER_FPS)
    place: Path | None = None
    request: TargetRequest = DEFAULT_REQUEST
    opener: Opener | None = None

    @property
    def still(self) -> ImageTarget:
        """The first frame, as a picture."""
        values = {field.name: getattr(self, field.name) for field in fields(ImageTarget)}
        return ImageTarget(**{**values, "warnings": (*self.warnings, "first frame used")})

    def frames(self, first: int = 0) -> Iterator[ImageTarget]:
        """The frames from number `first` on, each at the fitting size.

        Raises InputError where one cannot be decoded or is not of the size of the first, or where
        there are too many.
        """
        assert self.opener is not None
        for index, picture in enumerate(self.opener(first), first):
            where = f"{self.source}, frame {index}"
            if index == MOST_FRAMES:
                raise InputError(
                    f"{self.source} has more than {MOST_FRAMES:,} frames",
                    hint="cut it into shorter clips",
                )
            height, width = picture.samples.shape[:2]
            if (width, height) != (self.original_width, self.original_height):
                raise InputError(
                    f"{where} is {width}x{height} pixels, "
                    f"but the first one is {self.original_width}x{self.original_height}",
                    hint="all frames need one size",
                )
            yield prepare_picture(
                picture, self.request, where, name=self.name, source=self.source, sha256=self.sha256
            )


def is_clip(path: Path) -> bool:
    """Whether a target at this path is a clip: by its suffix, and a GIF or WebP where it moves."""
    from PIL import Image

    from artgen.targets._decode import pillow_guard

    suffix = path.suffix.lower()
    if suffix in _CONTAINERS:
        return True
    if suffix not in _ANIMATIONS or not path.is_file():
        return False
    formats = [_ANIMATIONS[suffix]]
    try:
        # Nothing is decoded yet, so any size will do.
        with pillow_guard(2**40, suffix), Image.open(path, formats=formats) as image:
            return bool(getattr(image, "is_animated", False))
    except InputError:
        # What is wrong with it is told by whoever opens it as a picture.
        return False


def open_clip(path: str | os.PathLike[str], request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """Open an MP4, M4V, MOV, WebM or MKV file, or an animated GIF or WebP.

    Only its first frame is decoded now. Raises InputError naming the path and the reason.
    """
    place = Path(path)
    where = printable(os.fspath(path)) or "the empty path"
    suffix = place.suffix.lower()
    digest = _file_hash(place, where)
    limit = request.max_pixels
    if suffix in _CONTAINERS:
        fps = _video_rate(place, where)

        def opener(first: int) -> Iterator[Picture]:
            return _video_frames(place, where, limit, first)
    elif suffix in _ANIMATIONS:
        fps = _animation_rate(place, where, limit)

        def opener(first: int) -> Iterator[Picture]:
            return _animation_frames(place, where, limit, first)
    else:
        known = ", ".join((*_CONTAINERS, *_ANIMATIONS))
        raise InputError(f"{where} is not a clip", hint=f"end the name in {known}")
    return make_clip(
        opener,
        request,
        fps=fps,
        name=place.stem,
        source=printable(place.name),
        sha256=digest,
        place=place,
    )


def open_frames(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """The pictures in a folder as the frames of a clip: ``FOLDER`` or ``FOLDER?fps=12``.

    They follow one another by name, with numbers in it by their value. Raises InputError.
    """
    from artgen.targets._decode import decode_file, read_bytes

    name, options = split_options("frames", rest, ("fps",))
    where = printable(name) or "the empty path"
    fps = whole_number(where, "fps", options.get("fps", str(_FOLDER_FPS)), 1, _MOST_FPS)
    folder = Path(name)
    if not folder.is_dir():
        raise InputError(
            f"{where} is not a folder", hint="frames:FOLDER takes a folder of pictures"
        )
    files = sorted(
        (file for file in folder.iterdir() if file.suffix.lower() in _PICTURES and file.is_file()),
        key=lambda file: _by_number(file.name),
    )
    if not files:
        raise InputError(
            f"folder {where} holds no pictures", hint=f"looked for {', '.join(_PICTURES)}"
        )
    digest = hashlib.sha256(f"{fps} ".encode())
    for file in files[: MOST_FRAMES + 1]:
        digest.update(_file_hash(file, printable(str(file))).encode())

    def opener(first: int) -> Iterator[Picture]:
        for file in files[first:]:
            named = printable(str(file))
            yield decode_file(read_bytes(str(file), named), request.max_pixels, named)

    base = folder.name or folder.resolve().name
    query = f"?fps={fps}" if "fps" in options else ""
    return make_clip(
        opener,
        request,
        fps=fps,
        name=base,
        source=f"frames:{printable(base)}{query}",
        sha256=digest.hexdigest(),
        place=folder,
    )


def make_clip(
    opener: Opener,
    request: TargetRequest,
    *,
    fps: float,
    name: str,
    source: str,
    sha256: str,
    place: Path | None = None,
) -> ClipTarget:
    """The clip whose frames `opener` gives. Raises InputError where there are none."""
    first = next(opener(0), None)
    if first is None:
        raise InputError(f"{source} holds no frames", hint=_DAMAGED)
    height, width = first.samples.shape[:2]
    request = replace(request, size=request.size or min(max(height, width), _LONG_SIDE))
    target = prepare_picture(
        first, request, source, name=file_safe(name), source=source, sha256=sha256
    )
    values = {field.name: getattr(target, field.name) for field in fields(ImageTarget)}
    return ClipTarget(**values, fps=float(fps), place=place, request=request, opener=opener)


# ---- videos --------------------------------------------------------------------------------------


def _video_rate(path: Path, where: str) -> float:
    """Frames per second, as far as the file tells."""
    with _Video(path, where) as video:
        rate = video.stream.average_rate or video.stream.guessed_rate or _FOLDER_FPS
        return min(max(float(rate), 0.1), float(_MOST_FPS))


def _video_frames(path: Path, where: str, limit: int, first: int) -> Iterator[Picture]:
    """RGB frames after the first so many, which are decoded too but not converted."""
    import av
    import numpy as np

    from artgen.targets._decode import Picture

    with _Video(path, where) as video:
        _check_size(video.stream.width, video.stream.height, limit, where)
        decoded = video.container.decode(video.stream)
        index = 0
        while True:
            try:
                frame = next(decoded, None)
                if frame is None:
                    return
                _check_size(frame.width, frame.height, limit, where)
                index += 1
                if index <= first:
                    continue
                samples = frame.to_ndarray(format="rgb24")
            except (av.FFmpegError, ValueError, MemoryError) as error:
                raise InputError(
                    f"{where}, frame {index} cannot be decoded: {error}", hint=_DAMAGED
                ) from None
            # Cameras that were held upright say so instead of turning their frames.
            turns = round(frame.rotation / 90) % 4
            yield Picture(np.ascontiguousarray(np.rot90(samples, turns)))


class _Video:
    """An open video file and its first stream of pictures. Raises InputError."""

    def __init__(self, path: Path, where: str) -> None:
        import av

        self.file = _open(path, where)
        try:
            # From an open file and with a named format FFmpeg follows no links to other files.
            self.container = av.open(self.file, format=_CONTAINERS[path.suffix.lower()])
        except (av.FFmpegError, ValueError) as error:
            self.file.close()
            raise InputError(
                f"{where} is not a video that can be read: {error}", hint=_DAMAGED
            ) from None
        if not self.container.streams.video:
            self.__exit__()
            raise InputError(f"{where} holds no pictures", hint="it may be sound alone")
        self.stream = self.container.streams.video[0]
        # None where no decoder was found, whatever its type says.
        if self.stream.codec_context is None:
            self.__exit__()
            raise InputError(f"{where} is encoded in a way that nobody here knows", hint=_DAMAGED)

    def __enter__(self) -> _Video:
        return self

    def __exit__(self, *error: object) -> None:
        self.container.close()
        self.file.close()


# ---- animations ----------------------------------------------------------------------------------


def _animation_rate(path: Path, where: str, limit: int) -> float:
    """The number of frames over the sum of the times that they are shown."""
    from artgen.targets._decode import pillow_guard

    milliseconds, count = 0.0, 0
    with pillow_guard(limit, where), _opened(path, limit, where) as image:
        while count < MOST_FRAMES:
            if image.format == "WEBP":
                image.load()  # Only then is the duration known.
            milliseconds += float(image.info.get("duration") or 100)
            count += 1
            try:
                image.seek(count)
            except EOFError:
                break
    return min(max(1000 * count / milliseconds, 0.1), float(_MOST_FPS))


def _animation_frames(path: Path, where: str, limit: int, first: int) -> Iterator[Picture]:
    """Frames as they are shown, each laid over those before it."""
    from artgen.targets._decode import decode_frame, pillow_guard

    with pillow_guard(limit, where):
        image = _opened(path, limit, where)
    with image:
        index = first
        while True:
            with pillow_guard(limit, where):
                try:
                    image.seek(index)
                except EOFError:
                    return
                picture = decode_frame(image.copy(), where)
            yield picture
            index += 1


def _opened(path: Path, limit: int, where: str) -> Any:
    from PIL import Image

    image = Image.open(path, formats=[_ANIMATIONS[path.suffix.lower()]])
    _check_size(*image.size, limit, where)
    return image


# ---- helpers -------------------------------------------------------------------------------------


def _check_size(width: int, height: int, limit: int, where: str) -> None:
    """Raise InputError for frames that are too large."""
    if width * height > limit:
        raise InputError(
            f"{where} is {width}x{height} pixels, more than {limit:,}",
            hint="shrink it, or raise max_pixels if you trust the file",
        )


def _open(path: Path, where: str) -> Any:
    """A regular file, for reading. Raises InputError."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{where} is not a regular file", hint="name a video file")
        if not status.st_size:
            raise InputError(f"{where} is empty", hint="save or copy it anew")
        return path.open("rb")
    except OSError as error:
        raise InputError(
            f"cannot read {where}: {error.strerror or error}",
            hint="check the path and its permissions",
        ) from None


def _file_hash(path: Path, where: str) -> str:
    with _open(path, where) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _by_number(name: str) -> list[tuple[int, str]]:
    """A key by which frame10 comes after frame9."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
