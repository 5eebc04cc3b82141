"""A run that is killed at any moment goes on as if nothing had happened."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from helpers import PYTHON, recipe, video_frames
from PIL import Image

import artgen
import artgen.runs.loop.checkpoints
import artgen.runs.loop.stages
from artgen.base.errors import InputError, Interrupted, OutputError, UsageError
from artgen.cli import main
from artgen.cli._main import make_app
from artgen.events import Evaluated, Notice, Started
from artgen.output import FrameStore
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import check_agreement, default_stem, run
from artgen.runs.agreement import time_limit
from artgen.runs.files.folder import RunFolder
from artgen.runs.files.log import JsonLines
from artgen.runs.loop.pace import STRETCHES, Pace
from artgen.runs.warm_start import InitialArt
from artgen.targets import image_from_array
from artgen.values.canvas import Canvas

WORKER = """
import json, os, signal, sys
from pathlib import Path
from artgen.events import Advanced
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run

arguments = json.loads(sys.argv[1])
die_at = arguments.pop("die_at")

def die(event):
    if isinstance(event, Advanced) and die_at is not None and event.step >= die_at:
        os.kill(os.getpid(), signal.SIGKILL)

recipe = Recipe.from_dict(arguments.pop("recipe"))
out = Path(arguments.pop("out"))
run(recipe, Registry(environ={}), out=out, observers=[die], **arguments)
"""

STARTS_ANEW = "holds no checkpoint yet: the run starts anew"

MLP = {"name": "mlp", "hidden": 8, "layers": 1, "count": None}


class Killed(BaseException):
    """The end of a run that nothing may catch."""


def start_worker(
    asked: Recipe, out: Path, *, die_at: int | None = None, **options: object
) -> subprocess.Popen:
    """The run in a process of its own; it kills itself once `die_at` steps are done."""
    options.setdefault("checkpoint_every", 50)
    arguments = {"recipe": asked.to_dict(), "out": str(out), "die_at": die_at, **options}
    # What is killed from outside must be the process itself.
    python = [sys.executable] if die_at is None else PYTHON
    return subprocess.Popen([*python, "-c", WORKER, json.dumps(arguments)])


def kill_worker_at(step: int, asked: Recipe, out: Path, **options: object) -> None:
    worker = start_worker(asked, out, die_at=step, **options)
    assert worker.wait() == -signal.SIGKILL


def checkpoint_step(out: Path) -> int:
    """The step of the run's checkpoint, 0 without one."""
    for path in out.glob("*.run/checkpoint.safetensors"):
        data = path.read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return json.loads(header["__metadata__"]["artgen"])["values"]["progress.step"]
    return 0


def resume(
    asked: Recipe,
    registry: Registry,
    out: Path,
    given: Recipe | None = None,
    events: list | None = None,
    **options: object,
) -> int:
    """Finish the run in `out`; the step it went on from. Its events are added to `events`."""
    events = [] if events is None else events
    options.setdefault("name", default_stem(asked))
    run(given or asked, registry, out=out, resume=True, observers=[events.append], **options)
    (started,) = [event for event in events if isinstance(event, Started)]
    assert not list(out.glob("*.run"))
    return started.step


def assert_same(one: Path, two: Path) -> None:
    """Equal stills and arts, equal frames of the video, and equal metrics."""
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    for name in names:
        if name.endswith((".png", ".art")):
            assert (one / name).read_bytes() == (two / name).read_bytes(), name
        if name.endswith(".mp4"):
            np.testing.assert_array_equal(video_frames(one / name), video_frames(two / name))
        if name.endswith(".json"):
            first, second = (json.loads((out / name).read_text()) for out in (one, two))
            clocks = dict.fromkeys(["seconds", "total_seconds", "steps_per_second"])
            assert {**first, **clocks} == {**second, **clocks}


# ---- killed --------------------------------------------------------------------------------------


# By day `soak.kills` kills runs of this engine from outside and resumes them, to the same bytes.
@pytest.mark.nightly
def test_killed_twice_from_outside(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 2000})
    seen = 0
    for number in range(2):
        worker = start_worker(asked, tmp_path / "killed", resume=number > 0)
        while worker.poll() is None and checkpoint_step(tmp_path / "killed") <= seen:
            time.sleep(0.005)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
        assert checkpoint_step(tmp_path / "killed") > seen
        seen = checkpoint_step(tmp_path / "killed")

    assert resume(asked, registry, tmp_path / "killed") == seen < 2000
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_killed_before_the_first_checkpoint(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, {"steps": 60})
    kill_worker_at(30, asked, tmp_path / "killed")
    said: list = []
    assert resume(asked, registry, tmp_path / "killed", events=said) == 0
    notices = [
        event.message for event in said if isinstance(event, Notice) and event.level == "warning"
    ]
    assert notices == [f"{tmp_path / 'killed' / 'photo-gaussian.run'} {STARTS_ANEW}"]
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_scenes_of_a_clip_without_a_key_are_no_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (folder.scenes / "000" / "first").mkdir(parents=True)
    (folder.scenes / "001" / "first").mkdir(parents=True)
    assert not folder.has_checkpoint
    (folder.scenes / "000" / "keys").mkdir()
    assert folder.has_checkpoint


def test_killed_in_the_second_stage(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 40}, {"steps": 70, "rate": 0.3, "loss": "l1"})
    # Step 41 is the first of the second stage, whose first checkpoint would be at step 90.
    kill_worker_at(41, asked, tmp_path / "between")
    assert resume(asked, registry, tmp_path / "between") == 40
    kill_worker_at(95, asked, tmp_path / "inside")
    assert resume(asked, registry, tmp_path / "inside") == 90
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "between", tmp_path / "whole")
    assert_same(tmp_path / "inside", tmp_path / "whole")


def test_where_an_earlier_stage_ended_is_kept(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """A run that was resumed in a later stage did not say it, so that its files were others."""
    quick = {"engine": "climb", "restarts": 1, "candidates": 50, "patience": 5, "stall": 100}
    shapes = {"name": "triangle", "count": 3}
    asked = recipe(
        photo, quick, {"engine": "gradient", "steps": 20}, primitive=shapes, output={"video": False}
    )
    stop_at(20, asked, registry, tmp_path / "stopped")
    assert resume(asked, registry, tmp_path / "stopped") == 16
    outcome = run(asked, registry, out=tmp_path / "whole")
    assert [stage["stop"] for stage in outcome.summary["recipe"]["stage"] if "stop" in stage] == [6]
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_killed_with_random_batches(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 300, "batch": 64}, primitive=MLP)
    kill_worker_at(170, asked, tmp_path / "killed")
    assert resume(asked, registry, tmp_path / "killed") == 150
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize("primitive", [{}, MLP], ids=["splats", "field"])
def test_stopped_at_every_event(
    primitive: dict, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    batch = {"batch": 16} if primitive else {}
    stages = [{"steps": 5, "target_psnr": 99, **batch}, {"steps": 4, **batch}]
    asked = recipe(photo, *stages, primitive=primitive, output={"video": False})
    events: list = []
    run(asked, registry, out=tmp_path / "whole", observers=[events.append])

    resumed_at = []
    for number in range(len(events)):
        countdown = iter(range(number))

        def stop(event: object, countdown: object = countdown) -> None:
            if next(countdown, None) is None:
                raise Killed

        out = tmp_path / str(number)
        with pytest.raises(Killed):
            run(asked, registry, out=out, observers=[stop], checkpoint_every=2)
        # Without a checkpoint there is nothing to go on from, and nothing is left.
        if out.exists() and any(out.iterdir()):
            resumed_at.append(resume(asked, registry, out))
        else:
            run(asked, registry, out=out)
        assert_same(out, tmp_path / "whole")
    assert set(resumed_at) == {2, 4, 5, 7, 9}


def test_frames_later_than_the_checkpoint_are_dropped(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(25, asked, registry, tmp_path / "stopped")
    frames = FrameStore(tmp_path / "stopped/photo-gaussian.run/frames")
    frames.add(39, np.full((16, 24, 3), 255, np.uint8))
    assert resume(asked, registry, tmp_path / "stopped") == 20
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_a_resumed_run_keeps_its_log(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 60})
    logs = [tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"]
    run(asked, registry, out=tmp_path / "whole", log=logs[1])
    stop_at(35, asked, registry, tmp_path / "killed", log=logs[0])
    with logs[0].open("a") as file:
        file.write('{"step": 3')  # a line that the kill cut off
    resume(asked, registry, tmp_path / "killed", log=logs[0])

    kept, whole = ([(line["step"], line["loss"]) for line in read_lines(log)] for log in logs)
    assert kept == whole


def test_the_lines_of_a_log_are_there_before_the_next_one(tmp_path: Path) -> None:
    """They waited in a buffer for the first evaluation, so that a kill took them."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"step": 3, "loss": 0.5}\n{"step": 9, "loss": 0.25}')  # cut off after it
    log = JsonLines(path, resumed_at=9, overwrite=False)
    assert [line["step"] for line in read_lines(path)] == [3, 9]
    log(Evaluated("a", 12, 20, 0.125, None, 1.0))
    assert [line["step"] for line in read_lines(path)] == [3, 9, 12]
    log.close()


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# ---- what a resume needs ---------------------------------------------------------------------------


def stop_at(step: int, asked: Recipe, registry: Registry, out: Path, **options: object) -> None:
    """Leave an unfinished run with a checkpoint every 10 steps."""

    def stop(event: object) -> None:
        if isinstance(event, Evaluated) and event.step >= step:
            raise Killed

    options.setdefault("checkpoint_every", 10)
    with pytest.raises(Killed):
        run(asked, registry, out=out, observers=[stop], **options)


def test_the_inputs_may_be_gone(photo: Path, tmp_path: Path, registry: Registry) -> None:
    run(recipe(photo, {"steps": 3}), registry, out=tmp_path / "first")
    # A mask of the same name, in another folder.
    mask = tmp_path / "masks" / photo.name
    mask.parent.mkdir()
    Image.new("L", (24, 16), 100).save(mask)
    asked = recipe(
        photo,
        {"steps": 40},
        target={"mask": {"name": str(mask)}},
        init={"name": str(tmp_path / "first/photo-gaussian.art")},
    )
    run(asked, registry, out=tmp_path / "whole")
    stop_at(25, asked, registry, tmp_path / "stopped")
    for path in (photo, mask, tmp_path / "first/photo-gaussian.art"):
        path.unlink()

    # What the user says again is the whole recipe, or nothing but the name.
    given = {"target": {"source": str(photo)}, "stage": [{"steps": 40}]}
    assert resume(asked, registry, tmp_path / "stopped", given=Recipe.from_dict(given)) == 20
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_a_fit_with_views_is_resumed(photo: Path, tmp_path: Path, registry: Registry) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (24, 16), (200, 40, 90)).save(other)
    asked = recipe(photo, {"steps": 40}, view=[f"turn=180:{other}"])
    run(asked, registry, out=tmp_path / "whole")
    stop_at(25, asked, registry, tmp_path / "stopped")
    # What the user says again may be the whole recipe.
    assert resume(asked, registry, tmp_path / "stopped") == 20
    assert_same(tmp_path / "stopped", tmp_path / "whole")
    stop_at(25, asked, registry, tmp_path / "gone")
    other.unlink()
    given = Recipe.from_dict({"target": {"source": str(photo)}})
    assert resume(asked, registry, tmp_path / "gone", given=given) == 20
    assert_same(tmp_path / "gone", tmp_path / "whole")


def test_nothing_to_resume(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 5})
    with pytest.raises(
        UsageError, match=r"nothing to resume: no .*, as when a run is done"
    ) as caught:
        run(asked, registry, out=tmp_path, resume=True)
    assert "--resume" in caught.value.hint
    (tmp_path / "photo-gaussian.run").mkdir()
    with pytest.raises(UsageError, match="nothing to resume") as caught:
        run(asked, registry, out=tmp_path, resume=True)
    assert "--overwrite" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"progress.stage": 1}, "the run has no stage 1"),
        ({"progress.start.xy": torch.zeros(2, 3)}, "does not hold the parameters of gaussian"),
        ({"progress.unheard": 0}, "unexpected keyword argument"),
        ({"engine.best_loss": "low"}, "could not convert"),
        ({"engine.raw.xy": None}, "cannot be used"),
    ],
)
def test_a_checkpoint_of_something_else(change, says, photo, tmp_path, registry) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path)
    folder = RunFolder(tmp_path / "photo-gaussian.run")
    folder.save_checkpoint({**(folder.load_checkpoint() or {}), **change})
    with pytest.raises(InputError, match=says):
        run(asked, registry, out=tmp_path, resume=True)


def test_a_disk_full_before_the_first_checkpoint(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, log = recipe(photo, {"steps": 40}).with_seed(7), tmp_path / "log.jsonl"

    def full(*_: object) -> None:
        raise OutputError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(FrameStore, "add", full)
        with pytest.raises(OutputError, match="no space"):
            run(asked, registry, out=tmp_path / "stopped", log=log)
    assert resume(asked, registry, tmp_path / "stopped", log=log) == 0
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_a_mistake_does_not_take_what_has_no_checkpoint_yet(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """A run that was to be resumed with a file in place of a log was removed, with its seed."""
    asked, notes = recipe(photo, {"steps": 3}), tmp_path / "notes.txt"
    folder = RunFolder.create(tmp_path / "photo-gaussian.run", asked, [photo])
    folder.unlock()
    notes.write_text("mine")
    with pytest.raises(UsageError, match="notes"):
        run(Recipe(), registry, out=tmp_path, name="photo-gaussian", resume=True, log=notes)
    assert folder.resumable
    assert notes.read_text() == "mine"


def test_what_leaves_nothing_leaves_no_log(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked, log = recipe(photo, {"steps": 40}), tmp_path / "log.jsonl"
    stop_at(5, asked, registry, tmp_path / "stopped", log=log, checkpoint_every=1000)
    assert not log.exists()
    run(asked, registry, out=tmp_path / "stopped", log=log)
    assert read_lines(log)[-1]["step"] == 40


@pytest.mark.parametrize("gone", ["recipe.json", "lock", "inputs"])
def test_killed_while_the_folder_is_removed(
    gone: str, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run of a batch is finished, or resumed; one that was being created is started."""
    arguments = ["fit", str(photo), "--seeds", "1,2", "-n", "4", "--steps", "20", "--no-video"]
    out = tmp_path / "out"
    arguments += ["--out", str(out), "-q", "--threads", "1"]
    remove = RunFolder.remove

    def killed(folder: RunFolder) -> None:
        if folder.path.stem.endswith("s1"):
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "rmtree", lambda path: remove_one(path / gone))
                remove(folder)
            raise Killed

    def remove_one(path: Path) -> None:
        path.unlink(missing_ok=True) if not path.is_dir() else rmtree(path)

    rmtree = shutil.rmtree
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "remove", killed)
        with pytest.raises(Killed):
            main(arguments)
    assert (out / "photo-gaussian-s1.run").is_dir()
    assert main([*arguments, "--resume"]) == 0
    assert {path.suffix for path in out.iterdir()} == {".png", ".art", ".json", ".html"}
    assert len(list(out.glob("*.art"))) == 2

    # And a folder that a kill left half made is no unfinished run.
    (out / "photo-gaussian-s3.run" / "inputs").mkdir(parents=True)
    assert main([*arguments[:3], "1,3", *arguments[4:], "--resume"]) == 0
    assert not list(out.glob("*.run"))


def test_a_resume_needs_no_overwrite(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 40})
    run(recipe(photo, {"steps": 5}), registry, out=tmp_path)
    stop_at(15, asked, registry, tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="unfinished run"):
        run(asked, registry, out=tmp_path)
    assert resume(asked, registry, tmp_path) == 10


CONTRADICTIONS: list[tuple[dict, tuple[str, str]]] = [
    ({"seed": 6}, ("5", "6")),
    ({"primitive": {"count": 9}}, ("8", "9")),
    ({"primitive": {"name": "fourier"}}, ("gaussian", "fourier")),
    ({"primitive": {"blend": "mean"}}, ("sum", "mean")),
    ({"stage": [{"steps": 50}]}, ("40", "50")),
    ({"stage": [{"rate": 0.5}]}, ("1.0", "0.5")),
    ({"stage": [{}, {}]}, ("1", "2")),
    ({"target": {"source": "other.png"}}, ("photo.png", "other.png")),
    ({"run": {"precision": "int8"}}, ("fp32", "int8")),
    ({"output": {"still_size": 99}}, ("None", "99")),
]


def test_contradictions_are_refused(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path)
    for given, values in CONTRADICTIONS:
        again = Recipe.from_dict(given)
        with pytest.raises(UsageError, match="run to resume has") as caught:
            run(again, registry, out=tmp_path, name=default_stem(asked), resume=True)
        assert all(value in caught.value.message for value in values), caught.value.message
        assert caught.value.hint
    # The refusals took nothing away.
    assert resume(asked, registry, tmp_path) == 10


def test_the_count_of_a_codec_is_that_of_its_latent(registry: Registry) -> None:
    stored = Recipe.from_dict(
        {"primitive": {"name": "autoencoder", "latent": 16, "depth": 3, "width": 24}}
    )
    check_agreement(stored, Recipe.from_dict({"primitive": {"count": 16}}), registry)
    with pytest.raises(UsageError, match="has count = 16, not 24"):
        check_agreement(stored, Recipe.from_dict({"primitive": {"count": 24}}), registry)


@pytest.mark.parametrize(
    ("primitive", "asked", "other"),
    [
        ("glyph", {"text": "ab", "font": "DejaVuSansMono-Bold"}, {"font": "DejaVuSerif"}),
        ("glyph", {"text": "ab", "lines": 2, "columns": 0}, {"columns": 1}),
        ("glyph", {"text": "ab", "lines": 29, "font": "DejaVuSansMono"}, {"font": "DejaVuSerif"}),
        ("stamp", {"stamp": "leaf,dab"}, {"stamp": "leaf"}),
        ("string", {"frame": "heart.svg"}, {"frame": "gone.svg"}),
        ("poem", {"text": "poem.txt"}, {"text": "other words"}),
        ("stipple", {"optical": "no"}, {"optical": "yes"}),
    ],
)
def test_options_agree_with_what_they_became(
    primitive, asked, other, tmp_path: Path, monkeypatch, registry: Registry
) -> None:
    """A drawing holds letters, stamps, outlines and words, not the names of their files."""
    monkeypatch.chdir(tmp_path)
    Path("heart.svg").write_text('<svg><path d="M0 0h9v9z"/></svg>')
    Path("poem.txt").write_text("words of a file")

    def wanted(options: dict) -> Recipe:
        return Recipe.from_dict({"primitive": {"name": primitive, **options}})

    stored = resolve(wanted(asked), registry, Canvas(36, 12)).recipe
    check_agreement(stored, wanted(asked), registry)
    with pytest.raises(UsageError, match=f"run to resume has {min(other)} = ") as caught:
        check_agreement(stored, wanted(other), registry)
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(("said", "kept"), [("no", False), ("3.", 3.0), ("+2", 2)])
def test_options_of_engines_agree_however_they_are_spelled(said, kept, registry: Registry) -> None:
    """`--set engine.epochs=no` contradicted the run that the same command had begun."""
    stored, asked, other = (
        Recipe.from_dict({"stage": [{"epochs": each}]}) for each in (kept, said, "yes")
    )
    check_agreement(stored, asked, registry)
    with pytest.raises(UsageError, match=f"has epochs = {kept}, not "):
        check_agreement(stored, other, registry)


def test_a_drawing_to_start_from_agrees_with_what_its_options_became(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("poem.txt").write_text("words of a file")
    art = artgen.fit(np.full((12, 12, 3), 128, np.uint8), "poem", count=50, text="poem.txt")
    initial = InitialArt(Path("a.art"), art)

    def continued(text: str) -> Recipe:
        asked = Recipe.from_dict({"primitive": {"name": "poem", "text": text}})
        return initial.continued(asked, type(art.primitive()))

    assert continued("poem.txt").primitive.options["text"] == "words of a file"
    with pytest.raises(UsageError, match="has text = 'words of a file', not 'other'"):
        continued("other")


def test_a_count_that_was_found_agrees_with_how_it_was_sought(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """A stage that found it holds `converge` = 0 instead, so that it is repeated."""
    quick = {"engine": "climb", "restarts": 1, "candidates": 50, "patience": 5, "stall": 100}
    stages = {**quick, "converge": 1e-6}, {"engine": "gradient", "steps": 20}
    asked = recipe(
        photo, *stages, primitive={"name": "triangle", "count": 4}, output={"video": False}
    )
    stop_at(20, asked, registry, tmp_path)
    _, stored = RunFolder.open(tmp_path / f"{default_stem(asked)}.run")
    assert stored.stage[0].options["converge"] == 0
    for count in (4, 9, "auto"):
        check_agreement(stored, asked.with_primitive(count=count), registry)
    with pytest.raises(UsageError, match=r"count = 4, not 3"):  # more than was ever sought
        check_agreement(stored, asked.with_primitive(count=3), registry)
    with pytest.raises(UsageError, match=r"stage 1: candidates = 50, not 60"):
        check_agreement(stored, asked.with_stage(0, candidates=60), registry)
    splats = {"converge": 0.0, "start": 0.2}
    stored = Recipe.from_dict({"primitive": {"count": 16}, "stage": [splats]})
    given = {"primitive": {"count": "auto"}, "stage": [{"start": 0.05}]}
    check_agreement(stored, Recipe.from_dict(given), registry)
    del given["primitive"]
    with pytest.raises(UsageError, match=r"start = 0.2, not 0.05"):
        check_agreement(stored, Recipe.from_dict(given), registry)


def test_a_length_agrees_with_the_pixels_of_earlier_runs(registry: Registry) -> None:
    stored = Recipe.from_dict({"output": {"still_size": 1772, "dpi": 300.0}})
    for length, agrees in (("15cm", True), ("16cm", False)):
        asked = Recipe.from_dict({"output": {"still_size": length, "dpi": 300.0}})
        with nullcontext() if agrees else pytest.raises(UsageError, match="has still_size = 1772"):
            check_agreement(stored, asked, registry)


def test_what_agrees_is_accepted(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path)
    given = {
        "seed": 5,
        "target": {"source": str(photo), "size": None},
        "primitive": {"name": "artgen/gaussian", "count": 8},
        "stage": [{"engine": "auto", "steps": 40, "time": 3e6}],
        "run": {"device": "auto"},
    }
    assert resume(asked, registry, tmp_path, given=Recipe.from_dict(given)) == 10


def test_another_picture_under_the_same_name_is_refused(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path)
    Image.new("RGB", (24, 16)).save(photo)
    with pytest.raises(UsageError, match="another target"):
        run(asked, registry, out=tmp_path, resume=True)


def test_another_expression_is_refused(tmp_path: Path, registry: Registry) -> None:
    asked = recipe(Path("curve:sin(x)/2"), {"steps": 40}, primitive=MLP)
    stop_at(15, asked, registry, tmp_path, name="c")
    other = Recipe.from_dict({"target": {"source": "curve:7*x/2"}})
    with pytest.raises(UsageError, match="another target"):
        run(other, registry, out=tmp_path, name="c", resume=True)
    # The same function in other words.
    given = Recipe.from_dict({"target": {"source": "curve:sin(x)/2?n=200&to=1"}})
    assert resume(asked, registry, tmp_path, given=given, name="c") == 10


def test_other_pictures_in_the_same_folder_are_refused(tmp_path: Path, registry: Registry) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (80 * number, 9, 9)).save(folder / f"{number}.png")
    source = {"target": {"source": f"frames:{folder}"}}
    asked = recipe(folder, {"steps": 20}, output={"video": False}, **source)
    stop_at(15, asked, registry, tmp_path, name="f", checkpoint_every=5)
    Image.new("RGB", (8, 8), (9, 200, 9)).save(folder / "1.png")
    with pytest.raises(UsageError, match="another target"):
        run(Recipe.from_dict(source), registry, out=tmp_path, name="f", resume=True)


@pytest.mark.parametrize("what", ["mask", "init"])
def test_another_mask_or_drawing_of_the_same_name_is_refused(
    what: str, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    file = tmp_path / "file.art"
    if what == "mask":
        Image.new("L", (24, 16), 100).save(file, format="png")
    else:
        run(recipe(photo, {"steps": 2}), registry, out=tmp_path / "one")
        (tmp_path / "one/photo-gaussian.art").rename(file)
    given = {"target": {"mask": {"name": str(file)}}} if what == "mask" else {what: str(file)}
    stop_at(15, recipe(photo, {"steps": 40}, **given), registry, tmp_path, name="it")
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(UsageError, match=f"{what} .* has changed"):
        run(Recipe.from_dict(given), registry, out=tmp_path, name="it", resume=True)


def test_a_picture_in_memory(tmp_path: Path, registry: Registry) -> None:
    dark, bright = (image_from_array(np.full((8, 8), level / 9), name="dim") for level in (2, 7))
    asked = recipe(Path("dim"), {"steps": 40})
    stop_at(15, asked, registry, tmp_path, target=dark)
    with pytest.raises(UsageError, match="another target"):
        run(asked, registry, out=tmp_path, resume=True, target=bright)
    assert resume(asked, registry, tmp_path, target=dark) == 10


@pytest.mark.parametrize("name", ["recipe.json", "checkpoint.safetensors"])
def test_damaged_folders(name: str, photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path)
    damaged = tmp_path / "photo-gaussian.run" / name
    damaged.write_bytes(damaged.read_bytes()[:20])
    with pytest.raises(InputError, match=name) as caught:
        run(asked, registry, out=tmp_path, resume=True)
    assert "--overwrite" in caught.value.hint


def test_a_time_budget_is_resumed_as_steps(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe(photo, {"time": 60.0})
    pace = Pace((1.0,) * STRETCHES, evaluation=0.0, frame=0.0)
    # No time passes, so that the number of steps is not revised.
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    monkeypatch.setattr(
        artgen.runs.loop.stages, "measure_pace", lambda begin, *_, **__: begin(1) and pace
    )
    stop_at(15, asked, registry, tmp_path / "stopped")

    def refuse(*_: object) -> None:
        raise AssertionError("a resumed run measures nothing")

    monkeypatch.setattr(artgen.runs.loop.stages, "measure_pace", refuse)
    events: list = []
    outcome = run(
        Recipe.from_dict({"stage": [{"time": 60.0}]}),
        registry,
        out=tmp_path / "stopped",
        name=default_stem(asked),
        resume=True,
        observers=[events.append],
    )
    assert next(event.step for event in events if isinstance(event, Started)) == 10
    assert outcome.summary["recipe"]["stage"][0]["steps"] == outcome.summary["steps"] == 60
    run(outcome.art.recipe, registry, out=tmp_path / "whole", search=[tmp_path])
    for suffix in (".png", ".art"):
        name = f"photo-gaussian{suffix}"
        assert (tmp_path / "stopped" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


def test_the_same_command_agrees_with_what_its_time_became(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluations and frames that were too many for the time were contradictions, and so was the
    count that follows from bytes: the recipe takes fewer of them once it has steps."""
    asked = recipe(
        photo,
        {"time": 60.0, "evaluations": 9},
        primitive={"count": None, "target_bytes": 4000},
        output={"frames": 50},
    )
    pace = Pace((1.0,) * STRETCHES, evaluation=1.0, frame=5.0)
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    monkeypatch.setattr(
        artgen.runs.loop.stages, "measure_pace", lambda begin, *_, **__: begin(1) and pace
    )
    stop_at(15, asked, registry, tmp_path)
    stored = RunFolder.open(tmp_path / "photo-gaussian.run")
    stored[0].unlock()
    assert (stored[1].stage[0].evaluations, stored[1].output.frames) == (3, 3)
    assert resume(asked, registry, tmp_path) > 0


def test_the_time_of_a_resumed_run_is_that_of_the_command(
    photo: Path, tmp_path: Path, registry: Registry
) -> None:
    """It was ignored without a word, and all steps were run. The plan stays, so bytes do too."""
    asked = recipe(photo, {"steps": 40})
    stop_at(15, asked, registry, tmp_path / "stopped")
    limited, name = Recipe.from_dict({"stage": [{"time": 1e-6}]}), default_stem(asked)
    said: list = []
    outcome = run(
        limited, registry, out=tmp_path / "stopped", name=name, resume=True, observers=[said.append]
    )
    assert isinstance(outcome.error, Interrupted)
    assert 10 < outcome.summary["steps"] < 40
    assert "at most 1e-06 s now" in str([event for event in said if isinstance(event, Notice)])
    assert resume(asked, registry, tmp_path / "stopped") == outcome.summary["steps"]
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "stopped", tmp_path / "whole")


def test_a_stage_that_has_that_time_keeps_to_it(tmp_path: Path) -> None:
    """Otherwise the same command again could be cut off just before its end."""
    both = Recipe.from_dict({"stage": [{"time": 5.0}, {"time": 5.0}]})
    less = Recipe.from_dict({"stage": [{"time": 1.0}, {"time": 1.0}]})
    planned = Recipe.from_dict({"stage": [{"steps": 9}, {"time": 5.0}]})
    folder = RunFolder(tmp_path)
    assert time_limit(both, both, folder) is time_limit(both, Recipe(), folder) is None
    assert (time_limit(both, less, folder), time_limit(planned, both, folder)) == (2, 10)
    folder.save_checkpoint({"progress.stage": 0, "progress.budget": 5.0})
    assert (time_limit(planned, less, folder), time_limit(planned, both, folder)) == (2, None)


REFUSED = {
    **dict.fromkeys(("overwrite", "skip_existing", "dry_run", "watch", "fit", "no_video"), ""),
    **dict.fromkeys(("transparent", "alpha_weight", "loop", "polish", "side_by_side"), ""),
    "look": "neon",
    "settings": "blend=mean | engine.rate=0.5 | preset=fast",
    "seed": "7",
    "primitive": "triangle",
    "count": "9",
    "target_bytes": "5000",
    "init": "x.svg",
    "recipe": "other.toml",
    "engine": "climb",
    "steps": "50 | 30 --time 9",
    "quality": "draft",
    "target_psnr": "20",
    "plateau": "5",
    "size": "20 | A3 | 20x20",
    "background": "red",
    "palette": "3 | red",
    "edges": "hard | smooth",
    "focus": "auto | 0.5,0.5,0.2",
    "mask": "photo.png",
    "max_pixels": "1000",
    "loss": "l1",
    "symmetry": "p4",
    "view": "turn=180",
    "tiles": "64",
    "crop": "1:1 | A3 | 20x20",
    "crop_at": "auto | face | face-or-whole | 0.1,0.1",
    "pad": "red",
    "dpi": "100",
    "video": "v.gif",
    "still_size": "99",
    "fps": "9",
    "video_seconds": "2",
    "video_size": "20",
    "film": "wipe",
    "start": "photo",
    "end": "photo",
    "history": "5",
    "precision": "int8",
    "walk": "labels",
    "device": "cuda",
    "backend": "eager",
    "threads": "2",
    "targets": "sample:cat",
}
"""Flags with values that the run to resume does not have."""

OBEYED = {
    **dict.fromkeys(("resume", "help_all", "as_json", "quiet", "verbose", "plugin")),  # of commands
    **dict.fromkeys(("out", "name", "seeds", "at_a_time")),  # which runs are resumed
    **dict.fromkeys(("on", "gpus", "checkpoints", "origins")),  # with other flags only
    **dict.fromkeys(("live", "live_port", "show", "notify", "log", "checkpoint_every")),
    "time": "3",
    "max_bytes": "1MB",
    "outputs": "o.svg",
    "graph": "g.dot",
}
"""The other flags; those with a value are tried too."""


def test_every_flag_is_obeyed_with_resume_or_refused(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, registry: Registry
) -> None:
    """`--target-bytes`, `--focus auto`, `--crop-at auto` and other papers were ignored."""
    monkeypatch.chdir(tmp_path)
    Path("other.toml").write_text("[primitive]\ncount = 9\n")
    Path("x.svg").write_text("<svg/>")
    stop_at(15, recipe(photo, {"steps": 40}), registry, tmp_path, name="it")

    def accept(asked: object) -> None:
        raise UsageError("it goes on")

    def answer(*flags: str) -> str:
        target = [str(photo)] if flags[0].startswith("-") else []
        assert main(["fit", *target, *flags, "--resume", "--name", "it", "--out", "."]) == 2
        return capsys.readouterr().err

    monkeypatch.setattr("artgen.runs.runner.find_kind", accept)
    command = typer.main.get_command(make_app("fit")).commands["fit"]
    flags = {each.name: max(each.opts, key=len) for each in command.params}
    assert flags.keys() == REFUSED.keys() | OBEYED.keys()
    for name, values in REFUSED.items():
        for value in values.split(" | "):
            given = [flags[name]] if name != "targets" else []
            assert "it goes on" not in answer(*given, *value.split()), (name, value)
    for name, value in OBEYED.items():
        if value is not None:
            assert "it goes on" in answer(flags[name], value), (name, value)


def test_a_resumed_run_writes_its_graph(photo: Path, tmp_path: Path, registry: Registry) -> None:
    """It said nothing and wrote none, as its engine had begun before."""
    asked = recipe(photo, {"engine": "scratch", "steps": 20, "batch": 16}, primitive=MLP)
    stop_at(15, asked, registry, tmp_path, name="it", checkpoint_every=5)
    assert resume(asked, registry, tmp_path, name="it", graph=tmp_path / "it.dot") > 0
    assert (tmp_path / "it.dot").read_text().startswith("digraph")


def test_paper_agrees_with_its_own_sides(registry: Registry) -> None:
    """Whatever a run was cropped to agreed with any paper."""
    asked = Recipe.from_dict({"target": {"aspect": "A3"}})
    for aspect in ("297:420", "420:297"):
        check_agreement(Recipe.from_dict({"target": {"aspect": aspect}}), asked, registry)
    with pytest.raises(UsageError, match="has aspect = '1:1', not 'A3'"):
        check_agreement(Recipe.from_dict({"target": {"aspect": "1:1"}}), asked, registry)


@pytest.mark.parametrize(
    "stored", [{"aspect": "1:1", "crop_at": "0.5,0.4,0.3"}, {"crop_at": "0.5,0.5"}]
)
def test_what_a_look_cropped_agrees_with_it(registry: Registry, stored: dict[str, str]) -> None:
    asked = Recipe.from_dict({"target": {"crop_at": "face-or-whole"}})
    check_agreement(Recipe.from_dict({"target": stored}), asked, registry)


def test_checkpoints_follow_the_clock_unless_asked(
    photo: Path, tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = recipe(photo, {"steps": 40})
    monkeypatch.setattr(artgen.runs.loop.checkpoints, "CHECKPOINT_SECONDS", 0.0)
    stop_at(15, asked, registry, tmp_path / "soon", checkpoint_every=None)
    assert checkpoint_step(tmp_path / "soon") > 0
    monkeypatch.setattr(artgen.runs.loop.checkpoints, "CHECKPOINT_SECONDS", 1e9)
    stop_at(15, asked, registry, tmp_path / "never", checkpoint_every=None)
    assert list((tmp_path / "never").iterdir()) == []


def test_a_file_in_place_of_something_else_is_refused(registry: Registry) -> None:
    """It ended with an internal error where the stored value is no file but a text."""
    view = {"how": "mirror", "target": "sample:cat"}
    for stored, given, says in (
        ({"target": {"focus": "0.5,0.5,0.2"}}, {"target": {"focus": "face.png"}}, "has focus"),
        ({"target": {}}, {"target": {"mask": "face.png"}}, "has mask = None"),
        ({"view": [view]}, {"view": [{**view, "target": "face.png"}]}, "has target = 'sample:cat'"),
    ):
        with pytest.raises(UsageError, match=f"{says}.*, not 'face.png'"):
            check_agreement(Recipe.from_dict(stored), Recipe.from_dict(given), registry)


def test_a_recipe_of_a_run_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.run").mkdir()
    (tmp_path / "a.run/recipe.json").write_text('{"a":' + "[" * 100_000)
    with pytest.raises(InputError, match=r"cannot read .*recipe\.json"):
        RunFolder.open(tmp_path / "a.run")


def test_what_was_completed_agrees_with_the_words_of_a_recipe(registry: Registry) -> None:
    """Names of colours, and the video that a fit in tiles does not make, were contradictions."""
    plain = Recipe.from_dict({})
    for same in (
        {"target": {"alpha": True}},
        {"target": {"alpha": False}},
        {"primitive": {"symmetry": "none"}},
    ):
        check_agreement(plain, Recipe.from_dict(same), registry)
    clear, solid = (Recipe.from_dict({"target": {"alpha": alpha}}) for alpha in (1.5, False))
    with pytest.raises(UsageError, match=r"has alpha = 1\.5, not False"):
        check_agreement(clear, solid, registry)
    for asked, stored in (
        ({"target": {"palette": ["teal", "#101820", "teal"]}}, ["#008080", "#101820"]),
        ({"output": {"video": True}, "tiles": {"side": 64}}, None),
    ):
        output = {"video": False, "history": 0} if stored is None else {}
        data = {**asked, "target": {"palette": stored} if stored else {}, "output": output}
        check_agreement(Recipe.from_dict(data), Recipe.from_dict(asked), registry)
    stored, asked = ({"target": {"palette": [name, "black"]}} for name in ("#008080", "red"))
    with pytest.raises(UsageError, match="has palette"):
        check_agreement(Recipe.from_dict(stored), Recipe.from_dict(asked), registry)
