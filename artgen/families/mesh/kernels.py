"""Meshes by exact area: every edge is walked once, pixel by pixel.

The picture is what changes across edges. An edge has a *jump*: what is right of it minus what is
left of it, for an edge that goes down; one that goes up counts with the opposite sign. A value is
``a + b·x + c·y``, with x and y in pixels from the upper left corner. To the right of an edge its
jump reaches the end of the row, where the jumps of the next edges are added. So triangles that
share an edge neither overlap nor leave a gap.

Integrands are polynomials of at most the third degree along the part of an edge that lies in one
pixel. Simpson's rule is exact for them.

Edges are float64 [E, 4]: x and y of the first end, then of the second.
"""

import math

import numba as nb
import numpy as np

from artgen.compiler.jit import inline, options

matrix = nb.float64[:, ::1]
cube = nb.float64[:, :, ::1]
picture = nb.float32[:, :, ::1]


@inline
def next_border(start, step, low, high):
    """Return the whole number at or after `start` in the direction of `step`, from low to high."""
    return max(math.floor(start) + 1.0, low) if step > 0 else min(math.ceil(start) - 1.0, high)


@inline
def cut_edge(edge, first, last, width, cuts):
    """Cut an edge where it crosses borders of pixels, between the rows `first` and `last`.

    Fills `cuts` with shares of the edge from 0 to 1, in ascending order, and returns how many parts
    lie between them.
    """
    x, y = edge[0], edge[1]
    dx, dy = edge[2] - x, edge[3] - y
    if max(y, edge[3]) < first or min(y, edge[3]) >= last:
        return 0
    begin, end = 0.0, 1.0
    if dy != 0.0:
        one, other = (first - y) / dy, (last - y) / dy
        begin, end = max(begin, min(one, other)), min(end, max(one, other))
    if not begin < end:
        return 0
    row, column = np.inf, np.inf
    across, down = np.inf, np.inf
    if dy != 0.0:
        row = next_border(y + begin * dy, dy, first, last)
        down = (row - y) / dy
    if dx != 0.0:
        column = next_border(x + begin * dx, dx, 0.0, width)
        across = (column - x) / dx
    number = 0
    cuts[0] = begin
    while True:
        cut = min(across, down)
        if not cut < end:
            break
        if cut > cuts[number]:
            number += 1
            cuts[number] = cut
        if down == cut:
            row += 1.0 if dy > 0 else -1.0
            down = (row - y) / dy
        if across == cut:
            column += 1.0 if dx > 0 else -1.0
            across = (column - x) / dx if 0.0 <= column <= width else np.inf
    cuts[number + 1] = end
    return number + 1


@nb.njit((matrix, cube, nb.float64[::1], picture, *[nb.int64] * 2), **options)
def draw(edges, jumps, ground, image, first, last):
    """Draw edges with their `jumps` [E, 3, 3] (a, b, c of each channel) over the colour `ground`.

    Fills the rows `first` to before `last` of the image [3, height, width].
    """
    width = image.shape[2]
    # What is added to a pixel alone, and to all from a pixel on: a constant, and by x.
    own = np.zeros((last - first, 3, width))
    level, slope = np.zeros((last - first, 3, width + 1)), np.zeros((last - first, 3, width + 1))
    cuts = np.empty(last - first + width + 8)
    for e in range(len(edges)):
        x, y, dx, dy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        dx, dy = dx - x, dy - y
        if dy == 0.0:
            continue
        for part in range(cut_edge(edges[e], first, last, width, cuts)):
            t0, t1 = cuts[part], cuts[part + 1]
            middle = 0.5 * (t0 + t1)
            row = min(max(math.floor(y + middle * dy), first), last - 1) - first
            xm = x + middle * dx
            if xm >= width:
                continue
            column = max(math.floor(xm), 0)
            x0, x1 = max(x + t0 * dx, 0.0), max(x + t1 * dx, 0.0)
            xm = max(xm, 0.0)
            y0, ym, y1 = y + t0 * dy, y + middle * dy, y + t1 * dy
            height, border = (t1 - t0) * dy, column + 1.0
            for c in range(3):
                a, b, d = jumps[e, c, 0], jumps[e, c, 1], jumps[e, c, 2]
                begin = (border - x0) * (a + d * y0 + 0.5 * b * (border + x0))
                centre = (border - xm) * (a + d * ym + 0.5 * b * (border + xm))
                end = (border - x1) * (a + d * y1 + 0.5 * b * (border + x1))
                own[row, c, column] += height * (begin + 4.0 * centre + end) / 6.0
                level[row, c, column + 1] += height * (a + d * ym)
                slope[row, c, column + 1] += height * b
    for row in range(last - first):
        for c in range(3):
            total, change = ground[c], 0.0
            for column in range(width):
                total += level[row, c, column]
                change += slope[row, c, column]
                value = total + change * (column + 0.5) + own[row, c, column]
                image[c, first + row, column] = value


@nb.njit((matrix, picture, *[nb.int64] * 2), **options)
def integrate(edges, field, first, last):
    """Integrate a field [channels, height, width] left of each edge: float64 [E, channels, 3].

    The last axis holds the integrals of the field, of x and of y times the field, in the rows
    `first` to before `last`; of an edge that goes up, their negatives. Summed around a triangle,
    whose corners turn from x to y, they are its own.
    """
    channels, _, width = field.shape
    # Up to the left border of every pixel, of the field and of x times it.
    level = np.zeros((last - first, channels, width + 1))
    slope = np.zeros((last - first, channels, width + 1))
    for row in range(last - first):
        for c in range(channels):
            total, first_moment = 0.0, 0.0
            for column in range(width):
                value = field[c, first + row, column]
                total += value
                first_moment += value * (column + 0.5)
                level[row, c, column + 1] = total
                slope[row, c, column + 1] = first_moment
    sums = np.zeros((len(edges), channels, 3))
    cuts = np.empty(last - first + width + 8)
    for e in range(len(edges)):
        x, y, dx, dy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        dx, dy = dx - x, dy - y
        if dy == 0.0:
            continue
        for part in range(cut_edge(edges[e], first, last, width, cuts)):
            t0, t1 = cuts[part], cuts[part + 1]
            middle = 0.5 * (t0 + t1)
            row = min(max(math.floor(y + middle * dy), first), last - 1)
            column = min(max(math.floor(x + middle * dx), 0), width - 1)
            for point in range(3):
                t = t0 if point == 0 else middle if point == 1 else t1
                share = (t1 - t0) * dy * (4.0 if point == 1 else 1.0) / 6.0
                px, py = min(max(x + t * dx, 0.0), 1.0 * width), y + t * dy
                for c in range(channels):
                    value = field[c, row, column]
                    here = level[row - first, c, column] + value * (px - column)
                    half = 0.5 * value * (px * px - column * column)
                    sums[e, c, 0] += share * here
                    sums[e, c, 1] += share * (slope[row - first, c, column] + half)
                    sums[e, c, 2] += share * py * here
    return sums


@nb.njit((matrix, cube, picture, *[nb.int64] * 2), **options)
def move(edges, jumps, incoming, first, last):
    """Return the gradient by the ends of edges, float64 [E, 4].

    `incoming` [3, height, width] is the gradient by the picture that `draw` gives; only the rows
    `first` to before `last` count.
    """
    width = incoming.shape[2]
    gradient = np.zeros((len(edges), 4))
    cuts = np.empty(last - first + width + 8)
    for e in range(len(edges)):
        x, y, dx, dy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        dx, dy = dx - x, dy - y
        for part in range(cut_edge(edges[e], first, last, width, cuts)):
            t0, t1 = cuts[part], cuts[part + 1]
            middle = 0.5 * (t0 + t1)
            xm = x + middle * dx
            if not 0.0 <= xm < width:
                continue
            row = min(max(math.floor(y + middle * dy), first), last - 1)
            column = math.floor(xm)
            near, far = 0.0, 0.0
            for point in range(3):
                t = t0 if point == 0 else middle if point == 1 else t1
                share = (t1 - t0) * (4.0 if point == 1 else 1.0) / 6.0
                jump = 0.0
                for c in range(3):
                    value = jumps[e, c, 0]
                    value += jumps[e, c, 1] * (x + t * dx) + jumps[e, c, 2] * (y + t * dy)
                    jump += incoming[c, row, column] * value
                near += share * (1.0 - t) * jump
                far += share * t * jump
            # What is right of an edge loses what the edge sweeps on its way to the right.
            gradient[e, 0] -= near * dy
            gradient[e, 1] += near * dx
            gradient[e, 2] -= far * dy
            gradient[e, 3] += far * dx
    return gradient


@inline
def turn(places, i, j, k):
    """Return twice the area of a triangle, positive where its corners turn from x to y."""
    across = (places[j, 0] - places[i, 0]) * (places[k, 1] - places[i, 1])
    return across - (places[j, 1] - places[i, 1]) * (places[k, 0] - places[i, 0])


@inline
def in_circle(places, i, j, k, other):
    """Return whether a vertex lies inside the circle through three that turn from x to y."""
    x, y = places[other, 0], places[other, 1]
    ax, ay = places[i, 0] - x, places[i, 1] - y
    bx, by = places[j, 0] - x, places[j, 1] - y
    cx, cy = places[k, 0] - x, places[k, 1] - y
    a, b, c = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    return a * (bx * cy - by * cx) + b * (cx * ay - cy * ax) + c * (ax * by - ay * bx) > 0


@nb.njit((matrix, nb.int64[:, ::1]), **options)
def fill_holes(places, triangles):
    """Triangulate the hole that each vertex would leave: (triangles int64 [M, 3], vertex [M]).

    The hole is what the triangles around the vertex cover. It is filled as Delaunay's triangulation
    is: of all ears that can be cut off, the one goes first whose circle holds the fewest vertices.
    """
    number = len(places)
    first = np.zeros(number + 1, np.int64)
    for t in range(len(triangles)):
        for k in range(3):
            first[triangles[t, k] + 1] += 1
    first = np.cumsum(first)
    place = first.copy()
    around = np.empty((len(triangles) * 3, 2), np.int64)
    for t in range(len(triangles)):
        for k in range(3):
            vertex = triangles[t, k]
            around[place[vertex], 0] = triangles[t, (k + 1) % 3]
            around[place[vertex], 1] = triangles[t, (k + 2) % 3]
            place[vertex] += 1
    filled = np.empty((3 * len(triangles), 3), np.int64)
    owners = np.empty(len(filled), np.int64)
    total = 0
    for vertex in range(number):
        sides = around[first[vertex] : first[vertex + 1]]
        if len(sides) < 2:
            continue
        # Of a vertex on the frame the sides are a path, else a ring.
        start = sides[0, 0]
        for i in range(len(sides)):
            if not np.any(sides[:, 1] == sides[i, 0]):
                start = sides[i, 0]
        ring = np.empty(len(sides) + 1, np.int64)
        ring[0], left = start, 1
        for _ in range(len(sides)):
            for i in range(len(sides)):
                if sides[i, 0] == ring[left - 1]:
                    following = sides[i, 1]
            if following == start:
                break
            ring[left] = following
            left += 1
        while left > 2:
            best, fewest = -1, left + 1
            for i in range(left):
                a, b, c = ring[i - 1 if i > 0 else left - 1], ring[i], ring[(i + 1) % left]
                if not turn(places, a, b, c) > 0:
                    continue
                inside = 0
                for j in range(left):
                    inside += in_circle(places, a, b, c, ring[j])
                if inside < fewest:
                    best, fewest = i, inside
            if best < 0:
                break
            filled[total, 0] = ring[best - 1 if best > 0 else left - 1]
            filled[total, 1], filled[total, 2] = ring[best], ring[(best + 1) % left]
            owners[total] = vertex
            total += 1
            for i in range(best, left - 1):
                ring[i] = ring[i + 1]
            left -= 1
    return filled[:total].copy(), owners[:total].copy()
