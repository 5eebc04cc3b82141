"""Closed outlines: from SVG path data, from a file of SVG, or around what a picture shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, read_regular
from artgen.primitives import bezier_points, read_coverage

Floats = NDArray[np.float64]

SIDE, MOST, NAME = 512, 4 << 20, 255
"""Pixels across a picture, the most bytes of an SVG file, and the most of a name of a file."""
CORNERS = 400
"""The most corners of an outline as it is kept."""


def read_outline(text: str) -> str:
    """Return the outline that an option asks for as SVG path data of straight lines.

    `text` is path data, or the name of an SVG file, of which the largest path counts without its
    transformations, or that of a picture with alpha or of dark on light. Raises InputError.
    """
    named = len(text) <= NAME and (re.search(r"\.[A-Za-z]\w+$", text) or Path(text).exists())
    if text[:1] in "Mm" and not named:
        found = largest([text], "frame")
    elif text.lower().endswith(".svg"):
        try:
            svg = read_regular(text, f"outline {text!r}", MOST).decode()
        except UnicodeError:
            hint = "name an SVG file that is not compressed"
            raise InputError(f"the outline {text!r} is no text", hint=hint) from None
        found = largest(re.findall(r"<path[^<>]*?\sd\s*=\s*[\"']([^\"']*)", svg), text)
    else:
        from skimage.measure import find_contours

        cover = np.pad(read_coverage(text, SIDE), 1)
        # What is faint all over has an outline too.
        rings = find_contours(cover, min(0.5, 0.9 * cover.max()))  # type: ignore[no-untyped-call]
        found = max(rings, key=lambda ring: area(ring))[:-1, ::-1]
    found = found[:: -(-len(found) // CORNERS)]
    found = (found - found.min(0)) / np.ptp(found, 0).max()
    return "M" + "L".join(f"{x:.4f},{y:.4f}" for x, y in found.tolist()) + "Z"


def largest(paths: list[str], name: str) -> Floats:
    """Return the ring [N, 2] of the largest area among paths of SVG. Raises InputError."""
    from fontTools.pens.basePen import BasePen
    from fontTools.svgLib.path import parse_path

    class Rings(BasePen):  # type: ignore[misc]
        """Rings of corners; curves have 16 pieces."""

        def _moveTo(self, point: Any) -> None:
            rings.append([point])

        def _lineTo(self, point: Any) -> None:
            rings[-1].append(point)

        def _curveToOne(self, second: Any, third: Any, last: Any) -> None:
            controls = np.array([rings[-1][-1], second, third, last])
            rings[-1].extend(bezier_points(controls, np.arange(1, 17) / 16))

    rings: list[list[Any]] = []
    try:
        for path in paths:
            parse_path(path, Rings(None))
    except (ValueError, IndexError, TypeError, AssertionError) as error:
        raise InputError(f"cannot read the path of {name}: {error}") from None
    found = max((np.array(ring, np.float64) for ring in rings), key=area, default=np.zeros((0, 2)))
    if not (np.isfinite(found).all() and area(found) > 0):
        raise InputError(
            f"{name} has no outline", hint="use path data such as 'M0,0 L2,0 L1,2 Z', or a picture"
        )
    return found


def area(ring: Floats) -> float:
    """Return the area inside a ring [N, 2]."""
    x, y = ring.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
