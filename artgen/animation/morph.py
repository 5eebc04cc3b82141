"""Morph: the parts of one drawing travel into those of another, and of others, as a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest

import torch

from artgen.art import Art, quantised_film
from artgen.base.errors import UsageError
from artgen.film.scenes import LONGEST, Film, Scene
from artgen.film.timeline import CUT, make_scenes, timeline
from artgen.matching import pair
from artgen.primitives import Primitive
from artgen.recipe import FileReference, MorphTable
from artgen.values.drawing import Drawing, same_value


def morph(
    first: Art,
    second: Art,
    *others: Art,
    seconds: float = 4.0,
    hold: float = 1.0,
    loop: bool = False,
    fps: float = 30.0,
    names: Sequence[FileReference] | None = None,
) -> Art:
    """A film in which the parts of `first` become those of `second`, and then of `others`.

    Each way takes `seconds`, 0.1 to 21,600; before and after it the drawing stands still for `hold`
    seconds, 0 to 21,600; a `loop` goes back too. The film has the canvas of `first`: where `second`
    is longer it is cut, where it is shorter there is background. `names` are the files, for the
    recipe.

    Raises UsageError where the drawings are not of one kind or the film lasts more than a day,
    InputError where one is damaged.
    """
    for name, value, least in (("seconds", seconds, 0.1), ("hold", hold, 0.0)):
        if not least <= value <= LONGEST / 4:
            raise UsageError(
                f"{name} must be between {least:g} and {LONGEST / 4:g}, got {value:g}",
                hint=f"use {name} 2",
            )
    hold = round(hold, 3)
    arts = [first, second, *others]
    for other in arts[1:]:
        primitive = common_primitive(first, other, "morphed into")
    if others:
        ways = list(pairwise([*arts, first] if loop else arts))
        scenes, now = [], 0.0
        for number, (one, other) in enumerate(ways, 1):
            shares, times = timeline(seconds, hold, False)
            if hold and (loop or number < len(ways)):  # the next way begins with the rest
                shares, times = shares[:-1], times[:-1]
            scenes += _scenes(primitive, one, other, shares, [now + at for at in times])
            now += times[-1]
        scenes = _apart(scenes, first.drawing)
    else:
        shares, times = timeline(seconds, hold, loop)
        scenes, now = _scenes(primitive, first, second, shares, times), times[-1]
    if now > LONGEST:
        raise UsageError(f"a film lasts at most {LONGEST:g} s, not {now:g}", hint="make it shorter")
    film = Film(tuple(scenes), now, fps)
    precision = first.precision if len({art.precision for art in arts}) == 1 else "fp32"
    usual = ["first", "second", *map(str, range(3, len(arts) + 1))]
    references = names or [FileReference(name=f"{name}.art") for name in usual]
    table = MorphTable(
        first=references[0],
        second=references[1],
        seconds=seconds,
        hold=hold,
        loop=loop,
        others=tuple(references[2:]) or None,
    )
    return replace(
        first,
        recipe=first.recipe.replace(morph=table),
        metrics={},
        precision=precision,
        film=quantised_film(film, precision, *(art.drawing for art in arts)),
        history=(),
        trajectory=None,
    )


def _scenes(
    primitive: Primitive, one: Art, other: Art, shares: list[float], times: list[float]
) -> list[Scene]:
    """The way from one drawing to another."""
    pairs = pair(primitive, dict(one.drawing.tensors), dict(other.drawing.tensors))
    background = torch.tensor([one.drawing.background, other.drawing.background])
    return make_scenes(pairs.first, pairs.second, pairs.layers, shares, times, background)


def _apart(scenes: list[Scene], first: Drawing) -> list[Scene]:
    """The ways one after the other: each ends before the next, and has its own background."""
    result, ground = [], torch.tensor(first.background)
    # A way whose order changes as it ends has a last scene that is over as the next way begins.
    scenes = [a for a, b in zip_longest(scenes, scenes[1:]) if not b or a.times[0] < b.times[0]]
    for scene, following in zip_longest(scenes, scenes[1:]):
        times = scene.times
        if following and times[-1] >= following.times[0]:
            times = (*times[:-1], times[-1] - CUT)
        background = ground.expand(len(times), 3) if scene.background is None else scene.background
        ground = background[-1]
        result.append(replace(scene, times=times, background=background))
    return result


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
        if not same_value(found, value):
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
