"""The contract of an engine: start, advance, report, give a drawing, and save its exact state.

Engines never print, never write files and never read the clock; the runner owns the loop. How many
steps one `advance` takes affects speed only: chunks of 1, 7 and 1000 give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from torch import Tensor

from artgen.drawing import Drawing
from artgen.losses import Loss
from artgen.options import parse_options
from artgen.primitives import Arithmetic, Examples, NoOptions, Primitive
from artgen.raster import EAGER, Backend

State = dict[str, Any]
"""Tensors and plain JSON values, by flat names."""


@dataclass(frozen=True)
class Problem:
    """What an engine is given.

    `target` is [3, height, width] (sRGB-encoded, 1.0 = 255) and `weight` [height, width] or None.
    Where it is not a picture, `target` is [outputs, 1, M], the values that a field shall have at
    the `positions` [M, inputs]; or [N, channels, height, width] in 0 to 1, the pictures of the
    examples `test`, on which a codec trained on the examples `training` is evaluated.
    `drawing` is where to start, and may hold fewer parts than the `count` there shall be in the end
    (None: as many as it has); `seed` feeds the engine's own generator; step k of the schedule is at
    progress k / `total_steps`; `palette` [K, 3] holds the only colours that parts may have (None:
    any), for engines with `palettes`; `arithmetic` is what steps of fields and codecs compute
    in.
    """

    primitive: Primitive
    drawing: Drawing
    target: Tensor
    loss: Loss
    total_steps: int
    seed: int
    weight: Tensor | None = None
    positions: Tensor | None = None
    training: Examples | None = None
    test: Examples | None = None
    count: int | None = None
    palette: Tensor | None = None
    device: str = "cpu"
    backend: Backend = EAGER
    arithmetic: Arithmetic = "fp32"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """Figures of the full target after `step` steps; `improved` when it is the best so far.

    `psnr` is None for curves and labelled points; `training_loss` is the mean loss of the steps
    since the last report, where the training data are not the test data.
    """

    step: int
    loss: float
    psnr: float | None
    improved: bool
    training_loss: float | None = None


class Engine:
    """A search. Subclass it and register the class through `artgen_engines`.

    `start` may raise UsageError for what the engine cannot do; `advance` and `report` may raise
    `Diverged` and `OutOfMemory`. Further methods are optional: see `artgen.engines.protocols`.
    """

    Options: ClassVar[type[Any]] = NoOptions
    """A frozen dataclass of `option` fields."""
    supports: ClassVar[tuple[Literal["bf16", "palette"], ...]] = ()
    """bf16: it computes steps in the problem's `arithmetic`; palette: it keeps to the palette."""
    families: ClassVar[tuple[str, ...]] = ()
    """Families of primitives that it works with, beside those primitives that name it."""
    step: int = 0
    """The number of steps taken."""

    def start(self, problem: Problem) -> None:
        """Prepare step 0."""
        raise NotImplementedError

    def advance(self, steps: int) -> None:
        """Take `steps` steps."""
        raise NotImplementedError

    def report(self) -> Report:
        """Evaluate the current drawing, and keep it if it is the best so far."""
        raise NotImplementedError

    def drawing(self, best: bool) -> Drawing:
        """The current drawing, or the best one reported so far."""
        raise NotImplementedError

    def state_dict(self) -> State:
        """Everything needed to resume exactly: parameters, moments, generator, best."""
        raise NotImplementedError

    def load_state_dict(self, state: State) -> None:
        """Restore a saved state; called after `start` with the same problem."""
        raise NotImplementedError

    def parse(self, problem: Problem) -> Any:
        """The problem's options as an instance of `Options`."""
        return parse_options(self.Options, problem.options, owner=f"engine {type(self).__name__}")
