"""Elements of SVG as path data, transforms, and contours of cubic Bézier curves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from artgen.svg.curves import Floats

NAMESPACE = "http://www.w3.org/2000/svg"

NUMBER = r"[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?"
_UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
_LENGTH = re.compile(rf"\s*({NUMBER})\s*([a-z]*|%)\s*")
_TRANSFORM = re.compile(r"\b(\w++)\s*+\(([^()]*+)\)")
_LONGEST_WORD = 10_000


def length(text: str, whole: float) -> float:
    """A length in user units; percentages are of `whole`."""
    match = _LENGTH.fullmatch(text)
    if match is None or match[2] not in (*_UNITS, "%"):
        raise ValueError(f"{text!r} is not a length")
    scale = whole / 100 if match[2] == "%" else _UNITS[match[2]]
    return float(match[1]) * scale


def transformed(transform: Any, text: str) -> Any:
    """The `transform`, of fontTools, after those in an attribute. Raises ValueError."""
    if _TRANSFORM.sub("", text).strip(" \t\r\n,") not in ("", "none"):
        raise ValueError(f"{text!r} is not a list of transforms")
    for name, arguments in _TRANSFORM.findall(text):
        values = [float(each) for each in re.findall(NUMBER, arguments)]
        match name:
            case "matrix":
                transform = transform.transform(tuple(values))
            case "translate" | "scale":
                transform = getattr(transform, name)(*values)
            case "rotate":
                x, y = values[1:] or (0.0, 0.0)
                turned = transform.translate(x, y).rotate(math.radians(values[0]))
                transform = turned.translate(-x, -y)
            case "skewX" | "skewY":
                angle = math.radians(values[0])
                transform = transform.skew(*((angle, 0) if name == "skewX" else (0, angle)))
            case _:
                raise ValueError(f"{name} is not a transform")
    return transform


def path_data(
    tag: str, attributes: Mapping[str, str], box: tuple[float, float, float, float] | None = None
) -> str:
    """An element as the data of a path; percentages are those of `box`. Raises ValueError."""
    if tag == "path":
        return attributes.get("d", "")
    if tag in ("polygon", "polyline"):
        points = " ".join(re.findall(NUMBER, attributes.get("points", "")))
        return f"M{points}" + "Z" * (tag == "polygon") if points else ""
    _, _, width, height = box or (0.0, 0.0, math.nan, math.nan)

    def read(key: str) -> float:
        whole = height if key in ("y", "y1", "y2", "cy", "ry", "height") else width
        if key == "r":
            whole = math.hypot(width, height) / math.sqrt(2)
        return length(attributes.get(key, "0"), whole)

    if tag == "line":
        return f"M{read('x1')} {read('y1')}L{read('x2')} {read('y2')}"
    if tag == "rect":
        x, y, w, h = read("x"), read("y"), read("width"), read("height")
        given = [read(key) for key in ("rx", "ry") if attributes.get(key, "auto") != "auto"]
        rx, ry = (*given, *given, 0.0, 0.0)[:2]
        rx, ry = min(rx, w / 2), min(ry, h / 2)
        if min(w, h) <= 0:
            return ""
        if min(rx, ry) <= 0:
            return f"M{x} {y}h{w}v{h}h{-w}Z"
        u, v, corner = w - 2 * rx, h - 2 * ry, f"a{rx} {ry} 0 0 1"
        return (
            f"M{x + rx} {y}h{u}{corner} {rx} {ry}v{v}{corner} {-rx} {ry}"
            f"h{-u}{corner} {-rx} {-ry}v{-v}{corner} {rx} {-ry}Z"
        )
    if tag == "circle":
        rx = ry = read("r")
    else:
        rx, ry = read("rx"), read("ry")
    x, y = read("cx"), read("cy")
    if min(rx, ry) <= 0:
        return ""
    half = f"a{rx} {ry} 0 1 1"
    return f"M{x - rx} {y}{half} {2 * rx} 0{half} {-2 * rx} 0Z"


@dataclass(frozen=True, eq=False)
class Contour:
    """Cubic Bézier curves [N, 4, 2], each from the end of the one before; lines are some too."""

    curves: Floats
    closed: bool


def contours(data: str, transform: Any) -> list[Contour]:
    """The contours of path data, which fontTools parses. Raises ValueError, IndexError."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    if not data.strip():
        return []
    # Of flags and numbers without anything between them, fontTools copies all that is left.
    if max(map(len, re.split(r"[\s,A-Za-z]", data))) > _LONGEST_WORD:
        raise ValueError("a number has too many digits")
    pen = RecordingPen()
    parse_path(data, pen)
    names = np.array([name for name, _ in pen.value], str)
    count = np.array([len(arguments) for _, arguments in pen.value], np.int64)
    given = np.array([point for _, arguments in pen.value for point in arguments], np.float64)
    x, y = given.reshape(-1, 2).T
    xx, xy, yx, yy, dx, dy = transform
    with np.errstate(over="ignore", invalid="ignore"):
        moved = np.stack([xx * x + yx * y + dx, xy * x + yy * y + dy], 1)
        # Each command goes on from the last point of those before.
        points, last = np.concatenate([np.zeros((1, 2)), moved]), np.cumsum(count)
        here, end = points[last - count], points[last]
        third = (end - here) / 3
        controls = [here, here + third, here + 2 * third, end]
        quadratic, cubic = names == "qCurveTo", names == "curveTo"
        middle = points[last[quadratic] - 1]
        controls[1][quadratic] = (here[quadratic] + 2 * middle) / 3
        controls[2][quadratic] = (end[quadratic] + 2 * middle) / 3
        controls[1][cubic], controls[2][cubic] = points[last[cubic] - 2], points[last[cubic] - 1]
    curves, drawn = np.stack(controls, 1), quadratic | cubic | (names == "lineTo")
    if not np.isfinite(curves).all():
        raise ValueError("a coordinate is not finite")
    found, begin = list[Contour](), 0
    for stop in np.nonzero(~drawn & (names != "moveTo"))[0].tolist():
        if drawn[begin:stop].any():
            closed = bool(names[stop] == "closePath")
            found.append(Contour(curves[begin:stop][drawn[begin:stop]], closed))
        begin = stop
    return found
