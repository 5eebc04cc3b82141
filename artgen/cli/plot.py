"""`artgen plot`: the loss over the steps, or generations, from what `artgen fit --log` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli._flags import AsJson, PluginFiles, Quiet, Verbose

__all__ = ["plot"]


def plot(
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="LOG...", help="Files that --log wrote.", show_default=False),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.png",
            help="Where to draw to. Default: the name of the first LOG with .png, "
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
    size: Annotated[int, typer.Option(metavar="PX", min=64, max=8192, help="Long side.")] = 960,
    background: Annotated[
        str,
        typer.Option(metavar="COLOUR", help="Of the plot; ink is light on dark, dark on light."),
    ] = "black",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that exists.")
    ] = False,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Plot the loss of one or several runs over their steps, or the generations of one."""
    from artgen.canvas import Canvas
    from artgen.cli._console import print_json
    from artgen.errors import UsageError
    from artgen.output import atomic_write, encode_png
    from artgen.output.plots import plot_generations, plot_losses
    from artgen.runner import read_generations, read_losses
    from artgen.targets import parse_colour

    file = output or Path(logs[0].stem + ".png")
    if file.suffix.lower() != ".png":
        raise UsageError(f"--output {file} is not a PNG file", hint="call it FILE.png")
    if file.exists() and not overwrite:
        raise UsageError(f"{file} exists", hint="use --overwrite or another --output")
    canvas, paper = Canvas(size, round(size * 10 / 16)), parse_colour(background)
    if generations:
        if len(logs) > 1:
            raise UsageError("--generations is for one log", hint="plot them one by one")
        pixels = plot_generations(read_generations(logs[0]), canvas, paper)
    else:
        losses = {log.stem: read_losses(log) for log in logs}
        if len(losses) < len(logs):
            raise UsageError(
                "two logs have the same name", hint="rename one, or plot them one by one"
            )
        pixels = plot_losses(losses, canvas, paper)
    atomic_write(file, encode_png(pixels))
    if as_json:
        print_json(
            {
                "logs": [str(log) for log in logs],
                "output": str(file),
                "width": canvas.width,
                "height": canvas.height,
            }
        )
    else:
        print(file)
