"""Two pictures in one: beside each other, and on a page with a slider."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.art import ExportRequest
from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.cli.render import _photo
from artgen.exporters.films import photograph
from artgen.registry import default
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
    if suffix != "jpg":
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
    photo = _photo("--start photo", "photo", art, folder, frame, default())
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
