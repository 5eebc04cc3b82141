"""Adam and its relatives, for tensors that are known by their names.

The steps are torch's own, which stand below its optimizer classes: those import torch's compiler,
only to keep it from compiling them, and that takes longer than many a fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw

Moments: TypeAlias = dict[str, Tensor]
"""What is known of a tensor: ``step``, how many there were, ``exp_avg`` and ``exp_avg_sq``."""


@dataclass
class Optimizer:
    """Adam and AdamW as torch has them, and AdamW as the encoding articles have it.

    `moments` are those of every tensor that has taken a step, by its name.
    """

    kind: Literal["adam", "adamw", "adamw-centred", "adamw-uncorrected"]
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float
    moments: dict[str, Moments] = field(default_factory=dict)

    def step(self, name: str, value: Tensor, rate: float | Tensor) -> None:
        """Change `value` by its gradient, if there is one; without gradients being recorded.

        A rate that is a tensor is on the device of the value.
        """
        if value.grad is None:
            return
        if name not in self.moments:
            self.moments[name] = self._none(value)
        if self.kind in ("adam", "adamw"):
            self._torch_step(value, value.grad, self.moments[name], rate)
        else:
            self._uncorrected_step(value, value.grad, self.moments[name], rate)

    def _none(self, value: Tensor) -> Moments:
        fused, wide = value.device.type in ("cpu", "cuda"), value.dtype
        if self.kind not in ("adam", "adamw") and value.device.type != "mps":
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
        (beta1, beta2), step = self.betas, moments["step"]
        mean, square = moments["exp_avg"], moments["exp_avg_sq"]
        given: Any = ([value], [gradient], [mean], [square], [], [step])
        options: Any = {"lr": rate, "beta1": beta1, "beta2": beta2, "eps": self.epsilon}
        options |= {"weight_decay": self.weight_decay, "amsgrad": False, "maximize": False}
        if value.device.type in ("cpu", "cuda"):
            # What the functions below do if fused; but they take longer to find that out.
            step += 1
            (torch._fused_adam_ if self.kind == "adam" else torch._fused_adamw_)(*given, **options)
        else:
            options["foreach"] = False
            (adam if self.kind == "adam" else adamw)(*given, **options)

    def _uncorrected_step(
        self, value: Tensor, gradient: Tensor, moments: Moments, rate: float | Tensor
    ) -> None:
        """As `artgen_plugins.autograd.uncorrected_step` explains it."""
        moments["step"] += 1
        mean, square = moments["exp_avg"], moments["exp_avg_sq"]
        mean *= self.betas[0]
        mean += (1 - self.betas[0]) * gradient
        square *= self.betas[1]
        square += (1 - self.betas[1]) * gradient * gradient
        variance = abs(square - mean * mean) if self.kind == "adamw-centred" else square
        value -= rate * mean / (variance**0.5 + self.epsilon)
        value -= self.weight_decay * rate * value
