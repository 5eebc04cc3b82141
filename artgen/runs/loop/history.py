"""History: key drawings of the progress, kept until they become the film in the `.art` file.

They are drawings and not pictures, so the progress can be shown again at any size and rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from torch import Tensor

from artgen.display.views import open_view
from artgen.engines.base import part, prefixed
from artgen.film.scenes import Film, Scene
from artgen.film.trajectory import Trajectory, trajectory_of
from artgen.output import Pixels, measure_pace
from artgen.plan import Plan
from artgen.runs.files.state_file import StateStore
from artgen.runs.job import HOLD_SECONDS, Job
from artgen.runs.joining import join_keys
from artgen.values.drawing import Drawing

_IDENTITIES = "identities"
_TENSOR = "tensor."

LIGHT_KEYS = 12
"""Keyframes of a light history."""

_LEAST, _MOST = 0.02, 3.0
"""The least and the most time between two keyframes, of the mean: what jumps is not to wait."""

_PACE_SIDE = 96
"""Long side of the pictures by which the pace of a film is measured, in pixels."""

_LARGEST_LIGHT = 4_000_000
"""More parameters have no light history, which would take too long."""


def keeps_trajectory(plan: Plan, drawing: Drawing) -> bool:
    """Whether the file of a run gets a light history: files of other precisions are to be small."""
    return (
        plan.recipe.output.history is None
        and plan.recipe.run.precision == "fp32"
        and plan.primitive.keeps_trajectory
        and drawing.parameters <= _LARGEST_LIGHT
    )


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The tensors of a drawing at a `step` of the run, in which stage, and what its parts are.

    `identities` are those of `Engine.identities`.
    """

    step: int
    stage: int
    tensors: Mapping[str, Tensor]
    identities: Tensor | None


class History:
    """The keys of a run, one file each in `folder`, or in memory where there is none.

    The folder is the state: a resumed run opens it again and finds its keys.
    """

    def __init__(self, folder: Path | None) -> None:
        own = None if folder is None else StateStore(folder, "key drawing", 9, durable=False)
        self._store, self._kept = own, dict[int, Snapshot]()

    def add(self, step: int, stage: int, drawing: Drawing, identities: Tensor | None) -> None:
        """Keep the drawing of `step`; it replaces an earlier one of that step.

        Raises OutputError.
        """
        if self._store is None:
            self._kept[step] = Snapshot(step, stage, drawing.tensors, identities)
            return
        tensors = prefixed(_TENSOR, drawing.tensors)
        if identities is not None:
            tensors[_IDENTITIES] = identities
        self._store.write(step, tensors, {"stage": stage})

    def stored(self) -> list[Snapshot]:
        """All of them, by increasing step. Raises InputError where one is damaged."""
        if self._store is None:
            return [self._kept[step] for step in sorted(self._kept)]
        return [_read(self._store, step) for step in self._store.numbers()]

    def drop_after(self, step: int) -> None:
        """Remove the keys later than `step`: those a resumed run will make again."""
        if self._store is not None:
            for later in [stored for stored in self._store.numbers() if stored > step]:
                self._store.path(later).unlink(missing_ok=True)


def _read(store: StateStore, step: int) -> Snapshot:
    with store.reading(step) as (stored, values):
        stage, tensors = int(values["stage"]), part(stored, _TENSOR)
        return Snapshot(step, stage, tensors, stored.get(_IDENTITIES))


def number_of_keys(job: Job) -> int:
    """How many key drawings of each stage are kept."""
    is_light = keeps_trajectory(job.plan, job.start)
    return LIGHT_KEYS if is_light else job.recipe.output.history or 0


Filmed = tuple[Film | None, Trajectory | None]
"""The film of a fit, or its light history."""


def filmed(job: Job, keys: Sequence[Snapshot], drawing: Drawing) -> Filmed:
    """The keys of a fit as a film, or as a light history of the `drawing`."""
    output, parted = job.recipe.output, job.plan.primitive.has_count
    hold = min(HOLD_SECONDS, output.video_seconds / 2)
    film = film_of(keys, parted=parted, seconds=output.video_seconds, hold=hold, fps=output.fps)
    if output.history:
        return paced(film, _shown(job, film)), None
    light = trajectory_of(film, parts=parted)
    if not light:
        return None, None
    film = light.film(drawing)
    return None, light.retimed(paced(film, _shown(job, film)).scenes[0].times)


def _shown(job: Job, film: Film) -> Callable[[float], Pixels]:
    """Draws moments of a film: pictures small, to see how much they change."""
    view = job.view
    if job.target.subject is None:
        whole = job.start.canvas
        canvas = whole.scaled(min(_PACE_SIDE, max(whole.width, whole.height)))
        view = open_view(job.shown(job.start), job.plan.primitive, canvas, **job.means)
    return lambda seconds: view.show(job.shown(film.drawing(job.start, seconds))).pixels


def film_of(
    keys: Sequence[Snapshot], *, parted: bool, seconds: float, hold: float, fps: float
) -> Film:
    """The keys as a film of this many `seconds`, evenly apart; the last one is held for `hold`.

    `parted` says that they are made of parts. There is a cut between two stages, and between keys
    whose parts are not known to be the same; networks have none.
    """
    apart = (seconds - hold) / max(1, len(keys) - 1)
    timed = [(index * apart, key) for index, key in enumerate(keys)]

    def scene(item: tuple[float, Snapshot]) -> int:
        key = item[1]
        return 0 if not parted else -1 - key.stage if key.identities is not None else key.step

    def joined(group: Iterable[tuple[float, Snapshot]]) -> Scene:
        times, shots = zip(*group, strict=True)
        known = [key.identities for key in shots if key.identities is not None]
        return join_keys(times, [key.tensors for key in shots], known if parted else [])

    scenes = [joined(group) for _, group in groupby(timed, scene)]
    return Film(tuple(scenes), seconds, fps)


def paced(film: Film, show: Callable[[float], Pixels]) -> Film:
    """The film with its keyframes at times of equal amounts of change apart; it ends as before.

    `show` draws the film at a moment. Keyframes that say no more than an empty picture get times
    before 0: see `artgen.output.measure_pace`.
    """
    times = [time for scene in film.scenes for time in scene.times]
    first, changes = measure_pace(show, times)
    if first == len(times) - 1:
        first = 0
    if not any(changes[first:]):
        return film
    least, most = np.multiply((_LEAST, _MOST), sum(changes[first:]) / len(changes[first:]))
    way = np.cumsum([0.0, *[least] * first, *np.clip(changes[first:], least, most)])
    moved = np.round((way - way[first]) * times[-1] / (way[-1] - way[first]), 5)
    if (np.diff(moved) <= 0).any():
        return film  # Some are too near for five digits.
    scaled = iter(moved.tolist())
    scenes = [replace(each, times=tuple(islice(scaled, each.keyframes))) for each in film.scenes]
    return replace(film, scenes=tuple(scenes))
