"""Generations of stacks of shapes; compiled after the functions of the shapes (see `raster.spans`).

`population` holds P individuals of at most N shapes each: kind int64 [P, N], genes float64 [P, N,
genes], paint float64 [P, N, 4] (colour and alpha), box int64 [P, N, 4] (the rows and columns of
pixels that a shape touches: first, before last, first, before last), errors float64 [P, height,
cells + 1] (of each cell, and of the row) and how many shapes there are, int64 [P]. All but the
boxes and errors is the individual itself; these follow from it, and so are brought up to date where
it changed alone.

`fixed` is the target float32 [height, width, 4] (the fourth channel is the weight), the
background float64 [3], the grid (see `span_kernels`), the sample rows per pixel, and
the `palette` float64 [K, 3], the only colours of shapes unless K is 0.
"""

import math
from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import compiled, generator_type, grid_type, inline, options
from artgen.engines.climb.colour_kernels import best_colour
from artgen.engines.genetic.rates import rates_type
from artgen.engines.genetic.region_kernels import inside, make_region, pick
from artgen.raster.span_kernels import cover, make_scratch

if TYPE_CHECKING:
    from artgen.raster.bound import CHANCES, CROSSINGS, VERTICES, mutate, random, trace, valid

population_type = nb.types.Tuple(
    (
        nb.int64[:, ::1],
        *[nb.float64[:, :, ::1]] * 2,
        nb.int64[:, :, ::1],
        nb.float64[:, :, ::1],
        nb.int64[::1],
    )
)
fixed_type = nb.types.Tuple(
    (nb.float32[:, :, ::1], nb.float64[::1], grid_type, nb.int64, nb.float64[:, ::1])
)

CELL = 8
"""So many pixels of a row share one error."""

TRIES = 20
"""How often a random change is made up until it is valid."""

GUESSES = 4
"""Among so many regions, children get the most promising one."""

ROWS = 32
"""About so many rows tell how promising a region is."""

SHAKE = 0.04
"""The standard deviation of random changes of colour and alpha."""

FAINTEST, STRONGEST = 0.04, 0.96
"""The alphas that random changes keep to."""


@inline
def make_room(fixed):
    """Two pictures, which of their pixels are being drawn, and what tracing a shape takes."""
    height, width = fixed[0].shape[:2]
    return (
        np.empty((height, width, 4), np.float32),
        np.empty((height, width, 4), np.float32),
        np.zeros((height, 2), np.int64),
        np.zeros((height, 2), np.int64),
        np.zeros(width + 1),
        make_scratch(height * fixed[3], VERTICES, CROSSINGS),
    )


@inline
def clear(area, width):
    """An empty area: from which column to before which, in each row [height, 2]."""
    for y in range(len(area)):
        area[y, 0], area[y, 1] = width, 0


@inline
def mark(area, box, width):
    """Add the cells that a box touches to an area."""
    left, right = box[2] // CELL * CELL, min((box[3] + CELL - 1) // CELL * CELL, width)
    for y in range(box[0], box[1]):
        area[y, 0], area[y, 1] = min(area[y, 0], left), max(area[y, 1], right)


@compiled
def enclose(kind, genes, box, fixed, scratch):
    """Find the box of a shape."""
    height, width = fixed[0].shape[:2]
    sample_rows = fixed[3]
    spans = trace(kind, genes, 0, height * sample_rows, fixed[2], scratch)
    left, right = float(width), 0.0
    for span in range(spans):
        left, right = min(left, scratch[1][span]), max(right, scratch[2][span])
    if spans == 0:
        box[0] = box[1] = box[2] = box[3] = 0
    else:
        box[0], box[1] = scratch[0][0] // sample_rows, scratch[0][spans - 1] // sample_rows + 1
        box[2], box[3] = int(left), min(int(right) + 1, width)


@compiled
def lay(kind, genes, paint, box, first, last, picture, area, fixed, changes, scratch):
    """Lay shapes from `first` to before `last` over a picture [height, width, 4], in an area.

    Its fourth channel becomes what is left to be seen of what was 1.
    """
    sample_rows = fixed[3]
    top, bottom, left, right = len(area), 0, len(changes), 0
    for y in range(len(area)):
        if area[y, 0] < area[y, 1]:
            top, bottom = min(top, y), y + 1
            left, right = min(left, area[y, 0]), max(right, area[y, 1])
    rows = scratch[0]
    for i in range(first, last):
        begin, end = max(box[i, 0], top), min(box[i, 1], bottom)
        if begin >= end or box[i, 2] >= right or box[i, 3] <= left:
            continue
        share = paint[i, 3] / sample_rows
        c0, c1, c2 = np.float32(paint[i, 0]), np.float32(paint[i, 1]), np.float32(paint[i, 2])
        spans = trace(kind[i], genes[i], begin * sample_rows, end * sample_rows, fixed[2], scratch)
        span = 0
        while span < spans:
            y = rows[span] // sample_rows
            span, low, high = cover(scratch, span, spans, (y + 1) * sample_rows, changes)
            covered = 0.0
            begin, end = area[y, 0], min(area[y, 1], high + 1)
            for x in range(low, min(begin, high + 1)):
                covered += changes[x]
            for x in range(max(low, begin), end):
                covered += changes[x]
                b = np.float32(share * covered)
                picture[y, x, 0] += b * (c0 - picture[y, x, 0])
                picture[y, x, 1] += b * (c1 - picture[y, x, 1])
                picture[y, x, 2] += b * (c2 - picture[y, x, 2])
                picture[y, x, 3] -= b * picture[y, x, 3]
            for x in range(low, high + 2):
                changes[x] = 0.0


@inline
def fill(picture, area, c0, c1, c2):
    """Paint an area plainly."""
    for y in range(len(area)):
        for x in range(area[y, 0], area[y, 1]):
            picture[y, x, 0], picture[y, x, 1] = c0, c1
            picture[y, x, 2], picture[y, x, 3] = c2, 1.0


@compiled
def evaluate_area(kind, genes, paint, box, errors, number, area, fixed, room):
    """Bring the errors in an area of whole cells up to date; the sum of all."""
    target, ground = fixed[0], fixed[1]
    picture, changes, scratch = room[0], room[4], room[5]
    fill(picture, area, ground[0], ground[1], ground[2])
    lay(kind, genes, paint, box, 0, number, picture, area, fixed, changes, scratch)
    total = 0.0
    for y in range(len(area)):
        for first in range(area[y, 0], area[y, 1], CELL):
            wrong = np.float32(0)
            for x in range(first, min(first + CELL, area[y, 1])):
                e0 = picture[y, x, 0] - target[y, x, 0]
                e1 = picture[y, x, 1] - target[y, x, 1]
                e2 = picture[y, x, 2] - target[y, x, 2]
                wrong += target[y, x, 3] * (e0 * e0 + e1 * e1 + e2 * e2)
            errors[y, first // CELL] = wrong
        if area[y, 0] < area[y, 1]:
            error = 0.0
            for cell in range(errors.shape[1] - 1):
                error += errors[y, cell]
            errors[y, errors.shape[1] - 1] = error
        total += errors[y, errors.shape[1] - 1]
    return total


@compiled
def refit(kind, genes, paint, box, number, i, low, high, fixed, room):
    """Give shape number `i` its best colour, and the best alpha from `low` to `high`, where it is.

    See `best_colour` for the sums.
    """
    target, ground, grid, sample_rows, palette = fixed
    below, above, area, changes, scratch = room[0], room[1], room[3], room[4], room[5]
    clear(area, target.shape[1])
    for y in range(box[i, 0], box[i, 1]):
        area[y, 0], area[y, 1] = box[i, 2], box[i, 3]
    fill(below, area, ground[0], ground[1], ground[2])
    lay(kind, genes, paint, box, 0, i, below, area, fixed, changes, scratch)
    fill(above, area, 0.0, 0.0, 0.0)
    lay(kind, genes, paint, box, i + 1, number, above, area, fixed, changes, scratch)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = s8 = 0.0
    begin, end = box[i, 0] * sample_rows, box[i, 1] * sample_rows
    spans = trace(kind[i], genes[i], begin, end, grid, scratch)
    span = 0
    while span < spans:
        y = scratch[0][span] // sample_rows
        span, begin, end = cover(scratch, span, spans, (y + 1) * sample_rows, changes)
        covered = 0.0
        for x in range(begin, end + 1):
            covered += changes[x]
            t = above[y, x, 3]
            b = t * np.float32(covered / sample_rows)
            u0, u1, u2 = below[y, x, 0], below[y, x, 1], below[y, x, 2]
            e0 = target[y, x, 0] - above[y, x, 0] - t * u0
            e1 = target[y, x, 1] - above[y, x, 1] - t * u1
            e2 = target[y, x, 2] - above[y, x, 2] - t * u2
            wb = target[y, x, 3] * b
            wbb = wb * b
            s0 += wb * e0
            s1 += wb * e1
            s2 += wb * e2
            s3 += wbb * u0
            s4 += wbb * u1
            s5 += wbb * u2
            s6 += wbb
            s7 += wb * (e0 * u0 + e1 * u1 + e2 * u2)
            s8 += wbb * (u0 * u0 + u1 * u1 + u2 * u2)
        for x in range(begin, end + 2):
            changes[x] = 0.0
    if s6 > 0:
        found = best_colour(s0, s1, s2, s3, s4, s5, s6, s7, s8, low, high, palette)
        paint[i, 3] = np.float32(found[1])
        paint[i, 0] = np.float32(found[2])
        paint[i, 1] = np.float32(found[3])
        paint[i, 2] = np.float32(found[4])


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
        least, most = max(low, FAINTEST), min(high, STRONGEST)
    value = paint[channel] + SHAKE * rng.standard_normal()
    paint[channel] = np.float32(min(max(value, least), most))


@compiled
def create(rng, kind, genes, paint, box, errors, i, fixed, rates, room):
    """Make up shape number `i`, where the picture is wrong; whether that succeeded."""
    height, width = fixed[0].shape[:2]
    top, pitch, left, scale, _ = fixed[2]
    palette = fixed[4]
    cells = errors.shape[1] - 1
    total = 0.0
    for y in range(height):
        total += errors[y, cells]
    for _ in range(TRIES):
        dice = rng.random()
        k = 0
        while k < len(CHANCES) - 1 and dice >= CHANCES[k]:
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
        random(k, genes[i], rng, left + column / scale, top + row * pitch, size)
        for g in range(genes.shape[1]):
            genes[i, g] = np.float32(genes[i, g])
        if valid(k, genes[i]):
            kind[i] = k
            enclose(k, genes[i], box[i], fixed, room[5])
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
def rotate(person, i, j, spare):
    """Take shape number `i` out and put it back as number `j`; `spare` is room for one shape."""
    copy(person, i, spare, 0)
    step = 1 if i < j else -1
    for k in range(i, j, step):
        copy(person, k + step, person, k)
    copy(spare, 0, person, j)


@compiled
def vary(rng, kind, genes, paint, box, errors, number, fixed, rates, room, spare):
    """Change an individual by one mutation, and mark what that touches; how many shapes it has."""
    target, area = fixed[0], room[2]
    width = target.shape[1]
    person = kind, genes, paint, box
    dice = rng.random()
    if number == 0 or dice < rates.resize:
        if number == 0 or (rng.random() < rates.grow and number < rates.most):
            if not create(rng, kind, genes, paint, box, errors, number, fixed, rates, room):
                return number
            i = number
            if rng.random() < 0.5:
                i = int(rng.random() * (number + 1))
            rotate(person, number, i, spare)
            number += 1
        else:
            i = int(rng.random() * number)
            mark(area, box[i], width)
            rotate(person, i, number - 1, spare)
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
            rotate(person, i, j, spare)
            i = j
        elif dice < rates.swap + rates.replace:
            copy(person, i, spare, 0)
            if not create(rng, kind, genes, paint, box, errors, i, fixed, rates, room):
                copy(spare, 0, person, i)
                return number
        elif dice < rates.swap + rates.replace + rates.recolour:
            if rates.shaken > 0:
                shake(rng, paint[i], rates.low, rates.high, fixed[4])
                return number
        else:
            copy(person, i, spare, 0)
            changed = False
            for _ in range(TRIES):
                # Steps of all sizes.
                step = rates.step * (rates.least / rates.step) ** rng.random()
                mutate(kind[i], genes[i], rng, step)
                for g in range(genes.shape[1]):
                    genes[i, g] = np.float32(genes[i, g])
                changed = valid(kind[i], genes[i])
                if changed:
                    break
                copy(spare, 0, person, i)
            if not changed:
                return number
            enclose(kind[i], genes[i], box[i], fixed, room[5])
    mark(area, box[i], width)
    if rates.fitted > 0:
        low, high = rates.low, rates.high
        refit(kind, genes, paint, box, number, i, low, high, fixed, room)
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
def cross(rng, one, ours, number, other, theirs, others, child, area, fixed, rates):
    """Make a child of two parents: of the one's shapes in a region, or in a range of the stack,
    and the other's elsewhere; how many it has.

    Both keep their order. Marks where it differs from the first parent, whose errors it has.
    """
    width = fixed[0].shape[1]
    most = int(rates.most)
    splice = rng.random() < rates.splice
    region, keep, promising = choose_region(rng, ours, theirs, fixed)
    if not (splice or promising):
        return -1
    first, last = rng.random(), rng.random()
    first, last = min(first, last), max(first, last)
    aligned = number == others
    left = 0
    # First they are counted, then taken; the lowest ones are left out where there are too many.
    for taking in range(2):
        i = j = taken = 0
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


@nb.njit(
    (generator_type, population_type, nb.float64[::1], fixed_type, rates_type, nb.int64), **options
)
def initialise(rng, population, scores, fixed, rates, begin):
    """Fill individuals with `begin` random shapes each, the best colours one after the other."""
    kinds, genes, paints, boxes, errors, numbers = population
    width = fixed[0].shape[1]
    room = make_room(fixed)
    for p in range(len(scores)):
        number = 0
        numbers[p] = 0
        clear(room[2], width)
        for y in range(len(room[2])):
            room[2][y, 0], room[2][y, 1] = 0, width
        evaluate_area(
            kinds[p], genes[p], paints[p], boxes[p], errors[p], number, room[2], fixed, room
        )
        for _ in range(begin):
            if create(
                rng, kinds[p], genes[p], paints[p], boxes[p], errors[p], number, fixed, rates, room
            ):
                number += 1
                if rates.fitted > 0:
                    refit(
                        kinds[p], genes[p], paints[p], boxes[p], number, number - 1,
                        rates.low, rates.high, fixed, room,
                    )  # fmt: skip
        numbers[p] = number
        scores[p] = evaluate_area(
            kinds[p], genes[p], paints[p], boxes[p], errors[p], number, room[2], fixed, room
        )


@nb.njit((population_type, nb.float64[::1], fixed_type), **options)
def evaluate(population, scores, fixed):
    """Find all boxes and errors anew; `scores` [P] are the sums of the errors."""
    kinds, genes, paints, boxes, errors, numbers = population
    width = fixed[0].shape[1]
    room = make_room(fixed)
    for y in range(len(room[2])):
        room[2][y, 0], room[2][y, 1] = 0, width
    for p in range(len(scores)):
        for i in range(numbers[p]):
            enclose(kinds[p, i], genes[p, i], boxes[p, i], fixed, room[5])
        scores[p] = evaluate_area(
            kinds[p], genes[p], paints[p], boxes[p], errors[p], numbers[p], room[2], fixed, room
        )


@nb.njit(
    (
        generator_type,
        population_type,
        nb.float64[::1],
        nb.int64[::1],
        population_type,
        nb.float64[::1],
        fixed_type,
        rates_type,
    ),
    **options,
)
def breed(rng, parents, scores, order, children, marks, fixed, rates):
    """The next generation: the elite as it is, and children of those who win a tournament.

    `scores` of the parents are what counts, the least is the best; `order` sorts them. `marks` [P]
    become the squared errors of the children.
    """
    width = fixed[0].shape[1]
    room = make_room(fixed)
    area = room[2]
    spare = (
        np.empty(1, np.int64),
        np.empty((1, parents[1].shape[2])),
        np.empty((1, 4)),
        np.empty((1, 4), np.int64),
    )
    tournament_size, elite = int(rates.tournament_size), int(rates.elite)
    for p in range(len(scores)):
        child = children[0][p], children[1][p], children[2][p], children[3][p]
        a = order[p] if p < elite else pick(rng, scores, tournament_size)
        one = parents[0][a], parents[1][a], parents[2][a], parents[3][a]
        number = parents[5][a]
        errors = children[4][p]
        total = 0.0
        for y in range(errors.shape[0]):
            for cell in range(errors.shape[1]):
                errors[y, cell] = parents[4][a, y, cell]
            total += errors[y, errors.shape[1] - 1]
        clear(area, width)
        taken = -1
        if p >= elite and rng.random() < rates.crossover:
            b = pick(rng, scores, tournament_size)
            other = parents[0][b], parents[1][b], parents[2][b], parents[3][b]
            taken = cross(
                rng, one, parents[4][a], number, other, parents[4][b], parents[5][b],
                child, area, fixed, rates,
            )  # fmt: skip
        mutations = 0
        if taken >= 0:
            number = taken
        else:
            for i in range(number):
                copy(one, i, child, i)
            mutations = 1
        if p >= elite:
            while mutations > 0 or rng.random() < rates.extra_mutation:
                mutations -= 1
                number = vary(
                    rng, child[0], child[1], child[2], child[3], errors, number,
                    fixed, rates, room, spare,
                )  # fmt: skip
            total = evaluate_area(
                child[0], child[1], child[2], child[3], errors, number, area, fixed, room
            )
        children[5][p], marks[p] = number, total
