"""The reference backend: plain torch, tile by tile, in pieces of bounded memory, on any device.

Tiles with similar numbers of splats are evaluated together as one batch [tiles, splats, side,
side]. Backward evaluates each piece again instead of keeping it, so memory does not grow with the
number of splats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from artgen.compiler.footprints import HIDDEN, OPAQUE, check_colours, wrong_result
from artgen.compiler.vjp import vjp
from artgen.families.splat.contract import Splat
from artgen.families.splat.tiles import Tiles, choose_side, find_extent
from artgen.primitives import Params
from artgen.raster.backend import Memory
from artgen.values.canvas import Canvas


def draw_features(
    splat: Splat,
    tensors: Mapping[str, Tensor],
    features: Tensor,
    canvas: Canvas,
    memory: Memory,
    side: int | None = None,
    *,
    over: bool = False,
) -> Tensor:
    """∑ᵢ (wᵢ(x) − far)·featuresᵢ inside the ellipses, [C, height, width]; `features` is [C, N].

    The first three of at least three features are a colour, which `Splat.colours` multiplies.

    With `over`, alpha compositing, the first splat in front: the last feature is the opacity, alpha
    = opacity·w, at most OPAQUE, and the last channel is transmittance. What is behind all but
    HIDDEN of the light is not drawn. Differentiable in `tensors` and `features`, not in the order.
    """
    count = features.shape[1]
    # Parameters of the framework are not those of the footprint, and visibility is per pixel.
    added = splat.framework_params - {"visibility"}
    shapes = {name: each.shape[:-1] for name, each in tensors.items() if name not in added}
    flat = [tensors[name].reshape(shape.numel(), count) for name, shape in shapes.items()]
    packed = torch.cat([*flat, features])
    with torch.no_grad():
        extent = find_extent(splat, tensors)
        side = side or choose_side(extent.radius, canvas)
        tiles = Tiles(tensors["xy"], extent.radius, canvas, side)
        rows = _Rows(tiles, memory.evaluations)
        frame = extent.frame.to(packed.dtype)
    evaluation = _Evaluation(splat, shapes, frame, canvas, tiles, rows, memory, over)
    return evaluation.assemble(_evaluate(packed, evaluation), features.shape[0])


class _Rows:
    """Runs of the tiles' splat lists, sorted by length: a tile, or a part of one too long to hold.

    Row r holds `count[r]` pairs from `start[r]` on, for tile `tile[r]`, of which it is part number
    `part[r]`.
    """

    def __init__(self, tiles: Tiles, evaluations: int) -> None:
        longest = max(1, evaluations // tiles.side**2)
        tile = tiles.count.nonzero()[:, 0]
        count = tiles.count[tile]
        start = (tiles.count.cumsum(0) - tiles.count)[tile]
        parts = torch.div(count + longest - 1, longest, rounding_mode="floor")
        row = torch.repeat_interleave(parts)
        part = torch.arange(len(row), device=row.device) - (parts.cumsum(0) - parts)[row]
        count = (count[row] - part * longest).clamp_max(longest)
        self.count, order = torch.sort(count, descending=True, stable=True)
        row, self.part = row[order], part[order]
        self.tile, self.start = tile[row], start[row] + self.part * longest


@dataclass(frozen=True)
class _Evaluation:
    """The data that all pieces of a picture share."""

    splat: Splat
    shapes: dict[str, torch.Size]
    frame: Tensor
    canvas: Canvas
    tiles: Tiles
    rows: _Rows
    memory: Memory
    over: bool

    def pieces(self) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Batches of R rows with up to K splats each.

        Which rows, their splats [R, K], and the frames [4, R, K] of those; NaN where a row is
        shorter.
        """
        rows, area = self.rows, self.tiles.side**2
        lengths = rows.count.tolist()
        first = 0
        while first < len(lengths):
            longest = lengths[first]
            some = slice(first, first + max(1, self.memory.evaluations // (longest * area)))
            place = torch.arange(longest, device=rows.count.device)
            last = rows.count[some, None] - 1
            splat = self.tiles.splat[rows.start[some, None] + torch.minimum(place, last)]
            yield some, splat, self.frame[:, splat].where(place <= last, torch.nan)
            first = some.stop

    def _checked(self, values: object, expected: tuple[int, ...], method: str, what: str) -> Tensor:
        """Return what a method gave, of any dtype, in that of the frames.

        Raises PluginError if the values do not broadcast to this shape.
        """
        found, rank = type(values).__name__, len(expected)
        if isinstance(values, Tensor):
            found = f"a tensor of shape {list(values.shape)}"
            padded = (1,) * (rank - values.dim()) + tuple(values.shape)
            if len(padded) == rank and all(map(lambda a, b: a in (1, b), padded, expected)):
                return values.to(self.frame.dtype)
        hint = "combine dx, dy and the components of p element by element"
        raise wrong_result(self.splat, method, found, f"{what}, {list(expected)}", hint)

    def evaluate(self, gathered: Tensor, tile: Tensor, frame: Tensor) -> Tensor:
        """One piece: parameters and features [D, R, K] to pixels [R, C, side²]."""
        side, dtype = self.tiles.side, gathered.dtype
        span = self.canvas.span
        inside = torch.arange(side, device=gathered.device)
        column = (tile % self.tiles.columns)[:, None] * side + inside
        row = torch.div(tile, self.tiles.columns, rounding_mode="floor")[:, None] * side + inside
        x = ((2 * column + 1 - self.canvas.width).double() / span).to(dtype)
        y = ((2 * row + 1 - self.canvas.height).double() / span).to(dtype)

        values: dict[str, Tensor] = {}
        first = 0
        for name, shape in self.shapes.items():
            value = gathered[first : first + shape.numel()]
            values[name] = value.reshape(*shape, *value.shape[1:], 1, 1)
            first += shape.numel()
        features = gathered[first:].transpose(0, 1)
        # dx varies along the last axis only and dy along the one before it, so whatever a
        # footprint computes from one of them costs `side`, not `side`², evaluations.
        dx = x[:, None, None, :] - values["xy"][0]
        dy = y[:, None, :, None] - values["xy"][1]
        p = Params(values)
        p.pixel = values.get("pixel", dx.new_tensor(self.canvas.pixel))
        places = (*dx.shape[:2], side, side)
        given, factors = self.splat.footprint(dx, dy, p), self.splat.colours(dx, dy, p)
        weight = self._checked(given, places, "footprint", "one weight per offset") - self.splat.far
        colours = [
            self._checked(factor, places, "colours", "one factor per offset")
            for factor in check_colours(self.splat, factors)
        ]
        frame = frame[..., None, None]
        u, v = frame[0] * dx + frame[1] * dy, frame[2] * dx + frame[3] * dy
        # NaN compares false: nothing is drawn where a row has no more splats.
        weight = torch.where(u * u + v * v <= 1, weight, 0)
        if self.splat.options.visibility == "buffer":
            weight = weight * self._visibility(values["visibility"], column, row)
        weight = weight.flatten(2)
        if not self.over:
            return _summed(features, weight, colours)
        alpha = (features[:, -1, :, None] * weight).clamp(0, OPAQUE)
        # Of a tile in several parts, each is drawn as if it were the first one.
        alpha = alpha.where(_before(alpha.detach()) >= HIDDEN, 0)
        before, through = _before(alpha), torch.cumprod(1 - alpha, dim=1)
        return torch.cat(
            [_summed(features[:, :-1], alpha * before, colours), through[:, -1:]], dim=1
        )

    def _visibility(self, cells: Tensor, column: Tensor, row: Tensor) -> Tensor:
        """Return the visibility of each splat at the pixels of its tile, [R, K, side, side].

        That in its `cells` is [size, size, R, K, 1, 1].
        """
        cells, size = cells[..., 0, 0], len(cells)
        across = _between(column, self.canvas.width, size).to(cells)
        down = _between(row, self.canvas.height, size).to(cells)
        return torch.einsum("rps,strk,rqt->rkpq", down, cells, across)

    def assemble(self, values: Tensor, channels: int) -> Tensor:
        """Pixels of all rows [rows, C, side²] to the picture [C, height, width].

        Parts of a tile add up or, for `over`, lie behind one another.
        """
        tiles, side = self.tiles, self.tiles.side
        pixels = values.new_zeros(tiles.rows * tiles.columns, channels, side**2)
        if self.over:
            pixels = self._stacked(pixels, values)
        else:
            pixels = pixels.index_add(0, self.rows.tile, values)
        grid = pixels.reshape(tiles.rows, tiles.columns, channels, side, side)
        image = grid.permute(2, 0, 3, 1, 4).reshape(
            channels, tiles.rows * side, tiles.columns * side
        )
        return image[:, : self.canvas.height, : self.canvas.width]

    def _stacked(self, empty: Tensor, values: Tensor) -> Tensor:
        """Composite the parts of every tile, front to back; the last channel is transmittance."""
        clear = torch.cat([empty[:, :-1], torch.ones_like(empty[:, -1:])], dim=1)
        front, tile, part = clear, self.rows.tile, self.rows.part
        for number in range(int(part.amax()) + 1 if len(part) else 0):
            some = part == number
            behind = clear.index_copy(0, tile[some], values[some])
            through = front[:, -1:]
            colour = front[:, :-1] + through * behind[:, :-1]
            front = torch.cat([colour, through * behind[:, -1:]], dim=1)
        return front


class _Evaluate(torch.autograd.Function):
    """Evaluate all rows piece by piece: without a graph forward, again with one backward."""

    @staticmethod
    def forward(ctx: Any, packed: Tensor, evaluation: _Evaluation) -> Tensor:
        ctx.evaluation = evaluation
        ctx.save_for_backward(packed)
        channels = packed.shape[0] - sum(shape.numel() for shape in evaluation.shapes.values())
        values = [packed.new_zeros(0, channels, evaluation.tiles.side**2)]
        for some, splat, frame in evaluation.pieces():
            tile = evaluation.rows.tile[some]
            values.append(evaluation.evaluate(_gather(packed, splat), tile, frame))
        return torch.cat(values)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        evaluation: _Evaluation = ctx.evaluation
        (packed,) = ctx.saved_tensors
        gradient = torch.zeros_like(packed)
        for some, splat, frame in evaluation.pieces():
            gathered = _gather(packed, splat).requires_grad_()
            with torch.enable_grad():
                value = evaluation.evaluate(gathered, evaluation.rows.tile[some], frame)
            (piece,) = vjp(value, [gathered], grad_outputs[0][some])
            assert piece is not None
            gradient.index_add_(1, splat.flatten(), piece.flatten(1))
        return gradient, None


_evaluate: Callable[..., Tensor] = _Evaluate.apply


def _between(pixel: Tensor, pixels: int, size: int) -> Tensor:
    """Weights of linear interpolation between cells for pixels [R, side]: [R, side, size]."""
    place = ((pixel + 0.5).double() * (size / pixels) - 0.5).clamp(0, size - 1)
    cell = torch.arange(size, device=pixel.device)
    return (1 - (place[..., None] - cell).abs()).clamp_min(0)


def _summed(features: Tensor, weight: Tensor, colours: Sequence[Tensor]) -> Tensor:
    """Sums [R, C, pixels] of features [R, C, K] times weights [R, K, pixels].

    `colours`, [R, K, side, side] or what broadcasts to that, are factors of the first three
    features, where there are so many.
    """
    if not colours or features.shape[1] < 3:
        return torch.bmm(features, weight)
    side = math.isqrt(weight.shape[-1])
    square = weight.reshape(*weight.shape[:2], side, side)
    first = [
        torch.bmm(features[:, c : c + 1], (square * factor).flatten(2))
        for c, factor in enumerate(colours)
    ]
    return torch.cat([*first, torch.bmm(features[:, 3:], weight)], dim=1)


def _before(alpha: Tensor) -> Tensor:
    """The light that gets to each splat: alpha [R, K, pixels], the first one in front."""
    through = torch.cumprod(1 - alpha, dim=1)
    return torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], dim=1)


def _gather(packed: Tensor, splat: Tensor) -> Tensor:
    """[D, N] at the indices [R, K]: [D, R, K]."""
    return packed.index_select(1, splat.flatten()).reshape(-1, *splat.shape)
