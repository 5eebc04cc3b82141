"""Frames of a running fit, stored without loss until the video is encoded."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, OutputError, reading
from artgen.output.atomic import atomic_write
from artgen.output.still import encode_png

_NAME = re.compile(r"(\d{9,})\.png")


class FrameStore:
    """A folder with one 8-bit PNG per stored step, named after the step.

    The folder is the only state, so a resumed run continues with its frames.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, step: int, pixels: NDArray[np.uint8]) -> None:
        """Store the frame of `step`, uint8 [h, w, 3], replacing an earlier one.

        Raises OutputError.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot create the folder of frames {self._folder}: {error.strerror}"
            ) from error
        # Speed before size and durability: a frame lost in a power cut is drawn again.
        atomic_write(self._path(step), encode_png(pixels, level=1), durable=False)

    def steps(self) -> list[int]:
        """Return the stored steps in increasing order."""
        if not self._folder.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def read(self, step: int) -> NDArray[np.uint8]:
        """Read the frame of `step`, uint8 [h, w, 3]. Raises InputError if missing or damaged."""
        from PIL import Image

        path = self._path(step)
        try:
            with reading(str(path)), Image.open(path, formats=["PNG"]) as picture:
                return np.array(picture)
        except (OSError, SyntaxError) as error:
            raise InputError(
                f"cannot read the frame {path}: {error}", hint="start again with --overwrite"
            ) from error

    def drop_after(self, step: int) -> None:
        """Remove the frames after `step`, which a resumed run makes again."""
        for stored in self.steps():
            if stored > step:
                self._path(stored).unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self._folder / f"{step:09d}.png"
