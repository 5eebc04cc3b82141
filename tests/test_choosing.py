"""What helps to choose: effort instead of steps, the sheet and its page, folders, what is done."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from helpers import recipe, save_photo
from PIL import Image

import artgen
from artgen.base.errors import InputError
from artgen.cli._recipe import read_recipe_file
from artgen.cli._runs import _earlier
from artgen.cli._sheet import write_sheet
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over
from artgen.runs import output_paths
from artgen.values.canvas import Canvas

pytestmark = pytest.mark.usefixtures("empty_folder")

SMALL = ("--size", 16, "-n", 4, "--backend", "eager", "--no-video", "--threads", 1)


def stages_of(photo, registry, *stages, **tables) -> list[dict]:
    asked = recipe(photo, *stages, **tables)
    return resolve(asked, registry, Canvas(24, 16)).recipe.to_dict()["stage"]


def test_quality_takes_the_place_of_steps(photo, registry):
    plain = {name: {"quality": name} for name in ("draft", "good", "best")}
    steps = {name: stages_of(photo, registry, stage)[0]["steps"] for name, stage in plain.items()}
    [default] = stages_of(photo, registry, {})
    assert steps["good"] == default["steps"]
    assert steps["draft"] == default["steps"] // 5
    assert steps["best"] == 4 * default["steps"]
    shapes = {"name": "triangle", "count": 10}
    [best] = stages_of(photo, registry, plain["best"], primitive=shapes)
    assert (best["restarts"], best["passes"], best["steps"]) == (16, 12, 130)
    [draft] = stages_of(photo, registry, {**plain["draft"], "restarts": 7}, primitive=shapes)
    assert (draft["restarts"], draft["passes"], draft["steps"]) == (7, 1, 20)
    # What is stored has a number of steps, which comes first.
    assert stages_of(photo, registry, best, primitive=shapes) == [best]
    [timed] = stages_of(photo, registry, {"quality": "best", "time": 2.0})
    assert "steps" not in timed


def test_quality_of_every_stage_by_flag_and_from_python(photo, call):
    arguments = ("fit", photo, "-p", "circle", *SMALL, "--quality", "draft", "--polish", "--json")
    code, out, err = call(*arguments[:-1], "--set", "2.rate=0.1", "--json")
    assert code == 0, err
    stages = json.loads(out)["recipe"]["stage"]
    assert [stage["quality"] for stage in stages] == ["draft", "draft"]
    assert stages[0]["passes"] == 1
    assert "--quality and --steps were both given" in call(*arguments, "--steps", 3)[2]
    art = artgen.fit(
        str(photo), "circle", count=3, size=16, quality="draft", backend="eager", seed=1
    )
    assert art.recipe.stage[0].options["passes"] == 1


def test_another_quality_or_time_of_a_stored_recipe_is_that_of_a_fresh_fit(photo, registry):
    """Restarts and passes of the stored one stayed, so that `--quality best` changed nothing."""
    table = {"name": "circle", "count": 3}
    stages = [{"quality": "draft", "alpha": 0.5, "loss": "mse"}]
    asked = recipe(photo, *stages, primitive=table)
    made = resolve(asked, registry, Canvas(24, 16)).recipe.with_target(sha256="0" * 64)
    Path("made.json").write_text(json.dumps({"recipe": made.to_dict()}))

    def read(flags, *settings):
        data = read_recipe_file(Path("made.json"), registry, anew=flags)
        laid = Recipe.from_request(lay_over(data, {}, flags, settings))
        return resolve(laid, registry, Canvas(24, 16)).recipe.to_dict()["stage"]

    fresh = [{"quality": "best", "alpha": 0.5}]
    best = stages_of(photo, registry, *fresh, primitive=table)
    assert read({"quality": "best"}) == best
    assert read({"quality": "best"}, "engine.restarts=2") == [{**best[0], "restarts": 2}]
    [timed] = read({"time": "2"})
    assert (timed["passes"], timed["restarts"], timed["alpha"]) == (10_000, 8, 0.5)
    [same] = read({})
    assert same == made.to_dict()["stage"][0]


def test_another_count_of_a_stored_recipe_has_the_steps_of_a_fresh_fit(photo, registry):
    """As many as for the count before were left: too few to place all shapes, or none to refine."""

    def steps(**stage):
        asked = recipe(photo, stage, primitive={"name": "circle", "count": 3})
        made = resolve(asked, registry, Canvas(24, 16)).recipe.with_target(sha256="0" * 64)
        made = made.with_stage(0, stop=9)
        Path("made.json").write_text(json.dumps({"recipe": made.to_dict()}))
        data = read_recipe_file(Path("made.json"), registry, anew={"count"})
        laid = Recipe.from_request(lay_over(data, {"primitive": {"count": 8}}, {}))
        stage = resolve(laid, registry, Canvas(24, 16)).recipe.stage[0]
        return stage.steps, stage.stop

    [fresh] = stages_of(photo, registry, {}, primitive={"name": "circle", "count": 8})
    assert steps() == (fresh["steps"], None)
    assert steps(steps=11) == (11, 9)


@pytest.fixture
def seeds(photo, call):
    code, out, err = call("fit", photo, *SMALL, "--steps", 1, "--seeds", "3..5", "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_page_of_the_sheet_names_seeds_and_quality(seeds):
    page = Path(seeds["page"])
    assert page == Path("artgen-out/photo-gaussian-sheet.html")
    text = page.read_text()
    captions = re.findall("<figcaption>(.*)</figcaption>", text)
    quality = [f"{run['psnr']:.2f} dB" for run in seeds["runs"]]
    assert captions == [f"seed {k}, {psnr}" for k, psnr in zip((3, 4, 5), quality, strict=True)]
    # It can be moved together with the pictures.
    for name in re.findall('<img src="(.*?)"', text):
        assert (page.parent / name).is_file()
    assert not re.search("https?://", text)


def test_stills_of_any_size_are_on_the_sheet(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    still, sheet = tmp_path / "still.png", tmp_path / "sheet.png"
    Image.new("RGB", (300, 100)).save(still)
    write_sheet([(still, "one"), (still, "two")], sheet)
    assert sheet.exists()
    with pytest.raises(InputError, match="cannot read"):
        write_sheet([(tmp_path / "gone.png", "gone")], sheet)


def test_the_video_of_an_earlier_run_keeps_its_name(tmp_path):
    paths = output_paths(tmp_path, "x")
    paths["summary"].write_text('{"recipe": {}, "outputs": {"video": "v.gif", "art": "x.art"}}')
    outputs = _earlier(paths)[1].summary["outputs"]
    assert outputs == {"video": str(tmp_path / "v.gif"), "art": str(tmp_path / "x.art")}


def test_captions_of_the_sheet_are_not_cut(photo, call, monkeypatch):
    shown = []

    def contact_sheet(cells):
        shown.extend(caption for _, caption in cells)
        return artgen.output.contact_sheet(cells)

    monkeypatch.setattr("artgen.cli._sheet.contact_sheet", contact_sheet)
    other = Path("a-name-longer-than-the-picture-is-wide.png")
    Image.open(photo).save(other)
    code, _, err = call("fit", photo, other, *SMALL, "--steps", 1, "--seeds", "1..2")
    assert code == 0, err
    assert [caption.splitlines()[0] for caption in shown] == [
        *["photo-gaussian"] * 2,
        *[f"{other.stem}-gaussian"] * 2,
    ]
    assert all(re.fullmatch(r"seed [12], -?\d+\.\d\d dB", each.splitlines()[1]) for each in shown)


def test_existing_results_are_skipped(seeds, photo, call):
    before = {path: path.read_bytes() for path in Path("artgen-out").iterdir()}
    arguments = ("fit", photo, *SMALL, "--steps", 1, "--seeds", "3..6", "--skip-existing")
    code, out, err = call(*arguments)
    assert code == 0, err
    assert err.count(": skipped, ") == 3
    assert "photo-gaussian-s6.png" in out
    for path, data in before.items():
        assert path.read_bytes() == data or "sheet" in path.name
    page = Path("artgen-out/photo-gaussian-sheet.html").read_text()
    assert page.count("<figcaption>") == 4
    # One run, without a batch.
    single = ("fit", photo, *SMALL, "--steps", 1, "--seed", 1, "--name", "one", "--skip-existing")
    assert [call(*single)[0] for _ in range(2)] == [0, 0]
    assert "both given" in call(*single, "--overwrite")[2]


def test_an_earlier_result_without_a_picture_is_not_on_the_sheet(seeds, photo, call):
    """A full disk may have left a summary without a still; the batch ended in an internal error."""
    file = Path("artgen-out/photo-gaussian-s4.json")
    summary = json.loads(file.read_text())
    file.write_text(json.dumps({**summary, "outputs": {**summary["outputs"], "still": None}}))
    arguments = ("fit", photo, *SMALL, "--steps", 1, "--seeds", "3..5", "--skip-existing")
    code, _, err = call(*arguments)
    assert code == 0, err
    assert Path("artgen-out/photo-gaussian-sheet.html").read_text().count("<figcaption>") == 2


def test_a_folder_stands_for_its_pictures(call):
    folder = Path("photos")
    folder.mkdir()
    save_photo(folder).rename(folder / "a.png")
    save_photo(folder).rename(folder / "b.png")
    (folder / "notes.txt").write_text("no picture")
    code, out, err = call("fit", folder, *SMALL, "--steps", 1, "--json")
    assert code == 0, err
    runs = json.loads(out)["runs"]
    assert [run["target"]["name"] for run in runs] == ["a.png", "b.png"]
    Path("empty").mkdir()
    assert "folder empty holds no pictures" in call("fit", "empty", *SMALL)[2]
