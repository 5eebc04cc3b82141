"""Tilings by copies of one outline, as Escher drew them, fitted to a dark figure.

A tile is a hexagon of curves whose opposite sides are the same (type IH1 of Grünbaum and Shephard
1977, the sides T T T T T T): half of its outline is free, the other half are moved copies, and the
tiles are moved by whole vectors. So the outline is linear in the free points, and those nearest to
a figure are found in closed form, for each place on it where the sides may begin (Koizumi and
Sugihara 2011). Gradient descent then lowers the error of what the tile covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

import artgen
from artgen import Param, Preset, Primitive, family, option
from artgen.engines import Problem, State
from artgen.errors import UsageError
from artgen.init import Context
from artgen.targets import parse_colour

Floats: TypeAlias = NDArray[np.float64]

FINER = 4
"""Tiles are drawn so many times larger along each side, and averaged."""
SPLITS = (0.6, 0.8, 1.0, 1.25, 1.6)
"""Lengths of the first two sides that are tried, relative to the third."""
TRIED = 200
"""The nearest outlines, of which the one is taken that is nearest where it crosses nowhere."""
CALM = 0.02
"""The weight of bends."""
APART, KEPT = 0.03, 0.3
"""Points of the outline keep this distance, in canvas units, with this weight."""
ROWS = 4096
"""Pixels whose distances from the outline are found at a time."""
SMOOTH = 48
"""Points of a dot, and of either side of a line."""
MOST = 1e6
"""A quarter of the places where tiles are looked for."""
FAR = 100.0
"""In canvas units: no mark of a tile is as far from it."""


class Tiling(Primitive):
    """Tiles that fit together, each a copy of one outline: N points of half of it are free."""

    @dataclass(frozen=True)
    class Options:
        """Options of `tiling`."""

        colours: str = option("#26413c,#e9dcc3,#c8673b", "three colours that take turns")
        across: float = option(5.0, "tiles along the shorter side", low=0.5, high=100)
        marks: str = option("", "eyes and lines in each tile: +1 x,y,radius x,y,radius; +2 ...")

    family = "tiling"
    least_count: ClassVar[int] = 4
    defaults = Preset(count=25, stage={"steps": 200})

    def take_options(self) -> None:
        """Read the colours and the marks. Raises UsageError where they are not three, or wrong."""
        self.colours = [parse_colour(each.strip()) for each in self.options.colours.split(",")]
        if len(self.colours) != 3:
            raise UsageError("a tiling has three colours", hint="colours=#26413c,#e9dcc3,#c8673b")
        self.marks = parse_marks(self.options.marks)

    def declared_params(self) -> dict[str, Param]:
        """Return the free points, in canvas units of the figure, and the lengths of the sides."""
        return {"xy": Param(2, init=self._start, lr=0.004), "side": Param(init=0.0, lr=0.0)}

    def _start(self, context: Context, shape: tuple[int, ...]) -> Tensor:
        """Return the free points nearest to the figure; `side` says where sides begin."""
        ring = None if context.target is None else _figure(context.target, context.canvas.reach)
        if ring is None:  # a hexagon
            turn = np.linspace(0, np.pi, shape[1])
            ring = 0.6 * np.stack(
                [np.cos(np.r_[turn, turn + np.pi]), np.sin(np.r_[turn, turn + np.pi])], 1
            )
        points, sides = nearest(ring, shape[1])
        marks = torch.zeros(shape[1])
        marks[list(sides)] = 1.0
        context.values["side"] = marks
        return torch.from_numpy(points.T).float()


def parse_marks(text: str) -> list[tuple[int, Floats]]:
    """By how many colours each mark is on from its tile, and its outline [n, 2].

    One point ``x,y,radius`` is a dot, more are a smooth line. They are in canvas units of the
    figure. Raises UsageError.
    """
    found = []
    for each in filter(None, (part.strip() for part in text.split(";"))):
        turns, *points = each.split()
        try:
            line = np.array([[float(n) for n in point.split(",")] for point in points])
        except ValueError:
            line = np.zeros(0)
        known = line.ndim == 2 and line.shape[1] == 3 and bool((abs(line) < FAR).all())
        if turns not in ("+1", "+2") or not known:
            raise UsageError(
                f"{each[:40]!r} is no mark of a tile",
                hint="write marks='+1 0.4,-0.1,0.08; +2 0.4,-0.1,0.04': colours on, and points",
            )
        found.append((int(turns), _dot(*line[0]) if len(line) == 1 else _stroke(line)))
    return found


def _dot(x: float, y: float, radius: float) -> Floats:
    turn = np.linspace(0, 2 * np.pi, SMOOTH, endpoint=False)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def _stroke(line: Floats) -> Floats:
    """The outline of a smooth line through points (x, y, half its width there)."""
    from scipy.interpolate import CubicSpline

    fine = CubicSpline(np.arange(len(line)), line)(np.linspace(0, len(line) - 1, SMOOTH))
    middle, half = fine[:, :2], fine[:, 2:].clip(0)
    way = np.gradient(middle, axis=0)
    beside = half * np.stack([-way[:, 1], way[:, 0]], 1) / np.hypot(*way.T).clip(1e-9)[:, None]
    return np.concatenate([middle + beside, (middle - beside)[::-1]])


def corners(side: Tensor) -> tuple[int, int]:
    """The points at which the second and the third side begin: the two largest marks inside."""
    inner = torch.argsort(side[1:-1], descending=True, stable=True)[:2] + 1
    first, second = sorted(inner.tolist()) if len(inner) == 2 else (0, 0)
    return first, second


def outline(points: Tensor, sides: tuple[int, int]) -> Tensor:
    """The whole outline [2 (N - 1), 2] of free `points` [N, 2]; sides begin at 0 and `sides`."""
    i, j = sides
    first, second, third = points[: i + 1], points[i : j + 1], points[j:]
    along, back = vectors(points, sides)
    moved = first.flip(0) + along, second.flip(0) + along + back, third.flip(0) + back
    return torch.cat([points, *(each[1:] for each in moved)])[:-1]


def vectors(points: Tensor, sides: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """By what a tile is moved onto its neighbours at the first and the third side, [2] each."""
    return points[-1] - points[sides[0]], points[0] - points[sides[1]]


def nearest(ring: Floats, count: int) -> tuple[Floats, tuple[int, int]]:
    """The free points [count, 2] of the outline nearest to a `ring` [n, 2], and its sides."""
    number, found = 2 * (count - 1), list[tuple[float, Floats, Floats, tuple[int, int]]]()
    if count < 4:  # no sides
        return _evenly(ring, count), (0, 0)
    goal = _evenly(ring, number)
    for one, two in product(SPLITS, SPLITS):
        i = max(1, round((count - 1) * one / (one + two + 1)))
        j = min(count - 2, max(i + 1, round((count - 1) * (one + two) / (one + two + 1))))
        if not 0 < i < j < count - 1:
            continue
        eye = torch.eye(count, dtype=torch.float64)
        basis = outline(eye, (i, j)).numpy()
        solve = np.linalg.pinv(basis)
        for start in range(number):
            wanted = np.roll(goal, -start, axis=0)
            points = solve @ wanted
            error = float(np.square(basis @ points - wanted).sum())
            found.append((error, points, wanted, (i, j)))
        # Those of all lengths of sides together would be gigabytes for a thousand points.
        found = sorted(found, key=lambda each: round(each[0], 9))[:TRIED]
    best, chosen = np.inf, (found[0][1], found[0][3])
    for _, points, wanted, sides in found:
        eased = calmer(points, sides)
        if eased is not None:
            error = np.square(outline(torch.from_numpy(eased), sides).numpy() - wanted).sum()
            if error < best:
                best, chosen = float(error), (eased, sides)
    return chosen


def calmer(points: Floats, sides: tuple[int, int]) -> Floats | None:
    """The points with sides as much straighter as keeps the outline from crossing itself.

    None where even a hexagon of straight sides does.
    """
    straight = straightened(points, [0, *sides, len(points) - 1])
    for share in np.linspace(0, 1, 11):
        eased: Floats = points + share * (straight - points)
        if is_simple(outline(torch.from_numpy(eased), sides).numpy()):
            return eased
    return None


def straightened(line: Floats, marks: list[int]) -> Floats:
    """A line [n, 2] whose points go straight from one of those at `marks` to the next, evenly."""
    at = np.arange(len(line))
    return np.stack([np.interp(at, marks, line[marks, k]) for k in (0, 1)], 1)


def is_simple(ring: Floats) -> bool:
    """Whether a closed line [n, 2] does not cross itself."""
    way = np.roll(ring, -1, axis=0) - ring
    away = ring[None] - ring[:, None]
    area = way[:, None, 0] * way[None, :, 1] - way[:, None, 1] * way[None, :, 0]
    area = np.where(np.abs(area) < 1e-12, np.inf, area)
    one = (away[..., 0] * way[None, :, 1] - away[..., 1] * way[None, :, 0]) / area
    other = (away[..., 0] * way[:, None, 1] - away[..., 1] * way[:, None, 0]) / area
    crossed = (one > 0) & (one < 1) & (other > 0) & (other < 1)
    gap = np.abs(np.subtract.outer(np.arange(len(ring)), np.arange(len(ring))))
    return not bool((crossed & (gap > 1) & (gap < len(ring) - 1)).any())


def _figure(target: Tensor, reach: tuple[float, float]) -> Floats | None:
    """The outline of the largest dark figure in a picture, in canvas units; None without one."""
    from skimage.filters import threshold_otsu
    from skimage.measure import find_contours

    gray = np.pad(target.mean(0).double().numpy(), 1, constant_values=1.0)
    if gray[1:-1, 1:-1].max() - gray[1:-1, 1:-1].min() < 1e-3:
        return None
    level = threshold_otsu(gray[1:-1, 1:-1])  # type: ignore[no-untyped-call]
    rings = find_contours(gray, level)  # type: ignore[no-untyped-call]
    largest = max(rings, key=lambda ring: abs(_area(ring)), default=None)
    if largest is None:
        return None
    height, width = target.shape[1:]
    x = ((largest[:, 1] - 0.5) / width * 2 - 1) * reach[0]
    y = ((largest[:, 0] - 0.5) / height * 2 - 1) * reach[1]
    return np.stack([x, y], 1)


def _area(ring: Floats) -> float:
    x, y = ring.T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def _evenly(ring: Floats, number: int) -> Floats:
    """Points [number, 2] at equal distances along a closed line."""
    closed = np.concatenate([ring, ring[:1]])
    length = np.r_[0, np.hypot(*np.diff(closed, axis=0).T).cumsum()]
    at = np.arange(number) / number * length[-1]
    return np.stack([np.interp(at, length, closed[:, k]) for k in (0, 1)], 1)


def coverage(ring: Tensor, places: Tensor, soft: float) -> Tensor:
    """How far `places` [M, 2] are inside a ring [n, 2], 0 to 1 over a width `soft`."""
    ahead = ring.roll(-1, 0)
    way = ahead - ring
    away = places[:, None] - ring
    share = (away * way).sum(2) / way.square().sum(1).clamp_min(1e-12)
    gap = away - share.clamp(0, 1)[..., None] * way
    distance = gap.square().sum(2).min(1).values.clamp_min(1e-12).sqrt()
    below, above = ring[:, 1] <= places[:, 1:], ahead[:, 1] <= places[:, 1:]
    side = way[:, 0] * away[..., 1] - way[:, 1] * away[..., 0]
    winding = (below & ~above & (side > 0)).sum(1) - (~below & above & (side < 0)).sum(1)
    return torch.sigmoid(torch.where(winding != 0, distance, -distance) * 4 / soft)


class TilingObjective(family.Objective):
    """The error of what one tile covers, as a dark figure on a bright ground."""

    def __init__(self, problem: Problem, options: Any) -> None:
        """Begin with the outline of the drawing. Raises UsageError."""
        super().__init__(problem, options)
        self.good = self.initial()["xy"].detach().clone()

    def state_dict(self) -> State:
        """The state of the base class, and the last outline that crosses nowhere."""
        return {**super().state_dict(), "good": self.good}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        # Runs that an earlier artgen began did not keep it.
        self.good = state.get("good", self.good).to(self.good)

    def loss(self, tensors: Mapping[str, Tensor], step: int) -> Tensor:
        """Return the loss of the figure, and a penalty where the outline comes near itself."""
        ring = outline(tensors["xy"].T, corners(tensors["side"]))
        apart = torch.cdist(ring, ring)
        at = torch.arange(len(ring), device=ring.device)
        gap = (at[:, None] - at).abs()
        far = (gap > 1) & (gap < len(ring) - 1)
        near = torch.where(far, (APART - apart).clamp_min(0), 0.0).square().sum()
        bends = (ring - (ring.roll(1, 0) + ring.roll(-1, 0)) / 2).square().sum()
        fit = self.problem.loss(self.picture(tensors), self.target, self.weight)
        return fit + KEPT * near + CALM * bends

    def after_step(self, raw: dict[str, Tensor]) -> None:
        """Take a step back that makes the outline cross itself."""
        points, sides = raw["xy"].detach().T, corners(raw["side"])
        if is_simple(outline(points, sides).cpu().double().numpy()):
            self.good = raw["xy"].detach().clone()
        else:
            raw["xy"].data.copy_(self.good)

    def picture(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """The tile alone, in the darkest tone of the target on its brightest, [3, h, w]."""
        ring = outline(tensors["xy"].T, corners(tensors["side"]))
        x, y = (torch.from_numpy(each).to(ring) for each in self.canvas.pixel_centres())
        places = torch.stack(torch.meshgrid(x, y, indexing="xy"), 2).reshape(-1, 2)
        pieces = torch.split(places, ROWS)
        inside = [coverage(ring, some, 2 * self.canvas.pixel) for some in pieces]
        shown = torch.cat(inside).reshape(1, len(y), len(x))
        # Torch has quantiles of at most so many numbers.
        tones = self.target.flatten()[:: 1 + (self.target.numel() - 1) // 2**24]
        dark, bright = (tones.quantile(q) for q in (0.02, 0.98))
        return (bright + shown * (dark - bright)).expand(3, -1, -1)


@family.objective_of.register(Tiling)
def _objective(tiling: Tiling) -> type[TilingObjective]:
    return TilingObjective


@dataclass(frozen=True)
class Tile:
    """One tile on the canvas: its outline [n, 2] around 0, where its six sides begin in it, by
    what it is moved onto its neighbours, [2, 2], and its marks, as `parse_marks` gives them."""

    ring: Floats
    corners: list[int]
    lattice: Floats
    marks: list[tuple[int, Floats]]

    def on(self, reach: tuple[float, float], by: Any = 0.0) -> tuple[Floats, NDArray[np.int64]]:
        """Where the tiles on a canvas of that reach are, [M, 2], moved `by`, and their colours."""
        far = np.abs(self.ring).max(0) + reach
        most = np.ceil(np.abs(np.linalg.inv(self.lattice)).T @ (far + np.abs(by))) + 1
        # A sliver of a tile would ask for billions.
        i, j = (most if most.prod() < MOST else most.clip(0, 400)).astype(int)
        steps = np.mgrid[-i : i + 1, -j : j + 1].reshape(2, -1).T
        places = steps[:, :1] * self.lattice[0] + steps[:, 1:] * self.lattice[1] + by
        seen = (np.abs(places) < far).all(1)
        return places[seen], steps[seen].sum(1) % 3

    def marked(
        self, places: Floats, colours: NDArray[np.int64], sizes: Floats | None = None
    ) -> list[tuple[Floats, int]]:
        """The outlines of all marks of the tiles at `places` [M, 2], and their colours.

        `sizes` [M], 0 to 1, say how large those of a tile are.
        """
        sizes = np.ones(len(places)) if sizes is None else sizes
        found = []
        for place, colour, size in zip(places, colours, sizes, strict=True):
            for turns, ring in self.marks if size > 0 else ():
                middle = ring.mean(0)
                shown = place + middle + size * (ring - middle)
                found.append((shown, (int(colour) + turns) % 3))
        return found


def tile_of(tiling: Tiling, tensors: Mapping[str, Tensor]) -> Tile | None:
    """The tile of a drawing, None without an area."""
    if tensors["side"].shape[0] < tiling.least_count:
        return None
    points, sides = tensors["xy"].detach().cpu().double().T, corners(tensors["side"])
    ring = outline(points, sides).numpy()
    middle = (ring.min(0) + ring.max(0)) / 2
    lattice = np.stack([each.numpy() for each in vectors(points, sides)])
    area = abs(float(np.linalg.det(lattice)))
    if not 1e-6 < area < 1e6:
        return None
    scale, half = 2 / (tiling.options.across * np.sqrt(area)), len(points) - 1
    begin = [0, *sides, half, half + sides[0], half + sides[1]]
    marks = [(turns, scale * (each - middle)) for turns, each in tiling.marks]
    return Tile(scale * (ring - middle), begin, scale * lattice, marks)


def draw_tiles(shown: Iterable[tuple[Floats, int]], colours: Sequence[Any], canvas: Any) -> Tensor:
    """Draw outlines [n, 2], each in one of the colours by its number: [3, height, width]."""
    size = np.array([canvas.width, canvas.height])
    picture = Image.new("P", tuple((FINER * size).tolist()))
    draw = ImageDraw.Draw(picture)
    for ring, colour in shown:
        pixels = (ring / canvas.pixel + size / 2) * FINER - 0.5
        draw.polygon([(x, y) for x, y in pixels.tolist()], fill=int(colour))
    table = np.array(colours, np.float32)
    fine = torch.from_numpy(table[np.asarray(picture)]).permute(2, 0, 1)
    return torch.nn.functional.avg_pool2d(fine[None], FINER)[0]


def tiles(
    tiling: Tiling, tensors: Mapping[str, Tensor], reach: tuple[float, float]
) -> list[tuple[Floats, int]]:
    """The outlines of all tiles on a canvas of that reach, then of their marks, [n, 2] each, and
    their colours."""
    tile = tile_of(tiling, tensors)
    if tile is None:
        return []
    places, colours = tile.on(reach)
    shown = [(tile.ring + place, int(c)) for place, c in zip(places, colours, strict=True)]
    return [*shown, *tile.marked(places, colours)]


@family.paint.register(Tiling)
def paint_tiling(tiling: Tiling, tensors: Mapping[str, Tensor], canvas: Any, **_: Any) -> Tensor:
    """Draw the tiles, [3, height, width]; only `TilingObjective.picture` has gradients."""
    shown = draw_tiles(tiles(tiling, tensors, canvas.reach), tiling.colours, canvas)
    return shown + 0 * tensors["xy"].sum().cpu()


@family.building_order.register(Tiling)
def _building_order(tiling: Tiling, drawing: artgen.Drawing) -> torch.Tensor:
    raise UsageError(
        "a tiling has no parts that could appear: its points are those of one outline",
        hint="a video needs a film: artgen fit --history 40, without --start parts",
    )


@family.flat_parts.register(Tiling)
def _parts(tiling: Tiling, drawing: artgen.Drawing) -> Sequence[family.FlatPart]:
    return [
        family.Polygon(ring, colour=tiling.colours[colour], kind="tile", touching=True)
        for ring, colour in tiles(tiling, drawing.tensors, drawing.canvas.reach)
    ]
