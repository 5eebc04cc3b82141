"""Paint by numbers: a canvas with outlines and numbers, and how to mix the colours.

Regions that follow the picture are joined until a brush fits into each. A number stands where the
circle inside its region is largest (the pole of inaccessibility). Mixtures of two paints are those
of Kubelka and Munk (1931) by red, green and blue light, of paints that hide what is below them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.cutting import Plan, Words, check_dxf, dxf_of, finer_than, in_svg, texts_of
from artgen_makers.grids import Floats, choose, differences, grouped, read_rows
from artgen_makers.guide import Guide, guides, levels_of
from artgen_makers.pdf import Sheet
from artgen_plugins.regions import Labels, chains, cut, lab_of, means, rgb_of, separated, smoothed

FINE, MOST_PIXELS = 5.0, 900
"""Pixels across the smallest brush, and most pixels along a side."""
MOST_REGIONS = 3000
PARTS = ((24, 1), (10, 1), (5, 1), (2, 1), (1, 1), (1, 2), (1, 5), (1, 10), (1, 24))
"""Parts of two paints in a mixture."""
LETTERS = 1.4, 3.2
"""Least and largest height of a number in mm."""
LARGER = 3
"""Pixels of the picture of the finished thing along one of the regions."""


class Paint(NamedTuple):
    """A paint or a mixture: its name and its colour, float64 [3], sRGB-encoded."""

    name: str
    colour: Floats


@dataclass(frozen=True)
class PaintOptions:
    """Options of painting by numbers."""

    width: float = option(400.0, "width of the canvas in mm", low=50, high=3000)
    colours: int = option(24, "most colours, which are chosen", low=2, high=99)
    brush: float = option(5.0, "width of the smallest place to paint in mm", low=1, high=100)
    regions: int = option(1200, "about how many places to paint", low=2, high=MOST_REGIONS)
    paints: str = option("", "CSV file of name,#rrggbb: the paints that you have, for mixtures")
    kerf: float = option(0.0, "width of the laser's cut around the board", low=0, high=1)
    dxf: bool = option(False, "write DXF too, with layers CUT and ENGRAVE")


class PaintByNumbers(Maker):
    """Outlines and numbers at 1:1, the colours, and mixtures of the paints that there are."""

    Options: ClassVar[type[Any]] = PaintOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Cut the picture into places to paint, and give each a number."""
        o = self.options
        check_dxf(asked=o.dxf)
        size = o.width, o.width / motif.aspect
        if min(size) < 4 * o.brush:
            raise UsageError(
                f"a canvas of {size[0]:.0f} x {size[1]:.0f} mm has no room for places of "
                f"{o.brush:g} mm",
                hint="ask for a larger --width or a smaller --brush",
            )
        self.paints()  # What is wrong with a table is told at once.
        unit = max(o.brush / FINE, max(size) / MOST_PIXELS)
        columns, rows = (max(4, round(side / unit)) for side in size)
        lab = lab_of(np.moveaxis(motif.picture(columns, rows) / 255, 2, 0))
        places = cut(lab, None, o.regions)
        tones = means(lab, places)
        chosen = self.chosen(tones[np.unique(places)])
        colours = _lab(chosen)
        cells = smoothed(differences(tones, colours).argmin(1)[places], 1.5)
        fine = cells
        cells = fillable(cells, colours, o.brush / unit / 2)
        notes = finer_than(motif, size, o.brush, float((cells != fine).mean()))
        order = np.argsort(-np.bincount(cells.ravel(), minlength=len(chosen)), kind="stable")
        cells = np.argsort(order)[cells]
        chosen = [chosen[k] for k in order[: int(cells.max()) + 1]]
        areas = separated(cells)
        return self.written(motif, cells, areas, chosen, size, notes)

    def chosen(self, tones: Floats) -> list[Paint]:
        """Return the colours, mixed or free, that come closest to Lab colours [N, 3]."""
        groups, weight = grouped(tones)
        paints = self.paints()
        mixed = mixtures(paints) if paints else [Paint("", each) for each in rgb_of(groups)]
        cost = differences(groups, _lab(mixed)) ** 2
        return [mixed[k] for k in choose(cost, weight, min(self.options.colours, len(mixed)))]

    def paints(self) -> list[Paint]:
        """The paints of the user; empty where colours are free. Raises InputError, UsageError."""
        if not self.options.paints:
            return []
        found = []
        for number, row in read_rows(self.options.paints, "paints", "Titanium white,#f8f8f5"):
            try:
                name, colour = row
                found.append(Paint(name, np.array(parse_colour(colour))))
            except (ValueError, UsageError):
                if number > 1 or "#" in "".join(row):
                    raise UsageError(
                        f"{self.options.paints}, line {number}: {','.join(row)!r} is no paint",
                        hint="write Titanium white,#f8f8f5",
                    ) from None
        if not 2 <= len(found) <= 40:
            raise UsageError(
                f"{self.options.paints} has {len(found)} paints",
                hint="2 to 40 can be mixed: lines such as Titanium white,#f8f8f5",
            )
        return found

    def written(
        self,
        motif: Motif,
        cells: Labels,
        areas: Labels,
        colours: Sequence[Paint],
        size: tuple[float, float],
        notes: Sequence[str] = (),
    ) -> Made:
        """Return the template, the colours, the guide and the picture."""
        scale = np.array(size) / cells.shape[::-1]
        outlines = [line[:, ::-1] * scale for line in chains(areas)]
        spots = poles(areas)
        own = cells.ravel()[np.unique(areas, return_index=True)[1]]
        names = [hex_colour(each.colour) for each in colours]
        covered = np.bincount(cells.ravel(), minlength=len(colours)) * scale.prod() / 100
        number_of = np.bincount(own, minlength=len(colours))
        listed = zip(colours, names, number_of, strict=True)
        parts = [
            Part("colour", f"{k} ({paint.name})".removesuffix(" ()"), name, int(count))
            for k, (paint, name, count) in enumerate(listed, 1)
        ]
        parts.append(Part("canvas", f"{size[0]:.0f} x {size[1]:.0f} mm", "#ffffff", 1))
        rows = [
            [k + 1, names[k], paint.name, number_of[k], f"{covered[k]:.1f}"]
            for k, paint in enumerate(colours)
        ]
        words = [
            Words(str(number + 1), (x + 0.5) * scale[0], (y + 0.5) * scale[1] + 0.36 * high, high)
            for number, (y, x, radius) in zip(own, spots, strict=True)
            for high in [float(np.clip(0.9 * radius * scale.min(), *LETTERS))]
        ]
        files = {
            "colours.csv": motif.table(
                ["number", "colour", "mixture", "places", "square cm"], *rows
            ),
            "outlines.svg": _svg(motif, size, outlines, words, self.options.kerf / 2).encode(),
        }
        if self.options.dxf:
            plan = Plan(size, (), words, kerf=self.options.kerf, engraved=outlines)
            files["outlines.dxf"] = dxf_of(plan)
        made = Made(files, parts, _painted(cells, colours), notes)
        # A litre covers some 9 square metres once (The Paint Spot, How Much Paint Do I Need?). That
        # each place is painted twice, a wet layer of 0.2 mm, is assumed.
        steps = [
            f"Print the sheets of the template at 100 %, and trace them onto a canvas of "
            f"{size[0]:.0f} x {size[1]:.0f} mm, or glue them on.",
            f"Mix the {len(colours)} colours. The list of colours.csv says how large their areas "
            "are: a millilitre of acrylic covers about 50 square cm.",
            f"Paint all {len(own)} places, the light colours first. Each is wide enough for a "
            f"brush of {self.options.brush:g} mm at its number.",
        ]
        sheet = Sheet(*size)
        for line in outlines:
            sheet.line(line, 0.15, "#7a8fa6")
        sheet.box(0, 0, *size, edge=0.2)
        for text, x, y, high in words:
            sheet.label(x, y, text, high, colour="#5a6f86")

        def draw(guide: Guide) -> None:
            guide.tiled("Template", sheet)

        marks = range(1, len(colours) + 1)
        return guides(motif, "paint by numbers", made, steps, draw, marks, "places")


def mixtures(paints: Sequence[Paint]) -> list[Paint]:
    """Return the paints and the mixtures of two by `PARTS`.

    With R the reflectance, K / S = (1 - R)^2 / 2R of a mixture is the mean by parts.
    """
    light = [srgb_to_linear(each.colour.astype(np.float32)).clip(0.005, 1) for each in paints]
    absorbed = [(1 - each) ** 2 / (2 * each) for each in light]
    found = list(paints)
    for a, b in combinations(range(len(paints)), 2):
        for m, n in PARTS:
            ratio = (m * absorbed[a] + n * absorbed[b]) / (m + n)
            reflected = 1 + ratio - np.sqrt(ratio**2 + 2 * ratio)
            name = f"{m} {paints[a].name} + {n} {paints[b].name}"
            found.append(Paint(name, linear_to_srgb(reflected).astype(np.float64)))
    return found


def fillable(cells: Labels, colours: Floats, radius: float) -> Labels:
    """Give places into which no circle of `radius` pixels fits the nearest colour beside them."""
    cells = cells.copy()
    while True:
        areas = separated(cells)
        widest = poles(areas)[:, 2]
        thin = np.flatnonzero(widest < radius)
        if not len(thin) or len(widest) == 1:
            return cells
        boxes, changed = ndimage.find_objects(areas + 1), np.zeros(len(widest), bool)
        for number in thin[np.argsort(widest[thin], kind="stable")]:
            wide = tuple(slice(max(0, each.start - 1), each.stop + 1) for each in boxes[number])
            area = areas[wide] == number
            ring = ndimage.binary_dilation(area) & ~area
            near = np.unique(areas[wide][ring])
            # Two that change at once could exchange their colours for ever.
            if not len(near) or changed[near].any():
                continue
            beside = np.unique(cells[wide][ring])
            own = cells[wide][area][0]
            apart = np.linalg.norm(colours[beside] - colours[own], axis=1)
            cells[wide][area] = beside[apart.argmin()]
            changed[number] = True


def poles(areas: Labels) -> Floats:
    """Return row, column and radius of the largest circle in each place: [N, 3], in pixels."""
    padded = np.pad(areas, 1, constant_values=-1)
    border = np.zeros(padded.shape, bool)
    for axis in (0, 1):
        differs = np.diff(padded, axis=axis) != 0
        for side in (slice(None, -1), slice(1, None)):
            border[(side, slice(None)) if axis == 0 else (slice(None), side)] |= differs
    inside = ndimage.distance_transform_edt(~border)[1:-1, 1:-1]
    index = np.arange(int(areas.max()) + 1)
    places = np.array(ndimage.maximum_position(inside, areas, index), np.int64).reshape(-1, 2)
    radius = inside[places[:, 0], places[:, 1]] + 0.5
    return np.concatenate([places, radius[:, None]], 1)


def _painted(cells: Labels, colours: Sequence[Paint]) -> NDArray[np.uint8]:
    """Return the painted picture, with the traces of brushes."""
    large = smoothed(cells.repeat(LARGER, 0).repeat(LARGER, 1), 1.2 * LARGER)
    traces = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(large.shape), (1, 9))
    shade = 1 + 0.02 * traces / max(float(traces.std()), 1e-9)
    shown = np.stack([each.colour for each in colours])[large] * shade[..., None]
    return levels_of(shown)


def _svg(
    motif: Motif,
    size: tuple[float, float],
    outlines: Sequence[Floats],
    words: Sequence[Words],
    out: float,
) -> str:
    """Return outlines and numbers in millimetres; the edge is `out` mm outside of the canvas."""
    paths = "".join("M" + "L".join(f"{x:.2f},{y:.2f}" for x, y in line) for line in outlines)
    wide, high = (side + 2 * out for side in size)
    shown = (
        f'<rect x="{0 - out:g}" y="{0 - out:g}" width="{wide:.2f}" height="{high:.2f}" '
        f'fill="#fff"/>\n'
        f'<path d="{paths}" fill="none" stroke="#7a8fa6" stroke-width="0.2"/>\n'
        f'<g font-family="sans-serif" text-anchor="middle" fill="#5a6f86">\n{texts_of(words)}\n</g>'
    )
    return in_svg(size, out, motif.origin, shown)


def _lab(paints: Sequence[Paint]) -> Floats:
    return lab_of(np.stack([each.colour for each in paints], 1))
