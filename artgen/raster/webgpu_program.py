"""Runs a `step_program.Program` on a WebGPU device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.compiler.step_program import Expression, Program, evaluate
from artgen.raster.webgpu_device import Copy, Device, Dispatch, Pipeline

Pipelines = Mapping[str, Pipeline]


def compile_program(device: Device, program: Program) -> dict[str, Pipeline]:
    """The kernels of all modules. Raises OutputError where the device refuses one."""
    pipelines: dict[str, Pipeline] = {}
    for name, text in program.modules.items():
        kernels = {k: v.bindings for k, v in program.kernels.items() if v.module == name}
        pipelines |= device.compile(text, kernels)
    return pipelines


class LoadedProgram:
    """The buffers of a program for certain sizes, and its lists of operations.

    `sizes` are N, W, H and S; `scene` the fields of uniform buffers without an expression. Raises
    OutOfMemory.
    """

    def __init__(
        self,
        device: Device,
        program: Program,
        pipelines: Pipelines,
        sizes: Mapping[str, int],
        scene: Mapping[str, float],
    ) -> None:
        self.device, self.symbols = device, dict(sizes)
        for name, expression in program.symbols.items():
            self.symbols[name] = evaluate(expression, self.symbols)
        self.buffers: dict[str, Any] = {}
        for name, buffer in program.buffers.items():
            if buffer.usage == "uniform":
                fields = [
                    scene[field] if value is None else evaluate(value, self.symbols)
                    for field, value in buffer.fields
                ]
                dtype = np.float32 if buffer.type == "f32" else np.uint32
                self.buffers[name] = device.uniform(np.array(fields, dtype))
            else:
                size = 4 * evaluate(buffer.numbers, self.symbols)
                self.buffers[name] = device.allocate(size)
        dispatches: dict[Any, Dispatch] = {}
        self.lists: dict[str, list[Dispatch | Copy]] = {}
        for name, operations in program.lists.items():
            self.lists[name] = []
            for operation in operations:
                if "copy" in operation:
                    self.lists[name].append(Copy(*(self.buffers[b] for b in operation["copy"])))
                    continue
                groups = self._groups(*operation["groups"])
                key = operation["kernel"], groups
                if key not in dispatches:
                    pipeline = pipelines[operation["kernel"]]
                    dispatches[key] = device.work(pipeline, self.buffers, groups)
                self.lists[name].append(dispatches[key])

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write numbers to the start of a buffer."""
        self.device.write(self.buffers[name], array)

    def run(self, *lists: str, read: Mapping[str, tuple[int, ...]] | None = None) -> Any:
        """Run lists of operations in one submission; return float32 arrays of these shapes."""
        work = [operation for name in lists for operation in self.lists[name]]
        wanted = [(self.buffers[name], shape) for name, shape in (read or {}).items()]
        return self.device.run(work, wanted)

    def _groups(self, x: Expression, y: Expression) -> tuple[int, int]:
        return evaluate(x, self.symbols), evaluate(y, self.symbols)
