"""What is recorded of a fit: frames of its video, key drawings of its history, previews.

Nothing that is recorded changes what a fit computes. Only frames count as a part of its time.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager

from artgen.base.errors import Diverged, OutOfMemory
from artgen.engines import Engine
from artgen.events import FrameTaken, PreviewDrawn
from artgen.runs.context import RunContext
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Job, check_finite
from artgen.runs.loop.agenda import Occasions
from artgen.runs.loop.frames import FrameRecorder
from artgen.runs.loop.history import Filmed, History, Snapshot, filmed, number_of_keys
from artgen.runs.loop.pace import Workload
from artgen.runs.loop.progress import Progress
from artgen.runs.loop.time_budget import TimeBudget
from artgen.values.drawing import Drawing


class Recording:
    """Takes frames where there is a `folder`, keeps key drawings, and draws for those who watch.

    `occasions` says which of them there are; their steps are the agenda's.
    """

    def __init__(
        self,
        job: Job,
        folder: RunFolder | None,
        progress: Progress,
        time_budget: TimeBudget,
        context: RunContext,
    ) -> None:
        self.job, self.progress, self.time, self.context = job, progress, time_budget, context
        output = job.recipe.output
        self.makes_frames = output.video and not (
            output.walk or output.film or output.start == "parts"
        )
        filming = folder is not None and self.makes_frames
        self.occasions = Occasions(filming, number_of_keys(job))
        self.history = History(None if folder is None else folder.history)
        self._frames = None if folder is None else folder.frames
        self._recorder: FrameRecorder | None = None

    @contextmanager
    def of_stage(self) -> Iterator[None]:
        """Record the stage that runs in the block, up to its last frame."""
        if self._frames is None:
            yield
            return
        self._recorder = FrameRecorder(self.job, self._frames)
        # Where a run fails, its folder may be removed.
        with closing(self._recorder):
            yield
            self.finish_frame()

    def drop_after(self, step: int) -> None:
        """Remove what is later than `step`: a resumed run makes it again."""
        if self._frames is not None:
            self._frames.drop_after(step)
        self.history.drop_after(step)

    def frame(self, engine: Engine, frames: Collection[int]) -> None:
        """Begin a frame of the video, and finish it here unless the fit can go on beside it."""
        if self._recorder is None or engine.step not in frames:
            return
        step, recorder = self.progress.offset + engine.step, self._recorder
        if not self.time.timed(lambda: recorder.begin(step, engine.drawing(best=False))):
            self.finish_frame()

    def finish_frame(self) -> None:
        """Wait for the frame that was begun, if there is one."""
        if self._recorder is None or not self._recorder.is_busy:
            return
        frame = self.time.timed(self._recorder.finish, Workload(frames=1))
        if frame is None:
            return
        self.context.emit(FrameTaken(self.context.name, frame.step))
        self.context.emit(PreviewDrawn(self.context.name, frame.step, frame.pixels))
        self.context.control.preview_drawn(frame.seconds)

    def keep(self, engine: Engine, keys: Collection[int]) -> None:
        """Keep a drawing for the history: what that takes is no part of the run."""
        if engine.step not in keys:
            return
        drawing = engine.drawing(best=False)
        try:
            check_finite(drawing)
        except Diverged:
            return
        step = self.progress.offset + engine.step
        self.history.add(step, self.progress.stage, drawing, engine.identities(best=False))

    def show(self, engine: Engine) -> None:
        """Draw for those who watch: what that takes is no part of the run."""
        shown_soon = self._recorder is not None and self._recorder.is_busy
        if shown_soon or not self.context.control.wants_preview():
            return
        began_cpu = time.process_time()
        try:
            pixels = self.job.draw(engine.drawing(best=False)).pixels
        except (Diverged, OutOfMemory):
            return
        step = self.progress.offset + engine.step
        self.context.emit(PreviewDrawn(self.context.name, step, pixels))
        self.context.control.preview_drawn(time.process_time() - began_cpu)

    def progress_of(self, last: Snapshot, drawing: Drawing) -> Filmed:
        """The key drawings up to the `last` as a film, or as a light history of the `drawing`."""
        if not self.occasions.keys:
            return None, None
        keys = [*(key for key in self.history.stored() if key.step < last.step), last]
        return filmed(self.job, keys, drawing)
