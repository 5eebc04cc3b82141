"""Random choices: parents, regions that children take from one of them, sizes of changes."""

import math

import numpy as np

from artgen.compiler.jit import inline

SMALLEST = 0.1
"""The share of the rectangle's sides that the smallest boxes have."""

LINES = 0.3
"""The share of regions that are sides of lines."""


GUESSES = 4
"""Among this many regions, children get the most promising one."""

SHAKE = 0.04
"""The standard deviation of random changes of colour and alpha."""


@inline
def pick(rng, errors, tournament_size):
    """The number of the best among some random individuals: a tournament."""
    best = int(rng.random() * len(errors))
    for _ in range(tournament_size - 1):
        rival = int(rng.random() * len(errors))
        if errors[rival] < errors[best]:
            best = rival
    return best


@inline
def make_region(rng, x, y, width, height):
    """A box around a point, of any size up to a rectangle's, or one side of a line through it."""
    angle = 2 * math.pi * rng.random()
    share = SMALLEST ** rng.random()
    across, down = share * width / 2, share * height / 2
    if rng.random() < LINES:
        across = -1.0
    return x, y, math.cos(angle), math.sin(angle), across, down


@inline
def inside(region, x, y):
    """Whether a point lies in a region."""
    x0, y0, p, q, across, down = region
    if across < 0:
        return p * (x - x0) + q * (y - y0) > 0
    return abs(x - x0) < across and abs(y - y0) < down


@inline
def shaken(rng, value, low, high):
    """A colour or an alpha, changed a little, from `low` to `high`."""
    return np.float32(min(max(value + SHAKE * rng.standard_normal(), low), high))


@inline
def step_length(rng, rates):
    """How far a mutation moves: steps of all sizes."""
    return rates.step * (rates.least / rates.step) ** rng.random()
