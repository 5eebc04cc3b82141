"""Mutation and crossover of stacks of shapes; compiled after `stack_kernels`.

`population` holds the arrays of P individuals, with P as their first axis, and how many shapes each
of them has, int64 [P].
"""

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import compiled, inline, owning
from artgen.engines.genetic.choice_kernels import (
    GUESSES,
    inside,
    make_region,
    shaken,
    step_length,
)
from artgen.families.shape.function_types import call_mutate, call_random, call_valid

if TYPE_CHECKING:
    from artgen.families.shape.stack_kernels import (
        CELL,
        clear,
        enclose,
        evaluate_one,
        mark,
        mark_all,
        refit,
    )

population_type = nb.types.Tuple(
    (
        nb.int64[:, ::1],
        *[nb.float64[:, :, ::1]] * 2,
        nb.int64[:, :, ::1],
        nb.float64[:, :, ::1],
        nb.int64[::1],
    )
)

TRIES = 20
"""How often a random change is made up until it is valid."""

ROWS = 32
"""About this many rows are sampled to estimate how promising a region is."""

FAINTEST, STRONGEST = 0.04, 0.96
"""The alphas that random changes keep to."""


@owning
def individual(population, p):
    """The arrays of individual number `p`."""
    kinds, genes, paints, boxes, errors, _ = population
    return kinds[p], genes[p], paints[p], boxes[p], errors[p]


@inline
def dye(rng, paint, palette):
    """Give a shape any colour of a palette."""
    k = int(rng.random() * len(palette))
    for channel in range(3):
        paint[channel] = np.float32(palette[k, channel])


@inline
def shake(rng, paint, low, high, palette):
    """Change one channel of the colour, or alpha where that may be changed, a little.

    Of a palette another colour is taken.
    """
    channel = int(rng.random() * (3 + (low < high)))
    if channel < 3 and len(palette) > 0:
        dye(rng, paint, palette)
        return
    least, most = 0.0, 1.0
    if channel == 3:
        least, most = max(low, min(FAINTEST, high)), min(high, max(STRONGEST, low))
    paint[channel] = shaken(rng, paint[channel], least, most)


@compiled
def create(rng, one, i, fixed, rates, room):
    """Make up shape number `i`, where the picture is wrong; whether that succeeded."""
    kind, genes, paint, _, errors = one
    height, width = fixed[0].shape[:2]
    top, pitch, left, scale, _ = fixed[2]
    palette, functions = fixed[4], fixed[5]
    chances, tables = functions.chances, functions.tables
    cells = errors.shape[1] - 1
    total = 0.0
    for y in range(height):
        total += errors[y, cells]
    for _ in range(TRIES):
        dice = rng.random()
        k = np.int64(0)
        while k < len(chances) - 1 and dice >= chances[k]:
            k += 1
        rest = rng.random() * total
        y = x = 0
        while y < height - 1 and rest >= errors[y, cells]:
            rest -= errors[y, cells]
            y += 1
        while x < cells - 1 and rest >= errors[y, x]:
            rest -= errors[y, x]
            x += 1
        size = rates.small * math.exp(rng.random() * math.log(rates.large / rates.small))
        column = min((x + rng.random()) * CELL, float(width))
        row = (y + rng.random()) * fixed[3]
        for g in range(genes.shape[1]):
            genes[i, g] = 0.0
        place = left + column / scale, top + row * pitch
        call_random(functions.random, k, genes[i], tables, rng, place[0], place[1], size)
        for g in range(genes.shape[1]):
            genes[i, g] = np.float32(genes[i, g])
        if call_valid(functions.valid, k, genes[i], tables):
            kind[i] = k
            enclose(one, i, fixed, room[5])
            if len(palette) > 0:
                dye(rng, paint[i], palette)
            else:
                for channel in range(3):
                    paint[i, channel] = np.float32(rng.random())
            low, high = rates.low, rates.high
            paint[i, 3] = np.float32(low + (high - low) * rng.random())
            return True
    return False


@inline
def copy(one, i, other, j):
    """Copy shape number `i` of one individual to number `j` of another."""
    other[0][j] = one[0][i]
    for g in range(one[1].shape[1]):
        other[1][j, g] = one[1][i, g]
    for k in range(4):
        other[2][j, k] = one[2][i, k]
        other[3][j, k] = one[3][i, k]


@compiled
def rotate(one, i, j, spare):
    """Take shape number `i` out and put it back as number `j`; `spare` is room for one shape."""
    copy(one, i, spare, np.int64(0))
    step = 1 if i < j else -1
    for k in range(i, j, step):
        copy(one, k + step, one, k)
    copy(spare, np.int64(0), one, j)


@compiled
def vary(rng, one, number, fixed, rates, room):
    """Change an individual by one mutation, and mark what that touches; how many shapes it has."""
    kind, genes, paint, box, _ = one
    area, spare, width = room[2], room[6], fixed[0].shape[1]
    functions = fixed[5]
    mutate, valid, tables = functions.mutate, functions.valid, functions.tables
    dice = rng.random()
    if number == 0 or dice < rates.resize:
        if number == 0 or (rng.random() < rates.grow and number < rates.most):
            if not create(rng, one, number, fixed, rates, room):
                return number
            i = number
            if rng.random() < 0.5:
                i = int(rng.random() * (number + 1))
            rotate(one, number, i, spare)
            number += 1
        else:
            i = int(rng.random() * number)
            mark(area, box[i], width)
            rotate(one, i, number - 1, spare)
            return number - 1
    else:
        dice -= rates.resize
        i = int(rng.random() * number)
        mark(area, box[i], width)
        if dice < rates.swap:
            # Mostly with a neighbour, sometimes over half of the stack.
            distance = 1
            while rng.random() < 0.5:
                distance *= 2
            j = i + distance if rng.random() < 0.5 else i - distance
            j = min(max(j, 0), number - 1)
            rotate(one, i, j, spare)
            i = j
        elif dice < rates.swap + rates.replace:
            copy(one, i, spare, np.int64(0))
            if not create(rng, one, i, fixed, rates, room):
                copy(spare, np.int64(0), one, i)
                return number
        elif dice < rates.swap + rates.replace + rates.recolour:
            if rates.shaken > 0:
                shake(rng, paint[i], rates.low, rates.high, fixed[4])
                return number
        else:
            copy(one, i, spare, np.int64(0))
            changed = False
            for _ in range(TRIES):
                call_mutate(mutate, kind[i], genes[i], tables, rng, step_length(rng, rates))
                for g in range(genes.shape[1]):
                    genes[i, g] = np.float32(genes[i, g])
                changed = call_valid(valid, kind[i], genes[i], tables)
                if changed:
                    break
                copy(spare, np.int64(0), one, i)
            if not changed:
                return number
            enclose(one, i, fixed, room[5])
    mark(area, box[i], width)
    if rates.fitted > 0:
        refit(one, number, i, fixed, rates, room)
    return number


@inline
def same(one, other, i):
    """Whether two individuals have the same shape number `i`."""
    equal = one[0][i] == other[0][i]
    for g in range(one[1].shape[1]):
        equal = equal and one[1][i, g] == other[1][i, g]
    for k in range(4):
        equal = equal and one[2][i, k] == other[2][i, k]
    return equal


@compiled
def choose_region(rng, ours, theirs, fixed):
    """A region, whether the first parent should keep what is inside it, and if that promises much.

    The error of a child is about that of either parent on its side. Regions are tried around where
    the other parent is better, and the one with the least error is taken.
    """
    height, width = fixed[0].shape[:2]
    stride = max(1, height // ROWS)
    cells = ours.shape[1] - 1
    total = total_theirs = gain = 0.0
    for y in range(stride // 2, height, stride):
        for cell in range(cells):
            total += ours[y, cell]
            total_theirs += theirs[y, cell]
            gain += max(ours[y, cell] - theirs[y, cell], 0.0)
    best = min(total, total_theirs)
    region, keep = make_region(rng, 0.0, 0.0, float(width), float(height)), True
    promising = False
    for _ in range(GUESSES):
        rest = rng.random() * gain
        x = y = 0
        for row in range(stride // 2, height, stride):
            for cell in range(cells):
                rest -= max(ours[row, cell] - theirs[row, cell], 0.0)
                if rest < 0:
                    break
                x, y = cell, row
            if rest < 0:
                break
        trial = make_region(rng, (x + 0.5) * CELL, y + 0.5, float(width), float(height))
        inner = inner_theirs = 0.0
        for row in range(stride // 2, height, stride):
            for cell in range(cells):
                if inside(trial, (cell + 0.5) * CELL, row + 0.5):
                    inner += ours[row, cell]
                    inner_theirs += theirs[row, cell]
        if inner + total_theirs - inner_theirs < best:
            best, region, keep = inner + total_theirs - inner_theirs, trial, True
            promising = True
        if inner_theirs + total - inner < best:
            best, region, keep = inner_theirs + total - inner, trial, False
            promising = True
    return region, keep, promising


@compiled
def cross(rng, one, number, other, others, child, fixed, rates, room):
    """Make a child of two parents: of the one's shapes in a region, or in a range of the stack,
    and the other's elsewhere; how many it has, or -1 where no region is promising.

    Both keep their order. Marks where it differs from the first parent, whose errors it has.
    """
    area, width = room[2], fixed[0].shape[1]
    most = int(rates.most)
    splice = rng.random() < rates.splice
    region, keep, promising = choose_region(rng, one[4], other[4], fixed)
    if not (splice or promising):
        return -1
    first, last = rng.random(), rng.random()
    first, last = min(first, last), max(first, last)
    aligned = number == others
    left = 0
    # First they are counted, then taken; the lowest ones are left out where there are too many.
    for taking in range(2):
        i = j = taken = np.int64(0)
        spare = left - most
        while i < number or j < others:
            if j == others or (i < number and (2 * i + 1) * others <= (2 * j + 1) * number):
                mine, k, parent, rank = True, i, one, (i + 0.5) / number
                i += 1
            else:
                mine, k, parent, rank = False, j, other, (j + 0.5) / others
                j += 1
            if splice:
                within = first < rank < last
            else:
                box = parent[3][k]
                within = inside(region, (box[2] + box[3]) / 2, (box[0] + box[1]) / 2)
            chosen = (within == keep) == mine
            if taking == 0:
                left += chosen
                continue
            fresh = not (aligned and same(one, other, k))
            if chosen and spare > 0:
                spare -= 1
                mark(area, parent[3][k], width)
            elif chosen:
                copy(parent, k, child, taken)
                taken += 1
                if fresh and not mine:
                    mark(area, parent[3][k], width)
            elif mine and fresh:
                mark(area, parent[3][k], width)
    return min(left, most)


@inline
def begin(one, child, fixed, room):
    """Give a child the errors of its first parent, with nothing marked."""
    errors = one[4]
    for y in range(errors.shape[0]):
        for cell in range(errors.shape[1]):
            child[4][y, cell] = errors[y, cell]
    clear(room[2], fixed[0].shape[1])


@inline
def known_error(one, number):
    """The sum of the errors, which are up to date."""
    errors = one[4]
    total = 0.0
    for y in range(errors.shape[0]):
        total += errors[y, errors.shape[1] - 1]
    return total


@inline
def make_up(rng, one, count, fixed, rates, room):
    """Fill an individual with `count` random shapes, the best colours one after the other."""
    mark_all(room[2], fixed[0].shape[1])
    evaluate_one(one, np.int64(0), fixed, rates, room)
    number = np.int64(0)
    for _ in range(count):
        if create(rng, one, number, fixed, rates, room):
            number += 1
            if rates.fitted > 0:
                refit(one, number, number - 1, fixed, rates, room)
    return number


@inline
def begin_anew(one, number, fixed, room):
    """Find all boxes, and mark the whole picture."""
    mark_all(room[2], fixed[0].shape[1])
    for i in range(number):
        enclose(one, i, fixed, room[5])
