"""Pictures of cut paper: sheets in tones, one over another, each of which holds together.

A sheet has paper where the picture is as dark as its tone, or darker, and a frame; by depth, where
things are as near, or nearer. What is not joined to the frame gets a bridge along what is nearly as
dark. It goes if it is small; or to the sheet below, one tone lighter, if its bridge would be long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from scipy import ndimage

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour
from artgen.targets import TargetRequest, open_image
from artgen_makers.cutting import (
    SMOOTH,
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
    outlines,
)
from artgen_makers.grids import Pixels, choose, grouped
from artgen_makers.guide import ONE, Guide, guides, levels_of, outlined
from artgen_plugins.regions import Floats, Mask, lab_of, means, rgb_of

FINE, MOST_PIXELS = 4.0, 1000
"""Pixels across what is narrowest, and most pixels along a side."""
TONE = 8.0
"""A step of lightness (CIELAB) that makes a bridge some four times as dear."""
LONG = 2.0
"""The longest bridge of which much is seen, in sides of a square as large as its island."""
ALIKE = 0.02
"""The share by which a depth may be wider than the picture, or less wide."""
CHROMA = 1.3
"""How much more colour papers have than the means of the picture."""
HOLE = 3.0
"""Diameter of the holes in the corners of the frame, in mm."""
USUAL = 180.0
"""Width of sheets in mm, where none is asked for and the picture is not tall."""
USUAL_LAYERS = 6
"""Sheets, where neither they nor their colours are asked for."""
SHADOW = 0.5
LARGER = 2
"""Pixels of the picture of the finished thing along one of the sheets."""


@dataclass(frozen=True)
class PaperOptions:
    """Options of pictures of cut paper."""

    width: float = option(0.0, "width of the sheets in mm; 0: as fits a page", low=0, high=2000)
    layers: int | None = option(
        None, "sheets, with the one behind all: 6, or as many as --papers", low=2, high=12
    )
    frame: float = option(8.0, "width of the frame in mm", low=5, high=200)
    depth: str = option("", "gray picture of the depth, whose white is near: sheets follow it")
    narrow: float = option(1.2, "least width of paper and of gaps in mm", low=0.3, high=50)
    front: str = option("dark", "what is in front without --depth: dark or light")
    kerf: float = option(0.0, "width of the laser's cut in mm, which is made up for", low=0, high=1)
    dxf: bool = option(False, "write DXF too, with layers CUT and ENGRAVE")
    glue: bool = option(False, "cut pieces on long bridges loose, to glue on the sheet below")
    papers: str = option("", "colours from the back to the front, with commas; empty: of the photo")


class Paper(Maker):
    """Sheets of paper, one over another."""

    Options: ClassVar[type[Any]] = PaperOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Share the tones among the sheets, and make each hold together."""
        o = self.options
        if o.front not in ("dark", "light"):
            raise UsageError(f"--front {o.front} is unknown", hint="use dark or light")
        check_dxf(asked=o.dxf)
        if o.kerf > o.narrow / 2:
            raise UsageError(
                f"a cut of {o.kerf:g} mm is too wide for gaps of {o.narrow:g} mm",
                hint="use a larger --narrow",
            )
        # A picture of usual size is not so tall that each layer takes a second page.
        width = o.width or min(USUAL, (ONE[1] - 2 * o.frame) * motif.aspect + 2 * o.frame)
        inner = width - 2 * o.frame, (width - 2 * o.frame) / motif.aspect
        if min(inner) < 10 * o.narrow:
            raise UsageError(
                f"a frame of {o.frame:g} mm leaves {inner[0]:.0f} x {inner[1]:.0f} mm",
                hint="ask for a larger --width, or a smaller --frame or --narrow",
            )
        size = width, inner[1] + 2 * o.frame
        unit = max(o.narrow / FINE, max(size) / MOST_PIXELS)
        columns, rows = grid_of(motif, inner, unit)
        lab = lab_of(np.moveaxis(motif.picture(columns, rows) / 255, 2, 0))
        layers = self.layered(lab, unit, depth_of(o.depth, columns, rows) if o.depth else None)
        if len(layers) < 2:
            what = f"{o.depth} has one depth" if o.depth else f"{motif.name} has one tone"
            raise UsageError(f"{what} alone", hint="take another picture")
        cuts, cutting = cuts_of(layers, unit, o.kerf)
        across, down = ((o.frame / 2, side - o.frame / 2) for side in size)
        pins, high = [(x, y, HOLE) for x in across for y in down], min(o.frame / 2, 4)
        written: dict[str, bytes] = {}
        loose = [*(_loose(str(k), each.sheet, unit) for k, each in enumerate(layers, 1)), []]
        for k, lines in enumerate(cuts, 1):
            glued = loose[k]
            words = [Words(str(k), size[0] / 2, 0.7 * o.frame, high), *(w for w, _ in glued)]
            plan = Plan(size, lines, words, pins, kerf=o.kerf, engraved=[line for _, line in glued])
            written |= files(f"layer-{k}", plan, motif.origin, o.dxf)
        wide, high = size
        parts = [
            Part("paper", f"layer {k}, {wide:.0f} x {high:.0f} mm", hex_colour(each.colour), 1)
            for k, each in enumerate(layers, 1)
        ]
        parts.append(cutting)
        number = sum(map(len, loose))
        parts += [Part("pieces to glue", number=number)] * (number > 0)
        bridges = sum(each.bridges for each in layers)
        notes = as_pieces(motif, bridges, "always", o.narrow / min(inner))
        lack = f"{'depth' if o.depth else 'tone'} of the picture, and no sheet"
        asked, hint = len(self.papers()), f"use fewer {'--papers' if o.papers else '--layers'}"
        notes += lacking((asked or o.layers or 0) - len(layers), "paper", lack, hint)
        made = Made(written, parts, finished(layers), notes)
        steps = (
            f"Print the sheets at 100 % and lay each on its paper, {wide:.0f} x {high:.0f} mm. Or "
            "let a cutter or laser read layer-1.svg and the others: red is cut, blue engraved.",
            f"Cut small places first, then large ones, then the edge. Bridges ({bridges}) hold "
            "what would fall out: they are part of the sheet.",
            "Stack from layer 1 on with pins through the holes. Glue along the frame, or with "
            "pads of foam between the sheets, for shadows.",
            *[
                f"Pieces ({number}) that fall out have a number, as 3.1 of layer 3. Glue each on "
                "the sheet below, where this number is."
            ]
            * (number > 0),
        )

        def draw(guide: Guide) -> None:
            for k, lines in enumerate(cuts, 1):
                sheet = outlined(size, lines, pins)
                for _, line in loose[k]:
                    sheet.line(line, 0.1)
                for word, _ in [*loose[k - 1], *loose[k]]:
                    sheet.label(word.x, word.y, word.text, word.high)
                guide.tiled(f"Layer {k} of {len(cuts)}", sheet)

        return guides(motif, "paper in layers", made, steps, draw)

    def papers(self) -> list[Floats]:
        """Return the colours of the sheets, if they are named. Raises UsageError."""
        o = self.options
        return colours_for("--papers", o.papers, 2, 12, o.layers, "--layers")

    def layered(self, lab: Floats, unit: float, depth: Floats | None = None) -> list[Layer]:
        """Return the sheets from the back to the front for a picture in CIELAB, `unit` mm fine.

        They follow `depth` [height, width], 0 far and 100 near, or the lightness.
        """
        o = self.options
        sign = -1 if o.front == "dark" else 1
        smooth = np.stack([ndimage.gaussian_filter(lab[..., k], 0.4 * FINE) for k in range(3)], 2)
        light, near = sign * smooth[..., 0], o.narrow / unit / 2
        if depth is not None:
            light = ndimage.gaussian_filter(depth, 0.4 * FINE)
        papers = self.papers()
        tones, weight = grouped(light.reshape(-1, 1))
        wanted = len(papers) or o.layers or USUAL_LAYERS
        chosen = choose((tones - tones.T) ** 2, weight, min(wanted, len(tones)))
        levels = np.sort(tones[chosen, 0])
        band = np.searchsorted((levels[1:] + levels[:-1]) / 2, light)
        mean = means(lab, band)
        colours = papers or _colours(mean, levels * sign if depth is None else mean[:, 0])
        edge = round(o.frame / unit)
        border = np.pad(np.zeros(light.shape, bool), edge, constant_values=True)
        light, band = (np.pad(each, edge, mode="edge") for each in (light, band))
        layers = [Layer(colours[0], np.ones(light.shape, bool), 0)]
        for k in range(1, len(levels)):
            paper = opened(~opened(~((band >= k) | border), near), near) | border
            missed = (levels[k] - light).clip(0) / TONE
            below = layers[-1].sheet
            layers.append(Layer(colours[k], *joined(paper, near, missed, 0.0, LONG, below, o.glue)))
        return layers


def _loose(sheet: str, paper: Mask, unit: float) -> list[tuple[Words, Floats]]:
    """Return the pieces of a sheet that its frame does not hold: their numbers, and outlines."""
    areas, count = ndimage.label(paper, np.ones((3, 3)))
    found: list[tuple[Words, Floats]] = []
    for area in range(1, count + 1):
        if area == areas[0, 0]:
            continue
        inside = ndimage.distance_transform_edt(areas == area)
        row, column = np.unravel_index(inside.argmax(), inside.shape)
        high = float(min(4.0, inside.max() * unit))
        place = (column + 0.5) * unit, (row + 0.5) * unit + high / 3
        # Drawn on the sheet below, where the piece hides it, if it is not too narrow for that.
        line = max(outlines(inside > (2 if inside.max() > 3 else 0), unit), key=len)
        found.append((Words(f"{sheet}.{len(found) + 1}", *place, high), line))
    return found


def _colours(lab: Floats, levels: Floats) -> list[Floats]:
    """Return papers of the mean colours, with more colour, and tones that are well apart."""
    low, high = levels.min(), levels.max()
    even = np.clip((levels - low) / max(high - low, 1), 0, 1) * 78 + 14
    lab = np.concatenate([0.5 * (even + levels)[:, None], CHROMA * lab[:, 1:]], 1)
    return list(rgb_of(lab))


def depth_of(file: str, columns: int, rows: int) -> Floats:
    """Return the depth of a gray picture, 0 the darkest and 100 the lightest: [rows, columns].

    Raises InputError for a file that is no picture, UsageError for one of another shape.
    """
    size = min(max(columns, rows), open_image(file).original_size)
    gray = open_image(file, TargetRequest(size=size)).image.mean(2).astype(np.float32)
    high, wide = gray.shape
    if abs(wide * rows / (high * columns) - 1) > ALIKE:
        raise UsageError(
            f"the depth {file} is {wide / high:.2f} times as wide as high, and the picture "
            f"{columns / rows:.2f} times",
            hint="give the depth of the whole picture",
        )
    plane = Image.fromarray(gray).resize((columns, rows), Image.Resampling.BILINEAR)
    found = np.asarray(plane, np.float64)
    return np.asarray(100 * (found - found.min()) / max(float(np.ptp(found)), 1e-9))


def finished(layers: Sequence[Layer]) -> Pixels:
    """Show the stack in light from the upper left, each sheet with its shadow on those below."""
    rng = np.random.default_rng(0)
    high, wide = (side * LARGER for side in layers[0].sheet.shape)
    shown = np.zeros((high, wide, 3))
    for layer in layers:
        large = layer.sheet.repeat(LARGER, 0).repeat(LARGER, 1).astype(np.float64)
        cover = np.clip(
            4 * (ndimage.gaussian_filter(large, LARGER * SMOOTH, mode="nearest") - 0.5) + 0.5, 0, 1
        )
        step = 0.004 * max(high, wide)
        soft = ndimage.gaussian_filter(cover, 1.2 * step)
        dark = ndimage.shift(soft, (step, step), order=1, mode="nearest")
        grain = ndimage.gaussian_filter(rng.standard_normal((high, wide)), 1.0)[..., None]
        sheet = layer.colour * (1 + 0.03 * grain)
        shown *= 1 - SHADOW * (dark * (1 - cover))[..., None]
        shown = shown * (1 - cover[..., None]) + sheet * cover[..., None]
    return levels_of(shown)
