"""Weighted mixtures of losses, such as ``l1+0.1*ssim``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from artgen.base.errors import UsageError
from artgen.base.faults import broken, plugin_code
from artgen.losses._marks import LossFunction
from artgen.losses._parse import parse_terms
from artgen.losses._pixel import cross_entropy
from artgen.losses.ways import Pose
from artgen.values.subject import TargetKind


@dataclass(frozen=True)
class Term:
    """A loss of a mixture with its positive weight; `name` may have a picture after a colon.

    `maker` is what made the function of that, if anything: its marks are marks of the loss too.
    """

    weight: float
    name: str
    function: LossFunction
    maker: Any = None

    @property
    def text(self) -> str:
        """The term as text, such as ``0.1*ssim``, or the bare name if the weight is 1."""
        if self.weight == 1:
            return self.name
        # A plus would end the term, so write 1e16 instead of 1e+16.
        weight = repr(self.weight).removesuffix(".0").replace("e+", "e")
        return f"{weight}*{self.name}"


def _writes(tensor: Tensor) -> int:
    """How often a tensor was written into, as torch counts."""
    return 0 if tensor.is_inference() else tensor._version


_CONTRACT = "return a scalar tensor computed from the image by torch, such as error.mean()"


def _check_value(what: str, function: LossFunction, value: object, image: Tensor) -> None:
    """Raise PluginError if the value of a loss is no scalar, or cannot be differentiated."""
    if not isinstance(value, Tensor):
        found = f"gave {type(value).__name__}, not a tensor"
    elif value.ndim:
        found = f"gave a tensor of shape {list(value.shape)}, not a scalar"
    elif value.is_complex():
        found = f"gave a number of type {value.dtype}, not a real one"
    elif image.requires_grad and torch.is_grad_enabled() and not value.requires_grad:
        found = "gave a value without a gradient"
    else:
        return
    raise broken(what, function, found, _CONTRACT)


@dataclass(frozen=True)
class Loss:
    """A weighted sum of losses, called like a single loss."""

    terms: tuple[Term, ...]

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the sum of the terms, a scalar."""
        total = image.new_zeros(())
        given = [each for each in (image, target, weight) if each is not None]
        for term in self.terms:
            what, before = f"loss {term.name!r}", [_writes(each) for each in given]
            with plugin_code(what, term.function, hint=_CONTRACT):
                value = term.function(image, target, weight)
            if before != [_writes(each) for each in given]:
                found = "writes into the picture, the target or the weight"
                raise broken(what, term.function, found, "change a copy: target.clone()")
            _check_value(what, term.function, value, image)
            total = total + term.weight * value
        return total

    @property
    def goals(self) -> Mapping[float, Tensor]:
        """What other poses shall show, [3, height, width] each, by the pose: see `Views`."""
        found = (getattr(term.function, "goals", None) for term in self.terms)
        return next((goals for goals in found if goals), {})

    @property
    def poses(self) -> tuple[Pose, ...]:
        """The poses of the parts that it compares, one after the other: see `Views`."""
        found = (getattr(term.function, "poses", None) for term in self.terms)
        return next(filter(None, found), (Pose(),))

    def check_finite(self, image: Tensor, target: Tensor, weight: Tensor | None) -> None:
        """Raise PluginError if a term has no finite value or gradient at a finite picture."""
        for term in self.terms:
            leaf = image.detach().clone().requires_grad_()
            value = term.function(leaf, target, weight)
            (gradient,) = torch.autograd.grad(value, leaf)
            for found, of in ((value, "value"), (gradient, "gradient")):
                if not bool(found.isfinite().all()):
                    raise broken(
                        f"loss {term.name!r}",
                        term.function,
                        f"has a {of} that is NaN or infinite, for a finite picture",
                        hint="look for roots and divisions at 0, such as sqrt of an error of 0",
                    )

    def at(self, seed: int) -> Loss:
        """The loss with random numbers that follow from `seed`; most losses have none."""
        return self._asked("at", seed)

    def of_view(self, index: int) -> Loss:
        """The loss of a view, for terms that have one for each."""
        return self._asked("of_view", index)

    def _asked(self, method: str, number: int) -> Loss:
        """The loss of what functions give that have this method."""
        terms = []
        for term in self.terms:
            give = getattr(term.function, method, None)
            terms.append(term if give is None else replace(term, function=give(number)))
        return Loss(tuple(terms))

    def with_pictures(
        self, open_picture: Callable[[str], Tensor], find: Callable[[str], Path] = Path
    ) -> Loss:
        """The loss with what its terms name: pictures, each [3, h, w], and texts with files."""
        terms = []
        for term in self.terms:
            make: Any = term.function
            named, given = term.name.partition(":")[2], list[Any]()
            if getattr(make, "needs_text", False):
                text, _, file = named[1:].rpartition('"')
                file = file.strip().removeprefix("@").strip()
                given = [text, find(file) if file else None]
            elif named:
                given = [open_picture(named)]
            with plugin_code(f"loss {term.name!r}", make, hint=_CONTRACT):
                made = make(*given) if given else make
            terms.append(replace(term, function=made, maker=make))
        return Loss(tuple(terms))

    @property
    def text(self) -> str:
        """The mixture in canonical spelling, as `parse_loss` reads it."""
        return "+".join(term.text for term in self.terms)

    def check_target(self, kind: TargetKind) -> None:
        """Raise UsageError if a term does not support this kind of target."""
        for term in self.terms:
            targets = getattr(term.function, "targets", ("image",))
            if kind not in targets:
                raise UsageError(
                    f"loss {term.name!r} is for {' and '.join(targets)} targets, not for {kind}",
                    hint="leave out --loss, or use mse or l1",
                )

    @property
    def takes_logits(self) -> bool:
        """Whether outputs are logits rather than probabilities."""
        return any(term.function is cross_entropy for term in self.terms)

    @property
    def per_pixel(self) -> bool:
        """Whether every term is per pixel, so that a random batch can represent the picture."""
        marked = ((term.function, term.maker) for term in self.terms)
        return all(any(getattr(each, "per_pixel", False) for each in both) for both in marked)


def parse_loss(text: str, find: Callable[[str], LossFunction], known: Iterable[str]) -> Loss:
    """Parse a mixture as `parse_terms` does; `find` returns the loss of a name.

    Raises UsageError that quotes `text` and the wrong part.
    """
    terms = []
    for weight, name in parse_terms(text, known):
        bare, _, picture = name.partition(":")
        function = find(bare)
        if getattr(function, "needs_text", False):
            if not re.fullmatch(r'"[^"]+"(\s*@.+)?', picture):
                hint = f"""write '{bare}:"a horse in the rain"@FILE', quotes included"""
                raise UsageError(f"loss {bare!r} needs a text in double quotes", hint=hint)
        elif bool(picture) != getattr(function, "needs_picture", False):
            problem = "takes no picture" if picture else "needs a picture"
            hint = f"write {bare}" if picture else f"write {bare}:FILE or {bare}:sample:brick"
            raise UsageError(f"loss {bare!r} {problem}", hint=hint)
        terms.append(Term(weight, name, function))
    return Loss(tuple(terms))
