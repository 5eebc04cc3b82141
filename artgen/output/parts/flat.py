"""Flat parts: what each covers, in one colour. Families that have such parts register them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artgen.base.generic import generic
from artgen.base.xml import Element
from artgen.primitives import Primitive, join_rings, path_data
from artgen.svg.curves import flatten
from artgen.values.drawing import Drawing

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class FlatPart(ABC):
    """A part with hard edges in one `colour` (red, green and blue, 1.0 = 255), in canvas units.

    `alpha` is its opacity from 0 to 1, `kind` the name of its kind, `numbers` what it is made of,
    by name. A part that is `touching` shares its edges with neighbours: a thin border then hides
    the gaps between them. Parts with a `union` are ink: all of one `layer` and colour cover their
    union, which multiplies what is below, or covers it. `images` are the numbers of the images that
    it shows, if it repeats.
    """

    colour: Sequence[float] | Floats
    alpha: float = 1.0
    kind: str = "polygon"
    numbers: Mapping[str, float] = field(default_factory=dict)
    touching: bool = False
    union: Literal["multiply", "normal"] | None = None
    layer: int = 0
    images: Sequence[int] = ()

    @abstractmethod
    def element(self) -> Element | None:
        """Return a new SVG element, filled by its user; None where its numbers are not finite.

        A stroke has ``fill="none" stroke="currentColor"``. Raises PluginError where the plugin
        gives none.
        """

    @abstractmethod
    def outline(self) -> Floats:
        """Return its polygon, float64 [corners, 2]; empty where its numbers are not finite.

        Several contours are joined by lines of no width.
        """

    def contours(self) -> Sequence[Floats]:
        """Return closed contours of cubic Bézier curves, float64 [curves, 4, 2] each.

        Parts with other outlines have none.
        """
        return ()

    def rings(self) -> Sequence[Floats]:
        """Return its contours, or its outline, as closed polygons, float64 [corners, 2] each."""
        if contours := self.contours():
            return [flatten(contour) for contour in contours]
        outline = self.outline()
        return [outline] if len(outline) > 2 else []

    def spine(self) -> Floats | None:
        """Return the line in the middle of a stroke, float64 [points, 2]; None for other parts."""
        return None


@dataclass(frozen=True, eq=False)
class Polygon(FlatPart):
    """A flat part with the given `corners`, float64 [corners, 2] in canvas units."""

    corners: Floats

    def element(self) -> Element | None:
        """Return a ``<polygon>``."""
        if len(self.outline()) < 3:
            return None
        points = " ".join(f"{x:.17f},{y:.17f}" for x, y in self.corners.tolist())
        return Element("polygon", {"points": points})

    def outline(self) -> Floats:
        """Return the corners."""
        return self.corners if np.isfinite(self.corners).all() else np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Curves(FlatPart):
    """A flat part bounded by closed contours `paths` of cubic Bézier curves, [curves, 4, 2] each.

    It covers what they wind around.
    """

    paths: Sequence[Floats]

    def element(self) -> Element | None:
        """Return a ``<path>``."""
        contours = self.contours()
        return Element("path", {"d": path_data(contours)}) if contours else None

    def contours(self) -> Sequence[Floats]:
        """Return the paths."""
        return self.paths if all(np.isfinite(path).all() for path in self.paths) else ()

    def outline(self) -> Floats:
        """Return the flattened paths."""
        return join_rings(self.rings()) if self.contours() else np.empty((0, 2))


@generic("export")
def flat_parts(primitive: Primitive, drawing: Drawing) -> Sequence[FlatPart]:
    """List the parts of a drawing from the lowest to the highest.

    A page can play films only where there is one for each part, in the order of the tensors, or
    where its scenes have an `order`. A family that registers it can be written as SVG and JSON,
    drawn with pens, and shown on pages. By default there are none.
    """
    return ()
