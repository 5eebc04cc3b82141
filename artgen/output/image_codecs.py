"""JPEG, WebP and AVIF at a given number of bytes, to show beside what artgen makes.

The encoders are Pillow's behind imageio, at the best quality that the number of bytes allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.losses.metrics import psnr

_SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "JPEG": (
        {"optimize": True, "subsampling": "4:2:0"},
        {"optimize": True, "subsampling": "4:4:4"},
    ),
    "WebP": ({"method": 6},),
    "AVIF": ({"subsampling": "4:2:0"}, {"subsampling": "4:4:4"}),
}
_WORST, _BEST = 1, 100

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A picture after coding: its quality from 1 to 100, the size of the file, what it shows.

    `size` is that of the whole file in bytes, headers included; `pixels` are uint8 [h, w, 3];
    `psnr` is that of the picture, in dB.
    """

    quality: int
    size: int
    pixels: Pixels
    psnr: float


def available_codecs() -> tuple[str, ...]:
    """Those of JPEG, WebP and AVIF that the installed Pillow can write."""
    from PIL import features

    built = {"JPEG": "jpg", "WebP": "webp", "AVIF": "avif"}
    # Asking an older Pillow for a feature that it has never heard of gives a warning.
    known = features.get_supported()
    return tuple(codec for codec in _SETTINGS if built[codec] in known)


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
        _decoded(pixels, codec, quality, _encoded(pixels, codec, quality, settings))
        for quality in qualities
        for settings in _SETTINGS[codec]
    ]
    best: list[Encoded] = []
    for each in sorted(tried, key=lambda each: each.size):
        if not best or each.psnr > best[-1].psnr:
            best.append(each)
    return best


def _largest(pixels: Pixels, codec: str, limit: int, settings: dict[str, Any]) -> Encoded | None:
    low, high = _WORST, _BEST + 1
    found: tuple[int, bytes] | None = None
    while low < high:
        quality = (low + high) // 2
        data = _encoded(pixels, codec, quality, settings)
        if len(data) <= limit:
            found, low = (quality, data), quality + 1
        else:
            high = quality
    return None if found is None else _decoded(pixels, codec, *found)


def _encoded(pixels: Pixels, codec: str, quality: int, settings: dict[str, Any]) -> bytes:
    import imageio.v3 as iio

    form: dict[str, Any] = {"extension": f".{codec.lower()}", "plugin": "pillow"}
    data: bytes = iio.imwrite("<bytes>", pixels, quality=quality, **form, **settings)
    return data


def _decoded(pixels: Pixels, codec: str, quality: int, data: bytes) -> Encoded:
    import imageio.v3 as iio

    shown = iio.imread(data, mode="RGB", extension=f".{codec.lower()}", plugin="pillow")
    return Encoded(quality, len(data), shown, psnr(shown, pixels))
