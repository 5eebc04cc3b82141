"""JPEG, WebP and AVIF within a number of bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from artgen.losses.metrics import psnr
from artgen.output import available_codecs, encode_within

PHOTO = data.astronaut()[:96, 180:300]


def test_jpeg_is_always_there():
    assert available_codecs()[0] == "JPEG"
    assert set(available_codecs()) <= {"JPEG", "WebP", "AVIF"}


@pytest.mark.parametrize("codec", available_codecs())
def test_the_largest_quality_that_fits(codec):
    limit = 2000
    encoded = encode_within(PHOTO, codec, limit)
    assert encoded.size <= limit
    assert encoded.pixels.shape == PHOTO.shape
    assert encoded.pixels.dtype == np.uint8
    assert 20 < psnr(encoded.pixels, PHOTO) < 50
    more = encode_within(PHOTO, codec, 2 * limit)
    assert more.size > encoded.size
    assert more.quality > encoded.quality
    assert psnr(more.pixels, PHOTO) > psnr(encoded.pixels, PHOTO)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_no_better_jpeg_fits(subsampling):
    limit = 2500
    encoded = encode_within(PHOTO, "JPEG", limit)
    for quality in range(1, 101):
        file = io.BytesIO()
        picture = Image.fromarray(PHOTO)
        picture.save(file, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
        if len(file.getvalue()) <= limit:
            shown = np.asarray(Image.open(file))
            assert psnr(shown, PHOTO) <= psnr(encoded.pixels, PHOTO) + 0.05


@pytest.mark.parametrize("codec", available_codecs())
def test_the_header_alone_may_be_too_much(codec):
    assert encode_within(PHOTO, codec, 40) is None
