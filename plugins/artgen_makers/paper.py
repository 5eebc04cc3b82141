"""Pictures of cut paper: sheets in tones, one over another, each of which holds together.

A sheet has paper where the picture is as dark as its tone, or darker, and a frame. What is narrower
than a knife can cut is opened and closed away (Serra, 1982); what is not joined to the frame gets a
bridge along what is nearly as dark, or goes if it is small.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen_makers.grids import choose, grouped
from artgen_makers.guide import Guide, guides
from artgen_makers.pdf import Sheet
from artgen_plugins.regions import lab_of, means

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

FINE, MOST_PIXELS = 4.0, 1000
"""Pixels across what is narrowest, and most pixels along a side."""
SMALL = 3.0
"""Islands and holes go that are smaller than a square so many times as wide as the narrowest."""
TONE = 8.0
"""A step of lightness (CIELAB) that makes a bridge some four times as dear."""
CHROMA = 1.3
"""How much more colour papers have than the means of the picture."""
HOLE = 3.0
"""Diameter of the holes in the corners of the frame, in mm."""
SMOOTH = 1.0
"""Standard deviation of what smooths outlines, in pixels."""
SHADOW = 0.5
LARGER = 2
"""Pixels of the picture of the finished thing along one of the sheets."""
CUT, ENGRAVE = "#e8002a", "#0050c8"


@dataclass(frozen=True)
class PaperOptions:
    """Options of pictures of cut paper."""

    width: float = option(180.0, "width of the sheets in mm", low=40, high=2000)
    layers: int = option(6, "sheets, with the one behind all", low=2, high=12)
    frame: float = option(8.0, "width of the frame in mm", low=5, high=200)
    narrow: float = option(1.2, "least width of paper and of gaps in mm", low=0.3, high=50)
    front: str = option("dark", "what is in front: dark or light")
    kerf: float = option(0.0, "width of the laser's cut in mm, which is made up for", low=0, high=1)
    dxf: bool = option(False, "write DXF too, with layers CUT and ENGRAVE")
    papers: str = option("", "colours from the back to the front, with commas; empty: of the photo")


class Layer(NamedTuple):
    """A sheet: its colour, sRGB-encoded [3], where it has paper, and the middles of its bridges."""

    colour: Floats
    paper: Mask
    bridges: int


class Paper(Maker):
    """Sheets of paper, one over another."""

    Options: ClassVar[type[Any]] = PaperOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Share the tones among the sheets, and make each hold together."""
        o = self.options
        if o.front not in ("dark", "light"):
            raise UsageError(f"--front {o.front} is unknown", hint="use dark or light")
        if o.dxf and importlib.util.find_spec("ezdxf") is None:
            raise UsageError(
                "--dxf needs the package ezdxf, which is not installed",
                hint="pip install 'artgen[dxf]'",
            )
        if o.kerf > o.narrow / 2:
            raise UsageError(
                f"a cut of {o.kerf:g} mm is too wide for gaps of {o.narrow:g} mm",
                hint="use a larger --narrow",
            )
        inner = o.width - 2 * o.frame, (o.width - 2 * o.frame) / motif.aspect
        if min(inner) < 10 * o.narrow:
            raise UsageError(
                f"a frame of {o.frame:g} mm leaves {inner[0]:.0f} x {inner[1]:.0f} mm",
                hint="ask for a larger --width, or a smaller --frame or --narrow",
            )
        size = o.width, inner[1] + 2 * o.frame
        unit = max(o.narrow / FINE, max(size) / MOST_PIXELS)
        columns, rows = (round(side / unit) for side in inner)
        lab = lab_of(np.moveaxis(motif.picture(columns, rows) / 255, 2, 0))
        layers = self.layered(lab, unit)
        if len(layers) < 2:
            raise UsageError(f"{motif.name} has one tone alone", hint="take another picture")
        cuts = [_inner_first(outlines(each.paper, unit, o.kerf)) for each in layers]
        files = {
            f"layer-{k}.svg": _svg(motif, size, o, lines, k).encode()
            for k, lines in enumerate(cuts, 1)
        }
        if o.dxf:
            files |= {f"layer-{k}.dxf": _dxf(size, o, lines, k) for k, lines in enumerate(cuts, 1)}
        wide, high = size
        parts = [
            Part("paper", f"layer {k}, {wide:.0f} x {high:.0f} mm", hex_colour(each.colour), 1)
            for k, each in enumerate(layers, 1)
        ]
        length = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for c in cuts for line in c)
        parts.append(Part("cuts inside of the sheets", length=length))
        made = Made(files, parts, finished(layers))
        bridges = sum(each.bridges for each in layers)
        steps = (
            f"Print the sheets at 100 % and lay each on its paper, {wide:.0f} x {high:.0f} mm. Or "
            "let a cutter or laser read layer-1.svg and the others: red is cut, blue engraved.",
            f"Cut small places first, then large ones, then the edge. Bridges ({bridges}) hold "
            "what would fall out: they are part of the sheet.",
            "Stack from layer 1 on with pins through the holes. Glue along the frame, or with "
            "pads of foam between the sheets, for shadows.",
        )

        def draw(guide: Guide) -> None:
            for k, lines in enumerate(cuts, 1):
                sheet = Sheet(*size)
                sheet.box(0, 0, *size, edge=0.25)
                for x, y in _holes(size, o.frame):
                    sheet.dot(x, y, HOLE / 2, "#999999")
                for line in lines:
                    sheet.line(line, 0.25)
                guide.tiled(f"Layer {k} of {len(cuts)}", sheet)

        return guides(motif, "paper in layers", made, steps, draw)

    def layered(self, lab: Floats, unit: float) -> list[Layer]:
        """Return the sheets from the back to the front for a picture in CIELAB, `unit` mm fine."""
        from scipy.ndimage import gaussian_filter

        o = self.options
        sign = -1 if o.front == "dark" else 1
        smooth = np.stack([gaussian_filter(lab[..., k], 0.4 * FINE) for k in range(3)], 2)
        light, near = sign * smooth[..., 0], o.narrow / unit / 2
        papers = [np.array(parse_colour(each)) for each in o.papers.split(",") if each.strip()]
        if papers and not 2 <= len(papers) <= 12:
            raise UsageError(f"{len(papers)} papers cannot be stacked", hint="give 2 to 12")
        tones, weight = grouped(light.reshape(-1, 1))
        wanted = len(papers) or o.layers
        chosen = choose((tones - tones.T) ** 2, weight, min(wanted, len(tones)))
        levels = np.sort(tones[chosen, 0])
        band = np.searchsorted((levels[1:] + levels[:-1]) / 2, light)
        colours = papers or _colours(means(lab, band), levels * sign)
        edge = round(o.frame / unit)
        border = np.pad(np.zeros(light.shape, bool), edge, constant_values=True)
        light, band = (np.pad(each, edge, mode="edge") for each in (light, band))
        layers = [Layer(colours[0], np.ones(light.shape, bool), 0)]
        for k in range(1, len(levels)):
            paper = _opened(~_opened(~((band >= k) | border), near), near) | border
            missed = (levels[k] - light).clip(0) / TONE
            layers.append(Layer(colours[k], *joined(paper, near, missed)))
        return layers


def _colours(lab: Floats, levels: Floats) -> list[Floats]:
    """Return papers of the mean colours, with more colour, and tones that are well apart."""
    from skimage.color import lab2rgb

    low, high = levels.min(), levels.max()
    even = np.clip((levels - low) / max(high - low, 1), 0, 1) * 78 + 14
    lab = np.concatenate([0.5 * (even + levels)[:, None], CHROMA * lab[:, 1:]], 1)
    return list(lab2rgb(lab[None])[0])


def _opened(mask: Mask, radius: float) -> Mask:
    """Keep what a disk of this radius in pixels can reach inside of a mask."""
    from scipy.ndimage import distance_transform_edt as distance

    inside = distance(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1] > radius
    if not inside.any():
        return np.zeros_like(mask)
    kept: Mask = mask & (distance(~inside) <= radius)
    return kept


def _without_small(mask: Mask, least: float) -> Mask:
    """Leave out what has fewer than `least` pixels."""
    from scipy.ndimage import label

    areas, _ = label(mask, np.ones((3, 3)))
    kept: Mask = mask & (np.bincount(areas.ravel()) >= least)[areas]
    return kept


def joined(paper: Mask, radius: float, missed: Floats) -> tuple[Mask, int]:
    """Join islands to what holds the frame by bridges 2 `radius` wide; return also their number.

    Bridges go where they are cheapest (Dijkstra, 1959): along what the sheet misses least, by
    `missed`, steps of tone at each pixel. Islands that are small go.
    """
    from scipy.ndimage import distance_transform_edt, label
    from skimage.graph import MCP_Geometric

    least = (2 * SMALL * radius) ** 2
    paper = ~_without_small(~paper, least)
    paper = _without_small(paper, least)
    areas, count = label(paper, np.ones((3, 3)))
    frame = int(areas[0, 0])  # The border is a part of each sheet.
    islands = [k for k in range(1, count + 1) if k != frame]
    if not islands:
        return paper, 0
    ways = MCP_Geometric(np.where(paper, 0.02, 0.3 + missed))
    costs, _ = ways.find_costs(np.argwhere(areas == frame))
    free = np.ones(paper.shape, bool)
    for island in islands:
        inside = np.argwhere(areas == island)
        begin = inside[costs[tuple(inside.T)].argmin()]
        free[tuple(np.array(ways.traceback(begin)).T)] = False
    bridges: Mask = distance_transform_edt(free | paper) <= radius
    return paper | bridges, len(islands)


def outlines(paper: Mask, unit: float, kerf: float = 0.0) -> list[Floats]:
    """Return closed lines round all that is cut inside of a sheet: x and y in mm, [N, 2].

    A cut `kerf` mm wide beside its line leaves the paper as it shall be.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter
    from skimage import measure

    simplify: Any = measure.approximate_polygon
    contours: Any = measure.find_contours
    smooth = gaussian_filter(paper.astype(np.float64), SMOOTH, mode="nearest")
    level = 0.5
    if kerf:
        inside, outside = distance_transform_edt(paper), distance_transform_edt(~paper)
        away = np.where(paper, inside - 0.5, 0.5 - outside)
        smooth, level = gaussian_filter(away, SMOOTH, mode="nearest"), -kerf / 2 / unit
    lines = contours(smooth, level, fully_connected="high")
    return [(simplify(line, 0.1)[:, ::-1] + 0.5) * unit for line in lines]


def _holes(size: tuple[float, float], frame: float) -> list[tuple[float, float]]:
    """Return the middles of the holes for pins, in mm."""
    wide, high = size
    return [(x, y) for x in (frame / 2, wide - frame / 2) for y in (frame / 2, high - frame / 2)]


def _inner_first(lines: Sequence[Floats]) -> list[Floats]:
    return sorted(lines, key=lambda line: float(np.ptp(line, axis=0).max()))


def _svg(
    motif: Motif,
    size: tuple[float, float],
    o: PaperOptions,
    lines: Sequence[Floats],
    number: int,
) -> str:
    """Return a sheet in millimetres: what is engraved, what is cut inside, and then the edge."""
    wide, high = size
    out = o.kerf / 2
    holes = "\n".join(
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{HOLE / 2 - out:g}"/>'
        for x, y in _holes(size, o.frame)
    )
    paths = "\n".join(
        f'<path d="M{"L".join(f"{x:.2f},{y:.2f}" for x, y in line)}"/>' for line in lines
    )
    left, across, down = 0 - out, f"{wide + o.kerf:.2f}", f"{high + o.kerf:.2f}"
    edge = f'<rect x="{left:g}" y="{left:g}" width="{across}" height="{down}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}mm" height="{down}mm" '
        f'viewBox="{left:g} {left:g} {across} {down}">\n<desc>{escape(motif.origin)}</desc>\n'
        f'<text x="{wide / 2:.2f}" y="{0.7 * o.frame:.2f}" font-size="{min(o.frame / 2, 4):.2f}" '
        f'text-anchor="middle" font-family="sans-serif" fill="{ENGRAVE}">{number}</text>\n'
        f'<g fill="none" stroke="{CUT}" stroke-width="0.1">\n{holes}\n{paths}\n'
        f"{edge}\n</g>\n</svg>\n"
    )


def _dxf(size: tuple[float, float], o: PaperOptions, lines: Sequence[Floats], number: int) -> bytes:
    """Return the same as DXF R12 in millimetres, y upwards, in the order in which it is cut."""
    from ezdxf.addons.r12writer import R12FastStreamWriter

    wide, high = size
    out = o.kerf / 2
    text = io.StringIO()
    drawing = R12FastStreamWriter(text)
    drawing.add_text(
        str(number), (wide / 2, high - 0.7 * o.frame), height=min(o.frame / 2, 4), layer="ENGRAVE"
    )
    for x, y in _holes(size, o.frame):
        drawing.add_circle((x, high - y), HOLE / 2 - out, layer="CUT")
    edge = np.array(
        [[-out, -out], [wide + out, -out], [wide + out, high + out], [-out, high + out]]
    )
    for line in [*(each[:-1] for each in lines), edge]:
        points = [(round(x, 3), round(high - y, 3)) for x, y in line.tolist()]
        drawing.add_polyline_2d(points, closed=True, layer="CUT")
    drawing.close()
    return text.getvalue().encode()


def finished(layers: Sequence[Layer]) -> Pixels:
    """Show the stack in light from the upper left, each sheet with its shadow on those below."""
    from scipy.ndimage import gaussian_filter, shift

    rng = np.random.default_rng(0)
    high, wide = (side * LARGER for side in layers[0].paper.shape)
    shown = np.zeros((high, wide, 3))
    for layer in layers:
        large = layer.paper.repeat(LARGER, 0).repeat(LARGER, 1).astype(np.float64)
        cover = np.clip(
            4 * (gaussian_filter(large, LARGER * SMOOTH, mode="nearest") - 0.5) + 0.5, 0, 1
        )
        step = 0.004 * max(high, wide)
        dark = shift(gaussian_filter(cover, 1.2 * step), (step, step), order=1, mode="nearest")
        grain = gaussian_filter(rng.standard_normal((high, wide)), 1.0)[..., None]
        sheet = layer.colour * (1 + 0.03 * grain)
        shown *= 1 - SHADOW * (dark * (1 - cover))[..., None]
        shown = shown * (1 - cover[..., None]) + sheet * cover[..., None]
    pixels: Pixels = np.rint(255 * shown.clip(0, 1)).astype(np.uint8)
    return pixels
