"""Textures: pictures that a footprint looks up, and pictures that are parts."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps
from torch import Tensor

from artgen.base.decode import decode_file
from artgen.base.errors import InputError
from artgen.base.files import printable, read_regular
from artgen.svg.raster import svg_picture

_LN2 = math.log(2)
_MOST_PIXELS = 64_000_000
"""The largest picture that is read."""
_TEXT = "data:image/png;base64,"
"""How a texture begins that is stored as text."""


@dataclass(frozen=True, eq=False)
class Sprites:
    """Parts that are pictures, each transformed and multiplied by the part's colour.

    `pictures` are [count, side, side, 4] from 0 to 1, not multiplied by alpha. Of N parts, `which`
    [N] is the number of the picture, and `axes` [2, 2, N] are half its width and half its height as
    offsets (x and y, then the axis, then the part) in canvas units.
    """

    pictures: NDArray[np.float32]
    which: Tensor
    axes: Tensor


class Texture:
    """Square pictures in every resolution (a mip pyramid, Williams 1983).

    They are gray, [count, side, side], or have four channels, [count, side, side, 4]. A footprint
    samples them with `sample`, on every backend. `side` is a power of two. Raises ValueError for
    other shapes, and where there are more than 2^24 numbers: kernels count in float32.
    """

    def __init__(self, pictures: ArrayLike) -> None:
        self.pictures = level = np.asarray(pictures, np.float32)
        self.count, self.side, *_ = (*level.shape, 0, 0)
        gray = (self.count, self.side, self.side)
        if level.shape not in (gray, (*gray, 4)):
            raise ValueError(
                f"a texture is [count, side, side] or [count, side, side, 4], "
                f"not {list(level.shape)}"
            )
        if not self.count or self.side.bit_count() != 1:
            raise ValueError(f"the side of a texture must be a power of two, not {self.side}")
        level = level.reshape(*gray, -1)
        self._channels = level.shape[-1]
        self._levels = self.side.bit_length() - 1
        pieces = []
        for half in (self.side >> k for k in range(1, self._levels + 2)):
            # A border of zeros, so that a picture fades out within half a texel.
            bordered = np.pad(level, ((0, 0), (1, 1), (1, 1), (0, 0)))
            pieces.append(bordered.reshape(self.count, -1, self._channels))
            if half:
                level = level.reshape(self.count, half, 2, half, 2, -1).mean(axis=(2, 4))
        table = np.concatenate(pieces, axis=1)
        self._length = table.shape[1]
        if table.size > 1 << 24:
            raise ValueError(f"a texture may have {1 << 24:,} numbers, this has {table.size:,}")
        self._table = torch.from_numpy(table.ravel())

    @classmethod
    def from_text(cls, text: str) -> Texture:
        """Make again what `text` gave. Raises InputError."""
        try:
            data = base64.b64decode(text.removeprefix(_TEXT), validate=True)
            picture = _read(data, "a texture stored in the drawing")
            sheet = np.asarray(picture if picture.mode == "RGBA" else picture.convert("L"))
            side, width, *channels = sheet.shape
            if width % side:
                raise ValueError("its pictures are not square")
            pictures = sheet.reshape(side, -1, side, *channels).swapaxes(0, 1)
            return cls(pictures.astype(np.float32) / 255)
        except ValueError as error:
            raise InputError(f"a stored texture is damaged: {error}") from None

    @property
    def text(self) -> str:
        """The pictures in 8 bits as text, for an option that is stored with the drawing."""
        rows = self.pictures.swapaxes(0, 1)
        return picture_text(rows.reshape(self.side, self.count * self.side, *rows.shape[3:]))

    @staticmethod
    def is_text(text: str) -> bool:
        """Whether `text` is a stored texture and not, say, the name of a file."""
        return text.startswith(_TEXT)

    def sample(self, u: Tensor, v: Tensor, blur: Tensor, which: Tensor | float = 0.0) -> Tensor:
        """Return the value at (u, v), which span the picture from -1 to 1; 0 outside.

        Of pictures with four channels it is [4, ...]. Linear between texels and between
        resolutions, so it can be differentiated by the position. `blur` is the side of the square
        over which to average, in units of u: with ``p.pixel / p.size`` a small part does not alias.
        The average is about that of the square: its weights fade out, with the same variance.
        `which` is the number of the picture; fractions are dropped.
        """
        last = float(self._levels)
        # A texel is the mean of a square, with a variance of side²/12; interpolation adds side²/6.
        # So the square that has the variance of both is wider by the root of 3.
        texels = torch.as_tensor(blur * (self.side / 2 / math.sqrt(3))).clamp(1.0, float(self.side))
        level = (torch.log(texels) / _LN2).clamp(0.0, last)
        fine = torch.floor(level.clamp_max(max(last - 1, 0.0)))
        side = _whole(self.side * torch.exp(-_LN2 * fine))
        picture = torch.floor(torch.as_tensor(which).clamp(0.0, self.count - 1.0)) * self._length
        # The texels of larger levels, (side + 2)² each, as the sum of a geometric series.
        before = (self.side**2 - side * side) * (4 / 3) + 8 * (self.side - side) + 4 * fine
        first = picture + _whole(before)
        # Channel by channel, because kernels compute with single numbers.
        channels = range(self._channels)
        values = [self._bilinear(u, v, side, first, channel) for channel in channels]
        if self._levels:
            half, after = side / 2, first + (side + 2) * (side + 2)
            soft = [self._bilinear(u, v, half, after, channel) for channel in channels]
            values = [a + (level - fine) * (b - a) for a, b in zip(values, soft, strict=True)]
        return torch.stack(values) if len(values) > 1 else values[0]

    def _bilinear(self, u: Tensor, v: Tensor, side: Tensor, first: Tensor, channel: int) -> Tensor:
        """The value between four texels of the level that begins at the number `first`."""
        column, across = _split(u, side)
        row, down = _split(v, side)
        place = first + row * (side + 2) + column
        above, below = (
            self._fetch(start, channel) * (1 - across) + self._fetch(start + 1, channel) * across
            for start in (place, place + (side + 2))
        )
        return above * (1 - down) + below * down

    def _fetch(self, place: Tensor, channel: int) -> Tensor:
        if self._channels > 1:
            place = place * self._channels + channel
        return torch.take(self._table.to(place.device), place.long())


def picture_text(picture: NDArray[np.float32]) -> str:
    """Return a gray or RGBA picture, from 0 to 1, as a PNG in a data URI."""
    data = io.BytesIO()
    Image.fromarray(np.rint(picture.clip(0, 1) * 255).astype(np.uint8)).save(data, "PNG")
    return _TEXT + base64.b64encode(data.getvalue()).decode()


def read_coverage(file: str | Path, side: int) -> NDArray[np.float32]:
    """The alpha of a picture, or its darkness if it is opaque: [side, side] in 0 to 1.

    What is empty around it is cut off, then it is fitted into the square. Raises InputError.
    """
    picture = _read(file, printable(file)).convert("RGBA")
    cover = picture.getchannel("A")
    if cover.getextrema()[0] == 255:
        cover = ImageOps.invert(picture.convert("L"))
    return _fitted(cover, cover, side, repr(str(file)))


def read_rgba(file: str | Path, side: int) -> NDArray[np.float32]:
    """A picture with its colours and its alpha: [side, side, 4] in 0 to 1, not premultiplied.

    What is transparent around it is cut off, then it is fitted into the square. Raises InputError.
    """
    picture = _read(file, printable(file)).convert("RGBA")
    return _fitted(picture, picture.getchannel("A"), side, repr(str(file)))


def _fitted(picture: Image.Image, cover: Image.Image, side: int, name: str) -> NDArray[np.float32]:
    """The part of a picture of Pillow that `cover` is not 0 in, fitted into a square."""
    box = cover.getbbox()
    if box is None:
        raise InputError(
            f"the picture {name} is empty", hint="it needs opaque pixels, or dark ones"
        )
    part = picture.crop(box)
    if round(side * min(part.size) / max(part.size)) == 0:
        raise InputError(
            f"the picture {name} is {part.width}x{part.height} pixels, too thin to be drawn",
            hint=f"crop it: its sides may differ by a factor of {2 * side}",
        )
    fitted = ImageOps.pad(part, (side, side), Image.Resampling.LANCZOS)
    if fitted.getchannel(fitted.getbands()[-1]).getbbox() is None:
        raise InputError(
            f"the picture {name} is nearly empty", hint="it needs opaque pixels, or dark ones"
        )
    return np.asarray(fitted, np.float32) / np.float32(255)


def _read(file: str | Path | bytes, name: str) -> Image.Image:
    """The picture of Pillow in a file or its bytes: gray or RGBA. Raises InputError naming it."""
    if not isinstance(file, bytes):
        if Path(file).suffix.lower() == ".svg":
            return svg_picture(Path(file))
        file = read_regular(file, name)
    samples = decode_file(file, _MOST_PIXELS, name).samples
    if samples.dtype != np.uint8:
        levels = samples * (255 / 65535 if samples.dtype == np.uint16 else 255.0)
        samples = np.nan_to_num(levels).clip(0, 255).round().astype(np.uint8)
    picture = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    return picture if picture.mode == "L" else picture.convert("RGBA")


def _whole(number: Tensor) -> Tensor:
    """The nearest whole number, where rounding left a number just beside it."""
    return torch.floor(number + 0.5)


def _split(position: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """The texel before a position in -1..1, counted from the border, and the share of the next."""
    texel = (position * 0.5 + 0.5) * side + 0.5
    texel = torch.minimum(texel.clamp_min(0.0), side + 1)
    before = torch.floor(torch.minimum(texel, side)).detach()
    return before, texel - before
