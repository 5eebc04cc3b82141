"""Lines along a field of directions, side by side at an even distance that may vary.

Jobard and Lefer: Creating evenly-spaced streamlines of arbitrary density, 1997. New lines begin
beside those that are drawn; a line ends where it comes too near to another one.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

STEP, NEAR, FREE, BESIDE = 0.6, 0.55, 0.9, 0.97
"""In distances of lines: the length of a step, how near a line may come to another one, how far
from others one may begin, and where another one begins beside it."""
JUMP = 0.16
"""The largest change of tone along a step: a line ends at an edge."""


@nb.njit(cache=True)
def streams(
    angle: Any,
    tone: Any,
    allowed: Any,
    pitch: Any,
    seeds: Any,
    longest: Any,
    near: Any = NEAR,
    free: Any = FREE,
) -> Any:
    """Return points [N, 2] of lines, x and y in pixels, and where each line begins [lines + 1].

    `angle` in radians, `tone`, `allowed` and the distance `pitch` of lines in pixels are
    [height, width]; `seeds` [M, 2] are tried where no line asks for one beside it. A line is at
    most `longest` distances long, and at least a third of that if nothing stops it: ends of lines
    side by side that lay in a row would look like a crack. None comes nearer than `near` to another
    one, nor begins within `free` of one, in distances.
    """
    height, width = tone.shape
    # Half a pixel is fine enough to say how far the nearest line is.
    away = np.full((2 * height, 2 * width), 9.0)
    points, starts = [(0.0, 0.0)], [1]
    waiting, tried, used, turns = [(0.0, 0.0)], 0, 1, 0
    line = np.empty((4000, 2))
    while True:
        if used < len(waiting):
            x, y = waiting[used]
            used += 1
        elif tried < len(seeds):
            x, y = seeds[tried]
            tried += 1
        else:
            break
        if not (0 <= x < width and 0 <= y < height):
            continue
        if not allowed[int(y), int(x)] or away[int(2 * y), int(2 * x)] < free:
            continue
        low = high = 2000
        line[low, 0], line[low, 1] = x, y
        turns += 1
        for way in (-1, 1):
            # Multiples of the golden ratio never come near to one another.
            reach = longest * (0.17 + 0.66 * ((turns * (0.6180339887 + 0.5 * (way > 0))) % 1.0))
            px, py, run = x, y, 0.0
            cx, cy = way * np.cos(angle[int(y), int(x)]), way * np.sin(angle[int(y), int(x)])
            while run < reach and low > 10 and high < 3990:
                turn = angle[int(py), int(px)]
                dx, dy = np.cos(turn), np.sin(turn)
                along = dx * cx + dy * cy
                if abs(along) < 0.75:
                    break
                if along < 0:
                    dx, dy = -dx, -dy
                step = STEP * pitch[int(py), int(px)]
                qx, qy = px + step * dx, py + step * dy
                if not (0 <= qx < width and 0 <= qy < height):
                    break
                i, j = int(qy), int(qx)
                if not allowed[i, j] or away[int(2 * qy), int(2 * qx)] < near:
                    break
                if abs(tone[i, j] - tone[int(py), int(px)]) > JUMP:
                    break
                px, py, cx, cy = qx, qy, dx, dy
                run += STEP
                if way < 0:
                    low -= 1
                    line[low, 0], line[low, 1] = px, py
                else:
                    high += 1
                    line[high, 0], line[high, 1] = px, py
        if high - low < 2:
            continue
        for n in range(low, high + 1):
            px, py = line[n]
            points.append((px, py))
            gap = pitch[int(py), int(px)]
            wide = int(2 * gap) + 1
            for i in range(max(0, int(2 * py) - wide), min(2 * height, int(2 * py) + wide + 1)):
                for j in range(max(0, int(2 * px) - wide), min(2 * width, int(2 * px) + wide + 1)):
                    far = np.hypot((j + 0.5) / 2 - px, (i + 0.5) / 2 - py) / gap
                    away[i, j] = min(away[i, j], far)
            if n % 3 == 0:
                turn = angle[int(py), int(px)]
                for side in (-BESIDE, BESIDE):
                    waiting.append((px - side * gap * np.sin(turn), py + side * gap * np.cos(turn)))
        starts.append(len(points))
    return np.array(points)[1:], np.array(starts) - 1
