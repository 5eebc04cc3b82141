"""What a fit minimises: per-pixel and structural losses, and weighted mixtures of them.

A loss is a function ``(image, target, weight) -> scalar``:

- `image`, `target`: float32 or float64 [3, height, width], sRGB-encoded with 1.0 = 255. The image
  may leave 0..1, negative colours included. Samples of a curve and labelled points have the same
  form, [outputs, 1, M], for the losses that are marked by `for_targets`, and so have some pictures
  of a set, [N, channels, height, width].
- `weight`: [height, width], at least 0, or None for all ones. Averages are sum(w·e) / sum(w), so a
  pixel of weight 0 neither counts nor gets a gradient; where all weights are 0, nothing does.

Every loss of pictures is 0 for equal ones; values and gradients are finite everywhere.
`parse_loss` reads a mixture such as ``l1+0.1*ssim``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import UsageError, did_you_mean
from artgen.subject import Kind

__all__ = [
    "MS_SSIM_SIDE",
    "Loss",
    "LossFunction",
    "Term",
    "bce",
    "cross_entropy",
    "exponential",
    "for_targets",
    "l1",
    "ms_ssim",
    "mse",
    "oklab",
    "parse_loss",
    "per_pixel",
    "rmse",
    "ssim",
]

LossFunction: TypeAlias = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""``(image, target, weight) -> scalar``, as described above."""

AnyLoss = TypeVar("AnyLoss", bound=LossFunction)


def per_pixel(loss: AnyLoss) -> AnyLoss:
    """Mark a loss that compares each pixel on its own, wherever it lies in the picture.

    Such a loss also works on a random batch of M pixels, given as [3, 1, M].
    """
    loss.per_pixel = True  # type: ignore[attr-defined]
    return loss


def for_targets(*kinds: Kind) -> Callable[[AnyLoss], AnyLoss]:
    """Mark a loss with the kinds of targets it is for: ``image``, ``curve``, ``points``, ``set``.

    A loss without the mark is for images. Curves and points come as [outputs, 1, M], in no order
    that means anything, so their losses are also `per_pixel`. Pictures of a set come some at a
    time, as [N, channels, height, width], without a weight.
    """

    def mark(loss: AnyLoss) -> AnyLoss:
        loss.targets = kinds  # type: ignore[attr-defined]
        return loss

    return mark


# ---- per pixel -----------------------------------------------------------------------------------


@per_pixel
@for_targets("image", "curve", "points", "set")
def mse(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared error."""
    return _pixel_mean(F.mse_loss(image, target, reduction="none"), weight).mean()


@per_pixel
@for_targets("image", "curve", "points", "set")
def l1(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean absolute error."""
    return _pixel_mean(F.l1_loss(image, target, reduction="none"), weight).mean()


@per_pixel
@for_targets("image", "curve", "points", "set")
def rmse(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Root of the mean squared error; its gradient at an error of 0 is 0."""
    # The root's slope at 0 is infinite; the clamp's is 0.
    return mse(image, target, weight).clamp_min(torch.finfo(image.dtype).tiny).sqrt()


_KNEE = 20.0
"""Errors above it, far outside any picture, go on along the tangent: e^100 is infinite."""


@per_pixel
@for_targets("image", "curve", "points", "set")
def exponential(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of e^|error| − 1: like `l1` for small errors, ever steeper for large ones."""
    error = (image - target).abs()
    tangent = math.exp(_KNEE) * (1 + error - _KNEE) - 1
    value = torch.where(error < _KNEE, torch.expm1(error.clamp_max(_KNEE)), tangent)
    return _pixel_mean(value, weight).mean()


@per_pixel
@for_targets("points")
def cross_entropy(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean of −log p, with p the probability that the outputs give the class of a point.

    One output holds the log odds of the second of two classes; of several, each holds the log odds
    of its class but for a common number (logistic and softmax regression).
    """
    if len(image) == 1:
        error = F.binary_cross_entropy_with_logits(image, target, reduction="none")[0]
    else:
        error = -(target * F.log_softmax(image, dim=0)).sum(0)
    return _pixel_mean(error, weight)


_CERTAIN = 1e-6
"""No pixel is taken to be closer to black or white than this: the logarithm of 0 is infinite."""


@per_pixel
@for_targets("set")
def bce(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean binary cross-entropy of pixels taken as probabilities, less what it is for equal ones.

    That is how many nats more it takes to tell each pixel's coin; for outputs from 0 to 1.
    """
    error = _entropy(image, target) - _entropy(target, target)
    return _pixel_mean(error, weight).mean()


def _entropy(image: Tensor, target: Tensor) -> Tensor:
    likely = _CERTAIN + (1 - 2 * _CERTAIN) * image.clamp(0, 1)
    return -(target * likely.log() + (1 - target) * (1 - likely).log())


_Matrix: TypeAlias = tuple[tuple[float, float, float], ...]

_LINEAR_TO_CONES: _Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_CONES_TO_LAB: _Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_CUBE_ROOT_KNEE = 1e-5
"""Bounds the cube root's slope at 0; the darkest grey of 8 bits (3e-4) moves by 0.04%."""


@per_pixel
def oklab(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared distance in Oklab (Ottosson 2020), where equal distances look equally different.

    Colours outside 0..1 use the odd extension of the transfer curve and of the cube root.
    """
    difference = _oklab_cones(image) - _oklab_cones(target)
    cones_to_lab = _constant(_CONES_TO_LAB, image.dtype, image.device)
    # The last step to Oklab is linear, so the difference takes it instead of both pictures.
    return _pixel_mean(torch.tensordot(cones_to_lab, difference, 1).square().sum(0), weight)


def _oklab_cones(encoded: Tensor) -> Tensor:
    """The cube roots of the cone responses [3, h, w] that Oklab is linear in."""
    size = encoded.abs()
    curve = encoded.sign() * ((size + 0.055) / 1.055) ** 2.4
    linear = torch.where(size <= 0.04045, encoded / 12.92, curve)
    matrix = _constant(_LINEAR_TO_CONES, encoded.dtype, encoded.device)
    cones: Tensor = torch.tensordot(matrix, linear, 1)
    return cones * (cones.square() + _CUBE_ROOT_KNEE**2).pow(-1 / 3)


@functools.lru_cache(maxsize=16)
def _constant(matrix: _Matrix, dtype: torch.dtype, device: torch.device) -> Tensor:
    """`matrix` on the device: copied once, for every copy makes a GPU wait."""
    # A tensor born in inference mode could never again take part in a fit.
    with torch.inference_mode(False):
        return torch.tensor(matrix, dtype=dtype, device=device)


# ---- structure -----------------------------------------------------------------------------------


_WINDOW = 11
_SIGMA = 1.5
_STABILIZERS = 0.01**2, 0.03**2
_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SIDE = _WINDOW << (len(_EXPONENTS) - 1)
"""The shortest side, in pixels, at which the multi-scale similarity has all its scales."""
_LEAST_SIMILARITY = 1e-4
"""The floor of a scale's mean: a negative one has no power, and at 0 the slope is infinite."""


def ssim(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """One minus the mean structural similarity (Wang et al. 2004), from 0 to 2.

    Gaussian windows of 11×11 pixels with a sigma of 1.5 that lie inside the picture, each channel
    on its own, data range 1. A smaller picture gets the largest odd window that fits.
    A window weighs as much as the pixels under it; pixels of weight 0 are taken as equal.
    The published formula takes the negative of the target, all colours below 0, for nearly equal:
    a little `l1` or `mse` beside it keeps a fit from going there.
    """
    image = _ignore_unweighted(image, target, weight)
    luminance, structure, weight = _similarity(image, target, weight)
    return _pixel_mean(1 - luminance * structure, weight).mean()


def ms_ssim(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """One minus the multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), 0 to 1.

    Structure at up to five scales, each half the size of the last, and luminance at the coarsest.
    Scales smaller than the window are left out, and the exponents of the others sum to 1.
    """
    image = _ignore_unweighted(image, target, weight)
    side = min(image.shape[-2:])
    scales = 1 + sum(side >> halvings >= _WINDOW for halvings in range(1, len(_EXPONENTS)))
    exponents = _EXPONENTS[:scales]
    product = image.new_ones(())
    for scale, exponent in enumerate(exponents):
        if scale > 0:
            image, target = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
            weight = None if weight is None else F.avg_pool2d(weight[None], 2)[0]
        luminance, structure, window_weight = _similarity(image, target, weight)
        similarity = luminance * structure if scale == scales - 1 else structure
        mean = 1 - _pixel_mean(1 - similarity, window_weight)
        product = product * mean.clamp_min(_LEAST_SIMILARITY) ** (exponent / sum(exponents))
    return 1 - product.mean()


def _similarity(
    image: Tensor, target: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """SSIM's luminance and structure terms [3, h', w'] per window, and the windows' weights.

    With s = image + target and d = image - target, the published
    (2·μ·μ' + C1) / (μ² + μ'² + C1) is 1 - 2·μd² / (μs² + μd² + 2·C1), and likewise for the
    variances: no cancellation where the pictures are equal, and never outside [-1, 1].
    """
    both = torch.cat([image + target, image - target])
    squared_mean = _blur(both).square()
    variance = (_blur(both.square()) - squared_mean).clamp_min(0)
    terms = []
    for moment, stabilizer in zip((squared_mean, variance), _STABILIZERS, strict=True):
        of_sum, of_difference = moment.chunk(2)
        terms.append(1 - 2 * of_difference / (of_sum + of_difference + 2 * stabilizer))
    return terms[0], terms[1], None if weight is None else _blur(weight[None])[0]


def _blur(maps: Tensor) -> Tensor:
    """Each of the maps [c, h, w] under SSIM's window, wherever that lies inside the picture."""
    channels, height, width = maps.shape
    size = min(_WINDOW, height, width)
    radius = (size - 1) // 2
    offset = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    window = torch.exp(-0.5 * (offset / _SIGMA) ** 2)
    window = (window / window.sum()).expand(channels, 1, -1)
    # Two depthwise passes: on a CPU, 20 times as fast as the same maps taken as a batch.
    rows = F.conv2d(maps[None], window[..., :, None], groups=channels)
    return F.conv2d(rows, window[..., None, :], groups=channels)[0]


def _ignore_unweighted(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The image with the target in place of its pixels of weight 0, which windows would leak."""
    return image if weight is None else torch.where(weight > 0, image, target)


def _pixel_mean(error: Tensor, weight: Tensor | None) -> Tensor:
    """The weighted mean of `error` [..., h, w] over its pixels: [...], 0 where all weights are."""
    if weight is None:
        return error.mean((-2, -1))
    total = weight.sum(dtype=error.dtype).clamp_min(torch.finfo(error.dtype).tiny)
    return (error * weight).sum((-2, -1)) / total


# ---- mixtures ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One loss of a mixture and its positive weight."""

    weight: float
    name: str
    function: LossFunction

    @property
    def text(self) -> str:
        """``0.1*ssim``, or the bare name where the weight is 1."""
        if self.weight == 1:
            return self.name
        # A plus would end the term: 1e16, not Python's 1e+16.
        weight = repr(self.weight).removesuffix(".0").replace("e+", "e")
        return f"{weight}*{self.name}"


@dataclass(frozen=True)
class Loss:
    """A weighted sum of losses, called like any one of them."""

    terms: tuple[Term, ...]

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """The scalar sum of the terms."""
        total = image.new_zeros(())
        for term in self.terms:
            total = total + term.weight * term.function(image, target, weight)
        return total

    @property
    def text(self) -> str:
        """The mixture as `parse_loss` reads it, in one canonical spelling."""
        return "+".join(term.text for term in self.terms)

    def check_target(self, kind: Kind) -> None:
        """Raise UsageError where a term is not for this kind of target."""
        for term in self.terms:
            targets = getattr(term.function, "targets", ("image",))
            if kind not in targets:
                raise UsageError(
                    f"loss {term.name!r} is for {' and '.join(targets)} targets, not for {kind}",
                    hint="leave out --loss, or use mse or l1",
                )

    @property
    def takes_logits(self) -> bool:
        """Whether it takes outputs for log odds."""
        return any(term.function is cross_entropy for term in self.terms)

    @property
    def per_pixel(self) -> bool:
        """Whether every term is, so that a random batch of pixels stands for the picture."""
        return all(getattr(term.function, "per_pixel", False) for term in self.terms)


def parse_loss(text: str, find: Callable[[str], LossFunction], known: Iterable[str]) -> Loss:
    """Read a mixture: loss names joined by ``+``, each with a weight before or after a ``*``.

    `known` are the names there are, and `find` gives the loss of one of them.
    Raises UsageError that quotes `text` and the part that is wrong.
    """
    names = set(known)
    terms: list[Term] = []
    for part in text.split("+"):
        weight, name = _parse_term(part.strip(), text)
        if name not in names:
            raise UsageError(
                f"loss {text!r}: there is no loss {name!r}", hint=did_you_mean(name, names)
            )
        if any(name == term.name for term in terms):
            raise UsageError(
                f"loss {text!r} names {name!r} twice", hint="give it once, with a weight"
            )
        terms.append(Term(weight, name, find(name)))
    return Loss(tuple(terms))


def _parse_term(part: str, text: str) -> tuple[float, str]:
    """The weight and the name in ``NAME``, ``WEIGHT*NAME`` or ``NAME*WEIGHT``."""
    factors = [factor.strip() for factor in part.split("*")]
    weights = [number for number in map(_number, factors) if number is not None]
    names = [factor for factor in factors if factor and _number(factor) is None]
    if len(names) != 1 or len(weights) > 1 or len(names) + len(weights) != len(factors):
        raise UsageError(
            f"loss {text!r}: {part!r} is not a loss, nor a weight times a loss",
            hint="write it like l1+0.1*ssim",
        )
    weight = weights[0] if weights else 1.0
    if not (weight > 0 and math.isfinite(weight)):
        raise UsageError(
            f"loss {text!r}: the weight in {part!r} is not a positive number",
            hint="leave the term out, or give it a weight above 0",
        )
    return weight, names[0]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
