"""JPEG, WebP, AVIF and others within a number of bytes."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from artgen.losses.metrics import psnr
from artgen.output import available_codecs, encode_along, encode_within

PHOTO = data.astronaut()[:96, 180:300]


def test_jpeg_is_always_there():
    assert available_codecs()[0] == "JPEG"
    assert set(available_codecs()) <= {"JPEG", "WebP", "AVIF", "MozJPEG", "JPEG XL"}


def test_what_imagecodecs_was_built_with_is_there(monkeypatch):
    def encode(pixels, level):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=level)
        return file.getvalue()

    built = SimpleNamespace(
        MOZJPEG=SimpleNamespace(available=False),
        JPEGXL=SimpleNamespace(available=True),
        jpegxl_encode=encode,
        jpegxl_decode=lambda data: np.asarray(Image.open(io.BytesIO(data))),
    )
    monkeypatch.setitem(sys.modules, "imagecodecs", built)
    assert available_codecs()[-1] == "JPEG XL"
    assert "MozJPEG" not in available_codecs()
    encoded = encode_within(PHOTO, "JPEG XL", 2000)
    assert len(encode(PHOTO, encoded.quality + 1)) > 2000 >= encoded.size
    assert encoded.size == len(encode(PHOTO, encoded.quality))
    assert encoded.psnr == psnr(encoded.pixels, PHOTO)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert "JPEG XL" not in available_codecs()


def test_a_curve_holds_no_file_that_another_beats():
    curve = encode_along(PHOTO, "JPEG", (5, 20, 50, 80, 95))
    sizes, psnrs = [each.size for each in curve], [each.psnr for each in curve]
    assert sizes == sorted(sizes)
    assert psnrs == sorted(psnrs)
    assert len(curve) >= 5
    assert all(each.encoding > 0 and each.decoding > 0 for each in curve)


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
