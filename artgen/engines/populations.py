"""Populations of stacks of shapes, and of partitions: individuals as arrays, bred by kernels.

What an individual is made of is in arrays with one row per individual; what follows from that, such
as its errors, is kept beside it and can be found anew at any time. The next generation is bred into
a second set of arrays, and then the two change places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.engines.layers import kernel_text
from artgen.primitives import Partition, Primitive, Shape
from artgen.raster import (
    load_kernels,
    load_partition_kernels,
    make_grid,
    unpack,
    unpack_sites,
)

__all__ = ["RATES", "Population", "ShapePopulation", "SitePopulation", "populate"]

Floats: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = tuple[NDArray[Any], ...]

CELL = 8
"""As in `genetic_kernels`."""

SUBROWS = 4
"""Sample rows per pixel that shapes are judged with."""

RATES = (
    *("crossover", "splice", "again", "resize", "grow", "swap", "replace", "recolour", "rivals"),
    *("elite", "small", "large", "step", "least", "low", "high", "count", "fitted", "shaken"),
)
"""What the kernels are told, in their order."""


class Population:
    """P individuals of at most `count` parts; `scores` float64 [P] say how bad each is.

    `target` is float32 [3, height, width] and `weight` [height, width]; `rates` holds all of
    `RATES`. Shapes have colours of `palette` float64 [K, 3], or any where K is 0. Scores are
    squared errors until they are replaced by others.
    """

    kept: ClassVar[Mapping[str, int]]
    """The arrays that individuals are made of: by their names, where they are in `people`."""

    kernels: Any
    people: Arrays
    others: Arrays
    scene: tuple[Any, ...]

    def __init__(
        self,
        target: Floats,
        weight: Floats,
        background: tuple[float, float, float],
        rates: Mapping[str, float],
        size: int,
        palette: NDArray[np.float64],
    ) -> None:
        self.palette = palette
        self.target, self.weight, self.background = target, weight, background
        self.canvas = Canvas(weight.shape[1], weight.shape[0])
        self.rates = np.array([float(rates[name]) for name in RATES])
        self.elite, self.count = int(rates["elite"]), int(rates["count"])
        self.scores, self.errors = np.zeros(size), np.zeros(size)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """How many parts each individual has."""
        return self.people[-1]

    @property
    def best(self) -> int:
        """The number of the best individual."""
        return int(self.scores.argmin())

    def look(self, block: int) -> None:
        """Judge pictures by blocks of so many pixels along each side; `judge` is due then."""
        raise NotImplementedError

    def found(self, rng: np.random.Generator, begin: int) -> None:
        """Make up individuals of `begin` parts."""
        self.kernels.found(rng, self.people, self.errors, self.scene, self.rates, begin)
        self.scores = self.errors.copy()

    def breed(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Replace all individuals by the next generation, the first ones by the elite.

        Returns who the elite were. Scores are squared errors from now on.
        """
        order = np.argsort(self.scores, kind="stable")
        self.kernels.breed(
            *(rng, self.people, self.scores, order, self.others, self.errors),
            *(self.scene, self.rates),
        )
        self.people, self.others = self.others, self.people
        self.scores = self.errors.copy()
        return order[: self.elite]

    def judge(self, first: int = 0, last: int | None = None) -> None:
        """Find all that follows from the individuals from `first` to before `last` anew."""
        some = slice(first, last)
        people = tuple(array[some] for array in self.people)
        self._judge(people, self.errors[some])
        self.scores[some] = self.errors[some]

    def _judge(self, people: Arrays, errors: NDArray[np.float64]) -> None:
        raise NotImplementedError

    def tensors(self, index: int) -> dict[str, Tensor]:
        """An individual as the tensors of a drawing."""
        raise NotImplementedError

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """Replace an individual by what a drawing holds; `judge` is due then."""
        raise NotImplementedError

    def receive(self, index: int, people: Arrays, score: float) -> None:
        """Replace an individual by one of another population, given as rows of its arrays."""
        for mine, theirs in zip(self.people, people, strict=True):
            mine[index] = theirs
        self.scores[index] = score

    def row(self, index: int) -> Arrays:
        """A copy of one individual, for `receive`."""
        return tuple(array[index].copy() for array in self.people)

    def spread(self) -> float:
        """How much individuals differ: the standard deviation of the genes at each place.

        In canvas units, the mean over the places that all of them have.
        """
        genes = self.people[self.kept["genes"]][:, : int(self.numbers.min())]
        return float(genes.std(axis=0).mean()) if genes.size else 0.0

    def state_dict(self) -> dict[str, Tensor]:
        """The individuals and their scores."""
        arrays = {name: self.people[place] for name, place in self.kept.items()}
        return {k: torch.from_numpy(v.copy()) for k, v in {**arrays, "scores": self.scores}.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """The opposite of `state_dict`."""
        for name, place in self.kept.items():
            self.people[place][:] = state[name].numpy()
        self.judge()
        self.scores = state["scores"].numpy().copy()


class ShapePopulation(Population):
    """Stacks of shapes."""

    kept: ClassVar[Mapping[str, int]] = {"kind": 0, "genes": 1, "paint": 2, "numbers": 5}

    def __init__(self, shape: Shape, *arguments: Any) -> None:
        super().__init__(*arguments)
        text = kernel_text("colour_kernels", "region_kernels", "genetic_kernels")
        self.kernels = load_kernels(shape, text, ("random", "mutate", "valid"))
        self.shape, self.mixed = shape, len(shape.members) > 1
        most = max(member.genes for member in shape.members)
        size, count = len(self), self.count

        def room() -> Arrays:
            return (
                np.zeros((size, count), np.int64),
                np.zeros((size, count, most)),
                np.zeros((size, count, 4)),
                np.zeros((size, count, 4), np.int64),
                np.zeros((size, 1, 2)),
                np.zeros(size, np.int64),
            )

        self.people, self.others = room(), room()

    def look(self, block: int) -> None:
        """Average blocks of the target, and draw as large as that."""
        height, width = (-(-side // block) for side in self.weight.shape)
        scene = np.empty((height, width, 4), np.float32)
        for channel, plane in enumerate((*self.target, self.weight)):
            scene[:, :, channel] = _averaged(plane, block, "constant" if channel == 3 else "edge")
        # The sum of the weights, so that errors are sums over pixels whatever the blocks are.
        scene[:, :, 3] *= block * block
        top, pitch, left, scale, _ = make_grid(self.canvas, SUBROWS / block)
        grid = (top, pitch, left, scale / block, float(width))
        self.scene = (scene, np.array(self.background, np.float64), grid, SUBROWS, self.palette)
        errors = (len(self), height, -(-width // CELL) + 1)
        self.people = (*self.people[:4], np.zeros(errors), self.people[5])
        self.others = (*self.others[:4], np.zeros(errors), self.others[5])

    def _judge(self, people: Arrays, errors: NDArray[np.float64]) -> None:
        self.kernels.judge(people, errors, self.scene)

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Genes, colour, alpha and, where there are several, the kind."""
        number = self.numbers[index]
        kind, genes, paint = (array[index, :number] for array in self.people[:3])
        values = {"genes": genes.T, "colour": paint[:, :3].T, "alpha": paint[:, 3]}
        if self.mixed:
            values["kind"] = kind
        return {k: torch.from_numpy(v.astype(np.float32, "C")) for k, v in values.items()}

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """As `unpack` reads them."""
        kind, genes, colour, alpha = unpack(self.shape, tensors)
        number = len(alpha)
        self.people[0][index, :number], self.people[1][index, :number] = kind, genes
        self.people[2][index, :number, :3], self.people[2][index, :number, 3] = colour, alpha
        self.numbers[index] = number


class SitePopulation(Population):
    """Sites of partitions."""

    kept: ClassVar[Mapping[str, int]] = {"genes": 0, "colour": 1, "numbers": 3}

    def __init__(self, partition: Partition, *arguments: Any) -> None:
        super().__init__(*arguments)
        text = kernel_text("region_kernels", "site_kernels")
        self.kernels = load_partition_kernels(partition, text)
        size, count = len(self), self.count

        def room() -> Arrays:
            return (
                np.zeros((size, count, partition.genes)),
                np.zeros((size, count, 3)),
                np.zeros((size, count)),
                np.zeros(size, np.int64),
            )

        self.people, self.others = room(), room()

    def look(self, block: int) -> None:
        """Add up the target along rows, so many rows of pixels at a time."""
        w = self.weight.astype(np.float64)
        values = np.stack([*(w * self.target), w, w * np.square(self.target).sum(0)], axis=2)
        rows = np.add.reduceat(values, np.arange(0, len(w), block), axis=0).cumsum(axis=1)
        # Left of the first pixel there is nothing; what interpolates looks one place too far.
        sums = np.concatenate([np.zeros_like(rows[:, :1]), rows, rows[:, -1:]], axis=1)
        self.scene = (sums.astype(np.float32), make_grid(self.canvas, 1 / block))

    def _judge(self, people: Arrays, errors: NDArray[np.float64]) -> None:
        self.kernels.judge(people, errors, self.scene, self.rates)

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Sites and colour."""
        some = slice(int(self.numbers[index]))
        values = {"sites": self.people[0][index, some].T, "colour": self.people[1][index, some].T}
        return {k: torch.from_numpy(v.astype(np.float32, "C")) for k, v in values.items()}

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """As `unpack_sites` reads them."""
        sites, colour = unpack_sites(tensors)
        self.people[0][index, : len(sites)], self.people[1][index, : len(sites)] = sites, colour
        self.numbers[index] = len(sites)


def populate(primitive: Primitive, *arguments: Any) -> Population:
    """A population of whatever the primitive is."""
    if isinstance(primitive, Shape):
        return ShapePopulation(primitive, *arguments)
    assert isinstance(primitive, Partition)
    return SitePopulation(primitive, *arguments)


def _averaged(plane: Floats, block: int, beyond: str) -> Floats:
    """The means of blocks; what reaches beyond the edge is 0, or as at the edge."""
    height, width = plane.shape
    more = ((0, -height % block), (0, -width % block))
    padded = np.pad(plane, more, mode=beyond)  # type: ignore[call-overload]
    tall, wide = (side // block for side in padded.shape)
    blocks = padded.reshape(tall, block, wide, block)
    means: Floats = blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    return means
