"""Art: a drawing with the recipe that made it, as one reusable `.art` file.

The file is safetensors whose metadata has the single key ``artgen``, holding canonical JSON: no
pickle, no wall-clock times, equal runs give equal bytes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import InputError, UsageError
from artgen.recipe import Precision, Recipe
from artgen.registry import Registry, default
from artgen.subject import ImageSet, Subject, subject_from

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from artgen.latents import LatentSpace
    from artgen.output.plotter import Page, Plot

__all__ = [
    "FORMAT",
    "Art",
    "ExportRequest",
    "bytes_of_shapes",
    "export_json",
    "export_mp4",
    "export_pdf",
    "export_png",
    "export_svg",
    "load",
    "quantised",
    "saved_bytes",
]

FORMAT = 1
"""The version of the `.art` format that this artgen writes; it reads this and older ones."""

_RANGE = ".range"
_SUBJECT = "subject."
"""What the names of tensors that belong to the subject begin with; no parameter has a dot."""

_LARGEST = 65_536
"""The longest side that is drawn, in pixels."""

_PICTURE_SIDE = 336
"""The longer side of a single picture of a set, in pixels, unless asked for."""

_SEEN = 1024
"""A plot is made of a picture with so many pixels on its longer side."""

WALK_FPS = 30
_STRIP = 10, 4
"""A walk as a still: so many pictures in a row, and rows."""


class _DrawingTable(BaseModel):
    """What a file says of its drawing, beside the tensors."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    primitive: str
    options: dict[str, Any]
    width: int = Field(ge=1, le=_LARGEST)
    height: int = Field(ge=1, le=_LARGEST)
    background: tuple[float, float, float]
    background_weight: float = Field(ge=0)
    plugin: dict[str, str]
    subject: dict[str, Any] | None = None


class _Header(BaseModel):
    """The JSON in a file's metadata."""

    model_config = ConfigDict(strict=True)

    drawing: _DrawingTable
    precision: Precision
    recipe: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class ExportRequest:
    """How an exporter should draw: `size` is the long side in pixels (None: the fitting size).

    `animate` is in how many seconds the parts appear one after the other (None: none). Of a codec
    `latent` is a place in its latent space, and `walk` a walk through it, of so many `seconds`, to
    be drawn instead of the sheet: see `artgen.latents`.
    `page` is an `artgen.output.plotter.Page`, paper and pens for a plotter (None: no page).
    """

    size: int | None = None
    transparent: bool = False
    supersample: int = 1
    device: str = "cpu"
    animate: float | None = None
    latent: str | None = None
    walk: str | None = None
    seconds: float = 8.0
    page: Page | None = None


@dataclass(frozen=True, eq=False)
class Art:
    """The result of a fit: draw it at any size, save it, ask what made it.

    `metrics` are those of the run (``psnr``, ``mse``, ``accuracy``, ``loss``, ``steps``, …; None
    where a target has no such figure), `precision` is how the parameters are stored; the drawing's
    values are already rounded to it.
    """

    drawing: Drawing
    recipe: Recipe
    metrics: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = "fp32"
    registry: Registry | None = field(default=None, repr=False)

    @property
    def psnr(self) -> float | None:
        """Of the 8-bit drawing at the fitting size against the 8-bit picture, in dB.

        None where the target is not a picture: see `metrics`.
        """
        psnr = self.metrics["psnr"]
        return None if psnr is None else float(psnr)

    def primitive(self) -> Any:
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
                f"the drawing was not made by this {drawing.primitive}: {error.message}",
                hint="another version of its plugin may draw it",
            ) from None

    def canvas(self, size: int | None = None) -> Canvas:
        """The canvas to draw on for a long side of `size` pixels (None: the fitting size).

        Raises UsageError.
        """
        if size is None:
            return self.drawing.canvas
        if not 1 <= size <= _LARGEST:
            raise UsageError(
                f"size {size} is not a long side in pixels", hint=f"use 1 to {_LARGEST}"
            )
        return self.drawing.canvas.scaled(size)

    def render(
        self,
        size: int | None = None,
        *,
        transparent: bool = False,
        supersample: int = 1,
        device: str = "cpu",
    ) -> NDArray[np.uint8]:
        """Draw with a long side of `size` pixels: uint8 [height, width, 3], 4 when transparent.

        A picture is painted, a curve plotted, labelled points become a map of their classes.
        Raises InputError, PluginError, UsageError, OutOfMemory.
        """
        from artgen.raster import choose_backend
        from artgen.views import open_view

        canvas = self.canvas(size)
        if supersample < 1:
            raise UsageError(f"supersample {supersample} is not a factor", hint="use 1 to 8")
        primitive = self.primitive()
        # The fit's own backend, so that the fitting size gives the bits of the still; where it is
        # not to be had, the other one differs by rounding only.
        eager = self.recipe.run.backend == "eager"
        view = open_view(
            self.drawing,
            primitive,
            canvas,
            device=device,
            backend=choose_backend(primitive, device, "eager" if eager else "auto"),
            supersample=supersample,
            transparent=transparent,
        )
        return view.show(self.drawing).pixels

    def latent_space(self) -> LatentSpace:
        """Where the pictures of a codec's set are, and what is between them.

        Raises UsageError where this is no codec.
        """
        from artgen.latents import LatentSpace

        return LatentSpace(self.drawing, self.primitive())

    def picture_canvas(self, size: int | None = None) -> Canvas:
        """The canvas for a single picture of a codec's set, with a long side of `size` pixels.

        Raises UsageError where this is no codec.
        """
        if not isinstance(self.drawing.subject, ImageSet):
            raise UsageError(
                f"{self.drawing.primitive} has no latents, it is no codec",
                hint="fit a codec: artgen fit sample:digits -p autoencoder",
            )
        return self.drawing.subject.grid.scaled(size or _PICTURE_SIDE)

    def to_bytes(self) -> bytes:
        """The `.art` file."""
        from safetensors.torch import save

        drawing, subject = self.drawing, self.drawing.subject
        tensors = _encode(drawing.tensors, self.precision)
        table: dict[str, Any] = {
            "primitive": drawing.primitive,
            "options": dict(drawing.options),
            "width": drawing.width,
            "height": drawing.height,
            "background": list(drawing.background),
            "background_weight": drawing.background_weight,
            "plugin": dict(drawing.plugin),
        }
        if subject is not None:
            table["subject"] = {"kind": subject.kind, **subject.header()}
            tensors |= _subject_tensors(subject)
        header = {
            "format": FORMAT,
            "drawing": table,
            "precision": self.precision,
            "recipe": self.recipe.to_dict(),
            "metrics": dict(self.metrics),
        }
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return save(tensors, metadata={"artgen": text})

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the `.art` file. Raises UsageError where it exists, OutputError."""
        from artgen.output import atomic_write

        file = Path(path)
        if file.exists() and not overwrite:
            raise UsageError(f"{file} exists", hint="pass overwrite=True or another name")
        atomic_write(file, self.to_bytes())

    def _repr_png_(self) -> bytes:
        from artgen.output import encode_png

        return encode_png(self.render(), self.recipe.to_json())


def load(path: str | os.PathLike[str], *, registry: Registry | None = None) -> Art:
    """Read an `.art` file.

    Raises InputError where it is missing, damaged or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    if not file.is_file():
        reason = "is not a file" if file.exists() else "does not exist"
        raise InputError(f"{file} {reason}", hint="an .art file is written by artgen fit")
    try:
        with safe_open(file, framework="pt") as data:
            text = (data.metadata() or {})["artgen"]
            described = json.loads(text)
            tensors = {name: data.get_tensor(name) for name in data.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} is not an .art file: {error}") from None
    except (KeyError, ValueError, TypeError, RecursionError):
        raise InputError(f"{file} is not an .art file: it carries no recipe of artgen") from None
    found = described.get("format") if isinstance(described, dict) else None
    if type(found) is not int or not 1 <= found <= FORMAT:
        raise InputError(
            f"{file} has .art format {found!r}, this artgen reads up to {FORMAT}",
            hint="a newer artgen may read it",
        )
    try:
        header = _Header.model_validate_json(text)
        recipe = Recipe.from_dict(header.recipe, where="its recipe")
        table = header.drawing.model_dump()
        table["subject"] = _subject(table["subject"], tensors)
        drawing = Drawing(tensors=_decode(tensors, header.precision), **table)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{file} is damaged: {key}: {problem['msg']}") from None
    except InputError as error:
        raise InputError(f"{file} is damaged: {error.message}", hint=error.hint) from None
    except ValueError as error:
        raise InputError(f"{file} is damaged: {error}") from None
    return Art(drawing, recipe, header.metrics, header.precision, registry)


def export_png(art: Art, request: ExportRequest) -> bytes:
    """A PNG with the recipe inside. Raises UsageError where it shall be animated.

    A walk is a strip of some of its pictures.
    """
    from artgen.output import encode_png

    _refuse(request, "PNG")
    if request.latent is not None or request.walk is not None:
        if request.transparent:
            raise UsageError(
                "a picture of a set has no transparent background", hint="leave out --transparent"
            )
        return encode_png(_imagined(art, request), art.recipe.to_json())
    pixels = art.render(
        request.size,
        transparent=request.transparent,
        supersample=request.supersample,
        device=request.device,
    )
    return encode_png(pixels, art.recipe.to_json())


def export_mp4(art: Art, request: ExportRequest) -> bytes:
    """A walk through latent space as a video, with the recipe inside. Raises UsageError."""
    from tempfile import TemporaryDirectory

    from artgen.output import write_video
    from artgen.output.sheets import resized

    _refuse(request, "MP4")
    if request.walk is None:
        raise UsageError(
            "a saved drawing is no video; of a codec, a walk through its latents is",
            hint="use --walk labels; the progress video is made by artgen fit",
        )
    canvas = art.picture_canvas(request.size)
    space = art.latent_space()
    frames = max(1, round(WALK_FPS * request.seconds))
    pictures = space.draw(*space.walk(request.walk, frames))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "walk.mp4"
        shown = (resized(picture, canvas, smooth=True) for picture in pictures)
        write_video(file, shown, fps=WALK_FPS, comment=art.recipe.to_json())
        return file.read_bytes()


def _imagined(art: Art, request: ExportRequest) -> NDArray[np.uint8]:
    """The picture of a place in latent space, or a strip of those along a walk."""
    import numpy as np
    import torch

    from artgen.output.sheets import resized

    canvas, space = art.picture_canvas(request.size), art.latent_space()
    if request.walk is None:
        place = space.place(request.latent or "mean")
        picture = space.draw(place.latent[None], torch.tensor([place.label]))[0]
        return resized(picture, canvas, smooth=True)
    columns, rows = _STRIP
    pictures = space.draw(*space.walk(request.walk, columns * rows))
    cell = canvas.scaled(max(1, max(canvas.width, canvas.height) // 4))
    lines = np.split(np.stack([resized(picture, cell, smooth=True) for picture in pictures]), rows)
    return np.concatenate([np.concatenate(list(line), axis=1) for line in lines])


def export_svg(art: Art, request: ExportRequest) -> bytes:
    """Shapes as elements, or lines on a page, with the recipe inside. Raises UsageError."""
    from artgen.output.svg import encode_svg

    if request.page is not None:
        from artgen.output.plotter.files import encode_plot

        _refuse(replace(request, page=None), "a page")
        return encode_plot(_plotted(art, request), art.recipe.to_json())

    return encode_svg(
        art.drawing,
        art.primitive(),
        art.canvas(request.size),
        art.recipe.to_json(),
        transparent=request.transparent,
        animate=request.animate,
    )


def export_json(art: Art, request: ExportRequest) -> bytes:
    """Shapes as data, with the recipe. Raises UsageError for what is no shape."""
    from artgen.output.shapes import encode_shapes

    _refuse(request, "JSON")
    return encode_shapes(
        art.drawing,
        art.primitive(),
        art.canvas(request.size),
        art.recipe.to_dict(),
        transparent=request.transparent,
    )


def export_pdf(art: Art, request: ExportRequest) -> bytes:
    """Lines for a pen on a page, A4 unless asked, with the recipe inside. Raises UsageError."""
    from artgen.output.plotter.files import encode_pdf

    _refuse(replace(request, page=None), "PDF")
    return encode_pdf(_plotted(art, request), art.recipe.to_json())


def _plotted(art: Art, request: ExportRequest) -> Plot:
    """The lines that draw the picture on the page that is asked for."""
    import numpy as np

    from artgen.output.plotter import Page, plot
    from artgen.targets import parse_colour

    page = request.page or Page()
    pixels = art.render(_SEEN, transparent=request.transparent, device=request.device)
    if request.transparent:
        alpha, paper = pixels[..., 3:] / 255, 255 * np.array(parse_colour(page.paper))
        pixels = np.rint(alpha * pixels[..., :3] + (1 - alpha) * paper).astype(np.uint8)
    return plot(art.drawing, art.primitive(), pixels, page, transparent=request.transparent)


def _refuse(request: ExportRequest, what: str) -> None:
    """Raise UsageError for what only other formats can do."""
    if request.animate is not None:
        raise UsageError(f"{what} cannot be animated", hint="use -o FILE.svg")
    if request.page is not None:
        raise UsageError(f"{what} has no page", hint="use -o FILE.svg or -o FILE.pdf")


def quantised(drawing: Drawing, precision: Precision) -> Drawing:
    """The drawing as it will be after saving with `precision` and loading again."""
    return replace(drawing, tensors=_decode(_encode(drawing.tensors, precision), precision))


def saved_bytes(drawing: Drawing, precision: Precision) -> int:
    """The size of the parameters at `precision`, in bytes, ranges of int8 rows included."""
    return bytes_of_shapes((tensor.shape for tensor in drawing.tensors.values()), precision)


def bytes_of_shapes(shapes: Iterable[Sequence[int]], precision: Precision) -> int:
    """What `saved_bytes` says of a drawing with parameters of these shapes."""
    value = {"fp32": 4, "fp16": 2, "int8": 1}[precision]
    # The least and the largest value of a row, float32.
    row = 8 if precision == "int8" else 0
    return sum(value * math.prod(shape) + row * math.prod(shape[:-1]) for shape in shapes)


def _encode(tensors: Mapping[str, torch.Tensor], precision: Precision) -> dict[str, torch.Tensor]:
    """float16, or one byte per value between the least and the largest of its row."""
    import torch

    if precision == "fp32":
        return {name: tensor.float().contiguous() for name, tensor in tensors.items()}
    if precision == "fp16":
        largest = torch.finfo(torch.float16).max
        return {
            name: tensor.clamp(-largest, largest).half().contiguous()
            for name, tensor in tensors.items()
        }
    encoded = {}
    for name, tensor in tensors.items():
        rows = _rows(tensor).double()
        # A stack of shapes may be empty.
        some = rows if tensor.numel() else rows.new_zeros(len(rows), 1)
        low, high = some.amin(1, keepdim=True), some.amax(1, keepdim=True)
        step = (high - low).clamp_min(1e-30) / 255
        encoded[name] = ((rows - low) / step).round().to(torch.uint8).reshape(tensor.shape)
        encoded[name + _RANGE] = torch.cat([low, high], 1).float()
    return encoded


def _decode(tensors: Mapping[str, torch.Tensor], precision: Precision) -> dict[str, torch.Tensor]:
    """The opposite of `_encode`, float32. Raises ValueError where these are not its tensors."""
    import torch

    stored = {"fp32": torch.float32, "fp16": torch.float16, "int8": torch.uint8}
    decoded = {}
    for name, tensor in tensors.items():
        if precision == "int8" and name.endswith(_RANGE):
            continue
        if tensor.dtype != stored[precision]:
            raise ValueError(f"{name} holds {tensor.dtype}, which is not {precision}")
        if precision != "int8":
            decoded[name] = tensor.float()
            continue
        rows, ends = _rows(tensor), tensors.get(name + _RANGE)
        if ends is None or ends.shape != (len(rows), 2):
            raise ValueError(f"{name} does not have one range per row")
        low, high = ends[:, :1].float(), ends[:, 1:].float()
        # Exact at both ends, so that saving what was loaded gives the same bytes.
        decoded[name] = torch.lerp(low, high, rows.float() / 255).reshape(tensor.shape)
    return decoded


def _subject_tensors(subject: Subject) -> dict[str, torch.Tensor]:
    """The subject's arrays, at full precision."""
    import torch

    return {_SUBJECT + name: torch.from_numpy(array) for name, array in subject.arrays().items()}


def _subject(header: dict[str, Any] | None, tensors: dict[str, torch.Tensor]) -> Subject | None:
    """Take the subject's arrays out of `tensors`. Raises ValueError where they are not whole."""
    arrays = {
        name.removeprefix(_SUBJECT): tensors.pop(name).numpy()
        for name in list(tensors)
        if name.startswith(_SUBJECT)
    }
    return None if header is None else subject_from(header, arrays)


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    """[rows, values]: what shares a range in int8, a component of all parts."""
    return tensor.flatten(0, -2) if tensor.dim() > 1 else tensor.reshape(1, tensor.numel())


Exporter = Callable[[Art, ExportRequest], bytes]
