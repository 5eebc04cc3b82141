"""Optional capabilities of engines: an engine that defines these methods has the capability.

The runner asks for each one with `isinstance`, or `issubclass` before an engine is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Renews(Protocol):
    """An engine that replaces parts of a clip that are no longer of use."""

    def renew(self, most: int) -> Tensor:
        """Replace up to `most` parts, after `start`; bool [N], which of them are new."""


@runtime_checkable
class HasGraph(Protocol):
    """An engine that shows the graph of its loss."""

    def graph(self) -> str:
        """The loss in the DOT language, after `start`."""


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
