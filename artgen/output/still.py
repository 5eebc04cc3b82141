"""Stills: float pictures become 8-bit pixels, PNG bytes that carry their recipe, contact sheets."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artgen._version import __version__
from artgen.base.errors import UsageError, divergence

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont
    from PIL.PngImagePlugin import PngInfo


RECIPE_KEYWORD = "artgen:recipe"
"""The keyword of the PNG text chunk (iTXt) that holds the recipe as JSON."""


_PHOTO_QUALITY = 95

_PHOTO_SIDES = {"JPEG": 65_500, "AVIF": 32_768}
"""The longest sides that libjpeg writes, and that libavif reads, in pixels."""

DESCRIPTION = 0x010E
"""The Exif tag that holds the recipe of a WebP, JPEG or AVIF."""

Pixels = NDArray[np.uint8]

_CLEAR = 1 << 24
"""What is clear, among colours of 24 bits."""


def to_pixels(image: NDArray[np.floating[Any]]) -> Pixels:
    """8-bit pixels [h, w, c] of an sRGB-encoded picture [h, w, c], where 1.0 = 255.

    Values are clamped to [0, 1] and rounded half up. Raises Diverged where the picture holds NaN.
    """
    values = np.clip(image, 0.0, 1.0)
    if np.isnan(values).any():
        raise divergence("the picture contains NaN")
    values *= 255.0
    values += 0.5
    pixels: Pixels = values.astype(np.uint8)
    # Channels that lie one after the other are interleaved; this is the quickest way.
    return pixels if pixels.flags.c_contiguous else np.stack([*np.moveaxis(pixels, 2, 0)], axis=2)


def opaque(picture: Image, background: Sequence[float]) -> Image:
    """The picture in RGB, over `background` (0..1, clamped) where it is transparent."""
    from PIL.Image import alpha_composite, new

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    red, green, blue = (round(255 * min(max(value, 0.0), 1.0)) for value in background)
    paper = new("RGBA", picture.size, (red, green, blue, 255))
    return alpha_composite(paper, picture.convert("RGBA")).convert("RGB")


def encode_png(
    pixels: Pixels,
    recipe_json: str | None = None,
    *,
    level: int = 6,
    dpi: float | None = None,
    colours: Sequence[str] | None = None,
) -> bytes:
    """A PNG file of `pixels`, uint8 [h, w, 3] or [h, w, 4]; equal arguments give equal bytes.

    The recipe goes into one compressed iTXt chunk, for `read_recipe`. `level` is zlib's, from 1
    (fast) to 9 (small). `dpi` says how large it is on paper. With `colours`, ``#rrggbb``, of which
    pixels are made, the file holds them as a palette, with others that occur after them; unless
    they are more than 256.
    """
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise ValueError(f"pixels are uint8 [h, w, 3|4], not {pixels.dtype} {pixels.shape}")
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    settings: dict[str, object] = {} if dpi is None else {"dpi": (dpi, dpi)}
    if colours is not None:
        picture, clear = _indexed(picture, colours)
        settings |= {} if clear is None else {"transparency": clear}
    return saved(picture, "PNG", pnginfo=png_texts(recipe_json), compress_level=level, **settings)


def _indexed(picture: Image, colours: Sequence[str]) -> tuple[Image, int | None]:
    """The picture with a palette that begins with `colours`, and the index of what is clear.

    Pixels are opaque or clear. A picture of too many colours stays as it is.
    """
    from PIL import Image

    levels = np.asarray(picture).astype(np.int32)
    packed = levels[:, :, :3] @ np.array([1 << 16, 1 << 8, 1], np.int32)
    if levels.shape[2] == 4:
        packed[levels[:, :, 3] == 0] = _CLEAR
    listed = [int(colour[1:], 16) for colour in colours]
    table = np.array([*listed, *np.setdiff1d(packed, listed)])
    if len(table) > 256:
        return picture, None
    order = np.argsort(table)
    index = order[np.searchsorted(table[order], packed)].astype(np.uint8)
    indexed = Image.fromarray(index)
    indexed.putpalette(b"".join(int(each % _CLEAR).to_bytes(3) for each in table))
    return indexed, len(table) - 1 if table[-1] == _CLEAR else None


def saved(picture: Image, kind: str, **settings: object) -> bytes:
    """A file of a picture, in memory; `settings` are those of Pillow's encoder."""
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def encode_jpeg(
    pixels: Pixels, quality: int, *, side: int | None = None, **settings: object
) -> bytes:
    """A JPEG file of `pixels`, uint8 [h, w, 3], reduced to a long side of at most `side` pixels.

    `quality` (1 to 100) and `settings` are those of Pillow's encoder.
    """
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if side is not None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return saved(picture, "JPEG", quality=quality, **settings)


def encode_photo(
    pixels: Pixels, suffix: str, recipe_json: str, *, dpi: float | None = None
) -> bytes:
    """A JPEG or AVIF file of `pixels`, uint8 [h, w, 3], for AVIF also [h, w, 4].

    Colours have full resolution. The recipe is the Exif description, for `read_recipe`; JPEG also
    says by `dpi` how large it is on paper. Raises UsageError where the recipe is too long, or a
    side.
    """
    from PIL import Image

    kind, more = "AVIF", dict[str, Any](subsampling="4:4:4")
    if suffix != "avif":
        kind, more = "JPEG", {"subsampling": 0} | ({} if dpi is None else {"dpi": (dpi, dpi)})
    if max(pixels.shape) > (most := _PHOTO_SIDES[kind]):
        raise UsageError(f"{kind} has sides of at most {most:,} pixels", hint="use -o FILE.png")
    exif = description_exif(recipe_json)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    try:
        return saved(picture, kind, quality=_PHOTO_QUALITY, exif=exif, **more)
    except ValueError as error:
        if "EXIF" not in str(error):
            raise
        raise UsageError(f"the recipe is too long for a {kind}", hint="use -o FILE.png") from None


def description_exif(comment: str) -> Any:
    """The recipe as the description in an Exif block, which is ASCII."""
    from PIL import Image

    exif = Image.Exif()
    exif[DESCRIPTION] = ascii_json(comment)
    return exif


def ascii_json(text: str) -> str:
    """JSON with escapes for all letters that are not ASCII."""
    return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)


def png_texts(recipe_json: str | None) -> PngInfo:
    """The text chunks of a PNG or APNG file, with the recipe for `read_recipe`."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Software", f"artgen {__version__}")
    if recipe_json is not None:
        texts.add_itxt(RECIPE_KEYWORD, recipe_json, zip=True)
    return texts


_ASPECT = 16 / 10
_CELL = (120, 480)
_BACKGROUND = (14, 14, 16)
_INK = (170, 170, 176)


def contact_sheet(
    cells: Sequence[tuple[Pixels, str]], *, columns: int | None = None, longest: int = _CELL[1]
) -> Pixels:
    """One picture, uint8 [h, w, 3], of many: captioned, on near-black, in cells of one width.

    `cells` are pairs of a picture, uint8 [h, w, 3] or [h, w, 4], and its caption, of one line or
    several. The number of `columns` brings the sheet near 16:10 unless given; `longest` is the most
    pixels of a cell's longer side. Pictures keep their aspect, and a row is as high as its tallest;
    lines that are too long end in an ellipsis.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not cells:
        raise ValueError("a contact sheet needs at least one picture")
    box_width, box_height = _box([picture.shape for picture, _ in cells], longest)
    gap = max(6, max(box_width, box_height) // 28)
    font = caption_font(max(11, box_width // 26), "".join(caption for _, caption in cells))
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (11, 2)
    leading = ascent + descent + 2
    lines = max(len(caption.splitlines()) for _, caption in cells)
    pitch_x = box_width + gap
    below = gap // 2 + max(1, lines) * leading + gap
    columns = columns or _columns(len(cells), pitch_x / (box_height + below))
    pictures = [_fitted(pixels, box_width, box_height) for pixels, _ in cells]
    starts = range(0, len(cells), columns)
    tallest = [max(each.height for each in pictures[k : k + columns]) for k in starts]
    feet = [sum(tallest[: row + 1]) + row * below + gap for row in range(len(tallest))]

    sheet = Image.new("RGB", (columns * pitch_x + gap, feet[-1] + below), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (picture, (_, caption)) in enumerate(zip(pictures, cells, strict=True)):
        row, column = divmod(index, columns)
        left, foot = gap + column * pitch_x, feet[row]
        mask = picture if picture.mode == "RGBA" else None
        sheet.paste(picture, (left, foot - picture.height), mask)
        for number, line in enumerate(caption.splitlines()):
            text = _shortened(line, font, box_width)
            draw.text((left, foot + gap // 2 + number * leading), text, _INK, font)
    return np.asarray(sheet)


def caption_font(size: int, text: str) -> FreeTypeFont | ImageFont:
    """Pillow's own font, or DejaVu Sans for letters that it has not; `size` is its height."""
    from PIL import ImageFont

    if all(letter.isascii() or letter in "…·°" for letter in text):
        return ImageFont.load_default(size)
    from matplotlib import get_data_path

    file = Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(file), round(0.9 * size))


def _box(shapes: Sequence[tuple[int, ...]], longest: int) -> tuple[int, int]:
    """Width and height in pixels that hold every picture at a common, readable size."""
    width, height = max(shape[1] for shape in shapes), max(shape[0] for shape in shapes)
    longer = max(width, height)
    scale = min(max(longer, _CELL[0]), longest) / longer
    # Slivers still get a cell wide enough for a caption.
    return max(_CELL[0] // 2, round(width * scale)), max(1, round(height * scale))


def _columns(count: int, cell_aspect: float) -> int:
    """The number of columns that leaves few cells empty and brings the sheet near its aspect."""

    def cost(columns: int) -> float:
        rows = math.ceil(count / columns)
        empty = 1 - count / (rows * columns)
        return 2 * empty + abs(math.log(columns * cell_aspect / rows / _ASPECT))

    return min(range(1, count + 1), key=cost)


def _fitted(pixels: Pixels, width: int, height: int) -> Image:
    """The picture scaled to the largest size of its aspect that fits."""
    from PIL import Image

    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.LANCZOS)


def _shortened(text: str, font: FreeTypeFont | ImageFont, width: int) -> str:
    """The text, cut and ended with an ellipsis where it is wider than `width` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
