"""Losses against restated formulas and scikit-image, their gradients, and mixtures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.color import rgb2xyz
from skimage.metrics import structural_similarity

from artgen.base.errors import PluginError, UsageError
from artgen.losses import (
    cross_entropy,
    exponential,
    l1,
    mse,
    needs_picture,
    parse_loss,
    per_pixel,
    rmse,
)
from artgen_plugins import perceptual, structure
from artgen_plugins.perceptual import flip, oklab
from artgen_plugins.structure import ms_ssim, ssim

BUILT_IN = {
    "mse": mse,
    "l1": l1,
    "exponential": exponential,
    "rmse": rmse,
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "flip": flip,
    "oklab": oklab,
}
PER_PIXEL = ["mse", "l1", "exponential", "rmse", "oklab"]

every_loss = pytest.mark.parametrize("loss", BUILT_IN.values(), ids=BUILT_IN)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """These pictures are small: on a busy machine, threads would mostly wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def noise(*shape, seed=0, dtype=torch.float64, low=0.0, high=1.0):
    generator = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=dtype)


def photo_pair(size, dtype=torch.float64):
    """A photograph and a noisy, brighter version of it, [3, size, size]."""
    photo = torch.from_numpy(data.astronaut()[:size, 100 : 100 + size]).permute(2, 0, 1)
    target = photo.to(dtype) / 255
    return target + 0.05 + noise(3, size, size, dtype=dtype, low=-0.1, high=0.1), target


def last_axis(picture):
    return picture.permute(1, 2, 0).numpy()


def gradient(loss, image, target, weight=None):
    image = image.clone().requires_grad_()
    return torch.autograd.grad(loss(image, target, weight), image)[0]


# ---- values --------------------------------------------------------------------------------------


def test_squared_and_absolute_errors_by_hand():
    target = torch.zeros(3, 1, 2)
    image = torch.tensor([[[1.0, 0.0]], [[2.0, 0.0]], [[-3.0, 0.0]]])
    assert mse(image, target, None).item() == pytest.approx(14 / 6)
    assert l1(image, target, None).item() == pytest.approx(1.0)
    assert rmse(image, target, None).item() == pytest.approx(math.sqrt(14 / 6))
    weight = torch.tensor([[3.0, 1.0]])
    assert mse(image, target, weight).item() == pytest.approx(14 / 3 * 3 / 4)
    assert l1(image, target, weight).item() == pytest.approx(2 * 3 / 4)
    assert rmse(image, target, weight).item() == pytest.approx(math.sqrt(14 / 3 * 3 / 4))


def test_the_exponential_of_errors_by_hand():
    target = torch.zeros(3, 1, 1, dtype=torch.float64)
    image = torch.tensor([0.5, -0.25, 0.0], dtype=torch.float64).view(3, 1, 1)
    expected = (math.expm1(0.5) + math.expm1(0.25)) / 3
    assert exponential(image, target, None).item() == pytest.approx(expected)
    slope = gradient(exponential, image.float(), target.float())
    assert slope.flatten().tolist() == pytest.approx([math.exp(0.5) / 3, -math.exp(0.25) / 3, 0])
    # Beyond a knee it is the tangent: it goes on rising, as steeply as at the knee.
    far = [exponential(target + level, target, None).item() for level in (20, 21, 22)]
    assert far[0] == pytest.approx(math.expm1(20), abs=1e-6)
    assert far[2] - far[1] == pytest.approx(far[1] - far[0]) == pytest.approx(math.exp(20))


@pytest.mark.parametrize("size", [11, 12, 64, 97])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 5e-5), (torch.float64, 1e-9)])
def test_ssim_agrees_with_scikit_image(size, dtype, tolerance):
    image, target = photo_pair(size, dtype)
    reference = structural_similarity(
        last_axis(image.double()),
        last_axis(target.double()),
        channel_axis=2,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert 0.1 < reference < 0.99
    loss = ssim(image, target, None)
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(1 - reference, abs=tolerance)


def test_ssim_of_one_pixel_compares_luminance_alone():
    image, target = torch.full((3, 1, 1), 0.25), torch.full((3, 1, 1), 0.75)
    luminance = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(image, target, None).item() == pytest.approx(1 - luminance)


@pytest.mark.parametrize(("height", "width", "window"), [(10, 30, 9), (3, 3, 3), (2, 9, 1)])
def test_ssim_of_small_pictures_takes_the_largest_odd_window(height, width, window):
    maps = noise(1, height, width)
    radius = window // 2
    wide = gaussian_filter(maps[0].numpy(), 1.5, radius=radius)
    inside = wide[radius : height - radius, radius : width - radius]
    np.testing.assert_allclose(structure._blur(maps)[0].numpy(), inside, atol=1e-12)


def test_ssim_of_a_negative_is_above_1_and_of_equals_0():
    target = noise(3, 32, 32)
    assert 1.5 < ssim(1 - target, target, None).item() <= 2
    assert ssim(target, target, None).item() == pytest.approx(0, abs=1e-12)


def reference_ms_ssim(image, target, exponents):
    """Wang 2003 in numpy: one channel, [h, w], exponents from fine to coarse."""

    def blur(values):
        return gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    value = 1.0
    for scale, exponent in enumerate(exponents):
        if scale:
            rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
            image, target = (
                (
                    p[:rows:2, :columns:2]
                    + p[1:rows:2, :columns:2]
                    + p[:rows:2, 1:columns:2]
                    + p[1:rows:2, 1:columns:2]
                )
                / 4
                for p in (image, target)
            )
        mean, other = blur(image), blur(target)
        variance, other_variance = blur(image**2) - mean**2, blur(target**2) - other**2
        covariance = blur(image * target) - mean * other
        similarity = (2 * covariance + 0.03**2) / (variance + other_variance + 0.03**2)
        if scale == len(exponents) - 1:
            similarity *= (2 * mean * other + 0.01**2) / (mean**2 + other**2 + 0.01**2)
        value *= similarity.mean() ** exponent
    return value


@pytest.mark.parametrize(("size", "scales"), [(200, 5), (61, 3), (21, 1)])
def test_ms_ssim_agrees_with_the_published_formula(size, scales):
    image, target = photo_pair(size)
    exponents = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:scales])
    exponents /= exponents.sum()
    reference = np.mean(
        [reference_ms_ssim(image[c].numpy(), target[c].numpy(), exponents) for c in range(3)]
    )
    assert ms_ssim(image, target, None).item() == pytest.approx(1 - reference, abs=1e-9)


def test_ms_ssim_of_one_scale_is_ssim():
    image, target = photo_pair(16)
    per_channel = [ssim(image[[c]], target[[c]], None).item() for c in range(3)]
    assert min(1 - value for value in per_channel) > structure._LEAST_SIMILARITY
    assert ms_ssim(image, target, None).item() == pytest.approx(np.mean(per_channel))


# Oklab coordinates as given in CSS Color 4.
@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1.0, 0.0, 0.0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 0.501961, 0), (0.51975, -0.1403, 0.10768)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_is_the_squared_distance_between_known_colours(rgb, lab):
    colour = torch.tensor(rgb, dtype=torch.float64).view(3, 1, 1)
    from_black = oklab(colour, torch.zeros_like(colour), None).item()
    from_white = oklab(colour, torch.ones_like(colour), None).item()
    lightness, a, b = lab
    assert from_black == pytest.approx(lightness**2 + a**2 + b**2, abs=1e-4)
    assert from_white == pytest.approx((1 - lightness) ** 2 + a**2 + b**2, abs=1e-4)


def test_oklab_agrees_with_the_definition_over_xyz():
    xyz_to_cones = np.array(
        [
            [0.8189330101, 0.3618667424, -0.1288597137],
            [0.0329845436, 0.9293118715, 0.0361456387],
            [0.0482003018, 0.2643662691, 0.6338517070],
        ]
    )
    image, target = noise(3, 8, 8), noise(3, 8, 8, seed=1)
    lab = [
        np.cbrt(rgb2xyz(last_axis(p)) @ xyz_to_cones.T) @ np.array(perceptual._CONES_TO_LAB).T
        for p in (image, target)
    ]
    reference = ((lab[0] - lab[1]) ** 2).sum(2).mean()
    assert oklab(image, target, None).item() == pytest.approx(reference, rel=1e-3)


def test_oklab_is_odd_in_its_colours():
    image, target = noise(3, 4, 4, low=-1), noise(3, 4, 4, seed=1, low=-1)
    assert oklab(-image, -target, None).item() == pytest.approx(oklab(image, target, None).item())
    black = torch.zeros(3, 1, 1)
    assert oklab(black - 0.1, black, None).item() > oklab(black - 0.05, black, None).item() > 0


def test_oklab_tells_every_dark_grey_of_8_bits_apart():
    greys = torch.arange(32, dtype=torch.float64).expand(3, 1, 32) / 255
    steps = perceptual._oklab_cones(greys)[0, 0].diff()
    linear = torch.where(greys <= 0.04045, greys / 12.92, ((greys + 0.055) / 1.055) ** 2.4)
    torch.testing.assert_close(steps, linear[0, 0].pow(1 / 3).diff(), rtol=2e-3, atol=0)


# ---- every loss ----------------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_pictures_have_no_loss_and_no_gradient(loss, dtype):
    target = noise(3, 24, 24, dtype=dtype)
    value = loss(target, target, None)
    assert value.shape == ()
    assert value.dtype == dtype
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert gradient(loss, target, target).abs().max() < 1e-6


@every_loss
@pytest.mark.parametrize("level", [0.0, -0.0, 1e-20, -1e-8, 0.04045, 1.0, -1.0, 100.0, -100.0])
@pytest.mark.parametrize("other", [0.0, 0.5])
def test_flat_pictures_have_finite_values_and_gradients(loss, level, other):
    image = torch.full((3, 30, 30), level)
    target = torch.full((3, 30, 30), other)
    assert loss(image, target, None).isfinite()
    assert gradient(loss, image, target).isfinite().all()


@pytest.mark.parametrize("level", [30.0, 300.0, 3000.0])
def test_rounding_of_far_too_bright_pictures_stays_bounded(level):
    image = level + noise(3, 64, 64, dtype=torch.float32, high=0.01)
    target = level + noise(3, 64, 64, seed=1, dtype=torch.float32, high=0.01)
    for similarity in structure._similarity(image, target, None)[:2]:
        assert similarity.abs().max() <= 1


@every_loss
def test_anticorrelated_pictures_have_finite_values_and_gradients(loss):
    target = noise(3, 48, 48, dtype=torch.float32)
    assert loss(1 - target, target, None).isfinite()
    assert gradient(loss, 1 - target, target).isfinite().all()


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_equal_finite_differences(loss, weighted):
    image, target = noise(3, 13, 12, low=-0.3, high=1.2), noise(3, 13, 12, seed=1)
    image = target + 0.3 * (image - target)  # alike enough for ms_ssim to stay off its floor
    weight = (noise(13, 12, seed=2) - 0.3).clamp_min(0) if weighted else None
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target, weight), image, fast_mode=True)


def test_ms_ssim_gradient_over_several_scales():
    image, target = photo_pair(48)
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ms_ssim(x, target, None), image, fast_mode=True)


@every_loss
def test_a_gradient_step_lowers_the_loss(loss):
    image, target = photo_pair(48)
    slope = gradient(loss, image, target)
    step = 1e-3 / slope.norm()
    assert loss(image - step * slope, target, None) < loss(image, target, None)


@every_loss
def test_only_the_weights_ratio_matters(loss):
    image, target = photo_pair(48)
    plain = loss(image, target, None).item()
    assert loss(image, target, torch.full((48, 48), 0.25)).item() == pytest.approx(plain)
    weight = noise(48, 48)
    twice = loss(image, target, 2 * weight).item()
    assert loss(image, target, weight).item() == pytest.approx(twice)
    assert twice != pytest.approx(plain, rel=1e-6)


@every_loss
def test_pixels_of_weight_0_neither_count_nor_get_a_gradient(loss):
    image, target = photo_pair(48)
    weight = torch.ones(48, 48)
    weight[10:30, :20] = 0
    slope = gradient(loss, image, target, weight)
    assert (slope[:, weight == 0] == 0).all()
    assert (slope[:, weight > 0] != 0).any()
    vandalised = torch.where(weight > 0, image, 7.0)
    assert loss(vandalised, target, weight).item() == loss(image, target, weight).item()


@every_loss
def test_without_any_weight_nothing_pulls(loss):
    image, target = photo_pair(24)
    assert loss(image, target, torch.zeros(24, 24)).item() == pytest.approx(0, abs=1e-12)
    assert (gradient(loss, image, target, torch.zeros(24, 24)) == 0).all()


@pytest.mark.parametrize("name", ["ssim", "ms_ssim"])
def test_weight_at_the_very_edge_still_counts(name):
    image, target = photo_pair(48)
    weight = torch.zeros(48, 48)
    weight[0] = 1
    assert gradient(BUILT_IN[name], image, target, weight)[:, 0].abs().max() > 0


@pytest.mark.parametrize("name", PER_PIXEL)
def test_per_pixel_losses_ignore_where_pixels_lie(name):
    image, target = photo_pair(16)
    weight = noise(16, 16)
    order = torch.randperm(256, generator=torch.Generator().manual_seed(0))
    batch = [p.flatten(-2)[..., order].unsqueeze(-2) for p in (image, target, weight)]
    assert batch[0].shape == (3, 1, 256)
    assert BUILT_IN[name](*batch).item() == pytest.approx(
        BUILT_IN[name](image, target, weight).item()
    )


@every_loss
def test_evaluating_in_inference_mode_leaves_fitting_alone(loss):
    perceptual._constant.cache_clear()
    image, target = photo_pair(24)
    with torch.inference_mode():
        value = loss(image, target, None)
    assert value.isfinite()
    assert gradient(loss, image, target).isfinite().all()


# ---- mixtures ------------------------------------------------------------------------------------


def parse(text):
    return parse_loss(text, BUILT_IN.__getitem__, BUILT_IN)


def test_a_mixture_is_the_weighted_sum():
    image, target = photo_pair(24)
    weight = noise(24, 24)
    mixture = parse(" ssim*0.1 +  l1 + 2 * mse ")
    assert mixture.text == "0.1*ssim+l1+2*mse"
    expected = (
        0.1 * ssim(image, target, weight)
        + l1(image, target, weight)
        + 2 * mse(image, target, weight)
    )
    assert mixture(image, target, weight).item() == pytest.approx(expected.item())


def test_a_mixture_has_the_gradient_of_its_terms():
    image, target = photo_pair(24)
    expected = gradient(l1, image, target) + 0.1 * gradient(ssim, image, target)
    torch.testing.assert_close(gradient(parse("l1+0.1*ssim"), image, target), expected)


@pytest.mark.parametrize("name", BUILT_IN)
def test_losses_know_whether_they_are_per_pixel(name):
    assert parse(name).per_pixel == (name in PER_PIXEL)


def test_a_mixture_is_per_pixel_when_every_term_is():
    assert parse("l1+0.5*oklab").per_pixel
    assert not parse("l1+0.1*ssim").per_pixel


def test_a_loss_of_a_plugin_takes_part():
    @per_pixel
    def largest(image, target, weight):
        return (image - target).abs().amax()

    mixture = parse_loss("2*my-plugin/largest", lambda _: largest, ["largest"])
    assert mixture.per_pixel
    assert mixture(torch.ones(3, 2, 2), torch.zeros(3, 2, 2), None).item() == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda image, target, weight: 0.5,
            r"'bad' \(test_losses.py, line \d+\) gave float, not a tensor",
        ),
        (lambda image, target, weight: None, "gave NoneType"),
        (lambda image, target, weight: image - target, r"shape \[3, 2, 2\], not a scalar"),
        (lambda image, target, weight: image.detach().mean(), "without a gradient"),
    ],
)
def test_a_loss_that_gives_no_scalar_is_refused_by_name(function, message):
    mixture = parse_loss("bad", lambda _: function, ["bad"])
    with pytest.raises(PluginError, match=message):
        mixture(torch.ones(3, 2, 2, requires_grad=True), torch.zeros(3, 2, 2), None)


def test_a_loss_made_of_a_picture_keeps_its_marks():
    """A field refused to draw batches of pixels for it."""

    @needs_picture
    @per_pixel
    def like(picture):
        return lambda image, target, weight: (image - picture.mean()).square().mean()

    mixture = parse_loss("l1+like:a.png", {"l1": l1, "like": like}.get, ["l1", "like"])
    made = mixture.with_pictures(lambda _: torch.zeros(3, 2, 2))
    assert mixture.per_pixel
    assert made.per_pixel
    assert made(torch.ones(3, 1, 4), torch.zeros(3, 1, 4), None).item() == 2


def test_a_plugin_that_fails_on_the_picture_of_its_loss_is_named():
    @needs_picture
    def like(picture):
        return 1 / picture[0, 0, 0].item()

    mixture = parse_loss("like:a.png", lambda _: like, ["like"])
    with pytest.raises(PluginError, match=r"'like:a.png' \(test_losses.py, line .*ZeroDivision"):
        mixture.with_pictures(lambda _: torch.zeros(3, 2, 2))


@given(
    st.dictionaries(
        st.sampled_from(sorted(BUILT_IN)),
        st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_any_spelling_is_read_and_the_canonical_one_comes_back(weights, random):
    parts = [
        random.choice(["{0!r}*{1}", "{1} * {0!r}", " {0!r} *{1} "])
        .format(weight, name)
        .replace("e+", "e")
        for name, weight in weights.items()
    ]
    mixture = parse("+".join(parts))
    assert {term.name: term.weight for term in mixture.terms} == weights
    again = parse(mixture.text)
    assert again.terms == mixture.terms
    assert again.text == mixture.text


@given(st.text(alphabet="ml1se+*. 0-nai", max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        mixture = parse(text)
    except UsageError:
        return
    assert parse(mixture.text) == mixture


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("l1+0.1*sim", "loss 'l1+0.1*sim': unknown loss 'sim'", "ssim"),
        ("l1-0.1*ssim", "'l1-0.1*ssim' is neither a loss", "l1+0.1*ssim"),
        ("", "'' is neither a loss", "l1+0.1*ssim"),
        ("l1+", "'' is neither a loss", "l1+0.1*ssim"),
        ("0.5", "'0.5' is neither a loss", "l1+0.1*ssim"),
        ("l1*", "'l1*' is neither a loss", "l1+0.1*ssim"),
        ("2*3*l1", "'2*3*l1' is neither a loss", "l1+0.1*ssim"),
        ("l1*ssim", "'l1*ssim' is neither a loss", "l1+0.1*ssim"),
        ("0*l1", "the weight in '0*l1' must be positive and finite", "above 0"),
        ("mse+-1*l1", "the weight in '-1*l1' must be positive and finite", "above 0"),
        ("nan*l1", "the weight in 'nan*l1' must be positive and finite", "above 0"),
        ("inf*l1", "the weight in 'inf*l1' must be positive and finite", "above 0"),
        ("l1+2*l1", "loss 'l1+2*l1' names 'l1' twice", "once"),
    ],
)
def test_errors_quote_the_text_and_the_part(text, message, hint):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert repr(text) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


# ---- other targets than pictures -----------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 4])
def test_cross_entropy_is_that_of_torch(classes):
    generator = torch.Generator().manual_seed(classes)
    labels = torch.randint(classes, (50,), generator=generator)
    outputs = 3 * torch.randn(1 if classes == 2 else classes, 50, generator=generator)
    if classes == 2:
        target = labels.float()[None]
        logits = torch.stack([torch.zeros(50), outputs[0]], dim=1)
    else:
        target = torch.nn.functional.one_hot(labels, classes).float().t()
        logits = outputs.t()
    found = cross_entropy(outputs[:, None], target[:, None], None)
    expected = torch.nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(found, expected)


def test_cross_entropy_is_finite_where_it_is_sure_and_wrong():
    outputs = torch.full((1, 1, 3), 1e4, requires_grad=True)
    loss = cross_entropy(outputs, torch.zeros(1, 1, 3), None)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(outputs.grad).all()


def test_a_loss_says_which_targets_it_is_for():
    named = {"mse": mse, "ssim": ssim, "cross-entropy": cross_entropy}
    plain, structural, classes = (
        parse_loss(text, named.__getitem__, named)
        for text in ("mse", "mse+ssim", "mse+cross-entropy")
    )
    for kind in ("image", "curve", "points"):
        plain.check_target(kind)
    structural.check_target("image")
    classes.check_target("points")
    with pytest.raises(UsageError, match="'ssim' is for image targets, not for curve"):
        structural.check_target("curve")
    assert (plain.takes_logits, classes.takes_logits) == (False, True)
