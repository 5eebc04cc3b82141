"""AdamW as the textbook has it, and as the encoding articles have it.

Both keep decaying averages of the gradient and of its square, m ← β₁m + (1−β₁)g and
v ← β₂v + (1−β₂)g², and divide one by the root of the other; weights also decay by themselves.

- `adamw` (Loshchilov and Hutter 2019): p ← p·(1 − rate·decay), then a step by m over the root of v,
  each divided by 1 − βᵗ, which corrects the averages' start at zero.
- `adamw-centred`, in the articles: no correction, and the *variance* |v − m²| in place of v. It
  takes the absolute value because β₁ ≠ β₂ can make it negative. Decay follows the step.
- `adamw-uncorrected`, in the author's later code: the same with v itself.

Where gradients agree from step to step, the variance is small and the centred step is large: it
asks how sure a direction is, not how steep.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from artgen_plugins.autograd.nodes import LearnableParameter

Variant = Literal["adamw", "adamw-centred", "adamw-uncorrected"]


class AdamW:
    """Changes the values of `parameters` in place, by the gradients that `backward` left there.

    `mean` and `square` hold the averages m and v, a flat array per parameter. They are float64:
    where v and m² nearly agree, float32 leaves few digits of their difference, by which we divide.
    """

    def __init__(
        self,
        parameters: Sequence[LearnableParameter],
        *,
        variant: Variant = "adamw",
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        self.parameters, self.variant = parameters, variant
        self.betas, self.epsilon, self.weight_decay = betas, epsilon, weight_decay
        self.mean = [np.zeros(each.values.data.size) for each in parameters]
        self.square = [np.zeros(each.values.data.size) for each in parameters]
        self.steps = 0

    def step(self, rates: Sequence[float]) -> None:
        """One step, with a learning rate per parameter."""
        self.steps += 1
        for parameter, rate, mean, square in zip(
            self.parameters, rates, self.mean, self.square, strict=True
        ):
            value, gradient = parameter.values.data, parameter.gradient.data
            if self.variant != "adamw":
                uncorrected_step(
                    value,
                    gradient,
                    mean,
                    square,
                    rate=rate,
                    betas=self.betas,
                    epsilon=self.epsilon,
                    weight_decay=self.weight_decay,
                    centred=self.variant == "adamw-centred",
                )
                continue
            _average(gradient, mean, square, self.betas)
            first, second = (1 - beta**self.steps for beta in self.betas)
            value *= 1 - rate * self.weight_decay
            value -= rate / first * mean / (square**0.5 / math.sqrt(second) + self.epsilon)


def uncorrected_step(
    value: Any,
    gradient: Any,
    mean: Any,
    square: Any,
    *,
    rate: float,
    betas: tuple[float, float],
    epsilon: float,
    weight_decay: float,
    centred: bool,
) -> None:
    """A step of the articles' AdamW, in place: `value`, `mean` and `square` change.

    The four are arrays of numpy or tensors of torch, the averages better float64; `centred` takes
    the variance for v.
    """
    _average(gradient, mean, square, betas)
    variance = abs(square - mean * mean) if centred else square
    value -= rate * mean / (variance**0.5 + epsilon)
    value -= weight_decay * rate * value


def _average(gradient: Any, mean: Any, square: Any, betas: tuple[float, float]) -> None:
    """Let the averages of the gradient and of its square decay towards those of now."""
    mean *= betas[0]
    mean += (1 - betas[0]) * gradient
    square *= betas[1]
    square += (1 - betas[1]) * gradient * gradient
