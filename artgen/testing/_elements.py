"""Rasterise SVG elements point by point: basic shapes, and paths of straight lines and Béziers.

This makes the check of SVG independent of a browser. It refuses arcs, text, units and clipping.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from artgen.primitives import bezier_points

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PIECES = 48
"""Number of straight lines that approximate a curve."""
ALONG = np.linspace(0, 1, PIECES + 1)[1:]
"""Their ends, along the curve."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(rf"[A-Za-z]|{_NUMBER.pattern}")
_TRANSFORM = re.compile(r"(\w+)\s*\(([^)]*)\)")
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "S": 4, "C": 6, "Z": 0}


class Unknown(Exception):
    """An element, or a part of it, that is not supported here."""


@dataclass(frozen=True)
class _Line:
    """Points joined by straight lines, [corners, 2]; `closed` joins the last to the first."""

    points: Floats
    closed: bool


def painted(text: str, points: Floats) -> Mask:
    """Return a mask [M] of the `points` [M, 2] that the element covers.

    Raises Unknown for unsupported elements, ParseError for invalid XML, ValueError.
    """
    return _painted(ElementTree.fromstring(text), points, {"fill": "black", "stroke": "none"})


def _painted(element: ElementTree.Element, points: Floats, inherited: dict[str, str]) -> Mask:
    style = {**inherited, **element.attrib}
    points = _untransformed(element.get("transform", ""), points)
    name = element.tag.rpartition("}")[2]
    mask = np.zeros(len(points), bool)
    if name == "g":
        passed = {key: style[key] for key in style if key in (*inherited, "stroke-width")}
        for child in element:
            mask |= _painted(child, points, passed)
        return mask
    lines = list(_lines(name, element))
    if style["fill"] != "none":
        winding = sum(_winding(line.points, points) for line in lines)
        mask |= winding % 2 == 1 if style.get("fill-rule") == "evenodd" else winding != 0
    if style["stroke"] != "none":
        for line in lines:
            mask |= _near(line, points, _number(style.get("stroke-width", "1")) / 2)
    return mask


def _lines(name: str, element: ElementTree.Element) -> Iterator[_Line]:
    def number(key: str) -> float:
        return _number(element.get(key, "0"))

    turn = 2 * np.pi * np.arange(4 * PIECES) / (4 * PIECES)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    match name:
        case "polygon" | "polyline":
            numbers = list(map(float, _NUMBER.findall(element.get("points", ""))))
            yield _Line(np.array(numbers).reshape(-1, 2), name == "polygon")
        case "rect":
            if number("rx") or number("ry"):
                raise Unknown("a rect with round corners")
            x, y, width, height = map(number, ("x", "y", "width", "height"))
            across, down = np.array([0, width, width, 0]), np.array([0, 0, height, height])
            yield _Line(np.stack([x + across, y + down], axis=1), True)
        case "circle":
            yield _Line(np.array([number("cx"), number("cy")]) + number("r") * circle, True)
        case "ellipse":
            radii = np.array([number("rx"), number("ry")])
            yield _Line(np.array([number("cx"), number("cy")]) + radii * circle, True)
        case "line":
            ends = [[number("x1"), number("y1")], [number("x2"), number("y2")]]
            yield _Line(np.array(ends), False)
        case "path":
            yield from _path(element.get("d", ""))
        case _:
            raise Unknown(f"<{name}>")


def _path(data: str) -> Iterator[_Line]:
    """Yield the lines of a path, with curves as `PIECES` straight lines."""
    tokens = _TOKEN.findall(data)
    points: list[Floats] = []
    place = start = reflected = np.zeros(2)
    command, i = "", 0
    while i < len(tokens):
        if tokens[i].isalpha():
            command, i = tokens[i], i + 1
        kind = command.upper()
        if kind not in _ARGUMENTS:
            raise Unknown(f"a path with {command or 'no command'}")
        count = _ARGUMENTS[kind]
        numbers = np.array(tokens[i : i + count], float)
        if len(numbers) < count:
            raise ValueError(f"the path ends in the middle: {data[-30:]}")
        i += count
        if kind == "Z":
            yield _Line(np.array(points), True)
            points, place, reflected = [], start, start
            continue
        relative = place if command.islower() else np.zeros(2)
        if kind == "H":
            ends = np.array([[numbers[0] + relative[0], place[1]]])
        elif kind == "V":
            ends = np.array([[place[0], numbers[0] + relative[1]]])
        else:
            ends = numbers.reshape(-1, 2) + relative
        if kind == "M":
            if len(points) > 1:
                yield _Line(np.array(points), False)
            points, start = [ends[0]], ends[0]
            # Further numbers without a command are lines.
            command = "l" if command.islower() else "L"
        else:
            points = points or [place]
            controls = [place, reflected, *ends] if kind == "S" else [place, *ends]
            points += list(bezier_points(np.stack(controls), ALONG) if kind in "QCS" else ends)
        place = points[-1]
        reflected = 2 * place - ends[-2] if kind in "CS" else place
    if len(points) > 1:
        yield _Line(np.array(points), False)


def _winding(corners: Floats, points: Floats) -> NDArray[np.int64]:
    """Return the winding number of a closed line around each point."""
    order = np.argsort(points[:, 1])
    x, y = points[order].T
    winding = np.zeros(len(points), np.int64)
    ends = np.roll(corners, -1, axis=0)
    upper, lower = (np.searchsorted(y, corner[:, 1]) for corner in (corners, ends))
    for (xa, ya), (xb, yb), i, j in zip(corners, ends, upper, lower, strict=True):
        if i == j:
            continue
        crossed = slice(min(i, j), max(i, j))
        right = x[crossed] > xa + (y[crossed] - ya) * (xb - xa) / (yb - ya)
        winding[order[crossed]] += np.where(right, 1 if yb > ya else -1, 0)
    return winding


def _near(line: _Line, points: Floats, distance: float) -> Mask:
    """Return a mask of the points under a stroke with butt ends and round joins."""
    near = np.zeros(len(points), bool)
    corners = np.concatenate([line.points, line.points[:1]]) if line.closed else line.points
    beyond = np.full(len(points), line.closed)
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


def _untransformed(text: str, points: Floats) -> Floats:
    """Map points back to the coordinates of an element before its transform."""
    matrix = np.eye(3)
    for name, given in _TRANSFORM.findall(text):
        matrix = matrix @ _matrix(name, [float(each) for each in _NUMBER.findall(given)])
    if text and np.array_equal(matrix, np.eye(3)) and not _TRANSFORM.search(text):
        raise Unknown(f"the transform {text!r}")
    moved = (points - matrix[:2, 2]) @ np.linalg.inv(matrix[:2, :2]).T
    return np.asarray(moved)


def _matrix(name: str, numbers: list[float]) -> Floats:
    matrix = np.eye(3)
    match name, numbers:
        case "translate", [x, *y]:
            matrix[:2, 2] = x, y[0] if y else 0
        case "scale", [x, *y]:
            matrix[0, 0], matrix[1, 1] = x, y[0] if y else x
        case "rotate", [angle, *centre]:
            c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            matrix[:2, :2] = [[c, -s], [s, c]]
            if centre:
                matrix[:2, 2] = centre - matrix[:2, :2] @ np.array(centre)
        case "matrix", [a, b, c, d, e, f]:
            matrix[:2] = [[a, c, e], [b, d, f]]
        case _:
            raise Unknown(f"the transform {name}")
    return matrix


def _number(text: str) -> float:
    """Parse a number without a unit. Raises Unknown."""
    try:
        return float(text)
    except ValueError:
        raise Unknown(f"the length {text!r}") from None
