"""What `artgen fit` is asked for: flags that keys of recipes declare, and those of several keys.

The data that they become has the form of a recipe file and holds only what was given.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Union, get_args, get_origin

from artgen.base.errors import UsageError
from artgen.cli import _completion
from artgen.cli._flags import Framing, Panel
from artgen.cli._where import SEE
from artgen.recipe import flagged, keys
from artgen.recipe.keys import Flag, Key
from artgen.values.frame import is_focus, is_on_paper, paper_sides, parse_frame, parse_pixels

if TYPE_CHECKING:
    from artgen.registry import Registry

T = TypeVar("T")

USUAL_LOOK = "single-line"
"""The look of a picture of which nothing else is asked. Of four that were tried on photographs of
a face, an animal and a still life, each was a picture of its own in this one, and it is the
quickest: brush strokes take ten times as long, and rings tear faces apart."""

_HOW = re.compile(
    r"(primitive|clip|tiles|kind|view)\b|target\.(background|palette|alpha)|"
    r"output\.(transparent|edges|walk|latent|film=(?!side-by-side|wipe|zoom))"
)
"""The keys that say how a picture is drawn or searched, or shown in ways that not every part has.
Of films, those that every drawing has say nothing of it."""

_MAKE, _FILES = Panel(keys.MAKE), Panel(keys.WRITE)


def _keyed(cls: type[T]) -> type[T]:
    """Add a field for each key that declares a flag, and make the class a group of flags."""
    for name, _, key, flag in flagged():
        cls.__annotations__[name] = _type(key, flag)
        setattr(cls, name, _option(key, flag))
    return dataclass(cls)


def _type(key: Key, flag: Flag) -> object:
    kind = flag.typed or key.type
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return kind if kind is bool else kind | None


def _option(key: Key, flag: Flag, panel: Panel | None = None) -> Any:
    panel = panel or Panel(flag.panel)
    if _type(key, flag) is bool:
        return panel.switch(flag.help, *flag.names)
    low, high = flag.low, flag.high
    if low is None and flag.typed is None:
        low, high = key.bounds.get("ge"), key.bounds.get("le")
    limits: dict[str, Any] = {"min": low, "max": high}
    complete = getattr(_completion, flag.complete) if flag.complete else None
    return panel.option(flag.metavar, flag.help, *flag.names, complete=complete, **limits)


def of_key(name: str, panel: Panel) -> Any:
    """Declare a flag of a key as `artgen fit` has it, in another panel."""
    key, flag = next((key, flag) for own, _, key, flag in flagged() if own == name)
    return _option(key, flag, panel)


@_keyed
class Request:
    """The flags that say what to make, of the keys of a recipe and beside them."""

    look: str | None = _MAKE.option(
        "NAME|FILE.toml",
        "Style of the whole picture, such as watercolour, linocut or neon: primitive, colours, "
        "paper and more, see artgen plugins list. Other flags override it.",
        complete=_completion.looks,
    )
    settings: list[str] | None = _MAKE.option(
        "KEY=VALUE",
        "Set an option of the primitive, preset=NAME, engine.KEY=VALUE (with several "
        "stages 1.KEY, 2.KEY), clip.KEY=VALUE, tiles.KEY=VALUE or kind.KEY=VALUE. Repeatable.",
        "--set",
        complete=_completion.settings,
    )
    symmetry: str | None = _MAKE.option(
        "GROUP",
        "Repeat every part by a group of motions: p1 to p6m, frieze:p2mg, rosette:7, half-drop. "
        "The picture is folded into a seamless tile.",
    )
    polish: bool = _MAKE.switch("Add a second stage that refines shapes by gradient descent.")
    seeds: str | None = _MAKE.option(
        "1..20", "Run once per seed, 1..20 or 1,4,7, and make a contact sheet."
    )
    recipe: Path | None = _MAKE.option(
        "FILE",
        "Use a recipe: a .toml, or a file that artgen wrote, such as a .png, .mp4 or .art. Other "
        "flags override it.",
    )
    outputs: list[Path] | None = _FILES.output(
        "FILE",
        "Also write the result to this file. The suffix chooses the format, as in artgen render; "
        "- is standard output. Repeatable.",
    )
    video: Path | None = _FILES.option(
        "FILE",
        "Video file: .mp4, .webm, .gif, .webp or .apng. In a batch: FILE-STEM. Default: STEM.mp4.",
    )
    no_video: bool = _FILES.switch("Make no video.")

    panels: ClassVar[Sequence[str]] = (
        *(keys.MAKE, keys.LONG, keys.JUDGE, "Size and crop", keys.WRITE, keys.CODECS, keys.CLIPS),
        *(SEE, keys.WHERE, "Many runs", "Every command"),
    )
    """The panels of the help, in their order."""

    def given(self, name: str) -> Any:
        """The value of the flag of the parameter `name`, None where it was not given."""
        value = getattr(self, name)
        return None if value is False else value

    def of_videos(self) -> dict[str, Any]:
        """What was given of the flags that say how a video is."""
        names = ("max_bytes", "video_size", "start", "end", "loop", "walk", "fps", "video_seconds")
        return {f"--{name.replace('_', '-')}": self.given(name) for name in names}

    @property
    def set_options(self) -> list[str]:
        """The texts of `--set`, and what `--symmetry` says in that form."""
        return [*(self.settings or ()), *([f"symmetry={self.symmetry}"] if self.symmetry else [])]

    @property
    def is_printed(self) -> bool:
        """Whether `--size` is one on paper, which is that of the PNG."""
        return is_on_paper(self.given("size"))

    def says_how(self, tables: Mapping[str, Any]) -> bool:
        """Whether a flag says how a picture is drawn, given what `tables` returned."""
        from artgen.recipe.layers import leaves

        files = self.recipe, self.given("init"), self.set_options
        asked = any(files) or any(each is not None for each in self.stages().values())
        return asked or any(_HOW.match(f"{path}={value}") for path, value in leaves(tables).items())

    def stages(self) -> dict[str, Any]:
        """The values of the flags of stages, as typed."""
        own = {key.field: self.given(name) for name, table, key, _ in flagged() if table == "stage"}
        return {**own, "polish": self.polish or None}

    def tables(self, framing: Framing) -> dict[str, Any]:
        """The values of all other flags, in the form of a recipe, None where one was not given.

        Raises UsageError.
        """
        tables: dict[str, Any] = {}
        for name, table, key, flag in flagged():
            if table != "stage":
                owner = tables.setdefault(table, {}) if table else tables
                owner[key.name] = self._value(name, flag)
        self._frame(tables["target"], tables["output"], framing)
        video = self.film_file
        tables["output"]["video"] = False if self.no_video else None if video is None else True
        tables["output"]["video_format"] = video and video.suffix.lower().removeprefix(".")
        return tables

    @property
    def search(self) -> tuple[Path, ...]:
        """Where files are looked for: beside the recipe, the drawing to start from and the file of
        a look, and where the user is."""
        files = self.recipe, self.given("init"), self.look and Path(self.look), Path()
        return tuple(dict.fromkeys(file.parent for file in files if file))

    @property
    def film_file(self) -> Path | None:
        """The file of `--video`, or of `-o` where that is a video. Raises UsageError."""
        from artgen.cli._pipes import is_stdout
        from artgen.output import FORMATS

        if self.video is not None and self.video.suffix.lower() not in FORMATS:
            raise UsageError(
                f"--video {self.video} has an unknown video format",
                hint=f"end the name in {', '.join(FORMATS)}",
            )
        if self.video is not None or self.no_video:
            return self.video
        films = (f for f in self.outputs or () if f.suffix.lower() in FORMATS and not is_stdout(f))
        return next(films, None)

    def made_again(self, targets: Sequence[str]) -> str | None:
        """The name of the output that is fitted again, None where something else is made."""
        file = self.recipe
        if file is None or file.suffix.lower() in ("", ".toml") or targets:
            return None
        another = self.given("primitive") or self.look or self.seeds
        return None if another else file.stem

    def source(self, target: str) -> str:
        """The path or source of a target; standard input becomes a file."""
        from artgen.cli._pipes import STDIO, from_stdin

        return str(from_stdin()) if target == STDIO else located(target, self.search)

    def _value(self, name: str, flag: Flag) -> object:
        value = self.given(name)
        if value is None:
            return None
        if flag.file:
            text = isinstance(value, str) and is_focus(value)
            return value if text else {"name": located(str(value), self.search)}
        if isinstance(flag.parse, str):
            from pkgutil import resolve_name

            return resolve_name(flag.parse)(value)
        return flag.parse(value) if flag.parse is not None else value

    def _frame(self, target: dict[str, Any], output: dict[str, Any], framing: Framing) -> None:
        """Add what size, crop and border say together. Raises UsageError."""
        size, still, crop = self.given("size"), self.given("still_size"), framing.crop
        frame = parse_frame(size, framing.crop, framing.crop_at, framing.border, framing.dpi)
        if self.is_printed and still is not None:
            raise UsageError(
                f"--size {size} and --still-size {still} both say how large the PNG is",
                hint="give --size in pixels: it is that of the fit",
            )
        if self.is_printed:
            # What is printed is drawn that large, and fitted no larger than without it.
            size, still = None, size
        elif still is None and crop is not None and ":" not in crop:
            still = crop
        target["size"] = parse_frame(size).size
        if frame.turns:
            target["aspect"] = next(filter(paper_sides, (self.given("size"), crop)))
        else:
            target["aspect"] = frame.aspect and "{}:{}".format(*frame.aspect)
        target |= {"crop_at": framing.crop_at, "pad": frame.pad}
        pixels = still and parse_pixels(still, framing.dpi, flag="--still-size")
        output["still_size"] = still if is_on_paper(still) else pixels
        output["dpi"] = framing.dpi_of(still)


def located(source: str, search: Sequence[Path]) -> str:
    """The place from here, where files are looked for elsewhere first; `sample:NAME` is none."""
    from artgen.targets import Source

    parsed = Source.parse(source)
    if search[0] == Path() or parsed.path is None:
        return source
    return str(parsed.at(os.path.abspath(parsed.path)))


def is_picture(target: str, registry: Registry) -> bool:
    """Whether `target` is one picture, by its name: no clip, set, curve or points."""
    from artgen.targets import PICTURE_SUFFIXES, Source, kind_by_name, pictures

    source = Source.parse(target)
    bare = Source(source.scheme, source.rest.partition("?")[0])
    # A folder stands for the pictures in it, unless a plugin opens it.
    if target == "-" or bare in pictures(registry) or registry.is_plain_folder(target):
        return True
    there = os.path.isfile(target) or source.scheme in ("http", "https")
    suffix = Path(source.rest.partition("?")[0]).suffix.lower()
    return there and suffix in PICTURE_SUFFIXES and kind_by_name(source, registry) is None
