"""Clips: frames that continue from one another against separate fits of each frame.

The clips are `sample:clip`, a photograph that is panned, turned and lit, and the three that are
drawn by code, each at its own speed and at twice that. Without motion, splats go on as their
neighbours did, and shapes climb from where they are. Separate fits have a seed each, and are made
of the last three frames alone, which are the farthest from the first fit; PSNR, in dB, and flicker
are of these frames. Those of splats take 400 steps, where the first fit of a clip takes 500, so
that both come to about the same PSNR; those of shapes take as many as the first fit. Steps and CPU
seconds are per frame, on one thread, the first fit included: without it, a Gaussian clip takes 50
to 250 steps per frame, and triangles take 40 to 200.

Flicker is the mean squared error of the change from frame to frame, in units of 10⁻⁴: at the same
pixel, and along the motion of the clip, which is the fair comparison: at the same pixel, errors of
more than a pixel or two of motion are uncorrelated even if the drawing moves exactly as the clip
does. `interrupted` says whether a run that was stopped and resumed gives the same film, byte for
byte.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

import artgen
from artgen.events import PreviewDrawn
from artgen.losses.metrics import psnr
from artgen.output import encode_png
from artgen.recipe import ClipTable, Recipe, Stage
from artgen.registry import default
from artgen.runs import run as run_recipe
from artgen.runs.kinds.clip.motion import Motion
from artgen.targets import (
    ClipTarget,
    ImageTarget,
    TargetRequest,
    image_from_array,
    open_frames,
)
from artgen.tasks import RunControl
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table, figure, ratio
from benchmarks._settings import Settings

COLUMNS = (
    *("clip, frames", "steps, by itself", "as a clip", "CPU s, by itself", "CPU s, as a clip"),
    *("CPU, times less", "PSNR by itself", "PSNR without motion", "PSNR as a clip", "gain, dB"),
    *("worst frame, dB", "flicker, 10⁻⁴, by itself", "flicker, times less"),
    *("along the motion, times less", "interrupted"),
)
JUDGED = 3
"""So many frames are also fitted separately: the last."""

CLIPS = (
    *(
        (f"clip-{name}?speed={speed}", frames)
        for name in ("balls", "flag", "zoom")
        for speed, frames in ((1, 12), (2, 12), (2, 60))
    ),
    *(("clip?pan=0.05&turn=3", 12), ("clip?pan=0.1&turn=6", 12)),
)
"""Samples, and how many of their 60 frames are fitted."""
CONTESTS = (("gaussian", 400, 500, 400, {}), ("triangle", 80, None, None, {"engine": "climb"}))


def run(settings: Settings) -> Iterator[Table]:
    side = 48 if settings.quick else 128
    for primitive, count, steps, fewer, engine in CONTESTS:
        rows = []
        for clip, frames in CLIPS[:1] if settings.quick else CLIPS:
            if settings.quick:
                count, steps, fewer, frames = 20, 20, 20, JUDGED + 1
            with tempfile.TemporaryDirectory() as folder:
                source = _saved(Path(folder), clip, frames, side)
                recipe = _recipe(primitive, count, steps, source, side)
                still = recipe.replace(clip=ClipTable(motion="extrapolate", **engine))
                for each in (recipe, still):
                    _warm_up(each)
                together, before = _clip(recipe), _clip(still)
                alone = _independent(_recipe(primitive, count, fewer, source, side))
                resumed = _resumed(recipe) if not rows else ""
            rows.append((f"{clip}, {frames}", *_row(alone, before, together), resumed))
        yield Table(f"{count} x {primitive}", COLUMNS, rows)


class Measured(NamedTuple):
    """Steps and CPU seconds per frame, and of the last frames mean and least PSNR and flicker."""

    steps: float
    seconds: float
    mean: float
    least: float
    flicker: float
    along: float


def _row(alone: Measured, before: Measured, together: Measured) -> tuple[str, ...]:
    return (
        *(figure(alone.steps), figure(together.steps)),
        *(figure(alone.seconds), figure(together.seconds), ratio(alone.seconds, together.seconds)),
        *(figure(each.mean, 4) for each in (alone, before, together)),
        *(f"{together.mean - alone.mean:+.2f}", figure(together.least, 4), figure(alone.flicker)),
        *(ratio(alone.flicker, together.flicker), ratio(alone.along, together.along)),
    )


def _saved(folder: Path, sample: str, frames: int, side: int) -> str:
    """The clip as files, so that making it is not part of fitting it."""
    clip = open_sample(sample, TargetRequest(size=side))
    assert isinstance(clip, ClipTarget)
    for number, frame in enumerate(itertools.islice(clip.frames(), frames)):
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


def _independent(recipe: Recipe) -> Measured:
    """The last frames, each fitted anew."""
    targets = _targets(recipe)
    began, arts, steps = time.process_time(), [], 0
    for number, frame in enumerate(targets):
        target = image_from_array(frame.image, TargetRequest(size=recipe.target.size))
        outcome = run_recipe(recipe.with_seed(number), default(), target=target)
        assert outcome.art is not None
        arts.append(outcome.art)
        steps += outcome.summary["steps"]
    seconds = time.process_time() - began
    drawn = [art.render() for art in arts]
    return Measured(steps / len(drawn), seconds / len(drawn), *_judged(drawn, targets))


def _clip(recipe: Recipe) -> Measured:
    """The same frames of a clip."""
    began = time.process_time()
    outcome = run_recipe(recipe, default())
    seconds, steps = time.process_time() - began, outcome.summary["steps"]
    count = outcome.summary["clip"]["frames"]
    drawn = list(outcome.art.frames())[-JUDGED:]
    return Measured(steps / count, seconds / count, *_judged(drawn, _targets(recipe)))


def _targets(recipe: Recipe) -> list[ImageTarget]:
    clip = open_frames(recipe.target.source.removeprefix("frames:"))
    return list(clip.frames())[-JUDGED:]


def _judged(
    drawn: list[NDArray[np.uint8]], targets: list[ImageTarget]
) -> tuple[float, float, float, float]:
    """Mean and least PSNR; flicker at the same pixels, and along the motion."""
    quality = [psnr(mine, target.pixels) for mine, target in zip(drawn, targets, strict=True)]
    errors = [
        (mine.astype(np.float64) - target.pixels) / 255
        for mine, target in zip(drawn, targets, strict=True)
    ]
    here = [np.square(new - old).mean() for old, new in itertools.pairwise(errors)]
    along = []
    for index, (old, new) in enumerate(itertools.pairwise(errors)):
        goals = (target.tensors().goal for target in (targets[index + 1], targets[index]))
        moved, inside = _moved(old, Motion(*goals, targets[index].canvas))
        along.append(np.square(new - moved)[inside].mean())
    return float(np.mean(quality)), min(quality), *(1e4 * float(np.mean(x)) for x in (here, along))


def _moved(error: NDArray[np.float64], back: Motion) -> tuple[NDArray[np.float64], Any]:
    """An error [height, width, 3] at the pixels of the next frame, and where it is known."""
    height, width = error.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    least = min(height, width)
    x, y = (2 * columns + 1 - width) / least, (2 * rows + 1 - height) / least
    right, down = back(np.stack([x, y], 2).reshape(-1, 2)).double().numpy() * least / 2
    there = np.stack([rows + down.reshape(rows.shape), columns + right.reshape(rows.shape)])
    moved = [map_coordinates(error[..., channel], there, order=3) for channel in range(3)]
    most = np.array([height - 1, width - 1])[:, None, None]
    return np.stack(moved, 2), ((there >= 0) & (there <= most)).all(0)


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

    def __call__(self, event: artgen.events.Event) -> None:
        if isinstance(event, PreviewDrawn):
            self.left -= 1
            if self.left <= 0:
                self.request_stop()
