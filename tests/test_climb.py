"""Hill climbing: what it finds, that metrics are those of the export, and that spans are exact."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed, recipe
from PIL import Image
from test_resume import assert_same, kill_worker_at, resume
from test_shapes import random_tensors

from artgen import Canvas, Drawing, fit
from artgen.art import load
from artgen.cli import main
from artgen.engines import Problem
from artgen.errors import PluginError, UsageError
from artgen.events import Evaluated
from artgen.families.shape import climb
from artgen.families.shape import compositing as layers
from artgen.families.shape.climb import ClimbEngine
from artgen.families.shape.compositing import Compositing
from artgen.families.shape.spans import Stack, unpack
from artgen.losses import mse, parse_loss, rmse
from artgen.losses.metrics import psnr
from artgen.output import to_pixels
from artgen.plan import resolve
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.runs import run
from artgen_plugins.circle import Circle
from artgen_plugins.triangle import Triangle

QUICK = {"restarts": 2, "moves": 1, "candidates": 30, "patience": 20, "passes": 2, "stall": 0.0}
GRAY = (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("width", "height", "rows"), [(10_000, 1, 1), (4_000, 2, 2), (800, 600, 8)]
)
def test_rows_that_are_scored_as_one_lie_in_the_picture(width, height, rows):
    """Of a flat one, shapes were compared on a line below it."""
    engine = ClimbEngine()
    drawing = Drawing("circle", {}, {}, width, height)
    engine.refined, engine.problem = (
        0,
        Problem(
            Circle(),
            drawing,
            torch.zeros(3, 1, 1),
            parse_loss("mse", {"mse": mse}.__getitem__, ["mse"]),
            1,
            0,
        ),
    )
    assert engine._rows_together(1 if height < 9 else 100) == rows


@pytest.fixture(scope="module")
def target(astronaut):
    # Eight bits, as in a run.
    return (astronaut(40)[:, :32] * 255).round() / 255


def empty(shape, target):
    members = max(member.genes for member in shape.members)
    shapes = {"genes": (members, 0), "colour": (3, 0), "alpha": (0,)}
    if len(shape.members) > 1:
        shapes["kind"] = (0,)
    tensors = {name: torch.zeros(size) for name, size in shapes.items()}
    return Drawing("test", {}, tensors, target.shape[2], target.shape[1], GRAY)


def start(
    shape, target, count, *, drawing=None, weight=None, loss="mse", seed=0, palette=None, **options
):
    mixture = parse_loss(loss, {"mse": mse, "rmse": rmse}.__getitem__, ["mse", "rmse"])
    options = {**QUICK, **options}
    engine = ClimbEngine()
    engine.start(
        Problem(
            shape,
            drawing or empty(shape, target),
            target,
            mixture,
            total_steps=count * (1 + options["passes"]),
            seed=seed,
            weight=weight,
            count=count,
            palette=palette,
            options=options,
        )
    )
    return engine


def finish(engine):
    while not engine.finished:
        engine.advance(1000)
    return engine.report()


def same(one, two):
    tensors = two.drawing(best=False).tensors
    return one.step == two.step and all(
        torch.equal(tensor, tensors[name])
        for name, tensor in one.drawing(best=False).tensors.items()
    )


# ---- what it finds -------------------------------------------------------------------------------


def test_it_fits_and_every_step_gains(target):
    engine = start(Triangle(), target, 12)
    metrics = [engine.report()]
    while not engine.finished:
        engine.advance(1)
        metrics.append(engine.report())
    assert engine.step == 12 * 3
    assert engine.stack.number == 12
    losses = [metric.loss for metric in metrics]
    assert all(b <= a * (1 + 1e-5) for a, b in pairwise(losses))
    assert losses[-1] < 0.8 * losses[12]
    assert metrics[-1].psnr > metrics[0].psnr + 5


def test_its_metric_is_that_of_the_export(target):
    shape = Triangle()
    for alpha in (0.5, 0.0):
        engine = start(shape, target, 15, alpha=alpha)
        report = finish(engine)
        exported = draw(engine.drawing(best=True), shape)
        metric = psnr(
            to_pixels(exported.permute(1, 2, 0).numpy()),
            to_pixels(target.permute(1, 2, 0).numpy()),
        )
        assert report.psnr == pytest.approx(metric, abs=0.05)
        assert report.loss == pytest.approx(float((exported - target).square().mean()), rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_alpha_is_fixed_or_searched(seed, target):
    fixed = start(Triangle(), target, 10, alpha=0.4, seed=seed)
    searched = start(Triangle(), target, 10, alpha=0.0, seed=seed)
    assert finish(searched).loss < finish(fixed).loss
    assert (fixed.drawing(best=True).tensors["alpha"] == np.float32(0.4)).all()
    alpha = searched.drawing(best=True).tensors["alpha"]
    assert alpha.min() >= 0.1
    assert alpha.max() <= 1
    assert alpha.std() > 0.05


def test_colours_are_in_range_and_best(target):
    engine = start(Triangle(), target, 8, passes=0)
    finish(engine)
    colour = engine.drawing(best=True).tensors["colour"]
    assert (colour >= 0).all()
    assert (colour <= 1).all()
    # The topmost was coloured last: no other colour is better.
    loss = engine.report().loss
    stack = engine.stack
    for change in (-0.02, 0.02):
        for channel in range(3):
            before = stack.colour[-1, channel]
            stack.colour[-1, channel] = min(max(before + change, 0.0), 1.0)
            engine.layers.forget()
            assert engine.report().loss >= loss - 1e-9
            stack.colour[-1, channel] = before


def test_only_what_has_weight_counts(target):
    weight = torch.zeros(target.shape[1:])
    weight[:, :20] = 1
    engine = start(Circle(), target, 10, weight=weight)
    finish(engine)
    picture = draw(engine.drawing(best=True), Circle())
    error = (picture - target).square().mean(0)
    assert error[:, :20].mean() < 0.5 * error[:, 20:].mean()
    loss = float(mse(picture, target, weight))
    assert engine.report().loss == pytest.approx(loss, rel=1e-4)


def test_a_mixture_uses_all_its_kinds(registry, target):
    shape = registry.load("primitive", "triangle*3+ellipse")()
    engine = start(shape, target, 20)
    finish(engine)
    tensors = engine.drawing(best=True).tensors
    assert set(tensors["kind"].tolist()) == {0.0, 1.0}
    assert (tensors["genes"][4:, tensors["kind"] == 1] == 0).all()


def test_other_losses_are_refused(target):
    with pytest.raises(UsageError, match="minimises mse only, not rmse") as refused:
        start(Triangle(), target, 3, loss="rmse")
    assert "use -e gradient, or --loss mse" in refused.value.hint


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 30), (25, 2), (3, 100)])
def test_any_size_can_be_fitted(height, width):
    target = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    engine = start(Triangle(), target, 4)
    first = engine.report().loss
    assert finish(engine).loss <= first


@pytest.mark.parametrize(("cost", "placed"), [(0.005, 24), (0.02, 21)])
def test_placing_ends_only_where_shapes_cost_much(cost, placed, target, monkeypatch):
    """Twenty that raised the error by 0.0001 dB ended it: 166 triangles of 500, for one seed."""
    monkeypatch.setattr(climb, "_decibels", lambda before, after: -20 * cost)
    engine = start(Circle(), target, 24)
    engine.advance(24)
    assert engine.stack.number == placed


def test_a_flat_picture_leaves_nothing_to_do():
    target = torch.full((3, 12, 12), 0.5)
    engine = start(Circle(), target, 500, converge=0.01)
    assert finish(engine).psnr == 100
    assert engine.stack.number < 30


def test_shapes_that_are_never_valid_are_the_plugins_fault(target):
    class Never(Circle):
        @staticmethod
        def valid(genes):
            return False

    with pytest.raises(PluginError, match=r"Never\.valid .* rejects all of 200 shapes"):
        start(Never(), target, 2).advance(1)


# ---- its sums ------------------------------------------------------------------------------------


def layers_of(shape, target, alpha, count=8, seed=3):
    canvas = Canvas(target.shape[2], target.shape[1])
    stack = unpack(random_tensors(shape, count, canvas, seed))
    rng = np.random.default_rng(seed)
    weight = rng.random(target.shape[1:]).astype(np.float32)
    return Compositing(shape, target.numpy().copy(), weight, GRAY, alpha), stack


def error_of(layers, picture):
    error = ((picture - layers.target) ** 2).sum(0) * layers.weight
    return float(error.sum(dtype=np.float64))


@pytest.mark.parametrize("alpha", [(0.6, 0.6), (0.1, 1.0)])
@pytest.mark.parametrize("place", [0, 3, 7, 8])
def test_the_change_of_the_error_is_exact_anywhere_in_the_stack(alpha, place, target):
    layers, stack = layers_of(Triangle(), target, alpha)
    layers.go_to(stack, place)
    layers.add_up(1)
    others = Stack(
        *(np.delete(part, min(place, 8), axis=0) if place < 8 else part for part in stack)
    )
    without = error_of(layers, draw_stack(layers, others, target))
    assert layers.error() == pytest.approx(without, rel=1e-4)

    fitted = layers.fit(0, stack.genes[0])
    parts = [
        np.insert(part, place, value, axis=0)
        for part, value in (
            (others.kind, 0),
            (others.genes, stack.genes[0]),
            (others.colour, fitted.colour),
            (others.alpha, fitted.alpha),
        )
    ]
    error = error_of(layers, draw_stack(layers, Stack(*parts), target))
    assert fitted.change == pytest.approx(error - without, abs=1e-4 * without)
    assert alpha[0] <= fitted.alpha <= alpha[1]


def draw_stack(layers, stack, target):
    picture = np.empty_like(layers.target)
    picture[:] = np.float32(0.5)
    layers._draw(picture, stack, 0, stack.number)
    return picture


@pytest.mark.parametrize("alpha", [(0.6, 0.6), (0.1, 1.0)])
@pytest.mark.parametrize("rows", [1, 2])
def test_candidates_are_scored_nearly_as_they_will_be_drawn(alpha, rows, astronaut):
    # What differs is at the edges, so a larger picture has less of it.
    layers, stack = layers_of(Triangle(), astronaut(160), alpha)
    layers.go_to(stack, 4)
    layers.add_up(rows)
    scores, changes = [], []
    for i in range(8):
        genes = stack.genes[i].copy()
        score, _, tries = layers.search(
            np.random.default_rng(0), 0, 0.1, 0.2, 0.1, 0.1, 0, 0.9, 0, genes
        )
        assert tries == 0
        assert (genes == stack.genes[i]).all()
        scores.append(score)
        changes.append(layers.fit(0, genes).change)
    np.testing.assert_allclose(scores, changes, atol=0.15 * np.abs(changes).max())


def test_the_best_alpha_and_colour_are_those_that_trying_finds(target):
    layers, stack = layers_of(Triangle(), target, (0.1, 1.0))
    layers.go_to(stack, 5)
    for i in range(8):
        best = layers.fit(0, stack.genes[i])
        s = layers.nine
        grid = np.linspace(0.1, 1, 181)[:, None]
        # For each alpha the best colour is the clamped quotient.
        colour = np.clip((s[:3] / grid + s[3:6]) / s[6], 0, 1)
        gain = colour @ s[:3] - s[7]
        cost = s[6] * (colour**2).sum(1) - 2 * colour @ s[3:6] + s[8]
        change = grid[:, 0] ** 2 * cost - 2 * grid[:, 0] * gain
        # Clamped colours are found by turns, so the alpha may be a little off.
        assert best.change <= change.min() + 0.02 * abs(change.min())
        assert best.change >= change.min() - 1e-3 * abs(change.min())


# ---- exactness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunks_do_not_matter(chunk, target):
    whole, pieces = start(Triangle(), target, 10), start(Triangle(), target, 10)
    finish(whole)
    while not pieces.finished:
        pieces.advance(chunk)
        if chunk == 7:
            pieces.report()
    assert same(whole, pieces)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_do_not_matter(threads, target):
    alone = start(Triangle(), target, 10)
    finish(alone)
    torch.set_num_threads(threads)
    try:
        together = start(Triangle(), target, 10)
        finish(together)
    finally:
        torch.set_num_threads(1)
    assert same(alone, together)


@pytest.mark.parametrize("block", [1, 4, 64])
@pytest.mark.parametrize("stop", [0, 5, 11, 12, 17, 25, 36])
def test_a_saved_state_goes_on_exactly(block, stop, target, monkeypatch):
    monkeypatch.setattr(layers, "BLOCK", block)
    whole = start(Triangle(), target, 12)
    whole.report()
    whole.advance(stop)
    state = {
        key: value.clone() if isinstance(value, torch.Tensor) else json.loads(json.dumps(value))
        for key, value in whole.state_dict().items()
    }
    metrics = finish(whole)
    resumed = start(Triangle(), target, 12)
    resumed.load_state_dict(state)
    assert resumed.step == stop
    assert finish(resumed) == metrics
    assert same(resumed, whole)
    assert resumed.drawing(best=True).tensors.keys() == whole.drawing(best=True).tensors.keys()


def test_seeds_differ(target):
    one, two = start(Triangle(), target, 3, seed=1), start(Triangle(), target, 3, seed=2)
    finish(one)
    finish(two)
    assert not same(one, two)


def test_passes_end_where_they_stall(target):
    engine = start(Triangle(), target, 6, passes=1000, stall=0.5)
    finish(engine)
    assert 6 * 2 <= engine.step < 6 * 20
    assert engine.step % 6 == 0
    step = engine.step
    engine.advance(5)
    assert engine.step == step


def test_recovering_goes_back_to_the_best(target):
    engine = start(Triangle(), target, 6)
    engine.advance(8)
    best = engine.report()
    engine.stack.colour[:] = 1 - engine.stack.colour
    engine.layers.forget()
    assert not engine.report().improved
    engine.recover(0.5)
    assert engine.report().loss == best.loss
    assert finish(engine).loss < best.loss


# ---- spans ---------------------------------------------------------------------------------------

TRIANGLES = {"name": "triangle", "count": 12}
STAGE = {"engine": "climb", **QUICK}


def test_steps_follow_the_count_and_the_passes(registry):
    for given, steps in (
        ({"primitive": {"name": "triangle", "count": 10}}, 70),
        ({"primitive": {"name": "triangle", "count": 10}, "stage": [{"passes": 2}]}, 30),
        ({"primitive": {"name": "circle"}, "stage": [{"passes": 1}]}, 300),
        ({"primitive": {"name": "circle"}, "stage": [{"steps": 7}]}, 7),
    ):
        plan = resolve(Recipe.from_dict(given), registry, Canvas(64, 64))
        assert plan.recipe.stage[0].steps == steps
        assert plan.first_count == 0


@pytest.mark.parametrize("step", [5, 12, 20, 33])
def test_a_killed_run_goes_on_exactly(step, photo, tmp_path, registry):
    asked = recipe(photo, STAGE, primitive=TRIANGLES)
    run(asked, registry, out=tmp_path / "whole")
    out = tmp_path / "out"
    kill_worker_at(step, asked, out, checkpoint_every=4)
    assert resume(asked, registry, out) >= step - 4
    assert_same(out, tmp_path / "whole")


def test_a_run_says_that_it_finished_and_can_be_made_again(photo, tmp_path, registry):
    asked = recipe(photo, {**STAGE, "passes": 50, "stall": 0.2}, primitive=TRIANGLES)
    done = run(asked, registry, out=tmp_path / "one").summary
    assert done["stopped_by"] == "finished"
    assert done["steps"] == done["recipe"]["stage"][0]["stop"] < 12 * 51
    assert (done["backend"], done["count"]) == ("compiled", 12)
    again = run(
        Recipe.from_dict(done["recipe"]), registry, out=tmp_path / "two", search=[tmp_path]
    ).summary
    assert (again["steps"], again["psnr"]) == (done["steps"], done["psnr"])
    one, two = (tmp_path / name / "photo-triangle.png" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_the_count_can_be_found(photo, tmp_path, registry):
    stage = {**STAGE, "converge": 0.2}
    asked = recipe(photo, stage, primitive={"name": "triangle", "count": "auto"})
    found = run(asked, registry).summary
    assert 20 <= found["count"] < 24
    # 24 × 16 pixels, 16 for each part.
    stage = {**STAGE, "converge": 0.0001}
    asked = recipe(photo, stage, primitive={"name": "triangle", "count": "auto"})
    assert run(asked, registry).summary["count"] == 24


def test_the_count_found_makes_the_same_again(photo, tmp_path, registry):
    stage = {**STAGE, "converge": 0.3}
    asked = recipe(photo, stage, primitive={"name": "circle", "count": "auto"})
    found = run(asked, registry)
    again = run(found.art.recipe, registry, search=[tmp_path])
    assert again.summary["count"] == found.summary["count"]
    assert again.art.to_bytes() == found.art.to_bytes()


def test_a_target_psnr_stops_it_soon(photo, registry):
    events = []
    asked = recipe(photo, {**STAGE, "target_psnr": 14.0}, primitive={**TRIANGLES, "count": 200})
    done = run(asked, registry, observers=[events.append]).summary
    assert done["stopped_by"] == "target-psnr"
    assert done["psnr"] >= 14.0
    steps = [event.step for event in events if isinstance(event, Evaluated)]
    assert max(np.diff(steps)) <= 25


def test_a_background_that_is_good_enough_is_no_drawing_yet(photo, tmp_path, registry):
    asked = recipe(photo, {**STAGE, "target_psnr": 5.0}, primitive={**TRIANGLES, "count": "auto"})
    done = run(asked, registry)
    assert done.summary["stopped_by"] == "target-psnr"
    assert done.summary["count"] == done.art.drawing.tensors["alpha"].numel() > 0
    Image.new("RGB", (12, 8), "teal").save(flat := tmp_path / "flat.png")
    asked = recipe(flat, STAGE, primitive={"name": "circle", "count": 3})
    done = run(asked, registry)
    assert done.summary["psnr"] == 100
    assert 0 < done.art.drawing.tensors["alpha"].numel() <= 3


def test_a_time_budget_becomes_steps(photo, registry):
    asked = recipe(photo, {**STAGE, "time": 0.2}, primitive=TRIANGLES)
    stage = run(asked, registry).summary["recipe"]["stage"][0]
    assert stage["steps"] >= 1
    assert "time" not in stage


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_mixtures_survive_any_precision(precision, photo, tmp_path, registry):
    primitive = {"name": "triangle*3+ellipse", "count": 12}
    asked = recipe(photo, STAGE, primitive=primitive, run={"precision": precision})
    done = run(asked, registry, out=tmp_path / "out")
    assert done.summary["primitive"] == "triangle*3+ellipse"
    art = load(tmp_path / "out" / "photo-triangle_3_ellipse.art", registry=registry)
    kinds = art.drawing.tensors["kind"]
    assert (kinds.round() - kinds).abs().max() < 0.01
    assert (art.render() == done.art.render()).all()
    assert art.render(50, transparent=True).shape == (33, 50, 4)


def test_it_goes_on_from_saved_shapes_and_adds_others(photo, tmp_path, registry):
    first = run(recipe(photo, STAGE, primitive=TRIANGLES), registry)
    first.art.save(tmp_path / "first.art")
    more = {"init": {"name": "first.art"}}

    def go_on(stage=STAGE, **primitive):
        asked = recipe(photo, stage, primitive={"name": "triangle", "count": None} | primitive)
        return run(changed(asked, more), registry, search=[tmp_path]).summary

    same = go_on()
    assert same["count"] == 12
    assert same["psnr"] >= first.summary["psnr"] - 0.01
    assert same["recipe"]["target"]["background"] == first.summary["recipe"]["target"]["background"]
    larger = go_on(count=20)
    assert larger["count"] == 20
    assert larger["psnr"] > same["psnr"]
    with pytest.raises(UsageError, match="has 12 parts, more than 5"):
        go_on(count=5)
    with pytest.raises(UsageError, match="12 parts, and engine gradient adds none") as refused:
        go_on({"engine": "gradient", "steps": 2}, count=20)
    assert "--count 12, or -e climb,gradient" in refused.value.hint


# ---- background ----------------------------------------------------------------------------------


def test_shapes_lie_on_the_mean_of_the_target_and_splats_on_black(photo, registry):
    stage = {**STAGE, "passes": 0}
    done = run(recipe(photo, stage, primitive={**TRIANGLES, "count": 1}), registry)
    mean = (done.art.drawing.background, np.asarray(load_pixels(photo)).mean((0, 1)) / 255)
    np.testing.assert_allclose(*mean, atol=0.5 / 255)
    text = done.summary["recipe"]["target"]["background"]
    assert text == "#" + "".join(f"{round(255 * each):02x}" for each in done.art.drawing.background)
    splats = run(recipe(photo, {"steps": 1}), registry)
    assert splats.summary["recipe"]["target"]["background"] == "black"
    assert splats.art.drawing.background == (0, 0, 0)
    stated = recipe(photo, stage, primitive={**TRIANGLES, "count": 1})
    stated = changed(stated, {"target": {"background": "teal"}})
    assert run(stated, registry).summary["recipe"]["target"]["background"] == "teal"


def load_pixels(path):
    from PIL import Image

    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def test_the_background_counts_by_the_mask(tmp_path, registry):
    from PIL import Image

    picture = np.zeros((16, 24, 3), np.uint8)
    picture[:, :12], picture[:, 12:] = (200, 100, 0), (0, 0, 250)
    Image.fromarray(picture).save(tmp_path / "halves.png")
    mask = np.zeros((16, 24), np.uint8)
    mask[:, :12] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    asked = recipe(tmp_path / "halves.png", {**STAGE, "passes": 0}, primitive=TRIANGLES)
    asked = changed(asked, {"target": {"mask": {"name": str(tmp_path / "mask.png")}}})
    assert run(asked, registry).summary["recipe"]["target"]["background"] == "#c86400"


def test_what_shows_through_the_target_is_its_background(tmp_path, registry):
    from PIL import Image

    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (16, 24, 4)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "holes.png")
    asked = recipe(tmp_path / "holes.png", {**STAGE, "passes": 0}, primitive=TRIANGLES)
    done = run(asked, registry)
    assert done.summary["recipe"]["target"]["background"] != "black"
    again = run(done.art.recipe, registry, search=[tmp_path])
    assert again.art.to_bytes() == done.art.to_bytes()


# ---- from outside --------------------------------------------------------------------------------

HEART = '''
"""Hearts, from the notch to the tip."""

import math

import numpy as np

from artgen import Shape

TURN = np.linspace(0, 2 * math.pi, 40, endpoint=False)
ACROSS = np.sin(TURN) ** 3
ALONG = (5 - 13 * np.cos(TURN) + 5 * np.cos(2 * TURN) + 2 * np.cos(3 * TURN) + np.cos(4 * TURN)) / 22


class Heart(Shape):
    """A heart at any angle: where its notch is, and from there to its tip."""

    genes, vertices = 4, 40

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes, points):
        x, y, u, v = genes
        for i in range(len(points)):
            points[i, 0] = x + ALONG[i] * u - ACROSS[i] * v
            points[i, 1] = y + ALONG[i] * v + ACROSS[i] * u
'''


def test_a_shape_in_a_loose_file_is_fitted_mixed_and_drawn_again(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("love.py").write_text(HEART)
    options = [f"engine.{key}={value}" for key, value in QUICK.items()]
    common = ["--plugin", "love.py", "--quiet", "--no-video", "-n", "8"]
    common += [word for option in options for word in ("--set", option)]
    for name, stem in (("heart", "heart"), ("heart+triangle*0.5", "heart_triangle_0.5")):
        assert main(["fit", str(photo), "-p", name, *common]) == 0
        art = f"artgen-out/photo-{stem}.art"
        assert main(["render", art, "-o", f"{stem}.png", "--plugin", "love.py", "-q"]) == 0
        assert main(["render", art, "-o", f"{stem}-none.png", "-q"]) == 4
    summary = json.loads(Path("artgen-out/photo-heart.json").read_text())
    assert summary["recipe"]["primitive"]["plugin"]["name"] == "love.py"
    again = ["fit", "--recipe", "artgen-out/photo-heart.png", "--out", "again", "--no-video", "-q"]
    assert main([*again, "--plugin", "love.py"]) == 0
    stills = [Path(folder, "photo-heart.png").read_bytes() for folder in ("artgen-out", "again")]
    assert stills[0] == stills[1]


def test_from_python(photo):
    art = fit(photo, "triangle*3+ellipse", count=6, seed=1, engine_options=QUICK)
    assert art.drawing.primitive == "triangle*3+ellipse"
    assert art.render(30).shape == (20, 30, 3)
    assert math.isfinite(art.psnr)
    assert replace(art.drawing).parameters == 6 * (6 + 3 + 1 + 1)
