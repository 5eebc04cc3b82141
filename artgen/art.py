"""Art: a drawing with the recipe that made it, as one reusable `.art` file.

The file is safetensors whose metadata has the single key ``artgen``, holding canonical JSON: no
pickle, no wall-clock times, equal runs give equal bytes.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artgen.canvas import Canvas
from artgen.drawing import Drawing
from artgen.errors import InputError, UsageError
from artgen.film import Film, Scene
from artgen.recipe import Precision, Recipe
from artgen.registry import Registry, default
from artgen.subject import ImageSet, Subject, subject_from

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from artgen.latents import LatentSpace
    from artgen.output.plotter import Page
    from artgen.views import View

__all__ = [
    "FORMAT",
    "Art",
    "ExportRequest",
    "bytes_of_shapes",
    "load",
    "quantised",
    "quantised_film",
    "saved_bytes",
]

FORMAT = 2
"""The version of the `.art` format that this artgen writes; it reads this and older ones.

Files without a film are still written as version 1, which older artgens read too.
"""

_RANGE = ".range"
_SUBJECT = "subject."
"""What the names of tensors that belong to the subject begin with; no parameter has a dot."""

_FILM = "film."
"""The same of a film's: `film.SCENE.NAME`, `film.lives.SCENE` and `film.background.SCENE`."""

_LARGEST = 65_536
"""The longest side that is drawn, in pixels."""

_PICTURE_SIDE = 336
"""The longer side of a single picture of a set, in pixels, unless asked for."""


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


class _SceneTable(BaseModel):
    """What a file says of a scene of its film, beside the tensors."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    times: tuple[float, ...] = Field(min_length=1)


class _FilmTable(BaseModel):
    """What a file says of its film."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    scenes: tuple[_SceneTable, ...] = Field(min_length=1)
    duration: float
    fps: float


class _Header(BaseModel):
    """The JSON in a file's metadata."""

    model_config = ConfigDict(strict=True)

    drawing: _DrawingTable
    film: _FilmTable | None = None
    precision: Precision
    recipe: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class ExportRequest:
    """How an exporter should draw: `size` is the long side in pixels (None: the fitting size).

    A video of a film has `fps` frames per second (None: as many as the film says), and shows it
    `speed` times as fast.

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
    fps: float | None = None
    speed: float = 1.0
    page: Page | None = None


@dataclass(frozen=True, eq=False)
class Art:
    """The result of a fit: draw it at any size, save it, ask what made it.

    `metrics` are those of the run (``psnr``, ``mse``, ``accuracy``, ``loss``, ``steps``, …; None
    where a target has no such figure), `precision` is how the parameters are stored; the drawing's
    values are already rounded to it. `film` is the drawing as it moves, where it does: then
    `drawing` is its still.
    """

    drawing: Drawing
    recipe: Recipe
    metrics: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = "fp32"
    registry: Registry | None = field(default=None, repr=False)
    film: Film | None = None

    @property
    def psnr(self) -> float | None:
        """Of the 8-bit drawing at the fitting size against the 8-bit picture, in dB.

        None where the target is not a picture: see `metrics`.
        """
        psnr = self.metrics.get("psnr")
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
        view = self._view(size, transparent, supersample, device)
        return view.show(self.drawing).pixels

    def frames(
        self,
        size: int | None = None,
        *,
        fps: float | None = None,
        speed: float = 1.0,
        supersample: int = 1,
        device: str = "cpu",
    ) -> Iterator[NDArray[np.uint8]]:
        """The film, a picture at a time, each uint8 [height, width, 3]: none of them is kept.

        There are `fps` of them per second (None: as many as the film says), and what they show
        takes its time divided by `speed`. Raises UsageError where this does not move, and as
        `render` does.
        """
        film = self.require_film()
        times = film.frame_times(fps, speed)
        view = self._view(size, False, supersample, device)

        def draw() -> Iterator[NDArray[np.uint8]]:
            shown = None
            for seconds in times:
                moment = film.moment(seconds)
                if moment != shown:
                    pixels = view.show(film.drawing(self.drawing, seconds)).pixels
                    shown = moment
                yield pixels

        return draw()

    def _view(self, size: int | None, transparent: bool, supersample: int, device: str) -> View:
        """What shows this drawing, and others like it."""
        from artgen.raster import choose_backend
        from artgen.views import open_view

        canvas = self.canvas(size)
        if supersample < 1:
            raise UsageError(f"supersample {supersample} is not a factor", hint="use 1 to 8")
        primitive = self.primitive()
        # The fit's own backend, so that the fitting size gives the bits of the still; where it is
        # not to be had, the other one differs by rounding only.
        eager = self.recipe.run.backend == "eager"
        return open_view(
            self.drawing,
            primitive,
            canvas,
            device=device,
            backend=choose_backend(primitive, device, "eager" if eager else "auto"),
            supersample=supersample,
            transparent=transparent,
        )

    def at(self, seconds: float) -> Art:
        """The art of one moment of the film: it has no film, and none of the run's figures.

        Raises UsageError where this does not move, or not at this moment.
        """
        film = self.require_film()
        if not 0 <= seconds <= film.duration:
            raise UsageError(
                f"{seconds:g} s is not in the film", hint=f"it lasts {film.duration:g} seconds"
            )
        return replace(self, drawing=film.drawing(self.drawing, seconds), metrics={}, film=None)

    def require_film(self) -> Film:
        """The film. Raises UsageError where there is none."""
        if self.film is None:
            raise UsageError(
                f"this {self.drawing.primitive} drawing does not move, it holds no film",
                hint="artgen morph, artgen fit --history N and fits of clips make drawings that do",
            )
        return self.film

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
            "format": 1 if self.film is None else FORMAT,
            "drawing": table,
            "precision": self.precision,
            "recipe": self.recipe.to_dict(),
            "metrics": dict(self.metrics),
        }
        if self.film is not None:
            header["film"] = _film_header(self.film)
            tensors |= _film_tensors(self.film, self.precision)
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
            # Copies, because Windows replaces no file that is mapped into memory.
            tensors = {name: data.get_tensor(name).clone() for name in data.keys()}  # noqa: SIM118
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
        film = _film(header.film, tensors, header.precision)
        drawing = Drawing(tensors=_decode(tensors, header.precision), **table)
        if film is not None and film.scenes[0].tensors.keys() != drawing.tensors.keys():
            raise ValueError("its film holds other tensors than its drawing")
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{file} is damaged: {key}: {problem['msg']}") from None
    except InputError as error:
        raise InputError(f"{file} is damaged: {error.message}", hint=error.hint) from None
    except ValueError as error:
        raise InputError(f"{file} is damaged: {error}") from None
    return Art(drawing, recipe, header.metrics, header.precision, registry, film)


def quantised(drawing: Drawing, precision: Precision) -> Drawing:
    """The drawing as it will be after saving with `precision` and loading again."""
    return replace(drawing, tensors=_rounded(drawing.tensors, precision))


def quantised_film(film: Film, precision: Precision) -> Film:
    """The film as it will be after saving with `precision` and loading again."""
    scenes = (replace(scene, tensors=_rounded(scene.tensors, precision)) for scene in film.scenes)
    return replace(film, scenes=tuple(scenes))


def _rounded(tensors: Mapping[str, torch.Tensor], precision: Precision) -> dict[str, torch.Tensor]:
    return _decode(_encode(tensors, precision), precision)


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


def _film_header(film: Film) -> dict[str, Any]:
    """All of a film but its tensors, as plain data."""
    scenes = [{"times": list(scene.times)} for scene in film.scenes]
    return {"scenes": scenes, "duration": film.duration, "fps": film.fps}


def _film_tensors(film: Film, precision: Precision) -> dict[str, torch.Tensor]:
    """The keys of all scenes, who lives in each, and what is behind them."""
    tensors: dict[str, torch.Tensor] = {}
    for number, scene in enumerate(film.scenes):
        for name, tensor in _encode(scene.tensors, precision).items():
            tensors[f"{_FILM}{number}.{name}"] = tensor
        if scene.lives is not None:
            tensors[f"{_FILM}lives.{number}"] = scene.lives.contiguous()
        if scene.background is not None:
            tensors[f"{_FILM}background.{number}"] = scene.background.float().contiguous()
    # Scenes may share memory with each other and with the drawing, which a file cannot.
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _film(
    table: _FilmTable | None, tensors: dict[str, torch.Tensor], precision: Precision
) -> Film | None:
    """Take the film's keys out of `tensors`. Raises ValueError where they are not whole."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name in [name for name in tensors if name.startswith(_FILM)]:
        group, _, rest = name.removeprefix(_FILM).partition(".")
        groups.setdefault(group, {})[rest] = tensors.pop(name)
    lives, backgrounds, scenes = groups.pop("lives", {}), groups.pop("background", {}), []
    for number, scene in enumerate(table.scenes if table else ()):
        keys = _decode(groups.pop(str(number), {}), precision)
        for name, tensor in keys.items():
            if not bool(tensor.isfinite().all()):
                raise ValueError(f"{_FILM}{number}.{name} holds NaN or infinite numbers")
        background = backgrounds.pop(str(number), None)
        if background is not None:
            background = _decode({"": background}, "fp32")[""]
            if not bool(background.isfinite().all()):
                raise ValueError(f"{_FILM}background.{number} holds NaN or infinite numbers")
        scenes.append(Scene(scene.times, keys, lives.pop(str(number), None), background))
    if groups or lives or backgrounds:
        raise ValueError("its film holds tensors of a scene that it does not have")
    return None if table is None else Film(tuple(scenes), table.duration, table.fps)


def _rows(tensor: torch.Tensor) -> torch.Tensor:
    """[rows, values]: what shares a range in int8, a component of all parts."""
    return tensor.flatten(0, -2) if tensor.dim() > 1 else tensor.reshape(1, tensor.numel())


Exporter = Callable[[Art, ExportRequest], bytes]
