"""From what was asked for to what will run, in four passes, each of them once.

`names` finds what a recipe names, `options` what it asks of that, `target` makes the primitive for
a target, and `complete` fills in the rest: a recipe becomes a `Plan`.
"""

from __future__ import annotations

from collections.abc import Callable

from artgen.plan.complete import Plan, complete
from artgen.plan.names import Named, check_families, find_names, find_primitive
from artgen.plan.options import choose_options, migrated
from artgen.plan.target import DEFAULT_COUNT, aim
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.values.canvas import Canvas
from artgen.values.subject import Subject

__all__ = [
    "DEFAULT_COUNT",
    "Named",
    "Plan",
    "check_families",
    "find_names",
    "find_primitive",
    "make_plan",
    "migrated",
    "resolve",
]


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
    plan = complete(aim(chosen, canvas, subject, 0))
    if header is not None and named.recipe.primitive.target_bytes is not None:
        plan = complete(aim(chosen, canvas, subject, header(plan)))
    return plan


def resolve(
    recipe: Recipe, registry: Registry, canvas: Canvas, subject: Subject | None = None
) -> Plan:
    """All passes: the plan of a recipe, as by `find_names` and `make_plan`."""
    return make_plan(find_names(recipe, registry), canvas, subject)
