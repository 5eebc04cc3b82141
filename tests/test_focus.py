"""The focus: where it is found, what it weighs, and how a recipe keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import open_sample
from PIL import Image

from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.recipe import Recipe
from artgen.targets import TargetRequest, image_from_array
from artgen.values.frame import is_focus, parse_focus


def spots(*places, height=48, width=64):
    """White spots of 4 pixels on gray."""
    picture = np.full((height, width, 3), 100, np.uint8)
    for row, column in places:
        picture[row - 2 : row + 2, column - 2 : column + 2] = 255
    return picture


def test_faces_come_first():
    focus = open_sample("astronaut", TargetRequest(size=160, focus=())).focus
    [(x, y, radius)] = focus
    assert (x, y) == pytest.approx((0.44, 0.22), abs=0.03)
    assert 0.05 < radius < 0.2


def test_what_stands_out_is_found_and_weighs_more():
    target = image_from_array(spots((30, 16)), TargetRequest(focus=()))
    [(x, y, _)] = target.focus
    assert (x, y) == pytest.approx((0.25, 0.625), abs=0.05)
    assert target.weight[30, 16] == 1
    assert target.weight[5, 60] == pytest.approx(0.1)
    again = image_from_array(spots((30, 16)), TargetRequest(focus=target.focus))
    np.testing.assert_array_equal(again.weight, target.weight)


def test_a_picture_without_anything_in_it_has_a_focus_too():
    assert image_from_array(np.zeros((9, 1, 3)), TargetRequest(focus=())).focus


@pytest.mark.parametrize("text", ["0.5,0.5", "2,0,0.1", "0.5,0.5,0", "nan,0,1", "0.1,0.1,0.1;"])
def test_wrong_circles_are_refused(text):
    with pytest.raises(UsageError, match="is not a circle"):
        parse_focus(text)


def test_files_are_not_taken_for_circles():
    assert is_focus("auto")
    assert is_focus("0.5,0.5,0.1; 0,0,1")
    assert not is_focus("1.png")
    assert not is_focus("0,5.png")


def test_a_recipe_keeps_the_circles_or_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(spots((30, 16))).save("dot.png")
    flags = ["-p", "circle", "-n", "3", "--seed", "1", "--no-video", "-q"]
    for focus in ("auto", "dot.png"):
        assert main(["fit", "dot.png", *flags, "--focus", focus, "--out", f"{focus}-made"]) == 0
        [made] = Path(f"{focus}-made").glob("*.png")
        recipe = Recipe.from_dict(json.loads(made.with_suffix(".json").read_text())["recipe"])
        stored = recipe.target.focus
        assert len(parse_focus(stored)) == 1 if focus == "auto" else stored.sha256
        assert main(["fit", "--recipe", str(made), "--out", f"{focus}-again", "-q"]) == 0
        assert Path(f"{focus}-again", made.name).read_bytes() == made.read_bytes()
