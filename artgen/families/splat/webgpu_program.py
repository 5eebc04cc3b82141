"""Runs a `step_program.Program` on a WebGPU device, and the steps of a fit with it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import OutOfMemory
from artgen.compiler.step_program import UNBOUNDED, NoStep, Operation, Program, evaluate
from artgen.engines.gradient.device_steps import Survey
from artgen.families.splat.footprint import StepProblem
from artgen.raster.webgpu_device import Copy, Device, Dispatch, Pipeline

TOGETHER = 50
"""The most steps of a submission: a driver gives up one that takes seconds."""


class CompiledProgram:
    """A program and its `pipelines`. Raises OutputError where the device refuses a module."""

    def __init__(self, device: Device, program: Program) -> None:
        self.device, self.program = device, program
        self.pipelines: dict[str, Pipeline] = {}
        for text in program.modules.values():
            self.pipelines |= device.compile(text)


class LoadedProgram:
    """The buffers of a program for certain sizes, and its lists of operations.

    `sizes` are N, W, H, S and R; `scene` has the fields of uniform buffers without an expression.
    Raises OutOfMemory.
    """

    def __init__(
        self, compiled: CompiledProgram, sizes: Mapping[str, int], scene: Mapping[str, float]
    ) -> None:
        device, program = compiled.device, compiled.program
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

        @functools.cache
        def dispatch(kernel: str, x: int, y: int) -> Dispatch:
            return device.work(compiled.pipelines[kernel], self.buffers, (x, y))

        def made(operation: Operation) -> Dispatch | Copy:
            if "copy" in operation:
                return Copy(*(self.buffers[name] for name in operation["copy"]))
            x, y = (evaluate(each, self.symbols) for each in operation["groups"])
            return dispatch(operation["kernel"], x, y)

        self.lists = {name: [*map(made, listed)] for name, listed in program.lists.items()}

    def write(self, name: str, array: NDArray[Any]) -> None:
        """Write numbers to the start of a buffer."""
        self.device.write(self.buffers[name], array)

    def run(self, *lists: str, read: Mapping[str, tuple[int, ...]] | None = None) -> Any:
        """Run lists of operations in one submission; return float32 arrays of these shapes."""
        work = [operation for name in lists for operation in self.lists[name]]
        wanted = [(self.buffers[name], shape) for name, shape in (read or {}).items()]
        return self.device.run(work, wanted)


class WebGpuStepper:
    """Takes the steps of a fit: see `footprint.Stepper`. Raises NoStep for large pictures."""

    def __init__(self, compiled: CompiledProgram, problem: StepProblem, count: int) -> None:
        program, (canvas, target, weight) = compiled.program, problem[:3]
        self.rows, self.count = len(program.parameters), count
        self._sizes = {"N": count, "W": canvas.width, "H": canvas.height, "S": TOGETHER, "R": 0}
        if weight is None:
            weight = torch.ones(canvas.height, canvas.width)
        total = weight.sum(dtype=torch.float64).clamp_min(torch.finfo(torch.float32).tiny)
        self._constants = {
            "goal": target.float().numpy(),
            "weights": (weight / (3 * total)).float().numpy(),
            "table": np.array(program.table, np.float32),
        }
        self._open = functools.partial(LoadedProgram, compiled, self._sizes, problem.scene)
        self._sorts = program.blend == "over"
        self._unsettled: list[Tensor] = []
        try:
            self._start()
        except OutOfMemory as error:
            raise NoStep("a buffer of it would be too large") from error

    def _start(self) -> None:
        self._loaded = self._open()
        for name, values in self._constants.items():
            self._loaded.write(name, values)
        self._loaded.run("start")

    def load(self, raw: Tensor, moments: Tensor, bounds: Tensor) -> None:
        """Start from these parameters, moments and bounds."""
        self._constants["bounds"] = bounds.clamp(-UNBOUNDED, UNBOUNDED).float().numpy()
        self._loaded.write("bounds", self._constants["bounds"])
        self._loaded.write("raw", raw.numpy())
        self._loaded.write("moments", moments.numpy())

    def take(self, rows: Tensor) -> None:
        """Take a step for each row."""
        for part in torch.split(rows.float(), TOGETHER):
            self._loaded.write("schedule", part.numpy())
            self._loaded.write("clock", np.zeros(1, np.uint32))
            self._loaded.run(*["step"] * len(part))
            if self._sorts:
                self._unsettled.append(part)

    def evaluate(self) -> tuple[float, float, bool]:
        """Loss, mean squared error, and whether all parameters are finite."""
        while True:
            (report,) = self._loaded.run("evaluate", read={"report": (4,)})
            loss, squared, broken, pairs = map(float, report)
            if not pairs:
                self._unsettled.clear()
                return loss, squared, broken == 0
            self._make_room(int(pairs))

    def keep(self) -> None:
        """Keep the present parameters as the best."""
        self._loaded.run("keep")

    def read(self) -> tuple[Tensor, Tensor, Tensor]:
        """The present parameters, the moments, and the best parameters."""
        raw, moments, best = self._settled()
        return raw, moments, best

    def survey(self) -> tuple[tuple[Tensor, Tensor, Tensor], Survey]:
        """What `read` gives, and the survey of the present parameters, read at once."""
        goal = self._constants["goal"].shape
        raw, moments, best, *found = self._settled("survey", picture=goal, worth=(self.count,))
        return (raw, moments, best), Survey(*found)

    def _settled(self, *lists: str, **more: tuple[int, ...]) -> list[Tensor]:
        """Run lists and read their results after the parameters, with all steps taken."""
        state = {"state": (4,)} if self._sorts and (lists or self._unsettled) else {}
        while True:
            found = self._loaded.run(*lists, read={**state, **self._parameters(), **more})
            if state:
                pairs = found.pop(0)[2]
                if pairs:
                    self._make_room(int(pairs))
                    continue
            self._unsettled.clear()
            return [torch.from_numpy(array) for array in found]

    def _parameters(self) -> dict[str, tuple[int, ...]]:
        shape = self.rows, self.count
        return {"raw": shape, "moments": (2, *shape), "best": shape}

    def _make_room(self, pairs: int) -> None:
        """Make room for these pairs of a splat and a tile, and take the steps that had none."""
        names = self._parameters()
        clock, *found = self._loaded.run(read={"clock": (2,), **names})
        self._sizes["R"] = pairs + pairs // 4
        self._start()
        for name, values in zip(names, found, strict=True):
            self._loaded.write(name, values)
        missed = int(clock.view(np.uint32)[1])
        if missed:
            rows = torch.cat(self._unsettled)[-missed:]
            self._unsettled.clear()
            self.take(rows)
