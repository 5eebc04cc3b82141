"""A traced footprint as the Python source of its kernels.

Five functions are written, all float32. Work that depends on the splat alone is done once per
splat in `prepare`; what depends on the pixel runs in one loop over the pixels of a tile that the
compiler turns into vector instructions. Gradients are linear in what arrives, so `backward` sums
only the pixel-dependent factors (the *leaves*) and `finish` applies the rest once per splat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from artgen.raster.trace import UNIFORM, Operand, Program, Untraceable, Value

__all__ = ["Source", "emit"]

_BOOLEAN = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}

_TEMPLATES = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "abs": "abs({})",
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
    **{
        name: f"{name}({{}})"
        for name in "exp expm1 log log1p sin cos tan tanh atan erf floor trunc sigmoid sign".split()
    },
    "atan2": "atan2({}, {})",
    "minimum": "minimum({}, {})",
    "maximum": "maximum({}, {})",
}


@dataclass(frozen=True)
class Source:
    """The text of the kernels and the layout of their arrays.

    `columns` names the parameter components in the order in which `prepare` and `finish` expect
    them; `uniforms` and `leaves` count the prepared values and the sums per splat.
    """

    text: str
    columns: tuple[str, ...]
    uniforms: int
    leaves: int


def emit(program: Program, far: float, channels: int, width: int, height: int) -> Source:
    """Write the kernels for tiles of `width` × `height` pixels and `channels` features.

    Raises Untraceable for an operation without a template.
    """
    program = replace(program, values=list(program.values), _known=dict(program._known))
    columns = tuple(name for name in program.inputs if name not in ("dx", "dy", "g"))
    sums = _Sums(program)
    outputs = {name: sums.reduced(operand) for name, operand in program.gradients.items()}
    if len(sums.leaves) > 2 * len(outputs) + 8:
        sums = _Sums(program, split=False)
        outputs = {name: sums.reduced(operand) for name, operand in program.gradients.items()}
    leaves = list(sums.leaves)

    forward = _needed(program, [program.weight])
    backward = _needed(program, [program.weight, *leaves])
    prepared = [
        number
        for number in sorted(_boundary(program, {*forward, *backward}, [program.weight, *leaves]))
        if program.values[number].operation != "leaf"
    ]
    writer = _Writer(program, columns, prepared, leaves)
    pixels = width * height
    text = _TEMPLATE.format(
        pixels=pixels,
        width=width,
        height=height,
        channels=channels,
        far=repr(float(far)),
        prepare=writer.lines(_needed(program, prepared, below=UNIFORM), 8, uniform=True),
        store=writer.block([f"U[i, {k}] = {writer.number(n)}" for k, n in enumerate(prepared)], 8),
        load=writer.block(
            [f"v{n} = {writer.loaded(n, f'U[i, {k}]')}" for k, n in enumerate(prepared)], 12
        ),
        features=writer.block([f"f{c} = F[i, {c}]" for c in range(channels)], 12),
        forward=writer.lines(forward, 16),
        backward=writer.lines(backward, 16),
        weight=writer.name(program.weight),
        accumulate=writer.block(
            [f"A[k + u64({(2 + c) * pixels})] += w * f{c}" for c in range(channels)], 16
        ),
        incoming=" + ".join(f"f{c} * A[k + u64({(2 + c) * pixels})]" for c in range(channels)),
        zero=writer.block([f"s{k} = f32(0)" for k in range(len(leaves) + channels)], 12),
        add=writer.block(
            [
                f"s{k} += select(inside, {writer.name(leaf)}, f32(0))"
                for k, leaf in enumerate(leaves)
            ]
            + [
                f"s{len(leaves) + c} += w * A[k + u64({(2 + c) * pixels})]" for c in range(channels)
            ],
            16,
        ),
        total=writer.block([f"S[j, {k}] = s{k}" for k in range(len(leaves) + channels)], 12),
        finish=writer.lines(_needed(program, list(outputs.values()), below=UNIFORM), 8, True),
        gradients=writer.block(_gradients(outputs, columns, writer), 8),
    )
    return Source(text, columns, max(1, len(prepared)), len(leaves))


def _gradients(outputs: dict[str, Operand], columns: tuple[str, ...], writer: _Writer) -> list[str]:
    """The offset is pixel minus centre, so what reaches dx leaves from the centre negated."""
    lines = []
    for k, name in enumerate(columns):
        own = writer.name(outputs[name])
        centre = {"xy.0": "dx", "xy.1": "dy"}.get(name)
        if centre is not None:
            own = f"{own} - {writer.name(outputs[centre])}"
        lines.append(f"G[i, {k}] = {own}")
    return lines


class _Sums:
    """Sums over pixels of values: uniform factors are pulled out, what is left are leaves."""

    def __init__(self, program: Program, split: bool = True) -> None:
        self.program, self.split = program, split
        self.leaves: dict[int, int] = {}

    def reduced(self, operand: Operand) -> Operand:
        """The sum of `operand` over the pixels, as a uniform value of leaves."""
        program = self.program
        if isinstance(operand, float) or program.level(operand) == UNIFORM:
            if operand == 0.0:
                return 0.0
            raise Untraceable("a gradient that does not depend on the pixel")
        value = program.values[operand]
        operation, arguments = value.operation, value.arguments
        if operation == "neg":
            return program.add("neg", self.reduced(arguments[0]))
        if operation in ("add", "sub") and self.split:
            a, b = (self.reduced(argument) for argument in arguments)
            return program.add(operation, a, b)
        if operation == "mul":
            for mine, other in (arguments, arguments[::-1]):
                if program.level(mine) == UNIFORM:
                    return program.add("mul", mine, self.reduced(other))
        if operation == "div" and program.level(arguments[1]) == UNIFORM:
            return program.add("div", self.reduced(arguments[0]), arguments[1])
        if operand not in self.leaves:
            program.values.append(Value("leaf", (operand,), UNIFORM))
            self.leaves[operand] = len(program.values) - 1
        return self.leaves[operand]


def _needed(program: Program, targets: list[Operand], below: int | None = None) -> list[int]:
    """The numbers of all values that `targets` need, in order: those above uniform, or all."""
    found: set[int] = set()
    waiting = [target for target in targets if isinstance(target, int)]
    while waiting:
        number = waiting.pop()
        value = program.values[number]
        if number in found or value.operation in ("input", "leaf"):
            continue
        if below is None and value.level == UNIFORM:
            continue
        found.add(number)
        waiting += [argument for argument in value.arguments if isinstance(argument, int)]
    return sorted(found)


def _boundary(program: Program, numbers: set[int], targets: list[Operand]) -> set[int]:
    """The uniform values that pixel code reads."""
    read = {argument for n in numbers for argument in program.values[n].arguments}
    read |= set(targets)
    return {n for n in read if isinstance(n, int) and program.values[n].level == UNIFORM}


class _Writer:
    """Turns values into lines of Python."""

    def __init__(
        self, program: Program, columns: tuple[str, ...], prepared: list[int], leaves: list[int]
    ) -> None:
        self.program = program
        self.place = {program.inputs[name]: k for k, name in enumerate(columns)}
        self.pixel = {program.inputs[name]: name for name in ("dx", "dy", "g")}
        self.prepared, self.leaf_column = set(prepared), {n: k for k, n in enumerate(leaves)}

    def name(self, operand: Operand, uniform: bool = False) -> str:
        """How a value is written where it is used."""
        if isinstance(operand, float):
            if math.isnan(operand):
                return "NAN"
            if math.isinf(operand):
                return "INF" if operand > 0 else "(-INF)"
            return f"f32({operand!r})"
        if operand in self.pixel:
            return self.pixel[operand]
        value = self.program.values[operand]
        if value.operation == "leaf":
            return f"L[i, {self.leaf_column[value.arguments[0]]}]"  # type: ignore[index]
        if uniform and operand in self.place:
            return f"P[i, {self.place[operand]}]"
        return f"v{operand}"

    def lines(self, numbers: list[int], indent: int, uniform: bool = False) -> str:
        """One assignment per value."""
        rows = []
        if uniform:
            rows += [
                f"v{number} = P[i, {column}]"
                for number, column in self.place.items()
                if number in self.prepared
            ]
        for number in numbers:
            value = self.program.values[number]
            template = _TEMPLATES.get(value.operation)
            if template is None:
                raise Untraceable(f"{value.operation} has no kernel form")
            arguments = [
                self._argument(value.operation, k, argument, uniform)
                for k, argument in enumerate(value.arguments)
            ]
            rows.append(f"v{number} = " + template.format(*arguments))
        return self.block(rows, indent)

    def number(self, value: int) -> str:
        """A value as float32, which is what arrays hold."""
        return f"select(v{value}, f32(1), f32(0))" if self._boolean(value) else f"v{value}"

    def loaded(self, value: int, place: str) -> str:
        """The opposite of `number`."""
        return f"{place} != f32(0)" if self._boolean(value) else place

    def block(self, rows: list[str], indent: int) -> str:
        """Lines at an indentation."""
        return ("\n" + " " * indent).join(rows) or "pass"

    def _argument(self, operation: str, place: int, operand: Operand, uniform: bool) -> str:
        text = self.name(operand, uniform)
        boolean = self._boolean(operand)
        wants_boolean = operation in ("and", "or", "not") or (operation == "where" and place == 0)
        if boolean and not wants_boolean:
            return f"select({text}, f32(1), f32(0))"
        if wants_boolean and not boolean:
            return f"({text} != f32(0))"
        return f"({text})" if text.startswith("-") else text

    def _boolean(self, operand: Operand) -> bool:
        return isinstance(operand, int) and self.program.values[operand].operation in _BOOLEAN


_TEMPLATE = '''\
"""Kernels of one footprint, written by artgen; delete this file whenever you like."""

import math

import numba as nb
import numpy as np

from artgen.raster.vector_math import *
from artgen.raster.vector_math import FASTMATH

f32 = np.float32
u64 = np.uint64  # unsigned indices are never counted from the end, so loops over them vectorise
NAN, INF = np.float32(np.nan), np.float32(np.inf)
options = dict(fastmath=FASTMATH, error_model="numpy", cache=True, boundscheck=False)


@nb.njit(**options)
def prepare(P, U):
    for i in range(P.shape[0]):
        {prepare}
        {store}


@nb.njit(parallel=True, **options)
def forward(XY, R, U, F, X, Y, offset, splat, pixel, out):
    columns = X.shape[0]
    for t in nb.prange(out.shape[0]):
        A = np.zeros({pixels} * (2 + {channels}), np.float32)
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy, r = XY[i, 0], XY[i, 1], R[i]
            r2 = r * r
            top = A[{pixels}]
            first = min(max(math.floor((cy - r - top) / pixel), 0), {height})
            last = min(max(math.ceil((cy + r - top) / pixel) + 1, 0), {height})
            {load}
            {features}
            for k in range(np.uint64(first * {width}), np.uint64(last * {width})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                inside = dx * dx + dy * dy <= r2
                {forward}
                w = select(inside, {weight} - f32({far}), f32(0))
                {accumulate}
        for k in range({pixels} * {channels}):
            out[t, k] = A[k + 2 * {pixels}]


@nb.njit(parallel=True, **options)
def backward(XY, R, U, F, X, Y, offset, splat, pixel, grad, S):
    columns = X.shape[0]
    for t in nb.prange(grad.shape[0]):
        A = np.empty({pixels} * (2 + {channels}), np.float32)
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        for k in range({pixels} * {channels}):
            A[k + 2 * {pixels}] = grad[t, k]
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy, r = XY[i, 0], XY[i, 1], R[i]
            r2 = r * r
            top = A[{pixels}]
            first = min(max(math.floor((cy - r - top) / pixel), 0), {height})
            last = min(max(math.ceil((cy + r - top) / pixel) + 1, 0), {height})
            {load}
            {features}
            {zero}
            for k in range(np.uint64(first * {width}), np.uint64(last * {width})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                inside = dx * dx + dy * dy <= r2
                g = {incoming}
                {backward}
                w = select(inside, {weight} - f32({far}), f32(0))
                {add}
            {total}


@nb.njit(**options)
def finish(P, L, G):
    for i in range(P.shape[0]):
        {finish}
        {gradients}
'''
