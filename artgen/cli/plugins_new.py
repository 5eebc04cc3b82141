"""`artgen plugins new`: a plugin to start from."""

from __future__ import annotations

import sys
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.cli._console import say
from artgen.cli._flags import Common, argument, option, switch
from artgen.cli._main import COMMANDS, GROUPS
from artgen.registry import Kind
from artgen.scaffold import Family


def new(
    name: str = argument("NAME", "Name of the new plugin, such as petal."),
    kind: Kind = option(None, "What the plugin adds.", default="primitive"),
    family: Family | None = option(
        None,
        "splat: soft parts that share a footprint; field: a function of position; "
        "shape: flat outlines with hard edges; partition: cells around sites; "
        "mesh: triangles between vertices; ink: marks of a few inks; "
        "codec: an encoder and a decoder for sets of pictures. Default: splat.",
    ),
    file: bool = switch("Write a single file NAME.py instead of a package."),
    *,
    common: Common,
) -> None:
    """Create a working plugin in the current folder, as a package or a single file.

    Examples:
        artgen plugins new petal --file
        artgen plugins new woven --kind look
    """
    from artgen.scaffold import create

    if kind == "command" and name in (*COMMANDS, *GROUPS):
        raise UsageError(f"the command {name!r} is artgen's own", hint="choose another name")
    if kind == "primitive":
        family = family or "splat"
    elif family is not None:
        raise UsageError("--family is for primitives", hint=f"leave it out, or --kind {kind}")
    made = create(name, family or kind, common.registry(), Path(), single_file=file)
    steps = list(made.next_steps(sys.executable))
    facts = {"name": name, "kind": kind, "family": family, "files": made.files, "next": steps}
    common.answer(facts, *made.files)
    if not common.as_json and not common.quiet:
        say("\n  ".join(["next:", *steps]))
