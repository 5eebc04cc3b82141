"""Runs from a recipe to their files: budgets, troubles, outputs, and what makes them again."""

from __future__ import annotations

import errno
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from helpers import changed, video_frames
from PIL import Image

import artgen.runs.loop.agenda
import artgen.runs.loop.stages
from artgen.art import load
from artgen.base.errors import (
    Diverged,
    InputError,
    OutOfMemory,
    OutputError,
    PluginError,
    UsageError,
)
from artgen.engines import Problem
from artgen.engines.base import ReportPace
from artgen.engines.gradient.engine import GradientEngine
from artgen.events import Advanced, Evaluated, Event, Finished, FrameTaken, Notice, Started, Working
from artgen.losses.metrics import psnr
from artgen.output import FrameStore, read_recipe
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import check_agreement, default_stem, output_paths, run
from artgen.targets import image_from_array

SUMMARY_KEYS = [
    "artgen",
    "primitive",
    "engine",
    "backend",
    "device",
    "threads",
    "precision",
    "seed",
    "target",
    "count",
    "parameters",
    "floats",
    "steps",
    "seconds",
    "total_seconds",
    "steps_per_second",
    "stopped_by",
    "psnr",
    "ssim",
    "mse",
    "accuracy",
    "mean_error",
    "loss",
    "precision_cost",
    "bytes",
    "file_bytes",
    "bpp",
    "outputs",
    "recipe",
]

FRAGILE = """
import os
from dataclasses import dataclass

import torch
from artgen import Param, Splat, init, option


class Fragile(Splat):
    '''A disc with a fuse that burns towards a limit, beyond which everything is NaN.'''

    @dataclass(frozen=True)
    class Options:
        limit: float = option(0.2, "where it burns out")
        memory_errors: int = option(0, "how many evaluations run out of memory")

    @property
    def params(self):
        return {
            "size": Param(init=init.from_spacing(0.5), lr=0.0, map="exp"),
            "fuse": Param(init=init.constant(0.0), lr=0.02),
        }

    failures = 0

    def footprint(self, dx, dy, p):
        if Fragile.failures < self.options.memory_errors:
            Fragile.failures += 1
            raise MemoryError
        rest = torch.sqrt(self.options.limit - p.fuse.detach())
        disc = torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))
        return disc * (1 + p.fuse) * rest / rest

    def radius(self, p):
        return 2.6 * p.size
"""


def picture(width: int = 24, height: int = 16) -> np.ndarray:
    """A colour gradient with a bright block, uint8 [height, width, 3]."""
    row, column = np.mgrid[0:height, 0:width]
    across, down = column / max(1, width - 1), row / max(1, height - 1)
    image = np.stack([across, down, 1 - across], axis=2)
    image[height // 4 : height // 2, width // 3 : width // 2] = (1, 0.9, 0.2)
    return (255 * image).astype(np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(picture()).save(path)
    return path


def recipe(source: Path | str, *stages: dict, **tables: dict) -> Recipe:
    """A small recipe: 12 splats, 20 steps, a video of 8 frames."""
    base = {
        "seed": 5,
        "target": {"source": str(source)},
        "primitive": {"name": "gaussian", "count": 12},
        "stage": list(stages) or [{"steps": 20}],
        "output": {"fps": 8, "video_seconds": 1},
        "run": {"device": "cpu", "threads": 1},
    }
    return changed(Recipe.from_dict(base), tables)


def stored(out: Path) -> dict[str, bytes]:
    """The bytes of the still and the art in `out`."""
    return {path.suffix: path.read_bytes() for path in out.iterdir() if path.suffix in STABLE}


STABLE = (".png", ".art")


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def tensors(path: Path) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in load(path).drawing.tensors.items()}


# ---- the same again -----------------------------------------------------------------------------


def test_same_seed_same_bytes(photo: Path, tmp_path: Path, registry: Registry) -> None:
    one = run(recipe(photo), registry, out=tmp_path / "one")
    two = run(
        recipe(photo),
        registry,
        out=tmp_path / "two",
        log=tmp_path / "log.jsonl",
        checkpoint_every=3,
    )

    assert stored(tmp_path / "one") == stored(tmp_path / "two")
    assert video_frames(tmp_path / "one/photo-gaussian.mp4")[-1].shape == (16, 24, 3)
    other = run(recipe(photo, seed=6), registry, out=tmp_path / "other")
    assert other.summary["psnr"] != one.summary["psnr"] == two.summary["psnr"]


def test_a_video_changes_nothing_but_the_recipe(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    run(recipe(photo), registry, out=tmp_path / "with")
    run(recipe(photo, output={"video": False}), registry, out=tmp_path / "without")

    first, second = tmp_path / "with", tmp_path / "without"
    assert not (second / "photo-gaussian.mp4").exists()
    for name, values in tensors(first / "photo-gaussian.art").items():
        np.testing.assert_array_equal(values, tensors(second / "photo-gaussian.art")[name])
    stills = [pixels_of(out / "photo-gaussian.png") for out in (first, second)]
    np.testing.assert_array_equal(*stills)


@pytest.mark.parametrize("primitive", ["gaussian", "mlp"])
def test_chunks_affect_speed_only(
    primitive: str,
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(artgen.runs.loop.stages, "CHUNK_SECONDS", 1e9)
    monkeypatch.setattr(GradientEngine, "report_pace", lambda engine: ReportPace(3))
    size = {"name": "mlp", "hidden": 8, "count": None} if primitive == "mlp" else {}
    stage = {"steps": 60, "batch": 32} if primitive == "mlp" else {"steps": 60}
    asked = recipe(photo, stage, primitive=size, output={"video": False, "history": 0})
    results, longest = [], []
    for chunk in (1, 7, 1000):
        monkeypatch.setattr(artgen.runs.loop.stages, "LARGEST_CHUNK", chunk)
        steps = [0]
        out = tmp_path / str(chunk)
        run(asked, registry, out=out, observers=[lambda e, s=steps: s.append(step_of(e, s))])
        longest.append(max(np.diff(steps)))
        results.append(stored(out))

    assert longest[:2] == [1, 7]
    assert longest[2] > 7
    assert results[0] == results[1] == results[2]


def step_of(event: object, steps: list[int]) -> int:
    return event.step if isinstance(event, Advanced) else steps[-1]


def test_every_output_makes_the_same_still_again(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    first = tmp_path / "first"
    # Neither the device nor the number of threads is asked for: they are stored as resolved.
    run(recipe(photo, seed=None, run={"threads": None}), registry, out=first)

    for suffix in (".png", ".mp4", ".art", ".json"):
        text = read_recipe(first / f"photo-gaussian{suffix}")
        again = Recipe.from_dict(json.loads(text))
        out = tmp_path / suffix
        run(again, registry, out=out, search=[tmp_path])
        assert stored(out) == stored(first)


def test_threads_are_bounded_by_the_machine(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    events: list[Event] = []
    asked = recipe(photo, run={"threads": 1_000_000})
    result = run(asked, registry, out=tmp_path, observers=[events.append])
    assert result.summary["threads"] == 1
    assert any("1000000 threads" in e.message for e in events if isinstance(e, Notice))
    check_agreement(Recipe.from_dict(result.summary["recipe"]), asked, registry)


def test_no_output_knows_where_it_was_made(photo: Path, tmp_path: Path, registry: Registry) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", (24, 16), 200).save(mask)
    run(recipe(photo), registry, out=tmp_path / "first")
    start = {"name": str(tmp_path / "first/photo-gaussian.art")}
    asked = recipe(photo, target={"mask": {"name": str(mask)}}, init=start)
    outcome = run(asked, registry, out=tmp_path / "out")

    assert len(list((tmp_path / "out").iterdir())) == 4
    for path in (tmp_path / "out").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes(), path.name
        if path.suffix != ".json":
            assert str(tmp_path) not in read_recipe(path)
    assert outcome.summary["recipe"]["init"]["name"] == "photo-gaussian.art"


# ---- budgets ------------------------------------------------------------------------------------


def test_steps(photo: Path, registry: Registry) -> None:
    outcome = run(recipe(photo, {"steps": 7}), registry)
    assert (outcome.summary["steps"], outcome.summary["stopped_by"]) == (7, "steps")


def test_target_psnr_stops_at_an_evaluation_with_what_was_asked_for(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    reached = run(recipe(photo, {"steps": 300}), registry).summary["psnr"]
    evaluated: list[int] = []

    def watch(event: object) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event.step)

    asked = recipe(photo, {"steps": 300, "target_psnr": reached - 2})
    outcome = run(asked, registry, out=tmp_path / "one", observers=[watch])

    assert outcome.summary["stopped_by"] == "target-psnr"
    assert outcome.summary["psnr"] >= reached - 2
    assert outcome.summary["steps"] == evaluated[-1] < 300
    assert outcome.summary["recipe"]["stage"][0]["stop"] == evaluated[-1]
    run(outcome.art.recipe, registry, out=tmp_path / "two", search=[tmp_path])
    assert stored(tmp_path / "one") == stored(tmp_path / "two")


def test_target_psnr_counts_what_is_saved(photo: Path, registry: Registry) -> None:
    evaluated: list = []

    def watch(event: object) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event.psnr)

    coarse = run(recipe(photo, {"steps": 200}, run={"precision": "int8"}), registry)
    run(recipe(photo, {"steps": 200}), registry, observers=[watch])
    # The fit gets there, but what is left after rounding does not.
    between = 0.95 * max(evaluated) + 0.05 * coarse.summary["psnr"]
    assert coarse.summary["psnr"] < between < max(evaluated)
    asked = recipe(photo, {"steps": 200, "target_psnr": between}, run={"precision": "int8"})
    assert run(asked, registry).summary["stopped_by"] == "steps"


def test_plateau(tmp_path: Path, registry: Registry) -> None:
    flat = image_from_array(np.zeros((8, 8, 3), np.uint8), name="night")
    outcome = run(recipe("night", {"steps": 300, "plateau": 40}), registry, target=flat)
    assert outcome.summary["stopped_by"] == "plateau"
    assert 40 <= outcome.summary["steps"] < 300


def test_options_that_an_engine_found_are_stored_without_a_count(
    photo: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GradientEngine, "converged", lambda self: {"rate": 0.25})
    outcome = run(recipe(photo, {"steps": 2}), registry)
    assert outcome.art.recipe.stage[0].options["rate"] == 0.25
    assert outcome.art.recipe.primitive.count == recipe(photo, {}).primitive.count


@pytest.mark.parametrize("trouble", [Diverged, OutOfMemory])
def test_an_engine_that_cannot_recover_fails_at_once(
    trouble: type[Exception], photo: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    # A class of its own: Python remembers which classes answer a protocol.
    class Helpless(GradientEngine):
        recover = None
        limit_memory = None

        def advance(self, steps: int) -> None:
            calls.append(steps)
            raise trouble("no more")

    monkeypatch.setattr("artgen.engines.gradient.engine.GradientEngine", Helpless)
    asked = recipe(photo, {"steps": 2})
    if trouble is OutOfMemory:
        with pytest.raises(OutOfMemory, match="no more"):
            run(asked, registry)
    else:
        assert run(asked, registry).summary["stopped_by"] == "diverged"
    assert len(calls) == 1


def test_memory_that_ran_out_in_a_rehearsal_is_not_asked_for_again(
    photo: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    class Greedy(GradientEngine):
        def start(self, problem: Problem) -> None:
            self.share = 1.0
            super().start(problem)

        def limit_memory(self, share: float) -> None:
            self.share *= share
            limits.append(self.share)

        def advance(self, steps: int) -> None:
            if self.share > 0.25:
                raise OutOfMemory("too much")
            super().advance(steps)

    monkeypatch.setattr("artgen.engines.gradient.engine.GradientEngine", Greedy)
    outcome = run(recipe(photo, {"time": 0.3}), registry)
    assert outcome.summary["stopped_by"] in ("steps", "time")
    assert min(limits) == 0.25
    # An engine that began anew with all of it would run out, and be asked for half, again.
    assert limits == sorted(limits, reverse=True)


def test_stages_follow_each_other(photo: Path, tmp_path: Path, registry: Registry) -> None:
    frames, totals = [], set()

    def watch(event: object) -> None:
        if isinstance(event, FrameTaken):
            frames.append(event.step)
        if isinstance(event, Started | Advanced | Evaluated):
            totals.add(event.total_steps)

    asked = recipe(photo, {"steps": 30}, {"steps": 10, "rate": 0.1, "loss": "l1"})
    outcome = run(asked, registry, out=tmp_path, observers=[watch])
    alone = run(recipe(photo, {"steps": 30}), registry)

    assert outcome.summary["engine"] == "gradient,gradient"
    assert outcome.summary["steps"] == 40
    # It lowers l1, not mse: with five seeds the PSNR changes by -0.18 to 0.17 dB.
    assert outcome.summary["psnr"] > alone.summary["psnr"] - 0.25
    assert outcome.summary["loss"] > 5 * alone.summary["loss"]  # l1 against mse
    assert frames == sorted(set(frames))
    assert frames[-1] == 40
    assert totals == {40}


# ---- troubles -----------------------------------------------------------------------------------


@pytest.fixture
def fragile(tmp_path: Path) -> Registry:
    path = tmp_path / "fragile.py"
    path.write_text(FRAGILE)
    return Registry(files=[path], environ={})


def fragile_recipe(photo: Path, steps: int, **options: float) -> Recipe:
    # What goes wrong is counted in calls of the footprint, which compiling calls too.
    return recipe(
        photo,
        {"steps": steps, "warmup": 0, "start": 1.0, "move": 0.0},
        primitive={"name": "fragile", **options},
        run={"backend": "eager"},
    )


def notices(events: list) -> list[str]:
    return [
        event.message for event in events if isinstance(event, Notice) and event.level == "warning"
    ]


def test_a_run_recovers_from_divergence(photo: Path, tmp_path: Path, fragile: Registry) -> None:
    events: list = []
    asked = fragile_recipe(photo, 30, limit=0.3)
    outcome = run(asked, fragile, out=tmp_path / "out", observers=[events.append])

    halved = [text for text in notices(events) if "half the learning rate" in text]
    assert 1 <= len(halved) <= 3
    assert outcome.error is None
    assert outcome.summary["steps"] == 30
    assert np.isfinite(outcome.summary["loss"])


def test_a_run_gives_up_after_three_recoveries(
    photo: Path, tmp_path: Path, fragile: Registry
) -> None:
    events: list = []
    asked = fragile_recipe(photo, 300, limit=0.2)
    outcome = run(asked, fragile, out=tmp_path / "out", observers=[events.append])

    assert isinstance(outcome.error, Diverged)
    assert outcome.error.exit_code == 5
    assert outcome.summary["stopped_by"] == "diverged"
    assert len([text for text in notices(events) if "half the learning rate" in text]) == 3
    first = next(event for event in events if isinstance(event, Evaluated))
    assert 0 < outcome.summary["loss"] < first.loss
    still = pixels_of(tmp_path / "out/photo-fragile.png")
    assert psnr(still, picture()) == pytest.approx(outcome.summary["psnr"], abs=1e-4)
    folder = tmp_path / "out/photo-fragile.run"
    assert folder.is_dir()
    assert outcome.summary["outputs"]["checkpoint"] == str(folder)
    assert len(video_frames(tmp_path / "out/photo-fragile.mp4")) == 8


def test_divergence_is_the_same_without_a_video(
    photo: Path, tmp_path: Path, fragile: Registry
) -> None:
    asked = fragile_recipe(photo, 300, limit=0.2)
    one, two = run(asked, fragile), run(asked, fragile, out=tmp_path / "out")
    assert isinstance(one.error, Diverged)
    assert (one.summary["loss"], one.summary["steps"]) == (
        two.summary["loss"],
        two.summary["steps"],
    )


def test_nothing_finite_at_all(photo: Path, tmp_path: Path, fragile: Registry) -> None:
    with pytest.raises(PluginError, match=r"fragile.py, line \d+\) gives NaN or infinity"):
        run(fragile_recipe(photo, 30, limit=-1.0), fragile, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_out_of_memory_is_tried_again_in_smaller_pieces(photo: Path, fragile: Registry) -> None:
    events: list = []
    asked = fragile_recipe(photo, 5, limit=9.0, memory_errors=3)
    outcome = run(asked, fragile, observers=[events.append])

    assert len([text for text in notices(events) if "smaller pieces" in text]) == 3
    assert outcome.summary["steps"] == 5


def test_out_of_memory_for_good(photo: Path, tmp_path: Path, fragile: Registry) -> None:
    asked = fragile_recipe(photo, 5, memory_errors=1000)
    with pytest.raises(OutOfMemory) as caught:
        run(asked, fragile, out=tmp_path / "out")
    assert caught.value.hint
    assert list((tmp_path / "out").iterdir()) == []


# ---- existing outputs and places that cannot be written -------------------------------------------


def test_existing_outputs_are_refused(photo: Path, tmp_path: Path, registry: Registry) -> None:
    out = tmp_path / "out"
    run(recipe(photo), registry, out=out)
    before = stored(out)
    for path in sorted(out.iterdir()):
        others = [other for other in out.iterdir() if other != path]
        moved = [other.rename(tmp_path / other.name) for other in others]
        with pytest.raises(UsageError, match=f"{path.name} exists") as caught:
            run(recipe(photo, seed=6), registry, out=out)
        assert "--overwrite" in caught.value.hint
        for other in moved:
            other.rename(out / other.name)
    assert stored(out) == before

    run(recipe(photo, seed=6), registry, out=out, overwrite=True)
    assert stored(out).keys() == before.keys()
    assert stored(out) != before


def test_an_overwritten_run_without_video_leaves_no_old_one(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    run(recipe(photo), registry, out=tmp_path / "out")
    run(recipe(photo, output={"video": False}), registry, out=tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out/photo-gaussian.mp4").exists()


def test_a_leftover_folder_is_refused(photo: Path, tmp_path: Path, registry: Registry) -> None:
    folder = tmp_path / "out/photo-gaussian.run"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text("{}")
    with pytest.raises(UsageError, match="unfinished run") as caught:
        run(recipe(photo), registry, out=tmp_path / "out")
    assert "--resume" in caught.value.hint
    run(recipe(photo), registry, out=tmp_path / "out", overwrite=True)
    assert not folder.exists()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_unwritable_folder(place: str, photo: Path, tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "file").write_bytes(b"")
    steps: list = []
    with pytest.raises(OutputError, match="file"):
        run(recipe(photo), registry, out=tmp_path / place, observers=[steps.append])
    assert not any(isinstance(event, Started) for event in steps)


@pytest.mark.parametrize("suffix", [".png", ".mp4", ".art", ".json"])
def test_a_full_disk_leaves_earlier_outputs_alone(
    suffix: str,
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    run(recipe(photo), registry, out=out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    disk_is_full_for(suffix, monkeypatch)
    with pytest.raises(OutputError, match="No space left"):
        run(recipe(photo, seed=6), registry, out=out, overwrite=True)

    after = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert after == before
    # The work is not lost: it waits for space.
    monkeypatch.undo()
    started: list = []
    run(recipe(photo, seed=6), registry, out=out, resume=True, observers=[started.append])
    assert next(event.step for event in started if isinstance(event, Started)) == 20
    run(recipe(photo, seed=6), registry, out=tmp_path / "other")
    assert stored(out) == stored(tmp_path / "other")


@pytest.mark.parametrize("missing", [".png", ".mp4", ".json"])
def test_what_fails_after_the_fit_leaves_the_drawing(
    missing: str,
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where one output could not be written, no other was saved, and the fit had been for nothing."""
    out = tmp_path / "out"
    disk_is_full_for(missing, monkeypatch)
    outcome = run(recipe(photo), registry, out=out)
    assert isinstance(outcome.error, OutputError)
    assert "No space left" in outcome.error.message
    saved = f"the drawing is saved in {out / 'photo-gaussian.art'}, and --resume writes the rest"
    assert saved in (outcome.error.hint or "")
    written = {path.suffix for path in out.iterdir()}
    assert written == {".png", ".mp4", ".art", ".json", ".run"} - {missing}
    assert outcome.summary["outputs"]["art"] == str(out / "photo-gaussian.art")
    kind = {".png": "still", ".mp4": "video"}.get(missing)
    assert kind is None or outcome.summary["outputs"][kind] is None
    monkeypatch.undo()
    run(recipe(photo), registry, out=out, resume=True)
    run(recipe(photo), registry, out=tmp_path / "other")
    assert stored(out) == stored(tmp_path / "other")


def test_a_fault_of_a_plugin_after_the_fit_leaves_the_drawing(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any error while the video was drawn left nothing but the folder of the run."""

    def write_video(path: Path, frames: object, **_: object) -> None:
        raise RuntimeError("no such frame")

    monkeypatch.setattr("artgen.output.spool.write_video", write_video)
    outcome = run(recipe(photo), registry, out=tmp_path / "out")
    assert str(outcome.error) == "no such frame"
    assert (tmp_path / "out/photo-gaussian.art").is_file()


def test_a_video_that_does_not_fit_its_bytes_costs_the_video_alone(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """`--max-bytes 100` left neither PNG nor .art, and --resume refused another number."""
    out = tmp_path / "out"
    small, large = (recipe(photo, output={"max_bytes": most}) for most in (100, 10**6))
    outcome = run(small, registry, out=out)
    assert isinstance(outcome.error, OutputError)
    assert "within 100 bytes: the smallest takes" in outcome.error.message
    assert (outcome.error.hint or "").startswith("allow more bytes")
    assert {path.suffix for path in out.iterdir()} == {".png", ".art", ".json", ".run"}
    run(large, registry, out=out, resume=True)
    run(large, registry, out=tmp_path / "other")
    assert stored(out) == stored(tmp_path / "other")


def test_incomplete_outputs_replace_no_earlier_ones(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """The drawing then is in the folder of the run, and the hint says where."""
    out = tmp_path / "out"
    run(recipe(photo), registry, out=out)
    before = stored(out)
    with pytest.raises(OutputError, match="within 100 bytes") as caught:
        run(recipe(photo, seed=6, output={"max_bytes": 100}), registry, out=out, overwrite=True)
    art = out / "photo-gaussian.run/outputs/photo-gaussian.art"
    assert f"the drawing is saved in {art}" in (caught.value.hint or "")
    assert load(art).recipe.seed == 6
    assert stored(out) == before


def disk_is_full_for(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files in `outputs` with this suffix cannot be written."""
    full = OSError(errno.ENOSPC, "No space left on device")
    write = Path.write_bytes

    def write_bytes(path: Path, data: bytes) -> int:
        if path.suffix == suffix and path.parent.name == "outputs":
            write(path, data[: len(data) // 2])
            raise full
        return write(path, data)

    def write_video(path: Path, frames: object, **_: object) -> None:
        raise OutputError(f"cannot write {path}: {full.strerror}")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    if suffix == ".mp4":
        monkeypatch.setattr("artgen.output.spool.write_video", write_video)


def test_a_refused_run_leaves_no_folder(photo: Path, tmp_path: Path, registry: Registry) -> None:
    # Known only when the engine starts: a loss over windows cannot see random pixels.
    asked = recipe(
        photo,
        {"steps": 5, "batch": 16, "loss": "ssim"},
        primitive={"name": "mlp", "hidden": 4, "count": None},
    )
    with pytest.raises(UsageError, match="whole pictures"):
        run(asked, registry, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"primitive": {"name": "gausian"}}, PluginError, "gausian"),
        ({"primitive": {"blnd": "sum"}}, UsageError, "blnd"),
        ({"primitive": {"preset": "nope"}}, UsageError, "nope"),
        ({"stage": [{"engine": "climb"}]}, UsageError, "climb"),
        ({"stage": [{"rat": 2}]}, UsageError, "rat"),
        ({"target": {"source": "sample:nothing"}}, InputError, "nothing"),
        ({"target": {"source": "missing.png"}}, InputError, "missing.png"),
        ({"target": {"sha256": "0" * 64}}, InputError, "SHA-256"),
        ({"target": {"mask": {"name": "missing.png"}}}, InputError, "mask"),
        ({"init": {"name": "missing.art"}}, InputError, "missing.art"),
        ({"run": {"device": "abacus"}}, UsageError, "abacus"),
    ],
)
def test_wrong_recipes(
    changes: dict, error: type, match: str, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    with pytest.raises(error, match=match) as caught:
        run(recipe(photo, **changes), registry, out=tmp_path / "out")
    assert caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_field_has_no_count(photo: Path, registry: Registry) -> None:
    with pytest.raises(UsageError, match="no count"):
        run(recipe(photo, primitive={"name": "mlp", "count": 5}), registry)


def test_names_of_outputs() -> None:
    assert default_stem(recipe("sample:chelsea")) == "chelsea-gaussian"
    assert default_stem(recipe("/some where/über photo.jpeg")) == "über_photo-gaussian"
    places = ["-0.75,0.1", "0.75,0.1", "0.75;0.1", "0.75_0.1"]
    stems = [default_stem(recipe(f"mandelbrot:{place}")) for place in places]
    assert len(set(stems)) == len(places)
    assert all(stem.startswith("0.75_0.1-") for stem in stems)
    assert output_paths(Path("out"), "a.b")["still"] == Path("out/a.b.png")
    assert output_paths(Path("out"), "console")["still"] == Path("out/console.png")
    for stem in ("", ".hidden", "a/b", "..", "a\\b", "a:b", "con", "NUL.x", "Com1"):
        with pytest.raises(UsageError):
            output_paths(Path("out"), stem)


def test_the_hash_chooses_among_files_of_one_name(tmp_path: Path, registry: Registry) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, level in zip(folders, (10, 200), strict=True):
        folder.mkdir()
        Image.new("RGB", (8, 8), (level, level, level)).save(folder / "same.png")
    made = run(recipe(folders[1] / "same.png"), registry).art.recipe

    again = run(made, registry, search=folders)
    assert again.summary["target"]["sha256"] == made.target.sha256
    with pytest.raises(InputError, match="SHA-256 differs"):
        run(made, registry, search=folders[:1])


# ---- init ---------------------------------------------------------------------------------------


def test_init_reaches_a_similar_picture_sooner(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    run(recipe(photo, {"steps": 200}), registry, out=tmp_path / "first")
    start = {"name": str(tmp_path / "first/photo-gaussian.art")}
    brighter = tmp_path / "brighter.png"
    Image.fromarray((picture() * 0.9 + 12).astype(np.uint8)).save(brighter)

    fresh = run(recipe(brighter, {"steps": 80}), registry)
    # The count comes from the art where none is asked for.
    asked = recipe(brighter, {"steps": 40}, init=start, primitive={"count": None})
    tuned = run(asked, registry, out=tmp_path / "second")

    assert tuned.summary["count"] == 12
    # Half the steps, from parts of a picture with more contrast: 0.16 dB are left.
    assert tuned.summary["psnr"] >= fresh.summary["psnr"] - 0.25
    # Beside the recipe, the art is found by its name.
    again = run(tuned.art.recipe, registry, search=[tmp_path, tmp_path / "first"])
    assert again.summary["loss"] == tuned.summary["loss"]


def test_init_brings_its_options(photo: Path, tmp_path: Path, registry: Registry) -> None:
    mlp = {"name": "mlp", "hidden": 6, "count": None}
    run(recipe(photo, {"steps": 5}, primitive=mlp), registry, out=tmp_path)
    larger = tmp_path / "larger.png"
    Image.fromarray(picture(60, 50)).save(larger)

    # A picture of this size would have other bands, and the default of `hidden` is 64.
    asked = recipe(larger, primitive={"name": "mlp", "count": None}, init=init_of(tmp_path))
    outcome = run(asked, registry)
    assert outcome.summary["recipe"]["primitive"]["hidden"] == 6
    assert outcome.summary["recipe"]["primitive"]["bands"] == 4


def init_of(folder: Path) -> dict:
    return {"name": str(next(folder.glob("*.art")))}


@pytest.mark.parametrize(
    ("primitive", "match", "hint"),
    [
        ({"name": "fourier"}, "holds gaussian, not fourier", "-p gaussian"),
        ({"count": 13}, "12 parts, not 13", "--count 12"),
        ({"blend": "mean"}, "blend = 'sum', not 'mean'", "--set blend=sum"),
    ],
)
def test_init_must_fit(
    primitive: dict, match: str, hint: str, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    run(recipe(photo, {"steps": 2}), registry, out=tmp_path)
    with pytest.raises(UsageError, match=match) as caught:
        run(recipe(photo, primitive=primitive, init=init_of(tmp_path)), registry)
    assert hint in caught.value.hint


def test_init_must_be_an_art_file(photo: Path, registry: Registry) -> None:
    with pytest.raises(InputError, match=r"photo\.png"):
        run(recipe(photo, init={"name": str(photo)}), registry)


# ---- what is written ----------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_summary_describes_what_was_saved(
    precision: str, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, {"steps": 60}, run={"precision": precision}, output={"video": False})
    outcome = run(asked, registry, out=tmp_path)
    summary, art = outcome.summary, load(tmp_path / "photo-gaussian.art")
    still = pixels_of(tmp_path / "photo-gaussian.png")

    assert list(summary) == SUMMARY_KEYS
    assert summary["psnr"] == round(psnr(still, picture()), 4)
    np.testing.assert_array_equal(art.render(), still)
    assert summary["precision"] == precision
    assert summary["parameters"] == 12 * 8
    # int8 adds the least and the largest value of the 7 rows of xy, colour, scale and angle.
    sizes = {"fp32": 12 * 8 * 4, "fp16": 12 * 8 * 2, "int8": 12 * 8 + 8 * 8}
    assert summary["bytes"] == sizes[precision]
    assert summary["bpp"] == round(8 * summary["bytes"] / (24 * 16), 6)
    assert summary["file_bytes"] == (tmp_path / "photo-gaussian.art").stat().st_size
    assert summary["target"] == {
        "name": "photo.png",
        "width": 24,
        "height": 16,
        "sha256": summary["recipe"]["target"]["sha256"],
    }
    assert summary["steps_per_second"] == pytest.approx(60 / summary["seconds"], rel=0.05)
    assert 0 < summary["ssim"] <= 1
    assert summary["outputs"] == {
        "still": str(tmp_path / "photo-gaussian.png"),
        "video": None,
        "art": str(tmp_path / "photo-gaussian.art"),
        "checkpoint": None,
    }
    # The file lies beside the others and calls them by their names.
    written = json.loads((tmp_path / "photo-gaussian.json").read_text())
    assert list(written) == SUMMARY_KEYS
    assert written["outputs"]["still"] == "photo-gaussian.png"
    assert {**written, "outputs": None} == {**summary, "outputs": None}
    assert Recipe.from_dict(written["recipe"]) == art.recipe


def test_smaller_precision_costs_a_little(photo: Path, registry: Registry) -> None:
    found = [
        run(recipe(photo, {"steps": 100}, run={"precision": name}), registry).summary
        for name in ("fp32", "int8")
    ]
    assert found[1]["psnr"] < found[0]["psnr"]
    assert found[1]["bytes"] < found[0]["bytes"]


def test_nothing_is_written_without_a_folder(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    events: list = []
    outcome = run(recipe(photo), registry, observers=[events.append])
    assert list(tmp_path.iterdir()) == [photo]
    assert set(outcome.summary["outputs"].values()) == {None}
    assert isinstance(next(e for e in events if not isinstance(e, Working)), Started)
    assert isinstance(events[-1], Finished)


def test_a_picture_in_memory(tmp_path: Path, registry: Registry) -> None:
    target = image_from_array(picture(), name="memory")
    outcome = run(recipe("memory"), registry, target=target, out=tmp_path)
    assert outcome.summary["target"]["name"] == "memory"
    assert (tmp_path / "memory-gaussian.png").exists()


def test_the_still_may_be_larger(photo: Path, tmp_path: Path, registry: Registry) -> None:
    outcome = run(recipe(photo, output={"still_size": 60}), registry, out=tmp_path)
    assert pixels_of(tmp_path / "photo-gaussian.png").shape == (40, 60, 3)
    assert video_frames(tmp_path / "photo-gaussian.mp4")[0].shape == (16, 24, 3)
    assert outcome.summary["psnr"] == run(recipe(photo), registry).summary["psnr"]


def test_transparency_is_refused_before_the_fit(photo: Path, registry: Registry) -> None:
    asked, events = recipe(photo, output={"transparent": True}), []
    with pytest.raises(UsageError, match="gaussian cannot be drawn on a transparent background"):
        run(asked, registry, observers=[events.append])
    assert not any(isinstance(event, Started) for event in events)


def test_a_transparent_still(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, primitive={"blend": "over"}, output={"transparent": True})
    run(asked, registry, out=tmp_path)
    assert pixels_of(tmp_path / "photo-gaussian.png").shape == (16, 24, 4)


def test_the_video_runs_from_the_start_to_the_still(tmp_path: Path, registry: Registry) -> None:
    photo = tmp_path / "large.png"
    Image.fromarray(picture(64, 48)).save(photo)
    asked = recipe(photo, {"steps": 60}, output={"fps": 10, "video_seconds": 2})
    run(asked, registry, out=tmp_path)
    run(recipe(photo, {"steps": 60, "stop": 1}), registry, out=tmp_path / "start")

    frames = video_frames(tmp_path / "large-gaussian.mp4")
    still = pixels_of(tmp_path / "large-gaussian.png")
    start = pixels_of(tmp_path / "start/large-gaussian.png")
    assert len(frames) == 20
    assert psnr(frames[-1], still) > 35
    assert psnr(frames[0], start) > psnr(frames[0], still) + 5


def test_a_video_has_its_own_size_and_an_even_pace(tmp_path: Path, registry: Registry) -> None:
    photo = tmp_path / "large.png"
    Image.fromarray(picture(32, 24)).save(photo)
    output = {"fps": 10, "video_seconds": 6, "video_size": 96}
    asked = recipe(photo, {"steps": 60}, output=output)
    run(asked, registry, out=tmp_path)

    frames = video_frames(tmp_path / "large-gaussian.mp4")
    assert frames.shape == (60, 72, 96, 3)
    changes = np.abs(np.diff(frames.astype(float), axis=0)).mean((1, 2, 3))
    motion = [changes[k : k + 10].sum() for k in range(0, 40, 10)]
    assert max(motion) < 3 * min(motion)
    assert changes[45:].max() < changes[:40].mean()
    still = pixels_of(tmp_path / "large-gaussian.png")
    shrunk = np.asarray(Image.fromarray(frames[-1]).resize((32, 24), Image.Resampling.BOX))
    assert psnr(shrunk, still) > 25


def test_frames_are_read_one_at_a_time(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = FrameStore.read

    def counted(store: FrameStore, step: int) -> np.ndarray:
        reads.append(step)
        return read(store, step)

    taken = []

    def write_video(path: Path, frames: object, **_: object) -> None:
        assert inspect.isgenerator(frames)
        for number, _frame in enumerate(frames, 1):
            assert len(reads) <= number
            taken.append(number)
        path.write_bytes(b"")

    monkeypatch.setattr(FrameStore, "read", counted)
    monkeypatch.setattr("artgen.output.spool.write_video", write_video)
    run(recipe(photo), registry, out=tmp_path)
    assert len(taken) == 8
    assert reads == sorted(set(reads))


def test_frames_are_thinned_ahead(photo: Path, tmp_path: Path, registry: Registry) -> None:
    frames: list[int] = []

    def watch(event: object) -> None:
        if isinstance(event, FrameTaken):
            frames.append(event.step)

    run(recipe(photo, {"steps": 120}), registry, out=tmp_path, observers=[watch])
    # Four of the eight frames of the video move; twice as many are kept.
    assert len(frames) == 8
    # Those of a longer video fade into each other.
    frames.clear()
    longer = recipe(photo, {"steps": 120}, output={"video_seconds": 10})
    run(longer, registry, out=tmp_path / "longer", observers=[watch])
    assert len(frames) == 43  # of 64 frames that move
    assert frames[:21] == [*range(21)]
    assert (frames[0], frames[-1]) == (0, 120)


# ---- all kinds of targets -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 5), (33, 17)])
def test_odd_sizes(size: tuple[int, int], tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "odd.png"
    Image.fromarray(picture(*size)).save(path)
    outcome = run(recipe(path, {"steps": 3}), registry, out=tmp_path / "out")

    assert pixels_of(tmp_path / "out/odd-gaussian.png").shape == (*size[::-1], 3)
    height, width = video_frames(tmp_path / "out/odd-gaussian.mp4")[0].shape[:2]
    assert (width % 2, height % 2) == (0, 0)
    assert (outcome.summary["ssim"] is None) == (min(size) < 7)


def save_gray(path: Path) -> None:
    Image.fromarray(picture()).convert("L").save(path.with_suffix(".png"))


def save_16_bit(path: Path) -> None:
    deep = picture()[:, :, 0].astype(np.uint16) * 257
    Image.fromarray(deep).save(path.with_suffix(".png"))


def save_cmyk(path: Path) -> None:
    Image.fromarray(picture()).convert("CMYK").save(path.with_suffix(".jpg"))


def save_rgba(path: Path) -> None:
    image = Image.fromarray(picture())
    image.putalpha(Image.fromarray(picture()[:, :, 1]))
    image.save(path.with_suffix(".png"))


def save_turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture()).save(path.with_suffix(".jpg"), exif=exif)


def save_animation(path: Path) -> None:
    frames = [Image.fromarray(np.roll(picture(), shift, axis=1)) for shift in (0, 5)]
    frames[0].save(path.with_suffix(".gif"), save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    "save", [save_gray, save_16_bit, save_cmyk, save_rgba, save_turned, save_animation]
)
def test_all_kinds_of_pictures(save: object, tmp_path: Path, registry: Registry) -> None:
    save(tmp_path / "input")
    path = next(tmp_path.iterdir())
    asked = recipe(path, {"steps": 3}, output={"video": False})
    outcome = run(asked, registry, out=tmp_path / "out")

    turned = save is save_turned
    shape = pixels_of(tmp_path / "out/input-gaussian.png").shape
    assert shape == ((24, 16, 3) if turned else (16, 24, 3))
    assert outcome.summary["psnr"] > 5
    assert (outcome.art.film is not None) == (save is save_animation)


def test_a_mask_and_transparency_weigh_the_loss(tmp_path: Path, registry: Registry) -> None:
    left = np.zeros((16, 24), np.uint8)
    left[:, :12] = 255
    Image.fromarray(left).save(tmp_path / "mask.png")
    image = Image.fromarray(picture())
    image.save(tmp_path / "whole.png")
    image.putalpha(Image.fromarray(left))
    image.save(tmp_path / "half.png")

    masked = {"source": str(tmp_path / "whole.png"), "mask": {"name": str(tmp_path / "mask.png")}}
    clear = {"source": str(tmp_path / "half.png"), "alpha_weight": True}
    for target in (masked, clear):
        outcome = run(recipe("", {"steps": 120}, target=target), registry)
        pixels, wanted = outcome.art.render(), picture()
        counted = psnr(pixels[:, :12], wanted[:, :12])
        assert counted > psnr(pixels[:, 12:], wanted[:, 12:]) + 3
        # What is said in the end counted the other half too.
        assert outcome.summary["psnr"] == pytest.approx(counted, abs=1e-3)


# ---- events -------------------------------------------------------------------------------------


def test_the_order_of_events(photo: Path, tmp_path: Path, registry: Registry) -> None:
    events: list = []
    run(recipe(photo), registry, out=tmp_path, observers=[events.append])

    work = [event.what for event in events if isinstance(event, Working)]
    drawn = [event.done for event in events if isinstance(event, Working) and event.done]
    assert list(dict.fromkeys(work)) == [
        "reading the target",
        "drawing the result",
        "drawing the video",
        "writing the files",
    ]
    assert drawn == list(range(1, 9))
    events = [event for event in events if not isinstance(event, Working)]
    kinds = [type(event) for event in events]
    assert kinds[:3] == [Started, Evaluated, FrameTaken]
    assert kinds[-1] is Finished
    assert kinds.count(Started) == kinds.count(Finished) == 1
    assert {event.run for event in events} == {"photo-gaussian"}
    assert events[0].step == 0
    assert events[0].recipe["seed"] == 5
    steps = [event.step for event in events if not isinstance(event, Finished)]
    assert steps == sorted(steps)
    seconds = [event.seconds for event in events if isinstance(event, Advanced | Evaluated)]
    assert seconds == sorted(seconds)
    assert events[-1].summary["steps"] == steps[-1] == 20
    # Outputs are there when their event is sent, and the run folder is gone afterwards.
    assert not (tmp_path / "photo-gaussian.run").exists()


def test_plugins_that_watch_are_isolated(photo: Path, tmp_path: Path, registry: Registry) -> None:
    plugin = tmp_path / "watcher.py"
    plugin.write_text(
        "from artgen import hookimpl\n"
        "@hookimpl\n"
        "def artgen_observe(event):\n"
        "    raise RuntimeError('eyes closed')\n"
    )
    events: list = []
    watched = Registry(files=[plugin], environ={})
    outcome = run(recipe(photo), watched, observers=[events.append])

    reported = [text for text in notices(events) if "eyes closed" in text]
    assert len(reported) == 1
    assert outcome.summary["loss"] == run(recipe(photo), registry).summary["loss"]


@pytest.mark.parametrize("failure", ["RuntimeError('enough')", "SystemExit(0)"])
def test_an_observer_cannot_change_a_result(photo: Path, tmp_path: Path, failure: str) -> None:
    """One that alters what it is shown and fails later: the outputs are those without it."""
    plugin = tmp_path / "meddler.py"
    plugin.write_text(
        "import numpy as np\n"
        "from artgen import hookimpl\n"
        "from artgen.events import Finished\n"
        "@hookimpl\n"
        "def artgen_observe(event):\n"
        "    for value in vars(event).values():\n"
        "        if isinstance(value, np.ndarray) and value.flags.writeable:\n"
        "            value[...] = 0\n"
        "        elif isinstance(value, dict) and not isinstance(event, Finished):\n"
        "            value.clear()\n"
        "    if getattr(event, 'step', 0) > 9:\n"
        f"        raise {failure}\n"
    )
    events: list = []
    given = [events.append]
    for name, files in (("alone", []), ("watched", [plugin])):
        registry = Registry(files=files, environ={})
        run(
            recipe(photo),
            registry,
            out=tmp_path / name,
            observers=given,
            log=tmp_path / f"{name}.jsonl",
        )
    assert len(given) == 1
    assert len([text for text in notices(events) if "artgen_observe of meddler" in text]) == 1
    for suffix in ("png", "art", "mp4"):
        one, other = (tmp_path / name / f"photo-gaussian.{suffix}" for name in ("alone", "watched"))
        assert one.read_bytes() == other.read_bytes()
    logs = [(tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("alone", "watched")]
    losses = [[json.loads(line)["loss"] for line in log] for log in logs]
    assert losses[0] == losses[1]


def test_the_log_holds_every_evaluation(photo: Path, tmp_path: Path, registry: Registry) -> None:
    evaluated: list = []

    def watch(event: object) -> None:
        if isinstance(event, Evaluated):
            evaluated.append((event.step, event.loss))

    log = tmp_path / "log.jsonl"
    run(recipe(photo), registry, log=log, observers=[watch])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == evaluated
    assert lines[0].keys() == {"step", "loss", "training_loss", "psnr", "seconds"}

    with pytest.raises(UsageError, match=r"log\.jsonl exists"):
        run(recipe(photo), registry, log=log, out=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    run(recipe(photo), registry, log=log, overwrite=True)
    assert len(log.read_text().splitlines()) == len(lines)
