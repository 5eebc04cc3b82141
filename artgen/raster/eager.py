"""The reference backend: plain torch, tile by tile, in pieces of bounded memory, on any device.

Tiles with similar numbers of splats are evaluated together as one batch [tiles, splats, side,
side]. Backward evaluates each piece again instead of keeping it, so memory does not grow with the
number of splats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artgen.canvas import Canvas
from artgen.primitives import Params, Splat
from artgen.raster.tiles import Tiles, bin_splats, choose_side

__all__ = ["Memory", "accumulate", "composite"]


@dataclass(frozen=True)
class Memory:
    """How many footprint evaluations are held at a time; each takes some 100 bytes."""

    evaluations: int = 1 << 18

    def shrunk(self, share: float) -> Memory:
        """A bound that is `share` of this one."""
        return Memory(max(1 << 12, int(self.evaluations * share)))


def accumulate(
    splat: Splat,
    tensors: dict[str, Tensor],
    features: Tensor,
    canvas: Canvas,
    memory: Memory,
    side: int | None = None,
) -> Tensor:
    """The additive kernel: ∑ᵢ (wᵢ(x) − far)·featuresᵢ inside the radius, [C, height, width].

    `features` is [C, N]. Differentiable in `tensors` and `features`.
    """
    return _run(splat, tensors, features, canvas, memory, side, over=False)


def composite(
    splat: Splat,
    tensors: dict[str, Tensor],
    colour: Tensor,
    opacity: Tensor,
    canvas: Canvas,
    memory: Memory,
    side: int | None = None,
) -> Tensor:
    """Alpha compositing, the first splat in front: colour [C] and transmittance, [C + 1, h, w].

    `colour` is [C, N], `opacity` [N]; alpha = opacity·w. Differentiable in all of them, not in the
    order.
    """
    features = torch.cat([colour, opacity[None]])
    return _run(splat, tensors, features, canvas, memory, side, over=True)


def _run(
    splat: Splat,
    tensors: dict[str, Tensor],
    features: Tensor,
    canvas: Canvas,
    memory: Memory,
    side: int | None,
    over: bool,
) -> Tensor:
    names = [name for name in tensors if name not in ("colour", "z", "opacity")]
    count = features.shape[1]
    with torch.no_grad():
        radius = splat.radius(Params({name: tensors[name] for name in tensors}))
        radius = radius.detach().expand(count)
        side = side or choose_side(radius, canvas)
        tiles = bin_splats(tensors["xy"].detach(), radius, canvas, side)
    rows = [tensors[name].reshape(-1, count) for name in names]
    layout = {name: (row.shape[0], tensors[name].dim() == 1) for name, row in zip(names, rows)}
    packed = torch.cat([*rows, features])
    scene = _Scene(splat, layout, features.shape[0], radius, canvas, tiles, memory, over)
    image: Tensor = _Accumulate.apply(packed, scene)  # type: ignore[no-untyped-call]
    return image


@dataclass(frozen=True)
class _Scene:
    """What is the same for all pieces of one picture."""

    splat: Splat
    layout: dict[str, tuple[int, bool]]
    channels: int
    radius: Tensor
    canvas: Canvas
    tiles: Tiles
    memory: Memory
    over: bool

    def pieces(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Batches of rows: tile numbers [R], splat indices [R, K] and which of them are real.

        A row is a tile or, where it holds too many splats for the memory, a part of a tile.
        """
        tiles, evaluations = self.tiles, self.memory.evaluations
        device = tiles.count.device
        longest = max(1, evaluations // tiles.side**2)
        start = tiles.count.cumsum(0) - tiles.count
        tile = tiles.count.nonzero()[:, 0]
        start, count = start[tile], tiles.count[tile]
        if not self.over:
            parts = torch.div(count + longest - 1, longest, rounding_mode="floor")
            of = torch.repeat_interleave(torch.arange(len(tile), device=device), parts)
            part = torch.arange(len(of), device=device) - (parts.cumsum(0) - parts)[of]
            tile, start = tile[of], start[of] + part * longest
            count = (count[of] - part * longest).clamp_max(longest)
        count, order = torch.sort(count, descending=True, stable=True)
        tile, start = tile[order], start[order]
        lengths = count.tolist()
        first = 0
        while first < len(lengths):
            height = max(1, evaluations // (lengths[first] * tiles.side**2))
            some = slice(first, first + height)
            place = torch.arange(lengths[first], device=device)
            real = place < count[some, None]
            pair = (start[some, None] + place).clamp_max(len(tiles.splat) - 1)
            yield tile[some], tiles.splat[pair], real
            first += height

    def evaluate(self, gathered: Tensor, tile: Tensor, radius: Tensor) -> Tensor:
        """One piece: [D, R, K] parameters to [R, C, side²] pixels."""
        side, dtype = self.tiles.side, gathered.dtype
        shorter = min(self.canvas.width, self.canvas.height)
        inside = torch.arange(side, device=gathered.device)
        column = (tile % self.tiles.columns)[:, None] * side + inside
        row = torch.div(tile, self.tiles.columns, rounding_mode="floor")[:, None] * side + inside
        x = ((2 * column + 1 - self.canvas.width).double() / shorter).to(dtype)
        y = ((2 * row + 1 - self.canvas.height).double() / shorter).to(dtype)

        values: dict[str, Tensor] = {}
        first = 0
        for name, (size, flat) in self.layout.items():
            value = gathered[first : first + size, :, :, None, None]
            values[name] = value[0] if flat else value
            first += size
        features = gathered[first:]
        # dx varies along the last axis only and dy along the one before it, so whatever a
        # footprint computes from one of them costs `side`, not `side`², evaluations.
        dx = x[:, None, None, :] - values["xy"][0]
        dy = y[:, None, :, None] - values["xy"][1]
        weight = self.splat.footprint(dx, dy, Params(values)) - self.splat.far
        weight = torch.where(dx * dx + dy * dy <= radius[:, :, None, None] ** 2, weight, 0)
        weight = weight.flatten(2)
        if not self.over:
            return torch.bmm(features.permute(1, 0, 2), weight)
        alpha = (features[-1][:, :, None] * weight).clamp(0, 1)
        through = torch.cumprod(1 - alpha, dim=1)
        before = torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], dim=1)
        colour = torch.bmm(features[:-1].permute(1, 0, 2), alpha * before)
        return torch.cat([colour, through[:, -1:]], dim=1)

    def assemble(self, pixels: Tensor) -> Tensor:
        """[tiles, C, side²] to [C, height, width]."""
        side, channels = self.tiles.side, pixels.shape[1]
        grid = pixels.reshape(self.tiles.rows, self.tiles.columns, channels, side, side)
        image = grid.permute(2, 0, 3, 1, 4).reshape(
            channels, self.tiles.rows * side, self.tiles.columns * side
        )
        return image[:, : self.canvas.height, : self.canvas.width]

    def disassemble(self, image: Tensor) -> Tensor:
        """[C, height, width] to [tiles, C, side²], zero outside the canvas."""
        side, (rows, columns) = self.tiles.side, (self.tiles.rows, self.tiles.columns)
        padding = (0, columns * side - self.canvas.width, 0, rows * side - self.canvas.height)
        padded = torch.nn.functional.pad(image, padding)
        grid = padded.reshape(-1, rows, side, columns, side).permute(1, 3, 0, 2, 4)
        return grid.reshape(rows * columns, -1, side * side)


class _Accumulate(torch.autograd.Function):
    """Evaluates the scene piece by piece, twice: without a graph forward, with one backward."""

    @staticmethod
    def forward(ctx: Any, packed: Tensor, scene: _Scene) -> Tensor:
        ctx.scene = scene
        ctx.save_for_backward(packed)
        tiles = scene.tiles.rows * scene.tiles.columns
        pixels = packed.new_zeros(tiles, scene.channels, scene.tiles.side**2)
        if scene.over:
            pixels[:, -1] = 1
        for tile, splat, real in scene.pieces():
            radius = scene.radius[splat].where(real, -1.0)
            radius = radius.where(radius >= 0, -torch.inf).to(packed.dtype)
            value = scene.evaluate(_gather(packed, splat), tile, _outside(radius))
            if scene.over:
                pixels[tile] = value
            else:
                pixels.index_add_(0, tile, value)
        return scene.assemble(pixels).contiguous()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        scene: _Scene = ctx.scene
        (packed,) = ctx.saved_tensors
        gradient = torch.zeros_like(packed)
        grad_pixels = scene.disassemble(grad_outputs[0])
        for tile, splat, real in scene.pieces():
            radius = scene.radius[splat].where(real, -1.0).to(packed.dtype)
            gathered = _gather(packed, splat).requires_grad_()
            with torch.enable_grad():
                value = scene.evaluate(gathered, tile, _outside(radius))
            (piece,) = torch.autograd.grad(value, gathered, grad_pixels[tile])
            gradient.index_add_(1, splat.flatten(), piece.flatten(1))
        return gradient, None


def _gather(packed: Tensor, splat: Tensor) -> Tensor:
    return packed.index_select(1, splat.flatten()).reshape(-1, *splat.shape)


def _outside(radius: Tensor) -> Tensor:
    """NaN where there is no splat: its square compares false with every distance."""
    return radius.where(radius >= 0, torch.nan)
