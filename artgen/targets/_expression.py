"""Expressions such as ``2.777*x**2 + sin(4*x)``, read and evaluated by ourselves.

A recursive descent over tokens, one function per level of precedence::

    sum      product (+ or - product)*
    product  sign (* or / sign)*
    sign     - sign | + sign | power
    power    atom (** sign)?                 so that -x**2 is -(x**2), and 2**-x is 2**(-x)
    atom     number | x | pi | e | function(sum) | (sum)

Nothing is ever given to `eval`. Length, depth and exponents are bounded, so that a hostile text
costs microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.errors import InputError, did_you_mean

Array = NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]

_FUNCTIONS: dict[str, Function] = {
    name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "abs", "tanh")
}
_CONSTANTS = {"pi": np.pi, "e": np.e}
_TOKEN = re.compile(
    r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\*\*|[-+*/()])",
    re.ASCII,
)
_LONGEST, _DEEPEST = 500, 50
_LARGEST_EXPONENT = 64
_SYNTAX = "it has numbers, x, + - * / **, parentheses, pi, e and " + ", ".join(_FUNCTIONS)


class Expression:
    """A function of x; call it with a float64 array for one of the same shape.

    Raises InputError where an exponent is out of bounds. What is not defined is NaN or infinite.
    """

    def __init__(self, text: str, function: Function) -> None:
        self.text, self._function = text, function

    def __call__(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(self._function(x), x.shape), np.float64)


def parse_expression(text: str) -> Expression:
    """Read an expression. Raises InputError that points at the character that is wrong."""
    if len(text) > _LONGEST:
        raise InputError(
            f"the expression has {len(text)} characters, more than {_LONGEST}", hint=_SYNTAX
        )
    parser = _Parser(text)
    function = parser.sum()
    if parser.token:
        raise parser.error(f"{parser.token!r} is too much")
    return Expression(text, function)


class _Parser:
    """Walks through the tokens; `token` is the one to be looked at, empty at the end."""

    def __init__(self, text: str) -> None:
        self.text, self.depth = text, 0
        self.start = self.end = 0
        self.token = self.kind = ""
        self.advance()

    def advance(self) -> str:
        """Go to the next token and return the one before."""
        before = self.token
        while self.text[self.end : self.end + 1].isspace():
            self.end += 1
        self.start = self.end
        found = _TOKEN.match(self.text, self.start)
        if found:
            self.end, self.token, self.kind = found.end(), found[0], found.lastgroup or ""
        elif self.start < len(self.text):
            self.token = self.text[self.start]
            raise self.error(f"{self.token!r} cannot be read")
        else:
            self.token = self.kind = ""
        return before

    def error(self, problem: str, hint: str = _SYNTAX) -> InputError:
        """An error at the present token."""
        return InputError(
            f"expression {self.text!r}, character {self.start + 1}: {problem}", hint=hint
        )

    def sum(self) -> Function:
        """Terms."""
        value = self.product()
        while self.token in ("+", "-"):
            add = np.add if self.advance() == "+" else np.subtract
            value = _both(add, value, self.product())
        return value

    def product(self) -> Function:
        """Factors."""
        value = self.sign()
        while self.token in ("*", "/"):
            times = np.multiply if self.advance() == "*" else np.divide
            value = _both(times, value, self.sign())
        return value

    def sign(self) -> Function:
        """Every level of nesting comes through here, so here their number is bounded."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"it is nested deeper than {_DEEPEST} levels", "write it more simply")
        if self.token == "-":
            self.advance()
            value = self.sign()
            result: Function = lambda x: -value(x)  # noqa: E731
        elif self.token == "+":
            self.advance()
            result = self.sign()
        else:
            result = self.power()
        self.depth -= 1
        return result

    def power(self) -> Function:
        """A power whose exponent is bounded."""
        base = self.atom()
        if self.token != "**":
            return base
        wrong = self.error(
            f"the exponent goes beyond {_LARGEST_EXPONENT}", "use exp for what grows so fast"
        )
        self.advance()
        exponent = self.sign()

        def raised(x: Array) -> Array:
            power = exponent(x)
            if (np.abs(power) > _LARGEST_EXPONENT).any():
                raise wrong
            return np.power(base(x), power)

        return raised

    def atom(self) -> Function:
        """A number, a name, a call or a parenthesis."""
        if self.kind == "number":
            number = np.float64(self.advance())
            return lambda x: np.asarray(number)
        if self.kind == "name":
            return self.named()
        if self.token == "(":
            return self.parenthesis()
        found = f"{self.token!r}" if self.token else "the end"
        raise self.error(f"a number, x or a function is missing before {found}")

    def named(self) -> Function:
        """x, a constant, or a function of what stands in parentheses."""
        name = self.token
        if name in _FUNCTIONS:
            self.advance()
            if self.token != "(":
                raise self.error(f"{name} needs parentheses", f"write {name}(x)")
            function, inner = _FUNCTIONS[name], self.parenthesis()
            return lambda x: function(inner(x))
        if name == "x":
            self.advance()
            return lambda x: x
        if name not in _CONSTANTS:
            raise self.error(
                f"there is no {name!r}", did_you_mean(name, ["x", *_CONSTANTS, *_FUNCTIONS])
            )
        constant = np.float64(_CONSTANTS[self.advance()])
        return lambda x: np.asarray(constant)

    def parenthesis(self) -> Function:
        """The expression in parentheses."""
        self.advance()
        value = self.sum()
        if self.token != ")":
            raise self.error("a ) is missing")
        self.advance()
        return value


def _both(operator: Callable[[Array, Array], Array], left: Function, right: Function) -> Function:
    return lambda x: operator(left(x), right(x))
