"""Compiled footprints: what the backends on a CPU, CUDA and WebGPU have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.compiler import kernel_cache
from artgen.compiler.ir import PIXEL
from artgen.compiler.printer import Source
from artgen.compiler.record import trace
from artgen.compiler.step_program import NoStep
from artgen.primitives import Splat
from artgen.raster.tiles import Extent, find_extent


class Launch(NamedTuple):
    """Kernels, the layout of their arrays, and what they are to draw."""

    source: Source
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


class StepProblem(NamedTuple):
    """What the steps of a fit minimise, and by which optimizer.

    `target` is [3, height, width] and `weight` [height, width] or None; `loss` is a sum of named
    losses, each times a weight.
    """

    canvas: Canvas
    target: Tensor
    weight: Tensor | None
    background: tuple[float, float, float]
    background_weight: float
    loss: tuple[tuple[float, str], ...]
    optimizer: str
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float


class Survey(NamedTuple):
    """What a round of densification asks for.

    `picture` is [3, height, width]; `worth` [N] the magnitude of the colour that each splat adds to
    it, times the weights of the pixels, up to a factor.
    """

    picture: Tensor
    worth: Tensor


class Stepper(Protocol):
    """Takes whole steps of a fit where the parameters are: on a device, many at a time.

    Raw parameters are rows, float32 [P, N]: all components of all parameters in their order.
    """

    def load(self, raw: Tensor, moments: Tensor, bounds: Tensor) -> None:
        """Start from these parameters, moments [2, P, N] of Adam, and bounds [P, 2]."""

    def take(self, rows: Tensor) -> None:
        """Take a step for each row [3 + P].

        A row is 1 - beta1^t, sqrt(1 - beta2^t), the softness of the blend over, and all rates.
        """

    def evaluate(self) -> tuple[float, float, bool]:
        """The loss, the mean squared error as shown, and whether all parameters are finite."""

    def keep(self) -> None:
        """Keep the present parameters as the best."""

    def read(self) -> tuple[Tensor, Tensor, Tensor]:
        """The present parameters, the moments, and the best parameters."""

    def survey(self) -> tuple[tuple[Tensor, Tensor, Tensor], Survey]:
        """What `read` gives, and the survey of the present parameters, read at once."""


class CompiledFootprint(ABC):
    """A traced footprint; kernels for a number of channels are compiled on first use.

    Raises Untraceable, or the error of the compiler.
    """

    takes_steps: ClassVar[bool] = False
    """Whether `stepper` may give one."""

    def __init__(self, splat: Splat) -> None:
        self._ir, self._far, self._name = trace(splat), splat.far, type(splat).__name__
        self._kernels: dict[tuple[int, bool], tuple[Source, Any]] = {}

    @property
    def is_lost(self) -> bool:
        """Whether the device has failed, and its kernels with it."""
        return False

    def kernels(self, channels: int, over: bool = False) -> tuple[Source, Any]:
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
        return self._draw(*self._launch(splat, tensors, features, canvas, over))

    def squared_error(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        features: Tensor,
        canvas: Canvas,
        goal: Goal,
    ) -> Tensor | None:
        """The error of a sum of splats, found with its gradient at once; None: there is no way."""
        if not self.kernels(features.shape[0])[0].keeps:
            return None
        return self._compare(*self._launch(splat, tensors, features, canvas), goal)

    def _launch(
        self,
        splat: Splat,
        tensors: Mapping[str, Tensor],
        features: Tensor,
        canvas: Canvas,
        over: bool = False,
    ) -> tuple[Mapping[str, Tensor], Tensor, Launch]:
        source, kernels = self.kernels(features.shape[0], over)
        extent = find_extent(splat, tensors, features.shape[1])
        if PIXEL in source.columns and "pixel" not in tensors:
            tensors = {**tensors, "pixel": features.new_full(features.shape[1:], canvas.pixel)}
        table = (self._place(features.device),) if len(self._ir.table) else ()
        return tensors, features, Launch(source, kernels, extent, canvas, over, table)

    def stepper(self, splat: Splat, problem: StepProblem, count: int) -> Stepper:
        """What takes steps of `count` splats on the device. Raises `step_program.NoStep`."""
        raise NoStep("it has none")

    @abstractmethod
    def _emit(self, channels: int, over: bool) -> Source:
        """Print the kernels for `channels` features."""

    def _place(self, device: torch.device) -> Any:
        """The table of constants where kernels read it, for features on `device`."""
        return self._ir.table

    def _load(self, text: str) -> Any:
        """Compile the kernels of a source."""
        return kernel_cache.load(text, of=self._name)

    @abstractmethod
    def _draw(self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch) -> Tensor: ...

    def _compare(
        self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch, goal: Goal
    ) -> Tensor:
        """What `squared_error` returns, from kernels that keep the weights for the gradient."""
        raise NotImplementedError
