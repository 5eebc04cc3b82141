"""A humpback whale: a body around its spine, with grooves, knobs and an eye; fins, flukes."""

from __future__ import annotations

import numpy as np

from ._curves import directed, normals, outlined, outlines_of, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, smooth

_SKIN = (0.0, "#020d1a"), (0.18, "#082739"), (0.38, "#17506a"), (0.6, "#4a93a0"), (0.8, "#a9d2c4"), (1.0, "#f3f3d6")  # fmt: skip
_PLACES = 0, 0.004, 0.015, 0.05, 0.1, 0.16, 0.24, 0.32, 0.42, 0.55, 0.7, 0.85, 0.95, 1
_BACK = 0, 0.014, 0.026, 0.042, 0.058, 0.076, 0.098, 0.112, 0.116, 0.102, 0.068, 0.033, 0.022, 0.022
_BELLY = 0, 0.022, 0.045, 0.083, 0.116, 0.14, 0.15, 0.145, 0.13, 0.1, 0.06, 0.03, 0.02, 0.02
"""How far the body reaches from its spine at places from nose to tail, in its lengths."""
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def humpback(plate: Plate, picture: Colours, shafts: Floats, lamplight: Floats) -> Colours:
    """Far fin, back fin, body, flukes, eye, near fin."""
    parts, air = outlines_of("whale"), picture
    s, t, half, mask, spine = _body(plate)
    picture = _fin(plate, picture, parts["far"], 0.16, 0.85, 0.4)
    at = int(0.66 * len(spine))
    hook = turned(spline(parts["fin"], 6), 2.33) + spine[at] + 0.118 * normals(spine)[at]
    picture = over(picture, over(air, "#256a7d", np.full_like(s, 0.55)), plate.filled([hook]))

    around = np.arcsin(t) + 0.55
    rough, swell = plate.noise(s * 18, around * 2.5, 9, 4), np.sqrt(1 - t**2)
    mouth = np.interp(s, (0, 0.03, 0.12, 0.17, 0.2, 0.225), (-0.5, -0.4, -0.22, -0.16, -0.04, 0.2))
    lip = np.exp(-(((t - mouth) / 0.035) ** 2)) * smooth(0.225, 0.215, s)
    chin = mouth * smooth(0.3, 0.2, s) + 0.22 * smooth(0.18, 0.3, s)
    number = around / 0.135 + 0.1 * rough
    ends = 0.54 + 0.04 * np.sin(2.3 * np.round(number))
    grooved = smooth(0.02, 0.14, t - chin) * smooth(0.015, 0.05, s) * smooth(0, 0.12, ends - s)
    groove = grooved * smooth(0.25, 0.5, np.abs(number - np.round(number)))
    rows = [(a, b - 0.5 * a) for a in (0.025, 0.05, 0.075, 0.1, 0.13, 0.16) for b in (-0.62, -0.38)]
    knobs = [*rows, *((a, 1.2 * a - 0.28) for a in (0.035, 0.06, 0.09, 0.12, 0.15))]
    bump = sum(np.exp(-(((s - a) / 0.006) ** 2) - (half * (t - b) / 0.011) ** 2) for a, b in knobs)
    height = half * swell + 0.0025 * rough + 0.005 * bump - 0.004 * lip - 0.006 * groove
    down, across = np.gradient(height, plate.pixel)
    lit = (0.82 * down + 0.1 * across + 0.5) / np.sqrt(1 + down**2 + across**2)
    lit = np.clip(lit, 0, 1) ** 1.2
    blotch = 0.16 * rough * smooth(0.15, 0.4, s)
    pale = smooth(0.02, 0.3, t - chin - 0.1 + blotch) * smooth(0.95, 0.6, s)
    net = np.maximum(1 - np.abs(plate.noise(plate.x * 5, plate.y * 5, 13, 2, 0.4)), 0) ** 7
    dapple = 0.4 * net * swell * smooth(0.7, 0.0, s)
    value = (0.32 + 0.72 * pale) * (0.16 + 0.08 * pale + lit * (0.85 + 0.9 * shafts + dapple))
    value = value + 0.6 * smooth(-0.6, -1.0, t) * (0.4 + shafts) * smooth(0.9, 0.2, s)
    value = value - 0.1 * groove - 0.2 * lip + (0.04 * rough + 0.05 * bump * lit) * swell
    warm = np.clip(1.5 * lamplight * lit * (0.4 + pale), 0, 0.8)
    colour = over(ramp(value, *_SKIN), "#ffc46a", warm)
    picture = over(picture, over(colour, air, 0.62 * smooth(0.25, 1.0, s)), mask)
    picture = _flukes(plate, picture, spine)

    for size, flat, ink, share in ((0.036, 0.55, "#061c2b", 0.5), (0.014, 0.75, "#02080f", 1.0)):
        lid = turned(_AROUND * (size, flat * size), 1.75) + spine[82]
        picture = over(picture, ink, share * plate.blur(plate.filled([lid]), 0.15 * size))
    glint = plate.filled([spine[82] + (0.001, -0.006) + 0.0035 * _AROUND])
    return _fin(plate, over(picture, "#f4f3dc", glint), parts["near"], 0.18, 1.1, 0.05)


def _body(plate: Plate) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """From nose 0 to tail 1, from back -1 to belly 1, half the width, coverage; the spine."""
    from scipy.interpolate import PchipInterpolator
    from scipy.spatial import KDTree

    bones = np.array(outlines_of("whale")["spine"])
    bones[4:] += np.outer((0.2, 0.6, 1), plate.rng(13).normal((0, -0.03), (0.04, 0.03)))
    spine = spline(bones, 60)
    share = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(spine, axis=0).T))])
    long, share = share[-1], share / share[-1]
    back, belly = (long * PchipInterpolator(_PLACES, wide)(share) for wide in (_BACK, _BELLY))
    out = normals(spine)
    middle = spine + (back - belly)[:, None] / 2 * out
    mask = plate.filled([outlined(middle, (back + belly)[:, None] / 2 * out)])
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
    s[inside], wide[inside], t[inside] = at, half, (side + half - low) / np.maximum(half, 1e-6)
    return s, np.clip(t, -1, 1), wide, mask, spine


def _fin(
    plate: Plate, picture: Colours, way: list[list[float]], wide: float, light: float, haze: float
) -> Colours:
    """A long fin with knobs on the edge that leads, its root lost in the body."""
    bones, lead = np.array(way), 1 if way[-1][0] < way[0][0] else -1
    bones[2:] += np.outer((0.2, 0.6, 1), plate.rng(14 + lead).normal(0, 0.03, 2))
    path = spline(bones, 16)
    share = np.linspace(0, 1, len(path))
    half = wide / 2 * np.interp(share, (0, 0.04, 0.25, 0.55, 0.85, 0.95, 1), (0.2, 0.7, 0.9, 0.74, 0.46, 0.28, 0.05))  # fmt: skip
    knobs = 1 + 0.16 * np.abs(np.sin(8.5 * np.pi * share**0.9)) * smooth(0.1, 0.3, share)
    out = lead * normals(path) * half[:, None]
    outline = np.concatenate([path + knobs[:, None] * out, (path - out)[::-1]])
    mask = plate.filled([outline])
    down, across = np.gradient(plate.blur(mask, 0.035), plate.pixel)
    edge = np.gradient(plate.blur(mask, 0.01), plate.pixel, axis=0)
    apart = np.hypot(plate.x - way[0][0], plate.y - way[0][1])
    rough = plate.noise(plate.x * 5, plate.y * 5, 11, 4)
    value = 0.42 - 0.25 * smooth(0.24, 0.0, apart) + 0.05 * (down + 0.2 * across) + 0.1 * rough
    root = smooth(0.0, 0.13, apart)
    if lead < 0:
        shade = plate.blur(plate.filled([outline + (-0.03, 0.06)]), 0.03)
        picture = over(picture, "#03131f", 0.5 * shade * root)
    colour = ramp(light * value + 0.006 * edge, *_SKIN)
    return over(picture, over(colour, picture, np.full_like(value, haze)), mask * root)


def _flukes(plate: Plate, picture: Colours, spine: Floats) -> Colours:
    """The two halves of the tail, far and in the haze."""
    half, ahead = spline(outlines_of("whale")["fluke"], 6), spine[-1] - spine[-20]
    way = float(np.arctan2(ahead[1], ahead[0]))
    mask = plate.filled([turned(half * (0.34, w), way + 0.1) + spine[-1] for w in (0.36, -0.3)])
    down, across = np.gradient(plate.blur(mask, 0.03), plate.pixel)
    tone = ramp(0.42 + 0.05 * (down + 0.2 * across), *_SKIN)
    aft = (plate.x - spine[-1, 0]) * np.cos(way) + (plate.y - spine[-1, 1]) * np.sin(way)
    colour = over(tone, picture, np.full_like(aft, 0.45))
    return over(picture, colour, mask * smooth(-0.17, -0.02, aft))
