"""`--graph FILE.dot`: the graph of the loss, written when the first engine that has one starts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.engines import Engine
from artgen.engines.protocols import HasGraph
from artgen.output import atomic_write, check_output
from artgen.plan import Plan
from artgen.runs.context import RunContext

TIMEOUT = 60
"""Seconds that Graphviz may take for its layout."""


def graph_writer(
    path: Path, plan: Plan, context: RunContext, *, overwrite: bool
) -> Callable[[Engine], None]:
    """What writes FILE.dot, and FILE.svg where Graphviz is installed, once, for a started engine.

    Raises UsageError where no engine of the plan has a graph, for another suffix, and where another
    file is there.
    """
    picture, written = path.with_suffix(".svg"), False
    if path.suffix != ".dot":
        raise UsageError(f"--graph {path} is not a DOT file", hint="call it FILE.dot")
    if not any(issubclass(engine, HasGraph) for engine in plan.engines):
        names = dict.fromkeys(stage.engine for stage in plan.recipe.stage)
        raise UsageError(
            f"--graph: engine {' and '.join(names)} has no graph of its loss",
            hint="use -e scratch, or leave out --graph",
        )
    for file, mark in ((path, b"digraph"), (picture, b"graphviz")):
        check_output(file, overwrite=overwrite, option="--graph", mark=mark)

    def write(engine: Engine) -> None:
        nonlocal written
        if written or not isinstance(engine, HasGraph):
            return
        written = True
        dot = engine.graph()
        atomic_write(path, dot.encode())
        svg = to_svg(dot)
        if svg is not None:
            atomic_write(picture, svg)
        else:
            context.notify(f"{path} is not drawn: Graphviz's program dot is missing or failed")

    return write


def to_svg(dot: str) -> bytes | None:
    """The picture that Graphviz draws; None where its `dot` is missing or fails."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
