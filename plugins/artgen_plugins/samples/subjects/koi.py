"""Koi in a pond, seen from above: light on the surface, shadows on the ground, lily pads."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlined, outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_FISH = ((0.085, 0.75, 3), (0.115, 0.3, 0), (0.125, 0.1, 1), (0.07, 0.5, 2), (0.1, 0.25, 4))
"""Half the body's width, depth below the surface, and dress, of each spine."""
_DRESS = (  # Base, patches, where patches begin; ink, where ink begins.
    ("#f3ece0", "#d9401f", 0.05, "#16161c", 9.0), ("#f6efe2", "#d8381c", 0.15, "#15151b", 0.75),
    ("#e58a2a", "#f0a848", 0.2, "#7a3210", 9.0), ("#e9e4da", "#232328", 0.1, "#d8502a", 0.9),
    ("#eda63a", "#f6c766", 0.3, "#9a4a14", 9.0),
)  # fmt: skip


def koi(plate: Plate) -> Colours:
    """Draw it: ground, then fish from deep to shallow, each over its shadow, then the surface."""
    x, y = plate.x, plate.y
    murk = plate.noise(x * 1.2, y * 1.2, 1, 6, 0.55)
    away = np.hypot(x - 0.15, y + 0.1)
    picture = ramp(
        0.62 - 0.4 * away + 0.1 * murk, (0.0, "#04191d"), (0.35, "#0b3536"), (0.7, "#1d5a52")
    )
    stones = plate.noise(x * 6, y * 6, 2, 3, 0.4)
    picture = over(picture, "#2f6a5c", 0.22 * smooth(0.0, 0.9, stones) * smooth(1.3, 0.3, away))
    spines = outlines_of("koi")["spines"]
    for stream in sorted(range(len(_FISH)), key=lambda number: -_FISH[number][1]):
        wide, depth, dress = _FISH[stream]
        spine = spline(spines[stream], 14)
        picture = _fish(plate, picture, spine, wide, depth, _DRESS[dress], 20 + stream)
    light = _caustics(plate)
    picture = screen(picture, light[..., None] * np.array([0.5, 0.62, 0.55]) * 0.42)
    picture = _pads(plate, picture)
    sky = smooth(0.5, 1.4, plate.noise(x * 0.8 + 0.4 * y, y * 2.2, 7, 5)) * smooth(0.9, -1.0, x + y)
    return plate.finished(screen(picture, sky[..., None] * np.array([0.2, 0.26, 0.28])), 0.01, 0.4)


def _caustics(plate: Plate) -> Floats:
    """The bright net that waves throw: where two warped noises cross zero."""
    u = plate.x + 0.12 * plate.noise(plate.x * 2, plate.y * 2, 3, 3)
    v = plate.y + 0.12 * plate.noise(plate.x * 2, plate.y * 2, 4, 3)
    net = [1 - np.abs(plate.noise(u * 3.4, v * 3.4, stream, 2, 0.35)) for stream in (5, 6)]
    return np.asarray(np.maximum(net[0], 0) ** 9 * 0.6 + np.maximum(net[1], 0) ** 9 * 0.6)


def _fish(
    plate: Plate,
    picture: Colours,
    spine: Floats,
    wide: float,
    depth: float,
    dress: tuple[str, str, float, str, float],
    stream: int,
) -> Colours:
    """One koi along its spine, nose first."""
    along = np.gradient(spine, axis=0)
    along /= np.hypot(*along.T)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    share = np.linspace(0, 1, len(spine))
    half = wide * np.interp(share, (0, 0.04, 0.12, 0.3, 0.45, 0.7, 0.88, 1.0),
                            (0.28, 0.5, 0.74, 1.0, 0.98, 0.62, 0.28, 0.2))  # fmt: skip
    body = outlined(spine, half[:, None] * across)
    fins, rays = _fins(spine, along, across, wide)

    drop = 0.05 + 0.1 * (1 - depth)
    shadow = plate.blur(plate.filled([part + (0.7 * drop, drop) for part in [body, *fins]]), 0.022)
    picture = over(picture, "#021013", 0.62 * shadow * (1 - 0.5 * depth))
    base, patch, begin, ink, ink_begin = dress
    veil = plate.filled(fins)
    picture = over(picture, base if base[1] in "ef" else patch, 0.5 * veil * (1 - 0.5 * depth))
    picture = over(picture, "#ffffff", 0.34 * plate.filled(rays) * veil * (1 - 0.6 * depth))

    box, here = plate.around(body, 0.02)
    apart = (here.x[..., None] - spine[:, 0]) ** 2 + (here.y[..., None] - spine[:, 1]) ** 2
    near = apart.argmin(axis=-1)
    offset = np.stack([here.x, here.y], axis=-1) - spine[near]
    forward = (offset * along[near]).sum(axis=-1)
    side = (offset * across[near]).sum(axis=-1)
    length = np.hypot(*np.diff(spine, axis=0).T).sum()
    s = share[near] * length + forward
    t = side / np.maximum(half[near], 1e-6)

    tone = plate.noise(s * 6.5 + 3, t * 0.55 + 9 * stream, stream, 4, 0.45)
    colour = over(np.broadcast_to(ramp(s / length, (0, base), (1, base)), (*s.shape, 3)), patch,
                  smooth(begin - 0.06, begin + 0.06, tone))  # fmt: skip
    blot = plate.noise(s * 11, t * 0.9 + 5 * stream, stream + 40, 3, 0.5)
    inked = smooth(ink_begin - 0.08, ink_begin + 0.08, blot)
    colour = over(colour, ink, inked * smooth(0.06, 0.16, s))
    row = s / (0.16 * wide)
    stagger = t * np.maximum(half[near], 1e-6) / (0.16 * wide) + 0.5 * (np.floor(row) % 2)
    scale = np.hypot(row % 1 - 0.15, 0.9 * (stagger % 1 - 0.5))
    scales = smooth(0.42, 0.62, scale) * smooth(0.16, 0.3, s / length) * smooth(1.0, 0.5, np.abs(t))
    colour = colour * (1 - 0.22 * scales)[..., None]
    round_off = np.sqrt(np.clip(1 - t**2, 0, 1))
    colour = colour * (0.45 + 0.6 * round_off)[..., None]
    back = np.exp(-(((t + 0.18) / 0.16) ** 2)) * smooth(0.1, 0.3, s / length)
    colour = over(colour, "#fffaf0", 0.28 * back)
    gills = np.exp(-(((s / length - 0.2 - 0.03 * np.abs(t)) / 0.012) ** 2))
    colour = over(colour, "#5c3226", 0.4 * (gills * smooth(0.25, 0.6, np.abs(t))))
    cover = plate.filled([body])[box]
    water = over(colour, "#12463f", np.full(cover.shape, 0.15 + 0.5 * depth))
    picture = picture.copy()
    picture[box] = over(picture[box], water, cover)

    eyes = [spine[4] + sign * 0.62 * half[4] * across[4] for sign in (-1, 1)]
    pupils = plate.dots((*eye, 0.075 * wide, 1.6) for eye in eyes).clip(0, 1)
    picture = over(picture, "#0a0a0c", pupils * 0.9)
    back_fin = ((0.34, 0.0), (0.48, 0.16), (0.64, 0.1), (0.7, 0.0))
    places = [(int(k * (len(spine) - 1)), rise * wide) for k, rise in back_fin]
    dorsal = spline([spine[at] + rise * across[at] for at, rise in places], 6)
    return over(picture, base, 0.5 * plate.filled([dorsal]) * (1 - 0.5 * depth))


def _fins(
    spine: Floats, along: Floats, across: Floats, wide: float
) -> tuple[list[Floats], list[Floats]]:
    """Pectoral and pelvic fins to both sides and the tail, and the rays in them."""
    fins: list[Floats] = []
    rays: list[Floats] = []

    def fan(root: Floats, low: float, high: float, long: float, notch: float = 0.0) -> None:
        angle = np.linspace(low, high, 15)
        middle = 1 - notch * np.cos(np.linspace(-np.pi / 2, np.pi / 2, 15)) ** 2
        reach = long * middle * (0.82 + 0.18 * np.sin(np.linspace(0.3, np.pi - 0.3, 15)))
        rim = root + reach[:, None] * directed(angle)
        fins.append(np.concatenate([[root], spline(rim, 4)]))
        for end in rim[1:-1]:
            rays.append(ribbon(np.stack([root + 0.2 * (end - root), end]), (0.004, 0.0015)))

    for place, long, wings in ((0.24, 1.45, 0.75), (0.56, 0.8, 0.5)):
        at = int(place * (len(spine) - 1))
        backwards = np.arctan2(*along[at][::-1])
        for sign in (-1, 1):
            root = spine[at] + sign * 0.8 * wide * (1 - 0.3 * (place > 0.5)) * across[at]
            fan(root, backwards + sign * 0.25, backwards + sign * (0.25 + wings), long * wide)
    way = np.arctan2(*along[-1][::-1])
    fan(spine[-3], way - 0.55, way + 0.55, 2.3 * wide, 0.38)
    return fins, rays


def _pads(plate: Plate, picture: Colours) -> Colours:
    """Lily pads at two corners, notched, veined, with shadows below; one flower."""
    whole, rng, angle = plate, plate.rng(8), np.linspace(0.16, 2 * np.pi - 0.16, 90)
    for x, y, size in outlines_of("koi")["pads"]:
        reach = 1.4 * size + 0.1
        box = whole.box(x - reach, y - reach, x + reach, y + reach)
        plate, here = whole.window(box), picture[box]
        turn = rng.uniform(0, 2 * np.pi)
        edge = size * (1 + 0.02 * np.sin(5 * angle + turn) + 0.012 * np.sin(13 * angle))
        rim = np.stack([x + edge * np.cos(angle + turn), y + edge * np.sin(angle + turn)], axis=1)
        pad = np.concatenate([[(x, y)], rim])
        here = over(here, "#021013", 0.55 * plate.blur(plate.filled([pad + (0.05, 0.07)]), 0.02))
        right, down = plate.x - x, plate.y - y
        away, around = np.hypot(right, down) / size, np.arctan2(down, right)
        cloud = plate.noise(plate.x * 5, plate.y * 5, 9, 5, 0.6)
        tone = 0.5 + 0.2 * cloud + 0.16 * away + 0.16 * np.cos(around + 2.2) * away
        colour = ramp(
            tone, (0.2, "#1e4a2a"), (0.55, "#477a3d"), (0.85, "#86a558"), (1.1, "#c3c07a")
        )
        veins = smooth(0.985, 1.0, np.cos((around - turn) * 15)) * smooth(1.0, 0.2, away)
        colour = over(colour, "#cfd79a", 0.4 * veins)
        colour = over(colour, "#7c4a35", 0.6 * smooth(0.93, 1.02, away + 0.02 * cloud))
        picture[box] = over(here, colour, plate.filled([pad]))
    box = whole.box(-0.9, -0.98, -0.3, -0.38)
    picture[box] = _flower(whole.window(box), picture[box], np.array([-0.6, -0.68]), 0.17)
    return picture


def _flower(plate: Plate, picture: Colours, place: Floats, size: float) -> Colours:
    """A water lily: rings of pointed petals, paler and smaller inwards."""
    shadow = place + (0.03, 0.04) + size * 0.8 * directed(np.linspace(0, 2 * np.pi, 40))
    picture = over(picture, "#0a2418", 0.5 * plate.blur(plate.filled([shadow]), 0.025))
    for ring, (count, reach, shade, tip) in enumerate((
        (11, 1.0, "#e9a3ae", "#f7dcd9"), (10, 0.78, "#f0b9bf", "#fbe9e4"), (8, 0.54, "#f6d0d0", "#fff5ee"),
    )):  # fmt: skip
        for petal in range(count):
            way = 2 * np.pi * petal / count + 0.3 * ring
            ahead = directed(way)
            aside = np.array([-ahead[1], ahead[0]])
            share = np.linspace(0, 1, 14)
            half = 0.2 * size * np.sin(np.pi * share**1.15) ** 0.8
            rib = place + size * reach * share[:, None] * ahead
            cover = plate.filled([outlined(rib, half[:, None] * aside)])
            away = np.hypot(plate.x - place[0], plate.y - place[1]) / (size * reach)
            bright = 0.9 + 0.14 * np.dot(ahead, (-0.6, -0.8))
            colour = ramp(away, (0.1, shade), (1.0, tip)) * bright
            rim = cover * (1 - plate.blur(cover, 0.004))
            picture = over(picture, over(colour, "#b0606f", 0.5 * rim), cover)
    stamens = plate.rng(11).normal(0, 0.1 * size, (40, 2)) + place
    return over(picture, "#f2b632", plate.dots((*spot, 0.006, 0.9) for spot in stamens).clip(0, 1))
