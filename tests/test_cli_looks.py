"""`artgen looks`: a small picture in each look, on one sheet."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import save_photo
from PIL import Image

from artgen.base.errors import UsageError
from artgen.cli import main
from artgen.output import read_recipe

TWO = ["looks", "sample:cat", "--look", "dark.toml, light.toml", "--size", "24", "-q"]


@pytest.fixture(autouse=True)
def two_looks(empty_folder):
    """Two looks of few parts: those of artgen have thousands."""
    for name, colour in (("dark", "#000000"), ("light", "#ffffff")):
        target = f'[target]\nsize = 32\nbackground = "{colour}"\n'
        rest = '[primitive]\nname = "triangle"\ncount = 3\n[[stage]]\nsteps = 3\n'
        Path(f"{name}.toml").write_text(target + rest, encoding="utf-8")


def test_a_sheet_has_a_picture_in_each_look_and_says_how_to_make_it(capsys):
    assert main([*TWO, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert [run["recipe"]["look"] for run in made["runs"]] == ["dark", "light"]
    assert [run["recipe"]["target"]["size"] for run in made["runs"]] == [24, 24]
    assert made["sheet"] == "artgen-out/cat-looks-sheet.png"
    with Image.open(made["sheet"]) as sheet:
        assert sheet.width > 2 * 24
    page = Path(made["page"]).read_text(encoding="utf-8")
    for look in ("dark", "light"):
        assert f"artgen fit sample:cat --look {look}.toml" in page
        still = Path(f"artgen-out/cat-looks-{look}.png")
        assert json.loads(read_recipe(still))["look"] == look


def test_the_settings_of_the_user_count(monkeypatch, capsys):
    for name, value in {"OUT": "here", "OVERWRITE": "true", "THREADS": "1"}.items():
        monkeypatch.setenv(f"ARTGEN_{name}", value)
    for _ in range(2):
        assert main([*TWO, "--json"]) == 0
        made = json.loads(capsys.readouterr().out)
    assert made["sheet"] == "here/cat-looks-sheet.png"
    assert [run["recipe"]["run"]["threads"] for run in made["runs"]] == [1, 1]


def test_the_commands_of_a_piped_picture_name_no_file(monkeypatch, capsys):
    data = io.BytesIO(save_photo(Path()).read_bytes())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False, buffer=data))
    assert main(["looks", "-", *TWO[2:], "--json"]) == 0
    page = Path(json.loads(capsys.readouterr().out)["page"])
    assert page.name == "stdin-looks-sheet.html"
    assert "artgen fit - --look dark.toml" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("empty", "error: empty is no picture"),
        ("sample:digits", "error: sample:digits is no picture"),
        ("words.png", "error: words.png is not a picture that artgen can read"),
    ],
)
def test_what_is_no_picture_is_refused_once(target, says, capsys):
    """Each of the looks said the same, or that it cannot be fitted to a set, of which nobody spoke."""
    Path("empty").mkdir()
    Path("words.png").write_text("words")
    assert main(["looks", target, *TWO[2:]]) == 3
    said = capsys.readouterr().err
    assert (said.count("error:"), says in said) == (1, True), said
    assert not Path("artgen-out").exists()


def test_looks_of_one_name_would_have_the_same_files(capsys):
    Path("other").mkdir()
    Path("dark.toml").rename("other/dark.toml")
    Path("light.toml").rename("dark.toml")
    assert main(["looks", "sample:cat", "--look", "dark.toml,other/dark.toml", "-q"]) == 2
    assert "two looks have the same name" in capsys.readouterr().err


def test_the_name_of_a_look_is_that_of_its_files():
    fit = ["fit", "sample:cat", "--look", "riso", "-n", "20", "--size", "24", "--no-video", "-q"]
    assert main(fit) == 0
    assert Path("artgen-out/cat-riso.png").exists()


@pytest.mark.parametrize(
    ("flags", "look"),
    [
        ("sample:cat", "single-line"),
        ("photo.png --size 24 --fps 10 --seed 3 --focus auto", "single-line"),
        ("sample:cat --threads 1 --device cpu --backend eager --precision fp16", "single-line"),
        ("sample:cat --start photo --end photo --film side-by-side", "single-line"),
        ("sample:cat --film music=sample:pulse", None),
        ("sample:cat -p gaussian", None),
        ("sample:cat -n 20", None),
        ("sample:cat --steps 20", None),
        ("sample:cat --set blend=depth", None),
        ("sample:cat --palette 5", None),
        ("sample:cat --resume --name it", None),
        ("sample:cat --resume --name it --seeds 1..2", "single-line"),
        ("sample:cat --look riso", "riso"),
        ("sample:clip", None),
        ("sample:digits", None),
        ("curve:sin(x)", None),
        ("sample:cat sample:clip", None),
    ],
)
def test_pictures_of_which_nothing_is_asked_have_the_usual_look(flags, look, monkeypatch, capsys):
    """`artgen fit photo.jpg` gave Gaussians: a copy of the photograph, half of it smeared."""
    Image.new("RGB", (8, 8)).save("photo.png")
    asked = []

    def caught(data, *_):
        asked.append(data.get("look"))
        raise UsageError("enough")

    monkeypatch.setattr("artgen.cli._recipe.plan_runs", caught)
    assert main(["fit", *flags.split()]) == 2
    said = capsys.readouterr().err
    told = look == "single-line" and "--resume" not in flags
    assert (asked, "-p gaussian for" in said) == ([look], told), said
    # A flag of the fit gave soft spots without a word.
    how = look is None and flags.split()[1:2] in (
        [[each] for each in ("-n", "--steps", "--set", "--palette", "--film")]
    )
    assert ("primitive: gaussian, since flags say how" in said) == how


def test_a_look_that_a_recipe_names_alone_is_not_applied_in_silence(capsys):
    """`look = "linocut"`, written by hand, made a picture of the primitive by default."""
    said = "warning: the key look of mine.toml says nothing alone: add --look linocut"
    for text, more, expected in (
        ("", [], True),
        ("", ["--look", "linocut"], False),
        ("[primitive]\nname = 'circle'", [], False),
    ):
        Path("mine.toml").write_text(f"look = 'linocut'\n{text}")
        line = ["fit", "sample:cat", "--recipe", "mine.toml", "--device", "no", *more]
        assert main(line) == 2
        assert (said in capsys.readouterr().err) is expected


def test_a_warning_about_plugins_is_printed_once(monkeypatch, capsys):
    """It came again for each target that was looked at for the usual look."""
    monkeypatch.setenv("ARTGEN_DISABLE_PLUGINS", "no-such-plugin")
    assert main(["fit", "sample:cat", "nothing.jpg", "--name", "one"]) == 2
    assert capsys.readouterr().err.count("no such plugin is installed") == 1


def test_a_note_is_printed_once_where_a_run_that_may_have_begun_is_looked_for(capsys):
    """It came for each of three looks that it could have been begun with."""
    line = ["fit", "sample:cat", "--size", "30cm", "--resume", "--device", "no"]
    assert main(line) != 0
    assert capsys.readouterr().err.count("30cm is the size of the PNG") == 1


def test_pictures_of_a_look_lie_beside_its_file(capsys):
    """They were looked for where the user was alone."""
    Path("mine").mkdir()
    save_photo(Path("mine")).rename("mine/wood.png")
    stage = '[[stage]]\nsteps = 1\nloss = "mse+0.1*texture:wood.png"\n'
    Path("mine/oak.toml").write_text(f'{stage}[primitive]\nname = "gaussian"\ncount = 3\n')
    more = ["--size", "24", "-q"]
    assert main(["fit", "sample:cat", "--look", "mine/oak.toml", *more, "--dry-run"]) == 0
    assert main(["looks", "sample:cat", "--look", "dark.toml,mine/oak.toml", *more]) == 0
    assert Path("artgen-out/cat-looks-oak.png").exists()


def test_a_look_does_not_find_the_pictures_of_another(capsys):
    """All looks of a sheet were searched for in the folders of all."""
    for name in ("mine", "other"):
        Path(name).mkdir()
        save_photo(Path(name))
        Path(f"{name}/{name}.toml").write_text(
            '[[stage]]\nsteps = 1\nloss = "mse+0.1*texture:wood.png"\n'
            '[primitive]\nname = "gaussian"\ncount = 3\n'
        )
    Path("mine/photo.png").rename("mine/wood.png")
    looks = "mine/mine.toml,other/other.toml,dark.toml"
    save_photo(Path())
    line = ["looks", "photo.png", "--look", looks, "--size", "24", "--json"]
    assert main(line) == 3
    said, err = capsys.readouterr()
    assert ["error" in run for run in json.loads(said)["runs"]] == [False, True, False]
    assert "photo-looks-other: " in err
    assert "wood.png" in err
    page = Path("artgen-out/photo-looks-sheet.html").read_text(encoding="utf-8")
    assert "artgen fit photo.png --look mine/mine.toml" in page


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["looks", "--look", "riso"], 2, "a sheet needs two looks"),
        (["looks", "--look", "riso,rizo"], 4, "riso"),
        (["looks", "nothing.jpg"], 3, "does not exist"),
        ([*TWO, "--out", "made"], 2, "--overwrite"),
    ],
)
def test_what_makes_no_sheet_is_refused(line, code, words, capsys):
    if "made" in line:
        assert main(line) == 0
    assert main(line) == code
    assert words in capsys.readouterr().err


def test_the_help_of_looks_says_its_own_names(capsys):
    """It was that of a fit, with a graph of an engine that cannot be asked for."""
    assert main(["looks", "--help-all"]) == 0
    said = capsys.readouterr().out
    assert "STEM-looks-sheet.png" in said
    assert "TARGET-PRIMITIVE" not in said
    assert "--graph" not in said
