"""Events of a run, emitted by the runner for its observers.

The command line turns them into a progress bar, `--log` into JSON lines, and plugins receive them
through the hook `artgen_observe`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Advanced",
    "Evaluated",
    "Event",
    "Finished",
    "FrameTaken",
    "Measured",
    "Notice",
    "Observer",
    "PreviewDrawn",
    "Started",
    "Step",
    "TileFitted",
    "Working",
]


@dataclass(frozen=True)
class Event:
    """Base class: something happened during the run named `run` (the stem of its files)."""

    run: str


@dataclass(frozen=True)
class Started(Event):
    """The run is about to take its first step; `step` is above 0 if it was resumed.

    `target` is uint8 [height, width, 3], or None if it is not a picture.
    """

    step: int
    total_steps: int
    recipe: dict[str, Any] = field(repr=False)
    target: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Advanced(Event):
    """Some steps were taken; sent several times a second."""

    step: int
    total_steps: int
    seconds: float


@dataclass(frozen=True)
class Evaluated(Event):
    """Loss and PSNR in dB over the full target after `step` steps and `seconds` of fitting.

    `psnr` is None for curves and labelled points, and weighted as the loss is where there is a
    focus or mask. A set is evaluated on its test pictures; `training_loss` is then the mean loss of
    the steps since the last evaluation.
    """

    step: int
    total_steps: int
    loss: float
    psnr: float | None
    seconds: float
    training_loss: float | None = None


@dataclass(frozen=True)
class TileFitted(Event):
    """A tile of a large picture is done, the one with `number` of all `tiles`, in any order.

    The tiles of all passes are counted. `psnr`, in dB, is that of its window. `step` counts those
    of all tiles, and `seconds` the time of the fit so far.
    """

    step: int
    total_steps: int
    number: int
    tiles: int
    psnr: float
    seconds: float


@dataclass(frozen=True)
class Measured(Event):
    """Metrics that the engine itself reports after `step` steps, by name.

    `genetic` reports the `best` and the `mean` error of a generation, and its `diversity`.
    """

    step: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class FrameTaken(Event):
    """A frame of the progress video was stored."""

    step: int


@dataclass(frozen=True)
class PreviewDrawn(Event):
    """The current drawing: `pixels`, uint8 [height, width, 3], after `step` steps.

    Sent with every frame of the video, and more often while a live page is open.
    """

    step: int
    pixels: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class Notice(Event):
    """A message for the user: a warning, a recovery, a fallback; a `note` is no warning."""

    message: str
    level: Literal["warning", "note"] = "warning"


@dataclass(frozen=True)
class Working(Event):
    """Work of the run outside of fitting, such as ``drawing the video``.

    `done` counts frames of a video, or parts; it is 0 where nothing is counted.
    """

    what: str
    done: int = 0


@dataclass(frozen=True)
class Finished(Event):
    """The outputs are written; `summary` is the JSON object of the run."""

    summary: dict[str, Any]


Observer = Callable[[Event], None]


@dataclass(frozen=True)
class Step:
    """A fit that goes on, after `step` steps: `loss` and `psnr` in dB of the last evaluation.

    `evaluated` says that this was now. `psnr` is None where the target is not a picture. `picture`
    is the newest drawing, uint8 [height, width, 3], None until the first was drawn; drawing takes
    about 1 % of the time.
    """

    step: int
    total_steps: int
    seconds: float
    loss: float
    psnr: float | None
    picture: NDArray[np.uint8] | None = field(repr=False, compare=False)
    evaluated: bool = True
