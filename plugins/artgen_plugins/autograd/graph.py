"""Evaluation of a graph of nodes: an order, cached values, and gradients that flow back.

- `topological_order`: every node after those that it depends on, by a depth-first walk.
- `materialize`: values in that order; each node is evaluated once and keeps what it found.
- `backward`: the chain rule in the opposite order. The root's gradient is 1; when a node's turn
  comes, all that depends on it has been there, so its gradient is complete and is handed on.

None of this knows what the nodes compute: see `nodes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from artgen_plugins.autograd.tensor import Tensor

if TYPE_CHECKING:
    from artgen_plugins.autograd.nodes import Node


def topological_order(root: Node) -> list[Node]:
    """All that `root` depends on and `root` itself, each once, dependencies first."""
    order: list[Node] = []
    seen = {root}
    # A stack instead of recursion, which Python limits to about a thousand levels.
    walk = [(root, iter(root.dependencies))]
    while walk:
        node, remaining = walk[-1]
        for dependency in remaining:
            if dependency not in seen:
                seen.add(dependency)
                walk.append((dependency, iter(dependency.dependencies)))
                break
        else:
            order.append(node)
            walk.pop()
    return order


def materialize(root: Node) -> Tensor:
    """The value of `root`; what was evaluated before is not evaluated again."""
    if root.value is None:
        for node in topological_order(root):
            if node.value is None:
                node.value = node.evaluate()
    assert root.value is not None
    return root.value


def backward(root: Node) -> None:
    """Set every node's gradient to the derivative of the sum of `root` by that node's value.

    Gradients of an earlier call are forgotten first. Constants, and nodes that depend on nothing
    else, get none.
    """
    value = materialize(root)
    order = topological_order(root)
    for node in order:
        node.zero_gradient()
    root.accumulate(Tensor(root.shape, np.ones_like(value.data)))
    for node in reversed(order):
        if node.needs_gradient:
            node.distribute()
