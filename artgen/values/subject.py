"""Data stored with drawings that are not of one picture: curves, labelled points, sets of pictures.

The samples of a curve and labelled points are what a field learns: `positions` [M, inputs], each
axis from -1 to 1, and `values` [M, outputs]. Of a set of pictures, a drawing stores those on its
sheet and those that walks visit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import ensure
from artgen.values.canvas import Canvas

TargetKind: TypeAlias = Literal["image", "curve", "points", "set"]


@dataclass(frozen=True, eq=False)
class Subject(ABC):
    """Data of a target that is stored with a drawing, because it is shown with it.

    `kind` is the kind of target, `loss` its default loss, `array_names` the fields that are arrays.
    """

    kind: ClassVar[TargetKind]
    loss: ClassVar[str]
    array_names: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def grid(self) -> Canvas:
        """The canvas by which fields and codecs choose their detail."""

    def header(self) -> dict[str, Any]:
        """All fields but the arrays and those that are None, as plain data for JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if name not in self.array_names and value is not None
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names of their fields."""
        return {name: getattr(self, name) for name in self.array_names}

    @classmethod
    @abstractmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Subject:
        """The opposite of `header` and `arrays`. Raises KeyError, TypeError, ValueError."""

    def with_logits(self, logits: bool) -> Subject:
        """The same data for a loss that takes log odds, or one that takes probabilities."""
        return self


@dataclass(frozen=True, eq=False)
class Curve(Subject):
    """Samples of y over x, float64 [M] each, x increasing from `start` to `end` or inside of it.

    `continuous` says that they are a function evaluated, and not measurements. Fields see x as -1
    to 1, and y in units of a power of ten, so that one learning rate serves all curves. `axes` are
    the names that a plot shows beside the x and y axes.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    start: float
    end: float
    continuous: bool = True
    axes: tuple[str, str] | None = None

    kind: ClassVar[TargetKind] = "curve"
    loss: ClassVar[str] = "mse"
    array_names: ClassVar[tuple[str, ...]] = ("x", "y")
    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1

    def __post_init__(self) -> None:
        ensure(self.x.ndim == 1 and len(self.x) > 1, "a curve must have at least two samples")
        ensure(self.x.shape == self.y.shape, "a curve must have one y for each x")
        ensure(-math.inf < self.start < self.end < math.inf, "a curve must start before its end")
        _check_axes(self.axes)

    @cached_property
    def unit(self) -> float:
        """The power of ten in which the range of y is from 1 to 10."""
        return float(10.0 ** math.floor(math.log10(self._range))) if self._range else 1.0

    @cached_property
    def offset(self) -> float:
        """Subtracted from y: its middle, or 0 where that is within one range of 0."""
        low, high = float(self.y.min()), float(self.y.max())
        return 0.0 if low <= self._range and high >= -self._range else (low + high) / 2

    @property
    def _range(self) -> float:
        return float(self.y.max() - self.y.min())

    @property
    def positions(self) -> NDArray[np.float32]:
        """The samples' x, from -1 at the start to 1 at the end, [M, 1]."""
        return self.place(self.x)

    @property
    def values(self) -> NDArray[np.float32]:
        """The samples' y as a field sees them, [M, 1]."""
        return self.scaled(self.y)

    def scaled(self, y: NDArray[np.float64]) -> NDArray[np.float32]:
        """Any y [M] as a field sees them, [M, 1]."""
        return ((y - self.offset) / self.unit)[:, None].astype(np.float32)

    def place(self, x: NDArray[np.float64]) -> NDArray[np.float32]:
        """Positions of any x [M], [M, 1]."""
        return (2 * (x - self.start) / (self.end - self.start) - 1)[:, None].astype(np.float32)

    def unplaced(self, positions: NDArray[np.float32]) -> NDArray[np.float64]:
        """The x [M] of positions [M, 1]."""
        share = (positions[:, 0].astype(np.float64) + 1) / 2
        return self.start + (self.end - self.start) * share

    def heights(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The y of a field's values [M]."""
        return values.astype(np.float64) * self.unit + self.offset

    @property
    def grid(self) -> Canvas:
        """A square with a pixel for 8 samples: the canvas by which fields choose their detail.

        Finer octaves would fit the samples as well, and show ripples between them.
        """
        side = max(1, len(self.x) // 8)
        return Canvas(side, side)

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Curve:
        """The opposite of `header` and `arrays`."""
        start, end = float(header["start"]), float(header["end"])
        continuous = bool(header["continuous"])
        return cls(arrays["x"], arrays["y"], start, end, continuous, _axes_from(header))


@dataclass(frozen=True, eq=False)
class Points(Subject):
    """Points `xy`, float64 [M, 2], and the number of the class of each, int64 [M].

    `classes` are their names, at least two. `box` (left, bottom, right, top) is what the map shows,
    as a square; y points up. Two classes are one output, from 0 to 1; more have an output each.
    `logits` says that outputs are log odds, as the loss `cross-entropy` takes them. `axes` are the
    names that the map shows at its lower and left edges.
    """

    xy: NDArray[np.float64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    box: tuple[float, float, float, float]
    logits: bool = True
    axes: tuple[str, str] | None = None

    kind: ClassVar[TargetKind] = "points"
    loss: ClassVar[str] = "cross-entropy"
    array_names: ClassVar[tuple[str, ...]] = ("xy", "labels")
    inputs: ClassVar[int] = 2

    def __post_init__(self) -> None:
        left, bottom, right, top = self.box
        ensure(self.xy.ndim == 2 and self.xy.shape[1] == 2, "points must have an x and a y")
        ensure(self.labels.shape == self.xy.shape[:1], "each point must have a label")
        ensure(len(self.classes) > 1, "points must have at least two classes")
        known = self.labels.min() >= 0 and self.labels.max() < len(self.classes)
        ensure(known, "each label must be the number of a class")
        ensure(-math.inf < left < right < math.inf, "the box must have a width")
        ensure(-math.inf < bottom < top < math.inf, "the box must have a height")
        _check_axes(self.axes)

    @property
    def outputs(self) -> int:
        """1 for two classes, else one per class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    @cached_property
    def positions(self) -> NDArray[np.float32]:
        """The points in canvas units, y down, [M, 2]."""
        left, bottom, right, top = self.box
        x = 2 * (self.xy[:, 0] - left) / (right - left) - 1
        y = 2 * (self.xy[:, 1] - bottom) / (top - bottom) - 1
        return np.stack([x, -y], axis=1).astype(np.float32)

    @property
    def values(self) -> NDArray[np.float32]:
        """1 for the class of a point and 0 for the others, [M, outputs]."""
        if self.outputs == 1:
            return self.labels[:, None].astype(np.float32)
        return np.eye(len(self.classes), dtype=np.float32)[self.labels]

    @property
    def grid(self) -> Canvas:
        """A square with about a pixel per point: the canvas by which fields choose their detail."""
        side = max(1, math.isqrt(len(self.xy)))
        return Canvas(side, side)

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Points:
        """The opposite of `header` and `arrays`."""
        left, bottom, right, top = map(float, header["box"])
        ensure(arrays["labels"].dtype.kind == "i", "labels must be whole numbers")
        classes, box = tuple(map(str, header["classes"])), (left, bottom, right, top)
        logits = bool(header["logits"])
        return cls(arrays["xy"], arrays["labels"], classes, box, logits, _axes_from(header))

    def with_logits(self, logits: bool) -> Points:
        """The same points for outputs that are log odds, or not."""
        return replace(self, logits=logits)


@dataclass(frozen=True, eq=False)
class ImageSet(Subject):
    """Some `pictures` of a set, uint8 [K, height, width, 1 or 3], and the class of each.

    No codec has learned from them. `labels` are int64 [K]; `classes` are their names, empty where
    nothing is known (all labels are -1 then). The first `columns` · `rows` pictures, row by row,
    are those of the sheet. `training` is how many pictures there are to learn from.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    training: int
    columns: int
    rows: int

    kind: ClassVar[TargetKind] = "set"
    loss: ClassVar[str] = "mse"
    array_names: ClassVar[tuple[str, ...]] = ("pictures", "labels")

    def __post_init__(self) -> None:
        shape = self.pictures.shape
        ensure(len(shape) == 4 and shape[3] in (1, 3), "pictures must be gray or RGB")
        ensure(min(shape) > 0, "there must be a picture, with at least one pixel")
        ensure(self.pictures.dtype.name == "uint8", "pictures must have 8 bits")
        ensure(self.labels.shape == shape[:1], "each picture must have a label")
        ensure(self.labels.dtype.kind == "i", "labels must be whole numbers")
        low, high = (0, len(self.classes) - 1) if self.classes else (-1, -1)
        known = low <= self.labels.min() and self.labels.max() <= high
        ensure(known, "each label must be the number of a class")
        ensure(self.training > 0, "there must be pictures to learn from")
        ensure(min(self.columns, self.rows) > 0, "the sheet must have columns and rows")
        ensure(self.shown <= len(self.pictures), "the sheet must have a picture for each cell")

    @property
    def shown(self) -> int:
        """The number of pictures on the sheet."""
        return self.columns * self.rows

    @property
    def gap(self) -> float:
        """Between the pairs of a sheet, in pixels of a picture; inside a pair a third of that."""
        return 0.12 * float(min(self.pictures.shape[1:3]))

    @property
    def extent(self) -> tuple[float, float]:
        """The width and height of a sheet of pairs, one above the other, in pixels of a picture."""
        height, width = self.pictures.shape[1:3]
        across = self.gap + self.columns * (width + self.gap)
        return across, self.gap + self.rows * (2 * height + self.gap / 3 + self.gap)

    @property
    def sheet(self) -> Canvas:
        """The size of a sheet whose pictures are about 84 pixels long."""
        across, down = self.extent
        factor = max(1, round(84 / max(self.pictures.shape[1:3])))
        return Canvas(round(across * factor), round(down * factor))

    @property
    def grid(self) -> Canvas:
        """The pixels of one picture."""
        height, width = self.pictures.shape[1:3]
        return Canvas(width, height)

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ImageSet:
        """The opposite of `header` and `arrays`."""
        classes = tuple(map(str, header["classes"]))
        counts = (int(header[key]) for key in ("training", "columns", "rows"))
        return cls(arrays["pictures"], arrays["labels"], classes, *counts)


def kind_of(subject: Subject | None) -> TargetKind:
    """``image``, ``curve``, ``points`` or ``set``; without a subject a drawing is of a picture."""
    return "image" if subject is None else subject.kind


def subject_from(header: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]) -> Subject:
    """The opposite of `header` (with the key `kind` added) and `arrays`.

    Raises ValueError where they do not go together.
    """
    try:
        for name, array in arrays.items():
            # The difference of two larger ones could be infinite.
            ensure(bool((np.abs(array) < 1e300).all()), f"{name} holds NaN or too large numbers")
        for cls in (Curve, Points, ImageSet):
            if header["kind"] == cls.kind:
                return cls.from_parts(header, arrays)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its subject is incomplete: {error}") from None
    raise ValueError(f"its subject is a {header['kind']!r}")


def _axes_from(header: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of the axes in a header. Raises TypeError, ValueError."""
    if header.get("axes") is None:
        return None
    x, y = header["axes"]
    return x, y


def _check_axes(axes: tuple[str, str] | None) -> None:
    for name in axes or ():
        readable = isinstance(name, str) and name.isprintable() and 0 < len(name.strip()) <= 40
        ensure(readable, "the name of an axis must have 1 to 40 printable characters")
