"""Checks of losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from artgen.base.errors import did_you_mean
from artgen.losses import Loss, Term
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, basic
from artgen.testing.side_effects import check_side_effects
from artgen.values.subject import TargetKind

_SHAPES: dict[str, list[tuple[int, ...]]] = {
    "image": [(3, 1, 1), (3, 5, 7), (3, 24, 36)],
    "curve": [(1, 1, 40)],
    "points": [(3, 1, 40)],
    "set": [(4, 1, 12, 12)],
}
"""The shapes of the outputs for each kind of target."""
TOLERANCE = 1e-4


class _Case(NamedTuple):
    """Outputs of a fit and what they should be: of one kind of target."""

    kind: str
    image: Tensor
    target: Tensor

    def single(self) -> _Case:
        return _Case(self.kind, self.image.float(), self.target.float())


def marks(offer: Offer) -> str:
    """The marks `for_targets` and `per_pixel` name kinds of targets and go together.

    Kinds are image, curve, points and set; a loss of curves or points is `per_pixel` too.
    """
    kinds = _kinds(offer)
    known = get_args(TargetKind)
    for kind in kinds:
        if kind not in known:
            raise Failed(f"unknown kind of target {kind!r}: {did_you_mean(str(kind), known)}")
    if {"curve", "points"} & set(kinds) and not _per_pixel(offer):
        raise Failed(f"a loss for {' and '.join(kinds)} is not marked @artgen.losses.per_pixel")
    return ", ".join(kinds) + (", per pixel" if _per_pixel(offer) else "")


@basic
def scalar(offer: Offer) -> None:
    """The value is a scalar of the picture's dtype with a gradient, for pictures of any size.

    Combine the error of all pixels by `mean`; compute with torch from `image` to the result.
    """
    for case in _cases(offer):
        for each in (case, case.single()):
            value, gradient = _value(offer, each, gradient=True)
            if value.dtype != each.image.dtype:
                raise Failed(f"{_title(each)}: {each.image.dtype} gives {value.dtype}")
            if each.image.numel() > 12 and not bool((gradient != 0).any()):
                raise Failed(f"{_title(each)}: the gradient is 0 everywhere")


def finite(offer: Offer) -> None:
    """Value and gradient are finite: for equal, black, white and far pictures, and weights of 0.

    Look for roots, logarithms and divisions at 0: use `clamp_min`, or add a small number.
    """
    for case in map(_Case.single, _cases(offer)):
        ends = {"far": 40 * case.image - 20, "black": 0 * case.image, "white": 0 * case.image + 1}
        if case.kind != "points":
            ends["equal"] = case.target
        for name, image in ends.items():
            for weight in (None, *_weights(case)):
                value, gradient = _value(offer, case._replace(image=image), weight, gradient=True)
                if not (value.isfinite() and gradient.isfinite().all()):
                    wrong = "gradient" if value.isfinite() else "value"
                    raise Failed(f"{_title(case)}: the {wrong} is not finite for {name} outputs")


def gradients(offer: Offer) -> None:
    """The gradient agrees with finite differences in float64.

    Look for `detach`, `round`, `item` and numpy on the way from the picture to the result.
    """
    for case in _cases(offer):
        _, gradient = _value(offer, case, gradient=True)
        way = torch.randn(case.image.shape, generator=_rng(3), dtype=torch.float64)
        step = 1e-6 * way
        ahead, behind = (
            _value(offer, case._replace(image=case.image + sign * step))[0] for sign in (1, -1)
        )
        found, expected = float((gradient * way).sum()), float(ahead - behind) / 2e-6
        if not abs(found - expected) <= 1e-3 * abs(expected) + 1e-7:
            raise Failed(f"{_title(case)}: the slope is {expected:.5g}, the gradient {found:.5g}")


def likeness(offer: Offer) -> None:
    """Outputs equal to their target have the lowest value.

    An engine minimises: return a distance, not a likeness.
    """
    for case in _cases(offer):
        if case.kind == "points":
            continue
        best, _ = _value(offer, case._replace(image=case.target))
        other, _ = _value(offer, case)
        if not best <= other + 1e-9:
            raise Failed(f"{_title(case)}: {best:.4g} if equal, {other:.4g} if different")


def weights(offer: Offer) -> None:
    """A pixel of weight 0 has no effect, and only the ratios of weights matter.

    Return sum(weight * error) / sum(weight), and 0 if all weights are 0.
    """
    for case in _cases(offer):
        if case.kind != "image" or case.image.numel() == 3:
            continue
        ones, half, none = _weights(case)
        plain, _ = _value(offer, case)
        _close(case, "weights of 1", _value(offer, case, ones)[0], "no weights", plain)
        value, gradient = _value(offer, case, half, gradient=True)
        _close(case, "weights times 3", _value(offer, case, 3 * half)[0], "weights", value)
        hidden = half.expand(case.image.shape) == 0
        changed = case._replace(image=torch.where(hidden, 1 - case.image, case.image))
        _close(case, "other pixels at weight 0", _value(offer, changed, half)[0], "before", value)
        if gradient[hidden].any():
            raise Failed(f"{_title(case)}: pixels of weight 0 have a gradient")
        if abs(float(_value(offer, case, none)[0])) > 1e-9:
            raise Failed(f"{_title(case)}: the value is not 0 if all weights are 0")


def purity(offer: Offer) -> None:
    """The same arguments give the same value and are not changed; nothing else is either.

    Keep no state between calls, change no tensor in place, and draw no random numbers.
    """
    cases = [case.single() for case in _cases(offer)]
    kept = [_Case(case.kind, case.image.clone(), case.target.clone()) for case in cases]
    with check_side_effects(offer):
        first = [_value(offer, case)[0] for case in cases]
        again = [_value(offer, case)[0] for case in cases]
    for case, before, one, two in zip(cases, kept, first, again, strict=True):
        if not torch.equal(one, two):
            raise Failed(f"{_title(case)}: {float(one):.6g}, then {float(two):.6g}")
        for name in ("image", "target"):
            if not torch.equal(getattr(case, name), getattr(before, name)):
                raise Failed(f"{_title(case)}: it changes its argument {name}")


def pixels(offer: Offer) -> None:
    """A loss marked `per_pixel` depends neither on the order nor on the number of pixels.

    Remove the mark if pixels are compared with their neighbours.
    """
    for case in _cases(offer):
        if not _per_pixel(offer) or case.kind == "set":
            continue
        flat = [each.flatten(1)[:, None] for each in (case.image, case.target)]
        order = torch.randperm(flat[0].shape[-1], generator=_rng(5))
        value, _ = _value(offer, _Case(case.kind, *flat))
        mixed, _ = _value(offer, _Case(case.kind, *(each[..., order] for each in flat)))
        _close(case, "pixels in another order", mixed, "before", value)
        twice, _ = _value(offer, _Case(case.kind, *(each.repeat(1, 1, 2) for each in flat)))
        _close(case, "every pixel twice", twice, "once", value)


CHECKS = (marks, scalar, finite, gradients, likeness, weights, purity, pixels)


def _kinds(offer: Offer) -> tuple[str, ...]:
    # What a text means depends on weights that nobody has here.
    if getattr(offer.loaded, "needs_text", False):
        return ()
    return tuple(getattr(offer.loaded, "targets", ("image",)))


def _per_pixel(offer: Offer) -> bool:
    return bool(getattr(offer.loaded, "per_pixel", False))


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _cases(offer: Offer) -> Iterator[_Case]:
    """Yield a float64 case of each kind of target, for pictures one of each size."""
    shapes = [(each, size) for each in _kinds(offer) for size in _SHAPES.get(each, [])]
    for kind, shape in shapes:
        target, image = (torch.rand(shape, generator=_rng(n), dtype=torch.float64) for n in (1, 2))
        if kind == "points":
            classes: Tensor = torch.eye(3, dtype=torch.float64)[target.argmax(0)]
            target = classes.movedim(-1, 0)
        yield _Case(kind, 1.2 * image - 0.1, target)


def _weights(case: _Case) -> list[Tensor]:
    """Return all ones, weights of which half are 0, and all zeros; none but for a picture."""
    if case.kind != "image":
        return []
    ones = torch.ones_like(case.image[0])
    half = torch.linspace(0.2, 1, ones.shape[1], dtype=ones.dtype).expand_as(ones).clone()
    half[:, ones.shape[1] // 2 :] = 0
    return [ones, half, 0 * ones]


def _value(
    offer: Offer, case: _Case, weight: Tensor | None = None, *, gradient: bool = False
) -> tuple[Tensor, Tensor]:
    """Return value and gradient (zeros unless asked for). Raises PluginError if it is no scalar.

    A loss that needs a picture gets the target.
    """
    image = case.image.clone().requires_grad_() if gradient else case.image
    bound = getattr(offer.loaded, "needs_picture", False)
    function = offer.loaded(case.target) if bound else offer.loaded
    value = Loss((Term(1.0, offer.name, function),))(image, case.target, weight)
    if not gradient:
        return value.detach(), torch.zeros_like(image)
    return value.detach(), torch.autograd.grad(value, image)[0]


def _title(case: _Case) -> str:
    return f"{case.kind} {list(case.image.shape)}"


def _close(case: _Case, what: str, found: Tensor, beside: str, expected: Tensor) -> None:
    if not abs(float(found - expected)) <= TOLERANCE * abs(float(expected)) + 1e-9:
        values = f"{float(found):.6g} with {what}, {float(expected):.6g} {beside}"
        raise Failed(f"{_title(case)}: {values}")
