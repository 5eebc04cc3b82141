"""Who evaluates footprints: generated kernels where they can be made, plain torch everywhere else.

A footprint that cannot be traced or compiled runs eagerly, with the reason at hand; so does one
whose kernels do not give what plain torch gives for 64 splats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol, cast

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.errors import UsageError
from artgen.primitives import Context, Partition, Primitive, Shape, Splat
from artgen.raster import eager
from artgen.raster.eager import Memory

__all__ = ["EAGER", "Backend", "Footprint", "choose_backend", "planned_backend"]


class Footprint(Protocol):
    """The compiled kernels of a footprint for one kind of device."""

    def accumulate(
        self, splat: Splat, tensors: Mapping[str, Tensor], features: Tensor, canvas: Canvas
    ) -> Tensor:
        """The same as `eager.accumulate`, float32."""
        ...

    def composite(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        colour: Tensor,
        opacity: Tensor,
        canvas: Canvas,
    ) -> Tensor:
        """The same as `eager.composite`, float32."""
        ...


@dataclass(frozen=True)
class Backend:
    """A choice and its reason; `footprint` holds the kernels of a compiled one."""

    name: Literal["compiled", "eager"]
    reason: str = ""
    footprint: Footprint | None = None


EAGER = Backend("eager", "asked for")

_COMPILED = Backend("compiled", "kernels are generated from the footprint")

_CUT = Backend("compiled", "shapes and partitions have no other")

_chosen: dict[tuple[type, str, str], Backend] = {}


def choose_backend(primitive: Primitive, device: str = "cpu", asked: str = "auto") -> Backend:
    """The backend for `primitive` on `device`; ``auto`` takes compiled where it works.

    Compiling takes seconds the first time and is cached on disk. Shapes and partitions are always
    compiled, whatever is asked for. Raises UsageError where ``compiled`` is not to be had.
    """
    if isinstance(primitive, Shape | Partition):
        return _CUT
    if asked == "eager":
        return EAGER
    choice = _best(primitive, device)
    if asked == "compiled" and choice.name == "eager":
        raise UsageError(
            f"{type(primitive).__name__} cannot run compiled: {choice.reason}",
            hint="use --backend auto",
        )
    return choice


def planned_backend(primitive: Primitive) -> Backend:
    """What `choose_backend` is going to choose on the CPU, as far as is known without compiling."""
    if isinstance(primitive, Shape | Partition):
        return _CUT
    choice = _without_kernels(primitive, "cpu")
    if choice is not None:
        return choice
    try:
        from artgen.raster.cpu import emit_for_cpu

        emit_for_cpu(cast(Splat, primitive))
    except Exception as error:
        return _failed(error)
    return _COMPILED


def _best(primitive: Primitive, device: str) -> Backend:
    choice = _without_kernels(primitive, device)
    if choice is not None:
        return choice
    splat = cast(Splat, primitive)
    key = (type(splat), repr(sorted(splat.option_values().items())), torch.device(device).type)
    if key not in _chosen:
        _chosen[key] = _compile(splat, device)
    return _chosen[key]


def _without_kernels(primitive: Primitive, device: str) -> Backend | None:
    """The choice where there are no kernels whatever the footprint is."""
    if not isinstance(primitive, Splat):
        return Backend("eager", "only splats have a footprint to compile")
    if torch.device(device).type not in ("cpu", "cuda"):
        return Backend("eager", f"kernels are generated for CPUs and CUDA, not for {device}")
    if primitive.options.visibility == "buffer":
        return Backend("eager", "visibility=buffer has no kernel")
    return None


def _compile(splat: Splat, device: str) -> Backend:
    try:
        footprint = _footprint(splat, device)
        _check(footprint, splat, device)
    except Exception as error:
        return _failed(error)
    return replace(_COMPILED, footprint=footprint)


def _failed(error: Exception) -> Backend:
    """Whatever a compiler throws must not stop a fit, only say why that is slow."""
    from artgen.raster.trace import Untraceable

    if isinstance(error, Untraceable):
        return Backend("eager", str(error))
    first = str(error).partition("\n")[0]
    return Backend("eager", f"its kernels cannot be compiled: {type(error).__name__}: {first}")


def _footprint(splat: Splat, device: str) -> Footprint:
    if torch.device(device).type == "cuda":
        from artgen.raster import cuda

        return cuda.Footprint(splat)
    from artgen.raster import cpu

    return cpu.Footprint(splat)


def _check(footprint: Footprint, splat: Splat, device: str) -> None:
    """Compare picture and gradients of 64 random splats with plain torch. Raises Untraceable."""
    from artgen.raster.trace import Untraceable

    canvas = Canvas(45, 37)
    rng = torch.Generator().manual_seed(1)
    # Away from the start, where symmetry may make a true gradient zero and leave only rounding.
    tensors = {
        name: tensor * (0.7 + 0.6 * torch.rand(tensor.shape, generator=rng))
        for name, tensor in splat.initial(Context(rng, canvas, 64)).items()
    }
    # As many features as drawing is going to ask for, so that nothing is compiled in vain.
    channels = 3 if splat.blend in ("sum", "mean") else 4
    over = splat.blend == "over"
    tensors["features"] = torch.rand(channels, 64, generator=rng)
    names = list(tensors)
    leaves = [tensors[name].clone().to(device).requires_grad_() for name in names]
    incoming = torch.randn(channels, canvas.height, canvas.width, generator=rng).to(device)

    def picture_and_gradients(compiled: bool) -> list[torch.Tensor]:
        values = dict(zip(names, leaves, strict=True))
        features = values.pop("features")
        if over:
            parts = splat, values, features[:3], features[3] / 2, canvas
            image = footprint.composite(*parts) if compiled else eager.composite(*parts, Memory())
        elif compiled:
            image = footprint.accumulate(splat, values, features, canvas)
        else:
            image = eager.accumulate(splat, values, features, canvas, Memory())
        gradients = torch.autograd.grad(image, leaves, incoming, allow_unused=True)
        return [image.detach(), *(image.new_zeros(1) if g is None else g for g in gradients)]

    with torch.enable_grad():
        pairs = zip(picture_and_gradients(True), picture_and_gradients(False), strict=True)
    for name, (mine, theirs) in zip(["the picture", *names], pairs, strict=True):
        # Rounding is far below this; a wrong derivative is far above.
        allowed = 2e-3 * float(theirs.abs().max()) + 1e-5
        if not float((mine - theirs).abs().max()) <= allowed:
            raise Untraceable(f"its kernels do not agree with plain torch on {name}")
