"""Steps of a fit on a CPU: parameters in rows, which threads share from gradients to next values.

For sums of splats under a squared error. Torch maps the parameters, and kernels do the rest: see
`adam_kernels`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artgen.compiler.ir import Component
from artgen.engines.gradient.schedule import AdamOptions
from artgen.families.splat.contract import Splat

FUNCTIONS = ("identity", "exp", "softplus", "sigmoid", "tanh", "reciprocal")
"""The functions of maps in the order in which the kernels know them."""

LANES = 8
"""Numbers that torch's Adam takes at once."""


class CpuStepper:
    """Takes the steps of a fit: see `device_steps.Stepper`.

    `scene_of` prepares mapped tensors for kernels that know the goal.
    """

    def __init__(
        self,
        splat: Splat,
        columns: Sequence[Component],
        scene_of: Callable[[Mapping[str, Tensor]], Any],
        options: AdamOptions,
    ) -> None:
        self.params, self.scene_of, self.options = splat.parameters(), scene_of, options
        self.columns = {component: number for number, component in enumerate(columns)}

    def load(self, raw: Tensor, moments: Tensor, bounds: Tensor) -> None:
        """Start from these parameters, moments and bounds."""
        self.raw, self.moments, self.best = raw, moments, raw
        self.tensors: dict[str, Tensor] = {}
        learned, numbers, row = [], [], 0
        for name, param in self.params.items():
            components = list(product(*map(range, param.shape)))
            rows = raw[row : row + len(components)]
            self.tensors[name] = rows.reshape(*param.shape, raw.shape[1])
            rest = rows.numel() // LANES * LANES
            for index in components:
                if (column := self.columns.get((name, index))) is not None:
                    function = FUNCTIONS.index(param.map.function)
                    learned.append((row, column, function, max(0, rest)))
                    numbers.append((param.map.scale, 0, *bounds[row].tolist(), 1))
                row, rest = row + 1, rest - raw.shape[1]
        self.learned, self.numbers = np.array(learned, np.int64), np.array(numbers, np.float32)

    @torch.no_grad()
    def take(self, rows: Tensor) -> None:
        """Take a step for each row."""
        options, arrays = self.options, [self.raw.numpy(), *self.moments.numpy()]
        means = 1 - options.beta1, options.beta2, 1 - options.beta2
        for first, second, _, *rates in rows.tolist():
            mapped = {name: self.params[name].map(each) for name, each in self.tensors.items()}
            learned = [rates[row] for row in self.learned[:, 0]]
            self.numbers[:, 1] = [-rate / first for rate in learned]
            # Plain Adam has no decay here.
            self.numbers[:, 4] = [1 - rate * options.weight_decay for rate in learned]
            given = *arrays, self.learned, self.numbers, *means, second, options.epsilon
            self.scene_of(mapped).descend(*given)

    def evaluate(self) -> None:
        """The objective knows."""

    def keep(self) -> None:
        """Keep the present parameters as the best."""
        self.best = self.raw.clone()

    def read(self) -> tuple[Tensor, Tensor, Tensor]:
        """The present parameters, the moments, and the best parameters."""
        return self.raw, self.moments, self.best

    def survey(self) -> tuple[tuple[Tensor, Tensor, Tensor], None]:
        """What `read` gives."""
        return self.read(), None
