"""A humpback whale that rises through shafts of light to a rowing boat with a lantern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._curves import directed, normals, outlines_of, ribbon, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth

_SURFACE, _HORIZON = -0.66, -0.75
_BOAT = np.array((0.42, _SURFACE))
_LAMP = _BOAT + (-0.285, -0.148)
_SUN = np.array((0.05, -1.7))
"""Where the shafts come from, as if through the surface."""
_AMBER = np.array((1.0, 0.62, 0.24))
_DEEP = (-0.1, "#010812"), (0.15, "#03182a"), (0.4, "#083a50"), (0.65, "#14677a"), (0.85, "#3fa39e"), (1.05, "#a9dcba")  # fmt: skip
_SKIN = (0.0, "#020d1a"), (0.18, "#082739"), (0.38, "#17506a"), (0.6, "#4a93a0"), (0.8, "#a9d2c4"), (1.0, "#f3f3d6")  # fmt: skip
_PLACES = 0, 0.015, 0.05, 0.1, 0.16, 0.24, 0.32, 0.42, 0.55, 0.7, 0.85, 0.95, 1
_BACK = 0.012, 0.026, 0.042, 0.058, 0.076, 0.098, 0.112, 0.116, 0.102, 0.068, 0.033, 0.022, 0.022
_BELLY = 0.014, 0.045, 0.083, 0.116, 0.14, 0.15, 0.145, 0.13, 0.1, 0.06, 0.03, 0.02, 0.02
"""How far the body reaches from its spine, in its lengths."""
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def whale(plate: Plate) -> Colours:
    """Draw it: sky, water and its light, the whale, what floats, the boat."""
    shafts = _shafts(plate)
    picture = _whale(plate, _water(plate, shafts), shafts)
    picture = screen(picture, 0.3 * shafts[..., None] * np.array([0.35, 0.75, 0.7]))
    picture = _motes(plate, picture)
    edge = _SURFACE + 0.014 * plate.noise(plate.x * 2.5, plate.x * 0, 3, 3)
    above = smooth(0.004, -0.004, plate.y - edge)
    picture = over(picture, "#d9f0d0", 0.75 * np.exp(-np.abs((plate.y - edge) / 0.007)))
    picture = over(picture, _sky(plate), above)
    picture = _boat(plate, picture)
    return plate.finished(picture, 0.01, 0.3)


def _sky(plate: Plate) -> Colours:
    """Dusk: embers at the horizon, clouds lit from below, far hills, the sea's skin."""
    x, y = plate.x, plate.y
    up = (_HORIZON - y) / 0.6
    stain = plate.noise(x * 1.1, y * 4.5, 1, 6, 0.55)
    glow = np.exp(-(((x + 0.5) / 0.9) ** 2))
    tone = up - 0.2 * glow + 0.28 * smooth(-0.4, 0.7, x) + 0.05 * stain
    air = ramp(tone, (-0.2, "#ffd58a"), (0.0, "#f6a15c"), (0.2, "#c9646a"), (0.5, "#5c4480"), (0.8, "#262a5c"), (1.1, "#121a3e"))  # fmt: skip
    cloud = smooth(
        0.15, 0.7, plate.noise(x * 1.4 + 3, y * 6.5, 2, 6, 0.55) - 0.5 * np.abs(up - 0.4)
    )
    air = over(
        air,
        ramp(tone, (0.0, "#ffbf7a"), (0.3, "#dd7a6c"), (0.6, "#6d4a80"), (1.0, "#2d2e60")),
        0.8 * cloud,
    )
    rng = plate.rng(4)
    stars = [
        (*rng.uniform((-1, -1.33), (1, -1.0)), rng.uniform(0.002, 0.004), rng.random())
        for _ in range(60)
    ]
    air = screen(air, plate.dots(stars)[..., None] * np.array([0.9, 0.9, 1.0]))
    hills = _HORIZON - 0.05 * smooth(0.0, 1.0, x * 0.9 + 0.1) * (
        1 + 0.5 * plate.noise(x * 3, 0 * x, 5, 4)
    )
    air = over(air, "#4a3a68", 0.85 * smooth(-0.004, 0.004, y - hills))
    near = np.maximum(y - _HORIZON, 1e-3)
    wave = plate.noise(x * 3 / (near + 0.05), 1.2 / (near + 0.03), 6, 3)
    skin = ramp(
        0.5 * glow + 0.3 * wave,
        (-0.3, "#232a5a"),
        (0.1, "#6b4a78"),
        (0.4, "#d9826a"),
        (0.7, "#ffc98a"),
    )
    return over(air, skin, smooth(-0.003, 0.003, y - _HORIZON))


def _shafts(plate: Plate) -> Floats:
    """How much light passes each place under the water, in beams that spread."""
    angle = np.arctan2(plate.x - _SUN[0], plate.y - _SUN[1])
    beam = plate.noise(angle * 7, 0 * angle + 0.3 * plate.y, 7, 4, 0.6)
    deep = np.maximum(plate.y - _SURFACE, 0)
    return np.asarray(
        smooth(-0.15, 0.9, beam) * np.exp(-deep / 1.0) * smooth(0.75, 0.1, np.abs(angle - 0.03))
    )


def _water(plate: Plate, shafts: Floats) -> Colours:
    """From teal to blue-black, with the lamp's light below the boat."""
    x, y = plate.x, plate.y
    deep = y - _SURFACE
    murk = plate.noise(x * 1.3, y * 1.3, 8, 4)
    glow = np.exp(-(((x - 0.1 - 0.1 * deep) / 0.75) ** 2))
    tone = 0.05 + 0.8 * np.exp(-deep / 0.7) * (0.4 + 0.6 * glow) + 0.32 * shafts + 0.03 * murk
    picture = ramp(tone, *_DEEP)
    return screen(picture, _lamplight(plate)[..., None] * _AMBER * 0.75)


def _lamplight(plate: Plate) -> Floats:
    """Of the lantern, at each place."""
    away = (plate.x - _LAMP[0]) ** 2 + (0.7 * (plate.y - _SURFACE)) ** 2
    return np.asarray(1 / (1 + away / 0.022))


@dataclass(frozen=True, eq=False)
class _Body:
    """Where pixels are on the body: `s` from nose 0 to tail 1, `t` from back -1 to belly 1."""

    s: Floats
    t: Floats
    half: Floats
    mask: Floats
    spine: Floats

    @classmethod
    def of(cls, plate: Plate) -> _Body:
        """Found by the nearest point of the spine."""
        from scipy.spatial import KDTree

        spine = spline(outlines_of("whale")["spine"], 60)
        share = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(spine, axis=0).T))])
        long, share = share[-1], share / share[-1]
        back, belly = (long * spread(share, _PLACES, wide) for wide in (_BACK, _BELLY))
        out = normals(spine)
        outline = np.concatenate(
            [spine + back[:, None] * out, (spine - belly[:, None] * out)[::-1]]
        )
        mask = plate.filled([outline])
        inside = mask > 0
        pixels = np.stack([plate.x[inside], plate.y[inside]], -1)
        near = KDTree(spine).query(pixels)[1]
        ahead = np.stack([out[:, 1], -out[:, 0]], 1)
        bend = (np.gradient(out, share, axis=0) * ahead).sum(-1) / long
        offset = pixels - spine[near]
        side = -(offset * out[near]).sum(-1)
        # Between the points of the spine, or each of them would show.
        at = share[near] + (offset * ahead[near]).sum(-1) / long / (1 - bend[near] * side)
        half, low = np.interp(at, share, (back + belly) / 2), np.interp(at, share, belly)
        s, t, wide = (np.zeros_like(plate.x) for _ in range(3))
        s[inside], wide[inside], t[inside] = at, half, (side + half - low) / half
        return cls(s, np.clip(t, -1, 1), wide, mask, spine)

    def at(self, s: float, t: float) -> Floats:
        """The place of a point of the body on the plate."""
        inside = self.mask > 0
        away = (self.s[inside] - s) ** 2 + (0.15 * (self.t[inside] - t)) ** 2
        number = np.flatnonzero(inside)[away.argmin()]
        return np.array([number % self.s.shape[1], number // self.s.shape[1]])


def spread(at: Floats, places: tuple[float, ...], values: tuple[float, ...]) -> Floats:
    """Values between places, smoothly."""
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(places, values)(at))


def _whale(plate: Plate, picture: Colours, shafts: Floats) -> Colours:
    """Far fin, flukes, body, near fin."""
    parts, body, air = outlines_of("whale"), _Body.of(plate), picture
    picture = _fin(plate, picture, parts["far"], 0.16, 0.85, -1, 0.4)
    s, t = body.s, body.t
    at, out = int(0.66 * len(body.spine)), normals(body.spine)
    hook = turned(np.array(parts["fin"]), 2.33) + body.spine[at] + 0.118 * out[at]
    picture = over(
        picture, over(air, "#256a7d", np.full_like(s, 0.55)), plate.filled([spline(hook, 6)])
    )
    around = np.arcsin(t) + 0.55
    mouth = np.interp(s, (0, 0.03, 0.12, 0.17, 0.2, 0.225), (-0.5, -0.4, -0.22, -0.16, -0.04, 0.2))
    chin = mouth * smooth(0.3, 0.2, s) + 0.22 * smooth(0.18, 0.3, s)
    rough = plate.noise(s * 18, around * 2.5, 9, 4)
    number = around / 0.135 + 0.1 * rough
    ends = 0.54 + 0.04 * np.sin(2.3 * np.round(number))
    grooved = smooth(0.02, 0.14, t - chin) * smooth(0.015, 0.05, s) * smooth(ends, ends - 0.12, s)
    groove = np.abs(number - np.round(number))
    lip = np.exp(-(((t - mouth) / 0.035) ** 2)) * smooth(0.225, 0.215, s)
    swell = np.sqrt(np.maximum(1 - t**2, 0))
    bump = np.zeros_like(s)
    for along, across in _knobs():
        bump += np.exp(-(((s - along) / 0.006) ** 2) - ((body.half * (t - across) / 0.011) ** 2))
    height = body.half * swell + 0.0025 * rough + 0.005 * bump - 0.004 * lip
    height = height - 0.006 * grooved * smooth(0.28, 0.5, groove)
    down, across = np.gradient(height, plate.pixel)
    lit = (0.82 * down + 0.1 * across + 0.5) / np.sqrt(1 + down**2 + across**2)
    lit = np.clip(lit, 0, 1) ** 1.2
    pale = smooth(0.02, 0.3, t - chin - 0.1 + 0.16 * rough * smooth(0.15, 0.4, s)) * smooth(
        0.95, 0.6, s
    )
    net = np.maximum(1 - np.abs(plate.noise(plate.x * 5, plate.y * 5, 13, 2, 0.4)), 0) ** 7
    value = (0.4 + 0.55 * pale) * (
        0.14 + lit * (0.85 + 0.9 * shafts + 0.4 * net * swell * smooth(0.7, 0.0, s))
    )
    value = value + 0.4 * smooth(-0.55, -1.0, t) * (0.4 + shafts) * smooth(0.9, 0.2, s)
    value = (
        value
        - 0.1 * grooved * smooth(0.2, 0.5, groove)
        - 0.2 * lip
        + 0.04 * rough * swell
        + 0.05 * bump * lit
    )
    colour = ramp(value, *_SKIN)
    colour = screen(colour, (_lamplight(plate) * lit * (0.6 + pale))[..., None] * _AMBER)
    colour = over(colour, air, 0.62 * smooth(0.25, 1.0, s))
    picture = over(picture, colour, body.mask)
    picture = _eye(plate, _flukes(plate, picture, body.spine), body)
    return _fin(plate, picture, parts["near"], 0.18, 1.1, 1, 0.05)


def _knobs() -> list[tuple[float, float]]:
    """Where the head has bumps, each with a hair: in rows on the snout, on the lip."""
    rows = [(s, t - 0.5 * s) for s in (0.025, 0.05, 0.075, 0.1, 0.13, 0.16) for t in (-0.62, -0.38)]
    return [*rows, *((s, 1.2 * s - 0.28) for s in (0.035, 0.06, 0.09, 0.12, 0.15))]


def _eye(plate: Plate, picture: Colours, body: _Body) -> Colours:
    """Dark, with lids and a glint."""
    column, row = body.at(0.205, -0.2)
    eye = np.array((plate.x[0, column], plate.y[row, 0]))
    for size, flat, colour, share in ((0.036, 0.55, "#061c2b", 0.5), (0.014, 0.75, "#02080f", 1.0)):
        lid = turned(_AROUND * (size, flat * size), 1.75) + eye
        picture = over(picture, colour, share * plate.blur(plate.filled([lid]), 0.15 * size))
    return over(picture, "#f4f3dc", plate.filled([eye + (0.001, -0.006) + 0.0035 * _AROUND]))


def _fin(
    plate: Plate, picture: Colours, way: list[tuple[float, float]], wide: float, light: float,
    lead: int, haze: float,
) -> Colours:  # fmt: skip
    """A long fin with knobs on the edge that leads, its root lost in the body."""
    path = spline(way, 16)
    share = np.linspace(0, 1, len(path))
    half = (
        wide
        / 2
        * np.sqrt(np.minimum(8 * share, 1))
        * np.interp(share, (0, 0.25, 0.55, 0.85, 0.95, 1), (0.85, 0.9, 0.74, 0.46, 0.28, 0.05))
    )
    knobs = 1 + 0.16 * np.abs(np.sin(8.5 * np.pi * share**0.9)) * smooth(0.1, 0.3, share)
    out = -lead * normals(path)
    outline = np.concatenate(
        [path + (half * knobs)[:, None] * out, (path - half[:, None] * out)[::-1]]
    )
    mask = plate.filled([outline])
    down, across = np.gradient(plate.blur(mask, 0.035), plate.pixel)
    rough = plate.noise(plate.x * 5, plate.y * 5, 11, 4)
    apart = np.hypot(plate.x - way[0][0], plate.y - way[0][1])
    value = light * (
        0.42 - 0.25 * smooth(0.24, 0.0, apart) + 0.05 * (down + 0.2 * across) + 0.07 * rough
    )
    root = smooth(0.0, 0.13, apart)
    shade = plate.blur(plate.filled([outline + (-0.03, 0.06)]), 0.03) * root
    if lead > 0:
        picture = over(picture, "#03131f", 0.5 * shade)
    return over(picture, over(ramp(value, *_SKIN), picture, np.full_like(value, haze)), mask * root)


def _flukes(plate: Plate, picture: Colours, spine: Floats) -> Colours:
    """The two halves of the tail, far and in the haze."""
    half = spline(outlines_of("whale")["fluke"], 6)
    way = float(np.arctan2(*(spine[-1] - spine[-20])[::-1]))
    lobes = [turned(half * (0.3, wide), way) + spine[-1] for wide in (0.4, -0.36)]
    mask = plate.filled(lobes)
    down, across = np.gradient(plate.blur(mask, 0.03), plate.pixel)
    colour = over(
        ramp(0.42 + 0.05 * (down + 0.2 * across), *_SKIN), picture, np.full_like(plate.x, 0.45)
    )
    root = smooth(
        0.05,
        0.2,
        (plate.x - spine[-1, 0]) * np.cos(way) + (plate.y - spine[-1, 1]) * np.sin(way) + 0.22,
    )
    return over(picture, colour, mask * root)


def _motes(plate: Plate, picture: Colours) -> Colours:
    rng = plate.rng(12)
    dots = [
        (*rng.uniform((-1, -0.62), (1, 1.33)), rng.uniform(0.002, 0.006), rng.uniform(0.1, 0.5))
        for _ in range(160)
    ]
    return screen(picture, plate.dots(dots)[..., None] * np.array([0.6, 0.9, 0.8]))


def _boat(plate: Plate, picture: Colours) -> Colours:
    """A rower who leans over the bow with a lantern on a pole."""
    parts = outlines_of("whale")
    hull = spline([*parts["hull"], parts["hull"][0]], 6)
    shapes = [hull, spline(parts["body"], 6), spline(parts["head"], 6), spline(parts["cap"], 6)]
    shapes += [
        ribbon(spline(bar), wide)
        for bar, wide in zip(parts["bars"], (0.026, 0.006, 0.009, 0.004), strict=True)
    ]
    mask = plate.filled([shape + _BOAT for shape in shapes])
    away = np.hypot(plate.x - _LAMP[0], plate.y - _LAMP[1])
    down, across = np.gradient(plate.blur(mask, 0.007), plate.pixel)
    facing = (down * (_LAMP[1] - plate.y) + across * (_LAMP[0] - plate.x)) / np.maximum(away, 0.01)
    planks = plate.filled([ribbon(spline(np.array(parts["hull"][:5])) * (1, bulge) + (0, lower) + _BOAT, 0.006)
                           for bulge, lower in ((1, 0.004), (0.75, 0.012), (0.4, 0.0))])  # fmt: skip
    edge = np.clip(-0.022 * facing, 0, 1) * np.exp(-away / 0.3) + 0.35 * planks * np.exp(
        -away / 0.2
    )
    picture = over(picture, ramp(edge, (0, "#150d1f"), (0.3, "#7a3a24"), (0.7, "#ffb35a")), mask)
    glow = 0.8 * np.exp(-((away / 0.03) ** 2)) + 0.6 * np.exp(-away / 0.1)
    picture = screen(picture, glow[..., None] * _AMBER)
    frame = [_LAMP + (0, low) + _AROUND * (0.016, 0.005) for low in (-0.022, 0.022)]
    picture = over(picture, "#fff6d2", plate.filled([_LAMP + _AROUND * (0.012, 0.02)]))
    return over(picture, "#2a1620", plate.filled(frame))
