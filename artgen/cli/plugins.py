"""`artgen plugins`: list plugins and what they offer, search, and describe one thing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from artgen.cli._completion import everything
from artgen.cli._console import columns
from artgen.cli._flags import Common, argument, flat
from artgen.cli._help import Command, group
from artgen.cli.plugins_check import check
from artgen.cli.plugins_new import new
from artgen.cli.plugins_search import describe_package, search, text_of_package
from artgen.registry import PREFIX, Entry

_FOR_CHECKS = "class", "families", "preset_targets"
_FOR_CHECKS_OF_OPTIONS = "hint", "low", "high"

_LISTS = "options", "presets", "parameters"

plugins = group("List, search, describe, create and check plugins.")
plugins.command("new", cls=Command)(flat(new))
plugins.command("check", cls=Command)(flat(check))
plugins.command("search", cls=Command)(flat(search))


@plugins.command("list", cls=Command)
@flat
def list_plugins(
    *,
    common: Common,
) -> None:
    """List all plugins, their status and what they offer.

    Examples:
        artgen plugins list --plugin petal.py
    """
    registry = common.registry()
    found = registry.plugins
    looks = {registry.spelling(entry): entry.summary for entry in registry.entries("look")}
    head = ("NAME", "DISTRIBUTION", "VERSION", "ORIGIN", "STATUS")
    rows = [(i.name, i.distribution, i.version, i.origin, i.status) for i in found]
    heading, *lines = columns([head, *rows]).splitlines()
    shown = [heading]
    for line, info in zip(lines, found, strict=True):
        shown += [line, f"    {info.reason}"] if info.reason else [line]
        shown += [f"    {kind}: {', '.join(names)}" for kind, names in info.offers.items()]
    shown += ["", *(f"look {name}: {summary}" for name, summary in looks.items())]
    shown += ["", f"python: {sys.executable}"]
    shown += [f"to install another: {sys.executable} -m pip install NAME"]
    data = {"python": sys.executable, "plugins": found, "looks": looks}
    common.show(data, "\n".join(shown))


@plugins.command("show", cls=Command)
@flat
def show(
    name: str = argument(
        "NAME", "What a plugin offers, such as a primitive, or a package.", complete=everything
    ),
    *,
    common: Common,
) -> None:
    """Describe anything that a plugin offers: a primitive, engine, loss, look, ...; or a package.

    Examples:
        artgen plugins show triangle
    """
    from artgen.plan.catalogue import facts_of

    registry = common.registry()
    installed = {info.distribution for info in registry.plugins if info.origin == "installed"}
    if name in installed or (name.startswith(PREFIX) and "/" not in name):
        package = describe_package(name, registry)
        return common.show(package, text_of_package(package))
    entry = registry.find_any(name) or registry.find("primitive", name)
    facts = {
        "name": entry.name,
        "kind": entry.kind,
        "summary": entry.summary,
        "distribution": entry.distribution,
        "version": entry.plugin.version,
        "module": _module(entry),
        **_details(facts_of(entry)),
    }
    common.show(facts, _text_of(facts))


def _module(entry: Entry) -> str | None:
    load = entry.spec.load
    name = getattr(load, "__qualname__", None)  # tables and objects have none
    return load if isinstance(load, str) else name and f"{load.__module__}:{name}"


def _details(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts of the catalogue, but for those that are for checks alone."""
    facts = {key: value for key, value in facts.items() if key not in _FOR_CHECKS}
    if "options" in facts:
        options = [
            {k: o[k] for k in o if k not in _FOR_CHECKS_OF_OPTIONS} for o in facts["options"]
        ]
        facts["options"] = options
    return facts


def _text_of(facts: dict[str, Any]) -> str:
    """Single facts first, then a table for each list."""
    options, presets, parameters = (facts.get(key) or () for key in _LISTS)
    single = {k: v for k, v in facts.items() if k not in _LISTS and v not in (None, {}, [])}
    text = columns((key, _text(value)) for key, value in single.items())
    rows = []
    for o in options:
        families = f" ({', '.join(o['families'])})" if o.get("families") else ""
        rows.append((o["name"], o["type"], _text(o["default"]), o["help"] + families))
    prefix = "engine." if facts["kind"] == "engine" else ""
    text += _table(f"options (--set {prefix}KEY=VALUE)", rows)
    sets = ((p["name"], p["count"], {**p["options"], **p["stage"]}) for p in presets)
    named = [(name, f"count = {n}" if n else "", _text(values)) for name, n, values in sets]
    text += _table("presets (--set preset=NAME)", named)
    rows = [
        (p["name"], "x".join(map(str, p["shape"])) or "1", f"lr {p['lr']:.3g}", p["map"])
        for p in parameters
    ]
    return text + _table("parameters (rates for the default count on a square)", rows)


def _table(title: str, rows: Sequence[Sequence[str]]) -> str:
    return f"\n\n{title}\n{columns(rows, indent=2)}" if rows else ""


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)
