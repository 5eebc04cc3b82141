"""Values of a program as lines of Python, for whichever compiler reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import ClassVar

from artgen.raster.program import DX, DY, G, Program

__all__ = ["Writer", "block"]

_TRUTH = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}


def block(indent: int, lines: Iterable[str]) -> str:
    """Lines of a body, the first one already indented."""
    return ("\n" + " " * indent).join(lines) or "pass"


class Writer:
    """Writes v7 for value 7, unless `names` says otherwise; truth stays truth until it is stored.

    As here, numba reads it; another compiler may need other `templates` or constants.
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
    """How an operation is written where it is not a function of its own name."""

    def __init__(self, program: Program, names: Mapping[int, str] | None = None) -> None:
        self.program = program
        self.names = {DX: "dx", DY: "dy", G: "g"} | dict(names or {})

    def assignments(self, numbers: Iterable[int]) -> list[str]:
        """One line per value."""
        return [f"v{number} = {self._expression(number)}" for number in numbers]

    def number(self, number: int) -> str:
        """A value as a float32."""
        name = self._name(number)
        one, zero = self.constant(1.0), self.constant(0.0)
        return f"select({name}, {one}, {zero})" if self.is_truth(number) else name

    def loaded(self, number: int, place: str) -> str:
        """The line that takes a value back from where `number` stored it."""
        test = f" != {self.constant(0.0)}" if self.is_truth(number) else ""
        return f"v{number} = {place}{test}"

    def constant(self, number: float) -> str:
        """A number known now, as a float32."""
        if math.isfinite(number):
            return f"f32({number!r})"
        return "NAN" if math.isnan(number) else "INF" if number > 0 else "(-INF)"

    def _expression(self, number: int) -> str:
        operation, arguments, *_ = self.program.values[number]
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
        """Whether a value is true or false, no number."""
        return self.program.values[number].operation in _TRUTH

    def _name(self, number: int) -> str:
        constant = self.program.values[number].constant
        return self.names.get(number, f"v{number}") if constant is None else self.constant(constant)
