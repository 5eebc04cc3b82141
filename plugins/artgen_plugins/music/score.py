"""The score of a film: what moves, by what of the music, how far, and which parts.

It is a TOML file beside the sound::

    sound = "song.wav"
    per_bar = 4            # beats

    [[move]]
    what = "size"          # size spread sway turn bright colour order film pose walk
    by = "bass"            # bass middle treble loudness beat bar pause
    amount = 0.3
    parts = "large"        # all large medium small dark light

The same as one inline table of TOML is a score within a recipe: ``{sound = "song.wav", move =
[{what = "size"}]}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from artgen.animation import Samples
from artgen.errors import InputError, UsageError, parse_toml, read_regular
from artgen_plugins.music.hearing import BRING, read_sound
from artgen_plugins.music.songs import BEATS, song

WHAT = ("size", "spread", "sway", "turn", "bright", "colour", "order", "film", "pose", "walk")
BY = ("bass", "middle", "treble", "loudness", "beat", "bar", "pause")
PARTS = ("all", "large", "medium", "small", "dark", "light")

KEYS = {
    "sound": str,
    "per_bar": int,
    "start": float,
    "seconds": float,
    "walk": str,
    "move": list,
}
"""The keys of a score."""


@dataclass(frozen=True)
class Move:
    """One line of a score: `what` of which `parts` moves by what, and how far.

    An `amount` of 1 doubles sizes and brightness, moves by half of the shorter side, turns by 90
    degrees, and turns hues by 180.
    """

    what: str
    by: str = "beat"
    amount: float = 0.3
    parts: str = "all"


@dataclass(frozen=True, eq=False)
class Score:
    """A sound, from `start` for `seconds`, the beats of its bars, and the moves to it.

    Without moves, those are taken that suit the drawing. `walk` is a walk as for `--walk`; without
    one, it goes along the labels, or the first pictures of a set that has none. `files` are what
    was read for it.
    """

    sound: Samples
    per_bar: int = 4
    moves: tuple[Move, ...] = ()
    walk: str | None = None
    files: tuple[Path, ...] = ()


def read_score(text: str) -> Score:
    """The score of a text: a sound, ``sample:`` and the name of a song, a TOML file, or its table.

    Raises UsageError and InputError.
    """
    if not text:
        raise UsageError(
            "a film of music needs a sound", hint="use --film music=song.wav, or music=sample:pulse"
        )
    if text.startswith("{"):
        try:
            return _of_table(parse_toml(f"score = {text}")["score"], Path("the score"))
        except ValueError as error:
            hint = 'write {sound = "song.wav", move = [{what = "size"}]}'
            raise UsageError(f"cannot read the score {text}: {error}", hint=hint) from None
    if not text.lower().endswith(".toml"):
        return _of_sound(text, Path())
    path = Path(text)
    if not path.is_file():
        raise InputError(f"there is no score {path}", hint=BRING)
    try:
        table = parse_toml(read_regular(path, f"score {path}", 2**20).decode("utf-8"))
    except ValueError as error:
        raise InputError(f"cannot read the score {path}: {error}", hint="correct it") from None
    return _of_table(table, path)


def _of_sound(text: str, folder: Path) -> Score:
    name = text.removeprefix("sample:")
    if name != text:
        return Score(song(name), BEATS[name][1])
    return Score(read_sound(folder / text), files=(folder / text,))


def _of_table(table: Mapping[str, Any], path: Path) -> Score:
    _check(table, KEYS, f"{path}")
    if "sound" not in table:
        raise InputError(f"{path} names no sound", hint='write sound = "song.wav"')
    score = _of_sound(table["sound"], path.parent)
    per_bar = table.get("per_bar", score.per_bar)
    if not 1 <= per_bar <= 32:
        raise InputError(f"{path}: per_bar must be 1 to 32, is {per_bar}", hint="use 4, or 3")
    moves = tuple(_move(each, path, index) for index, each in enumerate(table.get("move", ()), 1))
    sound, walk = _cut(score.sound, table, path), table.get("walk", score.walk)
    return replace(score, sound=sound, per_bar=per_bar, moves=moves, walk=walk)


def _cut(sound: Samples, table: Mapping[str, Any], path: Path) -> Samples:
    """The part of a sound that is asked for."""
    whole = sound.values.shape[1] / sound.rate
    start, seconds = table.get("start", 0.0), table.get("seconds", whole)
    if not (0 <= start <= whole - 0.5 and seconds >= 0.5):
        raise InputError(
            f"{path}: the sound has {whole:.1f} s, and start is {start}, seconds {seconds}",
            hint="begin within it, and use half a second or more",
        )
    first, many = (round(each * sound.rate) for each in (start, min(seconds, whole)))
    return Samples(sound.values[:, first : first + many], sound.rate)


def _move(given: Any, path: Path, number: int) -> Move:
    where = f"{path}, move {number}"
    if not isinstance(given, Mapping):
        raise InputError(f"{where} is no table", hint="write [[move]] above it")
    _check(given, {"what": str, "by": str, "amount": float, "parts": str}, where)
    if "what" not in given:
        raise InputError(f"{where} does not say what moves", hint='write what = "size"')
    for key, known in (("what", WHAT), ("by", BY), ("parts", PARTS)):
        if given.get(key, known[0]) not in known:
            raise InputError(f"{where}: {key} = {given[key]!r}", hint=f"use {', '.join(known)}")
    if not -5 <= given.get("amount", 0) <= 5:
        raise InputError(f"{where}: amount = {given['amount']}", hint="use -5 to 5, such as 0.3")
    return Move(**given)


def _check(table: Mapping[str, Any], kinds: Mapping[str, type], where: str) -> None:
    """Raise InputError for keys that are unknown, and values of another kind."""
    for key, value in table.items():
        if key not in kinds:
            raise InputError(f"{where}: unknown key {key!r}", hint=f"use {', '.join(kinds)}")
        wanted = (float, int) if kinds[key] is float else (kinds[key],)
        wrong = isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value))
        if wrong or not isinstance(value, wanted):
            raise InputError(f"{where}: {key} = {value!r}", hint=f"write a {kinds[key].__name__}")
