"""How the runs of a command are carried out: where, how watched, and which files they leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.base.errors import UsageError
from artgen.cli._flags import Common, Panel

if TYPE_CHECKING:
    from artgen.recipe import Recipe
    from artgen.registry import Registry
    from artgen.runs import Elsewhere
    from artgen.tasks import Executor


SEE = "How to watch"

_PANEL, _FILES, _SEE = Panel("Many runs"), Panel("What to write"), Panel(SEE)


@dataclass(frozen=True)
class Files:
    """The flags that say where runs write, whether they resume, and what they log."""

    out: Path = _FILES.option("DIR", "Output folder.", default=Path("artgen-out"))
    name: str | None = _FILES.option(
        "STEM", "Name of the files, without suffix. Default: TARGET-PRIMITIVE, or TARGET-LOOK."
    )
    log: Path | None = _FILES.option(
        "FILE.jsonl", "Write one line of metrics per evaluation. In a batch: FILE-STEM.jsonl."
    )
    graph: Path | None = _FILES.option(
        "FILE.dot",
        "With -e scratch: write how the loss is computed, as a graph, also as FILE.svg if "
        "Graphviz is installed. In a batch: FILE-STEM.dot.",
    )
    overwrite: bool = _FILES.switch("Replace files that exist.")
    resume: bool = _FILES.switch("Continue an interrupted run.")
    skip_existing: bool = _FILES.switch("Skip runs whose .json exists, and do the others.")
    checkpoint_every: int | None = _FILES.option(
        "STEPS", "Interval between checkpoints for --resume. Default: 10 seconds.", min=1
    )


@dataclass(frozen=True)
class FilesOfLooks(Files):
    """The same for a sheet of looks, of which no engine was asked for."""

    name: str | None = _FILES.option(
        "STEM",
        "First part of the names: STEM-looks-LOOK.png, STEM-looks-sheet.png. Default: TARGET.",
    )
    graph: Path | None = field(default=None, init=False)


@dataclass(frozen=True)
class Watching:
    """The flags that say how a run is watched, and what follows it."""

    live: bool = _SEE.switch("Serve a local page that shows the run and can pause or stop it.")
    live_port: int | None = _SEE.option(
        "PORT", "With --live: serve the page on this port. Default: a free one.", min=1, max=65_535
    )
    show: bool = _SEE.switch("Show the picture in the browser at the end.", "--open")
    notify: str | None = _SEE.option(
        "COMMAND",
        "Run a shell command at the end; it finds the exit code in ARTGEN_EXIT_CODE.",
    )

    @property
    def page(self) -> bool:
        """Whether there is a page."""
        return self.live or self.live_port is not None


@dataclass(frozen=True)
class Trying(Watching):
    """The same for a recipe of one's own, and the flags that try it without writing files."""

    dry_run: bool = _SEE.switch(
        "Write nothing: print the complete recipe as TOML, with estimates of time, memory and size "
        "as comments."
    )
    origins: bool = _SEE.switch(
        "With --dry-run: say in a comment where each value comes from: a flag, a look, a recipe, "
        "settings, a preset or a default."
    )
    watch: bool = _SEE.switch(
        "With --plugin: after every save of FILE.py, fit a small preview and show it on a "
        "live page. Writes no files. Ctrl-C ends it."
    )


@dataclass(frozen=True)
class Where:
    """The flags of commands with several runs. Raises UsageError where they do not go together."""

    at_a_time: int | None = _PANEL.option(
        "N",
        "Run N at a time (runs, scenes of a clip, tiles), each in its own process. Default: 1.",
        "-j",
        min=1,
        max=256,
    )
    on: str | None = _PANEL.option(
        "PLACE",
        "Run elsewhere, as on a cluster: an executor of artgen plugins list, or its NAME://ADDRESS.",
    )
    gpus: float | None = _PANEL.option(
        "SHARE",
        "With --on: GPUs per run, such as 0.5. Default: 1 with --device cuda, else 0.",
        min=0,
    )
    checkpoints: str | None = _PANEL.option(
        "DIR|URL",
        "With --on: where to keep checkpoints, so that another machine can resume a run: "
        "a folder shared by all machines, or a URL. Default: where the executor has room.",
    )

    def __post_init__(self) -> None:
        for flag, value in (("--gpus", self.gpus), ("--checkpoints", self.checkpoints)):
            if value is not None and self.on is None:
                raise UsageError(f"{flag} needs --on", hint="say where to run: --on PLACE")

    @property
    def asked(self) -> bool:
        """Whether the way runs are carried out was asked for."""
        return self.at_a_time is not None or self.on is not None

    def executor(self, recipes: Iterable[Recipe], registry: Registry) -> Executor:
        """The executor of runs of `recipes`. Raises UsageError for a place that is none."""
        from artgen.tasks import ProcessExecutor, SerialExecutor

        if self.on is not None:
            name, known = self.on.partition("://")[0], registry.entries("executor")
            if all(entry.name != name for entry in known):
                told = ", ".join(str(t) for e in known for t in (e.name, e.spec.example) if t)
                raise UsageError(f"--on {self.on} is not a place to run", hint=f"use {told}")
            make: Callable[..., Executor] = registry.load("executor", name)
            return make(self.on, self.at_a_time, self.checkpoints, recipes, registry)
        return SerialExecutor() if self.at_a_time in (None, 1) else ProcessExecutor(self.at_a_time)

    def elsewhere(self, recipes: Iterable[Recipe], registry: Registry, common: Common) -> Elsewhere:
        """That executor, with what its tasks need. Raises UsageError for a place that is none."""
        from artgen.runs import Elsewhere

        executor = self.executor(recipes, registry)
        return Elsewhere(executor, tuple(common.plugin or ()), self.gpus)


@dataclass(frozen=True)
class WhereAnew(Where):
    """The flags of a command whose runs keep no checkpoints."""

    checkpoints: str | None = field(default=None, init=False)
