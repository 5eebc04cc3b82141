"""The `.art` file: safetensors whose metadata has the single key ``artgen``, canonical JSON.

A `.json` file of a drawing holds the same, the tensors as lists of numbers, and is read as well.
There is no pickle and no wall-clock time in it, so equal runs give equal bytes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artgen.art.numbers import are_few, pack_numbers, unpack_numbers
from artgen.art.precision import decode, encode
from artgen.base.errors import InputError, PluginError, UsageError, explain_problem, reading
from artgen.base.files import check_art, read_regular, tensors_to_bytes
from artgen.base.header import SMALL, deflate, inflate
from artgen.film.scenes import Film, Scene
from artgen.film.trajectory import Trajectory
from artgen.recipe import Precision, Recipe
from artgen.recipe.migration import drawn_options, migrated_options
from artgen.values.drawing import Drawing
from artgen.values.subject import Subject, subject_from

if TYPE_CHECKING:
    import torch

    from artgen.art._art import Art
    from artgen.registry import Registry

FORMAT = 4
"""The version of the `.art` format that this artgen writes; it reads this and older ones.

Files without a film are still written as version 1, which older artgens read too, and those with
one as version 2. In a file of version 3 a family has packed its parameters: see
`artgen.primitives.pack`. One of version 4 has precision `auto`: its metadata hold the version
alone, and a tensor of bytes the deflated header and the numbers.
"""

PACKED = "packed."
"""The name of the tensor of bytes that a family has packed its parameters into."""

_SUBJECT = "subject."
"""What the names of tensors that belong to the subject begin with; no parameter has a dot."""

_FILM = "film."
"""The same of a film's: `film.SCENE.NAME`, `film.lives.SCENE` and `film.background.SCENE`."""

LARGEST = 65_536
"""The longest side of a drawing, in pixels."""


_LARGEST_JSON = 64 << 20
"""The largest `.json` file that is read, in bytes: numbers take ten times as much memory."""

_DTYPES = ("float32", "float16", "float64", "uint8", "int32", "int64", "bool")
"""The types of tensors in a `.json` file."""


class _Strict(BaseModel):
    """Data in a file: types as they are, and finite numbers."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _DrawingTable(_Strict):
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


class _FilmTable(_Strict):
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


class _Numbers(_Strict):
    """What the header of a small file says of its numbers: the shapes of tensors by name."""

    numbers: dict[str, tuple[Annotated[int, Field(ge=0)], ...]]


class _Header(BaseModel):
    """The JSON in a file's metadata."""

    model_config = ConfigDict(strict=True)

    drawing: _DrawingTable
    film: _FilmTable | None = None
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
    return tensors_to_bytes(tensors, _json(header))


def _json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _small(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> bytes:
    """The small file: floats are packed, other tensors stay as they are."""
    import torch

    floats = {name: tensors[name] for name in sorted(tensors) if tensors[name].dtype == torch.float}
    if not are_few(tensor.shape for tensor in floats.values()):
        floats = {}
    shapes = {name: tuple(tensor.shape) for name, tensor in floats.items()}
    small = deflate(_json({**header, "numbers": shapes}), pack_numbers(floats))
    others = {name: tensor for name, tensor in tensors.items() if name not in floats}
    return tensors_to_bytes({SMALL: _bytes_tensor(small), **others}, _json({"format": FORMAT}))


def _opened(tensors: dict[str, torch.Tensor]) -> str:
    """Undo `_small`: unpack `tensors`, and return the header as JSON text. Raises ValueError."""
    import torch

    text, numbers = inflate(_taken(tensors, SMALL).tobytes())
    shapes = _Numbers.model_validate_json(text).numbers
    for name, array in unpack_numbers(numbers, shapes).items():
        tensors[name] = torch.from_numpy(array)
    return text


def _taken(tensors: dict[str, torch.Tensor], name: str) -> NDArray[Any]:
    """Take a tensor out, as an array. Raises ValueError where numpy has no such numbers."""
    try:
        return tensors.pop(name).numpy()
    except TypeError:
        raise ValueError(f"{name} holds numbers of an unknown type") from None


def _unpacked(art: Art) -> Art:
    """The art with the tensors that its family makes of packed ones.

    Raises InputError where these are damaged, UsageError where they are more than the drawing
    shows, and PluginError where the family is not installed.
    """
    from artgen.primitives import unpack

    packed = art.drawing.tensors.get(PACKED)
    if packed is None:
        return art
    primitive = art.primitive()
    # They may ask for no more than the drawing shows: a few bytes can stand for any number.
    primitive.resolve_options(art.drawing.canvas)
    tensors = unpack(primitive, packed.numpy().tobytes())
    return replace(art, drawing=replace(art.drawing, tensors=tensors))


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
    table = {name: getattr(drawing, name) for name in _DrawingTable.model_fields}
    table |= {"options": dict(drawing.options), "plugin": dict(drawing.plugin)}
    if (subject := table.pop("subject")) is not None:
        table["subject"] = {"kind": subject.kind, **subject.header()}
        arrays = subject.arrays()
        tensors |= {_SUBJECT + name: torch.from_numpy(array) for name, array in arrays.items()}
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


def read(file: Path, registry: Registry | None) -> Art:
    """Read an `.art` file, or a `.json` file of a drawing; a family unpacks what it has packed.

    Raises InputError where it is missing, damaged or of a newer format, and PluginError.
    """
    from artgen.art._art import Art

    check_art(file)
    text, tensors = (_from_json if file.suffix.lower() == ".json" else _from_art)(file)
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{file} is not an .art file: it contains no artgen recipe") from None
    found = described.get("format") if isinstance(described, dict) else None
    if type(found) is not int or not 1 <= found <= FORMAT:
        raise InputError(
            f"{file} has .art format {found!r}, this artgen reads up to {FORMAT}",
            hint="a newer artgen may read it",
        )
    try:
        text = _opened(tensors) if SMALL in tensors else text
        header = _Header.model_validate_json(text)
        recipe = Recipe.from_dict(header.recipe, where="its recipe")
        table = header.drawing.model_dump()
        table["subject"] = _subject(table["subject"], tensors)
        if recipe.schema_version == 1:
            table["options"] = migrated_options(table["primitive"], table["options"])
        table["options"] = drawn_options(table["primitive"], table["options"])
        film = _film(header.film, tensors, header.precision)
        drawing = Drawing(tensors=_parameters(tensors, header.precision), **table)
        if film is not None and film.scenes[0].tensors.keys() != drawing.tensors.keys():
            raise ValueError("its film has other tensors than its drawing")
        trajectory = None
        if header.history is not None:
            trajectory = Trajectory.from_table(header.history.model_dump())
            deque(trajectory.starts(drawing), 0)
        metrics = header.metrics.model_dump(exclude_unset=True)
        art = Art(drawing, recipe, metrics, header.precision, registry, film, trajectory=trajectory)
        return _unpacked(art)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{file} is damaged: {key} {explain_problem(problem)}") from None
    except (InputError, UsageError) as error:
        raise InputError(f"{file} is damaged: {error.message}", hint=error.hint) from None
    except ValueError as error:
        raise InputError(f"{file} is damaged: {error}") from None


def _from_art(file: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """The header, as JSON text, and the tensors. Raises InputError."""
    from safetensors import SafetensorError, safe_open

    try:
        with reading(str(file)), safe_open(file, framework="pt") as data:
            text = (data.metadata() or {})["artgen"]
            # Copies, because Windows replaces no file that is mapped into memory.
            return text, {name: data.get_tensor(name).clone() for name in data.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        raise InputError(
            f"{file} is not an .art file, or it is damaged", hint="copy it again, or fit it again"
        ) from None
    except (KeyError, ValueError, TypeError):
        raise InputError(f"{file} is not an .art file: it contains no artgen recipe") from None


def _from_json(file: Path) -> tuple[str, dict[str, torch.Tensor]]:
    """What `to_table` gives, as `_from_art` does. Raises InputError."""
    import torch

    content = read_regular(file, str(file), _LARGEST_JSON)
    try:
        data = json.loads(content)
        text = json.dumps({**data["drawing"], "recipe": data["recipe"]})
        arrays = {name: _array(name, table) for name, table in data["tensors"].items()}
    except (KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
        why = error if isinstance(error, ValueError) else "it lacks a drawing, tensors or a recipe"
        raise InputError(
            f"{file} does not hold a drawing: {why}",
            hint="write one with artgen render FILE.art -o FILE.json",
        ) from None
    return text, {name: torch.from_numpy(array) for name, array in arrays.items()}


def _array(name: str, table: dict[str, Any]) -> NDArray[Any]:
    """A tensor of a `.json` file. Raises ValueError, KeyError, TypeError."""
    dtype, shape, values = table["dtype"], table["shape"], np.asarray(table["values"])
    if dtype not in _DTYPES or values.ndim != 1 or values.dtype.kind not in "biuf":
        raise ValueError(f"{name} is not a list of numbers of a known type")
    with np.errstate(all="ignore"):
        array = values.astype(dtype)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinite numbers")
    if array.dtype.kind != "f" and (array != values).any():
        raise ValueError(f"{name} holds numbers that are not {dtype}")
    return array.reshape(shape)


def _parameters(
    tensors: dict[str, torch.Tensor], precision: Precision
) -> Mapping[str, torch.Tensor]:
    """The parameters of a drawing, or the bytes that `_unpacked` needs. Raises ValueError."""
    import torch

    packed = tensors.get(PACKED)
    if packed is None:
        return decode(tensors, precision)
    if packed.dtype != torch.uint8 or packed.dim() != 1 or len(tensors) > 1:
        raise ValueError("its packed parameters are not bytes")
    return {PACKED: packed}


def _subject(header: dict[str, Any] | None, tensors: dict[str, torch.Tensor]) -> Subject | None:
    """Take the subject's arrays out of `tensors`. Raises ValueError where they are not whole."""
    names = [name for name in tensors if name.startswith(_SUBJECT)]
    arrays = {name.removeprefix(_SUBJECT): _taken(tensors, name) for name in names}
    return None if header is None else subject_from(header, arrays)


def _film_tensors(film: Film, precision: Precision) -> dict[str, torch.Tensor]:
    """The keyframes of all scenes, the lifespans of their parts, and the backgrounds."""
    tensors: dict[str, torch.Tensor] = {}
    for number, scene in enumerate(film.scenes):
        for name, tensor in encode(scene.tensors, precision).items():
            tensors[f"{_FILM}{number}.{name}"] = tensor
        if scene.lifespans is not None:
            tensors[f"{_FILM}lives.{number}"] = scene.lifespans.contiguous()
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
    lifespans, scenes = groups.pop("lives", {}), []
    backgrounds = _decoded("background", groups.pop("background", {}), "fp32")
    for number, scene in enumerate(table.scenes if table else ()):
        key = str(number)
        keys = _decoded(key, groups.pop(key, {}), precision)
        more = lifespans.pop(key, None), backgrounds.pop(key, None)
        scenes.append(Scene(scene.times, keys, *more))
    if groups or lifespans or backgrounds:
        raise ValueError("its film has tensors of a scene that is missing")
    return None if table is None else Film(tuple(scenes), table.duration, table.fps)


def _decoded(
    group: str, tensors: dict[str, torch.Tensor], precision: Precision
) -> dict[str, torch.Tensor]:
    """A group of a film's tensors. Raises ValueError where they are of another type, or NaN."""
    decoded = decode(tensors, precision)
    for name, tensor in decoded.items():
        if not bool(tensor.isfinite().all()):
            raise ValueError(f"{_FILM}{group}.{name} holds NaN or infinite numbers")
    return decoded
