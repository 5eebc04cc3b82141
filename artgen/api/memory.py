"""A run from Python, in memory, with no files, no printing and no signal handlers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from artgen.api.streams import listening
from artgen.art import Art
from artgen.base.errors import Interrupted, PluginError, UsageError
from artgen.base.options import numbers
from artgen.engines import Engine
from artgen.events import Evaluated, Event
from artgen.plan import find_names
from artgen.primitives import Primitive
from artgen.recipe import Recipe, keywords
from artgen.recipe.layers import lay_stages
from artgen.registry import KINDS, Kind, Registry, default
from artgen.runs import run
from artgen.targets import (
    Target,
    TargetRequest,
    image_from_array,
    parse_colour,
    parse_palette,
    read_palette,
)
from artgen.targets.large import large_from_array
from artgen.tasks import RunControl
from artgen.values.frame import Frame, is_on_paper, parse_frame


def fit_in_memory(
    target: Any,
    primitive: str | type[Primitive],
    crop: str | None = None,
    engine_options: Mapping[str, Any] | None = None,
    polish: bool = False,
    observe: Callable[[Event], bool | None] | None = None,
    **options: Any,
) -> Art:
    """Fit as `artgen.fit` says; `options` are the keys of recipes that are its arguments, and more.

    Raises InputError, PluginError, UsageError, Diverged, OutOfMemory.
    """
    if observe is not None and not callable(observe):
        raise UsageError(
            f"observe is {observe!r}, not a function",
            hint="pass a function that takes an event: observe=print",
        )
    options, engine_options = _plain(options), _plain(engine_options or {})
    given = {key: options.pop(key) for key, _, _ in keywords() if key in options}
    given = {key: value for key, value in given.items() if value is not None}
    loss, size, palette = (given.get(key) for key in ("loss", "size", "palette"))
    primitive = primitive if isinstance(primitive, str) else register(primitive)
    if not isinstance(given.get("engine", ""), str):
        given["engine"] = register(given["engine"])
    if callable(target):
        target = f"{register(target, kind='target')}:"
    registry = default()
    if callable(loss):
        # For this fit alone: other threads may pass functions of this name, later fits none.
        registry = registry.copy()
        given["loss"] = _add_loss(registry, loss)
    texts = None if size is None else str(size)
    if is_on_paper(texts):
        raise UsageError(
            f"size {size!r} is a size on paper, and a fit needs one in pixels",
            hint=f"leave it out, and draw the result as large: art.render({size!r})",
        )
    frame = parse_frame(texts, crop, given.get("crop_at"), given.get("pad"))
    opened: Target | None = None
    source = os.fspath(target) if isinstance(target, str | os.PathLike) else None
    if source is None and ("mask" in given or "focus" in given):
        raise UsageError(
            "a mask or focus can only be used with a target that is a file",
            hint="save the picture first",
        )
    if isinstance(target, Target):
        if frame.aspect is not None:
            raise UsageError(
                "a target that is open already cannot be cropped",
                hint="open it with artgen.targets.TargetRequest(frame=...)",
            )
        opened = target if frame.size is None else target.resized(frame.size)
    if isinstance(palette, str):
        given["palette"] = parse_palette(palette)
    elif isinstance(palette, os.PathLike):
        given["palette"] = read_palette(palette)
    own = {"name": primitive, **options}
    tables: dict[str, Any] = {"primitive": own, "stage": {}, "output": {"video": False}}
    tables["target"] = {"source": "array" if source is None else source}
    for name, table, key in keywords():
        if name in given:
            value = given[name]
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            owner = tables.setdefault(table, {}) if table else tables
            owner[key.name] = value
    # Paper turns as the picture lies.
    aspect = crop if frame.turns else frame.aspect and "{}:{}".format(*frame.aspect)
    tables["target"] |= {"size": Frame.of(size).size, "aspect": aspect}
    if polish:
        first: dict[str | None, Any] = {"1": engine_options} if engine_options else {}
        tables["stage"] = lay_stages([], {**tables["stage"], "polish": True}, first)
    else:
        tables["stage"] = [{**tables["stage"], **engine_options}]
    recipe = Recipe.from_request(tables)
    if polish:
        find_names(recipe, registry).check_polish()
    if opened is None and source is None:
        recipe = find_names(recipe, registry).with_preset_target().recipe
        # What suits the primitive is known later; until then black is behind transparency.
        asked = recipe.target
        plain = parse_colour("black" if asked.background == "auto" else asked.background)
        request = TargetRequest(asked.size, plain, max_pixels=asked.max_pixels, frame=asked.frame)
        read = image_from_array if recipe.tiles is None else large_from_array
        opened = read(target, request)
    control, hear = listening.get() or (RunControl(), lambda event: None)
    evaluated = list[Evaluated]()

    def watch(event: Event) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event)
        hear(event)
        answer = None if observe is None else observe(event)
        # Comparisons with numbers of numpy are not Python's own.
        if isinstance(answer, bool | np.bool_) and answer:
            control.request_stop()

    # A fit within an observer is none of the stream's.
    token = listening.set(None)
    try:
        result = run(recipe, registry, target=opened, observers=[watch], control=control)
    finally:
        listening.reset(token)
    # An end that the observer asked for is no error.
    if result.error is not None and not isinstance(result.error, Interrupted):
        raise result.error
    assert result.art is not None
    return replace(result.art, history=tuple(evaluated))


def _add_loss(registry: Registry, loss: Callable[..., Any]) -> str:
    """Offer a function as a loss, and return its name, which is all that the recipe will hold."""
    name = registry.register(loss, kind="loss")
    others = [e for e in registry.entries("loss") if e.name == name and e.load() is not loss]
    if others or numbers(name):
        owner = others[0].distribution if others else None
        raise PluginError(
            f"the loss {name!r} has the name of {f'one of {owner}' if owner else 'a number'}",
            hint="give the function another name, which the recipe will hold",
        )
    return name


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with numbers of Python in place of those of numpy."""
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in options.items()}


def register(
    value: Any,
    name: str | None = None,
    *,
    kind: Kind | Literal["observer"] | None = None,
    files: tuple[str, ...] = (),
) -> str:
    """Offer a part of a plugin under `name`, by default its own name in snake case.

    `value` is a subclass of `Primitive` or `Engine`, or what the other hooks offer; then `kind`
    says of which kind it is: loss, target, exporter, look, maker, or another. A target opens the
    files whose names match a pattern of `files`, such as ``"*.pgm16"``. Registering a name again
    replaces it; observers without one are all called. Returns the name to pass to `fit`. Raises
    PluginError where `value` is not of its kind or the name is invalid.
    """
    if kind is None and isinstance(value, type) and issubclass(value, Primitive | Engine):
        kind = "engine" if issubclass(value, Engine) else "primitive"
    if kind not in (*KINDS, "observer"):
        raise PluginError(
            f"{value!r} cannot be registered: it is not a subclass of artgen.Primitive or Engine",
            hint="say what it is: kind='loss', 'target', 'exporter', 'maker' or another",
        )
    return default().register(value, name, kind, files)
