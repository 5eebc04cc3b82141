"""Steps on CUDA, recorded as a graph and replayed: hundreds of launches become one.

A step of a fit launches some hundreds of kernels. Asking for them one by one takes Python several
times as long as the GPU takes to run them. So the first steps are taken as ever, the next one is
recorded, and all others are replays of it. What changes from step to step, the rates, is read from
a table on the device. A replay runs the same kernels, so it gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM = 2
"""Steps before one is recorded: they compile kernels and make what lives longer than a step."""

ROWS = 1024
"""Steps whose rates are on the device at once."""


class StepGraph:
    """Steps that differ in their rates alone; `body` takes one, given the rates [P] on the device.

    Whatever it reads and changes stays where it is as long as this graph is used, and random
    numbers come from `generator`. A body that waits for the device cannot be recorded; its steps
    are then taken one by one.
    """

    def __init__(
        self, body: Callable[[Tensor], None], rates: int, generator: torch.Generator
    ) -> None:
        self.body, self.generator = body, generator
        self.table = torch.zeros(ROWS, rates, device=generator.device)
        self.row = torch.zeros(1, dtype=torch.int64, device=generator.device)
        self.taken, self.replay = 0, self._step

    def take(self, rates: Sequence[Sequence[float]]) -> None:
        """Take a step for each row of rates, and wait for the last one."""
        for first in range(0, len(rates), ROWS):
            rows = torch.tensor(rates[first : first + ROWS], dtype=torch.float32)
            self.table[: len(rows)].copy_(rows)
            self.row.zero_()
            for _ in rows:
                if self.taken == WARM:
                    self.replay = recorded(self._step, self.generator) or self._step
                self.taken += 1
                self.replay()
        if self.table.is_cuda:
            torch.cuda.synchronize(self.table.device)

    def _step(self) -> None:
        self.body(self.table.index_select(0, self.row)[0])
        self.row += 1


def recorded(step: Callable[[], None], generator: torch.Generator) -> Callable[[], None] | None:
    """Record a step, without taking it, and return what replays it; None where that fails."""
    graph, state = torch.cuda.CUDAGraph(), generator.get_state()
    graph.register_generator_state(generator)
    torch.cuda.synchronize(generator.device)
    try:
        stream = torch.cuda.Stream(generator.device)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(stream):
            # Other threads, of videos for one, may use the device meanwhile.
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                step()
            finally:
                graph.capture_end()
    except RuntimeError:
        generator.set_state(state)
        return None
    return graph.replay
