"""Print values of an `IR` as lines of Python, for numba and Triton."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import ClassVar

from artgen.compiler.ir import DX, DY, IR, G

_TRUTH = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}


def block(indent: int, lines: Iterable[str]) -> str:
    """Join the lines of a body, the first of which is already indented."""
    return ("\n" + " " * indent).join(lines) or "pass"


class Printer:
    """Prints v7 for value 7, unless `names` has another name; booleans stay so until stored.

    This class prints for numba; subclasses for other compilers have other `templates`.
    """

    templates: ClassVar[Mapping[str, str]] = {
        "add": "{} + {}",
        "sub": "{} - {}",
        "mul": "{} * {}",
        "div": "{} / {}",
        "neg": "-{}",
        "sqrt": "math.sqrt({})",
        "lt": "{} < {}",
        "le": "{} <= {}",
        "gt": "{} > {}",
        "ge": "{} >= {}",
        "eq": "{} == {}",
        "ne": "{} != {}",
        "and": "{} & {}",
        "or": "{} | {}",
        "not": "not {}",
        "where": "select({}, {}, {})",
        "pow": "power({}, {})",
    }
    """Formats of operations that are not functions of the same name."""

    def __init__(self, ir: IR, names: Mapping[int, str] | None = None) -> None:
        self.ir = ir
        self.names = {DX: "dx", DY: "dy", G: "g"} | dict(names or {})

    def assignments(self, numbers: Iterable[int]) -> list[str]:
        """Return one line per value."""
        return [f"v{number} = {self._expression(number)}" for number in numbers]

    def number(self, number: int) -> str:
        """Return a value as a float32."""
        name = self._name(number)
        one, zero = self.constant(1.0), self.constant(0.0)
        return f"select({name}, {one}, {zero})" if self.is_truth(number) else name

    def loaded(self, number: int, place: str) -> str:
        """Return the line that loads a value that `number` stored."""
        test = f" != {self.constant(0.0)}" if self.is_truth(number) else ""
        return f"v{number} = {place}{test}"

    def constant(self, number: float) -> str:
        """Return a constant as a float32."""
        if math.isfinite(number):
            return f"f32({number!r})"
        return "NAN" if math.isnan(number) else "INF" if number > 0 else "(-INF)"

    def _expression(self, number: int) -> str:
        operation, arguments, *_ = self.ir.values[number]
        wants_truth = [
            operation in ("and", "or", "not") or (operation == "where" and place == 0)
            for place in range(len(arguments))
        ]
        texts = [
            self._truth(argument) if truth else self.number(argument)
            for argument, truth in zip(arguments, wants_truth, strict=True)
        ]
        template = self.templates.get(operation)
        return template.format(*texts) if template else f"{operation}({', '.join(texts)})"

    def _truth(self, number: int) -> str:
        name = self._name(number)
        return name if self.is_truth(number) else f"({name} != {self.constant(0.0)})"

    def is_truth(self, number: int) -> bool:
        """Return whether a value is a boolean."""
        return self.ir.values[number].operation in _TRUTH

    def _name(self, number: int) -> str:
        constant = self.ir.values[number].constant
        return self.names.get(number, f"v{number}") if constant is None else self.constant(constant)
