"""`--dry-run`: the complete recipe, and estimates of time, memory and the size of the file.

No test reads a real clock: work is said to take time, as in `test_time_budget`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import recipe
from numpy.typing import NDArray
from test_time_budget import ENGINES, STAGES, Clock

from artgen.base.toml import parse_toml
from artgen.cli import main
from artgen.families.shape.climb import ClimbEngine
from artgen.output import FrameStore
from artgen.registry import Registry
from artgen.runs import estimate, run
from artgen.runs.loop import rehearsal

SMALL = ("sample:cat", "--size", "24", "-n", "8", "--threads", "1", "--seed", "3", "--no-video")


@pytest.fixture(autouse=True)
def short_rehearsals(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "clock" not in request.fixturenames:
        monkeypatch.setattr(rehearsal, "ESTIMATED_AS", 0.1)


@pytest.fixture
def registry() -> Registry:
    return Registry(environ={})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("evaluation", [0.01, 0.5])
@pytest.mark.parametrize("name", ["gradient", "genetic", "climb"])
def test_the_estimated_time_is_that_of_the_run(
    name: str, evaluation: float, clock: Clock, tmp_path: Path, registry: Registry
) -> None:
    engine = {**ENGINES, "climb": ClimbEngine}[name]
    # Steps become slower, as they do while parts are added.
    clock.charge(engine, lambda e: 0.02 + 0.03 * e.step / e.problem.total_steps, evaluation, 0.05)
    stage = {**STAGES.get(name, {"engine": name}), "steps": 40 if name == "climb" else 150}
    shape = {} if name == "gradient" else {"name": "triangle", "count": 40}
    asked = recipe(
        "sample:cat", stage, primitive=shape, target={"source": "sample:cat", "size": 16}
    )
    found = estimate(asked, registry)
    result = run(asked, registry, out=tmp_path)
    assert result.error is None
    assert found.seconds == pytest.approx(result.summary["seconds"], rel=0.3)
    still = Path(result.summary["outputs"]["still"]).stat().st_size
    assert found.still_bytes == pytest.approx(still, rel=0.3)
    video = Path(result.summary["outputs"]["video"]).stat().st_size
    assert found.video_bytes == pytest.approx(video, rel=0.3)


def test_a_video_is_estimated_from_some_frames_even_where_they_are_slow(
    clock: Clock, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, drawn = FrameStore.add, list[int]()

    def counted(store: FrameStore, step: int, pixels: NDArray[np.uint8]) -> None:
        drawn.append(step)
        add(store, step, pixels)

    clock.charge(ENGINES["gradient"], lambda engine: 0.02)
    monkeypatch.setattr(FrameStore, "add", counted)
    monkeypatch.setattr(rehearsal, "FRAMES_ESTIMATED", -1.0)
    asked = recipe("sample:cat", {"steps": 150}, target={"source": "sample:cat", "size": 16})
    assert estimate(asked, registry).video_bytes is not None
    assert rehearsal.FEWEST_ESTIMATED <= len(drawn) <= 2 * rehearsal.FEWEST_ESTIMATED


def test_a_budget_of_time_is_its_own_estimate(clock: Clock, registry: Registry) -> None:
    clock.charge(ENGINES["gradient"], lambda engine: 0.1)
    stages = [{"time": 50.0}, {"time": 70.0, "steps": 20}]
    asked = recipe("sample:cat", *stages, target={"source": "sample:cat", "size": 16})
    found = estimate(asked, registry)
    assert found.seconds == pytest.approx(52, rel=0.1)
    assert [stage.time for stage in found.recipe.stage] == [50.0, 70.0]


@pytest.mark.parametrize("flags", [("--precision", "int8"), ("--history", "6")])
def test_nothing_is_written_and_the_recipe_gives_the_run(flags, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ("fit", *SMALL, "--steps", "30", *flags)
    assert main([*asked, "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    assert main([*asked, "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert parse_toml(text) == found["recipe"]
    if Path("/proc/self/status").exists():  # elsewhere nobody knows
        assert found["memory"] > 10**7
    assert f"{found['art_bytes']:,} bytes" in text

    Path("dry.toml").write_text(text)
    assert main(["fit", "--recipe", "dry.toml", "--json", "-q"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["recipe"] == found["recipe"]
    assert found["art_bytes"] == pytest.approx(result["file_bytes"], rel=0.3)
    # The rehearsed drawing depends on the time that it had.
    assert found["still_bytes"] > 0
    assert found["video_bytes"] is None
    assert "# cat-gaussian.png: " in text
    assert found["outputs"].keys() == {"still", "art", "summary"}
    assert found["outputs"]["art"] == result["outputs"]["art"]


def test_several_runs_a_clip_and_tiles(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *SMALL[:-3], "--no-video", "--seeds", "1,2", "--dry-run", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["recipe"]["seed"] for run in runs] == [1, 2]
    assert main(["fit", *SMALL[:-1], "--steps", "2", "--video", "v.gif", "--dry-run"]) == 0
    assert "# v.gif: " in capsys.readouterr().out
    assert main(["fit", "sample:clip?n=2", "--size", "16", "--dry-run"]) == 0
    assert "of a clip, nothing is estimated" in capsys.readouterr().out
    assert main(["fit", *SMALL, "--tiles", "16", "--dry-run"]) == 0
    assert "of tiles, nothing is estimated" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_flags_that_write_are_refused(capsys):
    assert main(["fit", *SMALL, "--dry-run", "--resume"]) == 2
    assert "--dry-run and --resume were both given" in capsys.readouterr().err


def test_every_value_has_an_origin(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTGEN_THREADS", "1")
    table = '[target]\nsource = "sample:cat"\n[primitive]\nname = "triangle"\nmax_size = 0.4\n'
    Path("cup.toml").write_text(table + '[[stage]]\nsteps = 4\nengine = "climb"\n')
    fit = ["fit", "--recipe", "cup.toml", "--size", "16", "--palette", "red,#101820", "--no-video"]
    shown = [*fit, "-n", "3", "--set", "engine.alpha=0.5", "--dry-run", "--origins"]
    assert main(shown) == 0
    text = capsys.readouterr().out
    for line in (
        'source = "sample:cat"  # recipe',
        "size = 16  # flag",
        "palette = [  # flag",
        "count = 3  # flag",
        "max_size = 0.4  # recipe",
        "steps = 4  # recipe",
        "alpha = 0.5  # flag",
        "restarts = 8  # default of climb",
        'loss = "mse"  # default',
        "fps = 30  # default",
        "threads = 1  # settings",
        'backend = "compiled"  # chosen by the run',
    ):
        assert line in text.splitlines(), (line, text)
    plain = "\n".join(line.partition("  # ")[0] for line in text.splitlines())
    assert parse_toml(plain) == parse_toml(text)
    assert main([*shown, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["origins"]["stage.1.alpha"] == "flag"
    assert main(["fit", "--origins"]) == 2


def test_an_output_says_what_none_of_the_defaults_gives(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *SMALL, "--steps", "2", "--name", "cat", "--quiet", "--out", "."]) == 0
    assert main(["info", "cat.art", "--recipe", "--origins"]) == 0
    text = capsys.readouterr().out
    assert "count = 8  # asked for, or chosen by the run" in text
    assert 'name = "gaussian"  # default' in text
    assert main(["info", "cat.art", "--origins"]) == 2


def test_the_highest_layer_that_says_a_value_is_its_origin() -> None:
    from artgen.recipe.layers import Laid

    laid = Laid().then("recipe", {"seed": 1, "primitive": {"count": 3, "blend": "sum"}})
    laid = laid.then("look neon", {"seed": 1, "look": "neon", "primitive": {"count": 9}})
    assert laid.origins == {"seed": "recipe", "look": "look neon", "primitive.count": "look neon"}
    laid = laid.then("flag", {**laid.data, "stage": [{"steps": 2}]}, {"seed": 1, "run": None})
    assert laid.origins["seed"] == laid.origins["stage.1.steps"] == "flag"
    assert laid.origins["primitive.count"] == "look neon"


def test_values_after_other_lists_of_tables_have_their_origins() -> None:
    """Tables of views and of files of a loss were counted as stages."""
    from artgen.plan.origins import annotated
    from artgen.recipe import Recipe
    from artgen.recipe.layers import leaves

    file = {"name": "a.jpg", "sha256": "0" * 64, "licence": "a licence of many words"}
    stage = {"engine": "gradient", "loss": "mse+texture:a.jpg", "loss_files": [file]}
    asked = Recipe.from_dict(
        {
            "view": [{"how": f"turn={turn}", "target": file} for turn in (90, 180)],
            "stage": [{**stage, "rate": rate, "steps": 5} for rate in (0.25, 0.5)],
        }
    )
    lines = annotated(asked, {path: path for path in leaves(asked.to_dict())}).splitlines()
    assert "rate = 0.5  # stage.2.rate" in lines
    assert 'how = "turn=180"  # view.2.how' in lines
    assert f'sha256 = "{"0" * 64}"  # view.1.target.sha256' in lines
