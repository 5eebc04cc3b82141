"""The backend of splats: generated kernels where they can be made, plain torch everywhere else.

A footprint that cannot be traced or compiled runs eagerly, with the reason at hand; so does one
whose kernels do not give what plain torch gives for 64 splats.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from artgen.base.errors import ArtgenError
from artgen.base.process import is_webgpu
from artgen.compiler.vjp import vjp
from artgen.families.splat.contract import Splat
from artgen.families.splat.eager import draw_features
from artgen.families.splat.repeat import drawn_class
from artgen.init import Context
from artgen.raster.backend import (
    EAGER,
    Backend,
    Memory,
    checked,
    choose_backend,
    planned_backend,
    tensor_device,
)
from artgen.values.canvas import Canvas

if TYPE_CHECKING:
    from artgen.families.splat.footprint import CompiledFootprint

_COMPILED = Backend("compiled", "kernels are generated from the footprint")

_chosen: dict[tuple[type, str, str], Backend] = {}


@choose_backend.register(Splat)
def _choose(splat: Splat, device: str = "cpu", asked: str = "auto") -> Backend:
    return EAGER if asked == "eager" else checked(_best(splat, device), splat, asked)


@planned_backend.register(Splat)
def _planned(splat: Splat) -> Backend:
    try:
        _check_kernels(splat, "cpu")
        from artgen.families.splat.cpu import emit_for_cpu

        emit_for_cpu(splat)
    except Exception as error:
        return _failed(error)
    return _COMPILED


def _best(splat: Splat, device: str) -> Backend:
    splat = drawn_class(splat)
    # One GPU compiles for all of CUDA, but adapters of WebGPU differ.
    kind = device if is_webgpu(device) else torch.device(device).type
    key = (type(splat), repr(sorted(splat.option_values().items())), kind)
    known = _chosen.get(key)
    if known is None or (known.footprint is not None and known.footprint.is_lost):
        _chosen[key] = _compile(splat, device)
    return _chosen[key]


def _check_kernels(splat: Splat, device: str) -> None:
    """Raise Untraceable where there are no kernels whatever the footprint is."""
    from artgen.compiler.record import Untraceable

    if not is_webgpu(device) and torch.device(device).type not in ("cpu", "cuda"):
        raise Untraceable(f"kernels are generated for CPUs, CUDA and WebGPU, not for {device}")
    if splat.options.visibility == "buffer":
        raise Untraceable("visibility=buffer has no kernel")


def _compile(splat: Splat, device: str) -> Backend:
    try:
        _check_kernels(splat, device)
        footprint = _footprint(splat, device)
        _check(footprint, splat, device)
    except Exception as error:
        return _failed(error)
    return replace(_COMPILED, footprint=footprint)


def _failed(error: Exception) -> Backend:
    """Whatever a compiler throws must not stop a fit, only say why that is slow."""
    from artgen.compiler.record import Untraceable

    reason = str(error)
    if not isinstance(error, Untraceable | ArtgenError):
        first = reason.partition("\n")[0]
        reason = f"its kernels cannot be compiled: {type(error).__name__}: {first}"
    return Backend("eager", reason, slow=True)


def _footprint(splat: Splat, device: str) -> CompiledFootprint:
    if is_webgpu(device):
        from artgen.families.splat import webgpu

        return webgpu.Footprint(splat, device)
    if torch.device(device).type == "cuda":
        from artgen.families.splat import cuda

        return cuda.Footprint(splat)
    from artgen.families.splat import cpu

    return cpu.Footprint(splat)


def _check(footprint: CompiledFootprint, splat: Splat, device: str) -> None:
    """Compare picture and gradients of 64 random splats with plain torch. Raises Untraceable."""
    from artgen.compiler.record import Untraceable

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
    place = tensor_device(device)
    leaves = [tensors[name].clone().to(place).requires_grad_() for name in names]
    incoming = torch.randn(channels, canvas.height, canvas.width, generator=rng).to(place)

    def picture_and_gradients(compiled: bool) -> list[torch.Tensor]:
        values = dict(zip(names, leaves, strict=True))
        features = values.pop("features")
        if over:
            features = torch.cat([features[:3], features[3:] / 2])
        given = splat, values, features, canvas
        if compiled:
            image = footprint.draw_features(*given, over=over)
        else:
            image = draw_features(*given, Memory(), over=over)
        gradients = vjp(image, leaves, incoming)
        return [image.detach(), *(image.new_zeros(1) if g is None else g for g in gradients)]

    with torch.enable_grad():
        pairs = zip(picture_and_gradients(True), picture_and_gradients(False), strict=True)
    for name, (mine, theirs) in zip(["the picture", *names], pairs, strict=True):
        # Rounding is far below this; a wrong derivative is far above.
        allowed = 2e-3 * float(theirs.abs().max()) + 1e-5
        if not float((mine - theirs).abs().max()) <= allowed:
            raise Untraceable(f"its kernels do not agree with plain torch on {name}")
