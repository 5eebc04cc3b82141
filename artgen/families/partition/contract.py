"""Partition: the canvas divided among sites, each of one colour; the nearest site wins.

Each site has a cost that is a straight line along every row, up to a term that all sites share.
That covers the Euclidean distance (Voronoi cells) and weighted or sheared distances. The borders
between sites are then exact along each row::

    class Voronoi(Partition):
        \"\"\"Voronoi cells.\"\"\"

        @staticmethod
        def line(genes, y):
            x0, y0 = genes
            # The squared distance (x − x0)² + (y − y0)², without x², which all have.
            return -2 * x0, x0 * x0 + (y - y0) ** 2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.faults import broken
from artgen.init import Context
from artgen.primitives.classical import CLASSICAL
from artgen.primitives.edges import EdgeOptions
from artgen.primitives.params import Param
from artgen.primitives.primitive import Preset, Primitive, SymmetryOptions

Floats: TypeAlias = NDArray[np.float64]


class Partition(Primitive):
    """N sites with their `sites` (genes) and `colour`; every point has the colour of the cheapest.

    `genes` is how many numbers a site is made of; the first two are x and y. Of equally cheap sites
    any wins.

    The static functions are compiled by numba, as those of a `Shape` are: plain Python on numbers.
    The genes they get are a float64 array [genes], lengths in canvas units; `rng` is a
    `numpy.random.Generator`, the only source of randomness. They must not keep a state.
    """

    family: ClassVar[str] = "partition"
    answers: ClassVar[str | None] = __package__
    always_compiled: ClassVar[bool] = True
    required: ClassVar[tuple[str, ...]] = ("line",)
    extensible: ClassVar[bool] = True
    keeps_trajectory: ClassVar[bool] = False
    common_options: ClassVar[type[Any] | None] = SymmetryOptions
    Options: ClassVar[type[Any]] = EdgeOptions
    palettes: ClassVar[bool] = True
    can_be_transparent: ClassVar[bool] = True
    """Cells where the target is transparent are left out."""
    engines: ClassVar[tuple[str, ...]] = ("genetic",)
    presets: ClassVar[Mapping[str, Preset]] = {"classical": CLASSICAL}

    @property
    def genes(self) -> int:
        """The number of genes of a site. A plugin sets it or computes it."""
        return 2

    @staticmethod
    def line(genes: Floats, y: float) -> tuple[float, float]:
        """Return slope and height of the cost along the row at `y`: at x it is height + slope·x."""
        raise NotImplementedError

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Write a site at the point (x, y) into `genes`; sites are about `size` apart."""
        genes[0], genes[1] = x, y

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Change `genes` at random by about `step`, a length; by default all of them."""
        for i in range(len(genes)):
            genes[i] += step * rng.standard_normal()

    def declared_params(self) -> dict[str, Param]:
        """Return `sites`, uniform on the canvas, and `colour`, that of the target there.

        Raises PluginError if a site has less than two genes.
        """
        if self.genes < 2:
            problem = f"has {self.genes} genes, not at least 2"
            hint = "the first two are x and y"
            raise broken(type(self).__name__, type(self), problem, hint)
        return {
            "sites": Param(self.genes, init=_anywhere, lr=0.0),
            "colour": Param(3, init=_below, lr=0.0),
        }


def _anywhere(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Draw x and y uniformly; set all other genes to 0."""
    genes = torch.zeros(shape)
    genes[:2] = torch.tensor(context.canvas.reach)[:, None] * (2 * context.random(2, shape[-1]) - 1)
    return genes


def _below(context: Context, shape: tuple[int, ...]) -> Tensor:
    """Return the colour of the target in the pixel of each site."""
    if context.target is None:
        return context.random(*shape)
    height, width = context.target.shape[1:]
    half_width, half_height = context.canvas.reach
    x, y = context.values["sites"][:2]
    column = ((x / half_width + 1) / 2 * width).long().clamp(0, width - 1)
    row = ((y / half_height + 1) / 2 * height).long().clamp(0, height - 1)
    return context.target[:, row, column].clone()
