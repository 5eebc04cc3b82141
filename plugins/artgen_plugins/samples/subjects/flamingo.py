"""A flamingo that stands on one leg in a pond by night, between leaves, before a low moon.

Shapes are few and flat, and apart from one another, so that the outline of each is whole.
"""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, spread
from ._paint import Paint, leaf_of, painted
from ._plate import Colours, Floats, Plate, hexed

_NIGHT, _PINK, _LEG, _EYE = "#0b0a18", "#ff4f96", "#e8447f", "#ffe9b0"


def flamingo(plate: Plate) -> Colours:
    """Draw it: the moon, stars and the pond, leaves, legs, the bird."""
    parts = outlines_of("flamingo")
    paint: Paint = [(_oval(*place), hexed(colour)) for colour, place in parts["ovals"]]
    paint += [(_star(*star), hexed("#129bd0")) for star in parts["stars"]]
    paint += [half for leaf in parts["leaves"] for half in leaf_of(*leaf)]
    for path, widths, colour in (*((*leg, _LEG) for leg in parts["legs"]), (*parts["neck"], _PINK)):
        curve = spline(path)
        paint.append((ribbon(curve, spread(widths, len(curve))), hexed(colour)))
    paint += [(spline([*points, points[0]], 10), hexed(colour)) for colour, points in parts["bird"]]
    paint.append((_oval(*parts["eye"]), hexed(_EYE)))
    night = np.broadcast_to(hexed(_NIGHT), (*plate.x.shape, 3))
    return plate.faced(plate.finished(painted(plate, night, paint), 0.004))


def _oval(x: float, y: float, wide: float, tall: float) -> Floats:
    circle: Floats = directed(np.linspace(0, 2 * np.pi, 90))
    return circle * (wide, tall) + (x, y)


def _star(x: float, y: float, size: float) -> Floats:
    """A star of four points."""
    corners: Floats = directed(np.arange(8) * np.pi / 4) * np.tile((1, 0.5), 4)[:, None]
    return size * corners + (x, y)
