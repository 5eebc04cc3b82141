"""Rules of torch operations on arrays of value numbers.

A tensor is represented by an integer array of its shape, with the number of a value of the `IR` for
each element. So rearranging costs nothing (numpy's views are views just where torch's are), and
elementwise operations add one value per element.

An operation has a *rule*, which builds values, or a *decomposition* (`aten_decompositions`), torch
code made of simpler operations. Rules come first, then our decompositions, then torch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from artgen.compiler.aten_views import VIEWS
from artgen.compiler.ir import OPERATIONS
from artgen.compiler.operands import Numbers, Record, Rule, axes_of, numbers


def find_rule(name: str, overload: str) -> Rule | Callable[..., list[Numbers]] | None:
    """The rule of an operation: of one overload, or of all."""
    return _RULES.get(f"{name}.{overload}") or _RULES.get(name)


def _elementwise(operation: str) -> Rule:
    def rule(ir: Record, *arguments: Any) -> Numbers:
        arrays = np.broadcast_arrays(*(numbers(ir, argument) for argument in arguments))
        return ir.elementwise(operation, arrays)

    return rule


def _scaled(operation: str) -> Rule:
    """add and sub, which multiply the second argument by `alpha`."""

    def rule(ir: Record, a: Any, b: Any, alpha: float = 1) -> Numbers:
        scaled = _elementwise("mul")(ir, b, alpha)
        return _elementwise(operation)(ir, a, scaled)

    return rule


def _divide(ir: Record, a: object, b: object, rounding_mode: str | None = None) -> Numbers:
    quotient = _elementwise("div")(ir, a, b)
    return quotient if rounding_mode is None else _elementwise(rounding_mode)(ir, quotient)


def _clamp(ir: Record, a: Numbers, low: object = None, high: object = None) -> Numbers:
    if low is not None:
        a = _elementwise("maximum")(ir, a, low)
    return a if high is None else _elementwise("minimum")(ir, a, high)


def _convert(ir: Record, a: Numbers, dtype: torch.dtype | None = None) -> Numbers:
    """To another type: kernels know numbers and truth, and numbers are all float32."""
    if dtype is torch.bool:
        return _elementwise("ne")(ir, a, 0.0)
    if dtype is None or dtype.is_floating_point:
        return a.copy()
    return _elementwise("trunc")(ir, a)


def _reduction(operation: str, empty: float) -> Rule:
    def rule(ir: Record, a: Numbers, dims: Any = None, keepdim: bool = False) -> Numbers:
        axes = axes_of(dims, a.ndim)
        moved = np.moveaxis(a, axes, range(len(axes)))
        terms = moved.reshape(-1, *moved.shape[len(axes) :])
        total = terms[0] if len(terms) else np.full(terms.shape[1:], ir.constant(empty))
        for term in terms[1:]:
            total = _elementwise(operation)(ir, np.asarray(total), np.asarray(term))
        return np.array(np.expand_dims(total, axes) if keepdim else total)

    return rule


_sum = _reduction("add", 0.0)


def _mean(ir: Record, a: Numbers, dims: object = None, keepdim: bool = False) -> Numbers:
    count = math.prod(a.shape[axis] for axis in axes_of(dims, a.ndim))
    return _elementwise("div")(ir, _sum(ir, a, dims, keepdim), count)


def _norm(
    ir: Record, a: Numbers, order: float = 2, dims: object = None, keepdim: bool = False
) -> Numbers:
    if order != 2:
        raise NotImplementedError(f"a norm of order {order}")
    square = _elementwise("mul")(ir, a, a)
    return _elementwise("sqrt")(ir, _sum(ir, square, dims, keepdim))


def _cumulative(operation: str) -> Rule:
    def rule(ir: Record, a: Numbers, dim: int) -> Numbers:
        result = np.array(a)
        along = np.moveaxis(result, dim, 0) if a.ndim else result[None]
        for i in range(1, len(along)):
            along[i] = _elementwise(operation)(ir, np.asarray(along[i - 1]), np.asarray(along[i]))
        return result

    return rule


def _product(ir: Record, a: object, b: object) -> Numbers:
    """dot, mv, mm and bmm: what numpy calls matmul."""
    a, b = numbers(ir, a), numbers(ir, b)
    known = ir.product(a, b)
    if known is not None:
        return known
    left = a[..., None] if b.ndim > 1 else a
    right = b[..., None, :, :] if b.ndim > 1 else b
    terms = _elementwise("mul")(ir, left, right)
    return _sum(ir, terms, -2 if b.ndim > 1 else -1)


def _take(ir: Record, table: Any, places: Any) -> Numbers:
    """Constants looked up by computed numbers: ``torch.take(table, i.long())``."""
    if isinstance(table, np.ndarray):
        raise NotImplementedError("a table that is computed")
    return ir.fetch(numbers(ir, places), table.detach().cpu().float().numpy().ravel())


_RULES: dict[str, Rule | Callable[..., list[Numbers]]] = {
    **{name: _elementwise(name) for name in OPERATIONS},  # of the same names
    "add": _scaled("add"),
    "sub": _scaled("sub"),
    "rsub": lambda ir, a, b, alpha=1: _scaled("sub")(ir, b, a, alpha),
    "div": _divide,
    "reciprocal": lambda ir, a: _divide(ir, 1.0, a),
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clamp_max": lambda ir, a, high: _clamp(ir, a, None, high),
    "logical_and": _elementwise("and"),
    "logical_or": _elementwise("or"),
    "logical_not": _elementwise("not"),
    "bitwise_and": _elementwise("and"),
    "bitwise_or": _elementwise("or"),
    "bitwise_not": _elementwise("not"),
    "sum": _sum,
    "mean": _mean,
    "prod": _reduction("mul", 1.0),
    **dict.fromkeys(("amax", "max.default"), _reduction("maximum", -math.inf)),
    **dict.fromkeys(("amin", "min.default"), _reduction("minimum", math.inf)),
    "any": _reduction("or", 0.0),
    "all": _reduction("and", 1.0),
    "linalg_vector_norm": _norm,
    "cumsum": _cumulative("add"),
    "cumprod": _cumulative("mul"),
    **dict.fromkeys(("dot", "mv", "mm", "bmm"), _product),
    **VIEWS,
    **dict.fromkeys(("clone", "contiguous", "_to_copy"), _convert),
    "take": _take,
    "masked_fill": lambda ir, a, mask, value: _elementwise("where")(ir, mask, value, a),
}
