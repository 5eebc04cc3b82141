"""Hill climbing: shapes are placed one by one, then refined one by one, again and again.

A step places a shape on top, until there are enough, or refines one where it is in the stack: the
best of some climbs, each with a generator of its own, so that the number of threads changes
nothing. Candidates are scored from sums along rows (see `compositing`); the winner is evaluated,
coloured and drawn by area, as it will be exported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import ArtgenError, UsageError
from artgen.base.options import option, parse_options
from artgen.compiler.threads import share
from artgen.engines.base import Engine, Problem, Report, ReportPace, State
from artgen.engines.evaluation import LEAST_ALPHA, random_sizes
from artgen.families.shape.colour_kernels import NOTHING
from artgen.families.shape.compositing import Compositing, added, none_found, put
from artgen.families.shape.contract import Shape
from artgen.families.shape.spans import pack, unpack
from artgen.losses.metrics import decibels
from artgen.primitives import Primitive
from artgen.raster.painting import Ground
from artgen.values.drawing import Drawing

STEP = 0.4
"""How far refined shapes first move, in mean spacings."""

REFINING, SHRINK = 2, 0.05
"""How much more patient refining is than placing; what failures in a row shrink the steps to."""

ROWS = 8
"""At least this many scored rows fit into the mean spacing of the shapes."""

PLACE = 32
"""The bits of an identity that hold the step in which a shape was placed."""

_KEPT = ("step", "refined", "limit", "errors", "pass_error", "finished", "best_loss")
"""Numbers that a state holds."""

WINDOW = 20
"""The gain of a shape is the mean of this many."""

HARM = 0.01
"""No more shapes are placed where the last ones cost more than this each, in dB."""

_QUALITY: Mapping[str, Mapping[str, Any]] = {
    "draft": {"restarts": 4, "passes": 1},
    "good": {},
    "best": {"restarts": 16, "moves": 6, "passes": 12},
}


class ClimbEngine(Engine):
    """Random restarts where the picture is wrong, hill climbing, refinement in place."""

    supports = ("palette", "replanning")

    following: ClassVar[Mapping[str, Any]] = {
        "engine": "gradient",
        "steps": 40,
        "rate": 0.45,
        "schedule": "constant",
        "warmup": 0,
    }
    """Frames of a clip: shapes that all move at once are better after a fifth of the time."""

    @dataclass(frozen=True)
    class Options:
        """Options of `climb`."""

        alpha: float = option(
            0.75, "opacity of every shape; 0 searches one for each", low=0, high=1
        )
        restarts: int = option(8, "climbs per new shape", low=1, high=10_000)
        moves: int = option(3, "climbs from new places per refined shape", low=0, high=10_000)
        candidates: int = option(200, "random shapes before each climb", low=1, high=1_000_000)
        patience: int = option(100, "failures in a row that end a climb", low=1, high=1_000_000)
        passes: int = option(
            6, "largest number of passes that refine all shapes", low=0, high=10_000
        )
        stall: float = option(0.01, "stop after a pass that gains less than this, in dB", low=0)
        converge: float = option(
            0.0,
            "stop adding shapes when the last 20 gained less than this each, in dB; 0: when they "
            "cost 0.01",
            low=0,
        )

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Place shapes while they gain enough."""
        return {"converge": 0.01}

    @classmethod
    def quality_options(cls, quality: str) -> Mapping[str, Any]:
        """More climbs and passes: further steps alone would gain nothing."""
        return _QUALITY[quality]

    @classmethod
    def timed_options(cls) -> Mapping[str, Any]:
        """Passes until one gains too little, or the time is up."""
        return {"passes": 10_000}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """None: they are placed one by one."""
        return 0

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """One step places each shape, and one refines it in each pass."""
        asked = {"passes": options["passes"]} if "passes" in options else {}
        return (count or 1) * (1 + parse_options(cls.Options, asked, owner="engine climb").passes)

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """Every shape climbs from where it is, and from nowhere else: once, or as steps allow."""
        return {"steps": count or 1, "passes": 10_000, "moves": 0, "converge": 0.0}

    def start(self, problem: Problem) -> None:
        """Take the shapes of the first drawing. Raises UsageError for losses but ``mse``."""
        if problem.loss.text != "mse":
            raise UsageError(
                f"engine climb minimises mse only, not {problem.loss.text}",
                hint="use -e gradient, or --loss mse, with --mask to weigh pixels",
            )
        shape = problem.primitive
        assert isinstance(shape, Shape)
        self.problem, self.shape = problem, shape
        self.options: ClimbEngine.Options = self.parse(problem)
        self.stack = unpack(problem.drawing.tensors)
        self.births = self.best_births = _unborn(self.stack.number)
        self.best, self.best_loss = problem.drawing, math.inf
        self.step = self.refined = self.scored = 0
        self.limit = max(self.stack.number, problem.count or 0)
        self.errors: list[float] = []
        self.pass_error = math.inf
        self.finished = self.stack.number == self.limit and self.options.passes == 0
        palette = None
        if problem.palette is not None:
            palette = np.ascontiguousarray(problem.palette.numpy(), np.float64)
            distance = np.square(self.stack.colour[:, None] - palette).sum(2)
            self.stack = self.stack._replace(colour=palette[distance.argmin(1)])
            self.best = self.drawing(best=False)
        ground: Ground = problem.drawing.background
        self.target, plain = problem.target, None
        if problem.even is not None:
            self.target, ground, plain = problem.even
        self.layers = Compositing(
            shape,
            self.target,
            problem.weight,
            ground,
            shape.alphas(self.options.alpha, LEAST_ALPHA),
            palette,
            plain,
        )

    def advance(self, steps: int) -> None:
        """Take this many steps, or fewer where there is nothing left to gain."""
        for _ in range(steps):
            if self.finished:
                return
            if self.stack.number < self.limit:
                self.place()
            else:
                self.refine()
            self.step += 1

    @torch.no_grad()
    def report(self) -> Report:
        """Loss and PSNR of the full picture, drawn as it will be exported."""
        if self.layers.place is None:
            self.layers.go_to(self.stack, self.stack.number)
        problem = self.problem
        image = torch.from_numpy(self.layers.picture(self.stack))
        loss = float(problem.loss(image, self.target, problem.weight))
        # A drawing without shapes is none, even where a flat background is the picture.
        improved = loss < self.best_loss or not len(self.best_births)
        if improved:
            self.best_loss, self.best = loss, self.drawing(best=False)
            self.best_births = self.births
        return Report(self.step, loss, decibels(loss), improved)

    def drawing(self, best: bool) -> Drawing:
        """The current shapes or the best ones."""
        if best:
            return self.best
        return replace(self.problem.drawing, tensors=pack(self.shape, self.stack))

    def recover(self, rate: float) -> None:
        """Go back to the best shapes; there is no rate."""
        self.stack = unpack(self.best.tensors)
        self.births = self.best_births
        self.layers.forget()

    def identities(self, best: bool) -> Tensor | None:
        """By the place in the stack, and by the step that brought the shape there."""
        births = self.best_births if best else self.births
        return (torch.arange(len(births)) << PLACE) + births

    def report_pace(self) -> ReportPace:
        """Often, as every step is expensive."""
        return ReportPace(steps=25)

    def renew(self, most: int) -> Tensor:
        """Look for better shapes anywhere in place of those that save little error."""
        stack, layers, before = self.stack, self.layers, self.births
        saved = np.zeros(stack.number)
        for index in range(stack.number):
            layers.go_to(stack, index)
            saved[index] = -layers.fit(stack.kind[index], stack.genes[index]).change
        squares = np.square(layers.picture(stack) - layers.target) * layers.weight
        mean = float(squares.sum(dtype=np.float64)) / max(1, stack.number)
        weakest = np.argsort(saved, kind="stable")[:most]
        for index in np.sort(weakest[saved[weakest] < mean]).tolist():
            self.refined = index
            self.refine()
            self.step += 1
        return self.births != before

    def state_dict(self) -> State:
        """The shapes, the best ones, and what ends placing and passes."""
        state: State = {name: getattr(self, name) for name in _KEPT}
        state |= {"births": self.births, "best_births": self.best_births}
        for name, tensor in self.drawing(best=False).tensors.items():
            state[f"now.{name}"], state[f"best.{name}"] = tensor, self.best.tensors[name]
        return state

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        for name in _KEPT:
            setattr(self, name, type(getattr(self, name))(state[name]))
        names = self.problem.drawing.tensors
        now = {name: state[f"now.{name}"] for name in names}
        self.stack = unpack(now)
        best = {name: state[f"best.{name}"] for name in names}
        # Checkpoints of earlier versions have none.
        self.births = state.get("births", _unborn(self.stack.number))
        self.best_births = state.get("best_births", _unborn(len(best["alpha"])))
        self.best = replace(self.problem.drawing, tensors=best)
        self.layers.forget()

    def go_on(self, tensors: Mapping[str, Tensor], steps: int) -> None:
        """Refine these shapes from now on, after so many `steps`."""
        self.stack, self.step, self.refined = unpack(tensors), steps, steps
        self.births, self.limit = _unborn(self.stack.number), self.stack.number
        self.errors, self.pass_error, self.finished = [], math.inf, False
        self.layers.forget()

    def converged(self) -> dict[str, Any]:
        """The count that placing ended with, where it was to find one."""
        return {"count": self.stack.number, "converge": 0.0} if self.options.converge else {}

    def place(self) -> None:
        """Put a new shape on top. Raises what `stuck` gives where no shape is valid."""
        layers, number = self.layers, self.stack.number
        layers.go_to(self.stack, number)
        layers.add_up(self._rows_together(number + 1))
        _, kind, genes = self._best_of(self.options.restarts)
        fit = layers.fit(kind, genes)
        self.stack = added(self.stack, kind, genes, fit)
        self.births = torch.cat([self.births, torch.tensor([self.step + 1])])
        error = layers.error() + fit.change
        self.errors = [*self.errors[-WINDOW:], error]
        if len(self.errors) > WINDOW:
            gain = _decibels(self.errors[0], error) / WINDOW
            # Where shapes raise the error a little, others lower it again: 166 of 500 ended a fit.
            if gain < (self.options.converge or -HARM):
                self.limit = self.stack.number
        if self.stack.number == self.limit:
            self.pass_error, self.finished = error, self.options.passes == 0

    def refine(self) -> None:
        """Improve a shape where it is, or replace it at its place in the stack."""
        layers, number = self.layers, self.stack.number
        index = self.refined % number
        layers.go_to(self.stack, index)
        layers.add_up(self._rows_together(number))
        before = self.stack.kind[index], self.stack.genes[index]
        climb, kind, genes = self._best_of(self.options.moves, before)
        after = kind, genes
        old, new = layers.fit(*before), layers.fit(*after)
        if new.change < old.change:
            put(self.stack, index, *after, new)
            if climb > 0:
                # It came from elsewhere.
                self.births = self.births.clone()
                self.births[index] = self.step + 1
        else:
            # What was changed below may want another colour.
            put(self.stack, index, *before, old)
        self.refined += 1
        if self.refined % number == 0:
            error = layers.error() + min(old.change, new.change)
            gain = _decibels(self.pass_error, error)
            passes = self.refined // number
            self.finished = passes >= self.options.passes or gain < self.options.stall
            self.pass_error = error

    def _rows_together(self, count: int) -> int:
        """The number of rows of pixels scored as one: large where few, large shapes are sought.

        Refining goes on with half of them, and half again, after every two passes.
        """
        canvas = self.problem.drawing.canvas
        spacing = math.sqrt(canvas.width * canvas.height / count)
        halved = self.refined // count // 2
        most = max(1.0, min(spacing / ROWS, canvas.height))
        return 1 << max(0, int(math.log2(most)) - halved)

    def _best_of(
        self, restarts: int, given: tuple[int, NDArray[np.float64]] | None = None
    ) -> tuple[int, int, NDArray[np.float64]]:
        """The best of this many climbs, and of one from what is given, which is number 0.

        Its number, and the kind and genes that it found.
        """
        options, layers, canvas = self.options, self.layers, self.problem.drawing.canvas
        spacing = math.sqrt(canvas.area / (self.stack.number + (given is None)))
        pixel = canvas.pixel
        small, large = self.shape.sizes(*random_sizes(spacing, pixel))

        def climb(index: int) -> tuple[float, int, int, int, NDArray[np.float64]]:
            # One generator for each climb: threads may take them in any order.
            seed = np.random.SeedSequence(self.problem.seed, spawn_key=(self.step, index))
            rng = np.random.default_rng(seed)
            patience, candidates = options.patience, options.candidates
            kind, genes = 0, np.zeros(self.stack.genes.shape[1])
            if index == 0 and given is not None:
                kind, genes, candidates = given[0], given[1].copy(), 0
                patience = REFINING * patience
            change, kind, tries = layers.search(
                *(rng, candidates, small, large, STEP * spacing, pixel / 2, patience),
                *(SHRINK ** (1 / patience), kind, genes),
            )
            return change, index, tries, kind, genes

        climbs = share(climb, range(restarts + (given is not None)))
        self.scored += sum(found[2] for found in climbs)
        change, number, _, kind, genes = min(climbs, key=lambda found: found[:2])
        if change >= NOTHING:
            raise self.stuck()
        # As it will be stored.
        return number, kind, genes.astype(np.float32).astype(np.float64)

    def stuck(self) -> ArtgenError:
        """The error where no climb found a valid shape."""
        return none_found(self.shape)


def _decibels(before: float, after: float) -> float:
    """The gain from one squared error to another."""
    return 10 * math.log10(max(before, 1e-12) / max(after, 1e-12))


def _unborn(count: int) -> Tensor:
    """The births of shapes that were there from the start."""
    return torch.zeros(count, dtype=torch.int64)
