"""Prints: a poster with a title, a calendar of a year, postcards; as PDF with bleed and marks.

A page is larger than the paper by the bleed, so that no white edge stays where it is cut, and by
room for the marks that say where; without a bleed it is the paper. Titles are outlines of their
font, which no reader has to have.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from artgen import Ink, option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, named_page, parse_colour
from artgen.targets import DEFAULT_REQUEST, find_faces
from artgen_makers.guide import guides
from artgen_makers.letters import capital, font_file, glyph, outlines
from artgen_makers.pdf import Align, Document, Pixels, Sheet

Line = tuple[float, float, float, float]

ROOM, MARK = 8.0, 5.0
"""Width of the border for marks around the bleed, and length of a mark, in mm."""
CROPPED = 0.25
"""The share of a picture that a calendar crops at most; else it is whole, and narrower."""
APART, SHORT = 8.0, 3.0
"""Between the bleeds of two cards, and length of a mark there, in mm."""
MOST = 12_000
"""Most pixels along a side of a picture."""
SHARES = 50_000
"""The shape of a box is told in so many parts of its longer side."""
COARSE = 120
"""Fewer pixels per inch are seen from near."""
SHOWN = 1400
"""Longer side of the picture of the finished thing in pixels."""
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
READABLE = 1.0
"""The least height of capitals that were made smaller to fit, in mm."""
DAYS = "MTWTFSS"


@dataclass(frozen=True)
class PosterOptions:
    """Options of posters."""

    paper: str = option("A3", "A0 to A6, letter, legal, tabloid, or a size such as 500x700mm")
    title: str = option("", "a title below the picture; empty: none")
    text: str = option("", "a smaller line below the title; empty: none")
    font: str = option("DejaVuSans", "a font of matplotlib, or a .ttf or .otf file")
    margin: float = option(22.0, "paper around the picture in mm; 0: up to the edge", low=0)
    ground: str = option(
        "auto", "colour of the paper around the picture; auto: that of a drawing in ink, or #f7f5f0"
    )
    bleed: float = option(3.0, "how far colours go beyond the cut in mm; 0: no cut", low=0, high=20)
    dpi: float = option(300.0, "pixels per inch of the picture", low=20, high=1200)
    panels: int = option(1, "divide the picture among so many sheets side by side", low=1, high=12)


@dataclass(frozen=True)
class CalendarOptions(PosterOptions):
    """Options of calendars."""

    year: int = option(2027, "the year", low=1583, high=9999)
    sunday: bool = option(False, "weeks begin on Sunday")
    panels: int = option(1, "calendars have one sheet", low=1, high=1)


@dataclass(frozen=True)
class PostcardOptions:
    """Options of postcards."""

    paper: str = option("A4", "the sheet that is printed: A0 to A6, letter, or a size")
    card: str = option("A6", "a card: A5, A6, or a size such as 150x100mm")
    title: str = option("", "a line on the back; empty: none")
    font: str = option("DejaVuSans", "a font of matplotlib, or a .ttf or .otf file")
    bleed: float = option(2.0, "how far pictures go beyond the cut in mm", low=0, high=10)
    dpi: float = option(300.0, "pixels per inch of the picture", low=20, high=1200)


class Box(NamedTuple):
    """A rectangle in mm from the upper left corner of what is left after the cut."""

    x: float
    y: float
    width: float
    height: float


class Words(NamedTuple):
    """A line of text: `size` mm tall capitals, `apart` em between letters."""

    x: float
    y: float
    text: str
    size: float
    align: Align = "middle"
    colour: str = "#26231f"
    apart: float = 0.0


@dataclass(frozen=True, eq=False)
class Layout:
    """A sheet of `width` x `height` mm: a ground, pictures in boxes, lines, and texts."""

    width: float
    height: float
    ground: str
    pictures: Sequence[tuple[Box, Pixels]] = ()
    words: Sequence[Words] = ()
    lines: Sequence[Line] = ()
    cuts: Sequence[Box] = ()
    """What is cut out; empty: the sheet."""


class Poster(Maker):
    """A picture on paper, with a title; or on several sheets, side by side."""

    Options: ClassVar[type[Any]] = PosterOptions
    takes_photos = True
    title: ClassVar[str] = "poster"
    turns: ClassVar[bool] = True
    """Whether the paper turns to the picture; else it stands."""
    fills: ClassVar[bool] = False
    """Whether a picture with paper around fills its place, cropped; else it is whole."""

    def make(self, motif: Motif) -> Made:
        """Lay out the sheets, and write them."""
        o = self.options
        width, height = paper_of(o.paper, motif.aspect / o.panels if self.turns else 0.5)
        if 2 * o.margin >= 0.8 * min(width, height):
            hint = "use a smaller --margin or a larger --paper"
            raise UsageError(f"a margin of {o.margin:g} mm leaves no picture", hint=hint)
        if o.margin == 0 and (o.title or o.text or self.below(width)):
            raise UsageError("words need paper around the picture", hint="use --margin 20mm")
        layouts = [self.sheet(motif, width, height, k) for k in range(o.panels)]
        notes = coarse(layouts[0].pictures[0])
        printed = f"Print {self.title}.pdf at 100 % on paper of"
        more = 2 * border(o.bleed)
        steps = [
            f"{printed} {width + more:g} x {height + more:g} mm or larger, or have it printed: its "
            f"pages have a bleed of {o.bleed:g} mm and marks where they are cut. "
            f"With --bleed 0 they are {width:g} x {height:g} mm.",
            f"Cut along the marks to {width:g} x {height:g} mm.",
        ]
        if not o.bleed:
            steps = [f"{printed} {width:g} x {height:g} mm. Many printers leave its edges white."]
        if o.panels > 1:
            steps.append("Hang the sheets side by side in the order of the pages.")
        return finished(motif, self.title, layouts, o, steps, notes)

    @property
    def headline(self) -> str:
        """The words right below the picture."""
        return str(self.options.title)

    def below(self, width: float) -> float:
        """Return the height in mm that is kept free below the picture and its title."""
        return 0.0

    def more(self, area: Box, ink: str) -> tuple[list[Words], list[Line]]:
        """Return words of a colour, and lines, for what is free below the title."""
        return [], []

    def sheet(self, motif: Motif, width: float, height: float, panel: int) -> Layout:
        """Return a sheet: the picture, or a part of it, and in the middle the words."""
        o, tall = self.options, min(width, height)
        ground = ground_of(motif) if o.ground == "auto" else hex_colour(parse_colour(o.ground))
        m, ink = o.margin, against(ground)
        big, small = 0.034 * tall, 0.0125 * tall
        gap = big + 0.02 * tall
        room = gap * bool(self.headline) + (small + 0.022 * tall) * bool(o.text)
        free = Box(m, m, width - 2 * m, height - 2 * m - room - self.below(width))
        if free.height < 0.2 * tall:
            raise UsageError("the words leave no room for the picture", hint="use a larger --paper")
        shape = motif.aspect / o.panels
        loss = 1 - min(shape * free.height / free.width, free.width / free.height / shape)
        if self.fills and loss < CROPPED:
            box = free
        elif m:
            wide = min(free.width, free.height * shape)
            box = Box((width - wide) / 2, m + (free.height - wide / shape) / 2, wide, wide / shape)
        else:
            box = Box(-o.bleed, -o.bleed, width + 2 * o.bleed, height + 2 * o.bleed)
        # Panels are parts of one picture: a bleed between two shows what the next one has.
        step = box.width + 2 * min(box.x, 0)
        whole = box._replace(width=box.width + (o.panels - 1) * step)
        pixels = pixels_for(motif, whole, o.dpi)
        ends = np.array([panel * step, panel * step + box.width])
        begin, end = np.rint(ends / whole.width * pixels.shape[1]).astype(int).clip([0, 1], None)
        pixels = pixels[:, min(begin, end - 1) : end]
        words, lines = list[Words](), list[Line]()
        y = height - m - room - self.below(width)
        if self.headline:
            y += gap
            words.append(Words(width / 2, y, self.headline, big, "middle", ink, 0.12))
        if o.text:
            y += small + 0.022 * tall
            words.append(Words(width / 2, y, o.text, small, "middle", ink, 0.06))
        if panel == 0:
            more, lines = self.more(Box(m, height - m - self.below(width), width - 2 * m, 0), ink)
            words += more
        shown = words if panel == o.panels // 2 else []
        shown = [fitted(each, width - 2 * m, o.font) for each in shown]
        return Layout(width, height, ground, [(box, pixels)], shown, lines)


class Calendar(Poster):
    """A poster with the days of a year below the picture."""

    Options: ClassVar[type[Any]] = CalendarOptions
    title = "calendar"
    turns = False
    fills = True
    across = 4
    """Months side by side."""

    @property
    def headline(self) -> str:
        """The title and the year, which no calendar lacks."""
        title, year = self.options.title, str(self.options.year)
        return title if year in title else f"{title} {year}".strip()

    def sheet(self, motif: Motif, width: float, height: float, panel: int) -> Layout:
        """Put six months side by side, not four, where less of the picture is cropped then."""
        losses = {}
        for self.across in (4, 6):
            high = height - 2 * self.options.margin - self.below(width) - 0.054 * width
            shape = max(high, 1) * motif.aspect / (width - 2 * self.options.margin)
            losses[self.across] = max(shape, 1 / shape)
        self.across = min(losses, key=lambda each: losses[each])
        return super().sheet(motif, width, height, panel)

    def below(self, width: float) -> float:
        """Return the height of the months: each has a name, the days' letters and six weeks."""
        return 12 / self.across * 9.3 * self.step(width) + 0.03 * width

    def step(self, width: float) -> float:
        """Return the distance of two days: months are seven days wide, and two apart."""
        return float(width - 2 * self.options.margin) / (9 * self.across - 2)

    def more(self, area: Box, ink: str) -> tuple[list[Words], list[Line]]:
        """Return the months, as the Gregorian calendar has them."""
        o = self.options
        width = area.width + 2 * o.margin
        step, top = self.step(width), area.y + 0.03 * width
        weeks = calendar.Calendar(6 if o.sunday else 0)
        names = DAYS[-1] + DAYS[:-1] if o.sunday else DAYS
        words, lines = [], []
        for k, name in enumerate(MONTHS):
            row, column = divmod(k, self.across)
            x, y = area.x + column * 9 * step, top + (9.3 * row + 0.6) * step
            words.append(Words(x, y, name, 0.5 * step, "left", ink, 0.08))
            lines.append((x, y + 0.35 * step, x + 7 * step, y + 0.35 * step))
            for day, letter in enumerate(names):
                place = x + (day + 0.5) * step, y + 1.1 * step
                words.append(Words(*place, letter, 0.4 * step, "middle", ink))
            for row, week in enumerate(weeks.monthdayscalendar(o.year, k + 1)):
                for day, number in enumerate(week):
                    if number:
                        at = x + (day + 0.5) * step, y + (2.05 + row) * step
                        words.append(Words(*at, str(number), 0.4 * step, "middle", ink))
        return words, lines


class Postcards(Maker):
    """As many cards as fit on a sheet, and their backs on another one."""

    Options: ClassVar[type[Any]] = PostcardOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Lay out fronts and backs, and write them."""
        o = self.options
        wide, high = paper_of(o.card, motif.aspect)
        sheets = [paper_of(o.paper, 2.0), paper_of(o.paper, 0.5)]
        # Cards lie apart, with room for marks at the corners of each.
        step = wide + 2 * o.bleed + APART, high + 2 * o.bleed + APART
        grids = [
            [int((s - 10) / each) for s, each in zip(sheet, step, strict=True)] for sheet in sheets
        ]
        width, height = sheets[best := int(np.prod(grids, 1).argmax())]
        columns, rows = grids[best]
        if columns * rows == 0:
            hint = "use a larger --paper or a smaller --card"
            told = f"a card of {wide:g} x {high:g} mm is larger than {o.paper}"
            raise UsageError(told, hint=hint)
        edge = o.bleed + APART / 2
        corner = (width - columns * step[0]) / 2 + edge, (height - rows * step[1]) / 2 + edge
        cuts = [
            Box(corner[0] + c * step[0], corner[1] + r * step[1], wide, high)
            for r in range(rows)
            for c in range(columns)
        ]
        bled = Box(0, 0, wide + 2 * o.bleed, high + 2 * o.bleed)
        pixels = pixels_for(motif, bled, o.dpi)
        fronts = [(Box(x - o.bleed, y - o.bleed, *bled[2:]), pixels) for x, y, *_ in cuts]
        words, lines = [], []
        for x, y, _, _ in cuts:
            middle, right = x + 0.52 * wide, x + 0.94 * wide
            lines.append((middle, y + 0.1 * high, middle, y + 0.9 * high))
            lines += [
                (x + 0.58 * wide, y + k * high, right, y + k * high) for k in (0.55, 0.67, 0.79)
            ]
            left, top = right - 0.14 * wide, y + 0.08 * high
            bottom = top + 0.17 * wide
            lines += [(left, down, right, down) for down in (top, bottom)]
            lines += [(across, top, across, bottom) for across in (left, right)]
            if o.title:
                line = Words(x + 0.06 * wide, y + 0.92 * high, o.title, 0.02 * wide, "left")
                words.append(fitted(line, 0.43 * wide, o.font))
        layouts = [
            Layout(width, height, "#ffffff", fronts, cuts=cuts),
            Layout(width, height, "#ffffff", [], words, lines, cuts=cuts),
        ]
        # So that a back stands upright where a card is turned like a page.
        turned = "short" if width > height else "long"
        steps = [
            f"Print postcards.pdf at 100 % on card, on both sides, turned over the {turned} edge.",
            f"Cut {len(cuts)} cards of {wide:g} x {high:g} mm along the marks at their corners.",
        ]
        return finished(motif, "postcards", layouts, o, steps, coarse(fronts[0]), len(cuts))


def paper_of(text: str, aspect: float) -> tuple[float, float]:
    """Return width and height in mm; named paper turns to the picture. Raises UsageError."""
    page = named_page(text, margin=0)
    sides = page.width, page.height
    return sides[::-1] if page.turns and (aspect > 1) != (sides[0] > sides[1]) else sides


def ground_of(motif: Motif) -> str:
    """Return the paper of a drawing in ink: another one around it would show an edge."""
    art = motif.art
    if art is not None and isinstance(art.primitive(), Ink):
        return hex_colour(art.drawing.background)
    return "#f7f5f0"


def against(ground: str) -> str:
    """Return the colour of words on a ground: dark on light, light on dark."""
    return "#26231f" if sum(parse_colour(ground)) > 1.5 else "#f4f1ea"


def pixels_for(motif: Motif, box: Box, dpi: float) -> Pixels:
    """Return the middle of a picture, or the part with a face, as a box takes it."""
    wide = max(box.width, box.height * motif.aspect)
    pixels = motif.pixels(min(MOST, round(max(wide, wide / motif.aspect) / 25.4 * dpi)))
    height, width = pixels.shape[:2]
    fine = SHARES / max(box.width, box.height)
    aspect = max(1, round(fine * box.width)), max(1, round(fine * box.height))
    frame = replace(DEFAULT_REQUEST.frame, aspect=aspect)
    _, _, across, down = frame.window(width, height)
    if across * down < 0.97 * width * height:
        for x, y, _ in find_faces(pixels)[:1]:
            frame = replace(frame, at=(x, y))
    left, top, across, down = (round(each) for each in frame.window(width, height))
    return pixels[top : top + max(1, down), left : left + max(1, across)]


def coarse(shown: tuple[Box, Pixels]) -> list[str]:
    """Return a note where a picture has few pixels for its size."""
    box, pixels = shown
    dpi = pixels.shape[1] / box.width * 25.4
    return [f"the picture has {dpi:.0f} pixels per inch: pixels show"] if dpi < COARSE else []


def finished(
    motif: Motif,
    name: str,
    layouts: Sequence[Layout],
    options: Any,
    steps: Sequence[str],
    notes: Sequence[str],
    number: int = 0,
) -> Made:
    """Return the PDF, the parts, and the picture of the sheets as they are after the cut."""
    document = Document(motif.name, motif.recipe)
    font_file(options.font)
    for layout in layouts:
        print_sheet(document, layout, options)
    first = layouts[0]
    more = 0.0 if first.cuts else 2 * border(options.bleed)
    size = f"{first.width + more:g} x {first.height + more:g} mm"
    parts = [Part("sheet of paper", size, first.ground, len(layouts) if not number else 1)]
    if number:
        parts.append(Part("card", "", "", number))
    seen = [seen_sheet(layout, options.font, options.bleed) for layout in layouts]
    gap = np.full((len(seen[0]), 24, 3), 255, np.uint8)
    picture = np.concatenate([each for pair in ((gap, s) for s in seen) for each in pair][1:], 1)
    made = Made({f"{name}.pdf": document.encode()}, parts, picture, notes)
    title = f"{name} of {options.year}" if isinstance(options, CalendarOptions) else name
    return guides(motif, title, made, steps, lambda guide: None)


def border(bleed: float) -> float:
    """Return the width in mm of what a poster is cut out of; there is none without a bleed."""
    return bleed + ROOM if bleed else 0.0


def print_sheet(document: Document, layout: Layout, options: Any) -> None:
    """Add a page: all that is seen, and outside of it the marks of the cuts."""
    bleed = options.bleed
    # Cards have their marks on the paper itself.
    edge = 0.0 if layout.cuts else border(bleed)
    sheet = document.page(layout.width + 2 * edge, layout.height + 2 * edge)
    sheet.trim = edge
    sheet.write(f"q 1 0 0 1 {edge:g} {edge:g} cm")
    wide, high = layout.width + 2 * bleed, layout.height + 2 * bleed
    sheet.write(f"q {-bleed:g} {-bleed:g} {wide:g} {high:g} re W n")
    if layout.ground != "#ffffff":
        sheet.box(-bleed, -bleed, wide, high, fill=layout.ground, edge=0)
    names: dict[int, str] = {}
    for box, pixels in layout.pictures:
        name = names.setdefault(id(pixels), "") or document.picture(pixels)
        names[id(pixels)] = name
        sheet.place(name, *box)
    for x, y, right, bottom in layout.lines:
        sheet.line([(x, y), (right, bottom)], 0.15, against(layout.ground))
    for words in layout.words:
        draw_words(sheet, words, options.font)
    sheet.write("Q")
    for x, y, right, bottom in marks(layout, bleed) if edge or layout.cuts else ():
        sheet.line([(x, y), (right, bottom)], 0.1)
    sheet.write("Q")


def marks(layout: Layout, bleed: float) -> Iterator[Line]:
    """Yield the ends of the lines along which is cut, outside of all that is seen."""
    least, most = bleed + 0.5, bleed + 0.5 + (SHORT if layout.cuts else MARK)
    for cut in layout.cuts or [Box(0, 0, layout.width, layout.height)]:
        sides = (cut.x, -1), (cut.x + cut.width, 1)
        for (x, left), (y, up) in product(sides, ((cut.y, -1), (cut.y + cut.height, 1))):
            yield x, y + up * least, x, y + up * most
            yield x + left * least, y, x + left * most, y


def seen_sheet(layout: Layout, font: str, bleed: float) -> Pixels:
    """Show a sheet as it is after the cut, or where cards are cut, uint8 [height, width, 3]."""
    scale = SHOWN / max(layout.width, layout.height)
    size = max(1, round(layout.width * scale)), max(1, round(layout.height * scale))
    shown = Image.new("RGB", size, layout.ground)
    for box, pixels in layout.pictures:
        left, top, wide, high = (round(each * scale) for each in box)
        wide, high = max(1, wide), max(1, high)
        shown.paste(Image.fromarray(pixels).resize((wide, high), Image.Resampling.BOX), (left, top))
    pen = ImageDraw.Draw(shown)
    for line in [*layout.lines, *(marks(layout, bleed) if layout.cuts else ())]:
        pen.line([each * scale for each in line], hex_colour(np.array([0.6, 0.58, 0.55])), 1)
    for words in layout.words:
        tall = max(4, round(words.size / capital(font) * scale))
        face = ImageFont.truetype(str(font_file(font)), tall)
        for letter, x in placed(words, font):
            at = x * scale, words.y * scale
            pen.text(at, letter, words.colour, face, anchor="ls")
    return np.asarray(shown)


def draw_words(sheet: Sheet, words: Words, font: str) -> None:
    """Draw a line of text as filled outlines, with the base line at y."""
    red, green, blue = parse_colour(words.colour)
    shown = outlines(font, placed(words, font), words.y, words.size / capital(font))
    sheet.write(f"{red:.4f} {green:.4f} {blue:.4f} rg {shown} f")


def placed(words: Words, font: str) -> list[tuple[str, float]]:
    """Return the letters of a line and where in mm each begins."""
    em = words.size / capital(font)
    steps = [em * (glyph(font, letter).advance + words.apart) for letter in words.text]
    width = sum(steps) - em * words.apart
    x = words.x - {"left": 0.0, "middle": 0.5, "right": 1.0}[words.align] * width
    return list(zip(words.text, (x + np.cumsum([0.0, *steps[:-1]])).tolist(), strict=True))


def fitted(words: Words, width: float, font: str) -> Words:
    """Return the line smaller where it is wider than `width` mm.

    Raises UsageError where it would be less than half as large, and too small to be read.
    """
    places = placed(words._replace(x=0.0, align="left"), font)
    last, left = places[-1]
    long = left + words.size / capital(font) * glyph(font, last).advance
    size = words.size * min(1.0, width / long)
    if size < min(READABLE, words.size / 2):
        raise UsageError(
            f"{len(words.text)} letters are too many for a line of {width:.0f} mm",
            hint="shorten the text, or use a larger --paper",
        )
    return words._replace(size=size)
