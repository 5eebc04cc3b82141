"""Sets of pictures, from arrays.

A set is split into pictures to learn from and pictures to be judged on. All are brought to one
size, gray or RGB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from artgen.base.errors import InputError, check_memory
from artgen.targets.arrays import as_array
from artgen.targets.image import DEFAULT_REQUEST, TargetRequest
from artgen.targets.resample import over_background, resample
from artgen.targets.samples import class_order
from artgen.targets.source import content_hash, file_safe
from artgen.targets.target import Origin, Target, TargetTensors
from artgen.values.canvas import Canvas
from artgen.values.subject import ImageSet

Pictures = NDArray[np.uint8]

Part = tuple[Pictures, list[str] | None]
Labels = NDArray[np.int64]

_MOST_CLASSES = 64
_TEST_SHARE = 1 / 6
_KEPT, _KEPT_VALUES = 200, 2_000_000
"""The most test pictures, and values of their pixels, that are stored with a drawing."""
_SHEET = 10, 4
"""Columns and rows of a sheet where classes do not say otherwise."""


@dataclass(frozen=True, eq=False, repr=False)
class SetTarget(Target):
    """A set of pictures, ready for codecs; `canvas` is the size of the sheet that shows a fit.

    `training` and `test` are uint8 [N, height, width, 1 or 3] with their classes, int64 [N], -1
    where none are known.
    """

    copied: ClassVar[bool] = False
    run_kind: ClassVar[str] = "set"
    weight: ClassVar[None] = None
    """All pixels count the same."""

    subject: ImageSet
    training: Pictures
    training_labels: Labels
    test: Pictures
    test_labels: Labels

    @property
    def canvas(self) -> Canvas:
        """The size of the sheet."""
        return self.subject.sheet

    @property
    def size(self) -> int:
        """The longer side of a picture, in pixels."""
        return int(max(self.test.shape[1:3]))

    def tensors(self) -> TargetTensors:
        """The pictures to learn from, and those to be judged on."""
        from artgen.values.examples import Examples

        training = Examples.from_arrays(self.training, self.training_labels)
        test = Examples.from_arrays(self.test, self.test_labels)
        return TargetTensors(test.images.float() / 255, training=training, test=test)


class PixelBudget:
    """A limit on the pixels and pictures of a set."""

    most = 200_000
    """The most pictures."""

    def __init__(self, pixels: int, where: str) -> None:
        self.pixels, self.left, self.where = pixels, pixels, where
        self.pictures = 0

    def take(self, count: int, height: int, width: int) -> None:
        """Count pictures of one size. Raises InputError where the budget is exceeded."""
        self.left -= count * height * width
        self.pictures += count
        if self.left < 0:
            raise InputError(
                f"{self.where} has more than {self.pixels:,} pixels in all",
                hint="use fewer or smaller pictures, or raise --max-pixels if you trust it",
            )
        if self.pictures > self.most:
            raise InputError(
                f"{self.where} has more than {self.most:,} pictures", hint="leave some out"
            )


def set_from_arrays(
    images: ArrayLike,
    labels: ArrayLike | None = None,
    request: TargetRequest = DEFAULT_REQUEST,
    name: str = "set",
    *,
    test_images: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    source: str | None = None,
    sha256: str | None = None,
) -> SetTarget:
    """Make a target of pictures [N, height, width] or [N, height, width, 1 or 3].

    They are uint8, or floats in 0 to 1; `labels` [N] are numbers or texts. Without `test_images`
    one of six is kept to be judged on. `source` is the name by which the set can be opened again,
    if any. Raises InputError naming `name`.
    """
    budget = PixelBudget(request.max_pixels, name)
    training = _part(images, labels, budget)
    test = None if test_images is None else _part(test_images, test_labels, budget)
    source = source or name
    request.refuse_mask(source)
    if test is None:
        training, test = _split(training, name)
    count = len(training[0]) + len(test[0])
    pictures = [_scaled(part[0], request, count) for part in (training, test)]
    if pictures[0].shape[1:] != pictures[1].shape[1:]:
        raise InputError(f"{name} has test pictures of another size than its training pictures")
    texts = (training[1] or []) + (test[1] or [])
    known = training[1] is not None and test[1] is not None
    classes = sorted(set(texts), key=class_order) if known else []
    if len(classes) > _MOST_CLASSES:
        raise InputError(
            f"{name} has {len(classes)} different labels", hint=f"at most {_MOST_CLASSES}"
        )
    numbers = {text: number for number, text in enumerate(classes)}
    classified = [
        np.array([numbers.get(text, -1) for text in part[1] or [""] * len(part[0])], np.int64)
        for part in (training, test)
    ]
    arrays: list[NDArray[Any]] = [*pictures, *classified]
    hashed = [part for array in arrays for part in (f"{array.shape} ", array)]
    subject = _chosen(pictures[1], classified[1], tuple(classes), len(pictures[0]))
    origin = Origin(file_safe(name), source, sha256 or content_hash(*hashed))
    return SetTarget(*origin, subject, pictures[0], classified[0], pictures[1], classified[1])


def resample_picture(
    samples: NDArray[Any], canvas: Canvas, background: tuple[float, float, float]
) -> Pictures:
    """A picture [h, w, 1 to 4] at the size of the canvas, gray where it was."""
    colour = over_background(*resample(samples, canvas), background)
    pixels = np.rint(colour * 255).astype(np.uint8)
    return pixels[:, :, :1] if samples.shape[2] == 1 else pixels


def _part(images: ArrayLike, labels: ArrayLike | None, budget: PixelBudget) -> Part:
    """Arrays as pictures and labels. Raises InputError."""
    where = budget.where
    array = as_array(images, where, "an array of pictures")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3) or 0 in array.shape:
        raise InputError(
            f"{where} has the shape {np.shape(images)}, not that of a set of pictures",
            hint="it takes [N, height, width] or [N, height, width, 1 or 3]",
        )
    budget.take(*array.shape[:3])
    if array.dtype.kind == "f":
        # The comparison is false for NaN.
        if not (array.min() >= 0 and array.max() <= 1):
            raise InputError(
                f"{where} has floats outside of 0 to 1", hint="divide by the value of white"
            )
        # One by one, since the floats of all of them may be many.
        array = np.stack([np.rint(picture * 255).astype(np.uint8) for picture in array])
    if array.dtype != np.uint8:
        raise InputError(
            f"{where} has pixels of type {array.dtype}", hint="it takes uint8, or floats in 0 to 1"
        )
    if labels is None:
        return array, None
    flat = as_array(labels, f"{where}: labels", "an array").ravel()
    if len(flat) != len(array):
        raise InputError(f"{where} has {len(array)} pictures and {len(flat)} labels")
    return array, [str(label) for label in flat.tolist()]


def _chosen(
    pictures: Pictures, labels: Labels, classes: tuple[str, ...], training: int
) -> ImageSet:
    """The first test pictures, the classes taking turns, and a sheet of some of them."""
    kept = max(1, min(_KEPT, len(pictures), _KEPT_VALUES // math.prod(pictures.shape[1:])))
    order = np.arange(len(pictures))
    columns, rows = _SHEET
    if classes:
        turn = np.zeros(len(labels), np.int64)
        for label in range(len(classes)):
            mine = labels == label
            turn[mine] = np.arange(mine.sum())
        order = np.lexsort((labels, turn))
        columns = len(classes) if 4 <= len(classes) <= 16 else columns
    order = order[:kept]
    columns = min(columns, kept)
    rows = max(1, min(rows, kept // columns))
    return ImageSet(pictures[order], labels[order], classes, training, columns, rows)


def _split(part: Part, where: str) -> tuple[Part, Part]:
    """Some to learn from, and one of six to be judged on, always the same."""
    pictures, labels = part
    count = len(pictures)
    if count < 2:
        raise InputError(f"{where} holds {count} picture", hint="a set has at least two")
    order = np.random.default_rng(0).permutation(count)
    tested = max(1, round(_TEST_SHARE * count))

    def some(numbers: NDArray[np.int64]) -> Part:
        numbers = np.sort(numbers)
        return pictures[numbers], None if labels is None else [labels[n] for n in numbers]

    return some(order[tested:]), some(order[:tested])


def _scaled(pictures: Pictures, request: TargetRequest, count: int) -> Pictures:
    """The pictures, of `count` in all, at the size that is asked for.

    Raises UsageError where one, or all of them, would be too large.
    """
    height, width = pictures.shape[1:3]
    if request.size is None or max(height, width) == request.size:
        return np.ascontiguousarray(pictures)
    canvas = Canvas(width, height).scaled(request.size)
    request.refuse_large(canvas)
    shape = canvas.height, canvas.width, pictures.shape[3]
    what = f"a set of {count:,} pictures of {canvas.width}x{canvas.height}"
    check_memory(count * math.prod(shape), what, hint="use a smaller --size, or fewer pictures")
    scaled = np.empty((len(pictures), *shape), np.uint8)
    for picture, place in zip(pictures, scaled, strict=True):
        place[:] = resample_picture(picture, canvas, (0.0, 0.0, 0.0))
    return scaled
