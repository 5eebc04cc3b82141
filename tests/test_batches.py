"""Batches with `-j`: the same bytes as one after the other, and no run that harms another."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
from helpers import PATIENCE, PYTHON, changed, recipe, wait_until
from PIL import Image

from artgen.base.errors import (
    InputError,
    Interrupted,
    OutputError,
    PluginError,
    UsageError,
)
from artgen.cli._runs import _received
from artgen.hookspecs import Spec
from artgen.recipe import Recipe
from artgen.registry import KINDS, Registry
from artgen.runs import Result
from artgen.runs.task import Run, write_files
from artgen.tasks import RunControl, pack, read_files, store_files, unpack
from artgen_plugins.ray.checkpoints import Changes, checkpoints_at
from artgen_plugins.ray.executor import _Batch
from artgen_plugins.ray.versions import describe, pin, refuse_others

SMALL = ("--size", "24", "-n", "6", "--steps", "6", "--seed", "2", "--backend", "eager")
SHORT = ("--video-seconds", "1", "--fps", "8")

pytestmark = pytest.mark.usefixtures("empty_folder")


def pictures(*names: str) -> list[str]:
    for seed, name in enumerate(names):
        pixels = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), np.uint8)
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(name)
    return list(names)


def files(folder: str, *suffixes: str) -> dict[str, bytes]:
    kinds = suffixes or (".png", ".mp4", ".art")
    return {p.name: p.read_bytes() for p in Path(folder).iterdir() if p.suffix in kinds}


# ---- -j ------------------------------------------------------------------------------------------


def test_the_same_bytes_in_this_process_in_others_and_without_j(call):
    asked = ("fit", *pictures("a.png", "b.png", "c.png"), *SMALL, *SHORT)
    for out, where in (("one", ("-j", 1)), ("two", ("-j", 2)), ("plain", ("--threads", 1))):
        code, printed, err = call(*asked, "--out", out, *where)
        assert code == 0
        assert set(printed.split()) == {str(path) for path in Path(out).iterdir()}
        assert printed.split()[-1] == str(Path(out, "gaussian-sheet.png"))
        assert "a-gaussian: " in err
    assert len(files("one")) == 10
    assert files("one") == files("two") == files("plain")
    assert json.loads(Path("two/a-gaussian.json").read_text())["threads"] == 1


def test_a_run_that_fails_harms_no_other_and_the_order_is_that_of_the_targets(call):
    Path("bad.png").write_bytes(b"no picture")
    asked = ("fit", "bad.png", *pictures("a.png"), "gone.png", *pictures("b.png"))
    code, out, err = call(*asked, *SMALL, "--no-video", "-j", 2, "--json", "-q")
    runs = json.loads(out)["runs"]
    assert code == 3
    kinds = [run.get("error", {}).get("type") for run in runs]
    assert kinds == ["InputError", None, "InputError", None]
    assert [run["target"]["name"] for run in (runs[1], runs[3])] == ["a.png", "b.png"]
    assert "error: gone-gaussian: target gone.png does not exist" in err


def test_runs_without_a_seed_get_one_and_logs_and_videos_have_their_own_names(call):
    asked = ("fit", *pictures("a.png", "b.png"), *SMALL[:-4], "--backend", "eager", *SHORT)
    code, out, _ = call(*asked, "-j", 2, "--log", "x.jsonl", "--video", "v.webp", "--json", "-q")
    assert code == 0
    seeds = [run["seed"] for run in json.loads(out)["runs"]]
    assert len(set(seeds)) == 2
    for stem in ("a-gaussian", "b-gaussian"):
        assert json.loads(Path(f"x-{stem}.jsonl").read_text().splitlines()[-1])["step"] == 6
        assert Path(f"v-{stem}.webp").exists()


def test_pictures_of_one_name_are_told_apart_by_their_suffix(call):
    """The whole batch was refused: both would have been written to one file."""
    pictures("photos/a.png", "photos/a.tif", "photos/b.png", "elsewhere/b.png")
    asked = ("fit", "photos", *SMALL, "--no-video", "-p", "gaussian")
    code, _, err = call(*asked)
    assert code == 0
    assert err.count("note: outputs of pictures of one name are told apart") == 1
    made = {f"{name}-gaussian.art" for name in ("a-png", "a-tif", "b")}
    assert set(files("artgen-out", ".art")) == made
    before = files("artgen-out", ".art")
    Path("artgen-out/a-tif-gaussian.json").unlink()
    Path("artgen-out/a-tif-gaussian.art").unlink()
    Path("artgen-out/a-tif-gaussian.png").unlink()
    assert call(*asked, "--resume")[0] == 0
    assert files("artgen-out", ".art") == before
    code, _, err = call(*asked[:1], "photos/b.png", "elsewhere/b.png", *asked[2:], "--out", "other")
    assert (code, "would both be written to b-gaussian.png" in err) == (2, True)


def test_a_batch_of_shapes_resumes_with_the_backend_that_they_do_not_have(call):
    """Finished runs were refused: shapes are compiled whatever is asked for."""
    asked = ("fit", *pictures("a.png", "b.png"), *SMALL, "--no-video", "-p", "triangle")
    assert call(*asked)[0] == 0
    before = files("artgen-out", ".art")
    assert call(*asked, "--resume")[0] == 0
    assert files("artgen-out", ".art") == before


def test_one_run_may_be_elsewhere_too(call):
    code, out, _ = call("fit", *pictures("a.png"), *SMALL, "--no-video", "-j", 2, "--json", "-q")
    assert code == 0
    assert json.loads(out)["target"]["name"] == "a.png"
    code, out, _ = call("fit", "a.png", *SMALL, "--no-video", "-j", 2, "--json", "-q")
    assert (code, json.loads(out)["error"]["type"]) == (2, "UsageError")


# By day a batch of fits is, and test_compare compares in one process.
@pytest.mark.nightly
def test_a_comparison_of_several_at_a_time_is_the_same(call):
    pictures("in/a.png", "in/b.png")
    asked = ("compare", "in", "-p", "gaussian:count=6", "-p", "mlp:hidden=4", "--steps", 3)
    rows = {}
    for out, jobs in (("one", 1), ("two", 2)):
        code, printed, _ = call(*asked, "--seed", 1, "--out", out, "-j", jobs, "--json", "-q")
        assert code == 0
        rows[out] = [(r["target"], r["contestant"], r["psnr"]) for r in json.loads(printed)["rows"]]
    assert rows["one"] == rows["two"]
    assert len(files("one", ".art")) == 4
    assert files("one", ".art") == files("two", ".art")


HELD = """
import time
from pathlib import Path
import artgen
from artgen.losses import mse

steps = 0

def held(image, target, weight):
    "The mean squared error; for the first time only once both runs have a checkpoint."
    global steps
    steps += 1
    kept = [Path(f"artgen-out/{n}-gaussian.run/checkpoint.safetensors") for n in "ab"]
    while steps > 60 and not Path("interrupted").exists() and not all(map(Path.exists, kept)):
        time.sleep(0.01)
    return mse(image, target, weight)

@artgen.hookimpl
def artgen_losses():
    return [artgen.Spec("held", "Held.", held)]
"""


@pytest.mark.skipif(not hasattr(os, "setsid"), reason="needs process groups")
def test_an_interrupted_batch_saves_what_runs_and_is_resumed(call):
    # A run waits for the other, so that few steps are enough: none ends before both are interrupted.
    Path("held.py").write_text(HELD)
    asked = ["fit", *pictures("a.png", "b.png", "c.png"), "--size", "24", "-n", "3", "--seed", "1"]
    asked += ["--steps", "400", "--no-video", "--backend", "eager", "--checkpoint-every", "50"]
    asked += ["--loss", "held", "--plugin", "held.py"]
    process = subprocess.Popen(
        [*PYTHON, "-m", "artgen", *asked, "-j", "2", "--json", "-q"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    kept = [Path(f"artgen-out/{n}-gaussian.run/checkpoint.safetensors") for n in "ab"]
    wait_until(lambda: all(path.exists() for path in kept), lambda: process.poll() is None)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    Path("interrupted").touch()
    assert process.returncode == 130
    runs = json.loads(out)["runs"]
    assert [run.get("stopped_by") for run in runs[:2]] == ["interrupted"] * 2
    assert all(0 < run["steps"] < 400 for run in runs[:2])
    assert runs[2]["error"]["message"] == "not started"

    assert call(*asked, "-j", 2, "-q", "--resume")[0] == 0
    # The second one that was interrupted, whole: the others do the same.
    asked[1:4] = ["b.png"]
    assert call(*asked, "-q", "--out", "whole")[0] == 0
    resumed = files("artgen-out", ".art")
    assert len(resumed) == 3
    assert files("whole", ".art").items() <= resumed.items()
    assert not list(Path("artgen-out").glob("*.run"))


def test_the_process_that_waits_imports_no_torch():
    pictures("a.png", "b.png")
    asked = ["fit", "a.png", "b.png", *SMALL, "--no-video", "-j", "2", "-q"]
    code = (
        "import sys\n"
        "from artgen.cli import main\n"
        f"assert main({asked!r}) == 0\n"
        "print(sorted({'torch', 'numba', 'ray'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_a_table_of_all_runs_is_for_terminals(call, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    code, out, err = call("fit", *pictures("a.png", "b.png"), *SMALL, "--no-video", "-j", 2)
    assert code == 0
    assert len(out.split()) == 8
    assert "all runs" in err
    assert "a-gaussian: " in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--on", "spark"), "ray://HOST:PORT"),
        (("--gpus", "0.5"), "--gpus needs --on"),
        (("--checkpoints", "kept", "-j", "2"), "--checkpoints needs --on"),
        (("--live", "-j", "2"), "leave out -j"),
        (("-j", "0"), "-j"),
    ],
)
def test_flags_that_do_not_go_together(call, arguments, words):
    code, _, err = call("fit", *arguments)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("fit",), None),
        (("fit",), ModuleSpec("ray", None)),  # a folder that is called ray, as in tests
        (("compare", "-p", "gaussian"), None),
        (("gallery", "build"), None),
    ],
)
def test_without_ray_the_line_that_installs_it_is_printed(call, monkeypatch, command, found):
    pictures("gallery/a.png")
    Path("gallery/one.toml").write_text("seed = 1\n")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: found if name == "ray" else find(name, *more),
    )
    code, out, err = call(*command, "--on", "ray", "--json")
    assert code == json.loads(out)["error"]["exit_code"] == 2
    assert "pip install 'artgen[ray]'" in err


# ---- what travels --------------------------------------------------------------------------------


def run_of(recipe: dict, **more: object) -> Run:
    return Run("a", Recipe.from_dict(recipe), folder=Path("out"), **more)


def test_a_run_travels_with_its_files_and_errors_name_them_as_the_user_does(tmp_path):
    pictures("here/a.png", "here/mask.png")
    Path("dab.py").write_text("dab")
    task = run_of(
        {"target": {"source": "a.png", "mask": "mask.png"}},
        search=(Path("nowhere"), Path("here")),
        plugins=(Path("dab.py"),),
        log=Path("logs/a.jsonl"),
    )
    home = tmp_path / "there"
    unpacked = unpack(pack(task, read_files), home)
    there = unpacked.task
    source = Path(there.recipe.target.source)
    assert source.is_relative_to(home)
    assert source.read_bytes() == Path("here/a.png").read_bytes()
    assert Path(there.recipe.target.mask.name).read_bytes() == Path("here/mask.png").read_bytes()
    assert there.recipe.requested()["target"]["source"] == str(source)
    assert [plugin.read_text() for plugin in there.plugins] == ["dab"]
    assert (there.folder, there.log) == (home / "work", home / "work/a.jsonl")
    assert there.return_files
    assert not there.resume
    error = unpacked.as_said(InputError(f"{source} is no picture", hint=f"look at {source}"))
    assert (error.message, error.hint) == ("a.png is no picture", "look at a.png")

    with pytest.raises(InputError, match="does not exist"):
        pack(run_of({"target": {"source": "gone.png"}}), read_files)


def test_the_pictures_of_views_travel(tmp_path):
    """Beside the picture of a loss, which is another file."""
    pictures("a.png", "b.png", "wood.png")
    recipe = {
        "target": {"source": "a.png"},
        "stage": [{"loss": "mse+0.1*texture:wood.png"}],
        "view": ["mirror", "turn=180:b.png", "turn=90:b.png", "invert:sample:cat"],
    }
    there = unpack(pack(run_of(recipe), read_files), tmp_path).task.recipe
    own, turned, again, sample = [view.target for view in there.view]
    assert (own, sample) == (None, "sample:cat")
    for reference, name in ((turned, "b.png"), (again, "b.png")):
        assert Path(reference.name).is_relative_to(tmp_path)
        assert Path(reference.name).read_bytes() == Path(name).read_bytes()
    [wood] = there.stage[0].loss_files
    assert Path(wood.name).read_bytes() == Path("wood.png").read_bytes()


def test_the_sound_of_a_film_travels(tmp_path):
    """A run on another machine found none. What is no file is left to the form."""
    pictures("a.png")
    store_files(Path("songs"), {"song.wav": b"sound"})

    def filmed(film: str, *search: str) -> Run:
        recipe = {"target": {"source": "a.png"}, "output": {"film": film}}
        return run_of(recipe, search=tuple(map(Path, (".", *search))))

    unpacked = unpack(pack(filmed("music=song.wav", "songs"), read_files), tmp_path / "1")
    form, _, sound = unpacked.task.recipe.output.film.partition("=")
    assert form == "music"
    assert Path(sound).is_relative_to(tmp_path)
    assert Path(sound).read_bytes() == b"sound"
    assert unpacked.as_said(InputError(f"bad {sound}")).message == "bad song.wav"
    for film in ("zoom", "music=gone.wav", "music=songs", 'music={sound = "sample:pulse"}'):
        packed = pack(filmed(film), read_files)
        assert list(packed.held) == ["target"]
        assert unpack(packed, tmp_path / "2").task.recipe.output.film == film


def test_sets_travel_whole(tmp_path):
    pictures("set/cats/a.png", "set/dogs/b.png")
    there = unpack(pack(run_of({"target": {"source": "set"}}), read_files), tmp_path / "1").task
    found = Path(there.recipe.target.source)
    assert found.name == "set"
    assert sorted(path.name for path in found.rglob("*.png")) == ["a.png", "b.png"]
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz"):
        Path(name).write_text(name)
    task = run_of({"target": {"source": "train-images-idx3-ubyte"}})
    there = unpack(pack(task, read_files), tmp_path / "2").task
    found = Path(there.recipe.target.source)
    assert found.read_text() == "train-images-idx3-ubyte"
    assert len(list(found.parent.iterdir())) == 3


def test_the_folder_of_a_clip_travels(tmp_path):
    pictures("walk/1.png", "walk/2.png")
    packed = pack(run_of({"target": {"source": "frames:walk?fps=5"}}), read_files)
    source = unpack(packed, tmp_path / "home").task.recipe.target.source
    folder = tmp_path / "home" / "target" / "walk"
    assert source == f"frames:{folder}?fps=5"
    assert sorted(path.name for path in folder.iterdir()) == ["1.png", "2.png"]


def test_a_run_that_began_travels_with_its_folder(tmp_path):
    store_files(
        Path("out/a.run"), {"recipe.json": b"{}", "frames/000000001.png": b"1", "lock": b""}
    )
    Path("a.jsonl").write_text("{}")
    task = run_of({"target": {"source": "gone.png"}}, resume=True, log=Path("a.jsonl"))
    left = task.resume_files()
    assert set(left) == {"a.run/recipe.json", "a.run/frames/000000001.png", "a.jsonl"}
    home = tmp_path / "there"
    store_files(home / "work", {name: path.read_bytes() for name, path in left.items()})
    assert unpack(pack(task, read_files), home).task.resume
    assert task.local_path("a.run/recipe.json") == Path("out/a.run/recipe.json")
    assert task.local_path("a.png") is None


def test_a_run_that_began_travels_without_the_picture_of_its_loss(tmp_path):
    """Its folder has a copy; what is still there travels."""
    pictures("a.png", "b.png")
    store_files(Path("out/a.run"), {"recipe.json": b"{}"})
    recipe = {
        "target": {"source": "a.png"},
        "stage": [{"loss": "mse+0.1*texture:gone.png"}],
        "view": ["turn=180:b.png", "turn=90:gone-too.png"],
    }
    there = unpack(pack(run_of(recipe, resume=True), read_files), tmp_path).task.recipe
    assert [file.name for file in there.stage[0].loss_files] == ["gone.png"]
    here, gone = [view.target.name for view in there.view]
    assert Path(here).is_relative_to(tmp_path)
    assert gone == "gone-too.png"


def test_what_comes_back_is_put_where_a_run_here_would(tmp_path):
    task = run_of({}, overwrite=True)
    store_files(Path("out"), {"a.mp4": b"of an earlier run of artgen", "a.run/recipe.json": b"{}"})
    summary = {
        "recipe": changed(Recipe(), {"output": {"video": False}}).to_dict(),
        "outputs": {
            "still": "/tmp/x/a.png",
            "video": None,
            "art": "/tmp/x/a.art",
            "checkpoint": None,
        },
    }
    files_of = {"still": b"png", "art": b"art", "summary": b"json"}
    done = write_files(task, Result(summary, None, files_of))
    assert done.summary["outputs"] == {
        "still": str(Path("out/a.png")),
        "video": None,
        "art": str(Path("out/a.art")),
        "checkpoint": None,
    }
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == {
        "a.png": b"png",
        "a.art": b"art",
        "a.json": b"json",
    }
    stopped = write_files(task, Result(summary, Interrupted("stopped"), files_of))
    assert stopped.summary["outputs"]["checkpoint"] == str(Path("out/a.run"))


def test_a_run_whose_process_died_is_resumed_where_it_began(tmp_path):
    task = Run("a", Recipe(), folder=tmp_path)
    assert _received(task, OutputError("its process ended", hint="less")).error.hint == "less"
    (tmp_path / "a.run").mkdir()
    (tmp_path / "a.run/recipe.json").touch()
    failed = _received(task, OutputError("its process ended", hint="less")).error
    assert failed.hint == "less; continue with --resume"


def test_checkpoints_in_a_folder_or_at_a_url(tmp_path):
    for url in ("kept", f"file://{tmp_path}/at"):
        kept = checkpoints_at(url)
        assert kept.load("a") == {}
        kept.drop("a")
        kept.save("a", {"a.run/frames/1.png": b"1", "a.run/checkpoint.safetensors": b"c"})
        kept.save("a", {"a.run/checkpoint.safetensors": b"d"})
        kept.save("b", {"b.run/recipe.json": b"{}"})
        folder = tmp_path / ("kept" if url == "kept" else "at")
        (folder / "a/a.run/half.part").write_bytes(b"killed")
        assert kept.load("a") == {
            "a.run/frames/1.png": b"1",
            "a.run/checkpoint.safetensors": b"d",
        }
        kept.drop("a")
        assert (kept.load("a"), list(kept.load("b"))) == ({}, ["b.run/recipe.json"])
    with pytest.raises(UsageError, match="cannot be used"):
        checkpoints_at("nosuchprotocol://somewhere")


@pytest.mark.parametrize("newer", ["stored", "here"])
def test_a_resumed_run_goes_on_from_the_newer_checkpoint(newer, tmp_path):
    """One that was stored before who sent the run was lost gave way to an older one of the run folder."""
    kept = checkpoints_at(str(tmp_path / "kept"))
    kept.save("a", {"a.run/checkpoint.safetensors": b"stored", "a.run/frames/1.png": b"1"})
    store_files(tmp_path / "a.run", {"recipe.json": b"{}", "checkpoint.safetensors": b"here"})
    at = kept.changed("a") + (-9 if newer == "stored" else 9)
    os.utime(tmp_path / "a.run/checkpoint.safetensors", (at, at))
    batch = MagicMock(checkpoints=kept, at_url=True, running={})
    run = Run("a", recipe(Path("sample:cat"), {}), folder=tmp_path, resume=True)
    _Batch.send(batch, run)
    found = kept.load("a")
    assert found["a.run/checkpoint.safetensors"] == newer.encode()
    # Files of the one that gave way do not lie among those of the other.
    assert ("a.run/frames/1.png" in found) == (newer == "stored") != ("a.run/recipe.json" in found)
    assert kept.changed("b") == 0.0


def test_only_what_changed_is_sent_the_checkpoint_last(tmp_path):
    run = tmp_path / "a.run"
    store_files(run, {"recipe.json": b"{}", "frames/1.png": b"1"})
    changes = Changes(Run("a", Recipe(), folder=tmp_path))
    assert not changes.due()
    store_files(
        run, {"checkpoint.safetensors": b"c", "frames/2.png": b"2", "lock": b"", "outputs/x": b"x"}
    )
    store_files(run, {"frames/.3.part-00": b"half"})
    assert changes.due()
    assert list(changes.take()) == ["a.run/frames/2.png", "a.run/checkpoint.safetensors"]
    assert not changes.due()
    assert changes.take() == {}


@pytest.mark.parametrize(("seconds", "times"), [(0.1, [0, 6, 12, 18, 24]), (1.0, [0, 11, 22])])
def test_pauses_follow_checkpoints_that_are_sent(tmp_path, monkeypatch, seconds, times):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr("artgen_plugins.ray.checkpoints.time", clock)
    changes = Changes(Run("a", Recipe(), folder=tmp_path))
    sent = []

    def save(files):
        sent.append((clock.now, *files.values()))
        clock.now += seconds

    for second in range(30):
        clock.now = max(clock.now, second)
        store_files(tmp_path, {"a.run/checkpoint.safetensors": b"x" * (second + 1)})
        if changes.due():
            changes.send(save)
    assert sent == [(time, b"x" * (time + 1)) for time in times]


def test_every_key_of_a_clip_is_one_to_go_on_from(tmp_path):
    changes = Changes(Run("a", Recipe(), folder=tmp_path))
    assert not changes.any()
    for name in ("first/checkpoint", "keys/000000", "keys/000001"):
        scene = f"a.run/scenes/000/{name}.safetensors"
        store_files(tmp_path, {scene: b"x"})
        assert changes.any()
        assert changes.due()
        assert list(changes.take()) == [scene]
        assert not changes.due()


# ---- the same artgen everywhere ------------------------------------------------------------------


def test_plugins_that_recipes_name_have_to_be_the_same(monkeypatch):
    registry = Registry(environ={})
    plain = Recipe()
    own = {"artgen": ("artgen", "artgen_makers", "artgen_plugins")}
    assert pin([plain], registry) == own

    offered = []

    class Entry:
        name, distribution, spec = "heart", "artgen-heart", Spec("heart", "A heart.", "email:Heart")
        plugin = type("Plugin", (), {"origin": "installed"})

    find = registry.entries
    monkeypatch.setattr(registry, "entries", lambda kind: find(kind) + [Entry] * (kind in offered))
    for kind, named in (
        ("primitive", {"primitive": {"name": "artgen-heart/heart*3+gaussian"}}),
        ("view", {"view": [{"how": "turn=90+heart=2"}]}),
        ("target", {"view": [{"how": "turn=90", "target": "heart:7"}]}),
        ("form", {"output": {"film": "heart=text"}}),
        ("run", {"kind": {"name": "heart"}}),
    ):
        assert kind in KINDS
        offered[:] = [kind]
        heart = changed(Recipe(), named)
        assert pin([plain, heart], registry) == {**own, "artgen-heart": ("email",)}
    assert "artgen-heart" not in pin([plain], registry)


def test_what_differs_is_named_with_both_versions():
    here = describe({"artgen": ("artgen", "artgen_plugins"), "no-such-plugin": ("email",)})
    assert here["artgen"].startswith("0.")
    assert "(source " in here["artgen"]
    assert here["no-such-plugin"] == "missing"
    assert refuse_others(here, here, "node 7") == []
    [warning] = refuse_others(here, {**here, "torch": "0.1"}, "node 7")
    assert "torch is 0.1 on node 7" in warning
    with pytest.raises(UsageError, match=r"artgen is 9 \(source x\) on node 7, and 0\."):
        refuse_others(here, {**here, "artgen": "9 (source x)"}, "node 7")
    with pytest.raises(PluginError, match="artgen-heart is missing on node 7, and 1 here"):
        refuse_others({"artgen-heart": "1"}, {}, "node 7")


def test_another_source_is_another_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    versions = []
    for number, text in enumerate(("a = 1\n", "a = 2\n")):
        name = f"artgen_something_{number}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.py").write_text(text)
        versions.append(describe({"artgen": (name,)})["artgen"])
    assert versions[0] != versions[1]


def test_an_interruption_asked_for_before_the_start_begins_nothing():
    from artgen.tasks import SerialExecutor

    control = RunControl()
    control.request_stop()
    assert list(SerialExecutor().run(print, [run_of({})], print, control)) == []


# ---- places of plugins ---------------------------------------------------------------------------

HERE = """
import artgen

def here(place, number, checkpoints, recipes, registry):
    {0}

@artgen.hookimpl
def artgen_executors():
    return [artgen.Spec("here", "This process.", here, example="here://PORT")]
"""


def test_a_plugin_adds_a_place_to_run(call):
    Path("here.py").write_text(
        HERE.format(
            "print(place, number, checkpoints, *[each.primitive.name for each in recipes])\n"
            "    return artgen.tasks.ProcessExecutor(1)"
        )
    )
    asked = ("fit", *pictures("a.png"), *SMALL, "-q", "--plugin", "here.py")
    code, printed, _ = call(*asked, "--on", "here://7", "-j", 3, "--checkpoints", "kept")
    assert (code, printed) == (0, "here://7 3 kept gaussian\n")
    assert call(*asked, "--threads", 1, "--out", "plain")[0] == 0
    assert files("artgen-out", ".png", ".art") == files("plain", ".png", ".art")


def test_a_place_of_a_plugin_that_fails_is_the_fault_of_the_plugin(call):
    Path("here.py").write_text(HERE.format("return registry.nothing"))
    asked = ("fit", *pictures("a.png"), *SMALL, "--plugin", "here.py", "--on")
    code, _, err = call(*asked, "here")
    assert code == PluginError.exit_code
    assert "here.py, line 5" in err
    code, _, err = call(*asked, "there")
    assert code == UsageError.exit_code
    assert "use here, here://PORT, ray, ray://HOST:PORT" in err
