"""Generations of partitions; compiled after `raster.partition_kernels` and `region_kernels`.

`people` are P individuals of at most N sites each: sites float64 [P, N, genes], colour float64
[P, N, 3], errors float64 [P, N] (the squared error in each site's cell) and how many sites there
are, int64 [P]. The errors follow from the rest; so do colours where they are fitted.

A `scene` is the sums of the target along its rows and their grid: left of each place of a row,
those of w·t (3), w and w·|t|², float32 [rows, width + 2, 5], with t the target and w the weight. So
the mean colour of a cell, and its error, take two places of every row, whatever its area.
"""

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

if TYPE_CHECKING:  # what the text before this one defines
    begin_cuts: Any = None
    compiled: Any = None
    cut_row: Any = None
    grid_type: Any = None
    inline: Any = None
    inside: Any = None
    make_cuts: Any = None
    make_region: Any = None
    mutate: Any = None
    options: Any = None
    pick: Any = None
    random: Any = None

people_type = nb.types.Tuple(
    (*[nb.float64[:, :, ::1]] * 2, nb.float64[:, ::1], nb.int64[::1]),
)
scene_type = nb.types.Tuple((nb.float32[:, :, ::1], grid_type))
generator = nb.typeof(np.random.default_rng())

GUESSES = 4
"""Among so many regions, children get the most promising one."""

SHAKE = 0.04
"""The standard deviation of random changes of colours."""

CROSSOVER, SPLICE, AGAIN, RESIZE, GROW, SWAP, REPLACE, RECOLOUR, RIVALS = range(9)
ELITE, SMALL, LARGE, STEP, LEAST, LOW, HIGH, COUNT, FITTED, SHAKEN = range(9, 19)
"""Places in `rates`, float64 [19], as in `genetic_kernels`."""


@inline
def make_room(most):
    """What cutting rows takes, and five sums for every site."""
    return make_cuts(most), np.empty((most, 5))


@compiled
def judge_sites(sites, colour, errors, number, fitted, scene, room):
    """Find the errors of all cells, and their colours where these are to be fitted; the sum."""
    sums, grid = scene
    cuts, totals = room
    top, pitch, left, scale, width = grid
    begin_cuts(sites, number, top, cuts)
    for i in range(number):
        for k in range(5):
            totals[i, k] = 0.0
    winners, borders = cuts[3], cuts[4]
    for row in range(sums.shape[0]):
        runs = cut_row(sites, number, top + row * pitch, cuts)
        end = 0.0
        for run in range(runs):
            begin, end = end, width
            if run + 1 < runs:
                end = min(max((borders[run + 1] - left) * scale, begin), width)
            if end <= begin:
                continue
            i, j = int(begin), int(end)
            f, g = np.float32(begin - i), np.float32(end - j)
            for k in range(5):
                first, last = sums[row, i, k], sums[row, j, k]
                first += f * (sums[row, i + 1, k] - first)
                last += g * (sums[row, j + 1, k] - last)
                totals[winners[run], k] += last - first
    total = 0.0
    for i in range(number):
        n = totals[i, 3]
        error = totals[i, 4]
        for c in range(3):
            if fitted and n > 0:
                colour[i, c] = np.float32(min(max(totals[i, c] / n, 0.0), 1.0))
            error += colour[i, c] * (n * colour[i, c] - 2 * totals[i, c])
        errors[i] = max(error, 0.0)
        total += errors[i]
    return total


@compiled
def create(rng, sites, colour, errors, number, i, scene, rates):
    """Make up site number `i`: near one with a large error, or anywhere where there is none."""
    sums, grid = scene
    top, pitch, left, scale, width = grid
    x = left + rng.random() * width / scale
    y = top + (rng.random() * sums.shape[0] - 0.5) * pitch
    if number > 0:
        total = 0.0
        for k in range(number):
            total += errors[k]
        rest = rng.random() * total
        near = 0
        for k in range(number):
            near = k
            rest -= errors[k]
            if rest < 0:
                break
        x = sites[near, 0] + rates[SMALL] * rng.standard_normal()
        y = sites[near, 1] + rates[SMALL] * rng.standard_normal()
    for g in range(sites.shape[1]):
        sites[i, g] = 0.0
    random(sites[i], rng, x, y, rates[LARGE])
    settle(sites[i], scene)
    for c in range(3):
        colour[i, c] = np.float32(rng.random())


@inline
def settle(site, scene):
    """Keep a site on the canvas, and to what float32 can hold."""
    sums, grid = scene
    top, pitch, left, scale, width = grid
    site[0] = min(max(site[0], left), left + width / scale)
    site[1] = min(max(site[1], top - pitch / 2), top + (sums.shape[0] - 0.5) * pitch)
    for g in range(len(site)):
        site[g] = np.float32(site[g])


@inline
def copy(sites, colour, errors, i, to_sites, to_colour, to_errors, j):
    """Copy site number `i` of one individual to number `j` of another."""
    for g in range(sites.shape[1]):
        to_sites[j, g] = sites[i, g]
    for c in range(3):
        to_colour[j, c] = colour[i, c]
    to_errors[j] = errors[i]


@compiled
def vary(rng, sites, colour, errors, number, scene, rates):
    """Change an individual by one mutation; how many sites it has."""
    dice = rng.random()
    if number == 0 or dice < rates[RESIZE]:
        if number == 0 or (rng.random() < rates[GROW] and number < rates[COUNT]):
            create(rng, sites, colour, errors, number, number, scene, rates)
            errors[number] = 0.0
            return number + 1
        i = int(rng.random() * number)
        copy(sites, colour, errors, number - 1, sites, colour, errors, i)
        return number - 1
    dice -= rates[RESIZE]
    i = int(rng.random() * number)
    if dice < rates[REPLACE]:
        create(rng, sites, colour, errors, number, i, scene, rates)
    elif rates[SHAKEN] > 0 and dice < rates[REPLACE] + rates[RECOLOUR]:
        c = int(3 * rng.random())
        value = colour[i, c] + SHAKE * rng.standard_normal()
        colour[i, c] = np.float32(min(max(value, 0.0), 1.0))
    else:
        # Steps of all sizes.
        step = rates[STEP] * (rates[LEAST] / rates[STEP]) ** rng.random()
        mutate(sites[i], rng, step)
        settle(sites[i], scene)
    return number


@compiled
def cross(
    rng, sites, colour, errors, number, others, tints, wrongs, rest,
    new_sites, new_colour, new_errors, scene, rates,
):  # fmt: skip
    """Make a child of the one's sites in a region and the other's elsewhere; how many it has."""
    sums, grid = scene
    top, pitch, left, scale, width = grid
    best = np.inf
    wide, high = width / scale, sums.shape[0] * pitch
    region, keep = make_region(rng, 0.0, 0.0, wide, high), True
    for _ in range(GUESSES):
        x, y = left + rng.random() * wide, top - pitch / 2 + rng.random() * high
        trial = make_region(rng, x, y, wide, high)
        inner = outer = inner_theirs = outer_theirs = 0.0
        for i in range(number):
            if inside(trial, sites[i, 0], sites[i, 1]):
                inner += errors[i]
            else:
                outer += errors[i]
        for i in range(rest):
            if inside(trial, others[i, 0], others[i, 1]):
                inner_theirs += wrongs[i]
            else:
                outer_theirs += wrongs[i]
        if inner + outer_theirs < best:
            best, region, keep = inner + outer_theirs, trial, True
        if inner_theirs + outer < best:
            best, region, keep = inner_theirs + outer, trial, False
    left_over = 0
    for i in range(number):
        left_over += inside(region, sites[i, 0], sites[i, 1]) == keep
    for i in range(rest):
        left_over += inside(region, others[i, 0], others[i, 1]) != keep
    # Any of them is left out where there are too many.
    most = int(rates[COUNT])
    taken = 0
    for i in range(number + rest):
        mine = i < number
        k = i if mine else i - number
        x, y = (sites[k, 0], sites[k, 1]) if mine else (others[k, 0], others[k, 1])
        if (inside(region, x, y) == keep) != mine:
            continue
        if rng.random() * left_over < most - taken:
            if mine:
                copy(sites, colour, errors, k, new_sites, new_colour, new_errors, taken)
            else:
                copy(others, tints, wrongs, k, new_sites, new_colour, new_errors, taken)
            taken += 1
        left_over -= 1
    return taken


@nb.njit(
    (generator, people_type, nb.float64[::1], scene_type, nb.float64[::1], nb.int64), **options
)
def found(rng, people, scores, scene, rates, begin):
    """Fill individuals with `begin` sites each, anywhere."""
    sites, colour, errors, numbers = people
    room = make_room(sites.shape[1])
    for p in range(len(scores)):
        for i in range(begin):
            create(rng, sites[p], colour[p], errors[p], 0, i, scene, rates)
        numbers[p] = begin
        scores[p] = judge_sites(
            sites[p], colour[p], errors[p], begin, rates[FITTED] > 0, scene, room
        )


@nb.njit((people_type, nb.float64[::1], scene_type, nb.float64[::1]), **options)
def judge(people, scores, scene, rates):
    """Find all errors anew; `scores` [P] are their sums."""
    sites, colour, errors, numbers = people
    room = make_room(sites.shape[1])
    for p in range(len(scores)):
        scores[p] = judge_sites(
            sites[p], colour[p], errors[p], numbers[p], rates[FITTED] > 0, scene, room
        )


@nb.njit(
    (
        generator,
        people_type,
        nb.float64[::1],
        nb.int64[::1],
        people_type,
        nb.float64[::1],
        scene_type,
        nb.float64[::1],
    ),
    **options,
)
def breed(rng, parents, scores, order, children, marks, scene, rates):
    """The next generation, see `genetic_kernels.breed`."""
    sites, colour, errors, numbers = parents
    new_sites, new_colour, new_errors, new_numbers = children
    room = make_room(sites.shape[1])
    rivals, elite = int(rates[RIVALS]), int(rates[ELITE])
    for p in range(len(scores)):
        a = order[p] if p < elite else pick(rng, scores, rivals)
        number = numbers[a]
        mutations = 1
        if p >= elite and rng.random() < rates[CROSSOVER]:
            b = pick(rng, scores, rivals)
            number = cross(
                rng, sites[a], colour[a], errors[a], number,
                sites[b], colour[b], errors[b], numbers[b],
                new_sites[p], new_colour[p], new_errors[p], scene, rates,
            )  # fmt: skip
            mutations = 0
        else:
            for i in range(number):
                copy(
                    sites[a], colour[a], errors[a], i, new_sites[p], new_colour[p], new_errors[p], i
                )
        if p >= elite:
            while mutations > 0 or rng.random() < rates[AGAIN]:
                mutations -= 1
                number = vary(rng, new_sites[p], new_colour[p], new_errors[p], number, scene, rates)
            marks[p] = judge_sites(
                new_sites[p], new_colour[p], new_errors[p], number, rates[FITTED] > 0, scene, room
            )
        else:
            marks[p] = 0.0
            for i in range(number):
                marks[p] += new_errors[p, i]
        new_numbers[p] = number
