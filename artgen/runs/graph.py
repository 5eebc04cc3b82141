"""`--graph FILE.dot`: the graph of the loss, written when the first engine that has one starts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.engines import Engine
from artgen.engines.protocols import HasGraph
from artgen.events import Event, Notice
from artgen.output import atomic_write, check_output

TIMEOUT = 60
"""Seconds that Graphviz may take for its layout."""


class GraphFile:
    """Writes FILE.dot, and FILE.svg where Graphviz is installed; `emit` hears where it is not.

    Raises UsageError where none of the `engines` (by name) has a graph, for another suffix, and
    where another file is there.
    """

    def __init__(
        self,
        path: Path,
        engines: Mapping[str, type[Engine]],
        emit: Callable[[Event], None],
        run_name: str,
        *,
        overwrite: bool,
    ) -> None:
        self.path, self.picture = path, path.with_suffix(".svg")
        self.emit, self.name = emit, run_name
        self.written = False
        if path.suffix != ".dot":
            raise UsageError(f"--graph {path} is not a DOT file", hint="call it FILE.dot")
        if not any(issubclass(engine, HasGraph) for engine in engines.values()):
            raise UsageError(
                f"--graph: engine {' and '.join(engines)} has no graph of its loss",
                hint="use -e scratch, or leave out --graph",
            )
        for file, mark in ((path, b"digraph"), (self.picture, b"graphviz")):
            check_output(file, overwrite=overwrite, option="--graph", mark=mark)

    def __call__(self, engine: Engine) -> None:
        """Write the graph of a started engine, once."""
        if self.written or not isinstance(engine, HasGraph):
            return
        self.written = True
        dot = engine.graph()
        atomic_write(self.path, dot.encode())
        svg = to_svg(dot)
        if svg is not None:
            atomic_write(self.picture, svg)
        else:
            message = f"{self.path} is not drawn: Graphviz's program dot is missing or failed"
            self.emit(Notice(self.name, message))


def to_svg(dot: str) -> bytes | None:
    """The picture that Graphviz draws; None where its `dot` is missing or fails."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-Tsvg"],
            input=dot.encode(),
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
