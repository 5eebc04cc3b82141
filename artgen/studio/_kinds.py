"""What the studio can fit: primitives with their options, each choice with its shaders and values.

A *variant* is a primitive with one value for each of its options. JavaScript picks variants; all
that Python knows of one is computed here.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from artgen.canvas import Canvas
from artgen.compiler.glsl_printer import emit_glsl, read_glsl
from artgen.compiler.record import Untraceable
from artgen.compiler.step_program import LOSSES, NoStep, emit_step
from artgen.errors import UsageError
from artgen.primitives import Primitive, Splat
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import resolve
from artgen.studio._starts import describe_params

MOST_VARIANTS = 24
"""Variants of a primitive: options beyond keep their default."""

HIDDEN_OPTIONS = ("visibility", "visibility_size")
"""Options of every splat that only plain torch draws."""

_CANVAS = Canvas(256, 256)


def default_splats(registry: Registry, files: Iterable[Path] = ()) -> list[str]:
    """The names of the splats that artgen ships, if they have shaders, and of those in `files`.

    `gaussian` is the first, the one that a page begins with. Raises PluginError.
    """
    entries = [
        entry for entry in registry.entries("primitive") if entry.identity.get("name") == "artgen"
    ]
    entries = [entry for entry in entries if _has_shaders(entry.load())]
    entries.sort(key=lambda entry: entry.name != "gaussian")
    for file in files:
        offered = (entry for entry in registry.offered_by(file) if entry.kind == "primitive")
        entries += (entry for entry in offered if _is_splat(entry.load()))
    return [registry.spelling(entry) for entry in entries]


def _has_shaders(cls: Any) -> bool:
    try:
        return _is_splat(cls) and bool(emit_step(cls()))
    except (NoStep, Untraceable):
        return False


def _is_splat(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Splat)


def describe_kind(name: str, registry: Registry) -> dict[str, Any]:
    """Describe the primitive `name`. Raises UsageError where it has no shaders, PluginError."""
    entry = registry.find("primitive", name)
    cls = entry.load()
    if not _is_splat(cls):
        raise UsageError(
            f"the studio fits splats, and {name} is another kind of primitive",
            hint="use -p gaussian, fourier or stroke, or a plugin's splat",
        )
    options = list(_choices(cls))
    variants: dict[str, Any] = {}
    reason = ""
    chosen = [(None, values) for values in _products(options)]
    for preset in cls.presets:
        wanted = {**_defaults(options), **cls.presets[preset].options}
        chosen.append((preset, {key: wanted[key] for key in _defaults(options)}))
    for preset, values in chosen:
        try:
            variants[variant_key(preset, values)] = _variant(name, preset, values, registry)
        except (NoStep, Untraceable) as error:
            reason = reason or str(error)
    if not variants:
        raise UsageError(f"{name} has no shaders for fitting: {reason}", hint="use artgen fit")
    presets = [
        {
            "name": preset,
            "count": cls.presets[preset].count or cls.defaults.count or 256,
            "values": next(values for each, values in chosen if each == preset),
        }
        for preset in cls.presets
        if any(key.startswith(f"{preset}|") for key in variants)
    ]
    return {
        "name": registry.spelling(entry),
        "summary": entry.summary,
        "count": cls.defaults.count or 256,
        "options": [option for option in options if len(option["choices"]) > 1],
        "defaults": _defaults(options),
        "presets": presets,
        "variants": variants,
    }


def variant_key(preset: str | None, values: Mapping[str, Any]) -> str:
    """The key of a variant, which the script makes in the same way."""
    return "|".join([preset or "", *(_spelled(value) for value in values.values())])


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _defaults(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {option["name"]: option["value"] for option in options}


def _choices(cls: type[Primitive]) -> Iterator[dict[str, Any]]:
    """The options of a primitive, each with the values that the studio offers."""
    hints = typing.get_type_hints(cls.Options)
    for field in dataclasses.fields(cls.Options):
        hint: Any = hints[field.name]
        value: Any = field.default
        if field.name in HIDDEN_OPTIONS:
            continue
        if hint is bool:
            choices: list[Any] = [False, True]
        elif typing.get_origin(hint) is typing.Literal:
            choices = list(typing.get_args(hint))
        elif hint in (int, float) and value:
            low, high = (field.metadata.get(end) for end in ("low", "high"))
            least = -math.inf if low is None else low
            most = math.inf if high is None else high
            around = [hint(value / 2), value, hint(value * 2)]
            choices = sorted({min(max(each, least), most) for each in around})
        else:
            choices = [value]
        yield {
            "name": field.name,
            "help": field.metadata.get("help", ""),
            "value": value,
            "choices": choices,
        }


def _products(options: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of words and switches, then each other number beside the defaults."""
    words = [isinstance(option["value"], str | bool) for option in options]
    total = 1
    taken = []
    for option, word in zip(options, words, strict=True):
        fits = word and total * len(option["choices"]) <= MOST_VARIANTS
        total *= len(option["choices"]) if fits else 1
        taken.append(option["choices"] if fits else [option["value"]])
    names = [option["name"] for option in options]
    for values in itertools.product(*taken):
        yield dict(zip(names, values, strict=True))
    for option in options:
        for value in option["choices"]:
            if not isinstance(value, str | bool) and value != option["value"]:
                yield {**_defaults(options), option["name"]: value}


def _variant(
    name: str, preset: str | None, values: Mapping[str, Any], registry: Registry
) -> dict[str, Any]:
    """All that a fit takes. Raises NoStep, Untraceable."""
    table = {"name": name, **values, **({"preset": preset} if preset else {})}
    recipe = Recipe.from_dict(
        {
            "seed": 0,
            "primitive": table,
            "stage": [{"engine": "gradient", "steps": 1000, "loss": "mse"}],
            "run": {
                "device": "webgpu",
                "backend": "compiled",
                "arithmetic": "fp32",
                "random": "philox",
            },
            "output": {"video": False},
        }
    )
    plan = resolve(recipe, registry, _CANVAS)
    primitive = plan.primitive
    assert isinstance(primitive, Splat)
    stage = plan.recipe.stage[0]
    optimizer = stage.options["optimizer"]
    programs = {loss: asdict(emit_step(primitive, [(1.0, loss)], optimizer)) for loss in LOSSES}
    shaders = emit_glsl(primitive)
    return {
        "params": describe_params(primitive),
        "blend": primitive.blend,
        "grows": primitive.can_densify,
        "programs": programs,
        "shaders": {
            "vertex": shaders.vertex,
            "fragment": shaders.fragment,
            "whole": read_glsl("picture.vert"),
            "picture": shaders.picture,
        },
        "columns": [[component, list(index)] for component, index in shaders.columns],
        "options": primitive.option_values(),
        "plugin": plan.identity,
        "recipe": plan.recipe.to_dict(),
    }
