"""The intermediate representation: scalar arithmetic as a list of values, simplified as it grows.

Every value is one operation on earlier ones. Constants are folded, equal values merged, and each
value knows whether it depends on the pixel or on the splat alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.compiler.operands import Numbers, Record

Component = tuple[str, tuple[int, ...]]
"""One number of a parameter: its name and the index inside its shape."""

DX, DY, G = 0, 1, 2
"""The first three values: the offset from the centre, and the gradient arriving at the pixel."""

PIXEL: Component = ("pixel", ())
"""The side of a pixel, which is the same for all splats but not for all pictures."""

OPERATIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in (
            *("abs", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "tanh"),
            *("floor", "trunc", "minimum", "maximum", "where"),
        )
    },
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "erf": math.erf,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
}
"""The operations, as functions of float64 numbers; booleans are 1.0 and 0.0."""

_COMMUTATIVE = {"add", "mul", "minimum", "maximum", "eq", "ne", "and", "or"}


class Value(NamedTuple):
    """An operation on earlier values, which are given by their numbers."""

    operation: str
    """``input``, ``constant``, ``fetch`` (from `IR.table`) or a key of `OPERATIONS`."""
    arguments: tuple[int, ...] = ()
    per_pixel: bool = False
    constant: float | None = None


@dataclass
class IR(Record):
    """The intermediate representation of a footprint and its gradient, as numbered values.

    `inputs` are the parameter components. `weight` is the footprint and `colours` the factors of
    the part's colour, none or three; `arriving` are inputs, the gradients that arrive at these.
    `offset_gradient` and `gradients` are the derivatives of g·weight + ∑ arriving·colours by (dx,
    dy) and by every input. `ellipse` holds two half axes and an angle, where they were asked for.
    """

    values: list[Value] = field(default_factory=lambda: [Value("input", (), True)] * 3)
    inputs: dict[Component, int] = field(default_factory=dict)
    weight: int = -1
    colours: tuple[int, ...] = ()
    arriving: tuple[int, ...] = ()
    ellipse: tuple[int, ...] = ()
    offset_gradient: tuple[int, int] = (-1, -1)
    gradients: dict[Component, int] = field(default_factory=dict)
    table: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """The constants that ``fetch`` looks up by their numbers, fractions dropped."""
    known: dict[tuple[Any, ...], int] = field(default_factory=dict)
    least: list[int] = field(default_factory=lambda: [0] * 3)
    """For each value: 2 if it is positive, 1 if it is not negative, 0 if unknown."""

    def append(self, value: Value) -> int:
        """Add a value without simplifying it."""
        self.least.append(self._least_of(value))
        self.values.append(value)
        return len(self.values) - 1

    def input(self, component: Component) -> int:
        """The number of a parameter component, which is declared if it is new."""
        if component not in self.inputs:
            self.inputs[component] = self.append(Value("input"))
        return self.inputs[component]

    def constant(self, number: float) -> int:
        """Return the number of a constant."""
        key = ("constant", repr(number))
        if key not in self.known:
            self.known[key] = self.append(Value("constant", constant=number))
        return self.known[key]

    def add(self, operation: str, *arguments: int) -> int:
        """The value of `operation`: folded, simplified, found among the earlier ones, or new."""
        if operation in _COMMUTATIVE:
            arguments = tuple(sorted(arguments))
        key = (operation, *arguments)
        if key not in self.known:
            simpler = self._fold(operation, arguments)
            if simpler is None:
                simpler = self._simplify(operation, arguments)
            if simpler is None:
                per_pixel = any(self.values[argument].per_pixel for argument in arguments)
                simpler = self.append(Value(operation, arguments, per_pixel))
            self.known[key] = simpler
        return self.known[key]

    def fetch(self, places: Numbers, table: NDArray[np.float32]) -> Numbers:
        """Look constants up by their numbers in `table`, which becomes a part of the record's."""
        first = ("table", table.tobytes())
        if first not in self.known:
            self.known[first] = len(self.table)
            self.table = np.concatenate([self.table, table])
        start = self.constant(float(self.known[first]))
        result = np.empty(places.shape, np.int64)
        for index in np.ndindex(*places.shape):
            operation, arguments, *_ = self.values[place := int(places[index])]
            # Fractions are dropped anyway.
            place = arguments[0] if operation == "trunc" else place
            result[index] = self.add("fetch", self.add("add", place, start))
        return result

    def _fold(self, operation: str, arguments: tuple[int, ...]) -> int | None:
        """A constant, where all arguments are constants."""
        numbers = [self.values[argument].constant for argument in arguments]
        if None in numbers:
            return None
        if operation == "fetch":
            return self.constant(float(self.table[int(numbers[0] or 0)]))
        with np.errstate(all="ignore"):
            return self.constant(float(OPERATIONS[operation](*map(np.float64, numbers))))

    def _simplify(self, operation: str, arguments: tuple[int, ...]) -> int | None:
        """An equal value that costs less; 0·x is 0 even where x is not finite."""
        known = [self.values[argument].constant for argument in arguments]
        a, b = (*arguments, -1)[:2]
        match operation, *known:
            case ("mul", 0.0, _) | ("mul", _, 0.0):
                return self.constant(0.0)
            case ("mul", 1.0, _) | ("add", 0.0, _):
                return b
            case ("mul", _, 1.0) | ("add", _, 0.0) | ("sub", _, 0.0):
                return a
            case ("mul", -1.0, _) | ("sub", 0.0, _):
                return self.add("neg", b)
            case ("mul", _, -1.0):
                return self.add("neg", a)
            case "neg", _ if self.values[a].operation == "neg":
                return self.values[a].arguments[0]
            case "div", _, float(divisor) if divisor != 0:
                return self.add("mul", a, self.constant(1 / divisor))
            case "div", 1.0, _:
                return self._reciprocal(b)
            case "div", _, _:
                # One division for all that is divided by the same.
                return self.add("mul", a, self.add("div", self.constant(1.0), b))
            case "pow", _, float(exponent):
                return self._power(a, exponent)
            case "pow", _, None if self.is_positive(a):
                return self._power_of_positive(a, b)
            case ("eq" | "le", 0.0, _) if self.is_positive(b):
                return self.constant(float(operation == "le"))
            case ("eq" | "le", _, 0.0) if self.is_positive(a):
                return self.constant(0.0)
            case ("and", 0.0, _) | ("and", _, 0.0):
                return self.constant(0.0)
            case "where", float(condition), _, _:
                return arguments[1] if condition else arguments[2]
            case "where", _, _, _ if arguments[1] == arguments[2]:
                return arguments[1]
        return None

    def is_positive(self, number: int) -> bool:
        """Return whether a value is above 0 (or NaN) for all inputs."""
        return self.least[number] == 2

    def _least_of(self, value: Value) -> int:
        operation, arguments, _, constant = value
        if constant is not None:
            return 2 if constant > 0 else int(constant == 0)
        least = [self.least[argument] for argument in arguments]
        match operation:
            case "exp":
                # The kernels' exp ends at a normal number.
                return 2
            case "abs" | "sqrt" | "sigmoid":
                return 1
            case "mul" if arguments[0] == arguments[1]:
                return 1
            case "mul":
                return min(1, *least)
            case "add" | "maximum":
                return max(least) if operation == "maximum" or min(least) else 0
            case "minimum":
                return min(least)
            case "where":
                return min(least[1:])
        return 0

    def _power_of_positive(self, base: int, exponent: int) -> int:
        """xʸ as e^(y·log x), and x^(y-1), which derivatives ask for, as xʸ/x."""
        operation, arguments, *_ = self.values[exponent]
        if operation == "sub" and self.values[arguments[1]].constant == 1.0:
            power = self.known.get(("pow", base, arguments[0]))
            if power is not None:
                return self.add("mul", power, self.add("div", self.constant(1.0), base))
        return self.add("exp", self.add("mul", exponent, self.add("log", base)))

    def _reciprocal(self, number: int) -> int | None:
        """1/(c·x) as (1/c)·(1/x), since 1/x is likely to be known."""
        operation, arguments, *_ = self.values[number]
        if operation == "mul":
            for factor, other in (arguments, arguments[::-1]):
                if known := self.values[factor].constant:
                    inverse = self.add("div", self.constant(1.0), other)
                    return self.add("mul", self.constant(1 / known), inverse)
        return None

    def _power(self, base: int, exponent: float) -> int | None:
        """Small exponents as products, roots and reciprocals."""
        if exponent < 0:
            positive = self.add("pow", base, self.constant(-exponent))
            return self.add("div", self.constant(1.0), positive)
        whole = math.floor(exponent) if exponent <= 16 else -1
        if exponent - whole not in (0.0, 0.5):
            return None
        result = self.constant(1.0) if exponent == whole else self.add("sqrt", base)
        while whole:
            if whole & 1:
                result = self.add("mul", result, base)
            base = self.add("mul", base, base)
            whole >>= 1
        return result
