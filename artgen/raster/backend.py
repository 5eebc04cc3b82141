"""Who evaluates footprints: generated kernels where they can be made, plain torch everywhere else.

A footprint that cannot be traced or compiled runs eagerly, with the reason at hand; so does one
whose kernels do not give what plain torch gives for 64 splats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from artgen.canvas import Canvas
from artgen.errors import UsageError
from artgen.primitives import Context, Primitive, Splat
from artgen.raster import eager

if TYPE_CHECKING:
    from artgen.raster.cpu import Footprint

__all__ = ["EAGER", "Backend", "choose_backend"]


@dataclass(frozen=True)
class Backend:
    """A choice and its reason; `footprint` holds the kernels of a compiled one."""

    name: Literal["compiled", "eager"]
    reason: str = ""
    footprint: Footprint | None = None


EAGER = Backend("eager", "asked for")

_compiled: dict[tuple[type, str], Backend] = {}


def choose_backend(primitive: Primitive, device: str = "cpu", asked: str = "auto") -> Backend:
    """The backend for `primitive` on `device`; ``auto`` takes compiled where it works.

    Compiling takes seconds the first time and is cached on disk. Raises UsageError where
    ``compiled`` is asked for and not to be had.
    """
    if asked == "eager":
        return EAGER
    choice = _best(primitive, device)
    if asked == "compiled" and choice.name == "eager":
        raise UsageError(
            f"{type(primitive).__name__} cannot run compiled: {choice.reason}",
            hint="use --backend auto",
        )
    return choice


def _best(primitive: Primitive, device: str) -> Backend:
    if not isinstance(primitive, Splat):
        return Backend("eager", "only splats have a footprint to compile")
    if device != "cpu":
        return Backend("eager", f"kernels are generated for the CPU, not for {device}")
    if primitive.blend == "over":
        return Backend("eager", "the blend 'over' has no kernel yet")
    key = (type(primitive), repr(sorted(primitive.option_values().items())))
    if key not in _compiled:
        _compiled[key] = _compile(primitive)
    return _compiled[key]


def _compile(splat: Splat) -> Backend:
    from artgen.raster.cpu import Footprint
    from artgen.raster.trace import Untraceable

    try:
        footprint = Footprint(splat)
        _check(footprint, splat)
    except Untraceable as error:
        return Backend("eager", str(error))
    except Exception as error:  # whatever a compiler may throw must not stop a fit
        return Backend("eager", f"its kernels cannot be compiled: {type(error).__name__}: {error}")
    return Backend("compiled", "kernels generated from the footprint", footprint)


def _check(footprint: Any, splat: Splat) -> None:
    """Compare picture and gradients of 64 random splats with plain torch. Raises Untraceable."""
    from artgen.raster import cpu
    from artgen.raster.trace import Untraceable

    canvas = Canvas(45, 37)
    rng = torch.Generator().manual_seed(1)
    tensors = splat.initial(Context(rng, canvas, 64))
    names = list(tensors)
    leaves = [tensors[name].clone().requires_grad_() for name in names]
    incoming = torch.randn(3, canvas.height, canvas.width, generator=rng)

    def picture_and_gradients(compiled: bool) -> list[torch.Tensor]:
        values = dict(zip(names, leaves, strict=True))
        if compiled:
            image = cpu.accumulate(footprint, splat, values, values["colour"], canvas)
        else:
            image = eager.accumulate(splat, values, values["colour"], canvas, eager.Memory())
        with torch.enable_grad():
            total = (image * incoming).sum()
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        return [image.detach(), *(torch.zeros(1) if g is None else g for g in gradients)]

    with torch.enable_grad():
        pairs = zip(picture_and_gradients(True), picture_and_gradients(False), strict=True)
        for name, (mine, theirs) in zip(["picture", *names], pairs, strict=True):
            size = float(theirs.abs().max()) + 1e-6
            error = float((mine - theirs).abs().max())
            # Rounding is far below this; a wrong derivative is far above.
            if not error <= 2e-3 * size + 1e-5:
                raise Untraceable(f"its kernels do not agree with plain torch on {name}")
