"""Target: the base class of everything a drawing is fitted to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.files import file_hash, printable
from artgen.targets.colour import hex_colour, parse_colour
from artgen.targets.learning import learn_palette
from artgen.targets.source import file_safe

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.values.canvas import Canvas
    from artgen.values.examples import Examples
    from artgen.values.subject import Subject


@dataclass(frozen=True, eq=False)
class TargetTensors:
    """The tensors that an engine fits to.

    `goal` is a picture [3, height, width], the values [outputs, 1, M] at `positions` [M, inputs],
    or the pictures of `test`, [N, channels, height, width], all float32. Codecs learn from
    `training`. `weight`, [height, width], is how much the pixels of a picture count. `function` is
    given where the values are those of a function: it maps any positions [M, inputs] to values
    [M, outputs]. `even` is what `ImageTarget.even` gives of a transparent picture.
    """

    goal: Tensor
    weight: Tensor | None = None
    positions: Tensor | None = None
    training: Examples | None = None
    test: Examples | None = None
    function: Callable[[Tensor], Tensor] | None = None
    even: tuple[Tensor, Tensor, Tensor] | None = None

    def sampled(self, pictures: int | None) -> TargetTensors:
        """The data with at most so many test pictures, evenly chosen; None: with all."""
        count = len(self.goal)
        if self.test is None or pictures is None or pictures >= count:
            return self
        chosen = [i * count // pictures for i in range(pictures)]
        test = type(self.test)(*(each[chosen] for each in self.test))
        return replace(self, goal=self.goal[chosen], test=test)


class Origin(NamedTuple):
    """The name of a target, its source and its hash: the first three fields of a `Target`."""

    name: str
    source: str
    sha256: str

    @classmethod
    def of_file(cls, path: Path, sha256: str | None = None) -> Origin:
        """The origin of a file, which is hashed unless its hash is known. Raises InputError."""
        return cls(file_safe(path.stem), printable(path.name), sha256 or file_hash(path))


@dataclass(frozen=True, eq=False, repr=False)
class Target(ABC):
    """Something to fit to, read and ready: a picture, a clip, samples, a set of pictures.

    - `name`: short and safe as part of a file name, `astronaut`
    - `source`: `sample:astronaut`, or the file's name without its folder
    - `sha256`: of the file's bytes; of the samples where there is no file
    - `canvas`: the size of what shows a fit, in pixels
    - `subject`: the samples or pictures that belong to a drawing; None for a picture
    - `weight`: float32 [height, width] in 0..1, how much each pixel counts; None: all the same
    - `warnings`: what was left out, such as `first of 12 frames used`
    """

    name: str
    source: str
    sha256: str
    warnings: tuple[str, ...] = field(default=(), kw_only=True)

    copied: ClassVar[bool] = True
    """Whether a run keeps a copy of the file. One that may be large is read again on resume."""

    run_kind: ClassVar[str] = "picture"
    """The kind of a run that fits it, unless the recipe names another."""

    if TYPE_CHECKING:  # at run time a dataclass would take these for the defaults of its fields

        @property
        def canvas(self) -> Canvas:
            """The size of what shows a fit."""

        @property
        def subject(self) -> Subject | None:
            """What belongs to a drawing."""

        @property
        def weight(self) -> NDArray[np.float32] | None:
            """How much each pixel counts."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.source}, {self.canvas.width}x{self.canvas.height}>"

    @abstractmethod
    def tensors(self) -> TargetTensors:
        """The data to fit to, on the CPU."""

    @property
    def origin(self) -> Origin:
        """Name, source and hash."""
        return Origin(self.name, self.source, self.sha256)

    @property
    def size(self) -> int:
        """The longer side in pixels, as `TargetRequest.size` sets it."""
        return max(self.canvas.width, self.canvas.height)

    @property
    def original_size(self) -> int:
        """The longer side in pixels before it was resampled to `size`."""
        return self.size

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """The picture to fit to, uint8 [height, width, 3]; None where there is no single one."""
        return None

    @property
    def still(self) -> Target:
        """The first frame of a clip; any other target itself."""
        return self

    def resized(self, size: int) -> Target:
        """The target with a long side of `size` pixels. Raises UsageError where it is fixed."""
        if size != self.size:
            raise UsageError(
                f"{self.source} was opened at {self.size} pixels, not {size}",
                hint="open it with TargetRequest(size=...)",
            )
        return self

    def over(self, background: tuple[float, float, float]) -> Self:
        """The target with another sRGB-encoded colour, in 0..1, behind its transparent pixels."""
        return self

    def seen(self) -> Self:
        """The target over nothing: its pixels count as much as is seen of them."""
        return self

    def flat(self) -> Self:
        """The target as it is now: `over` does not change it any more."""
        return self

    @property
    def counted(self) -> NDArray[np.float32] | None:
        """1 where a pixel has any weight, which qualities count alike; None where all have."""
        if self.weight is None or self.weight.all():
            return None
        return (self.weight > 0).astype(np.float32)

    def batch(self, asked: int) -> int:
        """The number of positions in a step, given the option `batch` (0: all).

        It is at most that of the pixels of a picture.
        """
        if self.pixels is None:
            return asked
        most = self.canvas.width * self.canvas.height
        return min(asked or most, most)

    def mean_colour(self) -> list[float]:
        """The weighted mean of the picture: red, green and blue in 0..1."""
        weights = None if self.weight is None else self.weight.reshape(-1)
        mean: list[float] = np.average(
            self._picture("mean colour").reshape(-1, 3) / 255, axis=0, weights=weights
        ).tolist()
        return mean

    def without_border(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The part of a plane of its pixels, [height, width, ...], that no border covers."""
        return plane

    def find_palette(self, asked: int | Sequence[str]) -> tuple[str, ...]:
        """The palette as ``#rrggbb``: colours that are given, or a number learned from the picture.

        A border is no part of the picture. Raises UsageError where the target is not a picture.
        """
        pixels = self._picture("palette")
        if isinstance(asked, int):
            inside, weight = self.still.without_border, self.weight
            return learn_palette(inside(pixels), asked, None if weight is None else inside(weight))
        return tuple(dict.fromkeys(hex_colour(parse_colour(colour)) for colour in asked))

    def _picture(self, what: str) -> NDArray[np.uint8]:
        if self.pixels is None:
            raise UsageError(
                f"{self.source} is not a picture, so it has no {what}", hint=f"leave out --{what}"
            )
        return self.pixels
