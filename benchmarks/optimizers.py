"""What other ways to take a step gain for Gaussians over Adam, after equally many steps.

Fits of the same steps and seed with one thread. *Adam* are the defaults; the other rows say by how
much the PSNR differs from it, in dB. *Gauss-Newton* divides the running mean of the gradient by
each Gaussian's own block of 8 × 8, damped: 1 + 10 times its diagonal. *Adam along the axes* moves
each Gaussian along its own axes, in its own sizes. *Averaged* evaluates and keeps a running mean of
the parameters (decay 0.9). *Loss as shown* compares the picture clamped to 0..1, as the PSNR does.
CPU milliseconds are those of whole fits, evaluations included.

Left out, since they gained nothing: Levenberg-Marquardt after such a fit, other schedules than the
cosine, colours that are solved for after each round, weight decay of colours, and moving parts by
their saliency (Hassibi and Stork 1993).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from artgen.engines.base import Problem, Report
from artgen.engines.evaluation import Paint
from artgen.engines.gradient.descent import Descent
from artgen.engines.gradient.engine import GradientEngine
from artgen.families.splat.densify import SplatDensification
from artgen.losses import mse
from benchmarks._measure import fit_alone
from benchmarks._report import Table, figure
from benchmarks._settings import Settings
from benchmarks.fits import SAMPLES

DAMPING, NEWTON_RATE, LONGEST = 10.0, 10.0, 0.3
"""What is added to a block, in diagonals; the share of a step; the most a Gaussian may change."""

AXES_RATE = 0.15
"""Of positions, in standard deviations of the Gaussian."""

DECAY = 0.9


class AlongAxes(Descent):
    """Steps in coordinates of each Gaussian: positions along its axes, in standard deviations."""

    @torch.no_grad()
    def take_step(self, rates: Mapping[str, float]) -> None:
        gradients = {name: raw.grad for name, raw in self.raw.items() if raw.grad is not None}
        raw = self.raw
        turn = torch.stack([raw["angle"].cos(), raw["angle"].sin()])
        axes = torch.stack([turn, torch.stack([-turn[1], turn[0]])]) * raw["scale"].exp()[:, None]
        # Fused steps need every tensor to be laid out alike.
        gradients["xy"] = torch.einsum("kcn,cn->kn", axes, gradients["xy"]).contiguous()
        factor = rates["colour"] / self.rates["colour"]
        change = self._change(gradients, factor)
        change["xy"] = torch.einsum("kcn,kn->cn", axes, change["xy"])
        for name, value in raw.items():
            value.sub_(change[name]).clamp_(*self.bounds[name])

    def _change(self, gradients: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
        """What to subtract for these gradients, in the same coordinates."""
        copies = {name: torch.zeros_like(value) for name, value in gradients.items()}
        for name, value in copies.items():
            value.grad = gradients[name]
            rate = AXES_RATE if name == "xy" else self.rates[name]
            self.optimizer.step(name, value, rate * factor)
        return {name: -value for name, value in copies.items()}


class ByBlocks(AlongAxes):
    """Momentum, and the Gauss-Newton block of each Gaussian as if no pixel of it were missing."""

    def _change(self, gradients: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
        super()._change(gradients, 0.0)
        mean = {
            name: moments["exp_avg"] / (1 - self.options.beta1 ** float(moments["step"]))
            for name, moments in self.optimizer.moments.items()
        }
        colour, (long, wide) = self.raw["colour"], self.raw["scale"].exp()
        canvas = self.objective.canvas
        # The mean over pixels and channels of 2 w².
        mass = 2 * math.pi * long * wide / (3 * canvas.width * canvas.height * canvas.pixel**2)
        # Moments of w² over an ellipse: <u²> = 1/2, <u⁴> = 3/4, <u²v²> = 1/4, the odd ones 0.
        power = colour.square().sum(0) + 1e-3
        turned = (long / wide - wide / long).square() / 4 + 0.05
        block = torch.zeros(len(mass), 8, 8)
        block[:, [0, 1], [0, 1]] = power[:, None] / 2
        block[:, 2:5, 2:5] = torch.eye(3)
        block[:, 5:7, 5:7] = power[:, None, None] * torch.tensor([[0.75, 0.25], [0.25, 0.75]])
        block[:, 2:5, 5:7] = colour.T[:, :, None] / 2
        block[:, 5:7, 2:5] = colour.T[:, None] / 2
        block[:, 7, 7] = power * turned
        block += DAMPING * torch.diag_embed(block.diagonal(dim1=1, dim2=2))
        names = {"xy": 2, "colour": 3, "scale": 2, "angle": 1}
        stacked = torch.cat([mean[name].reshape(rows, -1) for name, rows in names.items()])
        step = NEWTON_RATE * factor * torch.linalg.solve(block, (stacked / mass).T).T
        step *= (LONGEST * max(factor, 0.1) / step.abs().amax(0)).clamp_max(1)
        parts = step.split(list(names.values()))
        return {
            name: part.reshape(gradients[name].shape)
            for name, part in zip(names, parts, strict=True)
        }


class WithMean(Descent):
    """Adam; keeps a running mean of the parameters beside them."""

    mean: dict[str, Tensor]

    @torch.no_grad()
    def take_step(self, rates: Mapping[str, float]) -> None:
        super().take_step(rates)
        for name, raw in self.raw.items():
            self.mean[name].lerp_(raw, 1 - DECAY)

    def adopt(self, *given: Any) -> None:
        super().adopt(*given)
        self.mean = self.copy()


class OwnAxes(GradientEngine):
    """Adam along the axes of each Gaussian."""

    families = ("splat",)
    descends_by = AlongAxes


class GaussNewton(GradientEngine):
    """Gauss-Newton steps for each Gaussian."""

    families = ("splat",)
    descends_by = ByBlocks


class Averaged(GradientEngine):
    """Reports and keeps a running mean of the parameters."""

    families = ("splat",)
    descends_by = WithMean

    def report(self) -> Report:
        """Loss and PSNR of the mean."""
        descent = self.descent
        assert isinstance(descent, WithMean)
        now, descent.raw = descent.raw, descent.mean
        report = super().report()
        descent.raw = now
        return report


class ShownDensification(SplatDensification):
    """Looks at the picture from 0 to 1."""

    @property
    def paint(self) -> Paint:
        paint = super().paint
        return lambda tensors: paint(tensors).clamp(0, 1)


class AsShown(GradientEngine):
    """Places of new parts, too, depend on the clamped picture."""

    families = ("splat",)

    def start(self, problem: Problem) -> None:
        super().start(problem)
        interval = self.objective.options.interval
        self.objective.densification = ShownDensification(self.objective, interval)


def as_shown(image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The mean squared error of the clamped picture; its gradient is not lost where it clamps."""
    return mse(image + (image.clamp(0, 1) - image).detach(), target, weight)


WAYS: dict[str, dict[str, Any]] = {
    "Adam": {},
    "Gauss-Newton": {"engine": GaussNewton},
    "Adam along the axes": {"engine": OwnAxes},
    "averaged": {"engine": Averaged},
    "loss as shown": {"loss": as_shown, "engine": AsShown},
    "beta1 0.8": {"engine_options": {"beta1": 0.8}},
    "beta1 0.95": {"engine_options": {"beta1": 0.95}},
    "beta2 0.95": {"engine_options": {"beta2": 0.95}},
    "beta2 0.995": {"engine_options": {"beta2": 0.995}},
    "rate 1.5": {"engine_options": {"rate": 1.5}},
    "blend normalized": {"blend": "normalized"},
}


def run(settings: Settings) -> Iterator[Table]:
    steps, size, count, pictures, names = 500, 256, 1_000, list(SAMPLES), list(WAYS)
    if settings.quick:
        steps, size, count, pictures, names = 10, 32, 30, pictures[:1], names[:5]
    rows: list[list[str]] = []
    adam: list[float] = []
    for name in names:
        way = WAYS[name]
        # Compiling does not count.
        _fit(pictures[0], 2, size, count, way)
        fits = [_fit(picture, steps, size, count, way) for picture in pictures]
        psnr = [quality for quality, _ in fits]
        cells = [f"{value:.2f}" for value in (*psnr, fmean(psnr))]
        if adam:
            gains = [new - old for new, old in zip(psnr, adam, strict=True)]
            cells = [f"{gain:+.2f}" for gain in (*gains, fmean(gains))]
        adam = adam or psnr
        rows.append([name, *cells, figure(1e3 * fmean(cost for _, cost in fits) / steps)])
    columns = ["", *(picture.removeprefix("sample:") for picture in pictures)]
    yield Table(
        f"{count:,} gaussian, {size} px, {steps} steps",
        [*columns, "mean, dB", "CPU ms per step"],
        rows,
        "One seed.",
    )


def _fit(
    picture: str, steps: int, size: int, count: int, way: dict[str, Any]
) -> tuple[float, float]:
    """PSNR in dB and CPU seconds."""
    settings: dict[str, Any] = {"count": count, "steps": steps, "size": size, "seed": 0, **way}
    return fit_alone(picture, "gaussian", **settings)
