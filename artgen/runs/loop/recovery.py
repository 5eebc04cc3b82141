"""Recovery: a fit goes on after it diverged, ran out of memory, or lost its device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from artgen.base.errors import DeviceLost, Diverged, OutOfMemory
from artgen.base.faults import broken, root_of
from artgen.engines import Engine
from artgen.engines.protocols import LimitsMemory, Recovers
from artgen.raster import choose_backend, draw
from artgen.recipe import Recipe
from artgen.runs.job import Job
from artgen.runs.loop.progress import Progress

T = TypeVar("T")

RECOVERIES = 3
"""How often a stage that diverges goes back to its best drawing."""
MEMORY_CUTS = 6
"""How often the pieces in which an engine works are halved."""
TRIES = 3
"""A frame or a tile that diverges is fitted again so often, each time at half the rate."""


class Recovery:
    """Does the work of an engine, again and more carefully where it fails.

    `progress` counts the recoveries, and `notify` hears of each.
    """

    def __init__(self, job: Job, progress: Progress, notify: Callable[[str], None]) -> None:
        self.job, self.progress, self.notify = job, progress, notify
        self._share = 1.0

    def limit_memory(self, engine: Engine) -> None:
        """Let a new engine work in pieces as small as those before."""
        if self._share < 1 and isinstance(engine, LimitsMemory):
            engine.limit_memory(self._share)

    def guarded(self, engine: Engine, work: Callable[[], T]) -> T | None:
        """Do `work`; None where it diverged and the engine went back to the best.

        Raises Diverged where that was too often, PluginError where a plugin is to blame.
        """
        try:
            return self.within_memory(engine, work)
        except Diverged as error:
            self._check_plugins(engine)
            if self.progress.recoveries == RECOVERIES or not isinstance(engine, Recovers):
                raise
            self.progress.recoveries += 1
            engine.recover(0.5)
            self.notify(f"{error.message}: back to the best drawing, at half the learning rate")
            return None

    def within_memory(self, engine: Engine, work: Callable[[], T]) -> T:
        """Do `work`, in smaller and smaller pieces while memory runs out."""
        for _ in range(MEMORY_CUTS):
            try:
                return work()
            except OutOfMemory:
                if not isinstance(engine, LimitsMemory):
                    raise
                self._share *= 0.5
                engine.limit_memory(0.5)
                self.notify("out of memory: trying again in smaller pieces")
        return work()

    def _check_plugins(self, engine: Engine) -> None:
        """Raise PluginError where the primitive or the loss is what diverged, not the drawing."""
        job, data = self.job, self.job.data
        primitive = job.plan.primitive
        if data.goal.dim() != 3 or data.positions is not None:
            return
        best = engine.drawing(best=True)
        if not all(bool(tensor.isfinite().all()) for tensor in best.tensors.values()):
            return
        image = draw(best, primitive, device=job.device, backend=job.backend)
        if image.isfinite().all():
            job.plan.losses[self.progress.stage].check_finite(image, data.goal, data.weight)
        elif self.progress.plateau_decibels is not None:
            # Something finite was found, and is to be saved.
            return
        elif root_of(primitive) not in ("artgen", "artgen_plugins"):
            name = next(iter(primitive.required), "").partition(" or ")[0]
            raise broken(
                f"{name} of primitive {type(primitive).__name__}",
                getattr(type(primitive), name, type(primitive)),
                "gives NaN or infinity for finite parameters",
                "keep away from logarithms and roots of 0, and from divisions by it",
            )


def at_lower_rates(
    work: Callable[[int], T],
    *,
    halvings: int = 0,
    diverged: Callable[[Diverged], None] = lambda error: None,
) -> T:
    """Do `work`, given how often the rates are halved: once more each time that it diverges.

    `diverged` hears why. Raises Diverged after the last try.
    """
    while True:
        try:
            return work(halvings)
        except Diverged as error:
            if halvings >= TRIES:
                raise
            diverged(error)
            halvings += 1


def on_cpu(job: Job, recipe: Recipe) -> tuple[Job, Recipe]:
    """A job and its recipe without the device, which was lost."""
    backend = choose_backend(job.plan.primitive, "cpu", recipe.run.backend)
    place = {"device": "cpu", "backend": backend.name}
    plan = replace(job.plan, recipe=job.plan.recipe.with_run(**place))
    return replace(job, plan=plan, backend=backend), recipe.with_run(**place)


def continuing(error: DeviceLost, place: str) -> str:
    """The notice that a fit goes on without its device."""
    again = "a fit of this recipe may differ a little"
    return f"{error.message}: continuing on the CPU from {place}; {again}"
