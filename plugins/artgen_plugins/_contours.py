"""The lines by which a draughtsman would say what is in a picture: few, long and clean.

Edges that stand out from what is around them are followed, joined where they go straight on, and
led on to the next line where the picture shows a way, so that shapes are closed, but not in a face.
What runs beside a clearer line is left out, and so is what is short, curls or wriggles, as texture
does. Straight runs are ruled.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas
from artgen_plugins.hatch import blurred
from artgen_plugins.regions import Floats, Labels, Mask, Place, lab_of, walks

SOFT, STEP, FAINT = 0.7, 40.0, 0.5
"""How soft a gradient is taken, in bends; how large it is over that distance on an edge from black
to white; how much fainter the rest of a clear line may be."""
AROUND, TEXTURE, RIM = 0.02, 0.6, 0.016
"""How far what is around an edge reaches, in shorter sides, and how much of it is subtracted; what
is left out beside the frame."""
MASS, MOST = 0.012, 12.0
"""How soft the picture is whose edges are those of masses, in shorter sides; from which gradient
on an edge counts as no clearer."""
ALONG, WRIGGLE = 8, 8.0
"""How far along a line, in points, it is told how straight it is, and how much that counts."""
SHORT, LONE, LEAST, NEAR = 0.045, 0.14, 0.14, 0.75
"""The shortest line, the shortest whose ends are free, and the least sum of gradients along one, in
shorter sides; how much less they are in the focus."""
JOINS = (60.0, 0.006), (30.0, 0.012), (10.0, 0.03), (5.0, 0.06)
"""Degrees by which one line may go on in another, and how far from its end, in shorter sides: what
is near first, then what goes straight on."""
FAR, WAY = 0.1, 0.12
"""How far a line is led on, and the most that this may cost, in shorter sides on a clear edge;
where there is none, each step costs ten times as much."""
RULED, OFF = 0.05, 0.0022
"""The shortest run that is ruled, and how far it may be from straight, in shorter sides."""
CURL, EVEN, CALM = 0.02, 0.74, 0.7
"""Over how much of a line, in shorter sides either way, it is told whether it curls; how straight
it is at least, as chord by arc; the share of a short line that has to be so."""
TRUE, EASY, ASIDE, STEADY = 0.16, 0.013, 0.008, 0.93
"""The shortest sure line, how far its bends are smoothed, and how far that may take it from the
edge, in shorter sides; how straight it is at least, as chord by arc."""
DISTINCT, FIRST, TURNED = 4.0, 3.0, 3.0
"""How distinct a sure line is, in CIELAB; how much more those count that go first; what a step
aside costs of one that is drawn to an edge."""
PARTED, SHARP, BUSY, STANDS = (0.03, 4.5), 1.3, (0.08, 20), (5.0, 0.28)
"""Over how much of the shorter side the masses are told that a line parts, and how much it does, in
CIELAB; how much sharper it is there than what is around; how far around what is busy is told, and
by which percentile; how much clearer than that a line is that parts none, and how long, in canvas
units."""
FACE = 0.6
"""The weight, as a share of the largest, from which on a place is in a face."""
GROUND = 0.15
"""The share of the frame from which on a shape is the ground."""


class Contour(NamedTuple):
    """A line: points [N, 2], x and y in canvas units, and how clear it is at each: [N]."""

    points: Floats
    contrast: Floats


def contours(
    seen: Floats,
    weight: Floats | None,
    canvas: Canvas,
    detail: float,
    strength: float,
    gap: float,
    length: float,
) -> list[Contour]:
    """Return the lines of a picture [3, height, width], sRGB, those of the largest masses first.

    `detail` is the least radius of a bend and `gap` the least distance of lines side by side, in
    canvas units; both are finer where `weight` [height, width] is larger. Lines along which less
    than `strength` differs, in shares of black to white, are left out, and the least clear where
    lines are longer than `length` in all, in canvas units.
    """
    shape = seen.shape[1:]
    if min(shape) < 8:
        return []
    inner = focused(weight, shape)
    side, bent = min(shape), max(1.0, detail / canvas.pixel)
    lines, slope, mass = _along_edges(seen, inner, bent, strength)
    scores = [_score(line, inner) / side for line in lines]
    order = np.argsort([-score for score in scores], kind="stable")
    clear = [lines[k] for k in order if scores[k] > LEAST]
    kept = apart(clear, inner, max(1.0, gap / canvas.pixel), SHORT * side / 2)
    long = [line.points for line in kept if _long(line.points, inner, SHORT * side)]
    parts = [part for points in long for part in _uncurled(points, inner)]
    total = np.cumsum([len(part) for part in parts])
    led = _led(parts[: int((total <= length / canvas.pixel).sum())], slope, inner)
    drawn = []
    for points in (part for line in led for part in _uncurled(line, inner)):
        if in_rim(points, shape):
            continue
        focus = float(inner[pixels_of(points, shape)].mean())
        soft = (1.2 * bent + 1) * (1 - 0.6 * focus)
        fair = smooth_line(ruled(smooth_line(points, soft), RULED * side, OFF * side), 1.0)
        told = mass[pixels_of(points, shape)]
        drawn.append(Contour(fair[:, ::-1] * canvas.pixel - canvas.reach, told))
    return sorted(drawn, key=lambda each: -float(each.contrast.sum()))


def sure(
    seen: Floats,
    inner: Floats,
    canvas: Canvas,
    detail: float,
    strength: float,
    gap: float,
    first: Iterable[Contour],
) -> list[Contour]:
    """Return the lines of a picture that are long, evenly bent and true, the clearest first.

    Parts where the edge is faint, or from which a line without tight bends departs, are left out,
    so that none is where nothing is; so are lines of texture, which part no masses. What is true of
    the lines `first`, drawn to the edges near them, goes before. Parameters are like those of
    `contours`.
    """
    from scipy.ndimage import grey_closing, uniform_filter1d

    shape, found = inner.shape, list[Contour]()
    if min(shape) < 8:
        return []
    side, wide = min(shape), max(3, round(CURL * min(shape)))
    lines, slope, mass = _along_edges(seen, inner, max(1.0, detail / canvas.pixel), strength)
    drawn = []
    for points, _ in first:
        places = (points + canvas.reach)[:, ::-1] / canvas.pixel
        places = snapped(places, slope, max(1, round(CURL * side)))
        drawn.append(Contour(places, FIRST * slope[pixels_of(places, shape)].clip(0, MOST)))
    for line in [*drawn, *lines]:
        if len(line.points) < TRUE * side:
            continue
        points = ruled(smooth_line(line.points, EASY * side), RULED * side, OFF * side)
        away = uniform_filter1d(np.hypot(*(points - line.points).T), wide)
        told = np.minimum(line.contrast, mass[pixels_of(points, shape)])
        clear = uniform_filter1d(told, 2 * wide)
        true = ((away < max(1.0, ASIDE * side)) & (clear > DISTINCT)).astype(np.uint8)
        true = grey_closing(true, 2 * wide + 1, mode="nearest") > 0
        true &= straightness(points, 2 * wide) > STEADY
        parts = [Contour(points[run], told[run]) for run in runs(true)]
        found += [each for each in parts if len(each.points) > TRUE * side]
    found = [each for each in found if not in_rim(each.points, shape)]
    found.sort(key=lambda each: -_score(each, np.zeros(shape)))
    kept = apart(found, np.zeros(shape), gap / canvas.pixel, TRUE * side)
    return [
        line._replace(points=line.points[:, ::-1] * canvas.pixel - canvas.reach) for line in kept
    ]


def telling(lines: list[Contour], seen: Floats, canvas: Canvas) -> list[Contour]:
    """Return the lines that say more than that there is texture.

    They part masses of a picture [3, height, width], or are long and clear where it is calm around
    them, as cables and towers are.
    """
    from scipy.ndimage import gaussian_filter, maximum_filter, percentile_filter, zoom

    shape, lab = seen.shape[1:], lab_of(seen)
    side, (reach, share) = min(shape), BUSY
    far, near = (
        _gradient(lab, np.full(shape, max(1.0, wide * side)))[0] for wide in (PARTED[0], MASS / 3)
    )
    around = gaussian_filter(near, reach / 2 * side)
    clear = maximum_filter(near, 2 * round(MASS / 1.5 * side) + 1)
    # A percentile is that of a few pixels: of each it takes as long as all the rest.
    few = percentile_filter(near[::4, ::4], share, 2 * round(reach * side / 8) + 1)
    calm = zoom(few, np.array(shape) / few.shape, order=0, grid_mode=True, mode="nearest")
    kept = []
    for line in lines:
        at = cells_of(line, canvas)
        apart, sharp, busy, top, rest = (
            float(plane[at].mean()) for plane in (far, near, around, clear, calm)
        )
        parts = apart > PARTED[1] and sharp > SHARP * busy
        long = np.hypot(*np.diff(line.points, axis=0).T).sum() > STANDS[1]
        if parts or (long and top > STANDS[0] * (rest + 0.3)):
            kept.append(line)
    return kept


def snapped(points: Floats, slope: Floats, reach: int) -> Floats:
    """Return a line [N, 2] moved across itself, by at most `reach` pixels, to the clearest edge.

    Of all ways without jumps it has the most edge along it, by dynamic programming. Its points
    become as far apart as pixels.
    """
    from scipy.ndimage import map_coordinates

    far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    points = np.stack([np.interp(np.arange(far[-1]), far, each) for each in points.T], 1)
    way = np.gradient(smooth_line(points, reach / 2), axis=0)
    across = np.stack([-way[:, 1], way[:, 0]], 1) / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    shifts = np.arange(-reach, reach + 1)
    places = points[:, None] + shifts[:, None] * across[:, None]
    gain = map_coordinates(slope.clip(0, MOST), places.T, order=1, mode="nearest").T
    best, steps = gain[0], []
    for row in gain[1:]:
        beside = np.pad(best - TURNED, 1, constant_values=-np.inf)
        before = np.stack([beside[:-2], best, beside[2:]])
        steps.append(before.argmax(0) - 1)
        best = row + before.max(0)
    taken = [int(best.argmax())]
    for step in steps[::-1]:
        taken.append(taken[-1] + int(step[taken[-1]]))
    return np.asarray(points + shifts[taken[::-1], None] * across)


def _along_edges(
    seen: Floats, inner: Floats, bent: float, strength: float
) -> tuple[list[Contour], Floats, Floats]:
    """Return lines along edges, joined where they go on, and what `_edges` returns but lines."""
    shape, side = inner.shape, min(inner.shape)
    slope, mask, mass = _edges(lab_of(seen), inner, bent, STEP * strength)
    lines = [Contour(each, slope[pixels_of(each, shape)].clip(0, MOST)) for each in traced(mask)]
    for turn, reach in JOINS:
        lines = joined(lines, max(2.0, reach * side), turn)
    return lines, slope, mass


def enclosed(lines: list[Contour], canvas: Canvas) -> Labels:
    """Return the number of the shape between lines in which each pixel lies, [height, width].

    What has much of the frame is the ground, 0, where there is anything else. Gaps of two pixels
    are closed.
    """
    from scipy.ndimage import binary_dilation, distance_transform_edt, label

    drawn = rim((canvas.height, canvas.width))
    for line in lines:
        drawn[cells_of(line, canvas)] = True
    found, many = label(~binary_dilation(drawn))
    if many:
        row, column = distance_transform_edt(
            found == 0, return_distances=False, return_indices=True
        )
        found = found[row, column]
    edge = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]])
    ground = np.bincount(edge, minlength=many + 1) > GROUND * len(edge)
    shapes: Labels = np.where(ground[found], 0, found)
    return shapes if shapes.any() else found


def within(plane: Floats, shapes: Labels, wide: float) -> Floats:
    """Return a plane [height, width] smoothed over `wide` pixels, but not from shape to shape."""
    from scipy.ndimage import find_objects, gaussian_filter

    found, pad = plane.copy(), int(3 * wide) + 1
    for value, box in enumerate(find_objects(shapes), 1):
        if box is None:
            continue
        inside = shapes[box] == value
        if max(inside.shape) < 2 * wide:
            found[box][inside] = plane[box][inside].mean()
            continue
        inside = np.pad(inside, pad)
        own, share = (
            gaussian_filter(inside * each, wide, truncate=3)[inside]
            for each in (np.pad(plane[box], pad), 1.0)
        )
        found[box][shapes[box] == value] = own / share
    return found


def _edges(lab: Floats, inner: Floats, bent: float, least: float) -> tuple[Floats, Mask, Floats]:
    """Return how much edges stand out, the lines along which they do, and the edges of masses.

    All are [height, width], in CIELAB over the distance that is soft. Lines are the maxima of the
    gradient across itself (Canny 1986), of all channels together (Di Zenzo 1986). What is around
    is subtracted (Grigorescu, Petkov and Westenberg 2003), so that texture has few lines.
    """
    from scipy.ndimage import map_coordinates
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import skeletonize

    side = min(inner.shape)
    size, angle = _gradient(lab, np.maximum(1.0, SOFT * bent * (1 - 0.5 * inner)))
    around = blurred(size, np.full(size.shape, AROUND * side), 1.0)
    out = np.maximum(size - TEXTURE * (1 - 0.6 * inner) * around, 0)
    place, step = np.indices(size.shape), np.stack([np.sin(angle), np.cos(angle)])
    before, after = (
        map_coordinates(size, place + way * step, order=1, mode="nearest") for way in (-1, 1)
    )
    peak = np.where((size >= before) & (size > after), out, 0.0)
    mask = apply_hysteresis_threshold(peak, FAINT * least, least)  # type: ignore[no-untyped-call]
    mask &= ~rim(mask.shape)
    mass = _gradient(lab, np.full(size.shape, max(1.0, MASS * side)))[0]
    return out, skeletonize(mask), mass  # type: ignore[no-untyped-call]


def rim(shape: tuple[int, ...]) -> Mask:
    """Return a mask [height, width] of what is beside the frame, where there are no lines."""
    found, wide = np.ones(shape, bool), max(2, round(RIM * min(shape)))
    found[wide:-wide, wide:-wide] = False
    return found


def _gradient(lab: Floats, soft: Floats) -> tuple[Floats, Floats]:
    """Return the size of the gradient of a picture, over `soft` pixels, and its angle."""
    down, across = np.array(
        [np.gradient(blurred(each, soft, 1.0)) for each in np.moveaxis(lab, 2, 0)]
    ).swapaxes(0, 1)
    yy, xy, xx = (down**2).sum(0), (down * across).sum(0), (across**2).sum(0)
    apart = np.hypot(xx - yy, 2 * xy)
    return soft * np.sqrt(0.5 * (xx + yy + apart)), 0.5 * np.arctan2(2 * xy, xx - yy)


def _score(line: Contour, inner: Floats) -> float:
    """Return how much a line says: how clear it is in all, less where it wriggles."""
    straight = straightness(line.points, ALONG)
    near = inner[pixels_of(line.points, inner.shape)]
    return float((line.contrast * straight**WRIGGLE / (1 - NEAR * near)).sum())


def straightness(points: Floats, reach: int) -> Floats:
    """Return how straight a line is around each point, `reach` either way: chord by arc, [N]."""
    smooth, at = smooth_line(points, 1.5), np.arange(len(points))
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(smooth, axis=0).T))])
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, len(points) - 1)
    chord = np.hypot(*(smooth[high] - smooth[low]).T)
    return np.asarray(chord / np.maximum(arc[high] - arc[low], 1e-9))


def _uncurled(points: Floats, inner: Floats) -> list[Floats]:
    """Return a line unless it is short and curls or wriggles; near a face, its parts that do not.

    Elsewhere lines are kept whole, for they enclose shapes.
    """
    from scipy.ndimage import uniform_filter1d

    side, near = min(inner.shape), inner[pixels_of(points, inner.shape)].mean()
    reach = max(4, round(CURL * side * (1 - 0.6 * near)))
    even = uniform_filter1d(straightness(points, reach), reach) > EVEN
    if near < FACE / 2:
        return [points] if len(points) - 1 > 2 * LONE * side or even.mean() > CALM else []
    # What is left of a line that is cut has a free end.
    short = SHORT if even.all() else (SHORT + LONE) / 2
    parts = [points[part] for part in runs(even)]
    return [part for part in parts if _long(part, inner, short * side)]


def in_rim(points: Floats, shape: tuple[int, ...]) -> bool:
    """Return whether most of a line, rows and columns [N, 2], is beside the frame of a picture."""
    away = np.minimum(points, np.array(shape) - points).min(1)
    return bool((away < 2 * RIM * min(shape)).mean() > 0.8)


def _long(points: Floats, inner: Floats, short: float) -> bool:
    near = float(inner[pixels_of(points, inner.shape)].mean())
    return len(points) > short * (1 - NEAR * near**3)


def traced(mask: NDArray[np.bool_]) -> list[Floats]:
    """Return the lines of a skeleton, rows and columns [N, 2], from one fork or end to the next."""
    near: dict[Place, list[Place]] = {}
    places = set(map(tuple, np.argwhere(mask).tolist()))
    for r, c in places:
        # Corners are cut: a step aside and one down are not taken where one goes there at once.
        straight = [p for p in ((r, c + 1), (r + 1, c), (r, c - 1), (r - 1, c)) if p in places]
        slanted = [
            (r + y, c + x)
            for y in (-1, 1)
            for x in (-1, 1)
            if (r + y, c + x) in places and (r + y, c) not in places and (r, c + x) not in places
        ]
        near[r, c] = straight + slanted
    lines = walks({place: near[place] for place in sorted(near)})
    return [np.array(line, np.float64) + 0.5 for line in lines if len(line) > 3]


def smooth_line(points: Floats, sigma: float) -> Floats:
    """Return a line [N, 2] without bends that are tighter than `sigma` points; ends stay."""
    from scipy.ndimage import gaussian_filter1d

    if len(points) < 3:
        return points
    if len(points) > 8 * sigma and np.abs(points[0] - points[-1]).max() < 1.5:
        found: Floats = gaussian_filter1d(points, sigma, axis=0, mode="wrap")
        return np.concatenate([found, found[:1]])[: len(points)]
    # Reflected about its ends, so that it neither shrinks nor curls there.
    many = min(len(points) - 1, int(4 * sigma) + 1)
    before, after = 2 * points[0] - points[many:0:-1], 2 * points[-1] - points[-2 : -many - 2 : -1]
    whole = np.concatenate([before, points, after])
    found = gaussian_filter1d(whole, sigma, axis=0, mode="nearest")[many : many + len(points)]
    return found


def pixels_of(points: Floats, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return the rows and the columns of the pixels in which points [N, 2] lie."""
    return tuple(np.clip(points.astype(int), 0, np.array(shape) - 1).T)


def focused(weight: Floats | None, shape: tuple[int, ...]) -> Floats:
    """Return weights [height, width] as shares of the largest; zeros where all are the same."""
    if weight is None or np.ptp(weight) == 0:
        return np.zeros(shape)
    return np.asarray(weight / weight.max())


def cells_of(line: Contour, canvas: Canvas) -> tuple[NDArray[np.int64], ...]:
    """Return the rows and the columns of the pixels of a line whose points are on the canvas."""
    places = (line.points + canvas.reach)[:, ::-1] / canvas.pixel
    return pixels_of(places, (canvas.height, canvas.width))


def distance_to(drawn: Iterable[tuple[NDArray[np.int64], ...]], shape: tuple[int, ...]) -> Floats:
    """Return how many pixels each one is from rows and columns of `pixels_of`, [height, width].

    They are infinite where there are none.
    """
    from scipy.ndimage import distance_transform_edt

    free = np.ones(shape, bool)
    for places in drawn:
        free[places] = False
    if free.all():
        return np.full(shape, np.inf)
    return np.asarray(distance_transform_edt(free))


def runs(kept: NDArray[np.bool_]) -> list[slice]:
    """Return the slices in which a mask [N] is true."""
    steps = np.diff(np.concatenate([[0], kept, [0]]).astype(int))
    pairs = zip(*(np.flatnonzero(steps == sign) for sign in (1, -1)), strict=True)
    return [slice(a, b) for a, b in pairs if b - a > 2]


def apart(lines: list[Contour], inner: Floats, gap: float, bent: float) -> list[Contour]:
    """Return the parts of lines that are not beside a line that comes before."""
    taken = np.zeros(inner.shape, bool)
    reach = min(int(gap) + 1, max(inner.shape))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kept, away = [], np.hypot(rows, columns)
    for line in lines:
        row, column = pixels_of(line.points, inner.shape)
        for part in runs(~taken[row, column]):
            if part.stop - part.start > bent:
                kept.append(Contour(line.points[part], line.contrast[part]))
        for r, c in zip(row[::2].tolist(), column[::2].tolist(), strict=True):
            low, high = max(0, reach - r), max(0, reach - c)
            disc = (away <= gap * (1 - 0.6 * inner[r, c]))[low:, high:]
            box = taken[max(0, r - reach) : r + reach + 1, max(0, c - reach) : c + reach + 1]
            box |= disc[: box.shape[0], : box.shape[1]]
    return kept


def joined(lines: list[Contour], reach: float, turn: float) -> list[Contour]:
    """Return lines joined where one goes on in another, those that bend least first."""
    from scipy.spatial import cKDTree

    if len(lines) < 2:
        return lines
    ends, ways = [], []
    for line in lines:
        far = min(8, len(line.points) - 1)
        for end, other in ((0, far), (-1, -1 - far)):
            ends.append(line.points[end])
            ways.append(line.points[end] - line.points[other])
    towards = np.array(ways) / np.maximum(np.hypot(*np.array(ways).T), 1e-9)[:, None]
    pairs: Any = cKDTree(np.array(ends)).query_pairs(reach, output_type="ndarray")
    straight = -(towards[pairs[:, 0]] * towards[pairs[:, 1]]).sum(1)
    # The way from one end to the other goes on straight too.
    gap = np.array(ends)[pairs[:, 1]] - np.array(ends)[pairs[:, 0]]
    far = np.hypot(*gap.T)
    ahead = (gap * towards[pairs[:, 0]]).sum(1) / np.maximum(far, 1e-9)
    straight = np.where(far > 3, np.minimum(straight, ahead), straight)
    chosen: dict[int, int] = {}
    for n in np.argsort(-straight, kind="stable").tolist():
        a, b = pairs[n].tolist()
        if straight[n] < np.cos(np.radians(turn)):
            break
        if a not in chosen and b not in chosen and a // 2 != b // 2:
            chosen[a], chosen[b] = b, a
    done, found = set(), []
    starts = [e for e in range(2 * len(lines)) if e not in chosen]
    for start in starts + list(range(2 * len(lines))):
        if start // 2 in done:
            continue
        points: list[Floats] = []
        contrast: list[Floats] = []
        end = start
        while end // 2 not in done:
            done.add(end // 2)
            line, way = lines[end // 2], 1 - 2 * (end % 2)
            if points:
                last, first = points[-1][-1], line.points[::way][0]
                between = np.linspace(last, first, int(np.hypot(*(first - last))) + 1)[1:-1]
                points.append(between)
                contrast.append(np.full(len(between), contrast[-1][-1]))
            points.append(line.points[::way])
            contrast.append(line.contrast[::way])
            end = chosen.get(end ^ 1, start)
        found.append(Contour(np.concatenate(points), np.concatenate(contrast)))
    return found


def _led(lines: list[Floats], slope: Floats, inner: Floats) -> list[Floats]:
    """Return lines [N, 2] whose free ends are led on along edges to another line.

    The way is the cheapest one (Mortensen and Barrett: Intelligent scissors, 1995). A line may end
    in its own beginning, and at the frame. Short ones with free ends are left out.
    """
    from scipy.ndimage import binary_dilation
    from skimage.graph import MCP_Geometric

    side, shape = min(slope.shape), np.array(slope.shape)
    reach, frame = int(FAR * side), binary_dilation(rim(slope.shape))
    cost = 1 / (0.1 + np.minimum(slope / 4, 1))
    taken = np.full(slope.shape, -1)
    for k, points in enumerate(lines):
        taken[pixels_of(points, slope.shape)] = k
    found, free = list(lines), np.full(len(lines), 2)
    for k in range(len(lines)):
        for _ in range(2):
            points = found[k] = found[k][::-1]
            end = points[-1].astype(int)
            low, high = np.maximum(end - reach, 0), np.minimum(end + reach + 1, shape)
            box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            other = taken[tuple(slice(max(0, a - 2), a + 3) for a in end)]
            closed = len(points) > 9 and abs(points[0] - points[-1]).max() < 3
            if closed or frame[tuple(end)] or ((other >= 0) & (other != k)).any():
                free[k] -= 1
                continue
            if inner[tuple(end)] > FACE:
                continue
            price, goal = cost[box].copy(), frame[box] | (taken[box] >= 0)
            away = np.moveaxis(np.indices(price.shape), 0, -1) - (end - low)
            far = np.hypot(away[..., 0], away[..., 1])
            price[(away @ _towards(points) < 0.3 * far) & (far < 8)] = -1
            # Its own end is no goal: there it would curl.
            near = points[len(points) // 4 :].astype(int) - low
            near = near[((near >= 0) & (near < high - low)).all(1)]
            goal[tuple(near.T)], price[tuple(near.T)] = False, -1
            price[tuple(end - low)] = 1
            if not goal.any():
                continue
            ways: Any = MCP_Geometric(price)
            costs = ways.find_costs([end - low])[0]
            costs[~goal] = np.inf
            last = np.unravel_index(costs.argmin(), costs.shape)
            if costs[last] < WAY * side * min(1, len(points) / (SHORT * side)):
                way = np.array(ways.traceback(last))[1:] + low
                taken[tuple(way.T)] = k
                free[k] -= 1
                found[k] = np.concatenate([points, way + 0.5])
    return [
        run_out(line, frame)
        for line, many in zip(found, free, strict=True)
        if _long(line, inner, (SHORT + (LONE - SHORT) * many / 2) * side)
    ]


def run_out(points: Floats, frame: Mask) -> Floats:
    """Return a line [N, 2] that goes straight on out of the picture where it ends at the frame."""
    steps = np.arange(1, 3 * RIM * min(frame.shape))[:, None]
    for _ in range(2):
        points = points[::-1]
        way = points[-1] + steps * _towards(points)
        inside = ((way >= 0) & (way < frame.shape)).all(1)
        if frame[tuple(points[-1].astype(int))] and not inside.all():
            points = np.concatenate([points, way[inside]])
    return points


def _towards(points: Floats) -> Floats:
    """Return the direction [2] in which a line [N, 2] ends."""
    way = points[-1] - points[max(0, len(points) - 9)]
    return np.asarray(way / max(float(np.hypot(*way)), 1e-9))


def ruled(points: Floats, least: float, off: float) -> Floats:
    """Return a line [N, 2] whose runs within `off` of straight, `least` long or more, are straight.

    Runs are fitted by total least squares and grow as long as they can. Where one nearly meets the
    next there is a corner.
    """
    found, begin, last = points.copy(), 0, len(points) - 1
    step, runs = max(8, int(least)), []
    while begin + step <= last:
        end = begin + step
        if _off(points[begin : end + 1]) > off:
            begin += max(1, step // 8)
            continue
        while end < last and _off(points[begin : min(last, end + step // 4) + 1]) <= off:
            end = min(last, end + step // 4)
        run = points[begin : end + 1]
        middle, way = run.mean(0), _way(run)
        found[begin : end + 1] = middle + ((run - middle) @ way)[:, None] * way
        runs.append((begin, end, middle, way))
        begin = end
    for (_, end, one, way), (begin, _, other, turned) in itertools.pairwise(runs):
        across = way[0] * turned[1] - way[1] * turned[0]
        if abs(across) < 0.6 or begin - end > step:
            continue
        apart = other - one
        corner = one + way * (apart[0] * turned[1] - apart[1] * turned[0]) / across
        low, high = max(0, end - step // 8), min(last, begin + step // 8)
        if np.hypot(*(corner - found[(low + high) // 2])) < step / 3:
            half = (low + high) // 2
            found[low : half + 1] = np.linspace(found[low], corner, half + 1 - low)
            found[half : high + 1] = np.linspace(corner, found[high], high + 1 - half)
    return found


def _way(run: Floats) -> Floats:
    """Return the direction [2] of the straight line that is nearest to a run [N, 2]."""
    down, across = (run - run.mean(0)).T
    angle = 0.5 * np.arctan2(2 * (down * across).sum(), (down**2).sum() - (across**2).sum())
    return np.array([np.cos(angle), np.sin(angle)])


def _off(run: Floats) -> float:
    """Return how far a run [N, 2] is from its straight line at most, or thrice how far it bows."""
    middle, way = run - run.mean(0), _way(run)
    x, y = middle @ way, middle @ np.array([-way[1], way[0]])
    square = x**2 - (x**2).mean()
    bow = (square * y).sum() / max((square**2).sum(), 1e-9) * np.ptp(x) ** 2 / 4
    return max(float(abs(y).max()), 3 * abs(float(bow)))
