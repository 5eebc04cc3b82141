"""Small drawings, which the checks of several kinds look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from artgen.art import Art
from artgen.base.errors import UsageError
from artgen.events import Observer
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.targets import Target, image_from_array
from artgen.testing.candidate import CANVAS, Offer, picture
from artgen.testing.run_checks import Lacking
from artgen.testing.side_effects import differing

T = TypeVar("T")

WRONG = ("?", "nan", "-1,,2")
"""Values that hardly any operation and view takes."""


def photo() -> NDArray[np.uint8]:
    """The small photo, [height, width, 3]."""
    shown: NDArray[np.float32] = picture(CANVAS).permute(1, 2, 0).numpy()
    return np.rint(255 * shown).astype(np.uint8)


def fit(
    registry: Registry,
    tables: Mapping[str, Any],
    target: Target | None = None,
    observers: Sequence[Observer] = (),
) -> Art:
    """A drawing by a recipe of these tables, of the small photo where there is no `target`."""
    recipe = Recipe.from_dict({"seed": 0, **tables})
    target = image_from_array(photo()) if target is None else target
    return run(recipe, registry, target=target, observers=observers).require_art()


def drawing_of(offer: Offer, name: str) -> Art:
    """A small drawing of a primitive, the same one whenever it is asked for."""
    return _drawn(offer, name)[0]


def changed(offer: Offer, name: str) -> list[str]:
    """The names of the tensors of `drawing_of` that are not as they were when it was made."""
    art, before = _drawn(offer, name)
    return differing(before, art.drawing.tensors)


def first_taken(
    offer: Offer, names: Sequence[str], take: Callable[[str, Art], T], otherwise: str
) -> T:
    """What is made of a name and its drawing, the first for which `take` raises no UsageError.

    Raises Lacking with the last refusal where it always does.
    """
    refused = ""
    for name in names:
        art = drawing_of(offer, name)
        try:
            return take(name, art)
        except UsageError as error:
            refused = error.message
    raise Lacking(f"{otherwise}: {refused}")


def _drawn(offer: Offer, name: str) -> tuple[Art, dict[str, Tensor]]:
    """A drawing, and copies of its tensors."""

    def made() -> tuple[Art, dict[str, Tensor]]:
        primitive = {"name": name, "count": 3}
        tables = {"primitive": primitive, "stage": [{"steps": 3}], "run": {"backend": "eager"}}
        art = fit(offer.registry, tables)
        return art, dict(art.drawing.detach().tensors)

    return offer.once(("drawing", name), made)
