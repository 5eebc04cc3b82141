"""What the printers of kernels and shaders share, for every language they print.

A dialect is a subclass of `Printer`: how it spells constants, operations and assignments. A printer
of kernels also subclasses `KernelParts`, which knows what is computed where.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from artgen.compiler.footprints import HIDDEN, OPAQUE
from artgen.compiler.ir import DX, DY, IR, Component, G
from artgen.compiler.schedule import Schedule

_TRUTH = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "is_nan", "is_infinite"}

_OF_TRUTHS = {"and": 2, "or": 2, "not": 1, "where": 1}
"""How many of the arguments of an operation, the first ones, are booleans."""

OF_WHOLE = {"add": "whole_add", "sub": "whole_sub", "and": "whole_and"}
"""Operations that have another name for whole numbers."""

WHOLE = {*OF_WHOLE.values(), "whole", "bits", "left", "right"}
"""Operations that give whole numbers, of which elementary functions alone are made."""

OWN: Mapping[str, str] = {
    **{
        name: f"{name}_of({{}})"
        for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "tanh", "sigmoid", "atan")
    },
    "erf": "erf_of({})",
    "sign": "sign_of({})",
    "atan2": "atan2_of({}, {})",
    "pow": "power_of({}, {})",
}
"""Elementary functions, in languages that lack them: those of `elementary`."""


def spelled(templates: Mapping[str, str], operation: str, texts: Sequence[str]) -> str:
    """Return an operation by its template, else as a function of its name."""
    template = templates.get(operation)
    return template.format(*texts) if template else f"{operation}({', '.join(texts)})"


@dataclass(frozen=True)
class KernelSource:
    """The text of the kernels and the layout of their arrays.

    `columns` are the parameter components in the order in which `prepare` and `finish` take them;
    `prepared` and `leaves` count the prepared values and the sums per splat. `keeps` says that
    `backward` keeps the weights; see `numba_printer`.
    """

    text: str
    columns: tuple[Component, ...]
    prepared: int
    leaves: int
    keeps: bool = False


class Printer:
    """Prints v7 for value 7, unless `names` has another name; booleans stay so until stored.

    This class prints for numba; subclasses override its formats and `constant`.
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
        "fetch": "fetch(T, {})",
    }
    """Formats of operations that are not functions of the same name."""

    end: ClassVar[str] = ""
    """What ends a statement."""

    defined: ClassVar[str] = "{name} = {text}"
    """The format of a line that gives a value of the type `kind` a name."""

    parameter: ClassVar[str] = "{}"
    """The format of a parameter of a function."""

    called: ClassVar[str]
    """The format of a function `name` of the parameters `given`, whose first line is `body`."""

    indent: ClassVar[str] = "    "
    """What the lines of a function begin with."""

    def __init__(self, ir: IR, names: Mapping[int, str] | None = None) -> None:
        self.ir = ir
        self.names = {DX: "dx", DY: "dy", G: "g"} | dict(names or {})
        self.names |= {number: f"h{c}" for c, number in enumerate(ir.arriving)}

    def assignments(self, numbers: Iterable[int]) -> list[str]:
        """Return one line per value."""
        return [self.assignment(number, self._expression(number)) for number in numbers]

    def assignment(self, number: int, text: str) -> str:
        """Return the line that gives a value its name."""
        whole = self.ir.values[number].operation in WHOLE
        kind = "bool" if self.is_truth(number) else "int" if whole else "float"
        return self.defined.format(kind=kind, name=f"v{number}", text=text)

    def definition(self, name: str, text: str) -> str:
        """Return the line that gives a number a name."""
        return self.defined.format(kind="float", name=name, text=text)

    def function(
        self, name: str, parameters: Sequence[str], lines: Iterable[str], result: str
    ) -> str:
        """Return a function of float32 numbers, which computes `lines` and gives `result`."""
        given = ", ".join(map(self.parameter.format, parameters))
        body = f"\n{self.indent}".join([*lines, f"return {result}{self.end}"])
        return self.called.format(name=name, given=given, body=body)

    def number(self, number: int) -> str:
        """Return a value as a float32."""
        name = self._name(number)
        if not self.is_truth(number):
            return name
        return self.where(name, self.constant(1.0), self.constant(0.0))

    def where(self, condition: str, a: str, b: str) -> str:
        """Return the choice of `a` where a condition holds, else `b`."""
        return spelled(self.templates, "where", [condition, a, b])

    def loaded(self, number: int, place: str) -> str:
        """Return the line that loads a value that `number` stored."""
        test = f" != {self.constant(0.0)}" if self.is_truth(number) else ""
        return self.assignment(number, f"{place}{test}")

    def constant(self, number: float) -> str:
        """Return a constant as a float32."""
        if math.isfinite(number):
            return f"f32({number!r})"
        return "NAN" if math.isnan(number) else "INF" if number > 0 else "(-INF)"

    def _expression(self, number: int) -> str:
        operation, arguments, *_ = self.ir.values[number]
        truths = _OF_TRUTHS.get(operation, 0)
        texts = [*map(self._truth, arguments[:truths]), *map(self.number, arguments[truths:])]
        return spelled(self.templates, operation, texts)

    def _truth(self, number: int) -> str:
        name = self._name(number)
        return name if self.is_truth(number) else f"({name} != {self.constant(0.0)})"

    def is_truth(self, number: int) -> bool:
        """Return whether a value is a boolean."""
        return self.ir.values[number].operation in _TRUTH

    def _name(self, number: int) -> str:
        constant = self.ir.values[number].constant
        return self.names.get(number, f"v{number}") if constant is None else self.constant(constant)


Parts: TypeAlias = "dict[str, str | Iterable[str]]"
"""Texts and lines by their names in the templates of kernels."""


class KernelParts:
    """What kernels of a footprint print: its schedule, in the names of pixels and of splats.

    `parameter` and `total` are formats of the names that a parameter and a sum have per splat.
    """

    def __init__(
        self, printer: type[Printer], ir: IR, channels: int, parameter: str, total: str
    ) -> None:
        self.schedule = schedule = Schedule(ir)
        self.channels, self.columns = channels, tuple(ir.inputs)
        self.leaves, self.sums = len(schedule.leaves), len(schedule.leaves) + channels
        self.pixel = printer(schedule.ir)
        self._factors = [self.pixel.number(number) for number in ir.colours]
        names = {number: parameter.format(k) for k, number in enumerate(ir.inputs.values())}
        names |= {number: total.format(k) for k, number in enumerate(schedule.leaves.values())}
        self.splat = printer(schedule.ir, names)
        self.gradients = [self.splat.number(schedule.gradients[each]) for each in self.columns]
        """The gradient of each column."""
        self.features = [self.coloured(c, f"f{c}") for c in range(channels)]
        """The features at the pixel."""
        self.forward = self.pixel.assignments(schedule.forward)
        """Lines that compute the weight and the colours."""
        self.parts: Parts = {
            "prepare": self.splat.assignments(schedule.prepare),
            "forward": self.forward,
            "finish": self.splat.assignments(schedule.finish),
        }

    def coloured(self, c: int, text: str) -> str:
        """Return `text`, a factor of feature c, times that of the colour at the pixel, if any."""
        return f"{text} * {self._factors[c]}" if c < len(self._factors) else text

    def of_sum(self, weight: str, arriving: Sequence[str]) -> Parts:
        """What the loops of a sum need: the sums themselves, and `backward_of_sum` of them."""
        features = (self.coloured(c, f"w * {each}") for c, each in enumerate(arriving))
        pairs = zip(arriving, self.features, strict=True)
        return {
            "accumulate": [f"{each} += w * {feature}{self.pixel.end}" for each, feature in pairs],
            "backward": self.backward_of_sum(weight, arriving),
            "add": self.terms(f"s{{k}} += {{term}}{self.pixel.end}", features),
        }

    def of_over(self, arriving: Sequence[str]) -> Parts:
        """What the loops over splats in their order need; see `backward_after_forward`."""
        # What arrives at the weight depends on the weight itself, which therefore comes first.
        backward = self.backward_after_forward(arriving)
        colour = dict(zip(("red", "green", "blue"), self.features, strict=False))
        return {"opaque": repr(OPAQUE), "hidden": repr(HIDDEN), "backward": backward, **colour}

    def backward_of_sum(self, weight: str, arriving: Sequence[str]) -> list[str]:
        """Lines that compute w and the leaves, from what arrives at the sum of each feature."""
        define = self.pixel.definition
        pairs = zip(self.features, arriving, strict=True)
        incoming = define("g", " + ".join(f"{feature} * {each}" for feature, each in pairs))
        if not self._factors:
            backward = self.pixel.assignments(self.schedule.backward)
            return [incoming, *backward, define("w", weight)]
        # What arrives at the colours depends on the weight, which therefore comes first.
        again = self.backward_after_forward([f"w * {each}" for each in arriving])
        return [*self.forward, define("w", weight), incoming, *again]

    def backward_after_forward(self, arriving: Sequence[str]) -> list[str]:
        """Lines that compute the leaves after `forward`, from what arrives at each feature."""
        define, schedule = self.pixel.definition, self.schedule
        colours = [define(f"h{c}", f"f{c} * {arriving[c]}") for c in range(len(self._factors))]
        left = [number for number in schedule.backward if number not in schedule.forward]
        return [*colours, *self.pixel.assignments(left)]

    def beside(self) -> list[str] | None:
        """Lines that compute the leaves from the weight `w`, where all have it as a factor."""
        beside, ir = self.schedule.beside, self.schedule.ir
        if beside is None:
            return None
        return type(self.pixel)(ir, {ir.weight: "w"}).assignments(beside)

    def terms(self, line: str, features: Iterable[str], *, masked: bool = True) -> list[str]:
        """Return ``line.format(k=k, term=term)`` per leaf and then per gradient of a feature."""
        zero = self.pixel.constant(0.0)
        leaves = [self.pixel.number(leaf) for leaf in self.schedule.leaves]
        if masked:
            leaves = [self.pixel.where("inside", leaf, zero) for leaf in leaves]
        return [line.format(k=k, term=term) for k, term in enumerate([*leaves, *features])]
