"""The genetic algorithm for pictures as it is usually written, for every kind of part."""

from __future__ import annotations

from artgen.primitives.primitive import Preset

CLASSICAL = Preset(
    count=96,
    background="white",
    engines=("genetic",),
    stage={
        "population": 10,
        "elite": 5,
        "islands": 1,
        "crossover": 0.0,
        "extra_mutation": 0.0,
        "resize": 0.15,
        "grow": 0.8,
        "swap": 0.1,
        "replace": 0.0,
        "recolour": 0.4,
        "colours": "random",
        "alpha": 0.0,
        "begin": 0.0,
        "blur": 0.5,
    },
)
"""After github.com/damdoy/genetic_image_approximation: ten individuals, of which five stay and have
one mutated child each; up to 96 parts, from none; colours and opacities mutate as well."""
