"""SVG elements of flat parts as path data, which a page draws at any size, curves included."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artgen.base.xml import Element
from artgen.output.parts import FlatPart

NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ROTATE = re.compile(r"rotate\(([^()]*)\)")
_PLAIN = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9eE+\-., \t\n]*")


@dataclass(frozen=True)
class Path:
    """SVG path data in canvas units; `stroke` is the width of a line, None for a filled path.

    `images` are those of its part.
    """

    data: str
    stroke: float | None = None
    images: Sequence[int] = ()


def path_of(part: FlatPart) -> Path | None:
    """Convert a flat part to a path; None if its numbers are not finite.

    An unsupported element is drawn as the part's polygon. Raises PluginError if the part has no
    SVG element.
    """
    element = part.element()
    if element is None:
        return None
    try:
        return _path(element)
    except (KeyError, ValueError):
        outline = part.outline()
        return Path(_polygon(outline.tolist())) if len(outline) else None


def _path(element: Element) -> Path:
    kind = element.tag.rpartition("}")[2]
    if len(element) or "style" in element.attrib or "class" in element.attrib:
        raise ValueError(element.tag)
    number = {
        name: float(value) for name, value in element.attrib.items() if NUMBER.fullmatch(value)
    }
    turn = _turn(element.get("transform"))
    stroke = number["stroke-width"] if element.get("stroke") == "currentColor" else None
    if kind in ("circle", "ellipse"):
        a = number.get("rx", number.get("r", 0.0))
        b = number.get("ry", number.get("r", 0.0))
        return Path(_ellipse(number.get("cx", 0.0), number.get("cy", 0.0), a, b, turn), stroke)
    if kind == "rect" and "rx" not in number and "ry" not in number:
        x, y = number.get("x", 0.0), number.get("y", 0.0)
        w, h = number["width"], number["height"]
        corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    elif kind == "line":
        corners = [(number.get(f"x{k}", 0.0), number.get(f"y{k}", 0.0)) for k in (1, 2)]
    elif kind in ("polygon", "polyline"):
        each = [float(value) for value in NUMBER.findall(element.get("points", ""))]
        corners = list(zip(each[::2], each[1::2], strict=True))
    elif kind == "path" and turn is None and _PLAIN.fullmatch(element.get("d", "")):
        return Path(element.get("d", ""), stroke)
    else:
        raise ValueError(element.tag)
    if turn is not None:
        corners = [_turned(*corner, *turn) for corner in corners]
    return Path(_polygon(corners, closed=kind in ("rect", "polygon")), stroke)


def _turn(transform: str | None) -> tuple[float, float, float] | None:
    """Parse a rotation: degrees, and the point around which to rotate."""
    if transform is None:
        return None
    match = _ROTATE.fullmatch(transform.strip())
    if match is None:
        raise ValueError(transform)
    angle, x, y = (*(float(v) for v in NUMBER.findall(match[1])), 0.0, 0.0)[:3]
    return angle, x, y


def _turned(x: float, y: float, angle: float, cx: float, cy: float) -> tuple[float, float]:
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return cx + c * (x - cx) - s * (y - cy), cy + s * (x - cx) + c * (y - cy)


def _ellipse(
    x: float, y: float, a: float, b: float, turn: tuple[float, float, float] | None
) -> str:
    """Return the path of an ellipse as two arcs."""
    angle = turn[0] if turn else 0.0
    if turn:
        x, y = _turned(x, y, *turn)
    dx, dy = a * math.cos(math.radians(angle)), a * math.sin(math.radians(angle))
    arc = f"A{a:.7g} {b:.7g} {angle:.7g} 0 1"
    first, second = f"{x + dx:.7g} {y + dy:.7g}", f"{x - dx:.7g} {y - dy:.7g}"
    return f"M{first}{arc} {second}{arc} {first}Z"


def _polygon(corners: list[tuple[float, float]], *, closed: bool = True) -> str:
    points = np.asarray(corners, np.float64)
    return "M" + "L".join(f"{x:.7g} {y:.7g}" for x, y in points) + ("Z" if closed else "")
