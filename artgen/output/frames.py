"""Frames of a running fit, stored without loss until the video is encoded.

They are not compressed: the quickest codecs make them half as large, and take five times as long.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from artgen.base.errors import InputError, reading, writing
from artgen.output.atomic import atomic_path
from artgen.output.pace import mean_difference

_SUFFIXES = (".npy", ".qoi", ".png")
"""Folders of earlier versions hold QOI or PNG."""
_NAME = re.compile(r"(\d{9,})\.(?:npy|qoi|png)")


class FrameStore:
    """A folder with one 8-bit picture per stored step, named after the step.

    The folder is the only state that counts, so a resumed run continues with its frames. `changes`
    has the `mean_difference` of two steps whose frames this object stored one after the other.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: tuple[int, NDArray[np.uint8]] | None = None
        self.changes: dict[tuple[int, int], float] = {}

    def add(self, step: int, pixels: NDArray[np.uint8]) -> None:
        """Store the frame of `step`, uint8 [h, w, 3], replacing an earlier one.

        Raises OutputError.
        """
        with writing(f"cannot create the folder of frames {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True)
        # Speed before durability: a frame lost in a power cut is drawn again.
        pixels = np.ascontiguousarray(pixels)
        with atomic_path(self._path(step), durable=False) as partial, partial.open("wb") as file:
            # A full disk is named, unlike by `np.save`.
            npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(pixels))
            file.write(pixels.data)
        if self._before is not None:
            before, picture = self._before
            self.changes[before, step] = mean_difference(picture, pixels)
        self._before = step, pixels

    def steps(self) -> list[int]:
        """Return the stored steps in increasing order."""
        return sorted(self._files())

    def read(self, step: int) -> NDArray[np.uint8]:
        """Read the frame of `step`, uint8 [h, w, 3]. Raises InputError if missing or damaged."""
        named = [self._path(step).with_suffix(suffix) for suffix in _SUFFIXES]
        path = next(filter(Path.exists, named), named[0])
        try:
            with reading(str(path)):
                if path.suffix == ".npy":
                    pixels: NDArray[np.uint8] = np.load(path)
                    return pixels
                from PIL import Image

                with Image.open(path, formats=["PNG", "QOI"]) as picture:
                    return np.asarray(picture.convert("RGB"))
        except (EOFError, OSError, ValueError) as error:
            raise InputError(
                f"cannot read the frame {path}: {error}", hint="start again with --overwrite"
            ) from error

    def drop_after(self, step: int) -> None:
        """Remove the frames after `step`, which a resumed run makes again."""
        for stored, path in self._files().items():
            if stored > step:
                path.unlink(missing_ok=True)
        self._before = None
        self.changes = {pair: each for pair, each in self.changes.items() if pair[1] <= step}

    def _path(self, step: int) -> Path:
        return self._folder / f"{step:09d}.npy"

    def _files(self) -> dict[int, Path]:
        if not self._folder.is_dir():
            return {}
        names = ((_NAME.fullmatch(path.name), path) for path in self._folder.iterdir())
        return {int(name[1]): path for name, path in names if name}
