"""PDF pages in millimetres: lines, texts, pictures, and forms that several pages show.

Nothing but what ISO 32000-1 asks for, without dates, so equal pages give equal bytes. Texts are in
Helvetica, which every reader has. It has the letters of Western Europe; a text with others is drawn
as outlines of DejaVu Sans, where letters that this lacks too are squares.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artgen.making import assemble_pdf, parse_colour
from artgen_makers.letters import capital, glyph, has_letter, outlines

Pixels = NDArray[np.uint8]
Align = Literal["left", "middle", "right"]

POINTS = 72 / 25.4
"""PDF units per millimetre."""
CAP = 0.718
"""Height of capital letters and digits of Helvetica, as a share of the size."""
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(*[556] * 10, 278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222),
    *(500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)
"""Widths of the letters from the blank to ``~`` in thousandths of the size (Adobe's AFM files)."""


def text_width(text: str, size: float) -> float:
    """Return the width of a text of `size` mm, in mm."""
    if not _western(text):
        return _outlined(text, size, "DejaVuSans")[1]
    known = (_WIDTHS[ord(c) - 32] if " " <= c <= "~" else 556 for c in text)
    return size * sum(known) / 1000


def _western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _outlined(text: str, size: float, font: str) -> tuple[list[tuple[str, float]], float, float]:
    """The letters and where each begins, the width and the em in mm; as tall as Helvetica's."""
    em, x, letters = size * CAP / capital(font), 0.0, list[tuple[str, float]]()
    for each in text:
        letter = each if has_letter(font, each) else "\N{WHITE SQUARE}"
        letters.append((letter, x))
        x += em * glyph(font, letter).advance
    return letters, x, em


class Sheet:
    """A page of `width` x `height` mm, or a form; x points right and y down from the corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.labels: list[tuple[float, float, str, float, dict[str, Any]]] = []
        """Texts of a template, which each page shows whole or not at all."""
        self.trim = 0.0
        """Width of the border that is cut off, in mm."""
        self.operators = [f"{POINTS:.6f} 0 0 {-POINTS:.6f} 0 {height * POINTS:.3f} cm 1 J 1 j"]

    def write(self, *operators: str) -> None:
        """Add operators of PDF."""
        self.operators += operators

    def line(
        self, points: Iterable[Sequence[float]], width: float = 0.2, colour: str = "#000000"
    ) -> None:
        """Draw a line through points, `width` mm wide."""
        self.write(f"{_levels(colour)} RG {_n(width)} w {_path(points)} S")

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str = "", edge: float = 0.2
    ) -> None:
        """Draw a rectangle, with a colour or without, its edge `edge` mm wide or missing."""
        shown = f"{_n(x)} {_n(y)} {_n(width)} {_n(height)} re"
        if fill:
            self.write(f"{_levels(fill)} rg {shown} f")
        if edge:
            self.write(f"0 0 0 RG {_n(edge)} w {shown} S")

    def dot(self, x: float, y: float, radius: float, colour: str = "#000000") -> None:
        """Draw a filled circle: a line without length with round ends."""
        self.line([(x, y), (x, y)], 2 * radius, colour)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 3.5,
        *,
        align: Align = "left",
        bold: bool = False,
        colour: str = "#000000",
        halo: float = 0.0,
    ) -> None:
        """Write a line with its base line at y, `size` mm large, in a white rim `halo` mm wide."""
        x -= {"left": 0.0, "middle": 0.5, "right": 1.0}[align] * text_width(text, size)
        fill, rim = f"{_levels(colour)} rg", f"q 1 1 1 RG {_n(2 * halo)} w"
        if not _western(text):
            font = "DejaVuSans-Bold" if bold else "DejaVuSans"
            letters, _, em = _outlined(text, size, font)
            shown = outlines(font, [(letter, x + left) for letter, left in letters], y, em)
            self.write(*([f"{rim} {shown} S Q"] if halo else []), f"{fill} {shown} f")
            return
        data = text.encode("cp1252").decode("latin-1")
        escaped = "".join(f"\\{c}" if c in "()\\" else c for c in data)
        way = f"1 0 0 -1 {_n(x)} {_n(y)} Tm"
        font = f"/{'FB' if bold else 'F'} {_n(size)} Tf"
        if halo:
            self.write(f"{rim} BT 1 Tr {font} {way} ({escaped}) Tj ET Q")
        self.write(f"BT {fill} {font} {way} ({escaped}) Tj ET")

    def label(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Add a text around x that no page of a template cuts; see `Guide.tiled`."""
        self.labels.append((x, y, text, size, style))

    def place(self, name: str, x: float, y: float, width: float = 1, height: float = 1) -> None:
        """Show a picture or form of the document with its upper left corner at x, y."""
        self.write(f"q {_n(width)} 0 0 {_n(height)} {_n(x)} {_n(y)} cm /{name} Do Q")


class Document:
    """Pages with the pictures and forms that they share."""

    def __init__(self, title: str, recipe: str = "") -> None:
        self.title, self.recipe = title, recipe
        self.pages: list[Sheet] = []
        self.shared: list[bytes] = []

    def page(self, width: float, height: float) -> Sheet:
        """Add a page of this size in mm."""
        self.pages.append(Sheet(width, height))
        return self.pages[-1]

    def picture(self, pixels: Pixels) -> str:
        """Add a picture, uint8 [height, width, 3], and return its name; see `Sheet.place`."""
        return self.share(picture_stream(pixels))

    def form(self, sheet: Sheet) -> str:
        """Add what a sheet shows, and return its name; only forms added before may be in it."""
        box = f"/BBox [0 0 {_n(sheet.width)} {_n(sheet.height)}]"
        content = "\n".join(["1 J 1 j", *sheet.operators[1:]])
        keys = f"/Type /XObject /Subtype /Form {box} /Resources 3 0 R"
        return self.share(_stream(keys, content.encode("latin-1")))

    def share(self, stream: bytes) -> str:
        """Add a picture or form as it is in a file, and return its name."""
        self.shared.append(stream)
        return f"X{len(self.shared) - 1}"

    def encode(self) -> bytes:
        """The file, with the recipe in its XMP metadata."""
        first = 8 + len(self.shared)
        kids = " ".join(f"{first + 2 * k} 0 R" for k in range(len(self.pages)))
        names = " ".join(f"/X{k} {8 + k} 0 R" for k in range(len(self.shared)))
        font = "/Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding /BaseFont /Helvetica"
        title = f"\ufeff{self.title}".encode("utf-16-be", "replace").hex()
        about = f"<artgen:recipe>{html.escape(self.recipe, quote=False)}</artgen:recipe>"
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(self.pages)} >>".encode(),
            f"<< /Font << /F 4 0 R /FB 5 0 R >> /XObject << {names} >> >>".encode(),
            f"<< {font} >>".encode(),
            f"<< {font}-Bold >>".encode(),
            _stream("/Type /Metadata /Subtype /XML", _XMP.format(about).encode(), plain=True),
            f"<< /Producer (artgen) /Title <{title}> >>".encode(),
            *self.shared,
        ]
        for number, page in enumerate(self.pages):
            box = f"[0 0 {page.width * POINTS:.3f} {page.height * POINTS:.3f}]"
            content = f"{first + 2 * number + 1} 0 R"
            told = f"/MediaBox {box} /Resources 3 0 R /Contents {content}"
            if page.trim:
                ends = (page.width - page.trim) * POINTS, (page.height - page.trim) * POINTS
                least = f"{page.trim * POINTS:.3f}"
                told += f" /TrimBox [{least} {least} {ends[0]:.3f} {ends[1]:.3f}]"
            objects.append(f"<< /Type /Page /Parent 2 0 R {told} >>".encode())
            objects.append(_stream("", "\n".join(page.operators).encode("latin-1")))
        return assemble_pdf(objects, root=1, info=7)


_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'rdf:about="" xmlns:artgen="urn:artgen">{}</rdf:Description></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="r"?>'
)


def picture_stream(pixels: Pixels) -> bytes:
    """Return a picture, uint8 [height, width, 3], as it is in a file, for `Document.share`."""
    height, width = pixels.shape[:2]
    keys = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB"
    # Pages count downwards, pictures upwards.
    return _stream(f"{keys} /BitsPerComponent 8", pixels[::-1].tobytes())


def _stream(keys: str, content: bytes, *, plain: bool = False) -> bytes:
    # The best compression took three times as long, for 1.5 % less.
    data = content if plain else zlib.compress(content)
    how = "" if plain else "/Filter /FlateDecode "
    return b"<< %s %s/Length %d >>\nstream\n%s\nendstream" % (
        *(keys.encode(), how.encode(), len(data)),
        data,
    )


def _path(points: Any) -> str:
    first, *rest = (f"{_n(x)} {_n(y)}" for x, y in points)
    return " ".join([first, "m", *(f"{each} l" for each in rest)])


def _levels(colour: str) -> str:
    return " ".join(_n(level) for level in parse_colour(colour))


def _n(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".") if number else "0"
