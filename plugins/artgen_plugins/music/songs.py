"""Three short pieces of music, made by arithmetic: for trials without a file, and for the gallery.

Each is 20 seconds of two channels, and its beats are known: `pulse` 120 to the minute in four,
`waltz` 150 in three, `bells` 72 in four.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from artgen.animation import Samples
from artgen.errors import InputError

Floats = NDArray[np.float64]

RATE, SECONDS = 44_100, 20
BEATS = {"pulse": (120, 4), "waltz": (150, 3), "bells": (72, 4)}
"""Beats to the minute, and to a bar."""


def beats_of(name: str) -> Floats:
    """When the beats of a piece are, in seconds."""
    tempo, _ = BEATS[name]
    return np.arange(0.25, SECONDS - 0.25, 60 / tempo)


@lru_cache(maxsize=3)
def song(name: str) -> Samples:
    """A piece by its name. Raises InputError where there is none of it."""
    if name not in BEATS:
        raise InputError(f"there is no song {name!r}", hint=f"use sample:{', sample:'.join(BEATS)}")
    rng = np.random.default_rng(len(name))
    dry, wet = np.zeros((2, SECONDS * RATE)), np.zeros((2, SECONDS * RATE))
    {"pulse": _pulse, "waltz": _waltz, "bells": _bells}[name](beats_of(name), dry, wet, rng)
    mixed = dry + wet + 0.35 * _room(wet, rng)
    fade = np.clip((SECONDS - np.arange(mixed.shape[1]) / RATE) / 1.2, 0, 1)
    mixed = np.tanh(1.4 * mixed / np.abs(mixed).max()) * fade
    return Samples((0.9 * mixed / np.abs(mixed).max()).astype(np.float32), RATE)


def _pulse(beats: Floats, dry: Floats, wet: Floats, rng: np.random.Generator) -> None:
    """A kick on each beat, hats between, a running bass and chords; the third bar has no kick."""
    chords = [(45, 60, 64, 69), (41, 57, 60, 65), (48, 55, 60, 64), (43, 55, 59, 62)]
    for number, at in enumerate(beats):
        chord = chords[number // 4 % 4]
        if number // 4 % 4 != 2 or number % 4 == 0:
            _add(dry, at, _kick(), 1.0)
        if number % 2:
            _add(wet, at, _noise(0.12, 0.05, rng), 0.25)
        for half in (0.0, 0.25):
            _add(dry, at + half, _pluck(chord[0] - 12, 0.24), 0.45)
        _add(dry, at + 0.25, _noise(0.05, 0.015, rng), 0.22, 0.3)
        if number % 4 == 0:
            for index, note in enumerate(chord[1:]):
                _add(wet, at, _pad(note, 1.9), 0.16, 0.5 * (index - 1))
        _add(wet, at + 0.125 * (number % 3), _bell(chord[1 + number % 3] + 12, 0.5), 0.14, -0.4)


def _waltz(beats: Floats, dry: Floats, wet: Floats, rng: np.random.Generator) -> None:
    """A bass note, and two chords after it; a melody that begins in the fourth bar."""
    chords = [(38, 62, 65, 69), (43, 62, 67, 70), (45, 61, 64, 67), (38, 62, 65, 69)]
    tune = [74, 77, 76, 74, 73, 69, 70, 74, 79, 77, 76, 74]
    for number, at in enumerate(beats):
        bar, place = divmod(number, 3)
        chord = chords[bar % 4]
        if place == 0:
            _add(dry, at, _pluck(chord[0], 0.7), 1.0)
            _add(dry, at, _kick(), 0.4)
        else:
            for index, note in enumerate(chord[1:]):
                _add(wet, at, _pluck(note, 0.22), 0.26, 0.4 * (index - 1))
        if bar >= 3 and place != 1:
            _add(wet, at, _bell(tune[(bar + place) % 12], 0.8), 0.3, -0.2)


def _bells(beats: Floats, dry: Floats, wet: Floats, rng: np.random.Generator) -> None:
    """Bells over a slow bass; each beat has one, and grains of noise as of rain between."""
    scale = [57, 60, 62, 64, 67, 69, 72, 74, 76]
    for number, at in enumerate(beats):
        _add(wet, at, _bell(scale[(number * 5) % 9] + 12, 2.4), 0.5, np.sin(number))
        if number % 4 == 0:
            _add(dry, at, _pluck(33 + 3 * (number // 4 % 2), 2.6), 0.8)
            _add(wet, at, _pad(57, 3.0), 0.14)
        if number % 2:
            _add(wet, at + 30 / 72, _bell(scale[(number * 3 + 2) % 9], 1.6), 0.3, -np.sin(number))
    for at in rng.uniform(0.3, SECONDS - 1.5, 60):
        _add(wet, at, _noise(0.02, 0.006, rng), 0.04, rng.uniform(-1, 1))


def _add(onto: Floats, at: float, sound: Floats, gain: float, side: float = 0.0) -> None:
    """Mix a sound in at a time, to the left (-1) or to the right (1)."""
    start = round(at * RATE)
    sound = gain * sound[: max(0, onto.shape[1] - start)]
    onto[0, start : start + len(sound)] += sound * (1 - 0.5 * side)
    onto[1, start : start + len(sound)] += sound * (1 + 0.5 * side)


def _times(seconds: float) -> Floats:
    return np.arange(round(seconds * RATE)) / RATE


def _shaped(sound: Floats, decay: float) -> Floats:
    """A sound that begins at once and dies away."""
    t = np.arange(len(sound)) / RATE
    end = np.clip((len(sound) / RATE - t) / 0.01, 0, 1)
    return np.asarray(sound * np.minimum(t / 0.002, 1) * np.exp(-t / decay) * end)


def _hertz(note: float) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _kick() -> Floats:
    t = _times(0.35)
    return _shaped(np.sin(2 * np.pi * (46 * t + 90 * 0.035 * (1 - np.exp(-t / 0.035)))), 0.12)


def _noise(seconds: float, decay: float, rng: np.random.Generator) -> Floats:
    return _shaped(np.diff(rng.normal(size=round(seconds * RATE) + 1)), decay)


def _pluck(note: float, seconds: float) -> Floats:
    """A string: harmonics of which the higher ones die sooner."""
    t, f = _times(seconds), _hertz(note)
    tones = [np.sin(2 * np.pi * k * f * t) * np.exp(-t * k / 0.5) / k for k in range(1, 9)]
    return _shaped(np.sum(tones, axis=0), 0.6 * seconds)


def _bell(note: float, seconds: float) -> Floats:
    """A bell by frequency modulation (Chowning 1973)."""
    t, f = _times(seconds), _hertz(note)
    bent = 2.2 * np.exp(-t / (0.3 * seconds)) * np.sin(2 * np.pi * 1.4 * f * t)
    return _shaped(np.sin(2 * np.pi * f * t + bent), 0.35 * seconds)


def _pad(note: float, seconds: float) -> Floats:
    """A soft chord tone that swells."""
    t, f = _times(seconds), _hertz(note)
    tone = sum(np.sin(2 * np.pi * f * (1 + off) * t) for off in (-0.003, 0.0, 0.004))
    return np.asarray(tone * np.sin(np.pi * t / seconds) ** 2)


def _room(sound: Floats, rng: np.random.Generator) -> Floats:
    """The sound as a room gives it back: noise that dies away within a second."""
    from scipy.signal import fftconvolve

    echo = rng.normal(size=(2, RATE)) * np.exp(-np.arange(RATE) / RATE / 0.25)
    echo /= np.sqrt((echo**2).sum(axis=1, keepdims=True))
    return np.asarray(fftconvolve(sound, echo, axes=1)[:, : sound.shape[1]])
