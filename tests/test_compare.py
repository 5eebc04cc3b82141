"""`artgen compare`: equal budgets, honest metrics, failures that stay where they are."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path

import numpy as np
import pytest
from helpers import open_sample
from PIL import Image
from test_time_budget import Clock

import artgen.compare._comparison
from artgen.art import load
from artgen.base.errors import InputError, OutputError, UsageError
from artgen.cli import main
from artgen.cli._console import print_table
from artgen.cli._contestants import Limits, parse_contestants
from artgen.cli._progress import Story
from artgen.compare import Comparison, Point, bjontegaard
from artgen.compare._curve import curves_of
from artgen.compare._sheet import _enlarged
from artgen.engines.gradient.engine import GradientEngine
from artgen.losses.metrics import psnr
from artgen.output import available_codecs, encode_along
from artgen.registry import Registry, default
from artgen.targets import TargetRequest, find_targets
from artgen.tasks import RunControl

SMALL = ("--size", "32", "--steps", "4", "--threads", "1", "--seed", "1")

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    """Run `artgen compare`: exit code, stdout, stderr."""

    def compare(*arguments: str, small: bool = True) -> tuple[int, str, str]:
        code = main(["compare", *(SMALL if small else ()), *arguments])
        return code, *capsys.readouterr()

    return compare


@pytest.fixture
def compare(call):
    """Run it with `--json`: exit code and the object."""

    def ask(*arguments: str, small: bool = True):
        code, out, _ = call(*arguments, "--json", "-q", small=small)
        return code, json.loads(out)

    return ask


def pictures(folder: str, *names: str) -> str:
    Path(folder).mkdir()
    rng = np.random.default_rng(0)
    for name in names:
        ramp = np.linspace(0, 255, 32)[:, None, None] + rng.normal(0, 20, (1, 32, 3))
        Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8)).save(Path(folder, name))
    return folder


def contestants(*texts, budget=Limits(steps=4), seed=None, **run):  # noqa: B008
    return parse_contestants(texts, budget, seed, run, Registry(environ={}))


def by_name(rows):
    return {row["contestant"]: row for row in rows}


# ---- who takes part ------------------------------------------------------------------------------


def test_a_contestant_with_engine_and_settings():
    text = "gaussian@gradient:count=50,blend=over,engine.rate=0.5,loss=l1+0.1*ssim,precision=int8"
    [one] = contestants(text, precision="fp16", threads=1)
    recipe = one.recipe
    assert (one.name, recipe.primitive.name, recipe.primitive.count) == (text, "gaussian", 50)
    assert recipe.primitive.options == {"blend": "over"}
    [stage] = recipe.stage
    assert (stage.engine, stage.steps, stage.loss) == ("gradient", 4, "l1+0.1*ssim")
    assert stage.options == {"rate": 0.5}
    assert (recipe.run.precision, recipe.run.threads) == ("int8", 1)


def test_values_may_hold_commas_and_names_slashes_and_stars():
    [one] = contestants(
        "artgen/triangle*3+ellipse@climb,gradient:steps=30,20,loss=mse,l1",
        budget=Limits(bytes=900),
    )
    assert one.recipe.primitive.name == "artgen/triangle*3+ellipse"
    assert [stage.engine for stage in one.recipe.stage] == ["climb", "gradient"]
    assert [stage.steps for stage in one.recipe.stage] == [30, 20]
    assert [stage.loss for stage in one.recipe.stage] == ["mse", "l1"]
    assert one.recipe.primitive.parameter_bytes == 900
    assert one.stem == "artgen_triangle_3_ellipse_climb_gradient_steps_3"


def test_a_budget_is_divided_between_stages():
    assert Limits(steps=7).per_stage(3) == {"steps": "3,2,2"}
    assert Limits(time=3.0).per_stage(2) == {"time": "3.0"}
    [one] = contestants("gaussian@gradient,gradient", budget=Limits(steps=9, time=4.0))
    assert [(stage.steps, stage.time) for stage in one.recipe.stage] == [(5, 2.0), (4, 2.0)]


def test_a_recipe_file_takes_part_with_the_same_budget():
    Path("r").mkdir()
    Path("r/soft.toml").write_text(
        'seed = 3\n[target]\nsource = "gone.png"\n[primitive]\ncount = 9\nblend = "mean"\n'
        "[[stage]]\nsteps = 500\nloss = 'l1'\n"
    )
    plain, changed = contestants("r/soft.toml", "r/soft.toml:count=12,blend=sum")
    assert (plain.stem, plain.recipe.seed) == ("soft", 3)
    assert plain.search == (Path("r"), Path())
    assert (plain.recipe.primitive.count, plain.recipe.stage[0].steps) == (9, 4)
    assert plain.recipe.stage[0].loss == "l1"
    assert changed.recipe.primitive.count == 12
    assert changed.recipe.primitive.options == {"blend": "sum"}
    [seeded] = contestants("r/soft.toml", seed=8)
    assert seeded.recipe.seed == 8


def test_a_stored_recipe_of_shapes_uses_the_time_of_all(tmp_path):
    """It ended after the passes of its own fit, however much time was left."""
    stage = {"engine": "climb", "steps": 21, "passes": 6, "alpha": 0.5, "restarts": 8}
    target = {"source": "sample:astronaut", "sha256": "0" * 64}
    recipe = {"target": target, "primitive": {"name": "circle", "count": 3}, "stage": [stage]}
    (tmp_path / "a.json").write_text(json.dumps({"recipe": recipe}))
    text = str(tmp_path / "a.json")
    for more, budget in (("", Limits(time=5.0)), (":time=5", Limits())):
        [timed] = contestants(text + more, budget=budget)
        assert timed.recipe.stage[0].options == {"alpha": 0.5}
    [counted] = contestants(text, budget=Limits(steps=9))
    assert counted.recipe.stage[0].options["passes"] == 6


def test_files_of_different_contestants_have_different_names():
    long = "gaussian:count=50,blend=mean,visibility=full,visibility_size=8"
    names = contestants(f"{long},seed=1", f"{long},seed=2", "gaussian:seed=1", "gaussian:seed_1=2")
    assert len({each.stem for each in names}) == 4


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["gaussian:500"], "KEY=VALUE"),
        (["@gradient"], "KEY=VALUE"),
        ([":count=3"], "KEY=VALUE"),
        (["gaussian", "gaussian"], "twice"),
        (["gaussian:seed=-1"], "seed"),
        (["gaussian:count=none"], "number of parts"),
        (["gaussian:steps=3"], "same for all"),
        (["gaussian:time=3"], "same for all"),
        (["gaussian:precision=fp8"], "precision"),
    ],
)
def test_what_cannot_be_read_is_refused(texts, message):
    with pytest.raises(UsageError, match=message):
        contestants(*texts)


def test_own_steps_are_free_where_only_bytes_are_equal():
    [one] = contestants("gaussian:steps=7", budget=Limits(bytes=500))
    assert one.recipe.stage[0].steps == 7


# ---- what comes of it ----------------------------------------------------------------------------


def test_metrics_are_those_of_the_saved_drawing(compare):
    code, data = compare("-p", "gaussian:count=6", "-p", "mlp:hidden=4", "--precision", "fp16")
    assert code == 0
    target = open_sample("astronaut", TargetRequest(size=32)).pixels
    rows = [row for row in data["rows"] if row["kind"] == "fit"]
    assert [row["contestant"] for row in rows] == ["gaussian:count=6", "mlp:hidden=4"]
    for row in rows:
        art = load(row["art"])
        assert row["psnr"] == pytest.approx(psnr(art.render(), target), abs=1e-4)
        assert row["psnr"] == art.metrics["psnr"]
        assert row["ssim"] == art.metrics["ssim"]
        assert (row["bytes"], row["parameters"]) == (2 * art.drawing.parameters, row["bytes"] // 2)
        assert row["limit"] == row["bytes"]
        assert row["bpp"] == pytest.approx(8 * row["bytes"] / 32**2)
        assert row["file_bytes"] == Path(row["art"]).stat().st_size
        assert (row["steps"], row["seed"], row["precision"]) == (4, 1, "fp16")
    assert data["budget"] == {"time": None, "steps": 4, "bytes": None}


def test_a_contestant_does_what_fit_does(compare, capsys):
    compare("-p", "gaussian:count=6,blend=mean")
    flags = ("-p", "gaussian", "-n", "6", "--set", "blend=mean", "--no-video", "--out", "fit", "-q")
    assert main(["fit", *SMALL, *flags]) == 0
    theirs = load("fit/astronaut-gaussian.art").drawing.tensors
    ours = load("artgen-out/astronaut-gaussian_count_6_blend_mean.art").drawing.tensors
    assert theirs.keys() == ours.keys()
    assert all((theirs[name] == ours[name]).all() for name in ours)


def test_codecs_get_the_bytes_of_what_they_stand_beside(compare):
    names = ("gaussian:count=40", "gaussian:count=40,blend=mean", "gaussian:count=80")
    _, data = compare(*(word for name in names for word in ("-p", name)))
    coded = [row for row in data["rows"] if row["kind"] == "codec"]
    assert {row["limit"] for row in coded} == {40 * 32, 80 * 32}
    assert len(coded) == 2 * len(available_codecs())
    for row in coded:
        assert row["bytes"] == row["file_bytes"] <= row["limit"]
        assert 1 <= row["quality"] <= 100
        assert row["bpp"] == pytest.approx(8 * row["bytes"] / 32**2)
    assert [(line["contestant"], line["beside"]) for line in data["table"]] == [
        (names[0], None),
        (names[1], None),
        *((codec, [names[0], names[1]]) for codec in available_codecs()),
        (names[2], None),
        *((codec, [names[2]]) for codec in available_codecs()),
    ]


def test_equal_bytes(compare):
    names = ("gaussian:precision=int8", "gaussian", "mlp:hidden=2")
    _, data = compare("--bytes", "1500", *(word for name in names for word in ("-p", name)))
    rows = by_name(data["rows"])
    assert rows["gaussian"]["count"] == 1500 // 32
    assert rows["gaussian:precision=int8"]["count"] == (1500 - 64) // 8
    assert rows["mlp:hidden=2"]["bytes"] <= 1500
    assert {row["limit"] for row in data["rows"]} == {1500}
    codecs = [line for line in data["table"] if line["beside"]]
    assert [line["contestant"] for line in codecs] == list(available_codecs())
    assert codecs[0]["beside"] == list(names)


def test_an_equal_time_becomes_steps(compare, monkeypatch):
    Clock(monkeypatch).charge(GradientEngine, lambda engine: 0.01)
    arguments = ("--size", "32", "--time", "0.2", "--threads", "1", "-p", "gaussian:count=6")
    code, data = compare(*arguments, small=False)
    assert code == 0
    assert data["rows"][0]["steps"] > 10
    assert data["budget"] == {"time": 0.2, "steps": None, "bytes": None}


def test_a_codec_that_cannot_be_that_small_is_no_failure(compare):
    code, data = compare("-p", "gaussian:count=1")
    assert code == 0
    jpeg = by_name(data["rows"])["JPEG"]
    assert jpeg["psnr"] is None
    assert "32 bytes" in jpeg["error"]["message"]
    [line] = [line for line in data["table"] if line["contestant"] == "JPEG"]
    assert (line["targets"], line["mean"]["psnr"]) == (0, None)


def test_a_folder_gives_mean_and_deviation(compare):
    folder = pictures("pics", "b.png", "a.jpg", "c.PNG")
    Path(folder, "notes.txt").write_text("no picture")
    code, data = compare(folder, "-p", "gaussian:count=6")
    assert code == 0
    rows = [row for row in data["rows"] if row["kind"] == "fit"]
    assert [Path(row["target"]).name for row in rows] == ["a.jpg", "b.png", "c.PNG"]
    line = data["table"][0]
    values = [row["psnr"] for row in rows]
    assert (line["contestant"], line["targets"]) == ("gaussian:count=6", 3)
    assert line["mean"]["psnr"] == pytest.approx(statistics.mean(values))
    assert line["sd"]["psnr"] == pytest.approx(statistics.stdev(values))
    assert line["sd"]["steps"] == 0
    # Too small for five scales.
    assert line["mean"]["ms_ssim"] is None
    assert [Path(sheet).name for sheet in data["sheets"]] == [f"{n}-compare.png" for n in "abc"]


def test_pictures_that_only_the_suffix_tells_apart_have_files_of_their_own(compare):
    code, data = compare(pictures("twins", "x.png", "x.jpg"), "-p", "gaussian:count=6")
    assert code == 0
    sheets = [Path(sheet).name for sheet in data["sheets"]]
    assert sheets == ["x-jpg-compare.png", "x-png-compare.png"]


def test_a_folder_without_pictures_and_twins_are_refused(call):
    Path("empty").mkdir()
    with pytest.raises(InputError, match="no picture"):
        find_targets(["empty"], default())
    assert call("empty", "-p", "gaussian")[0] == 3
    first, second = pictures("one", "x.png"), pictures("other", "x.png")
    code, _, err = call(first, second, "-p", "gaussian")
    assert code == 2
    assert "x-compare.png" in err
    mixed = pictures("mixed", "cat.png", "cat-gaussian.png")
    Path("gaussian-mlp.toml").write_text('[primitive]\nname = "gaussian"\n')
    code, _, err = call(mixed, "-p", "gaussian-mlp.toml", "-p", "mlp")
    assert (code, "cat-gaussian-mlp.art" in err) == (2, True)
    assert find_targets(["sample:cat", "sample:cat"], default()) == ["sample:cat"]
    assert find_targets([""], default()) == [""]  # was all pictures of the current folder


def test_a_metric_that_is_missing_for_one_target_has_no_mean(compare):
    _, data = compare("sample:cat", "sample:text", "--size", "6", "-p", "gaussian:count=2")
    assert data["rows"][0]["ssim"] is None
    assert data["table"][0]["mean"]["ssim"] is None
    assert data["table"][0]["mean"]["psnr"] > 0


# ---- when something fails ------------------------------------------------------------------------


def test_a_failure_harms_no_other_and_the_first_one_decides(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    ended = []
    monkeypatch.setattr(Story, "ended", lambda _, run: ended.append(run))
    code, out, err = call("-p", "autoencoder", "-p", "gaussian:count=6", "-p", "vae", "-q")
    assert code == 2
    assert err.count("error: ") == 2
    assert "autoencoder cannot be fitted" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert " dB" not in lines["autoencoder"]
    assert float(lines["gaussian:count=6"].split()[1]) > 5
    # The bar of one that failed stayed.
    stems = {f"astronaut-{each}" for each in ("autoencoder", "gaussian_count_6", "vae")}
    assert set(ended) == stems


@pytest.mark.parametrize("wrong", ["blend=odd", "size=3"])
def test_a_misspelt_option_is_refused_before_the_first_fit(call, wrong):
    code, _, err = call("-p", "gaussian:count=6", "-p", f"gaussian:{wrong}")
    assert code == 2
    assert wrong.partition("=")[0] in err
    assert not Path("artgen-out").exists()


def test_the_only_target_is_missed_before_the_first_fit(call):
    """A table without a number was printed beside the error."""
    code, out, err = call("missing.png", "-p", "gaussian:count=6", "-p", "triangle")
    assert (code, out) == (3, "")
    assert err.splitlines()[0] == "error: target missing.png does not exist"
    code, data = call("missing.png", "-p", "gaussian", "--json")[:2]
    assert (code, json.loads(data)["error"]["exit_code"]) == (3, 3)


def test_failures_are_in_their_rows(compare):
    code, data = compare("missing.png", "sample:cat", "-p", "gaussian:count=6", "-p", "vae")
    assert code == 3
    fits = [row for row in data["rows"] if row["kind"] == "fit"]
    assert [row["error"] and row["error"]["exit_code"] for row in fits] == [3, 3, None, 2]
    assert fits[0]["psnr"] is None
    first = data["table"][0]
    assert first["targets"] == 1
    assert first["errors"][0]["message"].startswith("target missing.png does not exist")
    assert len(data["sheets"]) == 1


def test_nothing_is_overwritten_unless_asked_for(call):
    assert call("-p", "gaussian:count=6", "--csv", "a.csv")[0] == 0
    before = Path("artgen-out/astronaut-compare.png").read_bytes()
    code, _, err = call("-p", "gaussian:count=6", "--seed", "2")
    assert code == 2
    assert "--overwrite" in err
    code, _, err = call("-p", "gaussian:count=6", "--out", "other", "--csv", "a.csv")
    assert (code, "a.csv exists" in err) == (2, True)
    assert Path("artgen-out/astronaut-compare.png").read_bytes() == before
    assert call("-p", "gaussian:count=6", "--overwrite", "--csv", "a.csv")[0] == 0


def test_a_drawing_that_takes_part_is_not_replaced(call):
    """It was, by the contestant of the same name."""
    assert call("-p", "gaussian:count=6")[0] == 0
    drawing = Path("artgen-out/astronaut-gaussian_count_6.art")
    before = drawing.read_bytes()
    code, _, err = call("-p", str(drawing), "-p", "gaussian:count=6", "--overwrite")
    assert (code, "cannot be both read and written" in err) == (2, True)
    assert drawing.read_bytes() == before


def test_a_codec_that_cannot_write_a_picture_has_no_curve(monkeypatch):
    """WebP ends at 16,383 pixels, and the comparison ended there too, with an internal error."""

    def along(goal, codec, qualities):
        if codec == "WebP":
            raise ValueError("too large")
        return encode_along(goal, codec, qualities)

    monkeypatch.setattr("artgen.compare._curve.encode_along", along)
    goal = np.zeros((8, 8, 3), np.uint8)
    assert [each.name for each in curves_of([], goal, ["WebP", "JPEG"])] == ["JPEG"]


def test_a_sheet_is_not_written_over_another_target(call):
    """That target was compared after it had become the sheet of the one before."""
    folder = pictures("pictures", "a.png", "a-compare.png")
    code, _, err = call(folder, "-p", "gaussian", "--out", folder, "--overwrite")
    assert (code, "a-compare.png cannot be both read and written" in err) == (2, True)


def test_the_same_seed_gives_the_same_sheet(call):
    for out in ("a", "b"):
        call("-p", "gaussian:count=6", "--out", out)
    arts = [Path(out, "astronaut-gaussian_count_6.art").read_bytes() for out in "ab"]
    assert arts[0] == arts[1]


def test_all_share_a_random_seed(compare):
    arguments = ("--size", "32", "--steps", "1", "--threads", "1", "-p", "gaussian:count=2")
    _, data = compare(*arguments, "-p", "gaussian:count=3", "-p", "gaussian:seed=5", small=False)
    seeds = [row["seed"] for row in data["rows"] if row["kind"] == "fit"]
    assert seeds[0] == seeds[1] != seeds[2] == 5


def test_an_interruption_keeps_what_is_done_and_starts_no_other():
    control = RunControl()
    registry = Registry(environ={})
    three = contestants("gaussian:count=6", "gaussian:count=7", "gaussian:count=8", seed=1)
    comparison = Comparison(three, ["sample:cat"], registry, out=Path("out"), size=32)
    for row in comparison.run(control=control):
        if row.contestant == "gaussian:count=6":
            control.request_stop()
    states = [
        (row.contestant[-1], type(row.error).__name__)
        for row in comparison.rows
        if row.kind == "fit"
    ]
    assert states == [("6", "NoneType"), ("7", "Interrupted"), ("8", "Interrupted")]
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "cat-compare.png",
        "cat-gaussian_count_6.art",
    ]
    assert comparison.table()[0].mean["psnr"] > 5


def test_ctrl_c_ends_with_130_and_a_table(call, monkeypatch):
    class Pressed(RunControl):
        paused = watched = False
        rate = None

        def __init__(self):
            self.asked = 0

        @property
        def stop_requested(self):
            self.asked += 1
            return self.asked > 3

    monkeypatch.setattr("artgen.tasks.RunControl", Pressed)
    code, out, err = call("-p", "gaussian:count=6", "-p", "mlp", "--steps", "50", "--json")
    assert code == 130
    rows = by_name(json.loads(out)["rows"])
    assert rows["gaussian:count=6"]["stopped_by"] == "interrupted"
    assert rows["gaussian:count=6"]["steps"] < 50
    assert Path(rows["gaussian:count=6"]["art"]).exists()
    assert rows["mlp"]["error"]["message"] == "not started"
    assert "JPEG" not in rows
    assert "error:" not in err


def test_a_sheet_that_cannot_be_written_is_reported_after_all(call, monkeypatch):
    write = artgen.compare._comparison.atomic_write

    def refuse(path, data, **more):
        if path.suffix != ".art":
            raise OutputError(f"cannot write {path}")
        write(path, data, **more)

    monkeypatch.setattr(artgen.compare._comparison, "atomic_write", refuse)
    code, out, err = call("-p", "gaussian:count=6", "--csv", "a.csv", "-q")
    assert code == OutputError.exit_code
    assert err.count("error: cannot write") == 2
    assert "gaussian:count=6" in out
    assert not Path("a.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to compare"),
        (("-p", "gaussian", "--seed", str(2**63)), "seed must be less than"),
        (("-p", "gaussian", "--bytes", "0"), "--bytes"),
        (("-p", "gaussian", "--time", "0"), "--time"),
        (("-p", "no.toml"), "no.toml"),
        (("-p", "thread"), "and -p FILE.art for what it made"),
        (("-p", "climb"), "write -p NAME@climb"),
        (("-p", "mse"), "write -p NAME:loss=mse"),
        (("-p", "autoencoder", "--curve"), "--curve is for pictures"),
    ],
)
def test_misuse_is_explained(call, arguments, words):
    code, _, err = call(*arguments)
    assert code in (2, 3, 4)
    assert words in err


# ---- how it is shown -----------------------------------------------------------------------------


def test_the_table_and_the_paths_on_stdout(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, err = call("-p", "gaussian:count=40", "--csv", "all.csv")
    assert code == 0
    assert "astronaut-gaussian_count_40: " in err
    heading, first, *_ = out.splitlines()
    assert heading.split() == (
        ["PSNR", "SSIM", "MS-SSIM", "FLIP", "seconds", "steps", "parameters", "bytes", "bpp"]
    )
    name, psnr_text, ssim_text, ms_ssim_text, flip_text, _, steps, parameters, size, bpp = (
        first.split()
    )
    assert name == "gaussian:count=40"
    assert float(psnr_text) > 5 > float(ssim_text)
    assert 0 < float(flip_text) < 1
    assert (ms_ssim_text, steps, parameters, size, bpp) == ("-", "4", "320", "1,280", "10.000")
    assert len({len(line) for line in out.splitlines()[: 2 + len(available_codecs())]}) == 1
    assert "headers included" in out
    assert out.splitlines()[-2:] == [str(Path("artgen-out/astronaut-compare.png")), "all.csv"]


def test_a_terminal_gets_the_same_metrics(call, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = call("-p", "gaussian:count=40", "-q")
    assert code == 0
    for word in ("MS-SSIM", "gaussian:count=40", "1,280", "JPEG"):
        assert word in out


def test_the_table_fits_the_terminal_and_keeps_names(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    name = "gaussian@gradient:count=500,blend=over,engine.rate=0.5"
    heading = ["", "PSNR", "SSIM", "parameters", "bytes", ""]
    print_table(heading, [[name, "31.02", "0.9", "4,000", "16,000", "all is well"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(name) for line in lines) == 2
    shown = " ".join(lines).split()
    assert all(word in shown for word in ("PSNR", "31.02", "parameters", "16,000", "well"))
    monkeypatch.setenv("COLUMNS", "30")
    print_table(heading, [[name, "31.02", "0.9", "4,000", "16,000", "-"]])
    assert capsys.readouterr().out.count(name) == 5


def test_the_csv_holds_every_row(compare):
    _, data = compare("sample:cat", "-p", "gaussian:count=40", "-p", "vae", "--csv", "all.csv")
    with Path("all.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["contestant"] for row in rows] == [row["contestant"] for row in data["rows"]]
    assert list(rows[0]) == list(data["rows"][0])
    assert float(rows[0]["psnr"]) == data["rows"][0]["psnr"]
    assert rows[1]["error"].startswith("vae cannot be fitted")
    assert rows[1]["psnr"] == ""


def test_the_sheet_shows_every_result_over_its_errors(call):
    call("-p", "gaussian:count=40")
    with Image.open("artgen-out/astronaut-compare.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    # Pictures of 32 pixels are enlarged by 10, the gaps between them are a 28th of a cell.
    pitch, gap = 320, 650 // 28

    def shown(column, top):
        left = gap + column * (pitch + gap)
        return pixels[gap + top :, left:][: 10 * 32 : 10, : 10 * 32 : 10].astype(int)

    target = open_sample("astronaut", TargetRequest(size=32)).pixels
    fitted = load("artgen-out/astronaut-gaussian_count_40.art").render()
    assert (shown(0, 0) == target).all()
    assert (shown(1, 0) == fitted).all()
    errors = np.abs(fitted.astype(int) - target).max(2)
    brightness = shown(1, 330).sum(2)
    assert np.corrcoef(errors.ravel(), brightness.ravel())[0, 1] > 0.8
    assert brightness[errors == 0].max(initial=30) <= 30
    assert pixels.shape[1] == gap + (2 + len(available_codecs())) * (pitch + gap)


def test_slivers_are_not_enlarged_to_gigabytes():
    assert _enlarged(np.zeros((65, 32, 3), np.uint8)).shape == (650, 320, 3)
    assert _enlarged(np.zeros((1537, 1, 3), np.uint8)).size < 10**5


def test_a_count_of_its_own_does_not_go_with_equal_bytes(compare):
    code, data = compare("-p", "gaussian:count=6", "-p", "gaussian", "--bytes", "900")
    assert code == 2
    assert "both" in data["rows"][0]["error"]["message"]
    assert data["rows"][1]["error"] is None


# ---- curves --------------------------------------------------------------------------------------


def test_the_bjontegaard_rate_is_the_difference_in_bits_at_equal_psnr():
    line = [Point(0.5, 28.0), Point(1.0, 31.0), Point(2.0, 33.5), Point(4.0, 37.0)]
    dearer = [Point(1.2 * bits, psnr) for bits, psnr in line]
    assert bjontegaard(line, dearer) == pytest.approx(20)
    assert bjontegaard(dearer, line) == pytest.approx(100 * (1 / 1.2 - 1))
    # Over the PSNR that both reach; without its first point a curve bends a little otherwise.
    assert bjontegaard(line, dearer[1:]) == pytest.approx(20, abs=3)
    assert bjontegaard(line, [Point(1.0, 20.0), Point(2.0, 27.0)]) is None
    assert bjontegaard(line, line[:1]) is None


def test_curves_join_contestants_that_differ_in_their_settings(compare, call):
    folder = pictures("pics", "a.png", "b.png")
    names = ("gaussian:count=4", "gaussian:count=16", "gaussian:count=16,precision=int8")
    code, data = compare(folder, "--curve", *(word for name in names for word in ("-p", name)))
    assert code == 0
    assert [Path(plot).name for plot in data["plots"]] == ["a-curve.svg", "b-curve.svg"]
    curves = data["curves"][data["rows"][0]["target"]]
    assert [each["name"] for each in curves] == ["gaussian", "gaussian, int8", *available_codecs()]
    rows = by_name(row for row in data["rows"] if row["target"].endswith("a.png"))
    small, large = (rows[name] for name in names[:2])
    assert curves[0]["points"] == [[each["bpp"], each["psnr"]] for each in (small, large)]
    jpeg = next(each for each in curves if each["name"] == "JPEG")
    bits, quality = zip(*jpeg["points"], strict=True)
    assert len(bits) > 3
    assert sorted(bits) == [*bits]
    assert sorted(quality) == [*quality]
    assert set(curves[0]["bits"]) == set(available_codecs())
    assert all(each["encoding"] > 0 and each["decoding"] > 0 for each in curves)
    text = Path(data["plots"][0]).read_text()
    # A marker for each of three points, and for two names in the legend.
    assert text.count("<use") == 3 + 2
    assert ">JPEG<" in text
    # What is there is not replaced, and without the option nothing is drawn.
    Path("artgen-out/c-curve.svg").write_text("mine")
    assert call("pics", "--curve", "-p", "gaussian:count=4")[0] == 2
    code, data = compare("sample:chelsea", "-p", "gaussian:count=4")
    assert (data["curves"], data["plots"]) == ({}, [])


def test_the_bits_of_curves_are_printed_with_their_means(call):
    folder = pictures("pics", "a.png", "b.png")
    names = ("gaussian:count=8", "gaussian:count=64")
    _, out, _ = call(folder, "--curve", *(word for name in names for word in ("-p", name)))
    lines = [line.split() for line in out.splitlines()]
    start = next(k for k, line in enumerate(lines) if line[:2] == ["bits", "at"])
    assert [line[:2] for line in lines[start + 1 : start + 4]] == [
        ["gaussian", "a"],
        ["gaussian", "b"],
        ["gaussian", "mean"],
    ]
    start = next(k for k, line in enumerate(lines) if line[:2] == ["seconds", "for"])
    assert lines[start][4:] == ["encoding", "decoding"]
    assert [line[0] for line in lines[start + 1 : start + 3]] == ["gaussian", "JPEG"]
