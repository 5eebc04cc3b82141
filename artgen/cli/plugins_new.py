"""`artgen plugins new`: a plugin to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli._flags import AsJson, PluginFiles, Quiet, Verbose, make_registry
from artgen.scaffold import Family

__all__ = ["new"]


def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What the new primitive is called, such as petal.",
            show_default=False,
        ),
    ],
    family: Annotated[
        Family,
        typer.Option(
            help="splat: many soft parts of one footprint; field: one function of position; "
            "shape: flat figures with hard edges; codec: an encoder and a decoder for "
            "sets of pictures."
        ),
    ] = "splat",
    file: Annotated[
        bool, typer.Option("--file", help="One loose file NAME.py instead of a package.")
    ] = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a plugin that works at once, in the current folder: a package or one file."""
    from artgen.cli._console import print_json, say
    from artgen.scaffold import create

    registry = make_registry(plugin, quiet=quiet)
    made = create(name, family, registry, Path(), single_file=file)
    if as_json:
        files, steps = [str(path) for path in made.files], list(made.next_steps(sys.executable))
        print_json({"name": name, "family": family, "files": files, "next": steps})
        return
    for path in made.files:
        print(path, flush=True)
    if not quiet:
        say("next:")
        for step in made.next_steps(sys.executable):
            say(f"  {step}")
