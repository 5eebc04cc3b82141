"""Trajectory: how the parameters of a drawing came to be, in half a byte each.

Every number goes straight from where it began to where it ended, and all numbers of a tensor share
one pace. That is the best approximation of rank one, by alternating least squares, of their
differences to the result at K keyframes. Where a number began is rounded to 16 values.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.film.scenes import Film, Scene
from artgen.values.drawing import Drawing

Floats = NDArray[np.float32]

_ROUNDS = 6
"""Rounds of the least squares."""

_SAMPLE = 65_536
"""The pace of a tensor follows from about this many of its numbers."""


_MOST = 100
"""The most keyframes."""

_WHOLE = 16_000
"""The number that stands for the whole duration in times of keyframes."""

_TABLE = 90
"""The bytes of a trajectory's table beside its data, about."""


@dataclass(frozen=True)
class Trajectory:
    """The way to a drawing: its film has `keyframes`, `duration` in seconds and a rate of `fps`.

    `data` is encoded: the times of the keyframes, at which keyframe the parts begin, then for
    every tensor, in the order of their names, its pace, the ranges of its rows, and 4 bits for the
    start of each number. Raises ValueError where a number is out of range.
    """

    keyframes: int
    duration: float
    fps: float
    data: bytes

    def __post_init__(self) -> None:
        if not (2 <= self.keyframes <= _MOST and 0 < self.duration < math.inf):
            raise ValueError("the keyframes of a trajectory must be within its time")

    @property
    def times(self) -> tuple[float, ...]:
        """When the keyframes are reached, in seconds: see `Scene`."""
        shares = _take(BytesIO(self.data), np.int16, self.keyframes) / _WHOLE
        return tuple((shares * self.duration).tolist())

    def retimed(self, times: Sequence[float]) -> Trajectory:
        """The same with keyframes at other times, from minus to twice the duration."""
        return replace(self, data=_timed(times, self.duration) + self.data[2 * self.keyframes :])

    def film(self, drawing: Drawing) -> Film:
        """The film that ends with `drawing`, whose trajectory this is. Raises ValueError if not."""
        import torch

        keys, tensors, birth = self.keyframes, {}, self._birth(drawing)
        for name, pace, start in self.starts(drawing):
            tensor = drawing.tensors[name]
            moved = _shares(pace, birth)[:, None] * start
            tensors[name] = tensor + torch.from_numpy(moved.reshape(keys, *tensor.shape))
        lifespans = None
        if birth.any():
            lifespans = torch.from_numpy(np.stack([birth, np.full_like(birth, keys - 1)]))
        return Film((Scene(self.times, tensors, lifespans),), self.duration, self.fps)

    def starts(self, drawing: Drawing) -> Iterator[tuple[str, Floats, Floats]]:
        """For each tensor: its name, its pace [K], and how far its numbers had to go [rows, N].

        Raises ValueError where `drawing` does not have this trajectory.
        """
        parts = len(self._birth(drawing)) > 0
        data = BytesIO(self.data[6 * self.keyframes :])
        for name, tensor in sorted(drawing.tensors.items()):
            final = _rows(tensor[None].numpy(), parts)[0]
            pace = _pace(_take(data, np.uint8, self.keyframes))
            ranges = _take(data, np.float16, 4 * len(final)).astype(np.float32)
            low, high, least, most = ranges.reshape(4, -1, 1)
            packed = _take(data, np.uint8, -(-final.size // 2))
            steps = np.stack([packed >> 4, packed & 15], 1).reshape(-1)[: final.size]
            start = low + (high - low) / 15 * steps.reshape(final.shape)
            # Rounding must not leave the range of what was there.
            yield name, pace, (np.clip(final + start, least, most) - final).astype(np.float32)
        if data.read(1):
            raise ValueError("its trajectory is too long")

    def _birth(self, drawing: Drawing) -> NDArray[np.int64]:
        """The keyframe at which each part begins, [N]; [0] where there are no parts."""
        data = BytesIO(self.data[2 * self.keyframes :])
        births = _take(data, np.uint32, self.keyframes)
        total = int(births.sum(dtype=np.int64))
        if total and any(total not in t.shape[-1:] for t in drawing.tensors.values()):
            raise ValueError("its trajectory has another number of parts")
        return np.repeat(np.arange(self.keyframes), births)

    def to_table(self) -> dict[str, Any]:
        """Plain data, the opposite of `from_table`."""
        # Floats, as they are read.
        seconds = {"duration": float(self.duration), "fps": float(self.fps)}
        return vars(self) | seconds | {"data": base64.b85encode(self.data).decode("ascii")}

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> Trajectory:
        """Read what `to_table` gave. Raises ValueError."""
        data, moving = base64.b85decode(table["data"]), table.get("moving")
        keyframes, duration = table["keyframes"], table["duration"]
        if moving is not None and 2 <= keyframes <= _MOST:
            data = _timed(np.linspace(0, moving, keyframes), duration) + data
        return cls(keyframes, duration, table["fps"], data)


def trajectory_of(film: Film, *, parts: bool) -> Trajectory | None:
    """The trajectory of the last scene of a film; None if it has only one keyframe.

    `parts` says that the last axis of every tensor is that of the parts.
    """
    scene = film.scenes[-1]
    keys = scene.keyframes
    if keys < 2 or not all(tensor.numel() for tensor in scene.tensors.values()):
        return None
    living = slice(None)
    birth = np.zeros(next(iter(scene.tensors.values())).shape[-1] if parts else 0, np.int64)
    if scene.lifespans is not None:
        first, last = scene.lifespans.numpy()
        living = last == keys - 1
        # Parts are in the order in which they were added.
        birth = np.maximum.accumulate(first[living])
    births = np.bincount(birth, minlength=keys).astype(np.uint32)
    pieces: list[NDArray[Any]] = [births]
    for _, tensor in sorted(scene.tensors.items()):
        values = tensor.numpy()
        pieces += _encoded(_rows(values[..., living] if parts else values, parts), birth)
    data = b"".join(piece.tobytes() for piece in pieces)
    # Of several stages, the last one lasts as long as the film.
    times = np.linspace(0, scene.times[-1], keys)
    return Trajectory(keys, film.duration, film.fps, _timed(times, film.duration) + data)


def _timed(times: Sequence[float] | NDArray[np.float64], duration: float) -> bytes:
    """Times of keyframes as they are stored."""
    # Down, so that the frame at the end of the way shows the result.
    shares = np.floor(np.asarray(times) / duration * _WHOLE + 1e-6)
    return shares.clip(-_WHOLE, 2 * _WHOLE - 1).astype(np.int16).tobytes()


def trajectory_bytes(drawing: Drawing, keyframes: int, *, parts: bool) -> int:
    """The bytes that a trajectory adds to the file of a drawing."""
    size = 6 * keyframes
    for tensor in drawing.tensors.values():
        rows = _rows(tensor[None].numpy(), parts).shape[1]
        size += keyframes + 8 * rows + -(-tensor.numel() // 2)
    return _TABLE + -(-5 * size // 4)


def _rows(values: NDArray[Any], parts: bool) -> Floats:
    """[K, ...] as [K, rows, numbers]: of parts a row for each component, else a single row."""
    return values.reshape(len(values), -1, values.shape[-1] if parts else values[0].size)


def _shares(pace: Floats, birth: NDArray[np.int64]) -> Floats:
    """The share of its way that each part still has to go at every keyframe: [K, N], or [K, 1]."""
    own = pace[birth] if len(birth) else pace[:1]
    shares: Floats = np.divide(
        pace[:, None], own, out=np.zeros((len(pace), len(own)), np.float32), where=own > 0
    )
    return np.minimum(shares, 1)


def _encoded(values: Floats, birth: NDArray[np.int64]) -> Iterable[NDArray[Any]]:
    """Pace, ranges and starts of a tensor [K, rows, N]."""
    keys, rows, count = values.shape
    apart = values - values[-1]
    alive = np.ones((keys, 1, 1), np.float32)
    if len(birth):
        alive = (np.arange(keys)[:, None, None] >= birth).astype(np.float32)
    stride = max(1, rows * count // _SAMPLE)
    some, there = apart[..., ::stride], np.broadcast_to(alive, (keys, 1, count))[..., ::stride]
    pace = np.linspace(1, 0, keys, dtype=np.float32) ** 2
    for _ in range(_ROUNDS):
        starts = _starts(some, there, pace)
        energy = (there * starts**2).sum((1, 2))
        pace = (there * some * starts).sum((1, 2)) / np.maximum(energy, 1e-30)
        # Noise must not send it back; before its parts begin it has no value.
        pace = np.maximum.accumulate(pace[::-1])[::-1]
        pace = (pace / max(float(pace[0]), 1e-30)).clip(0, 1)
        pace[-1] = 0
    coded = np.rint(255 * np.sqrt(pace)).astype(np.uint8)
    pace = _pace(coded)
    starts = _starts(apart, alive, pace) * (pace[birth] if len(birth) else pace[0])
    ends = starts.min(1), starts.max(1), values.min((0, 2)), values.max((0, 2))
    largest = float(np.finfo(np.float16).max)
    ranges = np.stack(ends).clip(-largest, largest).astype(np.float16)
    low, high = ranges[:2, :, None].astype(np.float32)
    steps = 15 * (starts - low) / np.maximum(high - low, 1e-30)
    packed = np.rint(steps).clip(0, 15).astype(np.uint8).reshape(-1)
    packed = np.pad(packed, (0, packed.size % 2))
    return coded, ranges, packed[::2] << 4 | packed[1::2]


def _pace(coded: NDArray[np.uint8]) -> Floats:
    """A pace as stored, by its square roots, which keep what is small."""
    return ((coded / 255) ** 2).astype(np.float32)


def _starts(apart: Floats, alive: Floats, pace: Floats) -> Floats:
    """The start of each number [rows, N] that suits the pace best."""
    weight = alive * pace[:, None, None]
    energy = (weight * pace[:, None, None]).sum(0)
    starts: Floats = (weight * apart).sum(0) / np.maximum(energy, 1e-30)
    return starts


def _take(data: BytesIO, dtype: type[np.generic], count: int) -> NDArray[Any]:
    """The next `count` numbers. Raises ValueError where there are fewer, or they are not finite."""
    size = count * np.dtype(dtype).itemsize
    piece = data.read(size)
    if len(piece) < size:
        raise ValueError("its trajectory is too short")
    found = np.frombuffer(piece, dtype)
    if not np.isfinite(found).all():
        raise ValueError("its trajectory holds NaN or infinite numbers")
    return found
