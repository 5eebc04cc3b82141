"""The objective of latents: squared error, and λ times the bits that the context model leaves.

Steps round softly, with noise, and ever more sharply (Agustsson and Theis 2020; Kim and others
2024): between whole numbers there is always a gradient, and in the end rounding changes little.
λ begins where the step of the finest grid suits it, and then follows the number of bits, so that
the file has the size that was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from artgen import family
from artgen.engines import AdamOptions, Problem, State, picture_psnr
from artgen.errors import UsageError
from artgen_plugins.latents import Latents, kernels
from artgen_plugins.latents.coding import MOST_STEP, weight_bits
from artgen_plugins.latents.layout import (
    CONTEXT,
    SIDE,
    TOP,
    Array,
    Arrays,
    bits_of,
    group,
    model_of,
    padded,
    padded_grids,
    rounded,
)
from artgen_plugins.latents.paint import PICTURE, coloured, features

TIMES, GAIN, FIRST = 100, 12.0, 0.25
"""How often λ follows the bits, how far it may over a whole fit, and the share of the fit after
which it begins to: before, latents have yet to become few."""

SETTLED, LEFT, FASTER = 0.8, 0.55, 3.0
"""The share of the fit after which weights have coarser steps and latents alone change, about what
is then left of the weights' bits, and how much faster λ follows from then on."""

SHARP, SHARPEST = 3.3, 14.0
"""How sharp soft rounding is, at first and in the end."""

PIECES = None, slice(1), slice(1, 2), slice(2, None)
"""What threads share: the error, and the bits of the finest grid, the next one, and the others."""

EVERY, MANY = 4, 1 << 14
"""Of grids of many latents, one row in so many is enough for the gradients in weights."""

SHARE = 0.12
"""λ for bits and a squared step of 1."""


class RateDistortion(family.Objective):
    """Error and bits of a picture."""

    alone: ClassVar[bool] = True
    """Torch's own operations are small: all that is large is in kernels."""

    @dataclass(frozen=True)
    class Options(AdamOptions):
        """Options of `gradient` for latents."""

    def __init__(self, problem: Problem, options: Any) -> None:
        """Refuse losses of other kinds than the squared error."""
        super().__init__(problem, options)
        if problem.loss.text != "mse":
            raise UsageError(
                f"latents are fitted by the squared error, not by {problem.loss.text!r}",
                hint="leave out --loss",
            )
        latents = problem.primitive
        assert isinstance(latents, Latents)
        self.levels = latents.levels
        self.goal = np.ascontiguousarray(self.target.numpy(), np.float32)
        self.wanted = latents.options.rate * self.goal[0].size
        weight = torch.ones(self.goal.shape[1:]) if self.weight is None else self.weight
        self.weights = np.ascontiguousarray(weight.numpy(), np.float32)
        psnr = latents.options.psnr
        self.allowed = None if psnr is None else 10 ** (-psnr / 10)
        step = float(problem.drawing.tensors["mix0"][0, 0])
        self.change, self.progress, self.settled, self.turn = 0.0, 0.0, False, 0
        self.log_lambda = math.log(SHARE * step**2 + 1e-12)

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Let the steps of latents follow λ: the same picture in larger steps, or smaller ones.

        In the end weights are rounded, and these steps are kept.
        """
        factor, self.change = math.exp(self.change / 2), 0.0
        if self.progress >= SETTLED and not self.settled:
            for name, array in self.coarser(rounded(raw)).items():
                raw[name].data = torch.from_numpy(array)
            self.settled = True
        if factor != 1 and not self.settled:
            for name, tensor in raw.items():
                if name.startswith("mix"):
                    tensor.data *= factor
                elif name.startswith("grid"):
                    tensor.data /= factor

    def backward(self, raw: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Set the gradients, and let λ follow the bits."""
        progress, pace = self.problem.progress(step), max(5, self.problem.total_steps // TIMES)
        self.progress, self.turn = progress, step % EVERY
        if step % pace == 0 and progress >= FIRST:
            numbers = rounded(tensors)
            if self.allowed is None:
                networks, latents = self.bits(numbers)
                networks *= 1 if self.settled else LEFT
                # A picture may be too small for the weights alone.
                share = latents / max(self.wanted - networks, self.wanted / 4)
            else:
                share = self.allowed / max(self.error(numbers)[0], 1e-9)
            gain = GAIN * (FASTER if self.settled else 1.0) * pace / self.problem.total_steps
            change = min(gain, 1.0) * math.log(max(share, 1e-3))
            self.change = max(-0.6, min(0.6, change))
            self.log_lambda += self.change
        sharpness, amount = SHARPEST**progress * SHARP ** (1 - progress), 1 - 0.5 * progress
        grids, slopes = [], []
        seeds = torch.randint(2**31, (len(self.levels),), generator=self.generator).tolist()
        for level, shape in enumerate(self.levels):
            grid = padded(np.zeros(shape, np.float32))
            slope = np.empty(shape, np.float32)
            values = tensors[f"grid{level}"].detach().contiguous().numpy()
            how = np.float32(sharpness), np.float32(amount)
            kernels.soften(values, seeds[level], *how, grid, slope)
            grids.append(grid)
            slopes.append(slope)
        weights = rounded({k: tensor for k, tensor in tensors.items() if k[:4] != "grid"})

        def gradients(piece: slice | None) -> tuple[list[Array], dict[str, Array]]:
            found = {name: np.zeros_like(array) for name, array in weights.items()}
            if piece is None:
                return self.distortion(weights, grids, found), found
            return self.information(weights, grids, found, piece)[1], found

        (errors, found), *rates = family.share(gradients, PIECES)
        price = np.float32(math.exp(self.log_lambda) / math.log(2))
        for name, gradient in found.items():
            raw[name].grad = None
            if not self.settled:
                nats = sum(others[name] for _, others in rates)
                raw[name].grad = torch.from_numpy(gradient + price * nats)
        for level, (error, slope) in enumerate(zip(errors, slopes, strict=True)):
            gradient = error + price * sum(by_grid[level] for by_grid, _ in rates)
            gradient = gradient[:, TOP:, SIDE:-SIDE] * slope
            raw[f"grid{level}"].grad = torch.from_numpy(gradient)

    def evaluate(self, tensors: Mapping[str, Tensor]) -> tuple[float, float | None]:
        """The squared error, the more the larger the file is than asked for, and the PSNR.

        Where a PSNR is asked for, it is the bits, the more the larger the error is.
        """
        numbers = rounded(tensors)
        (loss, psnr), bits = self.error(numbers), sum(self.bits(numbers))
        if self.allowed is not None:
            return bits / self.goal.size * max(1.0, loss / self.allowed) ** 6, psnr
        return loss * max(1.0, bits / self.wanted) ** 3, psnr

    def error(self, numbers: Arrays) -> tuple[float, float]:
        """The squared error of rounded tensors, and their PSNR."""
        grids = padded_grids(numbers, self.levels)
        image = torch.from_numpy(coloured(numbers, features(numbers, grids, self.levels)))
        loss = float(self.problem.loss(image, self.target, self.weight))
        return loss, picture_psnr(image, self.target, self.weight)

    def bits(self, numbers: Arrays) -> tuple[float, float]:
        """The bits of the weights in a file, and about those of the latents."""
        grids = padded_grids(numbers, self.levels)
        weights = {name: array for name, array in numbers.items() if name[:4] != "grid"}
        unused = {name: np.zeros_like(array) for name, array in weights.items()}
        nats, _ = self.information(weights, grids, unused)
        return weight_bits(weights), nats / math.log(2)

    def coarser(self, numbers: Arrays) -> Arrays:
        """Weights of rounded tensors in steps as coarse as error and bits bear, one by one."""
        grids = padded_grids(numbers, self.levels)
        weights = {name: array for name, array in numbers.items() if name[:4] != "grid"}

        def loss(name: str, array: Array) -> float:
            """What a tensor costs beside its own bits, in bits."""
            changed = {**weights, name: array}
            if name in CONTEXT:
                unused = {key: np.zeros_like(each) for key, each in changed.items()}
                return self.information(changed, grids, unused)[0] / math.log(2)
            image = coloured(changed, features(changed, grids, self.levels))
            error = float((self.weights * np.square(image - self.goal)).sum())
            # Twice: latents, whose rates are small by now, hardly make up for it.
            return 2 * error / math.exp(self.log_lambda)

        for name, array in weights.items():
            least = loss(name, array) + weight_bits({name: array})
            for more in range(1, MOST_STEP + 1):
                step = np.float32(2.0 ** (more - bits_of(name)))
                stepped = np.rint(array / step) * step
                if (lost := loss(name, stepped)) > least:
                    break
                if (here := lost + weight_bits({name: stepped})) < least:
                    least, weights[name] = here, stepped
        return weights

    def distortion(self, weights: Arrays, grids: list[Array], found: Arrays) -> list[Array]:
        """The gradients of the squared error in padded grids; adds those in weights to `found`."""
        made = features(weights, grids, self.levels)
        incoming = np.empty_like(made[0])
        weighed, changed = ([one[name] for name in PICTURE] for one in (weights, found))
        kernels.picture_gradients(
            *(made[0], tuple(weighed), self.goal, self.weights, incoming, tuple(changed)),
            *self.rows(made[0]),
        )
        gradients = []
        for level, grid in enumerate(grids):
            mix, taps, gradient = f"mix{level}", f"taps{level}", np.zeros_like(grid)
            kernels.mix_gradients(grid, weights[mix], incoming, gradient, found[mix])
            gradients.append(gradient)
            if level + 1 < len(grids):
                above = np.zeros_like(made[level + 1])
                kernels.upsample_gradients(
                    *(made[level + 1], weights[taps], incoming, above, found[taps]),
                    *self.rows(incoming),
                )
                incoming = above
        return gradients

    def rows(self, grid: Array) -> tuple[int, int]:
        """Of how many rows one tells the gradients in weights, and the first of them."""
        return (EVERY, self.turn) if grid[0].size >= MANY else (1, 0)

    def information(
        self, weights: Arrays, grids: list[Array], found: Arrays, some: slice = slice(None)
    ) -> tuple[float, list[Array]]:
        """The nats of padded grids, and the gradients in them; adds those in weights to `found`.

        Those are of `some` levels, in these and the one above.
        """
        roots = [np.zeros_like(grid) for grid in grids]
        by_root, by_grid = ([np.zeros_like(grid) for grid in grids] for _ in range(2))
        total, (first, end, _) = 0.0, some.indices(len(grids))
        for grid, root in [*zip(grids, roots, strict=True)][first : end + 1]:
            for channel in range(len(grid)):
                kernels.roots(grid[channel], root[channel])
        for level, grid in [*enumerate(grids)][first:end]:
            above = min(level + 1, len(grids) - 1)
            for channel in range(len(grid)):
                # The finest grid has fewer channels than the one above, never more.
                over, last = (channel if above > level else 0), max(0, channel - 1)
                others, dothers = (
                    (each[above][over], each[level][0], each[level][last])
                    for each in (roots, by_root)
                )
                row = group(level, channel)
                model, changed = model_of(weights, row), model_of(found, row)
                nats, spread = kernels.rate(
                    *(grid[channel], roots[level][channel], others),
                    *(np.array([above > level, channel > 0, channel > 1]), model),
                    *(by_grid[level][channel], by_root[level][channel], dothers),
                    *((*changed[:3], *changed[4:]), *self.rows(grid)),
                )
                found["spread"][row] += spread
                total += nats
        for level, grid in [*enumerate(grids)][first : end + 1]:
            for channel in range(len(grid)):
                kernels.add_root_gradients(
                    grid[channel], by_root[level][channel], by_grid[level][channel]
                )
        return total, by_grid

    def state_dict(self) -> State:
        """The state of the base class, λ, and whether weights are rounded."""
        own = {"log_lambda": self.log_lambda, "settled": self.settled}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.log_lambda = float(state["log_lambda"])
        # Fits that an earlier artgen began have no such stage behind them.
        self.settled = bool(state.get("settled", False))


@family.objective_of.register(Latents)
def objective_of_latents(latents: Latents) -> type[family.Objective]:
    """What a step of the engine `gradient` minimises."""
    return RateDistortion
