"""A recipe is the complete description of a run, as data: TOML in, canonical JSON out.

This module checks *structure*: keys, types, ranges. Names of primitives, engines and losses and
their options are checked by `artgen.resolve`. A resolved recipe holds every option explicitly,
so that a later version with other defaults still makes the same picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from artgen._files import read_regular
from artgen._migration import migrated_recipe
from artgen._toml import DEEPEST, parse_toml
from artgen.errors import InputError, UsageError, did_you_mean, explain_problem
from artgen.frame import (
    LARGEST,
    Frame,
    is_focus,
    parse_aspect,
    parse_focus,
    parse_frame,
    parse_place,
)
from artgen.options import not_finite

SCHEMA: Literal[2] = 2

MOST_PARTS = 10_000_000
MOST_STEPS = 1_000_000_000
MOST_STAGES = 100
MOST_COLOURS = 256
MOST_KEYS = 1000
MOST_REVISIONS = 1000

LONGEST_TITLE = 80
LONGEST_TEXT = 400

_LOSS_FILE = re.compile(r"(?<![^+*])(\s*[\w/.-]+):(?!\w\w+:)([^+*]+)")
"""A loss and the file of its picture in a mixture, such as ``texture:wood.jpg``; not a
``texture:sample:brick``."""

_LARGEST = 2**20
"""Largest number of bytes of a recipe file; real ones have a few thousand."""

TableT = TypeVar("TableT", bound=BaseModel)

Precision = Literal["fp32", "fp16", "int8"]
VideoFormat = Literal["mp4", "webm", "gif", "webp", "apng"]
FilmForm = Literal["side-by-side", "wipe", "centres", "depth", "fly-in", "zoom", "generations"]


class _Table(BaseModel):
    """A table whose unknown keys are mistakes; its values are of exactly the types they state."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), strict=True, allow_inf_nan=False
    )


class _OpenTable(BaseModel):
    """A table whose other keys are options, checked later by their owner."""

    model_config = ConfigDict(
        extra="allow", frozen=True, protected_namespaces=(), strict=True, allow_inf_nan=False
    )

    @property
    def options(self) -> dict[str, Any]:
        """The keys that are not the table's own."""
        return dict(self.model_extra or {})


class FileReference(_Table):
    """A file known by its name and the SHA-256 of its bytes, never by an absolute path."""

    name: str
    sha256: str | None = None


class TargetTable(_Table):
    """The target: `sample:NAME` or a file, and how it is read."""

    source: str = "sample:astronaut"
    sha256: str | None = None
    size: int | None = Field(default=None, ge=1, description="long side while fitting, in pixels")
    aspect: str | None = Field(
        default=None, description="width:height to which the picture is cropped, such as 9:16"
    )
    crop_at: str | None = Field(
        default=None, description="what a crop keeps in its centre: shares X,Y, or auto"
    )
    pad: str | None = Field(
        default=None, description="a border instead of a crop: its colour, or background"
    )
    background: str = Field(
        default="auto", description="colour behind transparency and under the parts"
    )
    alpha: bool | None = Field(
        default=None, description="fit the transparency of the picture, and not its background"
    )
    palette: int | tuple[str, ...] | None = Field(
        default=None, description="the only colours of parts and background, or how many to learn"
    )
    mask: FileReference | None = None
    focus: str | FileReference | None = Field(
        default=None,
        description="where detail matters: auto, circles X,Y,R;..., or a gray picture",
    )
    alpha_weight: bool = Field(
        default=False, description="weigh the loss by the picture's transparency"
    )
    max_pixels: int = Field(default=64_000_000, ge=1)

    @property
    def frame(self) -> Frame:
        """The part of the picture that is fitted; its size is the key `size`."""
        aspect = None if self.aspect is None else parse_aspect(self.aspect)
        return Frame(aspect=aspect, at=parse_place(self.crop_at), pad=self.pad)

    @field_validator("aspect")
    @classmethod
    def _check_aspect(cls, text: str | None) -> str | None:
        return None if text is None else _checked(text, parse_aspect)

    @field_validator("crop_at")
    @classmethod
    def _check_place(cls, text: str | None) -> str | None:
        return None if text is None else _checked(text, parse_place)

    @field_validator("focus", mode="before")
    @classmethod
    def _check_focus(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return _checked(value, parse_focus) if is_focus(value) else FileReference(name=value)

    @field_validator("palette", mode="before")
    @classmethod
    def _check_palette(cls, value: Any) -> Any:
        number = isinstance(value, int) and not isinstance(value, bool)
        listed = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        size = value if number else len(value) + 1 if listed else 0
        if value is None or 2 <= size <= MOST_COLOURS + listed:
            return tuple(value) if listed else value
        raise PydanticCustomError(
            "palette", "must be a number from 2 to 256, or a list of 1 to 256 colours"
        )


BYTE_KEYS = ("target_bytes", "parameter_bytes")
"""Keys of the primitive's table that become a count."""

SIZE_KEYS = ("count", *BYTE_KEYS)
"""Keys of the primitive's table that say how many parts there are, of which one may be given."""


class PrimitiveTable(_OpenTable):
    """Which kind of part, how many; every other key is an option of the primitive.

    A `count` of ``auto`` is for the engine to find; the recipe of the result has a number.
    """

    name: str = "gaussian"
    count: int | Literal["auto"] | None = None
    target_bytes: int | None = Field(
        default=None, ge=1, description="as many parts as fit into the file; becomes a count"
    )
    parameter_bytes: int | None = Field(
        default=None, ge=1, description="the same, of the parameters alone; becomes a count"
    )
    preset: str | None = None
    plugin: FileReference | None = Field(default=None, description="the loose file it comes from")

    @property
    def sizes(self) -> dict[str, Any]:
        """The given ones of `SIZE_KEYS`."""
        return {key: value for key in SIZE_KEYS if (value := getattr(self, key)) is not None}

    @field_validator("count", mode="before")
    @classmethod
    def _check_count(cls, value: Any) -> Any:
        # Pydantic would complain about each of the alternatives on its own.
        number = isinstance(value, int) and not isinstance(value, bool)
        if value is None or value == "auto" or (number and 1 <= value <= MOST_PARTS):
            return value
        raise PydanticCustomError("count", "must be a number from 1 to 10000000, or auto")


class Stage(_OpenTable):
    """One engine and its budget; every other key is an option of the engine."""

    engine: str = "auto"
    steps: int | None = Field(default=None, ge=1, le=MOST_STEPS)
    time: float | None = Field(
        default=None, gt=0, le=1e9, description="seconds; becomes steps when the run starts"
    )
    quality: Literal["draft", "good", "best"] | None = Field(
        default=None, description="effort where neither steps nor time are given"
    )
    stop: int | None = Field(
        default=None,
        ge=0,
        le=MOST_STEPS,
        description="the last step taken, where before `steps`",
    )
    replanned: tuple[tuple[int, int], ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_REVISIONS,
        strict=False,
        description="what `steps` were before: pairs of a step and the number planned until there",
    )
    evaluations: int | None = Field(
        default=None, ge=1, le=MOST_STEPS, description="largest number of evaluations"
    )
    target_psnr: float | None = Field(default=None, gt=0)
    plateau: int | None = Field(
        default=None,
        ge=1,
        le=MOST_STEPS,
        description="stop after this many steps without improvement",
    )
    loss: str | None = None
    loss_files: tuple[FileReference, ...] | None = Field(
        default=None, strict=False, description="the pictures that the loss names, as files"
    )

    @model_validator(mode="before")
    @classmethod
    def _find_files(cls, data: Any) -> Any:
        """Files in the text of the loss are kept as references; the text has their bare names."""
        loss = data.get("loss") if isinstance(data, dict) else None
        if not isinstance(loss, str) or "loss_files" in data:
            return data
        files: dict[str, str] = {}

        def bare(match: re.Match[str]) -> str:
            path = match[2].strip()
            files[path] = PureWindowsPath(path).name
            return f"{match[1]}:{files[path]}"

        loss = _LOSS_FILE.sub(bare, loss)
        if not files:
            return data
        return {**data, "loss": loss, "loss_files": [{"name": path} for path in files]}

    @field_validator("replanned", mode="before")
    @classmethod
    def _check_replanned(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None:
            return None
        pairs: list[Any] = [None]
        if _is_list(value):
            pairs = [*value, [info.data.get("steps"), MOST_STEPS + 1]]
        last = 0
        for pair in pairs:
            numbers = _is_list(pair) and len(pair) == 2 and all(type(n) is int for n in pair)
            if not (numbers and last < pair[0] < pair[1] <= MOST_STEPS + 1):
                raise PydanticCustomError(
                    "replanned", "must be pairs of increasing steps below `steps` and larger totals"
                )
            last = pair[0]
        return tuple(tuple(pair) for pair in value)

    @property
    def first_plan(self) -> int:
        """The number of steps planned at first."""
        return self.replanned[0][1] if self.replanned else self.steps or 1

    @property
    def revisions(self) -> list[tuple[int, int]]:
        """The steps at which the number of steps was revised, and to what; see `Problem`."""
        before = self.replanned or ()
        totals = [*(total for _, total in before[1:]), self.steps or 1]
        return [(step, total) for (step, _), total in zip(before, totals, strict=False)]


class OutputTable(_Table):
    """The outputs, beside the `.art` file."""

    still_size: int | str | None = Field(
        default=None, description="long side in pixels, or WIDTHxHEIGHT"
    )
    dpi: float | None = Field(
        default=None, ge=1, le=10_000, description="dots per inch that a PNG or JPEG file stores"
    )
    transparent: bool = False
    video: bool = True
    video_format: VideoFormat = "mp4"
    fps: int = Field(default=30, ge=1, le=120)
    video_seconds: float = Field(default=10.0, gt=0, le=3600)
    video_size: int | str | None = Field(
        default=None, description="long side in pixels, or WIDTHxHEIGHT"
    )
    start: Literal["photo", "blank", "parts"] | None = Field(
        default=None, description="what the video starts with, or parts: it shows them appear"
    )
    film: FilmForm | None = Field(
        default=None, description="what the video shows in place of the progress"
    )
    end: Literal["photo", "hold"] | None = Field(
        default=None, description="what the video ends with, after the result"
    )
    loop: bool | None = Field(default=None, description="the video also runs backwards")
    max_bytes: int | None = Field(default=None, ge=1, description="largest video file")
    frames: int | None = Field(
        default=None, ge=1, description="largest number of different frames per stage"
    )
    walk: str | None = Field(
        default=None, max_length=200, description="of a codec: the walk that its video shows"
    )
    history: int | None = Field(
        default=None,
        ge=0,
        le=MOST_KEYS,
        description="drawings of each stage kept as keyframes of a film; 0: not even a light one",
    )

    @field_validator("history")
    @classmethod
    def _check_history(cls, value: int | None) -> int | None:
        if value == 1:
            raise PydanticCustomError("history", "must be 0, or at least 2")
        return value

    @field_validator("still_size", "video_size", mode="before")
    @classmethod
    def _check_size(cls, value: Any) -> Any:
        number = isinstance(value, int) and not isinstance(value, bool)
        if value is None or (number and 1 <= value <= LARGEST):
            return value
        if isinstance(value, str) and "x" in value:
            return _checked(value, parse_frame)
        raise PydanticCustomError(
            "size", f"must be a long side from 1 to {LARGEST} pixels, or WIDTHxHEIGHT"
        )


class RunTable(_Table):
    """Device and arithmetic; resolved values are stored so that a re-run uses the same."""

    device: str = "auto"
    backend: Literal["auto", "compiled", "eager"] = "auto"
    threads: int | None = Field(default=None, ge=1)
    arithmetic: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="number format of the steps of networks"
    )
    precision: Precision = "fp32"
    random: Literal["philox"] | None = Field(
        default=None,
        description="generator of the first drawing and of new parts: philox as in the studio",
    )


class ClipTable(_Table):
    """Options of clips, which are fitted frame by frame; see docs/clips.md."""

    steps: int | None = Field(
        default=None,
        ge=1,
        le=MOST_STEPS,
        description="of each frame that follows another one of its scene",
    )
    motion: Literal["flow", "extrapolate"] = Field(
        default="flow",
        description="how parts move on: as the frames do, or as the parts near them did",
    )
    engine: str | None = Field(
        default=None, description="of each frame that follows another one of its scene"
    )
    rate: float | None = Field(
        default=None,
        ge=0,
        description="factor on the learning rates of each such frame",
    )
    final: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="rates at its end, as a share of the largest, along half a cosine",
    )
    steady: float = Field(
        default=0.2,
        ge=0,
        le=0.95,
        description="share of its error that a frame passes on to the next",
    )
    renew: float = Field(
        default=0.2, ge=0, le=0.5, description="largest share of the parts that a frame replaces"
    )
    cut: float = Field(
        default=2.0,
        ge=0,
        description="a scene begins at a change this many times the usual; 0: never",
    )
    side_by_side: bool = Field(
        default=False, description="also write a video of the clip beside the drawing"
    )


class TilesTable(_Table):
    """Options of fits in tiles; see docs/scale.md."""

    side: int = Field(default=1024, ge=8, le=LARGEST, description="of a tile, in pixels")
    margin: int = Field(
        default=64, ge=1, le=LARGEST, description="pixels around a tile that it is fitted to too"
    )
    coarse: float = Field(
        default=0.03, gt=0, lt=1, description="share of the parts fitted to the reduced picture"
    )
    passes: int = Field(
        default=1, ge=0, le=100, description="joint passes, on tiles whose centres were corners"
    )
    steps: int | None = Field(
        default=None, ge=1, le=MOST_STEPS, description="of each tile of a joint pass"
    )


class PieceTable(_Table):
    """Texts of a gallery: a title, what to look for, and the words for a screen reader.

    Pieces with an `order` come first and are highlights; those of one `group` share a card.
    """

    title: str | None = None
    text: str | None = None
    alt: str | None = None
    group: str | None = None
    order: int | None = Field(default=None, ge=0, le=1_000_000)

    @field_validator("title", "text", "alt", "group")
    @classmethod
    def _check_words(cls, words: str | None, info: ValidationInfo) -> str | None:
        if words is None:
            return None
        longest = LONGEST_TITLE if info.field_name in ("title", "group") else LONGEST_TEXT
        if not (words.isprintable() and words.strip() and len(words) <= longest):
            raise PydanticCustomError("words", f"must be one line of at most {longest} characters")
        return words.strip()


class MorphTable(_Table):
    """The drawings that a film leads from and to; then the rest is the recipe of the first one."""

    first: FileReference
    second: FileReference
    seconds: float = Field(gt=0, description="duration of the morph in seconds")
    hold: float = Field(ge=0, description="how long each drawing is held, in seconds")
    loop: bool = False


class Recipe(_Table):
    """A run as data. See the table classes for the keys."""

    schema_version: Literal[1, 2] = Field(default=SCHEMA, alias="schema")
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    look: str | None = Field(default=None, description="the look that it was made with")
    init: FileReference | None = None
    target: TargetTable = TargetTable()
    primitive: PrimitiveTable = PrimitiveTable()
    stage: tuple[Stage, ...] = Field(
        default=(Stage(),), min_length=1, max_length=MOST_STAGES, strict=False
    )
    output: OutputTable = OutputTable()
    run: RunTable = RunTable()
    clip: ClipTable | None = None
    tiles: TilesTable | None = None
    piece: PieceTable | None = None
    morph: MorphTable | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any], where: str = "recipe") -> Recipe:
        """Check structure. Raises InputError naming `where`, the key and the nearest known key."""
        schema = data.get("schema", SCHEMA)
        if type(schema) is not int or not 1 <= schema <= SCHEMA:
            raise InputError(
                f"{where} has schema {schema!r}, this artgen reads schemas up to {SCHEMA}",
                hint="a newer artgen may read it",
            )
        if _is_deep(data):
            raise InputError(f"{where} has tables or lists nested more than {DEEPEST} deep")
        for key, value in not_finite(data):
            raise InputError(f"{where}: {key} must be a finite number, got {value}")
        data = migrated_recipe(data, schema)
        if isinstance(data.get("init"), str):
            data["init"] = {"name": data["init"]}
        if isinstance(data.get("target"), dict) and isinstance(data["target"].get("mask"), str):
            data["target"] = {**data["target"], "mask": {"name": data["target"]["mask"]}}
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise _explain(error, where) from None

    @classmethod
    def from_request(cls, data: dict[str, Any]) -> Recipe:
        """`from_dict` for what a user asks for: raises UsageError."""
        try:
            return cls.from_dict(data)
        except InputError as error:
            raise UsageError(error.message, hint=error.hint) from None

    @classmethod
    def from_toml(cls, path: Path) -> Recipe:
        """Read a recipe file."""
        try:
            text = read_regular(path, f"recipe {path}", _LARGEST, empty=True).decode("utf-8")
            data = parse_toml(text)
        except ValueError as error:
            raise InputError(
                f"{path} is not a TOML recipe: {error}",
                hint="`artgen info FILE.png --recipe` prints one of an output, to compare with",
            ) from None
        return cls.from_dict(data, where=str(path))

    def to_dict(self) -> dict[str, Any]:
        """Plain data without absent values; `from_dict` gives the recipe back."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def to_json(self) -> str:
        """Canonical JSON: equal recipes give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def to_toml(self) -> str:
        """The recipe as a file that `--recipe` reads."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    def requested(self) -> dict[str, Any]:
        """Plain data with the keys that were asked for alone, by a file or by the user.

        Keys that were filled in by the methods below are not among them; all options are.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)

    def with_seed(self, seed: int) -> Recipe:
        """The recipe with this seed."""
        return self._with(seed=seed)

    def with_init(self, init: FileReference) -> Recipe:
        """The recipe with this drawing to start from."""
        return self._with(init=init)

    def aimed_at(self, target: TargetTable) -> Recipe:
        """The recipe with this target, and nothing of the one before."""
        return self._with(target=target)

    def with_target(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its target. Raises UsageError."""
        return self._with(target=_changed(self.target, "target", changes))

    @property
    def files(self) -> Iterator[tuple[str, FileReference]]:
        """The files that it names beside its target and plugin, each with what it is."""
        if self.target.mask is not None:
            yield "mask", self.target.mask
        if isinstance(self.target.focus, FileReference):
            yield "focus", self.target.focus
        if self.init is not None:
            yield "init", self.init
        for file in dict.fromkeys(f for stage in self.stage for f in stage.loss_files or ()):
            yield "picture", file

    def framed(self, size: int | str | None) -> Frame:
        """The frame of an output of this `size`: cropped or bordered as the target is."""
        frame = Frame.of(size)
        target = self.target.frame
        return replace(frame, at=target.at, pad=target.pad)

    def with_primitive(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys or options of its primitive. Raises UsageError."""
        return self._with(primitive=_changed(self.primitive, "primitive", changes))

    def with_stage(self, index: int, **changes: Any) -> Recipe:
        """The recipe with other values of keys or options of one stage. Raises UsageError."""
        stages = list(self.stage)
        stages[index] = _changed(stages[index], "stage", changes)
        return self.with_stages(stages)

    def with_stages(self, stages: Sequence[Stage]) -> Recipe:
        """The recipe with these stages."""
        return self._with(stage=tuple(stages))

    def with_output(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its output. Raises UsageError."""
        return self._with(output=_changed(self.output, "output", changes))

    def with_run(self, **changes: Any) -> Recipe:
        """The recipe with other values of keys of its run. Raises UsageError."""
        return self._with(run=_changed(self.run, "run", changes))

    def with_clip(self, clip: ClipTable | None) -> Recipe:
        """The recipe with this table for clips."""
        return self._with(clip=clip)

    def with_tiles(self, tiles: TilesTable | None) -> Recipe:
        """The recipe with this table for tiles."""
        return self._with(tiles=tiles)

    def migrated(self, stages: Sequence[Stage]) -> Recipe:
        """The recipe in the current schema, with these stages."""
        return self._with(schema_version=SCHEMA, stage=tuple(stages))

    def _with(self, **changes: Any) -> Recipe:
        values = {**dict(self), **changes}
        values["schema"] = values.pop("schema_version")
        return type(self).model_construct(_fields_set=set(self.model_fields_set), **values)


def _checked(text: str, parse: Callable[[str], object]) -> str:
    """The text, where it can be parsed."""
    try:
        parse(text)
    except UsageError as error:
        hint = f" ({error.hint})" if error.hint else ""
        raise PydanticCustomError("text", f"is wrong: {error.message}{hint}") from None
    return text


def _changed(table: TableT, where: str, changes: dict[str, Any]) -> TableT:
    """A checked copy of a table with other values, which do not count as asked for."""
    cls = type(table)
    values = {**dict(table), **changes}
    known = {key: value for key, value in values.items() if value is not None}
    try:
        checked = cls.model_validate(known)
    except ValidationError as error:
        problem = _explain(error, "recipe", where)
        raise UsageError(problem.message, hint=problem.hint) from None
    return cls.model_construct(_fields_set=set(table.model_fields_set), **dict(checked))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _is_deep(value: Any) -> bool:
    """Whether lists and tables lie in one another so often that they could not be written."""
    inside = [value]
    for _ in range(DEEPEST):
        inside = [
            child
            for each in inside
            if isinstance(each, dict | list | tuple)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(inside)


def _models(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables inside a table, by their keys, at any depth."""
    for key, field in model.model_fields.items():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield key, inner
                yield from _models(inner)


_TABLES = dict(_models(Recipe))


def _explain(error: ValidationError, where: str, *tables: str) -> InputError:
    """The first problem of a validation error, in one sentence; unknown keys explain others."""
    problem = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    *inner, key = (*tables, *map(str, problem["loc"]))
    path = ".".join([*inner, key])
    if problem["type"] == "extra_forbidden":
        table = _TABLES[inner[-1]] if inner else Recipe
        known = [field.alias or name for name, field in table.model_fields.items()]
        return InputError(f"{where}: unknown key {path!r}", hint=did_you_mean(key, known))
    return InputError(f"{where}: {path} {explain_problem(problem)}")
