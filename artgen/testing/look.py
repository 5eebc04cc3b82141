"""Checks of looks: data that makes a recipe, with its own primitive and with others."""

from __future__ import annotations

from artgen.looks import Look, apply_look, read_look
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.testing.candidate import CANVAS, Offer
from artgen.testing.run_checks import Failed, basic
from artgen.values.canvas import Canvas

_OTHERS = ("gaussian", "circle", "mlp")
"""Primitives of three families."""


@basic
def tables(offer: Offer) -> str:
    """Its keys are those of a recipe, without what is fitted and where it comes from.

    Compare the keys with recipes.md, and leave out those in the message.
    """
    data = _look(offer).data
    own = sorted({"seed", "look", "init", "piece", "morph", "edit"} & data.keys())
    own += ["target.source"] if "source" in data.get("target", {}) else []
    if own:
        raise Failed(f"a look has no {' and no '.join(own)}")
    return ", ".join(data)


def names(offer: Offer) -> str:
    """Every name and option in it exists, for pictures of any shape.

    `artgen plugins show NAME` lists the options of a primitive.
    """
    for canvas in (CANVAS, Canvas(CANVAS.height, CANVAS.width)):
        data = apply_look({}, _look(offer), None, offer.registry).data
        plan = resolve(Recipe.from_dict(data), offer.registry, canvas)
    return plan.recipe.primitive.name


def others(offer: Offer) -> str:
    """With another primitive it keeps what that one has, and leaves out the rest.

    Set options in `primitive`, and those of its engine in `stage`.
    """
    left = []
    for name in _OTHERS:
        applied = apply_look({}, _look(offer), name, offer.registry)
        resolve(Recipe.from_dict(applied.data), offer.registry, CANVAS)
        left += [f"{name}: without {', '.join(applied.left_out)}"] if applied.left_out else []
    return "; ".join(left)


CHECKS = (tables, names, others)


def _look(offer: Offer) -> Look:
    return read_look(offer.registry.spelling(offer.entry), offer.registry)
