"""Mesh: triangles between vertices that move; their Delaunay triangulation follows them.

Inside a triangle the colour is linear in the position. A plugin says which colour each corner has::

    class Smooth(Mesh):
        \"\"\"Triangles with a colour at every vertex.\"\"\"

        def corner_colours(self, xy, triangles):
            return triangles

Triangles share their edges, so a mesh has no gaps and no overlaps, and fills the canvas.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.init import Context, on_detail
from artgen.primitives.edges import EdgeOptions
from artgen.primitives.params import Param
from artgen.primitives.primitive import Primitive
from artgen.rates import per_spacing
from artgen.recipe import Precision
from artgen.values.canvas import Canvas

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

NEAR_FRAME = 2e-4
"""Vertices this near to the outermost ones, as a share of the side, lie on the frame with them."""


class Mesh(Primitive):
    """N vertices, each with its place `xy` and `colours_per_vertex` colours, in `colour`.

    The triangles are those of Delaunay's triangulation, unless a plugin overrides `triangulate`.
    Row 3·k + c of `colour` [3·K, N] is channel c of a vertex's colour number k; over all vertices,
    colour number k of vertex i is number K·i + k.

    The outermost vertices lie on the frame of every canvas, and move along it only. The first four
    are its corners.
    """

    family: ClassVar[str] = "mesh"
    answers: ClassVar[str | None] = __package__
    always_compiled: ClassVar[bool] = True
    required: ClassVar[tuple[str, ...]] = ("corner_colours",)
    least_count: ClassVar[int] = 4
    can_densify: ClassVar[bool] = True
    """A new vertex changes only the triangles around it."""
    alpha_counts: ClassVar[float | None] = 1.0
    unrepeated: ClassVar[str | None] = "the frame holds its outermost vertices"
    Options: ClassVar[type[Any]] = EdgeOptions
    precisions: ClassVar[tuple[Precision, ...]] = ("fp32", "auto", "fp16")
    """Vertices on 256 steps along a side have other triangles, and flat ones other colours."""

    @property
    def colours_per_vertex(self) -> int:
        """The number K of colours that belong to a vertex. A plugin sets it or computes it."""
        return 1

    def corner_colours(self, xy: Floats, triangles: Integers) -> Integers:
        """Return the number of the colour at each corner of the `triangles`, int64 [T, 3].

        `xy` is float64 [N, 2] in canvas units; `triangles` [T, 3] holds indices of vertices.
        """
        raise NotImplementedError

    def triangulate(self, xy: Floats) -> Integers:
        """Return the triangles between the vertices `xy` [N, 2], int64 [T, 3].

        By default Delaunay's, of all vertices; none if they lie on a line. Of four on one circle,
        the choice does not depend on the order of the vertices.
        """
        from scipy.spatial import Delaunay, QhullError

        if len(xy) < 3 or not np.isfinite(xy).all():
            return np.empty((0, 3), np.int64)
        order = np.lexsort(xy.T)
        try:
            triangles: Integers = order[Delaunay(xy[order]).simplices]
        except QhullError:
            return np.empty((0, 3), np.int64)
        return triangles

    def declared_params(self) -> dict[str, Param]:
        """Return `xy`, on the frame and on details of the target, and `colour`."""
        return {
            "xy": Param(2, init=_on_frame_and_detail, lr=per_spacing(0.03)),
            "colour": Param(3 * self.colours_per_vertex, init=_colours_below, lr=0.01),
        }


def outermost(xy: Tensor) -> tuple[Tensor, Tensor]:
    """Return which coordinates of vertices [2, N] are the least, and the largest: bool [2, N]."""
    if xy.shape[1] == 0:
        return xy.bool(), xy.bool()
    low, high = xy.amin(1, keepdim=True), xy.amax(1, keepdim=True)
    near = NEAR_FRAME * (high - low)
    return xy <= low + near, xy >= high - near


def on_frame(xy: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """Move the outermost vertices [2, N] onto the frame, and return which coordinates these are.

    Both results are [2, N]. Coordinates on the frame have no gradient.
    """
    first, last = outermost(xy.detach())
    reach = xy.new_tensor(canvas.reach)[:, None].expand_as(xy)
    inside = torch.minimum(torch.maximum(xy, -reach), reach)
    return torch.where(first, -reach, torch.where(last, reach, inside)), first | last


def _on_frame_and_detail(context: Context, shape: tuple[int, ...]) -> Tensor:
    """The corners, some vertices on the sides as far apart as others, the rest on details."""
    x, y = context.canvas.reach
    count = shape[1]
    corners = torch.tensor([[-x, x, x, -x], [-y, -y, y, y]])[:, :count]
    spacing = 1.5 * math.sqrt(context.canvas.area / count)
    sides = []
    for first, second, length in zip(corners.T, corners.T.roll(-1, 0), (x, y, x, y), strict=False):
        number = max(0, min(int(2 * length / spacing), (count - 4) // 8))
        share = torch.arange(1, number + 1)[:, None] / (number + 1)
        sides.append((first + share * (second - first)).T)
    fixed = torch.cat([corners, *sides], 1)
    number = count - fixed.shape[1]
    rest = on_detail()(context, (2, max(1, number)))[:, :number]
    margin = torch.tensor([[x], [y]]) * (1 - 4 * NEAR_FRAME) - 0.5 * context.canvas.pixel
    return torch.cat([fixed, rest.clamp(-margin.clamp_min(0), margin.clamp_min(0))], 1)


def _colours_below(context: Context, shape: tuple[int, ...]) -> Tensor:
    """The colour of the target at each vertex, as often as a vertex has colours."""
    return context.target_colours(3, shape[1]).repeat(shape[0] // 3, 1)
