"""The checkpoints of a fit: the engine's exact state beside the progress of the runner."""

from __future__ import annotations

import time
from typing import Any

from artgen.base.faults import plugin_code
from artgen.engines import Engine
from artgen.engines.base import part, prefixed
from artgen.runs.files.folder import RunFolder
from artgen.runs.loop.progress import Progress

CHECKPOINT_SECONDS = 10.0


class Checkpoints:
    """Saves them in the `folder`: after `every` steps of a stage, or else after ten seconds.

    Without a `folder` there are none. `engine` is the state from which the stage goes on, if any.
    """

    def __init__(self, folder: RunFolder | None, every: int | None, progress: Progress) -> None:
        self.folder, self.every, self.progress = folder, every, progress
        self.engine: dict[str, Any] | None = None
        self._last = time.perf_counter()

    def is_due(self, step: int) -> bool:
        """Whether to save one after this step of the stage."""
        if self.every:
            return step % self.every == 0
        return time.perf_counter() - self._last > CHECKPOINT_SECONDS

    def save(self, engine: Engine) -> None:
        """Replace the checkpoint in the folder. Raises OutputError."""
        if self.folder is None:
            return
        self.progress.step = engine.step
        state = prefixed("progress.", self.progress.state_dict())
        cls = type(engine)
        what, hint = f"state_dict of engine {cls.__name__}", "return tensors and numbers by name"
        with plugin_code(what, cls.state_dict, hint=hint):
            state |= prefixed("engine.", engine.state_dict())
        self.folder.save_checkpoint(state)
        self._last = time.perf_counter()

    def load(self, stages: int) -> None:
        """Return to the newest one of a run of so many `stages`, if there is one.

        Raises InputError where it is damaged.
        """
        assert self.folder is not None
        if (checkpoint := self.folder.load_checkpoint()) is None:
            return
        with self.folder.using_checkpoint():
            self.progress.load_state_dict(part(checkpoint, "progress."))
            if not 0 <= self.progress.stage < stages:
                raise ValueError(f"the run has no stage {self.progress.stage}")
        self.engine = part(checkpoint, "engine.")

    def restore(self, engine: Engine) -> None:
        """Give the engine, which has started, its state. Raises InputError where it refuses it."""
        assert self.folder is not None
        assert self.engine is not None
        with self.folder.using_checkpoint():
            engine.load_state_dict(self.engine)
        self.engine = None
