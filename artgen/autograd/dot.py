"""A graph as a picture: the DOT language, and SVG where Graphviz is installed.

Arrows lead from a node to those it depends on, so the loss is on top. Nodes are numbered in
topological order: the same graph gives the same text.
"""

from __future__ import annotations

import json
import shutil
import subprocess

from artgen.autograd.graph import topological_order
from artgen.autograd.nodes import Node

TIMEOUT = 60
"""Seconds that Graphviz may take for its layout."""


def to_dot(root: Node) -> str:
    """Everything `root` depends on, in Graphviz's DOT language."""
    order = topological_order(root)
    number = {node: index for index, node in enumerate(order)}
    lines = ["digraph G {"]
    for node in order:
        lines.append(f"    {number[node]} [label={json.dumps(node.label)}];")
        lines += [f"    {number[node]} -> {number[each]};" for each in node.dependencies]
    return "\n".join([*lines, "}", ""])


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
