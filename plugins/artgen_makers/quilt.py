"""Quilts of straight seams: convex pieces, templates at 1:1, and the order in which to sew.

The picture is cut in two by the line that tells its colours apart best, and each part again (a
binary space partition; Fuchs, Kedem and Naylor, 1980). Sewn in the opposite order, each seam is one
straight line from edge to edge, so nothing is set in, and each part can be pieced on paper.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour
from artgen_makers.cutting import Plan, Words, check_dxf, files, grid_of, in_svg, path_of
from artgen_makers.grids import choose, differences, grouped
from artgen_makers.guide import MARGIN, Guide, guides, levels_of
from artgen_makers.pdf import Sheet
from artgen_makers.tones import focused
from artgen_plugins._outlines import area
from artgen_plugins.regions import Floats, Labels, rgb_of

PIXELS = 320
"""Pixels of the picture along its longer side, while it is cut."""
ANGLES, OFFSETS, TRIED = 24, 25, 60
"""Directions of a cut, places of it in each, and how many of the best are tried."""
EVEN = 30.0
"""What an even cut is worth, in squared differences of CIELAB, where colours do not differ."""
SHARP = 1.5
"""How far the allowance goes beyond a corner, in allowances: sharper ones are trimmed."""
CHROMA = 1.25
"""How much more colour fabrics have than the means of the picture."""
BOLT, SPARE = 1100.0, 1.3
"""Width of fabric from the bolt in mm, and how much more is bought than pieces have."""
GAP = 4.0
"""Distance of templates on a sheet, in mm."""
WIDEST = 3000
"""Most width of a quilt, in mm."""
_PIXELS = 1400


@dataclass(frozen=True)
class QuiltOptions:
    """Options of quilts; lengths are millimetres."""

    width: float = option(600.0, "width of the finished quilt", low=80, high=WIDEST)
    pieces: int = option(120, "number of pieces", low=2, high=1500)
    seam: float = option(6.35, "allowance around each piece", low=1, high=30)
    least: float = option(20.0, "least width of a piece", low=3, high=500)
    fabrics: int = option(12, "most fabrics, which are chosen", low=2, high=40)
    dxf: bool = option(False, "write templates.dxf too, with layers CUT and ENGRAVE")


@dataclass(eq=False)
class Cell:
    """A part of the quilt: a convex polygon [N, 2] in mm, its pixels, and what it is cut into.

    `first` and `last` are the numbers of its pieces, `fabric` the index of a piece's own; `seam` is
    how long the seam between its `parts` is.
    """

    outline: Floats
    pixels: Labels
    parts: tuple[Cell, ...] = ()
    seam: float = 0.0
    first: int = 0
    last: int = 0
    fabric: int = 0
    template: Floats = field(default_factory=lambda: np.empty((0, 2)))

    def pieces(self) -> Iterator[Cell]:
        """The pieces in it, those that are sewn together side by side."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.pieces()

    def seams(self) -> Iterator[Cell]:
        """The parts that have a seam, in the order of sewing."""
        for part in self.parts:
            yield from part.seams()
        if self.parts:
            yield self

    @property
    def name(self) -> str:
        """Its numbers, as 3 or 3-7."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


class Quilt(Maker):
    """Pieces of fabric with straight seams."""

    Options: ClassVar[type[Any]] = QuiltOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Cut the picture by lines, choose fabrics, and draw the templates."""
        o = self.options
        size = o.width, o.width / motif.aspect
        check_dxf(asked=o.dxf)
        mean = (size[0] * size[1] / o.pieces) ** 0.5
        if min(size) < 2 * o.least or mean < 1.2 * o.least:
            wide = math.ceil(o.width * max(1.2 * o.least / mean, 2 * o.least / min(size)))
            raise UsageError(
                f"{o.pieces} pieces of {o.least:g} mm and more do not fit a quilt of {size[0]:.0f} "
                f"x {size[1]:.0f} mm",
                hint="use "
                + f"a --width of {wide} mm, " * (wide <= WIDEST)
                + "fewer --pieces or a smaller --least",
            )
        whole, lab = self.pieced(motif, size)
        fabrics = self.sewn(whole, lab.reshape(-1, 3))
        return self.written(motif, whole, fabrics, size)

    def pieced(self, motif: Motif, size: tuple[float, float]) -> tuple[Cell, Floats]:
        """Return the quilt cut into pieces, and the Lab colours [height, width, 3]."""
        scale = max(size) / PIXELS
        # A border is a strip, too.
        grid_of(motif, size, scale / 4)
        columns, rows = (max(8, round(side / scale)) for side in size)
        lab, weight = focused(motif.picture(columns, rows))
        weight = np.ones(rows * columns) if weight is None else weight.ravel()
        down, right = np.mgrid[:rows, :columns] + 0.5
        places = np.stack([right * size[0] / columns, down * size[1] / rows], 2).reshape(-1, 2)
        return self.cut(size, places, lab.reshape(-1, 3), weight), lab

    def cut(self, size: tuple[float, float], places: Floats, lab: Floats, weight: Floats) -> Cell:
        """Return the whole, cut until there are as many pieces as asked for, or none is wide.

        `places` [N, 2] in mm, `lab` [N, 3] and `weight` [N] are those of the pixels.
        """
        corners = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float64)
        whole = Cell(corners, np.arange(len(lab)))
        heap: list[tuple[float, int, Cell, tuple[Cell, Cell]]] = []
        count, order = 1, 0

        def push(cell: Cell) -> None:
            nonlocal order
            if best := self.best(cell, places, lab, weight):
                order += 1
                heapq.heappush(heap, (-best[0], order, cell, best[1]))

        push(whole)
        while heap and count < self.options.pieces:
            _, _, cell, parts = heapq.heappop(heap)
            cell.parts = parts
            ends = [p for p in parts[0].outline if (p == parts[1].outline).all(1).any()]
            cell.seam = float(np.hypot(*np.ptp(ends, axis=0)))
            count += 1
            for part in parts:
                push(part)
        return whole

    def best(
        self, cell: Cell, places: Floats, lab: Floats, weight: Floats
    ) -> tuple[float, tuple[Cell, Cell]] | None:
        """Return how much the best cut of a part tells apart, and its two parts, if there is one.

        A cut into masses m and n is worth mn / (m + n) times the squared difference of colours
        (Ward, 1963).
        """
        least = self.options.least
        own, mass = lab[cell.pixels] * weight[cell.pixels, None], weight[cell.pixels]
        found: list[tuple[float, Floats, float]] = []
        for turn in np.arange(ANGLES) * np.pi / ANGLES:
            normal = np.array([np.cos(turn), np.sin(turn)])
            reach = cell.outline @ normal
            low, high = reach.min() + least, reach.max() - least
            if high < low:
                continue
            level = np.linspace(low, high, OFFSETS)
            bins = np.searchsorted(level, places[cell.pixels] @ normal)
            m = np.cumsum(np.bincount(bins, mass, OFFSETS + 1))[:-1]
            sums = [np.cumsum(np.bincount(bins, c, OFFSETS + 1)) for c in own.T]
            n = mass.sum() - m
            apart = sum((s[:-1] / np.maximum(m, 1e-9) - (s[-1] - s[:-1]) / np.maximum(n, 1e-9)) ** 2
                        for s in sums)  # fmt: skip
            worth = m * n / max(mass.sum(), 1e-9) * (apart + EVEN)
            found += zip(worth.tolist(), [normal] * OFFSETS, level, strict=True)
        found.sort(key=lambda each: -each[0])
        for worth, normal, at in found[:TRIED]:
            outlines = clipped(cell.outline, normal, at), clipped(cell.outline, -normal, -at)
            if min(map(narrowest, outlines)) < least:
                continue
            below = places[cell.pixels] @ normal <= at
            if below.any() and not below.all():
                first, second = (cell.pixels[side] for side in (below, ~below))
                return float(worth), (Cell(outlines[0], first), Cell(outlines[1], second))
        return None

    def sewn(self, whole: Cell, lab: Floats) -> list[Floats]:
        """Number the pieces, choose their fabrics, and return the colours of these."""
        pieces = list(whole.pieces())
        tones = np.stack([np.median(lab[each.pixels], axis=0) for each in pieces])
        tones *= [1, CHROMA, CHROMA]
        groups, weight = grouped(tones)
        kept = choose(
            differences(groups, groups) ** 2, weight, min(self.options.fabrics, len(groups))
        )
        own = differences(tones, groups[kept]).argmin(1)
        used, own = np.unique(own, return_inverse=True)
        for number, (piece, fabric) in enumerate(zip(pieces, own, strict=True), 1):
            piece.first = piece.last = number
            piece.fabric = int(fabric)
            piece.template = allowed(piece.outline, self.options.seam)
        for part in whole.seams():
            part.first, part.last = part.parts[0].first, part.parts[1].last
        return list(rgb_of(groups[kept][used]))

    def written(
        self, motif: Motif, whole: Cell, fabrics: Sequence[Floats], size: tuple[float, float]
    ) -> Made:
        """Return the templates, the pattern, the lists, the guide and the picture."""
        o = self.options
        pieces, seams = list(whole.pieces()), list(whole.seams())
        names = [hex_colour(each) for each in fabrics]
        widest = max(float(np.ptp(p.template, axis=0).max()) for p in pieces)
        [sheet] = shelves(pieces, max(size[0], widest), np.inf)
        laid, high = (
            [each for shelf in sheet for each in shelf.laid],
            sheet[-1].top + sheet[-1].high,
        )
        plan = Plan(
            (max(size[0], widest), high),
            [closed(p.template + at) for p, at in laid],
            [_words(p, at) for p, at in laid],
            edge=False,
            engraved=[closed(p.outline + at) for p, at in laid],
        )
        areas = [
            sum(area(p.template) for p in pieces if p.fabric == k) / 100 for k in range(len(names))
        ]
        counts = np.bincount([p.fabric for p in pieces], minlength=len(names))
        fabric_rows = [
            [k + 1, names[k], counts[k], f"{areas[k]:.1f}", f"{SPARE * 100 * areas[k] / BOLT:.0f}"]
            for k in range(len(names))
        ]
        written = {
            "pattern.svg": _pattern(motif, pieces, size).encode(),
            **files("templates", plan, motif.origin, o.dxf),
            "fabrics.csv": motif.table(
                ["fabric", "colour", "pieces", "square cm", f"mm of a bolt of {BOLT:.0f}"],
                *fabric_rows,
            ),
            "pieces.csv": motif.table(
                ["number", "fabric", "colour", "square cm", "edges"],
                *([p.first, p.fabric + 1, names[p.fabric], f"{area(p.template) / 100:.2f}",
                   len(p.outline)] for p in pieces),
            ),
            "sewing.csv": motif.table(
                ["step", "part", "with part", "seam in mm"],
                *([k, each.parts[0].name, each.parts[1].name, f"{each.seam:.1f}"]
                  for k, each in enumerate(seams, 1)),
            ),
        }  # fmt: skip
        parts = [
            Part("fabric", f"{k + 1}, {a:.0f} square cm", n, int(c))
            for k, (n, c, a) in enumerate(zip(names, counts, areas, strict=True))
        ]
        backing = f"{size[0] + 100:.0f} x {size[1] + 100:.0f} mm"
        parts += [Part("batting and backing", backing, "", 1)]
        parts += [Part("seams", "", "", len(seams), sum(each.seam for each in seams))]
        notes = [
            f"{len(pieces)} pieces, not {o.pieces}: more would be narrower than {o.least:g} mm; "
            "use a larger --width or a smaller --least"
        ] * (len(pieces) < o.pieces)
        made = Made(written, parts, finished(pieces, fabrics, size), notes)
        steps = (
            f"Print the templates at 100 %. Cut {len(pieces)} pieces of fabric along the outer "
            f"line: the seam is {o.seam:g} mm inside. Turn no template over.",
            "Sew in the order of the steps: each seam is one straight line from edge to edge. A "
            "part 3-5 is what pieces 3 to 5 have become. Press each seam to one side.",
            "Or sew on paper: the pattern is mirrored, and lies under the fabric.",
            f"The top is {size[0]:.0f} x {size[1]:.0f} mm when the outer allowance is bound.",
        )

        def draw(guide: Guide) -> None:
            _templates(guide, pieces)
            sheet = Sheet(*size)
            for p in pieces:
                shown = mirrored(p.outline, size[0])
                sheet.line(closed(shown), 0.25)
                x, y = shown.mean(0)
                sheet.label(x, y + 1.5, f"{p.first}", 4, bold=True)
                sheet.label(x, y + 5, f"fabric {p.fabric + 1}", 2.4)
            guide.tiled("Pattern, mirrored", sheet)
            _sewing(guide, seams)

        return guides(motif, "quilt", made, steps, draw, range(1, len(names) + 1), "pieces")


def clipped(outline: Floats, normal: Floats, at: float) -> Floats:
    """Return what of a convex polygon has at most `at` along a normal; [0, 2] if nothing has."""
    side = outline @ normal - at
    found = []
    for k, (point, here) in enumerate(zip(outline, side, strict=True)):
        after, there = outline[(k + 1) % len(outline)], side[(k + 1) % len(outline)]
        if here <= 1e-9:
            found.append(point)
        if (here < -1e-9 and there > 1e-9) or (here > 1e-9 and there < -1e-9):
            # The two polygons beside a cut get the same points: from the lower side on.
            low, high, a, b = (
                (point, after, here, there) if here < 0 else (after, point, there, here)
            )
            first = tuple(low) < tuple(high)
            low, high, a, b = (low, high, a, b) if first else (high, low, b, a)
            found.append(low + (high - low) * (a / (a - b)))
    return np.array(found).reshape(-1, 2)


def narrowest(outline: Floats) -> float:
    """Return the least width of a convex polygon: across one of its edges."""
    if len(outline) < 3:
        return 0.0
    edges = np.roll(outline, -1, 0) - outline
    length = np.hypot(*edges.T)
    edges = edges[length > 1e-6] / length[length > 1e-6, None]
    normals = np.stack([-edges[:, 1], edges[:, 0]])
    return float(np.ptp(outline @ normals, axis=0).min())


def allowed(outline: Floats, seam: float) -> Floats:
    """Return a convex polygon with an allowance; sharp corners are trimmed."""
    # A cut through a corner leaves an edge without length.
    outline = outline[np.hypot(*(np.roll(outline, -1, 0) - outline).T) > 1e-6]
    middle = outline.mean(0)
    far = 2 * float(np.ptp(outline, axis=0).max()) + 4 * seam
    found: Floats = middle + far * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    edges = np.roll(outline, -1, 0) - outline
    normals = np.stack([edges[:, 1], -edges[:, 0]], 1) / np.hypot(*edges.T)[:, None]
    normals *= np.sign(((outline - middle) * normals).sum(1))[:, None]
    for point, normal, before in zip(outline, normals, np.roll(normals, 1, 0), strict=True):
        found = clipped(found, normal, float(point @ normal) + seam)
        way = (normal + before) / np.hypot(*(normal + before))
        found = clipped(found, way, float(point @ way) + SHARP * seam)
    return found


def closed(outline: Floats) -> Floats:
    """Return a polygon whose last point is its first."""
    return np.concatenate([outline, outline[:1]])


def mirrored(outline: Floats, wide: float) -> Floats:
    """Return a polygon as it is seen from behind a quilt of this width."""
    return np.asarray(outline * np.array([-1, 1]) + np.array([wide, 0]))


class Shelf(NamedTuple):
    """A shelf of a sheet: its top and its height in mm, and the pieces on it with their shifts."""

    top: float
    high: float
    laid: list[tuple[Cell, Floats]]

    @property
    def end(self) -> float:
        """Where the next piece may begin, in mm from the left."""
        return max(float((p.template + at)[:, 0].max()) for p, at in self.laid) + GAP


def shelves(pieces: Sequence[Cell], wide: float, high: float) -> list[list[Shelf]]:
    """Lay templates on the shelves of sheets: the highest first, each where it first has room."""
    sheets: list[list[Shelf]] = []
    order = sorted(pieces, key=lambda each: (-float(np.ptp(each.template[:, 1])), each.first))
    for piece in order:
        across, down = np.ptp(piece.template, axis=0)
        corner = piece.template.min(0)
        room = (s for sheet in sheets for s in sheet if s.end + across <= wide)
        if shelf := next(room, None):
            shelf.laid.append((piece, np.array([shelf.end, shelf.top]) - corner))
            continue
        tops = ((s, s[-1].top + s[-1].high + GAP) for s in sheets)
        sheet, top = next((each for each in tops if each[1] + down <= high), ([], 0.0))
        if not sheet:
            sheets.append(sheet)
        sheet.append(Shelf(top, float(down), [(piece, np.array([0, top]) - corner)]))
    return sheets


def finished(
    pieces: Sequence[Cell], fabrics: Sequence[Floats], size: tuple[float, float]
) -> NDArray[np.uint8]:
    """Show the quilt: prints on the fabrics, soft between the seams, in light from upper left."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    scale = _PIXELS / max(size)
    wide, high = (round(side * scale) for side in size)
    image = Image.new("I", (wide, high))
    pen = ImageDraw.Draw(image)
    for piece in pieces:
        pen.polygon([tuple(p) for p in (piece.outline * scale).tolist()], piece.first)
    own = np.asarray(image)
    edge = np.zeros(own.shape, bool)
    edge[1:] |= own[1:] != own[:-1]
    edge[:, 1:] |= own[:, 1:] != own[:, :-1]
    edge[[0, -1]], edge[:, [0, -1]] = True, True
    rng = np.random.default_rng(0)
    away = distance_transform_edt(~edge) / _PIXELS
    height = 1 - np.exp(-away / 0.006)
    wrinkles = gaussian_filter(rng.standard_normal(own.shape), 5)
    height = height + 0.1 * wrinkles / wrinkles.std() * np.exp(-away / 0.02)
    dy, dx = np.gradient(gaussian_filter(height, 1.2))
    light = 1 + (0.9 * (dx + dy)).clip(-0.3, 0.22) - 0.22 * np.exp(-away / 0.0015)
    kind = np.array([0, *(piece.fabric for piece in pieces)])[own]
    down, right = np.mgrid[:high, :wide]
    weave = 0.02 * np.sin(2.1 * right) * np.sin(2.1 * down) + 0.02 * rng.standard_normal(own.shape)
    dots = np.cos(right * 0.45) * np.cos(down * 0.45) > 0.75
    stripes = np.cos((right + down) * 0.5) > 0.4
    sprigs = np.cos(right * 0.3 + np.sin(down * 0.3)) * np.cos(down * 0.35) > 0.6
    prints = np.choose(kind % 4, [np.zeros_like(dots), dots, sprigs, stripes])
    tone = np.stack(fabrics)[kind]
    bright = tone.mean(2, keepdims=True) < 0.35
    tone = tone + prints[..., None] * np.where(bright, 0.05, -0.05)
    shown = tone * (light + weave)[..., None]
    return levels_of(shown)


def _words(piece: Cell, at: Floats) -> Words:
    x, y = piece.outline.mean(0) + at
    high = float(np.clip(0.3 * narrowest(piece.outline), 2, 6))
    return Words(str(piece.first), float(x), float(y) + 0.36 * high, high)


def _pattern(motif: Motif, pieces: Sequence[Cell], size: tuple[float, float]) -> str:
    """Return the seams and the numbers of the quilt from behind, in millimetres."""
    lines, texts = [], []
    for piece in pieces:
        shown = mirrored(piece.outline, size[0])
        lines.append(path_of(closed(shown)))
        x, y = shown.mean(0)
        texts.append(f'<text x="{x:.2f}" y="{y + 1.5:.2f}" font-size="4">{piece.first}</text>')
    paths, words = "\n".join(lines), "\n".join(texts)
    groups = (
        f'<g fill="none" stroke="#000" stroke-width="0.25">\n{paths}\n</g>\n'
        f'<g font-family="sans-serif" text-anchor="middle">\n{words}\n</g>'
    )
    return in_svg(size, 0.0, motif.origin, groups)


def _templates(guide: Guide, pieces: Sequence[Cell]) -> None:
    """Add the templates: on pages where they fit, over several sheets where one is larger."""
    free, pieces = np.array([guide.width, guide.height - 14]), [upright(p) for p in pieces]
    fits = [bool((np.ptp(p.template, axis=0) <= free).all()) for p in pieces]
    small = [p for p, fit in zip(pieces, fits, strict=True) if fit]
    for laid in shelves(small, free[0], free[1]):
        sheet = guide.page("Templates")
        for piece, at in (each for shelf in laid for each in shelf.laid):
            _template(sheet, piece, at + np.array([MARGIN, MARGIN + 10]))
        guide.checked(sheet)
    for piece, fit in zip(pieces, fits, strict=True):
        if not fit:
            corner = piece.template.min(0)
            form = Sheet(*(np.ptp(piece.template, axis=0) + 1).tolist())
            _template(form, piece, 0.5 - corner)
            guide.tiled(f"Template {piece.first}", form)


def upright(piece: Cell) -> Cell:
    """Return a piece turned so that it is as narrow as can be: it takes fewer pages."""
    edges = np.roll(piece.template, -1, 0) - piece.template
    along = max(
        (edge / np.hypot(*edge) for edge in edges if edge.any()),
        key=lambda unit: -np.ptp(piece.template @ (unit[1], -unit[0])),
    )
    turn = np.array([[along[1], -along[0]], along]).T
    return replace(piece, outline=piece.outline @ turn, template=piece.template @ turn)


def _template(sheet: Sheet, piece: Cell, at: Floats) -> None:
    sheet.line(closed(piece.template + at), 0.3)
    sheet.line(closed(piece.outline + at), 0.15, "#0050c8")
    text, x, y, high = _words(piece, at)
    sheet.text(x, y, text, high, align="middle", bold=True)
    sheet.text(x, y + 0.8 * high, f"fabric {piece.fabric + 1}", 0.5 * high, align="middle")


def _sewing(guide: Guide, seams: Sequence[Cell]) -> None:
    """Add the table of seams, in two columns."""
    rows = int((guide.paper[1] - 2 * MARGIN - 18) / 5)
    for k, each in enumerate(seams):
        if k % (2 * rows) == 0:
            sheet = guide.page("Seams in their order")
        column, row = divmod(k % (2 * rows), rows)
        x, y = MARGIN + column * guide.width / 2, MARGIN + 16 + 5 * row
        sheet.text(x, y, f"{k + 1}.", 3.2, bold=True)
        sheet.text(x + 10, y, f"{each.parts[0].name} with {each.parts[1].name}", 3.2)
        sheet.text(x + guide.width / 2 - 6, y, f"{each.seam:.0f} mm", 3.2, align="right")
