"""Make the strips of `making/`: each kind of `artgen make`, step by step.

pip install pypdfium2, then python docs/images/making_steps.py [KIND ...]

A panel is the photo, a page of a PDF, or what a kind shows of a part: half of the thread, the first
sheets, one ink. For these the command runs, and the function that draws the finished thing is
called again with fewer arguments.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageOps

import artgen
from artgen.cli import main
from artgen.registry import default
from artgen.targets import Source, open_source
from artgen_makers.guide import MARGIN

HIGH, WIDE, GAP, MOST = 340, 1800, 14, 60_000
"""Most height of a panel, width of a strip, and distance of panels, in pixels; the most bytes."""
GROUND, EDGE = "#e9e9e6", "#bdbdb8"
DPI, BLANK, FINER = 144, 10, 2
"""Pixels per inch of a template; pixels around a page, which is drawn so many times as large."""


def photo(sample: str) -> Image.Image:
    return Image.fromarray(open_source(Source.parse(sample), default()).pixels)


class Thing:
    """What a command made, and what it gave to the function `of` artgen_makers."""

    def __init__(self, folder: str, kind: str, *words: str, of: str) -> None:
        name = f"artgen_makers.{of}"
        self.folder, self.shown = Path(folder, kind), resolve_name(name)
        line = ["make", kind, *words, "--out", folder, "--name", kind, "-q"]
        with patch(name, autospec=True, side_effect=self.shown) as called:
            assert main(line) == 0
        self.given, self.named = called.call_args
        with Image.open(self.folder / "picture.png") as picture:
            self.picture = picture.convert("RGB")

    def again(self, *given: Any) -> Image.Image:
        """Call the function with other arguments."""
        return Image.fromarray(self.shown(*given, **self.named))

    def drawn(self, number: int, scale: float, file: str = "guide-a4.pdf") -> Image.Image:
        """Return a page, the first of which is 0, at `scale` pixels per point."""
        import pypdfium2

        page = pypdfium2.PdfDocument(self.folder / file)[number]
        return page.render(scale=scale).to_pil().convert("RGB")

    def page(self, number: int) -> Image.Image:
        """Return a page without what is blank around it, and without its foot."""
        scale = 1.0
        # Fine lines stay dark where a page is drawn in about its size.
        for _ in range(2):
            whole = self.drawn(number, scale)
            foot = round(MARGIN / 25.4 * 72 * scale)
            whole = whole.crop((0, 0, whole.width, whole.height - foot))
            box = ImageOps.invert(whole.convert("L")).getbbox()
            scale *= FINER * (HIGH - 2 * BLANK) / (box[3] - box[1])
        return ImageOps.expand(whole.crop(box), FINER * BLANK, "white")

    def template(self, number: int, size: Sequence[float]) -> Image.Image:
        """Return what is at 1:1 on a page, `size` in mm, as large as the picture."""
        box = np.array([MARGIN, MARGIN + 10, MARGIN + size[0], MARGIN + 10 + size[1]]) * DPI / 25.4
        drawn = self.drawn(number, DPI / 72).crop(tuple(box))
        return drawn.resize(self.picture.size, Image.Resampling.BOX)


def string(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "string", "sample:profile", of="string.String.picture")
    *first, [thread], nails = thing.given
    third = thread._replace(nails=thread.nails[: len(thread.nails) // 3])
    some = thing.again(*first, [third], nails)
    return [photo("sample:profile"), thing.page(1), some, thing.picture]


def cross_stitch(folder: str) -> list[Image.Image]:
    flags = ["--columns", "72", "--colours", "12"]
    thing = Thing(
        folder, "cross-stitch", "sample:botanical", *flags, of="grids.CrossStitch.finished"
    )
    maker, cells, colours = thing.given
    side = thing.picture.width // cells.shape[1]
    order = np.argsort([sum(bytes.fromhex(each.colour[1:])) for each in colours])
    done = np.isin(cells, order[: len(order) // 2]).repeat(side, 0).repeat(side, 1)
    bare = Image.new("RGB", thing.picture.size, maker.fabric)
    some = Image.composite(thing.picture, bare, Image.fromarray(done))
    # A corner of the chart, in which symbols can be read.
    left, top = MARGIN - 3, MARGIN + 6
    box = np.array([left, top, left + 62, top + 84]) / 25.4 * DPI
    chart = thing.drawn(1, DPI / 72).crop(tuple(np.rint(box).astype(int)))
    return [photo("sample:botanical"), chart, some, thing.picture]


def bricks(folder: str) -> list[Image.Image]:
    flags = ["--columns", "48", "--colours", "12"]
    thing = Thing(folder, "bricks", "sample:coffee", *flags, of="bricks.Bricks.finished")
    wide, high = thing.picture.size
    some = thing.picture.copy()
    some.paste(Image.new("RGB", (wide, high // 3), GROUND))
    return [photo("sample:coffee"), thing.page(4), some, thing.picture]


def paint(folder: str) -> list[Image.Image]:
    flags = ["--width", "18cm", "--brush", "2.5mm", "--colours", "16", "--regions", "300"]
    thing = Thing(folder, "paint", "sample:fruit", *flags, of="paint.PaintByNumbers.written")
    maker, motif, cells, areas, colours, size, *_ = thing.given
    order = np.argsort([-sum(each.colour) for each in colours])
    kept = set(order[: len(order) // 2].tolist())
    white = [c if k in kept else c._replace(colour=np.ones(3)) for k, c in enumerate(colours)]
    some = Image.fromarray(thing.shown(maker, motif, cells, areas, white, size).picture)
    some = ImageChops.multiply(some, thing.template(1, size))
    return [photo("sample:fruit"), thing.page(1), some, thing.picture]


def embroidery(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "embroidery", "sample:cat", of="embroidery.finished")
    stops, *rest = thing.given
    some = thing.again(stops[: len(stops) // 3], *rest)
    return [photo("sample:cat"), thing.page(1), some, thing.picture]


def paper(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "paper", "sample:bridge", of="paper.finished")
    [layers] = thing.given
    some = thing.again(layers[:3])
    return [photo("sample:bridge"), thing.page(len(layers) - 1), some, thing.picture]


def glass(folder: str) -> list[Image.Image]:
    flags = ["--width", "18cm", "--pieces", "110", "--least", "6mm", "--narrow", "3mm"]
    flags += ["--heart", "0.8mm", "--lead", "2mm"]
    thing = Thing(folder, "glass", "sample:astronaut", *flags, of="glass.lit")
    areas = thing.given[0]
    high, wide = areas.shape
    down, right = np.mgrid[:high, :wide] / max(high, wide)
    count = np.bincount(areas.ravel())
    place = np.bincount(areas.ravel(), (down - right).ravel()) / np.maximum(count, 1)
    laid = Image.fromarray((place > np.median(place))[areas]).resize(thing.picture.size)
    cartoon = thing.template(1, (180, 180 * high / wide))
    some = Image.composite(thing.picture, cartoon, laid)
    return [photo("sample:astronaut"), thing.page(1), some, thing.picture]


def stencil(folder: str) -> list[Image.Image]:
    flags = ["--width", "18cm", "--colours", "3"]
    thing = Thing(folder, "stencil", "sample:profile", *flags, of="stencil.Stencil.sprayed")
    maker, layers, unit = thing.given
    some = thing.again(maker, layers[:2], unit)
    return [photo("sample:profile"), thing.page(2), some, thing.picture]


def block(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "block", "sample:fern", of="block.printed")
    layers, *rest = thing.given
    first = thing.again(layers[:1], *rest)
    return [photo("sample:fern"), thing.page(1), first, thing.page(2), thing.picture]


def quilt(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "quilt", "sample:astronaut", of="quilt.Quilt.written")
    whole, size = thing.given[2], np.array(thing.given[4])
    scale = thing.picture.width / size[0]
    apart = Image.new("RGB", tuple(int(1.16 * side) for side in thing.picture.size), GROUND)
    halves = [part.parts or (part,) for part in whole.parts]
    for part in (each for half in halves for each in half):
        mask = Image.new("L", thing.picture.size)
        for piece in part.pieces():
            corners = [tuple(each) for each in (piece.outline * scale).tolist()]
            ImageDraw.Draw(mask).polygon(corners, 255)
        way = (part.outline.mean(0) / size - 0.5) * 0.3 + 0.08
        apart.paste(thing.picture, tuple((way * size * scale).astype(int)), mask)
    return [photo("sample:astronaut"), thing.page(14), apart, thing.picture]


def plotter(folder: str) -> list[Image.Image]:
    path = {"count": 14000, "inks": "#e08a3c,#1d1b20", "middle": 0.32, "crisp": 1.0}
    art = artgen.fit("sample:cat", "path", size=600, focus="faces", seed=1, **path)
    art.save(f"{folder}/cat.art")
    thing = Thing(folder, "plotter", f"{folder}/cat.art", "--margin", "6mm", of="plotter.finished")
    [panel], *rest = thing.given
    light, dark = panel.jobs
    line, count = dark.actions[0], sum(map(len, dark.lines))
    ends = np.cumsum([len(points) for points in dark.lines])
    begun = [
        line._replace(points=points[: max(0, count // 2 - end + len(points))])
        for points, end in zip(dark.lines, ends, strict=True)
    ]
    half = dark._replace(actions=begun)
    some = [thing.again([panel._replace(jobs=jobs)], *rest) for jobs in ([light], [light, half])]
    return [photo("sample:cat"), *some, thing.picture]


def filament(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "filament", "sample:dunes", of="filament.finished")
    heights, colours = thing.given
    some = thing.again(np.minimum(heights, 0.6 * heights.max()), colours)
    return [photo("sample:dunes"), thing.page(1), some, thing.picture]


def swatches(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "swatches", "--page", "A5", of="plotter.Plotter.written")
    maker, motif, page, lines, *rest = thing.given
    some = [
        Image.fromarray(thing.shown(maker, motif, page, lines[:k], *rest).picture) for k in (1, 2)
    ]
    return [thing.drawn(0, 1, "sheet.pdf"), *some, thing.picture]


def poster(folder: str) -> list[Image.Image]:
    art = artgen.fit("sample:lake", "triangle", count=300, size=256, seed=1)
    art.save(f"{folder}/lake.art")
    flags = ["--paper", "A3", "--title", "LAKE", "--text", "in three hundred triangles"]
    thing = Thing(folder, "poster", f"{folder}/lake.art", *flags, of="prints.finished")
    drawing = Image.fromarray(art.render(1000))
    return [photo("sample:lake"), drawing, thing.drawn(0, 1, "poster.pdf"), thing.picture]


def fabric(folder: str) -> list[Image.Image]:
    thing = Thing(folder, "fabric", "sample:koi", "--across", "2", of="fabric.seam")
    with Image.open(thing.folder / "repeat.png") as repeat:
        return [photo("sample:koi"), repeat.convert("RGB"), thing.picture]


KINDS = (
    *(string, cross_stitch, bricks, paint, embroidery, paper, glass, stencil),
    *(block, quilt, plotter, swatches, poster, filament, fabric),
)


def strip(panels: Sequence[Image.Image]) -> Image.Image:
    """Return the panels in a row, equally high."""
    room = WIDE - GAP * (len(panels) + 1)
    high = min(HIGH, int(room / sum(panel.width / panel.height for panel in panels)))
    shown = [
        panel.resize((round(panel.width * high / panel.height), high), Image.Resampling.LANCZOS)
        for panel in panels
    ]
    wide = sum(panel.width + GAP for panel in shown) + GAP
    row, x = Image.new("RGB", (wide, high + 2 * GAP), GROUND), GAP
    for panel in shown:
        row.paste(panel, (x, GAP))
        ImageDraw.Draw(row).rectangle((x, GAP, x + panel.width - 1, GAP + high - 1), outline=EDGE)
        x += panel.width + GAP
    return row


def save(row: Image.Image, file: Path) -> None:
    """Write a strip in the best quality that is small enough."""
    for quality in range(88, 20, -4):
        data = io.BytesIO()
        row.save(data, "WEBP", quality=quality, method=6)
        if data.tell() <= MOST:
            break
    file.write_bytes(data.getvalue())
    print(f"{file.name}: {row.width} x {row.height}, quality {quality}, {data.tell()} bytes")


def run(names: Sequence[str]) -> None:
    """Write the strips of these kinds, or of all."""
    target = Path(__file__).with_name("making")
    target.mkdir(exist_ok=True)
    for kind in KINDS:
        name = kind.__name__.replace("_", "-")
        if not names or name in names:
            with TemporaryDirectory() as folder:
                save(strip(kind(folder)), target / f"{name}.webp")


if __name__ == "__main__":
    run(sys.argv[1:])
