"""Progress of runs on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from artgen import events
from artgen.base.waiting import Activity, listening
from artgen.cli._console import headline, say
from artgen.cli._flags import Common
from artgen.cli._streams import terminal
from artgen.registry import Registry

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


PLAIN_LINES = 10
"""Number of lines between start and end, unless `verbose`."""

_WEIGHTS = "focus", "mask", "alpha_weight", "alpha"
"""Keys of a target some of whose pixels count more than others, unlike in the summary."""
_EVEN = None, False, "none"
"""Their values for which all count the same."""

SECONDS_PER_DRAWING = 0.1
"""Shortest time between two drawings of the bars."""


@contextmanager
def progress(registry: Registry, common: Common, *, runs: int = 1) -> Iterator[Story]:
    """Yield an observer of `runs` runs, silent if quiet; with `-v` it shows every evaluation."""
    if common.quiet:
        yield Story(registry, lambda message: None)
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as bar:
            yield _Bars(registry, bar, runs)
    else:
        yield Story(registry, say, common.verbose, runs)


@contextmanager
def showing(registry: Registry, common: Common, name: str) -> Iterator[None]:
    """Show what the block does, under `name`; print how it was done as notes."""
    with progress(registry, common) as story:

        def hear(report: Activity) -> None:
            if report.kind == "result":
                story(events.Notice(name, f"{name}: {report.what}", "note"))
            else:
                story(events.Working(name, report.what, report.done))

        with listening(hear):
            yield


class Story:
    """Occasional plain lines, which name their run if there are several, and every warning once."""

    def __init__(
        self, registry: Registry, write: Callable[[str], None], verbose: bool = False, runs: int = 1
    ) -> None:
        self.registry, self.write, self.verbose, self.runs = registry, write, verbose, runs
        self.next: dict[str, float] = {}
        self.weighted: set[str] = set()
        # Earlier warnings were printed when the registry was made.
        self.reported = set(registry.warnings)

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Started():
                for warning in self.registry.warnings:
                    self.warn(warning)
                self.write(f"{event.run}: {_beginning(event)}")
                table = event.recipe.get("target", {})
                if any(table.get(key) not in _EVEN for key in _WEIGHTS):
                    self.weighted.add(event.run)
                self.start(event)
            case events.Notice():
                self.warn(event.message, event.level)
            case events.Advanced():
                self.advance(event)
            case events.Evaluated() | events.TileFitted():
                self.evaluate(event)
            case events.Working():
                self.work(event)
            case events.Finished():
                unit = " unweighted" * (event.run in self.weighted)
                self.write(f"{event.run}: {_ending(event.summary, unit)}")
                self.ended(event.run)

    def metrics(self, event: events.Evaluated | events.TileFitted) -> str:
        """The new metrics in words."""
        psnr = "" if event.psnr is None else f"{event.psnr:.2f} dB"
        if isinstance(event, events.TileFitted):
            said = f"tile {event.number}/{event.tiles}  {psnr}"
        else:
            said = f"loss {event.loss:.5g}" + (psnr and f"  {psnr}")
        return said + " weighted" * (event.run in self.weighted)

    def warn(self, message: str, level: str = "warning") -> None:
        if message not in self.reported:
            self.reported.add(message)
            self.write(f"{level}: {message}")

    def start(self, event: events.Started) -> None:
        """Show a run that is about to take its first step."""
        self.next[event.run] = 0.0

    def advance(self, event: events.Advanced) -> None:
        """Show the steps taken."""

    def evaluate(self, event: events.Evaluated | events.TileFitted) -> None:
        """Show new metrics, of the whole or of a tile."""
        if not self.verbose and event.step < self.next.get(event.run, 0.0):
            return
        self.next[event.run] = event.step + event.total_steps / PLAIN_LINES
        name = f"{event.run}: " if self.runs > 1 else ""
        line = f"{name}step {event.step}/{event.total_steps}  {self.metrics(event)}  "
        self.write((line + _speed(event.step, event.seconds)).rstrip())

    def work(self, event: events.Working) -> None:
        """Show what is done outside of fitting."""
        if self.verbose and event.done < 2:
            self.write(f"{event.run}: {event.what}")

    def ended(self, run: str) -> None:
        """Remove a run that has ended for any reason; may be called twice."""


class _Bars(Story):
    """A bar for each active run with step, loss, PSNR, speed and remaining time.

    Several runs have a bar for the number of finished runs. Bars are drawn between events, by the
    thread that prints lines: rich erases wrong lines where two threads draw.
    """

    def __init__(self, registry: Registry, bar: Progress, runs: int) -> None:
        def write(message: str) -> None:
            bar.console.print(message, markup=False, highlight=False, soft_wrap=True)

        super().__init__(registry, write)
        self.bar = bar
        self.rows: dict[str, TaskID] = {}
        self.all: TaskID | None = None
        self.done: set[str] = set()
        self.drawn = 0.0
        if runs > 1:
            self.all = bar.add_task("all runs", total=runs, metrics="", speed="")

    def __call__(self, event: events.Event) -> None:
        super().__call__(event)
        now = time.monotonic()
        # Work that begins may take long without another event.
        begins = isinstance(event, events.Working) and event.done == 0
        if begins or now - self.drawn > SECONDS_PER_DRAWING:
            self.drawn = now
            self.bar.refresh()

    def start(self, event: events.Started) -> None:
        # Another machine may resume a run.
        row, total = self._row(event.run), event.total_steps or None
        self.bar.reset(row, total=total, completed=event.step, metrics="", speed="")

    def advance(self, event: events.Advanced) -> None:
        if event.run in self.rows:
            # Revised while it runs, where it has a time; None leaves it.
            total, speed = event.total_steps or None, _speed(event.step, event.seconds)
            self.bar.update(self.rows[event.run], completed=event.step, total=total, speed=speed)

    def work(self, event: events.Working) -> None:
        done = f", {event.done:,} done" if event.done else ""
        self.bar.update(self._row(event.run), metrics=event.what + done, speed="")

    def _row(self, run: str) -> TaskID:
        """The row of a run, a new one if it has none."""
        if run not in self.rows:
            self.rows[run] = self.bar.add_task(run, total=None, metrics="", speed="")
        return self.rows[run]

    def evaluate(self, event: events.Evaluated | events.TileFitted) -> None:
        if event.run in self.rows:
            self.bar.update(self.rows[event.run], metrics=self.metrics(event))

    def ended(self, run: str) -> None:
        if run in self.rows:
            self.bar.remove_task(self.rows.pop(run))
        if self.all is not None and run not in self.done:
            self.bar.advance(self.all)
        self.done.add(run)


def _bar() -> Progress:
    from rich import progress as bars
    from rich.text import Text

    class Steps(bars.MofNCompleteColumn):
        """The number of steps, from the first one on."""

        def render(self, task: bars.Task) -> Text:
            return super().render(task) if task.total or task.completed else Text()

    return bars.Progress(
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(bar_width=24),
        Steps(),
        *(bars.TextColumn(f"{{task.fields[{key}]}}", markup=False) for key in ("metrics", "speed")),
        bars.TimeRemainingColumn(),
        console=terminal(sys.stderr),
        transient=True,
        auto_refresh=False,
        # Data on a terminal would break the bars; data for a file or pipe must get there.
        redirect_stdout=sys.stdout.isatty(),
    )


def _beginning(event: events.Started) -> str:
    recipe: dict[str, Any] = event.recipe
    count = recipe["primitive"].get("count")
    limit = "up to " if any(stage.get("converge") for stage in recipe["stage"]) else ""
    stages = ", then ".join(
        f"{stage['engine']} for "
        + (_steps(stage["steps"]) if "steps" in stage else f"{stage['time']:g} s")
        for stage in recipe["stage"]
    )
    parts = [
        recipe["primitive"]["name"] + (f" x {limit}{count}" if count else ""),
        stages,
        recipe["run"]["device"],
        f"seed {recipe['seed']}",
    ]
    if event.step:
        parts.append(f"from step {event.step}")
    return ", ".join(parts)


_ENDS = {
    "steps": "all steps are done",
    "time": "the time is up",
    "target-psnr": "the PSNR asked for is reached",
    "plateau": "more steps did not help",
    "finished": "finished: more would not help",
}
"""Why runs end, by the `stopped_by` of their summaries."""


def _ending(summary: dict[str, Any], unit: str) -> str:
    took = f"{_steps(summary['steps'])} in {summary['seconds']:.1f} s"
    waited = f"{summary['total_seconds']:.1f} s since the start"
    reason = _ENDS.get(summary["stopped_by"], summary["stopped_by"])
    return f"{headline(summary)}{unit} after {took}, {waited}: {reason}"


def _steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count} steps"


def _speed(step: int, seconds: float) -> str:
    return f"{step / seconds:.1f} it/s" if step and seconds else ""
