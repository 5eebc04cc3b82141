"""Flags that were ignored, files that were replaced, and formats that were refused too late."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.cli import main
from artgen.errors import OutputError
from artgen.gallery._state import key_of
from artgen.output.animation import write_animation
from artgen.recipe import Recipe
from artgen.registry import default

TWO = ("one", "two")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two small drawings, ``one.art`` and ``two.art``."""
    folder = tmp_path_factory.mktemp("drawn")
    photo = np.random.default_rng(1).random((16, 24, 3))
    for seed, name in enumerate(TWO):
        art = artgen.fit(photo, "circle", count=4, seed=seed, engine="climb", steps=8)
        art.save(folder / f"{name}.art")
    return folder


@pytest.fixture
def here(drawn, tmp_path, monkeypatch):
    for name in TWO:
        shutil.copy(drawn / f"{name}.art", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seconds_of(file: str) -> float:
    with av.open(file) as video:
        return float(sum(1 for _ in video.decode(video=0)) / video.streams.video[0].average_rate)


def refused(capsys, *line: str, code: int = 2) -> str:
    assert main([*line, "-q"]) == code
    return capsys.readouterr().err


def test_every_form_of_film_has_a_speed(here, capsys):
    """Of those that do not follow a film it was ignored."""
    short = ["render", "one.art", "--film", "zoom", "--size", "24", "--fps", "10", "-q"]
    assert main([*short, "--seconds", "1", "-o", "a.mp4"]) == 0
    assert main([*short, "--seconds", "1", "--speed", "0.5", "-o", "b.mp4"]) == 0
    assert seconds_of("b.mp4") == pytest.approx(2 * seconds_of("a.mp4"), rel=0.1)
    said = refused(capsys, "render", "one.art", "--film", "music=x.wav", "--speed", "2")
    assert "--speed does not count with --film music=x.wav" in said


def test_a_form_of_film_leaves_stills_and_drawings_as_they_are(here):
    """After the video was drawn, all was refused: PNG is no format of videos."""
    line = ["render", "one.art", "--film", "zoom", "--seconds", "0.5", "--fps", "6"]
    assert main([*line, "-q", "-o", "a.mp4", "-o", "a.png", "-o", "a.art"]) == 0
    assert main(["render", "one.art", "-q", "-o", "b.png"]) == 0
    one, other = (np.asarray(Image.open(f"{name}.png")) for name in "ab")
    np.testing.assert_array_equal(one, other)


def test_a_morph_is_no_still_and_its_drawing_has_no_sound(here, capsys):
    """A still was that of the first drawing; the sound was not looked for."""
    said = refused(capsys, "morph", "one.art", "two.art", "-o", "m.png")
    assert "a morph is no PNG" in said
    line = ("morph", "one.art", "two.art", "-o", "m.art")
    assert "--music is for videos" in refused(capsys, *line, "--music", "nowhere.wav")
    assert [path.name for path in here.glob("m.*")] == []
    assert main([*line, "-q"]) == 0


def test_the_mask_of_an_edit_is_not_replaced(here, capsys):
    """Only what follows `=` was known to be read."""
    assert main(["render", "one.art", "-o", "mask.png", "-q"]) == 0
    before = Path("mask.png").read_bytes()
    line = ("edit", "one.art", "move=0.1,0@mask.png", "-o", "mask.png", "--overwrite")
    assert "cannot be both read and written" in refused(capsys, *line)
    assert Path("mask.png").read_bytes() == before


def test_the_video_whose_sound_is_used_is_not_replaced(here, capsys):
    Image.new("RGB", (8, 8)).save("a.png")
    Path("old.mp4").write_bytes(b"ftyp artgen")
    line = ("fit", "a.png", "--film", "music=old.mp4", "-o", "old.mp4", "--overwrite")
    assert "cannot be both read and written" in refused(capsys, *line)
    assert Path("old.mp4").read_bytes() == b"ftyp artgen"


def test_a_gif_that_stands_still_for_long_is_refused(tmp_path):
    """Pauses of equal frames are added up, to more than fits: exit code 1."""
    frames = (np.full((4, 4, 3), 255 * (k < 2), np.uint8) for k in range(80))
    with pytest.raises(OutputError, match="write a gif: it stands still"):
        write_animation(tmp_path / "a.gif", frames, fps=0.1, comment="", quality=None, colours=None)
    assert list(tmp_path.iterdir()) == []


def test_a_table_lies_in_the_folder_of_the_comparison(here, capsys):
    """It was refused, as that folder is made later."""
    Image.new("RGB", (16, 16), "teal").save("a.png")
    line = ["compare", "a.png", "-p", "gaussian:count=4", "-p", "circle:count=2", "--steps", "2"]
    assert main([*line, "--out", "made", "--csv", "made/table.csv", "-q"]) == 0
    assert Path("made/table.csv").read_text().startswith("target,contestant")
    assert "--csv - is no file" in refused(capsys, *line, "--csv", "-")


def test_a_sound_and_a_list_of_what_is_made_are_of_the_key(tmp_path):
    """A piece was up to date although they had changed."""
    Image.new("RGB", (16, 16), "teal").save(tmp_path / "a.png")
    table = {
        "target": {"source": "a.png"},
        "primitive": {"name": "circle", "count": 4},
        "output": {"film": "music=song.wav"},
        "piece": {"title": "A", "text": "A.", "make": "bricks stock=stock.csv"},
    }
    recipe, keys = Recipe.from_dict(table), set()
    for song, stock in ((b"1", b"1"), (b"2", b"1"), (b"2", b"2")):
        (tmp_path / "song.wav").write_bytes(song)
        (tmp_path / "stock.csv").write_bytes(stock)
        keys.add(key_of(recipe, default(), (tmp_path, Path())))
    assert len(keys) == 3
