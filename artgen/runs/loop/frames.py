"""Frames of the progress video, drawn beside later steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from artgen.base.errors import Diverged
from artgen.compiler.threads import begin
from artgen.output import FrameStore, Pixels
from artgen.runs.job import Job
from artgen.values.drawing import Drawing


class Taken(NamedTuple):
    """A stored frame: `pixels`, uint8 [height, width, 3], and the CPU seconds that it took."""

    step: int
    pixels: Pixels
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
        self._waiting: Callable[[], Taken] | None = None

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

        def record() -> Taken:
            began = clock()
            pixels = self._job.draw_frame(drawing)
            self._store.add(step, pixels)
            return Taken(step, pixels, clock() - began)

        self._waiting = begin(record) if beside else record
        self._beside = self._job.backend.name == "compiled" and self._job.recipe.run.device == "cpu"
        return beside

    def finish(self) -> Taken | None:
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
