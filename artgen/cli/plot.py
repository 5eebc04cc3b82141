"""`artgen plot`: losses or generations over the steps, from logs; figures about codecs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artgen.cli._flags import AsJson, Overwrite, PluginFiles, Quiet, Verbose, make_registry

if TYPE_CHECKING:
    from artgen.art import Art
    from artgen.registry import Registry
    from artgen.targets import SetTarget

__all__ = ["plot"]

_FIGURES = ("dataset", "augmentation", "triples", "scatter", "ranks", "equal")


def plot(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Logs that --log wrote; with --figure, codecs: .art files.",
            show_default=False,
        ),
    ],
    figure: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"What to show of a codec: {', '.join(_FIGURES)}."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="The set that scatter, ranks and equal need. Default: the codec's own.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png",
            help="Where to draw to. Default: the name of the first FILE, and -FIGURE, with .png, "
            "in the current folder.",
        ),
    ] = None,
    generations: Annotated[
        bool,
        typer.Option(
            "--generations",
            help="Plot the best and the mean error and the diversity of each generation instead, "
            "which the engine genetic logs.",
        ),
    ] = False,
    size: Annotated[
        int,
        typer.Option(
            metavar="PX", min=64, max=8192, help="Long side; sheets of pictures have their own."
        ),
    ] = 960,
    background: Annotated[
        str,
        typer.Option(metavar="COLOUR", help="Of the plot; ink is light on dark, dark on light."),
    ] = "black",
    overwrite: Overwrite = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Plot the losses of runs over their steps, generations, or what a codec has learned."""
    from artgen.canvas import Canvas
    from artgen.cli._console import print_json
    from artgen.errors import UsageError, did_you_mean
    from artgen.output import atomic_write, encode_png
    from artgen.targets import parse_colour

    if figure is not None and figure not in _FIGURES:
        raise UsageError(f"there is no figure {figure!r}", hint=did_you_mean(figure, _FIGURES))
    if generations and (figure is not None or len(files) > 1):
        raise UsageError("--generations is for one log", hint="plot them one by one")
    if figure is None and target is not None:
        raise UsageError("--target is for figures of codecs", hint="add --figure ranks")
    ending = "" if figure is None else f"-{figure}"
    file = output or Path(f"{files[0].stem}{ending}.png")
    if file.suffix.lower() != ".png":
        raise UsageError(f"--output {file} is not a PNG file", hint="call it FILE.png")
    if file.exists() and not overwrite:
        raise UsageError(f"{file} exists", hint="use --overwrite or another --output")
    if len({each.stem for each in files}) < len(files):
        raise UsageError("two files have the same name", hint="rename one, or plot them one by one")
    canvas, paper = Canvas(size, round(size * 10 / 16)), parse_colour(background)
    if generations:
        from artgen.output.plots import plot_generations
        from artgen.runner import read_generations

        pixels = plot_generations(read_generations(files[0]), canvas, paper)
    elif figure is None:
        from artgen.output.plots import plot_losses
        from artgen.runner import read_losses

        losses = {}
        for log in files:
            for name, pairs in read_losses(log).items():
                losses[" ".join(filter(None, [log.stem, name]))] = pairs
        pixels = plot_losses(losses, canvas, paper)
    else:
        from artgen.art import load
        from artgen.figures import FIGURES, Page, draw_figure

        registry = make_registry(plugin, quiet=quiet)
        arts = {each.stem: load(each, registry=registry) for each in files}
        first = arts[files[0].stem]
        found = _set(first, target, files[0], registry) if FIGURES[figure].needs_set else None
        pixels = draw_figure(figure, arts, found, Page(canvas, paper))
    atomic_write(file, encode_png(pixels))
    if as_json:
        print_json(
            {
                "files": [str(each) for each in files],
                "figure": figure,
                "output": str(file),
                "width": pixels.shape[1],
                "height": pixels.shape[0],
            }
        )
    else:
        print(file)


def _set(art: Art, asked: str | None, file: Path, registry: Registry) -> SetTarget:
    """The set that was asked for, or the one that the codec was learned from. Raises UsageError."""
    from artgen.errors import UsageError
    from artgen.runner import open_target
    from artgen.targets import SetTarget

    recipe = art.recipe
    if asked is not None:
        recipe = recipe.updated({"target": {"source": asked, "sha256": None}})
    found = open_target(recipe, registry, (file.parent, Path()))
    if not isinstance(found, SetTarget):
        raise UsageError(f"{found.source} is no set of pictures", hint="give --target SET")
    return found
