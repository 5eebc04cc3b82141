"""Machine embroidery: a picture in areas of thread, for machines that read DST, PES, EXP, JEF, VP3.

Areas follow the picture and are joined until thread fills each. Strokes of a drawing, and what is
narrow, become satin across their length. The rest gets rows along the parts of a drawing, or in the
direction along which the picture changes least (the structure tensor; Förstner and Gülch, 1987),
above wide rows that hold the fabric. Large colours come first. Each goes a little below those that
come later, and no further, so thread does not pile up. Faces have smaller areas.
"""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from artgen import option
from artgen.errors import UsageError, install_hint
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen_makers.cutting import finer_than
from artgen_makers.grids import Colour, choose, differences, grouped, in_lab, read_table, tally
from artgen_makers.guide import Guide, guides, levels_of
from artgen_makers.paint import fillable
from artgen_makers.pdf import Sheet
from artgen_makers.stitches import Thread, Ways, below, direction, joined, rows, satin, sewn
from artgen_makers.tones import focused
from artgen_plugins.regions import Floats, Labels, cut, means, separated, smoothed

FORMATS = ("dst", "pes", "exp", "jef", "vp3")
BRANDS = {"dmc": "DMC", "brother": "Brother", "janome": "Janome"}
FINE, MOST_PIXELS = 0.15, 800
"""Least side of a pixel of the areas in mm, and most pixels along a side."""
LARGEST, MOST_STITCHES = 400.0, 120_000
"""Longest side in mm, and stitches that a design may have."""
RARE, FLAT = 0.004, 0.85
"""Colours with less of a picture are edges; a flat picture has at least so much of others."""
SOFT = 5.0
"""Strokes of which a drawing differs more (CIELAB) are soft: areas are sewn in their place."""
UNDER = 0.7
"""How far a colour goes below those that come later, in mm."""
CHROMA = 1.2
"""How much more colour threads have than the means of the picture, which go muddy."""
SURE = 1e4
"""How much more the direction of a part counts than that of the picture."""
SPARE = 1.3
"""Thread is taken up by the fabric: an estimate."""
THICK = 0.45
"""Width of the thread in the picture, in mm."""
_PIXELS = 1600


@dataclass(frozen=True)
class EmbroideryOptions:
    """Options of embroidery; lengths are millimetres."""

    width: float = option(120.0, "width of the design", low=10, high=LARGEST)
    hoop: str = option("", "hoop that it has to fit, as 100x100 or 130x180; empty: any")
    colours: int = option(16, "most colours of thread, which are chosen", low=1, high=40)
    areas: int = option(600, "about how many areas", low=2, high=2000)
    least: float = option(1.2, "width of the smallest area", low=0.6, high=20)
    spacing: float = option(0.4, "distance of rows", low=0.25, high=2)
    pull: float = option(0.2, "by how much rows are longer, since thread pulls", low=0, high=1)
    threads: str = option("dmc", "whose colours: dmc, brother or janome")
    fabric: str = option("#f3efe6", "colour of the fabric")
    bare: float = option(5.0, "areas so near to the fabric stay bare (CIEDE2000)", low=0, high=100)
    speed: int = option(700, "stitches per minute", low=50, high=2000)


class Block(NamedTuple):
    """What is sewn with one thread: runs, between which it is cut, in tenths of mm [N, 2]."""

    thread: Colour
    runs: list[Labels]

    @property
    def stitches(self) -> int:
        """How often the needle goes down."""
        return sum(map(len, self.runs))

    @property
    def length(self) -> float:
        """The length of all stitches in mm."""
        return sum(float(np.hypot(*np.diff(run, axis=0).T).sum()) for run in self.runs) / 10


class Embroidery(Maker):
    """Areas of thread in the order of their colours, as files for machines."""

    Options: ClassVar[type[Any]] = EmbroideryOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Cut the picture into areas, lay stitches, and write them for machines."""
        o = self.options
        if importlib.util.find_spec("pyembroidery") is None:
            raise UsageError(
                "embroidery needs the package pyembroidery, which is not installed",
                hint=install_hint("embroidery"),
            )
        # What is no thread or no colour is told at once.
        sold_threads(o.threads)
        parse_colour(o.fabric)
        size = o.width, o.width / motif.aspect
        self.check(size)
        columns = max(4, int(size[0] / max(FINE, max(size) / MOST_PIXELS)))
        unit = size[0] / columns
        rows_ = max(4, int(size[1] / unit + 1e-6))
        lab, weight = focused(motif.picture(columns, rows_))
        top, spines = motif.strokes(columns, rows_)
        shown = np.linalg.norm(lab - means(lab, top + 1)[top + 1], axis=2).mean()
        if shown > SOFT or all(spine is None for spine in spines):
            spines = []
        order, parts, threads, lost = self.areas(lab, weight, unit, top if spines else None)
        ways = motif.directions(columns, rows_)
        blocks = self.blocks(lab, ways, order, threads, unit, parts, spines)
        if not blocks:
            raise UsageError("no area is large enough to sew", hint="use a larger --width")
        notes = finer_than(motif, size, o.least, lost)
        return self.written(motif, blocks, size, notes)

    def check(self, size: tuple[float, float]) -> None:
        """Raise UsageError for sizes that cannot be sewn."""
        o = self.options
        told = f"a design of {size[0]:.0f} x {size[1]:.0f} mm"
        if max(size) > LARGEST or min(size) < 4 * o.least:
            raise UsageError(
                f"{told} cannot be sewn: sides are {4 * o.least:g} to {LARGEST:g} mm",
                hint="use another --width or --least",
            )
        about = size[0] * size[1] / o.spacing / 2.5
        if about > MOST_STITCHES:
            raise UsageError(
                f"{told} may take {about:,.0f} stitches, and {MOST_STITCHES:,} are the most",
                hint="use a smaller --width, or a larger --spacing",
            )
        if o.hoop:
            found = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)", o.hoop)
            if not found:
                raise UsageError(f"--hoop {o.hoop} is no size", hint="write 130x180, in mm")
            hoop = sorted(map(float, found.groups()))
            if any(side > free for side, free in zip(sorted(size), hoop, strict=True)):
                raise UsageError(
                    f"{told} does not fit a hoop of {o.hoop} mm",
                    hint="use a smaller --width or a larger --hoop",
                )

    def areas(
        self,
        lab: Floats,
        weight: Floats | None,
        unit: float,
        top: Labels | None = None,
    ) -> tuple[Labels, Labels, list[Colour], float]:
        """Return the place of each pixel's thread in the order, -1 where bare, and the threads.

        Between them is the number of the stroke of each pixel, from `top` [height, width], or of
        the area. The last is the share of the picture that is finer than the smallest area. Where
        `weight` [height, width] is more, areas are smaller.
        """
        o = self.options
        if top is not None:
            places = top + 1
        elif (found := flat(lab, 2 * o.colours)) is not None:
            places = found
        else:
            places = cut(lab, weight, o.areas)
        tones, fabric = means(lab, places), in_lab([o.fabric])
        bare = differences(tones, fabric)[:, 0] < o.bare
        tones *= [1, CHROMA, CHROMA]
        table = sold_threads(o.threads)
        sold = in_lab([each.colour for each in table])
        seen = np.setdiff1d(places, np.flatnonzero(bare))
        if not len(seen):
            raise UsageError(
                "the picture is as the fabric everywhere",
                hint="use another --fabric, or --bare 0",
            )
        groups, share = grouped(tones[seen])
        chosen = choose(differences(groups, sold) ** 2, share, min(o.colours, len(groups)))
        colours = np.concatenate([sold[chosen], fabric])
        nearest_one = differences(tones, colours[:-1]).argmin(1)
        nearest_one[bare] = len(chosen)
        least = o.least / unit / 2
        if top is None:
            fine = smoothed(nearest_one[places], 1.5)
            cells = parts = fillable(fine, colours, least)
        else:
            fine, parts = places, fillable(places, tones, least)
            cells = nearest_one[parts]
        lost = float((parts != fine).mean())
        covered = np.bincount(cells.ravel(), minlength=len(colours))[:-1]
        first = [int(k) for k in np.argsort(-covered, kind="stable") if covered[k]]
        order = np.full(len(colours), -1)
        order[first] = np.arange(len(first))
        return order[cells], parts, [table[chosen[k]] for k in first], lost

    def blocks(
        self,
        lab: Floats,
        ways: Floats,
        order: Labels,
        threads: Sequence[Colour],
        unit: float,
        parts: Labels,
        spines: Sequence[Floats | None] = (),
    ) -> list[Block]:
        """Return what is sewn with each thread, in this order.

        Rows lie along the parts of a drawing where `ways` [height, width] in radians is known.
        Satin lies across the `spines`, of which each pixel has number `parts` - 1.
        """
        o = self.options
        thread = Thread(o.spacing, o.pull)
        # Rows farther apart than an area is wide may all pass beside it.
        closer = thread._replace(spacing=min(o.spacing, o.least / 2))
        smooth = ndimage.gaussian_filter(lab[..., 0], 0.5 / unit)
        dy, dx = np.gradient(smooth)
        tensor = [ndimage.gaussian_filter(each, 1 / unit) for each in (dx * dx, dy * dy, dx * dy)]
        known = np.isfinite(ways)
        across, down = np.sin(ways), -np.cos(ways)
        for plane, told in zip(tensor, (across * across, down * down, across * down), strict=True):
            plane[known] = SURE * told[known]
        drawn = np.where(order < 0, -1, parts)
        areas = separated(drawn)
        boxes = ndimage.find_objects(areas + 1)
        blocks, pad = [], int(UNDER / unit) + 2
        for place, colour in enumerate(threads):
            numbers = np.unique(areas[order == place])
            pieces = []
            for number in numbers:
                box = tuple(slice(max(0, s.start - pad), s.stop + pad) for s in boxes[number])
                shape = areas[box] == number
                later = order[box] > place
                if spines:
                    # Strokes of one thread meet without a gap.
                    later |= (order[box] == place) & (areas[box] > number)
                close = ndimage.distance_transform_edt(~shape) <= UNDER / unit
                grown = ndimage.binary_propagation(shape, np.ones((3, 3)), shape | later & close)
                angle = direction([each[box] for each in tensor], shape)
                corner = np.array([box[1].start, box[0].start]) * unit
                number_of = drawn[box][shape][0] - 1 if spines else -1
                spine = spines[number_of] if number_of >= 0 else None
                if spine is not None:
                    spine = spine - (box[1].start, box[0].start)
                column = satin(grown, unit, thread, spine)
                under = column[:1] or below(grown, unit, angle)
                top = column[1:] or rows(grown, unit, angle, thread)
                top = top or rows(grown, unit, angle, closer)
                pieces.append([[run + corner for run in each] for each in (under, top)])
            runs: list[Floats] = []
            hidden = Ways(order >= place, unit)
            for under, top in nearest(pieces):
                joined(under, runs, hidden, seen=False)
                joined(top, runs, hidden, seen=True)
            middle = np.array(order.shape[::-1]) * unit / 2
            # A row that is longer than its area may not leave the hoop.
            tied = [sewn((run - middle).clip(-middle, middle)) for run in runs]
            if kept := [run for run in tied if len(run)]:
                blocks.append(Block(colour, kept))
        return blocks

    def written(
        self, motif: Motif, blocks: list[Block], size: tuple[float, float], notes: Sequence[str]
    ) -> Made:
        """Return the files for machines, the list, the guide and the picture."""
        o = self.options
        total = sum(each.stitches for each in blocks)
        cuts = sum(len(each.runs) for each in blocks)
        files = machine_files(blocks, motif.name, BRANDS[o.threads])
        lines = [
            [k, each.thread.number, each.thread.name, each.thread.colour, each.stitches,
             len(each.runs), f"{each.length / 1000:.2f}"]
            for k, each in enumerate(blocks, 1)
        ]  # fmt: skip
        head = ["stop", "number", "name", "colour", "stitches", "cuts", "metres sewn"]
        files["stops.csv"] = motif.table(head, *lines)
        parts = [
            Part("thread", f"{t.number} {t.name}", t.colour, block.stitches, SPARE * block.length)
            for block in blocks
            for t in [block.thread]
        ]
        wide, high = size
        fabric = hex_colour(np.array(parse_colour(o.fabric)))
        parts.append(Part("fabric", f"{wide + 60:.0f} x {high + 60:.0f} mm", fabric, 1))
        made = Made(files, parts, finished(blocks, size, fabric), notes)
        steps = (
            f"Hoop the fabric with a stabiliser that is cut away: the design is {wide:.0f} x "
            f"{high:.0f} mm. Sew a corner of it on a scrap first.",
            f"Copy the file that your machine reads. It has {total:,} stitches, some "
            f"{total / o.speed:.0f} minutes at {o.speed} a minute, {len(blocks) - 1} changes of "
            f"thread and {cuts} ends to trim.",
            "Change the thread at each stop, in the order of the list. Numbers are those of "
            + (
                "DMC's floss: take machine thread of the nearest colour, 40 weight."
                if o.threads == "dmc"
                else f"{BRANDS[o.threads]}'s chart of machine threads."
            ),
        )

        stops = [
            (t.colour, f"{k}. {t.number} {t.name}",
             f"{each.stitches:,} stitches, {len(each.runs)} ends, "
             f"{each.stitches / o.speed:.1f} min")
            for k, each in enumerate(blocks, 1)
            for t in [each.thread]
        ]  # fmt: skip

        def draw(guide: Guide) -> None:
            guide.tiled("Design at 1:1", _template(blocks, size))
            guide.listed("Stops", stops)

        return guides(motif, "embroidery", made, steps, draw, range(1, len(blocks) + 1), "stitches")


def sold_threads(kind: str) -> list[Colour]:
    """Return the threads of a brand: of floss, or of a chart that machines know by its numbers."""
    if kind not in BRANDS:
        raise UsageError(f"--threads {kind} is unknown", hint=f"use {', '.join(BRANDS)}")
    if kind == "dmc":
        return read_table(kind)
    import pyembroidery

    charts = {"brother": pyembroidery.EmbThreadPec, "janome": pyembroidery.EmbThreadJef}
    known = filter(None, charts[kind].get_thread_set())
    found = {t.hex_color(): Colour(t.catalog_number, t.description, t.hex_color()) for t in known}
    return list(found.values())


def flat(lab: Floats, most: int) -> Labels | None:
    """Return the number of each pixel's colour where few colours make up a picture, else None.

    Such a picture keeps its outlines: the colours between two of them are their edges.
    """
    found, inverse, counts = tally(lab.reshape(-1, 3), 4)
    usual = counts >= RARE * counts.sum()
    if usual.sum() > most or counts[usual].sum() < FLAT * counts.sum():
        return None
    apart = np.linalg.norm(found[:, None] - found[usual][None], axis=2)
    return np.asarray(apart.argmin(1)[inverse].reshape(lab.shape[:2]))


def nearest(pieces: Sequence[list[list[Floats]]]) -> list[list[list[Floats]]]:
    """Return pieces, what is below and above in each, so that the nearest is next."""
    left, found = [piece for piece in pieces if piece[1]], []
    at = np.zeros(2)
    while left:
        apart = [float(np.hypot(*(each[1][0][0] - at))) for each in left]
        found.append(left.pop(int(np.argmin(apart))))
        at = found[-1][1][-1][-1]
    return found


def machine_files(blocks: Sequence[Block], name: str, brand: str) -> dict[str, bytes]:
    """Return the design in each of `FORMATS`, by the name of its file."""
    import pyembroidery as machine

    pattern = machine.EmbPattern()
    pattern.extras["name"] = re.sub(r"[^A-Za-z0-9-]", "-", name)[:16] or "artgen"
    for number, block in enumerate(blocks):
        if number:
            pattern.add_command(machine.COLOR_CHANGE)
        t = block.thread
        told = {"hex": t.colour, "description": t.name, "catalog": t.number, "brand": brand}
        pattern.add_thread(told)
        for run in block.runs:
            for x, y in run.tolist():
                pattern.add_stitch_absolute(machine.STITCH, x, y)
            pattern.add_command(machine.TRIM)
    pattern.add_command(machine.END)
    files = {}
    for suffix in FORMATS:
        stream = io.BytesIO()
        writer = getattr(machine, f"{suffix.capitalize()}Writer")
        # A file of JEF would hold the hour in which it was written.
        settings = {"date": "20000101000000", "trims": True}
        machine.PyEmbroidery.write_embroidery(writer, pattern, stream, settings)
        files[f"design.{suffix}"] = stream.getvalue()
    return files


def finished(blocks: Sequence[Block], size: tuple[float, float], fabric: str) -> NDArray[np.uint8]:
    """Show thread on fabric: it shines most where it lies across the light."""
    border = 0.06 * max(size)
    scale = _PIXELS / (max(size) + 2 * border)
    wide, high = (round((side + 2 * border) * scale) for side in size)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:high, :wide] * (2 * np.pi / (0.5 * scale))
    weave = 0.025 * np.sin(x) * np.sin(y) + 0.03 * ndimage.gaussian_filter(
        rng.standard_normal((high, wide)), 1
    )
    ground = np.array(parse_colour(fabric)) * (1 + weave[..., None])
    image = Image.fromarray(levels_of(ground))
    image = image.resize((2 * wide, 2 * high), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(image)
    middle = np.array([wide, high], np.float64)
    for block in blocks:
        colour = np.array(parse_colour(block.thread.colour))
        for run in block.runs:
            points = run / 10 * 2 * scale + middle
            for a, b in pairwise(points):
                way = b - a
                shine = abs(np.sin(np.arctan2(way[1], way[0]) - 0.6))
                line = [*a, *b]
                for width, level, light in (
                    (1.15, 0.62, 0.0),
                    (0.85, 0.82 + 0.14 * shine, 0.0),
                    (0.4, 0.92 + 0.1 * shine, 0.16 * shine),
                ):
                    tone = (colour * level * (1 - light) + light).clip(0, 1)
                    ink = tuple(np.rint(255 * tone).astype(int).tolist())
                    pen.line(line, ink, max(1, round(width * THICK * 2 * scale)))
    return np.asarray(image.resize((wide, high), Image.Resampling.BOX))


def _template(blocks: Sequence[Block], size: tuple[float, float]) -> Sheet:
    """Return the design at 1:1 with its middle, to place it on the fabric."""
    sheet = Sheet(*size)
    for block in blocks:
        for run in block.runs:
            sheet.line(run / 10 + np.array(size) / 2, 0.12, block.thread.colour)
    sheet.box(0, 0, *size, edge=0.2)
    wide, high = size
    sheet.line([(wide / 2, 0), (wide / 2, high)], 0.15, "#d0021b")
    sheet.line([(0, high / 2), (wide, high / 2)], 0.15, "#d0021b")
    return sheet
