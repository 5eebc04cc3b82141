"""Evaluation, mutation and crossover of partitions; compiled after `raster.partition_kernels`.

An individual `one` is (sites float64 [N, genes], colour float64 [N, 3], errors float64 [N], the
squared error in each site's cell), of which the first `number` sites count. The errors follow from
the rest; so do colours where they are fitted. `population` holds the arrays of P individuals, with
P as their first axis, and how many sites each of them has, int64 [P].

`fixed` is the sums of the target along its rows and their grid: left of each place of a row,
those of w·t (3), w and w·|t|², float32 [rows, width + 2, 5], with t the target and w the weight. So
the mean colour of a cell, and its error, take two places of every row, whatever its area.
"""

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from artgen.compiler.jit import compiled, grid_type, inline, owning
from artgen.engines.genetic.choice_kernels import (
    GUESSES,
    inside,
    make_region,
    shaken,
    step_length,
)

if TYPE_CHECKING:
    from artgen.families.partition.kernels import begin_cuts, cut_row, make_cuts
    from artgen.raster.bound import mutate, random

population_type = nb.types.Tuple(
    (*[nb.float64[:, :, ::1]] * 2, nb.float64[:, ::1], nb.int64[::1]),
)
fixed_type = nb.types.Tuple((nb.float32[:, :, ::1], grid_type))


@owning
def individual(population, p):
    """The arrays of individual number `p`."""
    sites, colours, errors, _ = population
    return sites[p], colours[p], errors[p]


@owning
def make_room(genes, fixed, rates):
    """What cutting rows takes, and five sums for every site."""
    most = int(rates.most)
    return make_cuts(most), np.empty((most, 5))


@inline
def share_outside(totals):
    """The share of a cell that is transparent, where the target is -1, from its five sums.

    The rest is taken to have one colour: then its mean m and mean square e give the share
    (e - |m|²) / (e + 2·Σm + 3). That colour is (m + share) / (1 - share).
    """
    n = totals[3]
    squares, sums = 0.0, 0.0
    for c in range(3):
        squares += (totals[c] / n) ** 2
        sums += totals[c] / n
    below = totals[4] / n + 2 * sums + 3
    return 1.0 if below < 1e-6 else min(max((totals[4] / n - squares) / below, 0.0), 1.0)


@compiled
def evaluate_one(one, number, fixed, rates, room):
    """Find the errors of all cells, and their colours where these are to be fitted; the sum."""
    sites, colour, errors = one
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
        outside = share_outside(totals[i]) if rates.clear > 0 and n > 0 else 0.0
        for c in range(3):
            if rates.fitted > 0 and n > 0:
                if outside > 0.5:
                    value = -1.0
                else:
                    value = (totals[i, c] / n + outside) / (1 - outside)
                    value = min(max(value, 0.0), 1.0)
                colour[i, c] = np.float32(value)
            error += colour[i, c] * (n * colour[i, c] - 2 * totals[i, c])
        errors[i] = max(error, 0.0)
        total += errors[i]
    return total


@compiled
def create(rng, one, number, i, fixed, rates):
    """Make up site number `i`: near one with a large error, or anywhere where there is none."""
    sites, colour, errors = one
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
def copy(one, i, other, j):
    """Copy site number `i` of one individual to number `j` of another."""
    for g in range(one[0].shape[1]):
        other[0][j, g] = one[0][i, g]
    for c in range(3):
        other[1][j, c] = one[1][i, c]
    other[2][j] = one[2][i]


@compiled
def vary(rng, one, number, fixed, rates, room):
    """Change an individual by one mutation; how many sites it has."""
    sites, colour, errors = one
    dice = rng.random()
    if number == 0 or dice < rates.resize:
        if number == 0 or (rng.random() < rates.grow and number < rates.most):
            create(rng, one, number, number, fixed, rates)
            errors[number] = 0.0
            return number + 1
        i = int(rng.random() * number)
        copy(one, number - 1, one, i)
        return number - 1
    dice -= rates.resize
    i = int(rng.random() * number)
    if dice < rates.replace:
        create(rng, one, number, i, fixed, rates)
    elif rates.shaken > 0 and dice < rates.replace + rates.recolour:
        c = int(3 * rng.random())
        colour[i, c] = shaken(rng, colour[i, c], 0.0, 1.0)
    else:
        mutate(sites[i], rng, step_length(rng, rates))
        clamp_site(sites[i], fixed)
    return number


@compiled
def cross(rng, one, number, other, others, child, fixed, rates, room):
    """Make a child of the one's sites in a region and the other's elsewhere; how many it has."""
    sites, _, errors = one
    their_sites, _, their_errors = other
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
        for i in range(others):
            if inside(trial, their_sites[i, 0], their_sites[i, 1]):
                inner_theirs += their_errors[i]
            else:
                outer_theirs += their_errors[i]
        if inner + outer_theirs < best:
            best, region, keep = inner + outer_theirs, trial, True
        if inner_theirs + outer < best:
            best, region, keep = inner_theirs + outer, trial, False
    left_over = 0
    for i in range(number):
        left_over += inside(region, sites[i, 0], sites[i, 1]) == keep
    for i in range(others):
        left_over += inside(region, their_sites[i, 0], their_sites[i, 1]) != keep
    # Any of them is left out where there are too many.
    most = int(rates.most)
    taken = np.int64(0)
    for i in range(number + others):
        mine = i < number
        k = i if mine else i - number
        parent = one if mine else other
        if (inside(region, parent[0][k, 0], parent[0][k, 1]) == keep) != mine:
            continue
        if rng.random() * left_over < most - taken:
            copy(parent, k, child, taken)
            taken += 1
        left_over -= 1
    return taken


@inline
def begin(one, child, fixed, room):
    """Nothing: a child is evaluated in full."""


@inline
def known_error(one, number):
    """The sum of the errors, which are up to date."""
    total = 0.0
    for i in range(number):
        total += one[2][i]
    return total


@inline
def make_up(rng, one, count, fixed, rates, room):
    """Fill an individual with `count` sites, anywhere."""
    for i in range(count):
        create(rng, one, np.int64(0), i, fixed, rates)
    return count


@inline
def begin_anew(one, number, fixed, room):
    """Nothing: evaluation is in full."""
