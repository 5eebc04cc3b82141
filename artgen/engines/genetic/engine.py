"""A genetic algorithm: populations of whole pictures that mutate, recombine and are selected.

An individual is a stack of shapes, or the sites of a partition. Each step is a generation: the
elite stays, and the others give way to children of those that win tournaments. A child takes the
parts of one parent in a region, or in a range of the stack, and those of the other elsewhere, and
mutates. Islands breed by themselves, each with generators of its own, and seldom send their best
one to the next: they belong to the recipe, so the number of threads changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from artgen.base.errors import UsageError, check_memory
from artgen.base.seeds import derived_seed
from artgen.compiler.threads import share, share_torch
from artgen.engines.base import Engine, Problem, Report, ReportPace, State, part, prefixed
from artgen.engines.conversion import own_parts
from artgen.engines.evaluation import LEAST_ALPHA, in_palette, random_sizes
from artgen.engines.genetic.options import GeneticOptions
from artgen.engines.genetic.populations import Population, Refine, population_of
from artgen.engines.genetic.rates import Rates
from artgen.losses.metrics import decibels
from artgen.primitives import Primitive
from artgen.raster import paint
from artgen.raster.painting import Ground
from artgen.values.drawing import Drawing

SQUARED = ("mse", "rmse")
"""The losses that are the lower, the lower the squared error is."""

LEAST = 0.02
"""The shortest moves, in mean spacings."""

BLOCKS = 6
"""At least this many blocks of pixels, compared as one, fit into the mean spacing of the parts."""

SHARPER = (0.5, 0.9)
"""The shares of the generations after which blocks become half as large."""


class GeneticEngine(Engine):
    """Populations on islands; selection, crossover by region, mutation."""

    supports = ("palette", "replanning")

    Options = GeneticOptions

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """None: individuals are made up."""
        return 0

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """The number of generations of the family."""
        return population_of(primitive).generations

    def start(self, problem: Problem) -> None:
        """Make up the first generation, or copies of the first drawing.

        Raises UsageError for an elite of everyone, and for what cannot climb.
        """
        self.options: GeneticOptions = self.parse(problem)
        options = self.options
        if options.elite >= options.population:
            raise UsageError(
                f"an elite of {options.elite} leaves no room in a population of "
                f"{options.population}",
                hint="use a smaller --set engine.elite",
            )
        self.squared = problem.loss.text in SQUARED
        tensors = in_palette(problem.drawing.tensors, problem.palette)
        drawing = replace(problem.drawing, tensors=tensors)
        # Its ground changes its sign from pixel to pixel, so it cannot be blurred.
        even = None if options.blur else problem.even
        self.ground: Ground = drawing.background if even is None else even[1]
        goal = problem.target if even is None else even[0]
        problem = self.problem = replace(problem, drawing=drawing, target=goal, even=even)
        count = problem.primitive.count_of(own_parts(problem.primitive, drawing))
        self.count = max(problem.count or 0, count, 1)
        weight = problem.weight
        self.weight = torch.ones(goal.shape[1:]) if weight is None else weight.float()
        target = goal.numpy()
        if options.blur:
            from scipy.ndimage import gaussian_filter

            target = gaussian_filter(target, (0, options.blur, options.blur), mode="nearest")
        self.target = torch.from_numpy(np.ascontiguousarray(target, np.float32))
        self.refine = self._refiner() if options.memetic else None
        self.step = self.climbed = 0
        self.best_loss, self.best = math.inf, problem.drawing
        self.history: list[tuple[int, dict[str, float]]] = []
        self.notices: tuple[str, ...] = ()
        if not self.squared:
            self.notices = (
                f"engine genetic draws every individual in full for {problem.loss.text}: "
                "that is slower than mse",
            )
        pixels = self.weight.numel()
        genes = sum(map(math.prod, problem.primitive.tensor_shapes(self.count).values()))
        # Parts and errors of every individual and its offspring, and the target of every island.
        island = options.population * (24 * genes + 2 * pixels) + 24 * pixels
        check_memory(
            options.islands * island,
            f"{options.islands:,} islands of {options.population:,} individuals",
            "use a smaller --size or --count, or --set engine.population=12 --set engine.islands=1",
        )
        judged = replace(problem, target=self.target, weight=self.weight)
        kind, rates = population_of(problem.primitive), self._rates()
        self.islands = [
            kind(problem.primitive, judged, rates, options.population)
            for _ in range(options.islands)
        ]
        self.block = self._block()
        share(lambda numbered: self._initialise(*numbered, count), list(enumerate(self.islands)))
        self._evaluate_in_full(0)

    def advance(self, steps: int) -> None:
        """Breed this many generations."""
        for _ in range(steps):
            self._sharpen()
            if len(self.islands) > 1 and (self.step + 1) % self.options.migrate == 0:
                self._migrate()
            self._breed()
            self.step += 1
            self._climb()
            self._remember()

    @torch.no_grad()
    def report(self) -> Report:
        """Loss and PSNR of the best individual, drawn in full as it will be exported."""
        problem, drawing = self.problem, self.drawing(best=False)
        image = paint(problem.primitive, drawing.tensors, drawing.canvas, background=self.ground)
        loss = float(problem.loss(image, problem.target, problem.weight))
        weight = self.weight / self.weight.sum().clamp_min(1e-12)
        error = float((weight * (image - problem.target).square().mean(0)).sum())
        improved = loss < self.best_loss
        if improved:
            self.best_loss, self.best = loss, drawing
        return Report(self.step, loss, decibels(error), improved)

    def drawing(self, best: bool) -> Drawing:
        """The best individual now, or the best one reported so far."""
        if best:
            return self.best
        island = self._champion()
        return replace(self.problem.drawing, tensors=island.tensors(island.best))

    def measured(self) -> list[tuple[int, dict[str, float]]]:
        """Of each generation the best and the mean error, and how much individuals differ."""
        measured, self.history = self.history, []
        return measured

    def recover(self, rate: float) -> None:
        """Let the best one take the place of the worst on every island; there is no rate."""
        for island in self.islands:
            worst = int(island.scores.argmax())
            island.put(worst, self.best.tensors)
            island.evaluate(worst, worst + 1)
        self._evaluate_in_full(0)

    def report_pace(self) -> ReportPace:
        """Often, as every generation is expensive."""
        return ReportPace(steps=50)

    def state_dict(self) -> State:
        """All individuals, and the best drawing so far."""
        state: State = {"step": self.step, "climbed": self.climbed, "best_loss": self.best_loss}
        state |= prefixed("best.", self.best.tensors)
        for number, island in enumerate(self.islands):
            state |= prefixed(f"{number}.", island.state_dict())
        return state

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.step, self.climbed = int(state["step"]), int(state["climbed"])
        self.best_loss = float(state["best_loss"])
        best = {name: state[f"best.{name}"] for name in self.problem.drawing.tensors}
        self.best = replace(self.problem.drawing, tensors=best)
        # The next step may be the first with smaller blocks, but these scores are not.
        self.block = self._block(max(0, self.step - 1))
        for number, island in enumerate(self.islands):
            island.set_block(self.block)
            island.load_state_dict(part(state, f"{number}."))

    def _rates(self) -> Rates:
        options, canvas = self.options, self.problem.drawing.canvas
        spacing, pixel = math.sqrt(canvas.area / self.count), canvas.pixel
        primitive = self.problem.primitive
        population = population_of(primitive)
        low, high = population.alphas(primitive, options.alpha, LEAST_ALPHA)
        small, large = population.sizes(primitive, *random_sizes(spacing, pixel))
        fitted = options.colours == "best"
        given = {name: getattr(options, name) for name in Rates._fields if hasattr(options, name)}
        rates = given | {
            "small": small,
            "large": large,
            "step": options.step * spacing,
            "least": min(LEAST, options.step) * spacing,
            "low": low,
            "high": high,
            "most": self.count,
            "fitted": fitted,
            "clear": self.problem.drawing.background == (primitive.clear,) * 3,
            # Closed forms are for the squared error.
            "shaken": not (fitted and self.squared),
        }
        return Rates(**{name: float(value) for name, value in rates.items()})

    def _refiner(self) -> Refine:
        """What refines the parts of one individual. Raises UsageError where nothing does."""
        problem = self.problem
        # Another seed, as it counts steps in the same way.
        seed = derived_seed(problem.seed, "climb", 1)
        options = {"alpha": self.options.alpha}
        problem = replace(problem, target=self.target, options=options, seed=seed)
        refine = population_of(problem.primitive).refiner(problem)
        if refine is None:
            raise UsageError(
                f"engine.memetic refines shapes only, not {problem.drawing.primitive}",
                hint="leave out engine.memetic",
            )
        return refine

    def _initialise(self, number: int, island: Population, given: int) -> None:
        """Fill an island."""
        island.set_block(self.block)
        if given:
            for index in range(len(island)):
                island.put(index, self.problem.drawing.tensors)
            island.evaluate()
        else:
            begin = round(self.options.begin * self.count)
            island.initialise(self._generator(0, number), begin)

    def _generator(self, generation: int, island: int) -> np.random.Generator:
        seed = np.random.SeedSequence(self.problem.seed, spawn_key=(generation, island))
        return np.random.default_rng(seed)

    def _breed(self) -> None:
        """The next generation on every island."""
        before = [island.scores for island in self.islands]
        elites = share(
            lambda number: self.islands[number].breed(self._generator(self.step + 1, number)),
            range(len(self.islands)),
        )
        if not self.squared:
            for island, scores, elite in zip(self.islands, before, elites, strict=True):
                island.scores[: len(elite)] = scores[elite]
            self._evaluate_in_full(self.options.elite)

    def _evaluate_in_full(self, first: int) -> None:
        """Replace the scores of the individuals from number `first` on by the loss."""
        if self.squared:
            return
        problem = self.problem

        def evaluate(one: tuple[Population, int]) -> None:
            island, index = one
            canvas, tensors = problem.drawing.canvas, island.tensors(index)
            image = paint(problem.primitive, tensors, canvas, background=self.ground)
            island.scores[index] = float(problem.loss(image, self.target, problem.weight))

        with torch.no_grad():
            share_torch(
                evaluate,
                [(island, i) for island in self.islands for i in range(first, len(island))],
            )

    def _block(self, step: int | None = None) -> int:
        """The side in pixels of a block compared as one: small where parts are small.

        Half as many later on, and half again.
        """
        canvas = self.problem.drawing.canvas
        spacing = math.sqrt(canvas.width * canvas.height / self.count)
        progress = self.problem.progress(self.step if step is None else step)
        halved = sum(progress >= share for share in SHARPER)
        largest = min(spacing / BLOCKS, canvas.width, canvas.height)
        return 1 << max(0, int(math.log2(max(largest, 1))) - halved)

    def _sharpen(self) -> None:
        """Judge by smaller blocks when it is time to."""
        block = self._block()
        if block == self.block:
            return
        self.block = block
        for island in self.islands:
            kept = island.scores.copy()
            island.set_block(block)
            island.evaluate()
            if not self.squared:
                island.scores = kept

    def _migrate(self) -> None:
        """The best of each island takes the place of the worst on the next."""
        travellers = [(island.row(island.best), island.scores.min()) for island in self.islands]
        for number, island in enumerate(self.islands):
            row, score = travellers[number - 1]
            island.receive(int(island.scores.argmax()), row, score)

    def _champion(self) -> Population:
        """The island with the best individual."""
        return min(self.islands, key=lambda island: float(island.scores.min()))

    def _climb(self) -> None:
        """Let some shapes of the best individual climb, each where it is in the stack, if asked."""
        island = self._champion()
        index = island.best
        if self.refine is None or not island.numbers[index]:
            return
        refined = self.refine(island.tensors(index), self.climbed, self.options.memetic)
        self.climbed += self.options.memetic
        island.put(index, refined)
        island.evaluate(index, index + 1)

    def _remember(self) -> None:
        """Keep the statistics of this generation."""
        scores = np.concatenate([island.scores for island in self.islands])
        if self.squared:
            # The mean over the channels of all that has weight.
            scores = scores / max(3 * float(self.weight.sum()), 1e-12)
        spread = float(np.mean([island.spread() for island in self.islands]))
        metrics = {"best": float(scores.min()), "mean": float(scores.mean()), "diversity": spread}
        self.history.append((self.step, metrics))
