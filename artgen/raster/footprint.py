"""Compiled footprints: what the backends on a CPU, CUDA and WebGPU have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from artgen.canvas import Canvas
from artgen.compiler import kernel_cache
from artgen.compiler.ir import PIXEL
from artgen.compiler.printer import Source
from artgen.compiler.record import trace
from artgen.primitives import Splat
from artgen.raster.tiles import Extent, find_extent


class Launch(NamedTuple):
    """Kernels, the layout of their arrays, and what they are to draw."""

    source: Source
    kernels: Any
    extent: Extent
    canvas: Canvas
    over: bool


class CompiledFootprint(ABC):
    """A traced footprint; kernels for a number of channels are compiled on first use.

    Raises Untraceable, or the error of the compiler.
    """

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
        source, kernels = self.kernels(features.shape[0], over)
        extent = find_extent(splat, tensors, features.shape[1])
        if PIXEL in source.columns and "pixel" not in tensors:
            tensors = {**tensors, "pixel": features.new_full(features.shape[1:], canvas.pixel)}
        return self._draw(tensors, features, Launch(source, kernels, extent, canvas, over))

    @abstractmethod
    def _emit(self, channels: int, over: bool) -> Source:
        """Print the kernels for `channels` features."""

    def _load(self, text: str) -> Any:
        """Compile the kernels of a source."""
        return kernel_cache.load(text, of=self._name)

    @abstractmethod
    def _draw(self, tensors: Mapping[str, Tensor], features: Tensor, launch: Launch) -> Tensor: ...
