"""Parts of a picture that are laid on as with a brush: strokes, round bodies, leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._curves import directed, normals, ribbon, turned
from ._head import Head
from ._paint import Paint, colours_at
from ._plate import Colours, Floats, Plate, over, ramp, smooth

Ramp = tuple[tuple[float, str], ...]
Lock = tuple[Floats, Floats]
"""Of hair: its middle line [K, 2] about a head, and half its width at each point."""
Leaf = tuple[tuple[float, float], float, float, float, float, float]
"""Root, direction, length, half the width, bend, light from 0 to 1."""


def strewn(
    rng: np.random.Generator, outline: Floats, centre: Any, count: int, vary: float
) -> tuple[Floats, Floats, Floats]:
    """Hairs in an outline around a centre, far ones first: how far they are, roots, ways, [K, 2].

    Their ways, of length 1, lead away from the centre, but `vary`.
    """
    around = outline - centre
    x, y = around[np.argsort(np.arctan2(around[:, 1], around[:, 0]))].T
    angle, share = rng.uniform(-np.pi, np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    away = share * np.interp(angle, np.arctan2(y, x), np.hypot(x, y), period=2 * np.pi)
    order = np.argsort(-away)
    away, out = away[order], directed(angle[order])
    return away, away[:, None] * out + centre, out + rng.normal(0, vary, out.shape)


def strands(
    rng: np.random.Generator, lock: Lock, count: int
) -> Iterator[tuple[float, Floats, Floats]]:
    """Strands of a lock, those in the middle last: place from -1 to 1, line [K, 2], widths [K]."""
    path, half = lock
    share, places = np.linspace(0, 1, len(path)), np.linspace(-1, 1, count)
    for t in places[np.argsort(-np.abs(places), kind="stable")]:
        reach = int(len(path) * (1 - 0.22 * rng.random() - 0.1 * abs(t)))
        wave = 0.12 * np.sin(rng.uniform(0, 6) + 5 * share)
        line = path + normals(path) * ((t + wave) * half)[:, None]
        thick = 3.2 * half / count * (1 - (share * len(path) / reach).clip(0, 1) ** 3) + 0.004
        yield float(t), line[:reach], thick[:reach]


def pieces(
    strand: Floats, thick: Floats, placed: Callable[[Floats], Floats], first: int = 0
) -> list[Floats]:
    """Outlines of a strand's pieces where they are `placed`, from every second point on.

    They overlap: each goes over five points, the last ones over what is left.
    """
    whole = max(0, (len(strand) - first - 3) // 2)
    parts = first + 2 * np.arange(whole)[:, None] + np.arange(5)
    rest = range(first + 2 * whole, len(strand) - 2, 2)
    ends = (placed(ribbon(strand[j:], thick[j:])) for j in rest)
    return [*placed(ribbon(strand[parts], thick[parts])), *ends]


def combed(
    plate: Plate,
    picture: Colours,
    head: Head,
    rng: np.random.Generator,
    hairs: tuple[Floats, Floats, Floats],
    vary: float,
    fall: ArrayLike = 0.0,
) -> Paint:
    """Hairs, from a root [K, 2] a way with a width, each of the colour there, `vary` of it off.

    Their tips `fall`, each by so much or all by one measure.
    """
    root, way, thick = hairs
    aside = (thick / np.hypot(*way.T))[:, None] * np.stack([-way[:, 1], way[:, 0]], 1)
    middle, tip = root + 0.5 * way, root + way
    tip[:, 1] += fall
    outlines = np.stack([root - aside, middle - aside, tip, middle + aside, root + aside], 1)
    shades = colours_at(plate, picture, head.seen(root))
    shades = shades * rng.uniform(1 - vary, 1 + vary, (len(root), 1))
    return [*zip(head.seen(outlines.reshape(-1, 2)).reshape(outlines.shape), shades, strict=True)]


def rounded(
    plate: Plate,
    picture: Colours,
    colours: Ramp,
    parts: list[Floats],
    soft: float,
    sun: Floats,
    share: ArrayLike = 1,
) -> Colours:
    """Outlines as one round body: the slopes of their blurred mask have the light from `sun`."""
    mask = plate.filled(parts)
    down, across = np.gradient(plate.blur(mask, soft), plate.pixel)
    lit = 0.5 - 1.2 * soft * (across * sun[0] + down * sun[1])
    return over(picture, ramp(lit, *colours), mask * share)


def lay_leaf(
    plate: Plate, picture: Colours, leaf: Leaf, colours: Ramp, sun: Floats, shade: float = 0.6
) -> None:
    """A leaf onto a picture: its shade, two halves that face `sun` each its way, veins."""
    root, way, long, wide, bend, light = leaf
    share = np.linspace(0, 1, 40)
    spine = np.stack([share, bend * share**2], 1) * long
    half = wide * np.sin(np.pi * share**0.8) ** 0.85
    outline = turned(ribbon(spine, 2 * half), way) + root
    box, here = plate.around(outline, 0.1)
    if 0 in here.x.shape:
        return
    cover = here.filled([outline])
    c, s = directed(way)
    along = ((here.x - root[0]) * c + (here.y - root[1]) * s) / long
    side = (here.y - root[1]) * c - (here.x - root[0]) * s - bend * long * along**2
    t = np.clip(side / np.maximum(np.interp(along, share, half), 0.004), -1, 1)
    facing = (np.array([-s, c]) @ sun) * np.tanh(6 * t)
    tone = light * (0.55 + 0.55 * along) + (0.1 + 0.16 * light) * facing - 0.08 * t * t
    veins = np.cos(2 * np.pi * (14 * along * long**0.5 - 1.3 * np.abs(t)))
    tone += (0.03 + 0.07 * light) * smooth(0.6, 1.0, veins) * smooth(1.0, 0.6, np.abs(t))
    rib = np.exp(-((side / min(0.006, 0.06 * wide)) ** 2)) * smooth(1.0, 0.7, along)
    tone += (0.1 + 0.2 * light) * rib
    tone += 0.25 * light * smooth(0.8, 1, np.abs(t)) * (facing > 0)
    dim = here.blur(cover, 0.035 if long > 0.4 else 0.015)
    shaded = over(picture[box], "#020b10", shade * dim)
    picture[box] = over(shaded, ramp(tone, *colours), cover)


def lay_flower(
    plate: Plate,
    picture: Colours,
    place: Floats,
    size: float,
    petals: int,
    colours: Ramp,
    sun: Floats,
) -> None:
    """Rings of petals around a place, smaller inwards."""
    root = (float(place[0]), float(place[1]))
    for ring in range(3):
        long, count = size * (1 - 0.25 * ring), petals - ring
        for way in 0.5 * ring + np.linspace(0, 2 * np.pi, count, endpoint=False):
            light = 0.5 + 0.3 * float(directed(way) @ sun)
            petal = (root, way, long, (0.12 + 1 / count) * long, 0.2, light)
            lay_leaf(plate, picture, petal, colours, sun, 0.35)
