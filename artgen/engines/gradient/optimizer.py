"""Adam and its relatives, for tensors that are known by their names.

The steps are torch's own, which stand below its optimizer classes: those import torch's compiler,
only to keep it from compiling them, and that takes longer than many a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from artgen.engines.gradient.schedule import AdamOptions

Moments: TypeAlias = dict[str, Tensor]
"""What is known of a tensor: ``step``, how many there were, ``exp_avg`` and ``exp_avg_sq``."""


@dataclass
class Optimizer:
    """Adam and AdamW as torch has them, and AdamW as the encoding articles have it.

    `moments` are those of every tensor that has taken a step, by its name.
    """

    options: AdamOptions
    moments: dict[str, Moments]

    def step(self, name: str, value: Tensor, rate: float | Tensor) -> None:
        """Change `value` by its gradient, if there is one; without gradients being recorded.

        A rate that is a tensor is on the device of the value.
        """
        if value.grad is None:
            return
        if name not in self.moments:
            self.moments[name] = self._none(value)
        if self.options.optimizer in ("adam", "adamw"):
            self._torch_step(value, value.grad, self.moments[name], rate)
        else:
            self._uncorrected_step(value, value.grad, self.moments[name], rate)

    def _none(self, value: Tensor) -> Moments:
        fused, wide = value.device.type in ("cpu", "cuda"), value.dtype
        if self.options.optimizer not in ("adam", "adamw") and value.device.type != "mps":
            # For the sake of the variance, as in `scratch.adamw`. MPS has no float64.
            wide = torch.float64
        return {
            "step": torch.zeros((), device=value.device if fused else "cpu"),
            "exp_avg": torch.zeros_like(value, dtype=wide),
            "exp_avg_sq": torch.zeros_like(value, dtype=wide),
        }

    def _torch_step(
        self, value: Tensor, gradient: Tensor, moments: Moments, rate: float | Tensor
    ) -> None:
        options, step = self.options, moments["step"]
        mean, square = moments["exp_avg"], moments["exp_avg_sq"]
        given: Any = ([value], [gradient], [mean], [square], [], [step])
        how: Any = {"lr": rate, "beta1": options.beta1, "beta2": options.beta2}
        how |= {"eps": options.epsilon, "weight_decay": options.weight_decay}
        how |= {"amsgrad": False, "maximize": False}
        plain = options.optimizer == "adam"
        if value.device.type in ("cpu", "cuda"):
            # What the functions below do if fused; but they take longer to find that out.
            step += 1
            (torch._fused_adam_ if plain else torch._fused_adamw_)(*given, **how)
        else:
            how["foreach"] = False
            (adam if plain else adamw)(*given, **how)

    def _uncorrected_step(
        self, value: Tensor, gradient: Tensor, moments: Moments, rate: float | Tensor
    ) -> None:
        """As `artgen_plugins.autograd.uncorrected_step` explains it."""
        moments["step"] += 1
        options, mean, square = self.options, moments["exp_avg"], moments["exp_avg_sq"]
        mean *= options.beta1
        mean += (1 - options.beta1) * gradient
        square *= options.beta2
        square += (1 - options.beta2) * gradient * gradient
        centred = options.optimizer == "adamw-centred"
        variance = abs(square - mean * mean) if centred else square
        value -= rate * mean / (variance**0.5 + options.epsilon)
        value -= options.weight_decay * rate * value
