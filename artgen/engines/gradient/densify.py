"""Densification: when a fit adds parts, which ones it moves, and where they start.

Parts are put where the blurred squared error is high, as in Image-GS (SIGGRAPH 2025) and
GaussianImage++ (AAAI 2026). The steps and counts depend on the recipe alone. The places depend on
the picture and on a generator seeded per round, so that a resumed fit adds the same parts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import torch
from torch import Tensor

from artgen.engines.base import State
from artgen.engines.evaluation import Paint, check_finite, picture_and_colour, picture_psnr
from artgen.engines.gradient.device_steps import Survey
from artgen.init import Context, Generator, make_generator, pixel_chances
from artgen.values.canvas import Canvas

if TYPE_CHECKING:
    from artgen.engines.gradient.objective import Objective

FINEST = 5
"""The most rounds that one is divided into: ten took a quarter longer and gained 0.05 dB."""


@dataclass(frozen=True)
class DensificationSchedule:
    """From `first` to `last` parts, by a share `add` of them in a share `every` of the steps.

    Rounds are `every` apart and end at `until`, in shares of `total_steps`, or before the last
    step; the last one adds all missing parts. Where they would be more than `interval` steps apart,
    there are `finer` rounds for each, which together add and move as many; 0 keeps one. A schedule
    with another `last` has the same rounds up to that count.
    """

    first: int
    last: int
    add: float
    every: float
    until: float
    total_steps: int
    interval: int = 0

    @property
    def finer(self) -> int:
        """The number of rounds in a share `every` of the steps."""
        steps = self.every * self.total_steps
        return min(FINEST, math.ceil(steps / self.interval)) if self.interval else 1

    @property
    def rounds(self) -> dict[int, int]:
        """The count that each round ends with, by step."""
        # Without the small term, 0.6 / 0.05 would be eleven rounds.
        number = max(1, int(self.until / self.every + 1e-9)) * self.finer
        counts, count = {}, self.first
        for i in range(1, number + 1):
            count = self.last if i == number else count + max(1, int(self.add / self.finer * count))
            count = min(count, max(self.first, self.last))
            step = round(i * self.every * self.total_steps / self.finer)
            counts[min(step, self.total_steps - 1)] = count
        return counts


class Densification:
    """The strategy of one fit: adds parts in rounds, and moves those that contribute least.

    The picture of the `objective` that owns this, [3, height, width], is compared with its target.
    For `interval` see `DensificationSchedule`.
    """

    def __init__(self, objective: Objective, interval: int = 0) -> None:
        problem, options = objective.problem, objective.options
        self.problem, self.options, self.primitive = problem, options, problem.primitive
        # A cycle of references would keep the pixels of a fit until garbage is collected.
        self._paint = WeakMethod(objective.picture)
        self.target, self.weight = objective.target, objective.weight
        self.first = self.primitive.count_of(problem.drawing)
        self.limit = max(self.first, problem.count or self.first)
        self.round_psnr = 0.0
        self.planned: dict[int, int] = {}
        self.finer = 1
        if self.moving or self.first < self.limit:
            schedule = DensificationSchedule(
                self.first,
                self.limit,
                options.add,
                options.every,
                options.until,
                problem.total_steps,
                interval,
            )
            self.planned, self.finer = schedule.rounds, schedule.finer
        self._revised, self._rounds = 0, self.planned

    @property
    def moving(self) -> float:
        """The share of the parts that a round moves, before it is divided."""
        return float(self.options.move)

    @property
    def paint(self) -> Paint:
        """From mapped tensors to the picture."""
        paint = self._paint()
        assert paint is not None
        return paint

    @property
    def rounds(self) -> dict[int, int]:
        """The count that each round ends with, by step."""
        problem = self.problem
        if len(problem.revisions) != self._revised:
            self._revised = len(problem.revisions)
            self._rounds = {problem.step_at(step): n for step, n in self.planned.items()}
        return self._rounds

    def is_due(self, step: int, count: int) -> bool:
        """Whether `step` begins a round, or some of the `count` parts are missing.

        Parts are missing after a recovery, as the best drawing can be from before a round.
        """
        return step in self.rounds or count < self._due(step)

    @torch.no_grad()
    def densify(
        self, tensors: Mapping[str, Tensor], step: int, survey: Survey | None = None
    ) -> tuple[Tensor, dict[str, Tensor]] | None:
        """Indices of the parts to keep, and mapped tensors of new ones; None: keep all as it is.

        A `survey` of these parts saves drawing them. Raises Diverged where the picture is not
        finite.
        """
        image, worth = survey or self.survey(tensors)
        check_finite({**tensors, "the picture": image}, step)
        present = tensors["xy"].shape[-1]
        if step in self.rounds and self.options.converge:
            self._check_convergence(image, present, step)
        count = self._due(step)
        kept = self.kept_parts(tensors, step, image, worth)
        if len(kept) >= count:
            return None
        return kept, self.new_parts(count - len(kept), tensors, kept, image, step)

    def survey(self, tensors: Mapping[str, Tensor]) -> Survey:
        """The picture of the parts, and their `summed_colour`."""
        return Survey(*picture_and_colour(self.paint, tensors, self.weight))

    def kept_parts(
        self, tensors: Mapping[str, Tensor], step: int, image: Tensor, worth: Tensor | None
    ) -> Tensor:
        """Indices of the parts that stay where they are in the round at `step`.

        `image` and `worth` are their `survey`.
        """
        worth = self.rank(tensors, image, worth)
        together = int(self.moving * len(worth))
        part = sum(each < step for each in self.rounds) % self.finer
        moved = (part + 1) * together // self.finer - part * together // self.finer
        return worth.argsort(stable=True)[moved:].sort().values

    def new_parts(
        self, count: int, tensors: Mapping[str, Tensor], kept: Tensor, image: Tensor, step: int
    ) -> dict[str, Tensor]:
        """Mapped tensors of up to `count` parts beside those `kept`, where `image` is wrong."""
        others, options = tensors["xy"][:, kept], self.options
        return self.parts_among(others, count, image, step, options.exponent, options.blur)

    def parts_among(
        self, others: Tensor, count: int, image: Tensor, step: int, exponent: float, blur: float
    ) -> dict[str, Tensor]:
        """Mapped values of `count` parts among those at `others` [2, N], where `image` is wrong.

        Places are drawn by the error to the power of `exponent`, after a Gaussian blur whose
        standard deviation is `blur` times the mean spacing of all parts, see `error_density`. Parts
        are initialised as all parts are, with sizes from the distance to their neighbours, but
        their target is what the picture lacks. Another `step` has other random numbers.
        """
        problem, target, background = self.problem, self.target, self.problem.drawing.background
        canvas, rng = problem.drawing.canvas, make_generator(problem.seed + step, problem.random)
        spacing = math.sqrt(canvas.area / (count + others.shape[1])) / canvas.pixel
        density = error_density(image, target, self.weight, blur * spacing, exponent)
        xy = pick_places(density.cpu(), count, canvas, rng)
        lacking = self.lacking(image).cpu()
        context = Context(rng, canvas, count, lacking, background=background, values={"xy": xy})
        together = torch.cat([xy, others.cpu()], dim=1)
        # New parts are the first ones among all.
        everyone = Context(rng, canvas, together.shape[1], values={"xy": together})
        context.mean_spacing, context.spacing = everyone.mean_spacing, everyone.first_spacing(count)
        return self.primitive.initial(context)

    def lacking(self, image: Tensor) -> Tensor:
        """What new parts are to show, [3, height, width]: by default what `image` lacks."""
        background = self.target.new_tensor(self.problem.drawing.background)
        return self.target - image + background[:, None, None]

    def rank(self, tensors: Mapping[str, Tensor], image: Tensor, worth: Tensor | None) -> Tensor:
        """Order parts by what they are worth, [N]: by default by `worth`, their summed colour."""
        assert worth is not None
        return worth

    def relocate(
        self, tensors: Mapping[str, Tensor], most: int
    ) -> tuple[Tensor, dict[str, Tensor]] | None:
        """Indices of up to `most` parts that save little error, and others for their places.

        By default None: no part.
        """
        return None

    def converged(self, step: int) -> dict[str, Any]:
        """The count found by `step` and options that repeat the fit; empty if none was sought."""
        if not self.options.converge:
            return {}
        count = self._due(step - 1)
        return {"count": count, "start": self.first / count, "converge": 0.0}

    def state_dict(self) -> State:
        """The limit and the PSNR of the last round."""
        return {"limit": self.limit, "round_psnr": self.round_psnr}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.limit, self.round_psnr = int(state["limit"]), float(state["round_psnr"])

    def _due(self, step: int) -> int:
        """The number of parts at `step`."""
        counts = (count for each, count in self.rounds.items() if each <= step)
        return min(self.limit, max(counts, default=self.first))

    def _check_convergence(self, image: Tensor, count: int, step: int) -> None:
        """End densification where the parts of the last round gained too little."""
        before = [count for each, count in self.rounds.items() if each < step]
        psnr = picture_psnr(image, self.target, self.weight)
        # Parts were added in the last round, and they had a round's time to find their places.
        growth = math.log2(count / [self.first, *before][-2]) if before else 0.0
        if growth > 0 and psnr - self.round_psnr < self.options.converge * growth:
            self.limit = min(self.limit, count)
        self.round_psnr = psnr


def error_density(
    image: Tensor, target: Tensor, weight: Tensor | None, blur: float, exponent: float = 1.0
) -> Tensor:
    """A probability per pixel [height, width]: the squared error under a Gaussian of `blur` pixels.

    It is raised to the power of `exponent`. Uniform where there is no error.
    """
    error = (image - target).square().sum(0)
    if weight is not None:
        error = error * weight
    radius = math.ceil(2.5 * blur)
    offset = torch.arange(-radius, radius + 1, dtype=error.dtype, device=error.device)
    window = torch.exp(-0.5 * (offset / blur) ** 2)
    window = window / window.sum()
    convolve = torch.nn.functional.conv2d
    rows = convolve(error[None, None], window[None, None, :, None], padding=(radius, 0))
    both = convolve(rows, window[None, None, None, :], padding=(0, radius))[0, 0]
    # The small term makes the density of a perfect picture uniform.
    density = both + 1e-12
    if exponent != 1:
        density = (density / density.max()) ** exponent
    return pixel_chances(density)


def pick_places(density: Tensor, count: int, canvas: Canvas, rng: Generator) -> Tensor:
    """Positions [2, count] anywhere inside pixels drawn from `density`, each pixel at most once.

    A pixel is drawn again only where there are not enough of them.
    """
    enough = int((density > 0).sum()) >= count
    return Context(rng, canvas, count).in_pixels(density, count, replacement=not enough)
