"""Frames of the progress video: the steps that have one, and drawing them beside later steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.compiler.threads import begin
from artgen.drawing import Drawing
from artgen.errors import Diverged
from artgen.output import FrameStore, frame_steps
from artgen.recipe import OutputTable
from artgen.runner._prepare import Job

HOLD_SECONDS = 2.0


class Frame(NamedTuple):
    """A stored frame: `pixels`, uint8 [height, width, 3], and the CPU seconds that it took."""

    step: int
    pixels: NDArray[np.uint8]
    seconds: float


class FrameRecorder:
    """Draws and stores frames of a stage, one at a time.

    Compiled kernels draw on the CPU in another thread, while the fit goes on. All else is drawn by
    the thread that fits: a device belongs to it, and so does torch's own work. So is the first
    frame, for which kernels may have to be compiled.
    """

    def __init__(self, job: Job, store: FrameStore) -> None:
        self._job, self._store = job, store
        self._beside = False
        self._waiting: Callable[[], Frame] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a frame was begun that is to be finished."""
        return self._waiting is not None

    def begin(self, step: int, drawing: Drawing) -> bool:
        """Begin the frame of `step`; return whether the fit can go on before `finish`."""
        beside = self._beside
        if beside:
            # The next steps may write where an engine keeps its drawing.
            drawing = drawing.detach()
        clock = time.thread_time if beside else time.process_time

        def record() -> Frame:
            began = clock()
            pixels = self._job.draw_frame(drawing)
            self._store.add(step, pixels)
            return Frame(step, pixels, clock() - began)

        self._waiting = begin(record) if beside else record
        self._beside = self._job.backend.name == "compiled" and self._job.recipe.run.device == "cpu"
        return beside

    def finish(self) -> Frame | None:
        """Wait for the frame that was begun; None if there is none, or nothing finite to draw.

        Raises what drawing and storing it raised.
        """
        waiting, self._waiting = self._waiting, None
        # Whether there is a video decides nothing: the next evaluation will diverge too.
        with suppress(Diverged):
            return waiting and waiting()
        return None

    def close(self) -> None:
        """Wait until nothing is drawn or stored any more, whatever came of it."""
        with suppress(Exception):
            self.finish()


def video_steps(total: int, output: OutputTable) -> list[int]:
    """The steps of a stage of `total` steps that have a frame, thinned where fewer are allowed."""
    if output.frames:
        return thinned(total, output.frames)
    shown = output.video_seconds - min(HOLD_SECONDS, output.video_seconds / 2)
    # Where a video moves for longer than a second, its pictures fade into each other.
    enough = max(2, 2 * round(min(shown, 1) * output.fps), round(shown * output.fps * 2 / 3))
    return thinned(total, enough, early=enough // 2 if shown > 1 else 0)


def thinned(total: int, allowed: int, early: int = 0) -> list[int]:
    """The steps of the frames of a stage, or this many: the `early` ones, and the others evenly.

    Thinned before the first rather than on the way, so that a resumed run has the same.
    """
    steps = frame_steps(total)
    if len(steps) <= allowed:
        return steps
    last, left = len(steps) - 1 - early, allowed - early
    later = [steps[early + round(i * last / max(1, left - 1))] for i in range(left)]
    return [*steps[:early], *later]
