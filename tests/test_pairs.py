"""Two pictures in one: beside each other, and on a page with a slider."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import recipe, save_photo
from PIL import Image

import artgen
from artgen.art import ExportRequest
from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.cli.render import _photo
from artgen.exporters.films import photograph
from artgen.registry import Registry
from artgen.runs import run
from artgen.values.frame import parse_frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two drawings, `one.art` with its target beside it, and `two.art`."""
    folder = tmp_path_factory.mktemp("pairs")
    row, column = np.mgrid[0:16, 0:24]
    photo = np.stack([column * 10, row * 15, (row + column) % 5 * 60], axis=2).astype(np.uint8)
    Image.fromarray(photo).save(folder / "photo.png")
    one = artgen.fit(folder / "photo.png", "gaussian", count=4, steps=2, seed=1, backend="eager")
    two = artgen.fit(photo, "gaussian", count=7, steps=2, seed=2, backend="eager")
    one.save(folder / "one.art")
    two.save(folder / "two.art")
    return folder


def rendered(folder: Path, tmp_path: Path, name: str, *more: str) -> Path:
    out = tmp_path / name
    line = ["render", str(folder / "one.art"), "-o", str(out), "--quiet", *more]
    assert main(line) == 0
    return out


def opened(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.array(picture.convert("RGB"))


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_two_drawings_stand_side_by_side(folder, tmp_path, suffix):
    """It was refused: a still was no format for `--film`, and FILE could be a photo alone.

    Then the second drawing stood on the left.
    """
    film = f"side-by-side={folder / 'two.art'}"
    pair = opened(rendered(folder, tmp_path, f"pair.{suffix}", "--film", film, "--size", "48"))
    one, two = (artgen.load(folder / name).render(48) for name in ("one.art", "two.art"))
    assert pair.shape[:2] == (32, 48 + 48 + 2)
    if suffix == "jpg":
        for side, drawing in ((pair[:, :48], one), (pair[:, 50:], two)):
            assert np.abs(side.astype(int) - drawing).mean() < 8
    else:
        np.testing.assert_array_equal(pair[:, :48], one)
        np.testing.assert_array_equal(pair[:, 50:], two)


@pytest.mark.parametrize(("width", "height"), [(30, 10), (10, 40)])
def test_another_drawing_of_another_shape_is_whole(folder, tmp_path, width, height):
    """It was cropped to the shape of the first, without a word."""
    photo = np.arange(width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    fitted = artgen.fit(photo, "gaussian", count=4, steps=1, seed=3, backend="eager")
    fitted.save(tmp_path / "other.art")
    film = f"side-by-side={tmp_path / 'other.art'}"
    pair = opened(rendered(folder, tmp_path, "pair.png", "--film", film, "--size", "48"))
    whole = fitted.render((32 * width // height, 32))
    assert pair.shape[0] == 32
    np.testing.assert_array_equal(pair[:, 50:], whole)


def test_a_cropped_photo_is_sharp_and_upright(folder):
    """It was read at the size of the crop, and enlarged; one that a phone took lay on its side."""
    art, frame = artgen.load(folder / "one.art"), parse_frame("12x16")
    photo = _photo("--start photo", "photo", art, folder, frame)
    assert photo.size == (24, 16)
    own, exif = opened(folder / "photo.png"), Image.Exif()
    np.testing.assert_array_equal(photo, own)
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(np.rot90(own)).save(file, "PNG", exif=exif)
    lying = ExportRequest(photo=Image.open(file))
    np.testing.assert_array_equal(photograph(art, lying, frame), own[:, 6:18])


def test_a_drawing_stands_beside_its_target(folder, tmp_path):
    pair = opened(rendered(folder, tmp_path, "pair.png", "--film", "side-by-side"))
    np.testing.assert_array_equal(pair[:, :24], opened(folder / "photo.png"))


def test_a_page_has_both_pictures_and_a_slider(folder, tmp_path):
    """It was refused: a page was no format for `--film`."""
    file = rendered(folder, tmp_path, "wipe.html", "--film", "wipe", "--size", "48")
    page = file.read_text(encoding="utf-8")
    photo, drawing = (
        Image.open(io.BytesIO(base64.b64decode(data)))
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    )
    assert photo.size == drawing.size == (48, 32)
    drawn = artgen.load(folder / "one.art").render(48)
    assert abs(np.asarray(drawing).astype(int) - drawn).mean() < 12
    assert 'type="range"' in page
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_a_page_is_as_large_as_its_window(folder, tmp_path):
    """It showed the pictures at the fitting size, 24 pixels wide in any window."""
    page = rendered(folder, tmp_path, "wipe.html", "--film", "wipe").read_text(encoding="utf-8")
    data = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    sizes = [Image.open(io.BytesIO(base64.b64decode(each))).size for each in data]
    assert sizes == [(1600, 1067)] * 2
    assert "width: min(100vw - 2rem, max(50vh, 100vh - 11rem) * var(--aspect));" in page
    assert "--aspect: 1.49953;" in page


def test_its_recipe_can_be_read_back(folder, tmp_path, capsys):
    file = rendered(folder, tmp_path, "wipe.html", "--film", f"wipe={folder / 'two.art'}")
    assert main(["info", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["primitive"]["count"] == 4


@pytest.mark.parametrize(
    ("name", "more", "code", "words"),
    [
        ("a.png", ["--film", "side-by-side=none.art"], 3, "none.art does not exist"),
        ("a.html", ["--film", "wipe=none.art"], 3, "none.art does not exist"),
        ("a.png", ["--film", "wipe"], 2, "PNG is not a video format"),
        ("a.html", ["--film", "side-by-side"], 2, "HTML is not a video format"),
        ("a.png", ["--film", "side-by-side", "--transparent"], 2, "leave out --transparent"),
        ("a.html", ["--film", "wipe", "--animate", "1"], 2, "HTML cannot be animated"),
        # The first was an internal error, the others were opaque or of four channels.
        ("a.html", ["--film", "wipe", "--transparent"], 2, "leave out --transparent"),
        ("a.png", ["--film", "views", "--transparent"], 2, "leave out --transparent"),
        ("a.png", ["--film", "zoom-into", "--transparent"], 2, "leave out --transparent"),
    ],
)
def test_what_cannot_be_is_refused(folder, tmp_path, capsys, name, more, code, words):
    assert main(["render", str(folder / "one.art"), "-o", str(tmp_path / name), *more]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_photo_is_needed(folder):
    from artgen.art import ExportRequest
    from artgen.exporters import export_png

    with pytest.raises(UsageError, match="no photo was given"):
        export_png(artgen.load(folder / "one.art"), ExportRequest(film="side-by-side"))


PLUGIN = """
import numpy as np

import artgen
from artgen.animation import Form, beside


def two(shot):
    return shot.still, 255 - shot.still


FORM = Form(
    lambda shot: lambda share: shot.still,
    still=lambda shot: beside(shot)(shot.art.drawing) if shot.photo is None else shot.target,
    photo=True,
    pairs=True,
    page=two,
)


@artgen.hookimpl
def artgen_forms():
    return [
        artgen.Spec("duo", "Two pictures", FORM),
        artgen.Spec("broken", "None", Form(FORM.prepare, still=lambda shot: 1, page=lambda shot: 1)),
    ]
"""


def test_a_form_of_a_plugin_has_a_still_and_a_page_of_its_own(folder, tmp_path, capsys):
    """Only forms that the exporters knew by name could."""
    plugin = tmp_path / "duo.py"
    plugin.write_text(PLUGIN)
    used = ("--plugin", str(plugin), "--film")
    still = opened(rendered(folder, tmp_path, "a.png", *used, "duo"))
    np.testing.assert_array_equal(still, opened(folder / "photo.png"))
    pair = rendered(folder, tmp_path, "b.png", *used, f"duo={folder / 'two.art'}", "--size", "48")
    np.testing.assert_array_equal(opened(pair)[:, 50:], artgen.load(folder / "two.art").render(48))
    page = rendered(folder, tmp_path, "a.html", *used, "duo", "--size", "48").read_text("utf-8")
    one, other = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(int)
        for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    )
    assert abs(255 - other - one).mean() < 12
    for name, words in (("c.png", "the still of form 'broken'"), ("c.html", "the page of form")):
        line = ["render", str(folder / "one.art"), "-o", str(tmp_path / name), *used, "broken"]
        assert main(line) == 4
        assert words in capsys.readouterr().err


def test_only_a_still_from_which_the_film_goes_on_is_that_of_a_fit(tmp_path):
    """A sheet of `render` is none: the still of a fit with `side-by-side` is the drawing."""
    registry = Registry(environ={})
    first = artgen.animation.Form(lambda shot: lambda share: 255 - shot.still, still=True)
    for name, form in {
        "first": first,
        "sheet": dataclasses.replace(first, still=lambda shot: 255 - shot.still),
    }.items():
        registry.register(form, name, "form")
        asked = recipe(save_photo(tmp_path), {"steps": 2}, output={"film": name, "video_size": 32})
        run(asked, registry, out=tmp_path, name=name)
    drawing = artgen.load(tmp_path / "sheet.art").render()
    np.testing.assert_array_equal(opened(tmp_path / "sheet.png"), drawing)
    np.testing.assert_array_equal(opened(tmp_path / "first.png"), 255 - drawing)
