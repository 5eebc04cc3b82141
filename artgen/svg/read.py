"""Read the filled paths of an SVG file that comes from anywhere.

The file is read as a stream, within limits. Entities are refused and nothing outside is opened.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from artgen.base.errors import InputError
from artgen.base.files import check_regular, input_errors
from artgen.base.xml import ExpatError, stream
from artgen.svg.curves import Floats, flatten
from artgen.svg.elements import NAMESPACE, NUMBER, contours, length, path_data, transformed
from artgen.svg.filled import FilledPath, covers, outer_rings
from artgen.svg.styles import StyleSheet, declared, read_styles

Area: TypeAlias = tuple[list[Floats], bool, tuple[float, float, float], float]

LARGEST_FILE, MOST_ELEMENTS, MOST_PATHS = 32_000_000, 200_000, 10_000
"""Limits of a file: bytes, elements, and filled paths."""

MOST_NUMBERS, MOST_CONTOURS, MOST_CORNERS = 2_000_000, 50_000, 2_000_000
"""Limits of its paths: numbers in their data, closed contours with holes, corners as polygons."""

LONGEST_CONTOUR = 200_000
"""The most corners of one contour, which is drawn row by row."""

MOST_COMPARISONS = 25_000_000
"""Limit of what may depend on pairs: contours within contours, and rules for elements."""

FAR = 10
"""How many times the longer side of the canvas a path may be away from it."""

_CONTAINERS = {"svg", "g", "a", "switch"}
_SHAPES = {"path", "rect", "circle", "ellipse", "polygon", "polyline"}
_UNREAD = {
    "image": "images",
    "text": "text",
    "use": "use",
    "svg": "nested svg",
    "line": "strokes",
    "foreignObject": "foreign objects",
    **dict.fromkeys(("animate", "animateTransform", "animateMotion", "set"), "animations"),
}
_EFFECTS = {
    "clip-path": "clip paths",
    "mask": "masks",
    "filter": "filters",
    "mix-blend-mode": "blend modes",
}
_INHERITED = {
    "fill": "black",
    "fill-rule": "nonzero",
    "fill-opacity": "1",
    "stroke": "none",
    "visibility": "visible",
    "color": "black",
}
_RGBA = re.compile(r"(rgb|hsl)a?\(([^,]+,[^,]+,[^,]+),([^,]+)\)")
"""A colour with its opacity, of which Pillow would take 1 for the least of 255."""

_PROPERTIES = {*_INHERITED, *_EFFECTS, "opacity", "display", "transform"}


@dataclass(frozen=True, eq=False)
class SvgPaths:
    """The filled paths of an SVG, from the lowest to the highest, in units of its canvas.

    The canvas is `size`, width and height; its upper left corner is the origin. A path that covers
    all of it is no path but the `background`. `unread` counts what was left out, by name, and
    `holes` those that were filled. `areas` are all that is filled as it was drawn, with its holes:
    contours [N, 2], whether they alternate (the even-odd rule), colour and opacity.
    """

    size: tuple[float, float]
    paths: tuple[FilledPath, ...]
    background: tuple[float, float, float]
    unread: Mapping[str, int]
    holes: int
    areas: tuple[Area, ...] = ()


def read_svg(path: Path) -> SvgPaths:
    """Read the filled paths of a file.

    Raises InputError where it is damaged, too large, declares entities or has no filled path.
    """
    with input_errors(str(path)):
        size = check_regular(path, str(path))
        if size > LARGEST_FILE:
            raise InputError(
                f"{path} has {size:,} bytes, more than {LARGEST_FILE:,}",
                hint="simplify the drawing first",
            )
        data = path.read_bytes()
    reader = _Handlers(path)
    parser = stream(reader.start, reader.end, reader.refuse_entity)
    try:
        if b"style" in data.replace(b"\0", b""):  # in UTF-16 too
            read_styles(reader.styles, data, reader.refuse_entity)
        parser.Parse(data, True)
    except (ExpatError, ValueError) as error:
        raise InputError(f"{path} is not a valid SVG file: {error}", hint="save it again") from None
    return reader.result()


@dataclass(frozen=True, eq=False)
class _Context:
    """The attributes that an element passes on to those within it."""

    transform: Any
    style: Mapping[str, str] = field(default_factory=lambda: _INHERITED)
    opacity: float = 1.0


class _Handlers:
    """The handlers of a parser, and what they found."""

    def __init__(self, path: Path) -> None:
        from fontTools.misc.transform import Identity

        self.path, self.skipped = path, 0
        self.counts: Counter[str] = Counter()
        self.stack = [_Context(Identity)]
        self.styles = StyleSheet(_PROPERTIES)
        self.unread: Counter[str] = Counter()
        self.paths: list[FilledPath] = []
        self.areas: list[Area] = []
        self.holes = 0
        self.box: tuple[float, float, float, float] | None = None

    def refuse_entity(self, *_: Any) -> None:
        raise InputError(
            f"{self.path} declares entities, which are not read", hint="save it as a plain SVG"
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        first = not self.counts
        self._count(1, MOST_ELEMENTS, "elements")
        namespace, _, tag = name.rpartition(" ")
        if first and tag != "svg":
            raise InputError(f"{self.path} is not an SVG file: it begins with <{tag}>")
        if self.skipped or namespace not in ("", NAMESPACE):
            self.skipped += 1
            return
        drawn = tag in _SHAPES or (tag in _CONTAINERS and (first or tag != "svg"))
        if not drawn:
            if tag in _UNREAD:
                self.unread[_UNREAD[tag]] += 1
            self.skipped += 1
            return
        if first:
            self.box = _canvas(attributes)
        own = _style(tag, attributes, self.styles, self.compare)
        if own.get("display") == "none":
            self.skipped += 1
            return
        for key, what in _EFFECTS.items():
            self.unread[what] += own.get(key, "none") not in ("none", "normal")
        read = "none", attributes.get("transform", "").strip()
        self.unread["transforms in styles"] += own.get("transform", "none") not in read
        context = self.stack[-1]
        inherited = {key: value for key, value in own.items() if key in _INHERITED}
        try:
            context = _Context(
                transformed(context.transform, attributes.get("transform", "")),
                {**context.style, **inherited},
                context.opacity * _share(own.get("opacity", "1")),
            )
            if tag in _SHAPES:
                self._add(tag, attributes, context)
        except (ValueError, TypeError, ArithmeticError, IndexError):
            self.unread["elements with damaged attributes"] += 1
        self.stack.append(context)

    def end(self, _: str) -> None:
        if self.skipped:
            self.skipped -= 1
        else:
            self.stack.pop()

    def _add(self, tag: str, attributes: Mapping[str, str], context: _Context) -> None:
        from PIL import ImageColor

        style = context.style
        if style["visibility"] != "visible":
            return
        self.unread["strokes"] += style["stroke"] != "none"
        fill = style["color"] if style["fill"].lower() == "currentcolor" else style["fill"]
        if fill in ("none", "transparent"):
            return
        if fill.startswith("url("):
            self.unread["gradients and patterns"] += 1
            return
        share = _share(style["fill-opacity"])
        # CSS writes spaces and a slash where SVG 1.1 has commas.
        fill = re.sub(r"(?<=[\d%])\s*[\s/]\s*(?=[\d.])", ",", fill)
        if parts := _RGBA.fullmatch(fill.lower()):
            fill, share = f"{parts[1]}({parts[2]})", share * _share(parts[3].strip())
        red, green, blue, *alpha = ImageColor.getrgb(fill)
        opacity = context.opacity * share * (alpha or [255])[0] / 255
        if opacity == 0:
            return
        data = path_data(tag, attributes, self.box) + "Z" * (tag == "polyline")
        rings = self._rings(data, context.transform)
        if not rings:
            return
        even_odd = style["fill-rule"] == "evenodd"
        outer, holes = outer_rings(rings, even_odd=even_odd, compare=self.compare)
        self.holes += holes
        colour = min(red, 255) / 255, min(green, 255) / 255, min(blue, 255) / 255
        self.paths += [FilledPath(ring, colour, opacity) for ring in outer]
        self.areas.append((rings, even_odd, colour, opacity))
        self._count(len(outer), MOST_PATHS, "filled paths")

    def _rings(self, data: str, transform: object) -> list[Floats]:
        """The closed contours of path data as polygons [corners, 2]."""
        numbers = sum(1 for _ in re.finditer(NUMBER, data))
        self._count(numbers, MOST_NUMBERS, "numbers in its paths")
        found = contours(data, transform)
        self._count(len(found), MOST_CONTOURS, "contours")
        rings = []
        for each in found:
            if (np.ptp(each.curves.reshape(-1, 2), axis=0) > 0).all():
                # The end counts too: it need not be where the contour began.
                rings.append(np.concatenate([flatten(each.curves), each.curves[-1:, 3]]))
                self._count(len(rings[-1]), MOST_CORNERS, "corners")
                self._limit(len(rings[-1]), LONGEST_CONTOUR, "corners in one contour")
        return rings

    def compare(self, number: int) -> None:
        """Count comparisons of all pairs. Raises InputError where they would take too long."""
        self._count(number, MOST_COMPARISONS, "pairs of contours or style rules")

    def _count(self, number: int, most: int, what: str) -> None:
        self.counts[what] += number
        self._limit(self.counts[what], most, what)

    def _limit(self, count: int, most: int, what: str) -> None:
        if count > most:
            problem = f"{self.path} has more than {most:,} {what}"
            raise InputError(problem, hint="simplify the drawing first")

    def result(self) -> SvgPaths:
        """Return what was read, with the canvas at the origin. Raises InputError without paths."""
        if not self.paths:
            found = _listed(self.unread)
            raise InputError(
                f"{self.path} has no filled paths" + (f", only {found}" if found else ""),
                hint="turn text and strokes into paths first",
            )
        if self.box is None:
            points = np.concatenate([each.points for each in self.paths])
            low, high = points.min(0), points.max(0)
            self.box = (float(low[0]), float(low[1]), *(high - low).tolist())
        left, top, width, height = self.box
        background, paths = (1.0, 1.0, 1.0), list[FilledPath]()
        for each in self.paths:
            # Nothing is seen so far away, and numbers stay small.
            far = FAR * max(width, height)
            seen = replace(each, points=each.points - (left, top)).within(far)
            low, high = seen.points.min(0, initial=far), seen.points.max(0, initial=-far)
            if (high <= 0).any() or (low >= (width, height)).any():
                continue
            if each.alpha == 1 and not paths and covers(seen.points, width, height):
                background = each.colour
            else:
                paths.append(seen)
        if not paths:
            raise InputError(
                f"{self.path} has no filled paths within its canvas but its background",
                hint="check its viewBox",
            )
        self.unread["style rules"] += self.styles.unread
        unread = {what: number for what, number in self.unread.items() if number}
        areas = [
            ([ring - (left, top) for ring in rings], even_odd, colour, alpha)
            for rings, even_odd, colour, alpha in self.areas
        ]
        return SvgPaths((width, height), tuple(paths), background, unread, self.holes, tuple(areas))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} ({count})" for what, count in sorted(counts.items()) if count)


def describe(svg: SvgPaths) -> str:
    """Return one sentence about what was not read; empty where that is nothing."""
    said = [f"not read: {_listed(svg.unread)}"] if svg.unread else []
    if svg.holes:
        said.append(f"holes that were filled: {svg.holes}")
    return "; ".join(said)


def _style(
    tag: str, attributes: Mapping[str, str], sheet: StyleSheet, compare: Callable[[int], object]
) -> dict[str, str]:
    """The properties of an element: attributes, then style sheets, then its `style`."""
    own = declared(attributes.get("style", ""))
    found = {**attributes, **sheet.properties(tag, attributes, compare), **own}
    stripped = {key: value.strip() for key, value in found.items() if key in _PROPERTIES}
    return {key: value for key, value in stripped.items() if value not in ("", "inherit")}


def _share(text: str) -> float:
    """A number or a percentage as a share in 0..1."""
    value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if math.isnan(value):
        raise ValueError("not a number")
    return min(max(value, 0.0), 1.0)


def _canvas(attributes: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """Left, top, width and height of the canvas; None where the file does not say."""
    try:
        if "viewBox" in attributes:
            left, top, width, height = map(float, re.findall(NUMBER, attributes["viewBox"]))
        else:
            left = top = 0.0
            width, height = (length(attributes[key], math.nan) for key in ("width", "height"))
    except (KeyError, ValueError):
        return None
    box = left, top, width, height
    return box if min(width, height) > 0 and all(map(math.isfinite, box)) else None
