"""What each tile of a picture is given: its pixels, its parts, and those that others draw there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen.base.seeds import derived_seed
from artgen.raster import Windows, draw
from artgen.runs.job import Job
from artgen.runs.kinds.tiles.grid import Box, Tile
from artgen.runs.kinds.tiles.passes import Pass, find_owners
from artgen.runs.kinds.tiles.tile import Parts, TileInput
from artgen.targets.large import LargePicture

COARSE_SIDE = 1024
"""The most pixels of the longer side of the reduced picture."""


@dataclass(frozen=True, eq=False)
class Given:
    """The inputs of tiles of one colour, by the numbers of the tiles; the longest fits come first.

    `members` are the indices of the parts that each tile moves; None in the first pass.
    """

    numbers: list[int]
    inputs: Iterator[TileInput]
    members: dict[int, Tensor] | None = None


@dataclass(frozen=True, eq=False)
class TileInputs:
    """Makes the inputs of the tiles of a job, from its picture and the parts that there are."""

    job: Job
    picture: LargePicture

    def coarse(self, count: int) -> Given:
        """The whole picture, reduced."""
        small = self.picture.reduced(min(COARSE_SIDE, self.picture.size)).pixels
        height, width = small.shape[:2]
        given = TileInput(
            goal=torch.from_numpy(small),
            span=min(width, height),
            seed=derived_seed(self.job.recipe.seed, "tile", 0),
            count=count,
            window_count=count,
            free=(0, 0, width, height),
        )
        return Given([0], iter([given]))

    def first_pass(self, parts: Parts, each: Pass, counts: list[int], colour: int) -> Given:
        """For tiles of one colour, which are fitted to what the parts that there are lack."""
        windows = self._windows(parts)
        numbers = [number for number in each.of_colour(colour) if counts[number]]
        # The longest first, so that no worker ends late.
        numbers.sort(key=counts.__getitem__, reverse=True)

        def inputs() -> Iterator[TileInput]:
            for number in numbers:
                tile, count = each.tiles[number], counts[number]
                fixed, _ = windows.window(*tile.window.rectangle)
                yield replace(
                    self._plain(tile, 1 + number),
                    count=count,
                    # Those that take the places of neighbours still to come are left out again.
                    window_count=count
                    + math.ceil(count * (tile.window.area - tile.free.area) / tile.core.area),
                    fixed=fixed,
                )

        return Given(numbers, inputs())

    def joint_pass(self, parts: Parts, each: Pass, index: int, colour: int) -> Given:
        """For tiles of one colour, whose parts move again, among those of their neighbours."""
        windows = self._windows(parts)
        owner = find_owners(windows, each, colour)
        counts = (owner + 1).bincount(minlength=len(each.tiles) + 1).tolist()
        some = enumerate(torch.split(owner.argsort(stable=True), counts), start=-1)
        members = {number: indices for number, indices in some if number >= 0 and len(indices)}
        numbers = sorted(members, key=lambda number: -len(members[number]))

        def inputs() -> Iterator[TileInput]:
            for number in numbers:
                tile = each.tiles[number]
                box = tile.window.rectangle
                own = owner[windows.touching(*box)] == number
                local, _ = windows.window(*box)
                yield replace(
                    self._plain(tile, 1 + index * len(each.tiles) + number),
                    count=len(members[number]),
                    window_count=len(members[number]),
                    steps=each.steps,
                    own={name: tensor[..., own] for name, tensor in local.items()},
                    fixed={name: tensor[..., ~own] for name, tensor in local.items()},
                )

        return Given(numbers, inputs(), members)

    def counts(self, coarse: Parts, tiles: list[Tile]) -> list[int]:
        """The parts of each tile: by its area times the root mean square of what it lacks."""
        windows, errors = self._windows(coarse), []
        for tile in tiles:
            tensors, canvas = windows.window(*tile.core.rectangle)
            image = draw(
                replace(self.job.start, tensors=tensors),
                self.job.plan.primitive,
                canvas,
                device=self.job.device,
                backend=self.job.backend,
            )
            lack = self._goal(tile.core).permute(2, 0, 1).float() / 255 - image
            errors.append(tile.core.area * math.sqrt(float(lack.square().mean())))
        return _shares((self.job.plan.count or 1) - coarse["xy"].shape[1], errors)

    def _windows(self, parts: Parts) -> Windows:
        return Windows(self.job.plan.primitive, parts, self.picture.canvas)

    def _goal(self, box: Box) -> Tensor:
        return torch.from_numpy(
            self.picture.image[box.top : box.bottom, box.left : box.right].copy()
        )

    def _plain(self, tile: Tile, seed: int) -> TileInput:
        """The pixels of a tile, for no parts yet."""
        window, free = tile.window, tile.free
        left, top = window.left, window.top
        return TileInput(
            goal=self._goal(window),
            span=self.picture.canvas.span,
            seed=derived_seed(self.job.recipe.seed, "tile", seed),
            free=(free.left - left, free.top - top, free.right - left, free.bottom - top),
        )


def _shares(total: int, weights: list[float]) -> list[int]:
    """Whole numbers that sum to `total`, in proportion to the weights: largest remainders."""
    scale = total / (sum(weights) or 1.0)
    exact = [weight * scale for weight in weights]
    counts = [math.floor(each) for each in exact]
    order = sorted(range(len(exact)), key=lambda index: counts[index] - exact[index])
    for index in itertools.islice(itertools.cycle(order), total - sum(counts)):
        counts[index] += 1
    return counts
