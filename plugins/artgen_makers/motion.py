"""How a plotter moves: its profile, and the time that its controller takes.

The pen speeds up and slows down evenly. A controller looks ahead, so that it may take a corner as
fast as a circle allows whose arc cuts the corner by a small distance: the junction deviation of
GRBL (S. K. Jeon, Improving Grbl: cornering algorithm, 2011). Where the pen goes up or down, it
stands.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from artgen.errors import UsageError, parse_toml
from artgen.making import read_regular

Floats = NDArray[np.float64]
Language = Literal["gcode", "hpgl"]
Origin = Literal["bottom-left", "top-left"]

SHIPPED = ("grbl-servo", "grbl-laser", "marlin", "hpgl")
"""Profiles of artgen, in `profiles/NAME.toml`."""
LARGEST_FILE = 2**20
"""Bytes of a profile."""


@dataclass(frozen=True)
class Profile:
    """A machine. Lengths are millimetres, speeds mm per minute, `acceleration` mm per second².

    `bed` is what it reaches; `lift` is how many seconds the pen takes up, and as many down. The
    others are lines of G-code: before and after all, to lift and to lower the pen, to wait for
    somebody who changes it, and to `wait` for some seconds, which stand for ``{}``.
    """

    language: Language
    bed: tuple[float, float]
    draw: float
    travel: float
    acceleration: float
    junction: float = 0.01
    lift: float = 0.2
    origin: Origin = "bottom-left"
    header: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()
    wait: str = "G4 P{}"


def read_profile(name: str) -> Profile:
    """Read a profile of artgen by its name, or a TOML file. Raises UsageError, InputError."""
    if name in SHIPPED:
        place = resources.files(__package__).joinpath(f"profiles/{name}.toml")
        return _parsed(place.read_bytes(), name)
    if not name.lower().endswith(".toml"):
        raise UsageError(
            f"--profile {name} is unknown",
            hint=f"use one of {', '.join(SHIPPED)}, or a file such as mine.toml",
        )
    return _parsed(read_regular(Path(name), f"profile {name}", LARGEST_FILE), name)


def _parsed(data: bytes, name: str) -> Profile:
    where = f"profile {name}"
    try:
        table = parse_toml(data.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"{where} is no TOML: {error}", hint="write KEY = VALUE") from None
    known = {each.name: each for each in fields(Profile)}
    for key in table:
        if key not in known:
            raise UsageError(f"{where} has an unknown key {key!r}", hint=f"use {', '.join(known)}")
    for key, each in known.items():
        if each.default is MISSING and key not in table:
            raise UsageError(f"{where} lacks the key {key!r}", hint="see the profiles of artgen")
    values = {key: _value(key, value, where) for key, value in table.items()}
    if values["language"] == "gcode" and not (values.get("up") and values.get("down")):
        raise UsageError(f"{where} lacks the lines 'up' and 'down'", hint='up = ["M3 S0"]')
    return Profile(**values)


def _value(key: str, value: Any, where: str) -> Any:
    told = f"{where}: {key} = {value!r}"
    if key in ("language", "origin"):
        choices = get_args(Language if key == "language" else Origin)
        if value not in choices:
            raise UsageError(f"{told} is unknown", hint=f"use {' or '.join(choices)}")
        return value
    if key == "wait":
        if not isinstance(value, str) or value.count("{}") != 1 or value.count("{") != 1:
            raise UsageError(f"{told} has no place for the seconds", hint='write "G4 P{}"')
        return value
    if key in ("header", "footer", "up", "down", "pause"):
        lines = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) and each.isprintable() for each in lines):
            raise UsageError(f"{told} are no lines of G-code", hint='write ["M3 S0", "G4 P0.2"]')
        return tuple(lines)
    numbers = value if key == "bed" and isinstance(value, list) else [value]
    # A boolean is a number in Python.
    good = all(type(each) in (int, float) and 0 <= each < 1e6 for each in numbers)
    if not good or len(numbers) != (2 if key == "bed" else 1):
        raise UsageError(f"{told} is no length or speed", hint="see the profiles of artgen")
    if key in ("bed", "draw", "travel", "acceleration") and not all(each >= 1 for each in numbers):
        raise UsageError(f"{told} is too small", hint="use 1 or more")
    return tuple(map(float, numbers)) if key == "bed" else float(value)


def seconds(points: Floats, speed: float, profile: Profile) -> float:
    """Return the time for a way [N, 2] in mm from rest to rest at most at a `speed` in mm/min."""
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    steps, lengths = steps[lengths > 0], lengths[lengths > 0]
    if not len(lengths):
        return 0.0
    fastest, rate = speed / 60, profile.acceleration
    ahead = steps / lengths[:, None]
    # The sine of half of the angle between two steps: 1 straight on, 0 where it turns back.
    cosine = -(ahead[:-1] * ahead[1:]).sum(1)
    sine = np.sqrt(((1 - cosine) / 2).clip(0, 1))
    corner = rate * profile.junction * sine / np.maximum(1 - sine, 1e-9)
    most = np.r_[0, np.minimum(corner, fastest**2), 0].tolist()
    gain = (2 * rate * lengths).tolist()
    for k, more in enumerate(gain):
        most[k + 1] = min(most[k + 1], most[k] + more)
    for k in range(len(gain) - 1, -1, -1):
        most[k] = min(most[k], most[k + 1] + gain[k])
    squares = np.array(most)
    begin, end = np.sqrt(squares[:-1]), np.sqrt(squares[1:])
    peak = np.sqrt(np.minimum((2 * rate * lengths + squares[:-1] + squares[1:]) / 2, fastest**2))
    ramps = (2 * peak**2 - squares[:-1] - squares[1:]) / (2 * rate)
    even = np.maximum(lengths - ramps, 0) / peak
    return float(((2 * peak - begin - end) / rate + even).sum())
