"""Output files of any exporter: checked before the work, written after it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from artgen.base.errors import OutputError, UsageError
from artgen.base.printed import printed_to
from artgen.cli._flags import Common
from artgen.cli._pipes import is_stdout, write_stdout
from artgen.recipe import OutputTable, Recipe, VideoFormat

if TYPE_CHECKING:
    from artgen.animation.forms import Form
    from artgen.art import Art, ExportRequest
    from artgen.registry import Registry


Writer = Callable[..., bytes]
"""Returns the content of a file, given an art and a request."""

VIDEOS = frozenset(get_args(VideoFormat))
"""The formats of videos, without a dot."""

_FLAT = {"svg", "pdf", "eps"}
"""The formats of parts one by one."""

STILLS = frozenset({"png", "jpg", "jpeg", "avif", "tif", "tiff"})
"""The formats that show the still of a form of film."""

_OPTIONS = {"animate": {"svg"}, "page": {"svg", "pdf"}}
"""The formats of options that not all formats take, beside those of videos."""


def check_formats(files: Sequence[Path], registry: Registry, *, as_json: bool) -> None:
    """Raise UsageError if a file has an unknown format, or two are standard output.

    The command's JSON is, where `as_json`.
    """
    if as_json and any(map(is_stdout, files)):
        raise UsageError("--json and -o - both use standard output", hint="leave one of them out")
    if sum(map(is_stdout, files)) > 1:
        raise UsageError("standard output takes one format", hint="leave one -o - out")
    formats = ["art", *(entry.name for entry in registry.entries("exporter"))]
    for file in files:
        if suffix_of(file) not in formats:
            # Short words are like one another, whatever they mean.
            hint = f"known: {', '.join(sorted(formats))}"
            raise UsageError(f"--output {file} has an unknown format", hint=hint)


def check_files(files: Sequence[Path], registry: Registry, *, as_json: bool, **more: Any) -> None:
    """Check formats as `check_formats` does, and each file with `more` as `check_file` does."""
    check_formats(files, registry, as_json=as_json)
    for file in files:
        if not is_stdout(file):
            check_file(file, **more)


def check_length(flag: str, sound: str, **given: float | None) -> None:
    """Raise UsageError if a length was `given` beside the `flag` of a sound, which has its own."""
    for name, value in given.items():
        if value is not None:
            score = '{sound = "song.wav", seconds = 5.0}'
            raise UsageError(
                f"--{name} does not count with {flag}{sound}: a film lasts as long as its sound",
                hint=f"leave it out, or write seconds in a score: {flag}'{score}'",
            )


def check_film(film: str | None, **given: float | None) -> None:
    """Raise UsageError if a length was `given` beside a film of music."""
    form, _, sound = (film or "").partition("=")
    if form == "music":
        check_length("--film music=", sound, **given)


def check_parts(files: Sequence[Path], recipe: Recipe, registry: Registry) -> None:
    """Raise UsageError if a file of artgen's own cannot hold what the recipe makes."""
    from artgen.animation.forms import find_form
    from artgen.exporters.requests import check_transparent
    from artgen.output.parts import check_flat, check_inks, check_opaque, most_opaque, overprinted
    from artgen.output.svg.picture import are_sprites
    from artgen.plan import find_names

    table, output = recipe.primitive, recipe.output
    primitive = find_names(recipe, registry).primitive(table.options, preset=table.preset)
    # The video of the run itself shows the background, and may show the photo.
    kept = {output.video_format} if output.video else set[str]()
    photo = "photo" in (output.start, output.end)
    photo |= output.film is not None and find_form(output.film, registry).photo
    if photo and (more := sorted(set(map(suffix_of, files)) & VIDEOS - kept)):
        again = f"--film {output.film}" if output.film else "--start photo"
        make = f", and make it later: artgen render FILE.art -o FILE.{more[0]} {again}"
        raise UsageError(
            f"only one video of a fit shows the photo, not .{more[0]} as well",
            hint="leave it out" + ("" if output.end == "photo" else make),
        )
    for suffix in sorted(set(map(suffix_of, files)) - {"art"}):
        own = registry.find("exporter", suffix).plugin.origin == "built-in"
        if own and output.transparent and suffix not in kept:
            check_transparent(suffix)
        own &= suffix in _FLAT
        if own and not (suffix == "svg" and are_sprites(primitive)):
            check_flat(primitive, table.name, suffix.upper())
        # With a palette inks cover one another, but for smooth edges.
        if own and suffix != "svg" and recipe.target.palette is None:
            check_inks(overprinted(primitive), suffix.upper())
        # Of an opacity that is searched the fit knows more.
        alpha = recipe.stage[0].options.get("alpha", 0)
        if own and suffix == "eps" and recipe.init is None and not isinstance(alpha, str):
            check_opaque([most_opaque(primitive, alpha)])


def check_film_files(film: str, files: Iterable[Path], registry: Registry) -> Form:
    """The form of a film. Raises UsageError if one of `files` is what it reads."""
    from artgen.animation.forms import read_form
    from artgen.output import check_output

    form, given = read_form(film, registry)
    for file in files:
        if not is_stdout(file):
            check_output(file, overwrite=True, option="--output", inputs=form.reads(given))
    return form


def check_file(
    file: Path, *, overwrite: bool, option: str = "--output", out: Path | None = None, **more: Any
) -> None:
    """Check the file of `option` and `more` as `check_output` does, before the work.

    Raises UsageError, and OutputError if there is no folder for it; the folder `out` is made later.
    """
    from artgen.output import check_output

    if is_stdout(file):
        raise UsageError(f"{option} {file} is no file", hint="give it a name")
    check_output(file, overwrite=overwrite, option=option, **more)
    if not file.parent.is_dir() and file.parent != out:
        problem = f"cannot write {file}: there is no folder {file.parent}"
        raise OutputError(problem, hint="create it first or write to another one")


def fitting(
    request: ExportRequest, files: Sequence[Path], registry: Registry
) -> Callable[[str], ExportRequest]:
    """The request of each format, by its suffix, without what only others of the `files` take.

    What no file takes stays, so that its format refuses it.
    """
    from artgen.exporters.requests import OF_VIDEOS

    kinds = set(map(suffix_of, files))
    takers = {**_OPTIONS, **dict.fromkeys((*OF_VIDEOS, "film", "photo", "other"), VIDEOS)}
    takers["supersample"] = kinds - _FLAT - {"art", "html", "json"}
    if request.film is not None:
        form = check_film_files(request.film, files, registry)
        shown = VIDEOS | (STILLS if form.still else set()) | ({"html"} if form.page else set())
        takers |= dict.fromkeys(("film", "photo", "other"), shown)
        takers["supersample"] |= {"html"} & shown

    def fit(suffix: str) -> ExportRequest:
        others: dict[str, Any] = {
            option: getattr(type(request), option)
            for option, formats in takers.items()
            if suffix not in formats and formats & kinds
        }
        return replace(request, **others)

    return fit


def as_asked(art: Art, asked: OutputTable, registry: Registry) -> Callable[[str], ExportRequest]:
    """The request of each format, by its suffix, as a run was `asked` for its still and video."""
    from artgen.animation.forms import find_form
    from artgen.art import ExportRequest

    output, device = art.recipe.output, art.recipe.run.device
    film = asked.film  # with the path of its file
    form = None if film is None else find_form(film, registry)
    clear = output.transparent and film is output.walk is None and output.start != "photo"
    # The progress has a length of its own.
    timed = "video_seconds" in asked.asked or output.walk is not None or output.start == "parts"
    timed |= not art.has_film or (form is not None and not form.progress)

    def request(suffix: str) -> ExportRequest:
        moving = suffix in VIDEOS
        size = output.video_size if moving else output.still_size
        framed = art.recipe.framed(size) if size else None
        if not moving:
            shown = form is not None and form.still is True and suffix in STILLS
            still = ExportRequest(framed, output.transparent, device=device, dpi=art.recipe.dpi)
            return replace(still, film=film) if shown and not output.transparent else still
        return ExportRequest(
            framed,
            clear,
            device=device,
            film=film,
            walk=output.walk,
            start=output.start,
            loop=bool(output.loop),
            max_bytes=output.max_bytes,
            fps=float(output.fps) if "fps" in asked.asked else None,
            seconds=output.video_seconds if timed else None,
        )

    return request


def write_exports(
    arts: Mapping[Path, Art],
    request: Callable[[str], ExportRequest],
    registry: Registry,
    common: Common,
    more: Mapping[str, Writer] | None = None,
    apart: list[Path] | None = None,
) -> None:
    """Write `arts` to their files, showing progress, and print their names. Raises ArtgenError.

    `request` has that of each format, by its suffix.
    All files are complete before the first is moved to its place. Where a format refuses the
    drawing, none is, or where there is a list `apart` the other files are before that is raised,
    and it gets all that are written. `more` are formats by suffix without a dot that come before
    those of exporters, and before `art`, which is the whole.
    """
    from artgen.art import run_exporter
    from artgen.cli._progress import showing
    from artgen.output import write_together

    refused, files, contents = None, [*arts], {}
    writers: dict[str, Writer] = {"art": lambda art, request: art.to_bytes(), **(more or {})}
    for file, art in arts.items():
        suffix = suffix_of(file)
        export = writers.get(suffix) or registry.load("exporter", suffix)
        try:
            with showing(registry, common, file.name), printed_to(sys.stderr):
                contents[file] = run_exporter(suffix, export, art, request(suffix))
        except UsageError as error:
            if len(files) == 1:
                raise
            refused = refused or UsageError(f"{file.name}: {error.message}", hint=error.hint)
            if apart is None:
                raise refused from None
    silent = common.as_json or common.quiet or any(map(is_stdout, files))
    write_together({file: data for file, data in contents.items() if not is_stdout(file)})
    for file, content in contents.items():
        if is_stdout(file):
            write_stdout(content)
            continue
        if apart is not None:
            apart.append(file)
        if not silent:
            print(file, flush=True)
    if refused is not None:
        raise refused


def suffix_of(file: Path) -> str:
    """The format of an output by its name, without a dot; standard output takes PNG."""
    suffix = file.suffix.lower().removeprefix(".")
    return suffix or ("png" if is_stdout(file) else "")
