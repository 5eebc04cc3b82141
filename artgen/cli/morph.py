"""`artgen morph`: the parts of one saved drawing travel into those of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli._flags import AsJson, Device, Overwrite, PluginFiles, Quiet, Verbose, make_registry

__all__ = ["morph"]


def morph(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="The .art file to begin with.", show_default=False)
    ],
    second: Annotated[
        Path,
        typer.Argument(
            metavar="B",
            help="The .art file to end with, of the same primitive.",
            show_default=False,
        ),
    ],
    outputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write to; the suffix is the format: a video, or .art to keep the film; "
            "may be repeated. Default: A-B.mp4 in the current folder.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="How long the way takes.")
    ] = 4.0,
    hold: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, max=3600, help="How long both drawings stand still."
        ),
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to A at the end.")] = False,
    size: Annotated[
        int | None,
        typer.Option(metavar="PX", min=1, max=65_536, help="Long side. Default: that of A's fit."),
    ] = None,
    fps: Annotated[
        float, typer.Option(metavar="N", min=0.1, max=240, help="Frames per second of a video.")
    ] = 30.0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Let the parts of one saved drawing travel into those of another."""
    from artgen.cli._exports import check_files, write_exports

    registry = make_registry(plugin, quiet=quiet)
    files = list(dict.fromkeys(outputs or [Path(f"{first.stem}-{second.stem}.mp4")]))
    check_files(files, registry, overwrite=overwrite, more=("art",))

    from artgen.art import ExportRequest, load
    from artgen.cli._console import print_json
    from artgen.morph import morph as morphed
    from artgen.recipe import FileReference
    from artgen.runner import file_hash, resolve_device

    one, other = load(first, registry=registry), load(second, registry=registry)
    made = morphed(
        one,
        other,
        seconds=seconds,
        hold=hold,
        loop=loop,
        fps=fps,
        names=(
            FileReference(name=first.name, sha256=file_hash(first, "art")),
            FileReference(name=second.name, sha256=file_hash(second, "art")),
        ),
    )
    request = ExportRequest(size, device=resolve_device(device))
    whole = {"art": lambda art, request: art.to_bytes()}
    write_exports(files, made, request, registry, silent=as_json, more=whole)
    if as_json:
        canvas, film = made.canvas(size), made.require_film()
        print_json(
            {
                "first": str(first),
                "second": str(second),
                "primitive": made.drawing.primitive,
                "width": canvas.width,
                "height": canvas.height,
                "duration": film.duration,
                "outputs": [str(file) for file in files],
            }
        )
