"""The checks that primitives of each family, and plugins of each other kind, have to pass."""

from __future__ import annotations

from artgen.errors import did_you_mean
from artgen.primitives import Codec, Field, Ink, Mesh, Partition, Primitive, Shape, Splat
from artgen.testing import (
    _codec,
    _engine,
    _every,
    _exporter,
    _field,
    _ink,
    _look,
    _loss,
    _mesh,
    _names,
    _observer,
    _partition,
    _pointwise,
    _shape,
    _shape_search,
    _splat,
    _target,
)
from artgen.testing._candidate import Offer
from artgen.testing._run_checks import Check, Failed


def deviations(candidate: Offer) -> None:
    """Every known deviation names a check and gives a reason.

    Correct `known_deviations`: it maps the name of a check to a sentence that gives the reason.
    """
    known = [check.__name__ for check in checks_for(candidate)]
    for name, reason in candidate.known_deviations.items():
        if name not in known or name == deviations.__name__:
            raise Failed(f"unknown check {name!r} in known_deviations: {did_you_mean(name, known)}")
        if not (isinstance(reason, str) and reason.strip()):
            raise Failed(f"known_deviations gives no reason for {name!r}")


FIRST: tuple[Check, ...] = (
    deviations,
    _names.names,
    _every.schema,
    _every.documentation,
    _every.drawing,
)
THEN: tuple[Check, ...] = (
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
FIELD: tuple[Check, ...] = (_field.positions, _field.samples, _field.graph, _field.cost)
SHAPE: tuple[Check, ...] = (
    _shape.random,
    _shape.mutation,
    _shape.compiled,
    _shape.outline,
    _shape.bounds,
    _shape.coverage,
    _shape.svg,
    _shape.resolution,
    _shape_search.scoring,
    _shape_search.cost,
)
INK: tuple[Check, ...] = (_every.options, _every.seed, _every.randomness, _every.round_trip)
PARTITION: tuple[Check, ...] = (_partition.cells,)

CHECKS: dict[type[Primitive], tuple[Check, ...]] = {
    Primitive: (*FIRST, *THEN, _every.init, _pointwise.bounds),
    Splat: (*FIRST, _pointwise.purity, *THEN, *POINTWISE, *SPLAT),
    Field: (*FIRST, _pointwise.purity, *THEN, *POINTWISE, *FIELD),
    Shape: (*FIRST, _shape.purity, *THEN, *SHAPE),
    Ink: (*FIRST, *INK, _every.init, _ink.marks),
    Partition: (*FIRST, *THEN, *PARTITION),
    Mesh: (*FIRST, *THEN, _every.init, _pointwise.bounds, _mesh.triangles),
    Codec: (*FIRST, *THEN, _codec.pictures),
}


OTHERS: dict[str, tuple[Check, ...]] = {
    "engine": (_names.names, *_engine.ENGINE),
    "exporter": _exporter.EXPORTER,
    "look": _look.LOOK,
    "loss": _loss.LOSS,
    "observer": _observer.OBSERVER,
    "target": _target.TARGET,
}


def checks_for(offer: Offer) -> tuple[Check, ...]:
    """Return the checks of what a plugin offers, basic ones first."""
    if offer.entry.kind == "primitive":
        return checks_of(offer.loaded)
    return (deviations, *OTHERS[offer.entry.kind])


def checks_of(primitive: type[Primitive]) -> tuple[Check, ...]:
    """Return the checks of a primitive's family, basic ones first."""
    return next(CHECKS[base] for base in primitive.__mro__ if base in CHECKS)


def add_checks(family: type[Primitive], *checks: Check) -> None:
    """Add checks for all primitives derived from `family`, after those that they have."""
    CHECKS[family] = (*checks_of(family), *checks)
