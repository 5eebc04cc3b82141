"""The contract of an engine: start, advance, report, give a drawing, and save its exact state.

Engines never print, never write files and never read the clock; the runner owns the loop. How many
steps one `advance` takes affects speed only: chunks of 1, 7 and 1000 give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor

from artgen.base.options import parse_options
from artgen.losses import Loss
from artgen.primitives import Arithmetic, NoOptions, Primitive
from artgen.raster import EAGER, Backend
from artgen.values.drawing import Drawing
from artgen.values.examples import Examples

Support = Literal["bf16", "finite", "palette", "replanning", "rules", "views"]
State = dict[str, Any]
"""Tensors and plain JSON values, by flat names."""


def prefixed(prefix: str, state: Mapping[str, object]) -> dict[str, Any]:
    """The state with `prefix` before each name."""
    return {prefix + key: value for key, value in state.items()}


def part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The opposite of `prefixed`: only what has the prefix."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


@dataclass(frozen=True)
class Problem:
    """The input of an engine.

    `target` is [3, height, width] (sRGB-encoded, 1.0 = 255) and `weight` [height, width] or None.
    Where it is not a picture, `target` is [outputs, 1, M], the values that a field shall have at
    the `positions` [M, inputs]; or [N, channels, height, width] in 0 to 1, the pictures of the
    examples `test`, on which a codec trained on the examples `training` is evaluated.
    `function` gives the values [M, outputs] at any positions [M, inputs] where the target is a
    function.
    `drawing` is where to start, and may hold fewer parts than the `count` there shall be in the end
    (None: as many as it has); `seed` feeds the engine's own generator; `total_steps` is the length
    of the schedule as first planned; `revisions` are pairs of a step and the length planned from
    there on, and the runner may add some while the engine runs; `palette` [K, 3] holds the only
    colours that parts may have (None: any), for engines with `palettes`; `arithmetic` is what steps
    of fields and codecs compute in; `random` is the generator of new parts, see `make_generator`.
    `even` is the target where it is fitted with its alpha, over a ground that pulls no colour, that
    ground, and its mean colours, for engines that draw over pictures: see `ImageTarget.even`.
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
    function: Callable[[Tensor], Tensor] | None = None
    count: int | None = None
    palette: Tensor | None = None
    device: str = "cpu"
    backend: Backend = EAGER
    arithmetic: Arithmetic = "fp32"
    random: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    revisions: list[tuple[int, int]] = field(default_factory=list)
    even: tuple[Tensor, Tensor, Tensor] | None = None

    def position(self, step: int) -> float:
        """The position of the schedule after `step` steps, in steps of the first plan.

        That is `step` itself while there are no revisions. From a revision on, what is left of the
        schedule is spread evenly over the steps that are left.
        """
        if not self.revisions:
            return step
        parts = _parts(self.total_steps, tuple(self.revisions))
        begin, before, pace = next(part for part in reversed(parts) if part[0] <= step)
        return float(before + (step - begin) * pace)

    def progress(self, step: int) -> float:
        """The share of the schedule that is done after `step` steps, from 0 to 1."""
        return min(1.0, self.position(step) / self.total_steps)

    def step_at(self, position: int) -> int:
        """The first step at which the schedule has got to `position`: see `position`."""
        if not self.revisions:
            return position
        parts = _parts(self.total_steps, tuple(self.revisions))
        later = (part for part in reversed(parts) if part[1] < position)
        begin, before, pace = next(later, parts[0])
        return begin + math.ceil((position - before) / pace)


@lru_cache(maxsize=64)
def _parts(
    total: int, revisions: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, Fraction, Fraction], ...]:
    """Of each part of a revised schedule: its first step, the position there, positions per step.

    Exact numbers, so that later revisions never change what was before them.
    """
    parts = [(0, Fraction(0), Fraction(1))]
    for step, revised in revisions:
        begin, before, pace = parts[-1]
        position = before + (step - begin) * pace
        parts.append((step, position, (total - position) / (revised - step)))
    return tuple(parts)


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


class ReportPace(NamedTuple):
    """The pace at which an engine is evaluated."""

    reports: int = 30
    """About how many evaluations a fit makes."""
    steps: int | None = None
    """The most steps between two evaluations."""


class Engine:
    """A search. Subclass it and register the class through `artgen_engines`.

    `start` may raise UsageError for what the engine cannot do; `advance` and `report` may raise
    `Diverged` and `OutOfMemory`. Members from `notices` on have a default. For the few methods that
    have none, see `artgen.engines.protocols`.
    """

    Options: ClassVar[type[Any]] = NoOptions
    """A frozen dataclass of `option` fields."""
    supports: ClassVar[tuple[Support, ...]] = ()
    """bf16: it computes steps in the problem's `arithmetic`; finite: `report` raises Diverged where
    the drawing is not finite, so nothing else needs to look; palette: it keeps to the palette;
    replanning: its schedule depends on the problem's `progress` alone, so that the number of steps
    may be revised while it runs; rules: it moves shapes by their `keep_valid` alone; views: it
    differentiates any loss of the picture, so that several views of it can be compared. Other
    engines fit the picture that comes nearest to all views."""
    families: ClassVar[tuple[str, ...]] = ()
    """Families of primitives that it works with, beside those primitives that name it."""
    required: ClassVar[tuple[str, ...]] = (
        *("start", "advance", "report", "drawing", "state_dict", "load_state_dict"),
    )
    """What an engine must define."""
    step: int = 0
    """The number of steps taken."""
    notices: tuple[str, ...] = ()
    """Messages to the user on this fit, after `start`."""
    finished: bool = False
    """Whether `advance` takes no more steps, as there is nothing left to gain."""
    rounds: Collection[int] = ()
    """The steps, after `start`, that take longer: as many in short fits as in long ones, about."""
    following: ClassVar[Mapping[str, Any] | None] = None
    """The stage by which another engine fits drawings of this one better to the next frames of a
    clip: `engine`, `steps`, and options of that engine."""

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

    @classmethod
    def options_for(cls, primitive: Primitive) -> type[Any]:
        """The dataclass of options for `primitive`."""
        return cls.Options

    @classmethod
    def family_options(cls) -> Mapping[str, type[Any]]:
        """The dataclass of options by the name of each family that has one of its own."""
        return {}

    @classmethod
    def primitive_checks(cls) -> tuple[Callable[[Any], str | None], ...]:
        """The checks, beside those of their family, of primitives that name it: see `testing`."""
        return ()

    @classmethod
    def quality_options(cls, quality: str) -> Mapping[str, Any] | None:
        """Options for ``draft``, ``good`` or ``best``, below those that are asked for.

        None where the number of steps alone makes the difference.
        """
        return None

    @classmethod
    def timed_options(cls) -> Mapping[str, Any]:
        """Options for a budget of time in place of a number of steps, unless others are given."""
        return {}

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """The number of steps for `count` parts where none is asked for; None: no opinion."""
        return None

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """The number of parts in the first drawing for `count` parts in the end."""
        return count

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Options under which it finds the count, up to a limit; empty where it cannot."""
        return {}

    @classmethod
    def constrain(cls, primitive: Primitive, options: Mapping[str, Any]) -> Primitive:
        """The primitive for later stages: a copy where they shall keep to a rule of this engine.

        What does not support ``rules`` is then refused after it. For shapes the copy has another
        `keep_valid`.
        """
        return primitive

    def converged(self) -> dict[str, Any]:
        """Options, and perhaps `count`, with which a fit repeats this one; empty if none is new."""
        return {}

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """Steps and options of a frame of a clip that starts from the frame before.

        They replace those of an ordinary fit, with these `options` and `steps`, for `count` parts.
        Every part keeps its place in the drawing's tensors. None where every frame starts anew.
        """
        return None

    def hand_over(self) -> State:
        """Tensors that help to fit the next frame of a clip."""
        return {}

    def take_over(self, state: State, fresh: Tensor) -> None:
        """Use, after `start`, what the engine of the frame before handed over.

        `fresh`, bool [N], marks parts that the frame before did not have; it is empty where there
        are no parts.
        """

    def identities(self, best: bool) -> Tensor | None:
        """A number for each part of `drawing(best)`, int64 [N], increasing along the parts.

        Equal numbers in two drawings of a fit mean the same part. None: unknown.
        """
        return None

    def measured(self) -> list[tuple[int, dict[str, float]]]:
        """Metrics by name, each with the step after which they hold, since the last call."""
        return []

    def report_pace(self) -> ReportPace:
        """The pace at which this fit is evaluated, after `start`."""
        return ReportPace()
