"""A jazz trumpeter who leans back on a small stage, in one warm beam full of smoke."""

from __future__ import annotations

import numpy as np

from ._brass import hands, trumpet
from ._curves import directed, outlines_of, ribbon, spline, spread, turned
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth
from ._relief import inflated, tube
from ._spotlit import form, limbs

_HEAD, _TILT, _SIZE = np.array((-0.36, -0.42)), -0.36, 0.44
_HAT = (("crown", "felt", (0.12, 0.03)), ("band", "silk", (0.02,)), ("brim", "felt", (0.025,)))
_CLOTHES = (("shirt", "linen", (0.06,)), ("tie", "silk", (0.03,)), ("jacket", "coat", (0.42, 0.1)),
            ("lapel", "coat", (0.05,)), ("collar", "linen", (0.03,)))  # fmt: skip
_AROUND = directed(np.linspace(0, 2 * np.pi, 40))


def trumpeter(plate: Plate) -> Colours:
    """Draw it: the dark and the beam, the man, who listens, the trumpet between his hands."""
    picture = _crowd(plate, _body(plate, _head(plate, _stage(plate))))
    picture = plate.finished(hands(plate, trumpet(plate, picture)), 0.011, 0.3)
    return plate.faced(picture)


def _stage(plate: Plate) -> Colours:
    """Curtains in the dark and the beam, which smoke drifts through."""
    x, y, curtains = plate.x, plate.y, outlines_of("trumpeter")["curtains"]
    sway = 11 * x + 1.5 * plate.noise(x * 0.8, y * 0.2, 1, 3)
    folds = (np.cos(sway) + 0.5 * np.cos(2.3 * sway + 1)) * smooth(1.3, -0.9, y)
    at = 0.42 - 0.22 * y + 0.1 * folds + 0.05 * plate.noise(x * 2, y * 2, 2, 6) - 0.1 * np.abs(x)
    picture = ramp(at, *curtains[plate.seed % len(curtains)])
    along, across = plate.turned(np.array((1.25, -1.2)), -0.68, -1)
    reach = 0.08 + 0.26 * np.maximum(along, 0)
    smoke = plate.noise(x * 1.6 + 0.6 * plate.noise(x * 2, y * 2, 3, 4), y * 1.6, 4, 6)
    beam = (
        smooth(1.15, 0.5, np.abs(across) / reach)
        * np.exp(-((along / 1.7) ** 2))
        * (0.95 + 0.45 * smoke)
    )
    lamps = [(*place, size, 0.8) for *place, size in outlines_of("trumpeter")["lamps"]]
    rng = plate.rng(6)
    lamps += [(*rng.normal((0.5, -0.7), 0.4), rng.uniform(0.003, 0.006), 0.35) for _ in range(70)]
    halos = [(a, b, 5 * size, 0.3) for a, b, size, _ in lamps[:2]]
    warm = ramp(beam, (0.0, "#3a1d4a"), (0.3, "#8a4440"), (0.6, "#d98540"), (0.9, "#ffc872"), (1.2, "#fff0c4"))  # fmt: skip
    picture = over(picture, warm, np.clip(1.5 * beam, 0, 1))
    return screen(picture, plate.dots(lamps + halos)[..., None] * np.array((1.0, 0.62, 0.3)))


def _body(plate: Plate, picture: Colours) -> Colours:
    """The far arm, shirt, coat and the near arm."""
    parts = outlines_of("trumpeter")
    *points, widths = parts["far arm"]
    picture = limbs(plate, picture, [(points, widths)], "coat", 0.01)
    picture = over(picture, "#0a0b2c", 0.4 * tube(plate, points, widths)[1])
    for name, stuff, radii in _CLOTHES:
        mask = plate.filled([spline(parts[name], 8)])
        height = inflated(plate, mask, *radii)
        for fold in parts["folds"] if name == "jacket" else []:
            height = height + 0.7 * plate.blur(tube(plate, fold, (0.0, 0.07, 0.0))[0], 0.02)
        picture = over(picture, "#05061a", 0.6 * plate.blur(mask, 0.015))
        picture = form(plate, picture, height, mask, stuff)
    opening = plate.filled([ribbon(spline(parts["opening"], 8), 0.012)])
    picture = over(picture, "#05061a", 0.8 * plate.blur(opening, 0.004))
    for place in parts["buttons"]:
        picture = limbs(plate, picture, [(np.array([place, place]), (0.035, 0.035))], "felt", 0.002)
    *points, widths = parts["near arm"]
    return limbs(plate, picture, [(points, widths)], "coat", 0.012, parts["creases"])


def _crowd(plate: Plate, picture: Colours) -> Colours:
    """Who listens, in the dark before the stage."""
    parts = outlines_of("trumpeter")
    picture = over(picture, "#070822", 0.85 * smooth(0.6, 1.4, plate.y - 0.25 * plate.x))
    bust = [spline(parts[name], 8) for name in ("head", "shoulders")]
    bust.append((-0.04, -0.36) + 0.4 * _AROUND)
    for x, y, size in parts["guests"]:
        mask = plate.filled([turned(part * (-size, size), 0.15) + (x, y) for part in bust])
        picture = form(plate, picture, inflated(plate, mask, 0.03), mask, "crowd")
    return picture


def _placed(points: Floats) -> Floats:
    """Points about the middle of the upright head, where they are on the plate."""
    return np.asarray(turned(np.asarray(points, float), _TILT) * _SIZE + _HEAD)


def _head(plate: Plate, picture: Colours) -> Colours:
    """A profile with a full cheek, an ear, a closed eye; the hat."""
    parts = outlines_of("trumpeter")
    mask = plate.filled([_placed(spline(parts["head"], 8))])
    height = inflated(plate, mask, 0.12, 0.03)
    p, q = plate.turned(_HEAD, _TILT, _SIZE)
    for (across, down), wide, tall, high in parts["face"]:
        height = height + high * np.exp(-(((p - across) / wide) ** 2) - ((q - down) / tall) ** 2)
    picture = form(plate, picture, height, mask, "skin", 0.6 * smooth(0.1, -0.2, p))
    for name, colour, soft, strong, *widths in parts["lines"]:
        path = _placed(spline(parts[name], 8))
        line = plate.blur(plate.filled([ribbon(path, spread(widths, len(path)))]), soft)
        picture = over(picture, colour, strong * line * mask)
    for name, stuff, radii in _HAT:
        outline = _placed(spline(parts[name], 8))
        mask = plate.filled([outline])
        shadow = plate.filled([outline + (-0.015, 0.05)]) if name == "brim" else mask
        picture = over(picture, "#0a0616", 0.65 * plate.blur(shadow, 0.015))
        picture = form(plate, picture, inflated(plate, mask, *radii), mask, stuff)
    return picture
