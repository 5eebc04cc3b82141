"""The page of a gallery: one static file that needs no server, no framework and no network.

`page.html` is filled in by jinja2, which escapes everything; what the script shows comes from an
element with JSON and is written as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from artgen.gallery._pieces import FILES, SUMMARY, Gallery, Piece
from artgen.gallery._state import read_json
from artgen.output import atomic_write
from artgen.registry import bare_name, kind_names
from artgen.targets import split_source

TIMES = "\N{MULTIPLICATION SIGN}"

__all__ = ["Shown", "shown_pieces", "write_page"]


@dataclass(frozen=True)
class Shown:
    """A piece that was made: its recipe's words, and the summary of its run."""

    piece: Piece
    summary: Mapping[str, Any]

    @property
    def primitives(self) -> list[str]:
        """The kinds of parts, one for most."""
        return list(kind_names(bare_name(self.summary["primitive"])))

    @property
    def engines(self) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(self.summary["engine"].split(",")))

    @property
    def facts(self) -> list[str]:
        """What stands in small type: primitive, engine, count, time, figure."""
        count, seconds = self.summary["count"], self.summary["seconds"]
        return [
            " + ".join(self.primitives),
            ", ".join(self.engines),
            f"{count:,}" if count else f"{self.summary['parameters']:,} numbers",
            f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s",
            *([figure] if (figure := _figure(self.summary)) else []),
        ]

    @property
    def alt(self) -> str:
        """What to tell who cannot see it."""
        scheme, rest = split_source(self.summary["target"]["name"])
        name = rest.partition("?")[0].replace("_", " ") or scheme
        count, kinds = self.summary["count"], " and ".join(self.primitives)
        parts = f"{count:,} parts" if count else f"{self.summary['parameters']:,} numbers"
        return self.piece.words.alt or f"{name}, made of {parts}: {kinds}"


def shown_pieces(gallery: Gallery) -> list[Shown]:
    """The pieces that are complete, whether up to date or not."""
    found = []
    for piece in gallery.pieces:
        summary = None if piece.recipe is None else read_json(piece.folder / SUMMARY)
        if summary is not None and all((piece.folder / name).is_file() for name in FILES[:5]):
            found.append(Shown(piece, summary))
    return found


def write_page(gallery: Gallery) -> Path:
    """Write `index.html` for the pieces that are there. Raises OutputError."""
    shown = shown_pieces(gallery)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("artgen.gallery", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    text = environment.get_template("page.html").render(
        cards=[_card(each, gallery) for each in shown],
        primitives=sorted({name for each in shown for name in each.primitives}),
        engines=sorted({name for each in shown for name in each.engines}),
    )
    atomic_write(gallery.page, text.encode())
    return gallery.page


def _card(shown: Shown, gallery: Gallery) -> dict[str, Any]:
    """All that the page knows of a piece, as JSON."""
    piece, summary = shown.piece, shown.summary
    width, height = summary["target"]["width"], summary["target"]["height"]
    there = [name for name in FILES if (piece.folder / name).is_file()]
    return {
        "slug": piece.slug,
        "title": piece.title,
        "text": piece.words.text or "",
        "alt": shown.alt,
        "primitives": shown.primitives,
        "engines": shown.engines,
        "facts": shown.facts,
        "width": width,
        "height": height,
        "files": {name.partition(".")[0]: f"{quote(piece.slug)}/{name}" for name in there},
        "figures": _figures(summary),
        "recipe": piece.text,
        "command": _command(piece, gallery),
    }


def _command(piece: Piece, gallery: Gallery) -> str:
    """What makes it, from the folder that the gallery lies in; no path of this machine."""
    folder = gallery.folder.resolve()
    return (
        f"artgen fit --recipe {folder.name}/{piece.source.relative_to(gallery.folder).as_posix()}"
    )


def _figure(summary: Mapping[str, Any]) -> str | None:
    """The one figure by which it is judged."""
    if summary.get("psnr") is not None:
        return f"{summary['psnr']:.1f} dB"
    if summary.get("accuracy") is not None:
        return f"accuracy {summary['accuracy']:.2f}"
    return f"error {summary['mse']:.2g}" if summary.get("mse") is not None else None


def _figures(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the page tells of a run, name and value; what does not apply is left out."""
    target, recipe = summary["target"], summary["recipe"]
    blend = recipe["primitive"].get("blend")
    stages = " then ".join(f"{s['engine']}, {s.get('steps', 0):,} steps" for s in recipe["stage"])
    bpp = summary.get("bpp")
    rows = [
        ("Made of", f"{summary['count']:,} {TIMES} " if summary["count"] else ""),
        ("Found by", stages),
        ("Target", f"{target['name']}, {target['width']} {TIMES} {target['height']}"),
        ("Parameters", f"{summary['parameters']:,} numbers, {summary['bytes']:,} bytes"),
        ("Bits per pixel", f"{bpp:.2f}" if bpp else ""),
        ("PSNR", f"{summary['psnr']:.2f} dB" if summary.get("psnr") is not None else ""),
        ("SSIM", f"{summary['ssim']:.3f}" if summary.get("ssim") is not None else ""),
        ("Squared error", f"{summary['mse']:.3g}" if summary.get("mse") is not None else ""),
        ("Accuracy", f"{summary['accuracy']:.3f}" if summary.get("accuracy") is not None else ""),
        ("Time", f"{summary['seconds']:.1f} s on {summary['device']}"),
        ("Seed", str(summary["seed"])),
        ("Made by", f"artgen {summary['artgen']}"),
    ]
    made_of = rows[0][1] + " + ".join(kind_names(bare_name(summary["primitive"])))
    rows[0] = ("Made of", made_of + (f", blend {blend}" if blend else ""))
    return [(name, value) for name, value in rows if value]
