"""The contract of an engine: start, advance, report, give a drawing, and save its exact state.

Engines never print, never write files and never read the clock; the runner owns the loop. How many
steps one `advance` takes affects speed only: chunks of 1, 7 and 1000 give the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.losses import Loss
from artgen.options import parse_options
from artgen.primitives import Arithmetic, Examples, Primitive
from artgen.raster import EAGER, Backend

__all__ = ["Engine", "Problem", "Report", "State"]

State = dict[str, Any]
"""Tensors and plain JSON values, by flat names."""


@dataclass(frozen=True)
class Problem:
    """What an engine is given.

    `target` is [3, height, width] (sRGB-encoded, 1.0 = 255) and `weight` [height, width] or None.
    Where it is not a picture, `target` is [outputs, 1, M], the values that a field shall have at
    the `positions` [M, inputs]; or [N, channels, height, width] in 0 to 1, the pictures of the
    examples `test`, on which a codec that learns from the examples `training` is judged.
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
    since the last report, where what is learned from is not what is judged.
    """

    step: int
    loss: float
    psnr: float | None
    improved: bool
    training_loss: float | None = None


class Engine:
    """Subclass and register through `artgen_engines` to add a way to search.

    `start` may raise UsageError for what the engine cannot do; `advance` raises `Diverged` and
    `OutOfMemory`, on which the runner acts.
    """

    Options: ClassVar[type[Any]]
    families: ClassVar[tuple[str, ...]] = ()
    evaluate_every: ClassVar[int | None] = None
    """At most so many steps pass between evaluations, however long the schedule is."""
    reports: int = 30
    """About so many are asked for in a fit."""
    arithmetics: ClassVar[tuple[Arithmetic, ...]] = ("fp32",)
    palettes: ClassVar[bool] = False
    """Whether it keeps shapes to the problem's palette."""
    step: int = 0
    finished: bool = False
    """There is nothing left to gain: `advance` takes no more steps."""
    notices: tuple[str, ...] = ()
    """What the user should know of this fit, after `start`."""

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Options under which it finds the count itself, up to a limit; empty where it cannot."""
        return {}

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """How many parts the first drawing has where there shall be `count` in the end."""
        return count

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """How many steps to take for `count` parts where nobody says; None: no opinion."""
        return None

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """How a frame of a clip is fitted that begins as the one before ended.

        Steps and options, laid over the `options` of an ordinary fit, which takes so many `steps`
        for `count` parts (None: it has none). Every part keeps its place in the drawing's tensors.
        None where the engine can only begin anew.
        """
        return None

    def start(self, problem: Problem) -> None:
        """Get ready for step 0."""
        raise NotImplementedError

    def advance(self, steps: int) -> None:
        """Take so many steps."""
        raise NotImplementedError

    def report(self) -> Report:
        """Judge the full picture now, and remember it if it is the best so far."""
        raise NotImplementedError

    def drawing(self, best: bool) -> Drawing:
        """The current drawing, or the best one reported so far."""
        raise NotImplementedError

    def hand_over(self) -> State:
        """Tensors that help to fit the next frame of a clip; none unless the engine has some."""
        return {}

    def take_over(self, state: State, fresh: Tensor) -> None:
        """After `start`: use what the engine of the frame before handed over.

        `fresh`, bool [N], marks parts that the frame before did not have; it is empty where there
        are no parts.
        """

    def identities(self, best: bool) -> Tensor | None:
        """A number for each part of `drawing(best)`, int64 [N], increasing along the parts.

        It is the part's own for as long as it lives: equal numbers in two drawings of this fit mean
        the same part. None: that is not known.
        """
        return None

    def recover(self, rate: float) -> None:
        """Go back to the best drawing and go on with all learning rates times `rate`."""
        raise NotImplementedError

    def limit_memory(self, share: float) -> None:
        """Work in pieces of `share` of the present size from now on."""
        raise NotImplementedError

    def state_dict(self) -> State:
        """Everything needed to go on exactly: parameters, moments, generator, best."""
        raise NotImplementedError

    def load_state_dict(self, state: State) -> None:
        """Go on from a saved state; called after `start` with the same problem."""
        raise NotImplementedError

    def graph(self) -> str:
        """The loss that it minimises as a graph in the DOT language, after `start`.

        Raises UsageError where it has none.
        """
        raise UsageError(f"engine {type(self).__name__} has no graph", hint="use -e scratch")

    @classmethod
    def has_graph(cls) -> bool:
        """Whether `graph` gives one."""
        return cls.graph is not Engine.graph

    def measured(self) -> list[tuple[int, dict[str, float]]]:
        """Figures of single steps, each with the step after which they hold, since last asked."""
        return []

    def settled(self) -> dict[str, Any]:
        """`count` and options that were found on the way: with them a fit would do the same again.

        Empty where everything was known before.
        """
        return {}

    def parse(self, problem: Problem) -> Any:
        """The problem's options as an instance of `Options`."""
        return parse_options(self.Options, problem.options, owner=f"engine {type(self).__name__}")
