"""Symmetries: the motions that leave a picture as it is.

A rosette has turns and mirrors around its centre; a frieze also repeats to the left and right, and
a wallpaper in two directions. All seventeen groups of wallpaper have a repeat that is a rectangle,
and the canvas is one, so that a picture is a tile. Modulo whole repeats a group is a few motions;
`Symmetry.motions` has them, found from the generators below by multiplying until nothing is new.

The groups are named as in the International Tables for Crystallography A, chapter 2.2.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError, did_you_mean
from artgen.values.canvas import Canvas

Floats = NDArray[np.float64]

Generator = tuple[float, bool, float, float]
"""Mirror x or not, then turn by degrees, then move by shares of the repeat: (degrees, mirrored, x,
y)."""

HALF, THIRD, QUARTER, SIXTH = ((360 / n, False, 0.0, 0.0) for n in (2, 3, 4, 6))
MIRROR, ACROSS = (0.0, True, 0.0, 0.0), (180.0, True, 0.0, 0.0)
"""The mirrors that change x, and y."""
CENTRED = (0.0, False, 0.5, 0.5)

WALLPAPERS: dict[str, tuple[Generator, ...]] = {
    "p1": (),
    "p2": (HALF,),
    "pm": (MIRROR,),
    "pg": ((0.0, True, 0.0, 0.5),),
    "cm": (MIRROR, CENTRED),
    "pmm": (MIRROR, ACROSS),
    "pmg": (HALF, (0.0, True, 0.5, 0.0)),
    "pgg": (HALF, (0.0, True, 0.5, 0.5)),
    "cmm": (MIRROR, ACROSS, CENTRED),
    "p4": (QUARTER,),
    "p4m": (QUARTER, MIRROR),
    "p4g": (QUARTER, (0.0, True, 0.5, 0.5)),
    "p3": (THIRD, CENTRED),
    "p3m1": (THIRD, ACROSS, CENTRED),
    "p31m": (THIRD, MIRROR, CENTRED),
    "p6": (SIXTH, CENTRED),
    "p6m": (SIXTH, MIRROR, CENTRED),
}
"""The seventeen groups. Those with a third of a turn have a repeat of √3 by 1."""

REPEATS: dict[str, tuple[Generator, ...]] = {"half-drop": (CENTRED,), "brick": (CENTRED,)}
"""Repeats of textiles: every other column of motifs is lower by half, or every other row shifted;
the tile holds two motifs."""

MOTIFS = {"half-drop": (2, 1), "brick": (1, 2)}
"""How many motifs lie beside and above one another in the tile of a repeat, by its name."""

FRIEZES: dict[str, tuple[Generator, ...]] = {
    "p1": (),
    "p11g": ((180.0, True, 0.5, 0.0),),
    "p1m1": (MIRROR,),
    "p2": (HALF,),
    "p2mg": (MIRROR, (180.0, True, 0.5, 0.0)),
    "p11m": (ACROSS,),
    "p2mm": (MIRROR, ACROSS),
}
"""The seven groups of strips that repeat along x."""

ALIASES = {"mirror": "rosette:1m", "quarter": "rosette:2m"}
"""What is said of shapes, with `rotate:N` and `mirror-y`: parts are copied, nothing is folded."""

_ROSETTE = re.compile(r"(\d{1,3})(m?)")
MOST_TURNS = 64
SEEDS = 24
"""Places along each side of a repeat at which the middle of a cell is looked for."""
NEAR = 1e-9
CLOSE = 0.02
"""How far the shape of a canvas may be from that of a repeat, for rounding to pixels."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    """All `motions` of a group modulo repeats, float64 [K, 2, 3], in canvas units.

    A place p comes to ``m[:, :2] @ p + m[:, 2]``; the first motion does nothing.
    `repeat` is the width and height after which the picture repeats, 0 where it does not. The
    `cell` around `middle` is what all else are images of: the places that are nearer to it than
    to its images, by the ordinary distance, or in `box`, where it is a rectangle of that size.
    """

    name: str
    motions: Floats
    repeat: tuple[float, float]
    middle: tuple[float, float]
    box: tuple[float, float] | None = None

    def shifts(self, reach: tuple[float, float], radius: float = 0.0) -> Floats:
        """Whole repeats [S, 2] by which places inside the repeat come within `radius` of a canvas.

        The canvas reaches that far from its centre; the first shift is none.
        """
        axes = []
        for size, far in zip(self.repeat, reach, strict=True):
            most = math.floor((far + radius) / size + 0.5 + NEAR) if size else 0
            axes.append(sorted(range(-most, most + 1), key=abs))
        return np.array(
            [(x * self.repeat[0], y * self.repeat[1]) for y in axes[1] for x in axes[0]]
        )

    def fitted(self, reach: tuple[float, float]) -> Symmetry:
        """The group with a canvas of that reach as its repeat, where only rounding differs."""
        pairs = [(2 * far, size) for far, size in zip(reach, self.repeat, strict=True) if size]
        if not pairs or any(abs(far / size - 1) > CLOSE for far, size in pairs):
            return self
        return symmetry_of(unplaced(self.name), reach)

    def wrapped(self, places: Floats) -> Floats:
        """Places [..., 2] moved by whole repeats to where they are nearest to the centre."""
        size = np.array(self.repeat)
        near: Floats = places - size * np.rint(places / np.where(size > 0, size, np.inf))
        return near

    def orbit(self, places: Floats) -> Floats:
        """All images of places [M, 2] under the motions, [M, K, 2]."""
        turned: Floats = np.einsum("kij,mj->mki", self.motions[:, :, :2], places)
        return turned + self.motions[:, :, 2]

    def repeated(self, places: Floats, reach: tuple[float, float]) -> tuple[Any, Any, Any]:
        """Which of `places` [N, 2] lie in the cell, and where their images are around a canvas.

        Returns indices [M], the linear part of the motion of each image [M, 2, 2], and its offset
        [M, 2]. Images farther outside of the canvas than half its shorter side are left out.
        """
        margin = min(reach)
        inside = np.flatnonzero(self.inside(places))
        shifts = self.shifts(reach, margin)
        moved = self.orbit(places[inside])
        near = self.wrapped(moved)
        offsets = self.motions[:, :, 2] + (near - moved)
        every = offsets[:, :, None] + shifts
        far = np.abs(near[:, :, None] + shifts) - np.add(reach, margin)
        part, motion, shift = np.nonzero((far <= 0).all(-1))
        return inside[part], self.motions[motion, :, :2], every[part, motion, shift]

    def fold(self, places: Floats) -> Floats:
        """The image in the cell of each of `places` [M, 2] in canvas units."""
        away = self.wrapped(self.orbit(places) - self.middle)
        if self.box is None:
            distance = np.hypot(away[..., 0], away[..., 1])
        else:
            distance = np.abs(away / self.box).max(-1)
        nearest: Floats = away[np.arange(len(away)), distance.argmin(1)]
        return nearest + self.middle

    def inside(self, places: Floats) -> NDArray[np.bool_]:
        """Which of `places` [M, 2] lie in the cell, or in one that is whole repeats away."""
        away = self.wrapped(self.fold(places) - places)
        found: NDArray[np.bool_] = np.abs(away).max(1, initial=0) < 1e-6
        return found


def folds(name: str) -> bool:
    """Whether the picture to be fitted is folded to have the symmetry too."""
    kind = unplaced(name).partition(":")[0]
    return kind in {**WALLPAPERS, **REPEATS} or kind in ("frieze", "rosette")


def symmetry_canvas(name: str, canvas: Canvas) -> Canvas:
    """The canvas of a tile with about as many pixels as `canvas` along its longer side."""
    bare, long = unplaced(name), max(canvas.width, canvas.height)
    if bare in MOTIFS:
        across, down = MOTIFS[bare]
        return Canvas(across * canvas.width, down * canvas.height)
    ratio = _ratio(bare)
    # A few pixels more, where whole ones are too far from the ratio.
    while ratio and abs(long / max(1, round(long / ratio)) / ratio - 1) > CLOSE:
        long += 1
    return Canvas(long, max(1, round(long / ratio))) if ratio else canvas


@functools.lru_cache(maxsize=64)
def symmetry_of(name: str, reach: tuple[float, float] | None = None) -> Symmetry:
    """The group that a text names, such as ``p6m``, ``frieze:p2mg`` or ``rosette:7m``.

    `reach` is the half width and height of the repeat in canvas units; by default that behind the
    ``@`` of the name, as `placed` writes it. Raises UsageError for other names, and where a group
    needs another ratio of width to height.
    """
    bare, _, placed_at = name.partition("@")
    if reach is None:
        reach = _read_reach(placed_at) if placed_at else (_ratio(bare) or 1.0, 1.0)
    kind, _, rest = ALIASES.get(bare, bare).partition(":")
    if kind in ("rosette", "rotate"):
        return _rosette(bare, rest)
    if bare == "mirror-y":
        motions = np.array([[[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, -1, 0]]], np.float64)
        return Symmetry(bare, motions, (0, 0), middle=(0.0, -1.0))
    if kind == "frieze" and rest in FRIEZES:
        generators, repeat = FRIEZES[rest], (2 * reach[0], 0.0)
    elif bare in WALLPAPERS or bare in REPEATS:
        generators = {**WALLPAPERS, **REPEATS}[bare]
        repeat = 2 * reach[0], 2 * reach[1]
    else:
        known = [*WALLPAPERS, *REPEATS, *(f"frieze:{each}" for each in FRIEZES), "rosette:6"]
        raise UsageError(f"unknown symmetry {bare!r}", hint=did_you_mean(bare, known))
    ratio, found = _ratio(bare), reach[0] / reach[1]
    if ratio and abs(found / ratio - 1) > CLOSE:
        raise UsageError(
            f"the tile of {bare} is {ratio:.4g} times as wide as high, not {found:.4g} times",
            hint="leave the size to artgen: fit with --symmetry",
        )
    scale = np.array([reach[0] / (ratio or 1), reach[1]]) if ratio else np.ones(2)
    motions = _closed(generators, np.array(repeat) / scale)
    motions[:, :, :2] = scale[:, None] * motions[:, :, :2] / scale
    motions[:, :, 2] *= scale
    box = {"half-drop": (reach[0], 2 * reach[1]), "brick": (2 * reach[0], reach[1])}.get(bare)
    whole = Symmetry(name, motions, repeat, (0.0, 0.0), box)
    return whole if box or len(motions) == 1 else replace(whole, middle=_middle(whole, reach))


def placed(name: str, canvas: Canvas) -> str:
    """The text that names the same group with a canvas as its repeat."""
    if not folds(name) or unplaced(name).startswith("rosette"):
        return name
    return f"{unplaced(name)}@{canvas.reach[0]:.7g}x{canvas.reach[1]:.7g}"


def _read_reach(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"(\d{0,9}\.?\d{1,15})x(\d{0,9}\.?\d{1,15})", text)
    if match is None or not all(1e-3 < float(each) < 1e5 for each in match.groups()):
        raise UsageError(f"{text!r} is no half width and height of a repeat", hint="write p4m@1x1")
    return float(match[1]), float(match[2])


def unplaced(name: str) -> str:
    """The name of a group without where it repeats, which `placed` adds."""
    return name.partition("@")[0]


def _ratio(bare: str) -> float:
    """The width of a repeat by its height; 0 where any will do."""
    if bare in ("p4", "p4m", "p4g"):
        return 1.0
    return math.sqrt(3) if bare in WALLPAPERS and bare[1] in "36" else 0.0


def _rosette(bare: str, rest: str) -> Symmetry:
    match = _ROSETTE.fullmatch(rest)
    number = int(match[1]) if match else 0
    if match is None or not 1 <= number <= MOST_TURNS:
        hint = f"write rosette:7, or rosette:7m with mirrors; 1 to {MOST_TURNS}"
        raise UsageError(f"unknown symmetry {bare!r}", hint=hint)
    generators: tuple[Generator, ...] = ((360 / number, False, 0.0, 0.0),)
    motions = _closed((*generators, *([MIRROR] if match[2] else [])), np.zeros(2))
    # The cell lies above the centre; with mirrors, to the right of the upright one.
    angle = math.pi / (2 * number) if match[2] else 0.0
    middle = math.sin(angle), -math.cos(angle)
    return Symmetry(bare, motions, (0, 0), middle)


def _closed(generators: tuple[Generator, ...], repeat: Floats) -> Floats:
    """All products of generators modulo repeats, [K, 2, 3]; the first does nothing."""
    steps, size = [], np.where(repeat > 0, repeat, 1.0)
    for degrees, mirrored, x, y in generators:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        sign = -1.0 if mirrored else 1.0
        steps.append(np.array([[sign * c, -s, x * repeat[0]], [sign * s, c, y * repeat[1]]]))
    found: list[Floats] = [np.eye(2, 3)]
    for motion in found:
        for step in steps:
            after = step[:, :2] @ motion
            after[:, 2] += step[:, 2]
            after[:, 2] -= repeat * np.floor(after[:, 2] / size + NEAR)
            gaps = np.array(found) - after
            gaps[:, :, 2] -= repeat * np.rint(gaps[:, :, 2] / size)
            if np.abs(gaps).max((1, 2)).min() > 1e-6:
                found.append(after)
    return np.where(np.abs(found) < NEAR, 0.0, np.array(found))


def _middle(group: Symmetry, reach: tuple[float, float]) -> tuple[float, float]:
    """The place that is farthest from its own images, of several the one nearest to the centre."""
    steps = (np.arange(SEEDS) + 0.5) / SEEDS * 2 - 1
    x, y = np.meshgrid(steps * reach[0], steps * reach[1])
    places = np.stack([x.ravel(), y.ravel()], 1)
    away = group.wrapped(group.orbit(places)[:, 1:] - places[:, None])
    # A strip goes on for ever, but the picture does not.
    apart = np.minimum(np.hypot(*np.moveaxis(away, 2, 0)).min(1), 2 * min(reach))
    score = apart - 1e-3 * np.hypot(*(places / reach).T)
    best = places[int(score.argmax())]
    return float(best[0]), float(best[1])
