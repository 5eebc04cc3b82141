"""The engine `scratch`: it fits what `gradient` fits, exactly repeatable, and shows its graph."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import assert_same_bits, save_photo

import artgen
import artgen_plugins.scratch
from artgen import Canvas, Drawing, Field, Param, init
from artgen.base.options import parse_options
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.engines.protocols import HasGraph
from artgen.errors import Diverged, OutOfMemory, UsageError
from artgen.init import Context
from artgen.losses import exponential, l1, mse, parse_loss, rmse
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.registry import Registry, default
from artgen.runs import run
from artgen_plugins.mlp import MLP
from artgen_plugins.scratch import ScratchEngine

LOSSES = {"mse": mse, "l1": l1, "exponential": exponential, "rmse": rmse}
OPTIMIZERS = ("adamw", "adamw-centred", "adamw-uncorrected")
PUBLISHED = ("compression-v1", "compression-v2", "compression-v3")


def problem(target, loss="mse", steps=60, primitive=None, options=None, **more):
    height, width = target.shape[1:]
    canvas = Canvas(width, height)
    primitive = primitive or MLP({"hidden": 12, "layers": 2})
    primitive.resolve_options(canvas)
    rng = torch.Generator().manual_seed(5)
    tensors = primitive.initial(Context(rng, canvas, 1, target=target))
    drawing = Drawing("mlp", primitive.option_values(), tensors, width, height)
    mixture = parse_loss(loss, LOSSES.__getitem__, LOSSES)
    return Problem(primitive, drawing, target, mixture, steps, 9, options=options or {}, **more)


def started(given, kind=ScratchEngine):
    engine = kind()
    engine.start(given)
    return engine


@pytest.fixture
def target(astronaut):
    return astronaut(24)[:, :, :20]


# ---- the same as torch ---------------------------------------------------------------------------


def test_the_graph_is_the_network(target):
    given = problem(target)
    engine = started(given)
    pixels = np.arange(24 * 20)
    loss = engine._loss(pixels, engine._shares(pixels))
    assert loss.materialize()[0] == pytest.approx(engine.report().loss, rel=1e-5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["cosine", "exponential", "constant"])
@pytest.mark.parametrize("loss", ["mse", "l1+mse", "mse+0.25*exponential"])
def test_it_takes_the_steps_of_the_gradient_engine(optimizer, schedule, loss, target):
    """With all pixels at every step nothing is random, and rounding is all that differs."""
    options = {"batch": 0, "optimizer": optimizer, "schedule": schedule, "weight_decay": 0.1}
    # The large epsilon keeps rounding of a gradient of almost 0 from choosing its sign.
    options |= {"warmup": 0, "decay": 0.9, "beta1": 0.92, "beta2": 0.95, "epsilon": 1e-4}
    given = problem(target, loss, options=options)
    ours, theirs = started(given), started(given, GradientEngine)
    for engine in (ours, theirs):
        engine.advance(6)
    one, other = ours.drawing(best=False).tensors, theirs.drawing(best=False).tensors
    for name, start in given.drawing.tensors.items():
        torch.testing.assert_close(one[name], other[name], atol=5e-4, rtol=1e-3)
        assert (one[name] - start).abs().max() > 0.01, name
    assert ours.report().loss == pytest.approx(theirs.report().loss, rel=1e-3)
    assert ours.report().psnr == pytest.approx(theirs.report().psnr, abs=1e-2)


def test_weights_count_as_in_the_gradient_engine(target):
    weight = torch.rand(24, 20, generator=torch.Generator().manual_seed(1))
    weight[:, :8] = 0
    given = problem(target, "l1+mse", weight=weight, options={"batch": 0})
    vandalised = target.clone()
    vandalised[:, :, :8] = 7.0
    results = []
    for kind, picture in [
        (ScratchEngine, target),
        (ScratchEngine, vandalised),
        (GradientEngine, target),
    ]:
        engine = started(replace(given, target=picture), kind)
        engine.advance(4)
        results.append(engine.drawing(best=False).tensors)
    assert_same_bits(results[0], results[1])
    for name, tensor in results[0].items():
        torch.testing.assert_close(tensor, results[2][name], atol=2e-4, rtol=1e-3)
    blind = started(replace(given, weight=torch.zeros(24, 20)))
    blind.advance(2)
    assert_same_bits(blind.drawing(best=False).tensors, dict(given.drawing.tensors))


@pytest.mark.parametrize("preset", PUBLISHED)
def test_the_presets_learn_with_both_engines(preset, astronaut):
    target = astronaut(48)
    primitive = MLP(preset=preset)
    stage = {k: v for k, v in primitive.preset.stage.items() if k not in ("steps", "loss")}
    loss = primitive.preset.stage["loss"]
    psnr = {}
    for kind in (ScratchEngine, GradientEngine):
        engine = started(problem(target, loss, 32_000, MLP(preset=preset), stage), kind)
        before = engine.report().psnr
        engine.advance(500)
        psnr[kind] = engine.report().psnr
        assert psnr[kind] > before + 4
    # The same recipe on other random pixels.
    assert psnr[ScratchEngine] == pytest.approx(psnr[GradientEngine], abs=0.5)


# ---- the presets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["auto", "gradient", "scratch"])
@pytest.mark.parametrize(
    ("preset", "first_band", "batch", "rate", "decay", "loss", "optimizer"),
    [
        ("compression-v1", 0, 256, 3.33e-4, 0.9999, "l1+mse", "adamw-centred"),
        ("compression-v2", 1, 64, 5.33e-4, 0.99999, "mse", "adamw-centred"),
        ("compression-v3", 1, 64, 5.33e-4, 0.99999, "mse+0.25*exponential", "adamw-uncorrected"),
    ],
)
def test_presets_hold_the_published_numbers(
    engine, preset, first_band, batch, rate, decay, loss, optimizer
):
    asked = {"primitive": {"name": "mlp", "preset": preset}, "stage": [{"engine": engine}]}
    plan = resolve(Recipe.from_dict(asked), default(), Canvas(512, 512))
    stage, options = plan.recipe.stage[0], plan.recipe.stage[0].options
    assert stage.engine == ("gradient" if engine == "auto" else engine)
    assert (stage.steps, stage.loss, options["batch"]) == (32_000, loss, batch)
    assert (options["schedule"], options["decay"], options["warmup"]) == ("exponential", decay, 0)
    assert options["optimizer"] == optimizer
    assert (options["beta1"], options["beta2"], options["weight_decay"]) == (0.92, 0.95, 0.01)
    # Beside a loss that is a mean, the published 1e-8 beside a sum.
    assert options["epsilon"] * 3 * batch == pytest.approx(1e-8)

    primitive, context = plan.primitive, Context(torch.Generator(), Canvas(512, 512), 1)
    rates = {param.rate(context) for param in primitive.parameters().values()}
    assert [options["rate"] * each for each in rates] == [pytest.approx(rate)]
    shapes = [param.shape for param in primitive.parameters().values()]
    assert shapes == [(64, 64), (64,), (64, 64), (64,), (64, 64), (64,), (3, 64)]
    assert sum(math.prod(shape) for shape in shapes) == 12_672
    features = primitive.encode(torch.tensor([[-1.0, 0.0]]))
    assert features.shape == (1, 64)
    # The first band of y, half way down: half of half a period, or half of a whole one.
    assert features[0, 16] == pytest.approx(math.sin(0.5 * math.pi * 2**first_band), abs=1e-6)


def test_the_preset_is_only_where_to_begin():
    asked = {
        "primitive": {"name": "mlp", "preset": "compression-v1", "bands": 9},
        "stage": [{"engine": "scratch", "batch": 32, "compat_transpose": True}],
    }
    recipe = resolve(Recipe.from_dict(asked), default(), Canvas(64, 64)).recipe
    assert recipe.primitive.options["bands"] == 9
    options = recipe.stage[0].options
    assert (options["batch"], options["compat_transpose"]) == (32, True)
    assert options["optimizer"] == "adamw-centred"


def test_what_a_preset_says_of_the_stage_is_for_its_engines():
    from artgen import Preset

    class Choosy(MLP):
        presets = {
            "first": Preset(stage={"steps": 5}),
            "second": Preset(stage={"steps": 6}, engines=("scratch",)),
        }

    registry = Registry(environ={})
    registry.register(Choosy)
    steps = {}
    for preset in ("first", "second"):
        for engine in ("gradient", "scratch"):
            asked = {
                "primitive": {"name": "choosy", "preset": preset},
                "stage": [{"engine": engine}],
            }
            plan = resolve(Recipe.from_dict(asked), registry, Canvas(8, 8))
            steps[preset, engine] = plan.recipe.stage[0].steps
    usual = MLP.defaults.stage["steps"]
    assert list(steps.values()) == [5, usual, usual, 6]


def test_without_a_preset_both_engines_do_the_same():
    stages = []
    for engine in ("gradient", "scratch"):
        asked = {"primitive": {"name": "mlp"}, "stage": [{"engine": engine}]}
        stages.append(resolve(Recipe.from_dict(asked), default(), Canvas(64, 64)).recipe.stage[0])
    theirs, ours = stages
    assert (theirs.steps, theirs.options["batch"]) == (ours.steps, ours.options["batch"])
    shared = parse_options(ScratchEngine.Options, {}, owner="")
    differing = {"optimizer", "compat_transpose"}
    for name in set(vars(shared)) - differing:
        assert theirs.options[name] == ours.options[name], name
    # Without decay, AdamW is Adam.
    assert (theirs.options["optimizer"], ours.options["optimizer"]) == ("adam", "adamw")
    assert ours.options["weight_decay"] == 0


def test_the_published_transpose_changes_what_lies_below_the_last_layer(target):
    tensors = []
    for compat in (False, True):
        given = problem(target, options={"batch": 0, "compat_transpose": compat})
        engine = started(given)
        engine.advance(1)
        tensors.append(engine.drawing(best=False).tensors)
    right, wrong = tensors
    torch.testing.assert_close(right["weight2"], wrong["weight2"])
    for name in set(right) - {"weight2"}:
        assert not torch.allclose(right[name], wrong[name]), name


def test_the_published_transpose_fits_worse(astronaut):
    target, psnr = astronaut(48), []
    for compat in (False, True):
        options = {"batch": 128, "rate": 0.3, "compat_transpose": compat}
        engine = started(problem(target, steps=400, primitive=MLP(), options=options))
        engine.advance(400)
        psnr.append(engine.report().psnr)
    assert psnr[0] > psnr[1] + 0.3


# ---- exactness -----------------------------------------------------------------------------------

KINDS = {
    "batches": {"batch": 50},
    "all pixels": {"batch": 0},
    "centred": {"batch": 50, "optimizer": "adamw-centred", "beta1": 0.92, "beta2": 0.95},
}
every_kind = pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)


@every_kind
def test_chunks_affect_speed_only(options, target):
    states = []
    for chunk in (1, 7, 1000):
        engine = started(problem(target, options=options))
        reports = []
        while engine.step < 28:
            engine.advance(min(chunk, 14 - engine.step % 14))
            if engine.step % 14 == 0:
                reports.append(engine.report())
        states.append((engine.state_dict(), reports))
    for state, reports in states[1:]:
        assert_same_bits(states[0][0], state)
        assert reports == states[0][1]


@every_kind
def test_a_restored_engine_goes_on_exactly(options, target):
    given = problem(target, options=options)
    uninterrupted = started(given)
    uninterrupted.limit_memory(0.01)
    uninterrupted.advance(10)
    uninterrupted.report()
    state = uninterrupted.state_dict()
    uninterrupted.advance(10)
    uninterrupted.report()

    restored = started(given)
    restored.advance(3)
    restored.load_state_dict(state)
    assert_same_bits(restored.state_dict(), state)
    restored.advance(10)
    restored.report()
    assert_same_bits(restored.state_dict(), uninterrupted.state_dict())


def test_the_seed_decides_the_batches(target):
    given = problem(target, options={"batch": 16})
    states = []
    for seed in (1, 1, 2):
        engine = started(replace(given, seed=seed))
        engine.advance(3)
        states.append(engine.state_dict()["value.weight0"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_the_best_drawing_is_that_of_the_lowest_report(target):
    options = {"schedule": "constant", "warmup": 0, "rate": 10.0}
    engine = started(problem(target, options=options))
    losses, drawings = [], []
    for _ in range(10):
        engine.advance(1)
        losses.append(engine.report().loss)
        drawings.append(engine.drawing(best=False))
    lowest = losses.index(min(losses))
    assert lowest < 9
    assert_same_bits(engine.drawing(best=True).tensors, drawings[lowest].tensors)
    engine.recover(0.5)
    assert engine.factor == 0.5
    assert_same_bits(engine.drawing(best=False).tensors, drawings[lowest].tensors)


def test_a_drawing_is_a_copy(target):
    given = problem(target)
    before = {name: tensor.clone() for name, tensor in given.drawing.tensors.items()}
    engine = started(given)
    first = engine.drawing(best=False)
    engine.advance(5)
    assert_same_bits(dict(given.drawing.tensors), before)
    assert_same_bits(dict(first.tensors), before)


@pytest.mark.parametrize("batch", [0, 90])
def test_less_memory_makes_the_same_fit(batch, target, monkeypatch):
    given = problem(target, options={"batch": batch})
    plain, limited, pieces = started(given), started(given), started(given)
    limited.limit_memory(0.01)
    monkeypatch.setattr(artgen_plugins.scratch, "_KEPT_FEATURES", 0)
    without = started(given)
    assert (plain.features is None, without.features is None) == (False, True)
    pieces.at_once = 7
    for engine in (plain, limited, without, pieces):
        engine.advance(5)
    for other in (limited, without, pieces):
        for name, tensor in plain.drawing(best=False).tensors.items():
            torch.testing.assert_close(
                other.drawing(best=False).tensors[name], tensor, atol=1e-3, rtol=1e-3
            )


# ---- trouble -------------------------------------------------------------------------------------


class Plain(Field):
    """A field without a graph."""

    engines = ("gradient", "scratch")
    params = {"colour": Param(3)}

    def forward(self, xy, p):
        return p.colour.expand(len(xy), 3)


class Line(Field):
    """The smallest field with one: a colour that changes evenly, and bounds."""

    engines = ("scratch",)
    params = {
        "slope": Param(3, 2, init=init.normal(0.1), lr=0.1, max=0.2),
        "offset": Param(3, init=0.5, lr=0.1),
        "frozen": Param(3, init=0.01, lr=0.0),
    }

    def forward(self, xy, p):
        return xy @ p.slope.t() + p.offset + p.frozen

    def graph(self, features, p):
        many = features.shape[0]
        value = features.times(p["slope"]) + p["offset"].broadcast(0, many)
        return value + p["frozen"].broadcast(0, many)


def test_a_field_needs_two_methods_at_most(target):
    engine = started(problem(target, primitive=Line(), options={"batch": 64}))
    first = engine.report()
    engine.advance(60)
    assert engine.report().loss < 0.8 * first.loss
    tensors = engine.drawing(best=False).tensors
    assert tensors["slope"].max() <= 0.2
    torch.testing.assert_close(tensors["frozen"], torch.full((3,), 0.01))
    theirs = started(problem(target, primitive=Line(), options={"batch": 0}), GradientEngine)
    theirs.advance(60)
    assert engine.report().loss == pytest.approx(theirs.report().loss, rel=0.05)


class Mapped(Line):
    params = {**Line.params, "offset": Param(3, init=0.5, map="sigmoid")}


@pytest.mark.parametrize(
    ("primitive", "loss", "message"),
    [
        (Plain(), "mse", "has no graph for engine scratch"),
        (Mapped(), "mse", "the map sigmoid of mlp.offset"),
        (Line(), "mse+rmse", "does not support the loss 'rmse'"),
    ],
)
def test_what_it_cannot_do_is_refused(primitive, loss, message, target):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        started(problem(target, loss, primitive=primitive))
    assert "-e gradient" in caught.value.hint


@pytest.mark.parametrize("kind", [ScratchEngine, GradientEngine])
def test_a_first_variance_of_zero_is_refused(kind, target):
    options = {"optimizer": "adamw-centred", "beta1": 0.9, "beta2": 0.99}
    message = re.escape("adamw-centred with beta1=0.9 and beta2=0.99 divides")
    with pytest.raises(UsageError, match=message) as caught:
        started(problem(target, options=options), kind)
    assert "engine.beta2=0.95" in caught.value.hint


def test_a_fit_that_overflows_is_reported_without_warnings(target):
    options = {"rate": 1e30, "warmup": 0}
    engine = started(problem(target, "mse+0.25*exponential", options=options))
    engine.report()
    engine.advance(3)
    with pytest.raises(Diverged, match="became NaN or infinite at step 3") as caught:
        engine.report()
    assert "engine.rate" in caught.value.hint
    engine.recover(0.5)
    assert math.isfinite(engine.report().loss)


def test_running_out_of_memory_has_its_name(target):
    class Greedy(Line):
        def graph(self, features, p):
            raise MemoryError

    with pytest.raises(OutOfMemory, match="more memory than there is"):
        started(problem(target, primitive=Greedy())).advance(1)


def test_the_graph_is_that_of_the_first_step_and_disturbs_nothing(target):
    given = problem(target, "l1+mse", options={"batch": 4})
    engine, undisturbed = started(given), started(given)
    dot = engine.graph()
    assert dot == undisturbed.graph()
    for each in (engine, undisturbed):
        each.advance(3)
    engine.graph()
    for each in (engine, undisturbed):
        each.advance(3)
    assert_same_bits(engine.state_dict(), undisturbed.state_dict())
    labels = re.findall(r"label=\"([^\"]*)\"", dot)
    assert labels.count("VectorMatrixMultiply") == 3
    assert {"Variable(x)", "Variable(target)", "Variable(share)", "Abs", "Square"} <= set(labels)
    assert labels[-1] == "Reduce"
    assert isinstance(engine, HasGraph)
    assert not isinstance(started(given, GradientEngine), HasGraph)


# ---- runs ----------------------------------------------------------------------------------------


@pytest.fixture
def fit(tmp_path, monkeypatch, capsys):
    """A function that fits a small photograph with `scratch`: its exit code and messages."""
    save_photo(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    small = ["--set", "hidden=6", "--set", "engine.batch=20", "--steps", "12", "--no-video"]

    def call(*arguments: str, engine: str = "scratch"):
        code = main(["fit", "photo.png", "-p", "mlp", "-e", engine, *small, *arguments])
        return code, capsys.readouterr().err

    return call


def test_a_run_makes_an_ordinary_art(fit, capsys):
    assert fit("--seed", "3", "--graph", "graph.dot")[0] == 0
    art = artgen.load("artgen-out/photo-mlp.art")
    assert art.recipe.stage[0].engine == "scratch"
    assert art.render(48).shape == (32, 48, 3)
    # Another engine goes on from it.
    init = ["--init", "artgen-out/photo-mlp.art", "--out", "on"]
    assert fit(*init, engine="gradient")[0] == 0
    assert Path("on/photo-mlp.art").exists()


def test_the_graph_is_written_before_the_fit(fit):
    code, messages = fit("--graph", "graph.dot")
    assert code == 0
    assert Path("graph.dot").read_text().startswith("digraph G {")
    assert not Path("graph.svg").exists()
    assert "graph.dot is not drawn: Graphviz" in messages


def test_the_graph_is_drawn_where_graphviz_is(fit):
    program = Path("dot")
    program.write_text("#!/bin/sh\necho '<svg/>'\n")
    program.chmod(0o755)
    code, messages = fit("--graph", "graph.dot")
    assert code == 0
    assert Path("graph.svg").read_text() == "<svg/>\n"
    assert "not drawn" not in messages


@pytest.mark.parametrize("existing", ["graph.dot", "graph.svg"])
def test_a_graph_is_not_overwritten_unasked(fit, existing):
    Path(existing).write_text("digraph, by graphviz")
    code, messages = fit("--graph", "graph.dot")
    assert code == 2
    assert f"{existing} exists" in messages
    assert Path(existing).read_text() == "digraph, by graphviz"
    assert not Path("artgen-out/photo-mlp.run").exists()
    assert fit("--graph", "graph.dot", "--overwrite")[0] == 0
    assert Path("graph.dot").read_text().startswith("digraph G {")
    Path(existing).write_text("mine")
    code, messages = fit("--graph", "graph.dot", "--overwrite")
    assert (code, f"{existing} was not written by artgen" in messages) == (2, True)


def test_engines_without_a_graph_say_so(fit):
    code, messages = fit("--graph", "graph.dot", engine="gradient")
    assert code == 2
    assert "engine gradient has no graph of its loss" in messages
    assert "-e scratch" in messages
    assert not Path("graph.dot").exists()


def test_one_of_several_stages_is_enough(fit):
    stages = ["--set", "1.batch=20", "--set", "2.batch=20", "--no-video", "--graph", "graph.dot"]
    code = main(
        ["fit", "photo.png", "-p", "mlp", "-e", "gradient,scratch", "--steps", "3,3", *stages]
    )
    assert code == 0
    assert Path("graph.dot").exists()


def test_a_graph_has_its_suffix(fit):
    code, messages = fit("--graph", "graph.png")
    assert code == 2
    assert "graph.png is not a DOT file" in messages


def test_a_batch_has_a_graph_per_run(fit):
    assert fit("--seeds", "1,2", "--graph", "graph.dot")[0] == 0
    assert sorted(path.name for path in Path().glob("*.dot")) == [
        "graph-photo-mlp-s1.dot",
        "graph-photo-mlp-s2.dot",
    ]


def test_a_run_stopped_by_a_plugin_goes_on_exactly(tmp_path):
    from artgen.events import Advanced

    class Killed(BaseException):
        pass

    def killer(event):
        if isinstance(event, Advanced) and event.step >= 12:
            raise Killed

    asked = Recipe.from_dict(
        {
            "seed": 5,
            "target": {"source": str(save_photo(tmp_path))},
            "primitive": {"name": "mlp", "hidden": 6},
            "stage": [{"engine": "scratch", "steps": 20, "batch": 16}],
            "output": {"video": False},
            "run": {"device": "cpu", "threads": 1},
        }
    )
    registry = Registry(environ={})
    run(asked, registry, out=tmp_path / "whole", checkpoint_every=6)
    with pytest.raises(Killed):
        run(asked, registry, out=tmp_path / "cut", checkpoint_every=6, observers=[killer])
    assert (tmp_path / "cut" / "photo-mlp.run").exists()
    run(asked, registry, out=tmp_path / "cut", resume=True)
    for suffix in (".png", ".art"):
        name = f"photo-mlp{suffix}"
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
