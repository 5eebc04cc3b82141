"""A footprint as a straight line of scalar operations, with its gradient.

The footprint and its vector-Jacobian product are traced once into a graph of aten operations
(`make_fx` over `torch.func.vjp`, with torch's own decompositions). The graph is then interpreted
over arrays of *names* instead of numbers: an array of the shape of a small parameter vector holds
one name per component, so that indexing, stacking and broadcasting cost nothing, and what is left
is scalar arithmetic. On the way constants are folded, equal expressions merged, and every value is
marked by what it depends on: the splat alone, the row, or the pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.primitives import Params, Splat

__all__ = ["Untraceable", "Value", "Program", "trace"]

UNIFORM, ROW, PIXEL = 0, 1, 2
"""What a value depends on: the splat alone; also dy; also dx or the incoming gradient."""


class Untraceable(Exception):
    """The footprint cannot be compiled; the message names the operation and the line."""


@dataclass(frozen=True)
class Value:
    """One scalar: an operation on earlier values (by number) and constants (floats)."""

    operation: str
    arguments: tuple[int | float, ...]
    level: int


Operand = int | float


@dataclass
class Program:
    """Scalar values in order of computation.

    `inputs` maps input names (``dx``, ``dy``, ``g``, ``scale.0``, …) to value numbers; `weight` is
    the footprint; `gradients` maps ``dx``, ``dy`` and every parameter component to the derivative
    of g·w by it.
    """

    values: list[Value] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    weight: Operand = 0.0
    gradients: dict[str, Operand] = field(default_factory=dict)
    _known: dict[tuple[str, tuple[Operand, ...]], int] = field(default_factory=dict)

    def level(self, operand: Operand) -> int:
        """What an operand depends on."""
        return self.values[operand].level if isinstance(operand, int) else UNIFORM

    def input(self, name: str, level: int) -> int:
        """Declare an input."""
        self.values.append(Value("input", (), level))
        self.inputs[name] = len(self.values) - 1
        return self.inputs[name]

    def add(self, operation: str, *arguments: Operand) -> Operand:
        """The value of `operation`; folded, simplified or found among the earlier ones."""
        folded = _fold(operation, arguments)
        if folded is not None:
            return folded
        same = self._simplify(operation, arguments)
        if same is not None:
            return same
        if operation in _COMMUTATIVE:
            arguments = tuple(sorted(arguments, key=lambda a: (isinstance(a, float), a)))
        key = (operation, arguments)
        if key not in self._known:
            level = max(map(self.level, arguments), default=UNIFORM)
            self.values.append(Value(operation, arguments, level))
            self._known[key] = len(self.values) - 1
        return self._known[key]

    def _simplify(self, operation: str, arguments: tuple[Operand, ...]) -> Operand | None:
        """Rules that save work at run time and change no result beyond rounding."""
        a, b = (*arguments, 0.0, 0.0)[:2]
        if operation == "mul":
            for x, y in ((a, b), (b, a)):
                if isinstance(x, float) and x in (0.0, 1.0, -1.0):
                    return {0.0: 0.0, 1.0: y}.get(x, None) if x != -1.0 else self.add("neg", y)
        elif operation == "add":
            if a == 0.0 and isinstance(a, float):
                return b
            if b == 0.0 and isinstance(b, float):
                return a
        elif operation == "sub":
            if b == 0.0 and isinstance(b, float):
                return a
            if a == 0.0 and isinstance(a, float):
                return self.add("neg", b)
        elif operation == "div":
            if isinstance(b, float) and b != 0:
                return self.add("mul", a, 1.0 / b)
            if isinstance(b, int) and self.level(b) < self.level(a):
                # One division per splat or row instead of one per pixel.
                return self.add("mul", a, self.add("div", 1.0, b))
        elif operation == "neg":
            if isinstance(a, int) and self.values[a].operation == "neg":
                return self.values[a].arguments[0]
        elif operation == "where":
            if arguments[1] == arguments[2] and type(arguments[1]) is type(arguments[2]):
                return arguments[1]
        elif operation == "pow":
            return self._power(a, b)
        return None

    def _power(self, base: Operand, exponent: Operand) -> Operand | None:
        """Small constant exponents as products and roots."""
        if not isinstance(exponent, float):
            return None
        if exponent == 0.0:
            return 1.0
        if exponent < 0:
            return self.add("div", 1.0, self.add("pow", base, -exponent))
        if exponent == 0.5:
            return self.add("sqrt", base)
        whole = int(exponent)
        if whole > 16 or exponent - whole not in (0.0, 0.5):
            return None
        result: Operand = self.add("sqrt", base) if exponent != whole else 1.0
        square = base
        while whole:
            if whole & 1:
                result = self.add("mul", result, square)
            square = self.add("mul", square, square)
            whole >>= 1
        return result


_COMMUTATIVE = {"add", "mul", "minimum", "maximum", "eq", "ne", "and", "or"}

_NUMERIC: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: a**b,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "abs": abs,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "atan": math.atan,
    "atan2": math.atan2,
    "erf": math.erf,
    "floor": math.floor,
    "trunc": math.trunc,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "sign": lambda a: (a > 0) - (a < 0),
    "minimum": min,
    "maximum": max,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": lambda a: not a,
    "where": lambda c, a, b: a if c else b,
}


def _fold(operation: str, arguments: tuple[Operand, ...]) -> Operand | None:
    """The number itself, where all arguments are numbers."""
    if operation == "where" and isinstance(arguments[0], float):
        return arguments[1] if arguments[0] else arguments[2]
    if not all(isinstance(argument, float) for argument in arguments):
        return None
    try:
        return float(_NUMERIC[operation](*arguments))
    except (ValueError, OverflowError, ZeroDivisionError):
        return math.nan


def trace(splat: Splat) -> Program:
    """Trace the footprint of `splat` with its gradient. Raises Untraceable."""
    from torch._decomp import core_aten_decompositions
    from torch.fx.experimental.proxy_tensor import make_fx

    shapes = {
        name: param.shape
        for name, param in splat.declared_params().items()
        if name not in ("colour", "z", "opacity")
    }
    names = list(shapes)

    def footprint(dx: Tensor, dy: Tensor, *values: Tensor) -> Tensor:
        return splat.footprint(dx, dy, Params(dict(zip(names, values, strict=True))))

    def with_gradient(dx: Tensor, dy: Tensor, g: Tensor, *values: Tensor) -> Any:
        weight, vjp = torch.func.vjp(footprint, dx, dy, *values)
        return (weight, *vjp(g))

    # Any values do: what depends on them is recorded, not computed.
    examples = [torch.full(shape, 0.4) for shape in shapes.values()]
    scalars = [torch.tensor(value) for value in (0.3, 0.2, 1.0)]
    try:
        traced = make_fx(
            torch.func.functionalize(with_gradient), decomposition_table=core_aten_decompositions()
        )(*scalars, *examples)
    except Exception as error:
        raise Untraceable(_why(error, splat)) from error
    traced.graph.eliminate_dead_code()

    program = Program()
    starts: list[NDArray[Any]] = [_array(program.input("dx", PIXEL))]
    starts += [_array(program.input("dy", ROW)), _array(program.input("g", PIXEL))]
    for name, shape in shapes.items():
        start = np.empty(shape, object)
        for index in np.ndindex(*shape):
            start[index] = program.input(".".join([name, *map(str, index)]), UNIFORM)
        starts.append(start)
    results = _interpret(traced.graph, program, starts)

    program.weight = results[0].item()
    program.gradients = {"dx": results[1].item(), "dy": results[2].item()}
    for (name, shape), result in zip(shapes.items(), results[3:], strict=True):
        for index in np.ndindex(*shape):
            program.gradients[".".join([name, *map(str, index)])] = result[index]
    return program


def _interpret(
    graph: torch.fx.Graph, program: Program, inputs: Sequence[NDArray[Any]]
) -> list[NDArray[Any]]:
    """Run the graph over arrays of operands."""
    known: dict[torch.fx.Node, Any] = {}
    remaining = iter(inputs)

    def operand(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            return known[argument]
        if isinstance(argument, list | tuple):
            return type(argument)(operand(item) for item in argument)
        return argument

    for node in graph.nodes:
        if node.op == "placeholder":
            known[node] = next(remaining)
        elif node.op == "get_attr":
            known[node] = _constants(getattr(graph.owning_module, str(node.target)))
        elif node.op == "output":
            return [operand(result) for result in node.args[0]]
        else:
            rule = _RULES.get(str(node.target).removeprefix("aten."))
            if rule is None:
                raise Untraceable(f"{node.target} has no scalar form{_line_of(node)}")
            arguments = [operand(argument) for argument in node.args]
            keywords = {key: operand(value) for key, value in node.kwargs.items()}
            try:
                known[node] = rule(program, *arguments, **keywords)
            except Untraceable as error:
                raise Untraceable(f"{error}{_line_of(node)}") from None
    raise AssertionError("a graph ends with its output")


# ---- rules: one aten operation over arrays of operands -------------------------------------------

Rule = Callable[..., NDArray[Any]]


def _array(value: Any) -> NDArray[Any]:
    """An array of operands; Python numbers become floats."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), object)
    array[()] = value
    return array


def _number(value: Any) -> NDArray[Any]:
    """An argument that is an array of operands, or a literal number."""
    return value if isinstance(value, np.ndarray) else _array(float(value))


def _constants(tensor: Tensor) -> NDArray[Any]:
    """A tensor the footprint made itself: every element a literal."""
    array = np.empty(tuple(tensor.shape), object)
    for index in np.ndindex(*array.shape):
        array[index] = float(tensor[index].item())
    return array


def _elementwise(operation: str) -> Rule:
    return _composed(lambda add, *operands: add(operation, *operands))


def _composed(formula: Callable[..., Operand]) -> Rule:
    """An elementwise operation made of others: ``formula(add, *operands)``."""

    def rule(program: Program, *arguments: Any, **keywords: Any) -> NDArray[Any]:
        arrays = np.broadcast_arrays(*(_number(argument) for argument in arguments))
        result = np.empty(arrays[0].shape, object)
        for index in np.ndindex(*result.shape):
            result[index] = formula(program.add, *(array[index] for array in arrays))
        return result

    return rule


def _scaled(operation: str) -> Rule:
    """add and sub with torch's keyword `alpha`."""
    plain = _elementwise(operation)

    def rule(program: Program, a: Any, b: Any, alpha: float = 1) -> NDArray[Any]:
        if alpha != 1:
            b = _elementwise("mul")(program, b, alpha)
        return plain(program, a, b)

    return rule


def _div_mode(program: Program, a: Any, b: Any, rounding_mode: str | None = None) -> NDArray[Any]:
    quotient = _elementwise("div")(program, a, b)
    return quotient if rounding_mode is None else _elementwise(rounding_mode)(program, quotient)


def _clamp(program: Program, a: Any, low: Any = None, high: Any = None) -> NDArray[Any]:
    if low is not None:
        a = _elementwise("maximum")(program, a, low)
    return a if high is None else _elementwise("minimum")(program, a, high)


def _dims(dims: Any, rank: int) -> tuple[int, ...]:
    if dims is None or dims == []:
        return tuple(range(rank))
    return tuple(dims) if isinstance(dims, list | tuple) else (int(dims),)


def _reduction(operation: str, empty: float) -> Rule:
    def rule(
        program: Program, a: NDArray[Any], dims: Any = None, keepdim: bool = False, **_: Any
    ) -> NDArray[Any]:
        axes = _dims(dims, a.ndim)
        if a.ndim == 0:
            return a
        moved = np.moveaxis(a, axes, range(len(axes)))
        flat = moved.reshape(-1, *moved.shape[len(axes) :])
        result = np.empty(flat.shape[1:], object)
        for index in np.ndindex(*result.shape):
            column = flat[(slice(None), *index)]
            total: Operand = column[0] if len(column) else empty
            for item in column[1:]:
                total = program.add(operation, total, item)
            result[index] = total
        return np.expand_dims(result, axes) if keepdim else result

    return rule


def _mean(
    program: Program, a: NDArray[Any], dims: Any = None, keepdim: bool = False, **_: Any
) -> NDArray[Any]:
    count = math.prod(a.shape[axis] for axis in _dims(dims, a.ndim)) or 1
    total = _reduction("add", 0.0)(program, a, dims, keepdim)
    return _elementwise("mul")(program, total, 1.0 / count)


def _norm(
    program: Program,
    a: NDArray[Any],
    order: float = 2,
    dims: Any = None,
    keepdim: bool = False,
    **_: Any,
) -> NDArray[Any]:
    if order != 2:
        raise Untraceable(f"a norm of order {order}")
    square = _elementwise("mul")(program, a, a)
    return _elementwise("sqrt")(program, _reduction("add", 0.0)(program, square, dims, keepdim))


def _cumprod(program: Program, a: NDArray[Any], dim: int, **_: Any) -> NDArray[Any]:
    result = np.moveaxis(a.copy(), dim, 0) if a.ndim else a
    for i in range(1, len(result) if a.ndim else 0):
        result[i, ...] = _elementwise("mul")(program, _array(result[i - 1]), _array(result[i]))
    return np.moveaxis(result, 0, dim) if a.ndim else a


def _view(change: Callable[..., NDArray[Any]]) -> Rule:
    """What only rearranges: done on the array of operands itself."""

    def rule(program: Program, a: Any, *arguments: Any, **_: Any) -> NDArray[Any]:
        return _array(change(a, *arguments))

    return rule


def _expand(a: NDArray[Any], sizes: Sequence[int], *_: Any) -> NDArray[Any]:
    padded = (1,) * (len(sizes) - a.ndim) + a.shape
    shape = tuple(own if size == -1 else size for own, size in zip(padded, sizes, strict=True))
    return np.broadcast_to(a, shape)


def _slice(
    a: NDArray[Any], dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> NDArray[Any]:
    place: list[Any] = [slice(None)] * a.ndim
    place[dim] = slice(start, end, step)
    return a[tuple(place)]


def _select(a: NDArray[Any], dim: int, index: int) -> Any:
    return a[(slice(None),) * (dim % a.ndim) + (index,)]


def _squeeze(a: NDArray[Any], dims: Any = None) -> NDArray[Any]:
    if dims is None:
        return np.squeeze(a)
    axes = tuple(axis for axis in _dims(dims, a.ndim) if a.ndim and a.shape[axis] == 1)
    return np.squeeze(a, axes)


def _filled(program: Program, shape: Any, value: Any = 0.0, **_: Any) -> NDArray[Any]:
    array = np.empty(tuple(shape), object)
    array[...] = float(value)
    return array


def _like(value: float | None) -> Rule:
    def rule(program: Program, a: NDArray[Any], fill: Any = None, **_: Any) -> NDArray[Any]:
        return _filled(program, a.shape, fill if value is None else value)

    return rule


def _arange(program: Program, *arguments: Any, **_: Any) -> NDArray[Any]:
    return np.array([float(i) for i in range(*map(int, arguments))], object)


def _gelu(add: Any, x: Operand) -> Operand:
    return add(  # type: ignore[no-any-return]
        "mul", add("mul", x, 0.5), add("add", 1.0, add("erf", add("mul", x, math.sqrt(0.5))))
    )


def _softplus(add: Any, x: Operand, beta: Operand = 1.0, threshold: Operand = 20.0) -> Operand:
    scaled = add("mul", x, beta)
    soft = add("div", add("log1p", add("exp", add("minimum", scaled, threshold))), beta)
    return add("where", add("gt", scaled, threshold), x, soft)  # type: ignore[no-any-return]


def _elu(
    add: Any, x: Operand, alpha: Operand = 1.0, scale: Operand = 1.0, inner: Operand = 1.0
) -> Operand:
    low = add("mul", alpha, add("expm1", add("mul", inner, add("minimum", x, 0.0))))
    chosen = add("where", add("gt", x, 0.0), x, low)
    return add("mul", scale, chosen)  # type: ignore[no-any-return]


def _leaky(add: Any, x: Operand, slope: Operand = 0.01) -> Operand:
    return add("where", add("gt", x, 0.0), x, add("mul", x, slope))  # type: ignore[no-any-return]


def _remainder(add: Any, a: Operand, b: Operand) -> Operand:
    return add("sub", a, add("mul", b, add("floor", add("div", a, b))))  # type: ignore[no-any-return]


def _both(name: str, rule: Rule) -> dict[str, Rule]:
    return {f"{name}.Tensor": rule, f"{name}.Scalar": rule, f"{name}.default": rule}


_RULES: dict[str, Rule] = {
    **_both("add", _scaled("add")),
    **_both("sub", _scaled("sub")),
    **_both("mul", _elementwise("mul")),
    **_both("div", _elementwise("div")),
    "div.Tensor_mode": _div_mode,
    **_both("remainder", _composed(_remainder)),
    **{
        f"{name}.{kind}": _elementwise(name)
        for name in ("lt", "le", "gt", "ge", "eq", "ne")
        for kind in ("Tensor", "Scalar")
    },
    **{
        f"{name}.default": _elementwise(name)
        for name in (
            "neg exp expm1 log log1p sqrt abs sin cos tan tanh atan atan2 erf floor trunc sigmoid "
            "sign minimum maximum"
        ).split()
    },
    **{f"pow.{kind}": _elementwise("pow") for kind in ("Tensor_Scalar", "Tensor_Tensor", "Scalar")},
    "logical_and.default": _elementwise("and"),
    "logical_or.default": _elementwise("or"),
    "logical_not.default": _elementwise("not"),
    "bitwise_and.Tensor": _elementwise("and"),
    "bitwise_or.Tensor": _elementwise("or"),
    "bitwise_not.default": _elementwise("not"),
    "where.self": _elementwise("where"),
    "where.ScalarSelf": _elementwise("where"),
    "where.ScalarOther": _elementwise("where"),
    "where.Scalar": _elementwise("where"),
    "clamp.default": _clamp,
    "clamp.Tensor": _clamp,
    "clamp_min.default": lambda program, a, low: _clamp(program, a, low),
    "clamp_max.default": lambda program, a, high: _clamp(program, a, None, high),
    "relu.default": lambda program, a: _elementwise("maximum")(program, a, 0.0),
    "reciprocal.default": lambda program, a: _elementwise("div")(program, 1.0, a),
    "rsqrt.default": _composed(lambda add, a: add("div", 1.0, add("sqrt", a))),
    "square.default": _composed(lambda add, a: add("mul", a, a)),
    "hypot.default": _composed(
        lambda add, a, b: add("sqrt", add("add", add("mul", a, a), add("mul", b, b)))
    ),
    "frac.default": _composed(lambda add, a: add("sub", a, add("trunc", a))),
    "ceil.default": _composed(lambda add, a: add("neg", add("floor", add("neg", a)))),
    "gelu.default": _composed(_gelu),
    "softplus.default": _composed(_softplus),
    "elu.default": _composed(_elu),
    "leaky_relu.default": _composed(_leaky),
    "sum.default": _reduction("add", 0.0),
    "sum.dim_IntList": _reduction("add", 0.0),
    "prod.default": _reduction("mul", 1.0),
    "prod.dim_int": _reduction("mul", 1.0),
    "amax.default": _reduction("maximum", -math.inf),
    "amin.default": _reduction("minimum", math.inf),
    "max.default": _reduction("maximum", -math.inf),
    "min.default": _reduction("minimum", math.inf),
    "any.default": _reduction("or", 0.0),
    "mean.default": _mean,
    "mean.dim": _mean,
    "linalg_vector_norm.default": _norm,
    "cumprod.default": _cumprod,
    **{
        f"{name}.default": _view(lambda a, *_: a)
        for name in (
            "alias detach clone contiguous lift_fresh lift_fresh_copy _to_copy "
            "_conj resolve_conj resolve_neg"
        ).split()
    },
    "select.int": _view(_select),
    "slice.Tensor": _view(_slice),
    "view.default": _view(lambda a, shape: a.reshape(shape)),
    "_unsafe_view.default": _view(lambda a, shape: a.reshape(shape)),
    "reshape.default": _view(lambda a, shape: a.reshape(shape)),
    "expand.default": _view(_expand),
    "unsqueeze.default": _view(lambda a, dim: np.expand_dims(a, dim)),
    "squeeze.default": _view(_squeeze),
    "squeeze.dim": _view(_squeeze),
    "squeeze.dims": _view(_squeeze),
    "permute.default": _view(lambda a, dims: a.transpose(dims)),
    "t.default": _view(lambda a: a.T),
    "flip.default": _view(lambda a, dims: np.flip(a, tuple(dims))),
    "cat.default": lambda program, parts, dim=0: np.concatenate(parts, axis=dim),
    "stack.default": lambda program, parts, dim=0: np.stack(parts, axis=dim),
    "full.default": _filled,
    "zeros.default": _filled,
    "ones.default": lambda program, shape, **_: _filled(program, shape, 1.0),
    "new_zeros.default": lambda program, a, shape, **_: _filled(program, shape),
    "new_full.default": lambda program, a, shape, value, **_: _filled(program, shape, value),
    "empty_permuted.default": lambda program, shape, *_, **__: _filled(program, shape),
    "full_like.default": _like(None),
    "zeros_like.default": _like(0.0),
    "ones_like.default": _like(1.0),
    "scalar_tensor.default": lambda program, value, **_: _array(float(value)),
    "arange.default": _arange,
    "arange.start": _arange,
    "arange.start_step": _arange,
}


def _why(error: Exception, splat: Splat) -> str:
    """What of the footprint stopped the trace, with its line."""
    import traceback

    text = str(error).strip().splitlines()
    reason = text[0] if text else type(error).__name__
    if "data-dependent" in str(error).lower() or "Boolean value" in reason or "bool" in reason:
        reason = "a decision (`if`, `float()`, `.item()`) depends on a tensor"
    if "item" in reason or "local_scalar_dense" in str(error):
        reason = "a decision (`if`, `float()`, `.item()`) depends on a tensor"
    file = _source_of(splat)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if file is not None and frame.filename == file:
            return f"{reason}, at line {frame.lineno}: {(frame.line or '').strip()}"
    return reason


def _source_of(splat: Splat) -> str | None:
    code = getattr(type(splat).footprint, "__code__", None)
    return None if code is None else str(code.co_filename)


def _line_of(node: torch.fx.Node) -> str:
    """Where in the footprint a node comes from, where the graph remembers it."""
    stack: Mapping[str, Any] = node.meta
    where = str(stack.get("stack_trace") or "").strip().splitlines()
    return f", at {where[-1].strip()}" if where else ""
