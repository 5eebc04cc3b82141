"""Looks: every one resolves, flags go over it, and its recipe repeats without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import save_photo

from artgen.canvas import Canvas
from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.looks import LOOKS, apply_look, read_look
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import resolve

MINE = """
summary = "Red and black."
[target]
palette = ["red", "black"]
background = "white"
[primitive]
name = "triangle"
count = 4
min_alpha = 1.0
"""


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_is_a_recipe_with_a_summary(name):
    look, registry = read_look(name), Registry(environ={})
    data, left_out = apply_look({}, look, None, registry)
    plan = resolve(Recipe.from_dict(data), registry, Canvas(32, 24))
    assert look.summary
    assert left_out == ()
    assert plan.recipe.look == name


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("primitive", ["gaussian", "circle", "mlp"])
def test_a_look_on_another_primitive_keeps_what_that_one_has(name, primitive):
    registry = Registry(environ={})
    data, _ = apply_look({}, read_look(name), primitive, registry)
    plan = resolve(Recipe.from_dict(data), registry, Canvas(32, 24))
    assert plan.recipe.primitive.name == primitive


def test_a_look_says_what_it_leaves_out(tmp_path):
    (tmp_path / "mine.toml").write_text(MINE)
    look, registry = read_look(str(tmp_path / "mine.toml")), Registry(environ={})
    data, left_out = apply_look({}, look, "gaussian", registry)
    assert left_out == ("min_alpha", "palette")
    assert data["target"] == {"background": "white"}
    assert apply_look({}, look, "circle", registry).left_out == ()


def test_a_look_goes_over_a_recipe():
    registry = Registry(environ={})
    base = {"seed": 3, "target": {"size": 64}, "primitive": {"name": "mlp", "hidden": 8}}
    data, _ = apply_look(base, read_look("linocut"), None, registry)
    assert (data["seed"], data["target"]["size"], data["look"]) == (3, 64, "linocut")
    assert "hidden" not in data["primitive"]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("primitive = 3", InputError, "mine.toml: primitive"),
        ("[target", InputError, "is not TOML"),
        ("[target]\nbackgroud = 'red'", InputError, "unknown key 'target.backgroud'"),
    ],
)
def test_wrong_looks_are_refused(tmp_path, text, error, words):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(error, match=words):
        read_look(str(file))


def test_an_unknown_look_is_refused():
    with pytest.raises(UsageError, match="there is no look 'linocat'") as caught:
        read_look("linocat")
    assert "linocut" in str(caught.value.hint)


def test_flags_go_over_a_look_and_its_recipe_repeats(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    Path("mine.toml").write_text(MINE)
    flags = ["--look", "mine.toml", "-n", "3", "--background", "blue", "--seed", "1", "-q"]
    assert main(["fit", "photo.png", *flags, "--no-video"]) == 0
    [made] = Path("artgen-out").glob("*.png")
    recipe = Recipe.from_dict(json.loads(made.with_suffix(".json").read_text())["recipe"])
    assert (recipe.look, recipe.primitive.name, recipe.primitive.count) == ("mine", "triangle", 3)
    assert recipe.target.palette == ("#ff0000", "#000000")
    assert recipe.target.background == "blue"
    Path("mine.toml").unlink()
    assert main(["fit", "--recipe", str(made), "--out", "again", "-q"]) == 0
    assert Path("again", made.name).read_bytes() == made.read_bytes()
