"""The third pass: the primitive for a target, and how many parts there are."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal

from artgen.art.precision import bytes_of_shapes
from artgen.base.errors import PluginError, UsageError
from artgen.plan.options import Chosen
from artgen.recipe import MOST_PARTS, Precision, PrimitiveTable, Recipe
from artgen.registry import Registry
from artgen.values.canvas import Canvas
from artgen.values.subject import Subject, kind_of

if TYPE_CHECKING:
    from artgen.primitives import Primitive

DEFAULT_COUNT = 500
PIXELS_PER_PART = 16
"""How many pixels there are at least for each part where the engine finds the count."""


def aim(
    chosen: Chosen, canvas: Canvas, subject: Subject | None, header: int
) -> tuple[Primitive, int | None, int | None]:
    """Make the primitive for a picture of the size of `canvas`, or for `subject`.

    With it comes its count, and the bytes that parameters may take where their number alone does
    not say it. `header` is how many of its `target_bytes` a file needs beside its parameters.
    Raises UsageError for what does not fit the kind of target.
    """
    recipe, cls = chosen.recipe, chosen.named.primitive
    table, precision = recipe.primitive, recipe.run.precision
    if kind_of(subject) not in cls.targets:
        raise _unfit(chosen.named.registry, table.name, cls.targets, kind_of(subject))
    if subject is not None:
        _check_for_pictures(recipe, subject)
    make = partial(chosen.make, canvas, subject)
    most = recipe.run.parameter_bytes
    if cls.psnr_option is not None and (psnr := recipe.stage[-1].target_psnr) is not None:
        make = partial(make, **{cls.psnr_option: psnr})
    if table.target_bytes is None and table.parameter_bytes is None:
        primitive = make()
        count = _count(primitive, table.count, canvas)
    else:
        primitive, count, most = _within_bytes(make, table, precision, header)
    if recipe.output.transparent:
        primitive.check_transparent(table.name)
    primitive.check_precision(precision, table.name)
    return primitive, count, most


def _unfit(registry: Registry, name: str, targets: Sequence[str], kind: str) -> UsageError:
    """The error for a primitive of some kinds of `targets` that cannot be fitted to this one."""
    fitting = []
    for entry in registry.entries("primitive"):
        with suppress(PluginError):
            if kind in entry.load().targets:
                fitting.append(registry.spelling(entry))
    hint = f"use -p {' or '.join(fitting)}" if fitting else "no installed primitive supports it"
    if kind == "image" and "set" in targets:
        hint = "give it a set: a folder of pictures, or sample:digits"
    return UsageError(f"{name} cannot be fitted to a target of kind {kind}", hint=hint)


def _check_for_pictures(recipe: Recipe, subject: Subject) -> None:
    """Raise UsageError for what a recipe may only ask for with a picture."""
    asked = {
        "target_psnr": any(stage.target_psnr is not None for stage in recipe.stage),
        "transparent": recipe.output.transparent,
    }
    for key in (key for key, given in asked.items() if given):
        raise UsageError(
            f"{key} is for pictures only, not for a target of kind {subject.kind}",
            hint=f"leave {key} out",
        )


def _count(primitive: Primitive, asked: int | Literal["auto"] | None, canvas: Canvas) -> int | None:
    """The number of parts: asked for, else the preset's, else the primitive's default.

    For ``auto`` it is the limit of what the engine may find. Raises UsageError where they are too
    few.
    """
    if not primitive.has_count:
        return None
    if asked == "auto":
        return max(primitive.least_count, canvas.width * canvas.height // PIXELS_PER_PART)
    count = asked or primitive.preset.count or primitive.defaults.count or DEFAULT_COUNT
    if count < primitive.least_count:
        raise UsageError(
            f"{type(primitive).__name__} needs a count of at least {primitive.least_count}, "
            f"got {count}",
            hint=f"use -n {primitive.least_count} or more",
        )
    return count


def _within_bytes(
    make: Callable[..., Primitive], table: PrimitiveTable, precision: Precision, header: int
) -> tuple[Primitive, int | None, int | None]:
    """The primitive, the largest count that fits the table's limit, and bytes to keep to later.

    A file of ``target_bytes`` holds a `header` beside the parameters; ``parameter_bytes`` count
    the parameters alone. The bytes of precision ``auto`` are known after the fit: there is a part
    for as many bytes as it has numbers, and they are rounded until they fit. What packs its own
    parameters says which options suit the bytes.

    What has no count is made as large by its `size_option`; where it has none, or the user set it,
    it has to fit as it is. Raises UsageError where nothing does.
    """
    primitive = make()
    option = primitive.size_option
    given = table.sizes
    key, limit = given.popitem()
    header = header if key == "target_bytes" else 0
    a_file = "a file of " if header else ""
    packed = primitive.options_within(limit - header)
    given |= {k: v for k, v in table.options.items() if packed and packed.get(k, v) != v}
    for name, value in given.items():
        raise UsageError(
            f"{name} = {value} and {key} = {limit} were both given", hint="leave one of them out"
        )
    if packed is not None:
        return make(**packed), None, limit - header
    most = limit - header if precision == "auto" else None

    def size(primitive: Primitive, count: int = 1) -> int:
        shapes = primitive.tensor_shapes(count).values()
        if precision == "auto":
            return header + sum(map(math.prod, shapes))
        return header + bytes_of_shapes(shapes, precision)

    small = primitive.precisions[-1]

    def largest(what: str, size: Callable[[int], int], low: int, high: int) -> int:
        if (needed := size(low)) > limit:
            raise UsageError(
                f"{what} takes {needed} bytes at {precision}, more than {limit}",
                hint="allow more bytes" + f", or use --precision {small}" * (precision != small),
            )
        return _largest(size, limit, low, high)

    if primitive.has_count:
        least = primitive.least_count
        what = f"{a_file}{'one part' if least == 1 else f'{least} parts'} of {table.name}"
        return primitive, largest(what, lambda n: size(primitive, n), least, MOST_PARTS), most
    if option is None or option in table.options:
        if (needed := size(primitive)) > limit:
            raise UsageError(
                f"{a_file}{table.name} takes {needed} bytes at {precision}, more than {limit}",
                hint=f"make it smaller by its options: artgen plugins show {table.name}",
            )
        return primitive, None, most
    [metadata] = [f.metadata for f in dataclasses.fields(primitive.Options) if f.name == option]
    low, high = metadata.get("low") or 1, metadata.get("high") or MOST_PARTS
    what = f"{a_file}the smallest {table.name}"
    value = largest(what, lambda n: size(make(**{str(option): n})), int(low), int(high))
    return make(**{option: value}), None, most


def _largest(size: Callable[[int], int], limit: int, low: int, high: int) -> int:
    """The largest n from `low` to `high` with size(n) ≤ `limit`, for a size that grows with n.

    size(low) is known to fit.
    """
    # Doubled first, so that nothing far larger than needed is ever made.
    best, beyond = low, min(2 * low, high)
    while best < beyond and size(beyond) <= limit:
        best, beyond = beyond, min(2 * beyond, high)
    return best + bisect_right(range(best + 1, beyond), limit, key=size)
