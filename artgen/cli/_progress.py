"""Events of a run as text on stderr: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from artgen.cli._console import headline, say
from artgen.events import Advanced, Evaluated, Event, Finished, Notice, Observer, Started
from artgen.registry import Registry

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["progress"]

PLAIN_LINES = 10
"""So many lines between start and end, unless all are asked for."""


@contextmanager
def progress(registry: Registry, *, quiet: bool, verbose: bool) -> Iterator[list[Observer]]:
    """Observers for one run; none when `quiet`. `verbose` shows every evaluation."""
    if quiet:
        yield []
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as bar:
            yield [_Bar(registry, bar)]
    else:
        yield [_Lines(registry, verbose)]


class _Story:
    """What both have in common: the first and the last line, and warnings, each of them once."""

    def __init__(self, registry: Registry, write: Callable[[str], None]) -> None:
        self.registry, self.write = registry, write
        # Those that were there before were shown when the registry was made.
        self.told = set(registry.warnings)

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                for warning in self.registry.warnings:
                    self.warn(warning)
                self.write(f"{event.run}: {_beginning(event)}")
                self.start(event)
            case Notice():
                self.warn(event.message)
            case Advanced():
                self.advance(event)
            case Evaluated():
                self.evaluate(event)
            case Finished():
                self.write(f"{event.run}: {_ending(event.summary)}")

    def warn(self, message: str) -> None:
        if message not in self.told:
            self.told.add(message)
            self.write(f"warning: {message}")

    def start(self, event: Started) -> None:
        """Before the first step."""

    def advance(self, event: Advanced) -> None:
        """Some steps were taken."""

    def evaluate(self, event: Evaluated) -> None:
        """There are new figures."""


class _Lines(_Story):
    """A line now and then."""

    def __init__(self, registry: Registry, verbose: bool) -> None:
        super().__init__(registry, say)
        self.verbose = verbose
        self.next = 0.0

    def start(self, event: Started) -> None:
        self.next = 0.0

    def evaluate(self, event: Evaluated) -> None:
        if not self.verbose and event.step < self.next:
            return
        self.next = event.step + event.total_steps / PLAIN_LINES
        line = f"step {event.step}/{event.total_steps}  {_figures(event)}  "
        self.write((line + _speed(event.step, event.seconds)).rstrip())


class _Bar(_Story):
    """A bar with step, loss, PSNR, speed and the time that is left."""

    def __init__(self, registry: Registry, bar: Progress) -> None:
        def write(message: str) -> None:
            bar.console.print(message, markup=False, highlight=False, soft_wrap=True)

        super().__init__(registry, write)
        self.bar = bar
        self.task = bar.add_task("", total=None, visible=False, figures="", speed="")

    def start(self, event: Started) -> None:
        self.bar.reset(self.task, total=event.total_steps or None, visible=True)
        self.bar.update(self.task, description=event.run, completed=event.step)

    def advance(self, event: Advanced) -> None:
        known = self.bar.tasks[0].total or 0
        self.bar.update(
            self.task,
            completed=event.step,
            total=max(known, event.total_steps),
            speed=_speed(event.step, event.seconds),
        )

    def evaluate(self, event: Evaluated) -> None:
        self.bar.update(self.task, figures=_figures(event))


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _beginning(event: Started) -> str:
    recipe: dict[str, Any] = event.recipe
    count = recipe["primitive"].get("count")
    limit = "up to " if any(stage.get("settle") for stage in recipe["stage"]) else ""
    stages = ", then ".join(
        f"{stage['engine']} for "
        + (f"{stage['steps']} steps" if "steps" in stage else f"{stage['time']:g} s")
        for stage in recipe["stage"]
    )
    parts = [
        recipe["primitive"]["name"] + (f" x {limit}{count}" if count else ""),
        stages,
        recipe["run"]["device"],
        f"seed {recipe['seed']}",
    ]
    if event.step:
        parts.append(f"from step {event.step} on")
    return ", ".join(parts)


def _ending(summary: dict[str, Any]) -> str:
    return (
        f"{headline(summary)} after {summary['steps']} steps in {summary['seconds']:.1f} s, "
        f"stopped by {summary['stopped_by']}"
    )


def _figures(event: Evaluated) -> str:
    psnr = "" if event.psnr is None else f"  {event.psnr:.2f} dB"
    return f"loss {event.loss:.5g}{psnr}"


def _speed(step: int, seconds: float) -> str:
    return f"{step / seconds:.1f} it/s" if step and seconds else ""
