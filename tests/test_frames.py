"""Frames of the video, drawn in another thread beside the next steps of the fit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import recipe
from numpy.typing import NDArray

import artgen.compiler.threads
import artgen.runs.loop.checkpoints
import artgen.runs.video
from artgen.base.errors import OutputError
from artgen.engines import Engine
from artgen.engines.gradient.engine import GradientEngine
from artgen.events import Advanced, Event, Finished, FrameTaken, PreviewDrawn, Started, Working
from artgen.output import FrameStore, paced_frames
from artgen.registry import Registry
from artgen.runs import run
from artgen.runs.files.folder import RunFolder
from artgen.runs.job import Job
from artgen.runs.loop.frames import FrameRecorder
from artgen.runs.loop.stages import Loop
from artgen.values.drawing import Drawing

PATIENCE = 60.0
"""Seconds after which a frame that waits for the fit has waited in vain."""


class Beside:
    """Holds every frame that another thread draws until the fit has taken, or begun, a step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.stepped, self.drawing = threading.Event(), threading.Event()
        self.frames = 0
        self.memory: dict[str, torch.Tensor] = {}
        begin, close, draw = FrameRecorder.begin, FrameRecorder.close, Job.draw_frame
        advance, current = GradientEngine.advance, GradientEngine.drawing

        def begun(recorder: FrameRecorder, step: int, drawing: Drawing) -> bool:
            # No step follows the last frame.
            (self.stepped.set if step == last else self.stepped.clear)()
            return begin(recorder, step, drawing)

        def advanced(engine: GradientEngine, steps: int) -> None:
            advance(engine, steps)
            engine.drawing(best=False)
            self.stepped.set()

        def reused(engine: GradientEngine, best: bool) -> Drawing:
            """One that the next step writes over."""
            drawing = current(engine, best)
            if best:
                return drawing
            for name, tensor in drawing.tensors.items():
                self.memory.setdefault(name, torch.empty_like(tensor)).copy_(tensor)
            return replace(drawing, tensors=self.memory)

        def closed(recorder: FrameRecorder) -> None:
            self.stepped.set()
            close(recorder)

        def drawn(job: Job, drawing: Drawing) -> NDArray[np.uint8]:
            if threading.current_thread() is threading.main_thread():
                return draw(job, drawing)
            self.frames += 1
            self.drawing.set()
            assert self.stepped.wait(PATIENCE)
            pixels = draw(job, drawing)
            self.drawing.clear()
            return pixels

        monkeypatch.setattr(artgen.compiler.threads, "thread_count", lambda: 2)
        # A frame would be waited for before the checkpoint.
        monkeypatch.setattr(artgen.runs.loop.checkpoints, "CHECKPOINT_SECONDS", 1e9)
        monkeypatch.setattr(FrameRecorder, "begin", begun)
        monkeypatch.setattr(FrameRecorder, "close", closed)
        monkeypatch.setattr(GradientEngine, "advance", advanced)
        monkeypatch.setattr(GradientEngine, "drawing", reused)
        monkeypatch.setattr(Job, "draw_frame", drawn)


def stored(out: Path) -> dict[str, bytes]:
    """The outputs that two equal runs agree on."""
    return {
        path.suffix: path.read_bytes()
        for path in out.iterdir()
        if path.suffix in (".art", ".mp4", ".png")
    }


def test_frames_are_drawn_beside_the_next_steps(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe(photo, {"steps": 20, "start": 1.0})
    alone: list[Event] = []
    run(asked, registry, out=tmp_path / "alone", observers=[alone.append])

    beside = Beside(monkeypatch, last=20)
    events: list[Event] = []

    def watch(event: Event) -> None:
        assert threading.current_thread() is threading.main_thread()
        events.append(event)

    run(asked, registry, out=tmp_path / "beside", observers=[watch])
    assert stored(tmp_path / "beside") == stored(tmp_path / "alone")
    # Kernels may have to be compiled for the first.
    assert beside.frames == sum(isinstance(event, FrameTaken) for event in events) - 1 == 7

    def pictures(told: list[Event]) -> list[tuple[int, bytes]]:
        return [(each.step, each.pixels.tobytes()) for each in told if type(each) is PreviewDrawn]

    assert pictures(events) == pictures(alone)
    # The events of a frame come before those of later steps, and as soon as without a thread.
    steps = [each.step for each in events if not isinstance(each, Working | Finished)]
    assert steps == sorted(steps)
    order = [
        [type(each) for each in told if not isinstance(each, Advanced)] for told in (events, alone)
    ]
    assert order[0] == order[1]


def test_a_run_that_fails_waits_for_its_frame(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, remove = GradientEngine.advance, RunFolder.remove

    def failing(engine: GradientEngine, steps: int) -> None:
        if engine.step == 3:
            raise RuntimeError("out of steps")
        advance(engine, steps)

    def removed(folder: RunFolder) -> None:
        assert not beside.drawing.is_set()
        remove(folder)

    monkeypatch.setattr(GradientEngine, "advance", failing)
    monkeypatch.setattr(RunFolder, "remove", removed)
    beside = Beside(monkeypatch, last=20)
    with pytest.raises(RuntimeError, match="out of steps"):
        run(recipe(photo, {"steps": 20, "start": 1.0}), registry, out=tmp_path / "out")
    assert beside.frames == 1
    assert not list((tmp_path / "out").iterdir())


def test_a_frame_that_cannot_be_stored_ends_the_run(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, out = recipe(photo, {"steps": 20, "start": 1.0}), tmp_path / "stopped"
    run(asked, registry, out=tmp_path / "whole")
    add = FrameStore.add

    def full(store: FrameStore, step: int, pixels: NDArray[np.uint8]) -> None:
        if step > 10:
            raise OutputError("no space left")
        add(store, step, pixels)

    events: list[Event] = []
    checkpoint, save = Loop._checkpoint, RunFolder.save_checkpoint

    def due(fit: Loop, engine: Engine) -> None:
        beside.stepped.set()
        checkpoint(fit, engine)

    def saved(folder: RunFolder, state: dict[str, object]) -> None:
        # A resumed run makes the frames after its checkpoint only.
        assert events[-1] == PreviewDrawn("photo-gaussian", 9, None)
        save(folder, state)

    with monkeypatch.context() as patch:
        beside = Beside(patch, last=20)
        patch.setattr(FrameStore, "add", full)
        patch.setattr(Loop, "_checkpoint", due)
        patch.setattr(RunFolder, "save_checkpoint", saved)
        with pytest.raises(OutputError, match="no space"):
            run(asked, registry, out=out, checkpoint_every=9, observers=[events.append])
    assert beside.frames > 1
    run(asked, registry, out=out, name="photo-gaussian", resume=True, observers=[events.append])
    assert [each.step for each in events if isinstance(each, Started)] == [0, 9]
    assert stored(out) == stored(tmp_path / "whole")


def test_changes_that_were_measured_beside_the_fit_change_no_video(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The best drawing, which is shown at the end, is not the last.
    asked = recipe(photo, {"steps": 30, "rate": 40.0}, output={"fps": 8, "video_seconds": 6})
    run(asked, registry, out=tmp_path / "known")
    measured: list[int] = []

    def paced(
        read: Callable[[int], NDArray[np.uint8]],
        steps: list[int],
        number: int,
        known: dict[tuple[int, int], float],
        *,
        fading: bool,
    ) -> Iterator[NDArray[np.uint8]]:
        measured.append(len(known))
        assert not any(30 in pair for pair in known)
        return paced_frames(read, steps, number, fading=fading)

    monkeypatch.setattr(artgen.runs.video, "paced_frames", paced)
    run(asked, registry, out=tmp_path / "measured")
    assert measured > [10]
    assert stored(tmp_path / "known") == stored(tmp_path / "measured")
