"""What is heard: the loudness of three bands, the beats and the bars of a sound.

Beats are found as Ellis (2007, Beat Tracking by Dynamic Programming) does: the spectral flux says
how much begins at each moment, its autocorrelation gives the tempo, and a dynamic programme chooses
the beats that lie where much begins and are a tempo apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.animation import Samples
from artgen.errors import InputError

Floats = NDArray[np.float64]

RATE, WINDOW, HOP = 22_050, 1024, 256
"""The rate in Hz at which it is listened, the window and the step of its spectra in samples."""

BANDS = {"bass": (30, 200), "middle": (200, 2000), "treble": (2000, 10_000)}
"""The lowest and the highest frequency of each band, in Hz."""

LONGEST = 1800
"""The longest sound, in seconds."""

USUAL, SPREAD = 0.5, 0.9
"""The usual time between two beats in seconds, and how far tempos are from it, in octaves."""

TIGHT = 400.0
"""What it costs to leave the tempo, by the square of the logarithm of the ratio."""

LEAD = 0.012
"""How long before a click its flux is largest, in seconds: the window has seen it by then."""

RELEASE = 0.25
"""The time in seconds in which a level falls to a third, so that the eye can follow."""

FORMATS = {
    ".wav": "wav",
    ".mp3": "mp3",
    ".flac": "flac",
    ".ogg": "ogg",
    ".oga": "ogg",
    ".opus": "ogg",
    ".aiff": "aiff",
    ".aif": "aiff",
    ".aac": "aac",
    ".m4a": "mov",
    ".mp4": "mov",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
}
"""What the suffix of a file says it is: a list of other files would be followed."""


@dataclass(frozen=True, eq=False)
class Heard:
    """Levels [N] in 0..1, `step` seconds apart, by the name of a band; beats and bars in seconds.

    `loudness` is that of the whole sound. Beats are empty where nothing returns regularly.
    """

    levels: dict[str, Floats]
    step: float
    beats: Floats
    bars: Floats

    def level(self, name: str, seconds: float) -> float:
        """The level of a band at a time."""
        values = self.levels[name]
        return float(np.interp(seconds / self.step, np.arange(len(values)), values))


BRING = "recipes and .art files hold its name alone: bring the file, or name another"
"""What to do where a sound or a score is missing."""


def read_sound(path: Path) -> Samples:
    """The sound of a file, one or two channels. Raises InputError."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} is no sound", hint=f"use {', '.join(FORMATS)}")
    if not path.is_file():
        raise InputError(f"there is no sound {path}", hint=BRING)
    return _decoded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _decoded(path: Path, changed: int) -> Samples:
    import av

    try:
        with (
            path.open("rb") as file,
            # Tags may be in any encoding: none is used.
            av.open(
                file, "r", format=FORMATS[path.suffix.lower()], metadata_errors="replace"
            ) as read,
        ):
            if not read.streams.audio:
                raise InputError(f"{path} has no sound", hint="use a file with music")
            known = [each for each in read.streams.audio if each.codec_context is not None]
            if not known:
                raise InputError(f"{path}: nothing here knows its sound", hint="save it as WAV")
            stream: Any = known[0]
            rate = stream.rate
            layout = "mono" if stream.channels == 1 else "stereo"
            turned = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            pieces, count = [], 0
            for frame in read.decode(stream):
                for part in turned.resample(frame):
                    pieces.append(part.to_ndarray())
                    count += pieces[-1].shape[1]
                if count > LONGEST * rate:
                    raise InputError(f"{path} is longer than {LONGEST} s", hint="cut it")
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = "save it as WAV"
        raise InputError(f"cannot read the sound {path}: {reason}", hint=hint) from error
    if count < rate / 2:
        raise InputError(f"{path} is shorter than half a second", hint="use a longer sound")
    # What is no number in a file of floats is silence.
    values = np.concatenate(pieces, axis=1).astype(np.float32)
    return Samples(np.nan_to_num(values, posinf=0.0, neginf=0.0), rate)


def hear(sound: Samples, per_bar: int = 4) -> Heard:
    """Listen to a sound, whose bars have `per_bar` beats."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import resample_poly

    mono = resample_poly(sound.values.mean(axis=0, dtype=np.float64), RATE, sound.rate)
    power = _spectra(mono)
    step = HOP / RATE
    frequency = np.fft.rfftfreq(WINDOW, 1 / RATE)
    levels = {
        name: _level(power[:, (frequency >= low) & (frequency < high)].sum(axis=1), step)
        for name, (low, high) in BANDS.items()
    }
    levels["loudness"] = _level(power.sum(axis=1), step)
    edges = np.unique(np.geomspace(2, len(frequency), 33).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    decibels = 10 * np.log10(np.maximum(bands / max(bands.max(), 1e-12), 1e-8))
    rise = np.maximum(np.diff(decibels, axis=0, prepend=decibels[:1]), 0)
    flux = rise.mean(axis=1)
    flux = np.maximum(flux - uniform_filter1d(flux, round(1 / step)), 0)
    beats = find_beats(flux, step)
    first = 0
    if len(beats) >= 2 * per_bar:
        # A bar begins where most bass does.
        low = rise[:, : len(edges) // 3].mean(axis=1)
        strength = [low[max(0, beat - 2) : beat + 3].max() for beat in beats]
        first = int(np.argmax([np.mean(strength[k::per_bar]) for k in range(per_bar)]))
    seconds: Floats = np.asarray(beats * step + LEAD, np.float64)
    return Heard(levels, step, seconds, seconds[first::per_bar])


def _spectra(mono: Floats) -> Floats:
    """The power of frequencies, [N, WINDOW / 2 + 1]; row i is around sample i HOP."""
    padded = np.pad(mono, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window, parts = np.hanning(WINDOW), []
    for start in range(0, len(frames), 4096):  # a song of minutes needs no memory of gigabytes
        parts.append(np.abs(np.fft.rfft(frames[start : start + 4096] * window)) ** 2)
    return np.concatenate(parts)


def _level(power: Floats, step: float) -> Floats:
    """The amplitude from 0 to 1 of its loud moments, which rises at once and falls slowly."""
    amplitude = np.sqrt(power)
    values = np.clip(amplitude / max(float(np.quantile(amplitude, 0.98)), 1e-9), 0, 1)
    fall = float(np.exp(-step / RELEASE))
    for index in range(1, len(values)):
        values[index] = max(values[index], fall * values[index - 1])
    return values


def find_tempo(flux: Floats, step: float) -> float:
    """The time between two beats, in steps; 0 where nothing returns."""
    from scipy.signal import fftconvolve

    lags = np.arange(1, min(len(flux) - 1, round(4 / step)))
    if len(lags) < 3 or flux.max() <= 0:
        return 0.0
    middle = len(flux) - 1
    again = fftconvolve(flux, flux[::-1])[middle + lags] / (len(flux) - lags)
    weighed = again * np.exp(-0.5 * (np.log2(lags * step / USUAL) / SPREAD) ** 2)
    best = int(np.argmax(weighed[: len(lags) - 1]))
    if weighed[best] <= 1e-9:
        return 0.0
    left, here, right = (weighed[max(0, best + by)] for by in (-1, 0, 1))
    bend = left - 2 * here + right
    return float(lags[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0))


def find_beats(flux: Floats, step: float) -> NDArray[np.int64]:
    """The steps at which beats are, by the flux [N]; none where nothing returns regularly."""
    tempo = find_tempo(flux, step)
    if tempo < 4:
        return np.empty(0, np.int64)
    strength = flux / max(float(flux.std()), 1e-9)
    before = np.arange(round(tempo / 2), round(2 * tempo) + 1)
    price = TIGHT * np.log(before / tempo) ** 2 / 4
    total, came = strength.copy(), np.full(len(flux), -1)
    for now in range(int(before[0]), len(flux)):
        within = before[before <= now]
        score = total[now - within] - price[: len(within)]
        best = int(score.argmax())
        if score[best] > 0:
            total[now] += score[best]
            came[now] = now - within[best]
    now = len(flux) - 1 - int(total[::-1][: round(tempo)].argmax())
    beats = []
    while now >= 0:
        beats.append(now)
        now = int(came[now])
    found = np.array(beats[::-1], np.int64)
    # Before the first and after the last thing that is heard there are none.
    heard = np.flatnonzero(strength > 0.5)
    near: NDArray[np.bool_] = (found >= heard[0] - 2) & (found <= heard[-1] + 2)
    return found[near]
