"""Read an `.art` file, or a `.json` file of a drawing."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from artgen.art._art import Art
from artgen.art._file import FILM, FORMAT, PACKED, SUBJECT, FilmTable, Header, Numbers
from artgen.art.numbers import unpack_numbers
from artgen.art.precision import decode
from artgen.base.errors import InputError, UsageError, explain_problem, reading
from artgen.base.files import check_art, read_regular
from artgen.base.header import SMALL, inflate
from artgen.film.scenes import Film, Scene
from artgen.film.trajectory import Trajectory
from artgen.recipe import Precision, Recipe
from artgen.recipe.migration import drawn_options, migrated_options
from artgen.values.drawing import Drawing
from artgen.values.subject import Subject, subject_from

if TYPE_CHECKING:
    import torch

    from artgen.registry import Registry

_LARGEST_JSON = 64 << 20
"""The largest `.json` file that is read, in bytes: numbers take ten times as much memory."""

_DTYPES = ("float32", "float16", "float64", "uint8", "int32", "int64", "bool")
"""The types of tensors in a `.json` file."""


def load(path: str | os.PathLike[str], *, registry: Registry | None = None) -> Art:
    """Read an `.art` file, or a .json file that `artgen render` wrote of one.

    Raises InputError where it is missing, damaged or of a newer format, and PluginError.
    """
    if not isinstance(path, (str, os.PathLike)):
        what = f"load takes the path of an .art file, not {type(path).__name__}"
        raise UsageError(what, hint="write it to a file first")
    file = Path(path)
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
        header = Header.model_validate_json(text)
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


def _subject(
    header: Mapping[str, object] | None, tensors: dict[str, torch.Tensor]
) -> Subject | None:
    """Take the subject's arrays out of `tensors`. Raises ValueError where they are not whole."""
    names = [name for name in tensors if name.startswith(SUBJECT)]
    arrays = {name.removeprefix(SUBJECT): _taken(tensors, name) for name in names}
    return None if header is None else subject_from(header, arrays)


def _opened(tensors: dict[str, torch.Tensor]) -> str:
    """Undo `_small`: unpack `tensors`, and return the header as JSON text. Raises ValueError."""
    import torch

    text, numbers = inflate(_taken(tensors, SMALL).tobytes())
    shapes = Numbers.model_validate_json(text).numbers
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


def _film(
    table: FilmTable | None, tensors: dict[str, torch.Tensor], precision: Precision
) -> Film | None:
    """Take the film's keys out of `tensors`. Raises ValueError where they are not whole."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name in [name for name in tensors if name.startswith(FILM)]:
        group, _, rest = name.removeprefix(FILM).partition(".")
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
            raise ValueError(f"{FILM}{group}.{name} holds NaN or infinite numbers")
    return decoded
