"""Marks of ink as flat parts, and as lines for pens: the pens are the inks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.families.ink.contract import Ink
from artgen.film.scenes import Scene
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import described_paths, last_keys, scenes_of
from artgen.output.parts.flat import flat_parts
from artgen.output.parts.marks import PlacedMark, chains
from artgen.output.parts.pens import Floats, overprinted, pen_lines
from artgen.targets import hex_colour
from artgen.values.drawing import Drawing


@flat_parts.register(Ink)
def _parts(primitive: Ink, drawing: Drawing) -> list[PlacedMark]:
    """One part for each mark, ink after ink where they cover what is below, as they are painted.

    Those of one ink cover their union.
    """
    marks, names = primitive.unpack(drawing.tensors), ("x1", "y1", "x2", "y2", "r1", "r2")
    order = _order(primitive, marks.ink)
    return [
        PlacedMark(
            stroke[None],
            primitive.cap,
            colour=primitive.inks[ink],
            kind=drawing.primitive,
            numbers=dict(zip(names, stroke.tolist(), strict=True)),
            union="multiply" if primitive.options.overprint else "normal",
            layer=ink,
        )
        for stroke, ink in zip(marks.strokes[order], marks.ink[order].tolist(), strict=True)
    ]


def _order(primitive: Ink, ink: NDArray[np.int64]) -> NDArray[np.int64]:
    """The marks in the order of the parts, [N], by their inks."""
    return np.argsort(ink * (not primitive.options.overprint), kind="stable")


@scenes_of.register(Ink)
def _scenes(
    primitive: Ink, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    """Lifespans are those of marks."""
    described = described_paths(primitive, drawing, scenes, packer)
    for scene, table in zip(scenes, described["scenes"], strict=True):
        if scene.lifespans is not None:
            marks = primitive.unpack(last_keys(drawing, scene).tensors)
            table["order"] = packer.add(_order(primitive, marks.ink), exact=True)
    return described


@overprinted.register(Ink)
def _overprinted(primitive: Ink) -> int:
    """All of its inks, layers among them, or none."""
    return len(primitive.inks) if primitive.options.overprint else 0


TURN = 16
"""Corners of a circle."""


@pen_lines.register(Ink)
def _of_inks(primitive: Ink, drawing: Drawing, width: float) -> list[tuple[str, list[Floats]]]:
    """Lines along strokes, side by side where these are wider than the pen; rings of dots."""
    marks, layers = primitive.unpack(drawing.tensors), []
    for k, colour in enumerate(primitive.inks):
        strokes = marks.strokes[marks.ink == k]
        dotted = (strokes[:, :2] == strokes[:, 2:4]).all(1) & (primitive.cap == "round")
        rings = [ring for dot in strokes[dotted] for ring in _rings(dot[:2], dot[4:].max(), width)]
        layers.append((hex_colour(colour), [*_lines(strokes[~dotted], width), *rings]))
    return layers


def _lines(strokes: Floats, width: float) -> list[Floats]:
    """Return the lines of strokes: one after the other, then those beside them."""
    found = chains(strokes)
    extra = np.ceil(strokes[:, 4:].max(1, initial=0) * 2 / width - 0.5).astype(int)
    along = strokes[:, 2:4] - strokes[:, :2]
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across /= np.maximum(np.hypot(*along.T), 1e-12)[:, None]
    for stroke, side, number in zip(strokes, across, extra, strict=True):
        reach = np.maximum(stroke[4:] - width / 2, 0)
        # But for the one in the middle, which is there.
        for share in np.linspace(-1, 1, number)[2 * np.arange(number) != number - 1]:
            ends = stroke[:4].reshape(2, 2) + share * reach[:, None] * side
            found.append(ends)
    return found


def _rings(middle: Floats, radius: float, width: float) -> list[Floats]:
    """Return circles inside each other that fill a dot; a dot smaller than the pen is a point."""
    turn = 2 * np.pi * np.arange(TURN + 1) / TURN
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    radii = np.arange(radius - width / 2, 0, -width)
    rings = [middle + each * circle for each in radii.tolist()]
    if not len(radii) or radii[-1] > width / 2:  # the middle is bare
        rings.append(np.stack([middle, middle + np.array([width / 10, 0])]))
    return rings
