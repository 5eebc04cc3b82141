"""The passes, one after the other: a recipe becomes a `Plan`."""

from __future__ import annotations

from collections.abc import Callable

from artgen.plan.complete import Plan, complete
from artgen.plan.names import Named, find_names
from artgen.plan.options import choose_options
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.values.canvas import Canvas
from artgen.values.subject import Subject


def make_plan(
    named: Named,
    canvas: Canvas,
    subject: Subject | None = None,
    *,
    header: Callable[[Plan], int] | None = None,
) -> Plan:
    """Check options and fill in every default, for a picture of the size of `canvas`.

    A `subject` takes the place of the picture; `header` is how many of its `target_bytes` the file
    of a plan needs beside its parameters. Raises PluginError for broken plugins, UsageError for
    options and for what does not fit the kind of target.
    """
    chosen = choose_options(named)
    plan = complete(chosen, canvas, subject, 0)
    if header is not None and named.recipe.primitive.target_bytes is not None:
        plan = complete(chosen, canvas, subject, header(plan))
    return plan


def resolve(
    recipe: Recipe, registry: Registry, canvas: Canvas, subject: Subject | None = None
) -> Plan:
    """All passes: the plan of a recipe, as by `find_names` and `make_plan`."""
    return make_plan(find_names(recipe, registry), canvas, subject)
