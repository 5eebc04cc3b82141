"""Making one piece: a fit, and from it the pictures for the page.

It runs wherever an executor takes it. All that it leaves on the disk is in `Order.workplace`, from
which an interrupted piece goes on; its results travel as bytes.
"""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.art import Art, ExportRequest
from artgen.errors import InputError, UsageError
from artgen.events import Observer
from artgen.exporters import export_html
from artgen.output import atomic_write, probe_folder
from artgen.output.error_map import error_map
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runner import Interruption, Outcome, Task, output_paths, read_target, run
from artgen.targets import ImageTarget

__all__ = ["Made", "Order", "make"]

POSTER_BYTES = 13_000
"""A page shows a dozen posters or two at once, so the bytes of all of them count."""

POSTERS = ((480, 84), (480, 74), (480, 64), (480, 54), (400, 54), (320, 54), (320, 44), (280, 34))
"""What is tried one after the other: the long side in pixels, and the quality."""

VIEW_SIDE = 1280
"""Long side of what is compared on the page, in pixels."""

PAGE_BYTES = 2_000_000
"""A page that is larger is left out."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Order(Task):
    """A piece to be made; `folder` is its own, `key` tells whether what is there belongs to it."""

    key: str = ""

    def left(self) -> Mapping[str, Path]:
        """All that an earlier build left in its folder."""
        folder = self.workplace
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {p.relative_to(folder).as_posix(): p for p in found if p.name != "lock"}

    @property
    def workplace(self) -> Path:
        """Its folder."""
        assert self.folder is not None
        return self.folder


@dataclass(frozen=True)
class Made:
    """What a piece consists of: files by their names, the summary of its run, how long it took."""

    files: dict[str, bytes]
    summary: dict[str, Any]
    seconds: float


def make(order: Order, observe: Observer, interruption: Interruption) -> Made:
    """Fit it, or go on where it stopped. Raises ArtgenError, Interrupted included."""
    began = time.perf_counter()
    registry = Registry(files=order.plugins)
    outcome = _fit(order, registry, observe, interruption)
    if outcome.error is not None:
        raise outcome.error
    paths = output_paths(order.workplace, order.stem)
    files = {
        "final.png": paths["still"].read_bytes(),
        "progress.mp4": paths["video"].read_bytes(),
        "drawing.art": paths["art"].read_bytes(),
        **_pictures(outcome, paths["still"], registry, order),
        **_page(outcome.art),
    }
    names = {"still": "final.png", "video": "progress.mp4", "art": "drawing.art"}
    outputs = {kind: names.get(kind) for kind in outcome.summary["outputs"]}
    summary = {**outcome.summary, "outputs": outputs}
    return Made(files, summary, time.perf_counter() - began)


def _fit(
    order: Order, registry: Registry, observe: Observer, interruption: Interruption
) -> Outcome:
    """Run the recipe in the workplace, from where it stopped if that can be used."""

    def start(resume: bool) -> Outcome:
        return run(
            Recipe.from_dict(order.recipe),
            registry,
            out=order.workplace,
            name=order.stem,
            resume=resume,
            search=order.search,
            observers=[observe],
            interruption=interruption,
        )

    note, folder = order.workplace / "key", output_paths(order.workplace, order.stem)["folder"]
    mine = note.is_file() and note.read_text(encoding="utf-8", errors="replace") == order.key
    if mine and folder.is_dir() and not _has_links(order.workplace):
        try:
            return start(resume=True)
        except (InputError, UsageError):
            pass  # What is left cannot be used.
    shutil.rmtree(order.workplace, ignore_errors=True)
    probe_folder(order.workplace)
    atomic_write(note, order.key.encode())
    return start(resume=False)


def _has_links(folder: Path) -> bool:
    """Whether anything below the folder is a symbolic link, which might lead out of it."""
    return any(
        Path(place, name).is_symlink()
        for place, folders, files in os.walk(folder)
        for name in (*folders, *files)
    )


def _pictures(outcome: Outcome, still: Path, registry: Registry, order: Order) -> dict[str, bytes]:
    """What the page shows before and beside the video; target and errors only of pictures."""
    result = _opaque(still, outcome.art.drawing.background)
    pictures = {"poster.jpg": _poster(result), "result.jpg": _jpeg(result, VIEW_SIDE)}
    recipe = outcome.art.recipe
    # The recipe of the result has names alone.
    asked = order.recipe["target"]
    recipe = recipe.updated({"target": {"source": asked["source"], "mask": asked.get("mask")}})
    target = read_target(recipe, registry, order.search)
    if isinstance(target, ImageTarget):
        longest = max(target.original_width, target.original_height, recipe.target.size or 0)
        large = recipe.updated({"target": {"size": min(VIEW_SIDE, longest)}})
        goal = read_target(large, registry, order.search)
        assert isinstance(goal, ImageTarget)
        pictures["target.jpg"] = _jpeg(goal.pixels, VIEW_SIDE)
        pictures["errors.jpg"] = _jpeg(error_map(outcome.art.render(), target.pixels), VIEW_SIDE)
    return pictures


def _page(art: Art) -> dict[str, bytes]:
    """The page on which it can be looked at from nearby, for what a page draws, if it is light."""
    try:
        page = export_html(art, ExportRequest())
    except UsageError:
        return {}
    return {"explore.html": page} if len(page) <= PAGE_BYTES else {}


def _opaque(still: Path, background: Sequence[float]) -> Pixels:
    """The still, uint8 [h, w, 3], over its background where it is transparent."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # It is ours, however large it was asked to be.
    try:
        with Image.open(still, formats=["PNG"]) as picture:
            picture.load()
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if picture.mode != "RGBA":
        return np.asarray(picture.convert("RGB"))
    red, green, blue = (round(255 * min(max(value, 0.0), 1.0)) for value in background)
    paper = Image.new("RGBA", picture.size, (red, green, blue, 255))
    return np.asarray(Image.alpha_composite(paper, picture).convert("RGB"))


def _poster(pixels: Pixels) -> bytes:
    """A small JPEG of at most `POSTER_BYTES`, unless even the smallest and poorest is larger."""
    for side, quality in POSTERS:
        data = _jpeg(pixels, side, quality)
        if len(data) <= POSTER_BYTES:
            break
    return data


def _jpeg(pixels: Pixels, side: int, quality: int = 88) -> bytes:
    """A JPEG whose long side is `side` pixels at most."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
    return file.getvalue()
