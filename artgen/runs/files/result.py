"""The result of a run, in this process or far away. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artgen.art import Art


OUTPUTS = ("still", "video", "side_by_side", "art")
"""What the summary of a run names, by its kinds; a run may leave some of them out."""


@dataclass(frozen=True)
class Result:
    """The end of a run: the JSON object that describes it, an error, or both.

    Both mean that the best so far was saved: interrupted (130), diverged (5), or another output
    could not be written. A `summary` is empty where nothing was saved. `files` holds the bytes of
    outputs, by kind, of a run on a machine that shares no disk. `art` is None for runs of other
    processes.
    """

    summary: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    art: Art | None = None

    def require_art(self) -> Art:
        """The art of a run in this process. Raises what ended it early."""
        if self.error is not None:
            raise self.error
        assert self.art is not None
        return self.art
