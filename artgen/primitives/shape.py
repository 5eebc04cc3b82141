"""Shape: hard-edged parts of one flat colour each, laid over one another.

A shape is a short row of numbers, its *genes*, in canvas units. A plugin says how to make them up,
how to change them and what they cover, in plain Python on numbers; the framework compiles that,
searches, draws by area, saves and exports::

    class Diamond(Shape):
        \"\"\"A square that stands on its tip.\"\"\"

        genes, vertices, convex = 3, 4, True

        @staticmethod
        def random(genes, rng, x, y, size):
            genes[:] = x, y, size

        @staticmethod
        def outline(genes, points):
            x, y, r = genes[0], genes[1], genes[2]
            points[0, :] = x, y - r
            points[1, :] = x + r, y
            points[2, :] = x, y + r
            points[3, :] = x - r, y
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import field, fields, make_dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.drawing import Drawing
from artgen.primitives._classical import CLASSICAL
from artgen.primitives._params import Context, Param, at_target_colour, on_detail, per_spacing
from artgen.primitives._primitive import Preset, Primitive

__all__ = ["Shape", "mixture"]

Floats: TypeAlias = NDArray[np.float64]

HEIGHTS = 33
"""A polygon that stands for a shape of spans has its corners at so many heights."""

SAME, STRAIGHT = 1e-6, 1e-12
"""How far apart two points are that are one, in canvas units, and twice the area of three points
on a line."""

TRIES = 100
"""So many random shapes are made until one is valid."""


class Shape(Primitive):
    """N shapes, each with its `genes`, a `colour` and an `alpha`, laid over one another in order.

    `genes` is how many numbers a shape is made of. What it covers is either a polygon of so many
    `vertices`, given by `outline`, or one run per row, given by `bounds` and `span`. A polygon that
    is `convex` is drawn faster; any other is filled where its winding number is not zero. What the
    genes are called when the shape is written as data is in `gene_names`, as many as there are, or
    none. `genes`, `vertices` and `gene_names` may be properties computed from `self.options`.

    The static functions are compiled by numba: plain Python on numbers, `math`, loops, constants of
    the module. The genes they get are a float64 array [genes], lengths in canvas units; `rng` is a
    `numpy.random.Generator`, the only source of randomness. They must not keep a state.
    """

    family: ClassVar[str] = "shape"
    engines: ClassVar[tuple[str, ...]] = ("climb", "gradient", "genetic")
    presets: ClassVar[Mapping[str, Preset]] = {"classical": CLASSICAL}
    genes: int = 0
    vertices: int = 0
    convex: bool = False
    gene_names: tuple[str, ...] = ()

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Fill `genes` with a random shape that reaches about `size` around the point (x, y)."""
        raise NotImplementedError

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Change `genes` at random by about `step`, a length; by default a single one of them."""
        genes[int(rng.random() * len(genes))] += step * rng.standard_normal()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Whether the search may use this shape: refuse slivers and shapes turned inside out."""
        return True

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Fill `points` [vertices, 2] with the x and y of a closed polygon's corners, in order."""
        raise NotImplementedError

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """The least and the largest y that the shape reaches; for shapes without `vertices`."""
        raise NotImplementedError

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Where the shape begins and ends in x at height `y`; for shapes without `vertices`."""
        raise NotImplementedError

    def polygon(self, genes: Floats) -> Floats:
        """The shape as a polygon: float64 [corners, 2], x and y in canvas units.

        It is what `outline` says, or else joins the ends of `span` at some heights.
        """
        if self.vertices:
            points = np.empty((self.vertices, 2))
            self.outline(genes, points)
            return points
        low, high = self.bounds(genes)
        # Closer together at both ends, where round shapes bend away.
        heights = (low + high) / 2 - (high - low) / 2 * np.cos(np.linspace(0, np.pi, HEIGHTS))
        ends = np.array([[*self.span(genes, float(y)), y] for y in heights])
        points = np.concatenate([ends[:, 1:], ends[::-1, ::2]])
        # Without those that are there twice, then without those on the line between two others.
        points = points[(np.abs(points - np.roll(points, 1, axis=0)) > SAME).any(1)]
        after, before = np.roll(points, -1, axis=0) - points, points - np.roll(points, 1, axis=0)
        turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        corners: Floats = points[np.abs(turn) > STRAIGHT]
        return corners

    def svg(self, genes: Floats) -> str:
        """The shape as an SVG element in canvas units, filled by whoever uses it.

        A stroke says ``fill="none" stroke="currentColor"``. By default it is the polygon.
        """
        points = " ".join(f"{x:.6g},{y:.6g}" for x, y in self.polygon(genes))
        return f'<polygon points="{points}"/>'

    def spine(self, genes: Floats) -> Floats | None:
        """The line in the middle of a stroke, float64 [points, 2]; None for what is no stroke.

        Pen plotters draw strokes along it.
        """
        return None

    @property
    def members(self) -> tuple[Shape, ...]:
        """The kinds of shapes in a drawing: this one alone, unless it is a mixture."""
        return (self,)

    @property
    def weights(self) -> tuple[float, ...]:
        """How often each of `members` is tried, in proportion."""
        return (1.0,)

    def declared_params(self) -> dict[str, Param]:
        """`genes`, `colour`, `alpha` and, where there are several `members`, their `kind`."""
        params = {
            "genes": Param(max(member.genes for member in self.members), lr=per_spacing(0.1)),
            "colour": Param(3, lr=0.01, min=0.0, max=1.0),
            "alpha": Param(init=0.75, lr=0.02, min=0.0, max=1.0),
        }
        if len(self.members) > 1:
            params["kind"] = Param(lr=0.0)
        return params

    def initial(self, context: Context) -> dict[str, Tensor]:
        """Random shapes, more of them where the target has detail, in its colours."""
        if context.count and "genes" not in context.values:
            self._make_up(context)
        return super().initial(context)

    def _make_up(self, context: Context) -> None:
        count, members, weights = context.count, self.members, np.array(self.weights)
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=context.rng)))
        xy = on_detail()(context, (2, count))
        kind = rng.choice(len(members), count, p=weights / weights.sum())
        genes = np.zeros((max(member.genes for member in members), count), np.float32)
        for i in range(count):
            member = members[kind[i]]
            made = np.zeros(member.genes)
            for _ in range(TRIES):
                member.random(made, rng, *xy[:, i].tolist(), context.mean_spacing)
                if member.valid(made):
                    break
            genes[: member.genes, i] = made
        found = replace(context, background=(0.0, 0.0, 0.0), values={"xy": xy})
        context.values["colour"] = at_target_colour()(found, (3, count))
        context.values["genes"] = torch.from_numpy(genes)
        if len(members) > 1:
            context.values["kind"] = torch.from_numpy(kind).float()

    def tensor_shape(self, param: Param, count: int) -> tuple[int, ...]:
        """[count] for ``Param()``, [k, count] for ``Param(k)``."""
        return (*param.shape, count)

    def count_of(self, drawing: Drawing) -> int:
        """The number of shapes."""
        alpha = drawing.tensors.get("alpha")
        return 0 if alpha is None or alpha.dim() == 0 else alpha.shape[-1]


@functools.cache
def mixture(classes: tuple[type[Shape], ...], weights: tuple[float, ...]) -> type[Shape]:
    """A shape that is one of several kinds, tried in proportion to `weights`.

    Its options are those of all `classes`; one that several declare is set for each of them.
    """
    options: dict[str, Any] = {}
    for cls in classes:
        for each in fields(cls.Options):
            again = field(default=each.default, metadata=each.metadata)
            options.setdefault(each.name, (each.name, _hint(cls, each.name), again))
    counts = [cls.defaults.count for cls in classes if cls.defaults.count]
    body = {
        "__doc__": " or ".join(cls.__name__ for cls in classes),
        "Options": make_dataclass("Options", options.values(), frozen=True),
        "defaults": Preset(count=max(counts, default=None)),
        "kinds": (classes, weights),
    }
    return type("Mixture", (_Mixture,), body)


class _Mixture(Shape):
    """What all mixtures have in common; genes of members with fewer are padded with 0."""

    kinds: ClassVar[tuple[tuple[type[Shape], ...], tuple[float, ...]]]

    def __init__(
        self, options: Mapping[str, Any] | None = None, *, preset: str | None = None
    ) -> None:
        super().__init__(options, preset=preset)
        values = self.option_values()
        self._members = tuple(
            cls({each.name: values[each.name] for each in fields(cls.Options)})
            for cls in self.kinds[0]
        )

    @property
    def members(self) -> tuple[Shape, ...]:
        """One of each kind, with the options it declares."""
        return self._members

    @property
    def weights(self) -> tuple[float, ...]:
        """As written in the mixture's name."""
        return self.kinds[1]


def _hint(cls: type[Shape], name: str) -> Any:
    """The type of an option, also where annotations are text."""
    import typing

    return typing.get_type_hints(cls.Options)[name]
