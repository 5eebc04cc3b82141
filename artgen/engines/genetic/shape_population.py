"""Populations of stacks of shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from artgen.compiler import kernel_cache
from artgen.engines.genetic.populations import Arrays, Floats, Population, population_of
from artgen.primitives import Shape
from artgen.raster import load_kernels, make_grid, pack, tables_of, unpack

CELL = 8
"""As in `stack_kernels`."""

KERNELS = tuple(f"engines.genetic.{name}_kernels" for name in ("stack", "shape", "generation"))

SAMPLE_ROWS = 4
"""Sample rows per pixel for the coverage of shapes."""


class ShapePopulation(Population):
    """Stacks of shapes."""

    generations: ClassVar[int] = 2500
    climbs: ClassVar[bool] = True
    kept: ClassVar[Mapping[str, int]] = {"kind": 0, "genes": 1, "paint": 2, "numbers": 5}

    @classmethod
    def alphas(cls, primitive: Shape, alpha: float, least: float) -> tuple[float, float]:
        """Return the range of opacities, by the options of the shape."""
        return primitive.alphas(alpha, least)

    @classmethod
    def sizes(cls, primitive: Shape, small: float, large: float) -> tuple[float, float]:
        """Return the range of sizes of random shapes, by the options of the shape."""
        return primitive.sizes(small, large)

    def __init__(self, shape: Shape, *arguments: Any) -> None:
        super().__init__(shape, *arguments)
        self.kernels = kernel_cache.load(kernel_cache.read_kernels(*KERNELS), of="genetic")
        functions = load_kernels(shape, "raster.function_kernels").FUNCTIONS
        self.functions = (*functions, tables_of(shape))
        self.shape = shape
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

        self.individuals, self.offspring = room(), room()

    def set_block(self, block: int) -> None:
        """Average blocks of the target, and draw as large as that."""
        height, width = (-(-side // block) for side in self.weight.shape)
        target = np.empty((height, width, 4), np.float32)
        for channel, plane in enumerate((*self.target, self.weight)):
            target[:, :, channel] = _averaged(plane, block, "constant" if channel == 3 else "edge")
        # The sum of the weights, so that errors are sums over pixels whatever the blocks are.
        target[:, :, 3] *= block * block
        top, pitch, left, scale, _ = make_grid(self.canvas, SAMPLE_ROWS / block)
        grid = (top, pitch, left, scale / block, float(width))
        self.fixed = (
            target,
            np.array(self.background, np.float64),
            grid,
            SAMPLE_ROWS,
            self.palette,
            self.functions,
        )
        errors = (len(self), height, -(-width // CELL) + 1)
        self.individuals = (*self.individuals[:4], np.zeros(errors), self.individuals[5])
        self.offspring = (*self.offspring[:4], np.zeros(errors), self.offspring[5])

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Genes, colour, alpha and, where there are several, the kind."""
        number = self.numbers[index]
        kind, genes, paint = (array[index, :number] for array in self.individuals[:3])
        return pack(self.shape, kind, genes, paint[:, :3], paint[:, 3])

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """As `unpack` reads them."""
        kind, genes, colour, alpha = unpack(self.shape, tensors)
        number = len(alpha)
        self.individuals[0][index, :number], self.individuals[1][index, :number] = kind, genes
        self.individuals[2][index, :number, :3], self.individuals[2][index, :number, 3] = (
            colour,
            alpha,
        )
        self.numbers[index] = number


@population_of.register
def _(primitive: Shape) -> type[Population]:
    return ShapePopulation


def _averaged(plane: Floats, block: int, beyond: Literal["constant", "edge"]) -> Floats:
    """The means of blocks; what reaches beyond the edge is 0, or as at the edge."""
    height, width = plane.shape
    more = ((0, -height % block), (0, -width % block))
    padded = np.pad(plane, more, mode=beyond)
    tall, wide = (side // block for side in padded.shape)
    blocks = padded.reshape(tall, block, wide, block)
    means: Floats = blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    return means
