"""`artgen fit` from its arguments to its files, streams and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import PYTHON
from PIL import Image

import artgen.runs as runner
from artgen.base.errors import Diverged, Interrupted
from artgen.cli import main
from artgen.cli._sheet import write_sheet

TINY = ("--size", "24", "-n", "8", "--steps", "4", "--threads", "1", "--no-video")

OLD = {
    "schema": 1,
    "primitive": {"name": "gaussian"},
    "stage": [{"engine": "gradient", "rate": 0.5, "jitter": 0.0, "batch": 0, "turn": 15.0}],
}
"""A recipe of schema 1, which stored the options of all families."""

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture
def fit(capsys: pytest.CaptureFixture[str]):
    """Run `artgen fit`: exit code, stdout, stderr."""

    def call(*arguments: str, tiny: bool = True) -> tuple[int, str, str]:
        code = main(["fit", *(TINY if tiny else ()), *arguments])
        return code, *capsys.readouterr()

    return call


def picture(path: str, side: int = 24, seed: int = 0) -> str:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def failure(out: str) -> dict:
    data = json.loads(out)
    assert set(data) == {"error"}
    return data["error"]


def test_paths_on_stdout_and_the_story_on_stderr(fit):
    code, out, err = fit("--seed", "5")
    stem = Path("artgen-out/astronaut-gaussian")
    assert code == 0
    assert out.split() == [f"{stem}{suffix}" for suffix in (".png", ".art", ".json")]
    assert all(Path(line).stat().st_size for line in out.split())
    assert "seed 5" in err
    assert "gaussian x 8" in err
    assert " dB after 4 steps" in err
    assert not Path("artgen-out/astronaut-gaussian.run").exists()


def test_the_video_is_among_the_paths(fit):
    _, out, _ = fit(
        *("--size", "16", "-n", "4", "--steps", "2", "--threads", "1"),
        *("--video-seconds", "0.2", "--fps", "10"),
        tiny=False,
    )
    assert Path("artgen-out/astronaut-gaussian.mp4") in map(Path, out.split())


def test_json_is_the_object_that_is_also_written(fit):
    code, out, err = fit("--json", "--quiet", "--seed", "1")
    assert code == 0
    assert err == ""
    data = json.loads(out)
    stored = json.loads(Path("artgen-out/astronaut-gaussian.json").read_text())
    assert Path(data["outputs"].pop("still")).exists()
    assert Path(data["outputs"].pop("art")).exists()
    # What is stored may be moved elsewhere, so it holds no folder.
    assert stored["outputs"].pop("still") == "astronaut-gaussian.png"
    assert stored["outputs"].pop("art") == "astronaut-gaussian.art"
    assert data == stored
    assert (data["count"], data["steps"], data["target"]["width"]) == (8, 4, 24)


def test_verbose_shows_every_evaluation(fit):
    _, _, brief = fit("--steps", "30")
    _, _, full = fit("--steps", "30", "-v", "--overwrite")
    assert brief.count("loss") < full.count("loss") == 31


def test_what_exists_is_not_overwritten_unless_asked(fit):
    fit()
    before = Path("artgen-out/astronaut-gaussian.png").read_bytes()
    code, out, err = fit("--seed", "1")
    assert (code, out) == (2, "")
    assert "astronaut-gaussian.png exists" in err
    assert "--overwrite" in err
    assert Path("artgen-out/astronaut-gaussian.png").read_bytes() == before
    assert fit("--overwrite", "--seed", "1")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "0"], "--count"),
        (["--size", "0"], "--size"),
        (["--steps", "0"], "--steps"),
        (["--time", "nan"], "--time"),
        (["--fps", "0"], "--fps"),
        (["--video-seconds", "nan"], "--video-seconds"),
        (["--target-psnr", "nan"], "--target-psnr"),
        (["--plateau", "0"], "--plateau"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**63)], "--seed"),
        (["--seed", "x"], "--seed"),
        (["--threads", "0"], "--threads"),
        (["--still-size", "65537"], "--still-size"),
        (["--checkpoint-every", "0"], "--checkpoint-every"),
        (["--max-pixels", "0"], "--max-pixels"),
        (["--precision", "fp8"], "--precision"),
        (["--backend", "magic"], "--backend"),
        (["--seed", "1", "--seeds", "1..3"], "--seeds"),
        (["--seeds", "3..1"], "--seeds"),
        (["--overwrite", "--resume"], "--resume"),
        (["--frobnicate"], "--frobnicate"),
        (["--set", "blend"], "--set"),
        (["--set", "blnd=sum"], "did you mean blend"),
        (["--set", "engine.rat=1"], "did you mean rate"),
        (["--set", "blend=nothing"], "blend"),
        (["--device", "abacus"], "abacus"),
        (["--background", "nocolour"], "nocolour"),
        (["-p", "mlp", "-n", "3"], "mlp"),
        (["--name", "../x"], "../x"),
        (["--resume"], "--resume"),
    ],
)
def test_usage_errors_are_one_sentence_and_a_hint(fit, arguments, words):
    code, out, err = fit(*arguments)
    assert (code, out) == (2, "")
    message, hint = err.splitlines()
    assert message.startswith("error: ")
    assert hint.startswith("hint: ")
    assert words in err
    assert not Path("artgen-out").exists() or not any(Path("artgen-out").iterdir())


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (["--count", "0"], "UsageError", 2),
        (["--frobnicate"], "UsageError", 2),
        (["missing.png"], "InputError", 3),
        (["sample:astronat"], "InputError", 3),
        (["--recipe", "missing.toml"], "InputError", 3),
        (["--init", "missing.art"], "InputError", 3),
        (["-p", "gausian"], "PluginError", 4),
        (["--plugin", "missing.py"], "PluginError", 4),
    ],
)
def test_a_failure_is_one_json_object_too(fit, arguments, kind, code):
    found, out, err = fit("--json", *arguments)
    error = failure(out)
    assert found == code
    assert (error["type"], error["exit_code"]) == (kind, code)
    assert error["message"] in err
    assert "Traceback" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk, as Linux has it")
def test_where_nobody_can_be_reached_it_goes_on_and_the_exit_code_is_the_same(tmp_path):
    tiny = ["sample:cat", "--size", "16", "-n", "2", "--steps", "1", "--no-video"]
    cases = (
        (["gone.png"], "stderr", 3),
        (["gone.png", "-v"], "stderr", 3),
        (["gone.png", "--json"], "stdout", 3),
        (tiny, "stderr", 0),
        ([*tiny, "--overwrite"], "stdout", 6),
    )
    for arguments, stream, expected in cases:
        with open("/dev/full", "w") as full:
            line = [*PYTHON, "-m", "artgen", "fit", *arguments]
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
            assert subprocess.run(line, cwd=tmp_path, check=False, **streams).returncode == expected
        assert expected == 3 or (tmp_path / "artgen-out/cat-gaussian.art").exists()


def test_a_bug_is_reported_by_its_type_and_shown_with_v(fit, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr(runner, "run", broken)
    code, out, err = fit("--json", "-q")
    assert code == 1
    assert failure(out)["message"] == "unexpected ZeroDivisionError: oh no"
    assert err.splitlines() == [
        "error: unexpected ZeroDivisionError: oh no",
        "hint: run again with -v for the traceback",
    ]
    assert "Traceback" in fit("-v")[2]


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(28, "No space left"), 6), (MemoryError(), 6), (KeyError("k"), 1)]
)
def test_what_the_system_refuses_is_no_bug(fit, monkeypatch, error, code):
    def refused(*args, **kwargs):
        raise error

    monkeypatch.setattr(runner, "run", refused)
    found, out, _ = fit("--json", "-q")
    assert found == failure(out)["exit_code"] == code
    assert fit("--seeds", "1", "-q")[0] == code


def test_a_search_with_nothing_left_to_gain_says_so(fit):
    arguments = ["-p", "triangle", "-n", "2", "--set", "engine.passes=0", "--steps", "50"]
    code, _, err = fit(*arguments)
    assert code == 0
    assert "finished: more would not help" in err


def test_a_message_is_one_line_whatever_the_names(fit):
    code, _, err = fit("two\nlines.png")
    assert code == 3
    assert err.splitlines()[0] == "error: target two lines.png does not exist"


def test_ctrl_c_before_anything_is_quiet(fit, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    assert fit("-q") == (130, "", "")
    code, out, _ = fit("-q", "--json")
    assert (code, failure(out)["type"]) == (130, "Interrupted")


def test_a_run_that_failed_but_saved_tells_both(fit, monkeypatch):
    real = runner.run

    def diverging(*args, **kwargs):
        outcome = real(*args, **kwargs)
        return replace(outcome, error=Diverged("the loss became nan", hint="smaller"))

    monkeypatch.setattr(runner, "run", diverging)
    code, out, err = fit("--json", "-q")
    data = json.loads(out)
    assert code == data["error"]["exit_code"] == 5
    assert data["outputs"]["still"]
    assert err.splitlines() == ["error: the loss became nan", "hint: smaller"]


def test_a_recipe_is_repeated_exactly_and_flags_win_over_it(fit):
    fit("--seed", "3", "--set", "blend=mean")
    still, stored = Path("artgen-out/astronaut-gaussian.png"), Path("again/x.png")
    arguments = ("--recipe", str(still), "--out", "again", "--name", "x", "-q")
    assert fit(*arguments, tiny=False)[0] == 0
    assert stored.read_bytes() == still.read_bytes()
    _, out, _ = fit(*arguments, "--overwrite", "--seed", "4", "--json", tiny=False)
    data = json.loads(out)
    assert data["seed"] == 4
    assert data["recipe"]["primitive"]["blend"] == "mean"
    assert stored.read_bytes() != still.read_bytes()


def test_what_is_made_again_keeps_its_name(fit):
    """It became astronaut-gaussian, whatever it had been called."""
    fit("--name", "poster")
    again = ("--recipe", "artgen-out/poster.art", "--out", "again", "-q", "--json")
    named = {"poster": [], "astronaut-circle": ["-p", "circle"], "cat-gaussian": ["sample:cat"]}
    for name, flags in {**named, "astronaut-gaussian-s4": ["--seeds", "4"]}.items():
        assert fit(*again, *flags, tiny=False)[0] == 0
        assert Path(f"again/{name}.png").exists()


def test_flags_over_an_old_recipe_cannot_set_an_option_of_another_family(fit):
    Path("old.json").write_text(json.dumps({"recipe": OLD}))
    arguments = ("--recipe", "old.json", "--name", "x", "-q", "--json")
    code, out, _ = fit(*arguments)
    assert code == 0
    assert "jitter" not in json.loads(out)["recipe"]["stage"][0]
    for key, hint in (("jitter", "field"), ("batch", "field and codec"), ("zoom", "known")):
        code, out, _ = fit(*arguments, "--overwrite", "--set", f"engine.{key}=1")
        assert code == 2
        assert f"gradient has no option '{key}'" in failure(out)["message"]
        assert hint in failure(out)["hint"]


def test_files_of_a_recipe_lie_beside_it_and_those_of_flags_do_not(fit):
    Path("sub").mkdir()
    picture("sub/a.png", seed=1)
    Path("sub/r.toml").write_text('[target]\nsource = "a.png"\n')
    assert fit("--recipe", "sub/r.toml", "-q")[0] == 0
    assert Path("artgen-out/a-gaussian.png").exists()
    picture("a.png", seed=2)
    _, out, _ = fit("a.png", "--recipe", "sub/r.toml", "--overwrite", "--json", "-q")
    target = json.loads(out)["target"]
    assert target["name"] == "a.png"
    _, out, _ = fit("a.png", "--overwrite", "--json", "-q")
    assert json.loads(out)["target"]["sha256"] == target["sha256"]


def test_a_changed_target_is_refused_until_it_is_given(fit):
    picture("a.png", seed=1)
    fit("a.png")
    picture("a.png", seed=2)
    recipe = ("--recipe", "artgen-out/a-gaussian.json", "--name", "x", "-q")
    code, _, err = fit(*recipe)
    assert code == 3
    assert "a.png" in err
    assert fit(*recipe, "a.png")[0] == 0


def test_init_brings_primitive_options_count_and_target(fit):
    picture("a.png")
    fit("a.png", "--set", "blend=mean", "--set", "scale=inverse", "--seed", "1")
    _, out, _ = fit(
        *("--init", "artgen-out/a-gaussian.art", "--name", "more", "--json", "-q"),
        *("--steps", "2", "--no-video", "--threads", "1"),
        tiny=False,
    )
    recipe = json.loads(out)["recipe"]
    assert recipe["primitive"] == {
        "name": "gaussian",
        "count": 8,
        "blend": "mean",
        "scale": "inverse",
        "visibility": "full",
        "visibility_size": 8,
    }
    assert recipe["target"]["source"] == "a.png"
    assert recipe["init"]["name"] == "a-gaussian.art"


def test_a_loose_plugin_is_used_and_its_warnings_are_shown(fit):
    Path("gaussian.py").write_text(
        "import torch\nfrom artgen import Splat, Param\n\n"
        "class Gaussian(Splat):\n"
        "    '''Round dabs.'''\n"
        "    params = {'size': Param(init=0.2, map='exp')}\n"
        "    def footprint(self, dx, dy, p):\n"
        "        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))\n"
        "    def radius(self, p):\n"
        "        return 2.6 * p.size\n"
    )
    code, out, err = fit("--plugin", "gaussian.py", "--json")
    assert code == 0
    assert json.loads(out)["recipe"]["primitive"]["plugin"]["name"] == "gaussian.py"
    warnings = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "hides" in warnings[0]


def test_a_batch_of_seeds_has_stems_a_sheet_and_logs(fit):
    code, out, err = fit("--seeds", "1,2", "--log", "log.jsonl", "--json")
    data = json.loads(out)
    assert code == 0
    assert [run["seed"] for run in data["runs"]] == [1, 2]
    sheet = Path(data["sheet"])
    assert sheet == Path("artgen-out/astronaut-gaussian-sheet.png")
    with Image.open(sheet) as pixels:
        assert min(pixels.size) > 100
    for stem in ("astronaut-gaussian-s1", "astronaut-gaussian-s2"):
        assert Path(f"artgen-out/{stem}.art").exists()
        lines = Path(f"log-{stem}.jsonl").read_text().splitlines()
        assert json.loads(lines[-1])["step"] == 4
        assert stem in err


def test_a_sheet_shows_pictures_that_are_stored_as_numbers_of_colours(tmp_path):
    still = Image.fromarray(np.full((40, 60, 3), (200, 60, 20), np.uint8)).quantize(2)
    still.save(tmp_path / "a.png")
    write_sheet([(tmp_path / "a.png", "a"), (tmp_path / "a.png", "b")], tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as sheet:
        assert (200, 60, 20) in {colour for _, colour in sheet.convert("RGB").getcolors(10_000)}


def test_a_batch_goes_on_past_failures_and_exits_with_the_first(fit):
    picture("good.png")
    Path("bad.png").write_bytes(b"no picture")
    code, out, err = fit("missing.png", "bad.png", "good.png", "-p", "gaussian", "--json", "-q")
    data = json.loads(out)
    first, second, third = data["runs"]
    assert code == 3
    assert first["error"]["type"] == second["error"]["type"] == "InputError"
    assert (first["target"], first["seed"]) == ("missing.png", None)
    assert third["target"]["name"] == "good.png"
    assert data["sheet"] is None
    assert err.count("error: ") == 2
    assert "error: missing-gaussian: " in err


def test_a_batch_prints_paths_and_the_sheet_last(fit):
    picture("a.png", seed=1)
    picture("b.png", seed=2)
    code, out, _ = fit("a.png", "b.png")
    assert code == 0
    assert len(out.split()) == 8
    assert out.split()[-1] == str(Path("artgen-out/gaussian-sheet.png"))
    for stem in ("a-gaussian", "b-gaussian"):
        for file in Path("artgen-out").glob(f"{stem}.*"):
            file.unlink()
    code, out, err = fit("a.png", "b.png")
    assert (code, out) == (2, "")
    assert "gaussian-sheet.png exists" in err


def test_a_batch_that_would_overwrite_itself_is_refused_before_it_starts(fit):
    Path("sub").mkdir()
    picture("a.png")
    picture("sub/a.png")
    code, out, err = fit("a.png", "sub/a.png")
    assert (code, out) == (2, "")
    assert "a-gaussian.png" in err
    assert not Path("artgen-out").exists()
    code, _, err = fit("a.png", "sample:cat", "--name", "x")
    assert code == 2
    assert "--name x" in err


def test_a_name_serves_for_several_seeds(fit):
    _, out, err = fit("--seeds", "1,2", "--name", "x")
    assert "artgen-out/x-s1.png" in [Path(line).as_posix() for line in out.split()]
    assert Path("artgen-out/x-sheet.png").exists()
    assert "every seed" not in err


def test_seeds_that_change_nothing_are_said_to(fit):
    """Twenty equal pictures were written without a word."""
    _, _, err = fit("-p", "poem", "-n", "2000", "--seeds", "1,2")
    assert "note: every seed gave the same picture" in err


def interrupt_second(monkeypatch):
    """From the second run on, behave as if Ctrl-C came during the run."""
    real, calls = runner.run, []

    def run(recipe, registry, **options):
        calls.append(options["name"])
        if len(calls) == 2:
            options["control"].request_stop()
        return real(recipe, registry, **options)

    monkeypatch.setattr(runner, "run", run)
    return calls


def test_an_interruption_ends_a_batch_which_can_be_resumed(fit, monkeypatch):
    with monkeypatch.context() as patch:
        calls = interrupt_second(patch)
        code, out, _ = fit("--seeds", "1..3", "--steps", "40", "--json", "-q")
    data = json.loads(out)
    assert code == 130
    assert len(calls) == 2
    assert [run.get("error", {}).get("type") for run in data["runs"]] == [
        None,
        "Interrupted",
        "Interrupted",
    ]
    assert data["runs"][1]["outputs"]["checkpoint"]
    assert (data["runs"][2]["seed"], data["sheet"]) == (3, None)

    before = Path("artgen-out/astronaut-gaussian-s1.json").stat().st_mtime_ns
    code, out, _ = fit("--seeds", "1..3", "--steps", "40", "--json", "-q", "--resume")
    data = json.loads(out)
    assert code == 0
    assert [run["steps"] for run in data["runs"]] == [40, 40, 40]
    assert Path("artgen-out/astronaut-gaussian-s1.json").stat().st_mtime_ns == before
    assert data["sheet"]
    assert Path(data["runs"][0]["outputs"]["art"]).exists()

    code, _, err = fit("--seeds", "1..3", "--steps", "41", "-q", "--resume")
    assert code == 2
    assert "steps = 40, not 41" in err


def test_the_bar_is_for_terminals(fit, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, err = fit()
    assert code == 0
    assert len(out.split()) == 3
    assert "seed" in err
    assert " dB after 4 steps" in err
    assert not re.search(r"\x1b\[[0-9;]*[349][0-7]m", err)
    assert not any("step 0/4" in line for line in err.splitlines())


def test_errors_know_their_exit_codes_in_a_batch_of_one(fit, monkeypatch):
    def refuse(*args, **kwargs):
        raise Interrupted("stopped")

    monkeypatch.setattr("artgen.runs.run", refuse)
    code, out, _ = fit("--seeds", "5", "--json")
    data = json.loads(out)
    assert code == 130
    assert data["runs"][0]["error"]["message"] == "stopped"
    assert data["runs"][0]["seed"] == 5
