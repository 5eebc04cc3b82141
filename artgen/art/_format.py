"""The `.art` format: safetensors whose metadata has the single key ``artgen``, canonical JSON.

A `.json` file of a drawing holds the same, the tensors as lists of numbers, and is read as well.
There is no pickle and no wall-clock time in it, so equal runs give equal bytes.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from artgen.recipe import Precision

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
