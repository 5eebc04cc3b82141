"""Stencils: a sheet with holes for each paint, from the tone of the board away.

A paint covers its own tone and all that is further from the board, so that nothing shows between
two. What would fall out of a sheet is held by bridges along what is nearly of the tone beside.
A drawing of shapes in at most six colours is cut as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Shape, option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen_makers.cutting import (
    Floats,
    Layer,
    Plan,
    Words,
    as_pieces,
    check_dxf,
    colours_for,
    cuts_of,
    files,
    grid_of,
    joined,
    lacking,
    opened,
    recoloured,
)
from artgen_makers.grids import in_words
from artgen_makers.guide import Guide, guides, levels_of, outlined
from artgen_makers.tones import bands, blurred, colours, darkness

FINE, MOST_PIXELS = 5.0, 1000
"""Pixels across what is narrowest, and most pixels along a side."""
STEP = 0.06
"""A step of tone that makes a bridge some four times as dear."""
HOLE = 5.0
"""Diameter of the holes for pins, in mm."""
LONG = 1.0
"""The longest bridge of which much is seen, in sides of a square as large as its island."""
SOFT, DUST = 0.5, 0.05
"""How far paint creeps under the edge, in mm, and how much of it goes astray."""
MOST, USUAL, SURE = 6, 3, 10.0
"""Most sheets, those where none are asked for, and steps of tone by which a shape differs from what
is around."""
_PIXELS = 1400


@dataclass(frozen=True)
class StencilOptions:
    """Options of stencils; lengths are millimetres."""

    width: float = option(300.0, "width of the sheets", low=60, high=3000)
    colours: int | None = option(
        None, "paints, each of which has a sheet: 3, or as many as --paints", low=1, high=6
    )
    paints: str = option("", "their colours in the order of spraying, with commas; empty: chosen")
    board: str = option("#f2eee4", "colour of what is painted on")
    frame: float = option(20.0, "width of the frame", low=8, high=300)
    narrow: float = option(2.0, "least width of bridges and of holes", low=0.3, high=50)
    bridge: float = option(0.0, "width of bridges; 0: as narrow as anything", low=0, high=50)
    local: float = option(0.5, "how much tones are relative to those around", low=0, high=1)
    kerf: float = option(0.0, "width of the laser's cut, which is made up for", low=0, high=1)
    dxf: bool = option(False, "write DXF too, with layers CUT and ENGRAVE")


class Stencil(Maker):
    """Sheets with holes, one for each paint."""

    Options: ClassVar[type[Any]] = StencilOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Share the tones among the paints, and make each sheet hold together."""
        o = self.options
        check_dxf(asked=o.dxf)
        if o.kerf > o.narrow / 2:
            raise UsageError(
                f"a cut of {o.kerf:g} mm is too wide for bridges of {o.narrow:g} mm",
                hint="use a larger --narrow",
            )
        inner = o.width - 2 * o.frame, (o.width - 2 * o.frame) / motif.aspect
        if min(inner) < 10 * o.narrow:
            raise UsageError(
                f"a frame of {o.frame:g} mm leaves {inner[0]:.0f} x {inner[1]:.0f} mm",
                hint="use a larger --width, or a smaller --frame or --narrow",
            )
        if o.bridge > min(inner) / 5:
            raise UsageError(
                f"bridges of {o.bridge:g} mm would cover a picture of {inner[0]:.0f} x "
                f"{inner[1]:.0f} mm",
                hint="use a smaller --bridge",
            )
        size = o.width, inner[1] + 2 * o.frame
        unit = max(o.narrow / FINE, max(size) / MOST_PIXELS)
        columns, rows = grid_of(motif, inner, unit)
        holes = shapes_of(motif, columns, rows, np.array(parse_colour(o.board)))
        given, notes = self.paints(), list[str]()
        if holes:
            names = "colours", "paints", "local"
            paints, notes = recoloured([paint for paint, _ in holes], given, o, names)
            holes = list(zip(paints, (steps for _, steps in holes), strict=True))
        drawn = self.held(holes, unit)
        layers = drawn or self.layers(motif.picture(columns, rows), unit)
        if not layers:
            raise UsageError(
                f"{motif.name} gives no hole of {o.narrow:g} mm",
                hint="use a larger --width, a smaller --narrow, or a picture of more tones",
            )
        notes = notes * bool(drawn)
        wanted = len(holes) if drawn else len(given) or o.colours or USUAL
        fewer = "" if drawn else f" or fewer {'--paints' if given else '--colours'}"
        lack, hint = f"place of {o.narrow:g} mm, and no sheet", f"use a larger --width{fewer}"
        notes += lacking(wanted - len(layers), "paint", lack, hint)
        return self.written(motif, layers, size, unit, notes, drawn=bool(drawn))

    def paints(self) -> list[Floats]:
        """Return the colours of the paints, if they are named. Raises UsageError."""
        o = self.options
        return colours_for("--paints", o.paints, 1, MOST, o.colours, "--colours")

    def layers(self, picture: NDArray[np.uint8], unit: float) -> list[Layer]:
        """Return the sheets in the order of spraying, `unit` mm fine, without those that are whole.

        Raises UsageError for paints that cannot be used.
        """
        o, given = self.options, self.paints()
        tone = darkness(picture, o.local, 0.4 * FINE)
        band, between = bands(tone, 1 + (len(given) or o.colours or USUAL))
        paints = given or colours(picture, band)[1:]
        if sum(parse_colour(o.board)) < 1.4:
            paints = given or colours(picture, band)[-2::-1]
            tone, between = 1 - tone, 1 - between[::-1]
        steps = [(tone - level) / STEP for level in between]
        return self.held(zip(paints, steps, strict=False), unit)

    def held(self, holes: Iterable[tuple[Floats, Floats]], unit: float) -> list[Layer]:
        """Return sheets that hold together: of paints, and steps of tone, above 0 in a hole."""
        o, found = self.options, []
        edge, radius = round(o.frame / unit), o.narrow / unit / 2
        wide = max(radius, o.bridge / unit / 2)
        for paint, steps in holes:
            border = np.pad(np.zeros(steps.shape, bool), edge, constant_values=True)
            steps = np.pad(steps, edge, mode="edge")
            hole = ~opened(~opened((steps > 0) & ~border, radius), radius) & ~border
            sheet, bridges = joined(~hole, radius, steps.clip(0), wide, LONG)
            if not sheet.all():
                found.append(Layer(paint, sheet, bridges))
        return found

    def written(
        self,
        motif: Motif,
        layers: Sequence[Layer],
        size: tuple[float, float],
        unit: float,
        notes: Sequence[str] = (),
        drawn: bool = False,
    ) -> Made:
        """Return the sheets, the list, the guide and the picture."""
        o = self.options
        wide, high = size
        cuts, cutting = cuts_of(layers, unit, o.kerf)
        pins = [(x, o.frame / 2, HOLE) for x in (o.frame / 2, wide - o.frame / 2)]
        names = [hex_colour(each.colour) for each in layers]
        titles = [f"{k}, {in_words(each.colour)}" for k, each in enumerate(layers, 1)]
        letters = min(o.frame / 2, 6)
        written: dict[str, bytes] = {}
        for k, (lines, name) in enumerate(zip(cuts, names, strict=True), 1):
            words = [Words(f"{k} {name}", wide / 2, 0.6 * o.frame, letters)]
            plan = Plan(size, lines, words, pins, kerf=o.kerf)
            written |= files(f"stencil-{k}", plan, motif.origin, o.dxf)
        parts = []
        for layer, title, name in zip(layers, titles, names, strict=True):
            area = (~layer.sheet).sum() * unit**2 / 100
            parts.append(Part("paint", f"{title}, {area:.0f} square cm", name, 1))
        parts.append(Part("card or film", f"{wide:.0f} x {high:.0f} mm", "", len(layers)))
        parts.append(cutting)
        bridges = sum(each.bridges for each in layers)
        if drawn:
            gap = o.narrow / (min(size) - 2 * o.frame)
            notes = [*notes, *as_pieces(motif, bridges, "never", gap)]
        made = Made(written, parts, self.sprayed(layers, unit), notes)
        steps = (
            f"Cut {len(layers)} sheets of {wide:.0f} x {high:.0f} mm, by a laser or cutter from "
            "stencil-1.svg and the others, or by knife from the pages at 100 %.",
            f"Leave the bridges, {bridges} in all: they hold what would fall out. Touch up their "
            "traces with a brush if you like.",
            "Put pins into the board through the two holes at the top: they hold every sheet in "
            "the same place. Spray thin coats in the order of the numbers, each when the last "
            "is dry.",
        )

        def draw(guide: Guide) -> None:
            for lines, title, name in zip(cuts, titles, names, strict=True):
                guide.tiled(f"Stencil {title} ({name})", outlined(size, lines, pins))

        return guides(motif, "stencils", made, steps, draw, range(1, len(layers) + 1))

    def sprayed(self, layers: Sequence[Layer], unit: float) -> NDArray[np.uint8]:
        """Show the board: paint with soft edges, a grain, and a little dust around."""
        from PIL import Image
        from scipy.ndimage import gaussian_filter

        rng = np.random.default_rng(0)
        scale = _PIXELS / max(layers[0].sheet.shape)
        high, wide = (round(side * scale) for side in layers[0].sheet.shape)
        grain = gaussian_filter(rng.standard_normal((high, wide)), (0.6, 8))[..., None]
        shown = np.array(parse_colour(self.options.board)) * (1 + 0.08 * grain)
        for layer in layers:
            hole = Image.fromarray(np.float32(~layer.sheet))
            plain = np.asarray(hole.resize((wide, high), Image.Resampling.BICUBIC), np.float64)
            soft = gaussian_filter(plain, SOFT / unit * scale)
            far = blurred(plain, 8 * SOFT / unit * scale)
            fine = rng.random((high, wide))
            # A coat is uneven where it is thin: at its edges, and by chance.
            cover = (soft - 0.5) * 1.8 + 0.5 + 0.5 * (fine - 0.5) * (1 - abs(2 * soft - 1))
            dust = (fine < DUST * far) * 0.7
            cloud = blurred(rng.standard_normal((high, wide)), 30)
            thin = 0.97 + 0.03 * cloud / max(float(cloud.std()), 1e-9)
            cover = np.maximum(cover.clip(0, 1) * thin.clip(0.85, 1), dust)[..., None]
            shown *= 1 - cover
            shown += layer.colour * (1 + 0.03 * grain) * cover
        return levels_of(shown)


def shapes_of(motif: Motif, columns: int, rows: int, board: Floats) -> list[tuple[Floats, Floats]]:
    """Return the colours of a drawing of shapes, and where they are as for `held`.

    It is empty for drawings of other parts, and of more than six colours.
    """
    if motif.art is None or not isinstance(motif.art.primitive(), Shape):
        return []
    colours, kind = np.unique(
        motif.art.drawing.tensors["colour"].numpy().T, axis=0, return_inverse=True
    )
    if len(colours) > MOST:
        return []
    top, _ = motif.strokes(columns, rows)
    shown = np.where(top < 0, -1, kind.ravel()[top])
    order = np.argsort(np.abs(colours - board).sum(1), kind="stable")
    order = order[np.isin(order, shown)]
    return [(colours[k].astype(np.float64), np.where(shown == k, SURE, 0.0)) for k in order]
