"""Shape: hard-edged parts, each of one flat colour, composited in order.

A shape is described by a few numbers, its *genes*, in canvas units. A plugin defines random genes,
random changes and the covered area, in plain Python on numbers. The framework compiles these
functions, searches, draws by area, saves and exports::

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
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.generic import generic
from artgen.base.options import option
from artgen.families.shape.copies import Copies, copies_of
from artgen.families.shape.limits import within
from artgen.init import Context, on_detail
from artgen.primitives.classical import CLASSICAL
from artgen.primitives.curves import join_curves, join_rings, main_corners, path_data
from artgen.primitives.params import Param
from artgen.primitives.primitive import Preset, Primitive
from artgen.rates import per_spacing
from artgen.svg.curves import flatten

Floats: TypeAlias = NDArray[np.float64]

HEIGHTS = 33
"""Heights at which the polygon of a shape of spans has its corners."""

SAME, STRAIGHT = 1e-6, 1e-12
"""How far apart two points are that are one, in canvas units, and twice the area of three points
on a line."""

LEAST_AND_MOST = (("min_size", "max_size"), ("min_width", "max_size"), ("min_alpha", "max_alpha"))
"""Options of which the first is at most the second."""

TRIES = 100
"""Attempts to create a valid random shape."""


@dataclass(frozen=True)
class ShapeOptions:
    """Options of every shape. Lengths are shares of the shorter side of the picture."""

    min_size: float | None = option(None, "smallest length of a shape", low=0, high=10)
    max_size: float | None = option(None, "largest length of a shape", low=0.001, high=10)
    aspect: float | None = option(None, "largest ratio of length to width", low=1)
    min_width: float | None = option(None, "smallest width of a shape", low=0, high=10)
    min_angle: float | None = option(None, "sharpest corner, in degrees", low=0, high=120)
    min_alpha: float | None = option(None, "smallest opacity that is searched", low=0, high=1)
    max_alpha: float | None = option(None, "largest opacity that is searched", low=0.01, high=1)
    symmetry: str = option(
        "none", "how every shape is repeated: mirror, quarter, rotate:6, or a group such as p6m"
    )


def joined_ends(low: float, high: float, span: Callable[[float], tuple[float, float]]) -> Floats:
    """Return the polygon [corners, 2] whose ends at a y between `low` and `high` are its span."""
    # Closer together at both ends, where round shapes bend away.
    heights = (low + high) / 2 - (high - low) / 2 * np.cos(np.linspace(0, np.pi, HEIGHTS))
    ends = np.array([[*span(float(y)), y] for y in heights])
    points = np.concatenate([ends[:, 1:], ends[::-1, ::2]])
    # Remove duplicates, then corners on the line between two others.
    points = points[(np.abs(points - np.roll(points, 1, axis=0)) > SAME).any(1)]
    after, before = np.roll(points, -1, axis=0) - points, points - np.roll(points, 1, axis=0)
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.asarray(points[np.abs(turn) > STRAIGHT])


class Shape(Primitive):
    """N shapes, each with `genes`, a `colour` and an `alpha`, composited in order.

    A shape covers a polygon of `vertices` corners or contours of `curves` cubic Bézier curves, both
    given by `outline`, or one span per row, given by `bounds` and `span`. Outlines are filled where
    their winding number is not zero. `genes`, `vertices`, `curves`, `convex` and `gene_names` may
    be class attributes, or properties computed from `self.options`.

    The static functions are compiled by numba. They are plain Python on numbers: `math`, loops,
    constants of the module, arrays bound by `functools.partial`. Their argument `genes` is a
    float64 array [genes], lengths in canvas units; `rng` is a `numpy.random.Generator`, the only
    source of randomness. They must not keep state.
    """

    family: ClassVar[str] = "shape"
    answers: ClassVar[str | None] = __package__
    always_compiled: ClassVar[bool] = True
    can_mix: ClassVar[bool] = True
    starts_from_paths: ClassVar[bool] = True
    renews_unmoved: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("random", "outline or span")
    extensible: ClassVar[bool] = True
    palettes: ClassVar[bool] = True
    can_be_transparent: ClassVar[bool] = True
    mean_background: ClassVar[bool] = True
    alpha_counts: ClassVar[float | None] = 1.5
    keeps_trajectory: ClassVar[bool] = False
    engines: ClassVar[tuple[str, ...]] = ("climb", "gradient", "genetic")
    presets: ClassVar[Mapping[str, Preset]] = {"classical": CLASSICAL}
    common_options: ClassVar[type[Any] | None] = ShapeOptions
    Options: ClassVar[type[Any]] = ShapeOptions

    def take_options(self) -> None:
        """Check the limits. Raises UsageError where a least one is larger than the largest."""
        for least, most in LEAST_AND_MOST:
            low, high = (getattr(self.options, each) for each in (least, most))
            if low is not None and high is not None and low > high:
                raise UsageError(
                    f"{least} = {low:g} is larger than {most} = {high:g}",
                    hint="swap them, or leave one of them out",
                )

    @property
    def limits(self) -> tuple[float, ...] | None:
        """What `within` keeps to, or None where nothing is asked for; lengths in canvas units."""
        o = self.options
        if o.min_size is o.max_size is o.aspect is o.min_width is o.min_angle is None:
            return None
        largest = math.inf if o.max_size is None else 2 * o.max_size
        # A little less than the angle: its cosine is rounded.
        sharpest = math.cos(math.radians(o.min_angle - 1e-6)) if o.min_angle else math.inf
        thinnest = 2 * (o.min_width or 0.0)
        return 2 * (o.min_size or 0.0), largest, o.aspect or math.inf, thinnest, sharpest

    @property
    def copies(self) -> Copies | None:
        """The copies of every shape that the option `symmetry` makes, or None."""
        return copies_of(self.options.symmetry)

    def sizes(self, small: float, large: float) -> tuple[float, float]:
        """Return sizes for `random`, of a search that asks for `small` to `large`."""
        if self.limits is None:
            return small, large
        least, most, _, thinnest, _ = self.limits
        small = min(max(small, least / 2, thinnest / 2), most)
        return small, max(min(large, most), 2 * small)

    def alphas(self, alpha: float, least: float) -> tuple[float, float]:
        """Return the opacities to search: `alpha` alone, from `least` on where it is 0.

        Options of the shape come first.
        """
        if self.options.min_alpha is None and self.options.max_alpha is None:
            return (alpha, alpha) if alpha else (least, 1.0)
        low, high = self.alpha_limits
        return min(least, high) if self.options.min_alpha is None else max(low, 0.01), high

    @property
    def alpha_limits(self) -> tuple[float, float]:
        """The smallest and the largest opacity that the options allow."""
        return self.options.min_alpha or 0.0, self.options.max_alpha or 1.0

    @property
    def genes(self) -> int:
        """The number of genes. A plugin sets this and the next four, or computes them."""
        return 0

    @property
    def vertices(self) -> int:
        """The number of corners that `outline` fills in: the option `vertices`, else 0."""
        return int(getattr(self.options, "vertices", 0))

    @property
    def curves(self) -> int:
        """The number of cubic Bézier curves in the `outline`: the option `curves`, else 0."""
        return int(getattr(self.options, "curves", 0))

    @property
    def outline_points(self) -> int:
        """The number of points that `outline` fills in: corners, or four points per curve."""
        return self.vertices or 4 * self.curves

    @property
    def convex(self) -> bool:
        """Whether the outline is convex whatever the genes are; it is drawn faster then."""
        return False

    @property
    def gene_names(self) -> tuple[str, ...]:
        """A name for each gene, used where shapes are written as data; or no names."""
        return ()

    @classmethod
    def alpha_options(cls, solid: bool) -> Mapping[str, Any]:
        """Return the opacities to search: that of a solid picture, or any."""
        return {"min_alpha": 1.0, "max_alpha": 1.0} if solid else {"max_alpha": 1.0}

    @classmethod
    def can_start_from(cls, other: Primitive) -> bool:
        """Splats become shapes like them."""
        return other.has_footprint

    @classmethod
    def mixture(cls, classes: tuple[type[Any], ...], weights: tuple[float, ...]) -> type[Primitive]:
        """Return the class of a shape of several kinds, chosen in proportion to `weights`."""
        return mixture(classes, weights)

    @staticmethod
    def random(genes: Floats, rng: np.random.Generator, x: float, y: float, size: float) -> None:
        """Write a random shape of about `size` around the point (x, y) into `genes`."""
        raise NotImplementedError

    @staticmethod
    def mutate(genes: Floats, rng: np.random.Generator, step: float) -> None:
        """Change `genes` at random by about `step`, a length; by default one of them."""
        genes[int(rng.random() * len(genes))] += step * rng.standard_normal()

    @staticmethod
    def valid(genes: Floats) -> bool:
        """Return whether the search may use this shape; refuse slivers and negative sizes."""
        return True

    @staticmethod
    def outline(genes: Floats, points: Floats) -> None:
        """Write the corners of a closed polygon, x and y, into `points` [vertices, 2], in order.

        With `curves`, write the four control points of each curve into `points` [4 · curves, 2].
        The curves form closed contours: each starts exactly where another one ends. Curves that
        are not needed are one point.
        """
        raise NotImplementedError

    @staticmethod
    def bounds(genes: Floats) -> tuple[float, float]:
        """Return the smallest and largest y of the shape; for shapes without `outline`."""
        raise NotImplementedError

    @staticmethod
    def span(genes: Floats, y: float) -> tuple[float, float]:
        """Return the left and right end in x at height `y`; for shapes without `outline`."""
        raise NotImplementedError

    def accepts(self, genes: Floats) -> bool:
        """Return whether a shape is valid and keeps to the limits of all shapes."""
        limits = self.limits
        return self.valid(genes) and (limits is None or within(self.polygon(genes), *limits))

    def keep_valid(self, before: Mapping[str, Tensor], genes: Tensor) -> Tensor:
        """Return `genes` [genes, N] without the changes since `before` that break a rule.

        The rule is that every shape is valid. `Engine.constrain` can bring one among shapes.
        """
        return keep_valid(self, before, genes)

    def from_outline(self, points: Floats) -> Floats | None:
        """Return genes of a shape like a closed contour, float64 [N, 2]; None: search for them.

        A fit that starts from an SVG file improves them by a short climb. Shapes whose genes are
        corners can return ``self.main_corners(points, self.vertices).ravel()``.
        """
        return None

    @staticmethod
    def main_corners(points: Floats, count: int) -> Floats:
        """Return the `count` corners of a closed contour [N, 2] that matter most, in order.

        The corner whose triangle with its neighbours is the smallest is left out, again and again
        (Visvalingam and Whyatt 1993). Contours with too few corners get some in the middle of their
        longest sides.
        """
        return main_corners(points, count)

    def contours(self, genes: Floats) -> list[Floats]:
        """Return the closed contours of a shape with `curves`: float64 [curves, 4, 2] each."""
        points = np.empty((4 * self.curves, 2))
        if self.curves:
            self.outline(genes, points)
        return join_curves(points)

    def polygon(self, genes: Floats) -> Floats:
        """Return the shape as a polygon: float64 [corners, 2], x and y in canvas units.

        It is the `outline`, with curves as short straight lines, or joins the ends of `span` at
        several heights.
        """
        if self.curves:
            return join_rings([flatten(contour) for contour in self.contours(genes)])
        if self.vertices:
            points = np.empty((self.vertices, 2))
            self.outline(genes, points)
            return points
        return joined_ends(*self.bounds(genes), lambda y: self.span(genes, y))

    def svg(self, genes: Floats) -> str:
        """Return the shape as an SVG element in canvas units, without a fill.

        Strokes set ``fill="none" stroke="currentColor"``. By default it is the path of the curves,
        or the polygon.
        """
        if self.curves:
            return f'<path d="{path_data(self.contours(genes))}"/>'
        points = " ".join(f"{x:.6g},{y:.6g}" for x, y in self.polygon(genes))
        return f'<polygon points="{points}"/>'

    def spine(self, genes: Floats) -> Floats | None:
        """Return the centre line of a stroke, float64 [points, 2]; None for other shapes.

        Pen plotters draw strokes along it.
        """
        return None

    @property
    def members(self) -> tuple[Shape, ...]:
        """The kinds of shapes in a drawing: only this one, except in mixtures."""
        return (self,)

    @property
    def weights(self) -> tuple[float, ...]:
        """The relative frequency of each of `members`."""
        return (1.0,)

    def declared_params(self) -> dict[str, Param]:
        """Return `genes`, `colour`, `alpha` and, for several `members`, `kind`."""
        low, high = self.alpha_limits
        params = {
            "genes": Param(max(member.genes for member in self.members), lr=per_spacing(0.1)),
            "colour": Param(3, lr=0.01, min=0.0, max=1.0),
            "alpha": Param(init=0.75, lr=0.02, min=low, max=high),
        }
        if len(self.members) > 1:
            params["kind"] = Param(lr=0.0)
        return params

    def initial(self, context: Context) -> dict[str, Tensor]:
        """Return random shapes in the colours of the target, more of them where it has detail."""
        if context.count and "genes" not in context.values:
            self._initialise(context)
        return super().initial(context)

    def _initialise(self, context: Context) -> None:
        count, members, weights = context.count, self.members, np.array(self.weights)
        rng = np.random.default_rng(context.seed())
        xy = on_detail()(context, (2, count))
        kind = rng.choice(len(members), count, p=weights / weights.sum())
        size = self.sizes(context.mean_spacing, math.inf)[0]
        genes = np.zeros((max(member.genes for member in members), count), np.float32)
        for i in range(count):
            member = members[kind[i]]
            made = np.zeros(member.genes)
            for _ in range(TRIES):
                member.random(made, rng, *xy[:, i].tolist(), size)
                if member.accepts(made):
                    break
            genes[: member.genes, i] = made
        placed = replace(context, values={"xy": xy})
        context.values["colour"] = placed.target_colours(3, count)
        context.values["genes"] = torch.from_numpy(genes)
        if len(members) > 1:
            context.values["kind"] = torch.from_numpy(kind).float()


@generic("paint")
def keep_valid(shape: Shape, before: Mapping[str, Tensor], genes: Tensor) -> Tensor:
    """What `Shape.keep_valid` returns. It needs the compiled functions of the shape."""
    raise NotImplementedError


@functools.cache
def mixture(classes: tuple[type[Shape], ...], weights: tuple[float, ...]) -> type[Shape]:
    """Return the class of a shape of several kinds, chosen in proportion to `weights`.

    It has the options of all `classes`; an option that several declare is set for all of them.
    """
    options: dict[str, Any] = {}
    everyones = {each.name for each in fields(ShapeOptions)}
    for cls in classes:
        hints = typing.get_type_hints(cls.Options)
        for each in fields(cls.Options):
            if each.name not in everyones:
                again = field(default=each.default, metadata=each.metadata)
                options.setdefault(each.name, (each.name, hints[each.name], again))
    counts = [cls.defaults.count for cls in classes if cls.defaults.count]
    body = {
        "__doc__": " or ".join(cls.__name__ for cls in classes),
        "Options": make_dataclass("Options", options.values(), frozen=True),
        "defaults": Preset(count=max(counts, default=None)),
        "kinds": (classes, weights),
    }
    return type("Mixture", (_Mixture,), body)


class _Mixture(Shape):
    """The base of mixtures; genes are padded with 0 to the largest number of genes."""

    required: ClassVar[tuple[str, ...]] = ()
    """The functions are those of the members, and so are the outlines."""
    vertices = curves = 0
    kinds: ClassVar[tuple[tuple[type[Shape], ...], tuple[float, ...]]]

    def take_options(self) -> None:
        """Make the members too."""
        super().take_options()
        self._members = tuple(
            cls({each.name: getattr(self.options, each.name) for each in fields(cls.Options)})
            for cls in self.kinds[0]
        )

    @property
    def members(self) -> tuple[Shape, ...]:
        """One shape of each kind, with the options that it declares."""
        return self._members

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights in the name of the mixture."""
        return self.kinds[1]
