"""Sizes, crops and borders: of targets, stills, videos and vectors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers import changed, recipe, save_photo, video_frames
from PIL import Image

import artgen
from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.output import read_recipe
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import Asked, run
from artgen.runs.kinds.picture.run import PictureRun
from artgen.targets import TargetRequest, image_from_array, open_image
from artgen.values.canvas import Canvas
from artgen.values.frame import Frame, parse_aspect, parse_frame, parse_place

SVG = "{http://www.w3.org/2000/svg}"
TINY = ("-p", "triangle", "-n", "3", "--steps", "4", "--no-video", "--quiet", "--seed", "1")


@pytest.mark.parametrize(
    ("size", "dpi", "long_side", "aspect"),
    [
        ("2048", None, 2048, None),
        ("1080x1350", None, 1350, (1080, 1350)),
        ("30cm", None, 3543, None),
        ("20x30cm", 100, 1181, (787, 1181)),
        ("8.5x11in", 72, 792, (612, 792)),
        ("30x40cm", None, 4724, (3543, 4724)),
        ("A3", None, 4961, (3508, 4961)),
        ("letter", 100, 1100, (850, 1100)),
    ],
)
def test_sizes_are_pixels_or_lengths(size, dpi, long_side, aspect):
    frame = parse_frame(size, dpi=dpi)
    assert (frame.size, frame.aspect) == (long_side, aspect)


@pytest.mark.parametrize(
    "size", ["", "wide", "0", "12.5", "70000", "9x", "1x2x3", "-4", "nan", "5m"]
)
def test_what_is_no_size_is_refused(size):
    with pytest.raises(UsageError, match="size"):
        parse_frame(size)


def test_pictures_have_exactly_the_size_that_was_asked_for():
    for drawn in (Canvas(300, 200), Canvas(7, 90), Canvas(1, 1)):
        for pad in (None, "white"):
            placement = parse_frame("1080x1351", pad=pad).place(drawn)
            assert placement.picture == Canvas(1080, 1351)
            pixels = np.zeros((placement.whole.height, placement.whole.width, 3), np.uint8)
            shown = placement.cut(pixels, (9, 9, 9))
            assert shown.shape == (1351, 1080, 3)
            assert (shown == 9).any() == (pad is not None)


def test_a_crop_keeps_its_point_in_the_centre_where_it_can():
    square = parse_frame(crop="1:1", at="0.5,0.5")
    assert square.window(300, 200) == (50, 0, 200, 200)
    assert parse_frame(crop="1:1", at="0.9,0.1").window(300, 200) == (100, 0, 200, 200)
    assert parse_frame(crop="1:1", pad="red").window(300, 200) == (0, -50, 300, 300)
    assert parse_aspect("2.35:1")[0] / parse_aspect("2.35:1")[1] == pytest.approx(2.35, abs=1e-3)


def test_an_automatic_crop_finds_the_detail():
    pixels = np.full((60, 200, 3), 90, np.uint8)
    pixels[:, 140:160] = np.random.default_rng(1).integers(0, 255, (60, 20, 3))
    frame = parse_frame(crop="1:1", at="auto").focused(pixels)
    assert frame.at[0] == pytest.approx(0.75, abs=0.02)
    plain = parse_frame(crop="1:1", at="auto").focused(np.full((60, 200, 3), 90, np.uint8))
    assert plain.at[0] == pytest.approx(0.5, abs=0.01)


def test_a_crop_comes_near_to_the_largest_face():
    """A face of 50 pixels takes nine tenths of the shorter side; else the crop is automatic."""
    pixels = np.random.default_rng(1).integers(0, 255, (400, 600, 3), np.uint8)
    near = parse_frame(crop="3:4", at="face")
    frame = near.focused(pixels, lambda _: [(0.2, 0.4, 0.1), (0.8, 0.8, 0.05)])
    assert frame.at[:2] == (0.2, 0.4)
    _, _, wide, high = frame.window(600, 400)
    assert (wide, wide / high) == pytest.approx((2 * 0.1 * 400 / 0.9, 3 / 4))
    huge = near.focused(pixels, lambda _: [(0.5, 0.5, 0.6)])
    assert huge.at == (0.5, 0.5, 1.0)
    automatic = parse_frame(crop="3:4", at="auto")
    for heads in (lambda _: [(0.2, 0.4, 0.06)], lambda _: [], None):
        assert near.focused(pixels, heads) == automatic.focused(pixels, heads)
    with pytest.raises(UsageError, match="not a point"):
        parse_frame(crop="1:1", at="nose")


def test_a_crop_of_less_than_a_pixel_is_the_last_pixel():
    pixels = np.zeros((10, 12, 3), np.uint8)
    pixels[-1, -1] = 200, 10, 30
    request = TargetRequest(frame=parse_frame(crop="1:1", at="1,1,0.02"))
    assert image_from_array(pixels, request).pixels.tolist() == [[[200, 10, 30]]]


def test_a_crop_whose_place_is_rounded_up_keeps_its_last_column():
    pixels = np.random.default_rng(0).integers(0, 255, (19, 11, 3), np.uint8)
    request = TargetRequest(frame=parse_frame(crop="1:2", at="1,0.5"))
    assert (image_from_array(pixels, request).pixels == pixels[:, 1:]).all()


def test_a_target_is_cropped_before_it_is_scaled(tmp_path):
    photo, original = save_photo(tmp_path), Image.open(tmp_path / "photo.png")
    request = TargetRequest(frame=parse_frame(crop="1:1", at="0,0"))
    assert (open_image(photo, request).pixels == np.asarray(original)[:, :16]).all()
    bordered = open_image(photo, TargetRequest(frame=parse_frame(crop="1:1", pad="red")))
    assert bordered.pixels.shape == (24, 24, 3)
    assert (bordered.pixels[4:20] == np.asarray(original)).all()
    assert (bordered.pixels[:4] == (255, 0, 0)).all()
    clear = open_image(photo, TargetRequest(frame=parse_frame(crop="1:1", pad="background")))
    assert clear.rgba is not None
    assert clear.rgba[:4, :, 3].max() == 0


def test_a_picture_of_bools_has_borders_of_their_colour():
    """The border was black or white, channel by channel."""
    request = TargetRequest(frame=parse_frame(crop="1:1", pad="#4080c0"))
    pixels = image_from_array(np.ones((4, 2), bool), request).pixels
    assert (pixels[:, [0, 3]] == (0x40, 0x80, 0xC0)).all()
    assert (pixels[:, 1:3] == 255).all()


def test_a_mask_is_cropped_like_its_picture(tmp_path):
    photo, mask = save_photo(tmp_path), tmp_path / "mask.png"
    Image.fromarray(np.repeat(np.uint8([[0] * 16 + [255] * 8]), 16, 0)).save(mask)
    right = TargetRequest(mask=mask, frame=parse_frame(crop="1:2", at="1,0.5"))
    weight = open_image(photo, right).weight
    assert weight is not None
    assert weight.shape == (16, 8)
    assert weight.min() == 1


def test_a_face_that_is_not_there_is_missed(tmp_path, call, monkeypatch):
    """A thread was fitted to what is no face, without a word."""
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    tiny = [each for each in TINY if each != "--quiet"]
    code, _, err = call("fit", "photo.png", *tiny, "--crop", "1:1", "--crop-at", "face")
    assert (code, "crop-at: no face" in err) == (0, True)


@pytest.mark.parametrize(
    ("source", "crop", "aspect", "wide", "note"),
    [
        ("sample:astronaut", None, "1:1", True, ""),
        ("photo.png", None, None, False, "so the whole picture is shown"),
        ("photo.png", "2:1", "2:1", False, "so what has most detail is shown"),
        ("sample:astronaut", "2:1", "2:1", True, ""),
    ],
)
def test_a_face_from_near_or_else_the_whole(
    tmp_path, call, monkeypatch, source, crop, aspect, wide, note
):
    """The look `thread` cut heads of animals off, since it was a square of all that had no face."""
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    Path("near.toml").write_text('schema = 2\n[target]\ncrop_at = "face-or-whole"\n')
    tiny = [each for each in TINY if each != "--quiet"]
    line = ["fit", source, "--look", "near.toml", *tiny, *(["--crop", crop] if crop else [])]
    code, _, err = call(*line, "--name", "a")
    assert (code, "crop-at" in err) == (0, bool(note))
    assert note in err
    made = Path("artgen-out/a.png")
    stored = Recipe.from_dict(json.loads(read_recipe(made))).target
    assert stored.aspect == aspect
    assert stored.crop_at is not None
    assert (stored.crop_at.count(",") == 2) == wide
    with Image.open(made) as picture:
        width, height = parse_aspect(aspect) if aspect else (24, 16)
        assert picture.width / picture.height == pytest.approx(width / height, rel=0.1)
    assert main(["fit", "--recipe", str(made), "--name", "b", "--quiet"]) == 0
    assert made.read_bytes() == Path("artgen-out/b.png").read_bytes()


def test_the_recipe_of_a_crop_repeats_the_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    line = ["fit", "photo.png", *TINY, "--crop", "40X40", "--crop-at", "auto", "--dpi", "150"]
    assert main([*line, "--name", "a"]) == 0
    made = Path("artgen-out/a.png")
    with Image.open(made) as picture:
        assert picture.size == (40, 40)
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    stored = Recipe.from_dict(json.loads(read_recipe(made)))
    assert stored.target.aspect == "40:40"
    assert stored.target.crop_at not in (None, "auto")
    assert main(["fit", "--recipe", str(made), "--name", "b", "--quiet"]) == 0
    assert made.read_bytes() == Path("artgen-out/b.png").read_bytes()


def test_a_recipe_has_all_digits_of_the_places_that_were_asked_for(tmp_path):
    """Six of them; so the crop that a resumed run saw was another one."""
    table = {"aspect": "1:1", "crop_at": "0.123456789,0.50", "focus": "0.123456789,.5,1"}
    asked = recipe(save_photo(tmp_path), {"steps": 1}, target=table, run={"backend": "eager"})
    stored = PictureRun(Asked(asked, Registry(environ={}))).prepare().recipe.target
    assert (stored.crop_at, stored.focus) == (table["crop_at"], table["focus"])


def test_paper_turns_as_an_array_lies():
    art = artgen.fit(np.tile([0.0, 1.0], (20, 15)), "triangle", count=1, steps=1, crop="A4")
    assert (art.drawing.width, art.drawing.height) == (28, 20)


def test_drawings_fill_a_picture_or_get_a_border(tmp_path, capsys):
    art = artgen.fit(np.tile([0.0, 1.0], (8, 6)), "triangle", count=3, steps=3, size=12)
    whole = art.render(24)
    assert whole.shape == (16, 24, 3)
    assert (art.render("16x16") == whole[:, 4:20]).all()
    view = art.view(Frame(24, (1, 1), pad="background"))
    assert (view.show(replace(art.drawing, background=(0, 0, 1)))[:4] == (0, 0, 255)).all()
    bordered = art.render(Frame(24, (1, 1), pad="red"))
    assert (bordered[4:20] == whole).all()
    assert (bordered[:4] == (255, 0, 0)).all()
    clear = art.render(Frame(24, (1, 1), pad="background"), transparent=True)
    assert clear[:4, :, 3].max() == 0
    art.save(tmp_path / "a.svg", artgen.art.ExportRequest(size=Frame(24, (1, 1), pad="red")))
    svg = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert (svg.get("width"), svg.get("height")) == ("24", "24")
    assert [each.tag for each in svg.iter(f"{SVG}clipPath")]
    with pytest.raises(UsageError, match=r"JSON shows the whole drawing, so a size of 16 . 16"):
        art.save(tmp_path / "a.json", artgen.art.ExportRequest(size="16x16"))
    with pytest.raises(UsageError, match="a page shows the whole drawing"):
        art.save(tmp_path / "a.html", artgen.art.ExportRequest(size=Frame(24, (1, 1), pad="red")))
    # The aspect of the drawing itself, up to a pixel of the fit, is no crop.
    art.save(tmp_path / "a.json", artgen.art.ExportRequest(size="50x32"))
    assert json.loads((tmp_path / "a.json").read_text())["width"] == 50
    art.save(tmp_path / "a.art")
    names = [str(tmp_path / name) for name in ("a.art", "b.png", "b.html")]
    asked = ["render", names[0], "-o", names[1], "-o", names[2], "--size", "16x16"]
    assert main(asked) == 2
    assert "error: b.html: a page shows the whole drawing" in capsys.readouterr().err
    assert not Path(names[1]).exists()
    # Its crop is as large on paper as its size would be.
    assert main(["render", names[0], "-o", names[1], "--crop", "2x1cm"]) == 0
    with Image.open(names[1]) as picture:
        assert picture.size == (236, 118)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_videos_have_a_size_of_their_own(tmp_path):
    photo = save_photo(tmp_path)
    asked = recipe(photo, {"steps": 8}, output={"video_size": "48x48", "still_size": "20x30"})
    result = run(asked, Registry(), out=tmp_path / "out", name="a")
    frames = video_frames(tmp_path / "out/a.mp4")
    assert frames.shape[1:3] == (48, 48)
    still = np.asarray(Image.open(tmp_path / "out/a.png"))
    assert still.shape == (30, 20, 3)
    assert result.art is not None
    last = result.art.render("48x48").astype(int)
    assert np.abs(frames[-1].astype(int) - last).mean() < 6


def test_plots_are_not_cropped(tmp_path, capsys):
    asked = changed(
        recipe(tmp_path, {"steps": 2}),
        {"target": {"source": "curve:x"}, "primitive": {"name": "mlp", "count": None}},
    )
    asked = Recipe.from_dict(
        {**asked.to_dict(), "primitive": {"name": "mlp"}, "output": {"still_size": "20x30"}}
    )
    with pytest.raises(UsageError, match="cannot crop"):
        run(asked, Registry())
    with pytest.raises(UsageError, match="cannot be cropped"):
        artgen.fit("curve:x", "mlp", crop="1:1")
    # That 50 % of its height are cut was said before.
    artgen.fit("curve:x", "mlp", steps=1, hidden=4, layers=1).save(tmp_path / "a.art")
    line = ["render", str(tmp_path / "a.art"), "--size", "40x20", "-o", str(tmp_path / "a.png")]
    assert main(line) == 2
    said = capsys.readouterr().err
    assert ("cannot be cropped" in said, "note:" in said) == (True, False)


def test_paper_lies_as_the_picture_does():
    """`--size A3` was "not a size", though `--page A3` was paper."""
    paper = parse_frame("a6", dpi=20)
    assert paper.canvas(24, 16) == Canvas(117, 83)
    assert paper.canvas(16, 24) == Canvas(83, 117)
    assert paper.place(Canvas(24, 16)).picture == Canvas(117, 83)
    for crop in (paper, parse_frame(crop="A6", dpi=20), Recipe.from_dict(A6).target.frame):
        left, _, wide, high = crop.window(240, 160)
        assert (left, high) == (pytest.approx((240 - wide) / 2), 160)
        assert wide / high == pytest.approx(148 / 105, abs=0.01)


A6 = {"schema": 2, "target": {"source": "photo.png", "aspect": "A6"}}


def test_a_size_on_paper_is_that_of_the_still(tmp_path, monkeypatch, capsys):
    """`--size 30cm` fitted a picture of 768 pixels at 3,543, for an hour."""
    monkeypatch.chdir(tmp_path)
    save_photo(tmp_path)
    line = ["fit", "photo.png", *(each for each in TINY if each != "--quiet"), "--name"]
    files = ["-o", "paper.tif", "-o", "paper.jpg"]
    for name, size, still, drawn, aspect in (
        ("long", "3cm", (118, 79), (24, 16), None),
        ("both", "2x3cm", (79, 118), (11, 16), "79:118"),
        ("paper", "A6", (583, 413), (23, 16), "148:105"),
    ):
        more = files if name == "paper" else []
        assert main([*line, name, "--size", size, "--dpi", "100", *more]) == 0
        assert f"note: {size} is the size of the PNG" in capsys.readouterr().err
        made = Path(f"artgen-out/{name}.png")
        art = artgen.art.load(made.with_suffix(".art"))
        assert (art.drawing.width, art.drawing.height) == drawn
        assert art.recipe.target.aspect == aspect
        for file in (made, *(Path(each) for each in more[1::2])):
            with Image.open(file) as picture:
                assert picture.size == still
                assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.1)
    assert main(["fit", "--recipe", "artgen-out/paper.png", "--name", "again", "--quiet"]) == 0
    assert Path("artgen-out/again.png").read_bytes() == made.read_bytes()
    assert main([*line, "two", "--size", "A4", "--still-size", "300"]) == 2
    assert "both say how large the PNG is" in capsys.readouterr().err
    with pytest.raises(UsageError, match="size on paper"):
        artgen.fit(np.zeros((4, 4)), size="30cm")


def test_a_crop_may_be_closer():
    frame = parse_frame("40x40", at="0.25,0.5,0.5")
    assert frame.window(200, 100) == (25, 25, 50, 50)
    placed = frame.place(Canvas(200, 100))
    assert (placed.whole.width, placed.left, placed.top) == (160, 20, 20)
    with pytest.raises(UsageError, match="is not a point of a picture"):
        parse_place("0.5,0.5,0")
