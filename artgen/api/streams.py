"""A fit, step by step: `artgen.stream`."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar

from artgen.art import Art
from artgen.base.errors import UsageError
from artgen.events import Advanced, Evaluated, Event, Observer, PreviewDrawn, Step
from artgen.output import Pixels
from artgen.tasks import RunControl

listening: ContextVar[tuple[RunControl, Observer] | None] = ContextVar("listening", default=None)
"""The control of a fit of this thread, and who observes it beside the caller, if anybody does."""

STEP_SECONDS = 1.0
"""A stream gives a step at least about this often, between evaluations too."""


class Stream:
    """A fit, step by step: iterate over it once, then ask for `art`.

    The fit runs in another thread and waits while the loop does something else. Leaving the loop
    ends it with its best drawing so far. Errors of the fit are raised by the loop and by `art`.
    """

    def __init__(self, work: Callable[[], Art]) -> None:
        self._work = work
        self._control = RunControl()
        self._control.watched = True
        self._steps: queue.Queue[Step | None] = queue.Queue(maxsize=1)
        self._picture: Pixels | None = None
        self._last: Step | None = None
        self._due = 0.0
        self._art: Future[Art] = Future()
        self._begun = False

    def __iter__(self) -> Iterator[Step]:
        if self._begun:
            return
        self._begun = True
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            while (step := self._steps.get()) is not None:
                yield step
        finally:
            self._control.request_stop()
            while thread.is_alive():
                try:
                    self._steps.get(timeout=0.05)
                except queue.Empty:
                    continue
            thread.join()
        self._art.result()

    @property
    def art(self) -> Art:
        """The result; a fit that was not begun is done first. Raises UsageError within the loop."""
        for _ in self:
            pass
        if not self._art.done():
            raise UsageError("the fit is still running", hint="ask for its art after the loop")
        return self._art.result()

    def _run(self) -> None:
        listening.set((self._control, self._hear))
        try:
            self._art.set_result(self._work())
        except BaseException as error:
            self._art.set_exception(error)
        finally:
            self._steps.put(None)

    def _hear(self, event: Event) -> None:
        if isinstance(event, PreviewDrawn):
            self._picture = event.pixels
        elif isinstance(event, Evaluated):
            e = event
            self._give(Step(e.step, e.total_steps, e.seconds, e.loss, e.psnr, self._picture))
        elif isinstance(event, Advanced) and self._last and time.monotonic() >= self._due:
            loss, psnr = self._last.loss, self._last.psnr
            now = event.step, event.total_steps, event.seconds
            self._give(Step(*now, loss, psnr, self._picture, evaluated=False))

    def _give(self, step: Step) -> None:
        """Hand a step to the loop, and wait for it."""
        self._steps.put(step)
        self._last, self._due = step, time.monotonic() + STEP_SECONDS
