"""The elementary functions of `vector_math` in the languages that lack them.

They are written once, in Python that numba compiles. Here the same code is run on numbers that
record their operations, as `record` does with a footprint: each function becomes an `IR` and is
printed. Nothing is simplified, so that all languages round in the same places.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, SimpleNamespace
from typing import Any

from artgen.compiler import vector_math
from artgen.compiler.ir import IR, Value
from artgen.compiler.printer import OF_WHOLE, OWN, WHOLE, Printer
from artgen.compiler.schedule import needed

MARK = "@elementary@"
"""Stands in a source for the functions that it calls, see `with_functions`."""

_OPERATIONS = {
    "power": "pow",
    "select": "where",
    "_bits_to_float": "float_of_bits",
    "_float_to_bits": "bits",
}
"""The operations that stand for functions of `vector_math` with other names."""


_CALLED = re.compile(r"\b(\w+)_of\(")


@dataclass(frozen=True)
class Function:
    """A function in one language: `name` is that in `vector_math`."""

    name: str
    arity: int
    text: str


def with_functions(printer: type[Printer], source: str) -> str:
    """Replace `MARK` in `source` by the functions that it calls, after those that these call."""
    return source.replace(MARK, "\n".join(each.text for each in called(printer, source)))


def called(printer: type[Printer], source: str) -> list[Function]:
    """Return the functions that `source` calls and those that these call, callees first."""
    found: list[Function] = []
    names = set(_CALLED.findall(source))
    for name in reversed([name for name in vars(vector_math) if _operation(name) in OWN]):
        if name in names:
            # A class is hashable; mypy looks at the method of its instances.
            found.insert(0, _printed(printer, name))  # type: ignore[arg-type]
            names.update(_CALLED.findall(found[0].text))
    return found


def _operation(name: str) -> str:
    return _OPERATIONS.get(name, name)


@functools.cache
def _printed(printer: type[Printer], name: str) -> Function:
    record = _Record()
    code = vars(vector_math)[name].py_func.__code__
    parameters = code.co_varnames[: code.co_argcount]
    arguments = [_Number(record, record.named(parameter)) for parameter in parameters]
    result = record.run(vars(vector_math)[name], *arguments)
    values = printer(record.ir, record.names)
    lines = values.assignments(needed(record.ir, [result.number], per_pixel=False))
    text = values.function(f"{name}_of", parameters, lines, values.number(result.number))
    return Function(name, len(parameters), text)


@dataclass
class _Record:
    """The operations of one function, and the names of its arguments and whole constants."""

    ir: IR = field(default_factory=IR)
    names: dict[int, str] = field(default_factory=dict)

    def named(self, text: str) -> int:
        """Return a value that is printed as `text`."""
        number = self.ir.append(Value("input"))
        self.names[number] = text
        return number

    def run(self, function: Any, *arguments: Any) -> Any:
        """Run a function of `vector_math` with others in place of those that it calls."""
        space = {
            name: self._recording(name, value)
            for name, value in vars(vector_math).items()
            if not name.startswith("__")
        }
        space |= {
            "f32": functools.partial(self._converted, float),
            "nb": SimpleNamespace(int32=functools.partial(self._converted, int)),
            "np": SimpleNamespace(
                floor=functools.partial(self.take, "floor"), inf=math.inf, nan=math.nan
            ),
        }
        return FunctionType(function.py_func.__code__, space)(*arguments)

    def _recording(self, name: str, value: object) -> object:
        if name.startswith("_") and name not in _OPERATIONS and hasattr(value, "py_func"):
            return functools.partial(self.run, value)
        return functools.partial(self.take, _operation(name))

    def _converted(self, to: type[float | int], value: Any) -> Any:
        if not isinstance(value, _Number):
            return to(value)
        return self.take("whole" if to is int else "float", value)

    def take(self, operation: str, *operands: Any) -> _Number:
        """Record an operation on numbers and constants."""
        # Languages may take it that no number is infinite or NaN, so these tests are of bits.
        match operation, *operands:
            case "ne", a, b if a is b:
                return self.take("is_nan", a)
            case "eq", a, float(b) if b == math.inf:
                return self.take("is_infinite", a)
        if any(isinstance(operand, _Number) and operand.is_whole for operand in operands):
            operation = OF_WHOLE.get(operation, operation)
        numbers = tuple(self._number(operand) for operand in operands)
        return _Number(self, self.ir.append(Value(operation, numbers)), operation in WHOLE)

    def _number(self, operand: Any) -> int:
        if isinstance(operand, _Number):
            return operand.number
        return self.named(str(operand)) if isinstance(operand, int) else self.ir.constant(operand)


@dataclass(frozen=True, eq=False)
class _Number:
    """A number whose operations are recorded."""

    record: _Record
    number: int
    is_whole: bool = False


def _method(operation: str, reflected: bool = False) -> Callable[..., _Number]:
    def method(number: _Number, *other: object) -> _Number:
        operands = (*other, number) if reflected else (number, *other)
        return number.record.take(operation, *operands)

    return method


_SPELLED = {"truediv": "div", "lshift": "left", "rshift": "right"}
for _name in ("neg", "abs", "add", "sub", "mul", "and", "or", "lt", "gt", "eq", "ne", *_SPELLED):
    setattr(_Number, f"__{_name}__", _method(_SPELLED.get(_name, _name)))
for _name in ("add", "sub", "mul", "truediv"):
    setattr(_Number, f"__r{_name}__", _method(_SPELLED.get(_name, _name), reflected=True))
