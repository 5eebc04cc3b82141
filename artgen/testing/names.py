"""Mistyped names, which Python ignores: attributes and options that nothing reads."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import functools
import sys
from pathlib import Path

from artgen.base.faults import root_of
from artgen.registry import own_classes
from artgen.testing.candidate import Offer
from artgen.testing.run_checks import Failed, basic


@basic
def names(offer: Offer) -> None:
    """No attribute is misspelt, and every option is read.

    Correct the name in the message, or remove what nothing uses.
    """
    used = _names_read(root_of(offer.loaded))
    if used is None:
        return
    bases = [base for base in offer.loaded.__mro__ if root_of(base) == "artgen"]
    known = {name for base in bases for name in dir(base) if not name.startswith("_")}
    for cls in own_classes(offer.loaded):
        for name, value in vars(cls).items():
            if name.startswith("_") or name in known | used:
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
            if near:
                code = value if callable(value) else cls
                raise Failed(f"nothing reads {name!r}: did you mean {near[0]}?", code)
    for cls in own_classes(offer.loaded.Options):
        families = [base for base in cls.__mro__ if root_of(base) == "artgen"]
        used |= {option.name for base in families for option in dataclasses.fields(base)}
        for option in dataclasses.fields(cls):
            if option.name not in used:
                raise Failed(f"nothing reads the option {option.name!r}", offer.loaded)


def _names_read(root: str) -> set[str] | None:
    """Return names of attributes and texts in the source of a package; None without source."""
    module = sys.modules.get(root)
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    single = Path(getattr(module, "__file__", None) or "")
    files = [file for folder in folders for file in folder.rglob("*.py")] or [single]
    if not all(file.suffix == ".py" and file.is_file() for file in files):
        return None
    return set().union(*(_names_in(file, file.stat().st_mtime_ns) for file in files))


@functools.cache
def _names_in(file: Path, changed: int) -> set[str]:
    """Return those of a file, which all that a package offers would read anew."""
    nodes = [*ast.walk(ast.parse(file.read_bytes()))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return attributes | {value for value in constants if isinstance(value, str)}
