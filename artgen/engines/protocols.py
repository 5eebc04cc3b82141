"""Optional capabilities of engines: an engine that defines these methods has the capability.

The runner asks for each one with `isinstance`, or `issubclass` before an engine is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from artgen.engines.base import Engine, State
    from artgen.primitives import Primitive


class ReportPace(NamedTuple):
    """The pace at which an engine is evaluated."""

    reports: int = 30
    """About how many evaluations a fit makes."""
    steps: int | None = None
    """The most steps between two evaluations."""


@runtime_checkable
class HasFamilyOptions(Protocol):
    """An engine whose options depend on the primitive."""

    @classmethod
    def options_for(cls, primitive: Primitive) -> type[Any]:
        """The dataclass of options for `primitive`."""

    @classmethod
    def family_options(cls) -> Mapping[str, type[Any]]:
        """The dataclass of options by the name of each family."""


@runtime_checkable
class SuggestsSteps(Protocol):
    """An engine that knows how many steps it needs."""

    @classmethod
    def default_steps(
        cls, primitive: Primitive, options: Mapping[str, Any], count: int | None
    ) -> int | None:
        """The number of steps for `count` parts where none is asked for; None: no opinion."""


@runtime_checkable
class AddsParts(Protocol):
    """An engine that starts with fewer parts than it ends with."""

    @classmethod
    def first_count(cls, primitive: Primitive, options: Mapping[str, Any], count: int) -> int:
        """The number of parts in the first drawing for `count` parts in the end."""


@runtime_checkable
class FindsCount(Protocol):
    """An engine that finds the number of parts itself, for a count of ``auto``."""

    @classmethod
    def automatic(cls, primitive: Primitive) -> dict[str, Any]:
        """Options under which it finds the count, up to a limit; empty where it cannot."""

    def converged(self) -> dict[str, Any]:
        """Options, and perhaps `count`, with which a fit repeats this one; empty if none is new."""


@runtime_checkable
class FollowsFrames(Protocol):
    """An engine that fits a frame of a clip starting from the frame before.

    Every part keeps its place in the drawing's tensors.
    """

    @classmethod
    def follow(
        cls, options: Mapping[str, Any], steps: int, count: int | None
    ) -> dict[str, Any] | None:
        """Steps and options of such a frame, or None where it has to start anew.

        They replace those of an ordinary fit, with these `options` and `steps`, for `count` parts.
        """


@runtime_checkable
class Renews(Protocol):
    """An engine that replaces parts of a clip that are no longer of use."""

    def renew(self, most: int) -> Tensor:
        """Replace up to `most` parts, after `start`; bool [N], which of them are new."""


@runtime_checkable
class FollowedByOther(Protocol):
    """An engine whose drawings another one fits better to the next frames of a clip."""

    following: ClassVar[Mapping[str, Any]]
    """The stage of such a frame: `engine`, `steps`, and options of that engine."""


@runtime_checkable
class KnowsQuality(Protocol):
    """An engine that spends more or less effort by its options, not by steps alone."""

    @classmethod
    def quality_options(cls, quality: str) -> Mapping[str, Any]:
        """Options for ``draft``, ``good`` or ``best``, below those that are asked for."""


@runtime_checkable
class HandsOver(Protocol):
    """An engine that passes tensors from one frame of a clip to the next."""

    def hand_over(self) -> State:
        """Tensors that help to fit the next frame."""

    def take_over(self, state: State, fresh: Tensor) -> None:
        """Use, after `start`, what the engine of the frame before handed over.

        `fresh`, bool [N], marks parts that the frame before did not have; it is empty where there
        are no parts.
        """


@runtime_checkable
class TracksParts(Protocol):
    """An engine that knows which parts of two drawings are the same."""

    def identities(self, best: bool) -> Tensor | None:
        """A number for each part of `drawing(best)`, int64 [N], increasing along the parts.

        Equal numbers in two drawings of a fit mean the same part. None: unknown.
        """


@runtime_checkable
class HasGraph(Protocol):
    """An engine that shows the graph of its loss."""

    def graph(self) -> str:
        """The loss in the DOT language, after `start`."""


@runtime_checkable
class Measures(Protocol):
    """An engine that measures single steps."""

    def measured(self) -> list[tuple[int, dict[str, float]]]:
        """Metrics by name, each with the step after which they hold, since the last call."""


@runtime_checkable
class Recovers(Protocol):
    """An engine that can continue after `Diverged`."""

    def recover(self, rate: float) -> None:
        """Go back to the best drawing and continue with all learning rates times `rate`."""


@runtime_checkable
class LimitsMemory(Protocol):
    """An engine that can continue after `OutOfMemory`."""

    def limit_memory(self, share: float) -> None:
        """Work in pieces of `share` of the present size."""


@runtime_checkable
class Stops(Protocol):
    """An engine that knows when there is nothing left to gain."""

    finished: bool
    """Whether `advance` takes no more steps."""


@runtime_checkable
class HasNotices(Protocol):
    """An engine with messages to the user."""

    notices: tuple[str, ...]
    """Messages on this fit, after `start`."""


@runtime_checkable
class HasRounds(Protocol):
    """An engine in which a few steps, about as many in short fits as in long ones, take longer."""

    rounds: Collection[int]
    """The numbers of steps done before each of them, after `start`."""


@runtime_checkable
class SetsPace(Protocol):
    """An engine with another `ReportPace` than the default."""

    def report_pace(self) -> ReportPace:
        """The pace of this fit, after `start`."""


def options_type(engine: type[Engine], primitive: Primitive) -> type[Any]:
    """The dataclass of the options that `engine` has for `primitive`."""
    if issubclass(engine, HasFamilyOptions):
        return engine.options_for(primitive)
    return engine.Options


def report_pace(engine: Engine) -> ReportPace:
    """The pace at which `engine` is evaluated."""
    return engine.report_pace() if isinstance(engine, SetsPace) else ReportPace()
