"""The form of film `music`: at each frame, parts are changed by what is heard at that time.

The frame that is nearest to a beat shows the beat in full; after it the level falls, as the eye
expects of what was struck. A drawing that moves by itself (a morph, a history, a walk through the
latents of a codec) goes one station on with each bar or beat, and arrives on it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen import Drawing, Primitive
from artgen.animation import Form, Shot, Take, eased
from artgen.errors import UsageError
from artgen.family import Appearance, appearance, building_order, compose, move, posed, transform
from artgen_plugins.music.hearing import Floats, Heard, hear
from artgen_plugins.music.score import Move, Score, read_score

Pixels = NDArray[np.uint8]
Tensors = dict[str, Tensor]
Changes = dict[Move, tuple[Tensor, Tensors]]

STRUCK = ("beat", "bar", "pause")
"""What follows beats rather than a band."""

DYING = 0.16
"""The time in which what a beat struck falls to a third, in seconds."""

GOING = 0.6
"""The share of the time between two stations in which the drawing goes on, before the beat."""

SHOWN = 0.85
"""The share of the sound after which all parts have come, by `order`."""

LARGEST = 480
"""The longest side of a picture of a walk, in pixels: they are small ones, enlarged."""

FINE = 1024
"""Places of a walk through latents, of which each frame takes the nearest."""

STATIONS = 8
"""The pictures that a walk visits where it names none, if there are so many."""


def _prepare(shot: Shot) -> Take:
    score: Score = shot.given
    if any(each.what == "pose" for each in score.moves) and not poses_of(shot)[1:]:
        what = 'the score has what = "pose", and this drawing has one pose alone'
        raise UsageError(what, hint="fit it with --view pose=1:sample:horse, say")
    heard = hear(score.sound, score.per_bar)
    seconds = score.sound.values.shape[1] / score.sound.rate
    player = Player(shot, replace(score, moves=score.moves or usual_moves(shot)), heard, seconds)
    return Take(player.frame, seconds, score.sound)


def usual_moves(shot: Shot) -> tuple[Move, ...]:
    """The moves that suit a drawing, where its score has none."""
    if shot.art.primitive().family == "codec":
        return (Move("walk", "beat"),)
    drawing, primitive = shot.art.drawing, shot.art.primitive()
    if shot.art.recipe.morph is not None:
        return (Move("film", "bar"),)
    if poses_of(shot)[1:]:
        return (Move("pose", "bar"),)
    looks = _looks(primitive, drawing)
    if looks is None:
        return (Move("film", "beat"),)
    if looks.sizes is None:  # cells
        return (Move("spread", "beat", 0.05), Move("sway", "bass", 0.03))
    return (
        Move("size", "pause", -0.5),
        Move("size", "treble", 1.2, "small"),
        Move("spread", "beat", 0.06),
    )


def poses_of(shot: Shot) -> list[float]:
    """The poses that the views of a drawing name, first that in which it is: 0."""
    hows = [table.how for table in shot.art.recipe.view or ()]
    found = [re.match(r"\s*pose\s*=\s*([^,\s]+)", how) for how in hows]
    return [0.0, *(float(each[1]) for each in found if each)]


@dataclass(frozen=True, eq=False)
class Player:
    """Plays a score on the drawing of a shot."""

    shot: Shot
    score: Score
    heard: Heard
    seconds: float

    def frame(self, seconds: float) -> Pixels:
        """The picture at a time, uint8 [height, width, 3]."""
        for each in self.score.moves:
            if each.what == "walk":
                return self._walked(each, seconds)
        return self.shot.view.show(self.drawing(seconds))

    def drawing(self, seconds: float) -> Drawing:
        """The drawing at a time, with all its moves but a walk."""
        drawing, moves = self.shot.art.drawing, self.score.moves
        primitive = self.shot.art.primitive()
        # A moment of a film has other tensors: it is posed, not the drawing.
        for each in (each for each in moves if each.what == "film"):
            drawing = self._filmed(each, seconds)
        for each in (each for each in moves if each.what == "pose"):
            drawing = self._posed(each, drawing, seconds)
        tensors = dict(drawing.tensors)
        changes = self._changes if drawing is self.shot.art.drawing else self._changes_of(drawing)
        for each, (which, changed) in changes.items():
            loud = self.loud(each.by, seconds)
            if each.what == "sway":
                loud *= math.cos(4 * seconds)
            for name, values in changed.items():
                tensors[name] = tensors[name].index_add(-1, which, loud * values)
        for each in moves:
            if each.what == "order":
                order = self._order
                if drawing is not self.shot.art.drawing:
                    # A moment of a film has parts of its own, and another number.
                    order = building_order(primitive, drawing)
                count = max(1, round(self._come(each, seconds) * len(order)))
                tensors = dict(compose(primitive, (tensors, order[:count].sort().values.numpy())))
        return replace(drawing, tensors=tensors)

    def loud(self, by: str, seconds: float) -> float:
        """What is heard at a time, 0 to 1: a band, a beat that dies away, or the pause after it."""
        if by == "pause":
            return 1 - self.loud("beat", seconds) if len(self.heard.beats) else 0.0
        if by not in STRUCK:
            return self.heard.level(by, seconds)
        since = seconds - self._times(by)
        # The nearest frame is up to half a frame early.
        passed = since[since >= -0.5 / self.shot.fps]
        return float(np.exp(-max(0.0, passed[-1]) / DYING)) if len(passed) else 0.0

    def station(self, by: str, seconds: float) -> float:
        """The place on the way: a whole number on each beat, where the way has arrived."""
        times = self._times(by)
        number = int(np.searchsorted(times, seconds + 0.5 / self.shot.fps, side="right"))
        start = times[number - 1] if number else 0.0
        end = times[number] if number < len(times) else self.seconds + 1.0
        way = (seconds - start) / max(end - start, 1e-6)
        return number + float(eased((way - 1 + GOING) / GOING))

    def _times(self, by: str) -> Floats:
        return self.heard.bars if by == "bar" else self.heard.beats

    def _place(self, move: Move, seconds: float, last: int, loops: bool) -> float:
        """The station 0 to `last`, to and fro or around; by a band, as far as it is loud.

        A sound often begins with a bar: the first station is shown through it.
        """
        if move.by not in STRUCK:
            # Around, the last is as far as it gets; the walk along an axis has one station, and
            # three quarters of it are the side that comes last.
            return ((last - 1 or 0.75) if loops else last) * self.heard.level(move.by, seconds)
        place = max(0.0, self.station(move.by, seconds) - 1)
        if loops or last == 0:
            return place % max(1, last)
        return last - abs(place % (2 * last) - last)

    def _filmed(self, move: Move, seconds: float) -> Drawing:
        table = self.shot.art.recipe.morph
        if table is None:
            # A history has no stations: it goes on with each beat, and ends with the sound.
            share = self.station(move.by, seconds) / max(1, len(self._times(move.by)))
            if move.by not in STRUCK:
                share = self.heard.level(move.by, seconds)
            return self._moving(min(1.0, share) * self._film_seconds)
        ways = 1 + len(table.others or ()) + table.loop
        step = table.seconds + table.hold
        place = self._place(move, seconds, ways, table.loop)
        whole = min(int(place), ways - 1)
        now = whole * step + table.hold + (place - whole) * table.seconds
        # The drawings themselves are at rest: the eased way of the film is undone.
        if 0 < place - whole < 1:
            now = whole * step + table.hold + _uneased(place - whole) * table.seconds
        return self._moving(min(now, self._film_seconds))

    def _posed(self, move: Move, drawing: Drawing, seconds: float) -> Drawing:
        """A drawing on its way from one pose of its views to the next."""
        poses = poses_of(self.shot)
        place = self._place(move, seconds, len(poses) - 1, False)
        pose = float(np.interp(place, range(len(poses)), poses))
        tensors = posed(self.shot.art.primitive(), dict(drawing.tensors), pose)
        return replace(drawing, tensors=dict(tensors))

    def _come(self, move: Move, seconds: float) -> float:
        """The share of the parts that have come by then."""
        if move.by in STRUCK:
            times = self._times(move.by)
            return self.station(move.by, seconds) / max(1, SHOWN * len(times)) + 0.02
        values = np.cumsum(self.heard.levels[move.by])
        place = min(int(seconds / self.heard.step), len(values) - 1)
        return float(values[place] / max(1e-9, SHOWN * values[-1])) + 0.02

    def _walked(self, move: Move, seconds: float) -> Pixels:
        from PIL import Image

        latents, labels, stations = self._walk
        place = self._place(move, seconds, stations, True) / stations
        index = round(place * len(latents)) % len(latents)
        space = self.shot.art.latent_space()
        picture = space.draw(latents[index][None], labels[index][None])[0]
        picture = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
        canvas = self.shot.art.picture_canvas(min(self.shot.frame.size or LARGEST, LARGEST))
        size = canvas.width, canvas.height
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))

    @cached_property
    def _walk(self) -> tuple[Tensor, Tensor, int]:
        """Latents and classes along the walk, and the number of its stations."""
        subject = self.shot.art.drawing.subject
        walk = self.score.walk or ("labels" if getattr(subject, "classes", ()) else "linear")
        latents, labels = self.shot.art.latent_space().walk(walk, FINE)
        kind, _, rest = walk.partition(":")
        own = getattr(subject, "labels", ())
        if kind == "labels":
            return latents, labels, len(np.unique(own))
        return latents, labels, rest.count(",") + 1 if rest else min(STATIONS, len(own))

    @cached_property
    def _moving(self) -> Callable[[float], Drawing]:
        return self.shot.art.moving()

    @cached_property
    def _film_seconds(self) -> float:
        return self.shot.art.require_film().duration

    @cached_property
    def _changes(self) -> Changes:
        """Those of the drawing itself, which most films show all the time."""
        return self._changes_of(self.shot.art.drawing)

    def _changes_of(self, drawing: Drawing) -> Changes:
        """What each move adds to which parts where the music is loudest."""
        primitive, tensors = self.shot.art.primitive(), dict(drawing.tensors)
        wanted = [each for each in self.score.moves if each.what in MOVES]
        looks = _looks(primitive, drawing) if wanted else None
        if looks is None:
            return {}
        changes = {}
        for each in wanted:
            which = parts_of(each.parts, looks)
            if not len(which):  # a third of two parts
                continue
            own = _select(tensors, which)
            places = torch.from_numpy(looks.places[which.numpy()].T).float()
            there = MOVES[each.what](primitive, own, places, each.amount)
            moved = {name: values - own[name] for name, values in there.items()}
            changes[each] = which, {name: v for name, v in moved.items() if v.abs().max() > 0}
        return changes

    @cached_property
    def _order(self) -> Tensor:
        return building_order(self.shot.art.primitive(), self.shot.art.drawing)


def check_move(asked: Move, primitive: Primitive, drawing: Drawing) -> None:
    """Raise UsageError for a move of parts that a drawing does not have, or cannot tell apart."""
    if asked.what not in (*MOVES, "order"):
        return
    looks, kind = _looks(primitive, drawing), drawing.primitive
    if looks is None:
        other = "walk" if primitive.family == "codec" else "film"
        raise UsageError(
            f'the score has what = "{asked.what}", and a {kind} drawing has no parts that move',
            hint=f'use what = "{other}"',
        )
    if asked.what in ("bright", "colour") and "colour" not in drawing.tensors:
        raise UsageError(
            f'the score has what = "{asked.what}", and parts of {kind} have no colour of their own',
            hint='use what = "size"',
        )
    known = looks.colours if asked.parts in ("dark", "light") else looks.sizes
    if asked.parts != "all" and known is None:
        what = "colours" if asked.parts in ("dark", "light") else "sizes"
        raise UsageError(
            f'the score has parts = "{asked.parts}", and parts of {kind} have no {what}',
            hint='use parts = "all"',
        )


def parts_of(name: str, looks: Appearance) -> Tensor:
    """The indices of the parts that a score names, int64 [M]; thirds by size, halves by colour."""
    count = len(looks.places)
    if name in ("dark", "light"):
        assert looks.colours is not None  # by `check_move`
        ranks = np.argsort(looks.colours.sum(axis=1), kind="stable")
        chosen = ranks[: count // 2] if name == "dark" else ranks[count // 2 :]
    elif name in ("large", "medium", "small"):
        assert looks.sizes is not None
        thirds = np.array_split(np.argsort(looks.sizes, kind="stable"), 3)
        chosen = thirds[("small", "medium", "large").index(name)]
    else:
        chosen = np.arange(count)
    return torch.from_numpy(np.sort(chosen))


def _select(tensors: Tensors, which: Tensor) -> Tensors:
    return {name: values[..., which] for name, values in tensors.items()}


def _size(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """Each part grows around its own middle."""
    factor = max(0.05, 1 + by)
    grown = transform(primitive, own, factor * torch.eye(2), torch.zeros(2))
    return move(primitive, grown, (1 - factor) * places)


def _spread(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """Parts move away from the middle of the picture."""
    return move(primitive, own, by * places)


def _sway(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """A wave swings through the picture."""
    x, y = places
    wave = torch.stack([torch.sin(3 * y), 0.4 * torch.sin(3 * x)])
    return move(primitive, own, by * wave)


def _turn(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """Parts turn around the middle of the picture."""
    angle = by * math.pi / 2
    c, s = math.cos(angle), math.sin(angle)
    return transform(primitive, own, torch.tensor([[c, -s], [s, c]]), torch.zeros(2))


def _bright(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """Parts shine."""
    return {"colour": own["colour"] * (1 + by)} if "colour" in own else {}


def _colour(primitive: Primitive, own: Tensors, places: Tensor, by: float) -> Tensors:
    """Hues turn around gray, which stays as it is."""
    if "colour" not in own:
        return {}
    angle = by * math.pi
    c, s = math.cos(angle), math.sin(angle) / math.sqrt(3)
    across = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    turned = c * torch.eye(3) + s * across + (1 - c) / 3
    return {"colour": turned.to(own["colour"]) @ own["colour"]}


MOVES = {
    "size": _size,
    "spread": _spread,
    "sway": _sway,
    "turn": _turn,
    "bright": _bright,
    "colour": _colour,
}
"""What changes parts, whose middles are float32 [2, M], by its name in a score."""


def _looks(primitive: Primitive, drawing: Drawing) -> Appearance | None:
    """What the parts look like; None where there are none."""
    try:
        looks = appearance(primitive, dict(drawing.tensors))
        move(primitive, dict(drawing.tensors), torch.zeros(2, len(looks.places)))
    except UsageError:
        return None
    return looks


def _uneased(share: float) -> float:
    """Where a smooth way from 0 to 1 is at a share: the inverse of `eased`."""
    return 0.5 - math.sin(math.asin(1 - 2 * share) / 3)


def _check(primitive: Primitive, drawing: Drawing) -> None:
    """Raise UsageError where nothing can move."""
    if primitive.family not in ("codec", "field") and _looks(primitive, drawing) is None:
        raise UsageError(
            f"a {drawing.primitive} drawing has no parts that music could move",
            hint="splats, shapes and cells have, and codecs walk",
        )


def _check_score(score: Score, primitive: Primitive, drawing: Drawing) -> None:
    whole = [each.what for each in score.moves if each.what in ("film", "pose", "walk")]
    if len({*whole}) < len(whole) or ("walk" in whole and len(score.moves) > 1):
        raise UsageError(
            f"moves of the score cancel one another: {', '.join(e.what for e in score.moves)}",
            hint="keep one film and one pose, or one walk without other moves",
        )
    for each in score.moves:
        check_move(each, primitive, drawing)


MUSIC = Form(
    _prepare,
    check=_check,
    takes=read_score,
    check_given=_check_score,
    reads=lambda score: score.files,
)
