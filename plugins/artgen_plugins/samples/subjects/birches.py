"""Birches in snow before a low sun, and a fox in the light between them."""

from __future__ import annotations

import numpy as np

from ._curves import outlines_of, ribbon, spline
from ._plate import Colours, Floats, Plate, over, ramp, screen, smooth
from ._terrain import Terrain

_SUN = np.array([-0.16, -0.14])
_HORIZON, _EYE, _FOCAL = 0.06, 1.6, 1.6
_STANDS = (
    (-1.1, 3.2, 0.4), (1.1, 3.7, 0.4), (-0.64, 4.9, 0.4), (0.74, 5.9, 0.36), (-1.3, 7.5, 0.36),
    (1.3, 8, 0.36), (-0.42, 9.5, 0.4), (0.46, 10.5, 0.36), (-0.95, 11, 0.36), (1.0, 12, 0.34),
    (0.08, 15, 0.4), (-0.31, 20, 0.4), (0.26, 21, 0.4), (-0.78, 17, 0.34), (0.62, 18, 0.36),
    (1.2, 18, 0.36), (-1.2, 19, 0.36),
)  # fmt: skip
"""Of each tree: x on the plate of its foot, how far and how thick it is, in metres."""
_FOX = (0.28, 5.2)
_FUR = {
    "far": "#6a2f24", "tail": "#c9562a", "tip": "#fdf1e0", "body": "#d8632c", "near": "#d8632c",
    "socks": "#2b2029", "white": "#fbeede", "light": "#ffc078", "black": "#211820",
}  # fmt: skip
_AIR = (0.1, "#ffe09a"), (0.26, "#f8c07c"), (0.5, "#d6a088"), (0.85, "#7d8ea6"), (1.4, "#2b5078")
"""Its colour by the distance from the sun."""
_BARK = (
    (-1, "#5f88b2"), (-0.75, "#a3c0d8"), (-0.45, "#e6edf0"), (0.2, "#fbf8f0"), (0.75, "#fff5e0"),
    (1, "#ffdf9f"),
)  # fmt: skip
"""Its colour from the shaded side of a stem to that of the sun."""
_Tree = tuple[float, float, float]


def birches(plate: Plate) -> Colours:
    """Draw it: sky, a wood in mist, snow with long shadows, trees from far to near, the fox."""
    x, y = plate.x, plate.y
    away = np.hypot(0.85 * (x - _SUN[0]), np.minimum(y, _HORIZON) - _SUN[1])
    air = ramp(away, *_AIR)
    picture = over(air, "#fffbe6", smooth(0.135, 0.128, np.hypot(x - _SUN[0], y - _SUN[1])))
    rng = plate.rng(1)
    for far, count in ((80, 80), (52, 44), (34, 26)):
        wood = over(air, "#1f3f63", np.full_like(x, 0.9 * np.exp(-far / 65)))
        picture = over(picture, wood, _wood(plate, rng, far, count))
        low = np.abs(y - _HORIZON) / 0.2 + 0.3 * plate.noise(x * 1.5, y * 6, 2, 3)
        picture = over(picture, air, 0.6 * smooth(1.0, 0.0, low))
    trees = [(at + rng.uniform(-0.05, 0.05), far * rng.uniform(0.93, 1.07), thick)
             for at, far, thick in _STANDS]  # fmt: skip
    picture = _snow(plate, picture, trees)
    for number, tree in sorted(enumerate(trees), key=lambda each: -each[1][1]):
        picture = _birch(plate, picture, air, tree, number)
    place = np.array([_FOX[0], _foot(plate, *_FOX)])
    for part, outlines in outlines_of("birches").items():
        closed = [spline([*points, points[0]], 6) * 0.32 + place for points in outlines]
        picture = over(picture, _FUR[part], plate.filled(closed))
    halo = 0.32 * np.exp(-((away / 0.2) ** 2)) + 0.16 * np.exp(-((away / 0.5) ** 2))
    glow = halo[..., None] * np.array([1.0, 0.75, 0.45])
    return plate.finished(screen(picture, glow), 0.008, 0.35)


def _height(plate: Plate, right: Floats, ahead: Floats) -> Floats:
    """Of drifts of snow, in metres."""
    return np.asarray(0.2 * plate.noise(right * 0.22, ahead * 0.3, 11, 2, 0.35))


def _foot(plate: Plate, at: float, far: float) -> float:
    """y on the plate where something stands in the snow."""
    height = _height(plate, np.array([at * far / _FOCAL]), np.array([far]))
    return _HORIZON + (_EYE - float(height[0])) / far * _FOCAL


def _wood(plate: Plate, rng: np.random.Generator, far: float, count: int) -> Floats:
    """Coverage of distant trees: stems with steep boughs."""
    parts = []
    for at in rng.uniform(-plate.right - 0.1, plate.right + 0.1, count):
        wide, tall = rng.uniform(0.35, 0.64) / far, rng.uniform(0.7, 1.3) * (14 / far + 0.6)
        foot, lean = np.array([at, _HORIZON + 0.05]), rng.uniform(-0.05, 0.05)
        path = spline([foot, foot + (0.2 * lean, -0.5 * tall), foot + (lean, -tall)], 6)
        parts.append(ribbon(path, np.linspace(wide, 0.1 * wide, len(path))))
        parts += [_bough(start, rng.choice([-0.3, 0.3]), rng.uniform(0.1, 0.26) * tall, wide / 2)
                  for start in path[4:-1]]  # fmt: skip
    return plate.filled(parts)


def _bough(start: Floats, aside: float, long: float, wide: float) -> Floats:
    """A bough that turns upwards and gets thinner."""
    path = spline(
        [start, start + (0.5 * aside * long, -0.35 * long), start + (aside * long, -long)]
    )
    return ribbon(path, np.linspace(wide, 0.2 * wide, len(path)))


def _snow(plate: Plate, picture: Colours, trees: list[_Tree]) -> Colours:
    """The ground: warm where the sun grazes the drifts, blue in shadows that lead to the sun."""
    snow = Terrain.seen(plate, lambda u, v: _height(plate, u, v), near=2.2, far=200, eye=_EYE,
                        horizon=_HORIZON, focal=_FOCAL)  # fmt: skip
    aside = np.abs(snow.right / snow.ahead * _FOCAL - _SUN[0])
    crust = plate.noise(snow.right * 6, snow.ahead * 6, 12, 2) * np.exp(-snow.ahead / 6)
    light = snow.lit(_SUN[0] / _FOCAL, 0.16, 1) + 0.02 * crust + 0.12 * smooth(0.9, 0.0, aside)
    colour = ramp(light, (-0.02, "#6796c4"), (0.12, "#a9c8df"), (0.22, "#e4e4de"),
                  (0.32, "#fff0d2"), (0.5, "#fff7e2"))  # fmt: skip
    shade = np.zeros_like(light)
    for at, far, thick in [*trees, (_FOX[0] + 0.02, _FOX[1], 0.66)]:
        behind = np.maximum(far - snow.ahead, 0)
        across = np.abs(snow.right - at * far / _FOCAL + behind * _SUN[0] / _FOCAL)
        edge = smooth(1, -1, (across - thick / 2) / (0.03 + 0.008 * behind))
        shade = np.maximum(shade, edge * (behind > 0) * np.exp(-behind / 14))
    colour = over(colour, "#3f76ad", 0.85 * shade)
    mist = ramp(np.hypot(0.85 * aside, _HORIZON - _SUN[1]), *_AIR)
    return snow.over(picture, over(colour, mist, 1 - np.exp(-snow.ahead / 40)))


def _birch(plate: Plate, picture: Colours, air: Colours, tree: _Tree, number: int) -> Colours:
    """One tree: boughs, the white stem, warm on the sun's side, the dark marks of its bark."""
    at, far, thick = tree
    rng, foot, half = plate.rng(50 + number), _foot(plate, at, far), thick / far * _FOCAL / 2
    lean, bend, high = rng.uniform(-0.06, 0.06), rng.uniform(-0.03, 0.03), foot + 1.15
    mist = np.full_like(plate.x, 1 - np.exp(-far / 45))

    def stem(share: Floats) -> Floats:
        """Its middle at shares of the height that is seen, [..., 2]."""
        middle = at + lean * share + bend * np.sin(3 * share + number)
        return np.stack(np.broadcast_arrays(middle, foot - high * share), -1)

    boughs = []
    for low in stem(rng.uniform(0.4, 0.95, 6 if far > 5 else 3)):
        aside, long = rng.choice([-0.5, 0.5]), rng.uniform(2.4, 4.8) / far
        boughs += [_bough(low, aside, long, 0.32 * half), _bough(low, aside / 3, long, 0.2 * half)]
    picture = over(picture, over(air, "#33425e", 1 - mist), plate.filled(boughs))
    near = plate.box(at - 0.12 - 1.2 * half, -9, at + 0.12 + 1.2 * half, 9)
    part = plate.window(near)
    share = np.maximum((foot - part.y) / high, -0.05)
    wide = half * (1 - 0.3 * share + 0.05 * np.exp(-share * high / half))
    across = ((part.x - stem(share)[..., 0]) / wide).clip(-2, 2)
    heap = half * (
        0.14 * np.sqrt(np.maximum(1 - across**2, 0)) + 0.08 * np.sin(4 * across + number)
    )
    cover = smooth(1 + plate.pixel / half, 1 - plate.pixel / half, np.abs(across))
    cover = cover * smooth(plate.pixel, -plate.pixel, part.y - foot + heap)
    bark = ramp(np.sign(_SUN[0] - at) * across, *_BARK)
    marks, t = [], np.linspace(0, 1, 9)
    for low, kind in zip(stem(rng.random(84)), rng.random(84), strict=True):
        place, long, thin = rng.uniform(-1.1, 1.1), rng.uniform(0.15, 0.75), rng.uniform(0.05, 0.18)
        if kind < 0.1:  # where a bough was
            place, long, thin = 0.4 * place, 0.85, 0.12
        u = place + long * (t - 0.5)
        sag = 0.16 * (1 - u.clip(-1, 1) ** 2) + (kind < 0.1) * 0.5 * np.abs(t - 0.5)
        marks.append(ribbon(low + half * np.stack([u, sag], 1), half * thin * np.sin(np.pi * t)))
    bark = over(bark, "#202634", 0.9 * part.filled(marks))
    worn = share + 0.02 * plate.noise(part.x * 30, part.y * 30, 60 + number, 2)
    bark = over(bark, "#5f88b0", 0.5 * smooth(0.1, 0.0, worn))
    picture[near] = over(picture[near], over(bark, air[near], mist[near]), cover)
    return picture
