"""Things to make, beside what people use for them, on the same pictures, as seen from a distance.

*String art*: a greedy thread, which from each nail takes the chord that lowers the squared error
most, as programs for string art do. It has our nails and thread; of three pictures that it may wind
(our tones, the gray, the linear gray), three widths that it may take for the thread's and two
lengths, the one counts that is nearest in Lab, seen through a blur. Ours is the thread of
`artgen make string` on a board of 400 mm without what raises the contrast of a photo and fades it.
*Its tones* have the picture that the greedy thread winds and as many lines, solved for the cover
and not for the lightness that is seen.

*Cross-stitch*: the palette is that of k-means in sRGB (the best of five starts by k-means++), each
mean becomes the nearest floss, and each stitch the nearest of these, in sRGB; or all of it in Lab,
nearest by CIEDE2000.

*Mosaics of bricks*: each stud becomes the nearest brick, in sRGB, of all that are sold, or of the
most used of these; each is a plate of 1x1. Ours are merged to larger plates.

*Quilts and glass*: a grid of squares, and a Voronoi diagram of random sites that Lloyd's relaxation
spreads, of about as many pieces as ours. All get the means of their places, in as many colours,
which are chosen as ours; seams and leads are left out. So where the pieces lie is compared.

*Stipples*: weighted Voronoi stippling (Secord, 2002) of as many dots in as many rounds as ours, as
StippleGen draws it: weighed by the darkness, or by its square, which makes dots as dense as the
picture is dark; all as large as each other, or larger where it is darker. Of these, of gray and
linear gray, and of six sizes the nearest counts. *Encoded tones* are our dots with `optical=false`:
what is encoded is paler in dots on paper.

*Filament paintings*: filaments from dark to light, where each point has the height whose lightness
is nearest, with the best shares of layers of all in steps of two; *without slopes* has our stack,
but takes for each point the nearest colour alone.

Errors are FLIP, and the mean CIEDE2000 after a blur of 0.6 mm at arm's length: 600 mm, 67 pixels in
a degree. Stitches are 1.8 mm. String art, 400 mm wide, and stipples, 148 mm wide, are seen from
1,200 mm. Studs are 8 mm, seen from 2,400 mm; quilts are 600 mm wide, from 2,250 mm, and glass 400
mm, from 1,500 mm: there the blur has the same angle. A print is 100 mm wide, with points 0.4 mm
apart and the colours of the slopes between them. Seconds are those of the processor, of one run;
what others tried besides is not counted. *Times better* is CIEDE2000 of what people use, in the
last column of each, divided by ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import kmeans2
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage import color, data

from artgen import Canvas, ink
from artgen.families.ink.paint import coverage
from artgen.losses.metrics import by_loss
from artgen.making import Motif, parse_colour
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.bricks import Bricks
from artgen_makers.filament import Block, FilamentPainting
from artgen_makers.glass import Glass
from artgen_makers.grids import CrossStitch, assigned, choose, differences, grouped, read_table
from artgen_makers.quilt import Quilt
from artgen_makers.string import String
from artgen_plugins import string
from artgen_plugins._chords import View
from artgen_plugins._chords import coverage as cross
from artgen_plugins.perceptual import flip
from artgen_plugins.regions import means
from artgen_plugins.stipple import PIXELS, Stipple, lloyd
from benchmarks import ink as inks
from benchmarks._report import Table
from benchmarks._settings import Settings

PICTURES = ("astronaut", "cat", "coffee", "rocket", "retina", "camera")
PER_MM = 6.4
"""Pixels in a millimetre at arm's length."""
WIDTH, FINER = 100.0, 3
SEEN, KINDS = 1024, 12
"""Pixels along the width of quilts and glass at their distance, and colours of their pieces."""
BLUR = 1.5
"""Of a print that is seen, in points."""
DARK = "#1d1b20"
PLAIN = {"board": 400.0, "face": 0.0, "fade": 0.0, "contrast": 0.0}
"""The whole picture with its own tones on the board of which the thread is a part."""
SIZES = (0.7, 0.85, 1.0, 1.15, 1.3, 1.5)
"""Radii of dots that others may have, as multiples of that which covers the mean tone."""

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]


def run(settings: Settings) -> Iterator[Table]:
    names = PICTURES[: 1 if settings.quick else 4]
    yield _strings(names, *((60, 1.2) if settings.quick else (240, 0.2)))
    for colours in (8, 24):
        yield _crosses(names, 20 if settings.quick else 100, colours)
    yield _bricks(names, 16 if settings.quick else 48)
    for kind, maker in (("Quilts", Quilt), ("Stained glass", Glass)):
        small = {"pieces": 12, "width": 100.0} if settings.quick else {}
        yield _pieces(names, kind, maker(small), SEEN // 8 if settings.quick else SEEN)
    yield _stipples(names, 300 if settings.quick else 6000)
    yield _filaments(PICTURES[:1] if settings.quick else PICTURES)


def _photo(name: str) -> Pixels:
    photo = getattr(data, "chelsea" if name == "cat" else name)()
    return np.dstack([photo] * 3) if photo.ndim == 2 else photo


def _square(name: str, side: int) -> Pixels:
    """The middle of a picture."""
    photo = _photo(name)
    short = min(photo.shape[:2])
    top, left = ((length - short) // 2 for length in photo.shape[:2])
    return _sized(photo[top : top + short, left : left + short], side, side)


def _sized(photo: Pixels, wide: int, high: int) -> Pixels:
    """A picture in other pixels, averaged as light is."""
    light = srgb_to_linear((photo / 255).astype(np.float32))
    way = Image.Resampling.BOX if wide < photo.shape[1] else Image.Resampling.BICUBIC
    planes = [Image.fromarray(each).resize((wide, high), way) for each in np.moveaxis(light, 2, 0)]
    return _encoded(np.stack([np.asarray(plane) for plane in planes], 2))


def _encoded(light: Any) -> Pixels:
    encoded = linear_to_srgb(np.asarray(light, np.float32).clip(0, 1))
    pixels: Pixels = np.rint(255 * encoded).astype(np.uint8)
    return pixels


def _errors(shown: Pixels, picture: Pixels, per_mm: float = PER_MM) -> tuple[float, float]:
    """FLIP, and the mean CIEDE2000 as seen through 0.6 mm at arm's length."""
    blur = 0.6 * per_mm
    far = [
        color.rgb2lab(linear_to_srgb(gaussian_filter(light, (blur, blur, 0))))
        for light in (srgb_to_linear((each / 255).astype(np.float32)) for each in (shown, picture))
    ]
    apart: Any = color.deltaE_ciede2000
    return by_loss(flip, shown, picture), float(apart(*far).mean())


def _rough(shown: Pixels, picture: Pixels, blur: float) -> float:
    """A quick error to choose by: the mean difference in Lab of pictures seen through a blur."""
    step = max(1, int(blur))
    shape = [side // step for side in shown.shape[:2]]
    far = []
    for each in (shown, picture):
        light = srgb_to_linear((each / 255).astype(np.float32))
        light = light[: shape[0] * step, : shape[1] * step]
        cells = light.reshape(shape[0], step, shape[1], step, 3).mean((1, 3))
        far.append(color.rgb2lab(linear_to_srgb(gaussian_filter(cells, (1, 1, 0)))))
    return float(np.linalg.norm(far[0] - far[1], axis=2).mean())


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    begin = time.process_time()
    return work(*arguments), time.process_time() - begin


def _row(name: str, count: Sequence[int], found: Sequence[tuple[float, float]], took: Any) -> Any:
    """Numbers of parts, FLIP and CIEDE2000 of ours and others; CIEDE2000 of the last to ours."""
    flips, apart = zip(*found, strict=True)
    cells = [f"{each:.3f}" for each in flips] + [f"{each:.2f}" for each in apart]
    better = f"{apart[-1] / apart[0]:.2f}x"
    return [name, *map(str, count), *cells, better, *(f"{each:.1f}" for each in took)]


def _columns(parts: str, others: Sequence[str]) -> list[str]:
    kinds = ["ours", *others]
    told = [f"{kind}, {what}" for what in (parts, "FLIP", "CIEDE2000") for kind in kinds]
    return ["picture", *told, "times better", *(f"{kind}, CPU s" for kind in kinds)]


def _inked(primitive: Any, marks: ink.Marks, side: int) -> Pixels:
    """Marks of one dark ink on paper, [side, side, 3]."""
    drawn = coverage(primitive, primitive.pack(marks), Canvas(side, side))[0].astype(np.float64)
    paper, dark = (
        srgb_to_linear(np.array(each, np.float32)) for each in (inks.PAPER, parse_colour(DARK))
    )
    return _encoded(drawn[..., None] * dark + (1 - drawn[..., None]) * paper)


def _strings(names: Sequence[str], nails: int, thread: float) -> Table:
    """Threads on a board of 400 mm, in a circle."""
    rows = []
    for name in names:
        square = _square(name, inks.SIDE)
        options = {"nails": nails, "thread": thread, **PLAIN}
        recipe = dict(String(options).recipe(square)["primitive"])
        count = recipe.pop("count")
        del recipe["name"]
        primitive = string.String(recipe)
        sheet = inks._sheet(name, primitive, count)
        ours, took = _timed(primitive.place, sheet)
        count = len(ours)
        picture = _square(name, round(400 * PER_MM / 2))
        small = _square(name, len(picture) // 2)
        _, marks, once, goal = min(
            (
                (_rough(*_disc(primitive, marks, small), 2.0), marks, once, goal)
                for marks, once, goal in _greedy(primitive, sheet, square, count)
            ),
            key=lambda each: each[0],
        )
        alike = _Goal({**recipe, "optical": False})
        alike.goal = goal[None].clip(0, string.StringOptions.darkest)
        same, again = _timed(alike.place, replace(sheet, count=len(marks)))
        tried = ours, same, marks
        found = [_errors(*_disc(primitive, each, picture), PER_MM / 2) for each in tried]
        rows.append(_row(name, [len(each) for each in tried], found, [took, again, once]))
    columns = _columns("lines", ["its tones", "greedy"])
    return Table(f"String art, {nails} nails", columns, rows)


def _disc(primitive: Any, marks: ink.Marks, picture: Pixels) -> list[Pixels]:
    """Threads and the picture in the circle of the nails."""
    side = len(picture)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    outside = (np.hypot(x, y) > inks.EDGE)[..., None]
    paper = _encoded(srgb_to_linear(np.array(inks.PAPER, np.float32)))
    return [np.where(outside, paper, p) for p in (_inked(primitive, marks, side), picture)]


class _Goal(string.String):
    """String art of tones that are given, [1, height, width]."""

    goal: Floats

    def tones(self, sheet: ink.Sheet) -> Floats:
        return self.goal


def _greedy(
    primitive: Any, sheet: ink.Sheet, square: Pixels, count: int
) -> Iterator[tuple[ink.Marks, float, Floats]]:
    """Threads that are wound greedily, the seconds that each takes, and its tones."""
    places = primitive.find_nails(sheet.canvas)
    first, second = primitive.find_chords(places)
    matrix, cell, grid = cross(places, first, second)
    crossed = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
    number = np.full((len(places), len(places)), -1)
    number[first, second] = number[second, first] = np.arange(len(first))
    dark = (1 - each for each in _grays(square))
    for goal, factor in product((primitive.tones(sheet)[0], *dark), inks.WIDTHS):
        tone = crossed.reshape(grid[0].shape) * replace(sheet, amounts=goal[None]).at(0, *grid)
        view = View(matrix, factor * primitive.options.width / cell, tone, blur=0.0)
        path, once = _timed(inks._wind, view, number, count)
        for length in (0.75, 1.0):
            wound = places[path[: round(length * count) + 1]]
            yield ink.polyline(wound, primitive.options.width / 2), once, goal


def _grays(square: Pixels) -> tuple[Floats, Floats]:
    """The gray of a picture, and its light."""
    gray: Floats = square @ np.array([0.21, 0.72, 0.07]) / 255
    return gray, srgb_to_linear(gray.astype(np.float32)).astype(np.float64)


def _crosses(names: Sequence[str], columns: int, count: int) -> Table:
    """Stitches of 14 to the inch."""
    rows, side = [], round(25.4 / 14 * PER_MM)
    table = read_table("dmc")
    sold = np.array([parse_colour(each.colour) for each in table])
    sold_lab = color.rgb2lab(sold)
    for name in names:
        motif = Motif(name, photo=_photo(name))
        cells = motif.picture(columns, max(1, round(columns / motif.aspect)))
        picture = _sized(motif.pixels(0), side * cells.shape[1], side * cells.shape[0])
        options = CrossStitch({"columns": columns, "colours": count}).options
        (places, colours), took = _timed(assigned, cells, table, options)
        ours = np.array([parse_colour(each.colour) for each in colours])[places]
        plain, quick = _timed(_plain, cells / 255, sold, count, _euclid)
        better, slow = _timed(_plain, color.rgb2lab(cells), sold_lab, count, differences)
        found = [
            _errors(np.rint(255 * each).astype(np.uint8).repeat(side, 0).repeat(side, 1), picture)
            for each in (ours, sold[plain], sold[better])
        ]
        used = [len(colours), len(np.unique(plain)), len(np.unique(better))]
        rows.append(_row(name, used, found, [took, quick, slow]))
    others = ["k-means, sRGB", "k-means, Lab"]
    title = f"Cross-stitch of at most {count} colours"
    return Table(title, _columns("colours", others), rows)


def _euclid(first: Floats, second: Floats) -> Floats:
    apart: Floats = np.linalg.norm(first[:, None] - second[None], axis=2)
    return apart


def _plain(
    cells: Floats, sold: Floats, count: int, apart: Callable[[Floats, Floats], Floats]
) -> NDArray[np.int64]:
    """The colour that is sold for each cell, from a palette of k-means."""
    points = cells.reshape(-1, 3)
    found: list[tuple[float, int, Floats]] = []
    for seed in range(5):
        means, near = kmeans2(points, count, iter=30, minit="++", rng=seed)
        found.append((float(((points - means[near]) ** 2).sum()), seed, means))
    used = np.unique(apart(min(found)[2], sold).argmin(1))
    chosen: NDArray[np.int64] = used[
        np.concatenate([apart(row, sold[used]).argmin(1) for row in cells])
    ]
    return chosen.reshape(cells.shape[:2])


def _bricks(names: Sequence[str], columns: int) -> Table:
    """Studs of 8 mm from four times arm's length."""
    rows, side = [], round(8 * PER_MM / 4)
    table = read_table("bricks")
    sold = np.array([parse_colour(each.colour) for each in table])
    for name in names:
        motif, maker = Motif(name, photo=_photo(name)), Bricks({"columns": columns})
        cells = motif.picture(columns, max(1, round(columns / motif.aspect)))
        picture = _sized(motif.pixels(0), side * cells.shape[1], side * cells.shape[0])
        wanted = maker.wanted(motif, columns, cells.shape[0])
        (places, colours), took = _timed(assigned, wanted, table, maker.options)
        plates, more = _timed(maker.laid_out, places, colours)
        ours = np.array([parse_colour(each.colour) for each in colours])[places]
        begin = time.process_time()
        nearest = np.stack([_euclid(row / 255, sold).argmin(1) for row in cells])
        quick = time.process_time() - begin
        often = np.argsort(-np.bincount(nearest.ravel()), kind="stable")[: len(colours)]
        few = often[np.stack([_euclid(row / 255, sold[often]).argmin(1) for row in cells])]
        again = time.process_time() - begin
        tried = (ours, sold[nearest], sold[few])
        found = [_errors(_in_cells(each, side), picture) for each in tried]
        count = [len(plates), places.size, places.size]
        row = _row(name, count, found, [took + more, quick, again])
        used = f"{len(colours)}, {len(np.unique(nearest))}, {len(np.unique(few))}"
        rows.append([row[0], used, *row[1:]])
    columns_ = _columns("plates", ["nearest of all", "nearest of as many"])
    return Table("Mosaics of bricks", [columns_[0], "colours", *columns_[1:]], rows)


def _in_cells(colours: Floats, side: int) -> Pixels:
    """Colours [rows, columns, 3] as squares of `side` pixels."""
    pixels: Pixels = np.rint(255 * colours).astype(np.uint8).repeat(side, 0).repeat(side, 1)
    return pixels


def _pieces(names: Sequence[str], kind: str, maker: Quilt | Glass, seen: int) -> Table:
    """Pieces of any shape, beside a grid and a Voronoi diagram of as many."""
    rows = []
    for name in names:
        motif = Motif(name, photo=_photo(name))
        ours, took = _timed(_own, maker, motif)
        count, (high, wide) = int(ours.max()) + 1, ours.shape
        lab = color.rgb2lab(motif.picture(wide, high))
        picture = _sized(motif.pixels(0), seen, round(seen / motif.aspect))
        found, taken = [], []
        others = [_timed(way, wide, high, count) for way in (_squares, _spread)]
        for places, once in ((ours, took), *others):
            begin = time.process_time()
            shown = _dyed(lab, places, KINDS)
            taken.append(once + time.process_time() - begin)
            whole = Image.fromarray(np.rint(255 * shown).astype(np.uint8))
            sized = whole.resize(picture.shape[1::-1], Image.Resampling.NEAREST)
            found.append(_errors(np.asarray(sized), picture))
        parts = [count, *(int(places.max()) + 1 for places, _ in others)]
        rows.append(_row(name, parts, found, taken))
    return Table(kind, _columns("pieces", ["grid", "Voronoi"]), rows)


def _own(maker: Quilt | Glass, motif: Motif) -> NDArray[np.int64]:
    """The number of the piece at each pixel."""
    size = maker.options.width, maker.options.width / motif.aspect
    if isinstance(maker, Glass):
        return maker.pieced(motif, size)[0]
    whole, lab = maker.pieced(motif, size)
    numbers = np.zeros(lab.shape[:2], np.int64)
    for number, piece in enumerate(whole.pieces()):
        numbers.ravel()[piece.pixels] = number
    return numbers


def _dyed(lab: Floats, places: NDArray[np.int64], count: int) -> Floats:
    """The means of places in few colours, sRGB-encoded [height, width, 3]."""
    tones = means(lab, places)
    groups, weight = grouped(tones)
    kept = groups[choose(differences(groups, groups) ** 2, weight, count)]
    dyed: Floats = color.lab2rgb(kept[differences(tones, kept).argmin(1)][None])[0][places]
    return dyed.clip(0, 1)


def _squares(wide: int, high: int, count: int) -> NDArray[np.int64]:
    """A grid of about so many squares: the number of each pixel's."""
    columns = max(1, round((count * wide / high) ** 0.5))
    rows = max(1, round(count / columns))
    down, right = np.arange(high) * rows // high, np.arange(wide) * columns // wide
    numbers: NDArray[np.int64] = down[:, None] * columns + right
    return numbers


def _spread(wide: int, high: int, count: int) -> NDArray[np.int64]:
    """Cells of random sites after ten rounds of Lloyd's relaxation."""
    y, x = np.mgrid[:high, :wide] + 0.5
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    sites = pixels[np.random.default_rng(0).choice(len(pixels), count, replace=False)]
    for _ in range(10):
        near = cKDTree(sites).query(pixels)[1]
        full = np.maximum(np.bincount(near, minlength=count), 1)
        sites = np.stack([np.bincount(near, axis, count) for axis in pixels.T], 1) / full[:, None]
    near = np.unique(cKDTree(sites).query(pixels)[1], return_inverse=True)[1]
    numbers: NDArray[np.int64] = near.reshape(high, wide)
    return numbers


def _stipples(names: Sequence[str], count: int) -> Table:
    """Dots on paper 148 mm wide, from twice arm's length."""
    rows, side = [], round(148 * PER_MM / 2)
    primitive = Stipple()
    for name in names:
        sheet = inks._sheet(name, primitive, count)
        ours, took = _timed(primitive.place, sheet)
        picture = _square(name, side)
        grays, tried = _grays(_square(name, inks.SIDE)), []
        plain = Stipple({"optical": False})
        values, again = _timed(plain.place, inks._sheet(name, plain, count))
        for gray, power in product(grays, (1, 2)):
            goal = replace(sheet, amounts=1 - gray[None])
            points, once = _timed(_voronoi, goal, count, primitive.options.rounds, power)
            tone = goal.at(0, *points.T)
            mean = np.sqrt(goal.canvas.area * (1 - gray).mean() / np.pi / count)
            for least, size in product((1.0, 0.35), SIZES):
                radius = size * mean * (least + (1 - least) * tone / max(tone.mean(), 1e-9))
                marks = ink.dots(*points.T, radius)
                tried.append((_rough(_inked(primitive, marks, side), picture, 2.0), marks, once))
        _, marks, once = min(tried, key=lambda each: each[0])
        dots = ours, values, marks
        found = [_errors(_inked(primitive, each, side), picture, PER_MM / 2) for each in dots]
        rows.append(_row(name, [len(each) for each in dots], found, [took, again, once]))
    columns = _columns("dots", ["encoded tones", "weighted Voronoi"])
    return Table(f"Stipples of {count:,} dots", columns, rows)


def _voronoi(sheet: ink.Sheet, count: int, rounds: int, power: int) -> Floats:
    """The places of dots that Lloyd's relaxation moves to the middle of the ink of their cells."""
    x, y, pitch = sheet.grid(PIXELS * count)
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    # Relaxed dots are as dense as the root of what they are weighed by.
    weight = sheet.at(0, x, y).ravel().clip(1e-6, None) ** power
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(pixels), count, p=np.sqrt(weight) / np.sqrt(weight).sum())
    points = pixels[chosen] + pitch * (rng.random((count, 2)) - 0.5)
    return points[lloyd(points, pixels, weight, rounds)[1]]


def _filaments(names: Sequence[str]) -> Table:
    rows = []
    for name in names:
        motif, maker = Motif(name, photo=_photo(name)), FilamentPainting({"width": WIDTH})
        columns = round(WIDTH / maker.options.detail) + 1
        picture = motif.picture(columns, round(columns / motif.aspect))
        lab = maker.wanted(picture)
        begin = time.process_time()
        stack = maker.stack(*grouped(lab.reshape(-1, 3)))
        heights = maker.settled(lab, maker.shown(stack))
        took = time.process_time() - begin
        nearest = (color.rgb2lab(maker.shown(stack)) - lab[:, :, None]) ** 2
        used = list(dict.fromkeys(block.filament for block in stack))
        bright = sorted(used, key=lambda kind: float(maker.light[0][kind] @ (0.21, 0.72, 0.07)))
        plain = _shared(maker, bright, grouped(lab.reshape(-1, 3)))
        level = abs(_lightness(maker.shown(plain)) - lab[..., :1]).argmin(2)
        found = [
            _seen(maker.shown(blocks), places, picture)
            for blocks, places in (
                (stack, heights),
                (stack, nearest.sum(3).argmin(2)),
                (plain, level),
            )
        ]
        cells = [f"{each:.2f}" for each in found]
        rows.append(
            [name, str(len(stack) - 1), *cells, f"{found[2] / found[0]:.2f}x", f"{took:.1f}"]
        )
    return Table(
        "Filament paintings, 6 swaps at most",
        ["picture", "swaps", "ours", "without slopes", "by luminance", "times better", "CPU s"],
        rows,
    )


def _shared(
    maker: FilamentPainting, kinds: Sequence[int], groups: tuple[Floats, Floats]
) -> list[Block]:
    """The best shares of the layers for filaments from dark to light, where lightness decides."""
    lab, weight = groups
    above, least, best = maker.layers[1], np.inf, []
    for cuts in combinations(range(2, above, 2), len(kinds) - 1):
        ends = [0, *cuts, above]
        blocks = [Block(*each) for each in zip(kinds, ends, ends[1:], strict=False)]
        shown = maker.shown(blocks)
        chosen = color.rgb2lab(shown)[abs(_lightness(shown) - lab[:, :1]).argmin(1)]
        cost = float(weight @ ((chosen - lab) ** 2).sum(1))
        if cost < least:
            least, best = cost, blocks
    return best


def _lightness(colours: Floats) -> Floats:
    lightness: Floats = color.rgb2lab(colours)[:, 0]
    return lightness


def _seen(colours: Floats, heights: Any, picture: NDArray[np.uint8]) -> float:
    """The mean CIEDE2000 of a print of these heights and the picture, seen from a distance."""
    high, wide = heights.shape
    fine = Image.fromarray(heights.astype(np.float32))
    fine = fine.resize((wide * FINER, high * FINER), Image.Resampling.BILINEAR)
    shown = srgb_to_linear(colours.astype(np.float32))[np.rint(fine).astype(int)]
    shown = shown.reshape(high, FINER, wide, FINER, 3).mean((1, 3))
    far = [
        color.rgb2lab(linear_to_srgb(gaussian_filter(each, (BLUR, BLUR, 0))))
        for each in (shown, srgb_to_linear((picture / 255).astype(np.float32)))
    ]
    apart: Any = color.deltaE_ciede2000
    return float(apart(*far).mean())
