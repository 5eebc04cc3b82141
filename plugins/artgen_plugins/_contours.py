"""The lines by which a draughtsman would say what is in a picture: few, long and smooth.

Edges say where things end, and the middles of what is thin and darker or lighter than around it say
the rest: eyes, masts, folds. Lines that meet at a flat angle become one; what runs beside a longer
line is left out, and so is what hardly differs on both sides, and texture.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas
from artgen_plugins.hatch import abstracted, blurred, without_specks
from artgen_plugins.regions import lab_of

Floats = NDArray[np.float64]

PLAIN = 1.5
"""How much clearer edges have to be in the focus: a face is drawn by its thin lines."""
CALM = 0.3
"""How much detail is left out first."""
SOFT, FEW, CLEAR, RIM = 0.25, 1.5, 4.0, 0.02
"""How soft a gradient is taken, in bends; the least change of CIELAB over that distance on an edge,
and at its clearest place; what is left out beside the frame, in shorter sides."""
WIDE, TEXTURE = 0.012, 2.0
"""The size of texture in shorter sides, and how much less its edges count."""
THIN, BUSY, RIDGE, FAINT = 0.045, 0.05, 0.25, 0.5
"""How much darker than around it a line is; how wide a busy place is, in shorter sides, where it
has to be darker yet; how clear such a line is, next to differences on the sides of others;
how much fainter the rest of a clear line may be."""
EVEN = 1.2
"""How much smoother a line is than its tightest bend, in pixels."""
SHORT, NEAR = 20.0, 5.5
"""The shortest line in bends, and in the focus."""
JOINS = (50.0, 2.0), (20.0, 8.0)
"""Degrees by which one line may go on in another, and how far from its end, in bends: what is near
first, then what goes straight on."""


class Contour(NamedTuple):
    """A line: points [N, 2], x and y in canvas units, and how much differs on its sides: [N]."""

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
    """Return the lines of a picture [3, height, width], sRGB, the longest and clearest first.

    `detail` is the least radius of a bend and `gap` the least distance of lines side by side, in
    canvas units; both are finer where `weight` [height, width] is larger. Lines along which less
    than `strength` differs, in shares of black to white, are left out, and the least clear where
    lines are longer than `length` in all, in canvas units.
    """
    if min(seen.shape[1:]) < 8:
        return []
    inner = np.zeros(seen.shape[1:])
    if weight is not None and np.ptp(weight) > 0:
        inner = weight / weight.max()
    fine = 1 - 0.6 * inner
    lab = lab_of(np.stack([abstracted(each, fine, CALM) for each in seen]))
    bent = max(1.0, detail / canvas.pixel)
    edges, one_way = _edges(lab, fine, bent)
    lines = [(each, True) for each in edges]
    lines += [(each, False) for each in _ridges(lab[..., 0] / 100, fine, bent)]
    told = []
    for points, border in lines:
        if not border:  # what is thin is alike on both sides
            told.append(np.full(len(points), RIDGE))
            continue
        near = inner[_pixels(points, inner.shape)]
        contrast = _contrast(lab, points, max(1.5, 0.7 * bent)) / 100
        contrast = contrast / (1 + PLAIN * near)
        contrast *= np.maximum(one_way[_pixels(points, inner.shape)], near) ** TEXTURE
        told.append(_even(contrast, 4 * bent))
    clear = np.sort(np.concatenate([np.zeros(1), *told]))[::-1]
    least = max(strength, float(clear[min(len(clear) - 1, int(length / canvas.pixel))]))
    found = [
        Contour(points[part], contrast[part])
        for (points, _), contrast in zip(lines, told, strict=True)
        for part in _runs(contrast > FAINT * min(least, 0.9 * RIDGE))
        # Clear lines go on where they are faint (hysteresis, as of Canny 1986).
        if contrast[part].max() > min(least, 0.9 * RIDGE)
    ]
    long = [each for each in found if len(each.points) > 1]
    long.sort(key=lambda each: -float(each.contrast.mean() * len(each.points)))
    # First what is kept apart, then joined: pieces that remain may go on in others.
    joined = _apart(long, inner, max(1.0, gap / canvas.pixel), bent)
    for turn, reach in JOINS:
        joined = _joined(joined, reach * bent, turn)
    drawn = []
    for line in joined:
        focus = float(inner[_pixels(line.points, inner.shape)].mean())
        if len(line.points) < bent * (SHORT + (NEAR - SHORT) * focus):
            continue
        smooth = smooth_line(line.points, (1.8 * bent + EVEN) * (1 - 0.75 * focus))
        place = smooth[:, ::-1] * canvas.pixel - canvas.reach
        drawn.append(Contour(place, line.contrast))
    return sorted(drawn, key=lambda each: -float(each.contrast.mean() * len(each.points)))


def _edges(lab: Floats, fine: Floats, bent: float) -> tuple[list[Floats], Floats]:
    """Return lines along which colours change most, and how far all around changes the same way.

    Lines are rows and columns [N, 2], a pixel from point to point: the maxima of the gradient
    across itself (Canny 1986), of all channels together (Di Zenzo 1986). The other is 0 to 1
    [height, width], little in texture, where gradients go every way.
    """
    from scipy.ndimage import map_coordinates
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import skeletonize

    soft = np.maximum(SOFT * bent * fine, 1.0)
    down, across = np.array(
        [np.gradient(blurred(each, soft, 1.0)) for each in np.moveaxis(lab, 2, 0)]
    ).swapaxes(0, 1)
    yy, xy, xx = (down**2).sum(0), (down * across).sum(0), (across**2).sum(0)
    apart = np.hypot(xx - yy, 2 * xy)
    size = np.sqrt(0.5 * (xx + yy + apart))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    place, step = np.indices(size.shape), np.stack([np.sin(angle), np.cos(angle)])
    before, after = (
        map_coordinates(size, place + way * step, order=1, mode="nearest") for way in (-1, 1)
    )
    peak = np.where((size >= before) & (size > after), size * soft, 0.0)
    mask = apply_hysteresis_threshold(peak, FEW, CLEAR)  # type: ignore[no-untyped-call]
    rim = max(2, round(RIM * min(size.shape)))
    mask[:rim] = mask[-rim:] = mask[:, :rim] = mask[:, -rim:] = False
    wide = np.full(size.shape, WIDE * min(size.shape))
    yy, xy, xx = (blurred(each, wide, 1.0) for each in (yy, xy, xx))
    one_way: Floats = np.hypot(xx - yy, 2 * xy) / np.maximum(xx + yy, 1e-9)
    return traced(skeletonize(mask)), one_way  # type: ignore[no-untyped-call]


def _ridges(tone: Floats, fine: Floats, bent: float) -> list[Floats]:
    """Return the middles of what is thin, and darker or lighter than what is around it."""
    from skimage.morphology import skeletonize

    wide = np.maximum(0.7 * bent * fine, 1.2)
    apart = blurred(tone, wide, 2.0) - blurred(tone, wide, 0.5)
    busy = blurred(abs(apart), np.full(tone.shape, BUSY * min(tone.shape)), 1.0)
    least = THIN * (0.4 + 0.6 * fine) + 1.5 * fine * busy
    lines = []
    for sign in (1, -1):
        # What is light and thin needs more: a face has no lines of light.
        mask = without_specks(
            sign * apart > (least if sign > 0 else 1.5 * least / fine), 1.5 * wide
        )
        lines += traced(skeletonize(mask))  # type: ignore[no-untyped-call]
    return lines


def traced(mask: NDArray[np.bool_]) -> list[Floats]:
    """Return the lines of a skeleton, rows and columns [N, 2], from one fork or end to the next."""
    near: dict[tuple[int, int], list[tuple[int, int]]] = {}
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
    used: set[frozenset[tuple[int, int]]] = set()
    lines = []
    ends = [each for each, others in near.items() if len(others) != 2]
    for begin in sorted(ends) + sorted(near):
        for second in near[begin]:
            if frozenset((begin, second)) in used:
                continue
            line = [begin, second]
            used.add(frozenset(line))
            while len(near[line[-1]]) == 2 and line[-1] != begin:
                one, other = near[line[-1]]
                following = other if one == line[-2] else one
                used.add(frozenset((line[-1], following)))
                line.append(following)
            lines.append(np.array(line, np.float64) + 0.5)
    return [line for line in lines if len(line) > 3]


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


def _contrast(lab: Floats, points: Floats, far: float) -> Floats:
    """Return the difference in CIELAB between both sides of a line at each of its points."""
    from scipy.ndimage import map_coordinates

    along = np.gradient(smooth_line(points, 3.0), axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across *= far / np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    sides = [
        np.stack(
            [
                map_coordinates(
                    lab[..., k], (points + way * across).T - 0.5, order=1, mode="nearest"
                )
                for k in range(3)
            ]
        )
        for way in (-1, 1)
    ]
    found: Floats = np.hypot.reduce(sides[1] - sides[0], axis=0)
    return found


def _pixels(points: Floats, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return the rows and the columns of the pixels in which points [N, 2] lie."""
    return tuple(np.clip(points.astype(int), 0, np.array(shape) - 1).T)


def _even(values: Floats, sigma: float) -> Floats:
    from scipy.ndimage import gaussian_filter1d

    found: Floats = gaussian_filter1d(values, sigma, mode="nearest")
    return found


def _runs(kept: NDArray[np.bool_]) -> list[slice]:
    """Return the slices in which a mask [N] is true."""
    steps = np.diff(np.concatenate([[0], kept, [0]]).astype(int))
    pairs = zip(*(np.flatnonzero(steps == sign) for sign in (1, -1)), strict=True)
    return [slice(a, b) for a, b in pairs if b - a > 2]


def _apart(lines: list[Contour], inner: Floats, gap: float, bent: float) -> list[Contour]:
    """Return the parts of lines that are not beside a line that comes before."""
    taken = np.zeros(inner.shape, bool)
    reach = int(gap) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kept, away = [], np.hypot(rows, columns)
    for line in lines:
        row, column = _pixels(line.points, inner.shape)
        for part in _runs(~taken[row, column]):
            if part.stop - part.start > bent:
                kept.append(Contour(line.points[part], line.contrast[part]))
        for r, c in zip(row[::2].tolist(), column[::2].tolist(), strict=True):
            low, high = max(0, reach - r), max(0, reach - c)
            disc = (away <= gap * (1 - 0.6 * inner[r, c]))[low:, high:]
            box = taken[max(0, r - reach) : r + reach + 1, max(0, c - reach) : c + reach + 1]
            box |= disc[: box.shape[0], : box.shape[1]]
    return kept


def _joined(lines: list[Contour], reach: float, turn: float) -> list[Contour]:
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
