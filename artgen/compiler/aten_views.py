"""Rules of torch operations that rearrange elements or make constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from artgen.compiler.operands import Numbers, Record, Rule, axes_of, numbers


def _view(change: Callable[..., Any]) -> Rule:
    return lambda ir, a, *arguments: change(numbers(ir, a), *arguments)


def _expand(a: Numbers, sizes: Sequence[int]) -> Numbers:
    padded = (1,) * (len(sizes) - a.ndim) + a.shape
    return np.broadcast_to(
        a, [own if size == -1 else size for own, size in zip(padded, sizes, strict=True)]
    )


def _slice(
    a: Numbers, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Numbers:
    return np.moveaxis(np.moveaxis(a, dim, 0)[start:end:step], 0, dim)


def _select(a: Numbers, dim: int, index: int) -> Numbers:
    # With the dots, a single element stays a view.
    return np.moveaxis(a, dim, 0)[index, ...]


def _squeeze(a: Numbers, dims: object = None) -> Numbers:
    axes = tuple(axis for axis in axes_of(dims, a.ndim) if a.shape[axis] == 1)
    return np.squeeze(a, axes)


def _unbind(ir: Record, a: Numbers, dim: int = 0) -> list[Numbers]:
    return [_select(a, dim, index) for index in range(a.shape[dim])]


def _index(ir: Record, a: Numbers, indices: Sequence[Any]) -> Numbers:
    if any(isinstance(index, np.ndarray) for index in indices):
        raise NotImplementedError("an index computed from dx, dy or the parameters")
    place = tuple(slice(None) if index is None else index.cpu().numpy() for index in indices)
    return numbers(ir, a)[place]


def _put(
    ir: Record, a: Any, indices: Sequence[Any], values: Any, accumulate: bool = False
) -> Numbers:
    """The gradient of `_index`: values are added where they came from."""
    places = np.arange(math.prod(a.shape)).reshape(a.shape)
    place = tuple(slice(None) if index is None else index.cpu().numpy() for index in indices)
    targets = places[place]
    flat = np.array(numbers(ir, a)).reshape(-1)
    values = np.broadcast_to(numbers(ir, values), targets.shape)
    for target, value in zip(targets.flat, values.flat, strict=True):
        flat[target] = ir.add("add", int(flat[target]), int(value)) if accumulate else value
    return flat.reshape(a.shape)


def _filled(number: float) -> Rule:
    """zeros_like, new_ones ...: in the shape of a tensor, or in one that is given after it."""

    def rule(ir: Record, a: Any, *given: Any) -> Numbers:
        shaped = bool(given) and isinstance(given[0], list | tuple)
        return np.full(given[0] if shaped else a.shape, ir.constant(number))

    return rule


def _copied(ir: Record, a: Numbers, source: object, *_: object) -> Numbers:
    return np.array(np.broadcast_to(numbers(ir, source), a.shape))


VIEWS: dict[str, Rule | Callable[..., list[Numbers]]] = {
    **dict.fromkeys(("alias", "detach"), _view(lambda a: a)),
    **dict.fromkeys(("view", "_unsafe_view", "reshape"), _view(lambda a, shape: a.reshape(shape))),
    "select.int": _view(_select),
    "slice.Tensor": _view(_slice),
    "expand": _view(_expand),
    "unsqueeze": _view(np.expand_dims),
    "squeeze": _view(_squeeze),
    **dict.fromkeys(("permute", "t"), _view(np.transpose)),
    "transpose.int": _view(np.swapaxes),
    "flip": _view(lambda a, dims: np.flip(a, tuple(dims))),
    "unbind.int": _unbind,
    "cat": lambda ir, parts, dim=0: np.concatenate([numbers(ir, part) for part in parts], axis=dim),
    "stack": lambda ir, parts, dim=0: np.stack([numbers(ir, part) for part in parts], axis=dim),
    "index.Tensor": _index,
    "index_put": _put,
    **dict.fromkeys(("zero", "zeros_like", "new_zeros"), _filled(0.0)),
    **dict.fromkeys(("empty_like", "new_empty", "new_empty_strided"), _filled(0.0)),
    **dict.fromkeys(("ones_like", "new_ones"), _filled(1.0)),
    **dict.fromkeys(("copy", "fill", "full_like"), _copied),
    "new_full": lambda ir, a, shape, value: np.array(np.broadcast_to(numbers(ir, value), shape)),
}
