"""`artgen render`: draw a saved drawing or film again, at any size, in any format there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from artgen.cli._flags import AsJson, Device, Overwrite, PluginFiles, Quiet, Verbose, make_registry

if TYPE_CHECKING:
    from artgen.output.plotter import Page

__all__ = ["render"]

_PANEL = "On a page"


def render(
    art: Annotated[Path, typer.Argument(metavar="ART", help="An .art file.", show_default=False)],
    outputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to draw to; the suffix is the format; may be repeated. "
            "Default: the name of ART with .png, or .mp4 for a walk, in the current folder.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            max=65_536,
            help="Long side. Default: that of the fit; 336 for --latent and --walk.",
        ),
    ] = None,
    transparent: Annotated[
        bool, typer.Option("--transparent", help="Leave out the background.")
    ] = False,
    supersample: Annotated[
        int, typer.Option(metavar="K", min=1, max=8, help="Average K x K samples per pixel.")
    ] = 1,
    device: Device = "auto",
    animate: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="Let the shapes of an .svg appear one after the other, all within this time.",
        ),
    ] = None,
    latent: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Of a codec: the picture at a place between those it has learned: picture:N, "
            "label:CLASS, mean, random:SEED or numbers; @CLASS tells the decoder another class.",
        ),
    ] = None,
    walk: Annotated[
        str | None,
        typer.Option(
            metavar="WALK",
            help="Of a codec: a way through its latents, as .mp4 or as a strip in .png: linear, "
            "spherical (each also :N,N,...), axis:K, labels.",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="How long a walk takes.")
    ] = 8.0,
    at: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Of a film: this moment. Default: its still.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            max=240,
            help="Frames per second of a video. Default: those of the film; 30 for a walk.",
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            metavar="X",
            min=0.001,
            max=1000,
            help="How fast a film is shown: 0.25 is slow motion, drawn and not repeated.",
        ),
    ] = 1.0,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="PAPER",
            help="Draw with pens on paper: A2 to A5, letter, legal, tabloid or WIDTHxHEIGHT in mm. "
            "Default: A4 where another of these is given, and for a .pdf.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="MM", min=0, help="Around the drawing. Default: 15.", rich_help_panel=_PANEL
        ),
    ] = None,
    pens: Annotated[
        str | None,
        typer.Option(
            metavar="N|COLOURS|FILE",
            help="How many pens to choose, or their colours: #rrggbb with commas, or a palette as "
            "for --palette. Default: a black one.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    pen_width: Annotated[
        float | None,
        typer.Option(
            metavar="MM", help="How wide the pens draw. Default: 0.3.", rich_help_panel=_PANEL
        ),
    ] = None,
    fill: Annotated[
        Literal["none", "hatch", "solid"] | None,
        typer.Option(
            help="none: outlines; hatch: lines, the closer the darker; solid: no gaps. "
            "Default: hatch.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    hatch_spacing: Annotated[
        float | None,
        typer.Option(
            metavar="MM",
            help="How far apart the closest hatches are. Default: 0.5.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    paper: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="The colour of the paper. Default: white.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    overwrite: Overwrite = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw a saved drawing or film again, at any size."""
    from artgen.cli._exports import check_files, write_exports
    from artgen.errors import UsageError

    registry = make_registry(plugin, quiet=quiet)
    if latent is not None and walk is not None:
        raise UsageError("--latent and --walk were both given", hint="leave one of them out")
    usual = Path(art.stem + (".png" if walk is None else ".mp4"))
    files = list(dict.fromkeys(outputs or [usual]))
    check_files(files, registry, overwrite=overwrite)

    from artgen.art import ExportRequest, load
    from artgen.cli._console import print_json
    from artgen.runner import resolve_device

    sheet = _page(
        page,
        margin=margin,
        pens=_pens(pens),
        pen_width=pen_width,
        fill=fill,
        spacing=hatch_spacing,
        paper=paper,
    )
    loaded = load(art, registry=registry)
    if at is not None:
        loaded = loaded.at(at)
    request = ExportRequest(
        size,
        transparent,
        supersample,
        resolve_device(device),
        animate,
        latent=latent,
        walk=walk,
        seconds=seconds,
        fps=fps,
        speed=speed,
        page=sheet,
    )
    write_exports(files, loaded, request, registry, silent=as_json)
    if as_json:
        single = latent is not None or walk is not None
        drawn = loaded.picture_canvas(size) if single else loaded.canvas(size)
        print_json(
            {
                "art": str(art),
                "primitive": loaded.drawing.primitive,
                "width": drawn.width,
                "height": drawn.height,
                "outputs": [str(file) for file in files],
            }
        )


def _page(name: str | None, **given: Any) -> Page | None:
    """The page that the flags ask for, if any. Raises UsageError."""
    told = {key: value for key, value in given.items() if value is not None}
    if name is None and not told:
        return None

    from artgen.output.plotter import named_page
    from artgen.targets import hex_colour, parse_colour

    if "paper" in told:
        told["paper"] = hex_colour(parse_colour(told["paper"]))
    return replace(named_page(name or "A4"), **told)


def _pens(text: str | None) -> int | tuple[str, ...] | None:
    """What `--pens` says: a number, colours, or those in a file. Raises UsageError, InputError."""
    from artgen.targets import hex_colour, parse_colour, read_palette

    if text is None or text.isdecimal():
        return None if text is None else int(text)
    if text.startswith("#"):
        return tuple(hex_colour(parse_colour(colour)) for colour in text.split(","))
    return read_palette(text)
