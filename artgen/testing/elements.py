"""Rasterise SVG elements point by point: basic shapes and paths, under their transforms.

This makes the check of SVG independent of a browser. It refuses text, units and clipping.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.base.xml import Element, fromstring
from artgen.svg.curves import flatten, passages
from artgen.svg.elements import Contour, contours, path_data, transformed

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_INHERITED = {"fill": "black", "fill-rule": "nonzero", "stroke": "none", "stroke-width": "1"}
"""What elements of a group have from it, and what they have at first."""
_SHAPES = ("path", "rect", "circle", "ellipse", "polygon", "polyline", "line")


class Unknown(Exception):
    """An element, or a part of it, that is not supported here."""


def painted(text: str, points: Floats) -> Mask:
    """Return a mask [M] of the `points` [M, 2] that the element covers.

    Raises Unknown for unsupported elements, ParseError for invalid XML, IndexError for paths that
    end in the middle.
    """
    from fontTools.misc.transform import Identity

    try:
        return _painted(fromstring(text), points, _INHERITED, Identity)
    except ValueError as error:
        raise Unknown(str(error)) from None


def _painted(element: Element, points: Floats, inherited: dict[str, str], transform: Any) -> Mask:
    style, name = {**inherited, **element.attrib}, element.tag.rpartition("}")[2]
    if "(" not in (given := element.get("transform", "none()")):
        raise Unknown(f"the transform {given!r}")
    transform = transformed(transform, element.get("transform", ""))
    mask = np.zeros(len(points), bool)
    if name == "g":
        passed = {key: style[key] for key in inherited}
        for child in element:
            mask |= _painted(child, points, passed, transform)
        return mask
    if name not in _SHAPES:
        raise Unknown(f"<{name}>")
    lines = [_line(each) for each in contours(path_data(name, element.attrib), transform)]
    if style["fill"] != "none":
        winding = sum(_winding(corners, points) for corners in lines)
        mask |= winding % 2 == 1 if style["fill-rule"] == "evenodd" else winding != 0
    if style["stroke"] != "none":
        a, b, c, d, *_ = transform
        scale = math.sqrt(abs(a * d - b * c))
        for corners in lines:
            mask |= _near(corners, points, scale * float(style["stroke-width"]) / 2)
    return mask


def _line(contour: Contour) -> Floats:
    """Return the corners [corners, 2] of a contour; the last is the first if it is closed."""
    last = contour.curves[:1, 0] if contour.closed else contour.curves[-1:, 3]
    return np.concatenate([flatten(contour.curves), last])


def _winding(corners: Floats, points: Floats) -> NDArray[Any]:
    """Return the winding number of a closed line around each point."""
    order = np.argsort(points[:, 1])
    point, x, way = passages(corners, points[order, 1])
    return np.bincount(order[point], way * (x > points[order[point], 0]), len(points))


def _near(corners: Floats, points: Floats, distance: float) -> Mask:
    """Return a mask of the points under a stroke with butt ends and round joins."""
    near = np.zeros(len(points), bool)
    beyond = np.full(len(points), bool((corners[0] == corners[-1]).all()))
    for begin, end in pairwise(corners):
        way, length = end - begin, math.hypot(*(end - begin))
        if length == 0:
            continue
        along = (points - begin) @ way / length
        across = (points - begin) @ np.array([-way[1], way[0]]) / length
        near |= (along >= 0) & (along <= length) & (np.abs(across) <= distance)
        # Between the end of one line and the start of the next: never beyond the ends of all.
        near |= beyond & (along < 0) & (np.hypot(*(points - begin).T) <= distance)
        beyond = along > length
    return near
