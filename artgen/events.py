"""What happens during a run, as values: the runner emits them, anyone may watch.

The command line turns them into a progress bar, `--log` into JSON lines, and plugins receive them
through the `artgen_observe` hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Advanced",
    "Evaluated",
    "Event",
    "Finished",
    "FrameTaken",
    "Measured",
    "Notice",
    "Observer",
    "Shown",
    "Started",
]


@dataclass(frozen=True)
class Event:
    """Something that happened during the run called `run` (the stem of its files)."""

    run: str


@dataclass(frozen=True)
class Started(Event):
    """The run is about to advance; `step` is above 0 when it was resumed.

    `target` is uint8 [height, width, 3], or None where it is not a picture.
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
    """Figures of the full target after `step` steps; `seconds` of fitting so far.

    `psnr` is None for curves and labelled points; `training_loss` is the mean loss of the steps
    since the last evaluation, for a set, whose full target are its test pictures.
    """

    step: int
    total_steps: int
    loss: float
    psnr: float | None
    seconds: float
    training_loss: float | None = None


@dataclass(frozen=True)
class Measured(Event):
    """What the engine measured by itself after `step` steps, by name.

    For `genetic` that is the `best` and the `mean` error of a generation, and its `diversity`.
    """

    step: int
    figures: dict[str, float]


@dataclass(frozen=True)
class FrameTaken(Event):
    """A frame of the progress video was stored."""

    step: int


@dataclass(frozen=True)
class Shown(Event):
    """The drawing as it is now: `pixels`, uint8 [height, width, 3], after `step` steps.

    Sent with every frame of the video, and between them where somebody watches.
    """

    step: int
    pixels: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class Notice(Event):
    """Something the user should know: a warning, a recovery, a fallback."""

    message: str


@dataclass(frozen=True)
class Finished(Event):
    """The outputs are written; `summary` is the JSON object of the run."""

    summary: dict[str, Any]


Observer = Callable[[Event], None]
