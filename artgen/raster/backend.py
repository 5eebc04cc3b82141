"""Devices, and backends: what evaluates the parts of a family, and why.

A device of ``auto`` never fails, and what is asked for is not replaced. Each family says which
backend there is for its parts: see `choose_backend`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import torch

from artgen.base.errors import OutputError, UsageError
from artgen.base.generic import generic
from artgen.base.process import is_webgpu, unknown_device
from artgen.primitives import Primitive
from artgen.raster.webgpu_device import can_have_hardware, find_adapter, find_adapters


@dataclass(frozen=True)
class Backend:
    """A choice and its reason; `footprint` holds the kernels of a compiled one, if it needs any.

    Their family alone knows more of them than whether they are lost (`is_lost`). `slow` marks an
    eager one where kernels are usual: the reason is shown to the user.
    """

    name: Literal["compiled", "eager"]
    reason: str = ""
    footprint: Any = None
    slow: bool = False


@dataclass(frozen=True)
class Memory:
    """Footprint evaluations in memory at a time; each takes about 100 bytes."""

    evaluations: int = 1 << 18

    def shrunk(self, share: float) -> Memory:
        """A bound that is `share` of this one."""
        return Memory(max(1 << 12, int(self.evaluations * share)))


EAGER = Backend("eager", "asked for")

ALWAYS_COMPILED = Backend("compiled", "shapes, partitions and meshes have no other")


def resolve_device(asked: str) -> str:
    """``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``webgpu`` to a device that is there.

    ``auto`` is CUDA, else a GPU by WebGPU, else the CPU. Raises UsageError for one that is not
    there.
    """
    if asked == "auto":
        if torch.cuda.is_available():
            return "cuda"
        with suppress(OutputError):
            if can_have_hardware() and any(each.hardware for each in find_adapters()[:1]):
                return "webgpu"
        return "cpu"
    if is_webgpu(asked):
        find_adapter(asked)
        return asked
    try:
        device = torch.device(asked)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise unknown_device(asked)
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[device.type]:
        raise UsageError(
            f"device {asked!r} is not available on this machine",
            hint="use --device auto; `artgen doctor` shows what there is",
        )
    return asked


def tensor_device(device: str) -> torch.device:
    """The device of the tensors that `device` draws: WebGPU takes those on the CPU."""
    return torch.device("cpu" if is_webgpu(device) else device)


@generic("backend")
def choose_backend(primitive: Primitive, device: str = "cpu", asked: str = "auto") -> Backend:
    """Choose the backend for `primitive` on `device`; ``auto`` takes compiled where it works.

    Compiling takes seconds the first time and is cached on disk. Parts that are `always_compiled`
    are so whatever is asked for. Raises UsageError where ``compiled`` is asked for
    and cannot be had. Others whose family registers
    nothing are drawn eagerly.
    """
    if asked == "eager" and not primitive.always_compiled:
        return EAGER
    return checked(planned_backend(primitive), primitive, asked)


@generic("backend")
def planned_backend(primitive: Primitive) -> Backend:
    """Predict what `choose_backend` chooses on the CPU, without compiling anything."""
    if primitive.always_compiled:
        return ALWAYS_COMPILED
    return Backend("eager", "only splats have a footprint to compile")


def checked(choice: Backend, primitive: Primitive, asked: str) -> Backend:
    """Return `choice`. Raises UsageError where it is eager and ``compiled`` was asked for."""
    if asked == "compiled" and choice.name == "eager":
        raise UsageError(
            f"{type(primitive).__name__} cannot run compiled: {choice.reason}",
            hint="use --backend auto",
        )
    return choice
