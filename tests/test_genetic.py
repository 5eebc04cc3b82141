"""Populations: what they find, what children are made of, and that runs are exact."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed, recipe, save_photo
from test_resume import assert_same, kill_worker_at, resume

from artgen import Canvas, Drawing
from artgen.art import load
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.genetic.engine import GeneticEngine
from artgen.errors import InputError, UsageError
from artgen.events import Measured, Notice
from artgen.losses import l1, mse, parse_loss, rmse
from artgen.plan import resolve
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run
from artgen.targets import hex_colour
from artgen_plugins.circle import Circle
from artgen_plugins.triangle import Triangle
from artgen_plugins.voronoi import Voronoi

QUICK = {"population": 8, "elite": 3, "islands": 2, "migrate": 5}
GRAY = (0.5, 0.5, 0.5)
KINDS = [Triangle(), Voronoi()]


@pytest.fixture(scope="module")
def target(astronaut):
    # Eight bits, as in a run.
    return (astronaut(40)[:, :32] * 255).round() / 255


def start(
    primitive,
    target,
    count,
    *,
    steps=40,
    drawing=None,
    weight=None,
    loss="mse",
    seed=0,
    palette=None,
    **options,
):
    known = {"mse": mse, "rmse": rmse, "l1": l1}
    height, width = target.shape[1:]
    nothing = {
        name: torch.zeros(primitive.tensor_shape(param, 0))
        for name, param in primitive.parameters().items()
    }
    engine = GeneticEngine()
    engine.start(
        Problem(
            primitive,
            drawing or Drawing("test", {}, nothing, width, height, GRAY),
            target,
            parse_loss(loss, known.__getitem__, list(known)),
            total_steps=steps,
            seed=seed,
            weight=weight,
            count=count,
            palette=palette,
            options={**QUICK, **options},
        )
    )
    return engine


def genomes(engine):
    """All that individuals are made of."""
    return [island.state_dict() for island in engine.islands]


def assert_equal(one, two):
    assert one.step == two.step
    for first, second in zip(genomes(one), genomes(two), strict=True):
        numbers = first["numbers"]
        assert torch.equal(numbers, second["numbers"])
        assert torch.equal(first["scores"], second["scores"])
        for name in set(first) - {"numbers", "scores"}:
            for p, number in enumerate(numbers.tolist()):
                # What lies beyond is what was there before.
                assert torch.equal(first[name][p, :number], second[name][p, :number]), name


# ---- what it finds -------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
def test_it_fits_and_the_best_never_gets_worse(primitive, target):
    engine = start(primitive, target, 5, steps=60)
    first = engine.report()
    blocks = set()
    best = math.inf
    for _ in range(60):
        block = engine.block
        engine.advance(1)
        blocks.add(engine.block)
        scores = min(island.scores.min() for island in engine.islands)
        assert scores <= best or engine.block != block
        best = scores
    last = engine.report()
    assert len(blocks) > 1
    assert last.improved
    assert last.loss < 0.9 * first.loss
    assert all((island.numbers <= 5).all() for island in engine.islands)


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
@pytest.mark.parametrize("colours", ["best", "random"])
def test_what_is_kept_up_to_date_is_what_is_found_anew(primitive, colours, target):
    engine = start(primitive, target, 15, colours=colours)
    for _ in range(4):
        engine.advance(7)
        for island in engine.islands:
            kept = [array.copy() for array in island.individuals]
            scores = island.scores.copy()
            island.evaluate()
            np.testing.assert_array_equal(island.scores, scores)
            for p, number in enumerate(island.numbers):
                for before, after in zip(kept[:4], island.individuals[:4], strict=True):
                    if before.ndim > 1:
                        np.testing.assert_array_equal(before[p, :number], after[p, :number])
            np.testing.assert_array_equal(kept[-2][:, :1], island.individuals[-2][:, :1])


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
def test_scores_are_the_squared_error_of_the_drawing(primitive, target):
    weight = torch.rand(target.shape[1:], generator=torch.Generator().manual_seed(1))
    engine = start(primitive, target, 15, weight=weight)
    engine.advance(40)
    assert engine.block == 1
    for island in engine.islands:
        for index in range(len(island)):
            drawing = replace(engine.problem.drawing, tensors=island.tensors(index))
            # Inside a pixel at a border the colours of cells count each, not their mean.
            k = 1 if isinstance(primitive, Triangle) else 8
            picture = draw(drawing, primitive, Canvas(40 * k, 32 * k))
            wide, fine = (
                torch.nn.functional.interpolate(plane[None], scale_factor=k)[0]
                for plane in (target, weight[None])
            )
            error = ((picture - wide).square() * fine).sum() / k**2
            assert island.scores[index] == pytest.approx(float(error), rel=0.02)


def test_colours_of_changed_shapes_are_the_best_ones(target):
    engine = start(Triangle(), target, 6, islands=1, crossover=0.0, extra_mutation=0.0, replace=0.0,
                   resize=0.0, swap=0.0, recolour=1.0, steps=1000)  # fmt: skip
    engine.advance(300)
    engine.islands[0].set_block(1)
    engine.islands[0].evaluate()
    island, best = engine.islands[0], engine.islands[0].best
    score = island.scores[best]
    paint = island.individuals[2][best]
    for change in (-0.05, 0.05):
        for i in range(island.numbers[best]):
            for channel in range(3):
                before = paint[i, channel]
                paint[i, channel] = min(max(before + change, 0.0), 1.0)
                island.evaluate(best, best + 1)
                assert island.scores[best] >= score * (1 - 1e-3)
                paint[i, channel] = before


def test_only_what_has_weight_counts(target):
    weight = torch.zeros(target.shape[1:])
    weight[:, :16] = 1
    for primitive in KINDS:
        engine = start(primitive, target, 12, weight=weight, steps=60)
        engine.advance(60)
        engine.report()
        error = (draw(engine.drawing(best=True), primitive) - target).square().mean(0)
        assert error[:, :16].mean() < 0.6 * error[:, 16:].mean()


def test_alpha_is_fixed_or_free(target):
    fixed = start(Triangle(), target, 10, alpha=0.4)
    free = start(Triangle(), target, 10, alpha=0.0)
    for engine in (fixed, free):
        engine.advance(30)
    alpha = fixed.drawing(best=False).tensors["alpha"]
    assert (alpha == np.float32(0.4)).all()
    alpha = free.drawing(best=False).tensors["alpha"]
    assert alpha.min() >= 0.1
    assert alpha.max() <= 1
    assert alpha.std() > 0.01


def test_a_mixture_uses_all_its_kinds(registry, target):
    shape = registry.load("primitive", "triangle*3+ellipse")()
    engine = start(shape, target, 20)
    engine.advance(20)
    tensors = engine.drawing(best=False).tensors
    assert set(tensors["kind"].tolist()) == {0.0, 1.0}
    assert (tensors["genes"][4:, tensors["kind"] == 1] == 0).all()


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 30), (25, 2), (3, 100), (37, 41)])
def test_any_size_can_be_fitted(primitive, height, width):
    target = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    engine = start(primitive, target, 5, steps=10)
    first = engine.report().loss
    engine.advance(10)
    engine.report()
    assert engine.best_loss <= first
    assert math.isfinite(engine.best_loss)


def test_a_blurred_target_is_what_counts(target):
    engine = start(Circle(), target, 5, blur=3.0)
    assert engine.target.std() < 0.9 * target.std()
    assert engine.problem.target is target


# ---- children ------------------------------------------------------------------------------------


def parts_of(state, p):
    """The parts of an individual, in order, as texts."""
    number = int(state["numbers"][p])
    names = ("genes", "paint" if "paint" in state else "genes")
    return [tuple(state[name][p, i].tolist() for name in names) for i in range(number)]


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
@pytest.mark.parametrize("splice", [0.0, 1.0])
def test_children_have_the_parts_of_two_parents_in_order(primitive, splice, target):
    only = {"crossover": 1.0, "extra_mutation": 0.0, "islands": 1, "splice": splice}
    engine = start(primitive, target, 12, **only)
    before = genomes(engine)[0]
    engine.advance(1)
    after = genomes(engine)[0]
    parents = [parts_of(before, p) for p in range(8)]
    mixed = 0
    for p in range(3, 8):
        child = parts_of(after, p)
        assert 0 < len(child) <= 12
        texts = list(map(str, child))
        sources = [k for k in range(8) if set(texts) & set(map(str, parents[k]))]
        if len(sources) < 2:
            # Parents that promise nothing together: a copy of one that mutated.
            continue
        mixed += 1
        assert len(sources) == 2
        theirs = [list(map(str, parents[k])) for k in sources]
        assert set(texts) <= {*theirs[0], *theirs[1]}
        for one in theirs:
            places = [one.index(text) for text in texts if text in one]
            assert places == sorted(places)
    assert mixed > 0


def test_a_region_takes_what_lies_in_it(target):
    """Where two parents are each good on one side, a child is good on both."""
    engine = start(Voronoi(), target, 40, islands=1, crossover=1.0, extra_mutation=0.0)
    island = engine.islands[0]
    sites = island.individuals[0]
    rng = np.random.default_rng(0)
    for p in range(8):
        # All sites but a few lie on the left in even individuals, on the right in odd ones.
        side = -1 if p % 2 else 1
        sites[p, :, 0] = np.where(np.arange(40) < 36, side * rng.random(40), -side * rng.random(40))
        sites[p, :, 1] = 2 * rng.random(40) - 1
    island.evaluate()
    before = island.scores.min()
    engine.advance(4)
    assert engine.islands[0].scores.min() < 0.97 * before


def test_the_elite_stays(target):
    engine = start(Triangle(), target, 10, islands=1)
    before = genomes(engine)[0]
    best = np.argsort(before["scores"].numpy(), kind="stable")[:3]
    engine.advance(1)
    after = genomes(engine)[0]
    for p, was in enumerate(best):
        assert parts_of(after, p) == parts_of(before, was)
        assert after["scores"][p] == before["scores"][was]


def test_the_best_travel_to_the_next_island(target):
    engine = start(Triangle(), target, 10, islands=3, migrate=2)
    engine.advance(1)
    best = [parts_of(state, island.best) for state, island in
            zip(genomes(engine), engine.islands, strict=True)]  # fmt: skip
    engine._migrate()
    for number, state in enumerate(genomes(engine)):
        everyone = [parts_of(state, p) for p in range(8)]
        assert best[number] in everyone
        assert best[number - 1] in everyone


def test_crossover_is_worth_it(target):
    """At an equal number of generations; the benchmark compares equal seconds."""
    losses = {}
    for crossover in (0.7, 0.0):
        engine = start(Triangle(), target, 30, steps=150, crossover=crossover, population=16)
        engine.advance(150)
        losses[crossover] = engine.report().loss
    assert losses[0.7] < losses[0.0]


# ---- climbing, other losses ----------------------------------------------------------------------


def test_climbing_helps(target):
    losses = {}
    for memetic in (0, 2):
        engine = start(Triangle(), target, 10, memetic=memetic)
        engine.advance(10)
        engine.report()
        losses[memetic] = engine.best_loss
    assert losses[2] < 0.9 * losses[0]


def test_what_cannot_climb_says_so(target):
    with pytest.raises(UsageError, match="refines shapes only"):
        start(Voronoi(), target, 5, memetic=1)
    with pytest.raises(UsageError, match="minimises mse only, not l1"):
        start(Triangle(), target, 5, memetic=1, loss="l1")


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
def test_other_losses_are_minimised_by_full_drawings(primitive, target):
    engine = start(primitive, target, 10, loss="l1", steps=20)
    assert "draws every individual in full for l1" in engine.notices[0]
    first = engine.report().loss
    engine.advance(20)
    last = engine.report()
    assert last.loss < first
    island = engine._champion()
    assert island.scores.min() == pytest.approx(last.loss, rel=1e-5)
    assert start(primitive, target, 10, loss="rmse").notices == ()


# ---- exactness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
@pytest.mark.parametrize("options", [{}, {"loss": "l1"}, {"colours": "random", "alpha": 0.0}])
def test_chunks_never_change_the_result(primitive, options, target):
    whole, pieces = (start(primitive, target, 9, steps=23, **options) for _ in range(2))
    whole.advance(23)
    for steps in (1, 7, 7, 1, 7):
        pieces.advance(steps)
    assert_equal(whole, pieces)


@pytest.mark.parametrize("options", [{}, {"memetic": 2}, {"loss": "l1"}])
def test_threads_never_change_the_result(options, target):
    engines = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            engines.append(start(Triangle(), target, 9, steps=20, islands=3, **options))
            engines[-1].advance(20)
    finally:
        torch.set_num_threads(1)
    assert_equal(engines[0], engines[1])
    assert_equal(engines[0], engines[2])


@pytest.mark.parametrize("primitive", KINDS, ids=["shapes", "sites"])
@pytest.mark.parametrize("options", [{}, {"loss": "l1"}, {"memetic": 2}])
@pytest.mark.parametrize("step", [9, 10])
def test_a_state_is_all_there_is(primitive, options, step, target):
    if isinstance(primitive, Voronoi) and "memetic" in options:
        options = {"colours": "random"}
    whole = start(primitive, target, 60, steps=20, **options)
    whole.advance(step)
    whole.report()
    state = {
        k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in whole.state_dict().items()
    }
    again = start(primitive, target, 60, steps=20, **options)
    again.advance(3)
    again.load_state_dict(state)
    assert_equal(whole, again)
    for engine in (whole, again):
        engine.advance(20 - step)
    assert_equal(whole, again)
    assert whole.report() == again.report()


def test_what_comes_back_is_judged_by_the_loss_as_the_others_are(target):
    engine = start(Triangle(), target, 9, steps=20, loss="l1")
    engine.advance(3)
    engine.report()
    engine.recover(0.5)
    # A mean of errors from 0 to 1, and no sum of squares.
    assert max(float(island.scores.max()) for island in engine.islands) < 1


@pytest.mark.parametrize("name", ["triangle", "voronoi"])
def test_killed_and_resumed_is_uninterrupted(name, tmp_path, registry):
    photo = save_photo(tmp_path)
    stage = {"engine": "genetic", "steps": 60, **QUICK}
    asked = recipe(photo, stage, primitive={"name": name, "count": 8})
    kill_worker_at(35, asked, tmp_path / "killed", checkpoint_every=20)
    assert resume(asked, registry, tmp_path / "killed") == 20
    run(asked, registry, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


# ---- in a run ------------------------------------------------------------------------------------


def test_each_generation_is_reported_and_logged(tmp_path, registry):
    photo = save_photo(tmp_path)
    stage = {"engine": "genetic", "steps": 30, "loss": "l1", **QUICK}
    asked = recipe(photo, stage, primitive={"name": "circle", "count": 6})
    events = []
    log = tmp_path / "log.jsonl"
    run(asked, registry, out=None, observers=[events.append], log=log)
    measured = [event for event in events if isinstance(event, Measured)]
    assert [event.step for event in measured] == list(range(1, 31))
    best = [event.metrics["best"] for event in measured]
    assert best == sorted(best, reverse=True)
    for event in measured:
        assert event.metrics["mean"] >= event.metrics["best"]
        assert event.metrics["diversity"] >= 0
    assert any("draws every individual" in e.message for e in events if isinstance(e, Notice))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["best"] for line in lines if "best" in line] == best
    assert [line["step"] for line in lines if "loss" in line][-1] == 30


def test_generations_are_plotted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = [{"step": 0, "loss": 0.2, "psnr": None, "seconds": 0.0}]
    lines += [{"step": k, "best": 1 / k, "mean": 2 / k, "diversity": 0.1} for k in range(1, 9)]
    Path("one.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert main(["plot", "one.jsonl", "--generations"]) == 0
    assert main(["plot", "one.jsonl", "-o", "loss.png"]) == 0
    assert Path("one.png").read_bytes() != Path("loss.png").read_bytes()
    assert main(["plot", "one.jsonl", "one.jsonl", "--generations", "--overwrite"]) == 2
    Path("two.jsonl").write_text(json.dumps(lines[0]))
    assert main(["plot", "two.jsonl", "--generations"]) == 3
    assert "holds no generations" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["circle", "triangle", "square", "voronoi"])
def test_the_classical_configuration(name, registry):
    asked = Recipe.from_dict(
        {"primitive": {"name": name, "preset": "classical"}, "stage": [{"engine": "genetic"}]}
    )
    plan = resolve(asked, registry, Canvas(64, 64))
    assert plan.count == 96
    wanted = {
        "population": 10,
        "elite": 5,
        "resize": 0.15,
        "grow": 0.8,
        "swap": 0.1,
        "blur": 0.5,
        "crossover": 0.0,
        "colours": "random",
    }
    options = plan.recipe.stage[0].options
    assert {key: options[key] for key in wanted} == wanted


def test_the_classical_configuration_begins_with_white_paper(tmp_path, registry):
    photo = save_photo(tmp_path)
    table = {"name": "square", "preset": "classical"}
    asked = recipe(photo, {"engine": "genetic", "steps": 30}, primitive=table)
    asked = changed(asked, {"primitive": {"count": None}})
    outcome = run(asked, registry, out=tmp_path / "out")
    assert outcome.art.recipe.target.background == "white"
    assert outcome.art.drawing.background == (1.0, 1.0, 1.0)
    assert 0 < outcome.art.drawing.tensors["alpha"].numel() < 30
    asked = changed(asked, {"target": {"background": "teal"}})
    assert run(asked, registry, out=None).art.recipe.target.background == "teal"


def test_it_starts_from_another_drawing(tmp_path, registry):
    photo = save_photo(tmp_path)
    climbed = recipe(photo, {"steps": 8}, primitive={"name": "triangle", "count": 8})
    run(climbed, registry, out=tmp_path, name="climbed")
    before = load(tmp_path / "climbed.art")
    stage = {"engine": "genetic", "steps": 20, **QUICK}
    asked = recipe(photo, stage, primitive={"name": "triangle", "count": 12})
    asked = changed(asked, {"init": {"name": str(tmp_path / "climbed.art")}})
    outcome = run(asked, registry, out=None)
    assert outcome.summary["psnr"] > before.psnr + 0.05
    assert outcome.art.drawing.background == before.drawing.background


def test_an_elite_of_everyone_is_refused(target):
    with pytest.raises(UsageError, match="leaves no room") as refused:
        start(Circle(), target, 5, population=3, elite=3)
    assert "elite" in refused.value.hint


INKS = torch.tensor([[1.0, 1, 1], [0.1, 0.1, 0.2], [0.8, 0.3, 0.1]])


@pytest.mark.parametrize("colours", ["best", "random"])
def test_shapes_keep_to_a_palette(colours, target):
    engine = start(Circle(), target, 6, steps=40, palette=INKS, colours=colours)
    first = engine.report().loss
    engine.advance(40)
    assert engine.report().loss < first
    for island in engine.islands:
        for index in range(len(island)):
            found = island.tensors(index)["colour"].t()
            assert torch.cdist(found, INKS).amin(1).max() < 1e-6


def test_a_first_drawing_gets_the_ground_colours_of_a_palette(target):
    tensors = start(Circle(), target, 4).drawing(best=False).tensors
    height, width = target.shape[1:]
    given = Drawing("test", {}, tensors, width, height, GRAY)
    engine = start(Circle(), target, 4, drawing=given, palette=INKS)
    nearest = torch.cdist(tensors["colour"].t(), INKS).argmin(1)
    assert torch.equal(engine.islands[0].tensors(0)["colour"], INKS[nearest].t())


def test_cells_have_the_colours_of_a_palette(tmp_path):
    """Was refused as not supported by `genetic`, with the hint that shapes with genetic do."""
    table = {"source": str(save_photo(tmp_path)), "palette": ["#102030", "#e0d0c0", "#a04020"]}
    primitive = {"name": "voronoi", "count": 9}
    asked = recipe(table["source"], {"engine": "genetic", "steps": 4}, target=table)
    art = run(changed(asked, {"primitive": primitive, "output": {"video": False}}), default()).art
    colours = art.drawing.tensors["colour"].t()
    assert {hex_colour(each) for each in colours.tolist()} <= set(table["palette"])


STAR = '''
import math
from artgen import Shape

class Star(Shape):
    """Stars: the middle, and the vector to one tip."""

    genes, vertices = 4, 10

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1] = x, y
        genes[2], genes[3] = size * (2 * rng.random() - 1), size * (2 * rng.random() - 1)

    @staticmethod
    def outline(genes, points):
        for i in range(10):
            turn, reach = math.pi * i / 5, 1 - 0.6 * (i % 2)
            c, s = reach * math.cos(turn), reach * math.sin(turn)
            points[i, 0] = genes[0] + c * genes[2] - s * genes[3]
            points[i, 1] = genes[1] + s * genes[2] + c * genes[3]
'''


@pytest.mark.parametrize(
    ("options", "least"),
    # Mutations may remove a part, and a child may leave out some of both parents, so a picture of
    # seven can be the best after 20 generations (4 of 60 seeds): the count is the most. Without
    # either it stays.
    [
        (["--seed", "1"], 6),
        (["--seed", "5"], 6),
        (["--set", "engine.resize=0", "--set", "engine.crossover=0"], 8),
    ],
    ids=["1", "5", "count kept"],
)
def test_a_shape_of_ones_own(options, least, tmp_path):
    photo = save_photo(tmp_path)
    (tmp_path / "star.py").write_text(STAR)
    command = ["fit", str(photo), "-p", "star", "--plugin", str(tmp_path / "star.py"), "-n", "8"]
    options = [*options, "-e", "genetic", "--steps", "20", "--set", "engine.population=6"]
    options += ["--set", "engine.elite=2", "--out", str(tmp_path / "out"), "--name", "stars"]
    assert main([*command, *options, "--no-video", "--quiet"]) == 0
    summary = json.loads((tmp_path / "out" / "stars.json").read_text())
    assert summary["engine"] == "genetic"
    assert least <= summary["count"] <= 8


def test_logs_that_hold_nothing_are_refused(tmp_path):
    from artgen.runs import read_generations

    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "best": 0.1}\n')
    with pytest.raises(InputError, match="holds no generations"):
        read_generations(path)
