"""Sheets for knives, cutters and lasers: what holds together, and files of what is cut.

What is narrower than a tool can cut is opened and closed away (Serra, 1982). Islands get bridges
along what misses the picture least (Dijkstra, 1959). A file holds each line once, inner ones first,
so that nothing moves before it is cut: SVG in red and blue, DXF with layers CUT and ENGRAVE.
"""

from __future__ import annotations

import importlib.util
import io
import math
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from artgen import Art, Shape
from artgen.errors import UsageError, install_hint
from artgen.making import Motif, Part, parse_colour
from artgen_makers.pdf import CAP

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST = 8
"""Cells across the shorter side, below which a picture is no thing to cut."""
SMALL = 3.0
"""Islands and holes go that are smaller than a square so many times as wide as the narrowest."""
LOST = 0.08
"""The share of a drawing that may be too fine without a note."""
SHOWN = 1.5
"""Steps of tone by which a pixel of an island shows more than none."""
SEEN = 0.8
"""Steps of tone by which a pixel of a bridge is seen where it should not be."""
HELD, AROUND = 0.75, 3.0
"""By what share a sheet below has more of an island that goes to it than of what is so many halves
of the narrowest paper around."""
GLUED, LOOSE = 0.25, 4.0
"""The longest bridge of what is not glued, in sides of a square as large as its island; how many
times as large as the least island a loose piece is."""
NEAR, TRIED = 10.0, 400
"""How far from the cheapest way a bridge may cross a gap, in halves of a bridge; lines tried."""
SMOOTH = 1.0
"""Standard deviation of what smooths outlines, in pixels."""
CUT, ENGRAVE = "#e8002a", "#0050c8"


class Layer(NamedTuple):
    """A sheet: its colour, sRGB-encoded [3], where it is, and how many bridges it has."""

    colour: Floats
    sheet: Mask
    bridges: int


class Words(NamedTuple):
    """A text that is engraved: the middle of its base line and the size of its font, in mm."""

    text: str
    x: float
    y: float
    high: float


class Plan(NamedTuple):
    """What is cut of a sheet of `size`, in mm, x to the right and y downwards from its corner.

    `cuts` are closed lines [N, 2], whose last point is the first; those `engraved` may be open.
    `holes` are x, y and diameter. The sheet's own edge is cut where `edge` is true. Holes and edge
    are moved by half of the `kerf`; cuts are already.
    """

    size: tuple[float, float]
    cuts: Sequence[Floats]
    words: Sequence[Words] = ()
    holes: Sequence[tuple[float, float, float]] = ()
    edge: bool = True
    kerf: float = 0.0
    engraved: Sequence[Floats] = ()


def check_dxf(*, asked: bool) -> None:
    """Raise UsageError where DXF is asked for and cannot be written."""
    if asked and importlib.util.find_spec("ezdxf") is None:
        raise UsageError(
            "--dxf needs the package ezdxf, which is not installed",
            hint=install_hint("dxf"),
        )


def grid_of(motif: Motif, size: tuple[float, float], unit: float) -> tuple[int, int]:
    """Return columns and rows of cells of `unit` mm. Raises UsageError for a picture too narrow."""
    columns, rows = (round(side / unit) for side in size)
    if min(columns, rows) < FEWEST:
        raise UsageError(
            f"{motif.name} is too long and narrow: it would be {size[0]:.0f} x {size[1]:.0f} mm",
            hint="crop it",
        )
    return columns, rows


def finer_than(motif: Motif, size: tuple[float, float], narrow: float, lost: float) -> list[str]:
    """Return a note where the share `lost` of a drawing is finer than `narrow` mm: what fits it.

    Parts that are some three times as wide as the narrowest keep their shape.
    """
    if motif.art is None or lost < LOST:
        return []
    least = (3 * narrow) ** 2
    count = max(motif.art.primitive().least_count, round(size[0] * size[1] / least))
    return [
        f"{100 * lost:.0f} % of the drawing is finer than {narrow:g} mm and goes: use a larger "
        f"--width, or fit larger parts: {fit_like(motif.art, count)}"
    ]


def colours_for(
    flag: str, text: str, least: int, most: int, count: int | None, other: str
) -> list[Floats]:
    """Return the colours that a flag names, sRGB-encoded [3] each; none for an empty text.

    Raises UsageError where they are not `least` to `most`, or not as many as the `other` flag asks
    for, which is the `count`, if it is given.
    """
    found = [np.array(parse_colour(each)) for each in text.split(",") if each.strip()]
    if found and not least <= len(found) <= most:
        raise UsageError(f"{flag} has {len(found)} colours", hint=f"give {least} to {most}")
    if found and count not in (None, len(found)):
        raise UsageError(
            f"{flag} has {len(found)} colours, and {other} asks for {count}",
            hint="leave one of them out",
        )
    return found


def recoloured(
    own: Sequence[Floats], given: Sequence[Floats], options: Any, names: Sequence[str]
) -> tuple[Sequence[Floats], list[str]]:
    """Return the colours of a drawing that is cut as it is: those `given` if there is one for each.

    A note tells of `options` for pictures that were asked for. The first of their `names` is that
    of the number of colours, the second that of the colours.
    """
    number, colours, *others = names
    asked = [n for n in others if getattr(options, n) != getattr(type(options), n)]
    asked += [number] * (getattr(options, number) not in (None, len(own)))
    asked += [colours] * (len(given) not in (0, len(own)))
    flags = ", ".join(f"--{name}" for name in asked)
    notes = [f"{flags}: of no use for a drawing, which is cut as it is (colours: {len(own)})"]
    return given if len(given) == len(own) else own, notes * bool(asked)


def lacking(number: int, what: str, lack: str, hint: str) -> list[str]:
    """Return a note of so many colours for which there is nothing to cut; none where all have."""
    many = f"{number} {what}" + (" has" if number == 1 else "s have")
    return [f"{many} no {lack}: {hint}"] * (number > 0)


def as_pieces(motif: Motif, bridges: int, meet: str, gap: float) -> list[str]:
    """Return a note where a drawing of shapes takes bridges: the fit in which they `meet` as asked.

    `gap` is that of the engine `pieces`, a share of the shorter side.
    """
    shape = motif.art.primitive() if motif.art is not None and bridges else None
    # The engine knows neither mixtures nor copies.
    if not isinstance(shape, Shape) or len(shape.members) > 1 or shape.copies is not None:
        return []
    assert motif.art is not None
    recipe = motif.art.recipe
    if any(each.engine == "pieces" and each.options["meet"] == meet for each in recipe.stage):
        return []
    count = motif.art.drawing.tensors["alpha"].shape[-1]
    # The first shapes leave room for the others.
    rule = {"meet": meet, "gap": f"{gap:.2g}", "converge": "1e-6"}
    words = [f"engine.{key}={value}" for key, value in rule.items()]
    words.append(f"max_size={min(1.0, 3 / math.sqrt(count)):.2g}")
    flags = [word for each in words for word in ("--set", each)]
    palette = recipe.target.palette
    flags += ["--palette", ",".join(palette)] if isinstance(palette, tuple) else []
    told = {"never": "that are apart need none", "always": "that are one piece need fewer"}[meet]
    again = shlex.join(["-e", "pieces", *flags, "--background", recipe.target.background])
    why = f"bridges hold this drawing ({bridges}): shapes {told}"
    return [f"{why}: {fit_like(motif.art, count)} {again}"]


def fit_like(art: Art, count: int) -> str:
    """Return the command that fits so many parts to the picture of a drawing."""
    words = ["artgen", "fit", art.recipe.target.source, "-p", art.drawing.primitive]
    return shlex.join([*words, "-n", str(count)])


def opened(mask: Mask, radius: float) -> Mask:
    """Keep what a disk of this radius in pixels can reach inside of a mask."""
    inside = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1] > radius
    if not inside.any():
        return np.zeros_like(mask)
    return np.asarray(mask & (ndimage.distance_transform_edt(~inside) <= radius))


def without_small(mask: Mask, least: float) -> Mask:
    """Leave out what has fewer than `least` pixels."""
    areas, _ = ndimage.label(mask, np.ones((3, 3)))
    return np.asarray(mask & (np.bincount(areas.ravel()) >= least)[areas])


def joined(
    paper: Mask,
    radius: float,
    missed: Floats,
    bridge: float = 0.0,
    longest: float = math.inf,
    below: Mask | None = None,
    glue: bool = False,
) -> tuple[Mask, int]:
    """Join islands to what holds the frame by bridges; return also their number.

    Bridges are 2 `bridge` wide, or 2 `radius` as the narrowest paper. They go where they are
    cheapest (Dijkstra, 1959): along what the sheet misses least, by `missed`, steps of tone at each
    pixel; and straight across gaps, where these are narrow. Islands go that are small, that show
    less than their bridge would miss, or of whose bridge more is seen than `longest` times the side
    of a square as large as they are; these only where `below`, if there is one, shows them still.
    To `glue` is to leave islands loose on the paper `below`, where much of a bridge would be seen.
    """
    from skimage.graph import MCP_Geometric

    least = (2 * SMALL * radius) ** 2
    paper = ~without_small(~paper, least)
    paper = without_small(paper, least)
    areas, count = ndimage.label(paper, np.ones((3, 3)))
    frame = int(areas[0, 0])  # The border is a part of each sheet.
    islands = [k for k in range(1, count + 1) if k != frame]
    if not islands:
        return paper, 0
    ways = MCP_Geometric(np.where(paper, 0.02, 0.3 + missed))
    rim = (areas == frame) & ndimage.binary_dilation(areas != frame, np.ones((3, 3)))
    costs, _ = ways.find_costs(np.argwhere(rim))
    free, wide, built = np.ones(paper.shape, bool), 2 * (bridge or radius), 0
    loose, crossed = np.zeros_like(free), set[int]()
    for island in islands:
        inside = np.argwhere(areas == island)
        begin = inside[costs[tuple(inside.T)].argmin()]
        found = np.array(ways.traceback(begin))
        # Gaps are what the way crosses between one area and the next.
        on = np.flatnonzero(paper[tuple(found.T)])
        gaps = [(found[a], found[b]) for a, b in pairwise(on) if b > a + 1]
        lines = [straight(areas, missed, *gap, near=NEAR * radius) for gap in gaps]
        way = tuple(np.concatenate([found[:1], *lines]).T)
        lost, size = missed[way] * ~paper[way], len(inside)
        seen = (lost > SEEN).sum() / size**0.5
        rests = glue and below is not None and below[tuple(inside.T)].mean() > HELD
        if rests and seen > GLUED and size > LOOSE * least:
            loose |= areas == island
            continue
        long = seen > longest
        if long and below is not None:
            # It is seen in the sheet below where that has it, and not what is around.
            apart = ndimage.distance_transform_edt(areas != island)
            ring = (apart > AROUND * radius) & (apart <= (AROUND + 1) * radius)
            long = below[tuple(inside.T)].mean() - below[ring].mean() > HELD
        if not (lost.sum() * wide > SHOWN * size or long):
            free[way], built = False, built + 1
            crossed.update(areas[tuple(found.T)].tolist())
        elif island not in crossed:
            paper = paper & (areas != island)
    bridges: Mask = ndimage.distance_transform_edt(free | paper) <= (bridge or radius)
    areas, _ = ndimage.label(paper | bridges, np.ones((3, 3)))
    held: Mask = np.isin(areas, [areas[0, 0], *np.unique(areas[loose])])
    return held, built


def straight(areas: NDArray[Any], missed: Floats, first: Any, last: Any, near: float) -> Any:
    """Return the pixels [N, 2] of a line between the areas of two pixels, short and missed little.

    It begins and ends `near` these, in pixels, or as near as they are to each other.
    """
    from scipy.spatial import cKDTree
    from skimage.draw import line

    reach = max(near, float(np.hypot(*(last - first))))
    low = np.maximum(np.minimum(first, last) - int(reach), 0)
    high = np.maximum(first, last) + int(reach) + 1
    window = areas[low[0] : high[0], low[1] : high[1]]
    one, other = (np.argwhere(window == areas[tuple(end)]) + low for end in (first, last))
    long, nearest = cKDTree(other).query(one)
    best, least = np.array([first, last]), np.inf
    for place in np.argsort(long, kind="stable")[:TRIED]:
        pixels = np.stack(line(*one[place], *other[nearest[place]]), 1)  # type: ignore[no-untyped-call]
        cost = float((0.3 + missed[tuple(pixels.T)]).sum())
        if cost < least:
            best, least = pixels, cost
    return best


def outlines(paper: Mask, unit: float, kerf: float = 0.0) -> list[Floats]:
    """Return closed lines round all that is cut inside of a sheet: x and y in mm, [N, 2].

    A cut `kerf` mm wide beside its line leaves the paper as it shall be.
    """
    from skimage.measure import approximate_polygon, find_contours

    smooth = ndimage.gaussian_filter(paper.astype(np.float64), SMOOTH, mode="nearest")
    level = 0.5
    if kerf:
        inside, outside = map(ndimage.distance_transform_edt, (paper, ~paper))
        away = np.where(paper, inside - 0.5, 0.5 - outside)
        smooth, level = ndimage.gaussian_filter(away, SMOOTH, mode="nearest"), -kerf / 2 / unit
    lines = find_contours(smooth, level, fully_connected="high")  # type: ignore[no-untyped-call]
    return [(approximate_polygon(line, 0.1)[:, ::-1] + 0.5) * unit for line in lines]  # type: ignore[no-untyped-call]


def cuts_of(layers: Iterable[Layer], unit: float, kerf: float) -> tuple[list[list[Floats]], Part]:
    """Return the lines [N, 2] cut in each sheet, inner ones first, and their length as a part."""
    cuts = [inner_first(outlines(each.sheet, unit, kerf)) for each in layers]
    length = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for c in cuts for line in c)
    return cuts, Part("cuts inside of the sheets", length=length)


def inner_first(lines: Iterable[Floats]) -> list[Floats]:
    """Return lines in the order in which they are cut: what lies inside of another is smaller."""
    return sorted(lines, key=lambda line: float(np.ptp(line, axis=0).max()))


def files(name: str, plan: Plan, origin: str, dxf: bool) -> dict[str, bytes]:
    """Return the plan as `name`.svg and, if asked for, `name`.dxf."""
    found = {f"{name}.svg": svg(plan, origin).encode()}
    return found | ({f"{name}.dxf": dxf_of(plan)} if dxf else {})


def svg(plan: Plan, origin: str) -> str:
    """Return a plan in millimetres: what is engraved, what is cut inside, and then the edge."""
    out = plan.kerf / 2
    words, engraved = texts_of(plan.words), "\n".join(map(path_of, plan.engraved))
    cuts = [
        f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{wide / 2 - out:g}"/>' for x, y, wide in plan.holes
    ]
    cuts += map(path_of, plan.cuts)
    left, across, down = 0 - out, *(f"{side + plan.kerf:.2f}" for side in plan.size)
    if plan.edge:
        cuts.append(f'<rect x="{left:g}" y="{left:g}" width="{across}" height="{down}"/>')
    lines = "\n".join(cuts)
    shown = (
        f'<g text-anchor="middle" font-family="sans-serif" fill="{ENGRAVE}">\n{words}\n</g>\n'
        f'<g fill="none" stroke="{ENGRAVE}" stroke-width="0.1">\n{engraved}\n</g>\n'
        f'<g fill="none" stroke="{CUT}" stroke-width="0.1">\n{lines}\n</g>'
    )
    return in_svg(plan.size, out, origin, shown)


def in_svg(size: tuple[float, float], out: float, origin: str, shown: str) -> str:
    """Return what is shown as an SVG in mm, `out` mm larger on each side, that says its origin."""
    wide, high = (f"{side + 2 * out:.2f}" for side in size)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}mm" height="{high}mm" '
        f'viewBox="{0 - out:g} {0 - out:g} {wide} {high}">\n<desc>{escape(origin)}</desc>\n'
        f"{shown}\n</svg>\n"
    )


def path_of(line: Floats) -> str:
    """Return a line as an element of SVG."""
    return f'<path d="M{"L".join(f"{x:.2f},{y:.2f}" for x, y in line)}"/>'


def texts_of(words: Iterable[Words]) -> str:
    """Return words as elements of SVG."""
    return "\n".join(
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{high:.2f}">{escape(text)}</text>'
        for text, x, y, high in words
    )


def dxf_of(plan: Plan) -> bytes:
    """Return the same as DXF R12 in millimetres, y upwards, in the order in which it is cut."""
    from ezdxf.addons.r12writer import R12FastStreamWriter

    (wide, high), out = plan.size, plan.kerf / 2
    text = io.StringIO()
    drawing = R12FastStreamWriter(text)
    for word, x, y, size in plan.words:
        # DXF asks for the height of capitals.
        tall = CAP * size
        drawing.add_text(word, (x, high - y), height=tall, align="CENTER", layer="ENGRAVE")
    for x, y, across in plan.holes:
        drawing.add_circle((x, high - y), across / 2 - out, layer="CUT")
    edge = np.array(
        [[-out, -out], [wide + out, -out], [wide + out, high + out], [-out, high + out]]
    )
    lines = [("ENGRAVE", each) for each in plan.engraved]
    lines += [("CUT", each) for each in plan.cuts]
    edge = np.concatenate([edge, edge[:1]])
    for layer, line in [*lines, *([("CUT", edge)] if plan.edge else [])]:
        points = [(round(x, 3), round(high - y, 3)) for x, y in line.tolist()]
        closed = points[0] == points[-1]
        drawing.add_polyline_2d(points[:-1] if closed else points, closed=closed, layer=layer)
    drawing.close()
    return text.getvalue().encode()
