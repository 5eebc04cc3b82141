"""The shapes of a drawing one by one, as their plugins describe them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from artgen.base.errors import PluginError
from artgen.base.xml import Element, ParseError, fromstring
from artgen.families.shape.contract import Shape
from artgen.families.shape.copies import Copies
from artgen.families.shape.spans import as_drawn, check_shape, finite_polygon, unpack
from artgen.output.parts.flat import Curves, FlatPart, Floats, Polygon, flat_parts
from artgen.output.parts.pens import most_opaque
from artgen.primitives import join_rings
from artgen.registry import kind_names
from artgen.values.drawing import Drawing


@dataclass(frozen=True, eq=False)
class PlacedShape(FlatPart):
    """A shape of a drawing, with its `genes`, float64 [genes]."""

    shape: Shape
    genes: Floats

    def element(self) -> Element | None:
        """Return what `Shape.svg` gives. Raises PluginError where that is not one element."""
        try:
            with np.errstate(all="ignore"):
                text = self.shape.svg(self.genes)
        except (ArithmeticError, ValueError):
            return None
        if re.search(r"\b(nan|inf)\b", text):
            return None
        try:
            return fromstring(text)
        except ParseError as error:
            raise PluginError(
                f"{type(self.shape).__name__}.svg gives no SVG element: {error}: {text[:80]}",
                hint='it takes one element, such as <circle cx="0" cy="0" r="1"/>',
            ) from None

    def outline(self) -> Floats:
        """Return what `Shape.polygon` gives."""
        return finite_polygon(self.shape, self.genes)

    def contours(self) -> Sequence[Floats]:
        """Return what `Shape.contours` gives."""
        contours = self.shape.contours(self.genes)
        return contours if all(np.isfinite(each).all() for each in contours) else ()

    def spine(self) -> Floats | None:
        """Return what `Shape.spine` gives."""
        points = self.shape.spine(self.genes)
        return points if points is not None and np.isfinite(points).all() else None


@most_opaque.register(Shape)
def _most_opaque(shape: Shape, alpha: float) -> float:
    return shape.alphas(alpha, 0.0)[1]


@flat_parts.register(Shape)
def _parts(shape: Shape, drawing: Drawing) -> list[FlatPart]:
    check_shape(shape)
    names, members, copies = kind_names(drawing.primitive), shape.members, shape.copies
    reach = np.array(drawing.canvas.reach)
    placed: list[FlatPart] = []
    stack = as_drawn(shape, unpack(drawing.tensors))
    for kind, genes, colour, alpha in zip(*stack, strict=True):
        member = members[kind]
        own = np.ascontiguousarray(genes[: member.genes])
        gene_names = member.gene_names or [f"gene_{i}" for i in range(member.genes)]
        part = PlacedShape(
            member,
            own,
            kind=names[kind],
            numbers=dict(zip(gene_names, own.tolist(), strict=True)),
            colour=colour,
            alpha=min(max(float(alpha), 0.0), 1.0),
        )
        placed.append(part if copies is None else _repeated(part, copies, reach))
    return placed


def _repeated(part: PlacedShape, copies: Copies, reach: Floats) -> FlatPart:
    """A shape and its `copies` as one part.

    Images by a group that miss a canvas of that `reach` are left out.

    All copies wind in the same direction, so that they may overlap. Lines of no width join those of
    polygons, from the corner that is nearest to its images.
    """
    same: dict[str, Any] = {each.name: getattr(part, each.name) for each in fields(FlatPart)}

    def moved(points: Floats, image: Floats) -> Floats:
        return points @ image[:, :2].T + image[:, 2]

    def seen(points: Floats) -> Floats:
        images = copies.images
        if not copies.group:
            return images
        ends = np.array([(p.min(0), p.max(0)) for p in (moved(points, m) for m in images)])
        touching = ((ends[:, 1] > -reach) & (ends[:, 0] < reach)).all(1)
        same["images"] = found = np.flatnonzero(touching).tolist() or [0]
        return images[found]

    if contours := part.contours():
        paths = [
            moved(contour if np.linalg.det(image[:, :2]) > 0 else contour[::-1, ::-1], image)
            for image in seen(np.concatenate(contours).reshape(-1, 2))
            for contour in contours
        ]
        return Curves(paths, **same)
    corners = part.outline()
    if len(corners):
        images = seen(corners)
        distances = np.linalg.norm([moved(corners, image) - corners for image in images], axis=2)
        corners = np.roll(corners, -int(distances.sum(0).argmin()), axis=0)
        back = np.roll(corners[::-1], 1, axis=0)
        rings = [moved(corners if np.linalg.det(m[:, :2]) > 0 else back, m) for m in images]
        if copies.group:
            # Pens would draw the lines between so many.
            return Curves([_straight(ring) for ring in rings], **same)
        corners = join_rings(rings)[:-1]
    return Polygon(corners, **same)


def _straight(ring: Floats) -> Floats:
    """A closed polygon [n, 2] as curves that are straight, [n, 4, 2]."""
    ahead = np.roll(ring, -1, axis=0)
    return np.stack([ring, ring, ahead, ahead], 1)
