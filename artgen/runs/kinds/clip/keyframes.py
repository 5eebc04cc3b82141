"""The keys of a scene: a drawing per frame, each a file, of which a film is made in the end.

Parts keep their places in the tensors from frame to frame. Where a part is renewed, another life
begins in its place; a key says for every place since which frame of the scene its part has lived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from artgen.engines.base import part, prefixed
from artgen.film.scenes import Scene
from artgen.runs.files.state_file import StateStore
from artgen.runs.joining import join_keys

CHAPTER = 240
"""A scene of more keyframes is split: parts that have ended take up space until its end."""

_BORN, _STATE = "born", "state."


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The tensors of a frame's drawing, and since which frame its parts have lived, int64 [N].

    `born` is None where all have been there from the beginning. `steps` are those of its own fit,
    `seconds` those of the scene so far; `state` is what its engine hands over to the next.
    """

    tensors: dict[str, Tensor]
    born: Tensor | None = None
    steps: int = 0
    seconds: float = 0.0
    state: Mapping[str, Tensor] = field(default_factory=dict)


class KeyframeStore:
    """A folder with a file per key, named after the number of its frame in the scene."""

    def __init__(self, folder: Path) -> None:
        self.store = StateStore(folder, "key", 6)

    def count(self) -> int:
        """How many keys there are, from the first one on without a gap."""
        there = set(self.store.numbers())
        return next(number for number in range(len(there) + 1) if number not in there)

    @property
    def steps(self) -> int:
        """The steps that all of them took. Raises InputError where one is damaged."""
        return sum(self.read(number).steps for number in range(self.count()))

    def add(self, number: int, key: Keyframe) -> None:
        """Store a key. Raises OutputError."""
        tensors = {**key.tensors, **prefixed(_STATE, key.state)}
        if key.born is not None:
            tensors[_BORN] = key.born
        self.store.write(number, tensors, {"steps": key.steps, "seconds": key.seconds})

    def read(self, number: int) -> Keyframe:
        """A key. Raises InputError where it is missing or damaged."""
        with self.store.reading(number) as (tensors, values):
            born = tensors.pop(_BORN, None)
            state = part(tensors, _STATE)
            tensors = {name: each for name, each in tensors.items() if not name.startswith(_STATE)}
            return Keyframe(tensors, born, int(values["steps"]), float(values["seconds"]), state)


def make_scenes(keys: list[Keyframe], first: int, fps: float) -> list[Scene]:
    """What a film holds of a scene whose first key is frame number `first` of the clip."""
    return [_chapter(keys[i : i + CHAPTER], i, first, fps) for i in range(0, len(keys), CHAPTER)]


def _chapter(keys: list[Keyframe], start: int, first: int, fps: float) -> Scene:
    """Keys number `start` and so on of a scene."""
    times = [(first + start + index) / fps for index in range(len(keys))]
    # Each life is a place and the key that it begins with; in the order of the places.
    places = torch.arange(next(iter(keys[0].tensors.values())).shape[-1])
    births = [0 if key.born is None else (key.born - start).clamp_min(0) for key in keys]
    identities = [places * CHAPTER + birth for birth in births]
    return join_keys(times, [key.tensors for key in keys], identities)
