"""Clips: frames that continue from one another against separate fits of each frame.

The clip is `sample:clip`: 60 frames of a photograph that is panned, turned and lit, and after a
cut of another one, as a folder of PNG. Independent fits have a seed each. Those of splats take
fewer steps than the first fits of the clip's scenes, so that they come to no more than its PSNR;
those of shapes take as many. CPU seconds are those of everything from reading to the metrics, on
one thread. Flicker is the mean squared error of the change from frame to frame, within scenes, in
units of 10⁻⁴. `interrupted` tells whether a run that was stopped and resumed gives the same film,
byte for byte.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import artgen
from artgen.events import PreviewDrawn
from artgen.metrics import psnr
from artgen.output import encode_png
from artgen.recipe import Recipe, Stage
from artgen.registry import default
from artgen.runner import run as run_recipe
from artgen.targets import ClipTarget, TargetRequest, image_from_array, open_frames, open_sample
from artgen.tasks import RunControl
from benchmarks._report import Table, figure, ratio
from benchmarks._settings import Settings

COLUMNS = ("", "CPU s", "mean PSNR, dB", "worst frame, dB", "flicker, 10⁻⁴", "interrupted")


def run(settings: Settings) -> Iterator[Table]:
    frames, side = (6, 48) if settings.quick else (60, 192)
    contests = (("gaussian", 1000, 500, 400), ("triangle", 150, None, None))
    for primitive, count, steps, fewer in contests:
        if settings.quick:
            count, steps, fewer = 20, 20, 20
        with tempfile.TemporaryDirectory() as folder:
            source = _saved(Path(folder), frames, side)
            recipe = _recipe(primitive, count, steps, source, side)
            _warm_up(recipe)
            together = _clip(recipe)
            alone = _independent(_recipe(primitive, count, fewer, source, side), -(-frames // 2))
        saved = ratio(alone[0], together[0])
        less = ratio(alone[3], together[3])
        yield Table(
            f"{count} x {primitive}, {frames} frames at {side}x{side * 3 // 4}, "
            f"first fits of {steps or 7 * count} steps, independent ones of {fewer or 7 * count}",
            COLUMNS,
            [
                ("each frame by itself", *_figures(*alone), ""),
                ("as a clip", *_figures(*together), _resumed(recipe)),
                ("", saved, "", "", less, ""),
            ],
        )


def _figures(seconds: float, mean: float, least: float, flicker: float) -> tuple[str, ...]:
    return figure(seconds), figure(mean, 4), figure(least, 4), figure(flicker)


def _saved(folder: Path, frames: int, side: int) -> str:
    """The clip as files, so that making it is not part of fitting it."""
    clip = open_sample(f"clip?n={frames}", TargetRequest(size=side))
    assert isinstance(clip, ClipTarget)
    for number, frame in enumerate(clip.frames()):
        (folder / f"{number:03d}.png").write_bytes(encode_png(frame.pixels))
    return f"frames:{folder}?fps=24"


def _recipe(primitive: str, count: int, steps: int | None, source: str, side: int) -> Recipe:
    return Recipe.from_dict(
        {
            "seed": 7,
            "target": {"source": source, "size": side},
            "primitive": {"name": primitive, "count": count},
            "stage": [{} if steps is None else {"steps": steps}],
            "output": {"video": False},
            "run": {"threads": 1, "device": "cpu"},
        }
    )


def _warm_up(recipe: Recipe) -> None:
    """Compile the kernels."""
    short = recipe.with_target(source="sample:clip?n=2").with_stages([Stage(steps=2)])
    run_recipe(short, default())


def _independent(recipe: Recipe, middle: int) -> tuple[float, float, float, float]:
    """CPU seconds, mean and least PSNR, flicker."""
    began = time.process_time()
    clip = open_frames(recipe.target.source.removeprefix("frames:"))
    quality: list[float] = []
    changes: list[float] = []
    before: Any = None
    for number, frame in enumerate(clip.frames()):
        target = image_from_array(frame.image, TargetRequest(size=recipe.target.size))
        own = recipe.with_seed(number)
        art = run_recipe(own, default(), target=target).art
        assert art is not None
        drawn = art.render()
        assert drawn is not None
        quality.append(psnr(drawn, frame.pixels))
        error = (drawn.astype(np.float64) - frame.pixels) / 255
        if number not in (0, middle):
            changes.append(float(np.square(error - before).mean()))
        before = error
    seconds = time.process_time() - began
    return seconds, float(np.mean(quality)), min(quality), 1e4 * float(np.mean(changes))


def _clip(recipe: Recipe) -> tuple[float, float, float, float]:
    """The same."""
    began = time.process_time()
    outcome = run_recipe(recipe, default())
    seconds = time.process_time() - began
    figures = outcome.summary["clip"]
    return (
        *(seconds, outcome.summary["psnr"], figures["psnr_min"]),
        1e4 * figures["flicker"],
    )


def _resumed(recipe: Recipe) -> str:
    """Whether a run that was stopped and resumed gives the same film, in a shorter clip."""
    short = recipe.with_target(source="sample:clip?n=12", size=64)
    stop = _Stop(6)
    with tempfile.TemporaryDirectory() as folder:
        whole = run_recipe(short, default(), out=Path(folder) / "a", name="clip")
        run_recipe(
            *(short, default()),
            out=Path(folder) / "b",
            name="clip",
            control=stop,
            observers=[stop],
        )
        again = run_recipe(short, default(), out=Path(folder) / "b", name="clip", resume=True)
    return "same" if whole.art.to_bytes() == again.art.to_bytes() else "differs"


class _Stop(RunControl):
    """Ask a run to stop after this many pictures."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.left = pictures

    def __call__(self, event: artgen.Event) -> None:
        if isinstance(event, PreviewDrawn):
            self.left -= 1
            self.stop_requested |= self.left <= 0
