"""`artgen plot`: plot losses or generations of logs, or what codecs have learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from artgen.base.errors import UsageError, did_you_mean
from artgen.cli._exports import check_file
from artgen.cli._flags import OVERWRITE, Common, argument, option, output_option, switch

if TYPE_CHECKING:
    from artgen.art import Art
    from artgen.registry import Registry
    from artgen.targets import SetTarget


_WITH_SET = ("scatter", "ranks", "equal")
_CODEC_PLOTS = ("dataset", "augmentation", "triples", *_WITH_SET)


def plot(
    files: list[Path] = argument(
        "FILE...", "Logs written by --log; with --kind: .art files of codecs."
    ),
    kind: str | None = option("NAME", f"Plot of a codec: {', '.join(_CODEC_PLOTS)}."),
    target: str | None = option(
        "SET", "Set of pictures for scatter, ranks and equal. Default: the codec's own."
    ),
    output: Path | None = output_option(
        "FILE.png",
        "Output file. Default: FILE.png or FILE-KIND.png, after the first FILE, in the "
        "current folder.",
    ),
    generations: bool = switch(
        "Plot best error, mean error and diversity of each generation (logs of the engine genetic)."
    ),
    size: int = option(
        "PX",
        "Long side. Sheets of pictures have a size of their own.",
        min=64,
        max=8192,
        default=960,
    ),
    background: str = option(
        "COLOUR", "Background of the plot. Lines contrast with it.", default="black"
    ),
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Plot the losses of runs, the generations of an evolution, or what a codec learned.

    Examples:
        artgen fit photo.jpg --log run.jsonl
        artgen plot run.jsonl
    """
    from artgen.output import atomic_write, encode_png
    from artgen.targets import parse_colour
    from artgen.values.canvas import Canvas

    if kind is not None and kind not in _CODEC_PLOTS:
        raise UsageError(f"unknown plot {kind!r}", hint=did_you_mean(kind, _CODEC_PLOTS))
    if generations and (kind is not None or len(files) > 1):
        raise UsageError("--generations takes one log", hint="plot them one by one")
    if target is not None and kind not in _WITH_SET:
        raise UsageError(f"--target is for {', '.join(_WITH_SET)}", hint="add --kind ranks")
    ending = "" if kind is None else f"-{kind}"
    file = output or Path(f"{files[0].stem}{ending}.png")
    if file.suffix.lower() != ".png":
        raise UsageError(f"--output {file} is not a PNG file", hint="call it FILE.png")
    check_file(file, overwrite=overwrite, inputs=files)
    if len({each.stem for each in files}) < len(files):
        raise UsageError("two files have the same name", hint="rename one, or plot them one by one")
    canvas, paper = Canvas(size, round(size * 10 / 16)), parse_colour(background)
    if generations or kind is None:
        from artgen.display.plots import plot_generations, plot_losses
        from artgen.runs import read_generations, read_losses

    if generations:
        pixels = plot_generations(read_generations(files[0]), canvas, paper)
    elif kind is None:
        losses = {}
        for log in files:
            for name, pairs in read_losses(log).items():
                losses[" ".join(filter(None, [log.stem, name]))] = pairs
        pixels = plot_losses(losses, canvas, paper)
    else:
        from artgen.art import load
        from artgen.art.latents import plot_latents

        registry = common.registry()
        arts = {each.stem: load(each, registry=registry) for each in files}
        first = arts[files[0].stem]
        pictures = _set(first, target, files[0], registry) if kind in _WITH_SET else None
        pixels = plot_latents(first.primitive(), kind, arts, pictures, canvas, paper)
    atomic_write(file, encode_png(pixels))
    height, width = pixels.shape[:2]
    facts = {"files": files, "kind": kind, "output": file}
    common.answer({**facts, "width": width, "height": height}, file)


def _set(art: Art, asked: str | None, file: Path, registry: Registry) -> SetTarget:
    """Open the set `asked` for, or the one that the codec has learned from. Raises UsageError."""
    from artgen.runs import read_target
    from artgen.targets import SetTarget

    recipe = art.recipe
    if asked is not None:
        recipe = recipe.with_target(source=asked, sha256=None)
    found = read_target(recipe, registry, (file.parent, Path()))
    if not isinstance(found, SetTarget):
        raise UsageError(f"{found.source} is not a set of pictures", hint="give --target SET")
    return found
