"""Write an `.art` file: safetensors whose metadata has the single key ``artgen``, canonical JSON.

A `.json` file of a drawing holds the same, the tensors as lists of numbers, and is read as well.
There is no pickle and no wall-clock time in it, so equal runs give equal bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from artgen.art.numbers import are_few, pack_numbers
from artgen.art.precision import encode
from artgen.base.errors import InputError, PluginError
from artgen.base.files import tensors_to_bytes
from artgen.base.header import SMALL, deflate
from artgen.base.plain import canonical
from artgen.film.scenes import Film
from artgen.recipe import Precision

if TYPE_CHECKING:
    import torch

    from artgen.art._art import Art

FORMAT = 4
"""The version of the `.art` format that this artgen writes; it reads this and older ones.

Files without a film are still written as version 1, which older artgens read too, and those with
one as version 2. In a file of version 3 a family has packed its parameters: see
`artgen.primitives.pack`. One of version 4 has precision `auto`: its metadata hold the version
alone, and a tensor of bytes the deflated header and the numbers.
"""

PACKED = "packed."
"""The name of the tensor of bytes that a family has packed its parameters into."""

SUBJECT = "subject."
"""What the names of tensors that belong to the subject begin with; no parameter has a dot."""

FILM = "film."
"""The same of a film's: `film.SCENE.NAME`, `film.lives.SCENE` and `film.background.SCENE`."""

LARGEST = 65_536
"""The longest side of a drawing, in pixels."""


class _Strict(BaseModel):
    """Data in a file: types as they are, and finite numbers."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class DrawingTable(_Strict):
    """The description of the drawing in a file, beside the tensors."""

    primitive: str
    options: dict[str, Any]
    width: int = Field(ge=1, le=LARGEST)
    height: int = Field(ge=1, le=LARGEST)
    background: tuple[float, float, float]
    background_weight: float = Field(ge=0)
    plugin: dict[str, str]
    subject: dict[str, Any] | None = None


class _SceneTable(_Strict):
    """The description of a scene of the film in a file, beside the tensors."""

    times: tuple[float, ...] = Field(min_length=1)


class FilmTable(_Strict):
    """The description of the film in a file."""

    scenes: tuple[_SceneTable, ...] = Field(min_length=1)
    duration: float
    fps: float


class _HistoryTable(_Strict):
    """A light history: see `Trajectory`."""

    keyframes: int
    duration: float
    fps: float
    data: str
    moving: float | None = None
    """In files that hold no times: how long keyframes are evenly apart."""


class _MetricsTable(BaseModel):
    """The metrics that artgen itself reads again; files hold more."""

    model_config = ConfigDict(strict=True, extra="allow")

    count: int | None = None
    psnr: float | None = None


class Numbers(_Strict):
    """What the header of a small file says of its numbers: the shapes of tensors by name."""

    numbers: dict[str, tuple[Annotated[int, Field(ge=0)], ...]]


class Header(BaseModel):
    """The JSON in a file's metadata."""

    model_config = ConfigDict(strict=True)

    drawing: DrawingTable
    film: FilmTable | None = None
    history: _HistoryTable | None = None
    precision: Precision
    recipe: dict[str, Any]
    metrics: _MetricsTable


def to_bytes(art: Art) -> bytes:
    """Return the `.art` file."""
    header, tensors = _stored(art)
    packed = packed_parameters(art)
    if packed is not None:
        header["format"], tensors = max(3, header["format"]), {PACKED: _bytes_tensor(packed)}
    if art.precision == "auto":
        return _small(header, tensors)
    return tensors_to_bytes(tensors, canonical(header))


def _small(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> bytes:
    """The small file: floats are packed, other tensors stay as they are."""
    import torch

    floats = {name: tensors[name] for name in sorted(tensors) if tensors[name].dtype == torch.float}
    if not are_few(tensor.shape for tensor in floats.values()):
        floats = {}
    shapes = {name: tuple(tensor.shape) for name, tensor in floats.items()}
    small = deflate(canonical({**header, "numbers": shapes}), pack_numbers(floats))
    others = {name: tensor for name, tensor in tensors.items() if name not in floats}
    return tensors_to_bytes({SMALL: _bytes_tensor(small), **others}, canonical({"format": FORMAT}))


def _bytes_tensor(data: bytes) -> torch.Tensor:
    import torch

    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def packed_parameters(art: Art) -> bytes | None:
    """What the family packs the parameters into; None where it does not.

    A film has those of every keyframe as they are.
    """
    from artgen.primitives import pack

    if art.film is not None:
        return None
    try:
        primitive = art.primitive()
    except (PluginError, InputError):
        # What cannot be drawn here is kept as it is.
        return None
    return pack(primitive, art.drawing.tensors)


def to_table(art: Art) -> dict[str, Any]:
    """What the `.art` file holds, for JSON: numbers have the digits that give the same floats."""
    header, tensors = _stored(art)
    recipe = header.pop("recipe")
    numbers = {
        name: {
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            "values": [float(str(value)) for value in array.ravel()]
            if array.dtype.kind == "f"
            else array.ravel().tolist(),
        }
        for name, array in ((name, tensor.numpy()) for name, tensor in tensors.items())
    }
    return {"drawing": header, "tensors": numbers, "recipe": recipe}


def _stored(art: Art) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The header of the file, and its tensors at the precision of the art."""
    import torch

    drawing = art.drawing
    tensors = encode(drawing.tensors, art.precision)
    table = {name: getattr(drawing, name) for name in DrawingTable.model_fields}
    table |= {"options": dict(drawing.options), "plugin": dict(drawing.plugin)}
    if (subject := table.pop("subject")) is not None:
        table["subject"] = {"kind": subject.kind, **subject.header()}
        arrays = subject.arrays()
        tensors |= {SUBJECT + name: torch.from_numpy(array) for name, array in arrays.items()}
    header = {
        "format": FORMAT if art.precision == "auto" else 1 if art.film is None else 2,
        "drawing": table,
        "precision": art.precision,
        "recipe": art.recipe.to_dict(),
        "metrics": dict(art.metrics),
    }
    if art.film is not None:
        # Floats, as they are read: 30 frames per second are 30.0 in every file.
        scenes = [{"times": [float(time) for time in scene.times]} for scene in art.film.scenes]
        seconds = {"duration": float(art.film.duration), "fps": float(art.film.fps)}
        header["film"] = {"scenes": scenes, **seconds}
        tensors |= _film_tensors(art.film, art.precision)
    if art.trajectory is not None:
        # In the header and not as tensors, so that artgen 0.1.0 reads the file too.
        header["history"] = art.trajectory.to_table()
    return header, tensors


def _film_tensors(film: Film, precision: Precision) -> dict[str, torch.Tensor]:
    """The keyframes of all scenes, the lifespans of their parts, and the backgrounds."""
    tensors: dict[str, torch.Tensor] = {}
    for number, scene in enumerate(film.scenes):
        for name, tensor in encode(scene.tensors, precision).items():
            tensors[f"{FILM}{number}.{name}"] = tensor
        if scene.lifespans is not None:
            tensors[f"{FILM}lives.{number}"] = scene.lifespans.contiguous()
        if scene.background is not None:
            tensors[f"{FILM}background.{number}"] = scene.background.float().contiguous()
    # Scenes may share memory with each other and with the drawing, which a file cannot.
    return {name: tensor.clone() for name, tensor in tensors.items()}
