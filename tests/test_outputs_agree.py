"""Outputs of one command show the same part and film, and what is asked for is not dropped."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen import editing, events
from artgen.art import ExportRequest
from artgen.cli import main
from artgen.cli._request import is_picture
from artgen.engines.gradient.objective import Objective
from artgen.errors import UsageError
from artgen.families.mesh.objective import MeshObjective
from artgen.gallery import open_gallery
from artgen.init import Context
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over
from artgen.recipe.settings import Settings
from artgen.registry import default
from artgen.runs import style_name
from artgen.runs.agreement import check_agreement
from artgen.svg.raster import svg_picture
from artgen.tasks._executor import Throttled
from artgen.values.frame import Frame
from artgen_plugins.gaussian import Gaussian

DETAIL = Frame(size=24, aspect=(1, 2), at="auto")
"""A crop of what has most detail."""


@pytest.fixture(scope="module")
def corner():
    """A drawing with all its detail at the right, 48 x 24 pixels."""
    photo = np.full((24, 48, 3), 0.8)
    photo[6:18, 38:46] = np.random.default_rng(1).random((12, 8, 3))
    return artgen.fit(photo, "circle", count=12, seed=0, engine="climb", steps=80)


@pytest.fixture
def here(corner, tmp_path, monkeypatch):
    corner.save(tmp_path / "one.art")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *line: str) -> str:
    assert main([*line, "-q"]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "mp4"])
def test_all_formats_are_cropped_around_the_same_place(corner, kind):
    """Vectors were cropped around the middle."""
    x, _ = place = corner.view(DETAIL).frame.at
    assert x > 0.7

    def made(at):
        return corner.to_format(kind, ExportRequest(replace(DETAIL, at=at)))

    assert made("auto") == made(place) != made((0.5, 0.5))


def test_a_crop_of_stills_and_videos_is_found_in_the_target(tmp_path):
    """That of the video was of the first step, and a face was said to be missing."""
    line = ["fit", "sample:astronaut", "-p", "circle", "-n", "8", "--steps", "10", "--size", "256"]
    wanted = ["--still-size", "64x80", "--video-size", "32x40", "--crop-at", "face"]
    log = tmp_path / "log"
    assert main([*line, *wanted, "--out", str(tmp_path), "--name", "a", "--log", str(log)]) == 0
    found = Recipe.from_dict(json.loads((tmp_path / "a.json").read_text())["recipe"])
    x, y, share = map(float, str(found.target.crop_at).split(","))
    assert 0.3 < x < 0.6
    assert y < 0.4
    assert share < 1
    assert "no face" not in log.read_text()
    asked = found.with_target(crop_at="face")
    check_agreement(found, asked, default())


def test_what_was_cropped_from_near_is_not_cropped_so_again():
    """A still of another shape showed a corner of the face."""
    close = Recipe.from_dict({"target": {"source": "a.png", "crop_at": "0.7,0.2,0.3"}})
    assert close.framed("40x50").at == (0.7, 0.2, 0.3)
    assert close.with_target(aspect="1:1").framed("40x50").at == (0.5, 0.5)


def test_further_videos_of_a_fit_are_as_it_was_asked_for(tmp_path, capsys, monkeypatch):
    """They had the size of the still, and neither loop, length nor film."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 32), "teal").save("a.png")
    line = ["fit", "a.png", "-p", "circle", "-n", "4", "--steps", "8", "-o", "a.mp4"]
    how = ["--loop", "--video-size", "32", "--still-size", "64", "--video-seconds", "1"]
    assert main([*line, "-o", "b.webm", "-o", "c.jpg", *how, "--fps", "10", "-q"]) == 0
    frames = {}
    for name in ("a.mp4", "b.webm"):
        with av.open(name) as video:
            frames[name] = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert {each[0].shape for each in frames.values()} == {(32, 32, 3)}
    assert len(frames["b.webm"]) == pytest.approx(len(frames["a.mp4"]), abs=2)
    both = ["-o", "c.mp4", "-o", "d.webm"]
    assert main([*line[:-2], *both, "--start", "parts", "--overwrite", "-q"]) == 0
    with av.open("c.mp4") as one, av.open("d.webm") as other:
        assert one.duration == pytest.approx(other.duration, rel=0.05)
    assert main([*line[:-2], *both, "--history", "0", "--overwrite", "-q"]) == 0
    with av.open("c.mp4") as one, av.open("d.webm") as other:
        assert one.duration == pytest.approx(other.duration, rel=0.05)
    first, *_, last = frames["b.webm"]
    assert abs(first.astype(int) - last).mean() < 3
    with Image.open("c.jpg") as picture:
        assert picture.size == (64, 64)
    for asked in (["--start", "photo"], ["--end", "photo"], ["--film", "wipe"]):
        said = refused(capsys, *line, "-o", "d.gif", *asked, "--overwrite")
        assert "only one video of a fit shows the photo, not .gif as well" in said


def test_a_second_video_is_as_transparent_as_the_drawing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGBA", (16, 16), (0, 120, 120, 0)).save("a.png")
    line = ["fit", "a.png", "-p", "circle", "-n", "2", "--steps", "4", "--transparent"]
    assert main([*line, "-o", "a.mp4", "-o", "b.webp", "-q"]) == 0
    with Image.open("b.webp") as picture:
        assert picture.mode == "RGBA"


def test_what_no_video_can_show_is_refused_before_the_fit(tmp_path, monkeypatch, capsys):
    """Scores that move what a drawing has not, and the parts of one outline, after the fit."""
    monkeypatch.chdir(tmp_path)
    score = 'music={sound = "sample:pulse", move = [{what = "order"}]}'
    for primitive, film in (("siren", ["--film", score]), ("tiling", ["--start", "parts"])):
        line = ["fit", "sample:dancers", "-p", primitive, "--steps", "2", "--size", "16"]
        assert "parts" in refused(capsys, *line, *film)
        assert not [*tmp_path.glob("**/*.art")]


def test_a_film_of_the_target_leaves_other_files_as_they_are(here):
    """The photo was refused by those, and a film that has a still by vectors."""
    Image.new("RGB", (48, 24), "teal").save("photo.png")
    line = ["render", "one.art", "--seconds", "0.5", "--fps", "6", "--film", "wipe=photo.png"]
    assert main([*line, "-o", "a.mp4", "-o", "a.art", "-o", "a.svg", "-q"]) == 0
    assert main(["render", "one.art", "-o", "b.svg", "-q"]) == 0
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()
    assert (
        artgen.load("a.art").drawing.tensors.keys() == artgen.load("one.art").drawing.tensors.keys()
    )


def test_a_length_of_a_video_is_one_of_a_video(here, capsys):
    assert main(["render", "one.art", "--seconds", "0.5", "-q"]) == 0
    assert Path("one.mp4").is_file()
    said = refused(capsys, "render", "one.art", "--seconds", "2", "-o", "one.png")
    assert "--seconds" in said
    said = refused(capsys, "render", "one.art", "--max-bytes", "1MB", "-o", "two.art")
    assert "leave out --max-bytes" in said
    said = refused(capsys, "render", "one.art", "--crop", "1:1", "-o", "two.art")
    assert "--crop" in said


def test_twice_the_size_is_twice_what_a_crop_leaves(here):
    """It was twice the size that the crop named."""
    line = ["render", "one.art", "--size", "2x", "--crop", "1000x1000"]
    assert main([*line, "-o", "a.png", "-q"]) == 0
    with Image.open("a.png") as picture:
        assert picture.size == (48, 48)


def test_parts_of_a_mesh_are_all_in_one_of_the_files():
    """Colours nearest to fewer vertices than a mesh has were left out."""
    photo = np.ones((16, 16, 3)) * [0.9, 0.1, 0.1]
    photo[:5, :5] = [0.1, 0.1, 0.9]
    art = artgen.fit(photo, "mesh", count=8, steps=10, seed=0)
    shown = art.primitive().count_of(art.drawing)
    apart = editing.split(art, "red,blue")
    assert list(apart) == ["#ff0000", "#0000ff"]
    assert sum(each.primitive().count_of(each.drawing) for each in apart.values()) >= shown


def test_the_drawing_that_is_read_stays(here):
    """Its path was compared as it is spelled, so that a thing made of it replaced it."""
    line = ["make", "bricks", "--name", "x", "--columns", "8", "-q"]
    assert main([*line, "one.art"]) == 0
    kept = here / "artgen-out" / "x" / "drawing.art"
    shutil.copy("one.art", kept)
    assert main([*line, os.fspath(kept), "--overwrite"]) == 0
    assert kept.read_bytes() == Path("one.art").read_bytes()


def test_settings_without_a_video_make_one_where_it_is_asked_for():
    """A film was dropped without a word."""

    def video(**output):
        asked = Recipe.from_dict({"target": {"source": "a.png"}, "output": output})
        return Settings(video="none").below(asked).output.video

    assert not video()
    assert not video(fps=12)
    for key in ({"film": "zoom"}, {"start": "photo"}, {"loop": True}, {"max_bytes": 1000}):
        assert video(**key)


def test_names_and_lengths_of_recipes():
    """Sheets of two looks had one name; a PNG of 30 cm said nothing of inches."""
    recipe = Recipe.from_dict({"target": {"source": "a.png"}, "output": {"still_size": "30cm"}})
    assert recipe.dpi == 300
    assert recipe.with_output(dpi=100).dpi == 100
    assert recipe.with_output(still_size=300).dpi is None
    assert style_name(recipe) == "gaussian"
    assert style_name(recipe.replace(look="riso")) == "riso"


def test_a_place_of_a_crop_takes_the_border_of_a_recipe_away():
    """It counted for nothing beside one."""
    base = {"target": {"source": "a.png", "aspect": "1:1", "pad": "white"}}
    data = lay_over(base, {"target": {"crop_at": "0.2,0.5", "pad": None}, "output": {}}, {})
    assert data["target"] == {"source": "a.png", "aspect": "1:1", "crop_at": "0.2,0.5"}
    assert lay_over(base, {"target": {"crop_at": None}}, {})["target"] == base["target"]


def test_hints_of_a_gallery_build_that_gallery(tmp_path):
    """Those of a quick one built the other."""
    folder = tmp_path / "my pieces"
    folder.mkdir()
    (folder / "a.toml").write_text('[target]\nsource = "sample:cat"\n')
    assert open_gallery(folder).command == f"artgen gallery build '{folder}'"
    assert open_gallery(folder, quick=True).command.endswith("my pieces' --quick")


def test_tiles_of_another_process_are_told():
    heard: list[events.Event] = []
    done = events.TileFitted("a", step=1, total_steps=2, number=1, tiles=2, psnr=20.0, seconds=1.0)
    Throttled(heard.append)(done)
    assert heard == [done]


def test_a_number_for_a_text_says_how_to_write_it():
    """The hint was the help of the option."""
    with pytest.raises(UsageError) as found:
        default().load("primitive", "glyph")({"text": 2024})
    assert found.value.hint == "write it in quotes: 'text=\"…\"'"


def test_a_preview_refuses_files_and_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for flag in (["-o", "x.png"], ["--notify", "true"], ["--video", "x.mp4"]):
        said = refused(capsys, "fit", "sample:cat", "-p", "circle", "--watch", *flag)
        assert f"--watch and {flag[0]} were both given" in said


def test_a_split_replaces_only_what_it_writes(here, capsys):
    """It was refused for a file of a colour that none of its parts has."""
    Path("plate-000000.art").write_bytes(b"mine")
    Path("plate.art").write_bytes(b"mine")
    assert main(["edit", "one.art", "--split", "2", "-o", "one.art", "-q"]) == 0
    assert main(["edit", "one.art", "--split", "2", "-o", "plate.art", "-q"]) == 0
    assert Path("plate-000000.art").read_bytes() == b"mine"
    said = refused(capsys, "edit", "one.art", "--split", "2", "-o", "plates")
    assert "--output plates has an unknown format" in said


def test_a_folder_is_drawn_as_its_pictures_are(tmp_path):
    """It got Gaussians, where its pictures get the look of one line."""
    assert is_picture(str(tmp_path), default())
    assert not is_picture("sample:digits", default())
    assert is_picture("sample:koi?seed=2", default())


def test_far_corners_do_not_bend_what_is_seen(tmp_path):
    """They were moved nearer, across and down apart: a ray became five times as thick."""
    seen = []
    for points in ("50,50 1000,40 1000,60", "50,50 100,49.4737 100,50.5263"):
        head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        (tmp_path / "ray.svg").write_text(f'{head}<polygon points="{points}"/></svg>')
        seen.append(np.asarray(svg_picture(tmp_path / "ray.svg"))[..., 3] > 0)
    assert seen[1].sum() > 1000
    assert (seen[0] != seen[1]).sum() < 0.2 * seen[1].sum()


@pytest.mark.parametrize(("rule", "filled"), [("nonzero", True), ("evenodd", False)])
def test_a_contour_that_crosses_itself_is_filled_by_its_rule(rule, filled, tmp_path):
    """The middle of a star was always left out."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    star = f'<polygon fill-rule="{rule}" points="50,0 79,90 2,35 98,35 21,90"/>'
    (tmp_path / "star.svg").write_text(f"{head}{star}</svg>")
    alpha = np.asarray(svg_picture(tmp_path / "star.svg"))[..., 3] > 0
    assert alpha[512, 512] == filled
    assert alpha[150, 512]
    assert not alpha[150, 100]


@pytest.mark.parametrize("background", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.2, 0.5, 0.9)])
def test_splats_that_cover_begin_in_the_colours_of_the_target(background):
    """They began in the target minus the background, so black over white."""
    canvas = artgen.Canvas(8, 8)
    target = torch.full((3, 8, 8), 0.4)
    for blend in ("over", "depth", "normalized", "sum"):
        rng = torch.Generator().manual_seed(0)
        context = Context(rng, canvas, 5, target, background=background)
        colour = Gaussian({"blend": blend}).initial(context)["colour"]
        assert torch.allclose(colour, torch.full((3, 5), 0.4)) == (blend != "sum")


def test_vertices_that_are_moved_have_colours_before_the_step(monkeypatch):
    """A round that only moved vertices left them black in the picture of the next step."""
    blacks = []
    backward = Objective.backward

    def looked(self, raw, tensors, step):
        if isinstance(self, MeshObjective):
            blacks.append(int((raw["colour"] == 0).all(0).sum()))
        return backward(self, raw, tensors, step)

    monkeypatch.setattr(Objective, "backward", looked)
    photo = np.random.default_rng(0).random((24, 24, 3)) * 0.5 + 0.4
    artgen.fit(photo, "mesh", count=16, steps=60, seed=0)
    assert len(blacks) >= 60
    assert sum(blacks) == 0
