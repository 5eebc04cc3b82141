"""What kernels compute, and when: once per splat before drawing, per pixel, once per splat after.

Gradients are linear in what arrives, so only their factors that depend on the pixel (the *leaves*)
are summed over the pixels; the rest is done once per splat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import chain

from artgen.raster.program import Component, Program, Value

__all__ = ["Plan", "make_plan", "needed", "uniforms_read"]


@dataclass(frozen=True)
class Plan:
    """Which values of `program` are computed where, each list in order.

    `prepare` is computed once per splat and leaves `uniforms`, which are then read per pixel.
    `forward` is what the weight takes per pixel, and `backward` what the weight and the leaves
    take. `leaves` maps what is summed to the value that stands for its sum; from these, `finish`
    computes `gradients` once per splat.
    """

    program: Program
    prepare: list[int]
    uniforms: list[int]
    forward: list[int]
    backward: list[int]
    leaves: dict[int, int]
    finish: list[int]
    gradients: dict[Component, int]


def make_plan(program: Program) -> Plan:
    """Divide a traced footprint, which is left as it is."""
    sums = _Sums(program)
    sums = _Sums(program, sums.better_whole())
    if len(sums.leaves) > 2 * len(program.inputs) + 8:
        sums = _Sums(program, split=False)
    program = sums.program
    backward = needed(program, [program.weight, *sums.leaves], per_pixel=True)
    uniforms = uniforms_read(program, [*backward, program.weight])
    return Plan(
        program=program,
        prepare=needed(program, uniforms, per_pixel=False),
        uniforms=uniforms,
        forward=needed(program, [program.weight], per_pixel=True),
        backward=backward,
        leaves=sums.leaves,
        finish=needed(program, sums.gradients.values(), per_pixel=False),
        gradients=sums.gradients,
    )


class _Sums:
    """Sums over the pixels: `gradients` are uniform values of `leaves`, which are what is summed.

    `leaves` maps what is summed to the value that stands for its sum. With `split`, sums of
    several terms are sums of sums, so that equal terms of two gradients are summed once; but not
    those of the values in `whole`.
    """

    def __init__(
        self, program: Program, whole: Collection[int] = (), *, split: bool = True
    ) -> None:
        self.program = copy(program)
        self.program.values = list(program.values)
        self.program.known = dict(program.known)
        self.whole, self.split = whole, split
        self.leaves: dict[int, int] = {}
        self._reduced: dict[int, int] = {}
        self._terms: dict[int, list[int]] = {}
        """What each sum was made of."""
        dx, dy = map(self._sum, program.offset_gradient)
        # The offset is pixel minus centre: what it feels, the centre feels negated.
        centre = {("xy", (0,)): dx, ("xy", (1,)): dy}
        self.gradients: dict[Component, int] = {}
        for component, number in program.gradients.items():
            total = self._sum(number)
            if component in centre:
                total = self.program.add("sub", total, centre[component])
            self.gradients[component] = total

    def better_whole(self) -> set[int]:
        """What should not have been split: its terms are in no other sum.

        A sum costs an addition and a selection per pixel, and each of these terms had one.
        """
        roots = [*self.program.offset_gradient, *self.program.gradients.values()]
        used = Counter(chain(roots, *self._terms.values()))
        better = set()
        leaves: dict[int, int] = {}
        products: dict[int, int] = {}
        for number, terms in self._terms.items():  # terms come before what is made of them
            leaves[number] = sum(leaves[term] for term in terms) if terms else number in self.leaves
            if any(used[term] > 1 or not leaves[term] for term in terms):
                leaves[number] = 0
            is_product = bool(terms) and self.program.values[number].operation == "mul"
            products[number] = is_product + sum(products[term] for term in terms)
            if leaves[number] > max(1, products[number]):
                better.add(number)
        return better

    def _sum(self, number: int) -> int:
        """The sum of a value over the pixels."""
        if number not in self._reduced:
            self._reduced[number] = self._summed(number)
        return self._reduced[number]

    def _summed(self, number: int) -> int:
        program = self.program
        operation, arguments, per_pixel, constant = program.values[number]
        terms: list[int] = []
        if constant == 0.0:
            self._terms[number] = terms
            return number
        if not per_pixel:
            raise AssertionError("a gradient is proportional to g, which depends on the pixel")
        uniform = [not program.values[argument].per_pixel for argument in arguments]
        if number not in self.whole:
            match operation, *uniform:
                case ("neg", _):
                    terms = [arguments[0]]
                case ("add" | "sub", _, _) if self.split:
                    terms = list(arguments)
                case ("mul", True, _):
                    terms = [arguments[1]]
                case ("mul", _, True):
                    terms = [arguments[0]]
        sums = [self._sum(term) for term in terms]
        self._terms[number] = terms
        if operation == "mul" and terms:
            factor = arguments[0] if uniform[0] else arguments[1]
            return program.add("mul", factor, *sums)
        if terms:
            return program.add(operation, *sums)
        self.leaves[number] = program.append(Value("input"))
        return self.leaves[number]


def needed(program: Program, targets: Iterable[int], per_pixel: bool) -> list[int]:
    """What has to be computed for `targets`, in order: per pixel, or per splat."""
    found: set[int] = set()
    waiting = list(targets)
    while waiting:
        number = waiting.pop()
        value = program.values[number]
        if number not in found and value.arguments and value.per_pixel == per_pixel:
            found.add(number)
            waiting += value.arguments
    return sorted(found)


def uniforms_read(program: Program, numbers: Sequence[int]) -> list[int]:
    """The values per splat that code per pixel reads."""
    read = {argument for n in numbers for argument in program.values[n].arguments} | {*numbers}
    values = program.values
    return sorted(n for n in read if not values[n].per_pixel and values[n].constant is None)
