"""Checks of forms of film: their frames, that these repeat in any order, and that a loop closes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.animation.forms import Shot, Take, form_frames
from artgen.art import Art
from artgen.base.errors import ArtgenError, UsageError
from artgen.testing.candidate import CANVAS, Offer
from artgen.testing.drawings import changed, first_taken, photo
from artgen.testing.run_checks import Failed, Lacking, basic
from artgen.testing.side_effects import check_pure
from artgen.values.frame import Frame

SHARES = (0.0, 0.3, 0.7, 1.0)
"""The moments that are looked at."""

ALIKE = 0.5
"""How far the mean step over the end of a loop may be from the largest one within it."""

PRIMITIVES = ("triangle", "gaussian", "stipple")


@basic
def frames(offer: Offer) -> str:
    """Its frames are pixels of 8 bits, all of one size.

    Return a function from the share of the time, 0 to 1, to a frame, uint8 [height, width, 3].
    """
    pictures = [_frame(offer, share) for share in SHARES]
    for pixels in pictures:
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise Failed(f"a frame has the shape {list(pixels.shape)}", offer.loaded.prepare)
        if pixels.shape != pictures[0].shape:
            raise Failed("frames differ in size", offer.loaded.prepare)
    height, width = pictures[0].shape[:2]
    moves = any(not np.array_equal(pictures[0], each) for each in pictures[1:])
    return f"{width} x {height} pixels, {'moving' if moves else 'all the same'}"


def order(offer: Offer) -> None:
    """A frame is the same whichever was drawn before it.

    Compute each from the share of the time alone; keep nothing between frames but what repeats.
    """
    before = [_frame(offer, share) for share in SHARES]
    after = [_frame(offer, share) for share in SHARES[::-1]][::-1]
    for share, one, other in zip(SHARES, before, after, strict=True):
        if not np.array_equal(one, other):
            raise Failed(f"the frame at {share} differs the second time", offer.loaded.prepare)


def ends(offer: Offer) -> str:
    """A form that `loops` comes back to its first frame.

    Let the frame at 1 be that at 0, or leave out `loops`.
    """
    if not offer.loaded.loops:
        return "no loop"
    film = [frame.astype(np.float64) for frame in _filmed(offer)]
    steps = [float(np.abs(b - a).mean()) for a, b in itertools.pairwise(film)]
    last = float(np.abs(film[-1] - film[0]).mean())
    if last > max(steps) * (1 + ALIKE) + 1:
        raise Failed(f"the end is {last:.1f} levels from the beginning", offer.loaded.prepare)
    return "it closes"


def purity(offer: Offer) -> None:
    """It reads no clock, prints nothing, writes nothing and changes no drawing.

    Use the share of the time; seed a generator of your own.
    """
    with check_pure(offer, offer.loaded.prepare):
        _filmed(offer)
    for name in changed(offer, _shown(offer)[0]):
        raise Failed(f"it changes {name} of the drawing", offer.loaded.prepare)


CHECKS = (frames, order, ends, purity)


def _filmed(offer: Offer) -> list[NDArray[np.uint8]]:
    _frame(offer, 0.0)  # which says what it lacks
    return list(form_frames(offer.registry.spelling(offer.entry), _shot(offer), 8.0).frames)


def _prepared(offer: Offer) -> Any:
    shot = _shot(offer)
    if offer.loaded.check_given is not None:
        offer.loaded.check_given(shot.given, shot.art.primitive(), shot.art.drawing)
    return offer.loaded.prepare(shot)


def _frame(offer: Offer, share: float) -> NDArray[np.uint8]:
    """The frame at a share of the time."""
    try:
        made = offer.once("made", lambda: _prepared(offer))
    except UsageError as error:
        raise Lacking(f"it refuses a small drawing: {error.message}") from None
    at = made.at(share * made.seconds) if isinstance(made, Take) else made(share)
    if not (isinstance(at, np.ndarray) and at.dtype == np.uint8):
        raise Failed(f"a frame is {type(at).__name__}, not uint8 pixels", offer.loaded.prepare)
    return at


def _shot(offer: Offer) -> Shot:
    form, given = offer.loaded, None
    if form.takes:
        try:
            given = form.takes("")
        except ArtgenError as error:
            raise Lacking(f"--film {offer.name} alone is refused: {error.message}") from None
    return Shot(_shown(offer)[1], Frame(size=CANVAS.width), 1.0, photo(), given=given, fps=8.0)


def _shown(offer: Offer) -> tuple[str, Art]:
    """The first primitive that the form shows, and a small drawing of it."""

    def show(name: str, art: Art) -> tuple[str, Art]:
        offer.loaded.check(art.primitive(), art.drawing)
        return name, art

    return first_taken(offer, PRIMITIVES, show, f"it shows none of {', '.join(PRIMITIVES)}")
