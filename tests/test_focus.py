"""The focus: where it is found, what it weighs, and how a recipe keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from helpers import open_sample, save_photo
from PIL import Image

from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import open_photo
from artgen.runs.agreement import check_agreement
from artgen.targets import TargetRequest, image_from_array
from artgen.targets.faces import find_faces
from artgen.values.frame import is_focus, parse_focus, parse_frame


def spots(*places, height=48, width=64):
    """White spots of 4 pixels on gray."""
    picture = np.full((height, width, 3), 100, np.uint8)
    for row, column in places:
        picture[row - 2 : row + 2, column - 2 : column + 2] = 255
    return picture


def photo(name):
    return getattr(skimage.data, name)()


@pytest.mark.parametrize("angle", [-25, 0, 25])
@pytest.mark.parametrize("flip", [1, -1])
def test_a_tilted_face_is_found_from_brow_to_chin(angle, flip):
    """A head at more than 15 degrees was not found, and the circle ended below the brow."""
    picture = np.array(Image.fromarray(photo("astronaut")[:300, 72:372]).rotate(angle))[:, ::flip]
    turn = np.exp(-1j * np.deg2rad(angle))
    brow, chin = ((complex(*at) - 150 - 150j) * turn for at in ((150, 70), (152, 165)))
    [(x, y, radius)] = find_faces(picture)
    for point in (brow, chin):
        away = np.hypot(flip * (x - 0.5) * 300 - point.real, (y - 0.5) * 300 - point.imag)
        assert away < 1.1 * radius * 300
    assert 45 < radius * 300 < 90


def test_a_face_in_profile_is_found():
    """His coat at the edge of the picture was taken for a face, and he was not."""
    [(x, y, _)] = find_faces(np.dstack([photo("camera")] * 3))
    assert (x, y) == pytest.approx((0.445, 0.307), abs=0.03)


def test_several_faces_are_found_the_largest_first():
    head = photo("astronaut")[20:200, 130:310]
    small = np.asarray(Image.fromarray(head).resize((100, 100)))
    picture = np.full((200, 400, 3), 128, np.uint8)
    picture[10:190, 210:390], picture[50:150, 30:130] = head, small
    large, second = find_faces(picture)
    assert large[0] > 0.6 > 0.4 > second[0]
    assert large[2] > second[2]


@pytest.mark.parametrize("name", ["brick", "coffee", "cat", "moon", "grass"])
def test_what_is_no_face_is_not_taken_for_one(name):
    """Of bricks one was a face."""
    assert find_faces(np.atleast_3d(photo(name))) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (19, 19), (700, 11)])
def test_pictures_without_room_for_a_face_have_none(size):
    assert find_faces(np.zeros((*size, 3), np.uint8)) == ()


def test_faces_do_not_depend_on_how_samples_are_stored():
    """The focus was sought at the fitting size, where small faces are lost."""
    picture = photo("astronaut")
    [face] = find_faces(picture)
    assert find_faces(picture.astype(np.uint16) * 257) == (face,)
    fitted = [open_sample("astronaut", TargetRequest(size=n, focus=())) for n in (24, 160)]
    assert [target.focus for target in fitted] == [(face,), (face,)]
    assert [target.faces for target in fitted] == [1, 1]


def test_a_crop_keeps_heads():
    """The flag and the helmet have more detail than the face, which was cut."""
    picture = np.concatenate([photo("astronaut")[:200], photo("grass")[:300, :, None].repeat(3, 2)])
    for crop in ("21:9", "3:1"):
        frame = parse_frame(crop=crop, at="auto").focused(picture, find_faces)
        _, top, _, high = frame.window(512, 500)
        assert top < 60
        assert top + high > 165
        bare = parse_frame(crop=crop, at="auto").focused(picture)
        assert bare.at[1] > frame.at[1] + 0.1


def test_what_was_found_is_said(tmp_path, monkeypatch, capsys):
    """Nothing was said of the circles; they stood in the recipe alone."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(spots((30, 16))).save("dot.png")
    flags = ["-p", "circle", "-n", "2", "--steps", "1", "--size", "24", "--no-video"]
    assert main(["fit", "sample:astronaut", *flags, "--focus", "auto"]) == 0
    assert "focus: 1 face at 44 % across, 23 % down" in capsys.readouterr().err
    assert main(["fit", "dot.png", *flags, "--focus", "auto"]) == 0
    assert "focus: no faces; what stands out at 30 % across, 61 % down" in capsys.readouterr().err
    assert main(["fit", "dot.png", *flags[:4], "--size", "24", "--focus", "auto", "--dry-run"]) == 0
    rehearsed = capsys.readouterr()
    assert "note: focus: no faces; what stands out at" in rehearsed.err
    lines = rehearsed.out[rehearsed.out.index("# the focus:") :].split("\n")[1:10]
    assert all(line.startswith("#") for line in lines)
    assert "O" in "".join(lines)
    assert main(["fit", "dot.png", *flags, "--focus", "0.5,0.5,0.1", "--name", "given"]) == 0
    assert "focus:" not in capsys.readouterr().err


def test_faces_are_the_focus_of_the_usual_look_and_nothing_else_is(tmp_path, monkeypatch, capsys):
    """A face broke into the bars of the usual look, whose lines are as far apart everywhere."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(spots((30, 16))).save("dot.png")
    Image.fromarray(photo("astronaut")[:256, 96:352]).save("face.png")
    flags = ["--look", "single-line", "-n", "60", "--no-video"]

    def drawn(name, *more):
        assert main(["fit", f"{name}.png", *flags, "--overwrite", *more, "--out", "."]) == 0
        return Recipe.from_dict(json.loads(Path(f"{name}-single-line.json").read_text())["recipe"])

    assert len(parse_focus(drawn("face").target.focus)) == 1
    assert capsys.readouterr().err.count("focus: 1 face at") == 1
    assert drawn("dot").target.focus == "none"
    assert "focus" not in capsys.readouterr().err
    pixels = np.asarray(Image.open("dot-single-line.png"))
    assert drawn("dot", "--focus", "none").target.focus == "none"
    np.testing.assert_array_equal(np.asarray(Image.open("dot-single-line.png")), pixels)
    assert drawn("face", "--focus", "none").target.focus == "none"
    assert "focus" not in capsys.readouterr().err


def test_a_killed_run_whose_faces_were_looked_for_is_resumed_by_the_same_words():
    asked = Recipe.from_dict({"target": {"focus": "faces"}})
    for stored in ("none", "0.5,0.5,0.2"):
        stored = Recipe.from_dict({"target": {"focus": stored}})
        check_agreement(stored, asked, Registry(environ={}))


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


def test_the_photo_is_found_without_the_picture_of_the_focus(tmp_path):
    """`--film wipe` asked for the photo where that picture lay in another folder."""
    file = save_photo(tmp_path)
    recipe = Recipe.from_dict({"target": {"source": file.name, "focus": "gone.png"}})
    pixels = open_photo(recipe, Registry(environ={}), tmp_path, 24, flag="--film wipe")
    assert pixels.shape == (16, 24, 3)


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
