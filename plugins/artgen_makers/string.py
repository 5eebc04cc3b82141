"""String art as people wind it: a template of numbered nails, and the sequence of each thread.

The drawing is one of the primitive `string`. The board and the thread decide how many lines it
has: threads cover what the tone asks for, and no more.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen import Art, Canvas, draw, option
from artgen.errors import UsageError
from artgen.ink import Marks, joined, polyline
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen.targets import find_faces, srgb_to_linear
from artgen_makers.guide import MARGIN, Guide, guides, levels_of
from artgen_makers.pdf import CAP, Sheet, text_width

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOLID, EDGE = 0.9, 0.03
"""The most that counts of a tone for the number of lines; the border without nails."""
WIDEST = 10_000
"""The largest board, in mm."""
APART = 1.6
"""Nails stand at least this many of their diameters apart, or no thread gets between them."""
LIKE, FEW = 0.35, 100
"""The least width of a face that threads show, as a share of the shorter side, and in pixels."""
BRILLIANT, NIGHT = 0.6, 70
"""How much lighter a photo is made, for each share of contrast; the level up to which the median of
a night is, which does not fade."""
LONG = 1600
"""Longer side of the picture in pixels."""
ACROSS, SIZE = 10, 3.2
"""Steps in a row of the list, and the size of its numbers in mm."""


@dataclass(frozen=True)
class StringOptions:
    """Options of string art; lengths are millimetres."""

    board: float = option(500.0, "shorter side of the board", low=20, high=WIDEST)
    thread: float = option(0.15, "width of the thread", low=0.01, high=20)
    nails: int = option(240, "number of nails, for photos", low=3, high=2000)
    nail: float = option(1.5, "diameter of a nail", low=0.1, high=50)
    frame: str = option("circle", "circle, rectangle, SVG path data or a file, for photos")
    inks: str = option("#1d1b20", "colours of the threads with commas between, for photos")
    board_colour: str = option("#f7f3ea", "colour of the board, for photos")
    lines: int = option(4000, "most lines of all threads, for photos", low=100, high=100_000)
    face: float = option(
        0.8, "share of a round board that a face takes, for photos; 0: no closer", low=0, high=1
    )
    fade: float = option(
        0.5, "how much photos fade towards the nails of a round board", low=0, high=1
    )
    contrast: float = option(
        0.8, "how much the contrast of photos is raised; 0: tones as they are", low=0, high=1
    )
    limit: int = option(
        0, "most visits of one nail, two lines each; 0: any number", low=0, high=10_000
    )


class Thread(NamedTuple):
    """The nails that a thread of a `colour` visits, from 0, and its length in mm."""

    colour: str
    nails: Ints
    length: float


class String(Maker):
    """A thread of each colour around nails."""

    Options: ClassVar[type[Any]] = StringOptions
    for_photos = (
        *("nails", "frame", "inks", "board_colour"),
        *("lines", "face", "fade", "contrast"),
    )
    notes: Sequence[str] = ()

    def recipe(self, photo: NDArray[np.uint8]) -> Mapping[str, Any]:
        """As many lines of the real thread as the tone of the photo asks for."""
        chosen = self.options
        inks = [each.strip() for each in chosen.inks.split(",")]
        circle = chosen.frame == "circle"
        high, wide = photo.shape[:2]
        aspect = 1.0 if circle else wide / high
        radius = 1 - 2 * EDGE
        around = 2 * math.pi * radius if circle else 4 * radius * (1 + max(aspect, 1 / aspect))
        target = {"aspect": "1:1", "crop_at": "auto"} if circle else {}
        # A circle keeps the shorter side, of which the radius of a face is a share.
        for x, y, half in find_faces(photo)[:1]:
            short, seen = min(high, wide), 2 * half
            if circle and chosen.face > seen and seen * short >= FEW:
                kept = seen / chosen.face
                target["crop_at"] = f"{x:g},{y:g},{kept:.3g}"
                photo, seen = cropped(photo, x, y, kept * short), chosen.face
            if seen < LIKE:
                self.notes = (
                    f"the face takes {100 * seen:.0f} % of the board's width: threads show one "
                    f"that takes {100 * LIKE:.0f} % or more, so crop the photo closer",
                )
        # Nails are not quite even: see the primitive.
        apart = 0.8 * around / chosen.nails * chosen.board / 2
        self.check_nails(chosen.nails, apart, drawn=False)
        area = math.pi * radius**2 if circle else 4 * radius**2 * max(aspect, 1 / aspect)
        amounts = shares(photo, inks, chosen.board_colour)
        tones = amounts.clip(0, SOLID)
        # In a circle chords are 4 r / pi long on average; in a rectangle about as much.
        reach = 4 / math.pi * math.sqrt(area / math.pi)
        asked = -np.log1p(-tones).mean((1, 2)).sum() * area
        # The primitive draws no more than its tones ask, which are lighter where they are raised.
        count = min(chosen.lines, round(asked / (reach * self.width)))
        most = chosen.nails * (chosen.nails - 1) // 4
        if count > most:
            raise UsageError(
                f"this picture takes {count:,} lines of {chosen.thread:g} mm on a board of "
                f"{chosen.board:g} mm, and {chosen.nails} nails have {most:,} to choose from",
                hint=f"use --nails {min(2000, math.ceil(2.2 * math.sqrt(count)))}, a thicker "
                "--thread or a smaller --board",
            )
        return {
            "target": {"size": 600, "background": chosen.board_colour, **target},
            "primitive": {
                "name": "string",
                "count": max(count, 8 * len(inks)),
                "nails": chosen.nails,
                "frame": chosen.frame,
                "inks": ",".join(inks),
                "width": self.width,
                "margin": EDGE,
                "contrast": chosen.contrast,
                "brilliant": BRILLIANT * chosen.contrast,
                "fade": chosen.fade if circle and np.median(photo) > NIGHT else 0.0,
            },
        }

    @property
    def width(self) -> float:
        """The width of the thread in canvas units, of which the board has two."""
        width: float = 2 * self.options.thread / self.options.board
        if width > 0.1:
            raise UsageError(
                f"a thread of {self.options.thread:g} mm is too thick for a board of "
                f"{self.options.board:g} mm",
                hint=f"use a --board of {20 * self.options.thread:g}mm or more",
            )
        return width

    def check_nails(self, count: int, apart: float, *, drawn: bool) -> None:
        """Raise UsageError where `count` nails stand as little as `apart` mm from one another.

        So it does where each may be visited less than four times. A drawing that is `drawn` has its
        nails.
        """
        if (most := self.options.limit) in (1, 2, 3):
            raise UsageError(f"--limit {most} leaves no thread", hint="use --limit 12 or more")
        needed = APART * self.options.nail
        if apart < needed:
            fewer, larger = (
                int(count * apart / needed),
                math.ceil(self.options.board * needed / apart),
            )
            ways = [f"--nails {fewer}"] if not drawn and fewer >= 3 else ["a smaller --nail"]
            ways += [f"--board {larger}mm"] if larger <= WIDEST else []
            hint = f"use {' or '.join(ways)}"
            raise UsageError(
                f"{count} nails of {self.options.nail:g} mm are {apart:.2f} mm apart on a board of "
                f"{self.options.board:g} mm, and need {needed:.2f}",
                hint=hint,
            )

    def make(self, motif: Motif) -> Made:
        """Number the nails, and write down the threads."""
        art = motif.art
        if art is None or art.drawing.primitive != "string":
            raise UsageError(
                f"{motif.name} is not a drawing of the primitive string",
                hint="give a photo, which is fitted first, or artgen fit PHOTO -p string",
            )
        primitive: Any = art.primitive()
        canvas, scale = art.drawing.canvas, self.options.board / 2
        nails: Floats = primitive.find_nails(canvas)
        apart = np.hypot(*(nails - np.roll(nails, 1, 0)).T).min() * scale
        self.check_nails(len(nails), float(apart), drawn=True)
        marks = primitive.unpack(art.drawing.tensors)
        threads = self.threads(marks, primitive, nails)
        if not threads:
            raise UsageError(f"{motif.name} has no thread", hint="fit it with more lines: -n 4000")
        wound = float(marks.strokes[:, 4].mean()) / self.width
        tone = "darker" if wound < 0.5 else "paler"
        notes = [
            f"the drawing is made for threads of {2 * wound * self.options.thread:.2g} mm on a "
            f"board of {self.options.board:g} mm: in {self.options.thread:g} mm it is {tone}"
        ] * (abs(2 * wound - 1) > 0.02) + [*self.notes]
        half = [each * scale for each in canvas.reach]
        places = nails * scale + half
        colour = hex_colour(art.drawing.background)
        busiest = np.bincount(
            np.concatenate([each.nails for each in threads]), minlength=len(nails)
        )
        parts = [
            Part("board", f"{2 * half[0]:.0f} x {2 * half[1]:.0f} mm", colour, 1),
            Part("nail", f"{self.options.nail:g} mm", "", len(nails)),
            *(
                Part("thread", f"{k} of {self.options.thread:g} mm", colour, 0, each.length)
                for k, each in enumerate(threads, 1)
                for colour in [hex_colour(parse_colour(each.colour))]
            ),
        ]
        files = {
            "sequence.txt": _text(threads, motif).encode(),
            "sequence.csv": _table(threads, places, motif),
            "read-aloud.html": _page(threads, places, half, colour, motif).encode(),
        }
        made = Made(files, parts, self.picture(art, primitive, threads, nails), notes)
        lines = sum(len(each.nails) - 1 for each in threads)
        steps = [
            f"Paint the board. Print the sheets of the template at 100 %, lay them so that their "
            f"crosses meet, and fix them on the board of {2 * half[0]:.0f} x {2 * half[1]:.0f} mm.",
            f"Drive {len(nails)} nails through the dots, all as high, and tear the paper off. "
            "Write the number of every tenth nail on the rim.",
            f"Tie the thread to its first nail, and pass around the nails of the list: {lines:,} "
            f"lines, at most {int(busiest.max())} visits of a nail. Tick each nail. The page "
            "read-aloud.html says the next one, and keeps the place.",
            "Keep the thread taut, and go around the outside of each nail. At the end, tie it to "
            "the last nail.",
        ]

        def pages(guide: Guide) -> None:
            circle = primitive.options.frame == "circle"
            guide.tiled("Template", self.template(places, half, circle=circle))
            for number, thread in enumerate(threads, 1):
                _list(guide, number, thread)

        return guides(motif, "string art", made, steps, pages)

    def threads(self, marks: Marks, primitive: Any, nails: Floats) -> list[Thread]:
        """Find the nails along each thread, and take lines away where there are too many."""
        from scipy.spatial import cKDTree

        threads = []
        tree = cKDTree(nails)
        for ink, colour in enumerate(map(hex_colour, primitive.inks)):
            rows = marks.strokes[marks.ink == ink]
            if not len(rows):
                continue
            apart, found = tree.query(np.concatenate([rows[:1, :2], rows[:, 2:4]]))
            if apart.max() > 0.01 * np.hypot(*(nails[1] - nails[0])) + 1e-4:
                raise UsageError(
                    "the threads of this drawing do not end at its nails",
                    hint="fit it again, or give the photo",
                )
            visited = self.limited(found.astype(np.int64), len(nails))
            ways = np.hypot(*np.diff(nails[visited], axis=0).T) * self.options.board / 2
            # Around each nail it goes half a turn.
            bent = math.pi / 2 * (self.options.nail + self.options.thread) * len(visited)
            threads.append(Thread(colour, visited, float(ways.sum() + bent)))
        return threads

    def limited(self, visited: Ints, count: int) -> Ints:
        """Return a thread with no more lines at a nail than the limit, of lines that it has.

        Lines between crowded nails are left out, and the rest is walked again.
        """
        most = self.options.limit
        if most == 0 or np.bincount(visited, minlength=count).max() <= most:
            return visited
        from artgen_plugins._tours import circuit

        rng = np.random.default_rng(0)
        first, second = visited[:-1], visited[1:]
        # Each visit has two lines; short threads along the rim make a few more.
        for degree in range(2 * most, 1, -1):
            load, kept = np.zeros(count, np.int64), []
            for line in rng.permutation(len(first)):
                a, b = first[line], second[line]
                if load[a] < degree and load[b] < degree:
                    load[[a, b]] += 1
                    kept.append(line)
            walked, _ = circuit(first[kept], second[kept], count, rng)
            if np.bincount(walked, minlength=count).max() <= most:
                return np.asarray(walked, np.int64)
        raise UsageError(f"--limit {most} leaves no thread", hint="use --limit 12 or more")

    def picture(
        self, art: Art, primitive: Any, threads: Sequence[Thread], nails: Floats
    ) -> NDArray[np.uint8]:
        """Draw the threads in their width, and nails of metal."""
        from PIL import Image, ImageDraw

        order = [*map(hex_colour, primitive.inks)]
        marks = joined(
            [polyline(nails[t.nails], self.width / 2, order.index(t.colour)) for t in threads]
        )
        drawing = replace(art.drawing, tensors=primitive.pack(marks))
        wide, high = art.drawing.width, art.drawing.height
        long = LONG / max(wide, high)
        canvas = Canvas(max(1, round(wide * long)), max(1, round(high * long)))
        shown = draw(drawing, primitive, canvas).permute(1, 2, 0).numpy()
        picture = Image.fromarray(levels_of(shown))
        pen = ImageDraw.Draw(picture)
        scale = min(canvas.width, canvas.height) / 2
        radius = max(1.5, self.options.nail / self.options.board * scale)
        for x, y in nails * scale + (canvas.width / 2, canvas.height / 2):
            for size, shade, shift in ((1.0, "#4c4c50", 0.0), (0.55, "#c9c9cf", -0.25)):
                u, v, r = x + shift * radius, y + shift * radius, size * radius
                pen.ellipse((u - r, v - r, u + r, v + r), fill=shade)
        return np.asarray(picture)

    def template(self, places: Floats, half: Sequence[float], *, circle: bool) -> Sheet:
        """Draw the nails at 1:1, with their numbers outside, or inside a circle.

        A circle comes near the edges of the board, beyond which there is no room.
        """
        sheet = Sheet(2 * half[0], 2 * half[1])
        sheet.box(0, 0, sheet.width, sheet.height, edge=0.3)
        middle = np.array(half)
        for way in np.array([[5, 0], [0, 5]]):
            sheet.line([middle - way, middle + way], 0.15)
        apart = float(np.hypot(*np.diff(places, axis=0).T).min())
        side = -1.0 if circle else 1.0
        size = min(3.0, max(1.2, 0.7 * apart))
        ahead, behind = np.roll(places, -1, 0), np.roll(places, 1, 0)
        for number, (x, y) in enumerate(places.tolist(), 1):
            way = ahead[number - 1] - behind[number - 1]
            out = np.array([way[1], -way[0]])
            out *= side * (np.sign(out @ (places[number - 1] - middle)) or 1.0)
            out /= max(float(np.hypot(*out)), 1e-9)
            sheet.dot(x, y, max(0.25, self.options.nail / 4))
            text, bold = str(number), number % 10 == 0
            # All are upright. Where nails are side by side, every second number stands further out.
            far = self.options.nail + 0.8 + abs(out) @ [text_width(text, size) / 2, CAP * size / 2]
            far += 1.6 * size * (number % 2 and abs(out[0]) < 0.55)
            x, y = (x, y) + far * out
            sheet.label(x, y + CAP * size / 2, text, size, bold=bold)
        return sheet


def cropped(photo: NDArray[np.uint8], x: float, y: float, side: float) -> NDArray[np.uint8]:
    """Return the square of a photo around a place, in shares of width and height."""
    high, wide = photo.shape[:2]
    left = round(min(max(x * wide - side / 2, 0), wide - side))
    top = round(min(max(y * high - side / 2, 0), high - side))
    return photo[top : top + round(side), left : left + round(side)]


def shares(photo: NDArray[np.uint8], inks: Sequence[str], paper: str) -> Floats:
    """The share of each ink at a few places of a photo: float64 [inks, height, width]."""
    from PIL import Image
    from scipy.optimize import nnls

    small = np.asarray(Image.fromarray(photo).resize((32, 32), Image.Resampling.BOX)) / 255
    colours = np.array([parse_colour(each) for each in (paper, *inks)])
    light = srgb_to_linear(np.concatenate([colours, small.reshape(-1, 3)]).astype(np.float32))
    ground, ways, goals = light[0], light[1 : len(colours)], light[len(colours) :]
    amounts = [nnls((ground - ways).T, ground - each)[0] for each in goals]
    return np.array(amounts).T.reshape(-1, 32, 32).clip(0, 1)


def _text(threads: Sequence[Thread], motif: Motif) -> str:
    lines = [motif.origin]
    for number, thread in enumerate(threads, 1):
        told = f"thread {number}, {thread.colour}: {thread.length / 1000:.1f} m"
        lines += ["", told, " ".join(str(nail + 1) for nail in thread.nails)]
    return "\n".join([*lines, ""])


def _table(threads: Sequence[Thread], places: Floats, motif: Motif) -> bytes:
    rows = [
        [number, thread.colour, step, nail + 1, *(f"{each:.2f}" for each in places[nail])]
        for number, thread in enumerate(threads, 1)
        for step, nail in enumerate(thread.nails.tolist())
    ]
    return motif.table(["thread", "colour", "step", "nail", "x in mm", "y in mm"], *rows)


def _page(
    threads: Sequence[Thread], places: Floats, half: Sequence[float], colour: str, motif: Motif
) -> str:
    page = resources.files(__package__).joinpath("string.html").read_text(encoding="utf-8")
    data = {
        "threads": [[each.colour, (each.nails + 1).tolist()] for each in threads],
        "places": places.round(2).tolist(),
        "size": [2 * each for each in half],
        "colour": colour,
    }
    scripts = {"DATA": json.dumps(data), "RECIPE": motif.recipe or "{}"}
    values = {mark: value.replace("<", "\\u003c") for mark, value in scripts.items()}
    values |= {"NAME": html.escape(motif.name), "ORIGIN": html.escape(motif.origin)}
    # In one pass: a recipe may hold a mark.
    return re.sub("@(DATA|RECIPE|NAME|ORIGIN)@", lambda found: values[found[1]], page)


def _list(guide: Guide, number: int, thread: Thread) -> None:
    """Add the nails of a thread as rows with boxes to tick."""
    heading = f"Thread {number}, {thread.colour}: {thread.length / 1000:.1f} m"
    wide = (guide.width - 14) / ACROSS
    fit = int((guide.height - 16) / 6)
    nails = (thread.nails + 1).tolist()
    for start in range(0, len(nails), fit * ACROSS):
        sheet = guide.page(heading)
        for place, nail in enumerate(nails[start : start + fit * ACROSS]):
            row, column = divmod(place, ACROSS)
            x, y = MARGIN + 14 + column * wide, MARGIN + 18 + 6 * row
            if column == 0:
                if row % 2:
                    sheet.box(MARGIN, y - 4.2, guide.width, 6, fill="#f2f2f2", edge=0)
                sheet.text(MARGIN, y, f"{start + place}", 2.6, colour="#777777")
            sheet.box(x, y - 2.6, 3, 3, edge=0.15)
            sheet.text(x + 4.4, y, str(nail), SIZE)
