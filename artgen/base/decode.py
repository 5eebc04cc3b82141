"""From the bytes of a picture file to samples: an array [height, width, channels].

Channels are gray, gray and alpha, RGB, or RGBA; samples are uint8, uint16 or float32, sRGB-encoded
and upright. Files are hostile until proven otherwise: only `PICTURES` are tried, and the number of
pixels is checked before anything is decoded, but for icons, of which Pillow decodes up to twice as
many. Pillow is used directly: imageio, which wraps it, tries all of its formats (EPS runs
Ghostscript), checks no size, and keeps neither colour profiles nor transparent colours of deep
pictures.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from artgen.base.errors import ArtgenError, InputError, is_out_of_memory, reading
from artgen.base.files import PICTURES, use_of

_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_PHOTOMETRIC = 0x0106
DAMAGED = "the file may be damaged or cut short"
_TOO_MANY = "shrink the picture, or raise --max-pixels if you trust the file"

_pillow_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Decoded:
    """Decoded samples [height, width, 1 to 4], and what had to be left out on the way."""

    samples: NDArray[Any]
    warnings: tuple[str, ...] = ()


def decode_file(data: bytes, max_pixels: int, where: str) -> Decoded:
    """Decode the first frame of a picture file. Raises InputError naming `where` and the reason."""
    with guarded_image(BytesIO(data), max_pixels, where) as image:
        frames = getattr(image, "n_frames", 1)
        picture = decode_frame(image, where)
    first = (f"first of {frames} frames used",) if frames > 1 else ()
    return replace(picture, warnings=(*first, *picture.warnings))


@contextmanager
def guarded_image(file: IO[bytes], max_pixels: int, where: str) -> Iterator[Image.Image]:
    """A picture file whose pixels are not decoded yet. Raises as `decode_file` does."""
    with pillow_guard(max_pixels, where), Image.open(file, formats=PICTURES) as image:
        check_size(*image.size, max_pixels, where)
        yield image


@contextmanager
def pillow_guard(max_pixels: int, where: str) -> Iterator[None]:
    """Pillow with our pixel limit in place of its own, without its warnings and exceptions.

    Limit and warning filters are global to the process: the lock lets every thread find and leave
    them as they were.
    """
    with reading(where), _pillow_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = max_pixels
        try:
            yield
        except ArtgenError:
            raise
        except Image.DecompressionBombError:
            raise InputError(
                f"{where} is far larger than {max_pixels:,} pixels", hint=_TOO_MANY
            ) from None
        except UnidentifiedImageError:
            reads = f"it reads {', '.join(PICTURES)}; the file may also be damaged or cut short"
            hint = reads if "://" in where else use_of(where, reads, expected="picture")
            raise InputError(f"{where} is not a picture that artgen can read", hint=hint) from None
        except Exception as error:  # on damaged files the decoders raise nearly anything
            if is_out_of_memory(error):
                raise
            reason = str(error) or type(error).__name__
            raise InputError(f"{where} cannot be decoded: {reason}", hint=DAMAGED) from None
        finally:
            Image.MAX_IMAGE_PIXELS = before


def check_size(width: int, height: int, limit: int, where: str) -> None:
    """Raise InputError for a picture of more than `limit` pixels."""
    if width * height > limit:
        raise InputError(f"{where} is {width}x{height} pixels, more than {limit:,}", hint=_TOO_MANY)


def decode_frame(image: Image.Image, where: str) -> Decoded:
    """The samples of an image of any mode, upright and in sRGB."""
    image.load()
    # Of a TIFF whose white is 0, which Pillow turns over where it has 8 bits or fewer alone.
    negative = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    image, turning = _upright(image)
    if image.mode in _DEEP_MODES:
        unused = "the picture has more than 8 bits" if "icc_profile" in image.info else None
        samples = _deep_samples(image, where, negative)
    else:
        alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        image, unused = _in_srgb(image)
        samples = np.atleast_3d(np.asarray(image))
        if alpha is not None:
            samples = np.dstack([samples, np.asarray(alpha)])
    profile = f"colour profile ignored: {unused}" if unused else None
    return Decoded(samples, tuple(warning for warning in (turning, profile) if warning))


def _upright(image: Image.Image) -> tuple[Image.Image, str | None]:
    """The image turned as its EXIF orientation says, and a warning where EXIF is damaged."""
    try:
        return ImageOps.exif_transpose(image), None
    except Exception as error:  # a damaged EXIF block is no reason to refuse the pixels
        if is_out_of_memory(error):
            raise
        return image, f"EXIF orientation ignored: {error}"


def _deep_samples(image: Image.Image, where: str, negative: bool) -> NDArray[Any]:
    """Samples of more than 8 bits, which Pillow's own conversions would clip to 255."""
    samples = np.atleast_3d(np.asarray(image))
    if image.mode == "I":
        if samples.min() < 0 or samples.max() > 65535:
            raise InputError(
                f"{where} has 32-bit samples outside 0..65535", hint="save it with 8 or 16 bits"
            )
        if 0 < samples.max() < 256:
            raise InputError(
                f"{where} has 32-bit samples of at most {samples.max()}, where white is 65535",
                hint='save it with 8 bits, or with 16 if it is so dark: image.convert("L")',
            )
        samples = samples.astype(np.uint16)
    if negative:
        samples = (1 if image.mode == "F" else 65535) - samples
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        samples = np.dstack([samples, (samples != transparent) * np.uint16(65535)])
    return samples


def _in_srgb(image: Image.Image) -> tuple[Image.Image, str | None]:
    """An 8-bit image without its alpha as sRGB, and why its colour profile is not used, if so."""
    # The colours that a profile speaks of: gray, CMYK, Lab or RGB.
    plain = "L" if image.mode in ("1", "LA") else "RGB"
    opaque = image if image.mode in ("L", "CMYK", "LAB") else image.convert(plain)
    unused = None
    if profile := image.info.get("icc_profile"):
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            transform = ImageCms.ImageCmsTransform(source, srgb, opaque.mode, "RGB")
            return transform.apply(opaque), None
        except Exception as error:  # an odd profile is no reason to refuse the pixels
            if is_out_of_memory(error):
                raise
            unused = str(error) or type(error).__name__
    return (opaque if opaque.mode == "L" else opaque.convert("RGB")), unused
