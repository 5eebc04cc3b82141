"""`artgen make`: instructions and machine files for a thing, from a drawing or a photo."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.base.errors import InputError, UsageError, writing
from artgen.base.files import check_art, file_hash, printable
from artgen.cli._completion import names_of
from artgen.cli._console import columns, records, say
from artgen.cli._flags import OVERWRITE, Common, argument, option, switch
from artgen.cli._help import Command
from artgen.cli._pipes import STDIO, from_stdin
from artgen.recipe import Recipe

if TYPE_CHECKING:
    from artgen.art import Art
    from artgen.registry import Registry


class Make(Command):
    """A command that takes the options of a kind as flags: ``--board 400mm``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Turn flags that no command has into settings."""
        return super().parse_args(ctx, list(self._settings(args)))

    def _settings(self, args: Sequence[str]) -> Sequence[str]:
        known: dict[str, object] = {flag: each for each in self.params for flag in each.opts}
        known |= dict.fromkeys(("--help", "-h"))
        read, left = list[str](), list(args)
        while left:
            word = left.pop(0)
            flag, given, value = word.partition("=")
            own = known.get(flag)
            if word == "--":
                return [*read, word, *left]
            if flag in known or not word.startswith("--"):
                read.append(word)
                if own is not None and not given and not getattr(own, "is_flag", False):
                    read += left[:1]
                    del left[:1]
                continue
            if not given:
                value = left.pop(0) if left and not re.match(r"-\D", left[0]) else "true"
            read += ["--set", f"{flag[2:].replace('-', '_')}={value}"]
        return read


_SHARPEST = 4096
"""The most pixels of the longer side of a photo; a poster shows them all."""

COMMAND = Make
"""The class of the command."""


def make(
    kind: str | None = argument(
        "KIND", "What to make; --list shows all.", default=None, complete=names_of("maker")
    ),
    source: str | None = argument(
        "FILE.art|PHOTO",
        "A saved drawing, or a picture as for artgen fit; swatches need none.",
        default=None,
    ),
    settings: list[str] | None = option(
        "KEY=VALUE",
        "Set an option of the kind; a flag of its name is the same: --board 40cm. Repeatable.",
        "--set",
    ),
    show: bool = switch("List the kinds, or the options of one, and exit.", "--list"),
    out: Path = option("DIR", "Output folder.", default=Path("artgen-out")),
    name: str | None = option("NAME", "Folder in DIR. Default: FILE-KIND."),
    overwrite: bool = OVERWRITE,
    *,
    common: Common,
) -> None:
    """Make instructions, a list of parts and a picture of a thing: string art, cross-stitch, ...

    Examples:
        artgen make --list
        artgen make string photo.jpg
        artgen make string photo.jpg --set board=30cm --set thread=0.2mm
    """
    registry = common.registry()
    if show:
        return _list(kind, registry, common)
    entry = registry.find("maker", kind) if kind and not Path(kind).suffix else None
    if entry is None or (not source) is entry.load().needs_file:
        what = f"{kind} takes no file" if entry and source else "make needs a kind, then a file"
        form = kind if entry and source else "string photo.jpg --board 40cm, flags after the file"
        raise UsageError(what, hint=f"write artgen make {form}; --list shows all kinds")
    facts = {"kind": entry.name, "source": source or ""}
    source = str(from_stdin()) if source == STDIO else source or ""
    for odd in (each for each in settings or () if "=" not in each):
        raise UsageError(f"--set {odd!r} is not KEY=VALUE", hint="such as --set board=40cm")
    pairs = [each.partition("=")[::2] for each in settings or ()]
    is_art = source.lower().endswith(".art")
    if registry.is_plain_folder(source):
        raise InputError(f"{source} is a folder", hint="give a photo or an .art file")
    if is_art:
        check_art(Path(source))

    common.load("artgen.making")

    from artgen.art import load
    from artgen.cli._progress import showing
    from artgen.making import Motif, files_in, lengths_of, make_thing
    from artgen.output import check_output, probe_folder, remove_own, write_together
    from artgen.runs import output_paths, read_target
    from artgen.targets import Source, file_safe

    cls = entry.load()
    maker = cls(lengths_of(cls, dict(pairs)))
    stem = Path(source).stem if is_art else Source.parse(source).file_stem if source else entry.name
    called = name or "-".join(dict.fromkeys([file_safe(stem), entry.name]))
    folder = output_paths(out, called)["folder"].with_suffix("")
    if os.path.exists(folder) and not overwrite:
        raise UsageError(f"{folder} exists", hint="use --overwrite or another --name")
    # Here, for what is asked of a fit may be refused yet, and shall leave no folder.
    above = next(filter(os.path.exists, folder.parents))
    with writing(f"cannot create {folder}"), suppress(FileNotFoundError):
        (above / folder.name).lstat()
    probe_folder(folder if folder.exists() else above)
    art, photo, sha256, fitted = None, None, None, {}
    if is_art:
        for key in (key for key, _ in pairs if key in cls.for_photos):
            what = f"--{key.replace('_', '-')} is for photos, and {source} is a drawing"
            raise UsageError(what, hint="leave it out, or give the photo")
        art, sha256 = load(Path(source), registry=registry), file_hash(Path(source))
    elif source:
        asked = Recipe.from_dict({"target": {"source": source, "background": "white"}})
        opened = read_target(asked, registry, (Path(),))
        photo, sha256 = opened.pixels, opened.sha256
        if photo is None:
            raise InputError(f"{source} is no picture", hint="give a photo or an .art file")
        if not cls.takes_photos:
            art = _fit(source, maker.recipe(photo), registry, common)
            photo, fitted = None, {"drawing.art": art.to_bytes()}
        elif (size := min(opened.original_size, _SHARPEST)) > opened.size:
            photo = read_target(asked.with_target(size=size), registry, (Path(),)).pixels
    file, motif = printable(Path(source).name) if source else "", Motif(printable(stem), art, photo)
    unused = cls.for_photos if is_art else ()
    with showing(registry, common, called):
        made, contents = make_thing(entry.name, maker, dict(pairs), motif, file, sha256, unused)
    files = {folder / name: data for name, data in (fitted | contents).items()}
    inputs = [Path(each) for each in (source, *dict(pairs).values()) if os.path.isfile(each)]
    for path in files:
        check_output(path, overwrite=overwrite, option="--name", inputs=inputs)
    # An earlier thing had other pages, pens or machines, or a drawing of its own.
    left = {*files_in(folder), folder / "drawing.art"} - {*files}
    kept = {os.path.realpath(path) for path in inputs}
    write_together(files)
    for path in left:
        if os.path.realpath(path) not in kept:
            remove_own(path)
    for note in () if common.quiet else made.notes:
        say(f"note: {note}")
    common.answer({**facts, "outputs": [*files], "parts": [*made.parts]}, *files)


def _fit(source: str, tables: Any, registry: Registry, common: Common) -> Art:
    """Fit a photo as a maker says. Raises what a fit raises, Interrupted included."""
    common.load("artgen.runs.runner", "the compiler")

    from artgen.cli._progress import progress
    from artgen.recipe.settings import read_settings
    from artgen.runs import run
    from artgen.tasks import RunControl, graceful_signals

    target = {**tables.get("target", {}), "source": source}
    given = {"seed": 0, **tables, "target": target, "output": {"video": False, "history": 0}}
    recipe, control = read_settings()[0].below(Recipe.from_dict(given)), RunControl()
    with graceful_signals(control), progress(registry, common) as story:
        return run(recipe, registry, observers=[story], control=control).require_art()


def _list(kind: str | None, registry: Registry, common: Common) -> None:
    """Print all kinds, or the options of one."""
    if kind is None:
        rows = [(registry.spelling(each), each.summary) for each in registry.entries("maker")]
        common.show({"kinds": dict(rows)}, columns(rows))
        return

    from artgen.base.options import describe_options

    entry = registry.find("maker", kind)
    options = describe_options(entry.load().Options)
    facts = [(o.name.replace("_", "-"), o.type, str(o.default), o.help) for o in options]
    flags = columns([(f"--{name}", *rest) for name, *rest in facts], indent=2)
    data = {"kind": kind, "options": records("name type default help", facts)}
    common.show(data, f"{entry.name}: {entry.summary}\n{flags}")
