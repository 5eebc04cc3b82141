"""The parameters of a fit while kernels take its steps: uploaded once, read when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from artgen.engines.gradient.optimizer import Moments
from artgen.engines.gradient.schedule import AdamOptions
from artgen.losses.metrics import decibels


class Survey(NamedTuple):
    """What a round of densification asks for.

    `picture` is [3, height, width]; `worth` [N] the magnitude of the colour that each part adds to
    it, times the weights of the pixels, up to a factor, if it is asked for.
    """

    picture: Tensor
    worth: Tensor | None = None


class Stepper(Protocol):
    """Takes whole steps of a fit where the parameters are, often on a device, many at a time.

    Raw parameters are rows, float32 [P, N]: all components of all parameters in their order.
    """

    def load(self, raw: Tensor, moments: Tensor, bounds: Tensor) -> None:
        """Start from these parameters, moments [2, P, N] of Adam, and bounds [P, 2]."""

    def take(self, rows: Tensor) -> None:
        """Take a step for each row [3 + P].

        A row is 1 - beta1^t, sqrt(1 - beta2^t), the softness of the blend over, and all rates.
        """

    def evaluate(self) -> tuple[float, float, bool] | None:
        """The loss, the mean squared error as shown, and whether all parameters are finite.

        None where only what was read can tell.
        """

    def keep(self) -> None:
        """Keep the present parameters as the best."""

    def read(self) -> tuple[Tensor, Tensor, Tensor]:
        """The present parameters, the moments, and the best parameters."""

    def survey(self) -> tuple[tuple[Tensor, Tensor, Tensor], Survey | None]:
        """What `read` gives, and the survey of the present parameters, if it has one."""


class Found(NamedTuple):
    """Raw values, their moments if there were steps, and the best values if some were kept."""

    raw: dict[str, Tensor]
    moments: dict[str, Moments]
    best: dict[str, Tensor] | None


class DeviceSteps:
    """Steps by a `stepper`, for tensors that are known by their names.

    `corrected` is whether the optimizer corrects the bias of its means, `ahead` whether the device
    has values that were not read since they changed.
    """

    def __init__(self, stepper: Stepper, options: AdamOptions) -> None:
        self.stepper, self.betas = stepper, (options.beta1, options.beta2)
        # As Adam does.
        self.corrected = options.optimizer != "adamw-uncorrected"
        self.ahead = False

    def load(
        self,
        raw: Mapping[str, Tensor],
        moments: Mapping[str, Moments],
        bounds: Mapping[str, tuple[float, float]],
    ) -> None:
        """Start from these raw values; `moments` are those of tensors that took steps."""
        self.raw, self.steps = dict(raw), 0
        none = torch.zeros((), dtype=torch.float32)
        for known in moments.values():
            self.steps = int(known["step"])
        means = [
            self._rows({n: moments.get(n, {}).get(key, none.expand_as(r)) for n, r in raw.items()})
            for key in ("exp_avg", "exp_avg_sq")
        ]
        limits = torch.tensor([bounds[name] for name in self._names], dtype=torch.float64)
        self.stepper.load(self._rows(raw), torch.stack(means), limits)
        self.ahead = self.kept = False

    def take(self, rates: Sequence[Mapping[str, float]], softness: Sequence[float]) -> None:
        """Take steps with these rates, and this softness of the blend over."""
        rows, names = [], self._names
        for each, soft in zip(rates, softness, strict=True):
            self.steps += 1
            first, second = (1 - self.corrected * beta**self.steps for beta in self.betas)
            rows.append([first, second**0.5, soft, *(each[name] for name in names)])
        self.stepper.take(torch.tensor(rows, dtype=torch.float64))
        self.ahead = True

    def evaluate(self) -> tuple[float, float, bool] | None:
        """The loss, the PSNR in dB, and whether all parameters are finite, if it can tell."""
        if (found := self.stepper.evaluate()) is None:
            return None
        loss, squared, finite = found
        return loss, decibels(squared), finite

    def keep(self) -> None:
        """Keep the present values as the best."""
        self.stepper.keep()
        self.ahead = self.kept = True

    def read(self) -> Found:
        """The raw values, their moments if there were steps, and the best if some were kept."""
        return self._found(*self.stepper.read())

    def survey(self) -> tuple[Found, Survey | None]:
        """The parameters that `read` gives, and the survey for a round of densification."""
        rows, survey = self.stepper.survey()
        return self._found(*rows), survey

    def _found(self, raw: Tensor, moments: Tensor, best: Tensor) -> Found:
        self.ahead = False
        means, squares = map(self._tensors, moments)
        step = torch.tensor(float(self.steps))
        found = {
            name: {"step": step.clone(), "exp_avg": means[name], "exp_avg_sq": squares[name]}
            for name in (self.raw if self.steps else ())
        }
        return Found(self._tensors(raw), found, self._tensors(best) if self.kept else None)

    @property
    def _names(self) -> list[str]:
        """The name of each row."""
        return [name for name, raw in self.raw.items() for _ in range(raw.shape[:-1].numel())]

    def _rows(self, tensors: Mapping[str, Tensor]) -> Tensor:
        flat = [t.detach().reshape(t.shape[:-1].numel(), t.shape[-1]) for t in tensors.values()]
        return torch.cat(flat).float().contiguous()

    def _tensors(self, rows: Tensor) -> dict[str, Tensor]:
        """The opposite of `_rows`."""
        sizes = [raw.shape[:-1].numel() for raw in self.raw.values()]
        parts = torch.split(rows, sizes)
        return {
            name: part.reshape(raw.shape).clone()
            for (name, raw), part in zip(self.raw.items(), parts, strict=True)
        }
