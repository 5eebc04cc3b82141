"""The head of a wolf, built from some hundred flat facets in a light from one side."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, turned
from ._paint import Paint, painted
from ._plate import Colours, Plate, ramp

_TURN, _SIZE, _MIDDLE = -0.14, 0.95, np.array((0.025, 0))
_LAMP, _BOUNCE = np.array((-0.62, -0.42, 0.66)), np.array((0.9, 0.1, 0.4))
_LIGHTER = {"coat": 0.0, "pale": 0.17, "dark": -0.32, "nose": -0.7, "eye": 0.1, "pupil": -9, "glint": 9}  # fmt: skip
"""How much lighter each part is than the light alone makes it."""
_COATS = (
    ((0.0, "#0e1730"), (0.25, "#26385c"), (0.5, "#58708f"), (0.75, "#aab9c6"), (1.0, "#fbf8ee")),
    ((0.0, "#1f0f14"), (0.25, "#5e2219"), (0.5, "#b0502a"), (0.75, "#e8a866"), (1.0, "#fff3da")),
)
_EYES = (
    ((0.0, "#a8551a"), (0.5, "#f2a02c"), (1.0, "#fbd36b")),
    ((0.0, "#7a8a2a"), (0.5, "#c9cf4a"), (1.0, "#f3f0a0")),
)
_GROUNDS = ((0.0, "#b8532f"), (1.0, "#e39a55")), ((0.0, "#0f3a44"), (1.0, "#2f7a7a"))


def wolf(plate: Plate) -> Colours:
    """Draw it: the ground, then the head from its farthest facet to its nearest."""
    scheme = plate.seed // 2 % len(_COATS)
    bare = np.zeros((*plate.x.shape, 3), np.float32)
    return plate.faced(painted(plate, bare, _ground(plate, scheme) + _head(plate, scheme)))


def _ground(plate: Plate, scheme: int) -> Paint:
    """A few large facets that fill the plate."""
    from scipy.spatial import Delaunay

    rng = plate.rng(1)
    x, y = np.meshgrid(np.linspace(-1.25, 1.25, 3), np.linspace(-1.6, 1.6, 4))
    places = np.stack([x.ravel(), y.ravel()], 1) + rng.uniform(-0.2, 0.2, (12, 2))
    facets = places[Delaunay(places).simplices]
    light = 0.5 + facets.mean(1) @ (-0.3, -0.25) + rng.uniform(-0.25, 0.25, len(facets))
    return [*zip(facets, ramp(light, *_GROUNDS[scheme]), strict=True)]


def _head(plate: Plate, scheme: int) -> Paint:
    """Both halves, turned a little, each facet in the light that falls on it."""
    places, facets = outlines_of("wolf")["corners"], outlines_of("wolf")["facets"]
    kinds, names = zip(*((kind, row) for kind in facets for row in facets[kind]), strict=True)
    half = np.array([[places[name] for name in row.split()] for row in names])
    corners = np.concatenate([half, half * (-1, 1, 1)])
    corners[..., ::2] = turned(corners[..., ::2], _TURN)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.copysign(np.linalg.norm(normals, axis=1), normals[:, 2])[:, None]
    light = 0.85 * normals @ _LAMP + 0.5 * np.maximum(normals @ _BOUNCE, 0)
    light += [_LIGHTER[kind] for kind in kinds * 2] + plate.rng(2).uniform(-0.03, 0.03, len(light))
    coat, iris = ramp(light, *_COATS[scheme]), ramp(light, *_EYES[scheme])
    colours = np.where((np.array(kinds * 2) == "eye")[:, None], iris, coat)
    outlines = _SIZE * (corners[..., :2] - _MIDDLE)
    far_first = corners[..., 2].mean(1).argsort()
    return [*zip(outlines[far_first], colours[far_first], strict=True)]
