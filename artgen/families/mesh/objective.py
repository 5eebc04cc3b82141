"""The objective of meshes: vertices follow gradients, colours are solved for.

For fixed vertices the colours of the least squared error are the solution of a sparse system of
equations, those of finite elements. So each step moves the vertices along the gradient of the
picture, finds their triangles anew, and solves for the colours. Another loss moves the vertices;
the colours are those of the squared error all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from artgen.base.errors import check_memory
from artgen.base.options import option
from artgen.engines.base import Problem, State
from artgen.engines.gradient.densify import Densification
from artgen.engines.gradient.device_steps import Survey
from artgen.engines.gradient.objective import Objective, PictureOptions, objective_of
from artgen.families.mesh.contract import Mesh, on_frame
from artgen.families.mesh.paint import (
    Edges,
    Triangulation,
    areas,
    clear_colours,
    colour_table,
    corner_integrals,
    draw_mesh,
    fill_holes,
    from_table,
    integrate_along,
    integrate_field,
    integrate_sides,
    triangulate,
)
from artgen.primitives import Primitive

STEPS = 400
"""More gained less than 0.1 dB."""

FEWEST = 8
"""The least number of vertices that a fit begins with: four are the corners."""

BYTES_PER_VERTEX = 5000
"""About what the factors of the system of equations take, as far as meshes are large."""

TINY = 1e-6
"""Colours of a smaller area, in pixels, are not solved for."""

NEAR_SIDE = 0.35
"""A new vertex this near to the frame, relative to the size of its triangle, is put on it."""

SPLITS = (
    *((1 / 3, 1 / 3, 1 / 3), (0.6, 0.2, 0.2), (0.2, 0.6, 0.2), (0.2, 0.2, 0.6)),
    *((0.1, 0.45, 0.45), (0.45, 0.1, 0.45), (0.45, 0.45, 0.1)),
)
"""Where new vertices are tried, in barycentric coordinates."""

SOLID = 0.99
"""From this share on, a triangle is opaque."""

EXACT = 0.9
"""From this share of the schedule on, colours are those of the least error of the drawn picture."""


class MeshObjective(Objective):
    """The picture of the mesh, in the colours of the least squared error."""

    @dataclass(frozen=True)
    class Options(PictureOptions):
        """Options of `gradient` for meshes."""

        beta1: float = option(0.5, "decay of the running mean of the gradient", low=0, high=0.99999)
        start: float = option(0.15, "share of the count that the fit starts with", low=1e-4, high=1)
        add: float = option(0.25, "share of vertices added in a round", low=0.01, high=10)
        move: float = option(
            0.3, "largest share of vertices moved in a round, where they gain more", low=0, high=0.5
        )
        every: float = option(0.02, "share of the steps between rounds", low=0.001, high=1)
        until: float = option(0.85, "share of the steps up to the last round", low=0, high=1)
        converge: float = option(
            0.0, "stop adding vertices when twice as many gain less than this, in dB", low=0
        )

    def __init__(self, problem: Problem, options: Any) -> None:
        assert isinstance(problem.primitive, Mesh)
        self.mesh = problem.primitive
        most = problem.count or self.mesh.count_of(problem.drawing)
        what, hint = f"a mesh of {most:,} vertices", "use a smaller --count"
        check_memory(BYTES_PER_VERTEX * most, what, hint)
        # Errors are those over what is clear: the ground only says what is seen beside it.
        plain = problem.target.clamp(0, 1) if problem.even is None else problem.even[2]
        super().__init__(replace(problem, even=None), options)
        alpha = (self.target + 1).sum(0) / (plain + 1).sum(0)
        self.seen = torch.cat([alpha[None], self.target + 1 - alpha])
        self.count = 0
        self.densification: MeshDensification = MeshDensification(self)

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Start with few vertices and add others while they gain enough."""
        return {"start": 1 / 16, "add": 0.35, "until": 0.85, "converge": 0.8}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Any, count: int) -> int:
        """The share `start`."""
        started: int = round(options.start * count)
        return min(count, max(FEWEST, started))

    @classmethod
    def default_steps(cls) -> int:
        """Few, as colours are solved for."""
        return STEPS

    @property
    def frozen(self) -> frozenset[str]:
        """Colours: they are solved for."""
        return frozenset({"colour"})

    def initial(self) -> dict[str, Tensor]:
        """The first drawing in the colours of the least error."""
        tensors = super().initial()
        return {**tensors, "colour": self._solve(tensors)}

    def backward(self, raw: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Set gradients; the colours of new vertices, and those around them, come first.

        A round may move vertices alone, which keeps their number.
        """
        count = raw["xy"].shape[1]
        if count != self.count or step in self.densification.rounds:
            with torch.no_grad():
                raw["colour"].copy_(self._solve(raw))
            self.count = count
        self.framed, self.on_frame = on_frame(raw["xy"].detach(), self.canvas)
        self.exact = self.problem.progress(step + 1) >= EXACT
        super().backward(raw, tensors, step)

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Keep vertices on or inside the frame, and solve for their colours."""
        inside = raw["xy"].new_tensor(self.canvas.reach)[:, None] - self.canvas.pixel / 2
        inside = inside.clamp_min(0)
        moved = raw["xy"].clamp(-inside, inside)
        raw["xy"].copy_(torch.where(self.on_frame, self.framed, moved))
        raw["colour"].copy_(self._solve(raw, exact=self.exact))

    def state_dict(self) -> State:
        """The number of vertices that have their colours too."""
        return super().state_dict() | {"coloured": self.count}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.count = int(state["coloured"])

    def _solve(self, tensors: Mapping[str, Tensor], *, exact: bool = False) -> Tensor:
        """The colours [3·K, N] of the least squared error for the vertices of `tensors`.

        It is that of the mesh itself, or of its drawn picture if `exact`.
        """
        found = triangulate(self.mesh, tensors["xy"].detach(), self.canvas)
        colour = solve_colours(found, tensors["colour"].detach(), self.target, self.weight)
        if exact:
            missing = self.target - draw_mesh(found, colour, self.canvas)
            colour = colour + solve_colours(found, torch.zeros_like(colour), missing, self.weight)
        if min(self.problem.drawing.background) < 0:
            colour = self._apart(found, colour)
        palette = self.problem.palette
        if palette is None:
            return colour
        table = colour_table(colour)
        nearest = from_table(palette[torch.cdist(table, palette).argmin(1)], colour.shape)
        return torch.where(clear_colours(self.mesh, colour), colour, nearest)

    def _apart(self, found: Triangulation, colour: Tensor) -> Tensor:
        """The colours of what each flat triangle shows, without what is transparent in it.

        What is mostly transparent is clear. Pixels count as much as is seen of them, so that thin
        triangles along an outline have the colour beside it.
        """
        weight = torch.ones_like(self.target[0]) if self.weight is None else self.weight
        fields = torch.cat([weight[None], weight * self.seen])
        sums = integrate_field(found.places.detach(), found.edges, fields)[:, :, 0]
        size, seen = sums[:, :1].clamp_min(TINY), sums[:, 1:2].clamp_min(TINY)
        table, each = colour_table(colour).double().clone(), found.colours[:, 0]
        inside = torch.where(seen > SOLID * size, table[each], sums[:, 2:] / seen).clamp(0, 1)
        table[each] = torch.where(seen < 0.5 * size, self.mesh.clear, inside)
        return from_table(table, colour.shape).to(colour)


def solve_colours(
    found: Triangulation, colour: Tensor, target: Tensor, weight: Tensor | None
) -> Tensor:
    """The colours [3·K, N] for which a mesh differs least from `target` [3, height, width].

    The sum of squares is that of the continuous mesh, with the mean `weight` [height, width] of
    each triangle. Colours that no corner has stay as they are in `colour`.
    """
    import scipy.sparse
    import scipy.sparse.linalg

    table = colour_table(colour).double().clone()
    moments = integrate_field(found.places, found.edges, fields_of(target, weight))
    corners = found.places.detach()[found.triangles]
    size = areas(corners) if weight is None else moments[:, 3, 0]
    right, sums = torch.zeros_like(table), corner_integrals(found, moments[:, :3])
    right.index_add_(0, found.colours.reshape(-1), sums.reshape(-1, 3))
    # Of the products of two barycentric coordinates the mean over a triangle is 1/12, or 1/6.
    shares = size[:, None, None] * (1 + torch.eye(3, dtype=torch.float64)) / 12
    rows = found.colours[:, :, None].expand(-1, 3, 3).reshape(-1)
    columns = found.colours[:, None].expand(-1, 3, 3).reshape(-1)
    each = (len(table), len(table))
    matrix = scipy.sparse.csc_array((shares.reshape(-1), (rows, columns)), shape=each)
    used = torch.from_numpy(matrix.diagonal() > TINY).nonzero()[:, 0]
    some = matrix[used.numpy()][:, used.numpy()]
    table[used] = torch.from_numpy(scipy.sparse.linalg.spsolve(some, right[used].numpy()))
    return from_table(table, colour.shape).to(colour)


def fields_of(target: Tensor, weight: Tensor | None) -> Tensor:
    """The target [3, height, width], or the weighted one with the weight below it."""
    return target if weight is None else torch.cat([target * weight, weight[None]])


class MeshDensification(Densification):
    """Removes the vertices that are missed least, and adds others where they gain most.

    Both are measured by how much better a triangle is approximated by one colour, or by one that is
    linear in the position, if it is divided otherwise.
    """

    primitive: Mesh

    def survey(self, tensors: Mapping[str, Tensor]) -> Survey:
        """The picture alone."""
        return Survey(self.paint(tensors))

    def kept_parts(
        self, tensors: Mapping[str, Tensor], step: int, image: Tensor, worth: Tensor | None
    ) -> Tensor:
        """All vertices but those that gain more elsewhere; the corners of the picture stay."""
        found = self._triangulate(tensors)
        filled, vertices = fill_holes(found)
        cost = torch.zeros(len(found.places), dtype=torch.float64)
        _, gains, here = self._splits(found)
        cost.index_add_(0, found.triangles.reshape(-1), here.repeat_interleave(3))
        moments = integrate_field(
            found.places, Edges.of(filled), fields_of(self.target, self.weight)
        )
        cost.index_add_(0, vertices, -self._explained(found, found.places[filled], moments))
        framed = on_frame(tensors["xy"], self.problem.drawing.canvas)[1]
        cost[framed.all(0)] = torch.inf
        cheapest = cost.argsort(stable=True)[: int(self.options.move * len(cost))]
        added = max(0, self._due(step) - len(cost))
        gain = gains.sort(descending=True).values[added:]
        moved = min(len(cheapest), len(gain))
        better = int((gain[:moved] > cost[cheapest[:moved]]).sum())
        return cost.argsort(stable=True)[better:].sort().values

    def new_parts(
        self, count: int, tensors: Mapping[str, Tensor], kept: Tensor, image: Tensor, step: int
    ) -> dict[str, Tensor]:
        """Vertices in the triangles where they gain most, at most one in each."""
        canvas = self.problem.drawing.canvas
        some = {name: tensor[..., kept] for name, tensor in tensors.items()}
        found = self._triangulate(some)
        points, gain, _ = self._splits(found)
        best = gain.argsort(descending=True, stable=True)[:count]
        reach = torch.tensor(canvas.reach, dtype=torch.float64)
        place = points[best] * canvas.pixel - reach
        side = NEAR_SIDE * canvas.pixel * areas(found.places[found.triangles[best]]).sqrt()
        place = torch.where(reach - place.abs() < side[:, None], place.sign() * reach, place)
        colour = torch.zeros(len(tensors["colour"]), len(best))
        return {"xy": place.T.float(), "colour": colour}

    def _triangulate(self, tensors: Mapping[str, Tensor]) -> Triangulation:
        return triangulate(self.primitive, tensors["xy"], self.problem.drawing.canvas)

    def _splits(self, found: Triangulation) -> tuple[Tensor, Tensor, Tensor]:
        """The best point to divide each triangle at, [T, 2] in pixels, and its gain, [T].

        Last comes what is explained without it, [T].
        """
        fields, corners = fields_of(self.target, self.weight), found.places[found.triangles]
        sides = integrate_sides(found.places, found.edges, fields)
        before = self._explained(found, corners, sides.sum(1))
        points = torch.einsum("wk,tki->wti", corners.new_tensor(SPLITS), corners)
        gains = []
        for point in points:
            middle = point[:, None].expand(-1, 3, -1)
            ends = torch.cat([corners, middle], -1).reshape(-1, 4).numpy()
            spokes = integrate_along(ends, fields).reshape(sides.shape)
            parts = torch.stack([corners, corners.roll(-1, 1), middle], 2).flatten(0, 1)
            moments = torch.stack([sides, spokes.roll(-1, 1), -spokes], 2).flatten(0, 1).sum(1)
            after = self._explained(found, parts, moments).reshape(-1, 3).sum(1)
            gains.append(after - before)
        gain, best = torch.stack(gains).max(0)
        return points[best, torch.arange(len(best))], gain, before

    def _explained(self, found: Triangulation, corners: Tensor, moments: Tensor) -> Tensor:
        """The part of the squared target that the best colour of each triangle explains, [T].

        That is the integral of the square of the colour, which is one for the whole triangle, or
        linear in the position where those of the mesh `found` are. `corners` [T, 3, 2] are in
        pixels, and `moments` the integrals of the fields, see `integrate_field`.
        """
        size = areas(corners).clamp_min(TINY)
        density = torch.ones_like(size)
        if self.weight is not None:
            density = moments[:, 3, 0] / size
        moments = moments[:, :3]
        level, slopes = moments[:, :, 0], moments[:, :, 1:]
        result = level.square().sum(1) / size
        if not torch.equal(found.colours[:, 0], found.colours[:, 1]):
            middle = corners.mean(1)
            offset = corners - middle[:, None]
            spread = size[:, None, None] / 12 * offset.mT @ offset + TINY * torch.eye(2)
            steep = slopes - middle[:, None] * level[:, :, None]
            result = result + (steep.mT * torch.linalg.solve(spread, steep.mT)).sum((1, 2))
        return result / density.clamp_min(TINY)


objective_of.register(Mesh)(lambda primitive: MeshObjective)
