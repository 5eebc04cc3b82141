"""JPEG, WebP, AVIF and others at a given number of bytes, to show beside what artgen makes.

The encoders are Pillow's, and those of imagecodecs where that is installed, at the
best quality that the number of bytes allows.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np

from artgen.losses.metrics import psnr
from artgen.output.still import Pixels, saved

_SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "JPEG": (
        {"optimize": True, "subsampling": "4:2:0"},
        {"optimize": True, "subsampling": "4:4:4"},
    ),
    "WebP": ({"method": 6},),
    "AVIF": ({"subsampling": "4:2:0"}, {"subsampling": "4:4:4"}),
    "MozJPEG": ({"subsampling": "420"}, {"subsampling": "444"}),
    "JPEG XL": ({},),
}
_PILLOW = {"JPEG": "jpg", "WebP": "webp", "AVIF": "avif"}
"""Codecs that Pillow writes, by the feature that it needs."""
_QUALITIES = range(1, 101)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A picture after coding: its quality from 1 to 100, the size of the file, what it shows.

    `size` is that of the whole file in bytes, headers included; `pixels` are uint8 [h, w, 3];
    `psnr` is that of the picture, in dB. `encoding` and `decoding` are the seconds that it took.
    """

    quality: int
    size: int
    pixels: Pixels
    psnr: float
    encoding: float
    decoding: float


def available_codecs() -> tuple[str, ...]:
    """JPEG, WebP and AVIF where the installed Pillow can write them, and those of imagecodecs."""
    return tuple(filter(_can_write, _SETTINGS))


def encode_within(pixels: Pixels, codec: str, limit: int) -> Encoded | None:
    """The picture, uint8 [h, w, 3], after `codec` in a file of at most `limit` bytes.

    It has the largest quality whose file fits, found by bisection, as files grow with it. Chroma is
    at half or at full resolution, where the codec has both: what comes closer to the picture. None
    where even quality 1 takes more bytes.
    """
    fitting = (_largest(pixels, codec, limit, settings) for settings in _SETTINGS[codec])
    encoded = [each for each in fitting if each is not None]
    return max(encoded, key=lambda each: each.psnr, default=None)


def encode_along(pixels: Pixels, codec: str, qualities: Iterable[int]) -> list[Encoded]:
    """The picture, uint8 [h, w, 3], after `codec` at these qualities, from the smallest file.

    What is larger than another file that comes as close to the picture is left out.
    """
    tried = [
        _decoded(pixels, codec, quality, *_encoded(pixels, codec, quality, settings))
        for quality in qualities
        for settings in _SETTINGS[codec]
    ]
    best: list[Encoded] = []
    for each in sorted(tried, key=lambda each: each.size):
        if not best or each.psnr > best[-1].psnr:
            best.append(each)
    return best


def _largest(pixels: Pixels, codec: str, limit: int, settings: dict[str, Any]) -> Encoded | None:
    @cache
    def encoded(quality: int) -> tuple[bytes, float]:
        return _encoded(pixels, codec, quality, settings)

    # They count from 1, so the largest that fits is the number of those that fit.
    quality = bisect_left(_QUALITIES, True, key=lambda each: len(encoded(each)[0]) > limit)
    return _decoded(pixels, codec, quality, *encoded(quality)) if quality else None


def _encoded(
    pixels: Pixels, codec: str, quality: int, settings: dict[str, Any]
) -> tuple[bytes, float]:
    """The file, and the seconds that it took."""
    encode, began = _functions(codec)[0], time.perf_counter()
    return encode(pixels, quality, **settings), time.perf_counter() - began


def _decoded(pixels: Pixels, codec: str, quality: int, data: bytes, encoding: float) -> Encoded:
    decode, began = _functions(codec)[1], time.perf_counter()
    shown = decode(data)
    decoding = time.perf_counter() - began
    return Encoded(quality, len(data), shown, psnr(shown, pixels), encoding, decoding)


def _functions(codec: str) -> tuple[Callable[..., bytes], Callable[[bytes], Pixels]]:
    """What encodes pixels at a quality, with settings, and what decodes the file."""
    if codec in _PILLOW:
        from PIL import Image

        kind = codec.upper()
        return (
            lambda pixels, quality, **settings: saved(
                Image.fromarray(pixels), kind, quality=quality, **settings
            ),
            lambda data: np.array(Image.open(BytesIO(data), formats=[kind]).convert("RGB")),
        )
    import imagecodecs

    encode, decode = (getattr(imagecodecs, f"{_name(codec)}_{way}") for way in ("encode", "decode"))
    return (
        lambda pixels, quality, **settings: encode(
            np.ascontiguousarray(pixels), level=quality, **settings
        ),
        decode,
    )


def _can_write(codec: str) -> bool:
    """Whether Pillow was built with this codec, or imagecodecs, and is installed."""
    if codec in _PILLOW:
        from PIL import features

        # Asking an older Pillow for a feature that it has never heard of gives a warning.
        return _PILLOW[codec] in features.get_supported()
    try:
        import imagecodecs
    except ImportError:
        return False
    return bool(getattr(imagecodecs, _name(codec).upper()).available)


def _name(codec: str) -> str:
    return codec.replace(" ", "").lower()
