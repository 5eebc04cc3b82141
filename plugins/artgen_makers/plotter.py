"""Files for pen plotters: the lines of a drawing as G-code or HPGL, one pen after the other.

A profile says how the machine lifts its pen, how fast it is and how far it reaches. Lines come in
the order of short ways. Where ink has to dry, lines that touch a fresh one wait; where a brush is
dipped, lines are cut after so many millimetres. Paper larger than the machine is drawn in panels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from artgen import Ink, option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Page, Part, hex_colour, named_page, parse_colour
from artgen_makers.calibration import Floats, Pen, read_pens
from artgen_makers.grids import differences, in_lab
from artgen_makers.guide import guides
from artgen_makers.motion import Profile, read_profile, seconds

CROSS = 5.0
"""Half of the length of crosses where panels meet, in mm."""
AHEAD = 200
"""Of so many lines the first is drawn that touches no wet one."""
UNITS = 40
"""Units of HPGL in a millimetre."""
FINEST_PATH, STRIDE, ROOM = 52_000, 0.35, 3.7
"""Most strokes of the line of a photo, their length in distances of its rows, and least distance of
rows in widths of the pen: in faces they are half as close again, and a row swells to its own."""
MOST_PANELS = 100
UNLIKE = 1.4
"""Pens whose widths differ more than so many times are worth a note."""
LEAST_DIP = 5.0
DARK, LIGHT = 1.5, "#ffffff"
"""The sum of the levels below which paper is dark, and the pen for it where none is named."""
_FINEST = 1500
"""Cells of the grid on which wet ink is known, along a side."""
_PIXELS = 1600


@dataclass(frozen=True)
class PlotterOptions:
    """Options of files for plotters; lengths are millimetres."""

    profile: str = option("grbl-servo", "machine: a name, or a TOML file")
    page: str = option("A4", "paper: A0 to A6, letter, legal, tabloid, or 300x200mm")
    margin: float = option(15.0, "margin of the paper", low=0, high=1000)
    pens: str = option("", "number of pens, or their colours with commas; empty: one, or the inks")
    pen_width: float = option(0.3, "width of a line", low=0.05, high=10)
    pens_from: str = option("", "photo of a sheet of swatches: colours and width of the pens")
    fill: str = option("hatch", "how areas are filled: hatch, none or solid")
    spacing: float = option(0.5, "least distance of hatches", low=0.05, high=10)
    paper: str = option("", "colour of the paper; empty: white, or that of light ink")
    one_file: bool = option(False, "all pens in one file, with pauses between")
    dry: float = option(0.0, "seconds that ink dries before a line may touch it", low=0, high=3600)
    dip: float = option(0.0, "the brush is dipped after so many mm; 0: never", low=0, high=1e6)
    pot: str = option("0,0", "where the pot stands: x,y in mm from the origin of the machine")
    panels: bool = option(False, "draw paper that is too large in panels")


class Line(NamedTuple):
    """The pen draws along `points` [N, 2]."""

    points: Floats


class Wait(NamedTuple):
    """The pen waits above the paper, in seconds."""

    seconds: float


class Dip(NamedTuple):
    """The brush is dipped."""


Action = Line | Wait | Dip


class Job(NamedTuple):
    """What one pen draws in one panel: its number, colour, and actions in their order."""

    number: int
    colour: str
    actions: list[Action]

    @property
    def lines(self) -> list[Floats]:
        """What is drawn."""
        return [each.points for each in self.actions if isinstance(each, Line)]


class Panel(NamedTuple):
    """A part of the paper: its name, its corner and size in mm, and a job for each pen."""

    name: str
    corner: Floats
    size: Floats
    jobs: list[Job]


class Told(NamedTuple):
    """What a job takes: mm drawn, mm in the air, and seconds."""

    drawn: float
    air: float
    seconds: float


class Plotter(Maker):
    """Lines for each pen, as files for a machine."""

    Options: ClassVar[type[Any]] = PlotterOptions

    def recipe(self, photo: NDArray[np.uint8]) -> Mapping[str, Any]:
        """A single line, which needs one pen and no way in the air, or one of each named pen.

        Its rows are no closer than pens are wide, in faces too, or they would run together.
        """
        self.check()
        page = self.page()
        sides = (page.width - 2 * page.margin) * (page.height - 2 * page.margin)
        most = sides / (STRIDE * (ROOM * page.pen_width) ** 2)
        count = max(1000, min(FINEST_PATH, round(most)))
        path: dict[str, Any] = {"name": "path", "count": count, "middle": 0.32, "crisp": 1.0}
        ground = lightness(page.paper)
        named = page.pens if isinstance(page.pens, tuple) and page.pens is not Page.pens else ()
        light = any(lightness(pen) > ground for pen in named) if named else ground < DARK
        # In focus, a face has a curve of tones for dark pens, by which light ones leave it dark.
        target = {} if light else {"focus": "faces"}
        if len(named) > 1 or (named and self.swatches):
            path["inks"] = ",".join(named)
        elif light:
            # One pen draws the tones, whatever its colour is.
            path["inks"] = LIGHT
        if light:
            path["overprint"] = False
        if page.paper != Page.paper:
            target["background"] = page.paper
        return {"target": target, "primitive": path}

    def check(self) -> None:
        """Raise InputError or UsageError for a machine, paper or dips that cannot be."""
        o = self.options
        if o.dip and o.dry:
            raise UsageError("--dip and --dry exclude each other", hint="leave out one of them")
        if 0 < o.dip < LEAST_DIP:
            raise UsageError(f"--dip {o.dip:g} is too small", hint=f"use {LEAST_DIP:g} mm or more")
        profile = read_profile(o.profile)
        if o.dry and profile.language == "hpgl":
            raise UsageError("HPGL knows no waiting", hint="use --dry with another --profile")
        self.pot(profile)
        panels(laid(self.page(), profile), profile, asked=o.panels)

    @cached_property
    def swatches(self) -> Sequence[Pen]:
        """The pens of the photo of a sheet, if one was given. Raises InputError, UsageError."""
        o = self.options
        if not o.pens_from:
            return ()
        if o.pens or o.pen_width != type(o).pen_width:
            raise UsageError(
                "--pens-from says what --pens and --pen-width would", hint="leave them out"
            )
        return read_pens(o.pens_from)

    def make(self, motif: Motif) -> Made:
        """Plot the drawing, and write it for the machine."""
        self.check()
        plot = motif.plot(self.page_of(motif))
        return self.written(motif, plot.page, [(each.colour, each.paths) for each in plot.layers])

    def written(
        self,
        motif: Motif,
        page: Page,
        lines: list[tuple[str, list[Floats]]],
        title: str = "plotter",
        work: Sequence[str] = (),
        dress: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = np.asarray,
    ) -> Made:
        """Write the lines [N, 2] of each colour, in mm, for the machine.

        `work` are other steps than those of a drawing; the paper is laid after the first. `dress`
        adds to the picture what is printed.
        """
        o = self.options
        profile = read_profile(o.profile)
        pot = self.pot(profile)
        size = laid(page, profile)
        turned = bool(size[0] != page.width)
        if turned:
            lines = [
                (colour, [path[:, ::-1] * [1, -1] + [0, size[1]] for path in paths])
                for colour, paths in lines
            ]
        parts = panels(size, profile, asked=o.panels)
        if len(parts) > 1:
            colour, first = lines[0]
            lines[0] = colour, [*first, *crosses(parts, size, page.margin)]
        done = [
            Panel(name, corner, side, list(self.jobs(lines, corner, side, profile)))
            for name, corner, side in parts
        ]
        writer = _hpgl if profile.language == "hpgl" else _gcode
        if (
            o.one_file
            and writer is _gcode
            and not profile.pause
            and max(len(p.jobs) for p in done) > 1
        ):
            raise UsageError(
                f"the profile {o.profile} does not wait for another pen",
                hint='add pause = ["M0"] to it, or leave out --one-file',
            )
        files, rows, table, lengths, taken = {}, [], [], defaultdict[int, float](float), 0.0
        for panel in done:
            for jobs in [panel.jobs] if o.one_file else [[each] for each in panel.jobs]:
                if not jobs:
                    continue
                name = _file(panel, None if o.one_file else jobs[0], profile)
                files[name] = "".join(writer(jobs, panel, profile, motif.origin, pot)).encode()
                for job in jobs:
                    told = measured(job, panel, profile, pot)
                    lengths[job.number] += told.drawn
                    taken += told.seconds
                    count, time = len(job.lines), f"{told.seconds / 60:.1f}"
                    drawn, air = f"{told.drawn / 1000:.2f}", f"{told.air / 1000:.2f}"
                    rows.append([name, job.number, job.colour, count, drawn, air, time])
                    said = f"{count:,} lines, {drawn} m, {air} m in the air, {time} min"
                    table.append((job.colour, f"{name}, pen {job.number}", said))
        head = ["file", "pen", "colour", "lines", "metres drawn", "metres in the air", "minutes"]
        files["pens.csv"] = motif.table(head, *rows)
        used = {colour for colour, _ in lines}
        widths = {each.colour: each.width for each in self.swatches if each.colour in used}
        needed = [
            Part("pen", f"{k}, {widths.get(colour, page.pen_width):g} mm", colour, 1, lengths[k])
            for k, (colour, _) in enumerate(lines, 1)
        ]
        wide, high = size
        needed.append(Part("paper", f"{wide:g} x {high:g} mm", page.paper, 1))
        picture = finished(done, size, page, widths)
        least, most = (f(widths.values(), default=0) for f in (min, max))
        notes = [
            f"pens {least:g} to {most:g} mm wide are planned as {page.pen_width:g} mm: tones come "
            "closer with pens of one width"
        ] * (most > UNLIKE * least)
        made = Made(files, needed, dress(np.rot90(picture, -1) if turned else picture), notes)
        end = "lower" if profile.origin == "bottom-left" else "upper"
        meet = "crosses" if page.margin else "lines"
        steps = (
            f"Tape the paper, {wide:g} x {high:g} mm, so that its {end} left corner lies at the "
            "origin of the machine, and set the origin there."
            + " The drawing lies on its left side, since the machine reaches further that way."
            * turned,
            f"Send the files in their order. Drawing takes some {taken / 60:.0f} minutes, as the "
            "profile says how fast the machine is.",
            "Change the pen between files, or where the machine waits."
            if len(lines) > 1
            else "Try the height of the pen on a scrap of paper first.",
            *([f"Move the paper for each panel, until the {meet} meet."] * (len(done) > 1)),
        )

        if work:
            steps = (work[0], steps[0], *work[1:])

        marks = range(1, len(lines) + 1)
        return guides(motif, title, made, steps, lambda guide: guide.listed("Files", table), marks)

    def page(self) -> Page:
        """Return the paper and the pens that were asked for. Raises UsageError."""
        o = self.options
        pens: int | tuple[str, ...] = Page.pens
        width = o.pen_width
        if self.swatches:
            pens = tuple(each.colour for each in self.swatches)
            width = round(float(np.mean([each.width for each in self.swatches])), 3)
        elif o.pens.strip().isdecimal():
            pens = int(o.pens)
        elif o.pens:
            pens = tuple(hex_colour(parse_colour(each)) for each in o.pens.split(","))
        if o.fill not in ("hatch", "none", "solid"):
            raise UsageError(f"--fill {o.fill} is unknown", hint="use hatch, none or solid")
        return named_page(
            o.page,
            margin=o.margin,
            pens=pens,
            pen_width=width,
            fill=o.fill,
            spacing=o.spacing,
            paper=hex_colour(parse_colour(o.paper)) if o.paper else Page.paper,
        )

    def page_of(self, motif: Motif) -> Page:
        """Return the page: for light ink its paper, and the nearest of the pens of a photo."""
        page = self.page()
        assert motif.art is not None
        primitive = motif.art.primitive()
        if not isinstance(primitive, Ink):
            return page
        inks = [hex_colour(each) for each in primitive.inks]
        if self.swatches:
            apart = differences(in_lab(inks), in_lab([pen.colour for pen in self.swatches]))
            used = [self.swatches[k] for k in apart.argmin(1)]
            width = round(float(np.mean([each.width for each in used])), 3)
            page = replace(page, pens=tuple(each.colour for each in used), pen_width=width)
        named = page.pens if isinstance(page.pens, tuple) and page.pens is not Page.pens else ()
        pens = named if len(named) == len(inks) else inks
        ground = hex_colour(motif.art.drawing.background)
        light = max(map(lightness, pens)) > lightness(ground) and not primitive.options.overprint
        return replace(page, paper=ground) if light and not self.options.paper else page

    def pot(self, profile: Profile) -> Floats:
        """Return where the brush is dipped, in mm from the origin. Raises UsageError."""
        found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", self.options.pot)
        if found is None:
            raise UsageError(f"--pot {self.options.pot} is no place", hint="write x,y in mm: 20,0")
        place = np.array(found.groups(), float)
        if self.options.pot != type(self.options).pot and not self.options.dip:
            raise UsageError("--pot is for a brush that is dipped", hint="add --dip 300mm")
        if self.options.dip and not ((place >= 0) & (place <= profile.bed)).all():
            raise UsageError(
                f"--pot {self.options.pot} is beyond the machine",
                hint=f"it reaches {profile.bed[0]:g} x {profile.bed[1]:g} mm",
            )
        return place

    def jobs(
        self,
        lines: Sequence[tuple[str, list[Floats]]],
        corner: Floats,
        size: Floats,
        profile: Profile,
    ) -> Iterator[Job]:
        """Yield what each pen draws in a panel, where it draws something."""
        o = self.options
        # What one pen has drawn may be wet when the next one comes.
        wet = Wet(corner, size, self.page().pen_width) if o.dry else None
        for number, (colour, paths) in enumerate(lines, 1):
            here = [piece for path in paths for piece in clipped(path, corner, corner + size)]
            if not here:
                continue
            actions: list[Action] = [Line(each) for each in here]
            if o.dip:
                actions = list(dipped(here, o.dip))
            elif wet:
                actions = list(dried(here, o.dry, profile, wet))
            yield Job(number, colour, actions)


def lightness(colour: str) -> float:
    """Return the sum of the levels of a colour, 0 to 3."""
    return sum(parse_colour(colour))


def laid(page: Page, profile: Profile) -> Floats:
    """Return the sides of the paper, turned where the machine then reaches it in fewer parts."""
    sides = np.array([page.width, page.height])
    return min(sides, sides[::-1], key=lambda each: np.ceil(each / profile.bed - 1e-9).prod())


def panels(size: Floats, profile: Profile, *, asked: bool) -> list[tuple[str, Floats, Floats]]:
    """Return the parts of a paper that a machine reaches: name, corner and size in mm.

    The first is in the corner of the origin. Raises UsageError for paper that is too large, unless
    panels were `asked` for.
    """
    bed = profile.bed
    columns, rows = (int(n) for n in np.ceil(size / bed - 1e-9))
    if columns == rows == 1:
        return [("", np.zeros(2), size)]
    told = f"paper of {size[0]:g} x {size[1]:g} mm is larger than the machine"
    if not asked:
        raise UsageError(
            f"{told}, which reaches {bed[0]:g} x {bed[1]:g} mm",
            hint="use --panels, a smaller --page, or another --profile",
        )
    if columns * rows > MOST_PANELS:
        raise UsageError(
            f"{told}: it takes {columns * rows} panels, and {MOST_PANELS} are the most",
            hint="use a smaller --page",
        )
    step = size / (columns, rows)
    downwards = range(rows)[:: -1 if profile.origin == "bottom-left" else 1]
    return [
        (f"panel-{number}-{column + 1}-", step * (column, row), step)
        for number, row in enumerate(downwards, 1)
        for column in range(columns)
    ]


def crosses(
    parts: Sequence[tuple[str, Floats, Floats]], size: Floats, margin: float
) -> list[Floats]:
    """Return crosses in the margin where panels meet."""
    corners, reach = np.array([corner for _, corner, _ in parts]), min(CROSS, margin / 2)
    found: list[Floats] = []
    for axis in (0, 1) if margin else ():
        for seam in np.unique(corners[:, axis])[1:]:
            for edge in (margin / 2, size[1 - axis] - margin / 2):
                middle = np.array([seam, edge])[[axis, 1 - axis]]
                for way in reach * np.eye(2):
                    found.append(np.stack([middle - way, middle + way]))
    return found


def clipped(path: Floats, low: Floats, high: Floats) -> list[Floats]:
    """Return the pieces of a path [N, 2] in a box (Liang and Barsky, 1984)."""
    if (path >= low).all() and (path <= high).all():
        return [path]
    begin, step = path[:-1], np.diff(path, axis=0)
    still, inside = step == 0, (begin >= low) & (begin <= high)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.stack([(low - begin) / step, (high - begin) / step])
    never = np.where(inside, -np.inf, np.inf)
    enter = np.where(still, never, times.min(0)).max(1).clip(0, 1)
    leave = np.where(still, -never, times.max(0)).min(1).clip(0, 1)
    pieces: list[list[Floats]] = []
    last = -2
    for k in np.flatnonzero(enter < leave):
        if last != k - 1 or leave[last] < 1 or enter[k] > 0:
            pieces.append([begin[k] + enter[k] * step[k]])
        pieces[-1].append(begin[k] + leave[k] * step[k])
        last = int(k)
    return [np.array(piece) for piece in pieces]


def dipped(paths: Sequence[Floats], every: float) -> Iterator[Action]:
    """Yield paths [N, 2], cut where the brush has drawn so many mm, and a dip before each."""
    full = 0.0
    for path in paths:
        along = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
        at = 0.0
        while at < along[-1]:
            if full <= 0:
                yield Dip()
                full = every
            end = min(at + full, along[-1])
            inner = path[(along > at) & (along < end)]
            ends = [[np.interp(each, along, axis) for axis in path.T] for each in (at, end)]
            yield Line(np.concatenate([ends[:1], inner, ends[1:]]))
            # What rounding leaves of a full brush may be too little to move on by.
            full = full - (end - at) if end == along[-1] else 0.0
            at = end


class Wet:
    """When each place of a panel was drawn, in seconds, and what time it is."""

    def __init__(self, corner: Floats, size: Floats, width: float) -> None:
        self.corner, self.cell = corner, max(width, size.max() / _FINEST)
        self.inked = np.full(np.ceil(size / self.cell).astype(int) + 1, -np.inf)
        self.clock = 0.0

    def cells(self, path: Floats) -> NDArray[np.int64]:
        """Return the places on and beside a path, [2, N]."""
        path = (path - self.corner) / self.cell
        along = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
        places = np.linspace(0, along[-1], int(2 * along[-1]) + 2)
        dense = np.stack([np.interp(places, along, axis) for axis in path.T])
        around = np.array(list(product((-1, 0, 1), repeat=2))).T
        cells = (dense.astype(np.int64)[:, :, None] + around[:, None]).reshape(2, -1)
        return np.unique(cells.clip(0, np.array(self.inked.shape)[:, None] - 1), axis=1)


def dried(paths: Sequence[Floats], dry: float, profile: Profile, wet: Wet) -> Iterator[Action]:
    """Yield paths [N, 2] so that none touches a line drawn less than `dry` seconds before.

    Of the next `AHEAD` the first is drawn that touches no wet line; where all do, the pen waits.
    """
    left = [(path, wet.cells(path)) for path in paths]
    at = np.zeros(2)
    while left:
        # No further than to the first that is dry, which mostly is the next one.
        dry_at: list[float] = []
        while len(dry_at) < min(AHEAD, len(left)) and (not dry_at or dry_at[-1] > wet.clock):
            dry_at.append(wet.inked[tuple(left[len(dry_at)][1])].max() + dry)
        ready = int(np.argmin(dry_at))
        if dry_at[ready] > wet.clock:
            yield Wait(dry_at[ready] - wet.clock)
            wet.clock = dry_at[ready]
        path, cells = left.pop(ready)
        wet.clock += seconds(np.stack([at, path[0]]), profile.travel, profile) + 2 * profile.lift
        wet.clock += seconds(path, profile.draw, profile)
        wet.inked[tuple(cells)] = wet.clock
        at = path[-1]
        yield Line(path)


class Move(NamedTuple):
    """What a machine does: ``air`` or ``draw`` along points, ``dip``, or ``wait`` for seconds."""

    what: str
    points: Floats
    seconds: float = 0.0


def moves(job: Job, panel: Panel, profile: Profile, pot: Floats) -> Iterator[Move]:
    """Yield what the machine does for a job, in mm from its origin, where it begins."""
    at = np.zeros(2)
    for action in job.actions:
        if isinstance(action, Wait):
            yield Move("wait", at[None], action.seconds)
        elif isinstance(action, Dip):
            yield Move("air", np.stack([at, pot]))
            yield Move("dip", pot[None])
            at = pot
        else:
            points = action.points - panel.corner
            if profile.origin == "bottom-left":
                points = points * [1, -1] + [0, panel.size[1]]
            yield Move("air", np.stack([at, points[0]]))
            yield Move("draw", points)
            at = points[-1]


def measured(job: Job, panel: Panel, profile: Profile, pot: Floats) -> Told:
    """Return what a job takes."""
    drawn = air = time = 0.0
    for move in moves(job, panel, profile, pot):
        far = float(np.hypot(*np.diff(move.points, axis=0).T).sum())
        time += move.seconds
        if move.what == "air":
            air += far
            time += seconds(move.points, profile.travel, profile)
        elif move.what != "wait":
            drawn += far
            time += seconds(move.points, profile.draw, profile) + 2 * profile.lift
    return Told(drawn, air, time)


def _gcode(
    jobs: Sequence[Job], panel: Panel, profile: Profile, origin: str, pot: Floats
) -> Iterator[str]:
    """Yield the lines of a file of G-code."""
    yield f"; {_comment(origin)}\n"
    yield from _lines(profile.header)
    yield from _lines(profile.up)
    for turn, job in enumerate(jobs):
        if turn:
            yield from _lines(profile.pause)
        yield f"; pen {job.number}: {job.colour}, {len(job.lines)} lines\n"
        for what, points, waited in moves(job, panel, profile, pot):
            if what == "wait":
                yield profile.wait.replace("{}", _short(waited)) + "\n"
            elif what == "air":
                yield f"G0{_place(points[-1])} F{_short(profile.travel)}\n"
            else:
                yield from _lines(profile.down)
                for k, point in enumerate(points[1:]):
                    speed = f" F{_short(profile.draw)}" if k == 0 else ""
                    yield f"G1{_place(point)}{speed}\n"
                yield from _lines(profile.up)
    yield from _lines(profile.footer)


def _hpgl(
    jobs: Sequence[Job], panel: Panel, profile: Profile, origin: str, pot: Floats
) -> Iterator[str]:
    """Yield the instructions of a file of HPGL (Hewlett-Packard, HP-GL/2 reference, 1997)."""
    yield f'IN;CO "{_comment(origin)}";VS{max(1, round(profile.draw / 600))};\n'
    for job in jobs:
        yield f"SP{job.number};\n"
        for what, points, _ in moves(job, panel, profile, pot):
            if what == "air":
                yield f"PU{_units(points[-1:])};\n"
            else:
                yield f"PD{_units(points[1:])};PU;\n"
    yield "PU;SP0;\n"


def _comment(text: str) -> str:
    """Return a text without what a machine obeys in comments too: GRBL stops at ``!``."""
    return re.sub(r"[^A-Za-z0-9 .,:/_=#+-]", "_", text)


def _lines(lines: Sequence[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _place(point: Floats) -> str:
    x, y = (_short(each) for each in point)
    return f" X{x} Y{y}"


def _short(number: float) -> str:
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _units(points: Floats) -> str:
    return ",".join(str(each) for each in np.rint(UNITS * points).astype(int).ravel())


def _file(panel: Panel, job: Job | None, profile: Profile) -> str:
    which = "drawing" if job is None else f"pen-{job.number}-{job.colour[1:]}"
    return f"{panel.name}{which}.{profile.language}"


def finished(
    done: Sequence[Panel], size: Floats, page: Page, widths: Mapping[str, float]
) -> NDArray[np.uint8]:
    """Show the lines on the paper, each as wide as its pen, uint8 [height, width, 3].

    `widths` are those of colours with another than the page's, in mm.
    """
    scale = _PIXELS / size.max()
    wide, high = (round(side * scale) for side in size)
    image = Image.new("RGB", (2 * wide, 2 * high), page.paper)
    pen = ImageDraw.Draw(image)
    for panel in done:
        for job in panel.jobs:
            width = max(1, round(2 * scale * widths.get(job.colour, page.pen_width)))
            for points in job.lines:
                places = [(float(x), float(y)) for x, y in 2 * scale * points]
                pen.line(places, fill=job.colour, width=width, joint="curve")
    return np.asarray(image.resize((wide, high), Image.Resampling.BOX))
