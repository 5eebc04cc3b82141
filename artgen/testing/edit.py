"""Checks of operations on parts: what they make of drawings, and that these stay as they are."""

from __future__ import annotations

from contextlib import suppress

from artgen.art import Art
from artgen.base.errors import UsageError
from artgen.editing import edit
from artgen.testing.candidate import Offer
from artgen.testing.drawings import WRONG, changed, drawing_of
from artgen.testing.run_checks import Failed, Lacking, basic
from artgen.testing.side_effects import check_pure, differing

PRIMITIVES = ("triangle", "cloud")

PART = "@part:2"


@basic
def edits(offer: Offer) -> str:
    """It makes a drawing of a drawing, of all parts if it can.

    Return `parts.changed(tensors)`, `parts.composed(which)` or `parts.transformed(linear, shift)`.
    """
    return f"edits {', '.join(_made(offer))}"


def chosen(offer: Offer) -> str:
    """It takes one part alone, or refuses that by `UsageError`.

    Use `parts.chosen`; raise `artgen.errors.UsageError` for parts that it cannot change.
    """
    return f"edits a part of {', '.join(_made(offer, PART))}"


def values(offer: Offer) -> str:
    """Other values than its example are taken, or refused by `UsageError`.

    Raise `artgen.errors.UsageError` for what cannot be read; `artgen.editing.numbers` may help.
    """
    if offer.loaded.file or not offer.loaded.example:
        return "no value to read"
    for text in WRONG:
        with suppress(UsageError):
            edit(drawing_of(offer, PRIMITIVES[0]), f"{_name(offer)}={text}")
    return f"{', '.join(WRONG)} do no harm"


def purity(offer: Offer) -> None:
    """The same edit gives the same numbers, without a clock; nothing else is changed or written.

    Copy a tensor before you change it; seed a generator of your own.
    """
    code, first = offer.loaded.change, _made(offer)
    with check_pure(offer, code):
        again = _made(offer)
    for name, art in first.items():
        if differing(art.drawing.tensors, again[name].drawing.tensors):
            raise Failed(f"{name} becomes another drawing the second time", code)
        if changed(offer, name):
            raise Failed(f"it changes the tensors of {name} in place", code)


CHECKS = (edits, chosen, values, purity)


def _made(offer: Offer, *wheres: str) -> dict[str, Art]:
    """What it makes of a drawing of each primitive that it does not refuse.

    Without a place of all parts, and of one where that is refused, as what would leave none is.
    """
    if offer.loaded.file:
        raise Lacking(f"a file, such as {offer.loaded.example}")
    value = f"={offer.loaded.example}" if offer.loaded.example else ""
    refused, made = "", dict[str, Art]()
    for where in wheres or ("", PART):
        for name in PRIMITIVES if not made else ():
            try:
                made[name] = edit(drawing_of(offer, name), f"{_name(offer)}{value}{where}")
            except UsageError as error:
                refused = error.message
    if not made:
        raise Lacking(f"drawings that it does not refuse: {refused}")
    return made


def _name(offer: Offer) -> str:
    return offer.registry.spelling(offer.entry)
