"""Populations: individuals as arrays, bred by the kernels of their family.

The genes of individuals are in arrays with one row per individual. Values that follow from them,
such as errors, are kept beside them. The next generation is bred into a second set of arrays, and
then the two sets change places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.engines.base import Problem
from artgen.engines.genetic.rates import Rates
from artgen.primitives import Primitive
from artgen.values.canvas import Canvas

Floats: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = tuple[NDArray[Any], ...]

Refine: TypeAlias = Callable[[dict[str, Tensor], int, int], Mapping[str, Tensor]]
"""Improves parts of an individual, given as tensors: the number of parts that were improved before,
and how many to improve now."""


class Population:
    """P individuals of at most `count` parts; `scores` float64 [P] say how bad each is.

    `problem` has a weight for each pixel. `target` is float32 [3, height, width] and `weight`
    [height, width]. Shapes have colours of `palette` float64 [K, 3], or any where K is 0. Scores
    are squared errors until they are replaced by others.
    """

    kept: ClassVar[Mapping[str, int]]
    """The arrays that individuals are made of: by their names, where they are in `individuals`."""

    generations: ClassVar[int] = 1000
    """The number of generations of a fit where none is asked for."""

    kernels: Any
    individuals: Arrays
    offspring: Arrays
    fixed: tuple[Any, ...]

    @classmethod
    def alphas(cls, primitive: Any, alpha: float, least: float) -> tuple[float, float]:
        """Return the range of opacities: `alpha` alone, or from `least` on where it is 0."""
        return (alpha, alpha) if alpha else (least, 1.0)

    @classmethod
    def sizes(cls, primitive: Any, small: float, large: float) -> tuple[float, float]:
        """Return the range of sizes of random parts, `small` to `large` unless limited."""
        return small, large

    @classmethod
    def refiner(cls, problem: Problem) -> Refine | None:
        """Return what improves single parts of an individual; None: nothing does."""
        return None

    def __init__(self, primitive: Primitive, problem: Problem, rates: Rates, size: int) -> None:
        assert problem.weight is not None
        palette = torch.zeros(0, 3) if problem.palette is None else problem.palette
        self.palette = np.ascontiguousarray(palette.numpy(), np.float64)
        self.target, self.weight = problem.target.numpy(), problem.weight.numpy()
        self.background = problem.drawing.background
        self.even = problem.even and tuple(each.numpy() for each in problem.even)
        self.canvas = Canvas(self.weight.shape[1], self.weight.shape[0])
        self.rates = rates
        self.elite, self.count = int(rates.elite), int(rates.most)
        self.scores, self.errors = np.zeros(size), np.zeros(size)

    def make_room(self, *arrays: tuple[tuple[int, ...], type]) -> Arrays:
        """Return zeros as `individuals`: arrays [P, *shape] of a type, and the numbers of parts."""
        size, made = len(self), [*arrays, ((), np.int64)]
        return tuple(np.zeros((size, *shape), dtype) for shape, dtype in made)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of parts of each individual."""
        return self.individuals[-1]

    @property
    def best(self) -> int:
        """The number of the best individual."""
        return int(self.scores.argmin())

    def set_block(self, block: int) -> None:
        """Compare pictures by blocks of `block` × `block` pixels; call `evaluate` then."""
        raise NotImplementedError

    def initialise(self, rng: np.random.Generator, begin: int) -> None:
        """Initialise all individuals with `begin` random parts each."""
        self.kernels.initialise(rng, self.individuals, self.errors, self.fixed, self.rates, begin)
        self.scores = self.errors.copy()

    def breed(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Replace all individuals by the next generation, the first ones by the elite.

        Returns the numbers of the elite. Scores are squared errors from now on.
        """
        order = np.argsort(self.scores, kind="stable")
        self.kernels.breed(
            *(rng, self.individuals, self.scores, order, self.offspring, self.errors),
            *(self.fixed, self.rates),
        )
        self.individuals, self.offspring = self.offspring, self.individuals
        self.scores = self.errors.copy()
        return order[: self.elite]

    def evaluate(self, first: int = 0, last: int | None = None) -> None:
        """Compute errors and scores of the individuals `first` to `last` - 1."""
        some = slice(first, last)
        individuals = tuple(array[some] for array in self.individuals)
        self.kernels.evaluate(individuals, self.errors[some], self.fixed, self.rates)
        self.scores[some] = self.errors[some]

    def tensors(self, index: int) -> dict[str, Tensor]:
        """An individual as the tensors of a drawing."""
        raise NotImplementedError

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """Replace an individual by what a drawing holds; call `evaluate` then."""
        raise NotImplementedError

    def receive(self, index: int, individuals: Arrays, score: float) -> None:
        """Replace an individual by one of another population, given as rows of its arrays."""
        for mine, theirs in zip(self.individuals, individuals, strict=True):
            mine[index] = theirs
        self.scores[index] = score

    def row(self, index: int) -> Arrays:
        """A copy of one individual, for `receive`."""
        return tuple(array[index].copy() for array in self.individuals)

    def spread(self) -> float:
        """The diversity: the standard deviation of the genes at each place.

        In canvas units, the mean over the places that all of them have.
        """
        genes = self.individuals[self.kept["genes"]][:, : int(self.numbers.min())]
        return float(genes.std(axis=0).mean()) if genes.size else 0.0

    def state_dict(self) -> dict[str, Tensor]:
        """The individuals and their scores."""
        arrays = {name: self.individuals[place] for name, place in self.kept.items()}
        return {k: torch.from_numpy(v.copy()) for k, v in {**arrays, "scores": self.scores}.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state_dict` gave."""
        for name, place in self.kept.items():
            self.individuals[place][:] = state[name].numpy()
        self.evaluate()
        self.scores = state["scores"].numpy().copy()


@generic("search")
def population_of(primitive: Primitive) -> type[Population]:
    """The class of populations of `primitive`: a generic function on its family.

    Raises UsageError for families that the engine `genetic` does not know.
    """
    raise UsageError(
        f"engine genetic does not support a {primitive.family}", hint="use -e gradient"
    )
