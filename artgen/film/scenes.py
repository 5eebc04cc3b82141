"""Film: a drawing that moves, as key drawings of the same parts.

Between two keys of a scene every number of every part is interpolated linearly, so a film has no
frame rate of its own and can be drawn at any. Between two scenes there is a cut, across which
nothing is interpolated: what is shown last stays until the next scene begins.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from artgen.base.errors import UsageError, ensure
from artgen.values.drawing import Drawing

if TYPE_CHECKING:
    from torch import Tensor


LONGEST = 86_400.0
"""The most seconds that a film lasts."""

FASTEST = 1_000.0
"""The most frames per second."""

MOST_FRAMES = 1_000_000
"""A video has no more frames than these."""

SAME = 1e-6
"""Moments that are no further apart, in seconds, are one: sums of frame times are not exact."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Keyframes of the same parts.

    - `times` [K]: when each of them is reached, in seconds since the start of the film, increasing.
      What is before 0 is kept but not seen.
    - `tensors`: for each tensor of the drawing, by its name, its *mapped* values at all keyframes,
      float32 [K, *shape of that tensor*].
    - `lifespans`: the first and the last keyframe of every part, int64 [2, N]; the last axis of all
      tensors is then that of the parts. None: all parts are there throughout. A part is seen from
      its first keyframe until the one after its last; its other values mean nothing.
    - `background`: float32 [K, 3], one for every keyframe; None: that of the drawing.

    Raises ValueError where these do not go together.
    """

    times: tuple[float, ...]
    tensors: Mapping[str, Tensor]
    lifespans: Tensor | None = None
    background: Tensor | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # A view of a mapping can be neither copied nor pickled.
        return type(self), (self.times, dict(self.tensors), self.lifespans, self.background)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", tuple(float(time) for time in self.times))
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))
        times, keys = self.times, len(self.times)
        ensure(keys > 0, "a scene must have a keyframe")
        ordered = all(a + SAME < b for a, b in itertools.pairwise(times))
        ensure(ordered, "the keyframes of a scene must be in order of time")
        for name, tensor in self.tensors.items():
            whole = tensor.dim() > 0 and len(tensor) == keys
            ensure(whole, f"{name} must have a value for every keyframe")
        ground, lifespans = self.background, self.lifespans
        whole = ground is None or ground.shape == (keys, 3)
        ensure(whole, "a background must have a colour for every keyframe")
        if lifespans is None:
            return
        numbers = str(lifespans.dtype) == "torch.int64" and lifespans.dim() == 2
        ensure(numbers, "lifespans must be numbers of keyframes")
        ensure(len(lifespans) == 2, "a lifespan must have a first and a last keyframe")
        for name, tensor in self.tensors.items():
            parts = tensor.shape[-1] if tensor.dim() > 1 else None
            ensure(parts == lifespans.shape[1], f"{name} must have one part for each lifespan")
        if lifespans.numel():
            first, last = lifespans
            inside = int(first.min()) >= 0 and int(last.max()) < keys
            ensure(inside and bool((first <= last).all()), "a lifespan must be within its scene")

    @property
    def keyframes(self) -> int:
        """Number of keyframes."""
        return len(self.times)

    @property
    def forms(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the tensors by name, but for the numbers of keys and of parts."""
        return {name: (t.dim(), *t.shape[1:-1]) for name, t in self.tensors.items()}

    def place(self, seconds: float) -> tuple[int, float]:
        """The last key before this moment, or at it, and how far it is to the next, 0 to 1."""
        key = max(0, bisect_right(self.times, seconds + SAME) - 1)
        ahead = seconds - self.times[key]
        if ahead <= SAME or key + 1 == self.keyframes:
            return key, 0.0
        return key, ahead / (self.times[key + 1] - self.times[key])

    def tensors_at(self, seconds: float) -> dict[str, Tensor]:
        """The values at this moment of the film, and only of the parts that live then."""
        key, share = self.place(seconds)
        moving = share > 0
        now = {
            name: tensor[key].lerp(tensor[key + 1], share) if moving else tensor[key]
            for name, tensor in self.tensors.items()
        }
        if self.lifespans is None:
            return now
        first, last = self.lifespans
        if moving and bool((last == key).any()):
            # What ends here has no next value.
            now = {
                name: value.where(last > key, self.tensors[name][key])
                for name, value in now.items()
            }
        living = (first <= key) & (key <= last)
        return {name: value[..., living] for name, value in now.items()}

    def background_at(self, seconds: float) -> tuple[float, float, float] | None:
        """The background at this moment; None where it is that of the drawing."""
        if self.background is None:
            return None
        key, share = self.place(seconds)
        after = min(key + 1, self.keyframes - 1)
        red, green, blue = self.background[key].lerp(self.background[after], share).tolist()
        return red, green, blue


@dataclass(frozen=True, eq=False)
class Film:
    """Scenes, one after the other, that last `duration` seconds together.

    `fps` is the rate of what it was made from, in frames per second, at which it is drawn unless
    asked otherwise. Raises ValueError where the scenes do not follow one another or hold different
    tensors, or where `duration` and `fps` are out of range.
    """

    scenes: tuple[Scene, ...]
    duration: float
    fps: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "scenes", tuple(self.scenes))
        scenes = self.scenes
        ensure(len(scenes) > 0, "a film must have a scene")
        ensure(0 < self.duration <= LONGEST, f"a film must last at most {LONGEST:.0f} seconds")
        ensure(0 < self.fps <= FASTEST, f"a film must have at most {FASTEST:.0f} frames per second")
        begin, end = scenes[0].times[0], scenes[-1].times[-1]
        ensure(begin >= -LONGEST, f"a film must not begin before -{LONGEST:.0f} seconds")
        ensure(end <= self.duration + SAME, "all keyframes must be within the film")
        for one, other in itertools.pairwise(scenes):
            ensure(one.times[-1] + SAME < other.times[0], "scenes must be in order of time")
        for scene in scenes:
            ensure(scene.forms == scenes[0].forms, "all scenes must have the same tensors")

    @property
    def keyframes(self) -> int:
        """Number of keyframes in all scenes."""
        return sum(scene.keyframes for scene in self.scenes)

    def scene_at(self, seconds: float) -> int:
        """The number of the scene that is shown at this moment."""
        starts = [scene.times[0] for scene in self.scenes]
        return max(0, bisect_right(starts, seconds + SAME) - 1)

    def moment(self, seconds: float) -> tuple[int, int, float]:
        """Scene, key and share (see `Scene.place`): equal ones look the same."""
        number = self.scene_at(seconds)
        return (number, *self.scenes[number].place(seconds))

    def tensors_at(self, seconds: float) -> dict[str, Tensor]:
        """The mapped values at this moment, linear between keys, of the parts that live then.

        Before the first key and after the last one the drawing stands still.
        """
        return self.scenes[self.scene_at(seconds)].tensors_at(seconds)

    def drawing(self, base: Drawing, seconds: float) -> Drawing:
        """`base` with the tensors and the background of this moment."""
        background = self.scenes[self.scene_at(seconds)].background_at(seconds)
        return replace(
            base, tensors=self.tensors_at(seconds), background=background or base.background
        )

    def frame_times(self, fps: float | None = None, speed: float = 1.0) -> list[float]:
        """The moments of the frames of a video, `speed` times as fast (0.25: slow motion).

        `fps` frames are shown per second (None: those of the film); at least one. Raises UsageError
        where there are too many.
        """
        rate = self.fps if fps is None else fps
        if not 0 < rate <= FASTEST:
            raise UsageError(
                f"frame rate must be positive and at most {FASTEST:.0f}, got {rate:g}",
                hint="use 30 frames per second",
            )
        if not 0 < speed < math.inf:
            raise UsageError(
                f"speed must be positive, got {speed:g}", hint="use 1, or 0.25 for slow motion"
            )
        count = frame_count(self.duration * rate / speed)
        return [index * speed / rate for index in range(count)]


def frame_count(frames: float) -> int:
    """The number of frames of a video, at least one. Raises UsageError where there are too many."""
    # That of the least speeds is infinite, and not for `round`.
    count = max(1, round(min(frames, 1e18)))
    if count > MOST_FRAMES:
        raise UsageError(
            f"the video would have {count} frames, more than {MOST_FRAMES}",
            hint="use a lower frame rate, a higher speed or fewer seconds",
        )
    return count
