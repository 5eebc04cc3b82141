"""PSNR and SSIM of 8-bit pictures against scikit-image and restated formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from artgen import losses
from artgen.errors import InputError
from artgen.metrics import psnr, ssim


def photo_pair(height=64, width=80):
    """A photograph and a noisy version of it, uint8 [height, width, 3]."""
    target = data.astronaut()[:height, 100 : 100 + width]
    noise = np.random.default_rng(0).integers(-20, 21, target.shape)
    return np.clip(target + noise, 0, 255).astype(np.uint8), target


def test_psnr_agrees_with_scikit_image():
    picture, target = photo_pair()
    value = psnr(picture, target)
    assert isinstance(value, float)
    assert value == pytest.approx(peak_signal_noise_ratio(target, picture))


def test_psnr_of_black_against_white_is_0():
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert psnr(black, white) == psnr(white, black) == 0


def test_psnr_is_capped_at_100():
    picture, target = photo_pair()
    assert psnr(target, target) == 100
    one_off = target.copy()
    one_off[0, 0, 0] ^= 1
    assert psnr(one_off, target) == pytest.approx(
        20 * math.log10(255) + 10 * math.log10(target.size)
    )
    assert psnr(one_off, target, np.eye(64, 80) * 1e-9 + np.eye(64, 80, 1)) == 100
    assert psnr(picture, target) < 40


def test_psnr_weighs_pixels():
    target = np.zeros((1, 2, 3), np.uint8)
    picture = np.array([[[30, 0, 0], [0, 0, 90]]], np.uint8)
    weight = np.array([[3.0, 1.0]], np.float32)
    mean = (3 * 30**2 / 3 + 1 * 90**2 / 3) / 4
    assert psnr(picture, target, weight) == pytest.approx(10 * math.log10(255**2 / mean))
    assert psnr(picture, target, np.array([[1.0, 0.0]])) == pytest.approx(
        10 * math.log10(255**2 / 300)
    )
    assert psnr(picture, target, np.ones((1, 2))) == pytest.approx(psnr(picture, target))


def test_psnr_without_any_weight_is_refused():
    picture, target = photo_pair()
    with pytest.raises(InputError, match="no pixel has any weight"):
        psnr(picture, target, np.zeros((64, 80)))


def test_ssim_agrees_with_scikit_image_and_the_loss():
    picture, target = photo_pair()
    value = ssim(picture, target)
    assert isinstance(value, float)
    reference = structural_similarity(
        picture, target, channel_axis=2, gaussian_weights=True, use_sample_covariance=False
    )
    assert value == pytest.approx(reference)
    tensors = [torch.from_numpy(p / 255).permute(2, 0, 1) for p in (picture, target)]
    assert value == pytest.approx(1 - losses.ssim(*tensors, None).item(), abs=1e-6)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 40), (40, 9), (10, 10), (11, 11)])
def test_ssim_of_small_pictures(height, width):
    picture, target = photo_pair(height, width)
    assert ssim(target, target) == pytest.approx(1)
    assert 0 < ssim(picture, target) < 0.999


@pytest.mark.parametrize(("height", "width"), [(6, 40), (40, 6), (1, 1)])
def test_ssim_below_7_pixels_is_none(height, width):
    assert ssim(*photo_pair(height, width)) is None


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_pictures_of_different_sizes_are_refused(metric):
    with pytest.raises(InputError, match=r"80x64 pixels .* 80x1"):
        metric(photo_pair()[0], photo_pair(1)[1])
