"""A graph as a picture, in the DOT language.

Arrows lead from a node to those it depends on, so the loss is on top. Nodes are numbered in
topological order: the same graph gives the same text.
"""

from __future__ import annotations

import json

from artgen_plugins.autograd.graph import topological_order
from artgen_plugins.autograd.nodes import Node


def to_dot(root: Node) -> str:
    """Everything `root` depends on, in Graphviz's DOT language."""
    order = topological_order(root)
    number = {node: index for index, node in enumerate(order)}
    lines = ["digraph G {"]
    for node in order:
        lines.append(f"    {number[node]} [label={json.dumps(node.label)}];")
        lines += [f"    {number[node]} -> {number[each]};" for each in node.dependencies]
    return "\n".join([*lines, "}", ""])
