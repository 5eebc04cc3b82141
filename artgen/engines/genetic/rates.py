"""Settings of a genetic algorithm as its kernels take them."""

from typing import Any, NamedTuple

import numba as nb


class Rates(NamedTuple):
    """Probabilities, sizes in canvas units, and switches that are on above 0; all are floats.

    The first eight are options of the engine.
    """

    crossover: float
    splice: float
    extra_mutation: float
    resize: float
    grow: float
    swap: float
    replace: float
    recolour: float
    tournament_size: float
    """Individuals in a tournament."""
    elite: float
    """Individuals that stay."""
    small: float
    """The reach of new parts: from here."""
    large: float
    """To here."""
    step: float
    """The longest mean move of a mutation."""
    least: float
    """The shortest one."""
    low: float
    """The alpha of shapes: from here."""
    high: float
    """To here."""
    most: float
    """The most parts of an individual."""
    fitted: float
    """Whether colours are fitted in closed form."""
    clear: float
    """Whether the target is fitted with its alpha, and cells may be clear."""
    shaken: float
    """Whether mutations change colours at random."""


rates_type: Any = nb.types.NamedUniTuple(nb.float64, len(Rates._fields), Rates)
