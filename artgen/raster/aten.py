"""Torch's operations on arrays of value numbers.

A tensor is stood for by an integer array of its shape that holds the number of a value of the
`Program` for each element. So what only rearranges costs nothing (numpy's views are views just
where torch's are), and what is elementwise adds one value per element.

An operation has a *rule*, which builds values, or a *decomposition*, which is torch code made of
simpler operations; ours come first, then torch's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["HasGrids", "Numbers", "Record", "Rule", "find_decomposition", "find_rule", "numbers"]

Numbers = NDArray[np.int64]
"""Numbers of values, in the shape of the tensor whose elements they are."""


class Record(Protocol):
    """Where operations are recorded: a `Program`, or the `Layers` of a field."""

    def constant(self, number: float) -> int:
        """A number known now."""

    def constants(self, array: NDArray[np.float64]) -> Numbers:
        """Numbers known now."""

    def add(self, operation: str, *arguments: int) -> int:
        """An operation on single values."""

    def elementwise(self, operation: str, arrays: Sequence[Numbers]) -> Numbers:
        """An operation on arrays of one shape."""

    def product(self, a: Numbers, b: Numbers) -> Numbers | None:
        """A product of matrices; None where it shall be written out."""


@runtime_checkable
class HasGrids(Record, Protocol):
    """A record that `interpolate_grids` can be recorded in."""

    def grids(
        self,
        places: Numbers,
        table: NDArray[np.float64],
        levels: NDArray[np.int64],
        largest: int,
    ) -> Numbers:
        """Its features at places."""


_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd

Rule = Callable[..., Numbers]
"""``rule(program, *arguments, **keywords)``: traced tensors arrive as `Numbers`."""


def find_rule(name: str, overload: str) -> Rule | Callable[..., list[Numbers]] | None:
    """The rule of an operation: of one overload, or of all."""
    return _RULES.get(f"{name}.{overload}") or _RULES.get(name)


def find_decomposition(operation: Any) -> Callable[..., Any] | None:
    """Torch code for an operation without a rule."""
    from torch._decomp import decomposition_table

    name = str(operation.overloadpacket.__name__)
    found = _DECOMPOSITIONS.get(name) or decomposition_table.get(operation)
    if found is None and operation.has_kernel_for_dispatch_key(_COMPOSITE):
        found = operation.decompose
    return found


def numbers(program: Record, value: Any) -> Numbers:
    """A tensor of constants or a Python number as `Numbers`, which stay what they are."""
    if isinstance(value, np.ndarray):
        return value
    array = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else float(value)
    return program.constants(np.asarray(array))


# ---- elementwise ---------------------------------------------------------------------------------


def _elementwise(operation: str) -> Rule:
    def rule(program: Record, *arguments: Any) -> Numbers:
        arrays = np.broadcast_arrays(*(numbers(program, argument) for argument in arguments))
        return program.elementwise(operation, arrays)

    return rule


def _scaled(operation: str) -> Rule:
    """add and sub, which multiply the second argument by `alpha`."""

    def rule(program: Record, a: Any, b: Any, alpha: float = 1) -> Numbers:
        scaled = _elementwise("mul")(program, b, alpha)
        return _elementwise(operation)(program, a, scaled)

    return rule


def _divide(program: Record, a: Any, b: Any, rounding_mode: str | None = None) -> Numbers:
    quotient = _elementwise("div")(program, a, b)
    return quotient if rounding_mode is None else _elementwise(rounding_mode)(program, quotient)


def _clamp(program: Record, a: Numbers, low: Any = None, high: Any = None) -> Numbers:
    if low is not None:
        a = _elementwise("maximum")(program, a, low)
    return a if high is None else _elementwise("minimum")(program, a, high)


def _convert(program: Record, a: Numbers, dtype: torch.dtype | None = None) -> Numbers:
    """To another type: kernels know numbers and truth, and numbers are all float32."""
    if dtype is torch.bool:
        return _elementwise("ne")(program, a, 0.0)
    if dtype is None or dtype.is_floating_point:
        return a.copy()
    return _elementwise("trunc")(program, a)


# ---- over several elements -----------------------------------------------------------------------


def _axes(dims: Any, rank: int) -> tuple[int, ...]:
    if dims is None or dims == []:
        return tuple(range(rank))
    return tuple(dims) if isinstance(dims, list | tuple) else (int(dims),)


def _reduction(operation: str, empty: float) -> Rule:
    def rule(program: Record, a: Numbers, dims: Any = None, keepdim: bool = False) -> Numbers:
        axes = _axes(dims, a.ndim) if a.ndim else ()
        moved = np.moveaxis(a, axes, range(len(axes)))
        terms = moved.reshape(-1, *moved.shape[len(axes) :])
        total = terms[0] if len(terms) else np.full(terms.shape[1:], program.constant(empty))
        for term in terms[1:]:
            total = _elementwise(operation)(program, np.asarray(total), np.asarray(term))
        return np.array(np.expand_dims(total, axes) if keepdim else total)

    return rule


_sum = _reduction("add", 0.0)


def _mean(program: Record, a: Numbers, dims: Any = None, keepdim: bool = False) -> Numbers:
    count = math.prod(a.shape[axis] for axis in _axes(dims, a.ndim)) if a.ndim else 1
    return _elementwise("div")(program, _sum(program, a, dims, keepdim), count)


def _norm(
    program: Record, a: Numbers, order: float = 2, dims: Any = None, keepdim: bool = False
) -> Numbers:
    if order != 2:
        raise NotImplementedError(f"a norm of order {order}")
    square = _elementwise("mul")(program, a, a)
    return _elementwise("sqrt")(program, _sum(program, square, dims, keepdim))


def _cumulative(operation: str) -> Rule:
    def rule(program: Record, a: Numbers, dim: int) -> Numbers:
        result = np.array(a)
        along = np.moveaxis(result, dim, 0) if a.ndim else result[None]
        for i in range(1, len(along)):
            along[i] = _elementwise(operation)(
                program, np.asarray(along[i - 1]), np.asarray(along[i])
            )
        return result

    return rule


def _product(program: Record, a: Any, b: Any) -> Numbers:
    """dot, mv, mm and bmm: what numpy calls matmul."""
    a, b = numbers(program, a), numbers(program, b)
    known = program.product(a, b)
    if known is not None:
        return known
    left = a[..., None] if b.ndim > 1 else a
    right = b[..., None, :, :] if b.ndim > 1 else b
    terms = _elementwise("mul")(program, left, right)
    return _sum(program, terms, -2 if b.ndim > 1 else -1)


# ---- rearrangement -------------------------------------------------------------------------------


def _view(change: Callable[..., Any]) -> Rule:
    return lambda program, a, *arguments: change(numbers(program, a), *arguments)


def _expand(a: Numbers, sizes: Sequence[int]) -> Numbers:
    padded = (1,) * (len(sizes) - a.ndim) + a.shape
    return np.broadcast_to(
        a, [own if size == -1 else size for own, size in zip(padded, sizes, strict=True)]
    )


def _slice(
    a: Numbers, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Numbers:
    place: list[slice] = [slice(None)] * a.ndim
    place[dim] = slice(start, end, step)
    return a[tuple(place)]


def _select(a: Numbers, dim: int, index: int) -> Numbers:
    # A slice of one, reshaped, stays a view where a single element would be a copy.
    return _slice(a, dim, index % a.shape[dim], index % a.shape[dim] + 1).squeeze(dim)


def _squeeze(a: Numbers, dims: Any = None) -> Numbers:
    axes = tuple(axis for axis in _axes(dims, a.ndim) if a.ndim and a.shape[axis] == 1)
    return np.squeeze(a, axes)


def _unbind(program: Record, a: Numbers, dim: int = 0) -> list[Numbers]:
    return [_select(a, dim, index) for index in range(a.shape[dim])]


def _index(program: Record, a: Numbers, indices: Sequence[Any]) -> Numbers:
    if any(isinstance(index, np.ndarray) for index in indices):
        raise NotImplementedError("an index computed from dx, dy or the parameters")
    place = tuple(slice(None) if index is None else index.cpu().numpy() for index in indices)
    return numbers(program, a)[place]


def _put(
    program: Record, a: Any, indices: Sequence[Any], values: Any, accumulate: bool = False
) -> Numbers:
    """The gradient of `_index`: values are added where they came from."""
    places = np.arange(math.prod(a.shape)).reshape(a.shape)
    place = tuple(slice(None) if index is None else index.cpu().numpy() for index in indices)
    targets = places[place]
    flat = np.array(numbers(program, a)).reshape(-1)
    values = np.broadcast_to(numbers(program, values), targets.shape)
    for target, value in zip(targets.flat, values.flat, strict=True):
        flat[target] = program.add("add", int(flat[target]), int(value)) if accumulate else value
    return flat.reshape(a.shape)


# ---- constants -----------------------------------------------------------------------------------


def _filled(number: float | None = None) -> Rule:
    """full, zeros, ones: a shape, and a number unless it is given here."""

    def rule(program: Record, shape: Sequence[int], value: Any = None, *_: Any) -> Numbers:
        fill = numbers(program, value if number is None else number)
        return np.array(np.broadcast_to(fill, shape))

    return rule


def _like(number: float | None = None) -> Rule:
    """full_like, zeros_like, new_zeros ...: the same after a tensor."""

    def rule(program: Record, a: Any, *arguments: Any) -> Numbers:
        shaped = bool(arguments) and isinstance(arguments[0], list | tuple)
        shape = arguments[0] if shaped else a.shape
        return _filled(number)(program, shape, *arguments[int(shaped) :])

    return rule


def _copied(program: Record, a: Numbers, source: Any, *_: Any) -> Numbers:
    return np.array(np.broadcast_to(numbers(program, source), a.shape))


_RULES: dict[str, Rule | Callable[..., list[Numbers]]] = {
    **{
        name: _elementwise(name)
        for name in (
            *("mul", "neg", "pow", "abs", "sign", "sqrt", "exp", "expm1", "log", "log1p"),
            *("sin", "cos", "tan", "atan", "atan2", "tanh", "sigmoid", "erf", "floor", "trunc"),
            *("minimum", "maximum", "where", "lt", "le", "gt", "ge", "eq", "ne"),
        )
    },
    "add": _scaled("add"),
    "sub": _scaled("sub"),
    "rsub": lambda program, a, b, alpha=1: _scaled("sub")(program, b, a, alpha),
    "div": _divide,
    "reciprocal": lambda program, a: _divide(program, 1.0, a),
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clamp_max": lambda program, a, high: _clamp(program, a, None, high),
    "logical_and": _elementwise("and"),
    "logical_or": _elementwise("or"),
    "logical_not": _elementwise("not"),
    "bitwise_and": _elementwise("and"),
    "bitwise_or": _elementwise("or"),
    "bitwise_not": _elementwise("not"),
    "sum": _sum,
    "mean": _mean,
    "prod": _reduction("mul", 1.0),
    "amax": _reduction("maximum", -math.inf),
    "amin": _reduction("minimum", math.inf),
    "max.default": _reduction("maximum", -math.inf),
    "min.default": _reduction("minimum", math.inf),
    "any": _reduction("or", 0.0),
    "all": _reduction("and", 1.0),
    "linalg_vector_norm": _norm,
    "cumsum": _cumulative("add"),
    "cumprod": _cumulative("mul"),
    **dict.fromkeys(("dot", "mv", "mm", "bmm"), _product),
    **dict.fromkeys(("alias", "detach"), _view(lambda a: a)),
    **dict.fromkeys(("clone", "contiguous", "_to_copy"), _convert),
    **dict.fromkeys(("view", "_unsafe_view", "reshape"), _view(lambda a, shape: a.reshape(shape))),
    "select.int": _view(_select),
    "slice.Tensor": _view(_slice),
    "expand": _view(_expand),
    "unsqueeze": _view(np.expand_dims),
    "squeeze": _view(_squeeze),
    "permute": _view(np.transpose),
    "transpose.int": _view(np.swapaxes),
    "t": _view(np.transpose),
    "flip": _view(lambda a, dims: np.flip(a, tuple(dims))),
    "unbind.int": _unbind,
    "cat": lambda program, parts, dim=0: np.concatenate(
        [numbers(program, part) for part in parts], axis=dim
    ),
    "stack": lambda program, parts, dim=0: np.stack(
        [numbers(program, part) for part in parts], axis=dim
    ),
    "index.Tensor": _index,
    "index_put": _put,
    "full": _filled(),
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "full_like": _like(),
    "zeros_like": _like(0.0),
    "ones_like": _like(1.0),
    "empty_like": _like(0.0),
    "new_full": _like(),
    "new_zeros": _like(0.0),
    "new_ones": _like(1.0),
    "new_empty": _like(0.0),
    "new_empty_strided": lambda program, a, shape, *_: _filled(0.0)(program, shape),
    "copy": _copied,
    "fill": _copied,
    "zero": _like(0.0),
    "masked_fill": lambda program, a, mask, value: _elementwise("where")(program, mask, value, a),
}


# ---- decompositions ------------------------------------------------------------------------------


def _sinh(x: Tensor) -> Tensor:
    # e^x − 1 keeps its precision near 0, where e^x − e^-x loses it.
    grown = torch.expm1(x)
    return (grown + grown / (grown + 1)) / 2


def _round(x: Tensor) -> Tensor:
    """To the nearest whole number, halves to the even one."""
    down = torch.floor(x)
    half = x - down == 0.5
    return torch.where(half, 2 * torch.floor(x / 2 + 0.25), torch.floor(x + 0.5))


_DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda x: torch.clamp_min(x, 0.0),
    "square": lambda x: x * x,
    "rsqrt": lambda x: torch.reciprocal(torch.sqrt(x)),
    "hypot": lambda a, b: torch.sqrt(a * a + b * b),
    "frac": lambda x: x - torch.trunc(x),
    "ceil": lambda x: -torch.floor(-x),
    "round": _round,
    "remainder": lambda a, b: a - b * torch.floor(a / b),
    "fmod": lambda a, b: a - b * torch.trunc(a / b),
    "floor_divide": lambda a, b: torch.floor(a / b),
    "exp2": lambda x: torch.exp(x * math.log(2)),
    "log2": lambda x: torch.log(x) * (1 / math.log(2)),
    "log10": lambda x: torch.log(x) * (1 / math.log(10)),
    "sinh": _sinh,
    "cosh": lambda x: (torch.exp(x) + torch.exp(-x)) / 2,
    "asin": lambda x: torch.atan2(x, torch.sqrt((1 - x) * (1 + x))),
    "acos": lambda x: torch.atan2(torch.sqrt((1 - x) * (1 + x)), x),
    "erfc": lambda x: 1 - torch.erf(x),
    "copysign": lambda a, b: torch.where((a < 0) != (b < 0), -a, a),
    "fmax": torch.maximum,
    "fmin": torch.minimum,
    "isnan": lambda x: x != x,
}
