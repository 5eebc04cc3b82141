"""Flags laid over a recipe: pure functions, so every rule is tested by its data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from artgen.base.errors import ArtgenError, InputError, UsageError
from artgen.cli import main
from artgen.cli._recipe import read_recipe_file
from artgen.recipe import Recipe
from artgen.recipe.layers import aim, for_other_pictures, lay_over, start_from
from artgen.recipe.texts import parse_seeds

STORED = {
    "schema": 2,
    "seed": 7,
    "init": {"name": "start.art"},
    "target": {"source": "photo.png", "sha256": "ab", "size": 64},
    "primitive": {"name": "gaussian", "count": 50, "preset": "soft", "blend": "mean"},
    "stage": [{"engine": "gradient", "steps": 300, "stop": 120, "loss": "l1", "rate": 2.0}],
    "run": {"device": "cpu"},
}
TWO = {"stage": [{"engine": "climb", "steps": 5, "tries": 3}, {"engine": "gradient", "rate": 2}]}


def lay(base=None, settings=(), stages=None, **tables):
    return lay_over(base or {}, tables, stages or {}, settings)


def test_nothing_asked_for_is_nothing_at_all():
    tables = {"seed": None, "target": {"size": None}, "run": {"device": None}}
    assert lay(**tables, stages={"engine": None, "steps": None}) == {}


def test_no_flag_leaves_a_recipe_as_it_is():
    assert lay(STORED) == STORED


def test_flags_win_key_by_key():
    data = lay(STORED, seed=8, target={"size": 32}, primitive={"count": 9, "name": None})
    assert data["seed"] == 8
    assert data["target"] == {"source": "photo.png", "sha256": "ab", "size": 32}
    assert data["primitive"] == {**STORED["primitive"], "count": 9}
    assert data["run"] == {"device": "cpu"}


def test_another_budget_has_room_for_other_frames():
    """Of a fit of two seconds a video had ten pictures, and so had one of its recipe for an hour."""
    output = {"frames": 10, "fps": 5}
    assert lay(STORED, output=output)["output"] == output
    for key, value in {"time": "60", "steps": "9", "quality": "best"}.items():
        assert lay({**STORED, "output": output}, stages={key: value})["output"] == {"fps": 5}
    # A recipe that somebody wrote says what it means.
    assert lay({"output": output}, stages={"steps": "9"})["output"] == output


def test_laying_over_changes_no_argument():
    before = json.dumps(STORED)
    lay(STORED, ["engine.rate=3"], {"steps": "5"}, primitive={"name": "mlp"})
    assert json.dumps(STORED) == before


def test_another_primitive_leaves_the_old_options_behind():
    data = lay(STORED, primitive={"name": "mlp"})
    assert data["primitive"] == {"name": "mlp"}
    assert data["stage"] == [{"engine": "gradient", "steps": 300, "stop": 120, "loss": "l1"}]
    assert "init" not in data
    assert data["target"] == STORED["target"]


def test_the_same_primitive_keeps_its_options():
    assert lay(STORED, primitive={"name": "gaussian"}) == STORED
    implicit = {"primitive": {"blend": "mean"}}
    assert lay(implicit, primitive={"name": "gaussian"})["primitive"]["blend"] == "mean"


def test_another_preset_leaves_the_options_of_the_old_one_behind():
    data = lay(STORED, ["preset=hard"])
    assert data["primitive"] == {"name": "gaussian", "preset": "hard"}
    assert "rate" not in data["stage"][0]
    assert "init" not in data
    assert lay(STORED, ["preset=hard"], init="a.art")["init"] == "a.art"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"steps": "500"}, {"steps": 500}),
        ({"time": "2.5"}, {"time": 2.5}),
        ({"steps": "500", "time": "2"}, {"steps": 500, "time": 2.0}),
    ],
)
def test_a_new_budget_replaces_the_whole_old_one(flags, expected):
    (stage,) = lay(STORED, stages=flags)["stage"]
    assert {k: stage[k] for k in ("steps", "time", "stop") if k in stage} == expected


def test_values_per_stage_or_for_the_last():
    flags = {"engine": "climb, gradient", "steps": "10,20", "loss": "ssim", "plateau": 9}
    assert lay(stages=flags)["stage"] == [
        {"engine": "climb", "steps": 10},
        {"engine": "gradient", "steps": 20, "loss": "ssim", "plateau": 9},
    ]
    assert lay(TWO, stages={"steps": "7"})["stage"] == [
        TWO["stage"][0],
        {"engine": "gradient", "rate": 2, "steps": 7},
    ]


def test_one_time_is_that_of_all_stages():
    """It was that of the last one: `--time 45 --polish` took a minute or more."""
    for flags in ({"engine": "climb,gradient"}, {"engine": "climb", "polish": True}):
        stages = lay(stages={**flags, "time": "45"})["stage"]
        assert stages == [{"engine": each, "time": 22.5} for each in ("climb", "gradient")]
    assert [stage["time"] for stage in lay(TWO, stages={"time": "30,15"})["stage"]] == [30, 15]
    assert [stage.get("steps") for stage in lay(TWO, stages={"time": "8"})["stage"]] == [None, None]
    both = lay(TWO, stages={"time": "8", "steps": "7"})["stage"]
    assert [(stage["time"], stage.get("steps")) for stage in both] == [(4, None), (4, 7)]


def test_polish_adds_a_stage():
    assert lay(stages={"polish": True})["stage"] == [{"engine": "auto"}, {"engine": "gradient"}]
    flags = {"polish": True, "engine": "climb", "steps": "40", "target_psnr": 30.0}
    assert lay(stages=flags, settings=["1.tries=2", "2.rate=0.5"])["stage"] == [
        {"engine": "climb", "tries": 2},
        {"engine": "gradient", "steps": 40, "target_psnr": 30.0, "rate": 0.5},
    ]
    assert lay(TWO, stages={"polish": True})["stage"] == [*TWO["stage"], {"engine": "gradient"}]


def test_another_engine_leaves_the_old_options_behind():
    stages = lay(TWO, stages={"engine": "solve,gradient,climb"})["stage"]
    assert stages == [
        {"engine": "solve", "steps": 5},
        {"engine": "gradient", "rate": 2},
        {"engine": "climb"},
    ]


def test_settings_go_where_their_key_says():
    data = lay(settings=["blend=depth", "harmonics=8", "preset=soft", "engine.rate=0.5"])
    assert data["primitive"] == {"blend": "depth", "harmonics": 8, "preset": "soft"}
    assert data["stage"] == [{"rate": 0.5}]
    numbered = lay(TWO, ["1.tries=4", "2.rate=1"])["stage"]
    assert [numbered[0]["tries"], numbered[1]["rate"]] == [4, 1]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("blend", "KEY=VALUE"),
        ("=depth", "KEY=VALUE"),
        ("count=5", "--count"),
        ("name=mlp", "--primitive"),
        ("engine.steps=5", "--steps"),
        ("1.target_psnr=5", "--target-psnr"),
        ("engine.stop=5", "--steps"),
        ("engine.rate=1", "1.rate or 2.rate"),
        ("3.rate=1", "are 2 stages"),
        ("0.rate=1", "are 2 stages"),
    ],
)
def test_settings_that_mean_nothing(setting, words):
    with pytest.raises(UsageError, match="--set") as caught:
        lay(TWO, [setting])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"steps": "0"}, "--steps '0'"),
        ({"steps": "1.5"}, "--steps '1.5'"),
        ({"steps": "5,"}, "--steps has 2 values for 1 stage"),
        ({"time": "nan"}, "--time 'nan'"),
        ({"time": "inf"}, "--time 'inf'"),
        ({"time": "-1"}, "--time '-1'"),
        ({"loss": "l1,l1,l1"}, "--loss has 3 values"),
    ],
)
def test_budgets_that_are_none(flags, words):
    with pytest.raises(UsageError, match="--") as caught:
        lay(stages=flags)
    assert words in caught.value.message
    assert caught.value.hint


def test_aiming_at_another_target_forgets_the_hash_of_the_old():
    aimed = aim(STORED, "other.png", 3)
    assert aimed["target"] == {"source": "other.png", "size": 64}
    assert aimed["seed"] == 3
    assert aim(STORED, None, None) == STORED


@pytest.mark.parametrize(
    ("target", "look", "found"),
    [
        (
            {"focus": "0.4,0.2,0.1", "crop_at": "0.4,0.2"},
            None,
            {"focus": "auto", "crop_at": "auto"},
        ),
        ({"focus": "0.4,0.2,0.1"}, "linocut", {"focus": "faces"}),
        ({"focus": "none"}, "linocut", {"focus": "none"}),
        ({"focus": "none", "sha256": "ab"}, "linocut", {"focus": "faces", "sha256": "ab"}),
        ({"focus": "none", "sha256": "ab"}, None, {"focus": "none", "sha256": "ab"}),
        ({"focus": {"name": "a,b.png"}}, None, {"focus": {"name": "a,b.png"}}),
        ({}, "linocut", {}),
    ],
)
def test_what_was_found_in_one_picture_is_not_said_of_another(target, look, found):
    data = {**STORED, "look": look, "target": {"size": 64, **target}}
    assert for_other_pictures(data)["target"] == {"size": 64, **found}


def test_a_recipe_for_another_picture_finds_the_focus_anew(tmp_path):
    recipe = tmp_path / "made.toml"
    recipe.write_text('target.source = "photo.png"\ntarget.focus = "0.4,0.2,0.1"\n')
    for targets, focus in {
        (): "0.4,0.2,0.1",
        ("photo.png",): "0.4,0.2,0.1",
        ("below/photo.png",): "0.4,0.2,0.1",
        ("sample:cat",): "auto",
        ("photo.png", "other.png"): "auto",
    }.items():
        assert read_recipe_file(recipe, targets=targets)["target"]["focus"] == focus, targets
    recipe.write_text('target.focus = "0.4,0.2,0.1"\n')
    assert read_recipe_file(recipe, targets=["other.png"])["target"]["focus"] == "0.4,0.2,0.1"


def test_a_drawing_to_start_from_brings_its_primitive_and_target():
    art = {"target": {"source": "cat.png"}, "primitive": {"name": "mlp", "hidden": 9}}
    assert start_from({}, art, None) == art
    assert start_from({}, art, "mlp")["primitive"] == {"name": "mlp", "hidden": 9}
    assert "primitive" not in start_from({}, art, "gaussian")
    recipe = {"target": {"background": "white"}, "primitive": {"name": "mlp", "hidden": 3}}
    target = {"source": "cat.png", "background": "white"}
    assert start_from(recipe, art, None) == {**recipe, "target": target}
    recipe["target"]["source"] = "dog.png"
    assert start_from(recipe, {**art, "target": {"source": "cat.png", "size": 9}}, None) == recipe


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("1..4", [1, 2, 3, 4]), ("7,1,4", [7, 1, 4]), ("1..2,2,9", [1, 2, 9]), ("0", [0])],
)
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "3..1", "-1", "1..", "..", f"{2**63}", "0..99999999999"])
def test_bad_seeds(text):
    with pytest.raises(UsageError, match="--seeds"):
        parse_seeds(text)


def test_a_recipe_file_gives_what_it_says_and_no_defaults(tmp_path: Path):
    file = tmp_path / "r.toml"
    file.write_text('[primitive]\nname = "mlp"\nhidden = 5\n[[stage]]\nsteps = 3\n')
    assert read_recipe_file(file) == {
        "primitive": {"name": "mlp", "hidden": 5},
        "stage": [{"steps": 3}],
    }


def test_a_summary_is_a_recipe_too(tmp_path: Path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"recipe": STORED}))
    assert Recipe.from_dict(read_recipe_file(file)) == Recipe.from_dict(STORED)


def test_a_bad_recipe_file_is_named(tmp_path: Path):
    file = tmp_path / "r.toml"
    file.write_text("[primitive]\ncount = 0\n")
    with pytest.raises(InputError, match=r"r\.toml: primitive\.count must be a number from 1"):
        read_recipe_file(file)
    (tmp_path / "r.txt").touch()
    with pytest.raises(ArtgenError, match="cannot hold a recipe"):
        read_recipe_file(tmp_path / "r.txt")


def test_a_flag_without_bounds_takes_finite_numbers(capsys):
    assert main(["render", "missing.art", "--pen-width", "nan", "-o", "x.svg"]) == 2
    assert "nan is not a finite number" in capsys.readouterr().err
