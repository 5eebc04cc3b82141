"""Art: a drawing with the recipe that made it. Draw it at any size, save it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from artgen.art._file import packed_parameters, to_bytes, to_table
from artgen.art._moving import draw_moments, growing, kept
from artgen.art.precision import quantised, quantised_film, saved_bytes
from artgen.art.rounding import rounded
from artgen.base.errors import InputError, UsageError
from artgen.base.faults import broken, plugin_code
from artgen.events import Evaluated
from artgen.film.scenes import Film as Film
from artgen.film.scenes import Scene as Scene
from artgen.film.scenes import frame_count
from artgen.film.trajectory import Trajectory
from artgen.recipe import Precision, Recipe
from artgen.registry import Registry, default
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing
from artgen.values.frame import DPI, Frame, Size, is_on_paper, parse_frame
from artgen.values.subject import ImageSet

if TYPE_CHECKING:
    import numpy as np
    from _typeshed import SupportsWrite
    from numpy.typing import NDArray
    from PIL.Image import Image

    from artgen.art.latents import LatentSpace
    from artgen.display.views import FramedView
    from artgen.output.plotter import Page
    from artgen.primitives import Primitive

_FLAGS = {
    "size": "--size, and --crop, --fit or --pad",
    "page": "--page, and what is for pens",
    "photo": "--film or --start",
    "other": "--film",
}
"""The options of the command line that are called otherwise than what they set."""

_PICTURE_SIDE = 336
"""The longer side of a single picture of a set, in pixels, unless asked for."""


@dataclass(frozen=True)
class ExportRequest:
    """The request to an exporter: `size` is the long side in pixels (None: the fitting size).

    It may also be a text such as ``"1080x1080"``, or an `artgen.values.frame.Frame`, which crops or
    adds a border; `dpi` is the number of dots per inch that the file names (None: it names none,
    but 300 where `size` is a length such as ``"30cm"``, or paper).

    A video may also show how the parts appear, with a `start` of ``"parts"``, within `seconds`, or
    start with the background alone, ``"blank"``, or a `photo`, ``"photo"``; with `loop` it also
    runs backwards. `film` is a form of film, such as ``"zoom"`` or ``"music=song.wav"``, of which
    some need the `photo`; ``"side-by-side"`` shows `other`, another drawing, whole to the right
    instead of it. `max_bytes` makes its quality, rate, length, colours and, if
    no `size` is given, size as low as needed.
    A video of a film has `fps` frames per second (None: as many as the film says), and shows it
    within `seconds` (None: as long as it is; 8 of what is no film), `speed` times as fast.

    `animate` is in how many seconds the parts appear one after the other (None: none). Of a codec
    `latent` is a place in its latent space, and `walk` a walk of `seconds` through it, to be
    drawn instead of the sheet: see `artgen.families.codec.latents`.
    `page` is an `artgen.output.plotter.Page`, paper and pens for a plotter (None: no page).
    """

    size: Size | None = None
    transparent: bool = False
    supersample: int = 1
    device: str = "cpu"
    animate: float | None = None
    latent: str | None = None
    walk: str | None = None
    seconds: float | None = None
    fps: float | None = None
    speed: float = 1.0
    page: Page | None = None
    dpi: float | None = None
    start: Literal["blank", "parts", "photo"] | None = None
    loop: bool = False
    max_bytes: int | None = None
    photo: Image | None = None
    other: Image | None = None
    film: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.size, str) and is_on_paper(self.size):
            dpi = self.dpi or DPI
            vars(self).update(size=parse_frame(self.size, dpi=dpi), dpi=dpi)

    def allow(self, *names: str) -> None:
        """Raise UsageError if a field is set that is neither in `names` nor `device`."""
        for each in fields(self):
            if each.name not in (*names, "device") and getattr(self, each.name) != each.default:
                flags = _FLAGS.get(each.name, f"--{each.name.replace('_', '-')}")
                raise UsageError(f"this format takes no {each.name}", hint=f"leave out {flags}")


class Drawn(TypedDict, total=False):
    """How a drawing is drawn: the keywords of `Art.render`."""

    transparent: bool
    supersample: int
    device: str


@dataclass(frozen=True, eq=False)
class Art:
    """The result of a fit: draw it at any size, save it, ask what made it.

    `metrics` are those of the run (``psnr``, ``mse``, ``accuracy``, ``loss``, ``steps``, …; None
    where a target has no such metric), `precision` is how the parameters are stored; the drawing's
    values are already rounded to it. `film` is the drawing as it moves, where it does: then
    `drawing` is its still. `history` holds the evaluations of the fit, with loss and PSNR by step;
    a loaded file has none. `trajectory` is a light history of the fit, where the art has no film:
    its own film is close to the drawings of the fit.
    """

    drawing: Drawing
    recipe: Recipe
    metrics: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = "fp32"
    registry: Registry | None = field(default=None, repr=False)
    film: Film | None = None
    history: tuple[Evaluated, ...] = ()
    trajectory: Trajectory | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        drawing, count = self.drawing, self.metrics.get("count")
        facts = [f"{count} part{'s' if count > 1 else ''}"] if count else []
        facts += [f"{drawing.width}x{drawing.height}"]
        facts += [f"{self.psnr:.1f} dB"] if self.psnr is not None else []
        facts += [f"{self.film.duration:g} s"] if self.film else []
        return f"<Art {drawing.primitive}, {', '.join(facts)}>"

    @property
    def psnr(self) -> float | None:
        """Of the 8-bit drawing at the fitting size against the 8-bit picture, in dB.

        None where the target is not a picture: see `metrics`.
        """
        psnr = self.metrics.get("psnr")
        return None if psnr is None else float(psnr)

    def primitive(self) -> Primitive:
        """The primitive that draws this.

        Raises PluginError where its plugin is missing, InputError where it has other options.
        """
        registry = self.registry or default()
        drawing = self.drawing
        cls = registry.load("primitive", drawing.primitive, plugin=drawing.plugin)
        try:
            primitive = cls(dict(drawing.options))
            primitive.take(drawing.subject)
            return primitive
        except UsageError as error:
            raise InputError(
                f"the drawing does not fit the installed {drawing.primitive}: {error.message}",
                hint="install the version of its plugin that made it",
            ) from None

    def canvas(self, size: Size | None = None) -> Canvas:
        """The canvas to draw on for a long side of `size` pixels (None: the fitting size).

        `size` may also be width and height, or a frame: see `ExportRequest`. Raises UsageError.
        """
        return Frame.of(size).canvas(self.drawing.width, self.drawing.height)

    def render(
        self,
        size: Size | None = None,
        *,
        transparent: bool = False,
        supersample: int = 1,
        device: str = "cpu",
    ) -> NDArray[np.uint8]:
        """Draw with a long side of `size` pixels: uint8 [height, width, 3], 4 when transparent.

        ``"1080x1080"`` asks for both sides: the drawing then fills the picture and is cropped.
        A picture is painted, a curve plotted, labelled points become a map of their classes.
        Raises InputError, PluginError, UsageError, OutOfMemory.
        """
        view = self.view(size, transparent=transparent, supersample=supersample, device=device)
        return view.show(self.drawing)

    def strips(self, size: Size | None = None, **how: Unpack[Drawn]) -> Iterator[NDArray[np.uint8]]:
        """Draw what `render` does, from top to bottom, a few rows at a time.

        So pictures of splats that are too large for the memory can be written. Each strip is uint8
        [rows, width, 3], 4 when transparent. Pictures of up to 16.8 million pixels, those with a
        border or crop and those of other families are a single strip. Raises as `render` does.
        """
        return self.view(size, **how).strips(self.drawing)

    def frames(
        self,
        size: Size | None = None,
        *,
        fps: float | None = None,
        speed: float = 1.0,
        **how: Unpack[Drawn],
    ) -> Iterator[NDArray[np.uint8]]:
        """The film, a picture at a time, each uint8 [height, width, 3]: none of them is kept.

        There are `fps` of them per second (None: as many as the film says), and what they show
        takes its time divided by `speed`. Raises UsageError where this does not move, and as
        `render` does.
        """
        times = self.require_film().frame_times(fps, speed)
        return draw_moments(self.view(size, **how), self.moving(), times)

    def moving(self) -> Callable[[float], Drawing]:
        """The film as a function of the time in seconds. Equal moments are one object.

        Raises UsageError where this does not move.
        """
        film = self.require_film()
        return kept(film.moment, partial(film.drawing, self.drawing))

    def building(
        self,
        size: Size | None = None,
        *,
        seconds: float = 8.0,
        fps: float = 30.0,
        **how: Unpack[Drawn],
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw how the parts appear, a picture at a time, each uint8 [height, width, 3].

        They come in their order, of splats the most important first: slowly, then faster and
        faster. The last fifth shows all. Raises UsageError where there are no parts, and as
        `render` does.
        """
        growing = self.growing()
        frames = max(2, frame_count(seconds * fps))
        moving = max(1, round(0.8 * frames))
        shown = self.view(size, **how)
        return draw_moments(shown, growing, (min(1.0, (i + 1) / moving) for i in range(frames)))

    def growing(self) -> Callable[[float], Drawing]:
        """The drawing while its parts appear, as a function of the share of the way, 0 to 1.

        See `building`. Equal moments are one object. Raises UsageError where there are no parts.
        """
        return growing(self.primitive(), self.drawing)

    def view(self, size: Size | None = None, **how: Unpack[Drawn]) -> FramedView:
        """The view that shows this drawing, and others like it, as `render` does."""
        from artgen.display.views import FramedView
        from artgen.raster import choose_backend, resolve_device, tensor_device

        if (samples := how.get("supersample", 1)) < 1:
            raise UsageError(f"supersample must be at least 1, got {samples}", hint="use 1 to 8")
        device = resolve_device(how.get("device", "cpu"))
        primitive = self.primitive()
        # The fit's own backend, so that the fitting size gives the bits of the still; where it is
        # not to be had, the other one differs by rounding only.
        eager = self.recipe.run.backend == "eager"
        how["device"] = str(tensor_device(device))
        return FramedView(
            Frame.of(size),
            self.drawing,
            primitive,
            backend=choose_backend(primitive, device, "eager" if eager else "auto"),
            colours=self.recipe.exact_colours,
            **how,
        )

    def at(self, seconds: float) -> Art:
        """The art of one moment of the film: it has no film, and none of the run's metrics.

        Raises UsageError where this does not move, or not at this moment.
        """
        film = self.require_film()
        if not 0 <= seconds <= film.duration:
            raise UsageError(
                f"the film has no frame at {seconds:g} s", hint=f"use 0 to {film.duration:g}"
            )
        drawing = quantised(film.drawing(self.drawing, seconds), self.precision, self.drawing)
        return replace(self, drawing=drawing, metrics={}, film=None, trajectory=None)

    def stored(self, precision: Precision) -> Art:
        """The art as its file holds it at another precision; without metrics, which were the run's.

        With `auto` it looks the same, within 50 dB of PSNR; see docs/exports.md. Raises UsageError
        where the primitive is not stored so.
        """
        from artgen.display.views import open_view

        primitive, drawing = self.primitive(), self.drawing
        primitive.check_precision(precision, drawing.primitive)
        # What is rounded already stays as it is.
        if precision == "auto" != self.precision and packed_parameters(self) is None:
            view = open_view(drawing, primitive)
            still = self.film is None and self.trajectory is None
            drawing = rounded(
                primitive, drawing, lambda d: (view.show(d).outputs.numpy(), None), reorder=still
            )
        drawing = quantised(drawing, precision)
        return replace(
            self,
            drawing=drawing,
            film=self.film and quantised_film(self.film, precision, drawing),
            precision=precision,
            recipe=self.recipe.replace(run=self.recipe.run.replace(precision=precision)),
            metrics={},
        )

    @property
    def has_film(self) -> bool:
        """Whether there is a film, or a light history that gives one."""
        return self.film is not None or self.trajectory is not None

    def require_film(self) -> Film:
        """The film, or that of a light history. Raises UsageError where there is neither."""
        if self.film is None and self.trajectory is not None:
            return self.trajectory.film(self.drawing)
        if self.film is None:
            raise UsageError(
                f"this {self.drawing.primitive} drawing has no film",
                hint="artgen morph, artgen fit --history N and fits of clips make films",
            )
        return self.film

    def latent_space(self) -> LatentSpace:
        """The latents of the pictures of a codec's set, and what is between them.

        Raises UsageError where this is no codec.
        """
        from artgen.art.latents import open_latents

        return open_latents(self.primitive(), self.drawing)

    def picture_canvas(self, size: Size | None = None) -> Canvas:
        """The canvas for a single picture of a codec's set, with a long side of `size` pixels.

        Raises UsageError where this is no codec.
        """
        from artgen.art.latents import no_latents

        if not isinstance(self.drawing.subject, ImageSet):
            raise no_latents(self.drawing)
        frame = Frame.of(size or _PICTURE_SIDE)
        if frame.aspect is not None:
            raise UsageError("pictures of a set cannot be cropped", hint="give their long side")
        grid = self.drawing.subject.grid
        return frame.canvas(grid.width, grid.height)

    def to_bytes(self) -> bytes:
        """The `.art` file."""
        return to_bytes(self)

    @property
    def parameter_bytes(self) -> int:
        """What the parameters of the drawing take in the `.art` file, in bytes."""
        packed = packed_parameters(self)
        return saved_bytes(self.drawing, self.precision) if packed is None else len(packed)

    def to_dict(self) -> dict[str, Any]:
        """What the `.art` file holds, as data for JSON: `load` reads a .json file of it."""
        return to_table(self)

    def save(
        self,
        file: str | os.PathLike[str] | SupportsWrite[bytes],
        request: ExportRequest | None = None,
        *,
        format: str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Write a file in the format of its suffix: `.art`, or that of an exporter.

        `file` may also be an object with a method `write` for bytes; then `format`, such as
        ``"png"``, is needed. It replaces the suffix. Exporters draw as the `request` says. Raises
        UsageError where the file exists, or artgen did not write what is there, OutputError, and
        PluginError where no plugin exports to such files.
        """
        suffix, write = _destination(file, format, overwrite)
        write(self.to_format(suffix, request))

    def to_format(self, format: str, request: ExportRequest | None = None) -> bytes:
        """The bytes of a file in the format of a suffix, such as ``"pdf"``. Raises as `save`."""
        suffix = format.lower().removeprefix(".")
        if suffix == "art":
            return self.to_bytes()
        entry = (self.registry or default()).find("exporter", suffix)
        export, request = entry.load(), request or ExportRequest()
        # Errors of what was registered from Python are the caller's own.
        if entry.plugin.origin == "python":
            content: bytes = export(self, _focused(self, request))
            return content
        return run_exporter(suffix, export, self, request)

    def to_png(self, size: Size | None = None, *, transparent: bool = False) -> bytes:
        """A PNG file with the recipe. Raises as `render` does."""
        return self.to_format("png", ExportRequest(size, transparent))

    def to_svg(self, size: Size | None = None, *, transparent: bool = False) -> str:
        """An SVG document with the recipe. Raises UsageError where there are no flat parts."""
        return self.to_format("svg", ExportRequest(size, transparent)).decode()

    def _repr_html_(self) -> str | None:
        """The film as a video in the page of a notebook; None without one."""
        if self.film is None:
            return None
        video = base64.b64encode(self.to_format("mp4")).decode("ascii")
        size = f'width="{self.drawing.width}" height="{self.drawing.height}"'
        return f'<video {size} controls loop autoplay muted src="data:video/mp4;base64,{video}">'

    def _repr_png_(self) -> bytes:
        return self.to_png()


def _destination(
    file: str | os.PathLike[str] | SupportsWrite[bytes], format: str | None, overwrite: bool
) -> tuple[str, Callable[[bytes], object]]:
    """Return the suffix of a file for `Art.save`, and what writes it. Raises UsageError."""
    from artgen.output import atomic_write, check_output

    write: Callable[[bytes], object]
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        if not path.name.strip():
            raise UsageError(f"{os.fspath(file)!r} names no file", hint="such as rose.png")
        check_output(path, overwrite=overwrite, option="name", flag="overwrite=True")
        what, suffix, write = str(path), format or path.suffix, partial(atomic_write, path)
    else:
        if isinstance(file, TextIOBase):
            hint = 'open it with mode "wb", or use io.BytesIO'
            raise UsageError("the file object takes text, and files of art are bytes", hint=hint)
        what, suffix, write = "a file object", format or "", file.write
    if not suffix.strip("."):
        raise UsageError(
            f"the name of {what} does not say which format to write",
            hint='pass format="png", or end the name in .png or .art',
        )
    return suffix, write


def _focused(art: Art, request: ExportRequest) -> ExportRequest:
    """The request with the place of a crop as numbers: all formats show the same part."""
    frame = Frame.of(request.size)
    if frame.aspect is None or not isinstance(frame.at, str):
        return request
    # It is looked for in a picture of one size, whatever that of the view is.
    place = art.view(replace(frame, size=1), device=request.device).frame.at
    return replace(request, size=replace(frame, at=place))


def run_exporter(suffix: str, export: Exporter, art: Art, request: ExportRequest) -> bytes:
    """Return what an exporter makes. Raises ArtgenError, PluginError for its mistakes."""
    with plugin_code(f"exporter {suffix!r}", export, hint="return bytes"):
        content = export(art, _focused(art, request))
    if not isinstance(content, bytes):
        found = f"gave {type(content).__name__}, not bytes"
        raise broken(f"exporter {suffix!r}", export, found, "encode text: text.encode()")
    return content


Exporter = Callable[[Art, ExportRequest], bytes]
