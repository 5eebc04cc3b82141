"""A woman in a wide straw hat and sunglasses by the sea: soft at noon, in flat tones at dusk."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._curves import directed, outlines_of, ribbon, spline, spread
from ._face import LAMP, Pose, face, hair
from ._plate import Colours, Floats, Plate, hexed, over, ramp, smooth
from ._relief import inflated, lit

_POSE = Pose((0.0, -0.14), size=0.6, roll=0.12, yaw=-0.3, pitch=-0.04)
_SUN = (-0.86, 0.34)
_ANGLE = np.linspace(0, 2 * np.pi, 120)
_AROUND = directed(_ANGLE)
_DIP = 0.05 * np.cos(2 * _ANGLE + 0.5) - 0.1 * np.cos(_ANGLE)
_BRIM = (0.12, -0.6) + _AROUND * (1.62, 0.32) + np.outer(_DIP, (0, 1))


def sunhat(plate: Plate) -> Colours:
    """Draw it: the sea, the hat's far side, hair, neck and shirt, the face, glasses, the hat."""
    parts = outlines_of("sunhat")
    colours = parts["colours"][plate.seed // 2 % 2]

    def locks(picture: Colours, name: str) -> Colours:
        look = colours["hair"], 0.0, colours["fine"]
        return hair(plate, picture, _POSE, parts[name], *look)

    far = plate.filled([_POSE.placed(_BRIM + (0, 0.03))])
    picture = locks(over(_sea(plate, colours), colours["shade"], far), "back")
    picture = face(plate, _body(plate, picture, colours), _POSE, colours["skin"])
    picture = locks(_made_up(plate, picture, colours), "left")
    picture = locks(_glasses(plate, picture, colours), "right")
    hoop = [_POSE.placed((0.74, 0.78) + size * _AROUND) for size in (0.17, 0.115)]
    picture = over(picture, colours["hoop"], plate.filled(hoop, (1, 0)))
    return plate.faced(plate.finished(_hat(plate, picture, colours), colours["grain"]))


def _sea(plate: Plate, colours: dict[str, Any]) -> Colours:
    """Sky and sea, light on the waves, and a small boat before the horizon."""
    x, y, rng, waves = plate.x, plate.y, plate.rng(3), []
    away = np.hypot(x - _SUN[0], y - _SUN[1]) if colours["sun"] else y
    water = smooth(-0.003, 0.003, y - _SUN[1])
    picture = over(ramp(away, *colours["sky"]), ramp(y, *colours["sea"]), water)
    for level in np.linspace(0.44, 1.2, 9):
        for _ in range(4):
            wide = np.linspace(-1, 1, 16) * (level - 0.2) * rng.uniform(0.1, 0.3)
            path = np.stack([wide + rng.uniform(-1.1, 1.1), 0 * wide + level], 1)
            waves.append(ribbon(path, 0.03 * level * np.sin(np.linspace(0, np.pi, 16))))
    picture = over(picture, colours["glints"], plate.filled(waves))
    for name, points in outlines_of("sunhat")["boat"].items():
        picture = over(picture, colours[name], plate.filled(points))
    return picture


def _body(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """Neck and shoulders, the shadow of the chin, a shirt with stripes."""
    parts = outlines_of("sunhat")
    mask = plate.filled([spline(parts["body"], 8)])
    skin = ramp(lit(plate, inflated(plate, mask, 0.14, 0.04), LAMP), *colours["skin"])
    chin = plate.filled([_chin() + (0.07, 0.12)])
    picture = over(picture, over(skin, skin * hexed(colours["dim"]), plate.blur(chin, 0.004)), mask)
    line = spline(parts["neckline"], 8)
    cover = mask * plate.filled([np.concatenate([line, [(1.3, 1.4), (-1.3, 1.4)]])])
    light = lit(plate, inflated(plate, mask, 0.2), LAMP)
    picture = over(picture, ramp(light, *colours["shirt"]), cover)
    stripes = [ribbon(line + (0, down), 0.045) for down in (0.07, 0.16, 0.25, 0.34)]
    return over(picture, ramp(light, *colours["stripes"]), plate.filled(stripes) * cover)


def _chin() -> Floats:
    """The outline of the face."""
    return _POSE.placed(spline(outlines_of("gown")["outline"], 8))


def _made_up(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The shadow of the brim on the face; red lips, which shine."""
    parts = outlines_of("sunhat")
    edge = np.concatenate([spline(parts["shadow"], 8), [(0.8, -0.9), (-0.8, -0.9)]])
    shade = plate.blur(plate.filled([_POSE.placed(edge)]), 0.004) * plate.filled([_chin()])
    picture = over(picture, picture * hexed(colours["dim"]), shade)
    for name in ("upper", "lower"):
        lip = _POSE.seen(spline(outlines_of("gown")[name], 8))
        picture = over(picture, colours[name], plate.filled([lip]))
    shine = spline(parts["shine"], 8)
    shine = _POSE.seen(ribbon(shine, spread((0, 0.035, 0), len(shine))))
    return over(picture, colours["shine"], plate.filled([shine]))


def _glasses(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The frame and its shadow on the face; in the glass the sky, in bars."""
    parts = outlines_of("sunhat")

    def seen(points: Floats) -> Floats:
        return _POSE.seen(points, 0.86 - 0.4 * points[:, 0] ** 2)

    def both(name: str) -> list[Floats]:
        return [seen(spline(parts[name], 6) * (side, 1)) for side in (1, -1)]

    frame = [*both("frame"), seen(ribbon(spline(parts["bridge"], 6), 0.07))]
    shadow = plate.blur(plate.filled([each + (0.02, 0.035) for each in frame]), 0.004)
    picture = over(picture, picture * hexed(colours["dim"]), shadow * plate.filled([_chin()]))
    picture = over(picture, colours["frame"], plate.filled(frame))
    _, v = plate.turned(np.array(_POSE.middle), _POSE.roll, _POSE.size)
    glass = plate.filled(both("lens"))
    picture = over(picture, ramp(v, *colours["lens"]), glass)
    bars = plate.filled([seen(np.array(bar)) for bar in parts["bars"]])
    return over(picture, colours["bars"], bars * glass)


def _hat(plate: Plate, picture: Colours, colours: dict[str, Any]) -> Colours:
    """The near side of the brim, the crown and its ribbon; straw is laid in rings."""
    parts = outlines_of("sunhat")
    u, v = plate.turned(np.array(_POSE.middle), _POSE.roll, _POSE.size)
    mask = plate.filled([_POSE.placed(_BRIM)])
    light = 0.8 * lit(plate, inflated(plate, mask, 0.12), LAMP) - 0.1 * smooth(-0.8, 1.6, u)
    rings = np.cos(40 * np.hypot((u - 0.12) / 1.62, (v + 0.6) / 0.32))
    picture = over(picture, ramp(light + colours["weave"] * rings, *colours["straw"]), mask)
    base = spline(parts["base"], 8)
    outline = _POSE.placed(np.concatenate([spline(parts["crown"], 8), base]))
    shadow = plate.blur(plate.filled([outline + (0.05, 0.03)]), colours["soft"])
    picture = over(picture, picture * hexed(colours["dim"]), shadow * mask)
    crown = plate.filled([outline])
    light = 0.85 * lit(plate, inflated(plate, crown, 0.3, 0.08), LAMP)
    rings = np.cos(60 * (v - 0.12 * (u - 0.05) ** 2))
    picture = over(picture, ramp(light + colours["weave"] * rings, *colours["straw"]), crown)
    band = _POSE.placed(np.concatenate([base - (0, 0.3), (base + (0, 0.05))[::-1]]))
    return over(picture, ramp(light, *colours["ribbon"]), plate.filled([band]) * crown)
