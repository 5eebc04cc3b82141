"""Morph: the parts of one drawing travel into those of another, as a film."""

from __future__ import annotations

from dataclasses import replace

import torch

from artgen.art import Art, quantised_film
from artgen.base.errors import UsageError
from artgen.film.scenes import LONGEST, Film
from artgen.film.timeline import make_scenes, timeline
from artgen.matching import pair
from artgen.primitives import Primitive
from artgen.recipe import FileReference, MorphTable


def morph(
    first: Art,
    second: Art,
    *,
    seconds: float = 4.0,
    hold: float = 1.0,
    loop: bool = False,
    fps: float = 30.0,
    names: tuple[FileReference, FileReference] | None = None,
) -> Art:
    """A film in which the parts of `first` become those of `second`.

    The way takes `seconds`, 0.1 to 21,600; before and after it the drawing stands still for `hold`
    seconds, 0 to 21,600; a `loop` goes back too. The film has the canvas of `first`: where `second`
    is longer it is cut, where it is shorter there is background. `names` are the files, for the
    recipe.

    Raises UsageError where the drawings are not of one kind, InputError where one is damaged.
    """
    for name, value, least in (("seconds", seconds, 0.1), ("hold", hold, 0.0)):
        if not least <= value <= LONGEST / 4:
            raise UsageError(
                f"{name} must be between {least:g} and {LONGEST / 4:g}, got {value:g}",
                hint=f"use {name} 2",
            )
    hold = round(hold, 3)
    primitive = common_primitive(first, second, "morphed into")
    pairs = pair(primitive, dict(first.drawing.tensors), dict(second.drawing.tensors))
    shares, times = timeline(seconds, hold, loop)
    background = torch.tensor([first.drawing.background, second.drawing.background])
    scenes = make_scenes(pairs.first, pairs.second, pairs.layers, shares, times, background)
    film = Film(tuple(scenes), times[-1], fps)
    precision = first.precision if first.precision == second.precision else "fp32"
    references = names or (FileReference(name="first.art"), FileReference(name="second.art"))
    table = MorphTable(
        first=references[0], second=references[1], seconds=seconds, hold=hold, loop=loop
    )
    return replace(
        first,
        recipe=first.recipe.replace(morph=table),
        metrics={},
        precision=precision,
        film=quantised_film(film, precision),
    )


_LONGEST = 60
"""The longest value of an option that a message quotes; a stamp is a whole picture."""


def common_primitive(first: Art, second: Art, done: str) -> Primitive:
    """The primitive of both. Raises UsageError where they are not of one kind.

    `done` says what cannot be `done` to them then, such as "morphed into".
    """
    one, other = first.drawing, second.drawing
    if one.primitive != other.primitive:
        raise UsageError(
            f"{one.primitive} cannot be {done} {other.primitive}, another primitive",
            hint=f"fit the second picture with -p {one.primitive} too",
        )
    primitive: Primitive = first.primitive()
    if one.subject is not None or other.subject is not None:
        raise UsageError(
            f"only drawings of pictures can be {done.split()[0]}, not those of samples or sets",
            hint="fit two pictures",
        )
    for key, value in one.options.items():
        found = other.options.get(key)
        if _listed(found) != _listed(value):
            short = len(repr(value)) <= _LONGEST
            values = f": {value!r} and {found!r:.{_LONGEST}}" if short else ""
            same = f"{key}={value}" if short else f"the same {key}"
            raise UsageError(
                f"the drawings differ in {key}{values}",
                hint=f"fit the second picture with --set {same}",
            )
    primitive.check_tensors(one)
    primitive.check_tensors(other)
    return primitive


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
