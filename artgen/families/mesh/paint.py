"""Paint meshes by exact area, with gradients by vertices and colours.

Both the picture and its gradients follow from the edges alone: see `kernels`. The picture
changes with a vertex for two reasons. Where colours differ across an edge, the edge sweeps over
pixels. Where the colour inside a triangle is not constant, its slope changes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.faults import broken
from artgen.compiler import kernel_cache
from artgen.compiler.threads import share, thread_count
from artgen.families.mesh.contract import Floats, Integers, Mesh, on_frame
from artgen.raster.edges import edge_lines
from artgen.raster.painting import BLACK, paint
from artgen.raster.sampling import cut_strips
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour

SLIVER = 1e-2
"""Area in pixels below which a triangle has one colour: the slope of a narrower one is huge."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of triangles: `ends` [E, 2] are their vertices.

    Side k of a triangle, from its corner k to the next one, is edge `sides[t, k]`, followed in its
    own direction where `signs[t, k]` is 1, else -1.
    """

    ends: Tensor
    sides: Tensor
    signs: Tensor

    @classmethod
    def of(cls, triangles: Tensor) -> Edges:
        """Find the edges of the triangles [T, 3]."""
        corners = triangles.numpy()
        starts, stops = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
        number = int(corners.max(initial=0)) + 1
        codes = np.minimum(starts, stops) * number + np.maximum(starts, stops)
        codes, sides = np.unique(codes, return_inverse=True)
        signs = np.where(starts < stops, 1, -1)
        ends = np.stack(np.divmod(codes, number), axis=1)
        each = (ends, sides.reshape(-1, 3), signs.reshape(-1, 3))
        return cls(*(torch.from_numpy(np.ascontiguousarray(array)) for array in each))


@dataclass(frozen=True, eq=False)
class Triangulation:
    """The triangles of a mesh on a canvas.

    `places` [N, 2] are in pixels from the upper left corner, differentiable by `xy`; `triangles`
    [T, 3] are vertices, whose corners turn from x to y, and `colours` [T, 3] the numbers of the
    colours at their corners.
    """

    places: Tensor
    triangles: Tensor
    colours: Tensor
    edges: Edges


def triangulate(mesh: Mesh, xy: Tensor, canvas: Canvas) -> Triangulation:
    """Find the triangles between the vertices `xy` [2, N], in canvas units, and their edges."""
    framed = on_frame(xy, canvas)[0].double().T
    corners, colours, edges = _connect(mesh, framed.detach().numpy().tobytes())
    places = (framed + framed.new_tensor(canvas.reach)) / canvas.pixel
    return Triangulation(places, corners, colours, edges)


@functools.lru_cache(maxsize=1)
def _connect(mesh: Mesh, xy: bytes) -> tuple[Tensor, Tensor, Edges]:
    """Find triangles, their colours and edges; `xy` holds the points, float64 [N, 2], as bytes.

    A step begins with the vertices for which the one before solved for colours.
    """
    points = np.frombuffer(bytearray(xy)).reshape(-1, 2)
    triangles = mesh.triangulate(points)
    turned = (areas(torch.from_numpy(points[triangles])) < 0).numpy()
    triangles = np.where(turned[:, None], triangles[:, [0, 2, 1]], triangles)
    colours = torch.from_numpy(_corner_colours(mesh, points, triangles))
    corners = torch.from_numpy(np.ascontiguousarray(triangles))
    return corners, colours, Edges.of(corners)


def _corner_colours(mesh: Mesh, points: Floats, triangles: Integers) -> Integers:
    """The numbers of the colours at corners. Raises PluginError where they are none."""
    gave, most = mesh.corner_colours(points, triangles), len(points) * mesh.colours_per_vertex
    array = np.asarray(gave)
    fits = array.shape == triangles.shape and array.dtype.kind in "iu"
    if not fits or (array.size and not 0 <= array.min() <= array.max() < most):
        what, hint = type(mesh), f"return int64 [{len(triangles)}, 3], of 0 to {most - 1}"
        problem = f"gave {array.dtype} {list(array.shape)}, which numbers no colours"
        raise broken(f"corner_colours of {what.__name__}", what.corner_colours, problem, hint)
    return array.astype(np.int64, copy=False)


def areas(corners: Tensor) -> Tensor:
    """The areas of triangles with `corners` [T, 3, 2] that turn from x to y, [T]."""
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]) / 2


@paint.register(Mesh)
def paint_mesh(
    mesh: Mesh,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    *,
    background: Colour = BLACK,
    transparent: bool = False,
    **_: object,
) -> Tensor:
    """Draw a mesh by area, on the CPU, differentiably; triangles that are clear show what is below.

    If `transparent`, the result has 4 channels.
    """
    found, colour = triangulate(mesh, tensors["xy"], canvas), tensors["colour"]
    clear = clear_colours(mesh, colour)
    below = colour.new_tensor(background)[:, None].repeat(len(colour) // 3, 1)
    if not transparent:
        return draw_mesh(found, torch.where(clear, below, colour), canvas, background)
    seen = (~clear).to(colour)
    alpha = draw_mesh(found, seen, canvas)[:1]
    # Premultiplied, so that edges have the colour of the triangles that are seen.
    return torch.cat([draw_mesh(found, seen * colour, canvas) / alpha.clamp_min(1e-6), alpha])


def clear_colours(mesh: Mesh, colour: Tensor) -> Tensor:
    """Which of the colours [3·K, N] of vertices are no colours, but leave a triangle out: bool."""
    per_corner = colour.reshape(len(colour) // 3, 3, colour.shape[1])
    clear = (per_corner == mesh.clear).all(1, keepdim=True)
    return clear.expand(-1, 3, -1).reshape(colour.shape)


@edge_lines.register(Mesh)
def _edges(mesh: Mesh, tensors: Mapping[str, Tensor], canvas: Canvas) -> NDArray[np.float64]:
    """The sides of all triangles that are not clear."""
    found = triangulate(mesh, tensors["xy"], canvas)
    corner = np.tile(canvas.reach, 2)
    shown = Edges.of(found.triangles[shown_triangles(mesh, found, tensors["colour"])])
    ends: NDArray[np.float64] = _ends(found.places, shown) * canvas.pixel - corner
    return ends


def shown_triangles(mesh: Mesh, found: Triangulation, colour: Tensor) -> Tensor:
    """Which triangles are not clear, given the colours [3·K, N] of vertices: bool [T]."""
    return ~colour_table(clear_colours(mesh, colour))[found.colours].all(2).all(1)


def draw_mesh(
    found: Triangulation,
    colour: Tensor,
    canvas: Canvas,
    background: Colour = BLACK,
) -> Tensor:
    """Draw triangles with the colours [3·K, N] of their vertices: float32 [3, height, width]."""
    planes = _planes(found, colour)
    planes = planes - planes.new_tensor([[value, 0.0, 0.0] for value in background])
    return _draw(found.places, planes, found, canvas, background)


def integrate_field(places: Tensor, edges: Edges, field: Tensor) -> Tensor:
    """Integrate a field [channels, height, width] over triangles: float64 [T, channels, 3].

    The last axis holds the integrals of the field, of x times and of y times the field, in pixels.
    `places` [N, 2] are those of the vertices, in pixels. Triangles may overlap.
    """
    return integrate_sides(places, edges, field).sum(1)


def integrate_sides(places: Tensor, edges: Edges, field: Tensor) -> Tensor:
    """Integrate left of each side of triangles, which add up: float64 [T, 3, channels, 3]."""
    along = integrate_along(_ends(places, edges), field)
    return along[edges.sides] * edges.signs[:, :, None, None]


def integrate_along(ends: Floats, field: Tensor) -> Tensor:
    """Integrate a field left of edges, `ends` [E, 4] in pixels: float64 [E, channels, 3]."""
    values = np.ascontiguousarray(field.detach().numpy(), np.float32)
    return _added_up(_kernels().integrate, ends, values)


def corner_integrals(found: Triangulation, moments: Tensor) -> Tensor:
    """Integrate a field times each corner's barycentric coordinate: float64 [T, 3, channels].

    `moments` is its `integrate_field`. That is what a corner's colour contributes to the sum of the
    field times the picture.
    """
    weights = _barycentric(found.places.detach()[found.triangles])
    return torch.einsum("tki,tci->tkc", weights, moments)


def fill_holes(found: Triangulation) -> tuple[Tensor, Tensor]:
    """Triangulate what each vertex would leave: triangles [M, 3], and the vertex of each, [M]."""
    places = np.ascontiguousarray(found.places.detach().numpy())
    filled, vertices = _kernels().fill_holes(places, found.triangles.numpy())
    return torch.from_numpy(filled), torch.from_numpy(vertices)


def colour_table(colour: Tensor) -> Tensor:
    """Arrange the colours of vertices [3·K, N] by their numbers, [N·K, 3]."""
    number, count = len(colour) // 3, colour.shape[1]
    return colour.reshape(number, 3, count).permute(2, 0, 1).reshape(number * count, 3)


def from_table(table: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo `colour_table`: arrange colours [N·K, 3] in the `shape` [3·K, N]."""
    number, count = shape[0] // 3, shape[1]
    return table.reshape(count, number, 3).permute(1, 2, 0).reshape(tuple(shape))


def _planes(found: Triangulation, colour: Tensor) -> Tensor:
    """The colour of each triangle as a + b·x + c·y, float64 [T, 3 channels, 3]."""
    corners = colour_table(colour).double()[found.colours]
    return torch.einsum("tki,tkc->tci", _barycentric(found.places[found.triangles]), corners)


def _barycentric(corners: Tensor) -> Tensor:
    """The barycentric coordinates of triangles [T, 3, 2] as a + b·x + c·y, [T, 3 corners, 3].

    A third each in slivers.
    """
    x, y = corners.roll(-1, 1).unbind(-1)
    u, v = corners.roll(-2, 1).unbind(-1)
    # Twice the area of the triangle between a point and the side opposite of a corner.
    rows = torch.stack([x * v - y * u, y - v, u - x], -1)
    double = rows[:, :, 0].sum(1)[:, None, None]
    thin = double < 2 * SLIVER
    third = rows.new_tensor([1 / 3, 0.0, 0.0])
    return torch.where(thin, third, rows / torch.where(thin, 1.0, double))


class _Drawn(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        places: Tensor,
        planes: Tensor,
        found: Triangulation,
        canvas: Canvas,
        background: Colour,
    ) -> Tensor:
        edges = found.edges
        jumps = torch.zeros((len(edges.ends), 3, 3), dtype=torch.float64)
        signed = -edges.signs[:, :, None, None] * planes[:, None]
        jumps.index_add_(0, edges.sides.reshape(-1), signed.reshape(-1, 3, 3))
        context.found, context.jumps = found, jumps.numpy()
        image = np.empty((3, canvas.height, canvas.width), np.float32)
        arrays = (_ends(places, edges), context.jumps, np.array(background, np.float64), image)
        share(lambda rows: _kernels().draw(*arrays, *rows), cut_strips(canvas.height))
        return torch.from_numpy(image)

    @staticmethod
    def backward(context: Any, incoming: Tensor) -> tuple[Tensor | None, ...]:
        found = context.found
        by_planes = integrate_field(found.places, found.edges, incoming)
        light = np.ascontiguousarray(incoming.numpy(), np.float32)
        ends = _ends(found.places, found.edges)
        by_ends = _added_up(_kernels().move, ends, context.jumps, light)
        by_places = torch.zeros_like(found.places)
        by_places.index_add_(0, found.edges.ends.reshape(-1), by_ends.reshape(-1, 2))
        return by_places, by_planes, None, None, None


_draw: Callable[..., Tensor] = _Drawn.apply
_kernels = functools.partial(kernel_cache.load_shipped, "families.mesh.kernels", of="meshes")


def _added_up(kernel: Callable[..., Any], *arrays: NDArray[Any]) -> Tensor:
    """What a kernel gives of each strip of a picture, the last of its arrays: the sum, in order.

    Of some strips at a time, as each has a row for every edge.
    """
    strips, together, total = cut_strips(arrays[-1].shape[1]), 4 * thread_count(), np.zeros(())
    for first in range(0, len(strips), together):
        some = share(lambda rows: kernel(*arrays, *rows), strips[first : first + together])
        total = functools.reduce(np.add, some, total)
    return torch.from_numpy(total)


def _ends(places: Tensor, edges: Edges) -> NDArray[np.float64]:
    """Both ends of each edge, [E, 4]."""
    return places.detach()[edges.ends].reshape(-1, 4).numpy()
