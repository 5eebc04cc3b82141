"""Linocut and woodcut: a block for each ink, mirrored, the lightest printed first.

A block prints where the picture is as dark as its ink, or darker. In the darkest, tones in between
are lines that bend with the form, wider where it is darker, as a gouge cuts them. What stays is as
wide as a ridge has to be, and what is cut as wide as a gouge. A drawing of ink is cut as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from artgen import Ink, option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen_makers.cutting import (
    Plan,
    check_dxf,
    colours_for,
    dxf_of,
    finer_than,
    grid_of,
    in_svg,
    inner_first,
    lacking,
    opened,
    outlines,
    recoloured,
    without_small,
)
from artgen_makers.guide import Guide, guides, levels_of
from artgen_makers.pdf import Sheet
from artgen_makers.tones import bands, blurred, colours, darkness

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FINE, MOST_PIXELS = 4.0, 1600
"""Pixels across what is narrowest, and most pixels along a side."""
SPECKS = 2.0
"""Marks and gaps go that are smaller than a square so many times as wide as the narrowest."""
SLANT, BEND, DEPTH = 0.6, 2.2, 0.34
"""The angle of lines in radians, periods by which they bend from white to black, and the range of
tones that they show."""
CLEAR = 0.4
"""How far around the print the block is cut away, as a share of its border."""
ARM, DEEP = 20.0, 3.0
"""Length and width of the kento's arms, in mm."""
LOST = 0.05
"""The share of a block whose fine marks may go without a note."""
TAB = 6.0
"""Diameter of the circles for pins of Ternes-Burton, in mm: assumed."""
OPAQUE = 0.85
"""How much an ink hides of those below it."""
USUAL = 2
"""Inks, where neither they nor their colours are asked for."""
_PIXELS = 1400


@dataclass(frozen=True)
class BlockOptions:
    """Options of linocut and woodcut; lengths are millimetres."""

    width: float = option(150.0, "width of the print", low=30, high=1500)
    border: float = option(15.0, "width of the block around the print", low=0, high=200)
    inks: int | None = option(
        None, "blocks, one for each ink: 2, or as many as --colours", low=1, high=5
    )
    colours: str = option("", "of the inks, the lightest first, with commas; empty: chosen")
    ridge: float = option(0.6, "least width of what stays", low=0.2, high=20)
    gap: float = option(0.8, "least width of what a gouge cuts", low=0.2, high=20)
    lines: float = option(2.4, "distance of lines in between; 0: masses alone", low=0, high=50)
    local: float = option(0.6, "how much tones are relative to those around", low=0, high=1)
    register: str = option("kento", "how the paper is placed: kento or pins")
    paper: str = option("#f6f1e7", "colour of the paper")
    kerf: float = option(0.0, "width of what cuts, by half of which lines move", low=0, high=3)
    dxf: bool = option(False, "write DXF of what is cut away too")


class Layer(NamedTuple):
    """A block: the colour of its ink, sRGB-encoded [3], and where it prints, not mirrored."""

    colour: Floats
    print: Mask


class Block(Maker):
    """Blocks of lino or wood."""

    Options: ClassVar[type[Any]] = BlockOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Share the tones among the blocks, and draw what is cut away of each."""
        o = self.options
        size = o.width, o.width / motif.aspect
        self.check(size)
        unit = max(min(o.ridge, o.gap) / FINE, max(size) / MOST_PIXELS)
        columns, rows = grid_of(motif, size, unit)
        given, notes = self.given(), list[str]()
        if motif.art is not None and isinstance(motif.art.primitive(), Ink):
            layers = drawn(motif.art, columns, rows)
            names = "inks", "colours", "lines", "local"
            inks, notes = recoloured([each.colour for each in layers], given, o, names)
            pairs = zip(layers, inks, strict=True)
            layers = [layer._replace(colour=ink) for layer, ink in pairs]
            wanted, fewer = len(layers), ""
        else:
            layers = self.toned(motif.picture(columns, rows), unit)
            wanted, fewer = len(given) or o.inks or 0, "--colours" if given else "--inks"
        fine = layers
        layers = [layer._replace(print=self.cuttable(layer.print, unit)) for layer in layers]
        lost = max(
            (float((a.print ^ b.print).mean()) for a, b in zip(fine, layers, strict=True)),
            default=0,
        )
        layers = [layer for layer in layers if layer.print.any()]
        if not layers or layers[0].print.all():
            raise UsageError(
                f"{motif.name} gives nothing to cut at {o.width:g} mm",
                hint="use a larger --width, a smaller --ridge or --gap, or another picture",
            )
        notes += [
            f"{100 * lost:.0f} % of a block is too fine for a gouge, and is left out: use a larger "
            "--width, or a smaller --ridge and --gap"
        ] * (lost > LOST and motif.art is None)
        notes += finer_than(motif, size, o.ridge + o.gap, lost)
        hint = "use a larger --width" + f" or fewer {fewer}" * bool(fewer)
        notes += lacking(wanted - len(layers), "ink", "place to print, and no block", hint)
        return self.written(motif, layers, size, unit, notes)

    def check(self, size: tuple[float, float]) -> None:
        """Raise UsageError for options that do not go together."""
        o = self.options
        check_dxf(asked=o.dxf)
        if o.register not in ("kento", "pins"):
            raise UsageError(f"--register {o.register} is unknown", hint="use kento or pins")
        narrowest = max(o.ridge, o.gap)
        if min(size) < 20 * narrowest:
            raise UsageError(
                f"a print of {size[0]:.0f} x {size[1]:.0f} mm has no room for cuts of "
                f"{narrowest:g} mm",
                hint="use a larger --width, or a smaller --ridge or --gap",
            )
        if o.kerf > o.gap:
            raise UsageError(
                f"a cut of {o.kerf:g} mm is too wide for gaps of {o.gap:g} mm",
                hint="use a larger --gap",
            )

    def given(self) -> list[Floats]:
        """Return the colours of the inks, if they are named. Raises UsageError."""
        o = self.options
        return colours_for("--colours", o.colours, 1, 5, o.inks, "--inks")

    def toned(self, picture: NDArray[np.uint8], unit: float) -> list[Layer]:
        """Return blocks of the tones of a picture, the lightest first. Raises UsageError."""
        o, given = self.options, self.given()
        # 0.4 and 0.8 are more than 1.2 in binary.
        if o.lines and o.lines < o.ridge + o.gap - 1e-9:
            raise UsageError(
                f"lines {o.lines:g} mm apart leave no room for ridges of {o.ridge:g} mm and gaps "
                f"of {o.gap:g} mm",
                hint=f"use --lines {o.ridge + o.gap:g} or more, or 0",
            )
        tone = darkness(picture, o.local, 0.5 * o.gap / unit)
        band, between = bands(tone, 1 + (len(given) or o.inks or USUAL))
        inks = given or colours(picture, band)[1:]
        found = [Layer(ink, tone > level) for ink, level in zip(inks, between, strict=False)]
        if o.lines and found:
            down, right = np.mgrid[: tone.shape[0], : tone.shape[1]] * (unit / o.lines)
            form = ndimage.gaussian_filter(tone, 1.5 * o.lines / unit)
            phase = right * np.sin(SLANT) + down * np.cos(SLANT) + BEND * form
            wave = 2 * abs(phase % 1 - 0.5) - 0.5
            found[-1] = found[-1]._replace(print=tone + DEPTH * wave > between[-1])
        return found

    def cuttable(self, mask: Mask, unit: float) -> Mask:
        """Return what prints, without ridges and gaps that are too narrow, and without specks."""
        ridge, gap = self.options.ridge / unit, self.options.gap / unit
        mask = opened(mask, ridge / 2)
        mask = ~opened(~mask, gap / 2)
        mask = ~without_small(~mask, (SPECKS * gap) ** 2)
        return without_small(mask, (SPECKS * ridge) ** 2)

    def written(
        self,
        motif: Motif,
        layers: Sequence[Layer],
        size: tuple[float, float],
        unit: float,
        notes: Sequence[str],
    ) -> Made:
        """Return the blocks, the guide and the picture."""
        o = self.options
        whole = size[0] + 2 * o.border, size[1] + 2 * o.border
        away = [self.away(layer.print, unit) for layer in layers]
        marks = self.marks(whole)
        names = [hex_colour(each.colour) for each in layers]
        written: dict[str, bytes] = {}
        for k, lines in enumerate(away, 1):
            written[f"block-{k}.svg"] = _svg(motif, whole, [*lines, *marks], o.kerf / 2).encode()
            if o.dxf:
                written[f"block-{k}.dxf"] = dxf_of(
                    Plan(whole, inner_first([*lines, *marks]), kerf=o.kerf)
                )
        parts = [
            *(Part("ink", str(k), name, 1) for k, name in enumerate(names, 1)),
            Part("block", f"{whole[0]:.0f} x {whole[1]:.0f} mm", "", len(layers)),
        ]
        if len(layers) > 1 and not marks:
            lacks = f"the border has no room for --register {o.register}: use a larger --border"
            notes = [*notes, lacks]
        made = Made(written, parts, printed(layers, unit, o), notes)
        placed = {
            "kento": "Cut the corner and the stop to the thickness of the paper: each sheet lies "
            "in them with its corner and its edge.",
            "pins": f"Fix two pins of {TAB:g} mm beside each block where the circles are, and a "
            "tab to each sheet.",
        }
        steps = (
            f"Print the pages at 100 %, and trace each on a block of {whole[0]:.0f} x "
            f"{whole[1]:.0f} mm. They are mirrored, so the print is not.",
            f"Cut away what is gray. What stays is {o.ridge:g} mm wide or more, what is cut "
            f"{o.gap:g} mm.",
            *([placed[o.register]] if marks else []),
            f"Print block 1 on all sheets, then the others over it: {len(layers)} inks, from light "
            "to dark. Let each dry.",
        )

        def draw(guide: Guide) -> None:
            for k, lines in enumerate(away, 1):
                sheet = Sheet(*whole)
                _fill(sheet, [*lines, *marks])
                sheet.box(0, 0, *whole, edge=0.25)
                guide.tiled(f"Block {k} of {len(away)}, mirrored", sheet)

        return guides(motif, "relief print", made, steps, draw, range(1, len(layers) + 1))

    def away(self, mask: Mask, unit: float) -> list[Floats]:
        """Return closed lines around what is cut away of the mirrored block, in mm [N, 2].

        They lie half of the kerf inside of it.
        """
        o = self.options
        clear, edge = round(CLEAR * o.border / unit), round(o.border / unit) + 2
        cut = np.pad(~mask[:, ::-1], clear, constant_values=True)
        cut = np.pad(cut, edge - clear, constant_values=False)
        return [line - edge * unit + o.border for line in outlines(~cut, unit, o.kerf)]

    def marks(self, whole: tuple[float, float]) -> list[Floats]:
        """Return closed lines around the register, mirrored as the block is; none without room."""
        o = self.options
        wide, high = whole
        free = (1 - CLEAR) * o.border
        if free < (TAB + 1 if o.register == "pins" else DEEP + 2):
            return []
        if o.register == "pins":
            turn = np.linspace(0, 2 * np.pi, 49)
            ring = np.stack([np.cos(turn), np.sin(turn)], 1) * (TAB - o.kerf) / 2
            return [ring + np.array([x, free / 2]) for x in (wide / 4, 3 * wide / 4)]
        side = free - DEEP - 1
        right, low = wide - side, high - side
        arm = min(ARM, wide / 4, high / 4)
        ell = np.array([[0, 0], [-arm, 0], [-arm, -DEEP], [-DEEP, -DEEP], [-DEEP, -arm], [0, -arm]])
        bar = np.array([[-arm, 0], [-arm, -DEEP], [0, -DEEP], [0, 0]])
        ell, bar = (np.where(each == 0, -o.kerf / 2, each + o.kerf / 2) for each in (ell, bar))
        corner, stop = ell + np.array([right, low]), bar + np.array([wide / 4 + arm / 2, low])
        return [np.concatenate([each, each[:1]]) for each in (corner, stop)]


def drawn(art: Any, columns: int, rows: int) -> list[Layer]:
    """Return where each ink of a drawing is, the lightest ink first; `art` is of the family ink.

    On dark paper the block prints the paper, and marks are cut away.
    """
    primitive: Any = art.primitive()
    marks = primitive.unpack(art.drawing.tensors)
    inks = np.asarray(primitive.inks, np.float64)
    reach, scale = np.array(art.drawing.canvas.reach), rows / 2 / art.drawing.canvas.reach[1]
    found = []
    for k in np.argsort(-inks.sum(1), kind="stable"):
        image = Image.new("1", (columns, rows))
        pen = ImageDraw.Draw(image)
        for x0, y0, x1, y1, r0, r1 in marks.strokes[marks.ink == k]:
            a, b = (np.array([x0, y0]) + reach) * scale, (np.array([x1, y1]) + reach) * scale
            r, s = r0 * scale, r1 * scale
            if primitive.cap == "round":
                pen.ellipse([*(a - r), *(a + r)], 1)
                pen.ellipse([*(b - s), *(b + s)], 1)
            way = b - a
            if length := float(np.hypot(*way)):
                side = np.array([-way[1], way[0]]) / length
                corners = [a + r * side, b + s * side, b - s * side, a - r * side]
                pen.polygon([tuple(each) for each in corners], 1)
        found.append(Layer(inks[k], np.asarray(image, bool)))
    paper = np.asarray(art.drawing.background, np.float64)
    if paper.sum() < inks.sum(1).mean():
        return [Layer(paper, ~np.any([layer.print for layer in found], axis=0))]
    return found


def printed(layers: Sequence[Layer], unit: float, o: BlockOptions) -> NDArray[np.uint8]:
    """Show the print: inks over one another, salty where they are thin, with a rim of more ink."""
    rng = np.random.default_rng(0)
    rows, columns = layers[0].print.shape
    edge = round(min(o.border, 0.1 * o.width) / unit)
    scale = _PIXELS / (max(rows, columns) + 2 * edge)
    high, wide = (round((side + 2 * edge) * scale) for side in (rows, columns))
    grain = ndimage.gaussian_filter(rng.standard_normal((high, wide)), 1.2)
    paper = np.array(parse_colour(o.paper))
    shown = paper * (1 + 0.05 * grain[..., None])
    for layer in layers:
        plain = Image.fromarray(np.float32(np.pad(layer.print, edge)))
        cover = np.asarray(plain.resize((wide, high), Image.Resampling.BOX), np.float64)
        salt = ndimage.gaussian_filter(rng.standard_normal((high, wide)), 0.9)
        cloud = blurred(rng.standard_normal((high, wide)), 25)
        press = salt / salt.std() * 0.5 + cloud / cloud.std() * 0.5
        # Little ink stays off where the roller was dry; the rim of a ridge takes more.
        taken = (3.2 + 1.2 * press).clip(0, 1) * cover
        rim = (cover - ndimage.gaussian_filter(cover, 2.5)).clip(0, 1)
        ink = taken * (0.93 + 0.04 * press + 0.15 * rim).clip(0, 1)
        tone = layer.colour * (OPAQUE + (1 - OPAQUE) * shown / np.maximum(paper, 1e-3))
        shown = shown * (1 - ink[..., None]) + tone * ink[..., None]
    return levels_of(shown)


def _svg(motif: Motif, size: tuple[float, float], lines: Sequence[Floats], out: float) -> str:
    """Return what is cut away, filled, and the edge of the block `out` mm outside of it."""
    wide, high = (side + 2 * out for side in size)
    path = "".join(f"M{'L'.join(f'{x:.2f},{y:.2f}' for x, y in line)}Z" for line in lines)
    shown = (
        f'<path d="{path}" fill="#000" fill-rule="evenodd"/>\n'
        f'<rect x="{0 - out:g}" y="{0 - out:g}" width="{wide:.2f}" height="{high:.2f}" '
        f'fill="none" stroke="#000" stroke-width="0.2"/>'
    )
    return in_svg(size, out, motif.origin, shown)


def _fill(sheet: Sheet, lines: Sequence[Floats]) -> None:
    """Fill between lines, by the rule of odd and even."""
    sheet.write("0.72 0.72 0.72 rg")
    for line in lines:
        first, *rest = (f"{x:.3f} {y:.3f}" for x, y in line)
        sheet.write(f"{first} m", *(f"{each} l" for each in rest), "h")
    sheet.write("f*")
