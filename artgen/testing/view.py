"""Checks of ways to look at a drawing: what is seen, its gradient, and no side effects."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import torch
from torch import Tensor

from artgen.art import Art
from artgen.base.errors import UsageError
from artgen.losses import Pose, Sight, Way
from artgen.testing.candidate import CANVAS, Offer, picture
from artgen.testing.drawings import WRONG, changed, first_taken
from artgen.testing.run_checks import Failed, Lacking, basic
from artgen.testing.side_effects import check_pure

PRIMITIVES = ("gaussian", "cloud", "triangle")


@basic
def seen(offer: Offer) -> str:
    """A picture is seen of a picture; tensors keep their names and shapes.

    Return a picture [3, height, width] of the dtype that you got, or the mapped tensors, changed.
    """
    if offer.loaded.parts is not None:
        name, before, after = _laid(offer, 1.0)
        for key, tensor in before.items():
            if key not in after or after[key].shape != tensor.shape:
                raise Failed(f"{key} of {name} has another shape", _code(offer))
        return f"moves {name}"
    found = [_see(offer, given) for given in _pictures()]
    for one in found:
        if one.dtype != torch.float64 or not one.isfinite().all():
            raise Failed(f"a picture becomes {one.dtype}, or not finite", _code(offer))
    _, height, width = found[0].shape
    return f"{CANVAS.width} x {CANVAS.height} pixels become {width} x {height}"


def gradients(offer: Offer) -> None:
    """The gradient agrees with finite differences in float64.

    Look for `detach`, `round`, `item` and numpy on the way to the result.
    """
    if offer.loaded.parts is not None:
        return
    given, rng = _pictures()[0], torch.Generator().manual_seed(3)
    way = torch.randn(given.shape, generator=rng, dtype=given.dtype)
    leaf = given.clone().requires_grad_()
    outcome = _see(offer, leaf)
    mix = torch.randn(outcome.shape, generator=rng, dtype=given.dtype)
    if not outcome.requires_grad:
        raise Failed("what is seen has no gradient", _code(offer))
    (gradient,) = torch.autograd.grad((outcome * mix).sum(), leaf)
    ahead, behind = ((_see(offer, given + s * way) * mix).sum() for s in (1e-6, -1e-6))
    wanted, got = float(ahead - behind) / 2e-6, float((gradient * way).sum())
    if not abs(got - wanted) <= 1e-3 * abs(wanted) + 1e-6:
        raise Failed(f"the slope is {wanted:.5g}, the gradient {got:.5g}", _code(offer))


def start(offer: Offer) -> None:
    """Parts that have not begun to move are as they are.

    Return the tensors unchanged for a share of 0: films start there.
    """
    if offer.loaded.parts is None:
        return
    name, before, after = _laid(offer, 0.0)
    for key, tensor in before.items():
        if not torch.allclose(after[key], tensor, atol=1e-6):
            raise Failed(f"{key} of {name} differs at a share of 0", _code(offer))


def values(offer: Offer) -> str:
    """Other values than its example are taken, or refused by `UsageError`.

    Raise `artgen.errors.UsageError` for what cannot be read; `artgen.editing.numbers` may help.
    """
    for text in WRONG:
        other = replace(offer, loaded=replace(offer.loaded, example=text))
        with suppress(UsageError, Lacking):
            seen(other)
    return f"{', '.join(WRONG)} do no harm"


def purity(offer: Offer) -> None:
    """The same is seen the second time, without a clock; nothing is changed, printed or written.

    Copy a tensor before you change it; seed a generator of your own.
    """
    code = _code(offer)
    with check_pure(offer, code):
        first, again = _all(offer), _all(offer)
    for one, other in zip(first, again, strict=True):
        if not torch.equal(one, other):
            raise Failed("something else is seen the second time", code)


CHECKS = (seen, gradients, start, values, purity)


def _code(offer: Offer) -> object:
    """The function that the plugin wrote."""
    way: Way = offer.loaded
    return way.see if way.parts is None else way.parts


def _pictures() -> list[Tensor]:
    whole = picture(CANVAS).double()
    return [whole, whole[:, :7, :9].contiguous()]


def _see(offer: Offer, given: Tensor) -> Tensor:
    """What is seen of a picture, which must stay as it is."""
    before = given.detach().clone()
    sight = Sight(Pose(), ((offer.name, offer.loaded, offer.loaded.example),))
    found, _ = sight.see(given), sight.wanted(given.detach())
    if not torch.equal(before, given.detach()):
        raise Failed("it changes the picture in place", _code(offer))
    return found


def _laid(offer: Offer, share: float) -> tuple[str, Mapping[str, Tensor], Mapping[str, Tensor]]:
    """A primitive that it takes, a drawing's tensors, and these at a share of the way."""
    pose = Pose(((offer.name, offer.loaded, offer.loaded.example),))

    def laid(name: str, art: Art) -> tuple[str, Mapping[str, Tensor], Mapping[str, Tensor]]:
        primitive, tensors = art.primitive(), art.drawing.tensors
        pose.check(primitive)
        after = pose(primitive, dict(tensors), share)
        if changed(offer, name):
            raise Failed(f"it changes the tensors of {name} in place", _code(offer))
        return name, tensors, after

    return first_taken(offer, PRIMITIVES, laid, "drawings that it does not refuse")


def _all(offer: Offer) -> list[Tensor]:
    if offer.loaded.parts is None:
        return [_see(offer, each) for each in _pictures()]
    return list(_laid(offer, 0.5)[2].values())
