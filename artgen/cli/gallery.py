"""`artgen gallery`: turn recipes into a page of pictures and videos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import artgen.gallery as galleries
from artgen.base.errors import GalleryError, Interrupted, UsageError
from artgen.cli._afterwards import open_in_browser
from artgen.cli._console import print_failure, print_json, records, say
from artgen.cli._exports import check_file
from artgen.cli._flags import OVERWRITE, Common, WithoutPlugins, flat, option, output_option, switch
from artgen.cli._help import Command, group
from artgen.cli._where import Where

if TYPE_CHECKING:
    from artgen.registry import Registry


FOLDER = typer.Argument(Path("gallery"), metavar="DIR", help="Folder of recipes.")
ONLY = option("SLUG", "Only this piece. Repeatable.")
QUICK = switch("Use small, fast versions of the pieces, in DIR/out-quick.")

gallery = group("Turn a folder of recipes into a page of pictures and videos.")


@gallery.command(cls=Command)
@flat
def build(
    folder: Path = FOLDER,
    only: list[str] | None = ONLY,
    force: bool = switch("Make everything again, even if up to date."),
    threads: int | None = option(
        "N", "CPU threads per fit. Default: all; with -j or --on: 1.", min=1
    ),
    quick: bool = QUICK,
    with_studio: bool = switch(
        "Also write a studio, and link the pieces made of splats to it.", "--studio"
    ),
    *,
    where: Where,
    common: Common,
) -> int:
    """Make the stills and videos that are out of date, and the page DIR/out/index.html.

    Examples:
        artgen gallery build -j 2
        artgen gallery build pieces --only sunset
    """
    registry = common.registry()

    from artgen.cli._progress import progress
    from artgen.gallery import build as build_pieces
    from artgen.tasks import RunControl, graceful_signals

    found = galleries.open_gallery(folder, quick=quick)
    control = RunControl()
    results: list[galleries.Built] = []
    recipes = [piece.recipe for piece in found.pieces if piece.recipe is not None]
    elsewhere = where.elsewhere(recipes, registry, common)

    def begin(states: list[galleries.State]) -> None:
        if states and not common.quiet:
            say(f"making {len(states)} of {len(found.chosen(only or ()))} pieces")

    with (
        graceful_signals(control),
        progress(registry, common, runs=len(found.chosen(only or ()))) as story,
    ):
        for built in build_pieces(
            found,
            registry,
            only=only or (),
            force=force,
            threads=threads or (1 if where.asked else None),
            elsewhere=elsewhere,
            observe=story,
            control=control,
            begin=begin,
        ):
            results.append(built)
            story.ended(built.piece.slug)
            _report(built, common)
    offered = _write_studio(found, registry, common) if with_studio else ()
    page = galleries.write_page(found, offered)
    if not common.quiet:
        say(_summary(results))
    failure = _failure(results, found)
    rows = ((b.piece.slug, b.piece.title, b.status, round(b.seconds, 3), b.error) for b in results)
    pieces = records("slug title status seconds error", rows)
    common.answer({"page": page, "pieces": pieces}, page, errors=[failure] if failure else ())
    return failure.exit_code if failure else 0


def _write_studio(found: galleries.Gallery, registry: Registry, common: Common) -> list[str]:
    """Write a studio beside the page, and return the names of the primitives that it offers."""
    from artgen.output import atomic_write
    from artgen.studio import build_studio, default_splats

    splats = default_splats(registry, common.plugin or ())
    finished = galleries.finished_pieces(found)
    fitted = [each.summary["recipe"] for each in finished if each.is_fitted_by(splats)]
    names = list(dict.fromkeys(recipe["primitive"]["name"] for recipe in fitted))
    if names:
        sources = dict.fromkeys(recipe["target"]["source"] for recipe in fitted)
        samples = [source.removeprefix("sample:") for source in sources]
        atomic_write(found.page.with_name("studio.html"), build_studio(names, registry, samples))
    return names


@gallery.command(cls=Command)
@flat
def check(
    folder: Path = FOLDER,
    quick: bool = QUICK,
    *,
    common: Common,
) -> int:
    """List missing, outdated and failed pieces. Exit with 7 if there is one.

    Examples:
        artgen gallery check
    """
    registry = common.registry()

    found = galleries.open_gallery(folder, quick=quick)
    states = [galleries.examine(piece, registry) for piece in found.pieces]
    wrong = [state for state in states if state.status != "current"]
    failure = GalleryError(
        f"{len(wrong)} of {len(states)} pieces of {folder} are not up to date",
        hint=f"run {found.command}",
    )
    if common.as_json:
        rows = ((state.piece.slug, state.status, state.reason) for state in states)
        pieces = records("slug status reason", rows)
        print_json({"ok": not wrong, "pieces": pieces}, [failure] if wrong else ())
    else:
        for state in wrong:
            print(f"{state.piece.slug}: {state.status}: {state.reason}", flush=True)
        if wrong:
            print_failure(failure)
        elif not common.quiet:
            say(f"up to date: all pieces of {folder} ({len(states)})")
    return failure.exit_code if wrong else 0


@gallery.command("open", cls=Command)
@flat
def open_page(
    folder: Path = FOLDER,
    quick: bool = QUICK,
    *,
    common: WithoutPlugins,
) -> None:
    """Open the page in a browser and print its path.

    Examples:
        artgen gallery open pieces
    """
    found = _made(galleries.open_gallery(folder, quick=quick))
    common.answer({"page": found.page, "opened": open_in_browser(found.page)}, found.page)


_MARKS = {
    ".mp4": b"ftyp",
    ".webm": b"webm",
    ".webp": b"WEBP",
    ".gif": b"GIF8",
    ".apng": b"acTL",
}
"""The formats of a reel, and what the first bytes of each hold."""


@gallery.command(cls=Command)
@flat
def reel(
    folder: Path = FOLDER,
    only: list[str] | None = ONLY,
    output: Path | None = output_option(
        "FILE", f"Output file, which ends in {', '.join(_MARKS)}. Default: DIR/out/reel.mp4."
    ),
    height: int = option(
        "PX", "Height of the video, which is 16:9.", min=90, max=2160, default=720
    ),
    quick: bool = QUICK,
    overwrite: bool = OVERWRITE,
    *,
    common: WithoutPlugins,
) -> None:
    """Join the videos of the highlights, or of --only, into one.

    Examples:
        artgen gallery reel --only sunset --only harbour -o reel.mp4
    """
    found = _made(galleries.open_gallery(folder, quick=quick))
    file = output or found.out / "reel.mp4"
    if file.suffix.lower() not in _MARKS:
        hint = f"end its name in {', '.join(_MARKS)}"
        raise UsageError(f"--output {file} is no file of a video", hint=hint)
    read = [piece.folder / "progress.mp4" for piece in found.pieces]
    how: dict[str, Any] = {"overwrite": overwrite or output is None, "inputs": read}
    # It holds no recipe, as it is of many drawings.
    check_file(file, mark=_MARKS[file.suffix.lower()], **how)
    chosen = found.chosen(only or ())
    highlights = [piece for piece in chosen if piece.words.order is not None]
    finished = {each.piece.slug: each for each in galleries.finished_pieces(found)}
    wanted = (not only and highlights) or chosen
    missing = [piece.slug for piece in wanted if piece.slug not in finished]
    if only and missing:
        hint = f"run {found.command} --only {missing[0]}"
        raise GalleryError(f"{missing[0]} is not made yet", hint=hint)
    pieces = [finished[piece.slug] for piece in wanted if piece.slug in finished]
    seconds = galleries.write_reel(file, pieces, found.command, height)
    slugs = [each.piece.slug for each in pieces]
    common.answer({"video": file, "seconds": round(seconds, 3), "pieces": slugs}, file)


def _made(found: galleries.Gallery) -> galleries.Gallery:
    """Return the gallery if it has been built; otherwise raise GalleryError."""
    if not found.page.is_file():
        raise GalleryError(f"{found.page} does not exist yet", hint=f"run {found.command}")
    return found


def _report(built: galleries.Built, common: Common) -> None:
    """Print a line about the result of a piece on stderr."""
    if built.error is not None and not isinstance(built.error, Interrupted):
        common.fail(built.error, where=f"{built.piece.slug}: ")
    elif built.status == "built" and not common.quiet:
        say(f"{built.piece.slug}: made in {built.seconds:.1f} s")


def _summary(results: Iterable[galleries.Built]) -> str:
    statuses: list[str] = [built.status for built in results]
    words = {"built": "made", "current": "up to date", "failed": "failed", "left": "unfinished"}
    counts = [f"{statuses.count(status)} {word}" for status, word in words.items()]
    return ", ".join(count for count in counts if not count.startswith("0 ")) or "nothing to do"


def _failure(results: list[galleries.Built], found: galleries.Gallery) -> Any:
    """Return the error that the build ends with, or None."""
    failed = [built.piece.slug for built in results if built.status == "failed"]
    if any(built.status == "left" for built in results):
        return Interrupted("interrupted", hint="run the same command again to resume")
    if failed:
        return GalleryError(
            f"{len(failed)} of {len(results)} pieces of {found.folder} failed: {', '.join(failed)}",
            hint="correct them and run the same command again",
        )
    return None
