"""The target `curve:EXPR?from=A&to=B&n=N`: a function of x sampled evenly, both ends included.

`axes=X,Y` names the axes of plots. Plots and metrics use these samples. Batches that are smaller
are drawn from the whole interval.

Without an expression it is the one of the article on automatic differentiation that the preset
`curve-v1` of `mlp` comes from: 2.777x² + 0.123 − 1.5x³ + sin 4x on [−1, 1].

Expressions such as ``2.777*x**2 + sin(4*x)`` have Python's grammar and are evaluated with numpy.
`ast` parses the text; numbers, x, constants, functions and operators are all that is accepted, and
nothing is ever given to `eval`. Length, depth and exponents are bounded, so that a hostile text
costs microseconds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, did_you_mean
from artgen.targets import (
    DEFAULT_REQUEST,
    MOST_SAMPLES,
    SampleTarget,
    SourceOptions,
    TargetRequest,
    content_hash,
    curve_from_function,
)

Array = NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]

_FUNCTIONS: dict[str, Function] = {
    name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh")
}
_CONSTANTS = {"pi": np.pi, "e": np.e}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}
_LONGEST, _DEEPEST = 500, 50
_LARGEST_EXPONENT = 64
_SYNTAX = "use numbers, x, + - * / **, parentheses, pi, e and " + ", ".join(_FUNCTIONS)

_EXPRESSION = "2.777*x**2 + 0.123 - 1.5*x**3 + sin(4*x)"
_SAMPLES = 200


def open_curve(rest: str, request: TargetRequest = DEFAULT_REQUEST) -> SampleTarget:
    """The curve that `rest` describes, such as ``sin(x)?from=-pi&to=pi``.

    Raises InputError for what is not an expression of x, and where it has no finite value.
    """
    options = SourceOptions("curve", rest, ("from", "to", "n", "axes"))
    start, end = _end(options.text("from", "-1")), _end(options.text("to", "1"))
    if not start < end:
        raise InputError(f"{options.source}: from must be less than to, got {start:g} and {end:g}")
    samples = options.number("n", _SAMPLES, 2, MOST_SAMPLES)
    function = Expression(options.what or _EXPRESSION)
    digest = content_hash(f"{function.text} {start!r} {end!r} {samples}")
    found = curve_from_function(
        function,
        request,
        options.name,
        start=start,
        end=end,
        samples=samples,
        source=options.source,
        sha256=digest,
    )
    return found.with_axes(options.pair("axes"))


def _end(text: str) -> float:
    """An end of the interval: an expression without x."""
    ends = Expression(text)(np.array([0.0, 1.0]))
    if not (abs(ends[0]) < 1e100 and ends[0] == ends[1]):
        raise InputError(
            f"{text!r} is not a number", hint="use a number or an expression such as -2 or pi/2"
        )
    return float(ends[0])


class Expression:
    """A function of x; call it with a float64 array for one of the same shape.

    Raises InputError if `text` cannot be read, pointing at the character that is wrong, and if an
    exponent is out of bounds. Undefined values are NaN or infinite.
    """

    def __init__(self, text: str) -> None:
        # `y = sin(x)` is how a curve is written.
        self.text = text = re.sub(r"^\s*y\s*=", "", text).strip()
        if len(text) > _LONGEST:
            raise InputError(
                f"the expression has {len(text)} characters, more than {_LONGEST}", hint=_SYNTAX
            )
        if found := re.search(r"[^\w\s.+*/()-]", text, re.ASCII):
            raise self._error(found.start(), f"{found[0]!r} cannot be read")
        try:
            # Lines mean nothing here, unlike in Python.
            tree = ast.parse(re.sub(r"\s", " ", text), mode="eval")
        except SyntaxError as error:
            place = error.offset - 1 if error.offset else len(text)
            unclosed = text.count("(") > text.count(")")
            problem = "'(' is not closed" if unclosed else "it cannot be read"
            raise self._error(place, problem) from None
        except (MemoryError, RecursionError):
            raise self._error(0, "it is nested too deeply") from None
        self._function = self._compile(tree.body)

    def __call__(self, x: Array) -> Array:
        """Evaluate the function."""
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(self._function(x), x.shape), np.float64)

    def _error(self, place: int, problem: str, hint: str = _SYNTAX) -> InputError:
        return InputError(f"expression {self.text!r}, character {place + 1}: {problem}", hint=hint)

    def _compile(self, node: ast.expr, depth: int = 0) -> Function:
        """Convert a node to a function of x."""
        if depth > _DEEPEST:
            problem = f"it is nested deeper than {_DEEPEST} levels"
            raise self._error(node.col_offset, problem, "write it more simply")
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                constant = np.float64(str(number))  # of any length, unlike an integer
                return lambda x: np.asarray(constant)
            case ast.Name(id="x"):
                return lambda x: x
            case ast.Name(id=name) if name in _CONSTANTS:
                return lambda x: np.asarray(np.float64(_CONSTANTS[name]))
            case ast.Call(func=ast.Name(id=name), args=[argument]) if name in _FUNCTIONS:
                function, inner = _FUNCTIONS[name], self._compile(argument, depth + 1)
                return lambda x: function(inner(x))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                sign, value = _OPERATORS[type(op)], self._compile(operand, depth + 1)
                return lambda x: sign(value(x))
            case ast.BinOp(left=first, op=op, right=second):
                # A sum of many terms is not deep.
                left, right = self._compile(first, depth), self._compile(second, depth + 1)
                if isinstance(op, ast.Pow):
                    return lambda x: self._power(left(x), right(x), second.col_offset)
                if operator := _OPERATORS.get(type(op)):
                    return lambda x: operator(left(x), right(x))
            case ast.Name(id=name) if name in _FUNCTIONS:
                hint = f"write {name}(x)"
                raise self._error(node.col_offset, f"{name} needs parentheses", hint)
            case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)) if name not in _FUNCTIONS:
                known = did_you_mean(name, ["x", *_CONSTANTS, *_FUNCTIONS])
                raise self._error(node.col_offset, f"unknown name {name!r}", known)
        raise self._error(node.col_offset, "it cannot be read")

    def _power(self, base: Array, exponent: Array, place: int) -> Array:
        if (np.abs(exponent) > _LARGEST_EXPONENT).any():
            problem = f"the exponent is larger than {_LARGEST_EXPONENT}"
            raise self._error(place, problem, "use exp for faster growth")
        return np.power(base, exponent)
