"""Looks: every one resolves, flags go over it, and its recipe repeats without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import save_photo

from artgen.base.errors import InputError, PluginError
from artgen.cli import main
from artgen.looks import Look, apply_look, read_look
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.testing import examine

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


PLUGIN = """
import artgen

poster = {"primitive": {"name": "triangle", "count": 4, "min_alpha": 1.0}}
wrong = {"primitive": {"name": "triangle", "min_alfa": 1.0}}

@artgen.hookimpl
def artgen_looks():
    return [
        artgen.Spec("poster", "Triangles.", poster),
        artgen.Spec("wrong", "Misspelt.", wrong),
        artgen.Spec("list", "No mapping.", [1]),
        artgen.Spec("linocut", "Other than artgen's.", {**poster, "seed": 1}),
    ]
"""


REGISTRY = Registry(environ={})
LOOKS = REGISTRY.entries("look")


@pytest.mark.parametrize("look", LOOKS, ids=lambda entry: entry.name)
def test_the_looks_of_artgen_pass_their_checks(look):
    results = list(examine(look, Registry(environ={})))
    assert [each for each in results if each.status != "ok"] == []
    applied = apply_look({}, read_look(look.name, REGISTRY), None, REGISTRY)
    assert (applied.data["look"], applied.left_out) == (look.name, ())


def test_plugins_offer_looks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("ours.py").write_text(PLUGIN)
    registry = Registry(files=["ours.py"], environ={})
    assert read_look("poster", registry).data["primitive"]["count"] == 4
    assert read_look("linocut", registry).data["seed"] == 1
    assert read_look("artgen/linocut", registry).data["primitive"]["name"] == "hatch"
    with pytest.raises(PluginError, match=r"'list' of ours.py is \[1\], which is not a mapping"):
        read_look("list", registry)
    failed = {
        (result.primitive, result.check): result.detail
        for entry in registry.offered_by("ours.py")
        if entry.name != "list"
        for result in examine(entry, registry)
        if result.status == "failed"
    }
    assert set(failed) == {("wrong", "names"), ("linocut", "tables")}
    assert "min_alfa" in failed["wrong", "names"]
    assert "no seed" in failed["linocut", "tables"]
    assert main(["plugins", "show", "poster", "--plugin", "ours.py", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["kind"], shown["module"]) == ("look", None)
    assert shown["recipe"]["primitive"]["name"] == "triangle"


def test_looks_are_registered_from_python():
    registry = Registry(environ={})
    look = {"summary": "Dots.", "primitive": {"name": "circle"}}
    assert registry.register(look, "dots", kind="look") == "dots"
    assert registry.find("look", "dots").summary == "Dots."
    assert read_look("dots", registry).data == {"primitive": {"name": "circle"}}


def test_a_look_says_what_it_leaves_out(tmp_path):
    (tmp_path / "mine.TOML").write_text(MINE)
    look, registry = read_look(str(tmp_path / "mine.TOML"), REGISTRY), REGISTRY
    data, left_out = apply_look({}, look, "gaussian", registry)
    assert left_out == ("min_alpha", "palette")
    assert data["target"] == {"background": "white"}
    assert apply_look({}, look, "circle", registry).left_out == ()


@pytest.mark.parametrize(
    ("look", "primitive", "left_out"),
    [("needlepoint", "path", {"form"}), ("riso", "charcoal", {"inks"})],
)
def test_values_that_another_primitive_refuses_are_left_out(look, primitive, left_out):
    applied = apply_look({}, read_look(look, REGISTRY), primitive, REGISTRY)
    assert left_out <= set(applied.left_out)
    assert not left_out & set(applied.data["primitive"])
    REGISTRY.load("primitive", primitive)(
        {key: value for key, value in applied.data["primitive"].items() if key != "name"}
    )


def test_a_look_goes_over_a_recipe():
    registry = Registry(environ={})
    base = {"seed": 3, "target": {"size": 64}, "primitive": {"name": "mlp", "hidden": 8}}
    data, _ = apply_look(base, read_look("linocut", registry), None, registry)
    assert (data["seed"], data["target"]["size"], data["look"]) == (3, 64, "linocut")
    assert "hidden" not in data["primitive"]


def test_a_look_without_a_primitive_keeps_the_recipe_s():
    """Primitive, stages and initial drawing were dropped, for Gaussians."""
    base = {"primitive": {"name": "triangle"}, "stage": [{"steps": 5}], "init": {"file": "a.art"}}
    data, _ = apply_look(base, Look("square", {"target": {"crop": "1:1"}}), None, REGISTRY)
    assert {key: data[key] for key in base} == base


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
        read_look(str(file), REGISTRY)


def test_an_unknown_look_is_refused():
    with pytest.raises(PluginError, match="unknown look 'linocat'") as caught:
        read_look("linocat", REGISTRY)
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
