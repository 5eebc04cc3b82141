"""Checks of makers: what they make, how they refuse, and that equal drawings give equal bytes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from artgen.base.errors import UsageError
from artgen.making import Made, Motif, files_of, run_maker
from artgen.making import Provenance as Said
from artgen.testing.candidate import Offer
from artgen.testing.drawings import drawing_of, fit, photo
from artgen.testing.names import names
from artgen.testing.run_checks import Failed, basic, schema
from artgen.testing.side_effects import check_pure

FLAGS = frozenset(
    {"help", "help_all", "json", "list", "name", "out"}
    | {"overwrite", "plugin", "quiet", "set", "verbose"}
)
"""The words of flags of ``artgen make`` that are no options of a kind."""


@basic
def makes(offer: Offer) -> str:
    """It makes a thing of a small photo: files, parts and a picture of 8-bit pixels.

    Return `artgen.making.Made(files, parts, picture)`; parts have a number or a length, and no
    option is called like a flag that `artgen make` has for all kinds.
    """
    for taken in FLAGS.intersection(each.name for each in fields(offer.loaded.Options)):
        flag = f"--{taken} is a flag of artgen make, and cannot set the option {taken!r}"
        raise Failed(flag, offer.loaded.Options)
    made = _made(offer)
    pixels = made.picture
    if not (isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 3):
        raise Failed("the picture is not uint8 [height, width, 3]", offer.loaded.make)
    for part in made.parts:
        if not (part.number > 0 or part.length > 0):
            raise Failed(f"the part {part.what!r} has no number and no length", offer.loaded.make)
    return f"{len(made.files)} files, {len(made.parts)} parts"


def drawings(offer: Offer) -> str:
    """A drawing of a primitive that it does not know is made, or refused by `UsageError`.

    Use `motif.picture` and `motif.pixels`, or ask `motif.art.drawing.primitive` first.
    """
    try:
        run_maker(offer.name, offer.loaded(), Motif("triangles", drawing_of(offer, "triangle")))
    except UsageError as refusal:
        return f"refuses triangles: {refusal.message}"
    return "takes triangles"


def purity(offer: Offer) -> None:
    """The same motif gives the same bytes, without a clock; nothing is changed or written.

    Leave out dates and random numbers, or seed a generator of your own.
    """
    first = _made(offer)
    with check_pure(offer):
        again = offer.loaded().make(_motif(offer))
    said = Said(offer.name, "small", None)
    one, other = (files_of(each, _motif(offer), said) for each in (first, again))
    for name, data in one.items():
        if other.get(name) != data:
            raise Failed(f"{name} has other bytes the second time", offer.loaded.make)


CHECKS = (names, schema, makes, drawings, purity)


def _made(offer: Offer) -> Made:
    return offer.once("made", lambda: run_maker(offer.name, offer.loaded(), _motif(offer)))


def _motif(offer: Offer) -> Motif:
    """The small photo itself, or its drawing as the maker asks for."""
    if offer.loaded.takes_photos:
        return Motif("small", photo=photo())
    art = offer.once("art", lambda: fit(offer.registry, offer.loaded().recipe(photo())))
    return Motif("small", art)
