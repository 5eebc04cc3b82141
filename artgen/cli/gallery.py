"""`artgen gallery`: recipes become a page of pictures and videos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli._flags import AsJson, Overwrite, PluginFiles, Quiet, Verbose, make_registry
from artgen.cli._where import AtATime, Checkpoints, Gpus, On, Where

if TYPE_CHECKING:
    from artgen.gallery import Built, Gallery, State

__all__ = ["gallery"]

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A folder of recipes.", show_default="gallery")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="SLUG", help="This piece alone; may be repeated."),
]
Quick = Annotated[
    bool,
    typer.Option("--quick", help="Small and fast, into DIR/out-quick, to see that all works."),
]

gallery = typer.Typer(
    help="Make and show a gallery: a folder of recipes becomes a page of pictures and videos.",
    invoke_without_command=True,
)


@gallery.callback()
def _gallery(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@gallery.command()
def build(
    folder: Folder = Path("gallery"),
    only: Only = None,
    force: Annotated[
        bool, typer.Option("--force", help="Make everything again, up to date or not.")
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="CPU threads of each fit. Default: all; with -j or --on one.",
        ),
    ] = None,
    at_a_time: AtATime = None,
    on: On = None,
    gpus: Gpus = None,
    checkpoints: Checkpoints = None,
    quick: Quick = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Make what is not up to date: stills, videos and the page DIR/out/index.html."""
    where = Where(at_a_time, on, gpus, checkpoints)
    registry = make_registry(plugin, quiet=quiet)

    from artgen.cli._console import describe, print_json, say
    from artgen.cli._progress import progress
    from artgen.gallery import build as build_pieces
    from artgen.gallery import open_gallery, write_page
    from artgen.runner import Interruption, graceful_signals

    found = open_gallery(folder, quick=quick)
    interruption = Interruption()
    results: list[Built] = []
    recipes = [piece.recipe for piece in found.pieces if piece.recipe is not None]
    executor = where.executor(recipes, registry)

    def begin(states: list[State]) -> None:
        if states and not quiet:
            say(f"{len(states)} of {len(found.chosen(only or ()))} pieces to make")

    with (
        graceful_signals(interruption),
        progress(registry, quiet=quiet, verbose=verbose, runs=len(found.pieces)) as stories,
    ):
        for built in build_pieces(
            found,
            registry,
            only=only or (),
            force=force,
            plugins=tuple(plugin or ()),
            threads=threads or (1 if where.asked else None),
            gpus=gpus,
            executor=executor,
            observers=stories,
            interruption=interruption,
            begin=begin,
        ):
            results.append(built)
            for story in stories:
                story.ended(built.piece.slug)
            _tell(built, quiet=quiet, verbose=verbose)
    page = write_page(found)
    if not quiet:
        say(_summary(results))
    failure = _failure(results, found)
    if as_json:
        print_json(
            {
                **({"error": describe(failure)} if failure else {}),
                "page": str(page),
                "pieces": [
                    {
                        "slug": built.piece.slug,
                        "title": built.piece.title,
                        "status": built.status,
                        "seconds": round(built.seconds, 3),
                        "error": describe(built.error) if built.error else None,
                    }
                    for built in results
                ],
            }
        )
    else:
        print(page)
    return failure.exit_code if failure else 0


@gallery.command()
def check(
    folder: Folder = Path("gallery"),
    quick: Quick = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Say which pieces are missing, stale or failed: exit 7 where there is one."""
    registry = make_registry(plugin, quiet=quiet)

    from artgen.cli._console import describe, print_json, say
    from artgen.errors import GalleryError
    from artgen.gallery import examine, open_gallery

    found = open_gallery(folder, quick=quick)
    states = [examine(piece, registry) for piece in found.pieces]
    wrong = [state for state in states if state.status != "current"]
    failure = GalleryError(
        f"{len(wrong)} of {len(states)} pieces of {folder} are not up to date",
        hint=f"run artgen gallery build {folder}{' --quick' if quick else ''}",
    )
    if as_json:
        pieces = [
            {"slug": state.piece.slug, "status": state.status, "reason": state.reason}
            for state in states
        ]
        error = {"error": describe(failure)} if wrong else {}
        print_json({**error, "ok": not wrong, "pieces": pieces})
    else:
        for state in wrong:
            print(f"{state.piece.slug}: {state.status}: {state.reason}", flush=True)
        if wrong:
            say(f"error: {failure.message}")
            say(f"hint: {failure.hint}")
        elif not quiet:
            say(f"all {len(states)} pieces of {folder} are up to date")
    return failure.exit_code if wrong else 0


@gallery.command("open")
def open_page(
    folder: Folder = Path("gallery"),
    quick: Quick = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Open the page in a browser, or print where it is."""
    import webbrowser

    from artgen.cli._console import print_json
    from artgen.gallery import open_gallery

    found = _made(open_gallery(folder, quick=quick))
    try:
        # Text browsers would take over the terminal.
        browser = webbrowser.get()
        graphical = not isinstance(browser, webbrowser.GenericBrowser) or isinstance(
            browser, webbrowser.BackgroundBrowser
        )
        opened = graphical and browser.open(found.page.resolve().as_uri())
    except webbrowser.Error:
        opened = False
    if as_json:
        print_json({"page": str(found.page), "opened": opened})
    else:
        print(found.page)


@gallery.command()
def reel(
    folder: Folder = Path("gallery"),
    only: Only = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE.mp4", help="Where to write. Default: DIR/out/reel.mp4."
        ),
    ] = None,
    height: Annotated[
        int, typer.Option(metavar="PX", min=90, max=2160, help="Of the video, which is 16:9.")
    ] = 720,
    quick: Quick = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Join the videos into one MP4, with a title before each."""
    from artgen.cli._console import print_json
    from artgen.errors import UsageError
    from artgen.gallery import open_gallery, shown_pieces, write_reel

    found = _made(open_gallery(folder, quick=quick))
    file = output or found.out / "reel.mp4"
    if file.exists() and output is not None and not overwrite:
        raise UsageError(f"{file} exists", hint="use --overwrite or another --output")
    wanted = {piece.slug for piece in found.chosen(only or ())}
    shown = [each for each in shown_pieces(found) if each.piece.slug in wanted]
    seconds = write_reel(file, shown, width=2 * round(height * 8 / 9), height=height)
    if as_json:
        slugs = [each.piece.slug for each in shown]
        print_json({"video": str(file), "seconds": round(seconds, 3), "pieces": slugs})
    else:
        print(file)


def _made(found: Gallery) -> Gallery:
    """The gallery, once it is known that it was built. Raises GalleryError."""
    from artgen.errors import GalleryError

    if not found.page.is_file():
        raise GalleryError(
            f"{found.page} was not made yet", hint=f"run artgen gallery build {found.folder}"
        )
    return found


def _tell(built: Built, *, quiet: bool, verbose: bool) -> None:
    """A line on stderr about what became of a piece."""
    from artgen.cli._console import print_error, say
    from artgen.errors import Interrupted

    if built.error is not None and not isinstance(built.error, Interrupted):
        print_error(built.error, verbose=verbose, where=f"{built.piece.slug}: ")
    elif built.status == "built" and not quiet:
        say(f"{built.piece.slug}: made in {built.seconds:.1f} s")


def _summary(results: Iterable[Built]) -> str:
    statuses: list[str] = [built.status for built in results]
    words = {"built": "made", "current": "up to date", "failed": "failed", "left": "left"}
    counts = [f"{statuses.count(status)} {word}" for status, word in words.items()]
    return ", ".join(count for count in counts if not count.startswith("0 ")) or "nothing to do"


def _failure(results: list[Built], found: Gallery) -> Any:
    """What the build ended with: None where all is well."""
    from artgen.errors import GalleryError, Interrupted

    failed = [built.piece.slug for built in results if built.status == "failed"]
    if any(built.status == "left" for built in results):
        return Interrupted("interrupted", hint="the same command goes on where it stopped")
    if failed:
        return GalleryError(
            f"{len(failed)} of {len(results)} pieces of {found.folder} failed: {', '.join(failed)}",
            hint="correct them; the same command makes what is missing",
        )
    return None
