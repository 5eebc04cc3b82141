"""Checks of splats and fields: torch functions that are evaluated pointwise and differentiated."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from artgen.raster import draw, paint
from artgen.testing.candidate import CANVAS, DEFAULT, Candidate, picture
from artgen.testing.probe import Probe, probe
from artgen.testing.run_checks import Failed, basic
from artgen.testing.side_effects import differing
from artgen.values.canvas import Canvas

STEP, SINGLE_STEP = 1e-6, 1e-3
"""Relative step of finite differences, for results in float64 and in float32."""
ENLARGED = 3
"""Factor of enlargement; an odd one keeps the centres of pixels among the new centres."""
INVISIBLE = 1 / 255


def bounds(candidate: Candidate) -> None:
    """Pictures and gradients are finite with parameters at their bounds, or far out without bounds.

    Give the parameter a `min` or `max`, or a map such as "exp" or "sigmoid" that keeps it in range.
    """
    for variant in candidate.variants:
        for name, value, primitive, made in candidate.extremes(variant):
            where = f"{candidate.label(variant)} at {name} = {value:.3g}"
            leaves = {key: tensor.clone().requires_grad_() for key, tensor in made.tensors.items()}
            image = paint(primitive, leaves, made.canvas)
            if not bool(image.isfinite().all()):
                raise Failed(f"{where} draws NaN or infinity")
            if not image.requires_grad:
                # All parts have left the canvas.
                continue
            loss = (image - picture(made.canvas)).square().mean()
            found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
            for key, gradient in zip(leaves, found, strict=True):
                if gradient is not None and not bool(gradient.isfinite().all()):
                    raise Failed(f"{where} has a gradient in {key} that is NaN or infinite")


def finite(candidate: Candidate) -> None:
    """Values and gradients are finite at the centre, on the axes, at the edge and outside.

    A root or a division has no gradient at 0: add a small term, as in `sqrt(x * x + 1e-12)`.
    """
    for variant in candidate.variants:
        for special in (True, False):
            probed = probe(candidate, variant, special=special)
            inputs = probed.single
            values, found = _differentiated(probed, inputs)
            if not bool(values.isfinite().all()):
                raise Failed(f"{probed.title} is {_worst(values)} {_place(inputs, values)}")
            for name, gradient in found.items():
                if not bool(gradient.isfinite().all()):
                    raise Failed(
                        f"the gradient of {probed.title} in {name} is {_worst(gradient)} "
                        f"{_place(inputs, gradient)}"
                    )


def gradients(candidate: Candidate) -> None:
    """Gradients agree with finite differences in float64, and with gradients in float32.

    Look for `detach`, `.data`, `torch.no_grad` and custom backward passes. If a parameter has no
    effect, leave it out or let `params` depend on the option that uses it.
    """
    for variant in candidate.variants:
        probed = probe(candidate, variant)
        rng = torch.Generator().manual_seed(3)
        values, _ = _differentiated(probed, probed.inputs)
        weights = torch.randn(values.shape, generator=rng, dtype=torch.float64)
        _, exact = _differentiated(probed, probed.inputs, weights)
        _, single = _differentiated(probed, probed.single, weights.float())
        for name in probed.learned:
            _check_gradient(probed, name, exact[name], weights, rng)
            gap = float((single[name].double() - exact[name]).norm())
            if not gap <= 0.1 * float(exact[name].norm()) + 1e-6:
                raise Failed(
                    f"the gradient of {probed.title} in {name} differs by "
                    f"{gap / exact[name].norm():.1%} in float32"
                )
            if variant is DEFAULT and not bool(exact[name].any()):
                raise Failed(f"{probed.title} does not depend on {name}")


@basic
def purity(candidate: Candidate) -> None:
    """The same arguments always give the same values, and are not changed.

    Write `x = x * 2` instead of `x *= 2`, and keep no state in `self` or in globals.
    """
    for variant in candidate.variants:
        probed, other = probe(candidate, variant), probe(candidate, variant, special=True)
        inputs = probed.single
        kept = {name: tensor.clone() for name, tensor in inputs.items()}
        with torch.no_grad():
            first = probed.call(inputs).clone()
            for name in differing(kept, inputs):
                raise Failed(f"{probed.title} changes {name} in place")
            other.call(other.single)
            second = probed.call(inputs)
        if not torch.equal(first, second):
            gap = float((first - second).abs().max())
            raise Failed(f"{probed.title} gives another result when called again: off by {gap:.3g}")


def resolution(candidate: Candidate) -> None:
    """The colour of a point does not depend on the size of the picture.

    Nothing may depend on the number of pixels: use canvas units, and numbers that are resolved
    once in `resolve_options` and stored with the drawing.
    """
    for variant in candidate.variants:
        primitive, made = candidate.drawing(variant, moved=True)
        small = draw(made, primitive)
        larger = Canvas(ENLARGED * CANVAS.width, ENLARGED * CANVAS.height)
        middle = slice(ENLARGED // 2, None, ENLARGED)
        large = draw(made, primitive, larger)[:, middle, middle]
        # The cut at the edge of a splat may fall on either side of a point.
        allowed = INVISIBLE * max(1.0, float(small.abs().max()))
        gap = float((small - large).abs().max())
        if not gap <= allowed:
            raise Failed(
                f"{candidate.label(variant)} differs by up to {255 * gap:.1f} levels between "
                f"{CANVAS.width}x{CANVAS.height} and {larger.width}x{larger.height} pixels"
            )


def device(candidate: Candidate) -> None:
    """The function runs on the device of its arguments, without tensors of its own on the CPU.

    Make tensors with `torch.zeros_like(dx)` or `device=xy.device`; Python numbers work anywhere.
    """
    for variant in candidate.variants:
        probed = probe(candidate, variant)
        inputs = probed.single
        expected = probed.call(inputs)
        # Tensors on "meta" have no data: mixing devices or reading values fails at once.
        moved = probed.call({name: tensor.to("meta") for name, tensor in inputs.items()})
        if moved.device.type != "meta" or moved.shape != expected.shape:
            raise Failed(f"{probed.title} returns a tensor on {moved.device}, not on its device")
        if torch.cuda.is_available():
            there = probed.call({name: tensor.cuda() for name, tensor in inputs.items()}).cpu()
            if not torch.allclose(there, expected, atol=1e-3):
                gap = float((there - expected).abs().max())
                raise Failed(f"{probed.title} differs on the GPU by up to {gap:.3g}")


def _differentiated(
    probed: Probe, inputs: Mapping[str, Tensor], weights: Tensor | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the values, and the gradients of their weighted sum in the learned inputs."""
    leaves = {name: tensor.clone() for name, tensor in inputs.items()}
    for name in probed.learned:
        leaves[name].requires_grad_()
    values = probed.call(leaves)
    if not values.requires_grad:
        return values, {name: torch.zeros_like(leaves[name]) for name in probed.learned}
    total = (values if weights is None else weights * values).sum()
    learned = [leaves[name] for name in probed.learned]
    found = torch.autograd.grad(total, learned, materialize_grads=True)
    return values.detach(), dict(zip(probed.learned, found, strict=True))


def _check_gradient(
    probed: Probe, name: str, gradient: Tensor, weights: Tensor, rng: torch.Generator
) -> None:
    """Compare with finite differences along a random direction. Raises Failed."""
    start = probed.inputs[name]
    way = torch.randn(start.shape, generator=rng, dtype=torch.float64)
    way = way * start.abs().clamp_min(1e-2)

    def values(step: float) -> Tensor:
        with torch.no_grad():
            return probed.call({**probed.inputs, name: start + step * way})

    step, allowed = (STEP, 1e-3) if values(0).dtype == torch.float64 else (SINGLE_STEP, 3e-2)
    change = (values(step).double() - values(-step).double()) / (2 * step)
    measured, computed = float((weights * change).sum()), float((gradient * way).sum())
    size = float((gradient * way).abs().sum())
    if not abs(measured - computed) <= allowed * max(size, abs(measured)) + 1e-6:
        raise Failed(
            f"the gradient of {probed.title} in {name} is {computed:.5g} along a random direction, "
            f"but finite differences give {measured:.5g}"
        )


def _worst(values: Tensor) -> str:
    """Return ``NaN`` if there is one, else ``infinite``."""
    return "NaN" if bool(values.isnan().any()) else "infinite"


def _place(inputs: Mapping[str, Tensor], values: Tensor) -> str:
    """Locate the first value that is not finite: ``at dx = 0, dy = 0``, for a splat."""
    index = int((~values.isfinite()).flatten().nonzero()[0, 0])
    if "dx" in inputs:
        index %= inputs["dx"].numel()
        return f"at dx = {float(inputs['dx'][index]):.3g}, dy = {float(inputs['dy'][index]):.3g}"
    return "somewhere on the canvas"
