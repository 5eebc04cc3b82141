"""The text of a mixture of losses, such as ``l1+0.1*texture:wood.jpg``; read without torch."""

from __future__ import annotations

import math
from collections.abc import Iterable

from artgen.base.errors import UsageError, did_you_mean
from artgen.base.options import numbers
from artgen.recipe.texts import split_outside


def parse_terms(text: str, known: Iterable[str]) -> list[tuple[float, str]]:
    """Parse a mixture into weights and names: joined by ``+``, each with an optional ``WEIGHT*``.

    A name may be followed by a colon and a picture, or a text in double quotes, in which a picture
    whose name has these marks stands too. `known` lists the
    names without their distributions. Raises UsageError that quotes `text` and the wrong part.
    """
    names = set(known)
    terms: list[tuple[float, str]] = []
    for part in split_outside(text, "+"):
        weight, name = _parse_term(part.strip(), text)
        bare = name.partition(":")[0]
        if bare.rpartition("/")[2] not in names:
            where = "" if bare == text.strip() else f"loss {text!r}: "
            raise UsageError(f"{where}unknown loss {bare!r}", hint=did_you_mean(bare, names))
        if any(name == other for _, other in terms):
            raise UsageError(
                f"loss {text!r} names {name!r} twice", hint="give it once, with a weight"
            )
        terms.append((weight, name))
    return terms


def _parse_term(part: str, text: str) -> tuple[float, str]:
    """Return weight and name of ``NAME``, ``WEIGHT*NAME`` or ``NAME*WEIGHT``."""
    factors = [factor.strip() for factor in split_outside(part, "*")]
    weights = [weight for factor in factors for weight in numbers(factor)]
    names = [factor for factor in factors if factor and not numbers(factor)]
    if len(names) != 1 or len(weights) > 1 or len(names) + len(weights) != len(factors):
        raise UsageError(
            f"loss {text!r}: {part!r} is neither a loss nor a weight times a loss",
            hint="write it like l1+0.1*ssim",
        )
    weight = weights[0] if weights else 1.0
    if not (weight > 0 and math.isfinite(weight)):
        raise UsageError(
            f"loss {text!r}: the weight in {part!r} must be positive and finite",
            hint="leave the term out, or give it a weight above 0",
        )
    return weight, names[0]
