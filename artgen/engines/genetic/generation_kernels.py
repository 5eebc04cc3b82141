"""Generations of any family; compiled after the kernels of its individuals.

Those are `stack_kernels` and a family's `search_kernels`. They define an `individual` of a
population, how it is made up, changed, crossed and evaluated, and the room that this takes. The
last array of a population says how many parts each individual has.
"""

from typing import TYPE_CHECKING

import numba as nb

from artgen.compiler.jit import generator_type, options
from artgen.engines.genetic.choice_kernels import pick
from artgen.engines.genetic.rates import rates_type

if TYPE_CHECKING:
    from artgen.raster.bound import (
        begin,
        begin_anew,
        copy,
        cross,
        evaluate_one,
        fixed_type,
        individual,
        known_error,
        make_room,
        make_up,
        population_type,
        vary,
    )

numbers = nb.float64[::1]


@nb.njit((generator_type, population_type, numbers, fixed_type, rates_type, nb.int64), **options)
def initialise(rng, population, scores, fixed, rates, count):
    """Fill individuals with `count` random parts each; `scores` [P] become their errors."""
    room = make_room(population[1].shape[2], fixed, rates)
    for p in range(len(scores)):
        one = individual(population, p)
        population[-1][p] = make_up(rng, one, count, fixed, rates, room)
        scores[p] = evaluate_one(one, population[-1][p], fixed, rates, room)


@nb.njit((population_type, numbers, fixed_type, rates_type), **options)
def evaluate(population, scores, fixed, rates):
    """Find all errors anew; `scores` [P] are their sums."""
    room = make_room(population[1].shape[2], fixed, rates)
    for p in range(len(scores)):
        one = individual(population, p)
        begin_anew(one, population[-1][p], fixed, room)
        scores[p] = evaluate_one(one, population[-1][p], fixed, rates, room)


@nb.njit(
    (
        *(generator_type, population_type, numbers, nb.int64[::1]),
        *(population_type, numbers, fixed_type, rates_type),
    ),
    **options,
)
def breed(rng, parents, scores, order, children, marks, fixed, rates):
    """The next generation: the elite as it is, and children of those who win a tournament.

    `scores` of the parents are what counts, the least is the best; `order` sorts them. `marks` [P]
    become the squared errors of the children.
    """
    room = make_room(parents[1].shape[2], fixed, rates)
    tournament_size, elite = int(rates.tournament_size), int(rates.elite)
    for p in range(len(scores)):
        a = order[p] if p < elite else pick(rng, scores, tournament_size)
        one, number, child = individual(parents, a), parents[-1][a], individual(children, p)
        begin(one, child, fixed, room)
        taken = -1
        if p >= elite and rng.random() < rates.crossover:
            b = pick(rng, scores, tournament_size)
            other, others = individual(parents, b), parents[-1][b]
            taken = cross(rng, one, number, other, others, child, fixed, rates, room)
        mutations = 0
        if taken >= 0:
            number = taken
        else:
            for i in range(number):
                copy(one, i, child, i)
            mutations = 1
        if p < elite:
            marks[p] = known_error(child, number)
        else:
            while mutations > 0 or rng.random() < rates.extra_mutation:
                mutations -= 1
                number = vary(rng, child, number, fixed, rates, room)
            marks[p] = evaluate_one(child, number, fixed, rates, room)
        children[-1][p] = number
