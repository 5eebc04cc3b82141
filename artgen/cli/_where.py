"""Where the runs of a command are carried out: `-j`, `--on`, `--gpus`, `--checkpoints`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.errors import UsageError

if TYPE_CHECKING:
    from artgen.executor import Executor
    from artgen.recipe import Recipe
    from artgen.registry import Registry

__all__ = ["AtATime", "Checkpoints", "Gpus", "On", "Where"]

_PANEL = "Many runs"

AtATime = Annotated[
    int | None,
    typer.Option(
        "-j",
        metavar="N",
        min=1,
        max=256,
        help="So many runs, or scenes of a clip, at a time, each in a process, on --threads "
        "threads (default: 1).",
        rich_help_panel=_PANEL,
    ),
]
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="ray|ray://HOST:PORT",
        help="Let Ray carry them out: one that is started here, or a cluster.",
        rich_help_panel=_PANEL,
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option(
        "--gpus",
        metavar="SHARE",
        min=0,
        help="With --on: the graphics processors that each run takes, such as 0.5. "
        "Default: 1 with --device cuda, else 0.",
        rich_help_panel=_PANEL,
    ),
]
Checkpoints = Annotated[
    str | None,
    typer.Option(
        "--checkpoints",
        metavar="DIR|URL",
        help="With --on: where runs leave what another machine goes on from; a folder that all "
        "share, or a URL of fsspec. Default: Ray's object store.",
        rich_help_panel=_PANEL,
    ),
]

RAY = "ray"


@dataclass(frozen=True)
class Where:
    """What these flags say. Raises UsageError where they do not go together."""

    at_a_time: int | None = None
    on: str | None = None
    gpus: float | None = None
    checkpoints: str | None = None

    def __post_init__(self) -> None:
        if self.on is not None and self.on != RAY and not self.on.startswith("ray://"):
            raise UsageError(
                f"--on {self.on} is nothing that runs could be carried out by",
                hint="use ray, or ray://HOST:PORT for a cluster",
            )
        for flag, value in (("--gpus", self.gpus), ("--checkpoints", self.checkpoints)):
            if value is not None and self.on is None:
                raise UsageError(f"{flag} needs --on", hint="for example --on ray")

    @property
    def asked(self) -> bool:
        """Whether the way runs are carried out was asked for."""
        return self.at_a_time is not None or self.on is not None

    def settled(self, recipe: Recipe) -> Recipe:
        """With its number of threads: the same everywhere, as the recipe remembers it."""
        if not self.asked or recipe.run.threads is not None:
            return recipe
        return recipe.updated({"run": {"threads": 1}})

    def takes(self, recipe: Recipe) -> dict[str, Any]:
        """`cpus` and `gpus` of a task with the settled `recipe`."""
        from artgen.executor import share_of_gpu

        gpus = share_of_gpu(self.gpus, recipe.run.device)
        return {"cpus": recipe.run.threads or 1, "gpus": gpus}

    def executor(self, recipes: Iterable[Recipe], registry: Registry) -> Executor:
        """What carries out runs of `recipes`. Raises UsageError where Ray is missing."""
        from artgen.executor import Here, OnRay, Processes, missing_ray, pin

        if self.on is not None:
            failure = missing_ray()
            if failure is not None:
                raise failure
            return OnRay(
                None if self.on == RAY else self.on,
                number=self.at_a_time,
                checkpoints=self.checkpoints,
                pinned=pin((recipe.to_dict() for recipe in recipes), registry),
            )
        return Here() if self.at_a_time in (None, 1) else Processes(self.at_a_time)
