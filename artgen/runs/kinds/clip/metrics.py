"""How good the film of a clip is, frame by frame, and the video that shows it beside the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.display import METRICS
from artgen.film.scenes import Film
from artgen.output import Pixels
from artgen.runs.job import Job
from artgen.targets import ClipTarget, ImageTarget

GAP = 4
"""Pixels between the clip and the drawing."""


def clip_metrics(job: Job, film: Film, starts: Sequence[int]) -> dict[str, Any]:
    """Means over the frames, as for a picture, and `clip`: what only moving pictures have.

    `starts` are the numbers of the first frames of scenes. The flicker is the mean squared error of
    the change from frame to frame, of what is drawn against the clip's, 1 being from black to
    white, over all pairs of frames of a scene and all pixels that count in the second.
    """
    of_frames: dict[str, list[float]] = {"loss": []}
    changes: list[float] = []
    before: NDArray[np.float64] | None = None
    for number, (target, moment) in enumerate(_pairs(job, film)):
        picture = job.draw(film.drawing(job.start, moment))
        data = target.tensors()
        loss = job.plan.losses[-1](picture.outputs, data.goal, data.weight)
        of_frames["loss"].append(float(loss))
        for name, value in job.view.metrics(picture, target).items():
            if value is not None:
                of_frames.setdefault(name, []).append(value)
        error = (picture.pixels.astype(np.float64) - target.pixels) / 255
        if before is not None and number not in starts:
            squares = np.square(error - before).mean(2)
            changes.append(float(np.average(squares, weights=target.counted)))
        before = error
    means = {name: float(np.mean(values)) for name, values in of_frames.items()}
    return {
        **dict.fromkeys(METRICS),
        **{name: round(value, 6) for name, value in means.items() if name != "loss"},
        "loss": means["loss"],
        "clip": {
            "frames": film.keyframes,
            "scenes": len(starts),
            "fps": round(film.fps, 6),
            "duration": round(film.duration, 6),
            "psnr_min": min(of_frames["psnr"]),
            "flicker": float(np.mean(changes)) if changes else None,
        },
    }


def side_by_side(job: Job, film: Film) -> Iterator[Pixels]:
    """Every frame of the clip with what is drawn to its right, uint8 [height, width, 3]."""
    for target, moment in _pairs(job, film):
        drawn = job.draw(film.drawing(job.start, moment)).pixels
        gap = np.full((len(drawn), GAP, 3), 128, np.uint8)
        yield np.concatenate([target.pixels, gap, drawn], axis=1)


def _pairs(job: Job, film: Film) -> Iterator[tuple[ImageTarget, float]]:
    """The frames of the clip with the moments of their keys."""
    assert isinstance(job.target, ClipTarget)
    moments = [time for scene in film.scenes for time in scene.times]
    yield from zip(job.target.frames(), moments, strict=False)
