"""An image target: a picture file or array, read once, as floats at the fitting size."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import InputError, UsageError
from artgen.base.files import printable, read_regular
from artgen.targets.colour import LUMA, parse_colour
from artgen.targets.faces import find_faces
from artgen.targets.focus import focus_weight, raised, sketched, standing_out
from artgen.targets.resample import bordered, check_samples, over_background, resample
from artgen.targets.source import Source, content_hash, file_safe
from artgen.targets.target import Origin, Target, TargetTensors
from artgen.values.canvas import Canvas
from artgen.values.frame import BACKGROUND, WHOLE, Focus, Frame

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.base.decode import Decoded


PICTURE_SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".ico", ".jpeg"),
    *(".jpg", ".png", ".tif", ".tiff", ".webp"),
)
"""The suffixes of the files in a folder that are taken for pictures."""

DEFAULT_LONG_SIDE = 768
"""The most pixels of the longer side while fitting, unless another size is asked for."""
_FAINT = 0.05
"""An alpha that is hardly seen, and a share of pixels that does not matter."""


@dataclass(frozen=True)
class TargetRequest:
    """Options for opening a target. Raises UsageError for values out of range."""

    size: int | None = None
    """Long side while fitting, in pixels; None: the picture's own, at most 768."""
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """sRGB-encoded colour in 0..1 behind transparency."""
    mask: Path | None = None
    """A gray picture of the same aspect as loss weight: white counts 1, black 0."""
    focus: Focus | Path = None
    """Where detail matters: circles, none of them for those that are found; or a gray picture."""
    alpha_weight: bool = False
    """Weigh the loss by the picture's alpha (times the mask)."""
    max_pixels: int = 64_000_000
    """Refuse pictures with more pixels, before decoding them."""
    frame: Frame = WHOLE
    """The crop or border of the picture; `size` says how large it is."""

    def refuse_mask(self, source: str) -> None:
        """Raise UsageError if a mask, alpha weight or crop is asked for: `source` is no picture."""
        if self.frame.aspect is not None:
            raise UsageError(
                f"{source} is not a picture, so it cannot be cropped",
                hint="give --size as the long side, and leave out what crops: --crop, or a look",
            )
        if self.mask is not None or self.alpha_weight or self.focus not in (None, "faces"):
            raise UsageError(
                f"{source} is not a picture, so it has no mask, focus or alpha",
                hint="leave out --mask, --focus and --alpha-weight",
            )

    def refuse_large(self, canvas: Canvas) -> None:
        """Raise UsageError where a picture would be fitted on more pixels than are taken."""
        if canvas.width * canvas.height > self.max_pixels:
            raise UsageError(
                f"fitting at {canvas.width}x{canvas.height} pixels exceeds {self.max_pixels:,}",
                hint="choose a smaller size: a drawing renders at any resolution later",
            )

    def __post_init__(self) -> None:
        if self.size is not None and not isinstance(self.size, Integral):
            raise UsageError(
                f"size must be the long side in pixels, a whole number, got {self.size!r}"
            )
        if self.size is not None and self.size < 1:
            raise UsageError(f"size must be at least 1 pixel, got {self.size}")
        if self.max_pixels < 1:
            raise UsageError(f"max_pixels must be at least 1, got {self.max_pixels}")
        if not all(0 <= value <= 1 for value in self.background):
            raise UsageError(
                f"background {self.background} is not a colour",
                hint="red, green and blue are in 0..1",
            )


DEFAULT_REQUEST = TargetRequest()


@dataclass(frozen=True, eq=False, repr=False)
class PictureTarget(Target):
    """A single picture."""

    subject: ClassVar[None] = None
    """What is drawn is the picture itself."""
    image: NDArray[Any]
    """[height, width, 3], sRGB-encoded, at the fitting size."""
    original_width: int
    """In pixels, upright, before resampling."""
    original_height: int
    """In pixels, upright, before resampling."""

    @property
    def canvas(self) -> Canvas:
        """The pixel grid of the fitting size."""
        height, width = self.image.shape[:2]
        return Canvas(width, height)

    @property
    def original_size(self) -> int:
        """The longer side of the file's picture, in pixels."""
        return max(self.original_width, self.original_height)


@dataclass(frozen=True, eq=False, repr=False)
class ImageTarget(PictureTarget):
    """A picture ready to be fitted."""

    image: NDArray[np.float32]
    """[height, width, 3], sRGB-encoded, in 0..1, at the fitting size."""
    weight: NDArray[np.float32] | None
    """[height, width] in 0..1, how much each pixel counts; None: all the same."""
    rgba: NDArray[np.float32] | None = None
    """[height, width, 4], before it was laid over the background; None: it is opaque."""
    frame: Frame = WHOLE
    """The crop or border that was asked for; a place of ``auto`` is found."""
    focus: Focus | Path = None
    """The focus that was asked for, with circles that were found."""
    faces: int | None = None
    """How many of these circles are faces; None: they were not looked for."""
    symmetry: str = "none"
    """The group in whose cell it was folded."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture as uint8 [height, width, 3]."""
        values = self.image * 255
        return np.rint(values, out=values).astype(np.uint8)

    def tensors(self) -> TargetTensors:
        """The picture, rounded to 8 bits: metrics while fitting are then those of the still."""
        import torch

        pixels = torch.from_numpy(self.pixels.astype(np.float32) / 255)
        weight = None if self.weight is None else torch.from_numpy(self.weight)
        return TargetTensors(pixels.permute(2, 0, 1).contiguous(), weight)

    def goal_over(self, background: tuple[float, float, float] | NDArray[np.float64]) -> Tensor:
        """The picture over a colour that may be outside 0..1, [3, height, width].

        The `background` may also be a picture, [height, width, 3]. Colours are mixed as they are
        encoded, like those of parts. Raises ValueError where the picture is opaque.
        """
        import torch

        if self.rgba is None:
            raise ValueError("the picture is opaque")
        colour, alpha = np.rint(self.rgba[:, :, :3] * 255) / 255, self.rgba[:, :, 3:]
        mixed = (alpha * colour + (1 - alpha) * np.asarray(background)).astype(np.float32)
        return torch.from_numpy(mixed).permute(2, 0, 1).contiguous()

    def sketch(self) -> str | None:
        """The picture with the circles of the focus, in lines of characters; None without any."""
        circles = self.focus if isinstance(self.focus, tuple) else ()
        return sketched(self.pixels, circles) if circles else None

    def without_border(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The part of a plane of its pixels, [height, width, ...], that no border covers."""
        if self.frame.pad is None:
            return plane
        left, top, wide, high = self.frame.window(self.original_width, self.original_height)
        height, width = plane.shape[:2]
        x, y = math.ceil(-left / wide * width), math.ceil(-top / high * height)
        inside = plane[y : height - y, x : width - x]
        return inside if inside.size else plane

    def even(self, counts: float) -> tuple[Tensor, Tensor, Tensor]:
        """The picture over a ground that pulls no colour, that ground, and what is plain in it.

        Plain is the colour of the nearest pixel that is seen; the ground is that and `counts` more
        or less, three times as much where it is transparent: what a part leaves open another can
        fill, what it covers too much none can mend. That error does not depend on its colour.
        All are [3, height, width]. Raises ValueError where the picture is opaque.
        """
        from scipy.ndimage import distance_transform_edt

        if self.rgba is None:
            raise ValueError("the picture is opaque")
        alpha = self.rgba[:, :, 3]
        unseen = alpha < _FAINT * alpha.max()
        nearest = distance_transform_edt(unseen, return_distances=False, return_indices=True)
        row, column = np.indices(alpha.shape)
        # As many signs of either kind along any line: the sequence R2 (Roberts 2018).
        more = (0.5698402909980532 * row + 0.7548776662466927 * column) % 1 < 0.5
        plain = self.rgba[:, :, :3][tuple(nearest)].astype(np.float64)
        far = counts * (3 - 2 * alpha) * np.where(more, 1.0, -1.0)
        ground = plain + far[..., None]
        nothing = replace(self, rgba=np.zeros_like(self.rgba))
        return self.goal_over(ground), nothing.goal_over(ground), nothing.goal_over(plain)

    @property
    def is_solid(self) -> bool:
        """Whether what is seen of it is opaque, but for the pixels along outlines."""
        from scipy.ndimage import maximum_filter, minimum_filter

        if self.rgba is None:
            return True
        alpha = self.rgba[:, :, 3]
        rim = (maximum_filter(alpha, 5) >= 1 - _FAINT) & (minimum_filter(alpha, 5) <= _FAINT)
        soft = (alpha > _FAINT) & (alpha < 1 - _FAINT) & ~rim
        return bool(soft.sum() <= _FAINT * (alpha > _FAINT).sum())

    def contrasting(self) -> str:
        """White behind dark pictures, black behind bright ones; transparent pixels do not count."""
        opaque = np.ones(self.image.shape[:2]) if self.rgba is None else self.rgba[:, :, 3]
        colours = self.image if self.rgba is None else self.rgba[:, :, :3]
        luma = np.average(colours.astype(np.float64) @ LUMA, weights=opaque + 1e-9)
        return "white" if luma < 0.5 else "black"

    def over(self, background: tuple[float, float, float]) -> ImageTarget:
        """The picture over another background, the same where it is opaque."""
        if self.rgba is None:
            return self
        colour, alpha = self.rgba[:, :, :3], self.rgba[:, :, 3]
        return replace(self, image=over_background(colour, alpha, background))

    def seen(self) -> ImageTarget:
        """The colours themselves, over nothing; each counts as much as is seen of it, if any is."""
        if self.rgba is None:
            return self
        weight = self.rgba[:, :, 3] * (1 if self.weight is None else self.weight)
        return replace(self, image=self.rgba[:, :, :3], weight=weight) if weight.any() else self

    def flat(self) -> ImageTarget:
        """The picture without its transparency."""
        return replace(self, rgba=None)


def open_image(
    path: str | os.PathLike[str], request: TargetRequest = DEFAULT_REQUEST
) -> ImageTarget:
    """Open a PNG, JPEG, WebP, AVIF, TIFF, GIF, BMP or ICO file as a target.

    The content decides, not the suffix. EXIF orientation and colour profile are applied; of an
    animation the first frame is used. Raises InputError naming the path and the reason for
    anything that is not an intact picture of at most `request.max_pixels` pixels.
    """
    data, picture, where = read_picture(path, request.max_pixels)
    origin = Origin.of_file(Path(path), hashlib.sha256(data).hexdigest())
    return prepare_picture(picture, request, where, origin)


def image_from_bytes(
    data: bytes, request: TargetRequest = DEFAULT_REQUEST, source: str = "picture"
) -> ImageTarget:
    """Make a target of the bytes of a picture file, as `open_image` does.

    `source` is the name by which it can be opened again. Raises InputError naming it.
    """
    from artgen.base.decode import decode_file

    origin = Origin(file_safe(Source.parse(source).stem), source, hashlib.sha256(data).hexdigest())
    return prepare_picture(decode_file(data, request.max_pixels, source), request, source, origin)


def image_from_array(
    array: Any,
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "array",
    *,
    source: str | None = None,
    sha256: str | None = None,
) -> ImageTarget:
    """Make a target of sRGB-encoded samples, or of a Pillow image.

    An array is [height, width] or [height, width, channels] of gray, gray and alpha, RGB, or RGBA;
    bool, uint8, uint16, or floats in 0..1. `source` is the name by which it can be opened again,
    if any; `sha256` is that of how the samples were computed where they differ by rounding, by
    default theirs. Raises InputError naming `name` for other shapes, types or ranges, NaN and
    infinity.
    """
    picture, digest = decoded_array(array, request.max_pixels, name)
    origin = Origin(file_safe(name), source or name, sha256 or digest)
    return prepare_picture(picture, request, name, origin)


def decoded_array(array: Any, max_pixels: int, name: str) -> tuple[Decoded, str]:
    """The samples of an array or a Pillow image, and their hash. Raises InputError."""
    from PIL import Image

    from artgen.base import decode

    if isinstance(array, Image.Image):
        with decode.pillow_guard(max_pixels, name):
            decode.check_size(*array.size, max_pixels, name)
            picture = decode.decode_frame(array, name)
    else:
        picture = decode.Decoded(check_samples(array, name))
    samples, kind = picture.samples, picture.samples.dtype.newbyteorder("<")
    return picture, content_hash(f"{samples.shape} {kind.str} ", samples)


def prepare_picture(
    picture: Decoded, request: TargetRequest, where: str, origin: Origin
) -> ImageTarget:
    """Bring decoded samples to the fitting size, over the background, with their loss weight."""
    samples = check_samples(picture.samples, where)
    height, width = samples.shape[:2]
    original = Canvas(width, height)
    request = replace(request, frame=request.frame.focused(samples, find_faces))
    canvas = _fitting_canvas(original, request)
    shown = _framed(samples, request.frame)
    colour, alpha = resample(shown, canvas)
    faces = find_faces(shown) if request.focus in ((), "faces") else None
    if faces is not None:
        other = standing_out(colour) if not (faces or request.focus) else None
        request = replace(request, focus=faces or other)
    warnings = picture.warnings
    if request.alpha_weight and alpha is None:
        warnings += ("alpha weight ignored: the picture is opaque",)
    return ImageTarget(
        *origin,
        image=over_background(colour, alpha, request.background),
        weight=_loss_weight(alpha, original, canvas, request, where),
        original_width=width,
        original_height=height,
        rgba=None if alpha is None else np.dstack([colour, alpha]),
        frame=request.frame,
        focus=request.focus,
        faces=None if faces is None else len(faces),
        warnings=warnings,
    )


def pictures_in(folder: Path, where: str) -> list[Path]:
    """The picture files in a folder, sorted. Raises InputError naming `where` for none."""
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES]
    except PermissionError as error:
        problem = f"cannot read folder {where}: {error.strerror}"
        raise InputError(problem, hint="check its permissions") from None
    # Other systems find notes of macOS beside pictures, `._NAME` each.
    if not (found := sorted(f for f in files if f.name[0] != "." and f.is_file())):
        hint = f"looked for {', '.join(PICTURE_SUFFIXES)}"
        raise InputError(f"folder {where} holds no pictures", hint=hint)
    return found


def read_picture(path: str | os.PathLike[str], max_pixels: int) -> tuple[bytes, Decoded, str]:
    """Read and decode a picture file; also return its bytes, and its path for messages."""
    from artgen.base.decode import decode_file

    where = printable(path) or "the empty path"
    data = read_regular(path, where)
    return data, decode_file(data, max_pixels, where), where


def _fitting_canvas(original: Canvas, request: TargetRequest) -> Canvas:
    """The canvas to fit on; raises UsageError where it would exceed the pixel limit."""
    shown = request.frame.canvas(original.width, original.height)
    size = request.size or min(max(shown.width, shown.height), DEFAULT_LONG_SIDE)
    canvas = replace(request.frame, size=size).canvas(original.width, original.height)
    request.refuse_large(canvas)
    return canvas


def _framed(samples: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """The samples that a frame shows; a border has its colour, or is transparent."""
    height, width = samples.shape[:2]
    left, top, wide, high = frame.window(width, height)
    if (left, top, wide, high) == (0, 0, width, height):
        return samples
    if frame.pad is None:
        wide, high = max(1, round(wide)), max(1, round(high))
        x, y = min(round(left), width - wide), min(round(top), height - high)
        return samples[y : y + high, x : x + wide]
    clear = frame.pad == BACKGROUND
    colour = (0.0, 0.0, 0.0) if clear else parse_colour(frame.pad)
    margins = (round(-top), round(high - height + top)), (round(-left), round(wide - width + left))
    return bordered(samples, margins, (*colour, 0.0 if clear else 1.0))


def _loss_weight(
    alpha: NDArray[np.float32] | None,
    original: Canvas,
    canvas: Canvas,
    request: TargetRequest,
    where: str,
) -> NDArray[np.float32] | None:
    """The weight of each pixel in the loss: the mask, alpha and focus requested, multiplied."""

    sizes, factors = (original, canvas, request, where), {}
    if request.alpha_weight and alpha is not None:
        factors["its alpha"] = alpha
    if request.mask is not None:
        # A border is part of the picture, so its pixels count in full.
        factors[f"mask {printable(request.mask)}"] = _open_mask(request.mask, "white", *sizes)
    if isinstance(request.focus, Path):
        factors["its focus"] = raised(_open_mask(request.focus, "black", *sizes))
    elif isinstance(request.focus, tuple):
        factors["its focus"] = focus_weight(request.focus, canvas)
    if not factors:
        return None
    weight = np.ones((canvas.height, canvas.width), np.float32)
    for factor in factors.values():
        weight *= factor
    if not weight.any():
        raise InputError(
            f"{where}: {' times '.join(factors)} is 0 everywhere, so nothing would be fitted",
            hint="the white parts of a mask and the opaque parts of a picture count",
        )
    return weight


def _open_mask(
    path: Path, border: str, original: Canvas, canvas: Canvas, request: TargetRequest, where: str
) -> NDArray[np.float32]:
    """The luma of a mask over black, [height, width] in 0..1, at the size of `canvas`."""
    _, picture, mask = read_picture(path, request.max_pixels)
    samples = check_samples(picture.samples, mask)
    height, width = samples.shape[:2]
    # A mask may be smaller than its picture; its shorter side was then rounded to a whole pixel.
    skew = abs(width * original.height - height * original.width)
    if skew >= max(original.width, original.height):
        raise InputError(
            f"mask {mask} is {width}x{height} pixels, "
            f"but {where} is {original.width}x{original.height}",
            hint="a mask must have the aspect ratio of its picture",
        )
    frame = request.frame if request.frame.pad is None else replace(request.frame, pad=border)
    samples = _framed(samples, frame)
    gray = over_background(*resample(samples, canvas), (0.0, 0.0, 0.0))
    luma = gray.astype(np.float64) @ LUMA
    return np.asarray(luma, np.float32)
