"""The page of a gallery: one static file that needs no server, no framework and no network.

jinja2 fills in `page.html` and escapes every value. The script reads its data from a JSON element
and writes it as text.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from artgen.gallery._pieces import FILES, SUMMARY, Gallery, Piece
from artgen.gallery._state import read_json
from artgen.output import atomic_write
from artgen.output.templates import render_page
from artgen.registry import bare_name, kind_names
from artgen.targets import Source, parse_colour

TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class FinishedPiece:
    """A piece that was made, with the summary of its run."""

    piece: Piece
    summary: Mapping[str, Any]

    @property
    def primitives(self) -> list[str]:
        """Names of the kinds of parts; more than one for a mixture."""
        return list(kind_names(bare_name(self.summary["primitive"])))

    @property
    def engines(self) -> list[str]:
        """Names of the engines in order, without repetition."""
        return list(dict.fromkeys(self.summary["engine"].split(",")))

    @property
    def facts(self) -> list[str]:
        """The line in small type: primitive, engine, count and time."""
        count, seconds = self.summary["count"], self.summary["seconds"]
        return [
            " + ".join(self.primitives),
            ", ".join(self.engines),
            f"{count:,}" if count else f"{self.summary['parameters']:,} numbers",
            f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s",
        ]

    def is_fitted_by(self, studio: Collection[str]) -> bool:
        """Whether it was fitted as a studio with these primitives would do it, to a sample."""
        recipe = self.summary["recipe"]
        return (
            recipe["primitive"]["name"] in studio
            and [stage["engine"] for stage in recipe["stage"]] == ["gradient"]
            and recipe["target"]["source"].startswith("sample:")
            and "clip" not in self.summary
        )

    @property
    def alt(self) -> str:
        """Alternative text for people who cannot see the picture."""
        source = Source.parse(self.summary["target"]["name"])
        name = source.rest.partition("?")[0].replace("_", " ") or source.scheme
        count, kinds = self.summary["count"], " and ".join(self.primitives)
        parts = f"{count:,} parts" if count else f"{self.summary['parameters']:,} numbers"
        return self.piece.words.alt or f"{name}, made of {parts}: {kinds}"


def finished_pieces(gallery: Gallery) -> list[FinishedPiece]:
    """Return the pieces that are complete, whether up to date or not."""
    finished = []
    for piece in gallery.pieces:
        summary = None if piece.recipe is None else read_json(piece.folder / SUMMARY)
        if summary is not None and all((piece.folder / name).is_file() for name in FILES[:5]):
            finished.append(FinishedPiece(piece, summary))
    return finished


def write_page(gallery: Gallery, studio: Collection[str] = ()) -> Path:
    """Write `index.html` with the finished pieces. Raises OutputError.

    Pieces made of the primitives `studio` have a link to the studio beside the page.
    """
    finished = finished_pieces(gallery)
    cards = [_card(each, gallery, studio) for each in finished]
    # A group stands where its first piece would.
    groups: dict[str, list[dict[str, Any]]] = {}
    for card in cards:
        groups.setdefault(card["group"] or f"/{card['slug']}", []).append(card)
    text = render_page(
        "artgen.gallery",
        cards=cards,
        groups=list(groups.values()),
        primitives=sorted({name for each in finished for name in each.primitives}),
        engines=sorted({name for each in finished for name in each.engines}),
    )
    atomic_write(gallery.page, text.encode())
    return gallery.page


def _card(finished: FinishedPiece, gallery: Gallery, studio: Collection[str]) -> dict[str, Any]:
    """Return the JSON object that describes a piece to the page."""
    piece = finished.piece
    width, height = _size(piece.folder / "result.jpg")
    there = [name for name in FILES if (piece.folder / name).is_file()]
    return {
        "slug": piece.slug,
        "title": piece.title,
        "text": piece.words.text or "",
        "alt": finished.alt,
        "group": piece.words.group,
        "primitives": finished.primitives,
        "engines": finished.engines,
        "facts": finished.facts,
        "width": width,
        "height": height,
        "files": {name.partition(".")[0]: name for name in there},
        "metrics": _metric_rows(finished),
        "recipe": piece.text,
        "command": _command(finished, gallery),
        "make": _make_command(piece, gallery),
        "studio": _studio_link(finished) if finished.is_fitted_by(studio) else None,
    }


def _studio_link(finished: FinishedPiece) -> str:
    """Return the address of the studio with the settings of a piece."""
    recipe = finished.summary["recipe"]
    parts, stage, target = recipe["primitive"], recipe["stage"][0], recipe["target"]
    colour = "".join(f"{round(255 * c):02x}" for c in parse_colour(target["background"]))
    settings: dict[str, Any] = {
        "primitive": parts["name"],
        "preset": parts.get("preset", ""),
        "count": parts["count"],
        "steps": stage["steps"],
        "loss": stage["loss"],
        "seed": recipe["seed"] % 2**32,
        "size": max(finished.summary["target"][side] for side in ("width", "height")),
        "picture": target["source"],
        "background": f"#{colour}",
    }
    for key, value in parts.items():
        number = isinstance(value, float)
        settings[f"option.{key}"] = f"{value:g}" if number else str(value).lower()
    return f"studio.html#{urlencode(settings)}"


def _size(path: Path) -> tuple[int, int]:
    """Read the width and height of a picture that this gallery wrote, in pixels."""
    from PIL import Image

    try:
        with Image.open(path, formats=["JPEG"]) as picture:
            return picture.size
    except OSError:
        return 1, 1  # `gallery check` reports what is damaged.


def _command(finished: FinishedPiece, gallery: Gallery) -> str:
    """Return the command that fits the piece, relative to the folder that holds the gallery.

    It loads the plugin of the piece where that is a loose file.
    """
    recipe = finished.piece.source.relative_to(gallery.folder)
    place = Path(gallery.folder.resolve().name, recipe).as_posix()
    file = finished.summary.get("plugin", {}).get("file")
    return shlex.join(["artgen", "fit", "--recipe", place, *(["--plugin", file] if file else [])])


def _make_command(piece: Piece, gallery: Gallery) -> str | None:
    """Return the command that makes the thing of the drawing of a piece, if there is one."""
    if piece.words.make is None:
        return None
    # A piece that was made stays on the page, whatever its recipe asks for by now.
    kind, *pairs = piece.words.make.split()
    parts = (pair.partition("=") for pair in pairs)
    flags = (f"--{key.replace('_', '-')}{mark}{value}" for key, mark, value in parts)
    drawing = f"{gallery.folder.resolve().name}/{gallery.out.name}/{piece.slug}/drawing.art"
    return shlex.join(["artgen", "make", kind, drawing, *flags])


def _plugin(summary: Mapping[str, Any]) -> str:
    """Name the plugin of the piece and how to install it; empty where artgen ships it."""
    plugin = summary.get("plugin", {})
    name = plugin.get("name", "artgen")
    if "file" in plugin:
        return f"the file {plugin['file']}"
    return "" if name == "artgen" else f"{name} {plugin['version']}, pip install {name}"


def _metric_rows(finished: FinishedPiece) -> list[tuple[str, str]]:
    """List names and values about a run, without those that do not apply."""
    summary, kinds = finished.summary, " + ".join(finished.primitives)
    target, recipe = summary["target"], summary["recipe"]
    blend = recipe["primitive"].get("blend")
    stages = " then ".join(f"{s['engine']}, {s.get('steps', 0):,} steps" for s in recipe["stage"])
    bpp = summary.get("bpp")
    count = f"{summary['count']:,} {TIMES} " if summary["count"] else ""
    rows = [
        ("Made of", count + kinds + (f", blend {blend}" if blend else "")),
        ("Plugin", _plugin(summary)),
        ("Made by", stages),
        ("Target", f"{target['name']}, {target['width']} {TIMES} {target['height']}"),
        ("Parameters", f"{summary['parameters']:,} numbers, {summary['bytes']:,} bytes"),
        ("Bits per pixel", f"{bpp:.2f}" if bpp else ""),
        ("PSNR", f"{summary['psnr']:.2f} dB" if summary.get("psnr") is not None else ""),
        ("SSIM", f"{summary['ssim']:.3f}" if summary.get("ssim") is not None else ""),
        ("Squared error", f"{summary['mse']:.3g}" if summary.get("mse") is not None else ""),
        ("Accuracy", f"{summary['accuracy']:.3f}" if summary.get("accuracy") is not None else ""),
        ("Time", f"{summary['seconds']:.1f} s on {summary['device']}"),
        ("Seed", str(summary["seed"])),
        ("Version", f"artgen {summary['artgen']}"),
    ]
    return [(name, value) for name, value in rows if value]
