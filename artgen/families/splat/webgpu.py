"""The compiled backend on WebGPU: generated WGSL kernels over tiles of 16 × 16 pixels.

Tensors are on the CPU. A drawing uploads the splats and reads the picture back; its gradients
upload those by the picture and read those by the splats back. Pictures larger than a buffer are
computed in strips. Every sum is taken in a fixed order, so the same device gives the same bits.
Whole steps of a fit stay on the device: see `webgpu_program`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.base.errors import DeviceLost, OutputError
from artgen.compiler.printer import KernelSource
from artgen.compiler.step_printer import emit_step
from artgen.compiler.step_program import NoStep
from artgen.compiler.wgsl_printer import (
    CELLS,
    LANES,
    PROGRAMS,
    SHARE,
    SIDE,
    emit_wgsl,
    emit_wgsl_over,
)
from artgen.engines.gradient.device_steps import Stepper
from artgen.families.splat.contract import Splat
from artgen.families.splat.footprint import CompiledFootprint, Launch, Scene, StepProblem
from artgen.families.splat.tiles import find_boxes
from artgen.families.splat.webgpu_program import CompiledProgram, WebGpuStepper
from artgen.raster.sampling import cut_strips
from artgen.raster.webgpu_device import Device, Dispatch, Pipeline, groups_of, open_device


class _Scene(Scene):
    """Splats on a device, drawn in strips."""

    def __init__(self, launch: Launch, features: Tensor, parameters: Sequence[Tensor]) -> None:
        super().__init__(launch, features, parameters)
        self.device: Device
        self.device, self.pipelines = self.kernels
        canvas = self.canvas
        # The number of visible splats at each pixel is a plane of its own.
        self.planes = self.channels + self.over
        own, factors, centres = self.by_splat()
        self.boxes = find_boxes(centres, self.extent, canvas).numpy()
        given = torch.cat([centres, self.extent.frame.t(), factors, own], dim=1).float().numpy()
        self.buffers = {
            # Kernels may bind eight buffers, so constants follow the splats in one.
            "given": self.device.upload(np.concatenate([given.ravel(), *self.table])),
            "boxes": self.device.upload(self.boxes),
            "centres": self.device.upload(np.concatenate(canvas.pixel_centres())),
            "prepared": self.device.allocate(4 * self.count * self.source.prepared),
        }
        # As many tiles high as fit into a buffer.
        tiles = max(1, self.device.largest // (4 * self.planes * canvas.width * SIDE))
        self.strips = cut_strips(canvas.height, tiles * SIDE)
        self.cell = SIDE * -(-max(canvas.width, canvas.height) // (SIDE * CELLS))
        cells = max((self._groups(strip, self.cell) for strip in self.strips), key=math.prod)
        self.buffers["lists"] = self.device.allocate(4 * (self.count + 1) * (1 + math.prod(cells)))
        self.images = [
            self.device.allocate(4 * self.planes * canvas.width * (bottom - top))
            for top, bottom in self.strips
        ]

    def picture(self) -> Tensor:
        """Draw: [C, height, width]."""
        work = [self._work("prepare", (0, 0), groups_of(-(-self.count // LANES)))]
        for strip, image in zip(self.strips, self.images, strict=True):
            work.append(self._work("bin", strip, self._groups(strip, self.cell)))
            work.append(self._work("forward", strip, self._groups(strip, SIDE), image=image))
        shapes = [(self.channels, bottom - top, self.canvas.width) for top, bottom in self.strips]
        pieces = self.device.run(work, list(zip(self.images, shapes, strict=True)))
        return torch.from_numpy(np.concatenate(pieces, axis=1)).to(self.features)

    def gradients(self, incoming: Tensor) -> Tensor:
        """The gradients by `rows`."""
        wide, high = (self.boxes[:, k + 1] - self.boxes[:, k] for k in (0, 2))
        parts = 1
        if self.over:
            left, top = self.boxes[:, 0] // SIDE, self.boxes[:, 2] // SIDE
            right, bottom = -(-self.boxes[:, 1] // SIDE), -(-self.boxes[:, 3] // SIDE)
            slots = np.where((wide > 0) & (high > 0), (right - left) * (bottom - top), 0)
        else:
            largest = int((wide.astype(np.int64) * high).max(initial=0))
            parts = max(1, min(-(-largest // SHARE), PROGRAMS // max(1, self.count)))
            slots = np.full(self.count, parts * len(self.strips))
        offset = np.concatenate([[0], np.cumsum(slots, dtype=np.int64)])
        columns = len(self.source.columns) + self.channels
        gradients = self.device.allocate(4 * self.count * columns)
        self.device.write(self.buffers["lists"], offset.astype(np.uint32))
        shared = {
            "sums": self.device.allocate(4 * int(offset[-1]) * self.sums),
            "gradients": gradients,
        }
        work = []
        for number, (strip, image) in enumerate(zip(self.strips, self.images, strict=True)):
            rows = np.ascontiguousarray(incoming.numpy()[:, slice(*strip)])
            groups = groups_of(self.count * parts)
            if self.over:
                groups = self._groups(strip, SIDE)
                work.append(self._work("bin", strip, self._groups(strip, self.cell)))
            more = {**shared, "image": image, "incoming": self.device.upload(rows)}
            first = number * parts
            work.append(self._work("backward", strip, groups, parts=parts, part=first, **more))
        work.append(self._work("finish", (0, 0), groups_of(-(-self.count // LANES)), **shared))
        (result,) = self.device.run(work, [(gradients, (self.count, columns))])
        return torch.from_numpy(result).t()

    def _work(
        self,
        kernel: str,
        strip: tuple[int, int],
        groups: tuple[int, int],
        parts: int = 1,
        part: int = 0,
        **buffers: object,
    ) -> Dispatch:
        sizes = [self.canvas.width, *strip, self.count, parts, part, self.cell]
        bound = {"size": self.device.uniform(np.array(sizes, np.uint32)), **self.buffers, **buffers}
        return self.device.work(self.pipelines[kernel], bound, groups)

    def _groups(self, strip: tuple[int, int], side: int) -> tuple[int, int]:
        """Squares of `side` pixels along x and y."""
        top, bottom = strip
        return -(-self.canvas.width // side), -(-(bottom - top) // side)


class Footprint(CompiledFootprint):
    """A footprint whose kernels run on a WebGPU adapter."""

    scene = _Scene
    takes_steps = True

    def __init__(self, splat: Splat, device: str) -> None:
        self._device = open_device(device)
        self._programs: dict[Any, CompiledProgram] = {}
        super().__init__(splat)

    @property
    def is_lost(self) -> bool:
        """Whether the adapter has failed."""
        return self._device.is_lost

    def stepper(self, splat: Splat, problem: StepProblem, count: int) -> Stepper:
        """What takes steps of `count` splats on the adapter. Raises NoStep, DeviceLost."""
        # Presets of one splat may map its parameters in other ways.
        maps = tuple((name, param.map) for name, param in splat.parameters().items())
        key = problem.loss, problem.optimizer, maps
        if key not in self._programs:
            program = emit_step(splat, problem.loss, problem.optimizer)
            try:
                self._programs[key] = CompiledProgram(self._device, program)
            except DeviceLost:
                raise
            except OutputError as error:
                raise NoStep(error.message) from error
        return WebGpuStepper(self._programs[key], problem, count)

    def _emit(self, channels: int, over: bool) -> KernelSource:
        return emit_wgsl_over(self._ir) if over else emit_wgsl(self._ir, self._far, channels)

    def _load(self, text: str) -> tuple[Device, Mapping[str, Pipeline]]:
        return self._device, self._device.compile(text)
