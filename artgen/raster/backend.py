"""Backends: what evaluates the parts of a family, and why.

Each family says which backend there is for its parts: see `choose_backend`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.base.process import is_webgpu
from artgen.primitives import Primitive


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
