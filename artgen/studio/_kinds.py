"""What the studio can fit: primitives with their options, each choice with its shaders and values.

A *variant* is a primitive with one value for each of its options. JavaScript picks variants; all
that Python knows of one is computed here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast

from artgen.base.errors import UsageError
from artgen.base.options import OptionInfo, describe_options
from artgen.compiler.footprints import Footprint
from artgen.compiler.glsl_printer import SplatShaders
from artgen.compiler.record import Untraceable
from artgen.compiler.step_printer import emit_step, emit_steps
from artgen.compiler.step_program import NoStep
from artgen.compiler.step_shader import LOSSES
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.registry import Entry, Registry
from artgen.studio._footprints import describe_footprint
from artgen.studio._starts import describe_params
from artgen.values.canvas import Canvas

Facts = Mapping[str, Any]

MOST_VARIANTS = 150
"""Combinations of choices that are tried; choices beyond are offered beside the defaults alone."""

FIXED_OPTIONS = ("visibility", "visibility_size")
"""Options of every splat that only plain torch draws."""

WIDE = 16.0
"""A slider is logarithmic where its upper end is at least this many times the lower one."""

_CANVAS = Canvas(256, 256)
_STAGE = {
    "engine": "gradient",
    "steps": 1000,
    "loss": "mse",
    "every": 0.05,
    "until": 0.5,
    "move": 0.05,
    "relocate": 0.0,
    "importance": "colour",
    "exponent": 1.0,
    "blur": 0.5,
    "interval": 0,
}
"""The stage of every fit; pages know no other but for `move`."""

_RUN = {"device": "webgpu", "backend": "compiled", "arithmetic": "fp32", "random": "philox"}
_FIT = {"seed": 0, "stage": [_STAGE], "run": _RUN, "output": {"video": False}}
"""The recipe of every fit, but for its primitive."""


def default_splats(registry: Registry, files: Iterable[Path] = ()) -> list[str]:
    """The names of the splats that artgen ships, if they have shaders, and of those in `files`.

    `gaussian` is the first, the one that a page begins with. Raises PluginError.
    """
    shipped = (e for e in registry.entries("primitive") if e.identity.get("name") == "artgen")
    entries = sorted(filter(_has_shaders, shipped), key=lambda entry: entry.name != "gaussian")
    for file in files:
        offered = (entry for entry in registry.offered_by(file) if entry.kind == "primitive")
        entries += (entry for entry in offered if entry.load().has_footprint)
    return [registry.spelling(entry) for entry in entries]


def _has_shaders(entry: Entry) -> bool:
    cls = entry.load()
    try:
        return bool(cls.has_footprint and not emit_step(cls()).table)
    except (NoStep, Untraceable):
        return False


def describe_kind(name: str, registry: Registry) -> dict[str, Any]:
    """Describe the primitive `name`. Raises UsageError where it has no shaders, PluginError."""
    entry = registry.find("primitive", name)
    cls = entry.load()
    if not cls.has_footprint:
        raise UsageError(
            f"the studio fits splats, and {name} is another kind of primitive",
            hint="use -p gaussian, fourier or stroke, or a plugin's splat",
        )
    options = [_describe_option(option) for option in describe_options(cls.Options)]
    make = partial(_variant, name, registry)
    options = _find_sliders(make, options)
    sliders = [option for option in options if "low" in option]
    variants: dict[str, Any] = {}
    presets: list[dict[str, Any]] = []
    count = cls.defaults.count or 256
    chosen = [(None, values) for values in _products(options)]
    for preset in cls.presets:
        wanted = {**_defaults(options), **cls.presets[preset].options}
        chosen.append((preset, {key: wanted[key] for key in _defaults(options)}))
    for preset, values in chosen:
        try:
            variant = make(preset, values, sliders)
            if preset or len(values.items() - _defaults(options).items()) <= 1:
                _check_sliders(make, variant, preset, values, sliders)
            variants[variant_key(preset, values, sliders)] = variant
            if preset:
                own = cls.presets[preset].count or count
                presets.append({"name": preset, "count": own, "values": values})
        except (NoStep, Untraceable) as error:
            if preset is None and values == _defaults(options):
                raise UsageError(
                    f"{name} has no shaders for fitting: {error}", hint="use artgen fit"
                ) from None
    return {
        "name": registry.spelling(entry),
        "summary": entry.summary,
        "count": count,
        "options": [option for option in options if len(option["choices"]) != 1],
        "defaults": _defaults(options),
        "presets": presets,
        "variants": variants,
    }


def variant_key(preset: str | None, values: Facts, sliders: Sequence[Facts]) -> str:
    """The key of a variant: preset and choices. The script makes it in the same way."""
    names = values.keys() - {slider["name"] for slider in sliders}
    return "|".join([preset or "", *(_spelled(values[name]) for name in values if name in names)])


def _spelled(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, int | float):
        return str(value)
    # As toExponential() of JavaScript: the fewest digits that are this number.
    return f"{Decimal(repr(float(value))).normalize():e}"


def _defaults(options: Sequence[Facts]) -> dict[str, Any]:
    return {option["name"]: option["value"] for option in options}


def _describe_option(option: OptionInfo) -> dict[str, Any]:
    """An option of a primitive with its `choices`; of a number with the ends of a slider too."""
    hint, value = option.hint, option.default
    described = {"name": option.name, "help": option.help, "value": value}
    if option.name in FIXED_OPTIONS:
        return {**described, "choices": [value]}
    choices = (None, False, True) if hint == bool | None else option.choices
    if choices or hint not in (int, float):
        return {**described, "choices": list(choices or (value,))}
    least, most = sorted([value / 4, 4 * value] if value else [-1, 1])
    low = hint(least if option.low is None else option.low)
    high = hint(most if option.high is None else option.high)
    if low == high:
        return {**described, "choices": [value]}
    near = {min(max(hint(value * factor), low), high) for factor in (0.5, 1, 2)}
    return {
        **described,
        "choices": sorted(near),
        "low": low,
        "high": high,
        "other": next(end for end in (high, low) if end != value),
        "whole": hint is int,
        "logarithmic": low > 0 and high >= WIDE * low,
    }


def _find_sliders(make: _Make, options: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the options with no `choices` left for those that can have any value.

    Such an option only appears as a number in what is recorded of the primitive: with the option as
    an input, primitives with other values of it give the same records. It is `live` if the shaders
    read it; else only starting values and rates do.
    """
    found = []
    for option in options:
        as_choice = {key: option[key] for key in ("name", "help", "value", "choices")}
        found.append(as_choice)
        for live in (False, True) if "low" in option else ():
            slider = {**option, "choices": [], "live": live}
            given = None, _defaults(options), [slider]
            try:
                _check_sliders(make, make(*given), *given)
            except (NoStep, Untraceable):
                continue
            found[-1] = slider
            break
    return found


def _products(options: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of choices; where there are too many, some only beside the defaults."""
    total = 1
    taken, left = [], []
    for option in options:
        choices = option["choices"] or [option["value"]]
        fits = total * len(choices) <= MOST_VARIANTS
        total *= len(choices) if fits else 1
        taken.append(choices if fits else [option["value"]])
        left += [] if fits else [option]
    names = [option["name"] for option in options]
    for values in itertools.product(*taken):
        yield dict(zip(names, values, strict=True))
    for option in left:
        for value in option["choices"]:
            if value != option["value"]:
                yield {**_defaults(options), option["name"]: value}


def _check_sliders(
    make: _Make, variant: Facts, preset: str | None, values: Facts, sliders: Sequence[Facts]
) -> None:
    """Raise NoStep unless other values of the sliders give the same variant, and Untraceable."""
    other = {**values, **{slider["name"]: slider["other"] for slider in sliders}}
    moved = make(preset, other, sliders, ("mse",))
    same = all(variant[key] == moved[key] for key in ("params", "shaders", "columns", "footprint"))
    same = same and variant["programs"]["mse"] == moved["programs"]["mse"]
    if not (same and variant["recipe"]["stage"] == moved["recipe"]["stage"]):
        names = " and ".join(slider["name"] for slider in sliders)
        raise NoStep(f"{names} change more than numbers")


_Make = Callable[..., dict[str, Any]]
"""`_variant` of a primitive and a registry."""


def _variant(
    name: str,
    registry: Registry,
    preset: str | None,
    values: Facts,
    sliders: Sequence[Facts],
    losses: Sequence[str] = tuple(LOSSES),
) -> dict[str, Any]:
    """All that a fit takes. Raises NoStep, Untraceable."""
    inputs = [slider["name"] for slider in sliders]
    live = [slider["name"] for slider in sliders if slider["live"]]
    given = {key: value for key, value in values.items() if value is not None}
    table = {"name": name, **given, **({"preset": preset} if preset else {})}
    plan = resolve(Recipe.from_dict({**_FIT, "primitive": table}), registry, _CANVAS)
    primitive = plan.primitive
    splat = cast(Footprint, primitive)
    stage = plan.recipe.stage[0]
    optimizer = stage.options["optimizer"]
    programs = emit_steps(splat, [[(1.0, loss)] for loss in losses], optimizer, live)
    if programs[0].table:
        raise NoStep("it looks a texture up, and the page has none")
    shaders = SplatShaders(splat, live)
    return {
        "params": describe_params(primitive, inputs, live),
        "blend": splat.blend,
        "grows": primitive.can_densify,
        "programs": dict(zip(losses, map(asdict, programs), strict=True)),
        "shaders": shaders.texts,
        "footprint": describe_footprint(splat, live),
        "columns": [[component, list(index)] for component, index in shaders.columns],
        "options": primitive.option_values(),
        "plugin": plan.identity,
        "recipe": plan.recipe.to_dict(),
    }
