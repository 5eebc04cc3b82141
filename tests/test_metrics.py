"""PSNR, SSIM, MS-SSIM and FLIP of 8-bit pictures against scikit-image and restated formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from artgen.base.errors import InputError
from artgen.losses import metrics
from artgen.losses.metrics import accuracy, by_loss, decibels, mean_error, psnr, ssim
from artgen.runs.device import threads
from artgen_plugins import structure
from artgen_plugins.perceptual import flip


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


def test_errors_of_labelled_points_by_hand():
    shares = np.array([[0.5, 0.25, 1.0], [0.25, 0.5, 0.0], [0.25, 0.25, 0.0]], np.float32)
    labels = np.array([0, 2, 0])
    assert accuracy(shares, labels) == pytest.approx(2 / 3)
    assert mean_error(shares, labels) == pytest.approx((0.5 + 0.75 + 0) / 3)


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


def test_the_psnr_of_an_error_that_is_not_a_number_is_none_either():
    assert math.isnan(decibels(math.nan))
    assert decibels(0.0) == decibels(1e-30) == 100
    assert decibels(0.01) == pytest.approx(20)


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
    assert value == pytest.approx(1 - structure.ssim(*tensors, None).item(), abs=1e-6)


def test_large_pictures_have_the_same_ssim_strip_by_strip(monkeypatch):
    picture, target = photo_pair()
    whole = ssim(picture, target)
    monkeypatch.setattr("artgen.losses.metrics._SSIM_STRIP", 9 * 80)
    with threads(1):
        assert (found := ssim(picture, target)) == pytest.approx(whole, abs=1e-9)
    with threads(2):
        assert ssim(picture, target) == found


def test_beside_cuda_torch_sums_in_a_fixed_order_while_it_fits(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    fixed = torch.are_deterministic_algorithms_enabled
    with threads(1), threads(1):
        assert fixed()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
    assert not fixed()
    assert torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 40), (40, 9), (10, 10), (11, 11)])
def test_ssim_of_small_pictures(height, width):
    picture, target = photo_pair(height, width)
    assert ssim(target, target) == pytest.approx(1)
    assert 0 < ssim(picture, target) < 0.999


@pytest.mark.parametrize(("height", "width"), [(6, 40), (40, 6), (1, 1)])
def test_ssim_below_7_pixels_is_none(height, width):
    assert ssim(*photo_pair(height, width)) is None


def ms_ssim(picture, target):
    return metrics.ms_ssim(picture, target, structure.ms_ssim)


def test_ms_ssim_agrees_with_the_published_formula():
    picture, target = photo_pair(180, 176)
    first, second = picture / 255.0, target / 255.0
    product = np.ones(3)
    for scale, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        product *= structure_or_all(first, second, last=scale == 4) ** exponent
        first, second = (halved(each) for each in (first, second))
    assert ms_ssim(picture, target) == pytest.approx(product.mean(), abs=1e-5)


def structure_or_all(first, second, *, last):
    """The mean over the windows of SSIM's contrast and structure, and of luminance at the end."""

    def windowed(values):
        offset = np.arange(-5, 6)
        window = np.exp(-0.5 * (offset / 1.5) ** 2)
        for axis in (0, 1):
            values = correlate1d(values, window / window.sum(), axis)
        return values[5:-5, 5:-5]

    mean, other = windowed(first), windowed(second)
    covariance = windowed(first * second) - mean * other
    variance, its = windowed(first**2) - mean**2, windowed(second**2) - other**2
    value = (2 * covariance + 0.03**2) / (variance + its + 0.03**2)
    if last:
        value = value * (2 * mean * other + 0.01**2) / (mean**2 + other**2 + 0.01**2)
    return value.mean((0, 1))


def halved(values):
    height, width = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    return values[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))


def test_ms_ssim_of_equal_pictures_is_1():
    _, target = photo_pair(176, 200)
    assert ms_ssim(target, target) == pytest.approx(1)


@pytest.mark.parametrize(("height", "width"), [(175, 300), (300, 175), (1, 1)])
def test_ms_ssim_needs_room_for_all_five_scales(height, width):
    assert ms_ssim(*photo_pair(height, width)) is None


def seen(picture, target):
    return by_loss(flip, picture, target)


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim, seen])
def test_pictures_of_different_sizes_are_refused(metric):
    with pytest.raises(InputError, match=r"80x64 pixels .* 80x1"):
        metric(photo_pair()[0], photo_pair(1)[1])


def test_flip_agrees_with_the_published_implementation():
    """The values are those of the authors' flip-evaluator 1.7."""
    noisy, target = photo_pair()
    pictures = [noisy, target[::-1], 0 * target, target[:, :, :1].repeat(3, 2)]
    published = [0.11903, 0.28767, 0.96214, 0.23206]
    assert [seen(picture, target) for picture in pictures] == pytest.approx(published, abs=2e-4)
    assert seen(target, target) == 0
