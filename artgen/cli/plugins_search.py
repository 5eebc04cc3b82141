"""`artgen plugins search`, and the description of a package by `artgen plugins show`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from artgen.base.errors import PluginError, UsageError
from artgen.cli._console import columns, print_json, records, say
from artgen.cli._flags import Common, argument
from artgen.registry import KINDS, PREFIX, Registry, Unreachable, find_package, versions_of


def search(
    word: str = argument("WORD", "A part of a name or of a summary."), *, common: Common
) -> None:
    """Search what is installed, and look up the package artgen-WORD on the package index.

    pip has no search for parts of names: other packages are found by their whole name only.

    Examples:
        artgen plugins search dots
    """
    if not word.strip():
        raise UsageError("the word to search for is empty", hint="`artgen plugins list` lists all")
    registry, word = common.registry(), word.lower()
    keys = "name kind distribution summary"
    found = [
        (registry.spelling(entry), kind, entry.distribution, entry.summary)
        for kind in KINDS
        for entry in registry.entries(kind)
        if word in f"{entry.distribution}/{entry.name} {entry.summary}".lower()
    ]
    package = PREFIX + word.replace("_", "-").removeprefix(PREFIX)
    versions, problem = _on_index(package)
    if common.as_json:
        index = {"package": package, "versions": versions, "problem": problem}
        print_json({"installed": records(keys, found), "index": index})
        return
    if found:
        print(columns([keys.upper().split(), *found]))
    if versions:
        print(f"on the package index: {package} {versions[0]}")
        print(f"to install: {sys.executable} -m pip install {package}")
    elif not common.quiet:
        nothing = f"the package index has no {package}"
        say(f"{problem}: only installed plugins were searched" if problem else nothing)


def describe_package(name: str, registry: Registry) -> dict[str, Any]:
    """Describe a package, installed or not. Raises PluginError, and InputError if offline."""
    package = find_package(name)
    offers = [each.offers for each in registry.plugins if each.distribution == package.name]
    versions, problem = _on_index(name)
    return {
        "kind": "package",
        **asdict(package),
        "offers": {kind: names for each in offers for kind, names in each.items()},
        "versions": versions,
        "problem": problem,
        "install": f"{sys.executable} -m pip install {package.name}",
    }


def text_of_package(facts: dict[str, Any]) -> str:
    """The facts of `describe_package`, then the README."""
    shown = {
        "name": facts["name"],
        "version": facts["version"],
        "installed": facts["installed"] or "no",
        "summary": facts["summary"],
        "licence": facts["licence"] or "unknown",
        **{kind: ", ".join(names) for kind, names in facts["offers"].items()},
        "on the index": ", ".join(facts["versions"]) or facts["problem"] or "no",
        "to install": facts["install"],
    }
    return columns(shown.items()) + (f"\n\n{facts['readme']}" if facts["readme"] else "")


def _on_index(package: str) -> tuple[tuple[str, ...], str | None]:
    """Return the versions of a package, newest first, or what keeps the index from answering."""
    try:
        return versions_of(package), None
    except (PluginError, Unreachable) as error:
        return (), error.message
