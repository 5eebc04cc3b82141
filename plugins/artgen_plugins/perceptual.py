"""Losses as the eye sees: FLIP, the difference when one flips between two pictures, and Oklab.

FLIP is after Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström and Fairchild (2020).
"""

from __future__ import annotations

import functools
import math
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.losses import ignore_unweighted, per_pixel, pixel_mean

Matrix: TypeAlias = tuple[tuple[float, float, float], ...]

_PIXELS_PER_DEGREE = 3840 * math.pi / 180
"""Of a display 0.7 m wide with 3840 pixels, seen from 0.7 m: the published default."""
_SENSITIVITIES = ((0, 1.0, 0.0047), (1, 1.0, 0.0053), (2, 34.1, 0.04), (2, 13.5, 0.025))
"""Contrast sensitivity to achromatic, red-green and blue-yellow patterns, as Gaussians in the
frequency domain: channel, amplitude and width."""
_FEATURE_WIDTH = 0.082
"""Width of the edges and points that are detected, in degrees."""
_COLOUR_EXPONENT, _FEATURE_EXPONENT = 0.7, 0.5
_LEAST = 1e-6
"""Powers of smaller errors are linear, since the slope of a root is infinite at 0."""
_KNEE, _AT_KNEE = 0.4, 0.95
"""The share of the largest colour difference up to which the error is linear; the error there."""

_RGB_TO_WHITE: Matrix = (
    (0.4338953888, 0.3762423726, 0.1898622385),
    (0.2126368217, 0.7151829818, 0.0721801965),
    (0.0177524232, 0.1094656287, 0.8727819482),
)
"""From linear sRGB to XYZ, relative to that of white."""
_WHITE_TO_OPPONENT: Matrix = ((0, 1, 0), (1, -1, 0), (0, 1, -1))
"""To YCxCz without its scales and offset, and from cube roots to CIELAB likewise."""
_OPPONENT_TO_WHITE: Matrix = ((1, 1, 0), (1, 0, 0), (1, 0, -1))

_LINEAR_TO_CONES: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_CONES_TO_LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_CUBE_ROOT_KNEE = 1e-5
"""Bound of the slope of the cube root at 0; changes the darkest 8-bit grey (3e-4) by 0.04%."""


def flip(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean FLIP (Andersson et al. 2020), the difference as the eye sees it, from 0 to 1.

    The difference of colours, blurred by the contrast sensitivity of the eye, is raised by that of
    edges and points, at the published 67 pixels per degree. Colours count as they are shown,
    clamped to 0..1: add a little `l1` or `mse` to bring back those outside.
    """
    image = ignore_unweighted(image, target, weight)
    ours, theirs = (_opponent(each.clamp(0, 1)) for each in (image, target))
    colours = _colour_error(_lab(_seen(ours)) - _lab(_seen(theirs)))
    features = _feature_error(ours[0], theirs[0])
    return pixel_mean(colours * colours.clamp_min(_LEAST).pow(-features), weight)


def _power(size: Tensor, exponent: float) -> Tensor:
    return size * size.clamp_min(_LEAST) ** (exponent - 1)


def _opponent(encoded: Tensor) -> Tensor:
    """Return YCxCz of sRGB-encoded colours, [3, h, w], without its scales and offset."""
    return transformed(_WHITE_TO_OPPONENT, transformed(_RGB_TO_WHITE, linear_light(encoded)))


def _seen(opponent: Tensor) -> Tensor:
    """Return linear colours [3, h, w] in 0..1, without the detail that the eye does not resolve."""
    channels = opponent[[channel for channel, *_ in _SENSITIVITIES]]
    first, second = _blurs(opponent.dtype, opponent.device)
    luminance, red_green, *blue_yellow = _convolved(channels, first, second)
    blurred = torch.stack([luminance, red_green, blue_yellow[0] + blue_yellow[1]])
    white_to_rgb = _inverse(_RGB_TO_WHITE)
    return transformed(white_to_rgb, transformed(_OPPONENT_TO_WHITE, blurred)).clamp(0, 1)


def _lab(linear: Tensor) -> Tensor:
    """Return CIELAB, [3, h, w], with its chroma scaled by lightness for the Hunt effect."""
    white, knee = transformed(_RGB_TO_WHITE, linear), 6 / 29
    line = white / (3 * knee**2) + 4 / 29
    roots = torch.where(white > knee**3, white.clamp_min(knee**3) ** (1 / 3), line)
    light, a, b = transformed(_WHITE_TO_OPPONENT, roots)
    lightness = 116 * light - 16
    return torch.stack([lightness, 5 * lightness * a, 2 * lightness * b])


def _colour_error(difference: Tensor) -> Tensor:
    """Return the error [h, w] in 0..1 of differences of Hunt-adjusted CIELAB, [3, h, w]."""
    lightness, a, b = difference
    # HyAB: the city-block distance of lightness and chroma.
    distance = lightness.abs() + _power(a.square() + b.square(), 0.5)
    power = _power(distance, _COLOUR_EXPONENT)
    largest = _largest_power()
    knee = _KNEE * largest
    above = _AT_KNEE + (power - knee) / (largest - knee) * (1 - _AT_KNEE)
    return torch.where(power < knee, _AT_KNEE / knee * power, above)


def _feature_error(ours: Tensor, theirs: Tensor) -> Tensor:
    """Return the difference [h, w] in 0..1 of edges and points in two luminances [h, w]."""
    smooth, edge, point = _detectors(ours.dtype, ours.device)
    both = torch.stack([ours, theirs])
    differences = []
    for detector in (edge, point):
        across, along = detector.expand(2, -1), smooth.expand(2, -1)
        slopes = _convolved(both, across, along), _convolved(both, along, across)
        found = _power(slopes[0].square() + slopes[1].square(), 0.5)
        differences.append((found[0] - found[1]).abs())
    return _power(torch.maximum(*differences) / math.sqrt(2), _FEATURE_EXPONENT)


def _convolved(channels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Filter channels [c, h, w] along both axes with taps [c, n]; edges are repeated."""
    count, radius = len(channels), rows.shape[-1] // 2
    padded = F.pad(channels[None], (radius,) * 4, mode="replicate")
    filtered = F.conv2d(padded, rows[:, None, None, :], groups=count)
    return F.conv2d(filtered, columns[:, None, :, None], groups=count)[0]


@functools.lru_cache(maxsize=1)
def _largest_power() -> float:
    """Return the power of the distance between pure green and pure blue, the largest there is."""
    primaries = torch.eye(3, dtype=torch.float64)[:, 1:, None]
    green, blue = _lab(primaries).unbind(1)
    lightness, a, b = (green - blue).flatten().tolist()
    return float((abs(lightness) + math.hypot(a, b)) ** _COLOUR_EXPONENT)


@functools.lru_cache(maxsize=1)
def _inverse(matrix: Matrix) -> Matrix:
    rows = torch.linalg.inv(torch.tensor(matrix, dtype=torch.float64)).tolist()
    return tuple(map(tuple, rows))


@functools.lru_cache(maxsize=8)
def _blurs(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return taps [4, n] along the rows and along the columns for `_SENSITIVITIES`."""
    broadest = max(width for *_, width in _SENSITIVITIES)
    radius = math.ceil(3 * math.sqrt(broadest / (2 * math.pi**2)) * _PIXELS_PER_DEGREE)
    taps, scales, totals = [], [], [0.0] * 3
    for channel, amplitude, width in _SENSITIVITIES:
        degrees = _offsets(radius, dtype, device) / _PIXELS_PER_DEGREE
        taps.append(torch.exp(-((math.pi * degrees) ** 2) / width))
        scales.append(amplitude * math.sqrt(math.pi / width))
        totals[channel] += scales[-1] * float(taps[-1].sum()) ** 2
    shares = [scale / totals[c] for scale, (c, *_) in zip(scales, _SENSITIVITIES, strict=True)]
    columns = torch.stack(taps)
    return torch.stack([tap * share for tap, share in zip(taps, shares, strict=True)]), columns


@functools.lru_cache(maxsize=8)
def _detectors(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return taps [n] of a Gaussian and of its first two derivatives.

    The Gaussian sums to 1, the negative and positive halves of the others to -1 and 1.
    """
    sigma = 0.5 * _FEATURE_WIDTH * _PIXELS_PER_DEGREE
    x = _offsets(math.ceil(3 * sigma), dtype, device)
    gaussian = torch.exp(-(x**2) / (2 * sigma**2))
    edge, point = (
        torch.where(each > 0, each / each.clamp_min(0).sum(), each / -each.clamp_max(0).sum())
        for each in (-x * gaussian, (x**2 / sigma**2 - 1) * gaussian)
    )
    return gaussian / gaussian.sum(), edge, point


def _offsets(radius: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A tensor made in inference mode could never be used in a fit.
    with torch.inference_mode(False):
        return torch.arange(-radius, radius + 1, dtype=dtype, device=device)


@per_pixel
def oklab(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared distance in Oklab (Ottosson 2020), a perceptually uniform colour space.

    Colours outside 0..1 use the odd extension of the transfer curve and of the cube root.
    """
    difference = _oklab_cones(image) - _oklab_cones(target)
    # The last step to Oklab is linear: apply it to the difference instead of both pictures.
    return pixel_mean(transformed(_CONES_TO_LAB, difference).square().sum(0), weight)


def _oklab_cones(encoded: Tensor) -> Tensor:
    """Return the cube roots of the cone responses, [3, h, w], which Oklab is linear in."""
    cones = transformed(_LINEAR_TO_CONES, linear_light(encoded))
    return cones * (cones.square() + _CUBE_ROOT_KNEE**2).pow(-1 / 3)


def linear_light(encoded: Tensor) -> Tensor:
    """Decode sRGB: the odd extension of its transfer curve."""
    size = encoded.abs()
    curve = encoded.sign() * ((size + 0.055) / 1.055) ** 2.4
    return torch.where(size <= 0.04045, encoded / 12.92, curve)


def transformed(matrix: Matrix, channels: Tensor) -> Tensor:
    """Multiply the channels [3, h, w] by a 3 x 3 matrix."""
    rows = _constant(matrix, channels.dtype, channels.device)
    result: Tensor = torch.tensordot(rows, channels, 1)
    return result


@functools.lru_cache(maxsize=16)
def _constant(matrix: Matrix, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return `matrix` as a tensor; it is cached, because every copy makes a GPU wait."""
    # A tensor made in inference mode could never be used in a fit.
    with torch.inference_mode(False):
        return torch.tensor(matrix, dtype=dtype, device=device)
