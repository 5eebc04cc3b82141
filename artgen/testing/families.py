"""The checks that primitives of each family, and plugins of each other kind, have to pass."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from artgen.base.errors import PluginError, did_you_mean
from artgen.base.generic import import_answers
from artgen.primitives import Primitive
from artgen.registry import Registry, default
from artgen.testing import every, names, pointwise
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Check, Failed


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
    names.names,
    every.schema,
    every.documentation,
    every.drawing,
)
THEN: tuple[Check, ...] = (
    every.options,
    every.seed,
    every.randomness,
    every.round_trip,
    every.learning,
)
POINTWISE: tuple[Check, ...] = (
    every.init,
    pointwise.finite,
    pointwise.gradients,
    pointwise.bounds,
    pointwise.resolution,
    pointwise.device,
)
CHECKS: dict[type[Primitive], tuple[Check, ...]] = {
    Primitive: (*FIRST, *THEN, every.init, pointwise.bounds),
}
"""The checks of each family, whose module `checks` adds them."""


def checks_for(offer: Offer) -> tuple[Check, ...]:
    """Return the checks of what a plugin offers, basic ones first.

    Those of other kinds than primitives are the `CHECKS` of the module here that is named so.
    """
    kind = offer.entry.kind
    if kind == "primitive":
        return checks_of(offer.loaded, offer.registry)
    if kind == "command":  # it is for the user to try
        return (deviations,)
    module = import_module(f"artgen.testing.{'run_kind' if kind == 'run' else kind}")
    return (deviations, *module.CHECKS)


def checks_of(primitive: type[Primitive], registry: Registry | None = None) -> tuple[Check, ...]:
    """Return the checks of a primitive's family, basic ones first, then those of its engines.

    What `registry` lacks is looked up among all that is installed: that of one plugin alone lacks
    the engines that artgen ships.
    """
    known = [each.entries("engine") for each in (default(), registry) if each]
    engines = {entry.name: entry for entries in known for entry in entries}
    checks = [*_checks_of_family(primitive)]
    for name in primitive.engines:
        with suppress(KeyError, PluginError):  # what uses the engine says that it is not there
            checks += engines[name].load().primitive_checks()
    return tuple(checks)


def _checks_of_family(primitive: type[Primitive]) -> tuple[Check, ...]:
    import_answers(primitive, "checks")
    return next(CHECKS[base] for base in primitive.__mro__ if base in CHECKS)


def add_checks(family: type[Primitive], *checks: Check) -> None:
    """Add checks for all primitives derived from `family`, after those that they have."""
    CHECKS[family] = (*_checks_of_family(family), *checks)
