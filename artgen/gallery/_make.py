"""Make one piece: run its fit and derive the pictures of the page from it.

This runs in whichever process the executor chooses. It writes to `PieceTask.place` only, from
which an interrupted piece resumes; its results are returned as bytes.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from artgen.art import Art, ExportRequest
from artgen.base.decode import pillow_guard
from artgen.base.errors import InputError, UsageError
from artgen.base.files import file_hash
from artgen.base.lock import FileLock
from artgen.events import Observer
from artgen.exporters import export_html, imagined
from artgen.gallery._state import key_of
from artgen.making import Motif, make_thing, maker_of
from artgen.output import Pixels, atomic_write, encode_jpeg, opaque, probe_folder
from artgen.output.error_maps import error_map
from artgen.registry import Registry
from artgen.runs import Result, RunFolder, output_paths, read_target, run
from artgen.tasks import RunControl, Task

POSTER_BYTES = 13_000
"""Aim for the size of a poster: a page loads a dozen or two at once."""

POSTERS = ((480, 84), (480, 74), (480, 64), (480, 54), (400, 54), (320, 54), (320, 44), (280, 34))
"""Long side in pixels and JPEG quality, tried in turn until the poster is small enough."""

LARGE_POSTER = (960, 74)
"""The same for screens with two pixels per pixel of the page."""

VIEW_SIDE = 1280
"""Long side of the pictures that the page compares, in pixels."""

PAGE_BYTES = 2_000_000
"""Largest explorable page that is kept."""


@dataclass(frozen=True)
class PieceTask(Task):
    """A piece to make in `folder`; files there are reused if they carry the same key.

    `key` is None if it is still to be computed: of the recipe, which does not name `threads`.
    """

    key: str | None = None
    threads: int | None = None

    @property
    def milestone(self) -> Path:
        """The newest file of the run folder to be written."""
        return RunFolder(self.place / f"{self.stem}.run").milestone


@dataclass(frozen=True)
class PieceFiles:
    """The contents of the files of a piece by name, its key, the summary of its run, and the time
    taken."""

    files: dict[str, bytes]
    key: str
    summary: dict[str, Any]
    seconds: float


def make(task: PieceTask, observe: Observer, control: RunControl) -> PieceFiles:
    """Fit the piece, or resume its fit. Raises ArtgenError, including Interrupted."""
    began = time.perf_counter()
    registry = Registry(files=task.plugins)
    key = task.key or key_of(task.recipe, registry, task.search)
    result = _fit(task, key, registry, observe, control)
    art = result.require_art()
    paths, output = output_paths(task.place, task.stem), art.recipe.output
    if not output.video:
        # A fit in tiles has no pictures of its steps: its parts appear.
        seconds, fps = output.video_seconds, float(output.fps)
        asked = ExportRequest(output.video_size, seconds=seconds, fps=fps, start="parts")
        paths["video"].write_bytes(art.to_format("mp4", asked))
    names = {"still": "final.png", "video": "progress.mp4", "art": "drawing.art"}
    files = {
        **{name: paths[kind].read_bytes() for kind, name in names.items()},
        **_pictures(art, paths["still"], registry, task),
        **_page(art),
        **_thing(art, paths["art"], registry, task),
    }
    outputs = {kind: names.get(kind) for kind in result.summary["outputs"]}
    plugin = dict(art.drawing.plugin)
    summary = {**result.summary, "outputs": outputs, "plugin": plugin}
    return PieceFiles(files, key, summary, time.perf_counter() - began)


def _fit(
    task: PieceTask, key: str, registry: Registry, observe: Observer, control: RunControl
) -> Result:
    """Run the recipe in its folder, resuming an earlier attempt where possible."""
    recipe = task.recipe.with_run(threads=task.threads) if task.threads else task.recipe
    start = partial(run, recipe, registry, out=task.place, name=task.stem, search=task.search)
    start = partial(start, observers=[observe], control=control)
    note, folder = task.place / "key", output_paths(task.place, task.stem)["folder"]
    linked = _has_links(task.place)
    if not linked and FileLock(folder / "lock").is_held_elsewhere():
        raise UsageError(f"another build is making {task.stem}", hint="wait for it to end")
    mine = note.is_file() and note.read_text(encoding="utf-8", errors="replace") == key
    if mine and folder.is_dir() and not linked:
        try:
            return start(resume=True)
        except (InputError, UsageError):
            pass  # The files there cannot be used: start over.
    shutil.rmtree(task.place, ignore_errors=True)
    probe_folder(task.place)
    atomic_write(note, key.encode())
    return start(resume=False)


def _has_links(folder: Path) -> bool:
    """Whether anything below the folder is a symbolic link, which might lead out of it."""
    return any(path.is_symlink() for path in folder.rglob("*"))


def _pictures(art: Art, still: Path, registry: Registry, task: PieceTask) -> dict[str, bytes]:
    """Encode poster and result for the page and, if the target is a picture, target and errors."""
    recipe = art.recipe
    if (walk := recipe.output.walk) is not None:
        result = imagined(art, ExportRequest(VIEW_SIDE // 2, walk=walk))
    else:
        result = _opaque(still, art.drawing.background)
    pictures = {
        "poster.jpg": _poster(result),
        "poster-2x.jpg": _jpeg(result, *LARGE_POSTER),
        "result.jpg": _jpeg(result, VIEW_SIDE),
    }
    # The recipe of the result holds file names without folders; no weight changes the pixels.
    recipe = recipe.with_target(source=task.recipe.target.source, mask=None, focus=None)
    target = read_target(recipe, registry, task.search)
    if (shown := target.pixels) is not None:
        longest = max(target.original_size, recipe.target.size or 0)
        large = recipe.with_target(size=min(VIEW_SIDE, longest))
        goal = read_target(large, registry, task.search).pixels
        assert goal is not None
        pictures["target.jpg"] = _jpeg(goal, VIEW_SIDE)
        pictures["errors.jpg"] = _jpeg(error_map(art.render(), shown), VIEW_SIDE)
    return pictures


def _page(art: Art) -> dict[str, bytes]:
    """Export the explorable page, unless pages cannot draw the art or it would be too large."""
    try:
        page = export_html(art, ExportRequest())
    except UsageError:
        return {}
    return {"explore.html": page} if len(page) <= PAGE_BYTES else {}


def _thing(art: Art, drawing: Path, registry: Registry, task: PieceTask) -> dict[str, bytes]:
    """Make the thing of the drawing that the recipe asks for: its picture, guide and all files."""
    asked = task.recipe.piece and task.recipe.piece.make
    if not asked:
        return {}
    entry, maker, options = maker_of(asked, registry, task.search)
    motif, sha256 = Motif(task.stem, art), file_hash(drawing, "drawing")
    made, files = make_thing(
        entry.name, maker, options, motif, "drawing.art", sha256, maker.for_photos
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # Without the time, so that equal things are equal bytes.
            archive.writestr(zipfile.ZipInfo(f"{task.stem}/{name}"), data, zipfile.ZIP_DEFLATED)
    guides = {name: files[name] for name in ("guide-a4.pdf",) if name in files}
    picture = _jpeg(made.picture, VIEW_SIDE)
    return {"thing.jpg": picture, "make.zip": packed.getvalue(), **guides}


def _opaque(still: Path, background: Sequence[float]) -> Pixels:
    """Load the still as uint8 [h, w, 3], composited over its background where transparent."""
    from PIL import Image

    # We wrote this file, so its size is trusted.
    with pillow_guard(sys.maxsize, still.name), Image.open(still, formats=["PNG"]) as picture:
        picture.load()
    return np.asarray(opaque(picture, background))


def _poster(pixels: Pixels) -> bytes:
    """Encode the first of `POSTERS` that fits into `POSTER_BYTES`, or the last one."""
    for side, quality in POSTERS:
        data = _jpeg(pixels, side, quality)
        if len(data) <= POSTER_BYTES:
            break
    return data


def _jpeg(pixels: Pixels, side: int, quality: int = 88) -> bytes:
    """Encode a JPEG whose long side is at most `side` pixels."""
    return encode_jpeg(pixels, quality, side=side, optimize=True, progressive=True)
