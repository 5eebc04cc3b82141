"""Which splats touch which tiles: the canvas is cut into square tiles, each with its splat list.

Only speed depends on this: a splat is `far` outside its ellipse whatever the tiles are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from artgen.compiler.footprints import wrong_result
from artgen.families.splat.contract import Splat
from artgen.primitives import Params
from artgen.values.canvas import Canvas

SLACK = 1e-3
"""In pixels: rounding must not lose one at the rim; each one is tested again."""


class Extent(NamedTuple):
    """Where splats end: half axes `along` and `across` (canvas units) and an angle, each [N]."""

    along: Tensor
    across: Tensor
    angle: Tensor

    @property
    def radius(self) -> Tensor:
        """Of the circle around the ellipse [N]; NaN where there is none."""
        drawn = (self.along >= 0) & (self.across >= 0) & self.angle.isfinite()
        return torch.maximum(self.along, self.across).where(drawn, torch.nan)

    @property
    def frame(self) -> Tensor:
        """[4, N]: with u = f₀·dx + f₁·dy and v = f₂·dx + f₃·dy, inside is where u² + v² ≤ 1.

        NaN, and so nowhere, where the radius is.
        """
        cosine, sine = torch.cos(self.angle), torch.sin(self.angle)
        # Of an ellipse without width only the centre is inside, which 1 / 0 would not say.
        along, across = (
            (1 / axis.clamp_min(1e-18)).where(axis >= 0, torch.nan) for axis in self[:2]
        )
        return torch.stack([cosine * along, sine * along, -sine * across, cosine * across])

    def offsets(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets from the centres [N, M] of points of the unit disc, [M] or [N, M]."""
        u, v = self.along[:, None] * u, self.across[:, None] * v
        cosine, sine = torch.cos(self.angle)[:, None], torch.sin(self.angle)[:, None]
        return cosine * u - sine * v, sine * u + cosine * v


def find_extent(splat: Splat, tensors: Mapping[str, Tensor]) -> Extent:
    """The ellipses of splats, without gradients, in the dtype of their centres."""
    count = tensors["xy"].shape[1]
    with torch.no_grad():
        axes = splat.ellipse(Params(tensors))
        _check_axes(splat, axes, count)
        along, across, angle = (axis.detach().to(tensors["xy"]).expand(count) for axis in axes)
    return Extent(along, across, angle)


def find_boxes(centres: Tensor, extent: Extent, canvas: Canvas) -> Tensor:
    """The pixels that each splat can reach, int32 [N, 4]: left, right, top, bottom.

    Right and bottom are the first ones outside. Nothing is reached from a centre that is not finite
    or where there is no extent. `centres` [N, 2] are in canvas units.
    """
    # An infinite axis times the cosine of a right angle would be NaN.
    along, across = (axis.double().clamp_max(1e9) * (canvas.span / 2) for axis in extent[:2])
    angle = extent.angle.double()
    cosine, sine = torch.cos(angle), torch.sin(angle)
    drawn = centres.isfinite().all(1) & (extent.radius >= 0)
    reaches = (
        torch.hypot(along * cosine, across * sine),
        torch.hypot(along * sine, across * cosine),
    )
    edges = []
    sizes = (canvas.width, canvas.height)
    for coordinate, reach, size in zip(centres.unbind(1), reaches, sizes, strict=True):
        pixel = (coordinate.double() * canvas.span + size) / 2
        edges.append((pixel - reach - SLACK).floor().clamp(0, size))
        edges.append(((pixel + reach + SLACK).floor() + 1).clamp(0, size))
    return torch.stack(edges, dim=1).where(drawn[:, None], 0).int()


def _check_axes(splat: Splat, axes: object, count: int) -> None:
    """Raise PluginError if a splat gives other than three numbers for each part."""
    shapes = [getattr(axis, "shape", None) for axis in axes] if isinstance(axes, tuple) else []
    if len(shapes) == 3 and all(shape in ((), (1,), (count,)) for shape in shapes):
        return
    name = "radius" if type(splat).ellipse is Splat.ellipse else "ellipse"
    wanted = f"a tensor [{count}]" if name == "radius" else f"three tensors [{count}]"
    found = ", ".join(str(list(shape)) if shape is not None else "no tensor" for shape in shapes)
    hint = "compute it from the parameters, element by element"
    raise wrong_result(splat, name, found or type(axes).__name__, wanted, hint)


class Tiles:
    """Pairs of a square tile and a splat whose circle touches it, sorted by tile and then by splat.

    `splat` [pairs] holds splat indices, `count` [rows * columns] the pairs of every tile in row
    order, `side` is the tile's side in pixels.

    `xy` [2, N] and `radius` [N] are in canvas units. Splats with NaN anywhere are listed nowhere.
    """

    def __init__(self, xy: Tensor, radius: Tensor, canvas: Canvas, side: int) -> None:
        columns, rows = -(-canvas.width // side), -(-canvas.height // side)
        # In units of pixels, measured from the corner of the canvas.
        x = (xy[0].double() * canvas.span + canvas.width) / 2
        y = (xy[1].double() * canvas.span + canvas.height) / 2
        reach = radius.double() * canvas.span / 2
        drawn = torch.isfinite(x) & torch.isfinite(y) & (reach >= 0)
        x, y = x.where(drawn, -1.0), y.where(drawn, -1.0)
        reach = reach.where(drawn, 0.0)

        left = ((x - reach) / side).floor().clamp(0, columns).long()
        right = ((x + reach) / side).floor().clamp(-1, columns - 1).long()
        top = ((y - reach) / side).floor().clamp(0, rows).long()
        bottom = ((y + reach) / side).floor().clamp(-1, rows - 1).long()
        wide = (right - left + 1).clamp_min(0)
        boxes = (wide * (bottom - top + 1).clamp_min(0)).where(drawn, 0)

        splat = torch.repeat_interleave(torch.arange(len(x), device=x.device), boxes)
        place = torch.arange(len(splat), device=x.device) - (boxes.cumsum(0) - boxes)[splat]
        wide = wide[splat].clamp_min(1)
        column = left[splat] + place % wide
        row = top[splat] + torch.div(place, wide, rounding_mode="floor")

        # The nearest point of the tile decides whether the circle reaches into it.
        gap_x = x[splat] - x[splat].clamp(column * side, (column + 1) * side)
        gap_y = y[splat] - y[splat].clamp(row * side, (row + 1) * side)
        touched = gap_x * gap_x + gap_y * gap_y <= reach[splat] ** 2 * (1 + 1e-6) + 1e-6
        tile = (row * columns + column)[touched]
        tile, order = torch.sort(tile, stable=True)
        self.splat = splat[touched][order]
        self.count = torch.bincount(tile, minlength=rows * columns)
        self.rows, self.columns, self.side = rows, columns, side


def choose_side(radius: Tensor, canvas: Canvas) -> int:
    """A tile side (8, 16, 32 or 64 pixels) near the median radius: small parts, small tiles."""
    if radius.numel() == 0:
        return 16
    pixels = float(radius.median()) / canvas.pixel
    return 8 if pixels < 12 else 16 if pixels < 32 else 32 if pixels < 96 else 64
