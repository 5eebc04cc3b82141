"""`artgen edit`: change what a saved drawing is made of, part by part."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.base.errors import UsageError
from artgen.base.files import check_art
from artgen.cli._console import columns, records, say
from artgen.cli._exports import check_files, check_formats, write_exports
from artgen.cli._flags import OVERWRITE, Common, argument, option, output_option, switch
from artgen.cli._pipes import is_stdout
from artgen.recipe import Precision

if TYPE_CHECKING:
    from artgen.registry import Registry


def edit(
    art: Path | None = argument("ART", "The .art file to edit.", default=None),
    operations: list[str] | None = argument(
        "OPERATION...",
        "NAME=VALUE@WHERE, one after the other: delete, keep, recolour=red=blue, "
        "recolour=PALETTE, move=0.1,0, scale=1.5, rotate=30, sort=size, join=B.art, or one of a "
        "plugin; --list shows all. WHERE is smallest:N, largest:N, colour:red, part:N, a circle "
        "X,Y,R or the file of a mask; without it, all.",
        default=None,
    ),
    outputs: list[Path] | None = output_option(
        "FILE",
        "Output file: .art or any format of artgen render. Repeatable. "
        "Default: ART-edited.art in the current folder.",
    ),
    split: str | None = option(
        "N|COLOURS|FILE",
        "Take it apart by colour in the end: one file for each colour, named FILE-RRGGBB. A "
        "number learns the colours; else as for --palette of artgen fit.",
    ),
    precision: Precision | None = option(
        None,
        "Number format of the .art file; auto is small and looks the same. Default: as it is.",
    ),
    show: bool = switch("List the operations, each with its plugin, and exit.", "--list"),
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Edit the parts of a drawing: delete, recolour, move, scale, rotate, sort, join, split.

    Examples:
        artgen edit photo.art delete@smallest:10 recolour=red=teal -o other.art
        artgen edit photo.art move=0.1,0@0.5,0.5,0.2 -o moved.art -o moved.png
        artgen edit photo.art --split 4 -o plate.art
        artgen edit photo.art --precision auto -o small.art
    """
    registry = common.registry()
    if show:
        return _list(registry, common)
    if art is None:
        raise UsageError("no .art file was given", hint="such as: artgen edit A.art rotate=30")
    check_art(art)
    if not operations and split is None and precision is None:
        hint = f"such as: artgen edit {art} delete@smallest:10"
        raise UsageError("no operation was given", hint=hint)
    files = list(dict.fromkeys(outputs or [Path(f"{art.stem}-edited.art")]))
    if split is not None and any(map(is_stdout, files)):
        raise UsageError("--split writes several files", hint="name them, such as -o plate.svg")
    named = [split or "", *(each for text in operations or () for each in _values(text))]
    how: dict[str, Any] = {"as_json": common.as_json, "overwrite": overwrite}
    how["inputs"] = [art, *map(Path, filter(os.path.isfile, named))]
    if split is None:
        check_files(files, registry, **how)
    else:  # of which colours files will be is known later
        check_formats(files, registry, as_json=common.as_json)

    common.load("artgen.editing")

    from artgen import editing
    from artgen.art import ExportRequest, load
    from artgen.targets import parse_palette

    made = load(art, registry=registry)
    for text in operations or ():
        before, made = made, editing.edit(made, text)
        if not common.quiet and (found := editing.surprise(before, made)):
            say(f"warning: {text!r} {found}")
    made = made if precision is None else made.stored(precision)
    every = {"": made} if split is None else editing.split(made, split)
    palette = () if split is None else parse_palette(split)
    left_out = [] if isinstance(palette, int) else [each for each in palette if each not in every]
    if left_out and not common.quiet:
        say(f"note: no part is nearest to {', '.join(left_out)}, so no file is of it")
    written = {
        (file.with_stem(f"{file.stem}-{name[1:]}") if name else file): each
        for name, each in every.items()
        for file in files
    }
    check_files([*written], registry, **how)
    write_exports(written, lambda _: ExportRequest(), registry, common)
    parts, primitive = made.primitive().count_of(made.drawing), made.drawing.primitive
    common.answer({"art": art, "primitive": primitive, "parts": parts, "outputs": [*written]})


def _values(text: str) -> list[str]:
    """What may be the name of a file in an operation: its value, its place, or both as one."""
    rest = re.split("[=@]", text, maxsplit=1)[-1]
    halves = (
        half for at in re.finditer("@", rest) for half in (rest[: at.start()], rest[at.end() :])
    )
    return [rest, *halves]


def _list(registry: Registry, common: Common) -> None:
    """Print what the plugins offer, each with an example and its plugin."""
    rows = []
    for each in registry.entries("edit"):
        usage = f"{registry.spelling(each)}={each.load().example}".rstrip("=")
        rows.append((usage, each.summary, each.distribution))
    common.show({"operations": records("usage summary plugin", rows)}, columns(rows))
