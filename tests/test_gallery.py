"""`artgen gallery`: pieces are made once, again where something changed, and failures stay alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import zipfile
from contextlib import chdir, contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from helpers import PATIENCE, PYTHON, save_photo, wait_until
from PIL import Image

from artgen import load
from artgen.art import ExportRequest
from artgen.base.lock import FileLock
from artgen.cli import main
from artgen.errors import ArtgenError, OutputError
from artgen.gallery import _state as state
from artgen.gallery import open_gallery
from artgen.gallery._page import FinishedPiece, _command, _plugin
from artgen.gallery._pieces import Gallery, Piece
from artgen.output import FORMATS
from artgen.recipe import Recipe

RECIPE = """
schema = 1
seed = 3
[piece]
title = "{title}"
text = "What <b>to</b> look for & find."
[target]
source = "{source}"
size = 32
[primitive]
name = "gaussian"
count = 12
[[stage]]
engine = "gradient"
steps = {steps}
[output]
still_size = 80
video_seconds = 0.5
fps = 12
[run]
backend = "compiled"
"""


DISC = """
import torch
from artgen import Param, Splat

class Disc(Splat):
    '''A disc.'''

    params = {"size": Param(init=0.3, lr=0.05, map="exp")}

    def footprint(self, dx, dy, p):
        return torch.exp(-(dx * dx + dy * dy) / (p.size * p.size))

    def radius(self, p):
        return 2.6 * p.size
"""


def write(folder, slug, *, title="A piece", source="photo.png", steps=6):
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{slug}.toml"
    path.write_text(RECIPE.format(title=title, source=source, steps=steps))
    return path


def fill(folder):
    write(folder / "recipes", "first", title="First one")
    write(folder / "recipes", "second", steps=5)
    save_photo(folder / "recipes")


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(Path("show"))
    return Path("show")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The gallery once it is built, for all that begin with that."""
    with chdir(tmp_path_factory.mktemp("made")):
        fill(Path("show"))
        assert main(["gallery", "build", "show", "-q"]) == 0
        return Path("show").absolute()


@pytest.fixture
def built(gallery, made):
    """All of it is up to date."""
    shutil.copytree(made, gallery, dirs_exist_ok=True)


is_built = pytest.mark.usefixtures("built")


@pytest.fixture
def call(capsys):
    def run(*arguments, json_too=True):
        code = main(["gallery", *map(str, arguments), *(["--json"] if json_too else [])])
        out, err = capsys.readouterr()
        return (code, json.loads(out), err) if json_too else (code, out, err)

    return run


def statuses(data):
    return {piece["slug"]: piece["status"] for piece in data["pieces"]}


def under_way(run):
    return len(list(run.glob("frames/*.npy"))) > 1


@contextmanager
def started(*arguments, **options):
    """A command in a process of its own, which does not outlive the test."""
    program = "import sys; from artgen.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [*PYTHON, "-c", program, *map(str, arguments), "-q"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_everything_is_made_and_then_left_alone(gallery, call):
    assert call("check", gallery)[0] == 7
    code, data, err = call("build", gallery)
    assert code == 0
    assert statuses(data) == {"first": "built", "second": "built"}
    assert "2 made" in err
    assert data["page"] == str(gallery / "out/index.html")

    made = gallery / "out/first"
    assert sorted(path.name for path in made.iterdir()) == [
        *("drawing.art", "errors.jpg", "explore.html", "final.png"),
        *("poster-2x.jpg", "poster.jpg", "progress.mp4"),
        *("result.jpg", "run.json", "target.jpg"),
    ]
    with Image.open(made / "final.png") as still, Image.open(made / "poster.jpg") as poster:
        assert max(still.size) == 80
        assert (max(poster.size), poster.format) == (80, "JPEG")
    with av.open(str(made / "progress.mp4")) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == 6
    assert max(frames[0].width, frames[0].height) == 1080
    summary = json.loads((made / "run.json").read_text())
    assert summary["outputs"]["video"] == "progress.mp4"
    assert summary["recipe"]["piece"]["title"] == "First one"
    assert str(gallery.resolve()) not in (made / "run.json").read_text()

    before = stamps(gallery / "out/first") | stamps(gallery / "out/second")
    code, data, _ = call("build", gallery)
    assert (code, statuses(data)) == (0, {"first": "current", "second": "current"})
    assert before == stamps(gallery / "out/first") | stamps(gallery / "out/second")
    code, data, _ = call("check", gallery)
    assert (code, data["ok"]) == (0, True)


@is_built
def test_what_changed_is_made_again_and_nothing_else(gallery, call):
    write(gallery / "recipes", "second", steps=7)
    assert statuses(call("check", gallery)[1]) == {"first": "current", "second": "stale"}
    assert statuses(call("build", gallery)[1]) == {"first": "current", "second": "built"}
    # Another picture under the same name.
    with Image.open(gallery / "recipes/photo.png") as photo:
        photo.transpose(Image.Transpose.ROTATE_180).save(gallery / "recipes/photo.png")
    code, data, _ = call("check", gallery)
    assert (code, statuses(data)) == (7, {"first": "stale", "second": "stale"})
    assert data["error"]["exit_code"] == 7
    data = call("build", gallery, "--only", "second")[1]
    assert statuses(data) == {"second": "built"}
    assert statuses(call("build", gallery, "--force")[1]) == {"first": "built", "second": "built"}


@is_built
def test_what_is_up_to_date_is_not_opened(gallery, call, monkeypatch):
    """Neither is a target read nor a plugin imported, unless recipe, file or code has changed."""
    import artgen.gallery._build
    import artgen.runs

    def refuse(path, data):
        raise OutputError(f"cannot write {path}")

    opened, read = [], artgen.runs.read_target
    monkeypatch.setattr(
        artgen.runs, "read_target", lambda recipe, *more: opened.append(1) or read(recipe, *more)
    )
    assert statuses(call("check", gallery)[1]) == {"first": "current", "second": "current"}
    assert not opened
    write(gallery / "recipes", "second", title="Other words", steps=5)
    assert call("check", gallery)[0] == 0
    assert not opened
    # With other code the key itself is asked for, which here stays.
    with monkeypatch.context() as other:
        other.setattr(state, "_code", lambda packages: "other")
        assert call("check", gallery)[0] == 0
    assert len(opened) == 2
    # Galleries of earlier versions have the key alone.
    for summary in gallery.glob("out/*/run.json"):
        data = json.loads(summary.read_text())
        del data["gallery"]["witness"]
        summary.write_text(json.dumps(data))
    assert call("check", gallery)[0] == 0
    assert len(opened) == 4
    # Building keeps what was found out.
    assert statuses(call("build", gallery)[1]) == {"first": "current", "second": "current"}
    assert len(opened) == 6
    assert call("check", gallery)[0] == 0
    assert len(opened) == 6
    # A piece is current, even where that cannot be kept.
    monkeypatch.setattr(state, "_code", lambda packages: "other")
    monkeypatch.setattr(artgen.gallery._build, "atomic_write", refuse)
    assert statuses(call("build", gallery)[1]) == {"first": "current", "second": "current"}


@is_built
def test_better_words_are_no_reason_to_fit_again(gallery, call):
    write(gallery / "recipes", "first", title="The very first")
    assert statuses(call("build", gallery)[1])["first"] == "current"
    assert "The very first" in (gallery / "out/index.html").read_text()


@pytest.mark.parametrize("name", ["final.png", "progress.mp4", "poster.jpg"])
@is_built
def test_a_file_that_was_lost_or_changed_is_noticed(gallery, call, name):
    (gallery / "out/first" / name).write_bytes(b"something else")
    assert statuses(call("check", gallery)[1])["first"] == "stale"
    (gallery / "out/first" / name).unlink()
    assert statuses(call("check", gallery)[1])["first"] == "stale"
    assert statuses(call("build", gallery, "--only", "first")[1]) == {"first": "built"}


def test_one_that_fails_stops_no_other(gallery, call):
    write(gallery / "recipes", "broken", source="nowhere.png")
    (gallery / "recipes/unreadable.toml").write_text("this is = = no recipe")
    (gallery / "recipes/Bad Name.toml").write_text("")
    code, data, err = call("build", gallery)
    assert code == data["error"]["exit_code"] == 7
    assert statuses(data) == {
        **dict.fromkeys(("broken", "unreadable", "Bad Name"), "failed"),
        **dict.fromkeys(("first", "second"), "built"),
    }
    assert "nowhere.png does not exist" in err
    assert "lower-case" in err
    assert "2 made, 3 failed" in err
    assert {path.name for path in (gallery / "out").iterdir()} == {"first", "second", "index.html"}
    code, out, _ = call("check", gallery, json_too=False)
    assert code == 7
    assert "broken: failed: target nowhere.png does not exist" in out


def test_a_fit_that_fails_is_remembered_and_tried_again(gallery, call, monkeypatch):
    import artgen.gallery._make as making
    from artgen.base.errors import Diverged

    def diverging(*args, **kwargs):
        raise Diverged("it became infinite")

    with monkeypatch.context() as broken:
        broken.setattr(making, "run", diverging)
        assert statuses(call("build", gallery, "--only", "first")[1]) == {"first": "failed"}
    (first, *_) = call("check", gallery)[1]["pieces"]
    assert first == {"slug": "first", "status": "failed", "reason": "it became infinite"}
    assert statuses(call("build", gallery, "--only", "first")[1]) == {"first": "built"}
    assert call("check", gallery)[1]["pieces"][0]["status"] == "current"


def ask_for(path, thing):
    path.write_text(path.read_text().replace("[target]", f'make = "{thing}"\n[target]', 1))


@is_built
def test_a_piece_has_what_is_made_of_its_drawing(gallery, call, capsys):
    recipe, folder = gallery / "recipes" / "first.toml", gallery / "out" / "first"
    assert not (folder / "make.zip").exists()
    ask_for(recipe, "beads columns=9 brand=perler")
    assert statuses(call("build", gallery)[1]) == {"first": "built", "second": "current"}
    page = (gallery / "out/index.html").read_text()
    assert "artgen make beads show/out/first/drawing.art --columns=9 --brand=perler" in page
    # Of the first piece alone.
    assert page.count('"make.zip"') == 1
    with zipfile.ZipFile(folder / "make.zip") as archive:
        made = {Path(name).name: archive.read(name) for name in archive.namelist()}
    # The command that the page shows writes the same files; guides name the drawing.
    command = ["make", "beads", str(folder / "drawing.art"), "--columns=9", "--brand=perler", "-q"]
    assert main([*command, "--name", "again"]) == 0
    again = {path.name: path.read_bytes() for path in Path("artgen-out/again").iterdir()}
    assert again.keys() == made.keys()
    assert [name for name in made if made[name] != again[name] and ".pdf" not in name] == []
    assert (folder / "guide-a4.pdf").read_bytes() == made["guide-a4.pdf"]
    with Image.open(folder / "thing.jpg") as thing:
        assert thing.width > 9
    recipe.write_text(recipe.read_text().replace("columns=9", "columns=8"))
    assert statuses(call("check", gallery)[1])["first"] == "stale"
    # The page was not written for the others either.
    recipe.write_text(recipe.read_text().replace("columns=8", "columns"))
    code, data, _ = call("build", gallery)
    assert (code, statuses(data)) == (7, {"first": "failed", "second": "current"})


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("sandcastle", "sandcastle"),
        ("beads columns=many", "columns"),
        ("beads 9", "'9' is no option"),
        ("beads colour=9", "colour"),
        ("fabric symmetry=p4m", "symmetry is for photos, and a piece is a drawing"),
    ],
)
def test_what_cannot_be_made_is_said_before_the_fit(gallery, call, thing, message):
    ask_for(gallery / "recipes" / "first.toml", thing)
    code, data, err = call("build", gallery)
    assert code == 7
    assert statuses(data) == {"first": "failed", "second": "built"}
    assert message in err
    assert not (gallery / "out/first/unfinished").exists()


@is_built
def test_several_at_a_time_are_the_same_pictures(gallery, call):
    alone = (gallery / "out/first/final.png").read_bytes()
    code, data, _ = call("build", gallery, "--force", "-j", 2)
    assert (code, set(statuses(data).values())) == (0, {"built"})
    with Image.open(gallery / "out/first/final.png") as still:
        pixels = still.tobytes()
    (gallery / "alone.png").write_bytes(alone)
    with Image.open(gallery / "alone.png") as still:
        assert still.tobytes() == pixels


@is_built
def test_an_interrupted_build_goes_on_where_it_stopped(gallery, call):
    write(gallery / "recipes", "long", steps=100_000)
    run = gallery / "out/long/unfinished/long.run"
    with started("gallery", "build", gallery, "--only", "long") as process:
        wait_until(lambda: under_way(run), lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    assert (run / "checkpoint.safetensors").exists()
    assert call("check", gallery)[1]["pieces"][1] == {
        "slug": "long",
        "status": "missing",
        "reason": "not made yet",
    }
    recipe = json.loads((run / "recipe.json").read_text())
    recipe["stage"][0]["stop"] = 10  # So that what is left is quickly done.
    (run / "recipe.json").write_text(json.dumps(recipe))
    assert statuses(call("build", gallery, "--only", "long")[1]) == {"long": "built"}
    assert json.loads((gallery / "out/long/run.json").read_text())["recipe"] == {
        **recipe,
        "run": recipe["run"],
    }
    assert not run.parent.exists()


@pytest.mark.parametrize("more", [(), ("--force",)])
def test_a_build_begins_before_all_targets_are_open(gallery, call, monkeypatch, more):
    """Fifty of them took half a minute, in which nothing was made, and whoever made them opened
    them once more."""
    import artgen.gallery._build
    import artgen.runs

    order, read, make = [], artgen.runs.read_target, artgen.gallery._build.make
    if more:
        assert call("build", gallery)[0] == 0
    monkeypatch.setattr(
        artgen.runs, "read_target", lambda recipe, *more: order.append("key") or read(recipe, *more)
    )
    monkeypatch.setattr(
        artgen.gallery._build,
        "make",
        lambda task, *more: order.append(task.stem) or make(task, *more),
    )
    assert statuses(call("build", gallery, *more)[1]) == {"first": "built", "second": "built"}
    assert order == ["first", "key", "second", "key"]
    assert statuses(call("check", gallery)[1]) == {"first": "current", "second": "current"}


def test_a_failure_that_was_met_while_building_is_remembered(gallery, call):
    write(gallery / "recipes", "first", source="nothing.png")
    assert statuses(call("build", gallery)[1]) == {"first": "failed", "second": "built"}
    Path(gallery / "recipes/nothing.png").write_bytes(b"no picture")
    for command in ("build", "check"):
        assert statuses(call(command, gallery)[1]) == {"first": "failed", "second": "current"}


def test_a_recipe_that_changed_meanwhile_starts_over(gallery, call):
    leftover = gallery / "out/first/unfinished"
    (leftover / "first.run").mkdir(parents=True)
    (leftover / "key").write_text("of another recipe")
    assert statuses(call("build", gallery, "--only", "first")[1]) == {"first": "built"}
    assert not leftover.exists()


def test_what_another_build_is_making_is_left_to_it(gallery, call):
    """It was removed under the other build, which lost its fit."""
    run = gallery / "out/first/unfinished/first.run"
    run.mkdir(parents=True)
    lock = FileLock(run / "lock")
    assert lock.acquire()
    code, data, err = call("build", gallery, "--only", "first")
    assert (code, statuses(data)) == (7, {"first": "failed"})
    assert "another build is making first" in err
    assert (run / "lock").exists()
    lock.release()


def test_quick_is_small_and_apart(gallery, call):
    code, data, _ = call("build", gallery, "--quick", "-j", 1)
    assert code == 0
    assert data["page"] == str(gallery / "out-quick/index.html")
    assert not (gallery / "out").exists()
    with Image.open(gallery / "out-quick/first/final.png") as still:
        assert max(still.size) == 160
    assert call("check", gallery, "--quick")[0] == 0
    assert call("check", gallery)[0] == 7


def test_commands_of_a_folder_with_a_space_can_be_pasted(tmp_path):
    """Its name stood there as two words."""
    recipes = tmp_path / "my pieces" / "recipes"
    piece = Piece("a", recipes / "a.toml", recipes, None)
    found = Gallery(recipes.parent, recipes.parent / "out", (piece,))
    command = _command(FinishedPiece(piece, {"plugin": {"file": "my dab.py"}}), found)
    assert command == "artgen fit --recipe 'my pieces/recipes/a.toml' --plugin 'my dab.py'"


def test_a_studio_fits_no_clips():
    """A gallery with a sample clip ended in an internal error, where `--studio` was asked for."""
    recipe = {
        **{"primitive": {"name": "gaussian"}, "stage": [{"engine": "gradient"}]},
        "target": {"source": "sample:clip"},
    }
    piece = Piece("moving", Path("moving.toml"), Path("out/moving"), None)
    picture = FinishedPiece(piece, {"recipe": recipe})
    clip = FinishedPiece(piece, {"recipe": recipe, "clip": {"frames": 6}})
    assert picture.is_fitted_by(["gaussian"])
    assert not clip.is_fitted_by(["gaussian"])


def test_a_clip_is_a_piece(tmp_path, call):
    write(tmp_path, "moving", source="sample:clip?n=6&fps=12")
    frames = [Image.new("RGB", (32, 24), (40 * n, 90, 200)) for n in range(4)]
    frames[0].save(tmp_path / "pulse.gif", save_all=True, append_images=frames[1:], duration=80)
    write(tmp_path, "pulsing", source="pulse.gif")
    for path in tmp_path.glob("*.toml"):  # a clip has a rate and a length of its own
        path.write_text(path.read_text().replace("video_seconds = 0.5\nfps = 12\n", ""))
    for quick in (["--quick"], []):
        assert statuses(call("build", tmp_path, *quick)[1]) == {
            "moving": "built",
            "pulsing": "built",
        }
        made = tmp_path / ("out-quick" if quick else "out")
        assert load(made / "moving/drawing.art").film.keyframes == 6
        assert load(made / "pulsing/drawing.art").film.keyframes == 4


def test_a_fit_in_tiles_is_a_piece(gallery, call):
    """It has no video of its steps, and failed with an internal error after the fit."""
    with (gallery / "recipes/second.toml").open("a") as file:
        file.write("[tiles]\nside = 64\n")
    code, data, err = call("build", gallery, "--only", "second")
    assert (code, statuses(data)) == (0, {"second": "built"}), err
    assert (gallery / "out/second/progress.mp4").read_bytes()[4:8] == b"ftyp"


def test_where_detail_matters_may_be_a_picture_in_another_folder(gallery, call):
    """It was looked for without its folder once the piece was fitted, which failed then."""
    (gallery / "recipes/more").mkdir()
    Image.new("L", (24, 16), 200).save(gallery / "recipes/more/detail.png")
    recipe = gallery / "recipes/second.toml"
    recipe.write_text(
        recipe.read_text().replace("size = 32", 'size = 32\nfocus = "more/detail.png"')
    )
    _, data, err = call("build", gallery, "--only", "second")
    assert statuses(data) == {"second": "built"}, err


def test_recipes_may_lie_in_the_folder_itself(tmp_path, call):
    write(tmp_path, "only-one", source="sample:coffee")
    assert [piece.slug for piece in open_gallery(tmp_path).pieces] == ["only-one"]
    assert statuses(call("build", tmp_path, "--quick")[1]) == {"only-one": "built"}


def test_the_still_is_that_of_a_film_that_has_one(gallery, call):
    recipe = gallery / "recipes/first.toml"
    recipe.write_text(recipe.read_text().replace("[output]", '[output]\nfilm = "zoom-into"'))
    call("build", gallery, "--only", "first")
    made = gallery / "out/first"
    art = load(made / "drawing.art")
    asked = ExportRequest(80, film="zoom-into")
    assert (made / "final.png").read_bytes() == art.to_format("png", asked)
    assert (made / "final.png").read_bytes() != art.to_format("png", ExportRequest(80))
    assert main(["fit", "--recipe", str(recipe), "-q"]) == 0
    with (
        Image.open("artgen-out/photo-gaussian.png") as mine,
        Image.open(made / "final.png") as same,
    ):
        assert mine.tobytes() == same.tobytes()
    # It is on paper; who asks for none has the drawing.
    line = ["fit", "sample:cat", "-p", "circle", "-n", "4", "--steps", "2", "--size", "32", "-q"]
    line += ["--film", "zoom-into", "--transparent", "--no-video", "--name", "clear"]
    assert main(line) == 0
    with Image.open("artgen-out/clear.png") as clear:
        assert clear.mode == "RGBA"


@is_built
def test_the_recipe_of_a_piece_makes_it_again(gallery, call):
    assert main(["fit", "--recipe", str(gallery / "recipes/first.toml"), "-q"]) == 0
    with (
        Image.open("artgen-out/photo-gaussian.png") as mine,
        Image.open(gallery / "out/first/final.png") as still,
    ):
        assert mine.tobytes() == still.tobytes()


@pytest.mark.parametrize(
    ("prepare", "arguments", "code", "words"),
    [
        (None, ["build", "nowhere"], 3, "there is no folder nowhere"),
        (lambda: Path("empty").mkdir(), ["build", "empty"], 3, "contains no recipes"),
        (None, ["build", "show", "--only", "frist"], 2, "did you mean first?"),
        (None, ["build", "show", "-j", "0"], 2, "-j"),
        (None, ["open", "show"], 7, "does not exist yet"),
        (None, ["reel", "show"], 7, "gallery build show"),
        (lambda: Path("show/out").symlink_to("/tmp"), ["build", "show"], 2, "symbolic link"),
    ],
)
def test_refuses(gallery, call, prepare, arguments, code, words):
    if prepare:
        prepare()
    found, _, err = call(*arguments, json_too=False)
    assert found == code
    assert words in err


def test_links_do_not_lead_out_of_the_gallery(gallery, call, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (gallery / "out").mkdir()
    (gallery / "out/first").symlink_to(outside)
    (gallery / "recipes/linked.toml").symlink_to(gallery.resolve() / "recipes/second.toml")
    data = call("build", gallery)[1]
    assert statuses(data) == {"first": "failed", "linked": "failed", "second": "built"}
    assert list(outside.iterdir()) == []


def test_links_in_what_is_unfinished_are_not_followed(gallery, call, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (gallery / "out/first").mkdir(parents=True)
    (gallery / "out/first/unfinished").symlink_to(outside)
    assert statuses(call("build", gallery)[1]) == {"first": "failed", "second": "built"}
    assert list(outside.iterdir()) == []
    (gallery / "out/first/unfinished").unlink()
    process_of_a_build_that_dies(gallery)
    outputs = gallery / "out/first/unfinished/first.run/outputs"
    assert outputs.parent.is_dir()
    outputs.symlink_to(outside)
    assert statuses(call("build", gallery)[1]) == {"first": "built", "second": "current"}
    assert list(outside.iterdir()) == []


def process_of_a_build_that_dies(gallery):
    """Before its outputs are written."""
    program = (
        "import os, sys\n"
        "from artgen.cli import main\n"
        "from artgen.runs.files.folder import RunFolder\n"
        "RunFolder.stage_output = lambda *given: os._exit(9)\n"
        "main(sys.argv[1:])"
    )
    line = [*PYTHON, "-c", program, "gallery", "build", str(gallery), "-q"]
    assert subprocess.run(line, check=False).returncode == 9


def test_names_that_windows_keeps_for_devices_are_refused(gallery, call):
    write(gallery / "recipes", "aux")
    data = call("build", gallery, "--only", "aux")[1]
    assert statuses(data) == {"aux": "failed"}


@is_built
def test_open_prints_the_page_where_there_is_no_browser(gallery, call, monkeypatch):
    import webbrowser

    def none(using=None):
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    code, data, _ = call("open", gallery)
    assert (code, data) == (0, {"page": str(gallery / "out/index.html"), "opened": False})


@is_built
def test_a_reel_shows_the_highlights_above_their_titles(gallery, call):
    code, data, _ = call("reel", gallery, "--height", 180)
    assert code == 0
    assert data["pieces"] == ["first", "second"]  # No piece is a highlight, so all are shown.
    assert data["seconds"] == pytest.approx(1.7 + 2 * 0.5 / 1.5, abs=0.1)
    with av.open(data["video"]) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == round(30 * data["seconds"])
    assert frames[0].shape == (180, 320, 3)
    # The still of the first piece from the start, and bright letters below it.
    still = Image.open(gallery / "out/first/result.jpg")
    scale = min((320 - 10) / still.width, (180 - 5 - 22) / still.height)
    size = round(still.width * scale), round(still.height * scale)
    left, top = (320 - size[0]) // 2, 5 + (153 - size[1]) // 2
    first = frames[0][top : top + size[1], left : left + size[0]].astype(int)
    assert np.abs(first - np.asarray(still.resize(size))).mean() < 12
    assert (frames[0][:150].max(2) > 40).mean() > 0.3
    assert 0 < (frames[0][160:] > 128).mean() < 0.2
    assert call("reel", gallery, "-o", data["video"])[0] == 2

    recipe = gallery / "recipes/second.toml"
    recipe.write_text(recipe.read_text().replace("[piece]", "[piece]\norder = 1"))
    data = call("reel", gallery, "--height", 90)[1]
    assert data["pieces"] == ["second"]
    assert call("reel", gallery, "--height", 90, "--only", "first")[1]["pieces"] == ["first"]
    # What one of them wrote is replaced in every format, though none holds a recipe.
    for suffix in FORMATS:
        file = gallery / f"reel{suffix}"
        short = ["--height", 90, "--only", "first", "-o", file]
        assert call("reel", gallery, *short)[0] == 0
        assert call("reel", gallery, *short, "--overwrite")[0] == 0
        file.unlink()


def test_pieces_have_an_order_and_groups_share_a_card(gallery, call):
    """Three stand in a row; they stood in a square with a hole."""
    first = (gallery / "recipes" / "first.toml").read_text()
    (gallery / "recipes" / "third.toml").write_text(first)
    for number, slug in enumerate(("second", "first", "third")):
        lines = f"order = {number}"
        recipe = gallery / "recipes" / f"{slug}.toml"
        words = f'[piece]\n{lines}\ngroup = "A pair & more"'
        recipe.write_text(recipe.read_text().replace("[piece]", words))
    assert [piece.slug for piece in open_gallery(gallery).pieces] == ["second", "first", "third"]
    call("build", gallery)
    page = (gallery / "out/index.html").read_text()
    assert page.count('class="card') == 1
    assert 'style="--columns: 3; --ratio: 3"' in page
    assert page.index('class="tile" id="piece-second"') < page.index(
        'class="tile" id="piece-first"'
    )
    assert "<h2>A pair &amp; more</h2>" in page
    assert page.count('srcset="') == 3


def test_pieces_of_one_target_hang_apart(gallery):
    """Two pictures of one regatta hung side by side."""
    (gallery / "recipes" / "broken.toml").write_text("[")
    for slug, words in (("b", ""), ("b-too", ""), ("c", ""), ("z", "[piece]\norder = 1\n")):
        source = "koi?seed=2" if slug == "b-too" else "lion" if slug == "c" else "koi"
        text = f'{words}[target]\nsource = "sample:{source}"\n'
        (gallery / "recipes" / f"{slug}.toml").write_text(text)
    slugs = [piece.slug for piece in open_gallery(gallery).pieces]
    assert [each for each in slugs if each not in ("first", "second")] == [
        *("z", "broken", "c", "b", "b-too"),
    ]


def test_the_page_names_the_plugin_of_a_piece(gallery, call):
    Path("discs.py").write_text(DISC)
    (gallery / "recipes" / "third.toml").write_text('[primitive]\nname = "disc"\ncount = 3\n')
    build = ("build", gallery, "--quick", "--only", "third", "--plugin", "discs.py")
    call(*build)
    page = (gallery / "out-quick" / "index.html").read_text()
    assert "show/recipes/third.toml --plugin discs.py" in page
    assert "the file discs.py" in page
    installed = {"plugin": {"name": "artgen-heart", "version": "1.0"}}
    assert _plugin(installed) == "artgen-heart 1.0, pip install artgen-heart"
    assert _plugin({"plugin": {"name": "artgen", "version": "1.0"}}) == ""


def test_the_page_escapes_what_it_shows(gallery, call):
    write(gallery / "recipes", "first", title="<script>alert(1)</script>")
    with (gallery / "recipes/first.toml").open("a") as recipe:
        recipe.write("# </script><img src=x onerror=alert(1)>\n")
    call("build", gallery, "--only", "first")
    page = (gallery / "out/index.html").read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == 2
    assert "What &lt;b&gt;to&lt;/b&gt; look for &amp; find." in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('title = ""', "piece.title"),
        ('title = "two\\nlines"', "piece.title"),
        (f'text = "{"x" * 401}"', "piece.text"),
        ('titel = "x"', "titel"),
    ],
)
def test_words_of_a_piece_are_checked(tmp_path, line, says):
    path = tmp_path / "a.toml"
    path.write_text(f"[piece]\n{line}\n")
    with pytest.raises(ArtgenError, match=says):
        Recipe.from_toml(path)


def test_words_travel_with_the_recipe(tmp_path):
    recipe = Recipe.from_dict({"piece": {"title": " A cat ", "text": "See."}})
    assert recipe.piece.title == "A cat"
    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe
    assert "piece" not in Recipe().to_dict()


# By day one at a time, and `soak.kills` interrupts a build too.
@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "setsid"), reason="needs process groups")
def test_an_interrupted_build_of_several_saves_all_of_them(gallery, call):
    for slug in ("first", "second"):
        write(gallery / "recipes", slug, steps=100_000)
    runs = [gallery / f"out/{slug}/unfinished/{slug}.run" for slug in ("first", "second")]
    with started("gallery", "build", gallery, "-j", "2", start_new_session=True) as process:
        wait_until(lambda: all(map(under_way, runs)), lambda: process.poll() is None)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 130
    assert all((run / "checkpoint.safetensors").exists() for run in runs)


def test_a_piece_with_a_date_fails_alone(tmp_path, capsys):
    """TOML has dates, which JSON has not: an option that is one ended in exit code 1."""
    save_photo(tmp_path)
    for name, option in (("dated", "when = 2024-01-01"), ("good", "count = 4")):
        text = f'[target]\nsource = "photo.png"\n[primitive]\nname = "circle"\n{option}\n'
        (tmp_path / f"{name}.toml").write_text(text)
    assert main(["gallery", "check", str(tmp_path)]) == 7
    said = capsys.readouterr()
    assert "dated: failed: Circle has no option 'when'" in said.out
    assert "good: missing" in said.out


@is_built
def test_a_reel_says_what_it_cannot_show_or_write(gallery, call):
    """What was not built was left out; other names were refused as if the disk were full."""
    write(gallery / "recipes", "third", title="Third one")
    code, _, said = call("reel", gallery, "--only", "first", "--only", "third", json_too=False)
    assert (code, "third is not made yet" in said) == (7, True)
    for name in ("reel.avi", "-.mkv"):
        assert call("reel", gallery, "--only", "first", "-o", name, json_too=False)[0] == 2
    video = gallery / "out/first/progress.mp4"
    before = video.read_bytes()
    line = ("reel", gallery, "--only", "first", "-o", video, "--overwrite")
    assert "cannot be both read and written" in call(*line, json_too=False)[2]
    assert video.read_bytes() == before
    still = gallery / "out/first/result.jpg"
    still.write_bytes(still.read_bytes()[:200])
    code, _, said = call("reel", gallery, "--only", "first", "-o", "reel.mp4", json_too=False)
    assert (code, "result.jpg" in said) == (3, True)
    assert "hint: run artgen gallery build show\n" in said


def test_a_table_of_a_package_is_part_of_its_code(tmp_path, monkeypatch):
    """With another `.json` a piece was up to date."""
    (tmp_path / "blots").mkdir()
    (tmp_path / "blots/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = set()
    for text in ("{}", "[]"):
        (tmp_path / "blots/presets.json").write_text(text)
        found.add(state._code.__wrapped__(frozenset({"blots"})))
    assert len(found) == 2
