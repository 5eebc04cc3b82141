"""Generations of partitions; compiled after `raster.partition_kernels`.

`population` holds P individuals of at most N sites each: sites float64 [P, N, genes], colour
float64 [P, N, 3], errors float64 [P, N] (the squared error in each site's cell) and how many sites
there are, int64 [P]. The errors follow from the rest; so do colours where they are fitted.

`fixed` is the sums of the target along its rows and their grid: left of each place of a row,
those of w·t (3), w and w·|t|², float32 [rows, width + 2, 5], with t the target and w the weight. So
the mean colour of a cell, and its error, take two places of every row, whatever its area.
"""

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import compiled, generator_type, grid_type, inline, options
from artgen.engines.genetic.rates import rates_type
from artgen.engines.genetic.region_kernels import inside, make_region, pick

if TYPE_CHECKING:
    from artgen.raster.bound import mutate, random
    from artgen.raster.partition_kernels import begin_cuts, cut_row, make_cuts

population_type = nb.types.Tuple(
    (*[nb.float64[:, :, ::1]] * 2, nb.float64[:, ::1], nb.int64[::1]),
)
fixed_type = nb.types.Tuple((nb.float32[:, :, ::1], grid_type))

GUESSES = 4
"""Among so many regions, children get the most promising one."""

SHAKE = 0.04
"""The standard deviation of random changes of colours."""


@inline
def make_room(most):
    """What cutting rows takes, and five sums for every site."""
    return make_cuts(most), np.empty((most, 5))


@compiled
def evaluate_sites(sites, colour, errors, number, fitted, fixed, room):
    """Find the errors of all cells, and their colours where these are to be fitted; the sum."""
    sums, grid = fixed
    cuts, totals = room
    top, pitch, left, scale, width = grid
    begin_cuts(sites, number, top, cuts)
    for i in range(number):
        for k in range(5):
            totals[i, k] = 0.0
    winners, borders = cuts[3], cuts[4]
    for row in range(sums.shape[0]):
        spans = cut_row(sites, number, top + row * pitch, cuts)
        end = 0.0
        for span in range(spans):
            begin, end = end, width
            if span + 1 < spans:
                end = min(max((borders[span + 1] - left) * scale, begin), width)
            if end <= begin:
                continue
            i, j = int(begin), int(end)
            f, g = np.float32(begin - i), np.float32(end - j)
            for k in range(5):
                first, last = sums[row, i, k], sums[row, j, k]
                first += f * (sums[row, i + 1, k] - first)
                last += g * (sums[row, j + 1, k] - last)
                totals[winners[span], k] += last - first
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
def create(rng, sites, colour, errors, number, i, fixed, rates):
    """Make up site number `i`: near one with a large error, or anywhere where there is none."""
    sums, grid = fixed
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
        x = sites[near, 0] + rates.small * rng.standard_normal()
        y = sites[near, 1] + rates.small * rng.standard_normal()
    for g in range(sites.shape[1]):
        sites[i, g] = 0.0
    random(sites[i], rng, x, y, rates.large)
    clamp_site(sites[i], fixed)
    for c in range(3):
        colour[i, c] = np.float32(rng.random())


@inline
def clamp_site(site, fixed):
    """Keep a site on the canvas, and to what float32 can hold."""
    sums, grid = fixed
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
def vary(rng, sites, colour, errors, number, fixed, rates):
    """Change an individual by one mutation; how many sites it has."""
    dice = rng.random()
    if number == 0 or dice < rates.resize:
        if number == 0 or (rng.random() < rates.grow and number < rates.most):
            create(rng, sites, colour, errors, number, number, fixed, rates)
            errors[number] = 0.0
            return number + 1
        i = int(rng.random() * number)
        copy(sites, colour, errors, number - 1, sites, colour, errors, i)
        return number - 1
    dice -= rates.resize
    i = int(rng.random() * number)
    if dice < rates.replace:
        create(rng, sites, colour, errors, number, i, fixed, rates)
    elif rates.shaken > 0 and dice < rates.replace + rates.recolour:
        c = int(3 * rng.random())
        value = colour[i, c] + SHAKE * rng.standard_normal()
        colour[i, c] = np.float32(min(max(value, 0.0), 1.0))
    else:
        # Steps of all sizes.
        step = rates.step * (rates.least / rates.step) ** rng.random()
        mutate(sites[i], rng, step)
        clamp_site(sites[i], fixed)
    return number


@compiled
def cross(
    rng, sites, colour, errors, number, others, tints, wrongs, rest,
    new_sites, new_colour, new_errors, fixed, rates,
):  # fmt: skip
    """Make a child of the one's sites in a region and the other's elsewhere; how many it has."""
    sums, grid = fixed
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
    most = int(rates.most)
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
    (generator_type, population_type, nb.float64[::1], fixed_type, rates_type, nb.int64), **options
)
def initialise(rng, population, scores, fixed, rates, begin):
    """Fill individuals with `begin` sites each, anywhere."""
    sites, colour, errors, numbers = population
    room = make_room(sites.shape[1])
    for p in range(len(scores)):
        for i in range(begin):
            create(rng, sites[p], colour[p], errors[p], 0, i, fixed, rates)
        numbers[p] = begin
        scores[p] = evaluate_sites(
            sites[p], colour[p], errors[p], begin, rates.fitted > 0, fixed, room
        )


@nb.njit((population_type, nb.float64[::1], fixed_type, rates_type), **options)
def evaluate(population, scores, fixed, rates):
    """Find all errors anew; `scores` [P] are their sums."""
    sites, colour, errors, numbers = population
    room = make_room(sites.shape[1])
    for p in range(len(scores)):
        scores[p] = evaluate_sites(
            sites[p], colour[p], errors[p], numbers[p], rates.fitted > 0, fixed, room
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
    """The next generation, see `genetic_kernels.breed`."""
    sites, colour, errors, numbers = parents
    new_sites, new_colour, new_errors, new_numbers = children
    room = make_room(sites.shape[1])
    tournament_size, elite = int(rates.tournament_size), int(rates.elite)
    for p in range(len(scores)):
        a = order[p] if p < elite else pick(rng, scores, tournament_size)
        number = numbers[a]
        mutations = 1
        if p >= elite and rng.random() < rates.crossover:
            b = pick(rng, scores, tournament_size)
            number = cross(
                rng, sites[a], colour[a], errors[a], number,
                sites[b], colour[b], errors[b], numbers[b],
                new_sites[p], new_colour[p], new_errors[p], fixed, rates,
            )  # fmt: skip
            mutations = 0
        else:
            for i in range(number):
                copy(
                    sites[a], colour[a], errors[a], i, new_sites[p], new_colour[p], new_errors[p], i
                )
        if p >= elite:
            while mutations > 0 or rng.random() < rates.extra_mutation:
                mutations -= 1
                number = vary(rng, new_sites[p], new_colour[p], new_errors[p], number, fixed, rates)
            marks[p] = evaluate_sites(
                new_sites[p], new_colour[p], new_errors[p], number, rates.fitted > 0, fixed, room
            )
        else:
            marks[p] = 0.0
            for i in range(number):
                marks[p] += new_errors[p, i]
        new_numbers[p] = number
