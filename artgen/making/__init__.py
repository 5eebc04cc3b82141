"""Things that people make by hand or machine: the contract of makers, and what they all write.

A maker turns a drawing or a photo into instructions. Lengths are millimetres throughout::

    class Beads(Maker):
        def make(self, motif):
            return Made({"plan.txt": ...}, [Part("bead", number=900)], motif.picture(30, 30))
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen._version import __version__
from artgen.base.errors import InputError, UsageError
from artgen.base.faults import broken, plugin_code
from artgen.base.files import file_in, printable, read_regular
from artgen.base.options import describe_options, parse_options, parse_value
from artgen.output import encode_png
from artgen.output.parts.pens import PenPart, pen_parts
from artgen.output.pdf import assemble_pdf
from artgen.output.plotter import LONGER, SEEN, Page, Plot, named_page, plot
from artgen.primitives import NoOptions
from artgen.registry import Entry, Registry, check_required
from artgen.svg.curves import windings
from artgen.targets import hex_colour, linear_to_srgb, parse_colour, srgb_to_linear

if TYPE_CHECKING:
    from artgen.art import Art

__all__ = [
    "Made",
    "Maker",
    "Motif",
    "Page",
    "Part",
    "Plot",
    "assemble_pdf",
    "hex_colour",
    "named_page",
    "parse_colour",
    "read_regular",
]

_UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(mm|cm|m|in)")
_COLOUR = r"(#[0-9a-fA-F]{6})?"
_LISTS = frozenset({"parts.csv", "parts.json", "picture.png"})
"""The files of a thing that no maker gives."""
_FINER, _LARGE = 4, 2048
"""A drawing is drawn this many times larger than the grid over which it is averaged, and for fine
grids no larger than this, in pixels: its edges are smooth already."""


@dataclass(frozen=True)
class Part:
    """A line of the list of parts: what it is, its name and colour, and how much is needed.

    `colour` is ``#rrggbb`` or empty, `number` counts pieces, `length` is in millimetres.
    """

    what: str
    name: str = ""
    colour: str = ""
    number: int = 0
    length: float = 0.0


@dataclass(frozen=True, eq=False)
class Made:
    """What a maker gives: `files` by name, the `parts` that are needed, and the finished thing.

    `picture` shows the thing in its material, uint8 [height, width, 3]. `notes` are for the user.
    """

    files: Mapping[str, bytes]
    parts: Sequence[Part]
    picture: NDArray[np.uint8]
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Motif:
    """What a thing is made from: a drawing, or a `photo`, uint8 [height, width, 3], as it is.

    `name` is that of the file without suffix. `origin` says in a line how the thing is made, for
    all files that can hold a text; `recipe` is the drawing's as JSON, or empty.
    """

    name: str
    art: Art | None = None
    photo: NDArray[np.uint8] | None = None
    origin: str = f"artgen {__version__}"

    @property
    def recipe(self) -> str:
        """The recipe of the drawing, as JSON; empty for a photo."""
        return "" if self.art is None else self.art.recipe.to_json()

    def table(self, *rows: Sequence[object]) -> bytes:
        """A CSV table below the line that says how the thing is made."""
        text = io.StringIO(newline="")
        text.write(f"# {self.origin}\r\n")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        if self.art is not None:
            return self.art.drawing.width / self.art.drawing.height
        height, width = self.pixels(0).shape[:2]
        return float(width / height)

    def pixels(self, size: int) -> NDArray[np.uint8]:
        """The photo as it is, or the drawing with a long side of `size`: uint8 [h, w, 3]."""
        if self.photo is not None:
            return self.photo
        assert self.art is not None
        return self.art.render(size)

    def plot(self, page: Page) -> Plot:
        """The drawing as lines for pens, in mm. Raises UsageError where it has no parts."""
        assert self.art is not None
        return plot(self.art.drawing, self.art.primitive(), self.art.render(SEEN), page)

    def directions(self, columns: int, rows: int) -> NDArray[np.float64]:
        """The direction of the topmost part in each cell of a grid, float64 [rows, columns].

        In radians, x to y: along a stroke, or the longest axis of a part; NaN where there is none.
        """
        from scipy.spatial import cKDTree

        plane = np.full((rows, columns), math.nan)
        for part in self._parts(columns, rows):
            inside = _inside(part, rows, columns)
            axis, ratio, _ = part.principal_axis()
            plane[inside] = axis if ratio > LONGER else math.nan
            if part.spine is not None:
                _, near = cKDTree(part.spine).query(np.stack(inside[::-1], 1) + 0.5)
                plane[inside] = np.arctan2(*np.gradient(part.spine, axis=0)[near].T[::-1])
        return plane

    def strokes(
        self, columns: int, rows: int
    ) -> tuple[NDArray[np.int64], list[NDArray[np.float64] | None]]:
        """The number of the topmost part in each cell of a grid, and the spine of each part.

        Numbers are int64 [rows, columns], -1 where there is no part. Spines are float64 [points, 2]
        in cells, x and y from the upper left corner; None for a part that is no stroke.
        """
        plane, parts = np.full((rows, columns), -1), self._parts(columns, rows)
        for number, part in enumerate(parts):
            plane[_inside(part, rows, columns)] = number
        return plane, [part.spine for part in parts]

    def _parts(self, columns: int, rows: int) -> list[PenPart]:
        """The parts of a drawing in cells of a grid, from the lowest; none where it has none."""
        if self.art is not None:
            scale, middle = columns / 2 / self.art.drawing.canvas.reach[0], (columns / 2, rows / 2)
            with suppress(UsageError):
                parts = pen_parts(self.art.primitive(), self.art.drawing)
                return [part.placed(scale, middle) for part in parts]
        return []

    def picture(self, columns: int, rows: int) -> NDArray[np.uint8]:
        """The colours of a grid, averaged as light is: uint8 [rows, columns, 3]."""
        from PIL import Image

        fine = max(columns, rows)
        shown = self.pixels(max(fine, min(_FINER * fine, _LARGE)))
        # A photo has millions of pixels of 256 levels.
        light = srgb_to_linear((np.arange(256) / 255).astype(np.float32))
        planes = [
            Image.fromarray(light[plane]).resize((columns, rows), Image.Resampling.BOX)
            for plane in np.moveaxis(shown, 2, 0)
        ]
        mean = linear_to_srgb(np.stack([np.asarray(plane) for plane in planes], 2))
        pixels: NDArray[np.uint8] = np.rint(255 * mean.clip(0, 1)).astype(np.uint8)
        return pixels


def _inside(part: PenPart, rows: int, columns: int) -> tuple[NDArray[Any], ...]:
    """The rows and columns of cells whose middles are in a part, by its winding number."""
    low = np.floor(part.box[:2]).clip(0, (columns, rows)).astype(int)
    wide, tall = np.ceil(part.box[2:]).clip(0, (columns, rows)).astype(int) - low
    inside = windings((ring - low for ring in part.rings), wide, tall)
    return tuple((np.argwhere(inside) + low[::-1]).T)


class Maker:
    """A kind of thing to make. A plugin defines `make`, and `recipe` where it needs a drawing.

    `Options` is a frozen dataclass of `artgen.option` fields, which become flags of ``artgen
    make``; lengths are floats in millimetres. `takes_photos` is whether it makes things of a photo
    as it is; else a photo is fitted first, as `recipe` says. Options `for_photos` shape that fit,
    and are refused for a drawing, which is fitted already. Without `needs_file` the motif has
    neither drawing nor photo.
    """

    Options: ClassVar[type[Any]] = NoOptions
    takes_photos: ClassVar[bool] = False
    needs_file: ClassVar[bool] = True
    for_photos: ClassVar[Sequence[str]] = ()
    required: ClassVar[tuple[str, ...]] = ("make",)
    known_deviations: ClassVar[Mapping[str, str]] = {}

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options: Any = parse_options(self.Options, options or {}, type(self).__name__)

    def recipe(self, photo: NDArray[np.uint8]) -> Mapping[str, Any]:
        """Tables of the recipe by which a photo, uint8 [height, width, 3], is fitted first."""
        return {}

    def make(self, motif: Motif) -> Made:
        """Make the thing. Raises UsageError for a drawing or sizes that it cannot be made of."""
        raise NotImplementedError


@dataclass(frozen=True)
class Provenance:
    """How a thing was made: its kind, what it was made of, and the options."""

    kind: str
    source: str
    sha256: str | None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The same as a command line, without control characters."""
        flags = [(f"--{key.replace('_', '-')}", str(value)) for key, value in self.options.items()]
        words = ["artgen", "make", self.kind, *filter(None, [self.source]), *chain(*flags)]
        return printable(f"artgen {__version__}: {shlex.join(words)}")


def lengths_of(maker: type[Maker], values: Mapping[str, str]) -> dict[str, Any]:
    """Read options as they are typed: ``400mm``, ``40cm`` and ``15.7in`` become millimetres."""
    hints = {each.name: each.hint for each in describe_options(maker.Options)}
    read: dict[str, object] = {}
    for key, text in values.items():
        length = _LENGTH.fullmatch(text) if hints.get(key) is float else None
        value = text if hints.get(key) is str else parse_value(text)
        read[key] = float(length[1]) * _UNITS[length[2]] if length else value
    return read


def maker_of(
    text: str, registry: Registry, search: Sequence[Path] = ()
) -> tuple[Entry, Maker, dict[str, str]]:
    """Find the kind of a text such as ``string board=40cm``, and set its options, which come last.

    The thing is made of a drawing. Files that options name are in a folder of `search`. Raises
    ArtgenError.
    """
    kind, *pairs = text.split()
    if odd := [pair for pair in pairs if "=" not in pair]:
        raise UsageError(f"make = {text!r}: {odd[0]!r} is no option", hint="write KEY=VALUE")
    options = dict(pair.split("=", 1) for pair in pairs)
    entry = registry.find("maker", kind)
    cls = entry.load()
    for key in (key for key in options if key in cls.for_photos):
        what = f"make = {text!r}: {key} is for photos, and a piece is a drawing"
        raise UsageError(what, hint="leave it out")
    given = {key: str(file_in(value, search) or value) for key, value in options.items()}
    return entry, cls(lengths_of(cls, given)), options


def run_maker(kind: str, maker: Maker, motif: Motif) -> Made:
    """Return what a maker makes. Raises ArtgenError, PluginError for its mistakes."""
    check_required(f"maker {kind!r}", type(maker))
    what, hint = f"maker {kind!r}", "return artgen.making.Made(files, parts, picture)"
    with plugin_code(what, type(maker), hint=hint):
        made = maker.make(motif)
    good = isinstance(made, Made) and all(
        isinstance(data, bytes) and re.fullmatch(r"[\w-][\w.-]*", name)
        for name, data in made.files.items()
    )
    if not good:
        raise broken(what, type(maker).make, "gave no files of bytes by plain names", hint)
    if taken := sorted(_LISTS.intersection(made.files)):
        problem = f"gave {taken[0]}, which artgen writes"
        raise broken(what, type(maker).make, problem, "give it another name")
    if strange := [each for each in made.parts if not isinstance(each, Part)]:
        problem = f"gave the part {strange[0]!r:.60}"
        raise broken(what, type(maker).make, problem, "use artgen.making.Part(what, name)")
    if odd := [each.colour for each in made.parts if not re.fullmatch(_COLOUR, each.colour)]:
        raise broken(what, type(maker).make, f"gave a part of colour {odd[0]!r}", "use #rrggbb")
    if not made.parts:
        raise UsageError(f"there is nothing to make: {motif.name} has no part", hint="make another")
    return made


def make_thing(
    kind: str,
    maker: Maker,
    given: Iterable[str],
    source: Motif,
    file: str,
    sha256: str | None,
    unused: Iterable[str] = (),
) -> tuple[Made, dict[str, bytes]]:
    """Make a thing of `source`: what a maker makes, and all its files by name.

    `file` and `sha256` are those of the drawing or the photo. Files say the options `given`, the
    list of parts all but the `unused`. Raises ArtgenError.
    """
    options = {each.name: getattr(maker.options, each.name) for each in fields(maker.options)}
    options = {key: _without_folder(value) for key, value in options.items()}
    said = {key: options[key] for key in given}
    motif = replace(source, origin=Provenance(kind, file, sha256, said).line)
    made = run_maker(kind, maker, motif)
    told = {key: value for key, value in options.items() if key not in unused}
    with plugin_code(f"maker {kind!r}", type(maker), hint="return artgen.making.Made(...)"):
        return made, files_of(made, motif, Provenance(kind, file, sha256, told))


def _without_folder(value: Any) -> Any:
    """The name of a file in place of its path, which may say who made the thing."""
    return Path(value).name if isinstance(value, str) and os.path.isfile(value) else value


def files_in(folder: Path) -> list[Path]:
    """The files in the folder of a thing that its maker gave, by its list; none without a list."""
    with suppress(InputError, ValueError, LookupError, TypeError, RecursionError):
        listed = json.loads(read_regular(folder / "parts.json", "parts.json"))["files"]
        return [path for path in folder.iterdir() if path.name in listed]
    return []


def files_of(made: Made, motif: Motif, provenance: Provenance) -> dict[str, bytes]:
    """All files of a thing by name: its own, the lists of parts and the picture."""
    recipe = motif.recipe
    data: dict[str, Any] = {"artgen": __version__, "made": asdict(provenance)}
    data |= {"recipe": json.loads(recipe)} if recipe else {}
    data |= {"files": sorted(made.files), "parts": [asdict(part) for part in made.parts]}
    rows = [[p.what, p.name, p.colour, p.number, f"{p.length:.1f}"] for p in made.parts]
    return {
        **made.files,
        "parts.csv": motif.table(["what", "name", "colour", "number", "length in mm"], *rows),
        "parts.json": (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode(),
        "picture.png": encode_png(made.picture, recipe or None, level=5),
    }
