"""The schedule of a kernel: what is computed once per splat, per pixel, or once per splat after.

Gradients are linear in what arrives, so only their factors that depend on the pixel (the *leaves*)
are summed over the pixels; the rest is done once per splat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain

from artgen.compiler.ir import IR, Component, Value


class Schedule:
    """Which values of a traced footprint are computed where, each list in order.

    `prepare` is computed once per splat and leaves `uniforms`, which are then read per pixel.
    `forward` is what the weight and the colours take per pixel, and `backward` what these and the
    leaves take. `leaves` maps what is summed to the value that stands for its sum; from these,
    `finish` computes `gradients` once per splat. `ir` is a copy that has these values too.

    `beside` is what the leaves take where the weight is known, if it is a factor of every one of
    them: where the weight is 0, so are they. Otherwise, and where splats have colours of their own,
    it is None.
    """

    def __init__(self, traced: IR) -> None:
        sums = _Sums(traced, _Sums(traced).better_whole())
        if len(sums.leaves) > 2 * len(traced.inputs) + 8:
            sums = _Sums(traced, split=False)
        self.ir = ir = sums.ir
        self.leaves, self.gradients = sums.leaves, sums.gradients
        drawn = [ir.weight, *ir.colours]
        self.forward = needed(ir, drawn, per_pixel=True)
        self.backward = needed(ir, [*drawn, *self.leaves], per_pixel=True)
        self.uniforms = uniforms_read(ir, [*self.backward, *drawn])
        self.prepare = needed(ir, self.uniforms, per_pixel=False)
        self.finish = needed(ir, self.gradients.values(), per_pixel=False)
        self.beside: list[int] | None = None
        if not ir.colours and all(_has_factor(ir, leaf, ir.weight) for leaf in self.leaves):
            self.beside = needed(ir, self.leaves, per_pixel=True, known=[ir.weight])


def _has_factor(ir: IR, number: int, factor: int) -> bool:
    """Whether a value is a product of `factor` and something, or a sum of such products."""
    operation, arguments, *_ = ir.values[number]
    join = {"mul": any, "add": all, "sub": all, "neg": all}.get(operation)
    found = (_has_factor(ir, argument, factor) for argument in arguments)
    return number == factor or (join is not None and join(found))


class _Sums:
    """Sums over the pixels: `gradients` are uniform values of `leaves`, which are what is summed.

    `leaves` maps what is summed to the value that stands for its sum. With `split`, sums of
    several terms are sums of sums, so that equal terms of two gradients are summed once; but not
    those of the values in `whole`.
    """

    def __init__(self, ir: IR, whole: Collection[int] = (), *, split: bool = True) -> None:
        self.ir = replace(ir, values=[*ir.values], known={**ir.known}, least=[*ir.least])
        self.whole, self.split = whole, split
        self.leaves: dict[int, int] = {}
        self._reduced: dict[int, int] = {}
        self._terms: dict[int, tuple[int, ...]] = {}
        """The terms of each sum."""
        dx, dy = map(self._sum, ir.offset_gradient)
        # The offset is pixel minus centre, so the gradients of the centre are its own, negated.
        centre = {("xy", (0,)): dx, ("xy", (1,)): dy}
        self.gradients: dict[Component, int] = {}
        for component, number in ir.gradients.items():
            total = self._sum(number)
            if component in centre:
                total = self.ir.add("sub", total, centre[component])
            self.gradients[component] = total

    def better_whole(self) -> set[int]:
        """Return the sums that should not have been split: their terms are in no other sum.

        A sum costs an addition and a selection per pixel, and each of these terms had one.
        """
        roots = [*self.ir.offset_gradient, *self.ir.gradients.values()]
        used = Counter(chain(roots, *self._terms.values()))
        better = set()
        leaves: dict[int, int] = {}
        products: dict[int, int] = {}
        for number, terms in self._terms.items():  # terms come before what is made of them
            leaves[number] = sum(leaves[term] for term in terms) if terms else number in self.leaves
            if any(used[term] > 1 or not leaves[term] for term in terms):
                leaves[number] = 0
            is_product = bool(terms) and self.ir.values[number].operation == "mul"
            products[number] = is_product + sum(products[term] for term in terms)
            if leaves[number] > max(1, products[number]):
                better.add(number)
        return better

    def _sum(self, number: int) -> int:
        """Return the sum of a value over the pixels."""
        if number not in self._reduced:
            self._reduced[number] = self._summed(number)
        return self._reduced[number]

    def _summed(self, number: int) -> int:
        ir = self.ir
        operation, arguments, per_pixel, constant = ir.values[number]
        terms: tuple[int, ...] = ()
        factors: tuple[int, ...] = ()
        if constant == 0.0:
            self._terms[number] = terms
            return number
        if not per_pixel:
            raise AssertionError("a gradient is proportional to g, which depends on the pixel")
        uniform = [not ir.values[argument].per_pixel for argument in arguments]
        if number not in self.whole:
            match operation, *uniform:
                case ("neg", _):
                    terms = arguments
                case ("add" | "sub", _, _) if self.split:
                    terms = arguments
                case ("mul", True, _):
                    factors, terms = arguments[:1], arguments[1:]
                case ("mul", _, True):
                    terms, factors = arguments[:1], arguments[1:]
        sums = [self._sum(term) for term in terms]
        self._terms[number] = terms
        if terms:
            return ir.add(operation, *factors, *sums)
        self.leaves[number] = ir.append(Value("input"))
        return self.leaves[number]


def needed(
    ir: IR, targets: Iterable[int], per_pixel: bool, known: Collection[int] = ()
) -> list[int]:
    """Return the values that `targets` need, in order: those per pixel, or those per splat.

    Nothing is needed for the values that are `known`.
    """
    read, found = {*targets}, []
    for number in reversed(range(len(ir.values))):
        _, arguments, of_pixel, _ = ir.values[number]
        if number in read and number not in known and arguments and of_pixel == per_pixel:
            found.append(number)
            read.update(arguments)
    return found[::-1]


def uniforms_read(ir: IR, numbers: Sequence[int]) -> list[int]:
    """Return the values per splat that code per pixel reads."""
    read = {argument for n in numbers for argument in ir.values[n].arguments} | {*numbers}
    values = ir.values
    return sorted(n for n in read if not values[n].per_pixel and values[n].constant is None)
