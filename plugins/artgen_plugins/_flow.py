"""The lines of a picture as a pen follows them: what is darker than beside, along its way.

A difference of Gaussians across the lines, summed along them (Kang, Lee and Chui: Coherent line
drawing, 2007), has eyelids, lips, folds and beams in one piece where an outline would go round
each. It is taken of broad lines and of fine ones. What is as busy all around, as texture is, counts
less, and what is faint more where all around is faint.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from artgen import Canvas
from artgen_plugins._contours import (
    FACE,
    Contour,
    apart,
    distance_to,
    joined,
    pixels_of,
    rim,
    ruled,
    run_out,
    smooth_line,
    straightness,
    traced,
)
from artgen_plugins.hatch import stretched
from artgen_plugins.regions import Floats, lab_of

WIDTHS = (0.0042, 0.0021, 0.0019)
"""The standard deviations of broad lines, of fine ones and of those in a face, in shorter sides."""
TURNS, BESIDE, ALONG = 3.0, 1.6, 4.0
"""Over how much the direction of a line is averaged, how wide what is beside it is, and over how
much of it its darkness is summed, in its widths."""
FLOOR, SPREAD, TEXTURE = 0.006, 0.09, 0.8
"""The darkness of a clear line where all is even, how much more it is next to the spread of tones
around, and how much of the darkness of lines around is subtracted."""
AROUND, TEXTURED = 0.1, 0.03
"""How far what is around a line reaches, in shorter sides, for its tones and for its lines."""
CLEAR, FAINT = 0.8, 0.35
"""How dark a line is somewhere, next to a clear one, and how dark everywhere."""
JOINS = (40.0, 0.012), (15.0, 0.03)
"""Degrees by which one line may go on in another, and how far from its end, in shorter sides."""
SHORT, LONG, SPARSE, LESS = 0.05, 0.12, 2.5, 0.85
"""The shortest line, and from which length on lines lie as close as they may, in shorter sides; how
much farther from others shorter ones are; how much less all that is in the focus."""
WRIGGLE, FINE, VIVID = 3.0, 2.0, 0.3
"""How much it counts how straight a line is; how much more a fine one counts than a broad one; how
much darker than it is what is vivid counts."""
STRAIGHT = (0.08, 0.0018)
"""The shortest run that is ruled, and how far it may be from straight, in shorter sides."""
MARKS, PLAIN = (0.004, 0.008, 0.014), 6.0
"""Half the widths of what marks a face, in shorter sides; the spread of lightness of plain skin."""
MARKED, ELSEWHERE, LOOKED_AT = 0.75, 0.85, 0.85
"""How dark a mark is at least, in spreads of what is around; how much more in a picture without a
focus; the least share of the largest weight of one."""


def flow_lines(seen: Floats, inner: Floats, canvas: Canvas, gap: float) -> list[Contour]:
    """Return the lines of a picture [3, height, width], sRGB, the clearest first.

    Lines are finer, shorter and closer where `inner` [height, width], 0 to 1, is larger. They are
    at least `gap` canvas units from one another. The contrast of each point is how dark it is, next
    to a clear line.
    """
    from scipy.ndimage import binary_dilation, maximum_filter
    from skimage.filters import apply_hysteresis_threshold
    from skimage.morphology import skeletonize

    shape = seen.shape[1:]
    side = min(shape)
    if side < 16:
        return []
    lab, lines = lab_of(seen), []
    # What is vivid counts as darker, so that a red thing on gray of the same lightness has a line.
    dark = lab[..., 0] / 100 - VIVID * np.hypot(lab[..., 1], lab[..., 2]) / 100
    tone = stretched(dark, None, 0.5)
    frame, mass = binary_dilation(rim(shape)), np.zeros(shape)
    for n, wide in enumerate(WIDTHS):
        clear = clearness(tone, max(0.8, wide * side))
        if not n:
            mass = maximum_filter(clear, 2 * round(wide * side) + 1).clip(0, 4)
        clear = np.where((inner > FACE) == (n == 2), clear, 0.0)
        mask = apply_hysteresis_threshold(clear, FAINT, CLEAR)  # type: ignore[no-untyped-call]
        mask = skeletonize(mask & ~rim(shape))  # type: ignore[no-untyped-call]
        found = [Contour(each, clear[pixels_of(each, shape)].clip(0, 4)) for each in traced(mask)]
        for turn, reach in JOINS:
            found = joined(found, max(2.0, reach * side), turn)
        lines += [(line, n) for line in found]

    def score(line: Contour, fine: int) -> float:
        straight = straightness(line.points, 8) ** 6
        return float((straight * line.contrast).sum() * (1 + FINE * fine))

    lines.sort(key=lambda each: -score(*each))
    close = max(1.0, gap / canvas.pixel)
    parts, long = [], []
    for line in apart([line for line, _ in lines], inner, close, 4):
        near = float(inner[pixels_of(line.points, shape)].mean()) ** 3
        even = float(straightness(line.points, 8).mean()) ** (WRIGGLE * (1 - near))
        if len(line.points) * even > SHORT * side * (1 - LESS * near):
            parts.append(line)
            long.append(len(line.points) * even > LONG * side or near > FACE**3)
    # Of many short lines side by side, as texture has, a few say it.
    main = [*itertools.compress(parts, long)]
    away = distance_to((pixels_of(line.points, shape) for line in main), shape)
    short = [
        line
        for line, whole in zip(parts, long, strict=True)
        if not whole and np.median(away[pixels_of(line.points, shape)]) > SPARSE * close
    ]
    few = apart(short, inner, SPARSE * close, SHORT * side)
    kept = []
    for line in [*main, *few]:
        near = float(inner[pixels_of(line.points, shape)].mean())
        soft = max(1.0, 0.005 * side * (1 - 0.6 * near))
        points = run_out(line.points, frame)
        fair = ruled(smooth_line(points, soft), STRAIGHT[0] * side, STRAIGHT[1] * side)
        fair = smooth_line(fair, 1.0)[:, ::-1] * canvas.pixel - canvas.reach
        kept.append(Contour(fair, mass[pixels_of(points, shape)]))
    return sorted(kept, key=lambda each: -float(each.contrast.sum()))


def clearness(tone: Floats, wide: float) -> Floats:
    """Return how clear the lines of a plane [height, width] are whose width is `wide` pixels."""
    from scipy.ndimage import gaussian_filter

    side, dark = min(tone.shape), valleys(tone, wide)
    base = tone - gaussian_filter(tone, 0.5 * AROUND * side, mode="nearest")
    spread = np.sqrt(gaussian_filter(base**2, AROUND * side, mode="nearest"))
    around = gaussian_filter(np.maximum(dark, 0), TEXTURED * side, mode="nearest")
    return np.asarray((dark - TEXTURE * around) / (FLOOR + SPREAD * spread))


def valleys(tone: Floats, wide: float) -> Floats:
    """Return how much darker than beside, along lines, a plane [height, width] is.

    `wide` is the standard deviation of a line, in pixels.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    angle = along(gaussian_filter(tone, 0.5 * wide, mode="nearest"), TURNS * wide)
    place = np.indices(tone.shape).astype(np.float64)
    # Rows and columns.
    way = np.stack([np.sin(angle), np.cos(angle)])
    across = np.stack([way[1], -way[0]])

    def summed(sigma: float) -> Floats:
        reach = max(1, round(2.5 * sigma))
        steps = np.arange(-reach, reach + 1)
        shares = np.exp(-0.5 * (steps / sigma) ** 2)
        parts = (
            share * map_coordinates(tone, place + n * across, order=1, mode="nearest")
            for n, share in zip(steps.tolist(), shares.tolist(), strict=True)
        )
        return np.asarray(sum(parts) / shares.sum())

    numbers = range(1, round(2 * ALONG * wide) + 1)
    shares = [np.exp(-0.5 * (n / (ALONG * wide)) ** 2) for n in numbers]
    return mean_along(summed(BESIDE * wide) - summed(wide), way, shares)


def mean_along(
    field: Floats, way: Floats, shares: Sequence[float], step: float | Floats = 1.0
) -> Floats:
    """Return the mean of a field [height, width] along lines that go through each pixel.

    They go to where `way` [2, height, width] is, down and right, and back: its sense says nothing.
    To both sides are as many places as there are shares, `step` pixels from one another; the share
    of the pixel is 1.
    """
    from scipy.ndimage import map_coordinates

    place = np.indices(field.shape).astype(np.float64)
    found, total = field.copy(), 1.0
    for sign in (-1, 1):
        at, before = place, sign * way
        for share in shares:
            at = at + step * before
            row, column = (
                np.clip(np.rint(each).astype(int), 0, most - 1)
                for each, most in zip(at, field.shape, strict=True)
            )
            turned = way[:, row, column]
            before = np.where((turned * before).sum(0) < 0, -turned, turned)
            found += share * map_coordinates(field, at, order=1, mode="nearest")
            total += share
    return found / total


def along(tone: Floats, wide: float) -> Floats:
    """Return the angle, from x to y, in which a plane [height, width] changes least over `wide`."""
    from scipy.ndimage import gaussian_filter

    down, across = np.gradient(tone)
    yy, xy, xx = (
        gaussian_filter(each, wide, mode="nearest")
        for each in (down * down, across * down, across * across)
    )
    return np.asarray(0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2)


def marked(light: Floats, inner: Floats) -> Floats:
    """Return how much what is small is darker than around, next to a mark of a face, from 1 on.

    Marks are eyes, brows, nostrils and lips, without which a face is nobody's: they are found by
    how dark they are next to what is around, whatever their size, in a plane of CIELAB [height,
    width].
    """
    from scipy.ndimage import gaussian_filter

    found = np.zeros(light.shape)
    for share in MARKS:
        wide = max(0.7, share * min(light.shape))
        around = gaussian_filter(light, 3 * wide, mode="nearest")
        spread = gaussian_filter((light - around) ** 2, 6 * wide, mode="nearest")
        dark = around - gaussian_filter(light, 0.5 * wide, mode="nearest")
        found = np.maximum(found, dark / (np.sqrt(spread) + PLAIN))
    if inner.any():
        # What somebody looks at has marks, and the rest has none; of a picture without, all may.
        found = np.where(inner > LOOKED_AT, found, 0.0)
    return found / (MARKED + ELSEWHERE * (1 - inner))
