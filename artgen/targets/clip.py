"""Clips: pictures that move, as targets. Frames are read one at a time and never kept.

A folder of pictures is a clip too where it is called ``frames:FOLDER``. Files are hostile until
proven otherwise: the suffix alone decides which format is tried, so that no file can have others
opened, and sizes are checked before anything is decoded.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from artgen.base.errors import InputError
from artgen.base.files import file_hash, printable
from artgen.targets.image import (
    DEFAULT_REQUEST,
    ImageTarget,
    TargetRequest,
    open_image,
    pictures_in,
    prepare_picture,
    read_picture,
)
from artgen.targets.resample import check_samples
from artgen.targets.source import ANIMATIONS, CONTAINERS, MOST_FRAMES, SourceOptions, file_safe
from artgen.targets.target import Origin, Target, TargetTensors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from artgen.base.decode import Decoded
    from artgen.values.canvas import Canvas


_LONG_SIDE = 384
"""Pixels of the long side while fitting, unless asked for: there are many frames to fit."""

_FOLDER_FPS, _MOST_FPS = 25, 240

Opener = Callable[[int], "Iterator[Decoded]"]
"""Given N, iterates over the frames from number N on, decoding each when it is asked for."""


@dataclass(frozen=True, eq=False, repr=False)
class ClipTarget(Target):
    """Pictures at `fps` frames per second (where that changes, the mean), all of one size.

    `first` is the first of them, `opener` reads them again. `place` is the file or folder they are
    in, None for a clip that is computed.
    """

    copied: ClassVar[bool] = False
    run_kind: ClassVar[str] = "clip"
    subject: ClassVar[None] = None
    """What is drawn are pictures."""

    first: ImageTarget
    fps: float
    request: TargetRequest
    opener: Opener
    place: Path | None = None

    @property
    def still(self) -> ImageTarget:
        """The first frame, as a picture."""
        return replace(self.first, warnings=(*self.first.warnings, "first frame used"))

    @property
    def canvas(self) -> Canvas:
        """The pixel grid of the fitting size."""
        return self.first.canvas

    @property
    def weight(self) -> NDArray[np.float32] | None:
        """That of the first frame."""
        return self.first.weight

    @property
    def original_size(self) -> int:
        """The longer side of the file's frames, in pixels."""
        return self.first.original_size

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The first frame as uint8 [height, width, 3]."""
        return self.first.pixels

    def tensors(self) -> TargetTensors:
        """The first frame."""
        return self.first.tensors()

    def over(self, background: tuple[float, float, float]) -> ClipTarget:
        """The clip with another background behind every frame."""
        request = replace(self.request, background=background)
        return replace(self, first=self.first.over(background), request=request)

    def flat(self) -> ClipTarget:
        """The clip with frames that keep the background they were opened with."""
        return replace(self, first=self.first.flat())

    def frames(self, first: int = 0) -> Iterator[ImageTarget]:
        """The frames from number `first` on, each at the fitting size.

        Raises InputError where one cannot be decoded or is not of the size of the first, or where
        there are too many.
        """
        for index, picture in enumerate(self.opener(first), first):
            where = f"{self.source}, frame {index}"
            if index == MOST_FRAMES:
                raise InputError(
                    f"{self.source} has more than {MOST_FRAMES:,} frames",
                    hint="cut it into shorter clips",
                )
            height, width = picture.samples.shape[:2]
            expected = self.first.original_width, self.first.original_height
            if (width, height) != expected:
                raise InputError(
                    f"{where} is {width}x{height} pixels, "
                    f"but the first one is {expected[0]}x{expected[1]}",
                    hint="all frames need one size",
                )
            yield prepare_picture(picture, self.request, where, self.origin)


def is_clip(path: Path) -> bool:
    """Whether the path names a clip: by the suffix, and an animation by its number of frames."""
    suffix = path.suffix.lower()
    if suffix in ANIMATIONS and os.path.isfile(path):  # Path.is_file raises for long names
        from artgen.targets.animation import is_animated

        return is_animated(path)
    return suffix in CONTAINERS


def open_moving(
    path: str | os.PathLike[str], request: TargetRequest = DEFAULT_REQUEST
) -> ClipTarget | ImageTarget:
    """Open a video or an animation as a clip, one with a single frame as a picture.

    Raises InputError naming the path and the reason.
    """
    return open_clip(path, request) if is_clip(Path(path)) else open_image(path, request)


def open_clip(path: str | os.PathLike[str], request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """Open an MP4, M4V, MOV, WebM or MKV file, or an animated GIF, WebP or APNG.

    Only its first frame is decoded now. Raises InputError naming the path and the reason.
    """
    place = Path(path)
    where = printable(path) or "the empty path"
    suffix = place.suffix.lower()
    origin = Origin.of_file(place)
    if suffix in CONTAINERS:
        from artgen.targets.video import video_frames as frames
        from artgen.targets.video import video_rate as rate
    else:
        from artgen.targets.animation import animation_frames as frames
        from artgen.targets.animation import animation_rate as rate
    fps = rate(place, where, request.max_pixels) or _FOLDER_FPS
    opener = partial(frames, place, where, request.max_pixels)
    return make_clip(opener, request, origin, fps, place)


def open_frames(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> ClipTarget:
    """The pictures in a folder as the frames of a clip: ``FOLDER`` or ``FOLDER?fps=12``.

    They follow one another by name, with numbers in it by their value. Raises InputError.
    """
    options = SourceOptions("frames", rest, ("fps",))
    where = printable(options.what) or "the empty path"
    fps = options.number("fps", _FOLDER_FPS, 1, _MOST_FPS)
    folder = Path(options.what)
    if not os.path.isdir(folder):  # Path.is_dir raises for names that are too long
        raise InputError(
            f"{where} is not a folder", hint="frames:FOLDER takes a folder of pictures"
        )
    files = sorted(pictures_in(folder, where), key=lambda file: _by_number(file.name))
    digest = hashlib.sha256(f"{fps} ".encode())
    for file in files[: MOST_FRAMES + 1]:
        digest.update(file_hash(file).encode())

    def opener(first: int) -> Iterator[Decoded]:
        for file in files[first:]:
            yield read_picture(file, request.max_pixels)[1]

    base = folder.name or folder.resolve().name
    query = f"?fps={fps}" if "fps" in options else ""
    origin = Origin(file_safe(base), f"frames:{printable(base)}{query}", digest.hexdigest())
    return make_clip(opener, request, origin, fps, folder)


def clip_from_frames(
    frames: Callable[[int], Iterator[ArrayLike]],
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "clip",
    *,
    fps: float,
    sha256: str,
    source: str | None = None,
) -> ClipTarget:
    """Make a target of `frames`: a function that gives those from a number on, all of one size.

    They are pictures as `image_from_array` takes them, and are asked for again and again. `source`
    is the name by which the clip can be opened again, if any; `sha256` is that of what is in it,
    see `content_hash`. Raises InputError naming `name`.
    """
    from artgen.base.decode import Decoded

    def opener(first: int) -> Iterator[Decoded]:
        return (Decoded(check_samples(frame, name)) for frame in frames(first))

    return make_clip(opener, request, Origin(file_safe(name), source or name, sha256), fps)


def make_clip(
    opener: Opener, request: TargetRequest, origin: Origin, fps: float, place: Path | None = None
) -> ClipTarget:
    """The clip whose frames `opener` gives. Raises InputError where there are none."""
    first = next(opener(0), None)
    if first is None:
        hint = "the file may be damaged or cut short"
        raise InputError(f"{origin.source} holds no frames", hint=hint)
    height, width = first.samples.shape[:2]
    shown = request.frame.canvas(width, height)
    side = max(shown.width, shown.height)
    request = replace(request, size=request.size or min(side, _LONG_SIDE))
    target = prepare_picture(first, request, origin.source, origin)
    request = replace(request, frame=target.frame, focus=target.focus)
    rate = min(max(float(fps), 0.1), float(_MOST_FPS))
    return ClipTarget(*origin, target, rate, request, opener, place, warnings=target.warnings)


def _by_number(name: str) -> list[tuple[int, str]]:
    """A key by which frame10 comes after frame9."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
