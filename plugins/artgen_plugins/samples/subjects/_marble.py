"""A carved head on neck and shoulders, and strips laid on it: depths towards the viewer."""

from __future__ import annotations

from functools import cache

import numpy as np

from ._curves import outlines_of, spline
from ._plate import Floats, Plate, smooth

FAR, _NEAR = -1.2, 1.2
"""Depths behind and before all stone."""
SIZE = 0.6
_HEAD, _YAW, _PITCH, _ROLL = np.array((0.02, -0.26, 0.0)), 0.6, 0.2, 0.13
"""The middle of the eyes; angles: aside, down, to the shoulder."""


@cache
def _axes() -> Floats:
    """Directions on the plate, as rows: the head's left, down, forward."""
    (a, b, c), (d, e, f) = np.cos((_YAW, _PITCH, _ROLL)), np.sin((_YAW, _PITCH, _ROLL))
    yaw = np.array(((a, 0, d), (0, 1, 0), (-d, 0, a)))
    pitch = np.array(((1, 0, 0), (0, b, -e), (0, e, b)))
    roll = np.array(((c, f, 0), (-f, c, 0), (0, 0, 1)))
    return np.asarray(pitch @ yaw @ roll, np.float32)


def placed(points: Floats) -> Floats:
    """Points [..., 3] of the head, where they are on the plate: x, y, depth."""
    return np.asarray(points @ _axes() * SIZE + _HEAD)


def depths(plate: Plate) -> Floats:
    """Depth of the stone at each pixel; `FAR` where there is none."""
    from scipy.ndimage import maximum_filter

    rows, columns = plate.x.shape
    if max(rows, columns) <= 160:
        return _marched(plate, np.full_like(plate.x, _NEAR), 120)
    # From a little before the nearest stone of a coarser picture, it is not far.
    coarse = maximum_filter(depths(plate.window((slice(0, None, 2), slice(0, None, 2)))), 3)
    start = coarse.repeat(2, 0).repeat(2, 1)[:rows, :columns]
    return _marched(plate, np.where(start > FAR, start + 0.01, FAR), 30)


def _marched(plate: Plate, start: Floats, steps: int) -> Floats:
    """Depths that come down onto the stone from `start`."""
    depth = start.astype(np.float32)
    flat, going = depth.ravel(), np.flatnonzero(depth > FAR)
    x, y, z = (each.ravel()[going] for each in (plate.x, plate.y, depth))
    away = np.zeros_like(z)
    for _ in range(steps):
        away = _stone(x, y, z)
        z = z - np.float32(0.8) * away
        flat[going] = z
        keep = (np.abs(away) > 0.0004) & (z > FAR)
        going = going[keep]
        away, x, y, z = (each[keep] for each in (away, x, y, z))
    # Rays that pass close by have not come down yet.
    flat[going[away > 0.01]] = FAR
    return np.maximum(depth, FAR)


def _stone(x: Floats, y: Floats, z: Floats) -> Floats:
    """About how far places on the plate are outside of the stone."""
    parts, forms = outlines_of("bust"), {"limb": _limb, "ball": _ball}
    away = np.full_like(x, 9)
    for kind, soft, *form in parts["body"]:
        away = _joined(away, forms[kind](x, y, z, form), soft)
    shifted = (np.stack([x, y, z]) - _HEAD[:, None].astype(np.float32)) / np.float32(SIZE)
    near = np.flatnonzero((shifted**2).sum(0) < 2.4)
    head = _head(*_axes() @ shifted[:, near])
    away[near] = _joined(away[near], np.float32(SIZE) * head, 0.06)
    return away


def _joined(a: Floats, b: Floats, soft: float) -> Floats:
    """The distance to either of two bodies, with a seam as wide as `soft`."""
    blend = np.maximum(soft - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - blend * blend / (4 * soft))


def _shared(a: Floats, b: Floats, soft: float) -> Floats:
    """The distance to what two bodies share."""
    return -_joined(-a, -b, soft)


def _ball(x: Floats, y: Floats, z: Floats, form: list[float]) -> Floats:
    """About how far places are from an ellipsoid (its middle, three radii)."""
    left, top, deep, *radii = form
    u, v, w = (x - left) / radii[0], (y - top) / radii[1], (z - deep) / radii[2]
    return np.asarray((np.sqrt(u * u + v * v + w * w) - 1) * min(radii))


def _limb(x: Floats, y: Floats, z: Floats, form: list[float]) -> Floats:
    """How far places are from a limb (from, to, both radii)."""
    (a, b, c), end, (radius, last) = form[:3], form[3:6], form[6:]
    u, v, w, (p, q, r) = x - a, y - b, z - c, np.subtract(end, form[:3]).tolist()
    t = np.clip((u * p + v * q + w * r) / (p * p + q * q + r * r), 0, 1)
    away = np.sqrt((u - t * p) ** 2 + (v - t * q) ** 2 + (w - t * r) ** 2)
    return np.asarray(away - radius - t * (last - radius))


@cache
def _curve(name: str) -> Floats:
    return spline(outlines_of("bust")[name], 8).T


def _along(name: str, at: Floats) -> Floats:
    """A curve of `outlines.toml` at numbers."""
    return np.interp(at, *_curve(name)).astype(np.float32)


def _head(u: Floats, v: Floats, w: Floats) -> Floats:
    """How far places are outside of the head: a skull, a face with a relief, nose, eyes."""
    parts, side = outlines_of("bust"), np.abs(u)
    steep = 1.6 + 1.2 * smooth(0.0, 0.35, v)
    raised = _along("ridge", v) - steep * np.maximum(side - _along("flat", v), 0)
    raised = 0.5 * (raised + np.sqrt(raised * raised + 0.003)) - 0.015
    for (across, down), wide, tall, high in parts["hills"]:
        reach = (((side if across else u) - across) / wide) ** 2 + ((v - down) / tall) ** 2
        raised = raised + high * np.exp(-reach)
    mouth = 0.6 - 0.018 * np.cos(u * 24) * np.exp(-((u / 0.12) ** 2)) + 0.1 * u**2
    raised = raised - 0.05 * np.exp(-(((v - mouth) / 0.02) ** 2) - (u / 0.2) ** 4)
    ahead = w - smooth(0.05, 0.4, w) * raised
    ahead = np.abs(np.where(ahead > 0, ahead / _along("front", v), ahead / 0.6))
    face = ((side / _along("wide", v)) ** 2.4 + ahead**2.4) ** (1 / 2.4) - 1
    # Below the jaw, which rises towards the ears, and above the brow.
    face = _shared(0.6 * face, 0.9 * (v - 1.0 + 0.35 * (0.78 - w)), 0.1)
    face = _shared(face, -0.5 - v, 0.3)
    head = _joined(_ball(u, v, w, parts["skull"]), face, 0.12)
    for soft, *form in parts["nose"]:
        head = _joined(head, _ball(side, v, w, form), soft)
    return _joined(head, _eye(side, v, w), 0.05)


def _eye(side: Floats, v: Floats, w: Floats) -> Floats:
    """How far places are outside of an eyeball with its lids."""
    a, b, c, radius = outlines_of("bust")["eye"]
    across = (side - a) / 0.15
    upper, lower = b - 0.03 + 0.045 * across**2, b + 0.07 - 0.045 * across**2
    lid = 0.026 * smooth(0.012, -0.012, v - upper) + 0.012 * smooth(-0.015, 0.015, v - lower)
    lid *= 1 - 0.6 * smooth(-0.06, -0.09, v - upper)
    lid *= smooth(1.6, 0.7, np.abs(across))
    away = np.sqrt((side - a) ** 2 + (v - b) ** 2 + (w - c) ** 2)
    return np.asarray(0.8 * (away - radius - lid))


def _nearest(x: Floats, y: Floats, path: Floats) -> tuple[Floats, Floats]:
    """Which point of a path [K, 3] is nearest on the plate, and the square of how far it is."""
    left, top = path[:, :2].T.astype(np.float32)
    away = (x[..., None] - left) ** 2 + (y[..., None] - top) ** 2
    return np.argmin(away, -1), away.min(-1)


def laid(plate: Plate, depth: Floats, path: Floats, wide: Floats, strands: int = 0) -> None:
    """Lay a rounded strip of `strands` onto depths, along a path [K, 3], half its widths given."""
    from scipy.ndimage import gaussian_filter1d

    reach = wide.max() + plate.pixel
    box, part = plate.around(path[:, :2], reach)
    x, y = part.x, part.y
    if not x.size:
        return
    # Few points of the path tell which pixels are worth a closer look.
    spacing = 4 * np.hypot(*np.diff(path[:, :2], axis=0).T).max()
    near = _nearest(x, y, path[::4])[1] < (reach + spacing) ** 2
    x, y = x[near], y[near]
    at = _nearest(x, y, path)[0]
    form = gaussian_filter1d(np.column_stack([path, wide]), 2, axis=0, mode="nearest")
    first = np.gradient(form, axis=0)
    here, slope, bend = (each[at].T for each in (form, first, np.gradient(first, axis=0)))
    # A step of Newton's method from the nearest point to where the path is nearest.
    u, v = x - here[0], y - here[1]
    pace = slope[0] ** 2 + slope[1] ** 2 + 1e-12
    t = (u * slope[0] + v * slope[1]) / np.maximum(pace - u * bend[0] - v * bend[1], 0.3 * pace)
    t = np.clip(t, -0.7, 0.7)
    a, b, deep, radius = here + t * slope + 0.5 * t * t * bend
    far = np.hypot(x - a, y - b) / np.maximum(radius, 1e-6)
    # Grooves are the same on both sides of the path.
    grooved = 0.1 * np.cos(np.pi * strands * far) if strands else 0
    swell = np.sqrt(np.maximum(1 - far**2, 0)) + grooved * (1 - far**2)
    strip = np.where(far < 1, deep + 0.8 * radius * swell, FAR)
    depth[box][near] = np.maximum(depth[box][near], strip)
