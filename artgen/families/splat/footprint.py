"""Compiled footprints: what the backends on a CPU, CUDA and WebGPU have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from artgen.compiler import kernel_cache
from artgen.compiler.ir import PIXEL
from artgen.compiler.printer import KernelSource
from artgen.compiler.record import trace
from artgen.compiler.step_program import NoStep
from artgen.engines.gradient.device_steps import Stepper
from artgen.engines.gradient.schedule import AdamOptions
from artgen.families.splat.contract import Splat
from artgen.families.splat.tiles import Extent, find_extent
from artgen.raster.backend import Backend
from artgen.values.canvas import Canvas


class Launch(NamedTuple):
    """Kernels, the layout of their arrays, and what they draw."""

    source: KernelSource
    kernels: Any
    extent: Extent
    canvas: Canvas
    over: bool
    table: tuple[Any, ...]
    """The constants that the kernels look up, where they look any up."""


@dataclass(frozen=True, eq=False)
class Goal:
    """What a sum of splats on an even `base` is compared with.

    The error is half the sum of `share` [height, width] times the squared differences from
    `picture` [channels, height, width].
    """

    picture: Tensor
    share: Tensor
    base: tuple[float, ...]


class Scene(ABC):
    """Splats where the kernels take them, ready to be drawn.

    `features` are [C, N] and `parameters` [..., N], whose components in their order are the columns
    of the source.
    """

    def __init__(self, launch: Launch, features: Tensor, parameters: Sequence[Tensor]) -> None:
        self.source, self.kernels, self.extent, self.canvas, self.over, self.table = launch
        self.features, self.leaves = features, (*parameters, features)
        self.channels, self.count = features.shape
        self.sums = self.source.leaves + self.channels
        """Numbers that kernels sum over the pixels of a splat."""

    def rows(self, *more: Tensor) -> list[Tensor]:
        """Parameters and features, then `more`, each as rows [components, N]."""
        return [
            each.detach().reshape(each.shape[:-1].numel(), each.shape[-1])
            for each in (*self.leaves, *more)
        ]

    def by_splat(self) -> tuple[Tensor, Tensor, Tensor]:
        """Parameters [N, D], features [N, C] and centres [N, 2]."""
        *parameters, features = (rows.t() for rows in self.rows())
        columns, first = torch.cat(parameters, dim=1), self.source.columns.index(("xy", (0,)))
        return columns, features.contiguous(), columns[:, first : first + 2].contiguous()

    @abstractmethod
    def picture(self) -> Tensor:
        """Draw: [C, height, width]."""

    @abstractmethod
    def gradients(self, incoming: Tensor) -> Tensor:
        """The gradients by `rows`, for a contiguous one [C, height, width] by the picture."""

    def by_leaves(self, gradients: Tensor) -> tuple[Tensor, ...]:
        """Gradients by `rows` as those by the features and then by the parameters."""
        sizes = [leaf.shape[:-1].numel() for leaf in self.leaves]
        split = zip(torch.split_with_sizes(gradients, sizes), self.leaves, strict=True)
        *parameters, features = (part.reshape(leaf.shape).to(leaf) for part, leaf in split)
        return features, *parameters


class _Draw(torch.autograd.Function):
    """The kernels as one differentiable operation of the features and parameters of a scene."""

    @staticmethod
    def forward(
        ctx: Any, scene: type[Scene], launch: Launch, features: Tensor, *parameters: Tensor
    ) -> Tensor:
        made = ctx.scene = scene(launch, features, parameters)
        return made.picture()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        scene: Scene = ctx.scene
        gradients = scene.gradients(grad_outputs[0].float().contiguous())
        return None, None, *scene.by_leaves(gradients)


_draw: Callable[..., Tensor] = _Draw.apply


class StepProblem(NamedTuple):
    """What the steps of a fit minimise, and by which optimizer.

    `target` is [3, height, width] and `weight` [height, width] or None; `loss` is a sum of named
    losses, each times a weight. `scene` holds what a `step_program.Program` asks of its driver by
    name: background and its weight, Adam's numbers, weight decay.
    """

    canvas: Canvas
    target: Tensor
    weight: Tensor | None
    loss: tuple[tuple[float, str], ...]
    optimizer: str
    scene: Mapping[str, float]


class CompiledFootprint(ABC):
    """A traced footprint; kernels for a number of channels are compiled on first use.

    Raises Untraceable, or the error of the compiler.
    """

    scene: ClassVar[type[Scene]]

    takes_steps: ClassVar[bool] = False
    """Whether `stepper` may give one."""

    def __init__(self, splat: Splat) -> None:
        self._ir, self._far, self._name = trace(splat), splat.far, type(splat).__name__
        self._kernels: dict[tuple[int, bool], tuple[KernelSource, Any]] = {}

    @property
    def is_lost(self) -> bool:
        """Whether the device has failed, and its kernels with it."""
        return False

    def kernels(self, channels: int, over: bool = False) -> tuple[KernelSource, Any]:
        """Return the layout and the compiled functions for `channels` features."""
        key = channels, over
        if key not in self._kernels:
            source = self._emit(channels, over)
            self._kernels[key] = source, self._load(source.text)
        return self._kernels[key]

    def draw_features(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        features: Tensor,
        canvas: Canvas,
        *,
        over: bool = False,
    ) -> Tensor:
        """The same as `eager.draw_features`, in float32."""
        return _draw(self.scene, *self._launch(splat, tensors, features, canvas, over))

    def _launch(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        features: Tensor,
        canvas: Canvas,
        over: bool = False,
    ) -> tuple[Any, ...]:
        """What is to be drawn, the features, and the parameters that the columns name."""
        source, kernels = self.kernels(features.shape[0], over)
        extent = find_extent(splat, tensors)
        if PIXEL in source.columns and "pixel" not in tensors:
            tensors = {**tensors, "pixel": features.new_full(features.shape[1:], canvas.pixel)}
        table = (self._place(features.device),) if len(self._ir.table) else ()
        names = dict.fromkeys(name for name, _ in source.columns)
        launch = Launch(source, kernels, extent, canvas, over, table)
        return launch, features, *(tensors[name] for name in names)

    def stepper(self, splat: Splat, problem: StepProblem, count: int) -> Stepper:
        """What takes steps of `count` splats on the device. Raises `step_program.NoStep`."""
        raise NoStep("it has none")

    def stepper_here(
        self, splat: Splat, canvas: Canvas, goal: Goal, options: AdamOptions
    ) -> Stepper:
        """What takes steps of a sum towards `goal`, where kernels keep weights for the gradient."""
        raise NotImplementedError

    @abstractmethod
    def _emit(self, channels: int, over: bool) -> KernelSource:
        """Print the kernels for `channels` features."""

    def _place(self, device: torch.device) -> object:
        """The table of constants where kernels read it, for features on `device`."""
        return self._ir.table

    def _load(self, text: str) -> object:
        """Compile the kernels of a source."""
        return kernel_cache.load(text, of=self._name)


def footprint_of(backend: Backend) -> CompiledFootprint | None:
    """Return the kernels of a compiled backend of splats; None for an eager one."""
    found: CompiledFootprint | None = backend.footprint
    return found
