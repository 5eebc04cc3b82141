"""Backends: what evaluates the parts of a family, and why.

Each family says which backend there is for its parts: see `choose_backend`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from artgen._process import is_webgpu
from artgen.errors import UsageError
from artgen.generic import GenericFunction
from artgen.primitives import Primitive

if TYPE_CHECKING:
    from artgen.raster.footprint import CompiledFootprint


@dataclass(frozen=True)
class Backend:
    """A choice and its reason; `footprint` holds the kernels of a compiled one.

    `slow` marks an eager one where kernels are usual: the reason is shown to the user.
    """

    name: Literal["compiled", "eager"]
    reason: str = ""
    footprint: CompiledFootprint | None = None
    slow: bool = False


EAGER = Backend("eager", "asked for")

ALWAYS_COMPILED = Backend("compiled", "shapes, partitions and meshes have no other")


def tensor_device(device: str) -> torch.device:
    """The device of the tensors that `device` draws: WebGPU takes those on the CPU."""
    return torch.device("cpu" if is_webgpu(device) else device)


@GenericFunction
def choose_backend(primitive: Primitive, device: str = "cpu", asked: str = "auto") -> Backend:
    """Choose the backend for `primitive` on `device`; ``auto`` takes compiled where it works.

    Compiling takes seconds the first time and is cached on disk. Shapes, partitions and meshes
    are always compiled, whatever is asked for. Raises UsageError where ``compiled`` is asked for
    and cannot be had. A family that registers nothing is drawn eagerly.
    """
    return EAGER if asked == "eager" else checked(planned_backend(primitive), primitive, asked)


@GenericFunction
def planned_backend(primitive: Primitive) -> Backend:
    """Predict what `choose_backend` chooses on the CPU, without compiling anything."""
    return Backend("eager", "only splats have a footprint to compile")


def checked(choice: Backend, primitive: Primitive, asked: str) -> Backend:
    """Return `choice`. Raises UsageError where it is eager and ``compiled`` was asked for."""
    if asked == "compiled" and choice.name == "eager":
        raise UsageError(
            f"{type(primitive).__name__} cannot run compiled: {choice.reason}",
            hint="use --backend auto",
        )
    return choice
