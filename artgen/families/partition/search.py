"""Populations of partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.engines.conversion import own_parts
from artgen.engines.genetic.populations import Population, population_of
from artgen.families.partition.contract import Partition
from artgen.families.partition.paint import clear_sites, load_partition_kernels, unpack_sites
from artgen.raster.sampling import make_grid
from artgen.values.drawing import Drawing
from artgen.values.symmetry import Symmetry

CLOSE = 1e-4
"""How far outside of a repeat a site may be that is on its edge, in canvas units."""


class SitePopulation(Population):
    """Sites of partitions."""

    kept: ClassVar[Mapping[str, int]] = {"genes": 0, "colour": 1, "numbers": 3}

    def __init__(self, partition: Partition, *arguments: Any) -> None:
        super().__init__(partition, *arguments)
        self.partition = partition
        self.kernels = load_partition_kernels(
            partition, "families.partition.search_kernels", "engines.genetic.generation_kernels"
        )
        shapes = (self.count, partition.genes), (self.count, 3), (self.count,)
        self.individuals, self.offspring = (
            self.make_room(*((shape, np.float64) for shape in shapes)) for _ in range(2)
        )

    def set_block(self, block: int) -> None:
        """Add up the target along rows, this many rows of pixels at a time."""
        w = self.weight.astype(np.float64)
        values = np.stack([*(w * self.target), w, w * np.square(self.target).sum(0)], axis=2)
        rows = np.add.reduceat(values, np.arange(0, len(w), block), axis=0).cumsum(axis=1)
        # Left of the first pixel there is nothing; what interpolates looks one place too far.
        sums = np.concatenate([np.zeros_like(rows[:, :1]), rows, rows[:, -1:]], axis=1)
        self.fixed = (sums.astype(np.float32), make_grid(self.canvas, 1 / block))

    def initialise(self, rng: np.random.Generator, begin: int) -> None:
        """Initialise all individuals. Raises UsageError where no cell could become transparent."""
        if self.rates.clear and not self.rates.fitted:
            raise UsageError(
                "random colours leave no cell transparent",
                hint="use --set engine.colours=best, or leave out --transparent",
            )
        super().initialise(rng, begin)

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Sites and colour, of a palette the nearest one: that is best for the mean of a cell.

        Where a group repeats them, those of its cell and their images.
        """
        some = slice(int(self.numbers[index]))
        sites, colour = (array[index, some] for array in self.individuals[:2])
        if len(self.palette):
            clear = clear_sites(self.partition, colour)
            distance = np.square(colour[:, None] - self.palette).sum(2)
            colour = np.where(clear, colour, self.palette[distance.argmin(1)])
        if self.partition.group is not None:
            reach = self.canvas.reach
            part, matrices, offsets = self.partition.group.repeated(sites[:, :2], reach)
            moved = np.einsum("mij,mj->mi", matrices, sites[part, :2]) + offsets
            sites = np.concatenate([moved, sites[part, 2:]], 1)
            colour = colour[part]
        values = {"sites": sites.T, "colour": colour.T}
        return {k: torch.from_numpy(v.astype(np.float32, "C")) for k, v in values.items()}

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """As `unpack_sites` reads them.

        Where a group repeats them, first those of its cell, then their images on the canvas while
        there is room: individuals are compared with the whole target.
        """
        sites, colour = unpack_sites(tensors)
        if self.partition.group is not None:
            cell = _in_cell(self.partition.group, sites)
            on = (np.abs(sites[:, :2]) <= np.add(self.canvas.reach, CLOSE)).all(1)
            some = [*cell, *np.setdiff1d(np.flatnonzero(on), cell)][: self.count]
            sites, colour = sites[some], colour[some]
        self.individuals[0][index, : len(sites)] = sites
        self.individuals[1][index, : len(sites)] = colour
        self.numbers[index] = len(sites)


population_of.register(Partition)(lambda primitive: SitePopulation)


def _in_cell(group: Symmetry, sites: NDArray[np.float64]) -> NDArray[np.int64]:
    """The indices of the sites of which `SitePopulation.tensors` made the others."""
    places = sites[:, :2]
    repeat = np.where(np.array(group.repeat) > 0, group.repeat, np.inf)
    first = (np.abs(places) <= repeat / 2 + CLOSE).all(1)
    inside = np.flatnonzero(first & group.inside(places))
    # A site on a mirror, or on an edge of the repeat, is there several times.
    home = group.fold(places[inside])
    _, once = np.unique(home.round(4), axis=0, return_index=True)
    return np.sort(inside[once])


@own_parts.register(Partition)
def _own_sites(partition: Partition, drawing: Drawing) -> Drawing:
    if partition.group is None:
        return drawing
    some = torch.from_numpy(_in_cell(partition.group, unpack_sites(drawing.tensors)[0]))
    return drawing.map_tensors(lambda tensor: tensor[..., some])
