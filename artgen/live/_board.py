"""State of a run for the live page: gathered from its events, with pictures on request.

Events arrive in the thread of the run and cost next to nothing there. Pictures are encoded in the
thread of the page that asks for them.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from typing import Any

from artgen.base.errors import ArtgenError
from artgen.base.plain import finite
from artgen.events import Advanced, Evaluated, Event, Finished, Notice, PreviewDrawn, Started
from artgen.output import encode_jpeg, error_map
from artgen.output.still import Pixels

NOTICES = 20
"""Number of the latest notices that are kept."""


@dataclass
class Seen:
    """Counters of what one page has received already."""

    change: int = -1
    run: int = -1
    points: int = 0
    picture: int = -1
    studio: int = -1


@dataclass
class _State:
    """Everything that pages show of a run."""

    facts: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[int, float | None, float | None]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    error: dict[str, str | None] | None = None
    target: Pixels | None = None
    pixels: Pixels | None = None
    pictured: int | None = None
    """The step at which `pixels` were drawn."""


class Board:
    """The latest state of the run, for any number of pages; thread-safe."""

    def __init__(self) -> None:
        self.state = _State()
        self.changed = threading.Condition()
        self.change = self.run = self.picture = 0
        self.studio: dict[str, Any] = {}
        self._studio = -1
        self.closed = False

    def __call__(self, event: Event) -> None:
        """Record an event of a run."""
        with self.changed:
            self._record(event)
            self._notify()

    def fail(self, error: Exception) -> None:
        """Show an error until the next run starts."""
        known = error if isinstance(error, ArtgenError) else ArtgenError(repr(error))
        with self.changed:
            self.state.error = {"message": known.message, "hint": known.hint}
            self._notify()

    def close(self) -> None:
        """Inform all pages that nothing more will come."""
        with self.changed:
            self.closed = True
            self._notify()

    def equip(self, **studio: Any) -> None:
        """Show plain data about a watched plugin; other keys stay as they are."""
        with self.changed:
            self.studio |= studio
            self._studio += 1
            self._notify()

    def touch(self) -> None:
        """Update all pages, because the control of the run has changed."""
        with self.changed:
            self._notify()

    @property
    def settled(self) -> bool:
        """Whether the picture stays as it is: the run has finished, or the board is closed."""
        return self.closed or self.state.facts.get("summary") is not None

    def wait(self, seen: Seen, seconds: float) -> bool:
        """Wait up to `seconds` for a change since `seen`, and return whether there is one."""
        with self.changed:
            return self.changed.wait_for(lambda: self.change > seen.change, seconds)

    def wait_for_end(self, seconds: float) -> None:
        """Wait for `seconds`, or until the board is closed."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed, seconds)

    def updates(self, seen: Seen, *, pictures: bool) -> dict[str, Any]:
        """Return what has changed since `seen` as plain data, with `pictures` as data URLs."""
        with self.changed:
            state = self.state
            fresh = seen.run != self.run
            first = 0 if fresh else seen.points
            message = {
                **state.facts,
                "fresh": fresh,
                "points": state.points[first:],
                "notices": state.notices,
                "error": state.error,
                "closed": self.closed,
            }
            if seen.studio != self._studio:
                message["studio"], seen.studio = self.studio.copy(), self._studio
            pixels = None
            if pictures and (fresh or seen.picture != self.picture):
                pixels, seen.picture = state.pixels, self.picture
            seen.change, seen.run = self.change, self.run
            seen.points = len(state.points)
            target, pictured = state.target, state.pictured
        if fresh:
            message["target"] = None if target is None else _data_url(target)
        if pixels is not None:
            message["picture"], message["pictured"] = _data_url(pixels), pictured
            if target is not None and target.shape == pixels.shape:
                message["errors"] = _data_url(error_map(pixels, target))
        return dict(finite(message))

    def _notify(self) -> None:
        self.change += 1
        self.changed.notify_all()

    def _record(self, event: Event) -> None:
        state = self.state
        match event:
            case Started():
                # Pages keep the picture of the previous run until there is a newer one.
                self.state = _State(_facts(event), target=event.target)
                self.run += 1
            case Advanced():
                state.facts |= {
                    "step": event.step,
                    "total_steps": event.total_steps,
                    "seconds": round(event.seconds, 2),
                }
            case Evaluated():
                state.points.append((event.step, event.loss, event.psnr))
            case PreviewDrawn():
                state.pixels, state.pictured = event.pixels, event.step
                self.picture += 1
            case Notice():
                state.notices = [*state.notices, event.message][-NOTICES:]
            case Finished():
                summary = event.summary
                keys = ("psnr", "ssim", "mse", "accuracy", "steps", "seconds", "stopped_by", "seed")
                state.facts["summary"] = {key: summary[key] for key in keys}
                state.facts["summary"]["outputs"] = list(filter(None, summary["outputs"].values()))


def _facts(event: Started) -> dict[str, object]:
    """Describe a run that has not taken a step yet."""
    recipe = event.recipe
    return {
        "run": event.run,
        "target_name": recipe["target"]["source"],
        "primitive": recipe["primitive"]["name"],
        "count": recipe["primitive"].get("count"),
        "engine": ", ".join(stage["engine"] for stage in recipe["stage"]),
        "loss": ", ".join(stage["loss"] for stage in recipe["stage"]),
        "device": recipe["run"]["device"],
        "step": event.step,
        "total_steps": event.total_steps,
        "seconds": 0.0,
        "summary": None,
    }


def _data_url(pixels: Pixels) -> str:
    """Encode a picture as the data URL of a JPEG without chroma subsampling."""
    jpeg = encode_jpeg(pixels, 88, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
