"""Populations of stacks of shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from artgen.compiler import kernel_cache
from artgen.engines.base import Problem
from artgen.engines.genetic.populations import (
    Floats,
    Population,
    Refine,
    population_of,
)
from artgen.families.shape.climb import ClimbEngine
from artgen.families.shape.contract import Shape
from artgen.families.shape.spans import Stack, functions_of, pack, unpack
from artgen.raster.sampling import make_grid

KERNELS = (
    "families.shape.stack_kernels",
    "families.shape.search_kernels",
    "engines.genetic.generation_kernels",
)

CLIMB = {"moves": 2, "passes": 10_000, "stall": 0.0}
"""How `climb` refines a shape of the best individual."""

SAMPLE_ROWS = 4
"""Sample rows per pixel for the coverage of shapes."""


class ShapePopulation(Population):
    """Stacks of shapes."""

    generations: ClassVar[int] = 2500
    kept: ClassVar[Mapping[str, int]] = {"kind": 0, "genes": 1, "paint": 2, "numbers": 5}

    @classmethod
    def alphas(cls, primitive: Shape, alpha: float, least: float) -> tuple[float, float]:
        """Return the range of opacities, by the options of the shape."""
        return primitive.alphas(alpha, least)

    @classmethod
    def sizes(cls, primitive: Shape, small: float, large: float) -> tuple[float, float]:
        """Return the range of sizes of random shapes, by the options of the shape."""
        return primitive.sizes(small, large)

    @classmethod
    def refiner(cls, problem: Problem) -> Refine:
        """Let shapes climb, each where it is in the stack."""
        climber = ClimbEngine()
        climber.start(replace(problem, options={**problem.options, **CLIMB}))

        def refine(tensors: dict[str, Tensor], before: int, number: int) -> Mapping[str, Tensor]:
            climber.go_on(tensors, before)
            climber.advance(number)
            return climber.drawing(best=False).tensors

        return refine

    def __init__(self, shape: Shape, *arguments: Any) -> None:
        super().__init__(shape, *arguments)
        self.kernels = kernel_cache.load_shipped(*KERNELS, of="genetic")
        self.functions = functions_of(shape)
        self.shape = shape
        most, count = max(member.genes for member in shape.members), self.count
        arrays = (
            *(((count,), np.int64), ((count, most), np.float64), ((count, 4), np.float64)),
            *(((count, 4), np.int64), ((1, 2), np.float64)),
        )
        self.individuals, self.offspring = self.make_room(*arrays), self.make_room(*arrays)

    def set_block(self, block: int) -> None:
        """Average blocks of the target, and draw as large as that."""
        height, width = (-(-side // block) for side in self.weight.shape)
        target = np.empty((height, width, 4), np.float32)
        for channel, plane in enumerate((*self.target, self.weight)):
            target[:, :, channel] = _averaged(plane, block, "constant" if channel == 3 else "edge")
        ground = np.empty((height, width, 3), np.float32)
        ground[:] = self.background
        if self.even is not None:
            # Blocks keep the signs that pixels have by turns, so that means do not cancel.
            goal, far, plain = self.even
            sign = np.sign(far - plain)
            for channel, signs in enumerate(sign[:, :height, :width]):
                planes = (plain, sign * (goal - plain), sign * (far - plain))
                mean, one, other = (_averaged(each[channel], block, "edge") for each in planes)
                target[:, :, channel] = mean + signs * one
                ground[:, :, channel] = mean + signs * other
        # The sum of the weights, so that errors are sums over pixels whatever the blocks are.
        target[:, :, 3] *= block * block
        top, pitch, left, scale, _ = make_grid(self.canvas, SAMPLE_ROWS / block)
        grid = (top, pitch, left, scale / block, float(width))
        self.fixed = (
            target,
            ground,
            grid,
            SAMPLE_ROWS,
            self.palette,
            self.functions,
        )
        errors = (len(self), height, -(-width // self.kernels.CELL) + 1)
        self.individuals = (*self.individuals[:4], np.zeros(errors), self.individuals[5])
        self.offspring = (*self.offspring[:4], np.zeros(errors), self.offspring[5])

    def tensors(self, index: int) -> dict[str, Tensor]:
        """Genes, colour, alpha and, where there are several, the kind."""
        number = self.numbers[index]
        kind, genes, paint = (array[index, :number] for array in self.individuals[:3])
        return pack(self.shape, Stack(kind, genes, paint[:, :3], paint[:, 3]))

    def put(self, index: int, tensors: Mapping[str, Tensor]) -> None:
        """As `unpack` reads them."""
        stack = unpack(tensors)
        paint = np.column_stack([stack.colour, stack.alpha])
        for array, values in zip(self.individuals, (stack.kind, stack.genes, paint), strict=False):
            array[index, : stack.number] = values
        self.numbers[index] = stack.number


population_of.register(Shape)(lambda primitive: ShapePopulation)


def _averaged(plane: Floats, block: int, beyond: Literal["constant", "edge"]) -> Floats:
    """The means of blocks; what reaches beyond the edge is 0, or as at the edge."""
    height, width = plane.shape
    more = ((0, -height % block), (0, -width % block))
    padded = np.pad(plane, more, mode=beyond)
    tall, wide = (side // block for side in padded.shape)
    blocks = padded.reshape(tall, block, wide, block)
    means: Floats = blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    return means
