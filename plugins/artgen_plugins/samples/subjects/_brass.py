"""A trumpet, and the hands that hold it."""

from __future__ import annotations

import numpy as np

from ._curves import directed, outlines_of, spline, turned
from ._plate import Colours, Floats, Plate, over, ramp, screen
from ._spotlit import form, limbs

_LIPS, _WAY = np.array((-0.165, -0.42)), -0.5
_HANDS = (("far cuff", "linen", 0.008), ("far palm", "skin", 0.01), ("far fingers", "skin", 0.003),
          ("cuff", "linen", 0.008), ("palm", "skin", 0.008))  # fmt: skip
_AROUND = directed(np.linspace(0, 2 * np.pi, 60))


def _along(points: Floats) -> Floats:
    """Points along the trumpet from the lips, and below its pipe, where they are on the plate."""
    return np.asarray(turned(np.asarray(points, float), _WAY) + _LIPS)


def trumpet(plate: Plate, picture: Colours) -> Colours:
    """The far palm, pipes, valves and the bell."""
    parts = outlines_of("trumpeter")
    palm = [(_along(points), widths) for *points, widths in parts["far palm"]]
    picture = limbs(plate, picture, palm, "skin", 0.01)
    for *points, widths in parts["pipes"]:
        picture = limbs(plate, picture, [(_along(points), widths)], "brass", 0.0005)
    a, b = plate.turned(_LIPS, _WAY)
    b = b + 0.03
    radius = np.interp(a, *spline(parts["bell"], 8).T)
    mask = np.clip((radius - np.abs(b)) / plate.pixel + 0.5, 0, 1) * ((a > 0.6) & (a < 1.09))
    picture = form(plate, picture, np.sqrt(np.maximum(radius**2 - b**2, 0)), mask, "brass")
    for share, colour in ((1.0, "#ffedac"), (0.93, "")):
        inner = ramp(a - 1.06 + 0.35 * b, (-0.07, "#4a1d14"), (0.0, "#a85a1c"), (0.06, "#ffcf62"))
        mouth = _along(share * _AROUND * (0.055, 0.21) + (1.085, -0.03))
        picture = over(picture, colour or inner, plate.filled([mouth]))
    gleams = [(*_along(np.array(place)[None])[0], 0.014, 1.0) for place in parts["gleams"]]
    return screen(picture, plate.dots(gleams)[..., None] * np.array((1, 0.9, 0.65)))


def hands(plate: Plate, picture: Colours) -> Colours:
    """Fingertips of the far hand around the valves; cuff, palm and fingers of the near one."""
    for name, stuff, soft in _HANDS:
        ways = [(_along(points), widths) for *points, widths in outlines_of("trumpeter")[name]]
        for group in [[way] for way in ways] if name == "far fingers" else [ways]:
            picture = limbs(plate, picture, group, stuff, soft)
    return picture
