"""The gallery's recipes: each is complete and runs, and together they show every primitive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from artgen import Canvas
from artgen.cli import main
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.resolve import resolve
from artgen.runner import default_stem
from artgen.targets import open_digits

RECIPES = sorted((Path(__file__).parent.parent / "gallery" / "recipes").glob("*.toml"))


@pytest.fixture(scope="module")
def registry():
    return Registry(environ={})


def test_every_shipped_primitive_has_a_recipe(registry):
    names = "+".join(Recipe.from_toml(path).primitive.name for path in RECIPES)
    assert set(re.findall(r"[a-z]\w*", names)) == {
        entry.name for entry in registry.entries("primitive")
    }


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_it_resolves_and_is_worth_showing(path, registry):
    recipe = Recipe.from_toml(path)
    digits = recipe.target.source == "sample:digits"
    subject = open_digits("digits?n=60").subject if digits else None
    plan = resolve(recipe, registry, Canvas(64, 48), subject)
    assert plan.recipe.seed is not None
    assert recipe.output.still_size is not None
    assert recipe.output.still_size >= 2048
    assert path.stem == default_stem(recipe), "a piece is named after its parts"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path):
    # Digits have their own size, and many of them.
    size = [] if path.stem.startswith("digits") else ["--size", "48"]
    steps = ",".join("3" for _ in Recipe.from_toml(path).stage)
    small = [*size, "--steps", steps, "--still-size", "64", "--video-seconds", "0.2"]
    command = ["fit", "--recipe", str(path), *small, "--backend", "eager"]
    assert main([*command, "--out", str(tmp_path), "--quiet"]) == 0
    for suffix in (".png", ".mp4", ".art", ".json"):
        assert (tmp_path / f"{path.stem}{suffix}").stat().st_size > 0
