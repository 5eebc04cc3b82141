"""Which checks a primitive of each family has to pass. A new family is a line here and a file."""

from __future__ import annotations

from artgen.errors import did_you_mean
from artgen.primitives import Primitive
from artgen.testing import _codec, _every, _field, _partition, _pointwise, _shape, _splat
from artgen.testing._judging import Check, Failed
from artgen.testing._subject import Subject

__all__ = ["checks_of"]


def deviations(subject: Subject) -> None:
    """Every known deviation names a check and gives a reason.

    Correct `known_deviations`: it maps the name of a check to a sentence that says why.
    """
    known = [check.__name__ for check in checks_of(subject.cls)]
    for name, reason in subject.cls.known_deviations.items():
        if name not in known or name == deviations.__name__:
            raise Failed(f"{name!r} is no check to deviate from: {did_you_mean(name, known)}")
        if not (isinstance(reason, str) and reason.strip()):
            raise Failed(f"the deviation from {name!r} has no reason")


EVERY: tuple[Check, ...] = (
    deviations,
    _every.schema,
    _every.documentation,
    _every.drawing,
    _every.options,
    _every.seed,
    _every.randomness,
    _every.round_trip,
    _every.learning,
)
POINTWISE: tuple[Check, ...] = (
    _every.init,
    _pointwise.finite,
    _pointwise.gradients,
    _pointwise.bounds,
    _pointwise.purity,
    _pointwise.resolution,
    _pointwise.device,
)
SPLAT: tuple[Check, ...] = (
    _splat.broadcasting,
    _splat.radius,
    _splat.blend,
    _splat.compiled,
    _splat.cost,
)
FIELD: tuple[Check, ...] = (_field.positions, _field.graph, _field.cost)
SHAPE: tuple[Check, ...] = (
    _shape.random,
    _shape.mutation,
    _shape.purity,
    _shape.compiled,
    _shape.outline,
    _shape.bounds,
    _shape.coverage,
    _shape.svg,
    _shape.resolution,
    _shape.scoring,
    _shape.cost,
)
PARTITION: tuple[Check, ...] = (_partition.cells,)

FAMILIES: dict[str, tuple[Check, ...]] = {
    "splat": (*EVERY, *POINTWISE, *SPLAT),
    "field": (*EVERY, *POINTWISE, *FIELD),
    "shape": (*EVERY, *SHAPE),
    "partition": (*EVERY, *PARTITION),
    "codec": (*EVERY, _codec.pictures),
}


def checks_of(primitive: type[Primitive]) -> tuple[Check, ...]:
    """The checks for its family, in the order in which they are best read."""
    return FAMILIES.get(primitive.family, EVERY)
