"""Fits of curves and labelled points from the command line and from Python, to the last file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artgen
from artgen import Canvas
from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.events import Advanced, Evaluated
from artgen.plan import resolve
from artgen.raster import evaluate
from artgen.recipe import Recipe
from artgen.registry import Registry, default
from artgen.runs import run
from artgen_plugins.autograd import Node
from artgen_plugins.curve import open_curve
from artgen_plugins.mlp import MLP
from artgen_plugins.points import open_points
from artgen_plugins.scratch import curve_from_graph

KINDS = {
    "curve": {"target": "curve:x*x?n=40", "metrics": {"mse"}},
    "points": {"target": "points:random?n=12&seed=2", "metrics": {"accuracy", "mean_error"}},
}
every_kind = pytest.mark.parametrize("kind", KINDS)
ALL_FIGURES = {"psnr", "ssim", "mse", "accuracy", "mean_error"}


@pytest.fixture
def fit(tmp_path, monkeypatch, capsys):
    """A function that fits in an empty folder: the object it prints."""
    monkeypatch.chdir(tmp_path)
    fixed = ["--size", "96", "--video-seconds", "1", "--seed", "3"]

    def call(*arguments: str, steps: str = "20", expect: int = 0, hidden: int | None = 8):
        small = fixed if hidden is None else [*fixed, "--set", f"hidden={hidden}"]
        code = main(["fit", *arguments, *small, "--steps", steps, "--json", "-q"])
        data = json.loads(capsys.readouterr().out)
        assert code == expect, data
        return data

    return call


# ---- outputs -------------------------------------------------------------------------------------


@every_kind
def test_every_output_is_there(kind, fit, tmp_path):
    data = fit(KINDS[kind]["target"], "-p", "mlp", "--name", "it", "--log", "log.jsonl")
    has = KINDS[kind]["metrics"]
    assert {name for name in ALL_FIGURES if data[name] is not None} == has
    assert data["bpp"] is None
    assert data["target"]["name"] == KINDS[kind]["target"]
    size = (data["target"]["width"], data["target"]["height"])
    assert size == ((96, 60) if kind == "curve" else (96, 96))
    folder = tmp_path / "artgen-out"
    with Image.open(folder / "it.png") as still:
        assert still.size == size
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert all(line["psnr"] is None and line["loss"] > 0 for line in lines)
    # The file draws alone, at its own size and at others.
    art = artgen.load(folder / "it.art")
    with Image.open(folder / "it.png") as still:
        np.testing.assert_array_equal(art.render(), np.array(still))
    assert art.render(200).shape == (125 if kind == "curve" else 200, 200, 3)
    assert art.psnr is None
    assert art.to_bytes() == (folder / "it.art").read_bytes()
    assert main(["render", "artgen-out/it.art", "--size", "50", "-q"]) == 0
    assert main(["info", "artgen-out/it.art", "-q"]) == 0


@every_kind
def test_the_last_frame_is_the_still(kind, fit, tmp_path):
    import av

    fit(KINDS[kind]["target"], "-p", "mlp", "--name", "it")
    with av.open(str(tmp_path / "artgen-out" / "it.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with Image.open(tmp_path / "artgen-out" / "it.png") as still:
        last = np.array(still.convert("RGB")).astype(int)
    assert len(frames) == 30
    assert np.abs(frames[-1][: last.shape[0]] - last).mean() < 6
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 1


@every_kind
def test_the_same_run_gives_the_same_bytes(kind, fit, tmp_path):
    for out in ("one", "two"):
        fit(KINDS[kind]["target"], "-p", "mlp", "--name", "it", "--out", out)
    fit("--recipe", "one/it.png", "--name", "it", "--out", "three")
    for suffix in ("png", "art", "mp4"):
        first = (tmp_path / "one" / f"it.{suffix}").read_bytes()
        assert (tmp_path / "two" / f"it.{suffix}").read_bytes() == first
    assert (tmp_path / "three" / "it.png").read_bytes() == (tmp_path / "one/it.png").read_bytes()


@every_kind
@pytest.mark.parametrize("precision", ["auto", "fp16", "int8"])
def test_samples_keep_their_precision(kind, precision, fit):
    fit(KINDS[kind]["target"], "-p", "mlp", "--name", "it", "--precision", precision)
    subject = artgen.load("artgen-out/it.art").drawing.subject
    opener = open_curve if kind == "curve" else open_points
    expected = opener(KINDS[kind]["target"].partition(":")[2]).subject
    np.testing.assert_array_equal(subject.positions, expected.positions)


@every_kind
def test_the_paper_is_the_background(kind, fit):
    for colour, paper in (("black", 0), ("white", 255)):
        fit(KINDS[kind]["target"], "-p", "mlp", "--name", colour, "--background", colour)
        pixels = artgen.load(f"artgen-out/{colour}.art").render()
        if kind == "curve":
            assert (pixels[-1, -1] == paper).all()
    dark, light = (artgen.load(f"artgen-out/{c}.art").render().mean() for c in ("black", "white"))
    assert dark < light


@pytest.mark.parametrize("target", ["curve:x?n=9", "points:spiral?n=9"])
def test_axes_are_named_where_asked(target, tmp_path):
    plain = artgen.fit(target, "mlp", steps=1, seed=1, hidden=2)
    source = f"{target}&axes=X, $y^"
    artgen.fit(source, "mlp", steps=1, seed=1, hidden=2).save(tmp_path / "named.art")
    assert "axes" not in plain.drawing.subject.header()
    loaded = artgen.load(tmp_path / "named.art")
    assert loaded.drawing.subject.axes == ("X", "$y^")
    pixels, expected = loaded.render(), plain.render()
    assert (pixels != expected).any()
    # The names are at the lower and left edges; the upper right corner has neither name nor ticks.
    width = pixels.shape[1]
    np.testing.assert_array_equal(pixels[:20, width // 2 :], expected[:20, width // 2 :])
    assert loaded.recipe.target.sha256 == plain.recipe.target.sha256


def test_a_damaged_subject_is_bad_input(fit, tmp_path):
    from safetensors.torch import load_file, save_file

    fit("curve:", "-p", "mlp", "--name", "it", "--no-video")
    path = tmp_path / "artgen-out" / "it.art"
    from safetensors import safe_open

    with safe_open(path, framework="pt") as data:
        metadata = data.metadata()
    tensors = load_file(path)
    tensors["subject.y"] = tensors["subject.y"][:5].clone()
    save_file(tensors, tmp_path / "bad.art", metadata=metadata)
    with pytest.raises(InputError, match="damaged: a curve must have one y for each x"):
        artgen.load(tmp_path / "bad.art")


# ---- tables --------------------------------------------------------------------------------------


def test_a_table_is_a_target(fit, tmp_path):
    Path("data.csv").write_text("0,0\n1,1\n2,4\n3,9\n")
    data = fit("data.csv", "-p", "mlp")
    assert data["target"]["name"] == "data.csv"
    assert data["mse"] is not None
    assert (tmp_path / "artgen-out" / "data-mlp.png").exists()
    Path("data.csv").write_text("0,0\n1,1\n2,4\n3,8\n")
    error = fit("--recipe", "artgen-out/data-mlp.art", "--name", "x", expect=3)["error"]
    assert "SHA-256 differs" in error["message"]


def test_the_drawing_needs_no_table(fit):
    Path("data.csv").write_text("x,y,label\n0,0,a\n1,1,b\n2,4,c\n3,9,a\n")
    fit("data.csv", "-p", "mlp", "--no-video")
    Path("data.csv").unlink()
    art = artgen.load("artgen-out/data-mlp.art")
    assert art.drawing.subject.classes == ("a", "b", "c")
    assert art.render(64).shape == (64, 64, 3)


# ---- what fits what ------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("primitive", ["gaussian", "stroke"])
def test_splats_draw_pictures_only(kind, primitive, fit):
    error = fit(KINDS[kind]["target"], "-p", primitive, expect=2, hidden=None)["error"]
    assert error["message"] == f"{primitive} cannot be fitted to a target of kind {kind}"
    assert "-p" in error["hint"]
    assert "mlp" in error["hint"]


@every_kind
@pytest.mark.parametrize("loss", ["ssim", "oklab"])
def test_losses_of_pictures_are_refused(kind, loss, fit):
    error = fit(KINDS[kind]["target"], "-p", "mlp", "--loss", loss, expect=2)["error"]
    assert f"loss '{loss}' is for image targets, not for {kind}" in error["message"]


def test_cross_entropy_is_for_points(fit):
    error = fit("curve:", "-p", "mlp", "--loss", "cross-entropy", expect=2)["error"]
    assert "is for points targets, not for curve" in error["message"]
    error = fit("sample:cat", "-p", "mlp", "--loss", "mse+cross-entropy", expect=2)["error"]
    assert "not for image" in error["message"]


def test_points_under_scratch_need_a_loss_that_it_has(fit):
    error = fit("points:", "-p", "mlp", "-e", "scratch", expect=2)["error"]
    assert "does not support the loss 'cross-entropy'" in error["message"]
    data = fit("points:", "-p", "mlp", "-e", "scratch", "--loss", "mse", "--no-video")
    assert data["accuracy"] is not None
    error = fit(
        *("points:", "-p", "mlp", "-e", "scratch", "--loss", "mse", "--set", "output=tanh"),
        *("--name", "tanh"),
        expect=2,
    )["error"]
    assert "mlp with tanh has no graph" in error["message"]


@every_kind
def test_what_only_pictures_have_is_refused(kind, fit):
    target = KINDS[kind]["target"]
    for flags, message in {
        ("--target-psnr", "30"): "target_psnr is for pictures",
        ("--alpha-weight",): "no mask, focus or alpha",
        ("--transparent",): "transparent is for pictures",
        ("--set", "engine.coarse=0.2"): "coarse is for pictures",
    }.items():
        error = fit(target, "-p", "mlp", *flags, expect=2)["error"]
        assert message in error["message"]
    assert not list(Path("artgen-out").glob("*"))


def test_a_drawing_of_another_kind_is_no_start(fit):
    fit("curve:", "-p", "mlp", "--name", "it", "--no-video")
    error = fit("points:", "--init", "artgen-out/it.art", "--name", "on", expect=2)["error"]
    assert "it.art cannot start a fit to this target" in error["message"]
    assert "as many channels and classes" in error["hint"]


def test_a_plateau_without_psnr(fit):
    data = fit("curve:0*x?n=20", "-p", "mlp", "--plateau", "5", "--no-video", steps="4000")
    assert data["stopped_by"] == "plateau"
    assert data["steps"] < 4000


# ---- going on ------------------------------------------------------------------------------------


# Each engine with each kind, with batches and without, in pairs: nothing depends on all three.
@pytest.mark.parametrize(
    ("name", "engine", "batch", "kind"),
    [
        ("mlp", "gradient", 0, "curve"),
        ("mlp", "gradient", 3, "points"),
        ("mlp", "scratch", 0, "points"),
        ("mlp", "scratch", 3, "curve"),
        ("siren", "gradient", 3, "curve"),
        ("hashgrid", "gradient", 0, "points"),
        ("fourier_features", "gradient", 3, "curve"),
    ],
)
def test_a_run_that_was_killed_goes_on_exactly(name, engine, batch, kind, tmp_path):
    class Killed(BaseException):
        pass

    def killer(event):
        if isinstance(event, Advanced) and event.step >= 12:
            raise Killed

    asked = Recipe.from_dict(
        {
            "seed": 5,
            "target": {"source": KINDS[kind]["target"], "size": 64},
            "primitive": {"name": name, "hidden": 6},
            "stage": [{"engine": engine, "steps": 20, "batch": batch, "loss": "mse"}],
            "output": {"fps": 8, "video_seconds": 1},
            "run": {"device": "cpu", "threads": 1},
        }
    )
    registry = Registry(environ={})
    run(asked, registry, out=tmp_path / "whole", checkpoint_every=6, name="it")
    with pytest.raises(Killed):
        run(
            asked, registry, out=tmp_path / "cut", checkpoint_every=6, name="it", observers=[killer]
        )
    assert (tmp_path / "cut" / "it.run").exists()
    run(asked, registry, out=tmp_path / "cut", resume=True, name="it")
    for suffix in (".png", ".art", ".mp4"):
        cut, whole = (tmp_path / name / f"it{suffix}" for name in ("cut", "whole"))
        assert cut.read_bytes() == whole.read_bytes()
    art = artgen.load(tmp_path / "whole" / "it.art")
    with Image.open(tmp_path / "whole" / "it.png") as still:
        np.testing.assert_array_equal(art.render(), np.array(still))


@every_kind
def test_another_fit_starts_from_a_drawing(kind, fit):
    target = KINDS[kind]["target"]
    first = fit(target, "-p", "mlp", "--name", "it", "--no-video", steps="200")
    again = fit("--init", "artgen-out/it.art", "--name", "on", "--no-video", steps="1")
    assert again["target"]["name"] == target
    assert again["loss"] <= first["loss"] * 1.01


def test_a_time_is_a_number_of_steps(fit, tmp_path):
    recipe = {
        "target": {"source": "curve:"},
        "primitive": {"name": "mlp", "hidden": 4},
        "stage": [{"time": 0.2}],
        "output": {"video": False},
    }
    outcome = run(Recipe.from_dict(recipe), default(), out=tmp_path, name="it")
    stage = outcome.art.recipe.stage[0]
    assert stage.time is None
    assert stage.steps >= 1


def test_a_batch_of_both_kinds_has_a_sheet(fit, tmp_path):
    data = fit("curve:", "points:", "-p", "mlp", "--no-video")
    assert [run["target"]["name"] for run in data["runs"]] == ["curve:", "points:"]
    assert Path(data["sheet"]).exists()
    assert (tmp_path / "artgen-out" / "curve-mlp.png").exists()
    assert (tmp_path / "artgen-out" / "points-mlp.png").exists()


# ---- the recipes ---------------------------------------------------------------------------------


def plan(target, preset=None, engine="auto", name="mlp", **options):
    opened = open_curve("") if target == "curve" else open_points("")
    asked = {
        "primitive": {"name": name, **({"preset": preset} if preset else {}), **options},
        "stage": [{"engine": engine}],
    }
    return resolve(Recipe.from_dict(asked), default(), Canvas(8, 8), opened.subject)


@pytest.mark.parametrize("engine", ["gradient", "scratch"])
def test_the_published_curve(engine):
    found = plan("curve", "curve-v1", engine)
    shapes = {name: param.shape for name, param in found.primitive.parameters().items()}
    assert shapes == {
        **{"weight0": (64, 1), "bias0": (64,), "weight1": (64, 64), "bias1": (64,)},
        **{"weight2": (1, 64), "bias2": (1,)},
    }
    stage = found.recipe.stage[0]
    options = stage.options
    assert (stage.steps, stage.loss, options["batch"]) == (3000, "mse", 1)
    assert (options["optimizer"], options["beta1"], options["beta2"]) == ("adamw-centred", 0.9, 0.9)
    assert options["weight_decay"] == 1e-3
    assert options["rate"] * 0.01 == pytest.approx(1e-3)
    assert (options["schedule"], options["warmup"], options["epsilon"]) == ("constant", 0, 1e-8)
    assert found.primitive.options.slope == 0.1
    start = values(found, 5)
    assert all(tensor.min() >= 0 and tensor.max() <= 1 for tensor in start.values())
    assert 0.4 < start["weight1"].mean() < 0.6


def test_the_published_classifier():
    found = plan("points", "classifier-v1")
    params = found.primitive.parameters()
    assert [params[f"weight{i}"].shape for i in range(5)] == [(16, 2), *[(16, 16)] * 3, (1, 16)]
    assert sum(tensor.numel() for tensor in values(found, 1).values()) == 881
    stage = found.recipe.stage[0]
    assert (stage.steps, stage.loss, stage.options["batch"]) == (8192, "l1", 1)
    assert stage.options["optimizer"] == "adamw"
    assert (stage.options["beta2"], stage.options["weight_decay"]) == (0.999, 0.01)
    assert values(found, 1)["weight1"].std() == pytest.approx(1, abs=0.15)


def values(found, seed):
    rng = torch.Generator().manual_seed(seed)
    return found.primitive.initial(artgen.init.Context(rng, Canvas(8, 8), 1))


def test_the_detail_of_a_field_follows_the_samples():
    assert plan("curve").primitive.options.bands == 4
    assert plan("points").primitive.options.bands == 2
    assert plan("curve").recipe.stage[0].loss == "mse"
    assert plan("points").recipe.stage[0].loss == "cross-entropy"
    # The canvas of 200 samples of a curve has 25 pixels, that of 32 points 5.
    omegas = [plan(kind, name="siren").primitive.options.omega for kind in KINDS]
    assert omegas == [25 / 4, 5 / 4]
    grids = [plan(kind, name="hashgrid").primitive.options for kind in KINDS]
    assert [(options.base, options.finest) for options in grids] == [(1, 200), (1, 5)]
    for name, options in {"siren": {"omega": 30.0}, "hashgrid": {"base": 16, "finest": 8}}.items():
        asked = Recipe.from_dict({"primitive": {"name": name}})
        found = resolve(asked, default(), Canvas(8, 8)).primitive.option_values()
        assert found == {**found, **options}


@pytest.mark.parametrize("name", ["mlp", "siren", "hashgrid", "fourier_features"])
def test_a_field_is_smooth_between_samples(name):
    art = artgen.fit("curve:sin(3*x)+x?n=24&from=-3&to=3", name, steps=600, seed=1, threads=1)
    subject = art.drawing.subject
    x = np.linspace(-3, 3, 501)
    places = torch.from_numpy(subject.place(x))
    y = subject.heights(evaluate(art.primitive(), art.drawing.tensors, places)[0, 0].numpy())
    assert np.abs(y - np.sin(3 * x) - x).max() < 0.4


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("engine", ["gradient", "scratch"])
def test_a_curve_is_learned(engine, seed):
    art = artgen.fit("curve:", "mlp", engine=engine, steps=700, seed=seed, threads=1)
    assert art.metrics["mse"] < 1e-4


@pytest.mark.parametrize("target", ["random", "two-moons", "spiral?classes=3"])
def test_points_are_separated(target):
    art = artgen.fit(
        f"points:{target}", "mlp", preset="classifier", seed=1, threads=1, size=64, steps=1000
    )
    assert art.metrics["accuracy"] == 1
    assert art.metrics["mean_error"] < 0.01


# Three whole fits: by day short ones learn a curve with both engines.
@pytest.mark.nightly
def test_the_published_curve_is_about_as_good_as_published():
    errors = []
    for seed in range(3):
        art = artgen.fit("curve:", "mlp", preset="curve-v1", engine="scratch", seed=seed, threads=1)
        errors.append(art.metrics["mse"])
    # The published code came to 0.028 as the median of five seeds.
    assert sorted(errors)[1] < 0.03


def seen_by(target, engine, monkeypatch, **options):
    """The x of all positions at which a small network is evaluated in steps of one sample."""
    seen, encode = [], MLP.encode

    def watched(self, xy):
        if len(xy) == 1:
            seen.extend(xy.flatten().tolist())
        return encode(self, xy)

    monkeypatch.setattr(MLP, "encode", watched)
    options = {"hidden": 2, "layers": 1, "preset": "curve-v1", "engine": engine, **options}
    artgen.fit(target, "mlp", steps=60, seed=1, size=16, threads=1, history=0, **options)
    # The engine `scratch` looks at one position first.
    return np.array(seen[1:] if engine == "scratch" else seen)


@pytest.mark.parametrize("engine", ["gradient", "scratch"])
def test_the_published_curve_draws_x_anywhere(engine, monkeypatch):
    x = seen_by("curve:x?n=5", engine, monkeypatch)
    assert len(np.unique(x)) >= 60
    assert x.min() > -1
    assert x.max() < 1
    assert abs(x.mean()) < 0.25


def test_batches_of_measurements_are_measurements(monkeypatch):
    measured = artgen.targets.curve_from_samples([0, 1, 4], [0, 1, 2])
    assert set(seen_by(measured, "gradient", monkeypatch)) == {-1, -0.5, 1}


def test_a_curve_between_its_samples_is_the_function():
    target = open_curve("1/x?from=-1&to=3&n=8")
    function = target.tensors().function
    x = torch.tensor([[-0.9], [0.123], [-0.5 + 1e-6]])
    left, right, pole = target.subject.heights(function(x)[:, 0].numpy())
    assert (left, right) == pytest.approx((1 / -0.8, 1 / 1.246), rel=1e-5)
    # Beside a pole it is not: one such value would spoil the fit.
    assert abs(pole) < 7


def test_a_target_of_nodes():
    def article(x: Node) -> Node:
        return x.square() * 2.777 + 0.123 - x * x * x * 1.5 + (x * 4.0).sin()

    built, written = curve_from_graph(article), open_curve("")
    assert (built.subject.x == written.subject.x).all()
    assert built.subject.y == pytest.approx(written.subject.y, abs=1e-12)
    x = torch.linspace(-1, 1, 7)[:, None]
    assert torch.allclose(built.tensors().function(x), written.tensors().function(x))
    art = artgen.fit(built, "mlp", preset="curve-v1", engine="scratch", steps=5, seed=1, size=16)
    assert art.drawing.subject.continuous
    with pytest.raises(InputError, match="curve has no finite value at x = 0"):
        curve_from_graph(lambda x: (x * 1e6).exp() * 0.0 + x, samples=3, start=0, end=1)
    with pytest.raises(InputError, match="gives the shape"):
        curve_from_graph(lambda x: x.sum())


def test_the_published_classifier_takes_every_point_once_per_epoch(monkeypatch):
    places = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.2]])
    points = artgen.targets.points_from_samples(places, [0, 1, 0, 1, 1])
    x = seen_by(points, "gradient", monkeypatch, preset="classifier-v1").reshape(60, 2)
    epochs = [sorted(map(tuple, part)) for part in np.split(x, 12)]
    assert all(epoch == epochs[0] and len(set(epoch)) == 5 for epoch in epochs)
    orders = {tuple(map(tuple, part)) for part in np.split(x, 12)}
    assert len(orders) > 1


def test_batches_of_a_curve_are_samples():
    seen = []
    art = artgen.fit(
        *("curve:x", "mlp"),
        steps=300,
        seed=1,
        engine_options={"batch": 16},
        observe=lambda event: seen.append(event) if isinstance(event, Evaluated) else None,
    )
    assert art.metrics["mse"] < 1e-2
    assert seen[-1].loss < seen[0].loss


def test_targets_of_arrays_can_be_fitted():
    x = np.linspace(0, 100, 30)
    art = artgen.fit(
        artgen.targets.curve_from_samples(x, 5000 * x), "mlp", steps=300, seed=1, size=80
    )
    assert art.drawing.canvas == Canvas(80, 50)
    assert art.metrics["mse"] < 25_000_000
    with pytest.raises(UsageError, match="mask"):
        artgen.fit(artgen.targets.curve_from_samples(x, x), "mlp", mask="mask.png")


# ---- the loss of a run ---------------------------------------------------------------------------


def test_losses_are_plotted(fit, capsys):
    for name in ("a", "b"):
        fit("curve:", "-p", "mlp", "--name", name, "--log", f"{name}.jsonl", "--no-video")
    assert main(["plot", "a.jsonl", "b.jsonl", "--size", "160", "-o", "both.png"]) == 0
    assert capsys.readouterr().out == "both.png\n"
    with Image.open("both.png") as picture:
        assert picture.size == (160, 100)
    assert main(["plot", "a.jsonl"]) == 0
    assert Path("a.png").exists()
    assert main(["plot", "a.jsonl"]) == 2
    assert main(["plot", "a.jsonl", "-o", "a.svg"]) == 2
    assert main(["plot", "a.jsonl", "a.jsonl", "-o", "c.png"]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no losses"),
        ('{"step": 1}\n{"step": 2, "loss": 1}\n', "line 1 is not a line of a log"),
        ('{"step": 1, "loss": NaN}\n', "holds no losses"),
        ("[]\n", "line 1 is not"),
        ('{"step": 1e999, "loss": 1}\n' * 2, "line 1 is not"),
    ],
)
def test_what_is_not_a_log_is_refused(text, message, fit, capsys):
    Path("log.jsonl").write_text(text)
    assert main(["plot", "log.jsonl"]) == 3
    assert message in capsys.readouterr().err
    assert main(["plot", "missing.jsonl"]) == 3


def test_a_line_that_was_cut_off_is_left_out(fit):
    Path("log.jsonl").write_text('{"step": 0, "loss": 1}\n{"step": 2, "lo')
    assert main(["plot", "log.jsonl"]) == 0
