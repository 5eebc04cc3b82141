"""What an object of a plugin must be: checked when it is loaded, before anything calls it."""

from __future__ import annotations

import difflib
import inspect
import pkgutil
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from artgen.base.errors import PluginError, did_you_mean
from artgen.base.faults import broken, place_of, root_of
from artgen.base.generic import is_a, spell_type

_BASES = {
    "primitive": "artgen.Primitive",
    "engine": "artgen.Engine",
    "run": "artgen.runs.RunKind",
    "maker": "artgen.making.Maker",
}
_OBJECTS = {
    "form": "artgen.animation.Form",
    "view": "artgen.losses.Way",
    "edit": "artgen.editing.Operation",
}
_CALLS = {
    "loss": "image, target, weight",
    "target": "rest, request",
    "exporter": "art, request",
    "command": "flag, ...",
    "executor": "place, number, checkpoints, recipes, registry",
}
"""The arguments with which functions of a kind are called; a loss may also take a `picture`."""


def check_contract(kind: str, what: str, loaded: Any) -> None:
    """Raise PluginError, with file and line, if `loaded`, called `what`, cannot be of a kind."""
    if kind in _CALLS:
        arguments = "picture" if getattr(loaded, "needs_picture", False) else _CALLS[kind]
        arguments = "text, file" if getattr(loaded, "needs_text", False) else arguments
        if not callable(loaded):
            raise PluginError(
                f"{what} is {loaded!r}, which cannot be called",
                hint=f"offer a function of ({arguments})",
            )
        if kind != "command":  # its parameters are its own
            _check_call(what, loaded, arguments)
        return
    if kind == "look":
        if not isinstance(loaded, Mapping):
            raise PluginError(
                f"{what} is {loaded!r}, which is not a mapping",
                hint="offer the tables of a recipe as a dict",
            )
        return
    if kind == "observer":  # pluggy has checked its arguments
        return
    place = (_BASES | _OBJECTS)[kind]
    space, _, name = place.rpartition(".")
    base = pkgutil.resolve_name(f"{space}:{name}")
    if kind in _OBJECTS:
        if not isinstance(loaded, base):
            article = "an" if name[0] in "AEIOU" else "a"
            raise PluginError(
                f"{what} is {loaded!r:.80}, which is not {article} {name}",
                hint=f"offer {place}(function)",
            )
        return
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise PluginError(
            f"{what} is {loaded!r}{place_of(loaded)}, which is not a subclass of {place}",
            hint=f"derive it from {place}, or offer it through another hook",
        )
    options = getattr(loaded, "Options", None)
    _check_options(what, options)
    if kind == "primitive":
        _check_fields(what, options)
    _check_attributes(what, loaded)
    for name, own, inherited in _overridden(loaded):
        arguments = ", ".join(inspect.signature(inherited).parameters)
        if inspect.isfunction(own):
            _check_call(f"{name} of {what}", own, arguments)
        elif not callable(own):
            raise broken(
                f"{name} of {what}",
                loaded,
                f"is {own!r}, not a function",
                hint=f"define it as {name}({arguments}), or give the attribute another name",
            )


def own_classes(cls: type) -> list[type]:
    """Return the bases of a class, itself included, that artgen does not define."""
    return [base for base in cls.__mro__ if root_of(base) not in ("artgen", "builtins", "abc")]


def _overridden(cls: type) -> Iterator[tuple[str, Any, Any]]:
    """Yield name and value of what replaces a method of artgen in plugin classes, and that one."""
    contracts = [base for base in cls.__mro__ if root_of(base) == "artgen"]
    for name, own in [item for base in own_classes(cls) for item in vars(base).items()]:
        inherited = next((vars(base)[name] for base in contracts if name in vars(base)), None)
        own, inherited = (getattr(each, "__func__", each) for each in (own, inherited))
        if not name.startswith("_") and inspect.isfunction(inherited):
            yield name, own, inherited


def _check_call(what: str, function: Any, arguments: str) -> None:
    """Raise PluginError if `function` cannot be called with `arguments`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # builtins have none
        return
    try:
        signature.bind(*arguments.split(", "))
    except TypeError:
        found = ", ".join(map(str, signature.parameters.values()))
        raise broken(
            what,
            function,
            f"takes ({found}), but is called with ({arguments})",
            hint=f"define it as {getattr(function, '__name__', 'it')}({arguments})",
        ) from None


def _check_attributes(what: str, cls: type) -> None:
    """Raise PluginError if an attribute that a plugin sets is not of the type in its contract."""
    declared: dict[str, Any] = {}
    for base in reversed([base for base in cls.__mro__ if root_of(base) == "artgen"]):
        declared |= typing.get_type_hints(base)
        for name, value in vars(base).items():
            if isinstance(value, property):
                declared[name] = typing.get_type_hints(value.fget).get("return", Any)
    for base in own_classes(cls):
        for name, value in vars(base).items():
            wanted = declared.get(name, Any)
            # What Python computes, such as a property, is known only of an instance.
            if hasattr(value, "__get__") or is_a(value, wanted):
                continue
            wanted = typing.get_args(wanted)[0] if "ClassVar" in str(wanted) else wanted
            hint = f"write {name} = ({value!r},)" if is_a((value,), wanted) else "correct it"
            if typing.get_origin(wanted) is typing.Literal:
                hint = did_you_mean(str(value), typing.get_args(wanted))
            problem = f"is {value!r:.60}, not {spell_type(wanted)}"
            raise broken(f"{name} of {what}", base, problem, hint=hint)


def check_required(what: str, cls: type) -> None:
    """Raise PluginError if a class lacks a method that its contract demands.

    A base whose `required` is empty needs none, nor those of its own bases.
    """
    for base in cls.__mro__:
        if vars(base).get("required") == ():
            return
        for names in vars(base).get("required", ()):
            if any(getattr(cls, name) is not getattr(base, name) for name in names.split(" or ")):
                continue
            first = names.partition(" ")[0]
            method = getattr(base, first)
            hint = f"define {first}"
            if inspect.isfunction(method):
                hint += f"({', '.join(inspect.signature(method).parameters)})"
            near = difflib.get_close_matches(first, vars(cls), n=1)
            hint += f"; is {near[0]} meant to be it?" if near else ""
            raise broken(what, cls, f"does not define {names}", hint=hint)


def _check_options(what: str, options: Any) -> None:
    """Raise PluginError if an Options class declares options that Python would ignore."""
    for base in own_classes(options) if isinstance(options, type) else [None]:
        if base is None or "__dataclass_fields__" not in vars(base):
            raise broken(
                f"Options of {what}",
                base,
                "is not a dataclass, so its options have no effect",
                hint="write @dataclass(frozen=True) above class Options",
            )


def _check_fields(what: str, options: Any) -> None:
    """Raise PluginError if options of a primitive have no default, or the name of another key."""
    from artgen.recipe import PrimitiveTable

    for each in fields(options):
        bases = own_classes(options)
        base = next((b for b in bases if each.name in vars(b).get("__annotations__", ())), options)
        if each.name in PrimitiveTable.declared():
            problem = f"has an option {each.name!r}, which is a key of every primitive"
            raise broken(f"Options of {what}", base, problem, "choose another name")
        if each.default is each.default_factory is MISSING:
            hint = f"write {each.name} = artgen.option(DEFAULT, 'what it does')"
            raise broken(f"Options of {what}", base, f"has no default of {each.name!r}", hint)
