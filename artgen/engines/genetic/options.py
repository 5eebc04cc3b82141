"""Options of the engine `genetic`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from artgen.base.options import option


@dataclass(frozen=True)
class GeneticOptions:
    """Options of every fit by `genetic`."""

    population: int = option(24, "individuals on each island", low=2, high=10_000)
    islands: int = option(2, "number of separate populations", low=1, high=1000)
    migrate: int = option(
        10,
        "generations between migrations of each island's best to the next",
        low=1,
        high=1_000_000,
    )
    elite: int = option(8, "number of best individuals kept unchanged", low=1, high=10_000)
    tournament_size: int = option(4, "individuals that compete to be a parent", low=1, high=100)
    crossover: float = option(0.5, "share of children with two parents", low=0, high=1)
    splice: float = option(
        0.1, "share of crossovers by a range of the stack, not by region", low=0, high=1
    )
    extra_mutation: float = option(0.5, "probability of each further mutation", low=0, high=0.95)
    resize: float = option(0.06, "share of mutations that add a part or remove one", low=0, high=1)
    grow: float = option(0.5, "share of these that add one", low=0, high=1)
    swap: float = option(0.06, "share of mutations that change the order", low=0, high=1)
    replace: float = option(0.15, "share of mutations that replace a part", low=0, high=1)
    recolour: float = option(0.08, "share of mutations that change a colour only", low=0, high=1)
    step: float = option(
        0.5, "size of the largest mutations, in mean spacings of the parts", low=0.001
    )
    colours: Literal["best", "random"] = option(
        "best", "best: solved for each changed part; random: mutated as well"
    )
    alpha: float = option(0.75, "opacity of every shape; 0 gives each its own", low=0, high=1)
    begin: float = option(1.0, "share of the count in the first generation", low=0, high=1)
    blur: float = option(0.0, "width of a blur of the target, in pixels", low=0, high=1000)
    memetic: int = option(
        0,
        "shapes of the best individual refined per generation, by climb",
        low=0,
        high=1_000_000,
    )
