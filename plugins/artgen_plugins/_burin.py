"""Lines as a burin cuts them: they run through the picture and swell where it is dark.

A line does not end where the tone changes; it gets as wide as the tone and its room ask for, so
that edges are as sharp as lines are long. Lines are straight where a plane is flat, turn slowly
over forms, and from plane to plane. Where it is darker a second set crosses the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen import ink
from artgen_plugins._streams import STEP, streams
from artgen_plugins.hatch import blurred, to_canvas, without_specks
from artgen_plugins.regions import Floats, slopes

HAIR, FULL = 0.09, 0.76
"""The thinnest line and the widest one of the first set, as shares of the distance of lines."""
SMALL, BROAD, LARGE, LIT = 2.0, 2.0, 7.0, 0.7
"""The side of the smallest bare place; over how much tones are averaged for the second set, the
side of the smallest place for it, and the least tone there, next to the one it begins at."""
SHARP, EDGE, FAINT, APART = 1.0, 0.06, 0.02, 0.004
"""How soft the tones are whose directions lines take, in distances; how much they change over one
on an edge, and where they are even; the variance of tones that divides planes."""
FIRM, STEEP, LEAN, TURN, CALM = 0.22, 18.0, 0.8, 1.0, 1.5
"""How clear a direction is that lines follow; how much tones lift lines, and at most; radians by
which they turn from light to dark; how soft their turns are, in distances."""
MIDDLE = 0.4
"""The tone of a plane whose lines do not turn."""
CLOSE, FREE = 0.3, 0.65
"""How near lines may come to one another, and how far from others one begins, in distances."""
ROOM, LEAST, MOST = 1.0, 0.45, 1.8
"""Over how much the room of lines is averaged, and how much each has, in distances."""
PARTS, ALONG = 3, 1.0
"""The pieces into which each step along a line is divided, each with the width of its place; over
how many of them widths are smoothed."""
SHORT = 1.4, 8.0
"""The shortest piece of a line, in distances of lines."""
STRAY = 0.02
"""How far a line may be from where it should be, in distances of lines."""
CROSSING = 58.0
"""Degrees between the two sets of lines."""


def sets_of_lines(
    sheet: ink.Sheet,
    k: int,
    cover: Floats,
    angle: Floats,
    pitch: Floats,
    bare: float,
    cross: float,
    taper: float,
    rng: np.random.Generator,
) -> list[ink.Marks]:
    """Return lines of ink `k`, and lines across them, that cover a share of the paper.

    `cover` in 0 to 1, `angle` in radians and the distance `pitch` of lines in pixels are
    [height, width]. Below `bare` there are no lines, above `cross` there are both sets.
    """
    first = np.minimum(cover, cross + (FULL - cross) * (cover - cross) / max(1 - cross, 1e-6))
    # Lines across shade masses, not details.
    calm = blurred(np.maximum(cover - first, 0), pitch, BROAD)
    second = calm / np.maximum(1 - first, 1e-6)
    first = np.where(without_specks(cover > bare, SMALL * pitch), np.maximum(first, HAIR), 0.0)
    large = without_specks(second > HAIR, LARGE * pitch)
    second = np.where(large & (second > HAIR) & (cover > LIT * cross), second, 0.0)
    return [
        swelling(sheet, k, wide, angle + turn, pitch, taper, short, rng)
        for wide, turn, short in zip(
            (first, second), (0.0, np.radians(CROSSING)), SHORT, strict=True
        )
    ]


def followed(tone: Floats, pitch: Floats, angle: float, bend: float, broad: float) -> Floats:
    """Return the angle of lines that keep to `angle` and turn slowly, each plane's by itself.

    Lines run along what has a direction, by the share `bend`, and else over the picture as over a
    relief, high where it is dark. Directions are averaged over `broad` distances, but not across
    edges of the tone (the guided filter of He, Sun and Tang, 2010), so that what is flat up to the
    edge of a form stays straight.
    """
    from scipy.ndimage import map_coordinates

    fine = blurred(tone, pitch, SHARP)
    down, across = (pitch * each for each in slopes(fine))
    size = down**2 + across**2
    # An edge counts no more than the texture of a plane, and lifts nothing: it is no slope.
    smooth = 1 / (1 + (size / EDGE**2) ** 2)
    even = smooth / (size + FAINT**2)
    ways = (down**2 - across**2) * even, -2 * across * down * even
    planes = *ways, down * smooth, across * smooth, fine
    # Averages are so soft that a few pixels say them (He and Sun: Fast guided filter, 2015).
    step = max(1, int(broad * pitch.min() / 4))
    few, wide = np.s_[::step, ::step], broad * pitch[::step, ::step] / step
    guide = fine[few]
    mean = blurred(guide, wide, 1.0)
    spread = blurred(guide**2, wide, 1.0) - mean**2 + APART
    place, found = np.indices(tone.shape) / step, []
    for plane in planes:
        own = blurred(plane[few], wide, 1.0)
        slope = (blurred(guide * plane[few], wide, 1.0) - mean * own) / spread
        parts = (blurred(each, wide, 0.5) for each in (slope, own - slope * mean))
        part, rest = (map_coordinates(each, place, order=1, mode="nearest") for each in parts)
        found.append(part * fine + rest)
    cosine, sine, down, across, mass = found
    angle = angle + TURN * (mass - MIDDLE)
    steep = LEAN * STEEP / (1 + STEEP * np.hypot(across, down))
    turn = np.arctan2(np.sin(angle) + steep * across, np.cos(angle) + steep * down)
    length = np.hypot(cosine, sine) + 1e-12
    firm = bend * length**2 / (length**2 + FIRM**2)
    cosine = firm * cosine / length + (1 - firm) * np.cos(2 * turn)
    sine = firm * sine / length - (1 - firm) * np.sin(2 * turn)
    return np.arctan2(blurred(sine, pitch, CALM), blurred(cosine, pitch, CALM)) / 2


def swelling(
    sheet: ink.Sheet,
    k: int,
    wide: Floats,
    angle: Floats,
    pitch: Floats,
    taper: float,
    short: float,
    rng: np.random.Generator,
) -> ink.Marks:
    """Return lines along `angle`, as wide as the share `wide` of their distance `pitch`.

    They run over the frame by as much as they are wide, and are thin where they meet another one.
    """
    from scipy.ndimage import gaussian_filter1d, map_coordinates, maximum_filter

    rim = int(2 * pitch.max()) + 2
    wide, angle, pitch = (np.pad(each, rim, mode="edge") for each in (wide, angle, pitch))
    near = maximum_filter(wide, max(3, int(3 * pitch.mean()))) > 0
    places = np.stack(np.nonzero(near)[::-1], 1) + 0.5
    places = rng.permutation(places)[: 4 * sheet.count]
    points, starts = streams(angle, np.zeros(wide.shape), near, pitch, places, 1000.0, CLOSE, FREE)
    if len(starts) < 2:
        return ink.joined([])
    points, line, end = divided(points, starts)
    thin = np.minimum(1, 0.2 + end * STEP / taper)
    pitch = pitch * room(points, thin, pitch)
    place = points.T[::-1] - 0.5
    gap = map_coordinates(pitch, place, order=1, mode="nearest")
    share = map_coordinates(wide, place, order=1, mode="nearest")
    # Not all lines end at the same tone, or they would draw its contour.
    least = HAIR * (0.6 + 0.8 * (line * 0.6180339887 % 1))
    share = np.where(share < least, 0.0, gaussian_filter1d(share, ALONG)) * thin
    points, radius = points - rim, share * gap / 2
    height, width = sheet.amounts[k].shape
    inside = ((points > -radius[:, None]) & (points < [width, height] + radius[:, None])).all(1)
    drawn = inside & (share > 0)
    kept = long_enough(drawn, line, int(short * PARTS / STEP))
    points, radius, line, gap = points[kept], radius[kept], line[kept], gap[kept]
    run = np.cumsum(np.diff(np.nonzero(kept)[0], prepend=-2) > 1)
    line = line * (len(run) + 1) + run
    ends = needed(points, radius, line, gap)
    points, radius, line = points[ends], radius[ends], line[ends]
    marks = ink.polyline(to_canvas(sheet, points), radius * sheet.canvas.pixel, k)
    same = line[1:] == line[:-1]
    return ink.Marks(marks.strokes[same], marks.ink[same])


def room(points: Floats, thin: Floats, pitch: Floats) -> Floats:
    """Return how far lines are from one another, in the distance `pitch` that they should have.

    Lines have `points` [N, 2], and `thin` [N] is how much of their width they have there.
    """
    row, column = (points.T[::-1] - 0.5).clip(0).astype(int)
    place = row * pitch.shape[1] + column
    share = thin * STEP / PARTS * pitch[row, column] ** 2
    there: Any = np.bincount(place, share, pitch.size).reshape(pitch.shape)
    return 1 / blurred(there, pitch, ROOM).clip(1 / MOST, 1 / LEAST)


def divided(points: Floats, starts: Any) -> tuple[Floats, Any, Floats]:
    """Return the points of lines and of the `PARTS` of each step, and the number of their line.

    Last are the steps from each to the nearer end of its line.
    """
    size = np.diff(starts)
    fine = (size - 1) * PARTS + 1
    line = np.repeat(np.arange(len(size)), fine)
    order = np.arange(fine.sum()) - np.repeat(np.cumsum(fine) - fine, fine)
    at, part = order // PARTS, (order % PARTS)[:, None] / PARTS
    index = starts[:-1][line] + at
    after = np.minimum(index + 1, starts[1:][line] - 1)
    end = np.minimum(order, fine[line] - 1 - order) / PARTS
    return points[index] * (1 - part) + points[after] * part, line, end


def long_enough(drawn: NDArray[np.bool_], line: Any, least: int) -> NDArray[np.bool_]:
    """Return which points [N] are drawn in a run of at least so many in one line."""
    begins = np.ones(len(drawn), bool)
    begins[1:] = (drawn[1:] != drawn[:-1]) | (line[1:] != line[:-1])
    run = np.cumsum(begins) - 1
    return np.asarray(drawn & (np.bincount(run)[run] >= least))


def needed(points: Floats, radius: Floats, line: Any, pitch: Floats) -> NDArray[np.int64]:
    """Return the numbers of the points [N, 2] that lines with this `radius` and `line` [N] need.

    Four times every other point is left out where it is between its neighbours, as far as lines
    with a distance of `pitch` [N] show it.
    """
    full, numbers = np.concatenate([points, radius[:, None]], 1), np.arange(len(points))
    for _ in range(4):
        middle = np.arange(1, len(numbers) - 1, 2)
        own = line[numbers]
        middle = middle[(own[middle - 1] == own[middle]) & (own[middle + 1] == own[middle])]
        before, at, after = (full[numbers[middle + step]] for step in (-1, 0, 1))
        # The widths of what is between two ends change evenly along the way.
        first, last = (np.hypot(*(each - at)[:, :2].T)[:, None] for each in (before, after))
        off = np.abs(at - (before * last + after * first) / (first + last + 1e-12)).max(1)
        numbers = np.delete(numbers, middle[off < STRAY * pitch[numbers[middle]]])
    return numbers
