"""The passes of a fit in tiles: one on the reduced picture, one tile by tile, then across seams."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from artgen.raster import Windows
from artgen.recipe import Stage, TilesTable
from artgen.runs.kinds.tiles.grid import Box, Tile, make_grid
from artgen.runs.kinds.tiles.tile import joint_stage
from artgen.values.canvas import Canvas


@dataclass(frozen=True)
class Pass:
    """The tiles of a pass, and the steps of each; the first pass begins without parts."""

    name: str
    tiles: list[Tile]
    steps: int
    joint: bool

    def of_colour(self, colour: int) -> list[int]:
        """The numbers of the tiles of a colour."""
        return [number for number, tile in enumerate(self.tiles) if tile.colour == colour]


def make_passes(table: TilesTable, canvas: Canvas, stage: Stage) -> list[Pass]:
    """All passes, that of the reduced picture first, as one tile."""
    steps, joint = stage.steps or 1, joint_stage(stage, table.steps).steps or 1
    whole = Box(0, 0, canvas.width, canvas.height)
    # Windows of 0.3 were wider where the margin is capped, so its tiles are not gone on from.
    name = "pass" if 8 * table.margin <= 3 * table.side else "narrow"
    passes = [Pass("coarse", [Tile(whole, whole, 0)], steps, False)]
    for number in range(table.passes + 1):
        tiles = make_grid_of_pass(table, canvas, number)
        passes.append(Pass(f"{name}-{number}", tiles, joint if number else steps, bool(number)))
    return passes


def make_grid_of_pass(table: TilesTable, canvas: Canvas, number: int) -> list[Tile]:
    """The tiles of the first pass, 0, or of a joint pass."""
    return make_grid(canvas, table.side, table.margin, shifted=number % 2 == 1)


def find_owners(windows: Windows, each: Pass, colour: int) -> Tensor:
    """The tile of a colour that moves each part, int64 [N]; -1: none, or it reaches beyond."""
    xy, canvas = windows.tensors["xy"].double(), windows.canvas
    size = torch.tensor([[canvas.width], [canvas.height]]).double()
    x, y = ((xy * canvas.span + size) / 2).clamp_min(0).minimum(size - 1e-6).long()
    columns, rows = (torch.full((int(length),), -1) for length in size)
    in_row = sum(tile.core.top == each.tiles[0].core.top for tile in each.tiles)
    for number in each.of_colour(colour):
        box = each.tiles[number].joined
        rows[box.top : box.bottom], columns[box.left : box.right] = divmod(number, in_row)
    row, column = rows[y], columns[x]
    known = (row >= 0) & (column >= 0)
    owner = (row * in_row + column).where(known, 0)
    boxes = [tile.window for tile in each.tiles]
    edges = torch.tensor([(box.left, box.right, box.top, box.bottom) for box in boxes])
    low, high = edges[owner][:, ::2], edges[owner][:, 1::2]
    first, end = windows.boxes[:, ::2], windows.boxes[:, 1::2]
    # Boxes end at the edge of the picture, and a part outside has none.
    inside = ((first >= low) & (end <= high) & (first < end)).all(1)
    return owner.where(inside & known, -1)
